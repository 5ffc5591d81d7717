/* A pool file's probes. */
#include <string.h>

#include "conf/pool_parts.h"

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

/* Never longer than the interval. */
static const char *default_timeout(struct conf *conf, const void *out)
{
	const struct config_probe *probe = out;

	return conf_duration_text(conf, probe->interval_ms < 2000 ? probe->interval_ms : 2000);
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
	  .min = 10, .max = 60000, .dflt = "2s", .dflt_from = default_timeout,
	  .manual = "when a check without an answer has failed; at most the interval, which it "
		    "is by default where that is shorter" },
	{ "fall", OPTION_NUMBER, OPTION_FIELD(struct config_probe, fall), .min = 1, .max = 100,
	  .counts = "failures", .dflt = "3", .manual = "failures in a row that make a node down" },
	{ "rise", OPTION_NUMBER, OPTION_FIELD(struct config_probe, rise), .min = 1, .max = 100,
	  .counts = "successes", .dflt = "2",
	  .manual = "successes in a row that make a node up again" },
	{ "jitter", OPTION_NUMBER, OPTION_FIELD(struct config_probe, jitter_percent), .max = 50,
	  .suffix = "%", .dflt = "10%",
	  .manual = "the part by which an interval may be shortened, at random" },
};

const struct option_section probe_section = OPTION_SECTION("pool: probes[]", probe_options);

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
	if (timeout != NULL && probe->timeout_ms > probe->interval_ms)
		conf_error(conf, &timeout->place, "timeout %s is longer than interval %s",
			   conf_duration_text(conf, probe->timeout_ms),
			   conf_duration_text(conf, probe->interval_ms));
}

void probes_read(struct conf *conf, const struct yaml_node *value, void *out)
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

void probes_check(struct conf *conf, const struct config_pool *pool)
{
	for (size_t s = 0; pool->probe_count > 0 && s < pool->site_count; s++) {
		for (size_t n = 0; n < pool->sites[s].node_count; n++) {
			if (pool->sites[s].nodes[n].address_count > 0)
				check_coverage(conf, pool, &pool->sites[s].nodes[n]);
		}
	}
}
