/* Which node a client network gets, and for how large a network that holds. */
#include "serve/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tests/unit/serve/fixture.h"
#include "tests/unit/serve/serve_test.h"

static const struct fixture_zone zones[] = {
	{ "z.zone", "$TTL 60\n"
		    "@ SOA n h 1 1 1 1 1\n"
		    "@ NS n\n"
		    "n A 192.0.2.1\n"
		    "a POOL edge\n"
		    "b POOL edge/frankfurt\n"
		    "c POOL loose\n"
		    "d POOL plain\n"
		    "e POOL sticky\n"
		    "f POOL linked\n" },
};
enum {
	EDGE,
	EDGE_FRANKFURT,
	LOOSE,
	PLAIN,
	STICKY,
	LINKED
}; /* records, as they stand in the zone */

static struct fixture fixture;

static void setup(void)
{
	fixture_open(&fixture, zones, 1, NULL);
}

static void teardown(void)
{
	fixture_close(&fixture);
}

static struct choice choose_for(uint32_t record, const char *network, bool from_ecs,
				uint64_t random)
{
	struct client_network client = { .from_ecs = from_ecs };
	struct choice out;

	ck_assert(ip_prefix_parse(network, &client.network, NULL));
	choose_told(&out, &fixture.world, record, &client, random);
	return out;
}

static const struct {
	uint32_t record;
	const char *network;
	bool from_ecs, hashed, random;
	unsigned first, count; /* nodes it may be */
	unsigned scope;
} rows[] = {
	{ EDGE, "192.0.2.0/24", true, true, false, 2, 2, 24 },
	{ EDGE, "10.0.0.0/24", true, true, false, 0, 2, 24 },
	{ EDGE, "192.0.0.0/12", true, true, false, 2, 2, 24 }, /* too little was told */
	{ EDGE, "2001:db8::/48", true, true, false, 2, 2, 56 },
	{ EDGE, "2002:db8::/48", true, true, false, 0, 2, 56 },
	{ EDGE, "::ffff:192.0.2.0/120", true, true, false, 2, 2, 120 },
	{ EDGE, "64:ff9b::c000:200/120", true, true, false, 2, 2, 120 },
	{ EDGE, "192.0.2.1/32", false, false, true, 2, 2, 8 }, /* no ECS: by query */
	{ EDGE_FRANKFURT, "10.0.0.0/24", true, true, false, 2, 2, 24 },
	{ EDGE_FRANKFURT, "10.0.0.1/32", false, false, true, 2, 2, 0 },
	/* not the IPv4 clients that have addresses in ::/56, too */
	{ EDGE_FRANKFURT, "::1/128", true, true, false, 2, 2, 81 },
	{ LOOSE, "192.0.2.0/24", true, false, true, 0, 4, 8 },
	{ LOOSE, "10.0.0.0/24", true, false, true, 0, 4, 1 },
	{ PLAIN, "192.0.2.0/24", true, false, false, 0, 1, 8 },
	{ PLAIN, "10.0.0.0/24", true, false, false, 0, 1, 1 },
	{ PLAIN, "2002::/16", true, false, false, 0, 1, 15 },
	{ STICKY, "10.0.0.1/32", false, true, false, 0, 2, 24 },
	{ LINKED, "192.0.2.0/24", true, false, false, 0, 1, 8 }, /* nothing was hashed */
	{ LINKED, "10.0.0.0/24", true, true, false, 0, 2, 24 },
};

START_TEST(scope_is_as_long_as_what_decided)
{
	struct choice c = choose_for(rows[_i].record, rows[_i].network, rows[_i].from_ecs, 12345);

	ck_assert_int_eq(c.hashed, rows[_i].hashed);
	ck_assert_int_eq(c.random, rows[_i].random);
	ck_assert_uint_ge(c.choice, rows[_i].first);
	ck_assert_uint_lt(c.choice, rows[_i].first + rows[_i].count);
	ck_assert_msg(c.scope == rows[_i].scope, "%s: scope %u", rows[_i].network, c.scope);
}
END_TEST

START_TEST(all_addresses_of_a_client_network_get_one_node)
{
	struct choice c = choose_for(EDGE, "192.0.2.0/24", true, 1);

	ck_assert_uint_eq(choose_for(EDGE, "192.0.2.0/32", true, 2).slot, c.slot);
	ck_assert_uint_eq(choose_for(EDGE, "192.0.2.255/32", true, 3).slot, c.slot);
	ck_assert_uint_eq(choose_for(EDGE, "::ffff:192.0.2.77/128", true, 4).slot, c.slot);
	ck_assert_uint_eq(choose_for(EDGE, "64:ff9b::192.0.2.77/128", true, 5).slot, c.slot);
}
END_TEST

