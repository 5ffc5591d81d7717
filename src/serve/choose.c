#include "serve/choose.h"

#include "base/hash.h"
#include "image/backup.h"

/* Nearly all clients take one step, and that one goes straight through; the steps behind it have a
 * copy of the same code. */
#define INLINE inline __attribute__((always_inline))

/* The client's address as it is located and hashed: an IPv4 address inside IPv6 counts as what it
 * is, so that both spellings of one client get one node. `shift`: how many more bits the prefix
 * lengths of the spelling that was asked with have. */
static void client_address(const struct client_network *client, struct ip_address *out,
			   unsigned *shift)
{
	*shift = 96;
	if (client->network.address.family == IP_V6 &&
	    geo_embedded_ipv4(&client->network.address, out))
		return;
	*shift = 0;
	*out = client->network.address;
}

/* The hash of the client network as far as the pool's persistence tells it. */
static INLINE uint64_t hash_client(struct choice *out, const struct steering_pool *pool,
				   const struct client_network *client)
{
	struct ip_address address;
	unsigned shift, persistence;

	client_address(client, &address, &shift);
	persistence = address.family == IP_V4 ? pool->persistence_v4 : pool->persistence_v6;
	ip_mask(address.bytes, persistence);
	if (address.family == IP_V6) /* IPv4 clients in there are hashed as such */
		persistence = geo_exclude_embedded(&client->network.address, (uint8_t)persistence);
	if (out->scope < persistence + shift)
		out->scope = (uint8_t)(persistence + shift);
	return hash_bytes(address.bytes, address.family == IP_V4 ? 4 : 16, pool->seed);
}

/* What is asked, and by whom. */
struct asked {
	const struct world *world;
	const struct client_network *client;
	uint64_t random;
};

/* The bits that decide among several in one pool. */
static INLINE uint64_t decide(struct choice *out, const struct asked *asked,
			      const struct steering_pool *pool, bool random)
{
	const struct client_network *client = asked->client;

	if (!random && pool->persistence != PERSISTENCE_NONE &&
	    (client->from_ecs || pool->persistence_without_ecs != PERSISTENCE_NONE)) {
		out->hashed = true;
		return hash_client(out, pool, client);
	}
	out->random = true;
	return asked->random;
}

static INLINE uint16_t find_slot(const struct image *steering, const struct steering_slots *slots,
				 uint64_t bits, uint32_t *slot)
{
	*slot = hash_below(bits, slots->count);
	return steering_slot_node(steering_slot(steering, slots, *slot), (uint16_t)bits);
}

static INLINE void find_class(struct choice *out, const struct asked *asked)
{
	const struct image *geo = &asked->world->geo;
	const struct ip_address *address = &asked->client->network.address;

	if (out->match.class_id == GEO_CLASS_NONE)
		out->match = asked->client->from_ecs ? geo_find(geo, address)
						     : geo_find_source(geo, address);
}

static INLINE void count_class(struct choice *out)
{
	if (out->scope < out->match.prefix_len)
		out->scope = out->match.prefix_len;
}

/* The client's class decides. Where a pool has one preference for all (sites in one place, say),
 * the location decided nothing, and caches need no answer for each prefix (RFC 7871, 7.2.1). */
static INLINE const struct steering_pref *find_pref(struct choice *out, const struct asked *asked,
						    struct choice_step *step,
						    const struct steering_pool *pool,
						    uint64_t prefs_off)
{
	find_class(out, asked);
	if (pool->pref_count > 1)
		count_class(out);
	step->pref = geo_class_pref(&asked->world->geo, out->match.class_id, step->pool);
	return steering_pref_at(&asked->world->steering, prefs_off, step->pref);
}

/* Of a split: where it leads these clients. Who is where within a site does not depend on whom the
 * site keeps, so the bits are others than the table's; and those that come back from a backup are
 * spread anew. */
static uint32_t choose_part(struct choice *out, const struct asked *asked, struct choice_step *step,
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
static uint32_t choose_backup(struct choice *out, const struct asked *asked,
			      struct choice_step *step, const struct steering_pool *pool,
			      const struct steering_pref **pref, uint32_t number)
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
static __attribute__((noinline)) uint32_t choose_branch(struct choice *out,
							const struct asked *asked,
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

/* What holds for these clients in the step's pool; the node is found where the branch is a table. */
static INLINE void take_step(struct choice *out, const struct asked *asked,
			     struct choice_step *step, const struct steering_pool *pool,
			     const struct steering_pref *pref)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_table *table;
	uint32_t branch = pref->branch;
	uint64_t bits = 0;

	step->applied = pref->applied;
	step->split = step->without = STEERING_NONE;
	if (branch_kind(branch) != BRANCH_TABLE) {
		const struct steering_pref *found = pref; /* so that pref stays in a register */

		branch = choose_branch(out, asked, step, pool, &found);
		pref = found;
	}
	step->branch = branch;
	if (branch_kind(branch) == BRANCH_POOL)
		return;
	out->table = branch_number(branch);
	table = steering_table(steering, out->table);
	if (table->hashed != 0)
		bits = decide(out, asked, pool, pref->random != 0);
	out->node = find_slot(steering, &table->slots, bits, &out->slot);
	out->choice = steering_choice(steering, pref->choices_off, out->node);
}

/* On to another pool, with the same class. */
static __attribute__((noinline)) void go_on(struct choice *out, struct asked *asked)
{
	struct choice_step *step = &out->steps[out->step_count];
	const struct steering_pool *pool;

	step->pool = branch_number(step[-1].branch);
	out->step_count++;
	/* Pools decide independently of each other, and of the split that led here. */
	asked->random = hash_word(~asked->random);
	pool = steering_pool(&asked->world->steering, step->pool);
	take_step(out, asked, step, pool, find_pref(out, asked, step, pool, pool->prefs_off));
}

void choose(struct choice *out, const struct world *world, uint32_t record,
	    const struct client_network *client, uint64_t random)
{
	const struct image *steering = &world->steering;
	const struct steering_record *r = steering_record(steering, record);
	const struct steering_pool *pool = steering_pool(steering, r->pool);
	struct asked asked = { world, client, random };
	struct choice_step *step = out->steps;
	const struct steering_pref *pref;

	out->match = (struct geo_match){ .class_id = GEO_CLASS_NONE };
	out->hashed = out->random = false;
	out->scope = 0;
	out->step_count = 1;
	out->answers_off = r->answers_off;
	step->pool = r->pool;
	step->pref = STEERING_NONE;
	if (r->for_all != 0)
		pref = steering_pref_at(steering, r->prefs_off, 0);
	else
		pref = find_pref(out, &asked, step, pool, r->prefs_off);
	take_step(out, &asked, step, pool, pref);
	while (branch_kind(choice_last(out)->branch) == BRANCH_POOL) {
		go_on(out, &asked);
		out->answers_off = steering_answers_of(steering, r, choice_last(out)->pool);
	}
}
