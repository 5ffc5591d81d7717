/* Random plans, preferences and statuses: what the image answers is what a straightforward model
 * says, which knows of no table, group or order: it looks at each node of each site. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "compiled.h"
#include "shares.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define SITES    5
#define NODES    12 /* of the first pool; the others have one each */
#define PREFS    8
#define FENCES   3
#define AVOIDS   3
#define ROUNDS   24
#define STATUSES 8
#define NOBODY   NODES
#define SPARE    NODES /* the nodes of the second pool and the third one */
#define THIRD    (NODES + 1)
#define OTHERS   2 /* pools behind the first one */

struct random {
	uint64_t x;
	struct arena arena;

	struct make_site sites[SITES + 1];
	struct make_pool pools[1 + OTHERS];
	struct make_pool_site pool_sites[SITES];
	struct make_node nodes[NODES + OTHERS];
	struct make_fence fences[FENCES + OTHERS];
	struct make_avoid avoids[AVOIDS + OTHERS];
	struct make_pref prefs[(1 + OTHERS) * PREFS];
	struct make_limits limits[(1 + OTHERS) * PREFS];
	struct make_record records[1 + SITES];
	struct make_plan make;

	/* The same as numbers. */
	unsigned site_of[NODES];
	unsigned fence_sites[FENCES]; /* bits */
	unsigned avoid_site[AVOIDS], avoid_node[AVOIDS];
	unsigned named[PREFS][SITES], band[PREFS][SITES], named_count[PREFS];
	unsigned fenced[PREFS], avoided[PREFS]; /* bits */
	enum policy policy[PREFS];
	enum closed { OPEN, AVOIDED, FENCED } closed[OTHERS][PREFS];
};

static unsigned draw(struct random *r, unsigned below)
{
	r->x = hash_word(r->x);
	return (unsigned)(r->x >> 33) % below;
}

/* --- a random plan ------------------------------------------------------------------------------ */

static const char *text(struct random *r, const char *start, unsigned number)
{
	char buffer[32];
	int len = snprintf(buffer, sizeof(buffer), "%s%u", start, number);

	return arena_text(&r->arena, buffer, (size_t)len);
}

static const char *bits_text(struct random *r, unsigned bits, const char *start)
{
	char buffer[128] = "";

	for (unsigned i = 0; i < 16; i++)
		if ((bits & 1U << i) != 0)
			(void)sprintf(buffer + strlen(buffer), "%s%u ", start, i);
	return arena_text(&r->arena, buffer, strlen(buffer));
}

static void make_sites(struct random *r)
{
	char all[128] = "";

	for (unsigned i = 0; i <= SITES; i++)
		/* No two pairs are equally far apart. */
		r->sites[i] = (struct make_site){ text(r, "s", i), 0, (double)(i * i * 3) };
	for (unsigned i = 0; i < SITES; i++) {
		(void)sprintf(all + strlen(all), "s%u ", i);
		r->pool_sites[i] = (struct make_pool_site){ "main", r->sites[i].name, draw(r, 3),
							    1 + draw(r, 6) / 4 };
	}
	r->pools[0] = (struct make_pool){ .name = "main",
					  .sites = arena_text(&r->arena, all, strlen(all)) };
	r->pools[0].policy = (enum policy)draw(r, 4);
	r->pools[0].fallback = draw(r, 2) == 0 ? FALLBACK_ALL : FALLBACK_NONE;
	r->pools[0].backup = draw(r, 3) == 0 ? "spare" : NULL;
	r->pools[1] = (struct make_pool){ .name = "spare",
					  .sites = "s5",
					  .backup = draw(r, 2) == 0 ? "third" : NULL };
	r->pools[2] = (struct make_pool){ .name = "third", .sites = "s5" };
}

