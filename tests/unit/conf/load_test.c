/* How weights follow load: marks, pace and sources. */
#include "conf/config.h"

#include <string.h>

#include "conf_test.h"
#include "fixture.h"

#define SERVER           \
	"zones: zones\n" \
	"sites: { tokyo: { location: [35.68, 139.69] } }\n"

#define NODES "sites: { tokyo: { nodes: { t: { address: 192.0.2.1 } } } }\n"

static struct plan_load load_of(const char *server, const char *pool)
{
	struct reading *reading = fixture_read(server, pool);
	struct plan_load load;

	ck_assert_str_eq(reading->printed, "");
	ck_assert_uint_eq(reading->config.pool_count, 1);
	load = reading->config.pools[0].load;
	fixture_free(reading);
	return load;
}

START_TEST(weights_do_not_follow_load_unless_it_is_written)
{
	ck_assert(!load_of(SERVER, "pool: edge\n" NODES).on);
	ck_assert(!load_of(SERVER, "pool: edge\nload: off\n" NODES).on);
	ck_assert(load_of(SERVER, "pool: edge\nload: { }\n" NODES).on);
	ck_assert(load_of(SERVER "defaults: { load: { dwell: 1m } }\n", "pool: edge\n" NODES).on);
	ck_assert(!load_of(SERVER "defaults: { load: { dwell: 1m } }\n",
			   "pool: edge\nload: off\n" NODES)
			   .on);
}
END_TEST

START_TEST(load_has_the_manuals_defaults)
{
	struct plan_load load = load_of(SERVER, "pool: edge\nload: { }\n" NODES);

	ck_assert_uint_eq(load.low_percent, 60);
	ck_assert_uint_eq(load.high_percent, 100);
	ck_assert_uint_eq(load.floor_percent, 25);
	ck_assert_uint_eq(load.step_percent, 10);
	ck_assert_uint_eq(load.smoothing_ms, 600000);
	ck_assert_uint_eq(load.dwell_ms, 300000);
	ck_assert_uint_eq(load.stale_ms, 300000);
}
END_TEST

START_TEST(load_is_inherited_option_by_option)
{
	struct plan_load load = load_of(
		SERVER "defaults: { load: { low-mark: 50%, dwell: 1m }, load-max-age: 90s }\n",
		"pool: edge\nload: { low-mark: 40%, high-mark: 80%, min-weight: 5%, step: 100%, "
		"smoothing: 0s }\n" NODES);

	ck_assert_uint_eq(load.low_percent, 40);
	ck_assert_uint_eq(load.high_percent, 80);
	ck_assert_uint_eq(load.floor_percent, 5);
	ck_assert_uint_eq(load.step_percent, 100);
	ck_assert_uint_eq(load.smoothing_ms, 0);
	ck_assert_uint_eq(load.dwell_ms, 60000);
	ck_assert_uint_eq(load.stale_ms, 90000);
}
END_TEST

START_TEST(marks_that_contradict_each_other_are_told)
{
	struct reading *reading = fixture_read(
		SERVER, "pool: edge\nload: { low-mark: 80%, high-mark: 80% }\n" NODES);

	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "edge.pool.yaml:2:19: error: low-mark 80% is not below "
				     "high-mark 80%"));
	fixture_free(reading);
	reading = fixture_read(SERVER, "pool: edge\nload: on\n" NODES);
	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "edge.pool.yaml:2:7: error: \"on\" is not off or a map such "
				     "as { low-mark: 60% }"));
	fixture_free(reading);
}
END_TEST

Suite *load_suite(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, weights_do_not_follow_load_unless_it_is_written);
	tcase_add_test(tcase, load_has_the_manuals_defaults);
	tcase_add_test(tcase, load_is_inherited_option_by_option);
	tcase_add_test(tcase, marks_that_contradict_each_other_are_told);
	suite_add_tcase(suite, tcase);
	return suite;
}
