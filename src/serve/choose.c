#include "serve/choose.h"

#include "base/hash.h"
#include "image/backup.h"

/* Nearly all clients take one step, and that one goes straight through; the steps behind it have a
 * copy of the same code. */
#define INLINE inline __attribute__((always_inline))

/* What is asked, and by whom. */
struct asked {
	const struct world *world;
	const struct geo_address *address;
	bool from_ecs;
	uint64_t random;
};

/* What comes out, as far as it is known. */
struct draw {
	struct geo_match match;
	uint32_t table, slot;
	uint16_t node, choice;
	bool hashed, random;
	uint8_t scope;
};

static INLINE void widen(struct draw *out, uint8_t scope)
{
	if (out->scope < scope)
		out->scope = scope;
}

/* The hash of the client network as far as the pool's persistence tells it. IPv4 clients in IPv6 are
 * hashed as such, so the others' scope holds none of them. */
static INLINE uint64_t hash_client(struct draw *out, const struct steering_pool *pool,
				   const struct geo_address *client)
{
	uint8_t persistence = client->family == 0 ? pool->persistence_v4 : pool->persistence_v6;

	widen(out, geo_spelt(client, persistence));
	return hash_network(client->high, client->low, persistence, pool->seed);
}

/* The bits that decide among several in one pool. */
static INLINE uint64_t decide(struct draw *out, const struct asked *asked,
			      const struct steering_pool *pool, bool random)
{
	if (!random && pool->persistence != PERSISTENCE_NONE &&
	    (asked->from_ecs || pool->persistence_without_ecs != PERSISTENCE_NONE)) {
		out->hashed = true;
		return hash_client(out, pool, asked->address);
	}
	out->random = true;
	return hash_word(asked->random);
}

static INLINE uint16_t find_slot(const struct image *steering, const struct steering_slots *slots,
				 uint64_t bits, uint32_t *slot)
{
	*slot = hash_below(bits, slots->count);
	return steering_slot_node(steering_slot(steering, slots, *slot), (uint16_t)bits);
}

static INLINE void find_class(struct draw *out, const struct asked *asked)
{
	const struct image *geo = &asked->world->geo;

	if (out->match.class_id == GEO_CLASS_NONE)
		out->match = asked->from_ecs ? geo_find_address(geo, asked->address)
					     : geo_find_source_address(geo, asked->address);
}

static INLINE void count_class(struct draw *out)
{
	widen(out, out->match.prefix_len);
}

/* The client's class decides. Where a pool has one preference for all (sites in one place, say),
 * the location decided nothing, and caches need no answer for each prefix (RFC 7871, 7.2.1). */
static INLINE uint32_t find_pref(struct draw *out, const struct asked *asked,
				 const struct steering_pool *pool, uint32_t number)
{
	find_class(out, asked);
	if (pool->pref_count > 1)
		count_class(out);
	return geo_class_pref(&asked->world->geo, out->match.class_id, number);
}

/* Of a split: where it leads these clients. Who is where within a site does not depend on whom the
 * site keeps, so the bits are others than the table's; and those that come back from a backup are
 * spread anew. */
static uint32_t choose_part(struct draw *out, const struct asked *asked, struct choice_step *step,
			    const struct steering_pool *pool, const struct steering_pref *pref)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_split *split = steering_split(steering, branch_number(pref->branch));
	uint64_t bits = hash_word(decide(out, asked, pool, pref->random != 0));
	uint16_t number;

	if (step->without != STEERING_NONE)
		bits = hash_word(bits);
	step->split = branch_number(pref->branch);
	number = find_slot(steering, &split->slots, bits, &step->split_slot);
	return image_at(steering, uint32_t, split->branches_off)[number];
}

/* A backup pool: for whom it has nobody, there is something else, and *pref becomes that. */
static uint32_t choose_backup(struct draw *out, const struct asked *asked, struct choice_step *step,
			      const struct steering_pool *pool, const struct steering_pref **pref,
			      uint32_t number)
{
	const struct world *world = asked->world;
	const struct steering_backup *backup = steering_backup(&world->steering, number);
	bool by_class = false, serves;

	find_class(out, asked);
	serves = backup_serves(&world->steering, &world->geo, backup->pool, out->match.class_id,
			       &by_class);
	if (by_class)
		count_class(out);
	if (serves)
		return branch_make(BRANCH_POOL, backup->pool);
	*pref = &backup->instead;
	step->without = backup->pool;
	step->applied = backup->instead.applied;
	return branch_kind(backup->instead.branch) == BRANCH_SPLIT
		       ? choose_part(out, asked, step, pool, *pref)
		       : backup->instead.branch;
}

/* Where a branch that is no table leads in the end: to a table or a pool. */
static __attribute__((noinline)) uint32_t choose_branch(struct draw *out, const struct asked *asked,
							struct choice_step *step,
							const struct steering_pool *pool,
							const struct steering_pref **pref)
{
	uint32_t branch = (*pref)->branch;

	if (branch_kind(branch) == BRANCH_SPLIT)
		branch = choose_part(out, asked, step, pool, *pref);
	if (branch_kind(branch) == BRANCH_BACKUP)
		branch = choose_backup(out, asked, step, pool, pref, branch_number(branch));
	return branch;
}