static void make_nodes(struct random *r)
{
	static const uint32_t weights[] = { 0, 50, 100, 100, 300 };

	for (unsigned i = 0; i < NODES; i++) {
		unsigned site = i * SITES / NODES;
		char addresses[64];

		(void)snprintf(addresses, sizeof(addresses), "192.0.2.%u%s", i + 1,
			       draw(r, 2) == 0 ? "" : " 2001:db8::1");
		if (strchr(addresses, ':') != NULL)
			(void)snprintf(addresses, sizeof(addresses), "192.0.2.%u 2001:db8::%x",
				       i + 1, i + 1);
		r->site_of[i] = site;
		r->nodes[i] = (struct make_node){
			"main", r->sites[site].name, text(r, "n", i), weights[draw(r, 5)],
			arena_text(&r->arena, addresses, strlen(addresses))
		};
	}
	r->nodes[SPARE] = (struct make_node){ "spare", "s5", "x", 100, "198.51.100.1" };
	r->nodes[THIRD] = (struct make_node){ "third", "s5", "y", 100, "198.51.100.2" };
}

static void make_restrictions(struct random *r)
{
	for (unsigned i = 0; i < FENCES; i++) {
		r->fence_sites[i] = draw(r, 1U << SITES) & draw(r, 1U << SITES);
		r->fences[i] = (struct make_fence){ "main", bits_text(r, r->fence_sites[i], "s"),
						    draw(r, 2) == 0 ? "spare" : NULL };
	}
	for (unsigned i = 0; i < AVOIDS; i++) {
		unsigned node = draw(r, NODES);

		r->avoid_site[i] = r->site_of[node];
		r->avoid_node[i] = draw(r, 2) == 0 ? node : NODES;
		r->avoids[i] = (struct make_avoid){ "main", r->sites[r->avoid_site[i]].name,
						    r->avoid_node[i] == NODES ? NULL
									      : r->nodes[node].name,
						    0 };
	}
	for (unsigned i = 0; i < OTHERS; i++) {
		const char *pool = r->pools[1 + i].name;

		r->fences[FENCES + i] = (struct make_fence){ pool, "s5", NULL };
		r->avoids[AVOIDS + i] = (struct make_avoid){ pool, "s5", NULL, 0 };
	}
}

/* In a pool behind the first one. */
static void make_other_pref(struct random *r, unsigned other, unsigned p)
{
	unsigned row = (1 + other) * PREFS + p;
	enum closed closed = draw(r, 2) == 0 ? OPEN : (enum closed)draw(r, 3);

	r->closed[other][p] = closed;
	r->prefs[row] = (struct make_pref){ r->pools[1 + other].name, "s5", false };
	r->limits[row] = (struct make_limits){
		closed == FENCED ? text(r, "", FENCES + other) : NULL,
		closed == AVOIDED ? text(r, "", AVOIDS + other) : NULL, NULL, 0
	};
}

static void make_pref(struct random *r, unsigned p)
{
	unsigned count = draw(r, SITES + 1), seen = 0, band = 0;
	char sites[64] = "";

	r->named_count[p] = 0;
	while (r->named_count[p] < count) {
		unsigned site = draw(r, SITES), n = r->named_count[p];

		if ((seen & 1U << site) != 0)
			continue;
		seen |= 1U << site;
		if (n > 0 && draw(r, 2) == 0)
			band++;
		(void)sprintf(sites + strlen(sites), "%s%s",
			      n == 0                     ? ""
			      : band > r->band[p][n - 1] ? " "
							 : ",",
			      r->sites[site].name);
		r->named[p][n] = site;
		r->band[p][n] = band;
		r->named_count[p]++;
	}
	r->fenced[p] = draw(r, 2) == 0 ? 0 : draw(r, 1U << FENCES);
	r->avoided[p] = draw(r, 2) == 0 ? 0 : draw(r, 1U << AVOIDS);
	r->policy[p] = (enum policy)draw(r, 4);
	r->prefs[p] = (struct make_pref){ "main", arena_text(&r->arena, sites, strlen(sites)),
					  false };
	r->limits[p] = (struct make_limits){ bits_text(r, r->fenced[p], ""),
					     bits_text(r, r->avoided[p], ""), NULL,
					     (int)r->policy[p] + 1 };
}

