/* A pool file's probes. */
#include <stdlib.h>
#include <string.h>

#include "conf/pool_parts.h"
#include "conf/probe_kinds.h"

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

/* Who says that a node is down needs not say so three times. */
static const char *default_fall(struct conf *conf, const void *out)
{
	const struct config_probe *probe = out;

	(void)conf;
	return probe_kind_rows[probe->kind]->statement ? "1" : "3";
}

static const char *default_rise(struct conf *conf, const void *out)
{
	const struct config_probe *probe = out;

	(void)conf;
	return probe_kind_rows[probe->kind]->statement ? "1" : "2";
}

static bool has_role(const struct probe_kind_row *row, unsigned role)
{
	return (row->roles & role) != 0;
}

static const struct probe_kind_row *find_row(const char *word, unsigned role)
{
	for (size_t i = 0; i < PROBE_KINDS; i++) {
		if (has_role(probe_kind_rows[i], role) && strcmp(probe_kind_name[i], word) == 0)
			return probe_kind_rows[i];
	}
	return NULL;
}

/* The kinds that may have this role; NULL at the end. */
static const char *const *role_words(struct conf *conf, unsigned role, size_t *count)
{
	const char **words = arena_alloc(conf->arena, (PROBE_KINDS + 1) * sizeof(*words));

	*count = 0;
	for (size_t i = 0; i < PROBE_KINDS; i++) {
		if (has_role(probe_kind_rows[i], role))
			words[(*count)++] = probe_kind_name[i];
	}
	return words;
}

/* There is such a kind, and it belongs in the other list. */
static void report_role(struct conf *conf, const struct yaml_node *value, unsigned role)
{
	conf_error(conf, &value->place, "\"%s\" %s", value->text,
		   role == PROBE_LOAD ? "cannot tell a load: it belongs in \"probes\""
				      : "tells a load, and no health: it belongs in \"sources\" of "
					"\"load\"");
}

static void read_kind(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_probe *probe = out;
	size_t count;
	const char *const *words = role_words(conf, probe->roles, &count);
	const char *list = conf_word_list(conf, words);
	const struct probe_kind_row *row;

	if (!conf_expect(conf, value, YAML_SCALAR, list))
		return;
	row = find_row(value->text, probe->roles);
	if (row != NULL)
		probe->kind = row->kind;
	else if (find_row(value->text, PROBE_HEALTH | PROBE_LOAD) != NULL)
		report_role(conf, value, probe->roles);
	else
		conf_error(conf, &value->place, "\"%.100s\" is not %s%s", value->text, list,
			   conf_hint(conf, value->text, words, count));
}

static void read_name(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_probe *probe = out;

	if (conf_expect(conf, value, YAML_SCALAR, "a name") && conf_name(conf, value, "probe"))
		probe->name = value->text;
}

static void read_signal(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_probe *probe = out;

	if (conf_expect(conf, value, YAML_SCALAR, "a name") && conf_name(conf, value, "signal"))
		probe->signal = value->text;
}

static void read_source(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct config_probe *probe = context;
	struct ip_address address, *out;

	if (!ip_parse(item->text, &address)) {
		conf_error(conf, &item->place, "\"%.100s\" is neither an IPv4 nor an IPv6 address",
			   item->text);
		return;
	}
	out = address.family == IP_V4 ? &probe->source_v4 : &probe->source_v6;
	if (out->family != 0)
		conf_error(conf, &item->place, "there is an IPv%u address already",
			   (unsigned)address.family);
	*out = address;
}

static void read_sources(struct conf *conf, const struct yaml_node *value, void *out)
{
	items_read(conf, value, "an address, or one of each family", read_source, out);
}

