#include "compile/plan_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../conf/fixture.h"
#include "base/hash.h"
#include "compile_test.h"
#include "plan_copy.h"

static void assert_address(const struct ip_address *address, const char *text)
{
	char got[IP_TEXT_SIZE];

	ck_assert_str_eq(ip_format(address, got), text);
}

START_TEST(the_plan_says_what_the_files_say)
{
	static const uint8_t owner[] = "\5tokyo\3vpn\7example\3net";
	struct plan_copy copy = sample_plan();
	const struct image *plan = &copy.image;
	const struct plan_root *root = image_root(plan, struct plan_root);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_pool_site *pool_sites = plan_items(plan, pool_sites,
							     struct plan_pool_site);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);
	const struct plan_record *records = plan_items(plan, records, struct plan_record);
	const struct plan_rule *rules = plan_items(plan, rules, struct plan_rule);
	struct err err;

	ck_assert_msg(plan_verify(plan, &err) == 0, "%s", err.text);
	ck_assert_str_eq(plan_text(plan, root->settings.state_dir), "/var/lib/signpost");
	ck_assert_str_eq(plan_text(plan, root->settings.run_dir), "/run/signpost");
	ck_assert_int_eq(plan_text(plan, root->settings.server_file)[0], '/');
	ck_assert_uint_eq(root->settings.history_days, 90);
	ck_assert_uint_eq(root->settings.minutes_days, 7);
	ck_assert_uint_eq(root->settings.dns.udp_size_max, 1232);
	ck_assert_uint_eq(root->settings.dns.ecs, 1);

	ck_assert_uint_eq(plan_count(plan, sites), 3);
	ck_assert_str_eq(plan_text(plan, plan_items(plan, sites, struct plan_site)[2].name),
			 "oslo");
	ck_assert(plan_items(plan, sites, struct plan_site)[2].longitude == 10.75);

	ck_assert_uint_eq(plan_count(plan, pools), 2);
	ck_assert_str_eq(plan_text(plan, pools[0].name), "edge");
	ck_assert_str_eq(plan_text(plan, pools[1].file), "zones/other.pool.yaml");
	ck_assert_uint_eq(pools[0].policy, POLICY_FAILOVER);
	ck_assert_uint_eq(pools[0].fallback, FALLBACK_ADDRESSES);
	ck_assert_uint_eq(pools[0].fallback_addresses.count, 1);
	assert_address(&addresses[pools[0].fallback_addresses.first], "192.0.2.99");
	ck_assert_uint_eq(pools[0].persistence_without_ecs, PERSISTENCE_SUBNET);
	ck_assert_uint_eq(pools[0].flap_half_life_ms, 600000);
	ck_assert_uint_eq(pools[0].flap_max_hold_ms, 300000);
	ck_assert_uint_eq(pools[1].flap_half_life_ms, 0); /* off */
	ck_assert_uint_eq(pools[1].persistence, PERSISTENCE_NONE);
	ck_assert_uint_eq(pools[0].seed, hash_text("edge", 0));
	ck_assert_uint_eq(pools[0].sites.count, 2);
	ck_assert_uint_eq(pools[0].nodes.count, 3);
	ck_assert_uint_eq(pools[1].sites.first, 2);
	ck_assert_uint_eq(pools[1].nodes.first, 3);

	ck_assert_uint_eq(plan_count(plan, pool_sites), 3);
	ck_assert_uint_eq(pool_sites[0].site, 1); /* frankfurt: the pool file's order */
	ck_assert_uint_eq(pool_sites[1].site, 0);
	ck_assert_uint_eq(pool_sites[2].pool, 1);
	ck_assert_uint_eq(plan_count(plan, nodes), 4);
	ck_assert_str_eq(plan_text(plan, nodes[1].name), "f-2");
	ck_assert_uint_eq(nodes[1].weight, 7);
	ck_assert_uint_eq(nodes[1].addresses.count, 2);
	assert_address(&addresses[nodes[1].addresses.first + 1], "2001:db8::2");

	ck_assert_uint_eq(plan_count(plan, rules), 3);
	ck_assert_str_eq(plan_text(plan, rules[0].text), "[NO, AS4134]");
	ck_assert_uint_eq(rules[1].line, 7);
	ck_assert_uint_eq(rules[1].column, 5);
	ck_assert_uint_eq(rules[2].pool, 1);
	ck_assert_str_eq(plan_text(plan, rules[2].file), "zones/other.pool.yaml");

	ck_assert_uint_eq(plan_count(plan, records), 3);
	ck_assert_uint_eq(records[0].pool_site, PLAN_NONE);
	ck_assert_uint_eq(records[1].pool_site, 1);
	ck_assert_uint_eq(records[1].ttl_s, 60);
	ck_assert_uint_eq(records[1].owner_len, sizeof(owner));
	ck_assert_mem_eq(plan->base + records[1].owner, owner, sizeof(owner));
	ck_assert_uint_eq(records[2].pool, 1);
	ck_assert_uint_eq(records[2].pool_site, 2);
	free(copy.bytes);
}
END_TEST