static void make_random(struct random *r, uint64_t seed)
{
	*r = (struct random){ .x = seed };
	make_sites(r);
	make_nodes(r);
	make_restrictions(r);
	for (unsigned p = 0; p < PREFS; p++)
		make_pref(r, p);
	for (unsigned p = 0; p < OTHERS * PREFS; p++)
		make_other_pref(r, p / PREFS, p % PREFS);
	r->records[0] = (struct make_record){ "vpn.example.", "main", NULL, 30 };
	for (unsigned i = 0; i < SITES; i++)
		r->records[1 + i] = (struct make_record){ "site.example.", "main", r->sites[i].name,
							  30 };
	r->make = (struct make_plan){ .sites = r->sites,
				      .site_count = SITES + 1,
				      .pools = r->pools,
				      .pool_count = 1 + OTHERS,
				      .nodes = r->nodes,
				      .node_count = NODES + OTHERS,
				      .prefs = r->prefs,
				      .pref_count = (1 + OTHERS) * PREFS,
				      .limits = r->limits,
				      .pool_sites = r->pool_sites,
				      .pool_site_count = SITES,
				      .fences = r->fences,
				      .fence_count = FENCES + OTHERS,
				      .avoids = r->avoids,
				      .avoid_count = AVOIDS + OTHERS,
				      .records = r->records,
				      .record_count = 1 + SITES };
}

static void random_status(struct random *r, struct compiled *c)
{
	static const enum steer_state states[] = { STEER_DOWN,     STEER_DOWN, STEER_DISABLED,
						   STEER_DRAINING, STEER_UP,   STEER_UP,
						   STEER_UP,       STEER_UP };
	unsigned bad = draw(r, 3); /* now and then all but all are down */

	for (unsigned i = 0; i < NODES + OTHERS; i++) {
		c->nodes[i].state = (uint8_t)states[draw(r, bad == 0 ? 3 : 8)];
		if (bad == 0 && draw(r, 12) == 0)
			c->nodes[i].state = STEER_UP;
		c->nodes[i].weight = r->nodes[i].weight;
		if (draw(r, 8) == 0)
			c->nodes[i].weight = 200;
		c->nodes[i].families = draw(r, 4) == 0 ? (uint8_t)(1 + draw(r, 2)) : STEER_FAMILIES;
	}
	for (unsigned i = 0; i < SITES; i++)
		c->keep[i] = draw(r, 4) == 0 ? (uint16_t)(20000 + draw(r, 40000)) : STEER_ALL;
}

/* --- the model ---------------------------------------------------------------------------------- */

struct model {
	bool equal; /* policy round-robin: all with a weight have the same */
	bool allowed[SITES];
	bool avoided[NODES];
	unsigned bands[SITES][SITES], sizes[SITES], count; /* allowed sites only */
	double share[NODES];
	double spare, third, nobody;
};

static void add_to_band(struct model *m, bool *placed, unsigned site, bool begins)
{
	if (placed[site])
		return;
	placed[site] = true;
	if (!m->allowed[site])
		return;
	if (begins || m->count == 0)
		m->count++;
	m->bands[m->count - 1][m->sizes[m->count - 1]++] = site;
}

static double far(const struct random *r, unsigned a, unsigned b)
{
	return fabs(r->sites[a].longitude - r->sites[b].longitude);
}

static double place_behind(const struct random *r, unsigned p, unsigned site)
{
	if (r->policy[p] == POLICY_FAILOVER)
		return r->pool_sites[site].priority;
	if (r->policy[p] == POLICY_NEAREST)
		return r->named_count[p] > 0 ? far(r, r->named[p][0], site) : site;
	return 0;
}

static void model_bands(const struct random *r, unsigned p, struct model *m)
{
	bool placed[SITES] = { false };
	unsigned before;

	for (unsigned n = 0; n < r->named_count[p]; n++) {
		bool begins = true;

		/* A band whose first sites are fenced off begins later. */
		for (unsigned k = 0; k < n; k++)
			if (r->band[p][k] == r->band[p][n] && m->allowed[r->named[p][k]])
				begins = false;
		add_to_band(m, placed, r->named[p][n], begins);
	}
	for (unsigned left = SITES; left > 0; left--) {
		double best = INFINITY;

		for (unsigned s = 0; s < SITES; s++)
			if (!placed[s] && place_behind(r, p, s) < best)
				best = place_behind(r, p, s);
		before = m->count;
		for (unsigned s = 0; s < SITES; s++)
			if (!placed[s] && place_behind(r, p, s) == best)
				add_to_band(m, placed, s, m->count == before);
	}
}

