#include "steer/pack.h"

#include <stdlib.h>

#include "base/mem.h"

struct packing {
	struct steering_slot *kinds;
	uint32_t kind_count, kind_cap;
	uint32_t *
		whole; /* [number]: the kind of a slot that is wholly its own, plus 1; 0: none yet */
};

static uint32_t add_kind(struct packing *packing, struct steering_slot kind)
{
	array_add(packing->kinds, packing->kind_count, packing->kind_cap) = kind;
	return packing->kind_count - 1;
}

static uint32_t kind_of(struct packing *packing, struct steering_slot slot)
{
	uint32_t *whole = &packing->whole[slot.other];

	if (slot.cut != 0 && slot.node != slot.other)
		return add_kind(packing, slot);
	if (*whole == 0)
		*whole = 1 + add_kind(packing, (struct steering_slot){ slot.other, slot.other, 0 });
	return *whole - 1;
}

/* In place. */
static void narrow(uint16_t *codes, uint32_t count)
{
	uint8_t *bytes = (uint8_t *)codes;

	for (uint32_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)codes[i];
}

struct pack pack_slots(const struct steering_slot *slots, uint32_t count, uint32_t numbers)
{
	struct packing packing = { .whole = mem_array(numbers, sizeof(uint32_t)) };
	uint16_t *codes = mem_array(count, sizeof(*codes));
	struct pack pack = { .count = count };

	for (uint32_t i = 0; i < count; i++)
		codes[i] = (uint16_t)kind_of(&packing, slots[i]);
	pack.kinds = packing.kinds;
	pack.kind_count = packing.kind_count;
	if (pack.kind_count <= STEERING_BYTE_KINDS)
		narrow(codes, count);
	pack.codes = mem_resize(codes, pack_size(&pack), 1);
	free(packing.whole);
	return pack;
}

void pack_free(struct pack *pack)
{
	free(pack->codes);
	free(pack->kinds);
	*pack = (struct pack){ 0 };
}
