#include "steer/sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/rendezvous.h"
#include "steer/steer.h"

#define MAPS_TRIED 64 /* of the newest ones: looking at more takes longer than a new map is worth */

/* A set being made. */
struct making {
	struct sets *sets;
	struct set_context context; /* its sites grow */
	struct set set;
	unsigned count; /* of set.nodes */
	uint32_t primary_site;
	uint8_t rank; /* nobody joins who is worse than the primary */
	uint64_t key;
	bool apart; /* no two of one site */
	bool enough; /* the primary's site has as many nodes as it takes to count, so others must, too */
};

static uint32_t site_of_node(const struct pool *pool, uint32_t node)
{
	return pool->nodes[node].pool_site - pool->plan_pool->sites.first;
}

static uint32_t first_node(const struct pool *pool, uint32_t site)
{
	return pool->sites[site].nodes.first - pool->plan_pool->nodes.first;
}

static struct set alone(uint32_t node)
{
	struct set set;

	memset(&set, 0xff, sizeof(set)); /* SET_NODE_NONE */
	set.nodes[0] = (uint16_t)node;
	return set;
}

/* --- one draw ---------------------------------------------------------------------------------- */

static uint32_t weight_of(const struct sets *sets, uint32_t node)
{
	return sets->weights[node] != 0 ? sets->weights[node] : 1;
}

static void bid(const struct sets *sets, uint64_t key, uint32_t node, struct rendezvous_bid *best)
{
	uint32_t weight = weight_of(sets, node);
	uint64_t hash = rendezvous_hash(key, sets->pool->node_keys[node]);
	struct rendezvous_bid mine;

	if (!rendezvous_could_win(hash, weight, best))
		return;
	mine = rendezvous_bid(hash, weight, node);
	if (rendezvous_wins(&mine, best))
		*best = mine;
}

static bool has_node(const struct making *making, uint32_t node)
{
	for (unsigned i = 0; i < making->count; i++)
		if (making->set.nodes[i] == node)
			return true;
	return false;
}

static bool has_site(const struct making *making, uint32_t site)
{
	for (unsigned i = 0; i < making->count; i++)
		if (site_of_node(making->sets->pool, making->set.nodes[i]) == site)
			return true;
	return false;
}

/* Has a site fewer nodes at hand than it takes to count? */
static bool is_thin(const struct making *making, uint32_t site)
{
	const struct pool *pool = making->sets->pool;
	uint32_t first = first_node(pool, site), least = pool->sites[site].min_nodes, count = 0;

	if (least <= 1)
		return false;
	for (uint32_t node = first; node < first + pool->sites[site].nodes.count; node++)
		count += making->context.ranks[node] >= making->rank;
	return count < least;
}

/* The nodes of a site that are not in the set take part in a draw. */
static uint32_t draw(const struct making *making, uint32_t site)
{
	const struct pool *pool = making->sets->pool;
	struct rendezvous_bid best = { .member = RENDEZVOUS_NONE };
	uint32_t first = first_node(pool, site);

	for (uint32_t node = first; node < first + pool->sites[site].nodes.count; node++)
		if (making->context.ranks[node] >= making->rank && !has_node(making, node))
			bid(making->sets, making->key, node, &best);
	return best.member;
}

/* Puts a node in its place among the best so far, best first, and drops the last. */
static void rank_bid(struct rendezvous_bid best[DRAWS_DEPTH], struct rendezvous_bid mine)
{
	unsigned at = DRAWS_DEPTH - 1;

	if (!rendezvous_wins(&mine, &best[at]))
		return;
	for (; at > 0 && rendezvous_wins(&mine, &best[at - 1]); at--)
		best[at] = best[at - 1];
	best[at] = mine;
}

/* Of the usable nodes of a site: those that win the primary's draw one after the other. */
static void draw_all(const struct making *making, uint32_t site, struct draw *out)
{
	const struct sets *sets = making->sets;
	uint32_t first = first_node(sets->pool, site);
	struct rendezvous_bid best[DRAWS_DEPTH];

	for (unsigned i = 0; i < DRAWS_DEPTH; i++)
		best[i] = (struct rendezvous_bid){ .member = RENDEZVOUS_NONE };
	for (uint32_t node = first; node < first + sets->pool->sites[site].nodes.count; node++) {
		uint64_t hash = rendezvous_hash(making->key, sets->pool->node_keys[node]);

		if (sets->pool->ranks[node] == TABLE_USABLE &&
		    rendezvous_could_win(hash, weight_of(sets, node), &best[DRAWS_DEPTH - 1]))
			rank_bid(best, rendezvous_bid(hash, weight_of(sets, node), node));
	}
	for (unsigned i = 0; i < DRAWS_DEPTH; i++)
		out->winners[i] = best[i].member == RENDEZVOUS_NONE ? DRAWS_NOBODY
								    : (uint16_t)best[i].member;
}

