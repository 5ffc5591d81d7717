#include "control/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "image/geo.h"
#include "image/plan.h"
#include "image/zones.h"

/* A thing by name, and the hash of all that an operator can say of it. Numbers (of sites, probes,
 * offsets) differ between two plans that say the same: only what they stand for is hashed. */
struct thing {
	char *name;
	uint64_t print;
	uint32_t zone; /* zones only: the number, for its serial */
};

struct things {
	struct thing *items;
	size_t count, cap;
};

static void add(struct things *things, char *name, const struct buf *said, uint32_t zone)
{
	array_add(things->items, things->count, things->cap) = (struct thing){
		name, said->len == 0 ? 0 : hash_bytes(said->data, said->len, 0), zone
	};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct thing *)a)->name, ((const struct thing *)b)->name);
}

static void sort(struct things *things)
{
	if (things->count > 1)
		qsort(things->items, things->count, sizeof(*things->items), by_name);
}

static void things_free(struct things *things)
{
	for (size_t i = 0; i < things->count; i++)
		free(things->items[i].name);
	free(things->items);
}

/* --- what there is --------------------------------------------------------------------------- */

static void collect_zones(const struct images *images, struct things *out)
{
	const struct image *zones = &images->image[IMAGE_ZONES];

	for (uint32_t z = 0; z < image_root(zones, struct zones_root)->zone_count; z++) {
		const struct zones_entry *entry = zones_entry(zones, z);
		struct buf said = { 0 };
		char text[NAME_TEXT_SIZE];

		buf_append(&said, &entry->source_id, sizeof(entry->source_id));
		add(out, mem_copy_text(name_format(zones_segment(zones, z)->origin, text)), &said,
		    z);
		buf_free(&said);
	}
}

static void collect_sites(const struct images *images, struct things *out)
{
	const struct image *plan = &images->image[IMAGE_PLAN];

	for (uint32_t s = 0; s < plan_count(plan, sites); s++) {
		const struct plan_site *site = &plan_items(plan, sites, struct plan_site)[s];
		struct buf said = { 0 };

		buf_format(&said, "%f %f", site->latitude, site->longitude);
		add(out, mem_copy_text(plan_text(plan, site->name)), &said, 0);
		buf_free(&said);
	}
}

static const char *site_name(const struct image *plan, uint32_t pool_site)
{
	uint32_t site = plan_items(plan, pool_sites, struct plan_pool_site)[pool_site].site;

	return plan_text(plan, plan_items(plan, sites, struct plan_site)[site].name);
}

static const char *node_name(const struct image *plan, uint32_t node)
{
	return plan_text(plan, plan_items(plan, nodes, struct plan_node)[node].name);
}

static void say_addresses(struct buf *said, const struct image *plan, struct plan_range range)
{
	for (uint32_t a = 0; a < range.count; a++) {
		char text[IP_TEXT_SIZE];

		buf_format(
			said, " %s",
			ip_format(&plan_items(plan, addresses, struct ip_address)[range.first + a],
				  text));
	}
}

static const char *pool_name(const struct image *plan, uint32_t pool)
{
	return pool == PLAN_NONE
		       ? "-"
		       : plan_text(plan, plan_items(plan, pools, struct plan_pool)[pool].name);
}

static void say_pool_options(struct buf *said, const struct image *plan,
			     const struct plan_pool *pool)
{
	buf_format(said, " %u %u %u %u %u %u %u %u %u %u %u %s %s %u %u", pool->answers,
		   pool->spare, pool->spread, pool->order, pool->max_automatic_down, pool->freeze,
		   pool->own_policy, pool->require, pool->spare_km, pool->ttl_floor_s,
		   pool->ttl_ceiling_s, pool_name(plan, pool->backup),
		   pool_name(plan, pool->fallback_pool), pool->flap_half_life_ms,
		   pool->flap_max_hold_ms);
	buf_format(said, " %u %u %u ", pool->load_age_ms, pool->ramp_percent, pool->ramp_ms);
	buf_append(said, &pool->load, sizeof(pool->load));
}

static void say_pool_site(struct buf *said, const struct image *plan, uint32_t number)
{
	const struct plan_pool_site *site = &plan_items(plan, pool_sites,
							struct plan_pool_site)[number];

	buf_format(said, " %s %u %u %u %u %d", site_name(plan, number), site->priority,
		   site->min_nodes, site->spill_high, site->spill_low, site->bias_percent);
}

