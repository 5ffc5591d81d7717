/* Damage of all kinds to a steering image: what passes verification can be read to its last
 * octet without leaving the image (the address sanitizer watches). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "compiled.h"
#include "image/world.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct make_site sites[] = { { "east", 0, 100 }, { "west", 0, -100 } };
static const struct make_pool pools[] = {
	{ .name = "a", .sites = "east west", .backup = "b" },
	{ .name = "b",
	  .sites = "west",
	  .policy = POLICY_WEIGHTED,
	  .fallback = FALLBACK_ADDRESSES,
	  .fallback_addresses = "192.0.2.99" },
};
static const struct make_node nodes[] = {
	{ "a", "east", "e1", 1, "192.0.2.1 2001:db8::1 2001:db8::11" },
	{ "a", "east", "e2", 2, "192.0.2.2" },
	{ "a", "west", "w1", 3, "192.0.2.3 192.0.2.4" },
	{ "b", "west", "w1", 3, "2001:db8::5" },
};
static const struct make_pref prefs[] = { { "a", "east", false }, { "b", "west", true } };
static const struct make_record records[] = { { "a.example.", "a", NULL, 30 },
					      { "w.example.", "a", "west", 30 },
					      { "b.example.", "b", NULL, 30 } };

static const struct make_service services[] = { { "e1", 443, "e1.example." },
						{ "e2", 8443, NULL } };
static const struct make_types types[] = {
	{ POOL_TYPES_ALL, 0, POOL_TYPES_ADDRESS, 30 },
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ POOL_TYPE_HTTPS, 0, POOL_TYPE_A, 60 },
};

static const struct make_fence fences[] = { { "a", "west", NULL }, { "b", "west", NULL } };
static const struct make_limits limits[] = { { "0", NULL, NULL, 0 }, { "1", NULL, NULL, 0 } };

static const struct make_plan make = {
	.sites = sites,
	.site_count = COUNT(sites),
	.pools = pools,
	.pool_count = COUNT(pools),
	.nodes = nodes,
	.node_count = COUNT(nodes),
	.prefs = prefs,
	.pref_count = COUNT(prefs),
	.records = records,
	.record_count = COUNT(records),
	.services = services,
	.service_count = COUNT(services),
	.types = types,
	.limits = limits,
	.fences = fences,
	.fence_count = COUNT(fences),
	.alpn = "\2h2",
};

/* With all that there can be: a split, links, preferences of a bound record, a backup that has
 * nobody for some. */
static void open_full(struct compiled *c)
{
	compiled_open(c, &make);
	c->keep[0] = STEER_ALL / 2;
	compiled_update(c);
	ck_assert_uint_gt(image_root(&c->image, struct steering_root)->split_count, 0);
	ck_assert_uint_gt(image_root(&c->image, struct steering_root)->backup_count, 0);
	ck_assert_uint_gt(steering_record(&c->image, 0)->link_count, 0);
	ck_assert_uint_eq(steering_record(&c->image, 1)->for_all, 0);
}

static unsigned touch(const struct rrset_block *block)
{
	const uint16_t *fixups = rrset_fixups(block);
	unsigned sum = 0;

	for (size_t i = 0; i < block->wire_len; i++)
		sum += block->wire[i];
	for (unsigned i = 0; i < block->fixup_count; i++)
		sum += block->wire[fixups[i]] + block->wire[fixups[i] + 1];
	for (unsigned i = 0; i < block->extra_count; i++) {
		size_t pos = rrset_extras(block)[i].name_pos;

		sum += (unsigned)name_length(block->wire + pos, block->wire_len - pos);
	}
	return sum;
}

/* Where clients are led, and what is answered there. */
struct reading {
	const struct image *image;
	const struct steering_record *record;
	unsigned sum, in_a_row;
};

static void read_answers(struct reading *reading, uint32_t pool, uint64_t choices_off,
			 uint16_t node)
{
	const struct image *image = reading->image;
	uint16_t choice = steering_choice(image, choices_off, node);

	for (unsigned column = 0; column < reading->record->width; column++) {
		const struct rrset_block *block = steering_answer(
			image, reading->record, steering_answers_of(image, reading->record, pool),
			choice, column);

		if (block != NULL)
			reading->sum += touch(block);
	}
}

/* Of a table: once for each of its nodes; *seen: a bit for each of the first ones. */
static void read_once(struct reading *reading, uint32_t pool, uint64_t choices_off, uint16_t node,
		      uint64_t *seen)
{
	uint64_t bit = node < 64 ? UINT64_C(1) << node : 0;

	if ((*seen & bit) != 0)
		return;
	*seen |= bit;
	read_answers(reading, pool, choices_off, node);
}

