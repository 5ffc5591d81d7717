#include "serve/choose.h"

#include "base/hash.h"

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
static uint64_t hash_client(struct choice *out, const struct steering_pool *pool,
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
	const struct steering_record *record;
	const struct client_network *client;
	uint64_t random;
};

/* The bits that decide among several in one pool. */
static uint64_t decide(struct choice *out, const struct asked *asked,
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

static uint16_t find_slot(const struct image *steering, uint64_t slots_off, uint32_t slot_count,
			  uint64_t bits, uint32_t *slot)
{
	*slot = hash_below(bits, slot_count);
	return steering_slot_node(image_at(steering, struct steering_slot, slots_off) + *slot,
				  (uint16_t)bits);
}

static uint32_t choose_branch(struct choice_step *step, const struct image *steering, uint64_t bits)
{
	const struct steering_split *split = steering_split(steering, step->split);
	uint16_t number = find_slot(steering, split->slots_off, split->slot_count, bits,
				    &step->split_slot);

	return image_at(steering, uint32_t, split->branches_off)[number];
}

static inline void choose_node(struct choice *out, const struct image *steering, uint32_t table,
			       uint64_t bits)
{
	const struct steering_table *t = steering_table(steering, table);

	out->table = table;
	out->node = find_slot(steering, t->slots_off, t->slot_count, t->hashed ? bits : 0,
			      &out->slot);
}

/* The client's class decides. Where a pool has one preference for all (sites in one place, say),
 * the location decided nothing, and caches need no answer for each prefix (RFC 7871, 7.2.1). */
static const struct steering_pref *find_pref(struct choice *out, const struct asked *asked,
					     struct choice_step *step,
					     const struct steering_pool *pool)
{
	const struct image *geo = &asked->world->geo;
	const struct ip_address *address = &asked->client->network.address;

	if (out->match.class_id == GEO_CLASS_NONE)
		out->match = asked->client->from_ecs ? geo_find(geo, address)
						     : geo_find_source(geo, address);
	if (pool->pref_count > 1 && out->scope < out->match.prefix_len)
		out->scope = out->match.prefix_len;
	step->pref = geo_class_pref(geo, out->match.class_id, step->pool);
	return steering_pref(&asked->world->steering, pool, step->pref);
}

/* What holds for these clients in the step's pool; the table is found where the branch is one. */
static inline uint32_t take_step(struct choice *out, const struct asked *asked,
				 struct choice_step *step, const struct steering_pref *pref)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_pool *pool = steering_pool(steering, step->pool);
	uint32_t branch = pref->branch;
	uint64_t bits = 0;

	step->applied = pref->applied;
	step->split = STEERING_NONE;
	if (branch_kind(branch) == BRANCH_SPLIT) {
		step->split = branch_number(branch);
		bits = decide(out, asked, pool, pref->random != 0);
		/* Who is where within a site does not depend on whom the site keeps. */
		branch = choose_branch(step, steering, hash_word(bits));
	}
	step->branch = branch;
	if (branch_kind(branch) == BRANCH_POOL)
		return branch;
	if (step->split == STEERING_NONE &&
	    steering_table(steering, branch_number(branch))->hashed != 0)
		bits = decide(out, asked, pool, pref->random != 0);
	choose_node(out, steering, branch_number(branch), bits);
	out->choice = steering_choice(steering, pref->choices_off, out->node);
	return branch;
}

void choose(struct choice *out, const struct world *world, uint32_t record,
	    const struct client_network *client, uint64_t random)
{
	const struct steering_record *bound = steering_record(&world->steering, record);
	struct asked asked = { world, bound, client, random };
	const struct steering_pref own = { .branch = bound->branch,
					   .applied = bound->applied,
					   .random = bound->random,
					   .choices_off = bound->choices_off };
	struct choice_step *step = out->steps;
	uint32_t branch;

	out->match = (struct geo_match){ .class_id = GEO_CLASS_NONE };
	out->hashed = out->random = false;
	out->scope = 0;
	step->pool = bound->pool;
	step->pref = STEERING_NONE;
	if (bound->branch != STEERING_NONE)
		branch = take_step(out, &asked, step, &own);
	else
		branch = take_step(
			out, &asked, step,
			find_pref(out, &asked, step, steering_pool(&world->steering, step->pool)));
	while (branch_kind(branch) == BRANCH_POOL) {
		step++;
		step->pool = branch_number(branch);
		/* Pools decide independently of each other, and of the split that led here. */
		asked.random = hash_word(~asked.random);
		branch = take_step(
			out, &asked, step,
			find_pref(out, &asked, step, steering_pool(&world->steering, step->pool)));
	}
	out->step_count = (uint8_t)(step - out->steps + 1);
	out->answers_off = steering_answers_of(&world->steering, bound, step->pool);
}
