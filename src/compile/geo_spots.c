#include "compile/geo_spots.h"

#include <stdlib.h>
#include <string.h>

#include "compile/beside.h"
#include "compile/radix.h"

#define CHUNK   8192U /* spots whose preferences are gathered before they are numbered */
#define THREADS 2U

static const struct spot *spot_at(const struct geo_spots *spots, uint32_t number)
{
	return (const struct spot *)numbering_item(&spots->numbers, number);
}

/* --- adding -------------------------------------------------------------------------------- */

static bool asks_for_distance(const struct config_pool *pool)
{
	for (size_t i = 0; i < pool->rule_count; i++)
		if (pool->rules[i].has_policy && pool->rules[i].policy == POLICY_NEAREST)
			return true;
	return pool->policy == POLICY_NEAREST || pool->fallback == FALLBACK_NEAREST;
}

static struct spot make_spot(struct geo_spots *spots, const struct location *location)
{
	uint32_t view = geo_clients_view(spots->clients, location);
	struct spot spot = { .facts = geo_clients_judge(spots->clients, view) };

	if (spots->has_distance && (location->has & LOCATION_COORDINATES) != 0) {
		spot.is_known = 1;
		spot.latitude = location->latitude;
		spot.longitude = location->longitude;
	}
	return spot;
}

uint32_t geo_spots_add(struct geo_spots *spots, const struct location *location)
{
	struct spot spot = make_spot(spots, location);

	return numbering_add(&spots->numbers, &spot, sizeof(spot));
}

void geo_spots_add_some(struct geo_spots *spots, const struct image *locations, uint32_t first,
			uint32_t count, uint32_t *out)
{
	struct spot made[GEO_SPOTS_TOGETHER];

	for (uint32_t i = 0; i < count; i++) {
		struct location location;

		location_read(locations, first + i, &location);
		made[i] = make_spot(spots, &location);
		numbering_prefetch(&spots->numbers, &made[i], sizeof(made[i]));
	}
	for (uint32_t i = 0; i < count; i++)
		out[i] = numbering_add(&spots->numbers, &made[i], sizeof(made[i]));
}

/* --- measuring all ------------------------------------------------------------------------- */

/* Puts a zero between any two bits of the lower half. */
static uint64_t spread(uint32_t x)
{
	uint64_t bits = x & 0xffffU;

	bits = (bits | bits << 8) & 0x00ff00ffU;
	bits = (bits | bits << 4) & 0x0f0f0f0fU;
	bits = (bits | bits << 2) & 0x33333333U;
	return (bits | bits << 1) & 0x55555555U;
}

/* Facts first, for with them changes what is asked; then along Morton's curve, which keeps
 * neighbours together (Morton, "A computer oriented geodetic data base", 1966). */
static uint64_t spot_key(const struct spot *spot)
{
	uint32_t y = (uint32_t)(((double)spot->latitude + 90) / 180 * 65535);
	uint32_t x = (uint32_t)(((double)spot->longitude + 180) / 360 * 65535);

	return (uint64_t)spot->facts << 32 | spread(y) << 1 | spread(x);
}

/* The numbers of all spots in that order. */
static struct radix_item *sort_spots(const struct geo_spots *spots)
{
	uint32_t count = spots->numbers.count;
	struct radix_item *list = mem_array(2 * (size_t)count, sizeof(*list));

	for (uint32_t i = 0; i < count; i++)
		list[i] = (struct radix_item){ spot_key(spot_at(spots, i)), i };
	radix_sort(list, list + count, count);
	return list;
}

/* What every thread asks for, made before they begin: it is one array for each of the facts that
 * spots have. */
struct questions {
	uint32_t *pools;    /* all of them */
	uint32_t *resolved; /* uint32_t[facts][pools] */
};

static struct questions make_questions(struct geo_spots *spots)
{
	uint32_t pools = (uint32_t)spots->prefs->config->pool_count;
	uint32_t facts_count = spots->clients->joint.count;
	struct questions q = { mem_array(pools, sizeof(*q.pools)),
			       mem_array((size_t)facts_count * pools, sizeof(*q.resolved)) };

