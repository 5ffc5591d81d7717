#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile_test.h"
#include "image/plan.h"
#include "plan_copy.h"

/* Reads all that control reads of a plan that was verified. */
static size_t walk(const struct image *plan)
{
	const struct plan_root *root = image_root(plan, struct plan_root);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	const struct plan_pool_site *pool_sites = plan_items(plan, pool_sites,
							     struct plan_pool_site);
	const struct plan_probe *probes = plan_items(plan, probes, struct plan_probe);
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);
	size_t sum = strlen(plan_text(plan, root->settings.state_dir)) +
		     strlen(plan_text(plan, root->settings.server_file)) +
		     strlen(plan_text(plan, root->settings.run_dir));

	for (uint32_t i = 0; i < plan_count(plan, sites); i++)
		sum += strlen(plan_text(plan, plan_items(plan, sites, struct plan_site)[i].name));
	for (uint32_t i = 0; i < plan_count(plan, pools); i++) {
		const struct plan_pool *pool = plan_items(plan, pools, struct plan_pool) + i;

		sum += strlen(plan_text(plan, pool->name)) + strlen(plan_text(plan, pool->file));
		for (uint32_t k = 0; k < pool->sites.count; k++)
			sum += pool_sites[pool->sites.first + k].site;
		for (uint32_t k = 0; k < pool->nodes.count; k++)
			sum += pool_sites[nodes[pool->nodes.first + k].pool_site].site;
		for (uint32_t k = 0; k < pool->fallback_addresses.count; k++)
			sum += addresses[pool->fallback_addresses.first + k].family;
	}
	for (uint32_t i = 0; i < plan_count(plan, nodes); i++) {
		sum += strlen(plan_text(plan, nodes[i].name));
		for (uint32_t k = 0; k < nodes[i].addresses.count; k++)
			sum += addresses[nodes[i].addresses.first + k].family;
	}
	for (uint32_t i = 0; i < plan_count(plan, checks); i++) {
		const struct plan_check *check = plan_items(plan, checks, struct plan_check) + i;

		for (uint32_t k = 0; k < probes[check->probe].settings_len; k++)
			sum += plan->base[probes[check->probe].settings + k];
		sum += check->port + nodes[check->node].weight;
	}
	for (uint32_t i = 0; i < plan_count(plan, rules); i++) {
		const struct plan_rule *rule = plan_items(plan, rules, struct plan_rule) + i;

		sum += strlen(plan_text(plan, rule->text)) + strlen(plan_text(plan, rule->file));
	}
	for (uint32_t i = 0; i < plan_count(plan, records); i++) {
		const struct plan_record *record = plan_items(plan, records, struct plan_record) +
						   i;

		for (uint32_t k = 0; k < record->owner_len; k++)
			sum += plan->base[record->owner + k];
		sum += plan_items(plan, pools, struct plan_pool)[record->pool].policy;
		if (record->pool_site != PLAN_NONE)
			sum += pool_sites[record->pool_site].site;
	}
	return sum;
}

/* Under a sanitizer this shows that what verification lets pass can be read. */
START_TEST(no_changed_byte_leads_a_reader_outside)
{
	static const uint8_t changes[] = { 0x01, 0x10, 0x80, 0xff };
	struct plan_copy copy = sample_plan();
	size_t refused = 0, tried = 0;
	size_t clean = walk(&copy.image);

	for (size_t at = IMAGE_ROOT; at < copy.image.size; at++) {
		for (size_t i = 0; i < sizeof(changes); i++, tried++) {
			struct err err = { "" };

			copy.bytes[at] ^= changes[i];
			if (plan_verify(&copy.image, &err) == 0)
				ck_assert_uint_gt(walk(&copy.image), 0);
			else
				refused++;
			copy.bytes[at] ^= changes[i];
		}
	}
	ck_assert_uint_eq(walk(&copy.image), clean);
	ck_assert_uint_gt(refused, tried / 4); /* most of the rest is text and numbers */
	free(copy.bytes);
}
END_TEST