/* node, probe's kind, address */
static const struct {
	uint32_t node;
	enum probe_kind kind;
	const char *address;
} expected_checks[] = {
	{ 0, PROBE_TCP, "198.51.100.1" }, { 0, PROBE_ICMP, "198.51.100.1" },
	{ 1, PROBE_TCP, "198.51.100.2" }, { 1, PROBE_ICMP, "198.51.100.2" },
	{ 1, PROBE_ICMP, "2001:db8::2" }, { 2, PROBE_TCP, "203.0.113.1" },
	{ 2, PROBE_ICMP, "203.0.113.1" }, { 2, PROBE_ICMP, "2001:db8::1" },
};

START_TEST(each_probe_looks_at_each_address_of_its_family)
{
	struct plan_copy copy = sample_plan();
	const struct image *plan = &copy.image;
	const struct plan_check *checks = plan_items(plan, checks, struct plan_check);
	const struct plan_probe *probes = plan_items(plan, probes, struct plan_probe);
	size_t count = sizeof(expected_checks) / sizeof(expected_checks[0]);

	ck_assert_uint_eq(plan_count(plan, probes), 2);
	ck_assert_uint_eq(checks[0].port, 443);
	ck_assert_uint_eq(probes[0].interval_ms, 5000);
	ck_assert_uint_eq(probes[0].timeout_ms, 2000);
	ck_assert_uint_eq(probes[1].timeout_ms, 1000);
	ck_assert_uint_eq(probes[1].fall, 5);
	ck_assert_uint_eq(plan_count(plan, checks), count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(checks[i].node, expected_checks[i].node);
		ck_assert_uint_eq(probes[checks[i].probe].kind, expected_checks[i].kind);
		assert_address(&checks[i].address, expected_checks[i].address);
	}
	free(copy.bytes);
}
END_TEST

/* Which addresses a check judges: those of its family; where the probed ones are of one family, all;
 * and all where the node has none of that family. */
static const struct {
	const char *node;
	uint8_t judges[3];
	uint32_t count;
} judged[] = {
	{ "{ address: [198.51.100.1, \"2001:db8::1\"] }", { IP_V4, IP_V6 }, 2 },
	{ "{ address: 198.51.100.1 }", { IP_V4 }, 1 },
	{ "{ address: [198.51.100.1, \"2001:db8::1\"], probe-address: 10.0.0.1 }", { 0 }, 1 },
	{ "{ address: [198.51.100.1, \"2001:db8::1\"], probe-address: [10.0.0.1, 10.0.0.2] }",
	  { 0, 0 },
	  2 },
	{ "{ address: [198.51.100.1, \"2001:db8::1\"], probe-address: [10.0.0.1, \"fd00::1\"] }",
	  { IP_V4, IP_V6 },
	  2 },
	{ "{ address: 198.51.100.1, probe-address: [10.0.0.1, \"fd00::1\"] }", { IP_V4, 0 }, 2 },
};

