#include <stdlib.h>

#include "compile_test.h"

int main(void)
{
	SRunner *runner = srunner_create(plan_suite());
	int failed;

	srunner_add_suite(runner, plan_verify_suite());
	srunner_add_suite(runner, zones_errors_suite());
	srunner_add_suite(runner, zones_image_suite());
	srunner_add_suite(runner, zones_ldns_suite());
	srunner_add_suite(runner, quick_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