/* What a pool keeps from some clients, and when. */
static void say_exceptions(struct buf *said, const struct image *plan, const struct plan_pool *pool)
{
	const struct plan_fence *fences = plan_items(plan, fences, struct plan_fence);
	const struct plan_avoid *avoids = plan_items(plan, avoids, struct plan_avoid);
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);
	const uint32_t *numbers = plan_items(plan, numbers, uint32_t);

	for (uint32_t i = pool->fences.first; i < pool->fences.first + pool->fences.count; i++) {
		buf_format(said, " %s %s", plan_text(plan, fences[i].text),
			   pool_name(plan, fences[i].otherwise));
		for (uint32_t n = 0; n < fences[i].never.count; n++)
			buf_format(said, " %s",
				   site_name(plan, numbers[fences[i].never.first + n]));
	}
	for (uint32_t i = pool->avoids.first; i < pool->avoids.first + pool->avoids.count; i++)
		buf_format(said, " %s %s %s %llu", plan_text(plan, avoids[i].text),
			   avoids[i].node == PLAN_NONE ? "-" : node_name(plan, avoids[i].node),
			   site_name(plan, avoids[i].pool_site),
			   (unsigned long long)avoids[i].until_unix_s);
	for (uint32_t i = pool->windows.first; i < pool->windows.first + pool->windows.count; i++)
		buf_format(said, " %s %s %u %llu %llu",
			   windows[i].node == PLAN_NONE ? "-" : node_name(plan, windows[i].node),
			   windows[i].pool_site == PLAN_NONE
				   ? "-"
				   : site_name(plan, windows[i].pool_site),
			   windows[i].disable, (unsigned long long)windows[i].from_unix_s,
			   (unsigned long long)windows[i].until_unix_s);
}

/* Which rules a pool has is said by the plan; which sites they name, by the geo image alone. */
static void collect_pools(const struct images *images, struct things *out)
{
	const struct image *plan = &images->image[IMAGE_PLAN];

	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[p];
		struct buf said = { 0 };

		buf_format(&said, "%u %u %u %u %u %u %u", pool->policy, pool->persistence,
			   pool->persistence_without_ecs, pool->fallback, pool->persistence_v4,
			   pool->persistence_v6, pool->strict_pair);
		say_addresses(&said, plan, pool->fallback_addresses);
		buf_append(&said, plan->base + pool->alpn, pool->alpn_len);
		for (uint32_t s = 0; s < pool->sites.count; s++)
			say_pool_site(&said, plan, pool->sites.first + s);
		say_pool_options(&said, plan, pool);
		say_exceptions(&said, plan, pool);
		for (uint32_t r = 0; r < plan_count(plan, rules); r++) {
			const struct plan_rule *rule = &plan_items(plan, rules,
								   struct plan_rule)[r];

			if (rule->pool == p)
				buf_format(&said, " %s %u", plan_text(plan, rule->text),
					   rule->policy);
		}
		add(out, mem_copy_text(plan_text(plan, pool->name)), &said, 0);
		buf_free(&said);
	}
}

static void say_check(struct buf *said, const struct image *plan, const struct plan_check *check)
{
	const struct plan_probe *probe = &plan_items(plan, probes, struct plan_probe)[check->probe];
	char text[IP_TEXT_SIZE];

	buf_format(said, " %s %s %u %u %u %u %u %u %u %u %u %u", plan_text(plan, probe->signal),
		   check->address.family != 0 ? ip_format(&check->address, text) : "-", probe->kind,
		   probe->family, probe->roles, check->port, check->judges, probe->interval_ms,
		   probe->timeout_ms, probe->fall, probe->rise, probe->jitter_percent);
	buf_append(said, &probe->source_v4, 2 * sizeof(probe->source_v4));
	buf_append(said, plan->base + probe->settings, probe->settings_len);
}

