#include "image/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/probe_settings.h"
#include "image/steering.h"
#include "wire/name.h"

#define POOL_NODES_MAX 65534 /* a steering choice is 16 bits, and one is the fallback */

/* The plan under verification, its arrays in reach. Whatever one array says of another is only
 * looked at once all arrays are known to lie inside. */
struct check {
	const struct image *plan;
	const struct plan_root *root;
	const struct plan_site *sites;
	const struct plan_pool *pools;
	const struct plan_pool_site *pool_sites;
	const struct plan_node *nodes;
	const struct ip_address *addresses;
	const struct plan_check *checks;
	const struct plan_probe *probes;
	const struct plan_rule *rules;
	const struct plan_record *records;
	const struct plan_fence *fences;
	const struct plan_avoid *avoids;
	const struct plan_window *windows;
	const struct plan_reference *references;
	const struct plan_hook *hooks;
	const uint32_t *numbers, *watched;
	struct err *err;
};

static int bad(struct check *c, const char *what, uint32_t index)
{
	return err_set(c->err, "plan image: %s %u is damaged", what, index);
}

static bool is_text(const struct check *c, uint32_t offset)
{
	if (offset == 0)
		return true;
	return offset >= IMAGE_ROOT && offset < c->plan->size &&
	       memchr(c->plan->base + offset, '\0', c->plan->size - offset) != NULL;
}

static bool is_name(const struct check *c, uint32_t offset)
{
	return offset != 0 && is_text(c, offset) && c->plan->base[offset] != '\0';
}

/* A lower-case name in wire form. */
static bool is_wire_name(const struct check *c, uint32_t offset, uint32_t len)
{
	const uint8_t *name = c->plan->base + offset;

	if (offset < IMAGE_ROOT || offset >= c->plan->size || len == 0 ||
	    name_length(name, c->plan->size - offset) != len)
		return false;
	for (uint32_t i = 0; i < len; i++) {
		if (name_lower(name[i]) != name[i])
			return false;
	}
	return true;
}

/* Octets that tell lengths of 1 to 255, each with as many octets behind it. */
static bool is_alpn(const struct check *c, uint32_t offset, uint32_t len)
{
	const uint8_t *alpn = c->plan->base + offset;

	if (len > 0 && (len > UINT16_MAX || offset < IMAGE_ROOT || offset > c->plan->size ||
			len > c->plan->size - offset))
		return false;
	for (uint32_t at = 0; at < len; at += 1U + alpn[at]) {
		if (alpn[at] == 0 || alpn[at] > len - at - 1)
			return false;
	}
	return true;
}

static bool is_inside(struct plan_range range, uint32_t count)
{
	return range.first <= count && range.count <= count - range.first;
}

/* The part `range` of `count` items begins where the one before it ended. */
static bool follows(struct plan_range range, uint32_t *next, uint32_t count)
{
	if (range.first != *next || !is_inside(range, count))
		return false;
	*next += range.count;
	return true;
}

static bool holds(struct plan_range range, uint32_t item)
{
	return item >= range.first && item - range.first < range.count;
}

static bool is_address(const struct ip_address *address)
{
	static const uint8_t zero[12];

	return address->family == IP_V6 ||
	       (address->family == IP_V4 && memcmp(address->bytes + 4, zero, sizeof(zero)) == 0);
}

