/* What changes in the plan: a text for each option of each object, on both sides. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "ctl/diff_parts.h"
#include "image/plan.h"
#include "image/probe_settings.h"
#include "wire/name.h"

static void put(json_t *options, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put(json_t *options, const char *option, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	json_object_set_new(options, option, json_vsprintf(format, args));
	va_end(args);
}

static void put_flag(json_t *options, const char *option, unsigned flag)
{
	put(options, option, "%s", flag != 0 ? "true" : "false");
}

static void put_ms(json_t *options, const char *option, uint32_t ms)
{
	if (ms % 1000 == 0)
		put(options, option, "%us", ms / 1000);
	else
		put(options, option, "%ums", ms);
}

/* What was gathered in a line; "" stands for nothing. */
static void put_line(json_t *options, const char *option, struct buf *line)
{
	json_t *text = json_stringn(line->len == 0 ? "" : (const char *)line->data, line->len);

	json_object_set_new(options, option, text != NULL ? text : json_string("?"));
	buf_free(line);
}

/* --- names ------------------------------------------------------------------------------------- */

static const char *pool_name(const struct image *plan, uint32_t pool)
{
	return pool == PLAN_NONE
		       ? "none"
		       : plan_text(plan, plan_items(plan, pools, struct plan_pool)[pool].name);
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

static void add_addresses(struct buf *line, const struct image *plan, struct plan_range range)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);
	char text[IP_TEXT_SIZE];

	for (uint32_t a = 0; a < range.count; a++)
		buf_format(line, "%s%s", a > 0 ? ", " : "",
			   ip_format(&addresses[range.first + a], text));
}

/* --- the server -------------------------------------------------------------------------------- */

static void put_words(json_t *options, const char *option, const struct settings_text *text)
{
	struct buf line = { 0 };

	for (uint8_t i = 0; i < text->len; i++)
		buf_format(&line,
			   text->octets[i] >= 0x20 && text->octets[i] < 0x7f ? "%c" : "\\%03u",
			   text->octets[i]);
	put_line(options, option, &line);
}

static void put_doubt(json_t *options, const struct image *plan)
{
	const struct plan_reference *all = plan_items(plan, references, struct plan_reference);
	struct buf line = { 0 };
	char text[IP_TEXT_SIZE];

	for (uint32_t i = 0; i < plan_count(plan, references); i++) {
		bool v6 = all[i].port != 0 && all[i].address.family == IP_V6;

		buf_format(&line, "%s%s%s%s", i > 0 ? ", " : "", v6 ? "[" : "",
			   ip_format(&all[i].address, text), v6 ? "]" : "");
		if (all[i].port != 0)
			buf_format(&line, ":%u", all[i].port);
	}
	put_line(options, "doubt references", &line);
	put(options, "doubt share", "%u%%",
	    image_root(plan, struct plan_root)->settings.doubt_percent);
}

static json_t *server_options(const struct image *plan)
{
	const struct plan_settings *s = &image_root(plan, struct plan_root)->settings;
	json_t *options = json_object();

	put(options, "state", "%s", plan_text(plan, s->state_dir));
	put(options, "run", "%s", plan_text(plan, s->run_dir));
	put(options, "history", "%ud", s->history_days);
	put(options, "history-minutes", "%ud", s->minutes_days);
	put(options, "preference-depth", "%u", s->preference_depth);
	put(options, "log level", "%u", s->log_level);
	put_flag(options, "ecs", s->dns.ecs);
	put(options, "udp-size", "%u", s->dns.udp_size_max);
	put(options, "amplification", "%u", s->dns.amplification);
	put_flag(options, "cookies", s->dns.cookies);
	put(options, "cookie-secrets", "%u", s->dns.cookie_secret_count);
	put_ms(options, "tcp idle", s->dns.tcp_idle_ms);
	put_ms(options, "tcp lifetime", s->dns.tcp_lifetime_ms);
	put(options, "tcp connections", "%u", s->dns.tcp_connections);
	put_words(options, "version", &s->dns.version);
	put_words(options, "identity", &s->dns.identity);
	put_words(options, "nsid", &s->dns.nsid);
	put_doubt(options, plan);
	return options;
}

