/* How weights follow load: marks, pace and sources. */
#include "conf/config.h"

#include <string.h>

#include "conf_test.h"
#include "fixture.h"
#include "image/probe_prometheus.h"

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
		"smoothing: 0s, probe-loss: 20%, probe-rtt: 150ms }\n" NODES);

	ck_assert_uint_eq(load.low_percent, 40);
	ck_assert_uint_eq(load.high_percent, 80);
	ck_assert_uint_eq(load.floor_percent, 5);
	ck_assert_uint_eq(load.step_percent, 100);
	ck_assert_uint_eq(load.smoothing_ms, 0);
	ck_assert_uint_eq(load.dwell_ms, 60000);
	ck_assert_uint_eq(load.stale_ms, 90000);
	ck_assert_uint_eq(load.loss_percent, 20);
	ck_assert_uint_eq(load.rtt_ms, 150);
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

#define SOURCE(options) "pool: edge\nload: { sources: [ { " options " } ] }\n" NODES

static const char *labels_of(const struct prometheus_settings *s, size_t at)
{
	return probe_text(s, s->labels) + at;
}

START_TEST(sources_come_behind_the_probes_and_judge_nothing)
{
	struct reading *reading = fixture_read(
		SERVER, "pool: edge\nprobes: [ { kind: tcp, port: 443 } ]\nload:\n  sources:\n"
			"  - { kind: prometheus, preset: node-cpu }\n"
			"  - { kind: prometheus, metric: users, signal: users, capacity: 250, "
			"labels: { if: [wg0, wg1] }, port: 9586 }\n"
			"  - { kind: prometheus, metric: users, name: tcp-2 }\n" NODES);
	const struct config_pool *pool = &reading->config.pools[0];
	const struct prometheus_settings *s = pool->probes[2].settings;

	ck_assert_str_eq(reading->printed, "");
	ck_assert_uint_eq(pool->probe_count, 4);
	ck_assert_uint_eq(pool->probes[0].roles, PROBE_HEALTH);
	ck_assert_ptr_null(pool->probes[0].signal);
	ck_assert_uint_eq(pool->probes[1].roles, PROBE_LOAD);
	ck_assert_str_eq(pool->probes[1].signal, "node-cpu");
	ck_assert_uint_eq(pool->probes[1].port, 9100);
	ck_assert_str_eq(pool->probes[2].signal, "users");
	ck_assert_str_eq(pool->probes[3].signal, "tcp-2");
	ck_assert(probe_settings_valid(PROBE_PROMETHEUS, s, pool->probes[2].settings_len));
	ck_assert_str_eq(probe_text(s, s->metric), "users");
	ck_assert_str_eq(probe_text(s, s->path), "/metrics");
	ck_assert(s->capacity == 250);
	ck_assert_uint_eq(s->labels.len, 14);
	ck_assert_str_eq(labels_of(s, 0), "if");
	ck_assert_str_eq(labels_of(s, 3), "wg0");
	ck_assert_str_eq(labels_of(s, 10), "wg1");
	fixture_free(reading);
}
END_TEST

static const struct {
	const char *pool, *message;
} mistakes[] = {
	{ SOURCE("kind: prometheus"), "2:28: error: a prometheus source needs a \"metric\"" },
	{ SOURCE("kind: prometheus, metric: 9a"),
	  "2:48: error: \"9a\" is not the name of a metric" },
	{ SOURCE("kind: prometheus, preset: node-cpu, metric: x"),
	  "2:58: error: \"metric\" is what preset node-cpu says" },
	{ SOURCE("kind: prometheus, metric: x, capacity: 0"),
	  "2:61: error: \"0\" is not a number above 0" },
	{ SOURCE("kind: prometheus, metric: x, capacity: { labels: { a: b } }"),
	  "2:61: error: the required option \"metric\" is missing" },
	{ SOURCE("kind: prometheus, metric: x, labels: { a-b: c }"),
	  "error: \"a-b\" is not the name of a label" },
	{ SOURCE("kind: prometheus, metric: x, path: metrics"), "error: a path begins with /" },
	{ SOURCE("kind: prometheus, metric: x, verify: false"),
	  "error: \"verify\" is of use for scheme https" },
	{ SOURCE("kind: prometheus, metric: x, signal: 'a b'"), "error: " },
	{ SOURCE("kind: prometheus, metric: x, sginal: a"),
	  "unknown option \"sginal\" (did you mean \"signal\"?)" },
	{ SOURCE("kind: tcp, port: 1"),
	  "2:28: error: \"tcp\" cannot tell a load: it belongs in \"probes\"" },
	{ "pool: edge\nprobes: [ { kind: prometheus, metric: x } ]\n" NODES,
	  "2:19: error: \"prometheus\" tells a load, and no health" },
	{ "pool: edge\nprobes: [ { kind: tcp, port: 1, signal: x } ]\n" NODES,
	  "unknown option \"signal\"" },
};

START_TEST(mistakes_in_sources_are_told)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct reading *reading = fixture_read(SERVER, mistakes[i].pool);

		ck_assert_msg(strstr(reading->printed, mistakes[i].message) != NULL,
			      "%s\nsays %s\nnot %s", mistakes[i].pool, reading->printed,
			      mistakes[i].message);
		fixture_free(reading);
	}
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
	tcase_add_test(tcase, sources_come_behind_the_probes_and_judge_nothing);
	tcase_add_test(tcase, mistakes_in_sources_are_told);
	suite_add_tcase(suite, tcase);
	return suite;
}
