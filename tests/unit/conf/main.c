#include <stdlib.h>

#include "conf_test.h"

int main(void)
{
	SRunner *runner = srunner_create(diag_suite());
	int failed;

	srunner_add_suite(runner, mistakes_suite());
	srunner_add_suite(runner, config_suite());
	srunner_add_suite(runner, clients_suite());
	srunner_add_suite(runner, places_suite());
	srunner_add_suite(runner, timestamp_suite());
	srunner_add_suite(runner, links_suite());
	srunner_add_suite(runner, effective_suite());
	srunner_add_suite(runner, inherit_suite());
	srunner_add_suite(runner, load_suite());
	srunner_add_suite(runner, doubt_suite());
	srunner_add_suite(runner, ikev2_suite());
	srunner_add_suite(runner, wireguard_suite());
	srunner_add_suite(runner, probe_openvpn_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
