/* What changes for clients of steered names, counted over address space, and told. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ctl/diff_moves.h"
#include "ctl/diff_spots.h"
#include "image/plan.h"

/* What is told of names that change alike. */
struct subject {
	struct comparison comparison;
	double changed[MEASURES];
	struct moves moved[MEASURES];
	double countries[SPACE_COUNTRIES + 1][2][MEASURES]; /* changed, all */
};

static void count_cells(struct subject *subject, const struct space *space)
{
	struct moves scratch = { 0 };

	for (uint32_t c = 0; c < space->count; c++) {
		const struct space_cell *cell = &space->cells[c];
		const struct moves *moves = comparison_moves(&subject->comparison, cell->classes,
							     &scratch);

		for (int m = 0; m < MEASURES; m++) {
			double amount = cell->amount[m];

			if (amount <= 0)
				continue;
			subject->countries[cell->country][1][m] += amount;
			for (size_t i = 0; i < moves->count; i++) {
				const struct move *move = &moves->items[i];

				subject->changed[m] += amount * move->share;
				subject->countries[cell->country][0][m] += amount * move->share;
				moves_add(&subject->moved[m], move->from, move->to,
					  amount * move->share);
			}
		}
	}
	free(scratch.items);
}

static void subject_free(struct subject *subject)
{
	comparison_close(&subject->comparison);
	for (int m = 0; m < MEASURES; m++)
		free(subject->moved[m].items);
	free(subject);
}

/* --- told --------------------------------------------------------------------------------------- */

static const char *const measure_name[] = { "ipv4", "ipv6", "queries" };

static json_t *shares(const double part[MEASURES], const double of[MEASURES])
{
	json_t *told = json_object();

	for (int m = 0; m < MEASURES; m++) {
		if (of[m] > 0)
			json_object_set_new(told, measure_name[m], json_real(part[m] / of[m]));
	}
	return told;
}

struct flow { /* of all measures, from one thing to another */
	uint32_t from, to;
	double of[MEASURES];
};

struct flows {
	struct flow *items;
	size_t count, cap;
};

static void add_flow(struct flows *flows, uint32_t from, uint32_t to, int measure, double amount)
{
	size_t i = 0;

	while (i < flows->count && (flows->items[i].from != from || flows->items[i].to != to))
		i++;
	if (i == flows->count)
		array_add(flows->items, flows->count,
			  flows->cap) = (struct flow){ from, to, { 0 } };
	flows->items[i].of[measure] += amount;
}

static int larger_first(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	for (int m = 0; m < MEASURES; m++) {
		if (x->of[m] != y->of[m])
			return x->of[m] < y->of[m] ? 1 : -1;
	}
	return x->from != y->from ? (x->from > y->from ? 1 : -1) : 0;
}

/* `of_site`: numbers are those of sites, not of nodes. */
static json_t *tell_flows(const struct subject *subject, const struct diff_spots *spots,
			  bool of_sites, const double total[MEASURES], size_t most)
{
	struct flows flows = { 0 };
	json_t *list = json_array();

	for (int m = 0; m < MEASURES; m++) {
		for (size_t i = 0; i < subject->moved[m].count; i++) {
			const struct move *move = &subject->moved[m].items[i];

			add_flow(&flows, of_sites ? spots->items[move->from].site : move->from,
				 of_sites ? spots->items[move->to].site : move->to, m, move->share);
		}
	}
	if (flows.count > 1)
		qsort(flows.items, flows.count, sizeof(*flows.items), larger_first);
	for (size_t i = 0; i < flows.count && i < most; i++) {
		const struct flow *flow = &flows.items[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:o}", "from",
						diff_spot_name(spots, flow->from, of_sites), "to",
						diff_spot_name(spots, flow->to, of_sites), "share",
						shares(flow->of, total)));
	}
	free(flows.items);
	return list;
}

static json_t *tell_countries(const struct subject *subject, const struct country_table *countries,
			      const double total[MEASURES], size_t most)
{
	struct flows flows = { 0 };
	json_t *list = json_array();
	char code[3];

	for (uint32_t c = 0; c <= SPACE_COUNTRIES; c++) {
		for (int m = 0; m < MEASURES; m++) {
			if (subject->countries[c][0][m] > 0)
				add_flow(&flows, c, c, m, subject->countries[c][0][m]);
		}
	}
	if (flows.count > 1)
		qsort(flows.items, flows.count, sizeof(*flows.items), larger_first);
	for (size_t i = 0; i < flows.count && i < most; i++) {
		const struct flow *flow = &flows.items[i];
		const char *name;

		space_country_code(flow->from, code);
		name = country_table_name(countries, code);
		json_array_append_new(list,
				      json_pack("{s:s, s:s?, s:o, s:o}", "country", code, "name",
						name, "changed",
						shares(flow->of, subject->countries[flow->from][1]),
						"share", shares(flow->of, total)));
	}
	free(flows.items);
	return list;
}

