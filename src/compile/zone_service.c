#include "compile/zone_service.h"

#include <string.h>

size_t service_target_skip(const uint8_t *owner)
{
	size_t skip = 0;

	while (owner[skip] != 0 && owner[skip + 1] == '_')
		skip += 1U + owner[skip];
	return skip;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

/* Can the target be written? HTTPS and SVCB say "." for their own owner name (RFC 9460, 2.5.2),
 * which may be a wildcard's; else nobody could look a "*" up. */
static bool can_name(const struct service_record *record, size_t skip)
{
	if (!is_wildcard(record->owner + skip))
		return true;
	return skip == 0 && (record->types & POOL_TYPE_SRV) == 0;
}

static void find_target(struct service *out, const struct service_record *record,
			const struct service_record *target)
{
	size_t skip = service_target_skip(record->owner);

	out->target_skip = (uint8_t)skip;
	out->target_ttl_s = record->ttl_s;
	if (target == NULL || !same_text(target->pool, record->pool) ||
	    !same_text(target->site, record->site) || !can_name(record, skip))
		return;
	out->target_types = target->types & POOL_TYPES_ADDRESS;
	out->target_ttl_s = target->ttl_s;
}

static void check_node(struct service *out, const struct config_pool *pool,
		       const struct config_node *node, uint8_t types,
		       const struct config_node **sharing)
{
	uint16_t port = config_node_port(pool, node);
	enum service_problem problem = SERVICE_FINE;

	if ((types & POOL_TYPE_SRV) != 0 && port == 0)
		problem = SERVICE_NO_PORT;
	else if (node->host == NULL && out->target_types == 0)
		problem = SERVICE_NO_TARGET;
	else if (node->host == NULL && *sharing != NULL &&
		 config_node_port(pool, *sharing) != port && out->problem == SERVICE_FINE)
		problem = SERVICE_PORTS; /* the first such pair is told */
	if (problem != SERVICE_FINE) {
		out->problem = problem;
		out->node = node;
		out->other = *sharing;
	}
	if (node->host == NULL && *sharing == NULL)
		*sharing = node;
}

void service_check(struct service *out, const struct config *config,
		   const struct pool_choice *choice, const struct service_record *record,
		   const struct service_record *target)
{
	const struct config_pool *pool = &config->pools[choice->pool];
	const struct config_node *sharing = NULL;

	*out = (struct service){ .problem = SERVICE_FINE };
	if ((record->types & POOL_TYPES_SERVICE) == 0)
		return;
	find_target(out, record, target);
	for (uint32_t s = 0; s < pool->site_count; s++) {
		const struct config_pool_site *site = &pool->sites[s];

		if (choice->site != PLAN_NONE && choice->site != s)
			continue;
		for (size_t n = 0; n < site->node_count; n++) {
			check_node(out, pool, &site->nodes[n], record->types, &sharing);
			if (out->problem == SERVICE_NO_PORT || out->problem == SERVICE_NO_TARGET)
				return;
		}
	}
}

static void report_no_target(const struct zone_draft *draft, const struct draft_pool *pool,
			     const struct service *service)
{
	const struct config_node *node = service->node;
	char target[NAME_TEXT_SIZE];
	const char *name = name_format(pool->owner->name + service->target_skip, target);

	if (is_wildcard(pool->owner->name + service->target_skip))
		master_report(draft->sources, DIAG_ERROR, &pool->service_place,
			      "node \"%s\" of pool \"%s\" (%s:%u) needs a \"host\": a wildcard "
			      "cannot be its target name",
			      node->name, pool->pool, node->place.file, node->place.line);
	else
		master_report(draft->sources, DIAG_ERROR, &pool->service_place,
			      "node \"%s\" of pool \"%s\" (%s:%u) needs a \"host\", or %s, the "
			      "target that nodes without one share, a POOL record of %s%s%s with A "
			      "or AAAA",
			      node->name, pool->pool, node->place.file, node->place.line, name,
			      pool->pool, pool->site != NULL ? "/" : "",
			      pool->site != NULL ? pool->site : "");
}

void service_report(const struct zone_draft *draft, const struct config *config,
		    const struct draft_pool *pool, const struct pool_choice *choice,
		    const struct service *service)
{
	const struct config_pool *of = &config->pools[choice->pool];
	const struct config_node *node = service->node;

	switch (service->problem) {
	case SERVICE_FINE: return;
	case SERVICE_NO_PORT:
		master_report(draft->sources, DIAG_ERROR, &pool->service_place,
			      "SRV needs a \"port\", which node \"%s\" of pool \"%s\" (%s:%u) has "
			      "not",
			      node->name, of->name, node->place.file, node->place.line);
		return;
	case SERVICE_NO_TARGET: report_no_target(draft, pool, service); return;
	case SERVICE_PORTS:
		master_report(draft->sources, DIAG_WARNING, &pool->service_place,
			      "nodes \"%s\" and \"%s\" of pool \"%s\" (%s:%u) have different ports "
			      "and share a target name, whose address may be the other's: give "
			      "them a \"host\"",
			      service->other->name, node->name, of->name, node->place.file,
			      node->place.line);
		return;
	}
}