START_TEST(a_cut_plan_is_refused_at_every_length)
{
	struct plan_copy copy = sample_plan();
	struct err err;

	/* The last array is that of the records: without its end it does not fit. */
	for (size_t size = 0; size < copy.image.size; size++) {
		uint8_t *bytes = malloc(size + 1);
		struct image cut = { bytes, size };

		memcpy(bytes, copy.bytes, size);
		ck_assert_int_eq(plan_verify(&cut, &err), -1);
		free(bytes);
	}
	free(copy.bytes);
}
END_TEST

/* One number that is wrong, in the first item of an array or the root. */
#define IN(member, type, field, value)                                             \
	{                                                                          \
		offsetof(struct plan_root, member), offsetof(struct type, field),  \
			sizeof(((struct type *)0)->field), value, #type "." #field \
	}
static const struct {
	size_t array, offset, size;
	uint32_t value;
	const char *name;
} wrong[] = {
	IN(sites, plan_site, name, 0xfffffff0),
	IN(sites, plan_site, name, 0),
	IN(pools, plan_pool, name, 8),
	IN(pools, plan_pool, policy, 4),
	IN(pools, plan_pool, fallback, 6),
	IN(pools, plan_pool, fallback, FALLBACK_POOL), /* and names none */
	IN(pools, plan_pool, answers, 0),
	IN(pools, plan_pool, answers, 17),
	IN(pools, plan_pool, spare, 1),
	IN(pools, plan_pool, max_automatic_down, 101),
	IN(pools, plan_pool, ramp_percent, 0),
	IN(pools, plan_pool, ramp_percent, 101),
	IN(pools, plan_pool, backup, 2),
	IN(pools, plan_pool, backup, 0), /* itself */
	IN(pools, plan_pool, rules.first, 1),
	IN(pools, plan_pool, rules.count, 0),
	IN(pools, plan_pool, rules.count, 3), /* one of the next pool's */
	IN(pools, plan_pool, rules.count, 100),
	IN(pools, plan_pool, fences.count, 1),
	IN(pools, plan_pool, avoids.count, 1),
	IN(pools, plan_pool, windows.count, 1),
	IN(pools, plan_pool, flap_max_hold_ms, 86400001),
	IN(pools, plan_pool, persistence, 2),
	IN(pools, plan_pool, persistence_v4, 33),
	IN(pools, plan_pool, persistence_v6, 129),
	IN(pools, plan_pool, sites.first, 1),
	IN(pools, plan_pool, sites.count, 3),
	IN(pools, plan_pool, nodes.count, 4),
	IN(pools, plan_pool, fallback_addresses.count, 100),
	IN(pool_sites, plan_pool_site, pool, 1),
	IN(pool_sites, plan_pool_site, site, 3),
	IN(pool_sites, plan_pool_site, nodes.count, 1),
	IN(nodes, plan_node, pool, 1),
	IN(nodes, plan_node, pool_site, 1),
	IN(nodes, plan_node, weight, 65536),
	IN(nodes, plan_node, host_len, 5), /* and there is no host */
	IN(nodes, plan_node, addresses.first, 1000),
	IN(nodes, plan_node, addresses.count, 0),
	IN(nodes, plan_node, checks.count, 1),
	IN(checks, plan_check, node, 1),
	IN(checks, plan_check, probe, 2),
	IN(checks, plan_check, address.family, 5),
	IN(probes, plan_probe, kind, PROBE_KINDS),
	IN(probes, plan_probe, family, 5),
	IN(checks, plan_check, judges, 5),
	IN(probes, plan_probe, name, 1),
	IN(probes, plan_probe, roles, 0),
	IN(probes, plan_probe, roles, 4),
	IN(probes, plan_probe, settings_len, 1),
	IN(probes, plan_probe, settings, 4),
	IN(probes, plan_probe, source_v4.family, 6),
	IN(probes, plan_probe, interval_ms, 1999),
	IN(probes, plan_probe, timeout_ms, 0),
	IN(probes, plan_probe, fall, 0),
	IN(probes, plan_probe, fall, 101),
	IN(probes, plan_probe, rise, 0),
	IN(probes, plan_probe, rise, 101),
	IN(probes, plan_probe, jitter_percent, 51),
	IN(rules, plan_rule, pool, 1),
	IN(rules, plan_rule, pool, 2),
	IN(rules, plan_rule, text, 1),
	IN(rules, plan_rule, policy, 4),
	IN(records, plan_record, owner, 0),
	IN(records, plan_record, owner_len, 16),
	IN(records, plan_record, pool, 2),
	IN(records, plan_record, pool_site, 2),
	IN(records, plan_record, types, 0),
	IN(records, plan_record, target_skip, 1),
	IN(records, plan_record, target_types, 4),
};
#undef IN

