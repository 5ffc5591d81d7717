/* A pool file's geofence: which clients are never sent to which sites. */
#include <string.h>

#include "conf/clients.h"
#include "conf/links.h"
#include "conf/pool_parts.h"

#define POOL_WORD "pool:"

struct fence_reading {
	struct config_fence *fence;
	const struct config_pool *pool;
	bool *listed; /* of each of the pool's sites */
	bool all;     /* "never: all" */
};

static void read_fenced(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct fence_reading *reading = out;

	clients_read(conf, value, NULL, &reading->fence->clients);
}

static void read_except(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct fence_reading *reading = out;

	clients_read(conf, value, NULL, &reading->fence->except);
}

static void read_site(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct fence_reading *reading = context;
	uint32_t number;

	if (!pool_site_find(conf, reading->pool, item, &number))
		return;
	if (reading->listed[number])
		conf_error(conf, &item->place, "site \"%s\" is listed twice", item->text);
	reading->listed[number] = true;
}

static void read_only(struct conf *conf, const struct yaml_node *value, void *out)
{
	items_read(conf, value, "a site or a list of sites", read_site, out);
}

static void read_never(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct fence_reading *reading = out;

	if (value->kind == YAML_SCALAR && strcmp(value->text, "all") == 0)
		reading->all = true;
	else
		items_read(conf, value, "all, a site or a list of sites", read_site, out);
}

static void read_otherwise(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct fence_reading *reading = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "nodata or pool:NAME"))
		return;
	if (strncmp(value->text, POOL_WORD, strlen(POOL_WORD)) == 0)
		link_remember(conf, value, value->text + strlen(POOL_WORD),
			      &reading->fence->otherwise);
	else if (strcmp(value->text, "nodata") != 0)
		conf_error(conf, &value->place, "\"%.100s\" is not nodata or pool:NAME",
			   value->text);
}

static const struct option fence_options[] = {
	{ "clients", OPTION_OTHER, .required = true, .read = read_fenced, .kind = "list",
	  .accepts = CLIENTS_ACCEPTS, .manual = "whom the fence is for" },
	{ "except", OPTION_OTHER, .read = read_except, .kind = "list", .accepts = CLIENTS_ACCEPTS,
	  .manual = "for whom of them it is not" },
	{ "never", OPTION_OTHER, .read = read_never, .kind = "list",
	  .accepts = "all, or sites of this pool",
	  .manual = "the sites that they are never sent to, whatever else holds" },
	{ "only", OPTION_OTHER, .read = read_only, .kind = "list", .accepts = "sites of this pool",
	  .manual = "instead of never: the only sites that they may be sent to" },
	{ "otherwise", OPTION_OTHER, .read = read_otherwise, .kind = "text",
	  .accepts = "nodata or pool:NAME",
	  .manual = "what is answered to those whom no site is left for; by default nodata" },
};

const struct option_section fence_section = OPTION_SECTION("pool: geofence[]", fence_options);

/* The sites that are listed, or (only) those that are not. */
static void set_never(struct conf *conf, const struct fence_reading *reading, bool only)
{
	const struct config_pool *pool = reading->pool;
	uint16_t *never = arena_alloc(conf->arena, pool->site_count * sizeof(*never));
	size_t count = 0;

	for (size_t i = 0; i < pool->site_count; i++) {
		if (reading->all || reading->listed[i] != only)
			never[count++] = pool->sites[i].site;
	}
	reading->fence->never = never;
	reading->fence->never_count = count;
}

static void read_fence(struct conf *conf, const struct yaml_node *item,
		       struct fence_reading *reading)
{
	bool never, only;

	reading->fence->place = item->place;
	reading->fence->otherwise = PLAN_NONE;
	reading->listed = arena_alloc(conf->arena, reading->pool->site_count);
	option_read_map(conf, &fence_section, item, &item->place, reading);
	if (item->kind != YAML_MAP)
		return;
	never = yaml_get(item, "never") != NULL;
	only = yaml_get(item, "only") != NULL;
	if (never == only)
		conf_error(conf, &item->place, "a fence needs \"never\" or \"only\"%s",
			   never ? ", not both" : "");
	set_never(conf, reading, only);
	if (only && reading->fence->never_count == 0)
		conf_warning(conf, &item->place,
			     "this fence keeps nobody out: \"only\" has all sites of the pool");
}

void fences_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct config_fence *fences;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of fences"))
		return;
	fences = arena_alloc(conf->arena, value->count * sizeof(*fences));
	yaml_foreach(item, value) {
		struct fence_reading reading = { .fence = &fences[count++], .pool = pool };

		read_fence(conf, item, &reading);
	}
	pool->fences = fences;
	pool->fence_count = count;
}