START_TEST(checks_judge_what_their_addresses_stand_for)
{
	char pool[512];
	struct reading *reading;
	struct image image;
	const struct plan_check *checks;
	struct err err;
	int fd;

	(void)snprintf(pool, sizeof(pool),
		       "pool: edge\nrequire: any\nprobes: [ { kind: icmp } ]\n"
		       "sites: { tokyo: { nodes: { a: %s } } }\n",
		       judged[_i].node);
	reading = fixture_read(NULL, pool);
	ck_assert_str_eq(reading->printed, "");
	ck_assert_int_eq(plan_build(&reading->config, NULL, 0, &fd, &err), 0);
	ck_assert_int_eq(image_open(&image, fd, IMAGE_PLAN, &err), 0);
	ck_assert_uint_eq(plan_items(&image, pools, struct plan_pool)[0].require, 1);
	ck_assert_uint_eq(plan_count(&image, checks), judged[_i].count);
	checks = plan_items(&image, checks, struct plan_check);
	for (uint32_t i = 0; i < judged[_i].count; i++)
		ck_assert_uint_eq(checks[i].judges, judged[_i].judges[i]);
	image_close(&image);
	(void)close(fd);
	fixture_free(reading);
}
END_TEST

START_TEST(the_same_files_give_the_same_image)
{
	struct plan_copy first = sample_plan();
	struct plan_copy second = sample_plan();

	ck_assert_uint_eq(first.image.size, second.image.size);
	ck_assert_uint_eq(image_header(&first.image)->id, image_header(&second.image)->id);
	ck_assert_mem_eq(first.bytes + IMAGE_ROOT, second.bytes + IMAGE_ROOT,
			 first.image.size - IMAGE_ROOT);
	free(first.bytes);
	free(second.bytes);
}
END_TEST

