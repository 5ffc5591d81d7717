#include "compile/plan_build.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "image/plan.h"

/* Texts go into the image at once, arrays when they are complete. */
struct builder {
	const struct config *config;
	struct image_writer writer;
	struct buf sites, pools, pool_sites, nodes, addresses, checks, probes, rules, records;
	struct buf fences, avoids, windows, references, hooks, numbers, watched;
};

#define COUNT(b, member, type) ((uint32_t)((b)->member.len / sizeof(type)))

static uint32_t add_bytes(struct builder *b, const void *data, size_t size)
{
	/* Truncates beyond 4 GiB: plan_build refuses such an image before anyone reads it. */
	return (uint32_t)image_writer_append(&b->writer, data, size, 1);
}

static uint32_t add_text(struct builder *b, const char *text)
{
	return add_bytes(b, text, strlen(text) + 1);
}

static void add_settings(struct builder *b)
{
	const struct config *config = b->config;
	struct plan_settings settings = {
		.boot_id = config->boot_id,
		.server_file = add_text(b, config->path),
		.state_dir = add_text(b, config->state_dir),
		.run_dir = add_text(b, config->run_dir),
		.history_days = config->history_days,
		.minutes_days = config->minutes_days,
		.preference_depth = config->preference_depth,
		.log_level = (uint32_t)config->log_level,
		.doubt_percent = config->doubt_percent,
		.dns = config->dns,
	};

	image_writer_root(&b->writer, struct plan_root)->settings = settings;
}

static void add_references(struct builder *b)
{
	for (size_t i = 0; i < b->config->reference_count; i++) {
		const struct config_listen *from = &b->config->references[i];
		struct plan_reference reference = { .address = from->address, .port = from->port };

		buf_append(&b->references, &reference, sizeof(reference));
	}
}

static void add_sites(struct builder *b)
{
	for (size_t i = 0; i < b->config->site_count; i++) {
		const struct config_site *from = &b->config->sites[i];
		struct plan_site site = { .name = add_text(b, from->name),
					  .latitude = from->latitude,
					  .longitude = from->longitude };

		buf_append(&b->sites, &site, sizeof(site));
	}
}

static struct plan_range add_addresses(struct builder *b, const struct ip_address *addresses,
				       size_t count)
{
	struct plan_range range = { COUNT(b, addresses, struct ip_address), (uint32_t)count };

	buf_append(&b->addresses, addresses, count * sizeof(*addresses));
	return range;
}

static struct plan_range add_probes(struct builder *b, const struct config_pool *pool)
{
	struct plan_range range = { COUNT(b, probes, struct plan_probe),
				    (uint32_t)pool->probe_count };

	for (size_t i = 0; i < pool->probe_count; i++) {
		const struct config_probe *from = &pool->probes[i];
		struct plan_probe probe = { .name = add_text(b, from->name),
					    .signal = from->signal != NULL
							      ? add_text(b, from->signal)
							      : 0,
					    .kind = (uint8_t)from->kind,
					    .family = from->family,
					    .roles = from->roles,
					    .source_v4 = from->source_v4,
					    .source_v6 = from->source_v6,
					    .settings_len = from->settings_len,
					    .interval_ms = from->interval_ms,
					    .timeout_ms = from->timeout_ms,
					    .fall = from->fall,
					    .rise = from->rise,
					    .jitter_percent = from->jitter_percent };

		if (from->settings_len > 0)
			probe.settings = (uint32_t)image_writer_append(&b->writer, from->settings,
								       from->settings_len, 8);
		buf_append(&b->probes, &probe, sizeof(probe));
	}
	return range;
}

static bool has_family(const struct config_node *node, uint8_t family)
{
	for (size_t a = 0; a < node->address_count; a++) {
		if (node->addresses[a].family == family)
			return true;
	}
	return false;
}

/* What results of a check of one of these addresses judge: addresses of its family, or of both
 * where the node has none of this one, or none of the other to be probed. */
static uint8_t judged_family(const struct config_node *node, uint8_t family)
{
	if (node->probe_address_count == 0)
		return family;
	if (!has_family(node, family))
		return 0;
	for (size_t a = 0; a < node->probe_address_count; a++) {
		if (node->probe_addresses[a].family != family)
			return family;
	}
	return 0;
}

static void add_check(struct builder *b, const struct config_probe *probe, uint32_t number,
		      const struct ip_address *address, uint8_t judges)
{
	struct plan_check check = { .node = COUNT(b, nodes, struct plan_node),
				    .probe = number,
				    .judges = judges,
				    .port = probe->port };

	if (address != NULL)
		check.address = *address;
	buf_append(&b->checks, &check, sizeof(check));
}

