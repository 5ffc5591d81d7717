/* A pool file: options, probes, fallback, persistence. Its nodes and rules are in nodes.c and
 * rules.c. */
#include <string.h>

#include "conf/links.h"
#include "conf/parts.h"
#include "conf/pool_parts.h"
#include "conf/seen.h"

#define ALPN_IDS_MAX 64

/* --- persistence ------------------------------------------------------------------------------ */

struct prefix_lengths {
	uint32_t v4, v6;
};

static const struct option persistence_options[] = {
	{ "v4", OPTION_NUMBER, OPTION_FIELD(struct prefix_lengths, v4), .min = 1, .max = 32,
	  .dflt = "24", .manual = "prefix length of an IPv4 client network" },
	{ "v6", OPTION_NUMBER, OPTION_FIELD(struct prefix_lengths, v6), .min = 1, .max = 128,
	  .dflt = "56", .manual = "prefix length of an IPv6 client network" },
};

static const struct option_section persistence_section = OPTION_SECTION("pool: persistence",
									persistence_options);

static void read_persistence(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct yaml_node no_options = { .kind = YAML_MAP };
	struct config_pool *pool = out;
	struct prefix_lengths lengths = { 0 };
	bool none = value->kind == YAML_SCALAR && strcmp(value->text, "none") == 0;

	if (value->kind == YAML_SCALAR && !none && strcmp(value->text, "subnet") != 0) {
		conf_error(conf, &value->place,
			   "\"%.100s\" is not subnet, none or prefix lengths such as "
			   "{ v4: 24, v6: 56 }",
			   value->text);
		return;
	}
	option_read_map(conf, &persistence_section,
			value->kind == YAML_SCALAR ? &no_options : value, &value->place, &lengths);
	pool->persistence = none ? PERSISTENCE_NONE : PERSISTENCE_SUBNET;
	pool->persistence_v4 = (uint8_t)lengths.v4;
	pool->persistence_v6 = (uint8_t)lengths.v6;
}

/* --- fallback --------------------------------------------------------------------------------- */

#define FALLBACK_ACCEPTS "all, last-good, nearest, none, pool:NAME or a list of addresses"

static const struct {
	const char *word;
	enum fallback fallback;
} fallbacks[] = {
	{ "all", FALLBACK_ALL },
	{ "last-good", FALLBACK_LAST_GOOD },
	{ "nearest", FALLBACK_NEAREST },
	{ "none", FALLBACK_NONE },
};

#define FALLBACK_COUNT (sizeof(fallbacks) / sizeof(fallbacks[0]))

static void refuse_fallback(struct conf *conf, const struct yaml_node *value)
{
	const char *words[FALLBACK_COUNT];

	for (size_t i = 0; i < FALLBACK_COUNT; i++)
		words[i] = fallbacks[i].word;
	conf_error(conf, &value->place, "\"%.100s\" is not " FALLBACK_ACCEPTS "%s", value->text,
		   conf_hint(conf, value->text, words, FALLBACK_COUNT));
}

static void read_fallback(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	bool word = value->kind == YAML_SCALAR;
	struct ip_address address;

	for (size_t i = 0; word && i < FALLBACK_COUNT; i++) {
		if (strcmp(fallbacks[i].word, value->text) == 0) {
			pool->fallback = fallbacks[i].fallback;
			return;
		}
	}
	if (word && strncmp(value->text, "pool:", 5) == 0) {
		pool->fallback = FALLBACK_POOL;
		link_remember(conf, value, value->text + 5, &pool->fallback_pool);
	} else if (word && !ip_parse(value->text, &address)) {
		refuse_fallback(conf, value);
	} else {
		pool->fallback = FALLBACK_ADDRESSES;
		addresses_read(conf, value, &pool->fallback_addresses,
			       &pool->fallback_address_count);
	}
}

static void read_backup(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the name of a pool"))
		link_remember(conf, value, value->text, &pool->backup);
}

/* --- probes ----------------------------------------------------------------------------------- */

static const char *const kind_words[] = { "tcp", "icmp", NULL };

static void read_family(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_probe *probe = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "ipv4, ipv6 or both"))
		return;
	if (strcmp(value->text, "ipv4") == 0)
		probe->family = IP_V4;
	else if (strcmp(value->text, "ipv6") == 0)
		probe->family = IP_V6;
	else if (strcmp(value->text, "both") == 0)
		probe->family = 0;
	else
		conf_error(conf, &value->place, "\"%.100s\" is not ipv4, ipv6 or both",
			   value->text);
}

