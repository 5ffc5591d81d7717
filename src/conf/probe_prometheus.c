/* Options of sources of kind prometheus. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conf/pool_parts.h"
#include "conf/probe_kinds.h"
#include "conf/secret_file.h"
#include "image/probe_prometheus.h"

struct prometheus_metric {
	const char *name;
	const char *labels; /* as in the settings */
	size_t labels_len;
	uint8_t combine;
};

struct prometheus_options {
	uint8_t scheme, preset;
	const char *host, *path;
	bool verify, inverse;
	uint8_t read;
	uint32_t body_max;
	struct secret_path ca;
	struct prometheus_metric metric, capacity;
	double capacity_number;
};

static const char *const scheme_words[] = { "http", "https", NULL };
static const char *const read_words[] = { "value", "rate", NULL };
static const char *const combine_words[] = { "sum", "max", "min", "avg", "count", NULL };
static const char *const preset_words[] = { "none", "node-cpu", "node-memory", "node-conntrack",
					    NULL };

enum preset { PRESET_NONE, PRESET_CPU, PRESET_MEMORY, PRESET_CONNTRACK };

/* --- what is written -------------------------------------------------------------------------- */

static bool is_name(const char *text, bool metric)
{
	if (*text == '\0' || isdigit((unsigned char)*text))
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && *text != '_' && !(metric && *text == ':'))
			return false;
	}
	return true;
}

static void read_metric_name(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct prometheus_metric *metric = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "the name of a metric"))
		return;
	if (is_name(value->text, true))
		metric->name = value->text;
	else
		conf_error(conf, &value->place, "\"%.100s\" is not the name of a metric",
			   value->text);
}

static void put_label(struct buf *labels, const char *name, const char *value)
{
	buf_append(labels, name, strlen(name) + 1);
	buf_append(labels, value, strlen(value) + 1);
}

static void read_label(struct conf *conf, const struct yaml_node *value, struct buf *labels)
{
	if (!is_name(value->key->text, false))
		conf_error(conf, &value->key->place, "\"%.100s\" is not the name of a label",
			   value->key->text);
	else if (value->kind == YAML_SCALAR)
		put_label(labels, value->key->text, value->text);
	else if (conf_expect(conf, value, YAML_LIST, "a value, or a list of them")) {
		yaml_foreach(item, value) {
			if (conf_expect(conf, item, YAML_SCALAR, "a value"))
				put_label(labels, value->key->text, item->text);
		}
	}
}

static void read_labels(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct prometheus_metric *metric = out;
	struct buf labels = { 0 };

	if (!conf_expect(conf, value, YAML_MAP, "a map of labels to their values"))
		return;
	yaml_foreach(item, value)
		read_label(conf, item, &labels);
	if (labels.len > 0)
		metric->labels = arena_copy(conf->arena, labels.data, labels.len);
	metric->labels_len = labels.len;
	buf_free(&labels);
}

static const struct option capacity_options[] = {
	{ "metric", OPTION_OTHER, .required = true, .read = read_metric_name, .kind = "text",
	  .accepts = "the name of a metric", .manual = "whose value is the capacity" },
	{ "labels", OPTION_OTHER, .read = read_labels, .kind = "map",
	  .accepts = "a map of labels to a value or a list of values",
	  .manual = "which of its series are meant" },
	{ "combine", OPTION_WORD, OPTION_FIELD(struct prometheus_metric, combine),
	  .words = combine_words, .dflt = "sum", .manual = "how several series make one value" },
};

const struct option_section prometheus_capacity_section = OPTION_SECTION(
	"pool: load.sources[].capacity", capacity_options);

static void read_capacity_number(struct conf *conf, const struct yaml_node *value, double *out)
{
	char *end;
	double number = strtod(value->text, &end);

	if (isdigit((unsigned char)value->text[0]) && *end == '\0' && number > 0 &&
	    isfinite(number))
		*out = number;
	else
		conf_error(conf, &value->place,
			   "\"%.100s\" is not a number above 0, nor a map such as "
			   "{ metric: NAME }",
			   value->text);
}

static void read_capacity(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct prometheus_options *options = out;

	if (value->kind == YAML_SCALAR)
		read_capacity_number(conf, value, &options->capacity_number);
	else if (conf_expect(conf, value, YAML_MAP, "a number, or a map such as { metric: NAME }"))
		option_read_map(conf, &prometheus_capacity_section, value, &value->place,
				&options->capacity);
}

