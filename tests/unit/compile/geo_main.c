#include "geo_fixture.h"

int main(void)
{
	SRunner *runner = srunner_create(geo_trie_suite());
	int failed;

	srunner_add_suite(runner, breaks_suite());
	srunner_add_suite(runner, geo_find_suite());
	srunner_add_suite(runner, locations_suite());
	srunner_add_suite(runner, geo_clients_suite());
	srunner_add_suite(runner, geo_nearest_suite());
	srunner_add_suite(runner, geo_model_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
