#include "../run.h"
#include "control_test.h"

int main(void)
{
	Suite *suite = suite_create("control");

	(void)setenv("CK_DEFAULT_TIMEOUT", "30", 0); /* others may keep the machine busy */
	add_cap_cases(suite);
	add_diff_cases(suite);
	add_drill_cases(suite);
	add_inputs_cases(suite);
	add_orders_cases(suite);
	add_ramp_cases(suite);
	add_reload_record_cases(suite);
	add_secrets_cases(suite);
	add_status_cases(suite);
	add_supervisor_cases(suite);
	add_watch_cases(suite);
	return run_suite(suite);
}
