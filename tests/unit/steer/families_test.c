/* A node whose path of one family is down: it is answered for the other one alone, as a node that
 * has no such addresses. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compiled.h"
#include "image/rrset.h"
#include "steer_test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },
	{ "osaka", 34.69, 135.50 },
};

static const struct make_node nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1 2001:db8::1" },
	{ "edge", "tokyo", "tyo-2", 100, "192.0.2.2 2001:db8::2" },
	{ "edge", "osaka", "osa-1", 100, "192.0.2.3 2001:db8::3" },
	{ "spare", "osaka", "spare-1", 100, "198.51.100.1 2001:db8:2::1" },
};

enum { TYO_1, TYO_2, OSA_1, SPARE_1, NODES };

static const struct make_pref prefs[] = {
	{ "edge", "tokyo osaka", false },
	{ "edge", "osaka", false },
	{ "spare", "osaka", false },
};

static const struct make_limits limits[] = {
	{ NULL, NULL, NULL, 0 },
	{ "0", NULL, NULL, 0 }, /* not Tokyo */
	{ NULL, NULL, NULL, 0 },
};

enum { P_TOKYO, P_OSAKA };

static const struct make_fence fences[] = { { "edge", "tokyo", NULL } };

static const struct make_service services[] = { { "tyo-1", 443, NULL },
						{ "tyo-2", 443, NULL },
						{ "osa-1", 443, "o1.example." } };

static const struct make_record records[] = {
	{ "vpn.example.", "edge", NULL, 60 },
	{ "tokyo.example.", "edge", "tokyo", 60 },
	{ "svc.example.", "edge", NULL, 60 },
};

static const struct make_types types[] = {
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ POOL_TYPES_ALL, 0, POOL_TYPES_ADDRESS, 60 },
};

enum { R_ALL, R_TOKYO, R_SERVICE };

static const struct make_pool edge = { .name = "edge", .sites = "tokyo osaka" };

static struct make_pool made_pools[2];

static void open_pool(struct compiled *out, const struct make_pool *pool)
{
	struct make_plan make = {
		.sites = sites,
		.site_count = COUNT(sites),
		.pools = made_pools,
		.pool_count = 2,
		.nodes = nodes,
		.node_count = COUNT(nodes),
		.prefs = prefs,
		.pref_count = COUNT(prefs),
		.limits = limits,
		.fences = fences,
		.fence_count = COUNT(fences),
		.records = records,
		.record_count = COUNT(records),
		.services = services,
		.service_count = COUNT(services),
		.types = types,
	};

	made_pools[0] = *pool;
	made_pools[1] = (struct make_pool){ .name = "spare", .sites = "osaka" };
	compiled_open(out, &make);
}

/* What led to a status makes no difference: a steer that knows nothing of it answers the same. */
static void expect_as_fresh(const struct compiled *c)
{
	const struct make_pool pool = made_pools[0];
	struct compiled fresh;

	open_pool(&fresh, &pool);
	memcpy(fresh.nodes, c->nodes, NODES * sizeof(*c->nodes));
	compiled_update(&fresh);
	for (uint32_t record = 0; record < COUNT(records); record++)
		for (uint32_t pref = P_TOKYO; pref <= P_OSAKA; pref++)
			for (unsigned column = STEERING_A; column <= STEERING_AAAA; column++) {
				char *now = mem_copy_text(compiled_answers(
					c, record, pref, (enum steering_column)column));

				ck_assert_str_eq(compiled_answers(&fresh, record, pref,
								  (enum steering_column)column),
						 now);
				free(now);
			}
	compiled_close(&fresh);
}

static void set_families(struct compiled *c, unsigned node, unsigned families)
{
	c->nodes[node].families = (uint8_t)families;
	compiled_update(c);
	expect_as_fresh(c);
}

static void set_state(struct compiled *c, unsigned node, enum steer_state state)
{
	c->nodes[node].state = (uint8_t)state;
	compiled_update(c);
	expect_as_fresh(c);
}

