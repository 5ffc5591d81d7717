/* What holds: the server file's defaults, the pool's, the site's and the node's options. */
#include "conf/config.h"

#include <string.h>

#include "conf_test.h"
#include "fixture.h"

#define SERVER                                                  \
	"zones: zones\n"                                        \
	"sites:\n"                                              \
	"  tokyo: { location: [35.68, 139.69], bias: 20% }\n"   \
	"  frankfurt: { location: [50.11, 8.68], bias: -10 }\n" \
	"  oslo: { location: [59.91, 10.75] }\n"

#define NODES "sites: { tokyo: { nodes: { t: { address: 192.0.2.1 } } } }\n"

static struct reading *read_good(const char *server, const char *pool)
{
	struct reading *reading = fixture_read(server, pool);

	ck_assert_str_eq(reading->printed, "");
	ck_assert_uint_eq(reading->config.pool_count, 1);
	return reading;
}

START_TEST(steering_has_the_manuals_defaults)
{
	struct reading *reading = read_good(NULL, NULL);
	const struct config_pool *pool = &reading->config.pools[0];
	const struct config_pool_site *site = &pool->sites[0];

	ck_assert_int_eq(pool->own_policy, POLICY_WEIGHTED);
	ck_assert_uint_eq(pool->band_percent, 0);
	ck_assert_uint_eq(pool->band_km, 0);
	ck_assert_uint_eq(pool->answers, 1);
	ck_assert_uint_eq(pool->spare, 0);
	ck_assert_uint_eq(pool->spare_km, 1000);
	ck_assert_int_eq(pool->spread, SPREAD_SITE);
	ck_assert_int_eq(pool->order, ORDER_PREFERENCE);
	ck_assert_uint_eq(pool->max_automatic_down, 50);
	ck_assert(!pool->freeze);
	ck_assert_uint_eq(pool->ttl_floor_s, 10);
	ck_assert_uint_eq(pool->ttl_ceiling_s, INT32_MAX);
	ck_assert_uint_eq(pool->load_age_ms, 300000);
	ck_assert_uint_eq(pool->ramp_percent, 10);
	ck_assert_uint_eq(pool->ramp_ms, 60000);
	ck_assert_uint_eq(pool->backup, PLAN_NONE);
	ck_assert_uint_eq(pool->fallback_pool, PLAN_NONE);
	ck_assert_uint_eq(pool->window_count, 0);
	ck_assert_int_eq(site->bias_percent, 0);
	ck_assert_uint_eq(site->priority, 0);
	ck_assert_uint_eq(site->min_nodes, 1);
	ck_assert_uint_eq(site->spill_high, 90);
	ck_assert_uint_eq(site->spill_low, 70);
	ck_assert_uint_eq(site->nodes[0].weight, 100);
	ck_assert_uint_eq(site->nodes[0].capacity, 100);
	ck_assert_uint_eq(site->nodes[0].port, 0);
	fixture_free(reading);
}
END_TEST

