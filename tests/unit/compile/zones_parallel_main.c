/* The suites in which zones are read and compiled by several threads: these run under
 * ThreadSanitizer, too. */
#include <stdlib.h>

#include "compile_test.h"

int main(void)
{
	SRunner *runner = srunner_create(zones_parallel_suite());
	int failed;

	srunner_add_suite(runner, stretch_suite());
	srunner_add_suite(runner, zone_read_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