static unsigned rank_of(const struct compiled *c, unsigned node)
{
	switch (c->nodes[node].state) {
	case STEER_UP: return c->nodes[node].weight > 0 ? 3 : 2;
	case STEER_DRAINING: return 1;
	default: return 0;
	}
}

static unsigned count_of(const struct random *r, const struct compiled *c, const struct model *m,
			 unsigned site, unsigned rank)
{
	unsigned count = 0;

	for (unsigned n = 0; n < NODES; n++)
		count += r->site_of[n] == site && !m->avoided[n] && rank_of(c, n) == rank;
	return count;
}

/* What a node weighs among those of its rank. */
static double weight_of(const struct model *m, const struct compiled *c, unsigned node)
{
	uint32_t weight = c->nodes[node].weight;

	return m->equal ? weight > 0 : weight;
}

/* Gives `part` to some nodes by weight, and by what their sites keep where that counts; where all
 * weigh nothing, alike. */
static void give(const struct random *r, const struct compiled *c, const bool *who, bool spilling,
		 double part, struct model *m)
{
	double weights[NODES] = { 0 }, total = 0;
	bool weighs = false;

	for (unsigned n = 0; n < NODES; n++)
		weighs |= who[n] && weight_of(m, c, n) > 0;
	for (unsigned n = 0; n < NODES; n++) {
		weights[n] = !who[n] ? 0 : weighs ? weight_of(m, c, n) : 1;
		weights[n] *= spilling ? c->keep[r->site_of[n]] : 1;
		total += weights[n];
	}
	for (unsigned n = 0; n < NODES; n++)
		m->share[n] += part * weights[n] / total;
}

/* Of a band: the nodes that answer for it; false: none does. */
static bool band_nodes(const struct random *r, const struct compiled *c, const struct model *m,
		       unsigned band, unsigned rank, bool enough, bool *who)
{
	bool any = false;

	memset(who, 0, NODES * sizeof(*who));
	for (unsigned i = 0; i < m->sizes[band]; i++) {
		unsigned site = m->bands[band][i];
		unsigned least = enough ? r->pool_sites[site].min_nodes : 1;

		if (count_of(r, c, m, site, rank) < least)
			continue;
		for (unsigned n = 0; n < NODES; n++)
			if (r->site_of[n] == site && !m->avoided[n] && rank_of(c, n) == rank)
				any = who[n] = true;
	}
	return any;
}

static double band_keep(const struct random *r, const struct compiled *c, const struct model *m,
			const bool *who)
{
	double total = 0, kept = 0, most = 0;
	bool weighs = false;

	for (unsigned n = 0; n < NODES; n++)
		weighs |= who[n] && rank_of(c, n) == 3;
	for (unsigned n = 0; n < NODES; n++) {
		double w = weighs ? weight_of(m, c, n) : 1;
		double keep = c->keep[r->site_of[n]] / (double)STEER_ALL;

		if (!who[n])
			continue;
		total += w;
		kept += w * keep;
		most = keep > most ? keep : most;
	}
	return most == 1 ? 1 : kept / total;
}

/* Whose node the clients of a class get from the second pool: its own, or its backup's, where no
 * fence keeps them from it. NODES + OTHERS: none. */
static unsigned who_stands_in(const struct random *r, const struct compiled *c, unsigned p)
{
	if (r->closed[0][p] == FENCED)
		return NODES + OTHERS;
	if (r->closed[0][p] == OPEN && rank_of(c, SPARE) > 0)
		return SPARE;
	if (r->pools[1].backup != NULL && r->closed[1][p] == OPEN && rank_of(c, THIRD) > 0)
		return THIRD;
	return NODES + OTHERS;
}