START_TEST(client_networks_spread_over_the_slots)
{
	unsigned of_choice[4] = { 0 };
	bool slot_seen[101] = { false };
	unsigned slots = 0;

	for (unsigned i = 0; i < 10000; i++) {
		char network[32];
		struct choice c;

		(void)snprintf(network, sizeof(network), "10.%u.%u.0/24", i / 256, i % 256);
		c = choose_for(EDGE, network, true, 0);
		of_choice[c.choice]++;
		slots += !slot_seen[c.slot];
		slot_seen[c.slot] = true;
	}
	ck_assert_uint_eq(slots, 101);
	ck_assert_uint_gt(of_choice[0], 4700);
	ck_assert_uint_gt(of_choice[1], 4700);
}
END_TEST

START_TEST(fresh_bits_spread_where_nothing_persists)
{
	unsigned of_choice[4] = { 0 };

	for (uint64_t i = 0; i < 4000; i++)
		of_choice[choose_for(LOOSE, "10.0.0.0/24", true, hash_word(i)).choice]++;
	for (unsigned n = 0; n < 4; n++)
		ck_assert_uint_gt(of_choice[n], 850);
}
END_TEST

START_TEST(a_pool_may_hand_its_clients_on)
{
	struct choice c = choose_for(LINKED, "192.0.2.0/24", true, 1);
	const struct steering_record *record = steering_record(&fixture.world.steering, LINKED);

	ck_assert_uint_eq(c.step_count, 2);
	ck_assert_uint_eq(branch_kind(c.steps[0].branch), BRANCH_POOL);
	ck_assert_uint_eq(c.steps[1].pool, branch_number(c.steps[0].branch));
	ck_assert_uint_ne(c.answers_off, record->answers_off);
	ck_assert_uint_eq(c.answers_off,
			  steering_answers_of(&fixture.world.steering, record, c.steps[1].pool));
	ck_assert_uint_eq(choose_for(PLAIN, "192.0.2.0/24", true, 1).step_count, 1);
}
END_TEST

/* What the split decides and what the tables behind it decide does not hang together, be it by hash
 * or by fresh bits. */
START_TEST(a_split_and_the_tables_behind_it_decide_independently)
{
	unsigned own[2] = { 0 }, theirs[2] = { 0 };

	for (unsigned i = 0; i < 20000; i++) {
		char network[32];
		struct choice c;

		(void)snprintf(network, sizeof(network), "10.%u.%u.0/24", i / 256, i % 256);
		c = choose_for(LINKED, network, _i == 0, hash_word(i));
		ck_assert_int_eq(c.hashed && !c.random, _i == 0);
		ck_assert_uint_lt(c.node, 2);
		(c.step_count == 1 ? own : theirs)[c.node]++;
		if (_i == 0)
			ck_assert_uint_eq(choose_for(LINKED, network, true, 1).node, c.node);
	}
	ck_assert_uint_gt(own[0] + own[1], 4700);
	ck_assert_uint_lt(own[0] + own[1], 5300);
	/* 51 and 50 of 101 slots. */
	ck_assert_uint_gt(own[0], 2300);
	ck_assert_uint_gt(own[1], 2300);
	ck_assert_uint_gt(theirs[0], 7100);
	ck_assert_uint_gt(theirs[1], 7100);
}
END_TEST

/* --- backup pools ------------------------------------------------------------------------------- */

/* Another steering image: sticky is the backup of linked, which has no healthy node for class 1; for
 * class 0 it spills over, and the backup gets three quarters. */
struct backed {
	uint8_t *bytes;
	struct world world;
	struct steering_pref *prefs, *of_sticky; /* [class]; linked's */
	struct steering_record *record;          /* of linked */
	struct steering_record *record_of_sticky;
	struct steering_backup *backup;
};

static void *place(const struct backed *b, uint64_t offset)
{
	return b->bytes + offset;
}