static const struct option probe_options[] = {
	{ "kind", OPTION_OTHER, .required = true, .read = read_kind, .kind = "word",
	  .accepts = "one of the kinds of probe", .manual = "what is asked of the node" },
	{ "name", OPTION_OTHER, .read = read_name, .kind = "text",
	  .accepts = "a name that no other probe of the pool has",
	  .manual = "what it is called in messages; by default its kind" },
	{ "port", OPTION_NUMBER, OPTION_FIELD(struct config_probe, port), .min = 1, .max = 65535,
	  .manual = "the port that is probed; what it is by default is said of each kind" },
	{ "source", OPTION_OTHER, .read = read_sources, .kind = "list",
	  .accepts = "an IPv4 address, an IPv6 address or one of each",
	  .manual = "this machine's address that probes come from; by default the kernel chooses" },
	{ "family", OPTION_OTHER, .read = read_family, .dflt = "both", .kind = "word",
	  .accepts = "ipv4, ipv6 or both",
	  .manual = "which of a node's addresses are probed; where no probe looks at the other "
		    "family, the verdict counts for it, too" },
	{ "interval", OPTION_DURATION, OPTION_FIELD(struct config_probe, interval_ms), .unit_ms = 1,
	  .min = 100, .max = 3600000, .dflt = "5s",
	  .manual = "from the start of one check to the next" },
	{ "timeout", OPTION_DURATION, OPTION_FIELD(struct config_probe, timeout_ms), .unit_ms = 1,
	  .min = 10, .max = 60000, .dflt = "2s", .dflt_from = default_timeout,
	  .manual = "when a check without an answer has failed; at most the interval, which it "
		    "is by default where that is shorter" },
	{ "fall", OPTION_NUMBER, OPTION_FIELD(struct config_probe, fall), .min = 1,
	  .max = PLAN_RESULTS_MAX, .counts = "failures", .dflt = "3", .dflt_from = default_fall,
	  .manual = "failures in a row that make a check down" },
	{ "rise", OPTION_NUMBER, OPTION_FIELD(struct config_probe, rise), .min = 1,
	  .max = PLAN_RESULTS_MAX, .counts = "successes", .dflt = "2", .dflt_from = default_rise,
	  .manual = "successes in a row that make it up again" },
	{ "jitter", OPTION_NUMBER, OPTION_FIELD(struct config_probe, jitter_percent), .max = 50,
	  .suffix = "%", .dflt = "10%",
	  .manual = "the part by which an interval may be shortened, at random" },
};

const struct option_section probe_section = OPTION_SECTION("pool: probes[]", probe_options);

static const struct option source_options[] = {
	{ "signal", OPTION_OTHER, .read = read_signal, .kind = "text",
	  .accepts = "a name; several sources may have the same",
	  .manual = "what is told here of a node; by default the source's name" },
};

const struct option_section source_section = OPTION_SECTION("pool: load.sources[]", source_options);

static const char *kind_with_article(struct conf *conf, enum probe_kind kind)
{
	const char *name = probe_kind_name[kind];

	return conf_text(conf, "%s %s", strchr("aeio", name[0]) != NULL ? "an" : "a", name);
}

static void check_port(struct conf *conf, const struct yaml_node *item,
		       const struct probe_kind_row *row, struct config_probe *probe)
{
	const struct yaml_node *port = yaml_get(item, "port");

	if (row->port == PROBE_PORT_NONE && port != NULL)
		conf_error(conf, &port->key->place, "%s probe has no port",
			   kind_with_article(conf, row->kind));
	if (row->port == PROBE_PORT_REQUIRED && port == NULL)
		conf_error(conf, &yaml_get(item, "kind")->place, "%s probe needs a \"port\"",
			   kind_with_article(conf, row->kind));
	if (row->port > 0 && port == NULL)
		probe->port = (uint16_t)row->port;
}

static void check_times(struct conf *conf, const struct yaml_node *item,
			const struct config_probe *probe)
{
	const struct yaml_node *timeout = yaml_get(item, "timeout");

	if (timeout != NULL && probe->timeout_ms > probe->interval_ms)
		conf_error(conf, &timeout->place, "timeout %s is longer than interval %s",
			   conf_duration_text(conf, probe->timeout_ms),
			   conf_duration_text(conf, probe->interval_ms));
}

/* Which keys there are has been looked at. */
static void read_section(struct conf *conf, const struct yaml_node *item,
			 const struct option_section *section, void *options)
{
	struct option_section own = *section;

	own.unchecked = true;
	own.beside = NULL;
	option_read_map(conf, &own, item, &item->place, options);
}

/* The options of the kind alone, and the settings that they make. */
static void read_own(struct conf *conf, const struct yaml_node *item,
		     const struct probe_kind_row *row, struct config_probe *probe)
{
	void *options = arena_alloc(conf->arena, row->section->size);
	struct buf settings = { 0 };
	unsigned errors = diag_errors(conf->diag);

	read_section(conf, item, row->section, options);
	if (row->shared != NULL)
		read_section(conf, item, row->shared, options);
	if (diag_errors(conf->diag) == errors)
		row->settle(conf, item, probe, options, &settings);
	if (settings.len > 0)
		probe->settings = arena_copy(conf->arena, settings.data, settings.len);
	probe->settings_len = (uint32_t)settings.len;
	buf_free(&settings);
}

/* Which options there may be beside the common ones. `room` is for copies of the kind's sections. */
static const struct option_section *beside(const struct probe_kind_row *row, unsigned role,
					   struct option_section room[2])
{
	const struct option_section *source = role == PROBE_LOAD ? &source_section : NULL;

	if (row == NULL || row->section == NULL)
		return source;
	room[0] = *row->section;
	room[0].beside = source;
	if (row->shared != NULL) {
		room[1] = *row->shared;
		room[1].beside = source;
		room[0].beside = &room[1];
	}
	return room;
}

static void read_source_part(struct conf *conf, const struct yaml_node *item,
			     struct config_probe *probe)
{
	struct option_section source = source_section;

