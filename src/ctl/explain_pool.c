#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/explain_parts.h"
#include "ctl/field.h"
#include "ctl/suppose.h"

/* Some clients' view of a pool, while it is told. */
struct view {
	const struct borrowed *b;
	const struct plan_pool *pool;
	const struct geo_pref *pref; /* NULL: the record is bound to one site */
	const struct location *from; /* NULL: nobody knows */
	bool *fenced;                /* [site of the pool] */
	bool *avoided;               /* [node of the pool] */
};

const struct plan_site *explain_site_of(const struct borrowed *b, uint32_t pool_site)
{
	uint32_t site = plan_items(&b->plan, pool_sites, struct plan_pool_site)[pool_site].site;

	return &plan_items(&b->plan, sites, struct plan_site)[site];
}

json_t *explain_place(const struct image *plan, uint32_t file, uint32_t line, uint32_t column)
{
	char *place = mem_format("%s:%u:%u", plan_text(plan, file), line, column);
	json_t *told = json_string(place);

	free(place);
	return told;
}

static json_t *site_name(const struct borrowed *b, uint32_t pool_site)
{
	return json_string(plan_text(&b->plan, explain_site_of(b, pool_site)->name));
}

/* --- rules, fences, avoids ----------------------------------------------------------------------- */

static json_t *rule(const struct view *view)
{
	const struct image *plan = &view->b->plan;
	const struct plan_rule *r;

	if (view->pref == NULL || view->pref->rule == GEO_RULE_NONE)
		return json_null();
	r = &plan_items(plan, rules, struct plan_rule)[view->pref->rule];
	return json_pack("{s:o, s:s}", "place", explain_place(plan, r->file, r->line, r->column),
			 "clients", plan_text(plan, r->text));
}

static json_t *fence(const struct view *view, const struct plan_fence *f)
{
	const struct image *plan = &view->b->plan;
	const uint32_t *numbers = plan_items(plan, numbers, uint32_t);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	json_t *never = json_array();

	for (uint32_t i = 0; i < f->never.count; i++) {
		uint32_t pool_site = numbers[f->never.first + i];

		json_array_append_new(never, site_name(view->b, pool_site));
		view->fenced[pool_site - view->pool->sites.first] = true;
	}
	return json_pack(
		"{s:o, s:s, s:o, s:o}", "place", explain_place(plan, f->file, f->line, f->column),
		"clients", plan_text(plan, f->text), "never", never, "otherwise",
		f->otherwise == PLAN_NONE ? json_null()
					  : json_string(plan_text(plan, pools[f->otherwise].name)));
}

static json_t *fences(const struct view *view)
{
	const struct image *geo = &view->b->world.geo;
	json_t *list = json_array();

	for (uint32_t i = 0; view->pref != NULL && i < view->pref->fence_count; i++) {
		uint32_t number = image_at(geo, uint32_t, view->pref->fences_off)[i];

		json_array_append_new(list, fence(view, &plan_items(&view->b->plan, fences,
								    struct plan_fence)[number]));
	}
	return list;
}

static void mark_avoided(const struct view *view, const struct plan_avoid *a)
{
	struct plan_range range = { a->node, 1 };

	if (a->until_unix_s != 0 && a->until_unix_s <= view->b->now_unix_s)
		return;
	if (a->node == PLAN_NONE)
		range = plan_items(&view->b->plan, pool_sites, struct plan_pool_site)[a->pool_site]
				.nodes;
	for (uint32_t i = 0; i < range.count; i++)
		view->avoided[range.first + i - view->pool->nodes.first] = true;
}