	for (uint32_t p = 0; p < pools; p++)
		q.pools[p] = p;
	for (uint32_t f = 0; f < facts_count; f++)
		for (uint32_t p = 0; p < pools; p++)
			q.resolved[(size_t)f * pools + p] = facts_resolve(
				&spots->prefs->pools[p].facts,
				geo_clients_facts(spots->clients, f)[p], 0);
	return q;
}

/* One thread's share of the spots. It numbers preferences by itself; `shared` says which numbers
 * those have for all. */
struct share {
	const struct geo_spots *spots;
	const struct questions *questions;
	struct geo_prefs prefs;
	struct geo_measure *measure;
	struct shared {
		uint32_t *numbers;
		uint32_t count, cap;
	} * shared;     /* of each pool */
	uint32_t facts; /* that were asked for last; CLIENTS_NONE: nothing was */
	const struct radix_item *from;
	uint32_t left, count; /* spots; those in hand */
	uint32_t *out;        /* uint32_t[CHUNK][1 + pools]: facts, and own numbers */
};

static void measure_share(void *context)
{
	struct share *share = context;
	uint32_t pools = (uint32_t)share->prefs.config->pool_count;

	for (uint32_t i = 0; i < share->count; i++) {
		const struct spot *spot = spot_at(share->spots, share->from[i].number);
		uint32_t *out = share->out + (size_t)i * (1 + pools);

		if (share->facts != spot->facts)
			geo_measure_ask(share->measure, share->questions->pools,
					share->questions->resolved + (size_t)spot->facts * pools,
					pools);
		share->facts = out[0] = spot->facts;
		geo_measure_place(share->measure, spot->is_known != 0, spot->latitude,
				  spot->longitude, out + 1);
	}
}

static void open_share(struct share *share, const struct geo_spots *spots,
		       const struct questions *questions)
{
	size_t pools = spots->prefs->config->pool_count;

	*share = (struct share){ .spots = spots,
				 .questions = questions,
				 .shared = mem_array(pools, sizeof(*share->shared)),
				 .facts = CLIENTS_NONE,
				 .out = mem_array(CHUNK * (1 + pools), sizeof(*share->out)) };
	geo_prefs_fork(&share->prefs, spots->prefs);
	share->measure = geo_measure_new(&spots->sites, &share->prefs);
}

static void close_share(struct share *share)
{
	geo_measure_free(share->measure);
	for (size_t i = 0; i < share->prefs.config->pool_count; i++)
		free(share->shared[i].numbers);
	geo_prefs_end_fork(&share->prefs);
	free(share->shared);
	free(share->out);
}

static void measure_chunks(struct share shares[THREADS])
{
	struct beside other;

	for (uint32_t i = 0; i < THREADS; i++)
		shares[i].count = shares[i].left < CHUNK ? shares[i].left : CHUNK;
	if (shares[1].count <= CHUNK / 16) { /* not worth a thread */
		measure_share(&shares[0]);
		measure_share(&shares[1]);
		return;
	}
	beside_start(&other, measure_share, &shares[1]);
	measure_share(&shares[0]);
	beside_wait(&other);
}

/* Numbers for all what the share has numbered since. */
static void share_numbers(struct geo_prefs *prefs, struct share *share)
{
	for (size_t p = 0; p < prefs->config->pool_count; p++) {
		const struct numbering *own = &share->prefs.pools[p].numbers;
		struct shared *shared = &share->shared[p];

		while (shared->count < own->count) {
			const void *pref = numbering_item(own, shared->count);
			size_t size = numbering_size(own, shared->count);

			array_add(shared->numbers, shared->count, shared->cap) = numbering_add(
				&prefs->pools[p].numbers, pref, size);
		}
	}
}

/* Neighbours often have the same joint. */
static void number_chunk(struct geo_spots *spots, struct share *share)
{
	size_t pools = spots->prefs->config->pool_count, width = 1 + pools;

	share_numbers(spots->prefs, share);
	for (uint32_t i = 0; i < share->count; i++) {
		const uint32_t *own = share->out + i * width;
		uint32_t *number = &spots->joint_of[share->from[i].number];

		if (i > 0 && memcmp(own, own - width, width * sizeof(*own)) == 0) {
			*number = spots->joint_of[share->from[i - 1].number];
			continue;
		}
		spots->scratch[0] = own[0];
		for (size_t p = 0; p < pools; p++)
			spots->scratch[1 + p] = share->shared[p].numbers[own[1 + p]];
		*number = numbering_add(&spots->joints, spots->scratch, width * sizeof(*own));
	}
	share->from += share->count;
	share->left -= share->count;
}