/* The same as draw, where it is about usable nodes of the pool. */
static uint32_t remembered_draw(const struct making *making, uint32_t site)
{
	bool holds;
	struct draw *known = draws_at(&making->sets->draws, site, making->set.nodes[0], &holds);

	if (!holds)
		draw_all(making, site, known);
	for (unsigned i = 0; i < DRAWS_DEPTH; i++) {
		uint16_t node = known->winners[i];

		if (node == DRAWS_NOBODY)
			return RENDEZVOUS_NONE;
		if (!has_node(making, node))
			return node;
	}
	return draw(making, site);
}

/* Who of a site may join, and wins against the others there. RENDEZVOUS_NONE: nobody. */
static uint32_t best_of_site(const struct making *making, uint32_t site)
{
	if ((making->apart && has_site(making, site)) || (making->enough && is_thin(making, site)))
		return RENDEZVOUS_NONE;
	if (making->context.usual && making->rank == TABLE_USABLE)
		return remembered_draw(making, site);
	return draw(making, site);
}

static void bid_site(const struct making *making, uint32_t site, struct rendezvous_bid *best)
{
	uint32_t node = best_of_site(making, site);

	if (node != RENDEZVOUS_NONE)
		bid(making->sets, making->key, node, best);
}

static bool join(struct making *making, uint32_t node)
{
	if (node == RENDEZVOUS_NONE)
		return false;
	making->set.nodes[making->count++] = (uint16_t)node;
	return true;
}

/* --- companions: near ones ----------------------------------------------------------------------- */

/* Is there a site at this place of the context? Bands come whole. */
static bool has_place(struct making *making, uint32_t place)
{
	struct set_context *context = &making->context;
	struct order *order = context->order;

	while (place >= context->site_count) {
		/* The sets before this one may have needed more of them. */
		if (order == NULL || (context->site_count == order->count && !order_more(order)))
			return false;
		context->site_count = order->count;
	}
	return true;
}

/* Where in the context the primary's site stands; behind the last place: nowhere. */
static uint32_t primary_place(struct making *making)
{
	uint32_t place = 0;

	while (has_place(making, place) && making->context.sites[place] != making->primary_site)
		place++;
	return place;
}

static bool join_of_site(struct making *making, uint32_t site)
{
	return join(making, best_of_site(making, site));
}

/* One more of the band that begins at this place of the context: its sites are equally preferred, so
 * all of them take part. *next: where the next band begins. */
static bool join_of_band(struct making *making, uint32_t place, uint32_t *next)
{
	const struct set_context *context = &making->context;
	struct rendezvous_bid best = { .member = RENDEZVOUS_NONE };
	uint32_t first = place, band = context->bands[place];

	while (++place < context->site_count && context->bands[place] == band)
		;
	*next = place;
	if (place - first == 1)
		return join_of_site(making, context->sites[first]);
	for (place = first; place < *next; place++)
		bid_site(making, context->sites[place], &best);
	return join(making, best.member);
}

/* The primary's site (where the spread allows it), the rest of its band, then the other bands in
 * order of preference. */
static void add_companions(struct making *making, unsigned wanted)
{
	const struct set_context *context = &making->context;
	uint32_t place = primary_place(making), next;

	while (!making->apart && making->count < wanted &&
	       join_of_site(making, making->primary_site))
		;
	if (has_place(making, place)) {
		while (place > 0 && context->bands[place - 1] == context->bands[place])
			place--;
		while (making->count < wanted && join_of_band(making, place, &next))
			;
	}
	for (place = 0; making->count < wanted && has_place(making, place); place = next)
		while (join_of_band(making, place, &next) && making->count < wanted)
			;
}

/* --- spares: far ones ---------------------------------------------------------------------------- */

static const float *distances_from(struct sets *sets, uint32_t from)
{
	const struct pool *pool = sets->pool;
	const struct plan_site *sites = plan_items(pool->plan, sites, struct plan_site);
	const struct plan_site *a = &sites[pool->sites[from].site];

	if (sets->distances[from] != NULL)
		return sets->distances[from];
	sets->distances[from] = mem_array(pool->site_count, sizeof(float));
	for (uint32_t site = 0; site < pool->site_count; site++) {
		const struct plan_site *b = &sites[pool->sites[site].site];

		sets->distances[from][site] = (float)steer_distance_km(a->latitude, a->longitude,
								       b->latitude, b->longitude);
	}
	return sets->distances[from];
}