static json_t *avoid(const struct view *view, const struct plan_avoid *a)
{
	const struct image *plan = &view->b->plan;
	json_t *told = json_pack(
		"{s:o, s:s, s:s, s:o, s:o, s:b}", "place",
		explain_place(plan, a->file, a->line, a->column), "clients",
		plan_text(plan, a->text), "reason", plan_text(plan, a->reason), "site",
		site_name(view->b, a->pool_site), "node",
		a->node == PLAN_NONE
			? json_null()
			: json_string(plan_text(
				  plan, plan_items(plan, nodes, struct plan_node)[a->node].name)),
		"ended", a->until_unix_s != 0 && a->until_unix_s <= view->b->now_unix_s);

	if (a->until_unix_s != 0)
		json_object_set_new(told, "until_ms",
				    json_integer((json_int_t)a->until_unix_s * 1000));
	mark_avoided(view, a);
	return told;
}

static json_t *avoids(const struct view *view)
{
	const struct image *geo = &view->b->world.geo;
	json_t *list = json_array();

	for (uint32_t i = 0; view->pref != NULL && i < view->pref->avoid_count; i++) {
		uint32_t number = image_at(geo, uint32_t, view->pref->avoids_off)[i];

		json_array_append_new(list, avoid(view, &plan_items(&view->b->plan, avoids,
								    struct plan_avoid)[number]));
	}
	return list;
}

/* --- sites ---------------------------------------------------------------------------------------- */

/* Nodes of a site that are up for these clients. */
static uint32_t count_up(const struct view *view, const struct plan_range *nodes)
{
	uint32_t up = 0;

	for (uint32_t n = nodes->first; n < nodes->first + nodes->count; n++) {
		uint8_t state = suppose_state_of(json_array_get(view->b->nodes, n));

		up += state == STEER_UP && !view->avoided[n - view->pool->nodes.first];
	}
	return up;
}

/* What control tells of how much of a site is used; it may not tell. */
static void add_load(json_t *told, const struct view *view, uint32_t pool_site)
{
	static const char *const keys[] = { "use", "keep", "spilling" };
	const json_t *load = json_array_get(view->b->pool_sites, pool_site);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(load, keys[i]);

		if (value != NULL)
			json_object_set(told, keys[i], value);
	}
}

/* Those nodes of a site that these clients do not get, and what control says of why. */
static json_t *not_usable(const struct view *view, const struct plan_range *nodes)
{
	static const char *const keys[] = { "name",  "status",   "since_ms", "reason",
					    "state", "state_by", "held" };
	json_t *list = json_array();

	for (uint32_t n = nodes->first; n < nodes->first + nodes->count; n++) {
		const json_t *node = json_array_get(view->b->nodes, n);
		uint8_t state = suppose_state_of(node);
		bool avoided = view->avoided[n - view->pool->nodes.first];
		json_t *told;

		if (state == STEER_UP && !avoided)
			continue;
		told = json_pack("{s:s, s:b}", "steered", steer_state_name[state], "avoided",
				 avoided);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (json_object_get(node, keys[i]) != NULL)
				json_object_set(told, keys[i], json_object_get(node, keys[i]));
		json_array_append_new(list, told);
	}
	return list;
}

static json_t *site(const struct view *view, uint32_t pool_site, uint32_t band)
{
	const struct borrowed *b = view->b;
	const struct plan_pool_site *ps = &plan_items(&b->plan, pool_sites,
						      struct plan_pool_site)[pool_site];
	const struct plan_site *place = explain_site_of(b, pool_site);
	uint32_t up = count_up(view, &ps->nodes);
	bool fenced = view->fenced[pool_site - view->pool->sites.first];
	json_t *told = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:b}", "name",
				 plan_text(&b->plan, place->name), "band", (json_int_t)band,
				 "usable", (json_int_t)up, "total", (json_int_t)ps->nodes.count,
				 "min_nodes", (json_int_t)ps->min_nodes, "counts",
				 !fenced && up >= ps->min_nodes, "fenced", fenced);

	json_object_set_new(told, "not_usable", not_usable(view, &ps->nodes));
	add_load(told, view, pool_site);
	if (ps->bias_percent != 0)
		json_object_set_new(told, "bias_percent", json_integer(ps->bias_percent));
	if (view->from != NULL && (view->from->has & LOCATION_COORDINATES) != 0)
		json_object_set_new(
			told, "km",
			json_real(steer_distance_km((double)view->from->latitude,
						    (double)view->from->longitude, place->latitude,
						    place->longitude)));
	return told;
}

