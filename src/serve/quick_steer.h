/* quick_steer.h - steered names on the quick path (quick.h): who asks, and what they get.
 *
 * The steps of choose_inline.h, but each for all steered queries of a group before the next one: a
 * lookup leads from one place in memory to another, and what each step needs is asked for in the one
 * before, so that the waits of all overlap. Pure. */
#ifndef SERVE_QUICK_STEER_H
#define SERVE_QUICK_STEER_H

#include "serve/choose_inline.h"
#include "serve/quick_read.h"

/* A steered query on its way, step by step. */
struct quick_steered {
	struct geo_walk walk; /* the first: the address of one is the other's, too */
	/* quick_find_client's: */
	const struct steering_record *record;
	uint64_t random;
	bool from_ecs;
	uint8_t column; /* enum steering_column */
	/* quick_find_class's: */
	uint8_t scope;                    /* for Client Subnet; grows */
	uint16_t class_id;                /* GEO_CLASS_NONE: nobody asked for it */
	const uint32_t *number;           /* of the preference */
	const struct steering_pref *pref; /* quick_find_pref's; NULL: quick_find_far was here */
	/* quick_find_slot's: */
	const uint8_t *code; /* of the slot */
	uint16_t cut;        /* the bits that decide in a slot that is cut */
	/* quick_find_far's: */
	uint8_t far_applied;
	uint32_t far_pool;
	const uint64_t *answer;          /* quick_take_choice's: where the block's offset stands */
	const struct rrset_block *block; /* quick_find_answer's; NULL: there is none */
};

/* Where the lookups for this client begin is on its way then. */
static QUICK_INLINE void quick_find_client(const struct world *world, struct quick_query *q,
					   struct quick_steered *s)
{
	q->steered = s;
	s->record = steering_record(&world->steering,
				    zones_entry(&world->zones, q->zone)->pool_record_base +
					    zone_node_pool_record(q->node) - 1);
	__builtin_prefetch(s->record);
	s->random = q->query->random;
	s->column = (uint8_t)steering_column(q->type);
	s->from_ecs = quick_ecs_address(q, &s->walk.address);
	if (!s->from_ecs)
		quick_source(q->query->from, &s->walk.address);
	geo_walk_start(&world->geo, &s->walk);
}

static QUICK_INLINE void quick_take_class(const struct world *world, struct quick_steered *s,
					  struct geo_match match)
{
	s->class_id = (uint16_t)match.class_id;
	s->scope = s->record->by_class != 0 ? match.prefix_len : 0;
	s->number = geo_class_pref_at(&world->geo, match.class_id, s->record->pool);
	__builtin_prefetch(s->number);
}

/* false: the walk goes on, then quick_find_leaf is next. */
static QUICK_INLINE bool quick_find_class(const struct world *world, struct quick_steered *s)
{
	static const uint32_t first = 0;
	const struct image *geo = &world->geo;
	struct geo_match match;

	if (s->record->for_all != 0) {
		s->class_id = GEO_CLASS_NONE;
		s->scope = 0;
		s->number = &first;
		return true;
	}
	if (!s->from_ecs && geo_has_resolvers(geo))
		match = geo_find_source_address(geo, &s->walk.address);
	else if (!geo_walk_begin(geo, &s->walk, &match))
		return false;
	quick_take_class(world, s, match);
	return true;
}

static QUICK_INLINE void quick_find_leaf(const struct world *world, struct quick_steered *s)
{
	quick_take_class(world, s, geo_walk_end(&s->walk));
}

static QUICK_INLINE void quick_find_pref(const struct world *world, struct quick_steered *s)
{
	s->pref = steering_pref_at(&world->steering, s->record->prefs_off, *s->number);
	__builtin_prefetch(s->pref);
}

static QUICK_INLINE void quick_take_choice(const struct world *world, struct quick_steered *s,
					   uint64_t answers_off, uint16_t choice)
{
	s->answer = steering_answer_at(&world->steering, s->record, answers_off, choice,
				       (enum steering_column)s->column);
	__builtin_prefetch(s->answer);
}

/* Where no table decides, from the beginning: there the class is of no use without its length, which
 * is kept as the scope only where the record's own pool goes by the class. */
static __attribute__((noinline, unused)) void quick_find_far(const struct world *world,
							     struct quick_steered *s)
{
	struct geo_match match = { s->record->by_class != 0 ? s->class_id : GEO_CLASS_NONE,
				   s->scope };
	struct chosen chosen;

	choose_far(&chosen, world, s->record, &s->walk.address, s->from_ecs, s->random, match);
	s->class_id = chosen.class_id;
	s->scope = chosen.scope;
	s->pref = NULL;
	s->far_applied = chosen.applied;
	s->far_pool = chosen.pool;
	quick_take_choice(world, s, chosen.answers_off, chosen.choice);
}

/* true: quick_find_choice is next, else quick_find_answer. */
static QUICK_INLINE bool quick_find_slot(const struct world *world, struct quick_steered *s)
{
	const struct steering_pref *pref = s->pref;
	const struct steering_spread *spread = &s->record->spread;
	struct choose_draw draw = { .scope = s->scope };
	const struct choose_asked asked = { world, &s->walk.address, s->from_ecs, s->random };
	uint64_t bits;

	if (branch_kind(pref->branch) != BRANCH_TABLE) {
		quick_find_far(world, s);
		return false;
	}
	if (pref->hashed == 0) {
		quick_take_choice(world, s, s->record->answers_off, (uint16_t)pref->choice);
		return false;
	}
	bits = choose_bits(&draw, &asked, spread, pref->random != 0);
	s->scope = draw.scope;
	s->cut = (uint16_t)bits;
	s->code = steering_pref_code(&world->steering, pref, hash_below(bits, pref->count));
	__builtin_prefetch(s->code);
	return true;
}

static QUICK_INLINE void quick_find_choice(const struct world *world, struct quick_steered *s)
{
	const struct image *steering = &world->steering;
	uint16_t node = steering_slot_node(steering_pref_slot(steering, s->pref, s->code), s->cut);

	quick_take_choice(world, s, s->record->answers_off,
			  steering_choice(steering, s->pref->choices_off, node));
}

static QUICK_INLINE void quick_find_answer(const struct world *world, struct quick_steered *s)
{
	uint64_t offset = *s->answer;
	const struct rrset_block *block = image_at(&world->steering, struct rrset_block, offset);

	quick_prefetch(block, 28);
	s->block = offset == 0 ? NULL : block;
}

/* enum steering_applied: what was, of the pool that decided in the end. */
static inline uint8_t quick_applied(const struct quick_steered *s)
{
	return s->pref == NULL ? s->far_applied : s->pref->applied;
}

static inline bool quick_is_shuffled(const struct world *world, const struct quick_steered *s)
{
	return s->pref == NULL ? steering_pool(&world->steering, s->far_pool)->spread.shuffled != 0
			       : s->record->spread.shuffled != 0;
}

#endif