static struct backed open_backed(void)
{
	const struct image *from = &fixture.world.steering;
	const struct steering_root *was = image_root(from, struct steering_root);
	size_t end = (from->size + 7) / 8 * 8;
	struct backed b = { .bytes = mem_alloc(end + sizeof(struct steering_backup)),
			    .world = fixture.world };
	struct steering_root *root = place(&b, IMAGE_ROOT);
	uint32_t linked = steering_record(from, LINKED)->pool;
	uint32_t sticky = steering_record(from, STICKY)->pool, *branches;

	memcpy(b.bytes, from->base, from->size);
	b.world.steering = (struct image){ b.bytes, end + sizeof(struct steering_backup) };
	b.prefs = place(&b, steering_pool(from, linked)->prefs_off);
	b.of_sticky = place(&b, steering_pool(from, sticky)->prefs_off);
	b.record = place(&b, was->records_off + LINKED * sizeof(*b.record));
	b.record_of_sticky = place(&b, was->records_off + STICKY * sizeof(*b.record));
	b.backup = place(&b, end);
	*b.backup = (struct steering_backup){ .pool = sticky, .instead = b.of_sticky[1] };
	root->backup_count = 1;
	root->backups_off = end;
	branches = place(&b, steering_split(from, 0)->branches_off);
	branches[1] = b.prefs[1].branch = branch_make(BRANCH_BACKUP, 0);
	b.prefs[1].applied = APPLIED_BACKUP;
	return b;
}

static struct choice choose_in(const struct world *world, const char *network, bool from_ecs)
{
	struct client_network client = { .from_ecs = from_ecs };
	struct choice out;

	ck_assert(ip_prefix_parse(network, &client.network, NULL));
	choose_told(&out, world, LINKED, &client, 1);
	return out;
}

static struct choice choose_backed(const struct backed *b, const char *network, bool from_ecs)
{
	struct err err = { "" };

	ck_assert_msg(steering_verify(&b->world.steering, &err) == 0, "%s", err.text);
	return choose_in(&b->world, network, from_ecs);
}

START_TEST(a_backup_stands_in_for_whom_it_has_somebody)
{
	struct backed b = open_backed();
	struct choice c = choose_backed(&b, "192.0.2.0/24", true);

	ck_assert_uint_eq(c.step_count, 2);
	ck_assert_uint_eq(c.steps[0].applied, APPLIED_BACKUP);
	ck_assert_uint_eq(c.steps[0].without, STEERING_NONE);
	ck_assert_uint_eq(c.steps[1].pool, b.backup->pool);
	ck_assert_uint_eq(c.answers_off,
			  steering_answers_of(&b.world.steering, b.record, b.backup->pool));
	free(b.bytes);
}
END_TEST

START_TEST(the_others_get_what_their_own_pool_has_instead)
{
	struct backed b = open_backed();
	struct choice c;

	b.of_sticky[1].applied = APPLIED_NONE;
	b.backup->instead.applied = APPLIED_ALL;
	c = choose_backed(&b, "192.0.2.0/24", true);
	ck_assert_uint_eq(c.step_count, 1);
	ck_assert_uint_eq(c.steps[0].applied, APPLIED_ALL);
	ck_assert_uint_eq(c.steps[0].without, b.backup->pool);
	ck_assert_uint_eq(c.answers_off, b.record->answers_off);
	ck_assert_uint_ge(c.node, 2); /* frankfurt */
	ck_assert_uint_eq(c.scope, 24);
	/* It may be yet another pool. */
	b.backup->instead = (struct steering_pref){
		.branch = branch_make(BRANCH_POOL, steering_record(&b.world.steering, PLAIN)->pool),
		.applied = APPLIED_POOL,
	};
	c = choose_backed(&b, "192.0.2.0/24", true);
	ck_assert_uint_eq(c.step_count, 2);
	ck_assert_uint_eq(c.steps[0].applied, APPLIED_POOL);
	ck_assert_uint_eq(c.steps[1].without, STEERING_NONE);
	ck_assert_uint_eq(c.scope, 8);
	free(b.bytes);
}
END_TEST

/* The record is bound to a site, so that its own class says nothing; but whether the backup has
 * somebody does depend on it, unless it has one preference for all. */