START_TEST(each_option_of_steering_is_read)
{
	struct reading *reading = read_good(
		NULL,
		"pool: edge\n"
		"policy: round-robin\n"
		"own-networks: failover\n"
		"band: { percent: 5%, km: 300km }\n"
		"answers: 16\n"
		"spread: node\n"
		"spare: 15\n"
		"spare-distance: 5000\n"
		"order: shuffled\n"
		"fallback: last-good\n"
		"max-automatic-down: 30%\n"
		"freeze: true\n"
		"ttl: { floor: 0s, ceiling: 2m }\n"
		"load-max-age: 90s\n"
		"sites:\n"
		"  tokyo:\n"
		"    bias: -99%\n"
		"    priority: 7\n"
		"    minimum: 2\n"
		"    spill: { high: 80%, low: 60 }\n"
		"    nodes:\n"
		"      t1: { address: 192.0.2.1, weight: 0 }\n"
		"      t2: { address: 192.0.2.2, capacity: 4294967295 }\n"
		"  oslo: { spill: off, nodes: { o: { address: 192.0.2.3 } } }\n"
		"maintenance:\n"
		"  - { from: 2026-12-01T02:00:00Z, until: 2026-12-01T04:00:00+01:00 }\n"
		"  - { from: 2026-12-02T00:00:00Z, until: 2026-12-03T00:00:00Z, site: oslo,\n"
		"      state: disable, reason: moving }\n"
		"  - { from: 2026-12-02T00:00:00Z, until: 2026-12-03T00:00:00Z, node: t2 }\n");
	const struct config_pool *pool = &reading->config.pools[0];
	const struct config_pool_site *site = &pool->sites[0];
	const struct config_window *windows = pool->windows;

	ck_assert_int_eq(pool->policy, POLICY_ROUND_ROBIN);
	ck_assert_int_eq(pool->own_policy, POLICY_FAILOVER);
	ck_assert_uint_eq(pool->band_percent, 5);
	ck_assert_uint_eq(pool->band_km, 300);
	ck_assert_uint_eq(pool->answers, 16);
	ck_assert_int_eq(pool->spread, SPREAD_NODE);
	ck_assert_uint_eq(pool->spare, 15);
	ck_assert_uint_eq(pool->spare_km, 5000);
	ck_assert_int_eq(pool->order, ORDER_SHUFFLED);
	ck_assert_int_eq(pool->fallback, FALLBACK_LAST_GOOD);
	ck_assert_uint_eq(pool->max_automatic_down, 30);
	ck_assert(pool->freeze);
	ck_assert_uint_eq(pool->ttl_floor_s, 0);
	ck_assert_uint_eq(pool->ttl_ceiling_s, 120);
	ck_assert_uint_eq(pool->load_age_ms, 90000);
	ck_assert_int_eq(site->bias_percent, -99);
	ck_assert_uint_eq(site->priority, 7);
	ck_assert_uint_eq(site->min_nodes, 2);
	ck_assert_uint_eq(site->spill_high, 80);
	ck_assert_uint_eq(site->spill_low, 60);
	ck_assert_uint_eq(site->nodes[0].capacity, 1); /* a weight of 0 carries something */
	ck_assert_uint_eq(site->nodes[1].capacity, UINT32_MAX);
	ck_assert_uint_eq(pool->sites[1].priority, 1);
	ck_assert_uint_eq(pool->sites[1].spill_high, 0);
	ck_assert_uint_eq(pool->window_count, 3);
	ck_assert_uint_eq(windows[0].from_unix_s, 1796090400); /* date -d 2026-12-01T02:00Z +%s */
	ck_assert_uint_eq(windows[0].until_unix_s - windows[0].from_unix_s, 3600);
	ck_assert_uint_eq(windows[0].site, PLAN_NONE);
	ck_assert(!windows[0].disable);
	ck_assert_str_eq(windows[0].reason, "");
	ck_assert_uint_eq(windows[1].site, 1);
	ck_assert_uint_eq(windows[1].node, PLAN_NONE);
	ck_assert(windows[1].disable);
	ck_assert_str_eq(windows[1].reason, "moving");
	ck_assert_uint_eq(windows[2].site, 0);
	ck_assert_uint_eq(windows[2].node, 1);
	ck_assert_uint_eq(windows[2].place.line, 29);
	fixture_free(reading);
}
END_TEST

START_TEST(what_the_pool_does_not_say_the_defaults_say)
{
	struct reading *reading = read_good(SERVER "defaults:\n"
						   "  policy: failover\n"
						   "  persistence: { v4: 20 }\n"
						   "  persistence-without-ecs: subnet\n"
						   "  fallback: none\n"
						   "  answers: 3\n"
						   "  spread: node\n"
						   "  spare: 1\n"
						   "  spare-distance: 2km\n"
						   "  order: shuffled\n"
						   "  band: { percent: 7%, km: 70 }\n"
						   "  max-automatic-down: 25%\n"
						   "  freeze: true\n"
						   "  ttl: { ceiling: 1h }\n"
						   "  spill: off\n"
						   "  load-max-age: 1m\n"
						   "  ramp: { from: 25%, time: 5m }\n"
						   "  own-networks: nearest\n"
						   "  strict-pair: true\n"
						   "  probes: [ { kind: icmp, interval: 1s } ]\n"
						   "  weight: 5\n"
						   "  capacity: 6\n"
						   "  port: 7\n",
					    "pool: edge\n"
					    "spread: site\n"
					    "answers: 2\n"
					    "ramp: { time: 0s }\n"
					    "band: { km: 0km }\n" NODES);
	const struct config_pool *pool = &reading->config.pools[0];
	const struct config_node *node = &pool->sites[0].nodes[0];

	ck_assert_int_eq(pool->policy, POLICY_FAILOVER);
	ck_assert_int_eq(pool->persistence, PERSISTENCE_SUBNET);
	ck_assert_uint_eq(pool->persistence_v4, 20);
	ck_assert_uint_eq(pool->persistence_v6, 56);
	ck_assert_int_eq(pool->persistence_without_ecs, PERSISTENCE_SUBNET);
	ck_assert_int_eq(pool->fallback, FALLBACK_NONE);
	ck_assert_uint_eq(pool->answers, 2);
	ck_assert_int_eq(pool->spread, SPREAD_SITE);
	ck_assert_uint_eq(pool->spare, 1);
	ck_assert_uint_eq(pool->spare_km, 2);
	ck_assert_int_eq(pool->order, ORDER_SHUFFLED);
	ck_assert_uint_eq(pool->band_percent, 7); /* each option of a map for itself */
	ck_assert_uint_eq(pool->band_km, 0);
	ck_assert_uint_eq(pool->max_automatic_down, 25);
	ck_assert(pool->freeze);
	ck_assert_uint_eq(pool->ttl_floor_s, 10);
	ck_assert_uint_eq(pool->ttl_ceiling_s, 3600);
	ck_assert_uint_eq(pool->sites[0].spill_high, 0);
	ck_assert_uint_eq(pool->load_age_ms, 60000);
	ck_assert_uint_eq(pool->ramp_percent, 25);
	ck_assert_uint_eq(pool->ramp_ms, 0);
	ck_assert_int_eq(pool->own_policy, POLICY_NEAREST);
	ck_assert(pool->strict_pair);
	ck_assert_uint_eq(pool->probe_count, 1);
	ck_assert_uint_eq(pool->probes[0].timeout_ms, 1000);
	ck_assert_uint_eq(node->weight, 5);
	ck_assert_uint_eq(node->capacity, 6);
	ck_assert_uint_eq(node->port, 7);
	fixture_free(reading);
}
END_TEST

