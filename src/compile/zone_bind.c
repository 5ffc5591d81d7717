#include "compile/zone_bind.h"

#include <stdlib.h>

#include "compile/zone_check.h"
#include "compile/zone_service.h"

void zone_bounds_free(struct zone_bounds *bounds)
{
	free(bounds->items);
	buf_free(&bounds->owners);
	*bounds = (struct zone_bounds){ 0 };
}

static void add_binding(struct zone_bounds *bounds, const struct service_record *record,
			const struct pool_choice *choice, const struct service *service)
{
	uint32_t owner_len = (uint32_t)name_length(record->owner, DNS_NAME_MAX);
	struct zone_bound bound = {
		.binding = { .owner_len = owner_len,
			     .ttl_s = record->ttl_s,
			     .pool = choice->pool,
			     .site = choice->site,
			     .types = record->types,
			     .target_skip = service->target_skip,
			     .target_types = service->target_types,
			     .target_ttl_s = service->target_ttl_s },
		.owner_at = bounds->owners.len,
	};

	buf_append(&bounds->owners, record->owner, owner_len);
	array_add(bounds->items, bounds->count, bounds->cap) = bound;
}

static struct service_record pool_service(const struct draft_pool *pool)
{
	return (struct service_record){ .owner = pool->name,
					.pool = pool->pool,
					.site = pool->site,
					.ttl_s = pool->ttl_s,
					.types = pool->types };
}

static bool find_in_draft(const void *zone, const uint8_t *name, size_t len,
			  struct service_record *out)
{
	const struct zone_draft *draft = zone;
	const struct draft_owner *owner = draft_speaker(draft, name, len);
	const struct draft_pool *pool = owner != NULL ? draft_pool(draft, owner) : NULL;

	if (pool == NULL)
		return false;
	*out = pool_service(pool);
	return true;
}

void zone_bind_draft(struct zone_bounds *bounds, const struct config *config,
		     const struct zone_draft *draft)
{
	const struct service_zone zone = { find_in_draft, draft };

	for (uint32_t i = 0; i < draft->pool_count; i++) {
		const struct draft_pool *pool = &draft->pools[i];
		struct service_record record = pool_service(pool);
		struct pool_choice choice;
		struct service service;

		if (!zone_pool_resolve(config, pool->pool, pool->site, &choice)) {
			zone_pool_report(draft, pool, &choice);
			continue;
		}
		service_check(&service, config, &choice, &record, &zone);
		service_report(draft, config, pool, &choice, &service);
		add_binding(bounds, &record, &choice, &service);
	}
}

static struct service_record segment_record(const struct zone_segment *segment, uint32_t number)
{
	const struct zone_pool_record *r =
		zone_at(segment, struct zone_pool_record, segment->pool_records_off) + number;

	return (struct service_record){ .owner = zone_at(segment, uint8_t, r->owner_off),
					.pool = zone_at(segment, char, r->pool_name_off),
					.site = r->site_name_off != 0
							? zone_at(segment, char, r->site_name_off)
							: NULL,
					.ttl_s = r->ttl_s,
					.types = (uint8_t)r->types };
}

/* As draft_speaker. */
static const struct zone_node *segment_speaker(const struct zone_segment *segment,
					       const uint8_t *name, size_t len)
{
	const uint8_t *at = name;
	const struct zone_node *node;

	if (!name_is_under(name, len, segment->origin, segment->origin_len))
		return NULL;
	while ((node = zone_find(segment, at, len - (size_t)(at - name))) == NULL)
		at += 1 + *at;
	if (at == name)
		return node;
	return zone_node_cut(node) == 0 && zone_node_wildcard(node) != 0
		       ? zone_at(segment, struct zone_node, zone_node_wildcard(node))
		       : NULL;
}

static bool find_in_segment(const void *zone, const uint8_t *name, size_t len,
			    struct service_record *out)
{
	const struct zone_node *node = segment_speaker(zone, name, len);

	if (node == NULL || zone_node_pool_record(node) == 0)
		return false;
	*out = segment_record(zone, zone_node_pool_record(node) - 1);
	return true;
}

bool zone_bind_segment(struct zone_bounds *bounds, const struct config *config,
		       const struct zone_segment *segment)
{
	const struct service_zone zone = { find_in_segment, segment };

	for (uint32_t i = 0; i < segment->pool_record_count; i++) {
		struct service_record record = segment_record(segment, i);
		struct pool_choice choice;
		struct service service = { .problem = SERVICE_NO_TARGET };

		if (zone_pool_resolve(config, record.pool, record.site, &choice))
			service_check(&service, config, &choice, &record, &zone);
		if (service.problem != SERVICE_FINE) {
			zone_bounds_free(bounds);
			return false;
		}
		add_binding(bounds, &record, &choice, &service);
	}
	return true;
}
