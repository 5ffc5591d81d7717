/* A pool file: options, probes, fallback, persistence. Its nodes and rules are in nodes.c and
 * rules.c. */
#include <string.h>

#include "conf/links.h"
#include "conf/parts.h"
#include "conf/pool_parts.h"
#include "conf/seen.h"

#define ALPN_IDS_MAX 64

/* --- persistence ------------------------------------------------------------------------------ */

static const struct option persistence_options[] = {
	{ "v4", OPTION_NUMBER, OPTION_FIELD(struct config_pool, persistence_v4), .min = 1,
	  .max = 32, .counts = "bits", .dflt = "24",
	  .manual = "prefix length of an IPv4 client network" },
	{ "v6", OPTION_NUMBER, OPTION_FIELD(struct config_pool, persistence_v6), .min = 1,
	  .max = 128, .counts = "bits", .dflt = "56",
	  .manual = "prefix length of an IPv6 client network" },
};

static const struct option_section persistence_section = OPTION_SECTION("pool: persistence",
									persistence_options);

static void read_persistence(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	bool word = value->kind == YAML_SCALAR;

	pool->persistence = PERSISTENCE_SUBNET;
	if (word && strcmp(value->text, "none") == 0)
		pool->persistence = PERSISTENCE_NONE;
	else if (word && strcmp(value->text, "subnet") != 0)
		conf_error(conf, &value->place,
			   "\"%.100s\" is not subnet, none or prefix lengths such as "
			   "{ v4: 24, v6: 56 }",
			   value->text);
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

/* --- steering --------------------------------------------------------------------------------- */

const char *const policy_words[] = { "nearest", "weighted", "failover", "round-robin", NULL };
static const char *const persistence_words[] = { "none", "subnet", NULL };
static const char *const spread_words[] = { "node", "site", NULL };
static const char *const order_words[] = { "preference", "shuffled", NULL };

static const struct option band_options[] = {
	{ "percent", OPTION_NUMBER, OPTION_FIELD(struct config_pool, band_percent), .max = 100,
	  .suffix = "%", .dflt = "0%",
	  .manual = "sites that are farther than the nearest by this much at most are as near" },
	{ "km", OPTION_NUMBER, OPTION_FIELD(struct config_pool, band_km), .max = 20000,
	  .suffix = "km", .dflt = "0km",
	  .manual = "sites that are as near as this are all equally near" },
};

static const struct option_section band_section = OPTION_SECTION("pool: band", band_options);

static void read_ceiling(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct duration duration = { 1, 365 * 86400, 1000, "none" };
	struct config_pool *pool = out;

	pool->ttl_ceiling_s = INT32_MAX;
	if (value->kind != YAML_SCALAR || strcmp(value->text, "none") != 0)
		(void)conf_duration(conf, value, &duration, &pool->ttl_ceiling_s);
}

static const struct option ttl_options[] = {
	{ "floor", OPTION_DURATION, OPTION_FIELD(struct config_pool, ttl_floor_s), .unit_ms = 1000,
	  .max = 86400, .dflt = "10s",
	  .manual = "a TTL is not lowered below this while something is about to change" },
	{ "ceiling", OPTION_OTHER, .read = read_ceiling, .dflt = "none", .kind = "duration",
	  .accepts = "none or 1s..365d", .manual = "no TTL is longer" },
};

static void check_ttl(struct conf *conf, const struct option_map *map, void *out)
{
	const struct config_pool *pool = out;

	if (pool->ttl_floor_s > pool->ttl_ceiling_s)
		option_contradiction(conf, map, "ceiling", "floor", "ceiling %s is below floor %s",
				     conf_duration_text(conf, pool->ttl_ceiling_s * UINT64_C(1000)),
				     conf_duration_text(conf, pool->ttl_floor_s * UINT64_C(1000)));
}

static const struct option_section ttl_section = { .name = "pool: ttl",
						   .options = ttl_options,
						   .count = OPTION_COUNT(ttl_options),
						   .check = check_ttl };

/* --- flapping --------------------------------------------------------------------------------- */

static const struct option flap_options[] = {
	{ "half-life", OPTION_DURATION, OPTION_FIELD(struct config_pool, flap_half_life_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 86400, .dflt = "10m",
	  .manual = "a check that goes down twice within this time needs more successes" },
	{ "max-hold", OPTION_DURATION, OPTION_FIELD(struct config_pool, flap_max_hold_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = PLAN_HOLD_MAX_S, .dflt = "5m",
	  .manual = "but never so many that they take longer than this" },
};

static const struct option_section flap_section = OPTION_SECTION("pool: flap", flap_options);

static void read_flap(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;

	pool->flap_off = value->kind == YAML_SCALAR && strcmp(value->text, "off") == 0;
	if (value->kind == YAML_SCALAR && !pool->flap_off)
		conf_error(conf, &value->place,
			   "\"%.100s\" is not off, or limits such as { half-life: 10m }",
			   value->text);
}

static const struct option ramp_options[] = {
	{ "from", OPTION_NUMBER, OPTION_FIELD(struct config_pool, ramp_percent), .min = 1,
	  .max = 100, .suffix = "%", .dflt = "10%",
	  .manual = "the part of its weight that a node has when it is up again" },
	{ "time", OPTION_DURATION, OPTION_FIELD(struct config_pool, ramp_ms), .unit_ms = 1000,
	  .field_ms = 1, .max = 86400, .dflt = "60s",
	  .manual = "how long it takes until it has all of it; 0s: no time" },
};

static const struct option_section ramp_section = OPTION_SECTION("pool: ramp", ramp_options);

/* --- the file --------------------------------------------------------------------------------- */

static void read_pool_name(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the name of a pool") &&
	    conf_name(conf, value, "pool"))
		pool->name = value->text;
}

#define INHERITED .above = LEVEL_DEFAULTS

static const struct option pool_options[] = {
	{ "pool", OPTION_OTHER, .required = true, .read = read_pool_name, .kind = "text",
	  .accepts = "1 to 63 of a-z, 0-9, \"-\"", .manual = "the pool's name" },
	{ "policy", OPTION_WORD, OPTION_FIELD(struct config_pool, policy), INHERITED,
	  .words = policy_words, .dflt = "nearest",
	  .manual = "nearest: sites by rule, then distance; weighted: all nodes by weight; "
		    "failover: sites by priority; round-robin: all nodes alike" },
	{ "own-networks", OPTION_WORD, OPTION_FIELD(struct config_pool, own_policy), INHERITED,
	  .words = policy_words, .dflt = "weighted",
	  .manual = "the policy for clients of the server's own networks" },
	{ "band", OPTION_MAP, INHERITED, .section = &band_section,
	  .manual = "how much farther a site may be and count as equally near" },
	{ "persistence", OPTION_MAP, INHERITED, .section = &persistence_section,
	  .read = read_persistence, .dflt = "subnet", .kind = "word or map",
	  .accepts = "subnet, none, or prefix lengths { v4: 24, v6: 56 }",
	  .manual = "subnet: the same client network keeps the same node while it is up" },
	{ "persistence-without-ecs", OPTION_WORD,
	  OPTION_FIELD(struct config_pool, persistence_without_ecs), INHERITED,
	  .words = persistence_words, .dflt = "none",
	  .manual = "the same for queries without client subnet, whose source is a resolver that "
		    "may speak for many clients" },
	{ "answers", OPTION_NUMBER, OPTION_FIELD(struct config_pool, answers), INHERITED, .min = 1,
	  .max = PLAN_ANSWERS_MAX, .counts = "nodes", .dflt = "1", .manual = "nodes in an answer" },
	{ "spread", OPTION_WORD, OPTION_FIELD(struct config_pool, spread), INHERITED,
	  .words = spread_words, .dflt = "site",
	  .manual = "what the nodes of an answer are to differ in" },
	{ "spare", OPTION_NUMBER, OPTION_FIELD(struct config_pool, spare), INHERITED,
	  .max = PLAN_ANSWERS_MAX - 1, .counts = "nodes", .dflt = "0",
	  .manual = "how many of the nodes in an answer are far away" },
	{ "spare-distance", OPTION_NUMBER, OPTION_FIELD(struct config_pool, spare_km), INHERITED,
	  .max = 20000, .suffix = "km", .dflt = "1000km",
	  .manual = "how far from the first node's site a spare is at least" },
	{ "order", OPTION_WORD, OPTION_FIELD(struct config_pool, order), INHERITED,
	  .words = order_words, .dflt = "preference",
	  .manual = "the order of the records in an answer" },
	{ "fallback", OPTION_OTHER, INHERITED, .read = read_fallback, .dflt = "all",
	  .kind = "word or list", .accepts = FALLBACK_ACCEPTS,
	  .manual = "what is answered when no node is up; all: as if all were" },
	{ "backup", OPTION_OTHER, .read = read_backup, .kind = "text", .accepts = "name of a pool",
	  .manual = "the pool that takes the clients for whom no node of this one is up or has "
		    "room" },
	{ "max-automatic-down", OPTION_NUMBER, OPTION_FIELD(struct config_pool, max_automatic_down),
	  INHERITED, .max = 100, .suffix = "%", .dflt = "50%",
	  .manual = "with a larger part of the nodes down there is an alarm" },
	{ "freeze", OPTION_BOOL, OPTION_FIELD(struct config_pool, freeze), INHERITED,
	  .dflt = "false", .manual = "beyond that, further nodes that fail stay in" },
	{ "ttl", OPTION_MAP, INHERITED, .section = &ttl_section, .manual = "limits of the TTL" },
	{ "load-max-age", OPTION_DURATION, OPTION_FIELD(struct config_pool, load_age_ms), INHERITED,
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 86400, .dflt = "5m",
	  .manual = "older reports of load count no more" },
	{ "ramp", OPTION_MAP, INHERITED, .section = &ramp_section,
	  .manual = "how a node that was down gets its clients back" },
	{ "strict-pair", OPTION_BOOL, OPTION_FIELD(struct config_pool, strict_pair), INHERITED,
	  .dflt = "false",
	  .manual = "a node without an address of the asked family gives no answer, instead of "
		    "the best node that has one" },
	{ "alpn", OPTION_OTHER, .read = read_alpn, .kind = "list",
	  .accepts = "one or a list of ALPN ids, such as h2",
	  .manual = "what HTTPS and SVCB records say of the protocols that the nodes speak" },
	{ "require", OPTION_OTHER, INHERITED, .read = require_read, .dflt = "all",
	  .kind = "word or number", .accepts = "all, any or 1..100 probes",
	  .manual = "how many of its probes must be up for a node to be up" },
	{ "flap", OPTION_MAP, INHERITED, .section = &flap_section, .read = read_flap,
	  .kind = "word or map", .accepts = "off, or a map",
	  .manual = "how checks that go down again and again are held down for longer" },
	{ "probes", OPTION_OTHER, INHERITED, .read = probes_read, .kind = "list",
	  .accepts = "a list of maps",
	  .manual = "health checks; see require for how they combine" },
	{ "load", OPTION_MAP, INHERITED, .section = &load_section, .read = load_read,
	  .kind = "word or map", .accepts = "off, or a map; { } for all its defaults",
	  .manual = "how the weights of nodes follow their load" },
	/* What follows names sites and nodes, so it is read after them. */
	{ "sites", OPTION_OTHER, .required = true, .read = pool_sites_read, .kind = "map",
	  .accepts = "a map of sites of the server file to their nodes",
	  .manual = "the nodes of this pool" },
	{ "rules", OPTION_OTHER, .read = rules_read, .kind = "list", .accepts = "a list of maps",
	  .manual = "which clients prefer which sites, before distance; the most specific wins" },
	{ "geofence", OPTION_OTHER, .read = fences_read, .kind = "list",
	  .accepts = "a list of maps",
	  .manual = "which clients are never sent to which sites; all that match hold" },
	{ "avoid", OPTION_OTHER, .read = avoids_read, .kind = "list", .accepts = "a list of maps",
	  .manual = "which nodes count as down for which clients; all that match hold" },
	{ "maintenance", OPTION_OTHER, .read = windows_read, .kind = "list",
	  .accepts = "a list of maps", .manual = "when which nodes get no clients" },
};

static const struct option_section *const below_pool[] = { &pool_site_section, &node_section,
							   NULL };

/* Of several nodes in an answer at least one is no spare. More probes than there are cannot be
 * up. */
static void check_pool(struct conf *conf, const struct option_map *map, void *out)
{
	const struct config_pool *pool = out;

	if (pool->spare >= pool->answers && pool->spare > 0)
		option_contradiction(conf, map, "spare", "answers",
				     "spare %u leaves nothing of answers %u: it must be less",
				     pool->spare, pool->answers);
	if (pool->require > pool->probe_count && pool->probe_count > 0)
		option_contradiction(conf, map, "require", "probes",
				     "require %u is more than there are probes: %zu", pool->require,
				     pool->probe_count);
}

const struct option_section pool_section = { .name = "pool",
					     .options = pool_options,
					     .count = OPTION_COUNT(pool_options),
					     .level = LEVEL_POOL,
					     .size = sizeof(struct config_pool),
					     .below = below_pool,
					     .check = check_pool };

const struct option_section *const pool_sections[] = {
	&pool_section,      &band_section,   &persistence_section,
	&ttl_section,       &flap_section,   &probe_section,
	&load_section,      &source_section, &prometheus_capacity_section,
	&pool_site_section, &spill_section,  &node_section,
	&rule_section,      &fence_section,  &avoid_section,
	&window_section,    &ramp_section,
};
const size_t pool_section_count = sizeof(pool_sections) / sizeof(pool_sections[0]);

/* Told where the pool itself asks for so many: what all pools inherit may be too much for some. */
static void check_spread(struct conf *conf, const struct yaml_node *root,
			 const struct config_pool *pool)
{
	const struct yaml_node *answers = yaml_get(root, "answers");
	size_t near = (size_t)(pool->answers - pool->spare);

	if (answers != NULL && pool->spread == SPREAD_SITE && pool->site_count > 0 &&
	    pool->answers > pool->spare && near > pool->site_count)
		conf_warning(
			conf, &answers->place,
			"no two of %zu nodes stand at one site (spread: site), and the pool has %zu "
			"site%s: answers will have fewer",
			near, pool->site_count, pool->site_count == 1 ? "" : "s");
}

void pool_read(struct conf *conf, const struct yaml_node *root, struct config_pool *pool)
{
	pool->fallback_pool = pool->backup = PLAN_NONE;
	option_read_map(conf, &pool_section, root, &root->place, pool);
	check_spread(conf, root, pool);
	probes_check(conf, pool);
}
