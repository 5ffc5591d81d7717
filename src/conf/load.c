/* A pool file's load: marks, pace and sources. */
#include <string.h>

#include "conf/pool_parts.h"
#include "conf/probe_kinds.h"

#define SOURCES_MAX 32

void sources_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct config_probe *probes;
	struct seen seen = { 0 };
	size_t count = pool->probe_count;

	if (!conf_expect(conf, value, YAML_LIST, "a list of sources"))
		return;
	if (value->count > SOURCES_MAX) {
		conf_error(conf, &value->place, "there are at most %d sources", SOURCES_MAX);
		return;
	}
	probes = arena_alloc(conf->arena, (count + value->count) * sizeof(*probes));
	for (size_t p = 0; p < count; p++) {
		probes[p] = pool->probes[p];
		(void)seen_add(&seen, probes[p].name, &probes[p].place);
	}
	yaml_foreach(item, value) {
		struct config_probe *probe = &probes[count++];

		probe_read(conf, item, PROBE_LOAD, probe);
		probe_name(conf, &seen, item, probe);
	}
	seen_free(&seen);
	pool->probes = probes;
	pool->probe_count = count;
}

static const char *default_stale(struct conf *conf, const void *out)
{
	const struct config_pool *pool = out;

	return conf_duration_text(conf, pool->load_age_ms);
}

static const struct option load_options[] = {
	{ "low-mark", OPTION_NUMBER, OPTION_FIELD(struct config_pool, load.low_percent), .max = 999,
	  .suffix = "%", .dflt = "60%", .manual = "up to this use a node has all of its weight" },
	{ "high-mark", OPTION_NUMBER, OPTION_FIELD(struct config_pool, load.high_percent), .min = 1,
	  .max = 1000, .suffix = "%", .dflt = "100%",
	  .manual = "from this use on it has the min-weight, and between them in a straight line" },
	{ "min-weight", OPTION_NUMBER, OPTION_FIELD(struct config_pool, load.floor_percent),
	  .min = 1, .max = 100, .suffix = "%", .dflt = "25%",
	  .manual = "the part of its weight that a node has in any case" },
	{ "smoothing", OPTION_DURATION, OPTION_FIELD(struct config_pool, load.smoothing_ms),
	  .unit_ms = 1000, .field_ms = 1, .max = 86400, .dflt = "10m",
	  .manual = "time constant of the exponential smoothing of each signal; 0s: none" },
	{ "step", OPTION_NUMBER, OPTION_FIELD(struct config_pool, load.step_percent), .min = 1,
	  .max = 100, .suffix = "%", .dflt = "10%",
	  .manual = "by so much of the configured weight it changes at a time at most" },
	{ "dwell", OPTION_DURATION, OPTION_FIELD(struct config_pool, load.dwell_ms),
	  .unit_ms = 1000, .field_ms = 1, .max = 86400, .dflt = "5m",
	  .manual = "from one change of a node's weight to its next at least" },
	{ "stale-after", OPTION_DURATION, OPTION_FIELD(struct config_pool, load.stale_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 86400, .dflt = "load-max-age",
	  .dflt_from = default_stale,
	  .manual =
		  "a signal that is older begins to lose its say, and has none at twice the age" },
	{ "probe-loss", OPTION_NUMBER, OPTION_FIELD(struct config_pool, load.loss_percent),
	  .min = 1, .max = 100, .suffix = "%",
	  .manual = "so many lost probes of a node count as full, as signal probe-loss" },
	{ "probe-rtt", OPTION_DURATION, OPTION_FIELD(struct config_pool, load.rtt_ms), .unit_ms = 1,
	  .min = 1, .max = 60000,
	  .manual = "so long a round-trip time counts as full, as signal probe-rtt" },
	{ "sources", OPTION_OTHER, .read = sources_read, .kind = "list",
	  .accepts = "a list of maps", .manual = "where signals come from, beside reports" },
};

static void check_marks(struct conf *conf, const struct option_map *map, void *out)
{
	const struct config_pool *pool = out;

	if (pool->load.low_percent >= pool->load.high_percent)
		option_contradiction(conf, map, "low-mark", "high-mark",
				     "low-mark %u%% is not below high-mark %u%%",
				     pool->load.low_percent, pool->load.high_percent);
}

const struct option_section load_section = { .name = "pool: load",
					     .options = load_options,
					     .count = OPTION_COUNT(load_options),
					     .check = check_marks };

/* Nothing follows load where it is not written. */
void load_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;

	pool->load.on = value->kind == YAML_MAP;
	if (value->kind == YAML_SCALAR && strcmp(value->text, "off") != 0)
		conf_error(conf, &value->place,
			   "\"%.100s\" is not off or a map such as { low-mark: 60%% }",
			   value->text);
}