static const char *pool_name(const struct diff_side *side, uint32_t pool)
{
	return plan_text(side->plan, plan_items(side->plan, pools, struct plan_pool)[pool].name);
}

static json_t *tell(const struct subject *subject, const struct diff_spots *spots,
		    const struct space *space, const struct country_table *countries, json_t *names,
		    size_t most)
{
	const struct view *views = subject->comparison.views;

	return json_pack("{s:O, s:s, s:s, s:o, s:o, s:o, s:o}", "names", names, "pool_before",
			 pool_name(views[BEFORE].side, views[BEFORE].record->pool), "pool",
			 pool_name(views[AFTER].side, views[AFTER].record->pool), "changed",
			 shares(subject->changed, space->total), "sites",
			 tell_flows(subject, spots, true, space->total, most), "nodes",
			 tell_flows(subject, spots, false, space->total, most), "countries",
			 tell_countries(subject, countries, space->total, most));
}

/* --- names --------------------------------------------------------------------------------------- */

/* A steered name that is on both sides. */
struct named {
	const uint8_t *owner;
	uint32_t owner_len;
	uint32_t records[SIDES];
	uint64_t group; /* equal ones change alike */
};

static int by_owner(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->owner_len != y->owner_len)
		return x->owner_len < y->owner_len ? -1 : 1;
	return memcmp(x->owner, y->owner, x->owner_len);
}

static struct named *list_names(const struct image *plan, uint32_t *count)
{
	const struct plan_record *records = plan_items(plan, records, struct plan_record);
	struct named *names;

	*count = plan_count(plan, records);
	names = mem_array(*count + 1U, sizeof(*names));
	for (uint32_t i = 0; i < *count; i++)
		names[i] = (struct named){
			plan->base + records[i].owner, records[i].owner_len, { i, i }, 0
		};
	qsort(names, *count, sizeof(*names), by_owner);
	return names;
}

/* Records with the same pool, sites and types answer the same clients from the same nodes. */
static uint64_t group_of(const struct diff_side sides[SIDES], const uint32_t records[SIDES])
{
	uint64_t hash = 0;

	for (int s = 0; s < SIDES; s++) {
		const struct steering_record *record = steering_record(&sides[s].world.steering,
								       records[s]);
		const uint64_t what[] = { record->pool, record->prefs_off, record->types };

		hash = hash_bytes(what, sizeof(what), hash);
	}
	return hash;
}

static int by_group(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->records[AFTER] > y->records[AFTER]) - (x->records[AFTER] < y->records[AFTER]);
}

/* Those on both sides, by groups: the caller's. */
static struct named *match_names(const struct diff_side sides[SIDES], uint32_t *count)
{
	uint32_t old_count, new_count;
	struct named *old = list_names(sides[BEFORE].plan, &old_count);
	struct named *new = list_names(sides[AFTER].plan, &new_count);

	*count = 0;
	for (uint32_t i = 0; i < new_count; i++) {
		const struct named *was = bsearch(&new[i], old, old_count, sizeof(*old), by_owner);

		if (was == NULL)
			continue;
		new[*count] = new[i];
		new[*count].records[BEFORE] = was->records[BEFORE];
		new[*count].group = group_of(sides, new[*count].records);
		(*count)++;
	}
	qsort(new, *count, sizeof(*new), by_group);
	free(old);
	return new;
}

static json_t *names_of(const struct named *names, uint32_t count)
{
	json_t *list = json_array();
	char text[NAME_TEXT_SIZE];

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(name_format(names[i].owner, text)));
	return list;
}

json_t *diff_steered(const struct diff_side *before, const struct diff_side *after,
		     const struct space *space, const struct country_table *countries, size_t most)
{
	const struct diff_side sides[SIDES] = { *before, *after };
	struct diff_spots spots;
	uint32_t count, alike;
	struct named *names = match_names(sides, &count);
	json_t *list = json_array();

	diff_spots_open(&spots, before->plan, after->plan);
	for (uint32_t i = 0; i < count; i += alike) {
		struct subject *subject = mem_alloc(sizeof(*subject));
		struct view views[SIDES];
		json_t *texts;

		for (alike = 1; i + alike < count && names[i + alike].group == names[i].group;)
			alike++;
		for (int s = 0; s < SIDES; s++)
			views[s] = (struct view){ &sides[s],
						  steering_record(&sides[s].world.steering,
								  names[i].records[s]),
						  spots.of[s] };
		comparison_open(&subject->comparison, views);
		count_cells(subject, space);
		texts = names_of(names + i, alike);
		if (subject->changed[MEASURE_IPV4] + subject->changed[MEASURE_IPV6] > 0)
			json_array_append_new(list,
					      tell(subject, &spots, space, countries, texts, most));
		json_decref(texts);
		subject_free(subject);
	}
	diff_spots_close(&spots);
	free(names);
	return list;
}
