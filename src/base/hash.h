/* hash.h - XXH3 (xxHash), the one hash of images, names and choices; client networks are hashed by
 * SplitMix64's finaliser.
 *
 * Its values are stored in images and decide which node a client gets, so that several servers
 * with the same files answer alike: never change it without a new image version. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_bytes(const void *data, size_t size, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, size, seed);
}

/* Spreads the bits of one word (the finaliser of SplitMix64; Steele, Lea, Flood 2014). */
static inline uint64_t hash_word(uint64_t x)
{
	x += 0x9e3779b97f4a7c15U;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

/* The hash of a client network: the first `len` bits of an address in two words, left-aligned (an
 * IPv4 address is the upper half of `high`). It decides which node the network gets. */
static inline uint64_t hash_network(uint64_t high, uint64_t low, unsigned len, uint64_t seed)
{
	if (len < 64)
		return hash_word(seed ^ (high & ~(UINT64_MAX >> len)));
	if (len < 128)
		low &= ~(UINT64_MAX >> (len - 64));
	return hash_word(hash_word(seed ^ high) ^ low);
}

/* A number below `count`, evenly (Lemire 2019: multiply-high instead of modulo). */
static inline uint32_t hash_below(uint64_t hash, uint32_t count)
{
	return (uint32_t)(((hash >> 32) * count) >> 32);
}

uint64_t hash_text(const char *text, uint64_t seed);

#endif
