/* Probes of kind exec. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conf/command.h"
#include "conf/probe_kinds.h"
#include "image/probe_exec.h"

struct exec_options {
	struct config_command command;
	enum exec_unknown unknown;
	const char *load;
	double capacity; /* 0: none is given */
};

static const char *const placeholders[] = { "{address}", "{port}", "{node}", "{pool}", NULL };
static const char *const unknown_words[] = { "not-made", "failure", NULL };

static void read_command(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct exec_options *options = out;

	(void)command_read(conf, value, placeholders, &options->command);
}

static void read_capacity(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct exec_options *options = out;
	char *end;

	if (!conf_expect(conf, value, YAML_SCALAR, "a number greater than 0"))
		return;
	options->capacity = strtod(value->text, &end);
	if (*end != '\0' || end == value->text ||
	    strspn(value->text, "0123456789.eE+") != strlen(value->text) ||
	    !(options->capacity > 0) || !isfinite(options->capacity))
		conf_error(conf, &value->place, "\"%.100s\" is not a number greater than 0",
			   value->text);
}

static const struct option options[] = {
	{ "command", OPTION_OTHER, .required = true, .read = read_command, .kind = "list",
	  .accepts = "the path of a program, and its arguments",
	  .manual =
		  "what is run; {address}, {port}, {node} and {pool} stand for those of the node" },
	{ "unknown", OPTION_WORD, OPTION_FIELD(struct exec_options, unknown),
	  .words = unknown_words, .dflt = "not-made",
	  .manual = "what it counts as that the plugin does not know, or ends otherwise than one" },
	{ "load", OPTION_TEXT, OPTION_FIELD(struct exec_options, load),
	  .accepts = "a label of the plugin's performance data",
	  .manual = "the value that tells the node's load" },
	{ "capacity", OPTION_OTHER, .read = read_capacity, .kind = "decimal",
	  .accepts = "a number greater than 0",
	  .manual = "the value that is a full load; by default the maximum that the plugin tells" },
};

static const struct option_section section = {
	.name = "pool: probes[] of kind exec",
	.options = options,
	.count = OPTION_COUNT(options),
	.size = sizeof(struct exec_options),
};

static void settle(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		   const void *from, struct buf *out)
{
	const struct exec_options *read = from;
	const struct exec_settings settings = { .capacity = read->capacity,
						.unknown = (uint32_t)read->unknown };

	if (command_has(&read->command, "{port}") && probe->port == 0)
		conf_error(conf, &yaml_get(item, "command")->place,
			   "the command has {port}, but the probe has no \"port\"");
	if (read->capacity > 0 && read->load == NULL)
		conf_error(conf, &yaml_get(item, "capacity")->key->place,
			   "a capacity means nothing without \"load\"");
	if (read->load == NULL && (probe->roles & PROBE_HEALTH) == 0)
		conf_error(conf, &item->place, "a source of load needs \"load\"");
	probe->addressless = !command_has(&read->command, "{address}");
	buf_append(out, &settings, sizeof(settings));
	settings_put_text(out, offsetof(struct exec_settings, words), read->command.words,
			  read->command.len);
	if (read->load != NULL)
		settings_put_text(out, offsetof(struct exec_settings, load), read->load,
				  strlen(read->load));
}

const struct probe_kind_row probe_exec_row = { .kind = PROBE_EXEC,
					       .roles = PROBE_HEALTH | PROBE_LOAD,
					       .port = PROBE_PORT_OPTIONAL,
					       .section = &section,
					       .settle = settle };