static void read_metric(struct conf *conf, const struct yaml_node *value, void *out)
{
	read_metric_name(conf, value, &((struct prometheus_options *)out)->metric);
}

static void read_metric_labels(struct conf *conf, const struct yaml_node *value, void *out)
{
	read_labels(conf, value, &((struct prometheus_options *)out)->metric);
}

static void read_host(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct prometheus_options *options = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "a host name"))
		return;
	for (const char *at = value->text; *at != '\0'; at++) {
		if (!isalnum((unsigned char)*at) && *at != '-' && *at != '.') {
			conf_error(conf, &value->place, "\"%.100s\" is not a host name",
				   value->text);
			return;
		}
	}
	options->host = value->text;
}

static void read_path(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct prometheus_options *options = out;
	bool right = value->kind == YAML_SCALAR && value->text[0] == '/';

	for (const char *at = value->text; right && *at != '\0'; at++)
		right = isgraph((unsigned char)*at) && *at != '#';
	if (right)
		options->path = value->text;
	else
		conf_error(conf, &value->place,
			   "a path begins with /, and has no blanks, no # and nothing but ASCII");
}

static const char *check_certificates(const char *text, size_t len, void *context)
{
	(void)len;
	(void)context;
	return strstr(text, "-----BEGIN CERTIFICATE-----") != NULL ? NULL
								   : "has no certificate in PEM";
}

static void read_ca(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct secret_rule rule = { .open = true, .check = check_certificates };

	(void)secret_path_read(conf, value, &rule, &((struct prometheus_options *)out)->ca);
}

static const struct option prometheus_options[] = {
	{ "preset", OPTION_WORD, OPTION_FIELD(struct prometheus_options, preset),
	  .words = preset_words, .dflt = "none",
	  .manual = "a metric of node_exporter, with all that belongs to it" },
	{ "metric", OPTION_OTHER, .read = read_metric, .kind = "text",
	  .accepts = "the name of a metric", .manual = "what is measured" },
	{ "labels", OPTION_OTHER, .read = read_metric_labels, .kind = "map",
	  .accepts = "a map of labels to a value or a list of values",
	  .manual = "which of its series are meant" },
	{ "combine", OPTION_WORD, OPTION_FIELD(struct prometheus_options, metric.combine),
	  .words = combine_words, .dflt = "sum", .manual = "how several series make one value" },
	{ "read", OPTION_WORD, OPTION_FIELD(struct prometheus_options, read), .words = read_words,
	  .dflt = "value",
	  .manual = "the value; or, of counters, by how much they grow in a second" },
	{ "capacity", OPTION_OTHER, .read = read_capacity, .dflt = "1", .kind = "number or map",
	  .accepts = "a number above 0, or { metric: NAME, labels: ..., combine: ... }",
	  .manual = "what the value is a part of" },
	{ "inverse", OPTION_BOOL, OPTION_FIELD(struct prometheus_options, inverse), .dflt = "false",
	  .manual = "the value is what is free" },
	{ "scheme", OPTION_WORD, OPTION_FIELD(struct prometheus_options, scheme),
	  .words = scheme_words, .dflt = "http", .manual = "how the exporter is asked" },
	{ "host", OPTION_OTHER, .read = read_host, .kind = "text", .accepts = "a host name",
	  .manual = "the name in the Host header and the certificate; by default the address" },
	{ "path", OPTION_OTHER, .read = read_path, .dflt = "/metrics", .kind = "text",
	  .accepts = "a path that begins with /", .manual = "what is asked for" },
	{ "verify", OPTION_BOOL, OPTION_FIELD(struct prometheus_options, verify), .dflt = "true",
	  .manual = "the exporter's certificate must be valid, and for its name" },
	{ "ca", OPTION_OTHER, .read = read_ca, .kind = "path",
	  .accepts = "the path of a file of certificates in PEM",
	  .manual = "who is trusted; by default whom the system trusts" },
	{ "max-body", OPTION_NUMBER, OPTION_FIELD(struct prometheus_options, body_max), .min = 1024,
	  .max = PROMETHEUS_BODY_MAX_MAX, .counts = "octets", .dflt = "1048576",
	  .manual = "a longer answer is a failure" },
};

static const struct option_section prometheus_section = {
	.name = "pool: probes[] of kind prometheus",
	.options = prometheus_options,
	.count = OPTION_COUNT(prometheus_options),
	.size = sizeof(struct prometheus_options),
};

/* --- what it makes ---------------------------------------------------------------------------- */

#define LABELS(text) .labels = (text), .labels_len = sizeof(text) - 1