static const struct option probe_options[] = {
	{ "kind", OPTION_WORD, OPTION_FIELD(struct config_probe, kind), .words = kind_words,
	  .required = true, .manual = "tcp: a connection is accepted; icmp: an echo is answered" },
	{ "port", OPTION_NUMBER, OPTION_FIELD(struct config_probe, port), .min = 1, .max = 65535,
	  .manual = "the port to connect to; required for tcp" },
	{ "family", OPTION_OTHER, .read = read_family, .dflt = "both", .kind = "word",
	  .accepts = "ipv4, ipv6 or both",
	  .manual = "which of a node's addresses are probed; the verdict counts for the node" },
	{ "interval", OPTION_DURATION, OPTION_FIELD(struct config_probe, interval_ms), .unit_ms = 1,
	  .min = 100, .max = 3600000, .dflt = "5s",
	  .manual = "from the start of one check to the next" },
	{ "timeout", OPTION_DURATION, OPTION_FIELD(struct config_probe, timeout_ms), .unit_ms = 1,
	  .min = 10, .max = 60000, .dflt = "2s",
	  .manual = "when a check without an answer has failed; at most the interval, which it "
		    "is by default where that is shorter" },
	{ "fall", OPTION_NUMBER, OPTION_FIELD(struct config_probe, fall), .min = 1, .max = 100,
	  .dflt = "3", .manual = "failures in a row that make a node down" },
	{ "rise", OPTION_NUMBER, OPTION_FIELD(struct config_probe, rise), .min = 1, .max = 100,
	  .dflt = "2", .manual = "successes in a row that make a node up again" },
	{ "jitter", OPTION_NUMBER, OPTION_FIELD(struct config_probe, jitter_percent), .max = 50,
	  .dflt = "10", .manual = "percent by which an interval may be shortened, at random" },
};

static const struct option_section probe_section = OPTION_SECTION("pool: probes[]", probe_options);

static void check_probe(struct conf *conf, const struct yaml_node *item, struct config_probe *probe)
{
	const struct yaml_node *kind = yaml_get(item, "kind");
	const struct yaml_node *port = yaml_get(item, "port");
	const struct yaml_node *timeout = yaml_get(item, "timeout");

	if (kind != NULL && probe->kind == PROBE_TCP && port == NULL &&
	    strcmp(kind->text != NULL ? kind->text : "", "tcp") == 0)
		conf_error(conf, &kind->place, "a tcp probe needs a \"port\"");
	if (probe->kind == PROBE_ICMP && port != NULL)
		conf_error(conf, &port->key->place, "an icmp probe has no port");
	if (timeout == NULL && probe->timeout_ms > probe->interval_ms)
		probe->timeout_ms = probe->interval_ms;
	if (timeout != NULL && probe->timeout_ms > probe->interval_ms)
		conf_error(conf, &timeout->place, "timeout %s is longer than interval %s",
			   conf_duration_text(conf, probe->timeout_ms),
			   conf_duration_text(conf, probe->interval_ms));
}

static void read_probes(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct config_probe *probes;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of probes"))
		return;
	probes = arena_alloc(conf->arena, value->count * sizeof(*probes));
	yaml_foreach(item, value) {
		struct config_probe *probe = &probes[count++];

		probe->place = item->place;
		option_read_map(conf, &probe_section, item, &item->place, probe);
		if (item->kind == YAML_MAP)
			check_probe(conf, item, probe);
	}
	pool->probes = probes;
	pool->probe_count = count;
}

/* --- services --------------------------------------------------------------------------------- */

struct alpn_reading {
	uint8_t *value;
	size_t len;
};

static void read_alpn_id(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct alpn_reading *reading = context;
	size_t len = strlen(item->text);

	if (len == 0 || len > UINT8_MAX) {
		conf_error(conf, &item->place, "an ALPN id has 1 to 255 octets, this one has %zu",
			   len);
		return;
	}
	for (size_t at = 0; at < reading->len; at += 1U + reading->value[at]) {
		if (reading->value[at] == len &&
		    memcmp(reading->value + at + 1, item->text, len) == 0) {
			conf_error(conf, &item->place, "%.100s is listed twice", item->text);
			return;
		}
	}
	reading->value[reading->len] = (uint8_t)len;
	memcpy(reading->value + reading->len + 1, item->text, len);
	reading->len += 1 + len;
}

static void read_alpn(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct alpn_reading reading = { 0 };

	if (items_count(value) > ALPN_IDS_MAX) {
		conf_error(conf, &value->place, "there are at most %d ALPN ids", ALPN_IDS_MAX);
		return;
	}
	reading.value = arena_alloc(conf->arena, items_count(value) * (1 + UINT8_MAX));
	items_read(conf, value, "an ALPN id or a list of them", read_alpn_id, &reading);
	pool->alpn = reading.value;
	pool->alpn_len = reading.len;
}

/* --- the file --------------------------------------------------------------------------------- */

const char *const policy_words[] = { "nearest", "weighted", "failover", NULL };
static const char *const persistence_words[] = { "none", "subnet", NULL };

static void read_pool_name(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the name of a pool") &&
	    conf_name(conf, value, "pool"))
		pool->name = value->text;
}

/* These are read when the pool's sites are known, wherever they stand in the file. */
static void defer(struct conf *conf, const struct yaml_node *value, void *out)
{
	(void)conf;
	(void)value;
	(void)out;
}

