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
			const struct service_zone *zone)
{
	size_t skip = service_target_skip(record->owner);
	const uint8_t *name = record->owner + skip;
	struct service_record target;

	out->target_skip = (uint8_t)skip;
	out->target_ttl_s = record->ttl_s;
	if (!can_name(record, skip) ||
	    !zone->find(zone->zone, name, name_length(name, DNS_NAME_MAX), &target) ||
	    !same_text(target.pool, record->pool) || !same_text(target.site, record->site))
		return;
	out->target_types = target.types & POOL_TYPES_ADDRESS;
	out->target_ttl_s = target.ttl_s;
}

/* The pool's nodes that a record can name, as they are looked at. */
struct checking {
	struct service *out;
	const struct service_record *record;
	const struct service_zone *zone;
	const struct config_node *sharing; /* the first that has no host */
};

static bool is_steered(const struct service_zone *zone, const struct name *host)
{
	struct service_record record;

	return zone->find(zone->zone, host->wire, host->len, &record) &&
	       (record.types & POOL_TYPES_ADDRESS) != 0;
}

static enum service_problem find_problem(const struct checking *checking,
					 const struct config_node *node)
{
	const struct config_node *sharing = checking->sharing;
	uint16_t port = node->port;

	if ((checking->record->types & POOL_TYPE_SRV) != 0 && port == 0)
		return SERVICE_NO_PORT;
	if (node->host != NULL)
		return is_steered(checking->zone, node->host) ? SERVICE_STEERED : SERVICE_FINE;
	if (checking->out->target_types == 0)
		return SERVICE_NO_TARGET;
	if (sharing != NULL && sharing->port != port)
		return SERVICE_PORTS;
	return SERVICE_FINE;
}

/* false: there is a mistake, and no need to look further. Of pairs of ports the first is told. */
static bool check_node(struct checking *checking, const struct config_node *node)
{
	enum service_problem problem = find_problem(checking, node);
	struct service *out = checking->out;

	if (problem != SERVICE_FINE && (problem != SERVICE_PORTS || out->problem == SERVICE_FINE)) {
		out->problem = problem;
		out->node = node;
		out->other = checking->sharing;
	}
	if (node->host == NULL && checking->sharing == NULL)
		checking->sharing = node;
	return problem == SERVICE_FINE || problem == SERVICE_PORTS;
}

void service_check(struct service *out, const struct config *config,
		   const struct pool_choice *choice, const struct service_record *record,
		   const struct service_zone *zone)
{
	const struct config_pool *pool = &config->pools[choice->pool];
	struct checking checking = { .out = out, .record = record, .zone = zone };

	*out = (struct service){ .problem = SERVICE_FINE };
	if ((record->types & POOL_TYPES_SERVICE) == 0 || pool->faulty)
		return;
	find_target(out, record, zone);
	for (uint32_t s = 0; s < pool->site_count; s++) {
		const struct config_pool_site *site = &pool->sites[s];

		if (choice->site != PLAN_NONE && choice->site != s)
			continue;
		for (size_t n = 0; n < site->node_count; n++) {
			if (!check_node(&checking, &site->nodes[n]))
				return;
		}
	}
}

static void report_no_target(const struct zone_draft *draft, const struct draft_pool *pool,
			     const struct service *service)
{
	const struct config_node *node = service->node;
	char target[NAME_TEXT_SIZE];
	const char *name = name_format(pool->name + service->target_skip, target);

	if (is_wildcard(pool->name + service->target_skip))
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
	char host[NAME_TEXT_SIZE];

	switch (service->problem) {
	case SERVICE_FINE: return;
	case SERVICE_NO_PORT:
		master_report(draft->sources, DIAG_ERROR, &pool->service_place,
			      "SRV needs a \"port\", which node \"%s\" of pool \"%s\" (%s:%u) has "
			      "not",
			      node->name, of->name, node->place.file, node->place.line);
		return;
	case SERVICE_NO_TARGET: report_no_target(draft, pool, service); return;
	case SERVICE_STEERED:
		master_report(
			draft->sources, DIAG_ERROR, &pool->service_place,
			"the host %s of node \"%s\" of pool \"%s\" (%s:%u) is steered by a POOL "
			"record: it needs the node's addresses",
			name_format(node->host->wire, host), node->name, of->name, node->place.file,
			node->place.line);
		return;
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