static int verify_arrays(struct check *c)
{
	const struct plan_root *root = c->root;
	const struct {
		const struct plan_array *array;
		size_t size, align;
		const char *name;
	} arrays[] = {
#define ARRAY(member, type) { &root->member, sizeof(type), _Alignof(type), #member }
		ARRAY(sites, struct plan_site),
		ARRAY(pools, struct plan_pool),
		ARRAY(pool_sites, struct plan_pool_site),
		ARRAY(nodes, struct plan_node),
		ARRAY(addresses, struct ip_address),
		ARRAY(checks, struct plan_check),
		ARRAY(probes, struct plan_probe),
		ARRAY(rules, struct plan_rule),
		ARRAY(records, struct plan_record),
		ARRAY(fences, struct plan_fence),
		ARRAY(avoids, struct plan_avoid),
		ARRAY(windows, struct plan_window),
		ARRAY(references, struct plan_reference),
		ARRAY(hooks, struct plan_hook),
		ARRAY(numbers, uint32_t),
		ARRAY(watched, uint32_t),
#undef ARRAY
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		if (!image_holds(c->plan, arrays[i].array->offset, arrays[i].array->count,
				 arrays[i].size, arrays[i].align))
			return err_set(c->err, "plan image: the array of %s is damaged",
				       arrays[i].name);
	}
	c->sites = image_at(c->plan, struct plan_site, root->sites.offset);
	c->pools = image_at(c->plan, struct plan_pool, root->pools.offset);
	c->pool_sites = image_at(c->plan, struct plan_pool_site, root->pool_sites.offset);
	c->nodes = image_at(c->plan, struct plan_node, root->nodes.offset);
	c->addresses = image_at(c->plan, struct ip_address, root->addresses.offset);
	c->checks = image_at(c->plan, struct plan_check, root->checks.offset);
	c->probes = image_at(c->plan, struct plan_probe, root->probes.offset);
	c->rules = image_at(c->plan, struct plan_rule, root->rules.offset);
	c->records = image_at(c->plan, struct plan_record, root->records.offset);
	c->fences = image_at(c->plan, struct plan_fence, root->fences.offset);
	c->avoids = image_at(c->plan, struct plan_avoid, root->avoids.offset);
	c->windows = image_at(c->plan, struct plan_window, root->windows.offset);
	c->references = image_at(c->plan, struct plan_reference, root->references.offset);
	c->hooks = image_at(c->plan, struct plan_hook, root->hooks.offset);
	c->numbers = image_at(c->plan, uint32_t, root->numbers.offset);
	c->watched = image_at(c->plan, uint32_t, root->watched.offset);
	return 0;
}

static int verify_settings(struct check *c)
{
	const struct plan_settings *s = &c->root->settings;

	if (!is_name(c, s->server_file) || !is_name(c, s->state_dir) || !is_name(c, s->run_dir) ||
	    s->history_days == 0 || s->minutes_days == 0 || s->preference_depth == 0 ||
	    s->preference_depth > 16 || s->log_level > 3 || s->doubt_percent == 0 ||
	    s->doubt_percent > 100 || !dns_settings_valid(&s->dns))
		return err_set(c->err, "plan image: the settings are damaged");
	return 0;
}

static int verify_sites(struct check *c)
{
	for (uint32_t i = 0; i < c->root->sites.count; i++) {
		const struct plan_site *site = &c->sites[i];

		if (!is_name(c, site->name) || !(fabs(site->latitude) <= 90) ||
		    !(fabs(site->longitude) <= 180))
			return bad(c, "site", i);
	}
	for (uint32_t i = 0; i < c->root->addresses.count; i++) {
		if (!is_address(&c->addresses[i]))
			return bad(c, "address", i);
	}
	for (uint32_t i = 0; i < c->root->references.count; i++) {
		if (!is_address(&c->references[i].address))
			return bad(c, "reference", i);
	}
	return 0;
}

static bool is_pool(const struct check *c, uint32_t number)
{
	return number == PLAN_NONE || number < c->root->pools.count;
}

static bool is_load(const struct plan_load *load)
{
	if (load->on == 0)
		return true;
	return load->on == 1 && load->floor_percent > 0 && load->floor_percent <= 100 &&
	       load->step_percent > 0 && load->step_percent <= 100 &&
	       load->low_percent < load->high_percent && load->stale_ms > 0 &&
	       load->loss_percent <= 100;
}

/* Settings of how it is steered. */
static bool is_steered_well(const struct check *c, const struct plan_pool *pool)
{
	return pool->policy <= POLICY_ROUND_ROBIN && pool->own_policy <= POLICY_ROUND_ROBIN &&
	       pool->fallback <= FALLBACK_POOL && pool->answers > 0 &&
	       pool->answers <= PLAN_ANSWERS_MAX && pool->spare < pool->answers &&
	       pool->spread <= SPREAD_SITE && pool->order <= ORDER_SHUFFLED &&
	       pool->max_automatic_down <= 100 && pool->ramp_percent >= 1 &&
	       pool->ramp_percent <= 100 && pool->freeze <= 1 && is_pool(c, pool->backup) &&
	       is_pool(c, pool->fallback_pool) &&
	       (pool->fallback == FALLBACK_POOL) == (pool->fallback_pool != PLAN_NONE);
}

