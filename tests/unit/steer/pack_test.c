#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "steer/pack.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Reads a slot as an image's reader does. */
static struct steering_slot unpack(const struct pack *pack, uint32_t slot)
{
	uint32_t code = pack->kind_count <= STEERING_BYTE_KINDS
				? ((const uint8_t *)pack->codes)[slot]
				: ((const uint16_t *)pack->codes)[slot];

	if (code >= pack->kind_count)
		ck_abort_msg("code %u of %u kinds", code, pack->kind_count);
	return pack->kinds[code];
}

static void expect_same(const struct pack *pack, const struct steering_slot *slots, uint32_t count)
{
	uint32_t wrong = 0;

	ck_assert_uint_eq(pack->count, count);
	for (uint32_t i = 0; i < count; i++) {
		struct steering_slot slot = unpack(pack, i);

		for (uint32_t bits = 0; bits < 65536; bits += 4095)
			wrong += steering_slot_node(&slot, (uint16_t)bits) !=
				 steering_slot_node(&slots[i], (uint16_t)bits);
	}
	ck_assert_uint_eq(wrong, 0);
}

/* `nodes` nodes share `count` slots; each `cut_each`th is cut, at a place of its own. */
static struct steering_slot *make_slots(uint32_t count, uint32_t nodes, uint32_t cut_each)
{
	struct steering_slot *slots = mem_array(count, sizeof(*slots));

	for (uint32_t i = 0; i < count; i++) {
		uint16_t node = (uint16_t)(i % nodes), other = (uint16_t)(hash_word(i) % nodes);

		slots[i] = (struct steering_slot){ node, node, 0 };
		if (cut_each != 0 && i % cut_each == 0)
			slots[i] = (struct steering_slot){ node, other, (uint16_t)(i + 1) };
	}
	return slots;
}

static void expect_packed(uint32_t count, uint32_t nodes, uint32_t cut_each, size_t size)
{
	struct steering_slot *slots = make_slots(count, nodes, cut_each);
	struct pack pack = pack_slots(slots, count, nodes);

	expect_same(&pack, slots, count);
	ck_assert_uint_eq(pack_size(&pack), size);
	pack_free(&pack);
	free(slots);
}

START_TEST(a_byte_tells_the_kinds_of_slots_of_few_nodes)
{
	expect_packed(1, 1, 0, 1);
	expect_packed(16384, 10, 0, 16384);
	expect_packed(16384, 128, 128, 16384);
	expect_packed(65536, 256, 0, 65536);
}
END_TEST

START_TEST(more_than_256_kinds_are_told_by_two_bytes)
{
	expect_packed(16384, 257, 0, 2 * 16384);
	expect_packed(16384, 128, 64, 2 * 16384);
	expect_packed(65536, 65535, 0, 2 * 65536);
}
END_TEST

START_TEST(each_slot_may_be_of_its_own_kind)
{
	expect_packed(65536, 65535, 1, 2 * 65536);
	expect_packed(300, 300, 1, 2 * 300);
}
END_TEST

START_TEST(whole_slots_of_a_node_are_one_kind_however_they_are_written)
{
	static const struct steering_slot slots[] = {
		{ 1, 1, 0 }, { 1, 1, 500 }, { 0, 1, 0 }, { 0, 1, 500 }, { 0, 0, 0 }
	};
	struct pack pack = pack_slots(slots, COUNT(slots), 2);

	expect_same(&pack, slots, COUNT(slots));
	ck_assert_uint_eq(pack.kind_count, 3);
	pack_free(&pack);
}
END_TEST

void pack_cases(Suite *suite)
{
	suite_case(suite, "packed slots", a_byte_tells_the_kinds_of_slots_of_few_nodes,
		   more_than_256_kinds_are_told_by_two_bytes, each_slot_may_be_of_its_own_kind,
		   whole_slots_of_a_node_are_one_kind_however_they_are_written);
}