START_TEST(a_number_that_fits_nothing_is_refused)
{
	struct plan_copy copy = sample_plan();
	struct plan_array array;
	struct err err;

	memcpy(&array, copy.bytes + IMAGE_ROOT + wrong[_i].array, sizeof(array));
	memcpy(copy.bytes + array.offset + wrong[_i].offset, &wrong[_i].value, wrong[_i].size);
	ck_assert_msg(plan_verify(&copy.image, &err) == -1, "%s", wrong[_i].name);
	free(copy.bytes);
}
END_TEST

/* Pools a to i. From a to h each has the next one as its backup; i stands alone. */
static struct plan_copy build_row(void)
{
	char file[] = "zones/a.pool.yaml", text[256];
	struct reading *reading;
	struct plan_copy copy;

	ck_assert_int_eq(unlink("zones/edge.pool.yaml"), 0);
	for (char name = 'a'; name <= 'i'; name++) {
		int len = snprintf(text, sizeof(text),
				   "pool: %c\n"
				   "sites: { tokyo: { nodes: { n: { address: 192.0.2.1 } } } }\n",
				   name);

		if (name < 'h')
			len += snprintf(text + len, sizeof(text) - (size_t)len, "backup: %c\n",
					name + 1);
		file[6] = name;
		fixture_write(file, text, (size_t)len);
	}
	reading = fixture_read(NULL, NULL);
	ck_assert_str_eq(reading->printed, "");
	copy = plan_copy(&reading->config, NULL, 0);
	fixture_free(reading);
	return copy;
}

START_TEST(eight_pools_in_a_row_are_taken_and_nine_refused)
{
	struct plan_copy copy = build_row();
	const struct plan_root *root = image_root(&copy.image, struct plan_root);
	struct plan_pool *pools = (struct plan_pool *)(void *)(copy.bytes + root->pools.offset);
	struct err err;

	ck_assert_msg(plan_verify(&copy.image, &err) == 0, "%s", err.text);
	pools[7].backup = 8;
	ck_assert_int_eq(plan_verify(&copy.image, &err), -1);
	ck_assert_str_eq(err.text, "plan image: more than 8 pools in a row, or a circle of them, "
				   "from pool 0 on");
	/* The other way round each is asked for when what follows is known. */
	pools[7].backup = PLAN_NONE;
	pools[8].backup = 0;
	ck_assert_int_eq(plan_verify(&copy.image, &err), -1);
	ck_assert_str_eq(err.text, "plan image: more than 8 pools in a row, or a circle of them, "
				   "from pool 8 on");
	free(copy.bytes);
}
END_TEST

Suite *plan_verify_suite(void)
{
	Suite *suite = suite_create("plan_verify");
	TCase *tcase = tcase_create("plan_verify");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, no_changed_byte_leads_a_reader_outside);
	tcase_add_test(tcase, a_cut_plan_is_refused_at_every_length);
	tcase_add_loop_test(tcase, a_number_that_fits_nothing_is_refused, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tcase, eight_pools_in_a_row_are_taken_and_nine_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