static void expect(const struct compiled *c, uint32_t record, uint32_t pref, const char *a,
		   const char *aaaa)
{
	ck_assert_str_eq(compiled_answers(c, record, pref, STEERING_A), a);
	ck_assert_str_eq(compiled_answers(c, record, pref, STEERING_AAAA), aaaa);
}

START_TEST(a_node_whose_ipv6_is_down_is_answered_for_a_alone)
{
	struct compiled c;

	open_pool(&c, &edge);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "2001:db8::1 | 2001:db8::2");
	set_families(&c, TYO_1, STEER_IPV4);
	/* Its own site's other one stands in, and for A nothing has changed. */
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "2001:db8::2 | 2001:db8::2");
	set_families(&c, TYO_2, STEER_IPV4);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "2001:db8::3 | 2001:db8::3");
	expect(&c, R_TOKYO, P_TOKYO, "192.0.2.1 | 192.0.2.2", "- | -"); /* bound to Tokyo */
	set_families(&c, OSA_1, STEER_IPV4);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "- | -");
	set_families(&c, TYO_1, STEER_FAMILIES);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "2001:db8::1 | 2001:db8::1");
	expect(&c, R_ALL, P_OSAKA, "192.0.2.3", "-"); /* fenced off is fenced off */
	compiled_close(&c);
}
END_TEST

START_TEST(the_same_for_ipv4)
{
	struct compiled c;

	open_pool(&c, &edge);
	set_families(&c, TYO_2, STEER_IPV6);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.1", "2001:db8::1 | 2001:db8::2");
	set_state(&c, TYO_2, STEER_DRAINING); /* then it is only answered where nobody else is */
	set_state(&c, TYO_1, STEER_DOWN);
	expect(&c, R_TOKYO, P_TOKYO, "-", "2001:db8::2");
	compiled_close(&c);
}
END_TEST

START_TEST(of_a_strict_pair_it_is_nodata)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.strict_pair = true;
	open_pool(&c, &pool);
	set_families(&c, TYO_1, STEER_IPV4);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "- | 2001:db8::2");
	set_families(&c, TYO_1, STEER_FAMILIES);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "2001:db8::1 | 2001:db8::2");
	compiled_close(&c);
}
END_TEST

START_TEST(companions_have_their_own_families)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.answers = 2;
	open_pool(&c, &pool);
	expect(&c, R_TOKYO, P_TOKYO, "192.0.2.1 192.0.2.2 | 192.0.2.2 192.0.2.1",
	       "2001:db8::1 2001:db8::2 | 2001:db8::2 2001:db8::1");
	set_families(&c, TYO_1, STEER_IPV4);
	expect(&c, R_TOKYO, P_TOKYO, "192.0.2.1 192.0.2.2 | 192.0.2.2 192.0.2.1",
	       "2001:db8::2 | 2001:db8::2");
	compiled_close(&c);
}
END_TEST

START_TEST(a_fallback_answers_all_families)
{
	struct compiled c;

	open_pool(&c, &edge);
	for (unsigned n = 0; n < NODES; n++) {
		c.nodes[n].state = STEER_DOWN;
		c.nodes[n].families = n % 2 == 0 ? STEER_IPV4 : STEER_IPV6;
	}
	compiled_update(&c);
	ck_assert_uint_eq(compiled_applied(&c, R_ALL, P_TOKYO), APPLIED_ALL);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "2001:db8::1 | 2001:db8::2");
	compiled_close(&c);
}
END_TEST

START_TEST(a_backup_pool_does_not_stand_in_for_a_family)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.backup = "spare";
	open_pool(&c, &pool);
	for (unsigned n = TYO_1; n <= OSA_1; n++)
		set_families(&c, n, STEER_IPV4);
	expect(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2", "- | -");
	for (unsigned n = TYO_1; n <= OSA_1; n++)
		set_state(&c, n, STEER_DOWN);
	ck_assert_uint_eq(compiled_applied(&c, R_ALL, P_TOKYO), APPLIED_BACKUP);
	compiled_close(&c);
}
END_TEST