START_TEST(a_site_wins_over_its_pool_and_a_node_over_its_site)
{
	struct reading *reading = read_good(SERVER
					    "defaults: { weight: 1, port: 1, capacity: 1 }\n",
					    "pool: edge\n"
					    "port: 2\n"
					    "weight: 2\n"
					    "sites:\n"
					    "  tokyo:\n"
					    "    nodes:\n"
					    "      a: { address: 192.0.2.1, weight: 4 }\n"
					    "      b: { address: 192.0.2.2 }\n"
					    "    weight: 3\n"
					    "    capacity: 3\n"
					    "  oslo: { nodes: { c: { address: 192.0.2.3 } } }\n");
	const struct config_pool_site *sites = reading->config.pools[0].sites;

	ck_assert_uint_eq(sites[0].nodes[0].weight, 4);
	ck_assert_uint_eq(sites[0].nodes[0].capacity, 3);
	ck_assert_uint_eq(sites[0].nodes[0].port, 2);
	ck_assert_uint_eq(sites[0].nodes[1].weight, 3);
	ck_assert_uint_eq(sites[1].nodes[0].weight, 2);
	ck_assert_uint_eq(sites[1].nodes[0].capacity, 1);
	fixture_free(reading);
}
END_TEST

START_TEST(a_bias_is_the_server_files_unless_the_pool_has_its_own)
{
	struct reading *reading = read_good(
		SERVER, "pool: edge\n"
			"sites:\n"
			"  tokyo: { nodes: { a: { address: 192.0.2.1 } } }\n"
			"  frankfurt: { bias: 3, nodes: { b: { address: 192.0.2.2 } } }\n"
			"  oslo: { nodes: { c: { address: 192.0.2.3 } } }\n");
	const struct config *config = &reading->config;
	const struct config_pool_site *sites = config->pools[0].sites;

	ck_assert_int_eq(config->sites[0].bias_percent, 20);
	ck_assert_int_eq(config->sites[1].bias_percent, -10);
	ck_assert_int_eq(sites[0].bias_percent, 20);
	ck_assert_int_eq(sites[1].bias_percent, 3);
	ck_assert_int_eq(sites[2].bias_percent, 0);
	fixture_free(reading);
}
END_TEST

START_TEST(spill_is_inherited_mark_by_mark_and_a_word_replaces_both)
{
	struct reading *reading = read_good(
		SERVER "defaults: { spill: { high: 60%, low: 40% } }\n",
		"pool: edge\n"
		"spill: { high: 80% }\n"
		"sites:\n"
		"  tokyo: { nodes: { a: { address: 192.0.2.1 } } }\n"
		"  frankfurt: { spill: { low: 75% }, nodes: { b: { address: 192.0.2.2 } } }\n"
		"  oslo: { spill: off, nodes: { c: { address: 192.0.2.3 } } }\n");
	const struct config_pool_site *sites = reading->config.pools[0].sites;

	ck_assert_uint_eq(sites[0].spill_high, 80);
	ck_assert_uint_eq(sites[0].spill_low, 40);
	ck_assert_uint_eq(sites[1].spill_high, 80);
	ck_assert_uint_eq(sites[1].spill_low, 75);
	ck_assert_uint_eq(sites[2].spill_high, 0);
	ck_assert_uint_eq(sites[2].spill_low, 0);
	fixture_free(reading);
	reading = read_good(SERVER "defaults: { spill: off }\n", "pool: edge\n"
								 "spill: { high: 80% }\n" NODES);
	ck_assert_uint_eq(reading->config.pools[0].sites[0].spill_low, 70);
	fixture_free(reading);
}
END_TEST

