#include "conf/links.h"

#include <stdlib.h>
#include <string.h>

#include "image/steering.h"

struct link {
	const struct config_pool *from;
	const char *name;
	struct place place;
	uint32_t *number;
	bool quiet;        /* it is inherited: that there is no such pool is told where it stands */
	struct link *next; /* of the same pool */
};

struct links {
	struct link *items;
	size_t count, cap;
};

struct links *links_new(void)
{
	return mem_alloc(sizeof(struct links));
}

void links_free(struct links *links)
{
	free(links->items);
	free(links);
}

void link_remember(struct conf *conf, const struct yaml_node *value, const char *name,
		   uint32_t *number)
{
	struct links *links = conf->links;

	*number = PLAN_NONE;
	array_add(links->items, links->count, links->cap) = (struct link){
		.from = conf->pool,
		.name = name,
		.place = value->place,
		.number = number,
		.quiet = conf->quiet,
	};
}

/* --- names ------------------------------------------------------------------------------------ */

static void report_missing(struct conf *conf, const struct link *link)
{
	const struct config *config = conf->config;
	const char **names = mem_array(config->pool_count, sizeof(*names));

	for (size_t i = 0; i < config->pool_count; i++)
		names[i] = config->pools[i].name;
	conf_error(conf, &link->place, "there is no pool \"%.100s\"%s", link->name,
		   conf_hint(conf, link->name, names, config->pool_count));
	free(names);
}

static void resolve(struct conf *conf, struct link *link)
{
	const struct config *config = conf->config;
	uint32_t at = 0;

	while (at < config->pool_count && strcmp(config->pools[at].name, link->name) != 0)
		at++;
	if (at == config->pool_count) {
		if (!link->quiet)
			report_missing(conf, link);
	} else if (&config->pools[at] == link->from) {
		conf_error(conf, &link->place,
			   link->quiet ? "pool \"%s\" would stand in for itself: it needs another "
					 "one in its own file"
				       : "pool \"%s\" cannot stand in for itself",
			   link->name);
	} else if (link->from != NULL) {
		*link->number = at;
	}
}

/* --- circles and rows ------------------------------------------------------------------------- */

struct walk {
	struct conf *conf;
	struct link **first; /* of each pool */
	uint32_t *longest;   /* pools in the longest row from this one on; 0: not known yet */
	const struct link **longest_by;
	const struct link **path; /* from the first pool to the one that is visited */
	size_t depth;
	bool *visited_now;
};

static uint32_t number_of(const struct walk *walk, const struct config_pool *pool)
{
	return (uint32_t)(pool - walk->conf->config->pools);
}

/* The link closes a circle: it goes to a pool on the way to it. */
static void report_circle(struct walk *walk, const struct link *closing)
{
	const struct config_pool *pools = walk->conf->config->pools;
	const struct config_pool *end = &pools[*closing->number];
	struct buf text = { 0 };
	size_t at = 0;

	while (walk->path[at]->from != end)
		at++;
	for (; at < walk->depth; at++)
		buf_format(&text, "%s, ", walk->path[at]->from->name);
	buf_format(&text, "%s, %s", closing->from->name, end->name);
	buf_append(&text, "", 1);
	conf_error(walk->conf, &closing->place,
		   "pools would stand in for one another in a circle: %.400s", (char *)text.data);
	buf_free(&text);
}

static void report_row(struct walk *walk, const struct link *link)
{
	struct buf text = { 0 };
	const struct link *at = link;

	buf_format(&text, "%s", link->from->name);
	while (at != NULL) {
		buf_format(&text, ", %s", walk->conf->config->pools[*at->number].name);
		at = walk->longest_by[*at->number];
	}
	buf_append(&text, "", 1);
	conf_error(walk->conf, &link->place,
		   "more than %d pools would stand in for one another in a row: %.400s",
		   STEERING_POOLS_MAX, (char *)text.data);
	buf_free(&text);
}

static void visit(struct walk *walk, uint32_t pool);

static void follow(struct walk *walk, uint32_t pool, const struct link *link)
{
	uint32_t to = *link->number;

	if (to == PLAN_NONE)
		return;
	if (walk->visited_now[to]) {
		report_circle(walk, link);
		return;
	}
	walk->path[walk->depth++] = link;
	visit(walk, to);
	walk->depth--;
	if (walk->longest[to] + 1 > walk->longest[pool]) {
		walk->longest[pool] = walk->longest[to] + 1;
		walk->longest_by[pool] = link;
	}
}

static void visit(struct walk *walk, uint32_t pool)
{
	if (walk->longest[pool] > 0)
		return;
	walk->longest[pool] = 1;
	walk->visited_now[pool] = true;
	for (const struct link *link = walk->first[pool]; link != NULL; link = link->next)
		follow(walk, pool, link);
	walk->visited_now[pool] = false;
	/* Told once, of the pool with which the row gets too long. */
	if (walk->longest[pool] == STEERING_POOLS_MAX + 1)
		report_row(walk, walk->longest_by[pool]);
}

static void check_ways(struct conf *conf)
{
	size_t count = conf->config->pool_count;
	struct walk walk = { .conf = conf,
			     .first = mem_array(count, sizeof(struct link *)),
			     .longest = mem_array(count, sizeof(uint32_t)),
			     .longest_by = mem_array(count, sizeof(struct link *)),
			     .path = mem_array(count + 1, sizeof(struct link *)),
			     .visited_now = mem_array(count, sizeof(bool)) };

	/* From the last on, so that each pool's are in the order of its file. */
	for (size_t i = conf->links->count; i-- > 0;) {
		struct link *link = &conf->links->items[i];

		if (link->from == NULL)
			continue;
		link->next = walk.first[number_of(&walk, link->from)];
		walk.first[number_of(&walk, link->from)] = link;
	}
	for (uint32_t pool = 0; pool < count; pool++)
		visit(&walk, pool);
	free((void *)walk.first);
	free(walk.longest);
	free((void *)walk.longest_by);
	free((void *)walk.path);
	free(walk.visited_now);
}

void links_resolve(struct conf *conf)
{
	for (size_t i = 0; i < conf->links->count; i++)
		resolve(conf, &conf->links->items[i]);
	check_ways(conf);
}
