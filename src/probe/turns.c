#include "probe/turns.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define BUCKETS 4096

struct turns {
	struct turn *buckets[BUCKETS];
};

struct turns *turns_open(void)
{
	return mem_alloc(sizeof(struct turns));
}

void turns_close(struct turns *turns)
{
	free(turns);
}

struct turn *turn_join(struct turns *turns, const void *key, size_t len)
{
	uint64_t first = hash_bytes(key, len, 0), second = hash_bytes(key, len, 1);
	struct turn **bucket = &turns->buckets[first % BUCKETS];
	struct turn *turn = *bucket;

	while (turn != NULL && (turn->key[0] != first || turn->key[1] != second))
		turn = turn->next;
	if (turn == NULL) {
		turn = mem_alloc(sizeof(*turn));
		turn->key[0] = first;
		turn->key[1] = second;
		turn->next = *bucket;
		*bucket = turn;
	}
	turn->users++;
	return turn;
}

void turn_leave(struct turns *turns, struct turn *turn)
{
	struct turn **at;

	if (turn == NULL || --turn->users > 0)
		return;
	at = &turns->buckets[turn->key[0] % BUCKETS];
	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	free(turn);
}