static int verify_pools(struct check *c)
{
	uint32_t next_site = 0, next_node = 0, next_rule = 0, next_fence = 0, next_avoid = 0,
		 next_window = 0;

	for (uint32_t i = 0; i < c->root->pools.count; i++) {
		const struct plan_pool *pool = &c->pools[i];

		if (!is_name(c, pool->name) || !is_text(c, pool->file) ||
		    !is_steered_well(c, pool) || pool->persistence > PERSISTENCE_SUBNET ||
		    pool->persistence_without_ecs > PERSISTENCE_SUBNET ||
		    pool->persistence_v4 > 32 || pool->persistence_v6 > 128 ||
		    pool->strict_pair > 1 || !is_load(&pool->load) ||
		    pool->flap_max_hold_ms > PLAN_HOLD_MAX_S * 1000U ||
		    !is_alpn(c, pool->alpn, pool->alpn_len))
			return bad(c, "pool", i);
		if (!follows(pool->sites, &next_site, c->root->pool_sites.count) ||
		    !follows(pool->nodes, &next_node, c->root->nodes.count) ||
		    !follows(pool->rules, &next_rule, c->root->rules.count) ||
		    !follows(pool->fences, &next_fence, c->root->fences.count) ||
		    !follows(pool->avoids, &next_avoid, c->root->avoids.count) ||
		    !follows(pool->windows, &next_window, c->root->windows.count) ||
		    !is_inside(pool->fallback_addresses, c->root->addresses.count) ||
		    pool->nodes.count > POOL_NODES_MAX)
			return bad(c, "pool", i);
	}
	if (next_site != c->root->pool_sites.count || next_node != c->root->nodes.count)
		return err_set(c->err, "plan image: there are sites or nodes without a pool");
	return 0;
}

/* Its pool names it, and its nodes are those of the pool that follow the site's before. */
static int verify_pool_sites(struct check *c)
{
	uint32_t next_node = 0;

	for (uint32_t i = 0; i < c->root->pool_sites.count; i++) {
		const struct plan_pool_site *site = &c->pool_sites[i];
		const struct plan_pool *pool;

		if (site->pool >= c->root->pools.count || site->site >= c->root->sites.count ||
		    site->min_nodes == 0 || site->spill_low > site->spill_high ||
		    site->bias_percent < -99 || site->bias_percent > 99 ||
		    !follows(site->nodes, &next_node, c->root->nodes.count))
			return bad(c, "pool site", i);
		pool = &c->pools[site->pool];
		if (!holds(pool->sites, i) || site->nodes.first < pool->nodes.first ||
		    next_node > pool->nodes.first + pool->nodes.count)
			return bad(c, "pool site", i);
	}
	if (next_node != c->root->nodes.count)
		return err_set(c->err, "plan image: there are nodes without a site");
	return 0;
}

/* Some readers go by the offset, others by the length. */
static bool is_host(const struct check *c, const struct plan_node *node)
{
	return node->host == 0 ? node->host_len == 0 : is_wire_name(c, node->host, node->host_len);
}

static int verify_nodes(struct check *c)
{
	uint32_t next_check = 0;

	for (uint32_t i = 0; i < c->root->nodes.count; i++) {
		const struct plan_node *node = &c->nodes[i];
		struct plan_range of_site;

		if (!is_name(c, node->name) || node->pool_site >= c->root->pool_sites.count ||
		    node->pool != c->pool_sites[node->pool_site].pool || node->weight > 65535 ||
		    node->addresses.count == 0 || !is_host(c, node) ||
		    !is_inside(node->addresses, c->root->addresses.count) ||
		    !follows(node->checks, &next_check, c->root->checks.count))
			return bad(c, "node", i);
		of_site = c->pool_sites[node->pool_site].nodes;
		if (!holds(of_site, i))
			return bad(c, "node", i);
	}
	if (next_check != c->root->checks.count)
		return err_set(c->err, "plan image: there are checks without a node");
	return 0;
}

/* A family, or 0 for both. */
static bool is_family(uint8_t family)
{
	return family == 0 || family == IP_V4 || family == IP_V6;
}

static bool is_source(const struct ip_address *address, uint8_t family)
{
	return address->family == 0 || (address->family == family && is_address(address));
}

static bool has_settings(const struct check *c, const struct plan_probe *probe)
{
	return probe->settings % 8 == 0 && probe->settings <= c->plan->size &&
	       probe->settings_len <= c->plan->size - probe->settings &&
	       probe_settings_valid(probe->kind, c->plan->base + probe->settings,
				    probe->settings_len);
}