/* Secrets are compared, and never told. */
static bool has_other_secrets(const struct image *before, const struct image *after)
{
	const struct dns_settings *a = &image_root(before, struct plan_root)->settings.dns;
	const struct dns_settings *b = &image_root(after, struct plan_root)->settings.dns;

	return memcmp(a->cookie_secrets, b->cookie_secrets, sizeof(a->cookie_secrets)) != 0;
}

/* What only a restart takes: where to listen, as whom to run. */
static bool has_other_boot(const struct image *before, const struct image *after)
{
	uint64_t a = image_root(before, struct plan_root)->settings.boot_id;
	uint64_t b = image_root(after, struct plan_root)->settings.boot_id;

	return a != 0 && b != 0 && a != b;
}

/* --- pools ------------------------------------------------------------------------------------- */

static const char *const policies[] = { "nearest", "weighted", "failover", "round-robin" };
static const char *const persistences[] = { "none", "subnet" };
static const char *const fallbacks[] = {
	"all", "none", "addresses", "last-good", "nearest", "pool:"
};

static void put_load(json_t *options, const struct plan_load *load)
{
	put(options, "load", "%s", load->on ? "on" : "off");
	if (!load->on)
		return;
	put(options, "load low-mark", "%u%%", load->low_percent);
	put(options, "load high-mark", "%u%%", load->high_percent);
	put(options, "load min-weight", "%u%%", load->floor_percent);
	put(options, "load step", "%u%%", load->step_percent);
	put_ms(options, "load smoothing", load->smoothing_ms);
	put_ms(options, "load dwell", load->dwell_ms);
	put_ms(options, "load stale-after", load->stale_ms);
	if (load->loss_percent != 0)
		put(options, "load probe-loss", "%u%%", load->loss_percent);
	if (load->rtt_ms != 0)
		put_ms(options, "load probe-rtt", load->rtt_ms);
}

static void put_answering(json_t *options, const struct plan_pool *pool)
{
	put(options, "answers", "%u", pool->answers);
	put(options, "spare", "%u", pool->spare);
	put(options, "spare-distance", "%ukm", pool->spare_km);
	put(options, "spread", "%s", pool->spread == SPREAD_SITE ? "site" : "node");
	put(options, "order", "%s", pool->order == ORDER_SHUFFLED ? "shuffled" : "preference");
	put(options, "ttl floor", "%us", pool->ttl_floor_s);
	put(options, "ttl ceiling", "%us", pool->ttl_ceiling_s);
	put_flag(options, "strict-pair", pool->strict_pair);
	put(options, "max-automatic-down", "%u%%", pool->max_automatic_down);
	put_flag(options, "freeze", pool->freeze);
	put_ms(options, "load-max-age", pool->load_age_ms);
	put_load(options, &pool->load);
	put(options, "ramp from", "%u%%", pool->ramp_percent);
	put_ms(options, "ramp time", pool->ramp_ms);
}

static void put_fallback(json_t *options, const struct image *plan, const struct plan_pool *pool)
{
	struct buf line = { 0 };

	if (pool->fallback == FALLBACK_ADDRESSES)
		add_addresses(&line, plan, pool->fallback_addresses);
	else
		buf_format(&line, "%s%s", fallbacks[pool->fallback],
			   pool->fallback == FALLBACK_POOL ? pool_name(plan, pool->fallback_pool)
							   : "");
	put_line(options, "fallback", &line);
	put(options, "backup", "%s", pool_name(plan, pool->backup));
}

