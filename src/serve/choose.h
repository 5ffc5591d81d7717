/* choose.h - which answer set a client network gets: the steering lookups, step by step.
 *
 * Pure, like answer.h. */
#ifndef SERVE_CHOOSE_H
#define SERVE_CHOOSE_H

#include "base/netprefix.h"
#include "image/world.h"

/* What an answer needs of all that. */
struct chosen {
	uint64_t answers_off;
	uint32_t pool; /* that it is of */
	uint16_t choice;
	uint16_t class_id;
	uint8_t scope;   /* ECS scope prefix length: for how large a network this holds */
	uint8_t applied; /* enum steering_applied: in that pool */
};

/* `address`: of the ECS option, else the source's. `random`: another number for each query; hash_word
 * of it are its random bits. `scope` is only told where from_ecs. */
void choose(struct chosen *out, const struct world *world, const struct steering_record *record,
	    const struct geo_address *address, bool from_ecs, uint64_t random);

/* --- the same, told in full ------------------------------------------------------------------ */

struct client_network {
	struct ip_prefix
		network; /* from ECS (its source prefix), else the source address in full */
	bool from_ecs;
};

/* What was decided in one pool. */
struct choice_step {
	uint32_t pool;
	uint32_t pref;    /* STEERING_NONE: the record is bound to one site */
	uint32_t split;   /* STEERING_NONE: the branch was no split */
	uint32_t without; /* a backup pool that has nobody for them; else STEERING_NONE */
	uint32_t split_slot;
	uint32_t branch; /* where that led: a table, or the pool of the next step */
	uint8_t applied; /* enum steering_applied */
};

struct choice {
	struct geo_match
		match; /* class and map prefix; class GEO_CLASS_NONE: nobody asked for it */
	uint32_t table, slot;
	uint16_t node;        /* in the last step's pool; its node_count: what stands in for all */
	uint16_t choice;      /* of the last step's pool */
	uint64_t answers_off; /* of the record in that pool */
	bool hashed;          /* the hash of the client network decided among several */
	bool random;          /* ... or fresh bits did */
	uint8_t scope;        /* ECS scope prefix length: for how large a network this holds */
	uint8_t step_count;
	struct choice_step steps[STEERING_POOLS_MAX]; /* one a pool, in order */
};

static inline const struct choice_step *choice_last(const struct choice *choice)
{
	return &choice->steps[choice->step_count - 1];
}

/* Every step is kept, so that `explain` shows what happened. */
void choose_told(struct choice *out, const struct world *world, uint32_t record,
		 const struct client_network *client, uint64_t random);

#endif
