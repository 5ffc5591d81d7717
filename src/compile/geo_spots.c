#include "compile/geo_spots.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

uint32_t geo_spots_add(struct geo_spots *spots, const struct location *location)
{
	uint32_t view = geo_clients_view(spots->clients, location);
	struct spot spot = { .facts = geo_clients_judge(spots->clients, view) };

	if (spots->has_distance && (location->has & LOCATION_COORDINATES) != 0) {
		spot.is_known = 1;
		spot.latitude = location->latitude;
		spot.longitude = location->longitude;
	}
	return numbering_add(&spots->numbers, &spot, sizeof(spot));
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

/* One thread's share: every THREADS-th pool. Nothing but their numberings is written, and what
 * comes out for them. */
struct share {
	struct geo_spots *spots;
	struct geo_measure *measure;
	uint32_t *pools, *resolved;
	uint32_t pool_count;
	uint32_t facts; /* that were asked for last */
	bool has_asked;
	const struct radix_item *from;
	uint32_t count;
	uint32_t *out; /* uint32_t[count][1 + pools of all] */
};

static void ask(struct share *share, uint32_t facts)
{
	const uint32_t *of_pool = geo_clients_facts(share->spots->clients, facts);

	for (uint32_t i = 0; i < share->pool_count; i++) {
		uint32_t pool = share->pools[i];

		share->resolved[i] = facts_resolve(&share->spots->prefs->pools[pool].facts,
						   of_pool[pool], 0);
	}
	geo_measure_ask(share->measure, share->pools, share->resolved, share->pool_count);
	share->facts = facts;
	share->has_asked = true;
}

static void *measure_share(void *context)
{
	struct share *share = context;
	size_t width = 1 + share->spots->prefs->config->pool_count;

	for (uint32_t i = 0; i < share->count; i++) {
		const struct spot *spot = spot_at(share->spots, share->from[i].number);

		if (!share->has_asked || share->facts != spot->facts)
			ask(share, spot->facts);
		geo_measure_place(share->measure, spot->is_known != 0, spot->latitude,
				  spot->longitude, share->out + i * width + 1);
	}
	return NULL;
}

static void open_share(struct share *share, struct geo_spots *spots, uint32_t number)
{
	uint32_t pools = (uint32_t)spots->prefs->config->pool_count;

	*share = (struct share){ .spots = spots,
				 .measure = geo_measure_new(&spots->sites, spots->prefs),
				 .pools = mem_array(pools, sizeof(*share->pools)),
				 .resolved = mem_array(pools, sizeof(*share->resolved)) };
	for (uint32_t pool = number; pool < pools; pool += THREADS)
		share->pools[share->pool_count++] = pool;
}

static void close_share(struct share *share)
{
	geo_measure_free(share->measure);
	free(share->pools);
	free(share->resolved);
}

/* Where there can be no second thread, one does it all. */
static void measure_chunk(struct share shares[THREADS])
{
	pthread_t other;
	bool is_apart = shares[1].pool_count > 0 && shares[0].count > CHUNK / 16 &&
			pthread_create(&other, NULL, measure_share, &shares[1]) == 0;

	(void)measure_share(&shares[0]);
	if (is_apart)
		(void)pthread_join(other, NULL);
	else
		(void)measure_share(&shares[1]);
}

static void number_chunk(struct geo_spots *spots, const struct radix_item *from, uint32_t count,
			 uint32_t *out)
{
	size_t width = 1 + spots->prefs->config->pool_count;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t *joint = out + i * width, *number = &spots->joint_of[from[i].number];

		joint[0] = spot_at(spots, from[i].number)->facts;
		if (i > 0 && memcmp(joint, joint - width, width * sizeof(*out)) == 0)
			*number = spots->joint_of[from[i - 1].number]; /* as its neighbour's */
		else
			*number = numbering_add(&spots->joints, joint, width * sizeof(*out));
	}
}

void geo_spots_measure(struct geo_spots *spots)
{
	struct radix_item *list = sort_spots(spots);
	size_t width = 1 + spots->prefs->config->pool_count;
	uint32_t *out = mem_array(CHUNK * width, sizeof(*out));
	struct share shares[THREADS];

	spots->joint_of = mem_array(spots->numbers.count, sizeof(*spots->joint_of));
	for (uint32_t i = 0; i < THREADS; i++)
		open_share(&shares[i], spots, i);
	for (uint32_t at = 0; at < spots->numbers.count; at += CHUNK) {
		uint32_t left = spots->numbers.count - at;

		for (uint32_t i = 0; i < THREADS; i++) {
			shares[i].from = list + at;
			shares[i].count = left < CHUNK ? left : CHUNK;
			shares[i].out = out;
		}
		measure_chunk(shares);
		number_chunk(spots, list + at, shares[0].count, out);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		close_share(&shares[i]);
	free(out);
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
	spots->scratch = mem_array(2 * config->pool_count, sizeof(*spots->scratch));
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
