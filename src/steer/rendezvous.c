#include "steer/rendezvous.h"

#include <pthread.h>

#define COST_BITS 40
#define STEP_BITS 8

/* log2(1 + i / 256) in units of 2^-40, for i = 0..256. */
static uint64_t log2_steps[(1 << STEP_BITS) + 1];
static pthread_once_t log2_once = PTHREAD_ONCE_INIT;

/* Binary logarithm by repeated squaring, one bit a time (Knuth, The Art of Computer Programming,
 * volume 1, 1.2.2): x in [1, 2) as 1.62 fixed point. */
static uint64_t log2_slow(uint64_t x)
{
	uint64_t result = 0;

	for (int bit = COST_BITS - 1; bit >= 0; bit--) {
		x = (uint64_t)(((unsigned __int128)x * x) >> 62);
		if (x >> 63 != 0) {
			result |= UINT64_C(1) << (unsigned)bit;
			x >>= 1;
		}
	}
	return result;
}

static void log2_fill(void)
{
	uint64_t count = UINT64_C(1) << STEP_BITS;

	for (uint64_t i = 0; i < count; i++)
		log2_steps[i] = log2_slow((UINT64_C(1) << 62) + (i << (62 - STEP_BITS)));
	log2_steps[count] = UINT64_C(1) << COST_BITS;
}

uint64_t rendezvous_cost(uint64_t hash)
{
	unsigned lead;
	uint64_t mantissa, step, part, log2;

	(void)pthread_once(&log2_once, log2_fill);
	if (hash == 0)
		hash = 1;
	lead = (unsigned)__builtin_clzll(hash);
	mantissa = hash << lead << 1; /* behind the leading one */
	step = mantissa >> (64 - STEP_BITS);
	part = (mantissa << STEP_BITS) >> 40; /* how far into the step, of 2^24 */
	/* A chord from step to step: off by 3e-6 at most. */
	log2 = log2_steps[step] + (((log2_steps[step + 1] - log2_steps[step]) * part) >> 24);
	return ((uint64_t)(lead + 1) << COST_BITS) - log2;
}

struct rendezvous_bid rendezvous_bid(uint64_t hash, uint32_t weight, uint32_t member)
{
	return (struct rendezvous_bid){ rendezvous_cost(hash), hash, weight, member };
}

bool rendezvous_wins(const struct rendezvous_bid *a, const struct rendezvous_bid *b)
{
	unsigned __int128 left, right;

	if (b->member == RENDEZVOUS_NONE)
		return true;
	/* cost / weight, both sides times both weights */
	left = (unsigned __int128)a->cost * b->weight;
	right = (unsigned __int128)b->cost * a->weight;
	return left < right || (left == right && a->hash > b->hash);
}
