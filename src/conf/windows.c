/* A pool file's maintenance windows. */
#include <string.h>

#include "conf/pool_parts.h"
#include "conf/timestamp.h"

struct window_reading {
	struct config_window window;
	const struct yaml_node *node, *site; /* as written */
};

static void read_window_node(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct window_reading *reading = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the name of a node"))
		reading->node = value;
}

static void read_window_site(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct window_reading *reading = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the name of a site"))
		reading->site = value;
}

static void read_from(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct window_reading *reading = out;

	(void)conf_timestamp(conf, value, &reading->window.from_unix_s);
}

static void read_until(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct window_reading *reading = out;

	(void)conf_timestamp(conf, value, &reading->window.until_unix_s);
}

static const char *const state_words[] = { "drain", "disable", NULL };

static const struct option window_options[] = {
	{ "node", OPTION_OTHER, .read = read_window_node, .kind = "text",
	  .accepts = "name of a node of this pool",
	  .manual = "which node; without node and site: the whole pool" },
	{ "site", OPTION_OTHER, .read = read_window_site, .kind = "text",
	  .accepts = "name of a site of this pool", .manual = "which site, with all its nodes" },
	{ "from", OPTION_OTHER, .required = true, .read = read_from, .kind = "timestamp",
	  .accepts = TIMESTAMP_ACCEPTS, .manual = "when it begins" },
	{ "until", OPTION_OTHER, .required = true, .read = read_until, .kind = "timestamp",
	  .accepts = TIMESTAMP_ACCEPTS, .manual = "when it ends" },
	{ "state", OPTION_WORD, OPTION_FIELD(struct window_reading, window.disable),
	  .words = state_words, .dflt = "drain",
	  .manual = "drain: no new clients; disable: no answers in any case" },
	{ "reason", OPTION_TEXT, OPTION_FIELD(struct window_reading, window.reason),
	  .accepts = "any text", .manual = "why, for whoever asks" },
};

static void check_window(struct conf *conf, const struct option_map *map, void *out)
{
	const struct window_reading *reading = out;
	const struct config_window *window = &reading->window;

	if (window->until_unix_s <= window->from_unix_s && window->until_unix_s > 0)
		option_contradiction(conf, map, "until", "from", "it ends before it begins");
	if (reading->node != NULL && reading->site != NULL)
		conf_error(conf, &reading->site->key->place,
			   "a window is for a node or for a site, not for both");
}

const struct option_section window_section = { .name = "pool: maintenance[]",
					       .options = window_options,
					       .count = OPTION_COUNT(window_options),
					       .check = check_window };

static void read_window(struct conf *conf, const struct yaml_node *item,
			const struct config_pool *pool, struct config_window *out)
{
	struct window_reading reading = {
		.window = { .site = PLAN_NONE, .node = PLAN_NONE, .reason = "" }
	};

	option_read_map(conf, &window_section, item, &item->place, &reading);
	if (reading.node != NULL)
		(void)pool_node_find(conf, pool, reading.node, &reading.window.site,
				     &reading.window.node);
	else if (reading.site != NULL)
		(void)pool_site_find(conf, pool, reading.site, &reading.window.site);
	*out = reading.window;
	out->place = item->place;
}

void windows_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct config_window *windows;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of maintenance windows"))
		return;
	windows = arena_alloc(conf->arena, value->count * sizeof(*windows));
	yaml_foreach(item, value)
		read_window(conf, item, pool, &windows[count++]);
	pool->windows = windows;
	pool->window_count = count;
}