static void give_others(struct model *m, unsigned who, double share)
{
	*(who == THIRD ? &m->third : &m->spare) = share;
}

/* Over the bands that take clients of this rank. */
static void spill_over(const struct random *r, const struct compiled *c, unsigned rank, bool enough,
		       unsigned p, struct model *m)
{
	unsigned others = who_stands_in(r, c, p);
	bool backup = rank > 1 && r->pools[0].backup != NULL && others < NODES + OTHERS;
	double left = 1, parts[SITES] = { 0 };
	bool who[SITES][NODES];

	for (unsigned b = 0; b < m->count; b++) {
		if (!band_nodes(r, c, m, b, rank, enough, who[b]))
			continue;
		parts[b] = left * (rank > 1 ? band_keep(r, c, m, who[b]) : 1);
		left -= parts[b];
	}
	for (unsigned b = 0; b < m->count; b++)
		if (parts[b] > 0)
			give(r, c, who[b], rank > 1, backup ? parts[b] : parts[b] / (1 - left), m);
	give_others(m, others, backup ? left : 0);
}

static bool enabled_nodes(const struct random *r, const struct compiled *c, const struct model *m,
			  unsigned band, bool weighty, bool *who)
{
	bool any = false;

	for (unsigned n = 0; n < NODES; n++) {
		who[n] = false;
		for (unsigned i = 0; i < m->sizes[band]; i++)
			who[n] |= r->site_of[n] == m->bands[band][i] &&
				  c->nodes[n].state != STEER_DISABLED &&
				  (!weighty || weight_of(m, c, n) > 0);
		any |= who[n];
	}
	return any;
}

static void all_down(const struct random *r, const struct compiled *c, unsigned p, struct model *m)
{
	unsigned others = who_stands_in(r, c, p);
	bool who[NODES];

	if (r->pools[0].backup != NULL && others < NODES + OTHERS) {
		give_others(m, others, 1);
		return;
	}
	/* As if all were up: a band with a node that has a weight, else any. */
	for (int weighty = 1; weighty >= 0 && r->pools[0].fallback == FALLBACK_ALL; weighty--)
		for (unsigned b = 0; b < m->count; b++)
			if (enabled_nodes(r, c, m, b, weighty != 0, who)) {
				give(r, c, who, false, 1, m);
				return;
			}
	m->nobody = 1;
}

static struct model model(const struct random *r, const struct compiled *c, unsigned p)
{
	struct model m = { .count = 0, .equal = r->policy[p] == POLICY_ROUND_ROBIN };
	bool any_allowed = false;

	for (unsigned s = 0; s < SITES; s++) {
		m.allowed[s] = true;
		for (unsigned f = 0; f < FENCES; f++)
			if ((r->fenced[p] & 1U << f) != 0 && (r->fence_sites[f] & 1U << s) != 0)
				m.allowed[s] = false;
		any_allowed |= m.allowed[s];
	}
	for (unsigned a = 0; a < AVOIDS; a++)
		for (unsigned n = 0; n < NODES; n++)
			if ((r->avoided[p] & 1U << a) != 0 && r->site_of[n] == r->avoid_site[a] &&
			    (r->avoid_node[a] == NODES || r->avoid_node[a] == n))
				m.avoided[n] = true;
	if (!any_allowed) {
		bool sent = false;

		for (unsigned f = 0; f < FENCES; f++)
			sent |= (r->fenced[p] & 1U << f) != 0 && r->fences[f].otherwise != NULL;
		if (sent)
			give_others(&m, who_stands_in(r, c, p), 1);
		else
			m.nobody = 1;
		return m;
	}
	model_bands(r, p, &m);
	for (unsigned rank = 3; rank > 0; rank--)
		for (int enough = rank > 1; enough >= 0; enough--)
			for (unsigned b = 0; b < m.count; b++) {
				bool who[NODES];

				if (!band_nodes(r, c, &m, b, rank, enough != 0, who))
					continue;
				spill_over(r, c, rank, enough != 0, p, &m);
				return m;
			}
	all_down(r, c, p, &m);
	return m;
}