/* Each probe of the pool looks at each address of its family; a source of load at the first. */
static void add_address_checks(struct builder *b, const struct config_probe *probe, uint32_t number,
			       const struct config_node *node)
{
	bool own = node->probe_address_count == 0;
	const struct ip_address *addresses = own ? node->addresses : node->probe_addresses;
	size_t count = own ? node->address_count : node->probe_address_count;

	for (size_t a = 0; a < count; a++) {
		uint8_t family = addresses[a].family;

		if (probe->family != 0 && probe->family != family)
			continue;
		add_check(b, probe, number, &addresses[a], judged_family(node, family));
		if (probe->roles == PROBE_LOAD)
			break;
	}
}

static struct plan_range add_checks(struct builder *b, const struct config_pool *pool,
				    struct plan_range probes, const struct config_node *node)
{
	struct plan_range range = { .first = COUNT(b, checks, struct plan_check) };

	for (uint32_t p = 0; p < probes.count; p++) {
		const struct config_probe *probe = &pool->probes[p];

		if (probe->addressless)
			add_check(b, probe, probes.first + p, NULL, 0);
		else
			add_address_checks(b, probe, probes.first + p, node);
	}
	range.count = COUNT(b, checks, struct plan_check) - range.first;
	return range;
}

static void add_pool_site(struct builder *b, const struct config_pool *pool,
			  struct plan_range probes, const struct config_pool_site *from)
{
	struct plan_pool_site site = { .pool = COUNT(b, pools, struct plan_pool),
				       .site = from->site,
				       .nodes = { COUNT(b, nodes, struct plan_node),
						  (uint32_t)from->node_count },
				       .priority = from->priority,
				       .min_nodes = from->min_nodes,
				       .spill_high = from->spill_high,
				       .spill_low = from->spill_low,
				       .bias_percent = from->bias_percent };

	for (size_t i = 0; i < from->node_count; i++) {
		const struct config_node *of = &from->nodes[i];
		struct plan_node node = {
			.name = add_text(b, of->name),
			.pool = site.pool,
			.pool_site = COUNT(b, pool_sites, struct plan_pool_site),
			.weight = of->weight,
			.capacity = of->capacity,
			.host = of->host != NULL ? add_bytes(b, of->host->wire, of->host->len) : 0,
			.host_len = of->host != NULL ? of->host->len : 0,
			.port = of->port,
			.addresses = add_addresses(b, of->addresses, of->address_count),
			.checks = add_checks(b, pool, probes, of),
		};

		buf_append(&b->nodes, &node, sizeof(node));
	}
	buf_append(&b->pool_sites, &site, sizeof(site));
}

static struct plan_range add_rules(struct builder *b, const struct config_pool *pool, uint32_t file)
{
	struct plan_range range = { COUNT(b, rules, struct plan_rule), (uint32_t)pool->rule_count };

	for (size_t i = 0; i < pool->rule_count; i++) {
		const struct config_rule *from = &pool->rules[i];
		struct plan_rule rule = { .pool = COUNT(b, pools, struct plan_pool),
					  .file = file,
					  .line = from->place.line,
					  .column = from->place.column,
					  .text = add_text(b, from->clients.text),
					  .policy = from->has_policy ? (uint32_t)from->policy
								     : PLAN_NONE };

		buf_append(&b->rules, &rule, sizeof(rule));
	}
	return range;
}

/* The pool's plan_pool_site that stands for a site of the server file. */
static uint32_t pool_site_of(const struct config_pool *pool, uint32_t first, uint16_t site)
{
	uint32_t at = 0;

	while (at < pool->site_count && pool->sites[at].site != site)
		at++;
	assert(at < pool->site_count);
	return first + at;
}

static struct plan_range add_fences(struct builder *b, const struct config_pool *pool,
				    uint32_t file, uint32_t first_site)
{
	struct plan_range range = { COUNT(b, fences, struct plan_fence),
				    (uint32_t)pool->fence_count };

	for (size_t i = 0; i < pool->fence_count; i++) {
		const struct config_fence *from = &pool->fences[i];
		struct plan_fence fence = { .pool = COUNT(b, pools, struct plan_pool),
					    .file = file,
					    .line = from->place.line,
					    .column = from->place.column,
					    .text = add_text(b, from->clients.text),
					    .otherwise = from->otherwise,
					    .never = { COUNT(b, numbers, uint32_t),
						       (uint32_t)from->never_count } };

		for (size_t n = 0; n < from->never_count; n++) {
			uint32_t site = pool_site_of(pool, first_site, from->never[n]);

			buf_append(&b->numbers, &site, sizeof(site));
		}
		buf_append(&b->fences, &fence, sizeof(fence));
	}
	return range;
}