/* One of the first band that has one far enough away. */
static bool join_far(struct making *making, const float *distances, float from_km)
{
	const struct set_context *context = &making->context;
	struct rendezvous_bid best = { .member = RENDEZVOUS_NONE };

	for (uint32_t i = 0; i < context->site_count; i++) {
		uint32_t site = context->sites[i];

		if (best.member != RENDEZVOUS_NONE && context->bands[i] != context->bands[i - 1])
			break;
		if (site != making->primary_site && distances[site] >= from_km)
			bid_site(making, site, &best);
	}
	return join(making, best.member);
}

/* Where none is: of the farthest site that has one to give. */
static bool join_farthest(struct making *making, const float *distances)
{
	const struct set_context *context = &making->context;
	uint32_t best = RENDEZVOUS_NONE;
	float best_km = -1;

	for (uint32_t i = 0; i < context->site_count; i++) {
		uint32_t here;

		if (distances[context->sites[i]] <= best_km)
			continue;
		here = best_of_site(making, context->sites[i]);
		if (here == RENDEZVOUS_NONE)
			continue;
		best = here;
		best_km = distances[context->sites[i]];
	}
	return join(making, best);
}

static void add_spares(struct making *making, unsigned wanted)
{
	const float *distances = distances_from(making->sets, making->primary_site);
	float from_km = (float)making->sets->pool->plan_pool->spare_km;

	(void)has_place(making, UINT32_MAX); /* all of them are looked at */
	while (making->count < wanted &&
	       (join_far(making, distances, from_km) || join_farthest(making, distances)))
		;
}

/* --- a set --------------------------------------------------------------------------------------- */

static struct set make_set(struct sets *sets, const struct set_context *context, uint32_t primary)
{
	const struct pool *pool = sets->pool;
	const struct plan_pool *settings = pool->plan_pool;
	unsigned spares = settings->spare < settings->answers ? settings->spare
							      : settings->answers - 1U;
	struct making making = { .sets = sets,
				 .context = *context,
				 .set = alone(primary),
				 .count = 1,
				 .primary_site = site_of_node(pool, primary),
				 .rank = context->ranks[primary],
				 .key = hash_word(pool->node_keys[primary]),
				 .apart = settings->spread == SPREAD_SITE };

	if (making.rank == TABLE_DOWN) /* nobody is worse than down, but nobody down joins */
		making.rank = TABLE_DOWN + 1;
	making.enough = !is_thin(&making, making.primary_site);
	if (settings->answers > 1)
		add_companions(&making, settings->answers - spares);
	if (spares > 0)
		add_spares(&making, settings->answers);
	set_find_substitutes(sets, context, &making.set);
	return making.set;
}

/* --- choices ------------------------------------------------------------------------------------- */

static bool is_alone(const struct set *set)
{
	struct set same = alone(set->nodes[0]);

	return memcmp(set, &same, sizeof(*set)) == 0;
}

/* Where in the index a set stands, or would. */
static uint32_t *find(const struct sets *sets, const struct set *set)
{
	uint32_t mask = sets->index_size - 1;
	uint32_t at = (uint32_t)hash_bytes(set, sizeof(*set), 0) & mask;

	while (sets->index[at] != 0 &&
	       memcmp(&sets->list[sets->index[at] - 1], set, sizeof(*set)) != 0)
		at = (at + 1) & mask;
	return &sets->index[at];
}

static void grow_index(struct sets *sets)
{
	uint32_t size = sets->index_size == 0 ? 64 : sets->index_size * 2;

	free(sets->index);
	sets->index = mem_array(size, sizeof(*sets->index));
	sets->index_size = size;
	for (uint32_t i = sets->pool->node_count + 1; i < sets->count; i++)
		*find(sets, &sets->list[i]) = i + 1;
}

uint16_t sets_choice(struct sets *sets, const struct set_context *context, uint16_t primary)
{
	struct set set;
	uint32_t *place;

	if (sets->plain)
		return primary;
	set = make_set(sets, context, primary);
	if (is_alone(&set))
		return primary;
	if (sets->index_size / 2 <= sets->count - sets->pool->node_count)
		grow_index(sets);
	place = find(sets, &set);
	if (*place == 0) {
		if (sets->count == SETS_CHOICES_MAX) {
			sets->left_out++;
			return primary;
		}
		array_add(sets->list, sets->count, sets->cap) = set;
		*place = sets->count;
	}
	return (uint16_t)(*place - 1);
}

