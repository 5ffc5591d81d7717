#include "steer/split.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "steer/steer.h"

#define WIDTH 65536U /* of a slot, in cuts */

struct placed {
	uint64_t key;
	uint32_t slot;
};

static int by_key(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* The order in which the n-th part takes slots. */
static void order_slots(struct placed order[SPLIT_SLOTS], uint32_t n)
{
	for (uint32_t slot = 0; slot < SPLIT_SLOTS; slot++)
		order[slot] = (struct placed){ hash_word((uint64_t)n << 32 | slot), slot };
	qsort(order, SPLIT_SLOTS, sizeof(order[0]), by_key);
}

/* What is left of each slot: it is free, or one part has its lower end, or it is gone. */
struct filling {
	struct steering_slot *slots;
	uint32_t left[SPLIT_SLOTS];
};

/* Takes up to `wanted` of a slot. Of a slot that was cut the rest is taken whole, since it cannot be
 * cut twice. Returns how much. */
static uint32_t take(struct filling *filling, uint32_t slot, uint32_t wanted, uint16_t number)
{
	struct steering_slot *s = &filling->slots[slot];
	uint32_t left = filling->left[slot];

	if (left == 0 || wanted == 0 || (left < WIDTH && left > wanted))
		return 0;
	if (left < WIDTH) {
		s->other = number;
	} else if (wanted < WIDTH) {
		*s = (struct steering_slot){ number, number, (uint16_t)wanted };
		left = wanted;
	} else {
		*s = (struct steering_slot){ number, number, 0 };
	}
	filling->left[slot] -= left;
	return left;
}

void split_fill(struct steering_slot *slots, const struct split_part *parts, uint32_t count)
{
	struct filling filling = { .slots = slots };
	struct placed order[SPLIT_SLOTS];
	uint64_t seen = 0, given = 0;

	for (uint32_t slot = 0; slot < SPLIT_SLOTS; slot++) {
		filling.left[slot] = WIDTH;
		slots[slot] = (struct steering_slot){ 0, 0, 0 };
	}
	for (uint32_t n = 0; n < count; n++) {
		bool last = n == count - 1;
		uint64_t wanted;

		/* The running total is rounded, not each part; what could not be cut is made up for
		 * by the next part. */
		seen += parts[n].part;
		wanted = seen * SPLIT_SLOTS * WIDTH / STEER_ALL - given;
		order_slots(order, n);
		for (uint32_t i = 0; i < SPLIT_SLOTS && wanted > 0; i++) {
			uint32_t took = take(&filling, order[i].slot,
					     wanted < WIDTH ? (uint32_t)wanted : WIDTH,
					     (uint16_t)n);

			wanted -= took;
			given += took;
		}
		for (uint32_t slot = 0; last && slot < SPLIT_SLOTS; slot++)
			(void)take(&filling, slot, WIDTH, (uint16_t)n);
	}
}
