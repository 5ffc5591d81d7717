/* Probes of kind agent. */
#include <string.h>

#include "conf/probe_kinds.h"
#include "image/probe_agent.h"

#define SEND_MAX 1024

struct agent_options {
	const char *send;
	uint32_t max_age_ms;
	enum agent_unreachable unreachable;
};

static const char *const unreachable_words[] = { "keep", "failure", NULL };

static const struct option options[] = {
	{ "send", OPTION_TEXT, OPTION_FIELD(struct agent_options, send),
	  .accepts = "text, such as \"{node}\\n\"",
	  .manual = "is sent first; {address}, {port}, {node} and {pool} stand for those of the "
		    "node" },
	{ "max-age", OPTION_DURATION, OPTION_FIELD(struct agent_options, max_age_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 86400, .dflt = "1m",
	  .manual =
		  "how long the weight and the wish hold that an agent told which is silent now" },
	{ "unreachable", OPTION_WORD, OPTION_FIELD(struct agent_options, unreachable),
	  .words = unreachable_words, .dflt = "keep",
	  .manual = "what it counts as that the agent does not answer, or not in its words" },
};

static const struct option_section section = {
	.name = "pool: probes[] of kind agent",
	.options = options,
	.count = OPTION_COUNT(options),
	.size = sizeof(struct agent_options),
};

static void settle(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		   const void *from, struct buf *out)
{
	const struct agent_options *read = from;
	const struct agent_settings settings = { .max_age_ms = read->max_age_ms,
						 .unreachable = (uint32_t)read->unreachable };

	(void)probe;
	if (read->send != NULL && strlen(read->send) > SEND_MAX)
		conf_error(conf, &yaml_get(item, "send")->place,
			   "the text is longer than %d octets", SEND_MAX);
	buf_append(out, &settings, sizeof(settings));
	if (read->send != NULL)
		settings_put_text(out, offsetof(struct agent_settings, send), read->send,
				  strlen(read->send));
}

const struct probe_kind_row probe_agent_row = { .kind = PROBE_AGENT,
						.roles = PROBE_HEALTH | PROBE_LOAD,
						.port = PROBE_PORT_REQUIRED,
						.statement = true,
						.section = &section,
						.settle = settle };
