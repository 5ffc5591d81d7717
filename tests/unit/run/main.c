#include "tests/unit/run/run_test.h"

int main(void)
{
	Suite *suite = suite_create("run");

	add_command_tests(suite);
	add_runner_tests(suite);
	return run_suite(suite);
}