START_TEST(whom_a_backup_has_is_told_by_the_class_and_so_is_the_scope)
{
	struct backed b = open_backed();
	const struct steering_pool *sticky = steering_pool(&b.world.steering, b.backup->pool);
	uint32_t one = 0;

	b.record->for_all = 1;
	b.record->prefs_off += sizeof(struct steering_pref);
	while (steering_table(&b.world.steering, one)->hashed != 0)
		one++;
	b.of_sticky[0].applied = b.of_sticky[1].applied = APPLIED_NONE;
	b.backup->instead = (struct steering_pref){ .branch = branch_make(BRANCH_TABLE, one) };
	steering_pref_tell(&b.world.steering, &b.backup->instead);
	ck_assert_uint_eq(choose_backed(&b, "192.0.2.1/32", false).scope, 8);
	ck_assert_uint_eq(choose_backed(&b, "10.0.0.1/32", false).scope, 1);
	((struct steering_pool *)place(&b, (uint64_t)((const uint8_t *)sticky - b.bytes)))
		->pref_count = 1;
	b.record_of_sticky->by_class = 0;
	ck_assert_uint_eq(choose_backed(&b, "10.0.0.1/32", false).scope, 0);
	free(b.bytes);
}
END_TEST

/* A quarter stays where it is, whether the backup has somebody or not; the others are shared anew,
 * and that does not hang together with the split that sent them there. */
START_TEST(spilled_clients_come_back_where_the_backup_has_nobody)
{
	struct backed b = open_backed();
	unsigned stay = 0, back[2] = { 0 };

	b.of_sticky[0].applied = APPLIED_ADDRESSES;
	b.backup->instead.applied = APPLIED_NODES;
	for (unsigned i = 0; i < 20000; i++) {
		char network[32];
		struct choice c;

		(void)snprintf(network, sizeof(network), "10.%u.%u.0/24", i / 256, i % 256);
		c = choose_in(&b.world, network, true);
		ck_assert_uint_eq(c.step_count, 1);
		ck_assert_uint_eq(c.steps[0].applied, APPLIED_NODES);
		ck_assert_uint_eq(c.scope, 24);
		if (c.steps[0].without == STEERING_NONE) {
			ck_assert_uint_eq(choose_for(LINKED, network, true, 0).step_count, 1);
			ck_assert_uint_lt(c.node, 2);
			stay++;
		} else {
			ck_assert_uint_ge(c.node, 2);
			back[c.node - 2]++;
		}
	}
	ck_assert_uint_gt(stay, 4700);
	ck_assert_uint_lt(stay, 5300);
	ck_assert_uint_gt(back[0], 7000);
	ck_assert_uint_gt(back[1], 7000);
	free(b.bytes);
}
END_TEST

START_TEST(a_backup_that_leads_to_a_backup_again_is_refused)
{
	struct backed b = open_backed();
	struct err err = { "" };

	b.backup->instead.branch = branch_make(BRANCH_BACKUP, 0);
	ck_assert_int_eq(steering_verify(&b.world.steering, &err), -1);
	b.backup->instead.branch = branch_make(BRANCH_SPLIT, 0); /* which has a backup */
	ck_assert_int_eq(steering_verify(&b.world.steering, &err), -1);
	b.backup->instead.branch = branch_make(BRANCH_TABLE, 1);
	ck_assert_int_eq(steering_verify(&b.world.steering, &err), 0);
	b.backup->pool = b.record->pool; /* a circle */
	ck_assert_int_eq(steering_verify(&b.world.steering, &err), -1);
	free(b.bytes);
}
END_TEST

void add_choose_tests(Suite *suite)
{
	TCase *choice = tcase_create("choose");

	tcase_add_checked_fixture(choice, setup, teardown);
	tcase_add_loop_test(choice, scope_is_as_long_as_what_decided, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(choice, all_addresses_of_a_client_network_get_one_node);
	tcase_add_test(choice, client_networks_spread_over_the_slots);
	tcase_add_test(choice, fresh_bits_spread_where_nothing_persists);
	tcase_add_test(choice, a_pool_may_hand_its_clients_on);
	tcase_add_loop_test(choice, a_split_and_the_tables_behind_it_decide_independently, 0, 2);
	tcase_add_test(choice, a_backup_stands_in_for_whom_it_has_somebody);
	tcase_add_test(choice, the_others_get_what_their_own_pool_has_instead);
	tcase_add_test(choice, whom_a_backup_has_is_told_by_the_class_and_so_is_the_scope);
	tcase_add_test(choice, spilled_clients_come_back_where_the_backup_has_nobody);
	tcase_add_test(choice, a_backup_that_leads_to_a_backup_again_is_refused);
	suite_add_tcase(suite, choice);
}
