/* turns.h - keeps apart what must not come to one place too fast, whoever sends it: those who share a
 * key take turns. Pure: the time is an argument. One thread. */
#ifndef PROBE_TURNS_H
#define PROBE_TURNS_H

#include <stddef.h>
#include <stdint.h>

struct turns;

struct turn {
	uint32_t users;
	uint64_t next_us; /* not before */
	/* turns.c's */
	uint64_t key[2];
	struct turn *next;
};

struct turns *turns_open(void);
void turns_close(struct turns *turns); /* nobody has a turn any more */

/* The same one for all that ask with these bytes; turn_leave when done. */
struct turn *turn_join(struct turns *turns, const void *key, size_t len);
void turn_leave(struct turns *turns, struct turn *turn); /* NULL is fine */

#endif