static void read_pool(struct reading *reading, uint32_t number);
static void read_whole(struct reading *reading, uint32_t pool, uint32_t branch,
		       uint64_t choices_off);

static void read_branch(struct reading *reading, uint32_t pool, uint32_t branch,
			uint64_t choices_off)
{
	const struct image *image = reading->image;
	const struct steering_table *table = steering_table(image, branch_number(branch));
	uint64_t seen = 0;

	if (branch_kind(branch) == BRANCH_POOL) {
		read_pool(reading, branch_number(branch));
		return;
	}
	if (branch_kind(branch) == BRANCH_BACKUP) {
		const struct steering_backup *backup = steering_backup(image,
								       branch_number(branch));

		read_pool(reading, backup->pool);
		read_whole(reading, pool, backup->instead.branch, backup->instead.choices_off);
		return;
	}
	for (uint32_t i = 0; i < table->slots.count; i++) {
		const struct steering_slot *slot = steering_slot(image, &table->slots, i);

		read_once(reading, pool, choices_off, slot->node, &seen);
		read_once(reading, pool, choices_off, slot->other, &seen);
	}
}

static void read_whole(struct reading *reading, uint32_t pool, uint32_t branch,
		       uint64_t choices_off)
{
	const struct image *image = reading->image;
	const struct steering_split *split;
	const uint32_t *branches;

	if (branch_kind(branch) != BRANCH_SPLIT) {
		read_branch(reading, pool, branch, choices_off);
		return;
	}
	split = steering_split(image, branch_number(branch));
	branches = image_at(image, uint32_t, split->branches_off);
	for (uint32_t i = 0; i < split->slots.count; i++) {
		const struct steering_slot *slot = steering_slot(image, &split->slots, i);

		reading->sum += branches[slot->node] + branches[slot->other];
	}
	for (uint32_t i = 0; i < split->branch_count; i++)
		read_branch(reading, pool, branches[i], choices_off);
}

static void read_prefs(struct reading *reading, uint32_t pool, uint64_t prefs_off, uint32_t count)
{
	reading->in_a_row++;
	ck_assert_uint_le(reading->in_a_row, STEERING_POOLS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		const struct steering_pref *pref = steering_pref_at(reading->image, prefs_off, i);

		read_whole(reading, pool, pref->branch, pref->choices_off);
	}
	reading->in_a_row--;
}

static void read_pool(struct reading *reading, uint32_t number)
{
	const struct steering_pool *pool = steering_pool(reading->image, number);

	read_prefs(reading, number, pool->prefs_off, pool->pref_count);
}

static unsigned read_all(const struct image *image)
{
	const struct steering_root *root = image_root(image, struct steering_root);
	struct reading reading = { .image = image };

	for (uint32_t i = 0; i < root->record_count; i++) {
		const struct steering_record *record = steering_record(image, i);

		reading.record = record;
		read_prefs(&reading, record->pool, record->prefs_off,
			   record->for_all ? 1 : steering_pool(image, record->pool)->pref_count);
	}
	return reading.sum;
}

/* A copy on the heap, of exactly its size, so that a step outside is seen. */
static struct image copy(const struct image *image, size_t size)
{
	uint8_t *bytes = mem_alloc(size);

	memcpy(bytes, image->base, size);
	return (struct image){ bytes, size };
}

static uint8_t *bytes_of(const struct image *image)
{
	uint8_t *bytes;

	memcpy(&bytes, &image->base, sizeof(bytes));
	return bytes;
}

static volatile unsigned sink; /* keeps the reads */

static bool verify_and_read(const struct image *image)
{
	struct err err = { "" };

	if (steering_verify(image, &err) != 0) {
		ck_assert_msg(strncmp(err.text, "steering image: ", 16) == 0, "%s", err.text);
		return false;
	}
	sink = read_all(image);
	return true;
}

/* Every word, but of slots, which are many and all alike, only some. */
static size_t next_word(const struct image *image, size_t at)
{
	const struct steering_root *root = image_root(image, struct steering_root);

	for (uint32_t i = 0; i < root->table_count; i++) {
		const struct steering_slots *slots = &steering_table(image, i)->slots;
		size_t end = slots->codes_off + slots->count;

		if (at >= slots->codes_off && at + 500 < end)
			return at + 396;
	}
	return at + 4;
}