static void assert_says(const char *server, const char *pool, const char *wanted)
{
	struct reading *reading = fixture_read(server, pool);

	ck_assert_uint_eq(diag_errors(reading->diag), 1);
	ck_assert_msg(strncmp(reading->printed, wanted, strlen(wanted)) == 0,
		      "expected:\n%sgot:\n%s", wanted, reading->printed);
	fixture_free(reading);
}

START_TEST(what_is_wrong_above_is_told_once_where_it_stands)
{
	assert_says(SERVER "defaults: { probes: [ { kind: tpc } ], weight: 5 }\n",
		    "pool: edge\n" NODES,
		    "signpost.yaml:6:31: error: \"tpc\" is not " PROBE_KIND_WORDS " (did you mean "
		    "\"tcp\"?)\n");
	assert_says("zones: zones\nsites: { tokyo: { location: [1, 2], bias: 100 } }\n",
		    "pool: edge\n" NODES,
		    "signpost.yaml:2:43: error: 100 is out of range: -99% to 99%\n");
	assert_says(
		SERVER "defaults: { fallback: pool:egde }\n", "pool: edge\n" NODES,
		"signpost.yaml:6:23: error: there is no pool \"egde\" (did you mean \"edge\"?)\n");
}
END_TEST

START_TEST(what_contradicts_what_is_above_is_told_below)
{
	assert_says(
		SERVER "defaults: { answers: 3, spare: 2 }\n", "pool: edge\nanswers: 2\n" NODES,
		"zones/edge.pool.yaml:2:10: error: spare 2 leaves nothing of answers 2: it must "
		"be less\n");
	assert_says(SERVER "defaults: { ttl: { ceiling: 1h } }\n",
		    "pool: edge\nttl: { floor: 2h }\n" NODES,
		    "zones/edge.pool.yaml:2:15: error: ceiling 1h is below floor 2h\n");
	assert_says(
		SERVER "defaults: { spill: { high: 60%, low: 50% } }\n",
		"pool: edge\n"
		"sites: { tokyo: { spill: { low: 60% }, nodes: { t: { address: 192.0.2.1 } } } }\n",
		"zones/edge.pool.yaml:2:33: error: low 60% is not below high 60%\n");
}
END_TEST

START_TEST(the_pool_that_all_fall_back_to_needs_a_fallback_of_its_own)
{
	static const char defaults[] = SERVER "defaults: { fallback: pool:edge }\n";
	struct reading *reading;

	assert_says(defaults, "pool: edge\n" NODES,
		    "signpost.yaml:6:23: error: pool \"edge\" would stand in for itself: it needs "
		    "another one in its own file\n");
	reading = read_good(defaults, "pool: edge\nfallback: all\n" NODES);
	ck_assert_uint_eq(reading->config.pools[0].fallback_pool, PLAN_NONE);
	fixture_free(reading);
}
END_TEST

Suite *inherit_suite(void)
{
	Suite *suite = suite_create("inherit");
	TCase *tcase = tcase_create("inherit");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, steering_has_the_manuals_defaults);
	tcase_add_test(tcase, each_option_of_steering_is_read);
	tcase_add_test(tcase, what_the_pool_does_not_say_the_defaults_say);
	tcase_add_test(tcase, a_site_wins_over_its_pool_and_a_node_over_its_site);
	tcase_add_test(tcase, a_bias_is_the_server_files_unless_the_pool_has_its_own);
	tcase_add_test(tcase, spill_is_inherited_mark_by_mark_and_a_word_replaces_both);
	tcase_add_test(tcase, what_is_wrong_above_is_told_once_where_it_stands);
	tcase_add_test(tcase, what_contradicts_what_is_above_is_told_below);
	tcase_add_test(tcase, the_pool_that_all_fall_back_to_needs_a_fallback_of_its_own);
	suite_add_tcase(suite, tcase);
	return suite;
}