/* Of node_exporter. What a CPU waits for devices is not work of its own. */
static const struct prometheus_options presets[] = {
	[PRESET_CPU] = { .metric = { "node_cpu_seconds_total", LABELS("mode\0idle\0mode\0iowait\0"),
				     COMBINE_SUM },
			 .capacity = { "node_cpu_seconds_total", LABELS("mode\0idle\0"),
				       COMBINE_COUNT },
			 .read = 1,
			 .inverse = true },
	[PRESET_MEMORY] = { .metric = { "node_memory_MemAvailable_bytes", NULL, 0, COMBINE_SUM },
			    .capacity = { "node_memory_MemTotal_bytes", NULL, 0, COMBINE_SUM },
			    .inverse = true },
	[PRESET_CONNTRACK] = { .metric = { "node_nf_conntrack_entries", NULL, 0, COMBINE_SUM },
			       .capacity = { "node_nf_conntrack_entries_limit", NULL, 0,
					     COMBINE_SUM } },
};

static void use_preset(struct conf *conf, const struct yaml_node *item,
		       struct prometheus_options *options)
{
	static const char *const own[] = { "metric", "labels",   "combine",
					   "read",   "capacity", "inverse" };
	const struct prometheus_options *preset = &presets[options->preset];

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const struct yaml_node *value = yaml_get(item, own[i]);

		if (value != NULL)
			conf_error(conf, &value->key->place, "\"%s\" is what preset %s says",
				   own[i], preset_words[options->preset]);
	}
	options->metric = preset->metric;
	options->capacity = preset->capacity;
	options->read = preset->read;
	options->inverse = preset->inverse;
}

static void put_metric(struct buf *settings, const struct prometheus_metric *metric, size_t name,
		       size_t labels)
{
	if (metric->name != NULL)
		settings_put_text(settings, name, metric->name, strlen(metric->name));
	if (metric->labels_len > 0)
		settings_put_text(settings, labels, metric->labels, metric->labels_len);
}

static void put_text(struct buf *settings, size_t field, const char *text)
{
	if (text != NULL)
		settings_put_text(settings, field, text, strlen(text));
}

static void check_tls(struct conf *conf, const struct yaml_node *item, bool https)
{
	static const char *const own[] = { "verify", "ca" };

	for (size_t i = 0; !https && i < sizeof(own) / sizeof(own[0]); i++) {
		const struct yaml_node *value = yaml_get(item, own[i]);

		if (value != NULL)
			conf_error(conf, &value->key->place, "\"%s\" is of use for scheme https",
				   own[i]);
	}
}

static void settle_prometheus(struct conf *conf, const struct yaml_node *item,
			      struct config_probe *probe, const void *read, struct buf *settings)
{
	struct prometheus_options options = *(const struct prometheus_options *)read;
	struct prometheus_settings out = { 0 };

	if (options.preset != PRESET_NONE)
		use_preset(conf, item, &options);
	else if (options.metric.name == NULL)
		conf_error(conf, &yaml_get(item, "kind")->place,
			   "a prometheus source needs a \"metric\", or a \"preset\"");
	if (options.preset != PRESET_NONE && yaml_get(item, "signal") == NULL &&
	    yaml_get(item, "name") == NULL)
		probe->signal = probe->name = preset_words[options.preset];
	check_tls(conf, item, options.scheme != 0);
	out.ca_version = options.ca.version;
	out.capacity = options.capacity_number;
	out.body_max = options.body_max;
	out.https = options.scheme;
	out.verify = options.verify;
	out.combine = options.metric.combine;
	out.capacity_combine = options.capacity.combine;
	out.rate = options.read;
	out.inverse = options.inverse;
	buf_append(settings, &out, sizeof(out));
	put_text(settings, offsetof(struct prometheus_settings, host), options.host);
	put_text(settings, offsetof(struct prometheus_settings, path), options.path);
	put_metric(settings, &options.metric, offsetof(struct prometheus_settings, metric),
		   offsetof(struct prometheus_settings, labels));
	put_metric(settings, &options.capacity,
		   offsetof(struct prometheus_settings, capacity_metric),
		   offsetof(struct prometheus_settings, capacity_labels));
	put_text(settings, offsetof(struct prometheus_settings, ca), options.ca.path);
}

const struct probe_kind_row probe_prometheus_row = { .kind = PROBE_PROMETHEUS,
						     .roles = PROBE_LOAD,
						     .port = 9100,
						     .section = &prometheus_section,
						     .settle = settle_prometheus };
