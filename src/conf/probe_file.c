/* Probes of kinds file and push: what others say of a node. */
#include <string.h>

#include "conf/probe_kinds.h"
#include "image/probe_file.h"
#include "image/probe_push.h"

struct statement_options {
	const char *path;
	uint32_t max_age_ms;
	enum stale_means stale;
};

static const char *const stale_words[] = { "failure", "not-made", NULL };

/* --- file -------------------------------------------------------------------------------------- */

static const struct option file_options[] = {
	{ "path", OPTION_PATH, OPTION_FIELD(struct statement_options, path), .required = true,
	  .accepts = "a path; {node} and {pool} stand for the names of the node and its pool",
	  .manual = "the file that says how the node is" },
	{ "max-age", OPTION_DURATION, OPTION_FIELD(struct statement_options, max_age_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 31536000, .dflt = "1m",
	  .manual = "how long the file counts after it was written" },
	{ "stale", OPTION_WORD, OPTION_FIELD(struct statement_options, stale), .words = stale_words,
	  .dflt = "failure", .manual = "what it counts as that the file is older, or not there" },
};

static const struct option_section file_section = {
	.name = "pool: probes[] of kind file",
	.options = file_options,
	.count = OPTION_COUNT(file_options),
	.size = sizeof(struct statement_options),
};

static void settle_file(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
			const void *from, struct buf *out)
{
	const struct statement_options *read = from;
	const struct file_settings settings = { .max_age_ms = read->max_age_ms,
						.stale = (uint32_t)read->stale };

	(void)conf;
	(void)item;
	(void)probe;
	buf_append(out, &settings, sizeof(settings));
	settings_put_text(out, offsetof(struct file_settings, path), read->path,
			  strlen(read->path));
}

const struct probe_kind_row probe_file_row = { .kind = PROBE_FILE,
					       .roles = PROBE_HEALTH | PROBE_LOAD,
					       .port = PROBE_PORT_NONE,
					       .addressless = true,
					       .statement = true,
					       .section = &file_section,
					       .settle = settle_file };

/* --- push -------------------------------------------------------------------------------------- */

static const struct option push_options[] = {
	{ "max-age", OPTION_DURATION, OPTION_FIELD(struct statement_options, max_age_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 31536000, .dflt = "1m",
	  .manual = "how long a report counts that does not say so itself" },
	{ "stale", OPTION_WORD, OPTION_FIELD(struct statement_options, stale), .words = stale_words,
	  .dflt = "failure", .manual = "what it counts as that there is no newer report" },
};

static const struct option_section push_section = {
	.name = "pool: probes[] of kind push",
	.options = push_options,
	.count = OPTION_COUNT(push_options),
	.size = sizeof(struct statement_options),
};

static void settle_push(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
			const void *from, struct buf *out)
{
	const struct statement_options *read = from;
	const struct push_settings settings = { .max_age_ms = read->max_age_ms,
						.stale = (uint32_t)read->stale };

	(void)conf;
	(void)item;
	(void)probe;
	buf_append(out, &settings, sizeof(settings));
}

const struct probe_kind_row probe_push_row = { .kind = PROBE_PUSH,
					       .roles = PROBE_HEALTH,
					       .port = PROBE_PORT_NONE,
					       .addressless = true,
					       .statement = true,
					       .section = &push_section,
					       .settle = settle_push };