/* --- comparing ---------------------------------------------------------------------------------- */

struct answered {
	double share[NODES], spare, third, nobody;
};

static struct answered answered(const struct compiled *c, uint32_t record, unsigned p)
{
	struct steering_shares list = { 0 };
	struct answered out = { .spare = 0 };

	steering_shares_add_record(&list, &c->image, &c->made.geo, record, p, 1);
	for (uint32_t i = 0; i < list.count; i++) {
		const struct steering_share *s = &list.list[i];

		if (s->pool == 1)
			out.spare += s->share;
		else if (s->pool == 2)
			out.third += s->share;
		else if (s->node == NOBODY)
			out.nobody += s->share;
		else
			out.share[s->node] = s->share;
	}
	steering_shares_free(&list);
	return out;
}

static void check_class(const struct random *r, const struct compiled *c, unsigned p)
{
	struct model wanted = model(r, c, p);
	struct answered got = answered(c, 0, p);
	double sum = got.spare + got.third + got.nobody;

	for (unsigned n = 0; n < NODES; n++) {
		sum += got.share[n];
		ck_assert_msg((wanted.share[n] > 0) == (got.share[n] > 0),
			      "class %u: n%u has %.3f, wanted %.3f", p, n, got.share[n],
			      wanted.share[n]);
		/* What others give up is drawn cell by cell. */
		ck_assert_msg(fabs(wanted.share[n] - got.share[n]) < 0.12,
			      "class %u: n%u has %.3f, wanted %.3f", p, n, got.share[n],
			      wanted.share[n]);
	}
	ck_assert_double_eq_tol(sum, 1, 1e-9);
	ck_assert_double_eq_tol(got.nobody, wanted.nobody, 1e-9);
	ck_assert_double_eq_tol(got.spare, wanted.spare, 0.003);
	ck_assert_double_eq_tol(got.third, wanted.third, 0.003);
}

static bool has_family(const struct random *r, const struct compiled *c, unsigned node,
		       unsigned family)
{
	bool has = family == STEERING_A || strchr(r->nodes[node].addresses, ':') != NULL;

	/* Under a fallback nodes are answered whole. */
	return has && (c->nodes[node].state < STEER_DRAINING ||
		       (c->nodes[node].families >> family & 1) != 0);
}

/* A family is answered as long as a healthy node that these clients may get has it. */
static void check_families(const struct random *r, const struct compiled *c, unsigned p)
{
	struct model m = model(r, c, p);

	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		bool any = false;

		for (unsigned n = 0; n < NODES; n++)
			any |= m.allowed[r->site_of[n]] && !m.avoided[n] && rank_of(c, n) > 0 &&
			       has_family(r, c, n, family);
		if (!any || m.nobody > 0 || m.spare > 0 || m.third > 0)
			continue;
		ck_assert_msg(strchr(compiled_answers(c, 0, p, (enum steering_column)family),
				     '-') == NULL,
			      "class %u: no %s", p, family == STEERING_A ? "A" : "AAAA");
	}
}

/* Whatever applies, also as a substitute, and also where a record is bound to a site. */
static void check_fences(const struct random *r, const struct compiled *c, unsigned p)
{
	struct model m = model(r, c, p);

	for (uint32_t record = 0; record < 1 + SITES; record++)
		for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
			const char *told = compiled_answers(c, record, p,
							    (enum steering_column)family);
			char *copy = mem_copy_text(told), *rest = copy, *word;

			while ((word = strsep(&rest, " |")) != NULL) {
				unsigned node = 0;

				if (sscanf(word, "192.0.2.%u", &node) != 1 &&
				    sscanf(word, "2001:db8::%x", &node) != 1)
					continue;
				ck_assert_msg(m.allowed[r->site_of[node - 1]],
					      "class %u, record %u: %s is fenced off", p, record,
					      word);
				ck_assert_uint_ne(c->nodes[node - 1].state, STEER_DISABLED);
				ck_assert_msg(has_family(r, c, node - 1, family),
					      "class %u, record %u: %s, whose path is down", p,
					      record, word);
			}
			free(copy);
		}
}

