#include "serve/choose.h"

#include "base/hash.h"

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

/* Of a split: where it leads these clients. Who is where within a site does not depend on whom the
 * site keeps, so the bits are others than the table's. */
static __attribute__((noinline)) uint32_t choose_branch(struct choice *out,
							const struct asked *asked,
							struct choice_step *step,
							const struct steering_pool *pool,
							bool random)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_split *split = steering_split(steering, step->split);
	uint64_t bits = hash_word(decide(out, asked, pool, random));
	uint16_t number = find_slot(steering, &split->slots, bits, &step->split_slot);

	return image_at(steering, uint32_t, split->branches_off)[number];
}

/* The client's class decides. Where a pool has one preference for all (sites in one place, say),
 * the location decided nothing, and caches need no answer for each prefix (RFC 7871, 7.2.1). */
static INLINE const struct steering_pref *find_pref(struct choice *out, const struct asked *asked,
						    struct choice_step *step,
						    const struct steering_pool *pool,
						    uint64_t prefs_off)
{
	const struct image *geo = &asked->world->geo;
	const struct ip_address *address = &asked->client->network.address;

	if (out->match.class_id == GEO_CLASS_NONE)
		out->match = asked->client->from_ecs ? geo_find(geo, address)
						     : geo_find_source(geo, address);
	if (pool->pref_count > 1 && out->scope < out->match.prefix_len)
		out->scope = out->match.prefix_len;
	step->pref = geo_class_pref(geo, out->match.class_id, step->pool);
	return steering_pref_at(&asked->world->steering, prefs_off, step->pref);
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
	step->split = STEERING_NONE;
	if (branch_kind(branch) == BRANCH_SPLIT) {
		step->split = branch_number(branch);
		branch = choose_branch(out, asked, step, pool, pref->random != 0);
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