/* A site and a node of a pool, by their numbers in the plan. */
static void number_target(const struct builder *b, uint32_t first_site, uint32_t *site,
			  uint32_t *node)
{
	const struct plan_pool_site *sites =
		(const struct plan_pool_site *)(const void *)b->pool_sites.data;

	if (*site == PLAN_NONE)
		return;
	*site += first_site;
	if (*node != PLAN_NONE)
		*node += sites[*site].nodes.first;
}

static struct plan_range add_avoids(struct builder *b, const struct config_pool *pool,
				    uint32_t file, uint32_t first_site)
{
	struct plan_range range = { COUNT(b, avoids, struct plan_avoid),
				    (uint32_t)pool->avoid_count };
	const char *written_in = pool->file;

	for (size_t i = 0; i < pool->avoid_count; i++) {
		const struct config_avoid *from = &pool->avoids[i];

		if (strcmp(from->place.file, written_in) != 0) { /* in a file of entries */
			written_in = from->place.file;
			file = add_text(b, written_in);
		}
		struct plan_avoid avoid = { .pool = COUNT(b, pools, struct plan_pool),
					    .file = file,
					    .line = from->place.line,
					    .column = from->place.column,
					    .text = add_text(b, from->clients.text),
					    .reason = add_text(b, from->reason),
					    .pool_site = from->site,
					    .node = from->node,
					    .until_unix_s = from->until_unix_s };

		number_target(b, first_site, &avoid.pool_site, &avoid.node);
		buf_append(&b->avoids, &avoid, sizeof(avoid));
	}
	return range;
}

static struct plan_range add_windows(struct builder *b, const struct config_pool *pool,
				     uint32_t file, uint32_t first_site)
{
	struct plan_range range = { COUNT(b, windows, struct plan_window),
				    (uint32_t)pool->window_count };

	for (size_t i = 0; i < pool->window_count; i++) {
		const struct config_window *from = &pool->windows[i];
		struct plan_window window = { .pool = COUNT(b, pools, struct plan_pool),
					      .file = file,
					      .line = from->place.line,
					      .column = from->place.column,
					      .reason = add_text(b, from->reason),
					      .pool_site = from->site,
					      .node = from->node,
					      .disable = from->disable,
					      .from_unix_s = from->from_unix_s,
					      .until_unix_s = from->until_unix_s };

		number_target(b, first_site, &window.pool_site, &window.node);
		buf_append(&b->windows, &window, sizeof(window));
	}
	return range;
}

static void add_pool(struct builder *b, const struct config_pool *from)
{
	struct plan_range probes = add_probes(b, from);
	struct plan_pool pool = {
		.name = add_text(b, from->name),
		.file = add_text(b, from->file),
		.policy = (uint8_t)from->policy,
		.persistence = (uint8_t)from->persistence,
		.persistence_without_ecs = (uint8_t)from->persistence_without_ecs,
		.fallback = (uint8_t)from->fallback,
		.persistence_v4 = from->persistence_v4,
		.persistence_v6 = from->persistence_v6,
		.strict_pair = from->strict_pair,
		.answers = from->answers,
		.spare = from->spare,
		.spread = (uint8_t)from->spread,
		.order = (uint8_t)from->order,
		.max_automatic_down = from->max_automatic_down,
		.freeze = from->freeze,
		.own_policy = (uint8_t)from->own_policy,
		.require = from->require,
		.spare_km = from->spare_km,
		.backup = from->backup,
		.fallback_pool = from->fallback_pool,
		.ttl_floor_s = from->ttl_floor_s,
		.ttl_ceiling_s = from->ttl_ceiling_s,
		.flap_half_life_ms = from->flap_off ? 0 : from->flap_half_life_ms,
		.flap_max_hold_ms = from->flap_max_hold_ms,
		.load_age_ms = from->load_age_ms,
		.load = from->load,
		.ramp_ms = from->ramp_ms,
		.ramp_percent = from->ramp_percent,
		.seed = hash_text(from->name, 0),
		.sites = { COUNT(b, pool_sites, struct plan_pool_site),
			   (uint32_t)from->site_count },
		.nodes = { .first = COUNT(b, nodes, struct plan_node) },
		.fallback_addresses = add_addresses(b, from->fallback_addresses,
						    from->fallback_address_count),
		.alpn = from->alpn_len > 0 ? add_bytes(b, from->alpn, from->alpn_len) : 0,
		.alpn_len = (uint32_t)from->alpn_len,
	};

	for (size_t i = 0; i < from->site_count; i++)
		add_pool_site(b, from, probes, &from->sites[i]);
	pool.nodes.count = COUNT(b, nodes, struct plan_node) - pool.nodes.first;
	pool.rules = add_rules(b, from, pool.file);
	pool.fences = add_fences(b, from, pool.file, pool.sites.first);
	pool.avoids = add_avoids(b, from, pool.file, pool.sites.first);
	pool.windows = add_windows(b, from, pool.file, pool.sites.first);
	buf_append(&b->pools, &pool, sizeof(pool));
}