START_TEST(answers_are_those_of_the_model)
{
	struct random r;

	make_random(&r, hash_word((uint64_t)_i));
	{
		struct compiled c;

		compiled_open(&c, &r.make);
		for (unsigned i = 0; i < STATUSES; i++) {
			random_status(&r, &c);
			compiled_update(&c);
			for (unsigned p = 0; p < PREFS; p++) {
				check_class(&r, &c, p);
				check_fences(&r, &c, p);
				check_families(&r, &c, p);
			}
			if (i % 4 == 0)
				ck_assert_uint_eq(compiled_anew(&c, true),
						  compiled_anew(&c, false));
		}
		compiled_close(&c);
	}
	arena_free(&r.arena);
}
END_TEST

/* --- disruption --------------------------------------------------------------------------------- */

#define HASHES 2000U

/* Which node each of some clients gets; NODES: another pool's, or nobody. */
static void follow(const struct compiled *c, unsigned p, uint16_t *nodes)
{
	uint32_t branch = steering_pref(&c->image, steering_pool(&c->image, 0), p)->branch;
	const struct steering_table *table = steering_table(&c->image, branch_number(branch));

	for (unsigned i = 0; i < HASHES; i++) {
		uint64_t hash = hash_word(i);

		nodes[i] = NODES;
		if (branch_kind(branch) == BRANCH_TABLE)
			nodes[i] = steering_slot_node(
				steering_slot(&c->image, &table->slots,
					      hash_below(hash, table->slots.count)),
				(uint16_t)hash);
	}
}

START_TEST(a_node_that_goes_moves_its_own_clients_and_gets_them_back)
{
	struct random r;
	struct compiled c;
	unsigned moved = 0;

	make_random(&r, hash_word((uint64_t)_i + 1000));
	compiled_open(&c, &r.make);
	for (unsigned i = 0; i < STATUSES; i++) {
		uint16_t before[PREFS][HASHES], between[HASHES], after[HASHES];
		unsigned gone = draw(&r, NODES);
		struct model models[PREFS];

		random_status(&r, &c);
		memset(c.keep, 0xff, SITES * sizeof(*c.keep));
		compiled_update(&c);
		for (unsigned p = 0; p < PREFS; p++)
			follow(&c, p, before[p]);
		for (unsigned p = 0; p < PREFS; p++)
			models[p] = model(&r, &c, p);
		if (c.nodes[gone].state != STEER_UP || c.nodes[gone].weight == 0)
			continue;
		c.nodes[gone].state = STEER_DOWN;
		compiled_update(&c);
		for (unsigned p = 0; p < PREFS; p++) {
			struct model m = model(&r, &c, p);
			bool same = true;

			/* While nobody else joins or leaves: its site may count no longer. */
			for (unsigned n = 0; n < NODES; n++)
				same &= n == gone || (m.share[n] > 0) == (models[p].share[n] > 0);
			follow(&c, p, between);
			for (unsigned h = 0; h < HASHES && same; h++)
				if (before[p][h] != gone)
					ck_assert_uint_eq(between[h], before[p][h]);
				else
					moved++;
		}
		c.nodes[gone].state = STEER_UP;
		compiled_update(&c);
		for (unsigned p = 0; p < PREFS; p++) {
			follow(&c, p, after);
			ck_assert_mem_eq(after, before[p], sizeof(after));
		}
	}
	if (_i == 1) /* in some plans there is nobody to move */
		ck_assert_uint_gt(moved, 0);
	compiled_close(&c);
	arena_free(&r.arena);
}
END_TEST

void property_cases(Suite *suite)
{
	TCase *random = tcase_create("random plans");

	tcase_set_timeout(random, 60);
	tcase_add_loop_test(random, answers_are_those_of_the_model, 0, ROUNDS);
	tcase_add_loop_test(random, a_node_that_goes_moves_its_own_clients_and_gets_them_back, 0,
			    ROUNDS / 3);
	suite_add_tcase(suite, random);
}
