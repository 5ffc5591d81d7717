/* choose_inline.h - the steps of choose() that nearly all clients take, for where one more call counts.
 *
 * choose_told goes by the same ones, and keeps a record of them. */
#ifndef SERVE_CHOOSE_INLINE_H
#define SERVE_CHOOSE_INLINE_H

#include "base/hash.h"
#include "serve/choose.h"

#define CHOOSE_INLINE inline __attribute__((always_inline))

/* What is asked, and by whom. */
struct choose_asked {
	const struct world *world;
	const struct geo_address *address;
	bool from_ecs;
	uint64_t random;
};

/* What comes out, as far as it is known. */
struct choose_draw {
	struct geo_match match;
	uint32_t table, slot;
	uint16_t node, choice;
	bool hashed, random;
	uint8_t scope;
};

static CHOOSE_INLINE void choose_widen(struct choose_draw *out, uint8_t scope)
{
	if (out->scope < scope)
		out->scope = scope;
}

/* The hash of the client network as far as the pool's persistence tells it. IPv4 clients in IPv6 are
 * hashed as such, so the others' scope holds none of them. */
static CHOOSE_INLINE uint64_t choose_hash_client(struct choose_draw *out,
						 const struct steering_spread *spread,
						 const struct geo_address *client)
{
	uint8_t persistence = client->family == 0 ? spread->persistence_v4 : spread->persistence_v6;

	choose_widen(out, geo_spelt(client, persistence));
	return hash_network(client->high, client->low, persistence, spread->seed);
}

/* The bits that decide among several in one pool. */
static CHOOSE_INLINE uint64_t choose_bits(struct choose_draw *out, const struct choose_asked *asked,
					  const struct steering_spread *spread, bool random)
{
	if (!random && spread->persistence != PERSISTENCE_NONE &&
	    (asked->from_ecs || spread->persistence_without_ecs != PERSISTENCE_NONE)) {
		out->hashed = true;
		return choose_hash_client(out, spread, asked->address);
	}
	out->random = true;
	return hash_word(asked->random);
}

static CHOOSE_INLINE uint16_t choose_slot(const struct image *steering,
					  const struct steering_slots *slots, uint64_t bits,
					  uint32_t *slot)
{
	*slot = hash_below(bits, slots->count);
	return steering_slot_node(steering_slot(steering, slots, *slot), (uint16_t)bits);
}

static CHOOSE_INLINE void choose_class(struct choose_draw *out, const struct choose_asked *asked)
{
	const struct image *geo = &asked->world->geo;

	if (out->match.class_id == GEO_CLASS_NONE)
		out->match = asked->from_ecs ? geo_find_address(geo, asked->address)
					     : geo_find_source_address(geo, asked->address);
}

static CHOOSE_INLINE void choose_count_class(struct choose_draw *out)
{
	choose_widen(out, out->match.prefix_len);
}

/* The client's class decides. Where a pool has one preference for all (sites in one place, say),
 * the location decided nothing, and caches need no answer for each prefix (RFC 7871, 7.2.1). */
static CHOOSE_INLINE uint32_t choose_pref(struct choose_draw *out, const struct choose_asked *asked,
					  const struct steering_pool *pool, uint32_t number)
{
	choose_class(out, asked);
	if (pool->pref_count > 1)
		choose_count_class(out);
	return geo_class_pref(&asked->world->geo, out->match.class_id, number);
}

/* What a table has for these clients. */
static CHOOSE_INLINE void choose_node(struct choose_draw *out, const struct choose_asked *asked,
				      const struct steering_pool *pool,
				      const struct steering_pref *pref, uint32_t branch)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_table *table = steering_table(steering, branch_number(branch));
	uint64_t bits = 0;

	out->table = branch_number(branch);
	if (table->hashed != 0)
		bits = choose_bits(out, asked, &pool->spread, pref->random != 0);
	out->node = choose_slot(steering, &table->slots, bits, &out->slot);
	out->choice = steering_choice(steering, pref->choices_off, out->node);
}

static CHOOSE_INLINE void choose_tell(struct chosen *out, const struct choose_draw *draw,
				      uint64_t answers_off, uint32_t pool, uint8_t applied)
{
	*out = (struct chosen){ .answers_off = answers_off,
				.pool = pool,
				.choice = draw->choice,
				.class_id = (uint16_t)draw->match.class_id,
				.scope = draw->scope,
				.applied = applied };
}

/* From the beginning, wherever it leads. `match`: as far as it is known already. */
void choose_far(struct chosen *out, const struct world *world, const struct steering_record *record,
		const struct geo_address *address, bool from_ecs, uint64_t random,
		struct geo_match match);

/* As choose_told, but where one table decides, nothing is written down on the way there. */
static CHOOSE_INLINE void choose_inline(struct chosen *out, const struct world *world,
					const struct steering_record *record,
					const struct geo_address *address, bool from_ecs,
					uint64_t random)
{
	const struct choose_asked asked = { world, address, from_ecs, random };
	const struct steering_pool *pool = steering_pool(&world->steering, record->pool);
	const struct steering_pref *pref;
	struct choose_draw draw; /* in registers */
	uint32_t number = 0;

	draw.match.class_id = GEO_CLASS_NONE;
	draw.scope = 0;
	if (record->for_all == 0)
		number = choose_pref(&draw, &asked, pool, record->pool);
	pref = steering_pref_at(&world->steering, record->prefs_off, number);
	if (branch_kind(pref->branch) != BRANCH_TABLE) {
		choose_far(out, world, record, address, from_ecs, random, draw.match);
		return;
	}
	choose_node(&draw, &asked, pool, pref, pref->branch);
	choose_tell(out, &draw, record->answers_off, record->pool, pref->applied);
}

#endif