START_TEST(a_plan_without_pools_is_one_too)
{
	struct reading *reading;
	struct image image;
	struct err err;
	int fd;

	ck_assert_int_eq(unlink("zones/edge.pool.yaml"), 0);
	reading = fixture_read(NULL, NULL);
	ck_assert_int_eq(plan_build(&reading->config, NULL, 0, &fd, &err), 0);
	ck_assert_int_eq(image_open(&image, fd, IMAGE_PLAN, &err), 0);
	ck_assert_msg(plan_verify(&image, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(plan_count(&image, pools), 0);
	image_close(&image);
	(void)close(fd);
	fixture_free(reading);
}
END_TEST

#define POOL_STEERED                                                                     \
	"pool: edge\n"                                                                   \
	"policy: round-robin\n"                                                          \
	"own-networks: failover\n"                                                       \
	"answers: 3\n"                                                                   \
	"spread: node\n"                                                                 \
	"spare: 2\n"                                                                     \
	"spare-distance: 700km\n"                                                        \
	"order: shuffled\n"                                                              \
	"fallback: pool:other\n"                                                         \
	"backup: other\n"                                                                \
	"max-automatic-down: 30%\n"                                                      \
	"freeze: true\n"                                                                 \
	"ttl: { floor: 5s, ceiling: 2m }\n"                                              \
	"load-max-age: 90s\n"                                                            \
	"ramp: { from: 20%, time: 2m }\n"                                                \
	"sites:\n"                                                                       \
	"  oslo: { nodes: { o: { address: 192.0.2.3 } } }\n"                             \
	"  tokyo:\n"                                                                     \
	"    bias: -30%\n"                                                               \
	"    priority: 7\n"                                                              \
	"    minimum: 2\n"                                                               \
	"    spill: { high: 80%, low: 60% }\n"                                           \
	"    nodes:\n"                                                                   \
	"      t1: { address: 192.0.2.1, capacity: 1000 }\n"                             \
	"      t2: { address: 192.0.2.2 }\n"                                             \
	"maintenance:\n"                                                                 \
	"  - { from: 1970-01-01T00:00:10Z, until: 1970-01-01T00:00:20Z, node: t2,\n"     \
	"      state: disable, reason: new disk }\n"                                     \
	"  - { from: 1970-01-01T00:00:10Z, until: 1970-01-01T00:00:20Z, site: tokyo }\n" \
	"  - { from: 1970-01-01T00:00:10Z, until: 1970-01-01T00:00:20Z }\n"

static struct image build_steered(void)
{
	struct reading *reading;
	struct image image;
	struct err err;
	int fd;

	fixture_write("zones/other.pool.yaml", POOL_B, strlen(POOL_B));
	reading = fixture_read(NULL, POOL_STEERED);
	ck_assert_str_eq(reading->printed, "");
	ck_assert_int_eq(plan_build(&reading->config, NULL, 0, &fd, &err), 0);
	ck_assert_int_eq(image_open(&image, fd, IMAGE_PLAN, &err), 0);
	ck_assert_msg(plan_verify(&image, &err) == 0, "%s", err.text);
	(void)close(fd);
	fixture_free(reading);
	return image;
}

static void assert_windows(const struct image *plan)
{
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);

	ck_assert_uint_eq(plan_count(plan, windows), 3);
	ck_assert_uint_eq(windows[0].pool_site, 1);
	ck_assert_uint_eq(windows[0].node, 2);
	ck_assert_uint_eq(windows[0].disable, 1);
	ck_assert_uint_eq(windows[0].from_unix_s, 10);
	ck_assert_uint_eq(windows[0].until_unix_s, 20);
	ck_assert_str_eq(plan_text(plan, windows[0].reason), "new disk");
	ck_assert_uint_eq(windows[0].line, 27);
	ck_assert_uint_eq(windows[1].pool_site, 1);
	ck_assert_uint_eq(windows[1].node, PLAN_NONE);
	ck_assert_uint_eq(windows[1].disable, 0);
	ck_assert_uint_eq(windows[2].pool_site, PLAN_NONE);
	ck_assert_str_eq(plan_text(plan, windows[2].reason), "");
}

START_TEST(the_plan_says_how_pools_are_steered)
{
	struct image plan = build_steered();
	const struct plan_pool *pools = plan_items(&plan, pools, struct plan_pool);
	const struct plan_pool_site *site = &plan_items(&plan, pool_sites,
							struct plan_pool_site)[1];
	const struct plan_node *nodes = plan_items(&plan, nodes, struct plan_node);

	ck_assert_uint_eq(pools[0].policy, POLICY_ROUND_ROBIN);
	ck_assert_uint_eq(pools[0].own_policy, POLICY_FAILOVER);
	ck_assert_uint_eq(pools[0].answers, 3);
	ck_assert_uint_eq(pools[0].spread, SPREAD_NODE);
	ck_assert_uint_eq(pools[0].spare, 2);
	ck_assert_uint_eq(pools[0].spare_km, 700);
	ck_assert_uint_eq(pools[0].order, ORDER_SHUFFLED);
	ck_assert_uint_eq(pools[0].fallback, FALLBACK_POOL);
	ck_assert_uint_eq(pools[0].fallback_pool, 1);
	ck_assert_uint_eq(pools[0].backup, 1);
	ck_assert_uint_eq(pools[1].backup, PLAN_NONE);
	ck_assert_uint_eq(pools[0].max_automatic_down, 30);
	ck_assert_uint_eq(pools[0].freeze, 1);
	ck_assert_uint_eq(pools[0].ttl_floor_s, 5);
	ck_assert_uint_eq(pools[0].ttl_ceiling_s, 120);
	ck_assert_uint_eq(pools[0].load_age_ms, 90000);
	ck_assert_uint_eq(pools[0].ramp_percent, 20);
	ck_assert_uint_eq(pools[0].ramp_ms, 120000);
	ck_assert_int_eq(site->bias_percent, -30);
	ck_assert_uint_eq(site->priority, 7);
	ck_assert_uint_eq(site->min_nodes, 2);
	ck_assert_uint_eq(site->spill_high, 80);
	ck_assert_uint_eq(site->spill_low, 60);
	ck_assert_uint_eq(nodes[1].capacity, 1000);
	ck_assert_uint_eq(nodes[2].capacity, 100);
	assert_windows(&plan);
	image_close(&plan);
}
END_TEST

Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, the_plan_says_what_the_files_say);
	tcase_add_test(tcase, the_plan_says_how_pools_are_steered);
	tcase_add_test(tcase, each_probe_looks_at_each_address_of_its_family);
	tcase_add_loop_test(tcase, checks_judge_what_their_addresses_stand_for, 0,
			    (int)(sizeof(judged) / sizeof(judged[0])));
	tcase_add_test(tcase, the_same_files_give_the_same_image);
	tcase_add_test(tcase, a_plan_without_pools_is_one_too);
	suite_add_tcase(suite, tcase);
	return suite;
}