static void put_alpn(json_t *options, const struct image *plan, const struct plan_pool *pool)
{
	const uint8_t *value = plan->base + pool->alpn;
	struct buf line = { 0 };

	for (uint32_t at = 0; at < pool->alpn_len; at += 1U + value[at])
		buf_format(&line, "%s%.*s", at > 0 ? ", " : "", (int)value[at],
			   (const char *)value + at + 1);
	put_line(options, "alpn", &line);
}

/* A line each of rules, fences, avoids and windows: its text is its name. */
static void put_rules(json_t *options, const struct image *plan, const struct plan_pool *pool)
{
	const struct plan_rule *rules = plan_items(plan, rules, struct plan_rule);
	const struct plan_fence *fences = plan_items(plan, fences, struct plan_fence);
	char key[512];

	for (uint32_t i = pool->rules.first; i < pool->rules.first + pool->rules.count; i++) {
		(void)snprintf(key, sizeof(key), "rules: %s", plan_text(plan, rules[i].text));
		put(options, key, "%s",
		    rules[i].policy == PLAN_NONE ? "written" : policies[rules[i].policy]);
	}
	for (uint32_t i = pool->fences.first; i < pool->fences.first + pool->fences.count; i++) {
		struct buf never = { 0 };

		(void)snprintf(key, sizeof(key), "geofence: %s", plan_text(plan, fences[i].text));
		for (uint32_t n = 0; n < fences[i].never.count; n++)
			buf_format(
				&never, "%s%s", n == 0 ? "never " : ", ",
				site_name(plan, plan_items(plan, numbers,
							   uint32_t)[fences[i].never.first + n]));
		buf_format(&never, "; otherwise %s", pool_name(plan, fences[i].otherwise));
		put_line(options, key, &never);
	}
}

static void put_times(json_t *options, const struct image *plan, const struct plan_pool *pool)
{
	const struct plan_avoid *avoids = plan_items(plan, avoids, struct plan_avoid);
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);
	char key[512], from[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE] = "ever";

	for (uint32_t i = pool->avoids.first; i < pool->avoids.first + pool->avoids.count; i++) {
		const struct plan_avoid *avoid = &avoids[i];

		(void)snprintf(key, sizeof(key), "avoid: %s for %s",
			       avoid->node == PLAN_NONE ? site_name(plan, avoid->pool_site)
							: node_name(plan, avoid->node),
			       plan_text(plan, avoid->text));
		if (avoid->until_unix_s != 0)
			(void)timestamp_text(avoid->until_unix_s, until);
		put(options, key, "until %s", avoid->until_unix_s != 0 ? until : "ever");
	}
	for (uint32_t i = pool->windows.first; i < pool->windows.first + pool->windows.count; i++) {
		const struct plan_window *window = &windows[i];

		(void)timestamp_text(window->from_unix_s, from);
		(void)timestamp_text(window->until_unix_s, until);
		(void)snprintf(key, sizeof(key), "maintenance: %s from %s",
			       window->node != PLAN_NONE        ? node_name(plan, window->node)
			       : window->pool_site != PLAN_NONE ? site_name(plan, window->pool_site)
								: "the pool",
			       from);
		put(options, key, "%s until %s", window->disable != 0 ? "disabled" : "draining",
		    until);
	}
}

/* "5s", "200ms" */
static void add_ms(struct buf *line, const char *before, uint32_t ms)
{
	bool whole = ms % 1000 == 0;

	buf_format(line, " %s %u%s", before, whole ? ms / 1000 : ms, whole ? "s" : "ms");
}

static void add_source(struct buf *line, const struct ip_address *source)
{
	char text[IP_TEXT_SIZE];

	if (source->family != 0)
		buf_format(line, " source %s", ip_format(source, text));
}