static void collect_nodes(const struct images *images, struct things *out)
{
	const struct image *plan = &images->image[IMAGE_PLAN];

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		const struct plan_node *node = &plan_items(plan, nodes, struct plan_node)[n];
		const struct plan_pool *pool = &plan_items(plan, pools,
							   struct plan_pool)[node->pool];
		struct buf said = { 0 };

		buf_format(&said, "%u %u %s %u ", node->weight, node->capacity,
			   site_name(plan, node->pool_site), node->port);
		buf_append(&said, plan->base + node->host, node->host_len);
		say_addresses(&said, plan, node->addresses);
		for (uint32_t c = 0; c < node->checks.count; c++)
			say_check(&said, plan,
				  &plan_items(plan, checks,
					      struct plan_check)[node->checks.first + c]);
		add(out,
		    mem_format("%s/%s", plan_text(plan, pool->name), plan_text(plan, node->name)),
		    &said, 0);
		buf_free(&said);
	}
}

/* --- comparing ------------------------------------------------------------------------------- */

typedef void collect_fn(const struct images *images, struct things *out);
/* Adds what there is to say of one that was added, removed or changed; a side may be NULL. */
typedef void tell_fn(json_t *line, const struct images *before, const struct thing *was,
		     const struct images *after, const struct thing *is);

static void tell_zone(json_t *line, const struct images *before, const struct thing *was,
		      const struct images *after, const struct thing *is)
{
	const struct zone_segment *segment;

	if (was != NULL) {
		segment = zones_segment(&before->image[IMAGE_ZONES], was->zone);
		json_object_set_new(line, "serial_before", json_integer(segment->serial));
		json_object_set_new(line, "records_before", json_integer(segment->record_count));
	}
	if (is != NULL) {
		segment = zones_segment(&after->image[IMAGE_ZONES], is->zone);
		json_object_set_new(line, "serial", json_integer(segment->serial));
		json_object_set_new(line, "records", json_integer(segment->record_count));
	}
}

enum change { ADDED, REMOVED, CHANGED, UNCHANGED, CHANGES };

static const char *const change_name[CHANGES] = { "added", "removed", "changed", "unchanged" };

static enum change change_of(const struct thing *was, const struct thing *is)
{
	int order = was == NULL ? 1 : is == NULL ? -1 : strcmp(was->name, is->name);

	if (order != 0)
		return order < 0 ? REMOVED : ADDED;
	return was->print == is->print ? UNCHANGED : CHANGED;
}

static json_t *compare(const struct images *before, const struct images *after, collect_fn *collect,
		       tell_fn *tell)
{
	json_t *told = json_object(), *list = json_array();
	struct things old = { 0 }, new = { 0 };
	json_int_t counts[CHANGES] = { 0 };

	if (before != NULL)
		collect(before, &old);
	collect(after, &new);
	sort(&old);
	sort(&new);
	for (size_t o = 0, n = 0; o < old.count || n < new.count;) {
		const struct thing *was = o < old.count ? &old.items[o] : NULL;
		const struct thing *is = n < new.count ? &new.items[n] : NULL;
		enum change change = change_of(was, is);
		json_t *line;

		was = change == ADDED ? NULL : was;
		is = change == REMOVED ? NULL : is;
		o += was != NULL;
		n += is != NULL;
		counts[change]++;
		if (change == UNCHANGED || json_array_size(list) >= DIFF_LISTED_MAX)
			continue;
		line = json_pack("{s:s, s:s}", "change", change_name[change], "name",
				 is != NULL ? is->name : was->name);
		if (tell != NULL)
			tell(line, before, was, after, is);
		json_array_append_new(list, line);
	}
	json_object_set_new(told, "count", json_integer((json_int_t) new.count));
	for (int c = 0; c < CHANGES; c++)
		json_object_set_new(told, change_name[c], json_integer(counts[c]));
	json_object_set_new(told, "list", list);
	things_free(&old);
	things_free(&new);
	return told;
}

static json_t *compare_geo(const struct images *before, const struct images *after)
{
	const struct geo_root *now = image_root(&after->image[IMAGE_GEO], struct geo_root);
	bool changed = before == NULL ||
		       images_id(before, IMAGE_GEO) != images_id(after, IMAGE_GEO);
	json_t *geo = json_pack("{s:b, s:I}", "changed", changed, "classes",
				(json_int_t)now->class_count);

	if (before != NULL)
		json_object_set_new(
			geo, "classes_before",
			json_integer(image_root(&before->image[IMAGE_GEO], struct geo_root)
					     ->class_count));
	return geo;
}