static const struct option pool_options[] = {
	{ "pool", OPTION_OTHER, .required = true, .read = read_pool_name, .kind = "text",
	  .accepts = "1 to 63 of a-z, 0-9, \"-\"", .manual = "the pool's name" },
	{ "policy", OPTION_WORD, OPTION_FIELD(struct config_pool, policy), .words = policy_words,
	  .dflt = "nearest",
	  .manual = "nearest: sites by rule, then distance; weighted: all nodes by weight; "
		    "failover: sites in the file's order" },
	{ "persistence", OPTION_OTHER, .read = read_persistence, .dflt = "subnet",
	  .kind = "word or map", .accepts = "subnet, none, or prefix lengths { v4: 24, v6: 56 }",
	  .manual = "subnet: the same client network keeps the same node while it is up" },
	{ "persistence-without-ecs", OPTION_WORD,
	  OPTION_FIELD(struct config_pool, persistence_without_ecs), .words = persistence_words,
	  .dflt = "none",
	  .manual = "the same for queries without client subnet, whose source is a resolver that "
		    "may speak for many clients" },
	{ "fallback", OPTION_OTHER, .read = read_fallback, .dflt = "all", .kind = "word or list",
	  .accepts = FALLBACK_ACCEPTS,
	  .manual = "what is answered when no node is up; all: as if all were" },
	{ "backup", OPTION_OTHER, .read = read_backup, .kind = "text", .accepts = "name of a pool",
	  .manual = "the pool that takes the clients for whom no node of this one is up or has "
		    "room" },
	{ "strict-pair", OPTION_BOOL, OPTION_FIELD(struct config_pool, strict_pair),
	  .dflt = "false",
	  .manual = "a node without an address of the asked family gives no answer, instead of "
		    "the best node that has one" },
	{ "port", OPTION_NUMBER, OPTION_FIELD(struct config_pool, port), .min = 1, .max = 65535,
	  .manual = "the service's port at the nodes that name none, for SRV, HTTPS and SVCB" },
	{ "alpn", OPTION_OTHER, .read = read_alpn, .kind = "list",
	  .accepts = "one or a list of ALPN ids, such as h2",
	  .manual = "what HTTPS and SVCB records say of the protocols that the nodes speak" },
	{ "probes", OPTION_OTHER, .read = read_probes, .kind = "list", .accepts = "a list of maps",
	  .manual = "health checks; a node is up when all of them say so" },
	{ "sites", OPTION_OTHER, .required = true, .read = pool_sites_read, .kind = "map",
	  .accepts = "a map of sites of the server file to their nodes",
	  .manual = "the nodes of this pool" },
	{ "rules", OPTION_OTHER, .read = defer, .kind = "list", .accepts = "a list of maps",
	  .manual = "which clients prefer which sites, before distance; the most specific wins" },
	{ "geofence", OPTION_OTHER, .read = defer, .kind = "list", .accepts = "a list of maps",
	  .manual = "which clients are never sent to which sites; all that match hold" },
	{ "avoid", OPTION_OTHER, .read = defer, .kind = "list", .accepts = "a list of maps",
	  .manual = "which nodes count as down for which clients; all that match hold" },
};

const struct option_section pool_sections[] = {
	OPTION_SECTION("pool", pool_options),
	OPTION_SECTION("pool: persistence", persistence_options),
	OPTION_SECTION("pool: probes[]", probe_options),
};
const size_t pool_section_count = sizeof(pool_sections) / sizeof(pool_sections[0]);

/* A node that no probe looks at would count as up for ever. */
static void check_coverage(struct conf *conf, const struct config_pool *pool,
			   const struct config_node *node)
{
	for (size_t p = 0; p < pool->probe_count; p++) {
		for (size_t a = 0; a < node->address_count; a++) {
			uint8_t family = pool->probes[p].family;

			if (family == 0 || family == node->addresses[a].family)
				return;
		}
	}
	conf_warning(conf, &node->place,
		     "no probe looks at node \"%s\" (they are for the other family): it always "
		     "counts as up",
		     node->name);
}

static void set_steering(struct config_pool *pool)
{
	pool->fallback_pool = pool->backup = PLAN_NONE;
	pool->own_policy = POLICY_WEIGHTED;
	pool->answers = 1;
	pool->max_automatic_down = 50;
	pool->ttl_floor_s = 10;
	pool->ttl_ceiling_s = INT32_MAX;
}

void pool_read(struct conf *conf, const struct yaml_node *root, struct config_pool *pool)
{
	static const struct {
		const char *option;
		void (*read)(struct conf *conf, const struct yaml_node *value,
			     struct config_pool *pool);
	} deferred[] = { { "rules", rules_read },
			 { "geofence", fences_read },
			 { "avoid", avoids_read } };

	set_steering(pool);
	option_read_map(conf, &pool_sections[0], root, &root->place, pool);
	for (size_t i = 0; i < sizeof(deferred) / sizeof(deferred[0]); i++) {
		const struct yaml_node *value = yaml_get(root, deferred[i].option);

		if (value != NULL && !value->empty)
			deferred[i].read(conf, value, pool);
	}
	for (size_t s = 0; pool->probe_count > 0 && s < pool->site_count; s++) {
		for (size_t n = 0; n < pool->sites[s].node_count; n++) {
			if (pool->sites[s].nodes[n].address_count > 0)
				check_coverage(conf, pool, &pool->sites[s].nodes[n]);
		}
	}
}