/* Options of a kind are told by their hash: that they are others. */
static void put_probe(json_t *options, const struct image *plan, const struct plan_probe *probe,
		      uint16_t port)
{
	static const char *const families[] = { "", " ipv4", " ipv6" };
	struct buf line = { 0 };
	char key[128];

	(void)snprintf(key, sizeof(key), "probe %s", plan_text(plan, probe->name));
	buf_format(&line, "%s", probe_kind_name[probe->kind]);
	if (port != 0)
		buf_format(&line, " port %u", port);
	buf_format(&line, "%s",
		   families[probe->family == IP_V4   ? 1
			    : probe->family == IP_V6 ? 2
						     : 0]);
	add_ms(&line, "interval", probe->interval_ms);
	add_ms(&line, "timeout", probe->timeout_ms);
	buf_format(&line, " fall %u rise %u jitter %u%%", probe->fall, probe->rise,
		   probe->jitter_percent);
	add_source(&line, &probe->source_v4);
	add_source(&line, &probe->source_v6);
	if ((probe->roles & PROBE_LOAD) != 0)
		buf_format(&line, " load of %s",
			   plan_text(plan, probe->signal != 0 ? probe->signal : probe->name));
	if (probe->settings_len > 0)
		buf_format(
			&line, " options %08x",
			(uint32_t)hash_bytes(plan->base + probe->settings, probe->settings_len, 0));
	put_line(options, key, &line);
}

/* Those of its nodes, each once. */
static void put_probes(json_t *options, const struct image *plan, const struct plan_pool *pool)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	const struct plan_check *checks = plan_items(plan, checks, struct plan_check);
	bool *told = mem_array(plan_count(plan, probes) + 1U, sizeof(*told));

	for (uint32_t n = pool->nodes.first; n < pool->nodes.first + pool->nodes.count; n++) {
		for (uint32_t c = 0; c < nodes[n].checks.count; c++) {
			uint32_t probe = checks[nodes[n].checks.first + c].probe;

			if (!told[probe])
				put_probe(options, plan,
					  &plan_items(plan, probes, struct plan_probe)[probe],
					  checks[nodes[n].checks.first + c].port);
			told[probe] = true;
		}
	}
	free(told);
	if (pool->require == 0)
		put(options, "require", "all");
	else
		put(options, "require", "%u", pool->require);
	put_ms(options, "flap half-life", pool->flap_half_life_ms);
	put_ms(options, "flap max-hold", pool->flap_max_hold_ms);
}

static json_t *pool_options(const struct image *plan, const struct plan_pool *pool)
{
	json_t *options = json_object();

	put(options, "policy", "%s", policies[pool->policy]);
	put(options, "own-policy", "%s", policies[pool->own_policy]);
	put(options, "persistence", "%s", persistences[pool->persistence]);
	put(options, "persistence v4", "/%u", pool->persistence_v4);
	put(options, "persistence v6", "/%u", pool->persistence_v6);
	put(options, "persistence-without-ecs", "%s", persistences[pool->persistence_without_ecs]);
	put_answering(options, pool);
	put_fallback(options, plan, pool);
	put_alpn(options, plan, pool);
	put_probes(options, plan, pool);
	put_rules(options, plan, pool);
	put_times(options, plan, pool);
	return options;
}

static json_t *pool_site_options(const struct plan_pool_site *site)
{
	json_t *options = json_object();

	put(options, "priority", "%u", site->priority);
	put(options, "minimum", "%u", site->min_nodes);
	put(options, "bias", "%d%%", site->bias_percent);
	put(options, "spill high", "%u%%", site->spill_high);
	put(options, "spill low", "%u%%", site->spill_low);
	return options;
}

/* --- nodes ------------------------------------------------------------------------------------- */

static json_t *node_options(const struct image *plan, const struct plan_node *node)
{
	json_t *options = json_object();
	struct buf line = { 0 };
	char host[NAME_TEXT_SIZE];

	put(options, "site", "%s", site_name(plan, node->pool_site));
	add_addresses(&line, plan, node->addresses);
	put_line(options, "address", &line);
	put(options, "weight", "%u", node->weight);
	put(options, "capacity", "%u", node->capacity);
	put(options, "port", "%u", node->port);
	put(options, "host", "%s",
	    node->host == 0 ? "" : name_format(plan->base + node->host, host));
	return options;
}

