/* The suites in which compiling works with several threads: these run under ThreadSanitizer, too. */
#include "geo_fixture.h"

int main(void)
{
	SRunner *runner = srunner_create(geo_build_suite());
	int failed;

	srunner_add_suite(runner, overrides_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