static int verify_checks(struct check *c)
{
	for (uint32_t i = 0; i < c->root->probes.count; i++) {
		const struct plan_probe *probe = &c->probes[i];

		if (probe->kind >= PROBE_KINDS || !is_family(probe->family) || probe->roles == 0 ||
		    probe->roles > (PROBE_HEALTH | PROBE_LOAD) || !is_text(c, probe->name) ||
		    !is_text(c, probe->signal) || probe->interval_ms == 0 ||
		    probe->timeout_ms == 0 || probe->timeout_ms > probe->interval_ms ||
		    probe->fall == 0 || probe->fall > PLAN_RESULTS_MAX || probe->rise == 0 ||
		    probe->rise > PLAN_RESULTS_MAX || probe->jitter_percent > 50 ||
		    !is_source(&probe->source_v4, IP_V4) || !is_source(&probe->source_v6, IP_V6) ||
		    !has_settings(c, probe))
			return bad(c, "probe", i);
	}
	for (uint32_t i = 0; i < c->root->checks.count; i++) {
		const struct plan_check *check = &c->checks[i];
		struct plan_range of_node;

		if (check->node >= c->root->nodes.count || check->probe >= c->root->probes.count ||
		    !is_family(check->judges) ||
		    (check->address.family != 0 && !is_address(&check->address)))
			return bad(c, "check", i);
		of_node = c->nodes[check->node].checks;
		if (!holds(of_node, i))
			return bad(c, "check", i);
	}
	return 0;
}

static int verify_rules(struct check *c)
{
	for (uint32_t i = 0; i < c->root->rules.count; i++) {
		const struct plan_rule *rule = &c->rules[i];

		if (rule->pool >= c->root->pools.count || !holds(c->pools[rule->pool].rules, i) ||
		    !is_text(c, rule->file) || !is_text(c, rule->text) ||
		    (rule->policy > POLICY_ROUND_ROBIN && rule->policy != PLAN_NONE))
			return bad(c, "rule", i);
	}
	return 0;
}

/* Is it a site of the pool, and the node one of that site's? */
static bool is_of_pool(const struct check *c, uint32_t pool, uint32_t pool_site, uint32_t node)
{
	return pool < c->root->pools.count && pool_site < c->root->pool_sites.count &&
	       c->pool_sites[pool_site].pool == pool &&
	       (node == PLAN_NONE ||
		(node < c->root->nodes.count && c->nodes[node].pool_site == pool_site));
}

static int verify_fences(struct check *c)
{
	for (uint32_t i = 0; i < c->root->fences.count; i++) {
		const struct plan_fence *fence = &c->fences[i];

		if (!is_text(c, fence->file) || !is_text(c, fence->text) ||
		    fence->pool >= c->root->pools.count ||
		    !holds(c->pools[fence->pool].fences, i) || !is_pool(c, fence->otherwise) ||
		    !is_inside(fence->never, c->root->numbers.count))
			return bad(c, "fence", i);
		for (uint32_t n = 0; n < fence->never.count; n++)
			if (!is_of_pool(c, fence->pool, c->numbers[fence->never.first + n],
					PLAN_NONE))
				return bad(c, "fence", i);
	}
	return 0;
}

static int verify_exceptions(struct check *c)
{
	for (uint32_t i = 0; i < c->root->avoids.count; i++) {
		const struct plan_avoid *avoid = &c->avoids[i];

		if (!is_text(c, avoid->file) || !is_text(c, avoid->text) ||
		    !is_text(c, avoid->reason) ||
		    !is_of_pool(c, avoid->pool, avoid->pool_site, avoid->node) ||
		    !holds(c->pools[avoid->pool].avoids, i))
			return bad(c, "avoid", i);
	}
	for (uint32_t i = 0; i < c->root->windows.count; i++) {
		const struct plan_window *window = &c->windows[i];
		bool whole = window->pool_site == PLAN_NONE && window->node == PLAN_NONE;

		if (!is_text(c, window->file) || !is_text(c, window->reason) ||
		    window->pool >= c->root->pools.count ||
		    !holds(c->pools[window->pool].windows, i) || window->disable > 1 ||
		    window->from_unix_s >= window->until_unix_s ||
		    (!whole && !is_of_pool(c, window->pool, window->pool_site, window->node)))
			return bad(c, "window", i);
	}
	for (uint32_t i = 0; i < c->root->watched.count; i++)
		if (!is_name(c, c->watched[i]))
			return bad(c, "watched file", i);
	return 0;
}