static void add_hook(struct builder *b, const struct config_hook *from)
{
	struct plan_hook hook = {
		.events = from->events,
		.pools = { COUNT(b, numbers, uint32_t), (uint32_t)from->pool_count },
		.words = from->words != NULL ? add_bytes(b, from->words, from->words_len + 1) : 0,
		.words_len = (uint32_t)from->words_len,
		.url = from->url != NULL ? add_text(b, from->url) : 0,
		.header = from->header_path != NULL ? add_text(b, from->header_path) : 0,
		.address = from->address,
		.rate = from->rate,
		.rate_ms = from->rate_ms,
		.timeout_ms = from->timeout_ms,
		.attempts = from->attempts,
	};

	buf_append(&b->numbers, from->pool_numbers, from->pool_count * sizeof(uint32_t));
	buf_append(&b->hooks, &hook, sizeof(hook));
}

static void add_record(struct builder *b, const struct zones_binding *from)
{
	struct plan_record record = { .owner = add_bytes(b, from->owner, from->owner_len),
				      .owner_len = from->owner_len,
				      .pool = from->pool,
				      .pool_site = PLAN_NONE,
				      .ttl_s = from->ttl_s,
				      .types = from->types,
				      .target_skip = from->target_skip,
				      .target_types = from->target_types,
				      .target_ttl_s = from->target_ttl_s };

	assert(from->pool < b->config->pool_count);
	if (from->site != PLAN_NONE) {
		const struct plan_pool *pool =
			(const struct plan_pool *)(const void *)b->pools.data + from->pool;

		assert(from->site < pool->sites.count);
		record.pool_site = pool->sites.first + from->site;
	}
	buf_append(&b->records, &record, sizeof(record));
}

static void add_array(struct builder *b, size_t member, struct buf *items, size_t size)
{
	struct plan_array array = { .offset = image_writer_append(&b->writer, items->data,
								  items->len, 8),
				    .count = (uint32_t)(items->len / size) };
	uint8_t *root = (uint8_t *)image_writer_root(&b->writer, struct plan_root);

	memcpy(root + member, &array, sizeof(array));
	buf_free(items);
}

static void add_arrays(struct builder *b)
{
#define ADD(member, type) add_array(b, offsetof(struct plan_root, member), &b->member, sizeof(type))
	ADD(sites, struct plan_site);
	ADD(pools, struct plan_pool);
	ADD(pool_sites, struct plan_pool_site);
	ADD(nodes, struct plan_node);
	ADD(addresses, struct ip_address);
	ADD(checks, struct plan_check);
	ADD(probes, struct plan_probe);
	ADD(rules, struct plan_rule);
	ADD(records, struct plan_record);
	ADD(fences, struct plan_fence);
	ADD(avoids, struct plan_avoid);
	ADD(windows, struct plan_window);
	ADD(references, struct plan_reference);
	ADD(hooks, struct plan_hook);
	ADD(numbers, uint32_t);
	ADD(watched, uint32_t);
#undef ADD
}

int plan_build(const struct config *config, const struct zones_binding *bindings,
	       size_t binding_count, int *fd, struct err *err)
{
	struct builder b = { .config = config };

	if (image_writer_open(&b.writer, IMAGE_PLAN, sizeof(struct plan_root), err) != 0)
		return -1;
	add_settings(&b);
	add_references(&b);
	add_sites(&b);
	for (size_t i = 0; i < config->pool_count; i++)
		add_pool(&b, &config->pools[i]);
	for (size_t i = 0; i < binding_count; i++)
		add_record(&b, &bindings[i]);
	for (size_t i = 0; i < config->hook_count; i++)
		add_hook(&b, &config->hooks[i]);
	for (size_t i = 0; i < config->watched_count; i++) {
		uint32_t path = add_text(&b, config->watched[i]);

		buf_append(&b.watched, &path, sizeof(path));
	}
	add_arrays(&b);
	if (b.writer.len > UINT32_MAX) {
		image_writer_discard(&b.writer);
		return err_set(err, "the plan has more than 4 GiB");
	}
	return image_writer_finish(&b.writer, NULL, fd, err);
}
