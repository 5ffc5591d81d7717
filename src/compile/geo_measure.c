#include "compile/geo_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EARTH_RADIUS_KM 6371.0088 /* mean radius R1 (IUGG; Moritz 2000) */

/* One pool that is asked for. */
struct asked {
	struct pool_prefs *pool;
	uint32_t number, resolved;
	bool has_distance; /* else only the nearest site is asked for, or nothing */
	bool has_nearest;
	bool has_bands;
	size_t wanted, depth; /* sites that are allowed; how many are put in order */
	double band_km, band_factor;
	/* Of the place in hand: */
	struct pref *pref;
	uint32_t count;
	double band_end; /* distance up to which sites are of the band in hand */
	/* Of the one before: neighbours often have the same sites. */
	uint32_t last_count, last_pref;
	bool is_changed;
	uint32_t placeless; /* preference where no place is known, PREF_UNKNOWN: not made yet */
	uint32_t next;      /* one more that is asked for in its group */
};

/* One group of pools that are measured together. */
struct ordering {
	const struct site_group *group;
	uint16_t *order; /* its sites, nearest first: those of the place before at first */
	uint32_t site_count;
	double *key;     /* of each site: distance, or the chord squared, which grows with it */
	uint64_t *wants; /* of each site: which of those asked want it */
	uint64_t *open;  /* of those asked: who is not done */
	uint32_t first_asked; /* by `next`; NO_ASKED: none */
	uint32_t asked_count;
	bool has_bands; /* someone asked for some: then not the order alone counts */
	/* How far into the order those asked went for the place before, and what it was up to there:
	 * while that does not change, nothing does. */
	uint16_t *seen;
	uint32_t seen_count; /* 0: no place before */
};

#define NO_ASKED UINT32_MAX

struct geo_measure {
	const struct geo_sites *sites;
	struct geo_prefs *prefs;
	struct asked *asked;
	uint32_t asked_count;
	size_t words;
	struct ordering *orderings;
	double *chord_squared; /* of each site */
};

/* --- asking -------------------------------------------------------------------------------- */

static void ask_sites(struct geo_measure *m, struct ordering *ordering, struct asked *asked,
		      uint32_t slot)
{
	const struct config_pool *config = asked->pool->config;
	const struct pool_facts *facts = &asked->pool->facts;
	const struct resolved *resolved = facts_resolved(facts, asked->resolved);

	for (size_t i = 0; i < config->site_count; i++) {
		uint16_t site = config->sites[i].site;

		if (!facts_allow(facts, resolved, site))
			continue;
		ordering->wants[site * m->words + slot / 64] |= UINT64_C(1) << slot % 64;
		asked->wanted++;
	}
	if (asked->wanted == 0)
		return;
	ordering->asked_count++;
	ordering->has_bands = ordering->has_bands || (asked->has_bands && asked->has_distance);
	asked->next = ordering->first_asked;
	ordering->first_asked = slot;
}

static void ask_pool(struct geo_measure *m, uint32_t slot, uint32_t pool, uint32_t resolved)
{
	struct asked *asked = &m->asked[slot];
	struct pref *pref = asked->pref;
	const struct config_pool *config = &m->prefs->config->pools[pool];
	const struct resolved *holds;

	*asked = (struct asked){ .pool = &m->prefs->pools[pool],
				 .number = pool,
				 .resolved = resolved,
				 .has_bands = config->band_km > 0 || config->band_percent > 0,
				 .band_km = config->band_km,
				 .band_factor = 1 + config->band_percent / 100.0,
				 .pref = pref,
				 .last_count = UINT32_MAX,
				 .placeless = PREF_UNKNOWN };
	holds = facts_resolved(&asked->pool->facts, resolved);
	asked->has_distance = holds->has_distance;
	asked->has_nearest = holds->has_nearest;
	asked->depth = asked->has_distance ? asked->pool->depth : 1;
	*pref = (struct pref){ .resolved = resolved, .nearest = GEO_SITE_NONE };
	if (asked->has_distance || asked->has_nearest)
		ask_sites(m, &m->orderings[m->sites->group_of[pool]], asked, slot);
}

void geo_measure_ask(struct geo_measure *m, const uint32_t *pools, const uint32_t *resolved,
		     uint32_t count)
{
	m->words = (count + 63) / 64;
	m->asked_count = count;
	for (uint32_t i = 0; i < m->sites->group_count; i++) {
		m->orderings[i].asked_count = 0;
		m->orderings[i].seen_count = 0;
		m->orderings[i].first_asked = NO_ASKED;
		m->orderings[i].has_bands = false;
		memset(m->orderings[i].wants, 0,
		       m->sites->config->site_count * m->words * sizeof(uint64_t));
	}
	for (uint32_t slot = 0; slot < count; slot++)
		ask_pool(m, slot, pools[slot], resolved[slot]);
}

/* --- distance ------------------------------------------------------------------------------ */