static uint32_t priority(const struct view *view, uint32_t pool_site)
{
	return plan_items(&view->b->plan, pool_sites, struct plan_pool_site)[pool_site].priority;
}

/* The band of the i-th site in the order: that of the preference, and behind those it names, one
 * that follows from the policy (as control has it). */
static uint32_t band_of(const struct view *view, const uint32_t *order, uint32_t i, uint32_t last)
{
	const struct image *geo = &view->b->world.geo;
	const struct geo_pref *pref = view->pref;

	if (pref == NULL)
		return 0;
	for (uint32_t n = 0; n < pref->site_count; n++) {
		if (image_at(geo, uint16_t, pref->sites_off)[n] ==
		    plan_items(&view->b->plan, pool_sites, struct plan_pool_site)[order[i]].site)
			return image_at(geo, uint16_t, pref->bands_off)[n];
	}
	if (i == 0)
		return 0;
	if (i == pref->site_count || pref->policy == POLICY_NEAREST)
		return last + 1;
	return pref->policy == POLICY_FAILOVER &&
			       priority(view, order[i]) != priority(view, order[i - 1])
		       ? last + 1
		       : last;
}

/* In the order in which they are tried: those of the preference, or the one of a bound record;
 * then those that are fenced. */
static json_t *sites(const struct view *view, const struct choice_step *step,
		     const struct plan_record *record)
{
	uint32_t *order = mem_array(view->pool->sites.count + 1U, sizeof(*order));
	bool *seen = mem_array(view->pool->sites.count + 1U, sizeof(*seen));
	json_t *list = json_array();
	uint32_t count = 1, band = 0;

	order[0] = record->pool_site;
	if (view->pref != NULL)
		count = steer_site_order(view->b->steer, step->pool, step->pref, order,
					 view->pool->sites.count);
	for (uint32_t i = 0; i < count; i++) {
		seen[order[i] - view->pool->sites.first] = true;
		band = band_of(view, order, i, band);
		json_array_append_new(list, site(view, order[i], band));
	}
	for (uint32_t s = 0; s < view->pool->sites.count; s++) {
		if (!seen[s] && view->fenced[s])
			json_array_append_new(list, site(view, view->pool->sites.first + s, band));
	}
	free(order);
	free(seen);
	return list;
}

void explain_pool(json_t *told, const struct borrowed *b, const struct choice_step *step,
		  const struct plan_record *record, const struct location *from)
{
	struct view view = {
		.b = b,
		.pool = &plan_items(&b->plan, pools, struct plan_pool)[step->pool],
		.from = from,
	};

	if (step->pref != STEERING_NONE)
		view.pref = geo_pool_pref(&b->world.geo, step->pool, step->pref);
	view.fenced = mem_array(view.pool->sites.count + 1U, sizeof(bool));
	view.avoided = mem_array(view.pool->nodes.count + 1U, sizeof(bool));
	json_object_set_new(told, "pool", json_string(plan_text(&b->plan, view.pool->name)));
	json_object_set_new(told, "file", json_string(plan_text(&b->plan, view.pool->file)));
	json_object_set_new(
		told, "policy",
		json_string(explain_policy_name[view.pref == NULL ? view.pool->policy
								  : view.pref->policy]));
	json_object_set_new(told, "own_network",
			    json_boolean(view.pref != NULL && view.pref->own != 0));
	json_object_set_new(told, "rule", rule(&view));
	json_object_set_new(told, "fences", fences(&view));
	json_object_set_new(told, "avoids", avoids(&view));
	json_object_set_new(told, "sites", sites(&view, step, record));
	free(view.fenced);
	free(view.avoided);
}
