#include "steer_test.h"
#include "tests/unit/run.h"

int main(void)
{
	Suite *suite = suite_create("steer");

	table_cases(suite);
	bands_cases(suite);
	pack_cases(suite);
	spill_cases(suite);
	shares_cases(suite);
	steer_cases(suite);
	image_cases(suite);
	routes_cases(suite);
	property_cases(suite);
	answers_cases(suite);
	families_cases(suite);
	sets_cases(suite);
	return run_suite(suite);
}