/* The squared chord grows with the great-circle distance, and is exact for near points, too. */
static void measure_chords(struct geo_measure *m, float latitude, float longitude)
{
	double phi = (double)latitude * M_PI / 180, lambda = (double)longitude * M_PI / 180;
	double x = cos(phi) * cos(lambda), y = cos(phi) * sin(lambda), z = sin(phi);
	const struct geo_sites *s = m->sites;

	for (size_t i = 0; i < s->config->site_count; i++) {
		double dx = s->x[i] - x, dy = s->y[i] - y, dz = s->z[i] - z;

		m->chord_squared[i] = dx * dx + dy * dy + dz * dz;
	}
}

/* Half the chord is the sine of half the angle: steer/distance.c has it from the haversine. */
static double arc_km(double chord_squared)
{
	return 2 * EARTH_RADIUS_KM * asin(fmin(sqrt(chord_squared) / 2, 1));
}

static double distance_km(const struct geo_measure *m, const struct ordering *o, uint16_t site)
{
	return o->group->is_biased ? o->key[site] : arc_km(m->chord_squared[site]);
}

static bool is_before(const struct ordering *o, uint16_t a, uint16_t b)
{
	return o->key[a] != o->key[b] ? o->key[a] < o->key[b] : a < b;
}

/* Merges two runs that are in order. */
static void merge(const struct ordering *o, uint16_t *out, const uint16_t *a, size_t a_count,
		  const uint16_t *b, size_t b_count)
{
	while (a_count > 0 || b_count > 0) {
		bool take_a = b_count == 0 || (a_count > 0 && is_before(o, *a, *b));

		*out++ = take_a ? *a : *b;
		a_count -= take_a;
		a += take_a;
		b_count -= !take_a;
		b += !take_a;
	}
}

static void merge_sort(const struct ordering *o, uint16_t *items, uint16_t *spare, size_t count)
{
	size_t half = count / 2;

	if (count < 2)
		return;
	merge_sort(o, items, spare, half);
	merge_sort(o, items + half, spare, count - half);
	memcpy(spare, items, count * sizeof(*items));
	merge(o, items, spare, half, spare + half, count - half);
}

/* By insertion into what is nearly in order; where too much must move, by merging. */
static void sort_sites(struct ordering *o)
{
	uint64_t moves_left = 16 * (uint64_t)o->site_count;

	for (uint32_t i = 1; i < o->site_count; i++) {
		uint16_t site = o->order[i];
		uint32_t at = i;

		for (; at > 0 && is_before(o, site, o->order[at - 1]); at--)
			o->order[at] = o->order[at - 1];
		o->order[at] = site;
		if (i - at > moves_left) {
			uint16_t *spare = o->order + o->site_count;

			merge_sort(o, o->order, spare, o->site_count);
			return;
		}
		moves_left -= i - at;
	}
}

static void put_in_order(struct geo_measure *m, struct ordering *o)
{
	for (uint32_t i = 0; i < o->site_count; i++) {
		uint16_t site = o->order[i];
		double chord = m->chord_squared[site];

		o->key[site] = o->group->is_biased ? o->group->factor[site] * arc_km(chord) : chord;
	}
	sort_sites(o);
}

/* --- taking -------------------------------------------------------------------------------- */

/* The pool takes the next site; false: it has enough. */
static bool take_site(const struct geo_measure *m, const struct ordering *o, struct asked *asked,
		      uint16_t site)
{
	struct pref_site *next = &asked->pref->sites[asked->count];
	uint16_t band = asked->count > 0 ? next[-1].band : 0;

	if (asked->has_bands && asked->has_distance) {
		double distance = distance_km(m, o, site);

		if (asked->count > 0 && distance > asked->band_end) {
			if (asked->count >= asked->depth)
				return false;
			band++;
		}
		if (asked->count == 0 || band != next[-1].band)
			asked->band_end = fmax(distance + asked->band_km,
					       distance * asked->band_factor);
	} else if (asked->count > 0) {
		band++;
	}
	asked->is_changed = asked->is_changed || next->site != site || next->band != band;
	*next = (struct pref_site){ site, band };
	asked->count++;
	return asked->count < asked->wanted &&
	       (asked->count < asked->depth || (asked->has_bands && asked->has_distance));
}

static void take_sites(const struct geo_measure *m, struct ordering *o)
{
	uint32_t left = o->asked_count, i;

	memset(o->open, 0xff, m->words * sizeof(*o->open));
	for (i = 0; i < o->site_count && left > 0; i++) {
		uint16_t site = o->order[i];
		const uint64_t *wants = &o->wants[site * m->words];

		for (size_t w = 0; w < m->words; w++) {
			for (uint64_t bits = wants[w] & o->open[w]; bits != 0; bits &= bits - 1) {
				unsigned bit = (unsigned)__builtin_ctzll(bits);

				if (take_site(m, o, &m->asked[w * 64 + bit], site))
					continue;
				o->open[w] &= ~(UINT64_C(1) << bit);
				left--;
			}
		}
	}
	o->seen_count = i;
	memcpy(o->seen, o->order, i * sizeof(*o->seen));
}

/* --- preferences --------------------------------------------------------------------------- */

static bool is_above(struct pref_site a, struct pref_site b)
{
	return a.band != b.band ? a.band > b.band : a.site > b.site;
}