/* Its words are as many as there are NULs. */
static bool is_hook(const struct check *c, const struct plan_hook *hook)
{
	uint64_t end = (uint64_t)hook->words + hook->words_len;

	if (hook->words == 0 ? hook->words_len != 0
			     : !is_name(c, hook->words) || end >= c->plan->size ||
				       c->plan->base[end] != '\0')
		return false;
	return (hook->words != 0 || hook->url != 0) && is_text(c, hook->url) &&
	       is_text(c, hook->header) && hook->rate > 0 && hook->rate_ms > 0 &&
	       hook->timeout_ms > 0 && hook->attempts > 0 &&
	       hook->attempts <= PLAN_HOOK_TRIES_MAX &&
	       (hook->address.family == 0 || is_address(&hook->address));
}

static int verify_hooks(struct check *c)
{
	for (uint32_t i = 0; i < c->root->hooks.count; i++) {
		const struct plan_range *pools = &c->hooks[i].pools;

		if (!is_hook(c, &c->hooks[i]) || pools->first > c->root->numbers.count ||
		    pools->count > c->root->numbers.count - pools->first)
			return bad(c, "hook", i);
		for (uint32_t n = pools->first; n < pools->first + pools->count; n++) {
			if (c->numbers[n] >= c->root->pools.count)
				return bad(c, "hook", i);
		}
	}
	return 0;
}

/* Does a label of the owner name start there (the root's octet is one)? */
static bool is_label(const uint8_t *owner, uint32_t pos)
{
	uint32_t at = 0;

	while (at < pos && owner[at] != 0)
		at += 1U + owner[at];
	return at == pos;
}

static int verify_records(struct check *c)
{
	for (uint32_t i = 0; i < c->root->records.count; i++) {
		const struct plan_record *record = &c->records[i];

		if (!is_wire_name(c, record->owner, record->owner_len))
			return bad(c, "record", i);
		if (record->types == 0 || (record->types & ~POOL_TYPES_ALL) != 0 ||
		    (record->target_types & ~POOL_TYPES_ADDRESS) != 0 ||
		    !is_label(c->plan->base + record->owner, record->target_skip))
			return bad(c, "record", i);
		if (record->pool >= c->root->pools.count ||
		    (record->pool_site != PLAN_NONE &&
		     (record->pool_site >= c->root->pool_sites.count ||
		      c->pool_sites[record->pool_site].pool != record->pool)))
			return bad(c, "record", i);
	}
	return 0;
}

/* The most pools in a row from this one on, `before` of them before it; 0: they are too many. A
 * circle is longer than any row that is allowed. What is known of a pool is kept in `rows`. */
static unsigned row_from(const struct check *c, uint8_t *rows, uint32_t number, unsigned before)
{
	const struct plan_pool *pool = &c->pools[number];
	unsigned longest = 0;

	if (before == STEERING_POOLS_MAX)
		return 0;
	for (uint32_t i = 0; rows[number] == 0 && i < plan_stand_ins(pool); i++) {
		uint32_t next = plan_stand_in(c->plan, pool, i);
		unsigned row = next == PLAN_NONE ? 0 : row_from(c, rows, next, before + 1);

		if (next != PLAN_NONE && row == 0)
			return 0;
		if (row > longest)
			longest = row;
	}
	if (rows[number] == 0)
		rows[number] = (uint8_t)(longest + 1);
	return before + rows[number] > STEERING_POOLS_MAX ? 0 : rows[number];
}

static int verify_rows(struct check *c)
{
	uint8_t *rows = mem_array(c->root->pools.count, sizeof(*rows));
	int rc = 0;

	for (uint32_t i = 0; i < c->root->pools.count && rc == 0; i++)
		if (row_from(c, rows, i, 0) == 0)
			rc = err_set(c->err,
				     "plan image: more than %d pools in a row, or a circle of "
				     "them, from pool %u on",
				     STEERING_POOLS_MAX, i);
	free(rows);
	return rc;
}

int plan_verify(const struct image *plan, struct err *err)
{
	struct check c = { .plan = plan, .err = err };

	if (plan->size < IMAGE_ROOT + sizeof(struct plan_root))
		return err_set(err, "plan image is cut: %zu bytes", plan->size);
	c.root = image_root(plan, struct plan_root);
	if (verify_arrays(&c) != 0 || verify_settings(&c) != 0 || verify_sites(&c) != 0 ||
	    verify_pools(&c) != 0 || verify_pool_sites(&c) != 0 || verify_nodes(&c) != 0 ||
	    verify_checks(&c) != 0 || verify_rules(&c) != 0 || verify_fences(&c) != 0 ||
	    verify_exceptions(&c) != 0 || verify_hooks(&c) != 0 || verify_records(&c) != 0 ||
	    verify_rows(&c) != 0)
		return -1;
	return 0;
}