/* --- all of it --------------------------------------------------------------------------------- */

static void add(json_t *all, char *object, json_t *options)
{
	json_object_set_new(all, object, options);
	free(object);
}

/* Object -> option -> text, in the plan's order. */
static json_t *describe(const struct image *plan)
{
	const struct plan_site *sites = plan_items(plan, sites, struct plan_site);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_pool_site *pool_sites = plan_items(plan, pool_sites,
							     struct plan_pool_site);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	json_t *all = json_object();

	add(all, mem_copy_text("server"), server_options(plan));
	for (uint32_t i = 0; i < plan_count(plan, sites); i++) {
		json_t *options = json_object();

		put(options, "location", "%.4f, %.4f", sites[i].latitude, sites[i].longitude);
		add(all, mem_format("site %s", plan_text(plan, sites[i].name)), options);
	}
	for (uint32_t i = 0; i < plan_count(plan, pools); i++)
		add(all, mem_format("pool %s", pool_name(plan, i)), pool_options(plan, &pools[i]));
	for (uint32_t i = 0; i < plan_count(plan, pool_sites); i++)
		add(all,
		    mem_format("site %s/@%s", pool_name(plan, pool_sites[i].pool),
			       site_name(plan, i)),
		    pool_site_options(&pool_sites[i]));
	for (uint32_t i = 0; i < plan_count(plan, nodes); i++)
		add(all,
		    mem_format("node %s/%s", pool_name(plan, nodes[i].pool), node_name(plan, i)),
		    node_options(plan, &nodes[i]));
	for (uint32_t i = 0; i < plan_count(plan, hooks); i++)
		add(all, mem_format("hook %u", i + 1), diff_hook(plan, i));
	return all;
}

/* --- comparing --------------------------------------------------------------------------------- */

static json_t *option_line(const char *option, const json_t *before, const json_t *after)
{
	return json_pack("{s:s, s:O?, s:O?}", "option", option, "before", before, "after", after);
}

static json_t *compare_options(json_t *before, json_t *after)
{
	json_t *list = json_array(), *value;
	const char *option;

	json_object_foreach(after, option, value)
	{
		const json_t *old = json_object_get(before, option);

		if (!json_equal(old, value))
			json_array_append_new(list, option_line(option, old, value));
	}
	json_object_foreach(before, option, value)
	{
		if (json_object_get(after, option) == NULL)
			json_array_append_new(list, option_line(option, value, NULL));
	}
	return list;
}

static void tell(json_t *list, const char *object, const char *change, json_t *options)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "object", object, "change", change,
					      "options", options));
}

static void compare_object(json_t *list, const char *object, json_t *before, json_t *after)
{
	json_t *options;

	if (before == NULL) {
		tell(list, object, "added", json_array());
		return;
	}
	options = compare_options(before, after);
	if (json_array_size(options) > 0)
		tell(list, object, "changed", options);
	else
		json_decref(options);
}

json_t *diff_plans(const struct image *before, const struct image *after)
{
	json_t *old = describe(before), *new = describe(after), *list = json_array(), *options;
	const char *object;

	json_object_foreach(new, object, options)
		compare_object(list, object, json_object_get(old, object), options);
	json_object_foreach(old, object, options)
	{
		if (json_object_get(new, object) == NULL)
			tell(list, object, "removed", json_array());
	}
	if (has_other_secrets(before, after))
		tell(list, "cookie-secrets", "changed", json_array());
	if (has_other_boot(before, after))
		tell(list, "listen, workers, socket-affinity, user, state, run or log target",
		     "for the next start", json_array());
	json_decref(old);
	json_decref(new);
	return list;
}