/* Within their bands by number; the nearest of all stays first. */
static void sort_bands(struct pref_site *sites, uint32_t count)
{
	for (uint32_t i = 2; i < count; i++) {
		struct pref_site site = sites[i];
		uint32_t at = i;

		for (; at > 1 && is_above(sites[at - 1], site); at--)
			sites[at] = sites[at - 1];
		sites[at] = site;
	}
}

static uint32_t number_order(struct asked *asked)
{
	if (asked->has_nearest)
		asked->pref->nearest = asked->pref->sites[0].site;
	if (asked->has_bands) {
		sort_bands(asked->pref->sites, asked->count);
		asked->is_changed = true; /* what lies there is not what was taken */
	}
	if (asked->is_changed || asked->count != asked->last_count)
		asked->last_pref = numbering_add(
			&asked->pool->numbers, asked->pref,
			sizeof(*asked->pref) + asked->count * sizeof(asked->pref->sites[0]));
	asked->last_count = asked->count;
	return asked->last_pref;
}

static uint32_t number_nearest(const struct asked *asked)
{
	return geo_prefs_placeless(asked->pool, asked->resolved, asked->pref->sites[0].site);
}

static bool is_as_before(const struct ordering *o)
{
	return !o->has_bands && o->seen_count > 0 &&
	       memcmp(o->seen, o->order, o->seen_count * sizeof(*o->seen)) == 0;
}

static void measure_group(struct geo_measure *m, struct ordering *o, uint32_t *out)
{
	bool is_same;

	put_in_order(m, o);
	is_same = is_as_before(o);
	for (uint32_t i = o->first_asked; i != NO_ASKED && !is_same; i = m->asked[i].next) {
		m->asked[i].count = 0;
		m->asked[i].is_changed = false;
	}
	if (!is_same)
		take_sites(m, o);
	for (uint32_t i = o->first_asked; i != NO_ASKED; i = m->asked[i].next) {
		struct asked *asked = &m->asked[i];

		if (!is_same)
			asked->last_pref = asked->has_distance ? number_order(asked)
							       : number_nearest(asked);
		out[asked->number] = asked->last_pref;
	}
}

void geo_measure_place(struct geo_measure *m, bool is_known, float latitude, float longitude,
		       uint32_t *out)
{
	for (uint32_t i = 0; i < m->asked_count; i++) {
		struct asked *asked = &m->asked[i];

		if (is_known && asked->wanted > 0)
			continue;
		if (asked->placeless == PREF_UNKNOWN)
			asked->placeless = geo_prefs_placeless(asked->pool, asked->resolved,
							       GEO_SITE_NONE);
		out[asked->number] = asked->placeless;
	}
	if (!is_known)
		return;
	measure_chords(m, latitude, longitude);
	for (uint32_t i = 0; i < m->sites->group_count; i++)
		if (m->orderings[i].asked_count > 0)
			measure_group(m, &m->orderings[i], out);
}

/* --- life ---------------------------------------------------------------------------------- */

static void init_ordering(struct ordering *o, const struct geo_sites *sites, uint32_t group)
{
	size_t count = sites->config->site_count;
	size_t words = (sites->config->pool_count + 63) / 64;

	*o = (struct ordering){ .group = &sites->groups[group],
				.order = mem_array(2 * count, sizeof(*o->order)),
				.key = mem_array(count, sizeof(*o->key)),
				.wants = mem_array(count * words, sizeof(*o->wants)),
				.open = mem_array(words, sizeof(*o->open)),
				.seen = mem_array(count, sizeof(*o->seen)) };
	for (size_t i = 0; i < count; i++)
		if (o->group->factor[i] > 0)
			o->order[o->site_count++] = (uint16_t)i;
}

struct geo_measure *geo_measure_new(const struct geo_sites *sites, struct geo_prefs *prefs)
{
	struct geo_measure *m = mem_alloc(sizeof(*m));
	size_t pools = sites->config->pool_count;

	*m = (struct geo_measure){
		.sites = sites,
		.prefs = prefs,
		.asked = mem_array(pools, sizeof(*m->asked)),
		.orderings = mem_array(sites->group_count, sizeof(*m->orderings)),
		.chord_squared = mem_array(sites->config->site_count, sizeof(*m->chord_squared)),
	};
	for (size_t i = 0; i < pools; i++)
		m->asked[i].pref = mem_alloc(sizeof(struct pref) +
					     sites->config->site_count * sizeof(struct pref_site));
	for (uint32_t i = 0; i < sites->group_count; i++)
		init_ordering(&m->orderings[i], sites, i);
	return m;
}

void geo_measure_free(struct geo_measure *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->sites->config->pool_count; i++)
		free(m->asked[i].pref);
	for (uint32_t i = 0; i < m->sites->group_count; i++) {
		free(m->orderings[i].order);
		free(m->orderings[i].key);
		free(m->orderings[i].wants);
		free(m->orderings[i].open);
		free(m->orderings[i].seen);
	}
	free(m->orderings);
	free(m->asked);
	free(m->chord_squared);
	free(m);
}