START_TEST(a_damaged_word_is_refused_or_harmless)
{
	static const uint64_t values[] = {
		0, 1, 7, 8, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x100000000U, UINT64_MAX, 1U << 20
	};
	unsigned refused = 0, tried = 0;
	struct compiled c;

	open_full(&c);
	for (size_t at = IMAGE_ROOT; at + 8 <= c.image.size; at = next_word(&c.image, at)) {
		for (size_t i = 0; i < COUNT(values); i++) {
			struct image damaged = copy(&c.image, c.image.size);
			size_t width = i % 2 == 0 ? 4 : 8;

			memcpy(bytes_of(&damaged) + at, &values[i], width);
			refused += !verify_and_read(&damaged);
			tried++;
			free(bytes_of(&damaged));
		}
	}
	ck_assert_uint_gt(refused, tried / 4);
	compiled_close(&c);
}
END_TEST

START_TEST(random_damage_is_refused_or_harmless)
{
	struct compiled c;
	uint64_t x = 3;

	open_full(&c);
	for (unsigned round = 0; round < 10000; round++) {
		struct image damaged = copy(&c.image, c.image.size);

		for (unsigned n = 0; n < 1 + round % 3; n++) {
			x = hash_word(x);
			bytes_of(&damaged)[IMAGE_ROOT + x % (damaged.size - IMAGE_ROOT)] ^=
				(uint8_t)(x >> 56 | 1);
		}
		(void)verify_and_read(&damaged);
		free(bytes_of(&damaged));
	}
	compiled_close(&c);
}
END_TEST

START_TEST(a_cut_image_is_refused)
{
	struct compiled c;

	open_full(&c);
	for (size_t size = IMAGE_ROOT; size < c.image.size; size += 3) {
		struct image cut = copy(&c.image, size);

		/* The last list may end with padding only: what is whole is whole. */
		if (verify_and_read(&cut))
			ck_assert_uint_ge(size, c.image.size - 8);
		free(bytes_of(&cut));
	}
	compiled_close(&c);
}
END_TEST

START_TEST(a_slot_with_a_node_that_the_pool_has_not_is_refused)
{
	const struct steering_table *table;
	struct image damaged;
	struct err err = { "" };
	struct compiled c;
	uint16_t wrong;

	compiled_open(&c, &make);
	table = compiled_table(&c, 0, 0);
	wrong = (uint16_t)(steering_pool(&c.image, 0)->node_count + 1);
	damaged = copy(&c.image, c.image.size);
	memcpy(bytes_of(&damaged) + table->slots.kinds_off, &wrong, sizeof(wrong));
	ck_assert_int_eq(steering_verify(&damaged, &err), -1);
	ck_assert_str_eq(err.text,
			 "steering image: preference 0 of pool 0 has branch 0, which does "
			 "not fit");
	free(bytes_of(&damaged));
	compiled_close(&c);
}
END_TEST

/* Damages the last code of the first table, so that it is one too high. */
static void expect_code_refused(const struct compiled *c, size_t width)
{
	const struct steering_table *table = compiled_table(c, 0, 0);
	struct image damaged = copy(&c->image, c->image.size);
	uint64_t last = table->slots.codes_off + (table->slots.count - 1) * width;
	struct err err = { "" };

	/* The first octet of a number is its lowest here, as everywhere in an image. */
	memcpy(bytes_of(&damaged) + last, &table->slots.kind_count, width);
	ck_assert_int_eq(steering_verify(&damaged, &err), -1);
	ck_assert_str_eq(err.text, "steering image: the slots of table 0 do not fit");
	free(bytes_of(&damaged));
}

START_TEST(a_code_of_a_kind_that_there_is_not_is_refused)
{
	struct compiled c;

	compiled_open(&c, &make);
	ck_assert_uint_le(compiled_table(&c, 0, 0)->slots.kind_count, STEERING_BYTE_KINDS);
	expect_code_refused(&c, sizeof(uint8_t));
	compiled_close(&c);
}
END_TEST

START_TEST(a_code_of_two_octets_is_held_against_the_kinds_too)
{
	static const struct make_pool pool = { .name = "a", .sites = "east" };
	static const struct make_record record = { "a.example.", "a", NULL, 30 };
	struct make_node many[300];
	char texts[COUNT(many)][2][16];
	struct make_plan plan = { .sites = sites,
				  .site_count = COUNT(sites),
				  .pools = &pool,
				  .pool_count = 1,
				  .nodes = many,
				  .node_count = COUNT(many),
				  .prefs = prefs,
				  .pref_count = 1,
				  .records = &record,
				  .record_count = 1 };
	struct compiled c;

	for (unsigned i = 0; i < COUNT(many); i++) {
		(void)snprintf(texts[i][0], sizeof(texts[i][0]), "n%u", i);
		(void)snprintf(texts[i][1], sizeof(texts[i][1]), "192.0.%u.%u", i / 100, i % 100);
		many[i] = (struct make_node){ "a", "east", texts[i][0], 1, texts[i][1] };
	}
	compiled_open(&c, &plan);
	ck_assert_uint_gt(compiled_table(&c, 0, 0)->slots.kind_count, STEERING_BYTE_KINDS);
	expect_code_refused(&c, sizeof(uint16_t));
	compiled_close(&c);
}
END_TEST