/* What a table has for these clients. */
static INLINE void find_node(struct draw *out, const struct asked *asked,
			     const struct steering_pool *pool, const struct steering_pref *pref,
			     uint32_t branch)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_table *table = steering_table(steering, branch_number(branch));
	uint64_t bits = 0;

	out->table = branch_number(branch);
	if (table->hashed != 0)
		bits = decide(out, asked, pool, pref->random != 0);
	out->node = find_slot(steering, &table->slots, bits, &out->slot);
	out->choice = steering_choice(steering, pref->choices_off, out->node);
}

/* What holds for these clients in the step's pool; the node is found where the branch is a table. */
static INLINE void take_step(struct draw *out, const struct asked *asked, struct choice_step *step,
			     const struct steering_pool *pool, uint64_t prefs_off)
{
	const struct steering_pref *pref = steering_pref_at(
		&asked->world->steering, prefs_off, step->pref == STEERING_NONE ? 0 : step->pref);

	step->applied = pref->applied;
	step->split = step->without = STEERING_NONE;
	step->branch = pref->branch;
	if (branch_kind(step->branch) != BRANCH_TABLE)
		step->branch = choose_branch(out, asked, step, pool, &pref);
	if (branch_kind(step->branch) == BRANCH_TABLE)
		find_node(out, asked, pool, pref, step->branch);
}

/* On to another pool, with the same class. */
static void go_on(struct draw *out, struct asked *asked, struct choice_step *step)
{
	const struct steering_pool *pool;

	step->pool = branch_number(step[-1].branch);
	/* Pools decide independently of each other, and of the split that led here. */
	asked->random = hash_word(~asked->random);
	pool = steering_pool(&asked->world->steering, step->pool);
	step->pref = find_pref(out, asked, pool, step->pool);
	take_step(out, asked, step, pool, pool->prefs_off);
}

static void walk(struct choice *out, struct draw *draw, struct asked *asked,
		 const struct steering_record *record)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_pool *pool = steering_pool(steering, record->pool);

	out->answers_off = record->answers_off;
	out->steps[0].pool = record->pool;
	out->steps[0].pref = record->for_all != 0 ? STEERING_NONE
						  : find_pref(draw, asked, pool, record->pool);
	take_step(draw, asked, &out->steps[0], pool, record->prefs_off);
	out->step_count = 1;
	while (branch_kind(choice_last(out)->branch) == BRANCH_POOL) {
		go_on(draw, asked, &out->steps[out->step_count++]);
		out->answers_off = steering_answers_of(steering, record, choice_last(out)->pool);
	}
}

void choose_told(struct choice *out, const struct world *world, uint32_t record,
		 const struct client_network *client, uint64_t random)
{
	struct geo_address address = geo_address(&client->network.address);
	struct asked asked = { world, &address, client->from_ecs, random };
	struct draw draw = { .match = { .class_id = GEO_CLASS_NONE } };

	walk(out, &draw, &asked, steering_record(&world->steering, record));
	out->match = draw.match;
	out->table = draw.table;
	out->slot = draw.slot;
	out->node = draw.node;
	out->choice = draw.choice;
	out->hashed = draw.hashed;
	out->random = draw.random;
	out->scope = draw.scope;
}

static INLINE void tell(struct chosen *out, const struct draw *draw, uint64_t answers_off,
			uint32_t pool, uint8_t applied)
{
	*out = (struct chosen){ .answers_off = answers_off,
				.pool = pool,
				.choice = draw->choice,
				.class_id = (uint16_t)draw->match.class_id,
				.scope = draw->scope,
				.applied = applied };
}

/* `match`: as far as it is known already. */
static __attribute__((noinline)) void choose_far(struct chosen *out, const struct world *world,
						 const struct steering_record *record,
						 const struct geo_address *address, bool from_ecs,
						 uint64_t random, struct geo_match match)
{
	struct asked asked = { world, address, from_ecs, random };
	struct draw draw = { .match = match };
	struct choice choice;

	walk(&choice, &draw, &asked, record);
	tell(out, &draw, choice.answers_off, choice_last(&choice)->pool,
	     choice_last(&choice)->applied);
}

/* As choose_told, but where one table decides, nothing is written down on the way there. */
void choose(struct chosen *out, const struct world *world, const struct steering_record *record,
	    const struct geo_address *address, bool from_ecs, uint64_t random)
{
	const struct asked asked = { world, address, from_ecs, random };
	const struct steering_pool *pool = steering_pool(&world->steering, record->pool);
	const struct steering_pref *pref;
	struct draw draw; /* in registers */
	uint32_t number = 0;

	draw.match.class_id = GEO_CLASS_NONE;
	draw.scope = 0;
	if (record->for_all == 0)
		number = find_pref(&draw, &asked, pool, record->pool);
	pref = steering_pref_at(&world->steering, record->prefs_off, number);
	if (branch_kind(pref->branch) != BRANCH_TABLE) {
		choose_far(out, world, record, address, from_ecs, random, draw.match);
		return;
	}
	find_node(&draw, &asked, pool, pref, pref->branch);
	tell(out, &draw, record->answers_off, record->pool, pref->applied);
}
