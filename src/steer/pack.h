/* pack.h - slots as images have them: the code of its kind for each (image/steering.h).
 *
 * Slots with one node alone are one kind for each node; a cut slot is a kind of its own, since
 * hardly two of them are cut in the same place. Tables have up to five cut slots a member, so up
 * to about 40 members need codes of one byte; but where members with a slot or less stand beside one
 * with most of them, nearly every slot may be cut. */
#ifndef STEER_PACK_H
#define STEER_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "image/steering.h"

struct pack {
	void *codes; /* uint8_t[count], or uint16_t[count] of more kinds than STEERING_BYTE_KINDS */
	struct steering_slot *kinds;
	uint32_t count, kind_count;
};

/* 1 to 65,536 slots, whose numbers are below `numbers`. */
struct pack pack_slots(const struct steering_slot *slots, uint32_t count, uint32_t numbers);
void pack_free(struct pack *pack); /* fine for one that is { 0 } */

/* Of the codes, in bytes. */
static inline size_t pack_size(const struct pack *pack)
{
	return pack->kind_count <= STEERING_BYTE_KINDS ? pack->count
						       : pack->count * sizeof(uint16_t);
}

#endif