/* A service names nodes of its pool, whose addresses are found by their numbers as choices. */
START_TEST(a_pool_with_fewer_choices_than_nodes_is_refused)
{
	struct steering_pool *pool;
	struct image damaged;
	struct err err = { "" };
	struct compiled c;

	open_full(&c);
	damaged = copy(&c.image, c.image.size);
	pool = (struct steering_pool *)(uintptr_t)steering_pool(&damaged, 0);
	pool->choice_count = pool->node_count;
	ck_assert_int_eq(steering_verify(&damaged, &err), -1);
	ck_assert_str_eq(err.text, "steering image: pool 0 has 3 choices for 3 nodes");
	free(bytes_of(&damaged));
	compiled_close(&c);
}
END_TEST

static void expect_another_plan(const struct compiled *c, uint64_t array, size_t field,
				uint32_t value, size_t size, const char *why)
{
	struct image damaged = copy(&c->made.plan, c->made.plan.size);
	struct err err = { "" };

	memcpy(bytes_of(&damaged) + array + field, &value, size);
	ck_assert_int_eq(world_verify_plan(&c->image, &damaged, &err), -1);
	ck_assert_str_eq(err.text, why);
	free(bytes_of(&damaged));
}

START_TEST(a_steering_image_of_another_plan_is_refused)
{
	const struct plan_root *plan;
	struct err err = { "" };
	struct compiled c;

	open_full(&c);
	plan = image_root(&c.made.plan, struct plan_root);
	ck_assert_msg(world_verify_plan(&c.image, &c.made.plan, &err) == 0, "%s", err.text);
	expect_another_plan(&c, IMAGE_ROOT + offsetof(struct plan_root, pools.count), 0, 1, 4,
			    "the steering image has 2 pools and 3 POOL records, the plan 1 and 3");
	expect_another_plan(&c, IMAGE_ROOT + offsetof(struct plan_root, records.count), 0, 2, 4,
			    "the steering image has 2 pools and 3 POOL records, the plan 2 and 2");
	expect_another_plan(&c, plan->pools.offset, offsetof(struct plan_pool, nodes.count), 2, 4,
			    "pool 0 has 3 nodes in the steering image, 2 in the plan");
	expect_another_plan(&c, plan->records.offset, offsetof(struct plan_record, pool), 1, 4,
			    "POOL record 0 is another one in the plan than in the steering image");
	expect_another_plan(&c, plan->records.offset, offsetof(struct plan_record, types), 1, 1,
			    "POOL record 0 is another one in the plan than in the steering image");
	compiled_close(&c);
}
END_TEST

/* What a preference of the geo image says of the plan, `explain` looks up there. */
START_TEST(a_preference_with_another_pools_rule_is_refused)
{
	struct image geo;
	struct geo_pref *pref;
	struct steer *steer = NULL;
	struct err err = { "" };
	struct compiled c;

	compiled_open(&c, &make);
	geo = copy(&c.made.geo, c.made.geo.size);
	pref = (struct geo_pref *)(uintptr_t)geo_pool_pref(&geo, 1, 0);
	ck_assert_uint_eq(pref->rule, 1);
	pref->rule = 0;
	ck_assert_int_eq(steer_open(&steer, &c.made.zones, &geo, &c.made.plan, &err), -1);
	ck_assert_str_eq(err.text, "preference 0 of pool 'b' follows rule 0, which the pool has "
				   "not: geo and plan do not fit");
	free(bytes_of(&geo));
	compiled_close(&c);
}
END_TEST

void image_cases(Suite *suite)
{
	const TTest *const tests[] = { a_damaged_word_is_refused_or_harmless,
				       random_damage_is_refused_or_harmless,
				       a_cut_image_is_refused,
				       a_slot_with_a_node_that_the_pool_has_not_is_refused,
				       a_code_of_a_kind_that_there_is_not_is_refused,
				       a_code_of_two_octets_is_held_against_the_kinds_too,
				       a_pool_with_fewer_choices_than_nodes_is_refused,
				       a_steering_image_of_another_plan_is_refused,
				       a_preference_with_another_pools_rule_is_refused };
	TCase *images = tcase_create("steering image");

	tcase_set_timeout(images, 60);
	for (size_t i = 0; i < COUNT(tests); i++)
		tcase_add_test(images, tests[i]);
	suite_add_tcase(suite, images);
}