/* --- maps ---------------------------------------------------------------------------------------- */

static bool fits(const struct set_map *map, const uint16_t *primaries, const uint16_t *choices,
		 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (map->decided[primaries[i]] && map->choices[primaries[i]] != choices[i])
			return false;
	return true;
}

static uint32_t new_map(struct sets *sets)
{
	uint32_t nodes = sets->pool->node_count;
	struct set_map map = { mem_array((size_t)nodes + 1, sizeof(*map.choices)),
			       mem_array(nodes, sizeof(*map.decided)) };

	for (uint32_t node = 0; node <= nodes; node++)
		map.choices[node] = (uint16_t)node;
	array_add(sets->maps, sets->map_count, sets->map_cap) = map;
	return sets->map_count - 1;
}

static uint32_t fitting_map(struct sets *sets, const uint16_t *primaries, const uint16_t *choices,
			    uint32_t count)
{
	uint32_t oldest = sets->map_count > MAPS_TRIED ? sets->map_count - MAPS_TRIED : 0;

	for (uint32_t i = oldest; i < sets->map_count; i++)
		if (fits(&sets->maps[i], primaries, choices, count))
			return i;
	return new_map(sets);
}

uint32_t sets_map(struct sets *sets, const struct set_context *context, const uint16_t *primaries,
		  uint32_t count)
{
	uint32_t number = SETS_MAP_NONE;
	uint16_t *choices;
	bool same = true;

	if (sets->plain || count == 0)
		return SETS_MAP_NONE;
	choices = mem_array(count, sizeof(*choices));
	for (uint32_t i = 0; i < count; i++) {
		choices[i] = sets_choice(sets, context, primaries[i]);
		same &= choices[i] == primaries[i];
	}
	if (!same) {
		number = fitting_map(sets, primaries, choices, count);
		for (uint32_t i = 0; i < count; i++) {
			sets->maps[number].choices[primaries[i]] = choices[i];
			sets->maps[number].decided[primaries[i]] = true;
		}
	}
	free(choices);
	return number;
}

/* --- lifetime ------------------------------------------------------------------------------------ */

static void forget_maps(struct sets *sets)
{
	for (uint32_t i = 0; i < sets->map_count; i++) {
		free(sets->maps[i].choices);
		free(sets->maps[i].decided);
	}
	sets->map_count = 0;
}

/* A set may need a substitute where some nodes can be answered for the family and others not. */
static void begin_family(struct sets *sets, unsigned family)
{
	const struct pool *pool = sets->pool;
	bool *sites_with = sets->sites_with[family];
	bool any = false, all = true;

	memset(sites_with, false, pool->site_count * sizeof(*sites_with));
	for (uint32_t node = 0; node < pool->node_count; node++) {
		bool live = pool->live[family][node];

		any |= live;
		all &= live;
		sites_with[site_of_node(pool, node)] |= live;
	}
	sets->substitutes[family] = any && !all && pool->plan_pool->strict_pair == 0;
	sets->plain &= !sets->substitutes[family];
}

void sets_open(struct sets *sets, struct pool *pool)
{
	*sets = (struct sets){ .pool = pool };
	sets->weights = mem_array(pool->node_count, sizeof(*sets->weights));
	sets->distances = mem_array(pool->site_count, sizeof(float *));
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		sets->sites_with[family] = mem_array(pool->site_count, sizeof(bool));
	draws_open(&sets->draws, pool);
}

void sets_close(struct sets *sets)
{
	forget_maps(sets);
	for (uint32_t site = 0; sets->distances != NULL && site < sets->pool->site_count; site++)
		free(sets->distances[site]);
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		free(sets->sites_with[family]);
	free(sets->distances);
	free(sets->maps);
	free(sets->list);
	draws_close(&sets->draws);
	free(sets->weights);
	free(sets->index);
}

void sets_begin(struct sets *sets, const uint32_t *weights)
{
	uint32_t nodes = sets->pool->node_count;

	memcpy(sets->weights, weights, nodes * sizeof(*weights));
	draws_begin(&sets->draws, weights);
	forget_maps(sets);
	sets->left_out = 0;
	sets->count = 0;
	sets->plain = sets->pool->plan_pool->answers <= 1;
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		begin_family(sets, family);
	for (uint32_t node = 0; node < nodes; node++)
		array_add(sets->list, sets->count, sets->cap) = alone(node);
	array_add(sets->list, sets->count, sets->cap) = alone(SET_NODE_NONE);
	if (sets->index_size > 0)
		memset(sets->index, 0, sets->index_size * sizeof(*sets->index));
}