void geo_spots_measure(struct geo_spots *spots)
{
	struct radix_item *list = sort_spots(spots);
	struct questions questions = make_questions(spots);
	struct share shares[THREADS];
	uint32_t half = (spots->numbers.count + 1) / 2;

	spots->joint_of = mem_array(spots->numbers.count, sizeof(*spots->joint_of));
	for (uint32_t i = 0; i < THREADS; i++)
		open_share(&shares[i], spots, &questions);
	shares[0].from = list;
	shares[0].left = half;
	shares[1].from = list + half;
	shares[1].left = spots->numbers.count - half;
	while (shares[0].left > 0) {
		measure_chunks(shares);
		for (uint32_t i = 0; i < THREADS; i++)
			number_chunk(spots, &shares[i]);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		close_share(&shares[i]);
	free(questions.pools);
	free(questions.resolved);
	free(list);
}

/* --- where networks say more --------------------------------------------------------------- */

static uint32_t resolve(struct geo_spots *spots, uint32_t pool, const uint32_t *joint,
			const uint32_t *network_facts)
{
	const uint32_t *of_pool = geo_clients_facts(spots->clients, joint[0]);

	return facts_resolve(&spots->prefs->pools[pool].facts, of_pool[pool], network_facts[pool]);
}

bool geo_spots_overlay(struct geo_spots *spots, uint32_t number, const uint32_t *network_facts,
		       uint32_t *prefs)
{
	const uint32_t *joint = geo_spots_joint(spots, number);
	bool is_complete = true;

	for (uint32_t p = 0; p < spots->prefs->config->pool_count; p++) {
		prefs[p] = joint[1 + p];
		if (network_facts[p] == 0)
			continue;
		prefs[p] = geo_prefs_changed(&spots->prefs->pools[p], prefs[p],
					     resolve(spots, p, joint, network_facts));
		is_complete = is_complete && prefs[p] != PREF_UNKNOWN;
	}
	return is_complete;
}

void geo_spots_overlay_at(struct geo_spots *spots, uint32_t number, const uint32_t *network_facts,
			  uint32_t *prefs)
{
	const struct spot *spot = spot_at(spots, number);
	const uint32_t *joint = geo_spots_joint(spots, spots->joint_of[number]);
	uint32_t pool_count = (uint32_t)spots->prefs->config->pool_count;
	uint32_t *pools = spots->scratch, *resolved = spots->scratch + pool_count;
	uint32_t count = 0;

	(void)geo_spots_overlay(spots, spots->joint_of[number], network_facts, prefs);
	for (uint32_t p = 0; p < pool_count; p++) {
		if (prefs[p] != PREF_UNKNOWN)
			continue;
		pools[count] = p;
		resolved[count++] = resolve(spots, p, joint, network_facts);
	}
	geo_measure_ask(spots->measure, pools, resolved, count);
	geo_measure_place(spots->measure, spot->is_known != 0, spot->latitude, spot->longitude,
			  prefs);
}

/* --- life ---------------------------------------------------------------------------------- */

void geo_spots_init(struct geo_spots *spots, struct geo_clients *clients, struct geo_prefs *prefs)
{
	const struct config *config = prefs->config;

	*spots = (struct geo_spots){ .clients = clients, .prefs = prefs };
	geo_sites_init(&spots->sites, config);
	for (size_t i = 0; i < config->pool_count; i++)
		spots->has_distance = spots->has_distance || asks_for_distance(&config->pools[i]);
	spots->measure = geo_measure_new(&spots->sites, prefs);
	spots->scratch = mem_array(2 * config->pool_count + 1, sizeof(*spots->scratch));
}

void geo_spots_free(struct geo_spots *spots)
{
	geo_measure_free(spots->measure);
	geo_sites_free(&spots->sites);
	numbering_free(&spots->numbers);
	numbering_free(&spots->joints);
	free(spots->joint_of);
	free(spots->scratch);
}