static void say_references(struct buf *said, const struct image *plan)
{
	const struct plan_reference *all = plan_items(plan, references, struct plan_reference);
	char text[IP_TEXT_SIZE];

	for (uint32_t i = 0; i < plan_count(plan, references); i++)
		buf_format(said, " %s %u", ip_format(&all[i].address, text), all[i].port);
}

static void say_hook(struct buf *said, const struct image *plan, const struct plan_hook *hook)
{
	const uint32_t *numbers = plan_items(plan, numbers, uint32_t);
	char text[IP_TEXT_SIZE];

	buf_format(said, "\nhook %x %u %u %u %u", hook->events, hook->rate, hook->rate_ms,
		   hook->timeout_ms, hook->attempts);
	for (uint32_t i = 0; i < hook->pools.count; i++)
		buf_format(said, " %s", pool_name(plan, numbers[hook->pools.first + i]));
	buf_format(said, " %s %s %s ", plan_text(plan, hook->url), plan_text(plan, hook->header),
		   hook->address.family != 0 ? ip_format(&hook->address, text) : "-");
	buf_append(said, plan->base + hook->words, hook->words_len);
}

/* Doubt, and whom to tell. */
static bool watching_differs(const struct image *a, const struct image *b)
{
	const struct image *sides[] = { a, b };
	struct buf said[2] = { { 0 }, { 0 } };
	bool differ;

	for (size_t i = 0; i < 2; i++) {
		buf_format(&said[i], "%u",
			   image_root(sides[i], struct plan_root)->settings.doubt_percent);
		say_references(&said[i], sides[i]);
		for (uint32_t h = 0; h < plan_count(sides[i], hooks); h++)
			say_hook(&said[i], sides[i],
				 &plan_items(sides[i], hooks, struct plan_hook)[h]);
	}
	differ = said[0].len != said[1].len || memcmp(said[0].data, said[1].data, said[0].len) != 0;
	buf_free(&said[0]);
	buf_free(&said[1]);
	return differ;
}

static bool settings_differ(const struct images *before, const struct images *after)
{
	const struct image *a = &before->image[IMAGE_PLAN], *b = &after->image[IMAGE_PLAN];
	const struct plan_settings *x = &image_root(a, struct plan_root)->settings;
	const struct plan_settings *y = &image_root(b, struct plan_root)->settings;

	return memcmp(&x->dns, &y->dns, sizeof(x->dns)) != 0 ||
	       x->history_days != y->history_days || x->minutes_days != y->minutes_days ||
	       x->log_level != y->log_level || x->preference_depth != y->preference_depth ||
	       watching_differs(a, b) ||
	       strcmp(plan_text(a, x->state_dir), plan_text(b, y->state_dir)) != 0 ||
	       strcmp(plan_text(a, x->run_dir), plan_text(b, y->run_dir)) != 0;
}

json_t *diff_worlds(const struct images *before, const struct images *after)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "zones",
			 compare(before, after, collect_zones, tell_zone), "pools",
			 compare(before, after, collect_pools, NULL), "nodes",
			 compare(before, after, collect_nodes, NULL), "sites",
			 compare(before, after, collect_sites, NULL), "geo",
			 compare_geo(before, after), "settings",
			 before == NULL || settings_differ(before, after));
}

static const char *changed_word(const json_t *changed)
{
	return json_is_true(changed) ? "changed" : "unchanged";
}

char *diff_summary(const json_t *diff)
{
	static const char *const kinds[] = { "zones", "pools", "nodes", "sites" };
	struct buf text = { 0 };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const json_t *kind = json_object_get(diff, kinds[k]);

		buf_format(&text, "%s=+%lld-%lld~%lld ", kinds[k],
			   json_integer_value(json_object_get(kind, "added")),
			   json_integer_value(json_object_get(kind, "removed")),
			   json_integer_value(json_object_get(kind, "changed")));
	}
	buf_format(&text, "geo=%s settings=%s",
		   changed_word(json_object_get(json_object_get(diff, "geo"), "changed")),
		   changed_word(json_object_get(diff, "settings")));
	buf_append(&text, "", 1); /* the NUL */
	return (char *)text.data;
}