	source.unchecked = true;
	option_read_map(conf, &source, item, &item->place, probe);
	if (yaml_get(item, "name") == NULL && probe->signal != NULL)
		probe->name = probe->signal;
	if (probe->signal == NULL)
		probe->signal = probe->name;
}

void probe_read(struct conf *conf, const struct yaml_node *item, unsigned role,
		struct config_probe *probe)
{
	struct option_section common = probe_section, room[2];
	const struct yaml_node *kind = item->kind == YAML_MAP ? yaml_get(item, "kind") : NULL;
	const struct probe_kind_row *row = NULL;

	if (kind != NULL && kind->kind == YAML_SCALAR && kind->empty)
		kind = NULL; /* as where none is given: that it has no value is told below */
	if (kind != NULL && kind->kind == YAML_SCALAR)
		row = find_row(kind->text, role);
	probe->roles = (uint8_t)role;
	probe->place = item->place;
	probe->name = "?";
	common.beside = beside(row, role, room);
	common.unchecked = row == NULL && kind != NULL; /* whose options they are is not known */
	option_read_map(conf, &common, item, &item->place, probe);
	if (row == NULL)
		return;
	probe->addressless = row->addressless;
	if (yaml_get(item, "name") == NULL)
		probe->name = probe_kind_name[row->kind];
	if (role == PROBE_LOAD)
		read_source_part(conf, item, probe);
	check_port(conf, item, row, probe);
	check_times(conf, item, probe);
	if (row->section != NULL)
		read_own(conf, item, row, probe);
}

void probe_name(struct conf *conf, struct seen *seen, const struct yaml_node *item,
		struct config_probe *probe)
{
	bool own = item->kind == YAML_MAP && yaml_get(item, "name") != NULL;
	const char *base = probe->name;
	const struct place *before = seen_add(seen, probe->name, &probe->place);

	if (before != NULL && own)
		conf_error(conf, &yaml_get(item, "name")->place,
			   "probe \"%.100s\" is already in line %u", probe->name, before->line);
	for (unsigned n = 2; before != NULL && !own; n++) {
		probe->name = conf_text(conf, "%s-%u", base, n);
		before = seen_add(seen, probe->name, &probe->place);
	}
}

void settings_put_text(struct buf *settings, size_t field, const char *text, size_t len)
{
	struct probe_text at = { (uint32_t)settings->len, (uint32_t)len };

	if (text == NULL)
		return;
	buf_append(settings, text, len);
	(void)buf_reserve(settings, 1);
	memcpy(settings->data + field, &at, sizeof(at));
}

void probes_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct config_probe *probes;
	struct seen seen = { 0 };
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of probes"))
		return;
	probes = arena_alloc(conf->arena, value->count * sizeof(*probes));
	yaml_foreach(item, value) {
		struct config_probe *probe = &probes[count++];

		probe_read(conf, item, PROBE_HEALTH, probe);
		probe_name(conf, &seen, item, probe);
	}
	seen_free(&seen);
	pool->probes = probes;
	pool->probe_count = count;
}

#define REQUIRE_MAX 100

/* "all" is 0: however many there are. */
void require_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	unsigned long number;
	char *end;

	if (!conf_expect(conf, value, YAML_SCALAR, "all, any or a number of probes"))
		return;
	if (strcmp(value->text, "all") == 0 || strcmp(value->text, "any") == 0) {
		pool->require = value->text[1] == 'n';
		return;
	}
	number = strtoul(value->text, &end, 10);
	if (value->text[0] < '0' || value->text[0] > '9' || *end != '\0')
		conf_error(conf, &value->place, "\"%.100s\" is not all, any or a number of probes",
			   value->text);
	else if (number < 1 || number > REQUIRE_MAX)
		conf_error(conf, &value->place, "%.100s is out of range: 1 to %d probes",
			   value->text, REQUIRE_MAX);
	else
		pool->require = (uint8_t)number;
}

/* A node that no probe looks at would count as up for ever. */
static void check_coverage(struct conf *conf, const struct config_pool *pool,
			   const struct config_node *node)
{
	for (size_t p = 0; p < pool->probe_count; p++) {
		for (size_t a = 0; a < node->address_count; a++) {
			uint8_t family = pool->probes[p].family;

			if ((pool->probes[p].roles & PROBE_HEALTH) != 0 &&
			    (family == 0 || pool->probes[p].addressless ||
			     family == node->addresses[a].family))
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
	bool any = false;

	for (size_t p = 0; p < pool->probe_count; p++)
		any |= (pool->probes[p].roles & PROBE_HEALTH) != 0;
	for (size_t s = 0; any && s < pool->site_count; s++) {
		for (size_t n = 0; n < pool->sites[s].node_count; n++) {
			if (pool->sites[s].nodes[n].address_count > 0)
				check_coverage(conf, pool, &pool->sites[s].nodes[n]);
		}
	}
}