/* --- services ------------------------------------------------------------------------------------ */

static const struct rrset_block *block_of(const struct compiled *c, uint16_t choice,
					  enum steering_column column)
{
	const struct steering_record *r = steering_record(&c->image, R_SERVICE);

	return steering_answer(&c->image, r, r->answers_off, choice, column);
}

static bool tells(const struct rrset_block *block, const void *bytes, size_t size)
{
	for (size_t i = 0; block != NULL && i + size <= block->wire_len; i++)
		if (memcmp(block->wire + i, bytes, size) == 0)
			return true;
	return false;
}

/* ipv4hint and ipv6hint with one address: key, length, octets. */
static const uint8_t hint_v4[] = { 0, 4, 0, 4, 192, 0, 2, 1 };
static const uint8_t hint_v6[] = { 0, 6, 0, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0,
				   0, 0, 0, 0,  0,    0,    0,    0,    0, 1 };

START_TEST(hints_and_targets_leave_out_a_family_that_is_down)
{
	struct compiled c;

	open_pool(&c, &edge);
	ck_assert(tells(block_of(&c, TYO_1, STEERING_HTTPS), hint_v4, sizeof(hint_v4)));
	ck_assert(tells(block_of(&c, TYO_1, STEERING_HTTPS), hint_v6, sizeof(hint_v6)));
	set_families(&c, TYO_1, STEER_IPV4);
	for (enum steering_column column = STEERING_HTTPS; column <= STEERING_SVCB; column++) {
		const struct rrset_block *block = block_of(&c, TYO_1, column);

		ck_assert(tells(block, hint_v4, sizeof(hint_v4)));
		ck_assert(!tells(block, hint_v6, 4));
	}
	ck_assert_ptr_nonnull(block_of(&c, TYO_1, STEERING_TARGET_A));
	ck_assert_ptr_null(block_of(&c, TYO_1, STEERING_TARGET_AAAA));
	ck_assert_ptr_nonnull(block_of(&c, TYO_1, STEERING_SRV)); /* it serves on */
	set_families(&c, TYO_1, STEER_IPV6);
	ck_assert(!tells(block_of(&c, TYO_1, STEERING_HTTPS), hint_v4, 4));
	ck_assert(tells(block_of(&c, TYO_1, STEERING_HTTPS), hint_v6, sizeof(hint_v6)));
	ck_assert_ptr_null(block_of(&c, TYO_1, STEERING_TARGET_A));
	set_families(&c, TYO_1, STEER_FAMILIES);
	ck_assert(tells(block_of(&c, TYO_1, STEERING_HTTPS), hint_v6, sizeof(hint_v6)));
	compiled_close(&c);
}
END_TEST

/* Choice n is node n alone: what the additional section tells of its own host name. */
START_TEST(a_host_name_of_its_own_loses_the_family_too)
{
	struct compiled c;

	open_pool(&c, &edge);
	set_families(&c, OSA_1, STEER_IPV4);
	ck_assert_ptr_nonnull(block_of(&c, OSA_1, STEERING_A));
	ck_assert_ptr_null(block_of(&c, OSA_1, STEERING_AAAA));
	compiled_close(&c);
}
END_TEST

void families_cases(Suite *suite)
{
	TCase *tcase = tcase_create("families");

	tcase_add_test(tcase, a_node_whose_ipv6_is_down_is_answered_for_a_alone);
	tcase_add_test(tcase, the_same_for_ipv4);
	tcase_add_test(tcase, of_a_strict_pair_it_is_nodata);
	tcase_add_test(tcase, companions_have_their_own_families);
	tcase_add_test(tcase, a_fallback_answers_all_families);
	tcase_add_test(tcase, a_backup_pool_does_not_stand_in_for_a_family);
	tcase_add_test(tcase, hints_and_targets_leave_out_a_family_that_is_down);
	tcase_add_test(tcase, a_host_name_of_its_own_loses_the_family_too);
	suite_add_tcase(suite, tcase);
}
