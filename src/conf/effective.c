#include "conf/effective.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMENT_COLUMN 44

/* --- the tree --------------------------------------------------------------------------------- */

static struct effective *add(struct conf *conf, struct effective *parent,
			     const struct effective *what)
{
	struct effective *entry = arena_copy(conf->arena, what, sizeof(*what));

	if (parent->last != NULL)
		parent->last->next = entry;
	else
		parent->first = entry;
	parent->last = entry;
	return entry;
}

struct effective *effective_option(struct conf *conf, struct effective *parent,
				   const struct option *option, const struct yaml_node *value,
				   bool dflt)
{
	struct effective entry = { .option = option, .value = value, .dflt = dflt };

	if (parent == NULL || (value == NULL && option->type != OPTION_MAP))
		return NULL;
	return add(conf, parent, &entry);
}

struct effective *effective_map(struct conf *conf, struct effective *parent,
				const struct option_map *map)
{
	struct effective entry = { .value = map->map };

	if (parent == NULL || map->level == LEVEL_INNER || parent->value == map->map)
		return parent;
	return add(conf, parent, &entry);
}

static const char *name_of(const struct effective *entry)
{
	return entry->option != NULL ? entry->option->name : entry->value->key->text;
}

/* Is it shown by what is in it? Else by its value. */
static bool has_parts(const struct effective *entry)
{
	return entry->first != NULL && (entry->value == NULL || entry->value->kind != YAML_SCALAR);
}

/* The part that stands for an item of the value; NULL: the item is no map of options. */
static const struct effective *part_of(const struct effective *entry, const struct yaml_node *item)
{
	for (const struct effective *part = entry->first; part != NULL; part = part->next) {
		if (part->value == item)
			return part;
	}
	return NULL;
}

static const struct effective *part_named(const struct effective *entry, const char *name)
{
	for (const struct effective *part = entry->first; part != NULL; part = part->next) {
		if (strcmp(name_of(part), name) == 0)
			return part;
	}
	return NULL;
}

/* --- values as one would write them ----------------------------------------------------------- */

/* Does it mean the same without quotes, in lists and maps, too? In doubt it does not. */
static bool is_plain(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+%-:";
	size_t len = strlen(text);
	const char *first = text + (text[0] == '-');

	return len > 0 && strspn(text, letters) == len && strchr("_+%-:", *first) == NULL &&
	       (first == text || strspn(first, "0123456789.%") == len - 1) &&
	       text[len - 1] != ':' && strstr(text, "::") == NULL && strcasecmp(text, "null") != 0;
}

/* YAML's double quotes are JSON's. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_append(out, "\"", 1);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			buf_format(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_format(out, "\\u%04x", c);
		else
			buf_append(out, text, 1);
	}
	buf_append(out, "\"", 1);
}

static void put_text(struct buf *out, const char *text, bool json)
{
	if (json || !is_plain(text))
		put_quoted(out, text);
	else
		buf_format(out, "%s", text);
}

/* On one line. */
static void put_value(struct buf *out, const struct yaml_node *value, bool json)
{
	bool map = value->kind == YAML_MAP;

	if (value->kind == YAML_SCALAR) {
		put_text(out, value->text, json);
		return;
	}
	buf_format(out, map ? "{" : "[");
	yaml_foreach(item, value) {
		buf_format(out, "%s%s", item == value->first ? "" : ",",
			   item == value->first && !map ? "" : " ");
		if (map) {
			put_text(out, item->key->text, json);
			buf_format(out, ": ");
		}
		put_value(out, item, json);
	}
	buf_format(out, map && value->count > 0 ? " }" : map ? "}" : "]");
}

/* --- YAML ------------------------------------------------------------------------------------- */

static void put_source(struct buf *out, const struct yaml_node *value, bool dflt)
{
	const struct place *place = &value->place;

	if (dflt)
		buf_format(out, "default");
	else
		buf_format(out, "%s:%u:%u", place->file, place->line, place->column);
}

/* Octets since the last end of line. */
static size_t line_width(const struct buf *out)
{
	const uint8_t *end = out->len > 0 ? memrchr(out->data, '\n', out->len) : NULL;

	return end != NULL ? (size_t)(out->data + out->len - end) - 1 : out->len;
}

static void put_leaf(struct buf *out, const struct yaml_node *value, bool dflt)
{
	size_t width;

	put_value(out, value, false);
	width = line_width(out);
	buf_format(out, "%*s# ", width < COMMENT_COLUMN - 2 ? (int)(COMMENT_COLUMN - width) : 2,
		   "");
	put_source(out, value, dflt);
	buf_append(out, "\n", 1);
}

static void put_options(struct buf *out, const struct effective *entry, int indent, bool dashed);

static void put_items(struct buf *out, const struct effective *entry, int indent)
{
	bool map = entry->value->kind == YAML_MAP;

	yaml_foreach(item, entry->value) {
		const struct effective *part = part_of(entry, item);

		buf_format(out, "%*s", indent, "");
		if (map) {
			put_text(out, item->key->text, false);
			buf_format(out, part != NULL ? ":\n" : ": ");
		} else {
			buf_format(out, "- ");
		}
		if (part != NULL)
			put_options(out, part, indent + 2, !map);
		else
			put_leaf(out, item, false);
	}
}

static void put_option(struct buf *out, const struct effective *entry, int indent, bool dashed)
{
	if (!has_parts(entry)) {
		buf_format(out, "%*s%s: ", dashed ? 0 : indent, "", entry->option->name);
		put_leaf(out, entry->value, entry->dflt);
		return;
	}
	buf_format(out, "%*s%s:\n", dashed ? 0 : indent, "", entry->option->name);
	if (entry->first->option != NULL)
		put_options(out, entry, indent + 2, false);
	else
		put_items(out, entry, indent + 2);
}

/* `dashed`: the first line has its indent. */
static void put_options(struct buf *out, const struct effective *entry, int indent, bool dashed)
{
	for (const struct effective *part = entry->first; part != NULL; part = part->next) {
		if (!has_parts(part) && part->value == NULL)
			continue; /* a map of options, none of which holds */
		put_option(out, part, indent, dashed);
		dashed = false;
	}
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* An object for each value: where it holds, the option's path there, the value, where it is from. */
struct json {
	struct buf *out;
	const char *pool, *site, *node;
	char path[200];
	bool more;
};

static void put_member(struct json *json, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_format(json->out, "\"%s\": ", name);
	put_quoted(json->out, text);
	buf_format(json->out, ", ");
}

/* JSON knows no zeros in front, nor units behind. */
static bool is_json_number(const char *text)
{
	const char *digits = text + (text[0] == '-');

	return strspn(digits, "0123456789") == strlen(digits) &&
	       (digits[0] != '0' || digits[1] == '\0');
}

/* Numbers and truth values as such, what else there is as text. */
static void put_json_value(struct buf *out, const struct option *option,
			   const struct yaml_node *value)
{
	if (option != NULL && (option->type == OPTION_BOOL ||
			       (option->type == OPTION_NUMBER && is_json_number(value->text))))
		buf_format(out, "%s", value->text);
	else
		put_value(out, value, true);
}

static void put_object(struct json *json, const struct option *option,
		       const struct yaml_node *value, bool dflt)
{
	const struct place *place = &value->place;

	buf_format(json->out, "%s\n  { ", json->more ? "," : "");
	json->more = true;
	put_member(json, "pool", json->pool);
	put_member(json, "site", json->site);
	put_member(json, "node", json->node);
	put_member(json, "option", json->path);
	buf_format(json->out, "\"value\": ");
	put_json_value(json->out, option, value);
	if (dflt) {
		buf_format(json->out, ", \"default\": true }");
		return;
	}
	buf_format(json->out, ", \"file\": ");
	put_quoted(json->out, place->file);
	buf_format(json->out, ", \"line\": %u, \"column\": %u }", place->line, place->column);
}

static void put_objects(struct json *json, const struct effective *entry);

/* "sites" and "nodes" are whose options follow, all others lead on. */
static void put_item_objects(struct json *json, const struct effective *entry)
{
	struct json inner = *json;
	size_t len = strlen(json->path), number = 0;

	yaml_foreach(item, entry->value) {
		const struct effective *part = part_of(entry, item);

		if (item->key == NULL) {
			(void)snprintf(inner.path + len, sizeof(inner.path) - len, "[%zu]",
				       number++);
		} else if (strcmp(json->path, "sites") == 0 && json->site == NULL) {
			inner.site = item->key->text;
			inner.path[0] = '\0';
		} else if (strcmp(json->path, "nodes") == 0 && json->node == NULL) {
			inner.node = item->key->text;
			inner.path[0] = '\0';
		} else {
			(void)snprintf(inner.path + len, sizeof(inner.path) - len, ".%s",
				       item->key->text);
		}
		if (part != NULL)
			put_objects(&inner, part);
		else
			put_object(&inner, NULL, item, false);
		json->more = inner.more;
	}
}

static void put_objects(struct json *json, const struct effective *entry)
{
	size_t len = strlen(json->path);

	for (const struct effective *part = entry->first; part != NULL; part = part->next) {
		(void)snprintf(json->path + len, sizeof(json->path) - len, "%s%s",
			       len > 0 ? "." : "", name_of(part));
		if (!has_parts(part) && part->value != NULL)
			put_object(json, part->option, part->value, part->dflt);
		else if (has_parts(part) && part->first->option != NULL)
			put_objects(json, part);
		else if (has_parts(part))
			put_item_objects(json, part);
		json->path[len] = '\0';
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_file(struct buf *out, const struct effective *file)
{
	buf_format(out, "%s# %s\n", out->len > 0 ? "---\n" : "", file->value->place.file);
	put_options(out, file, 0, false);
}

static void put_all(struct buf *out, const struct effective *root, const struct config *config,
		    bool json)
{
	struct json state = { .out = out };
	size_t pool = 0;

	for (const struct effective *file = root->first; file != NULL; file = file->next) {
		if (json)
			put_objects(&state, file);
		else
			put_file(out, file);
		state.pool = pool < config->pool_count ? config->pools[pool++].name : NULL;
	}
}

/* The node's entry, and its site's. */
static const struct effective *find_node(const struct effective *pool, const char *name,
					 const struct effective **site)
{
	const struct effective *sites = part_named(pool, "sites"), *nodes, *node;

	for (*site = sites != NULL ? sites->first : NULL; *site != NULL; *site = (*site)->next) {
		nodes = part_named(*site, "nodes");
		node = nodes != NULL ? part_named(nodes, name) : NULL;
		if (node != NULL)
			return node;
	}
	return NULL;
}

static int refuse(const char *what, const char *name, const char *const *names, size_t count,
		  struct err *err)
{
	const char *meant = diag_nearest(name, names, count);

	return err_set(err, "%s \"%s\"%s%s%s", what, name, meant != NULL ? " (did you mean \"" : "",
		       meant != NULL ? meant : "", meant != NULL ? "\"?)" : "");
}

static int refuse_node(const struct effective *pool, const char *pool_name, const char *name,
		       struct err *err)
{
	const struct effective *sites = part_named(pool, "sites");
	const char **names = NULL;
	size_t count = 0, cap = 0;
	char *what = mem_format("pool \"%s\" has no node", pool_name);

	for (const struct effective *site = sites != NULL ? sites->first : NULL; site != NULL;
	     site = site->next) {
		const struct effective *nodes = part_named(site, "nodes");
		const struct effective *node = nodes != NULL ? nodes->first : NULL;

		for (; node != NULL; node = node->next)
			array_add(names, count, cap) = name_of(node);
	}
	(void)refuse(what, name, names, count, err);
	free(names);
	free(what);
	return -1;
}

static int put_node(struct buf *out, const struct effective *pool, const char *pool_name,
		    const char *name, bool json, struct err *err)
{
	const struct effective *site;
	const struct effective *node = find_node(pool, name, &site);
	struct json state = { .out = out, .pool = pool_name, .node = name };

	if (node == NULL)
		return refuse_node(pool, pool_name, name, err);
	state.site = name_of(site);
	if (json)
		put_objects(&state, node);
	else
		put_options(out, node, 0, false);
	return 0;
}

static int refuse_pool(const struct config *config, const char *name, struct err *err)
{
	const char **names = mem_array(config->pool_count, sizeof(*names));

	for (size_t i = 0; i < config->pool_count; i++)
		names[i] = config->pools[i].name;
	(void)refuse("there is no pool", name, names, config->pool_count, err);
	free(names);
	return -1;
}

static int put_pool(struct buf *out, const struct effective *root, const struct config *config,
		    const char *pool, const char *node, bool json, struct err *err)
{
	const struct effective *file = root->first;
	struct json state = { .out = out, .pool = pool };

	for (size_t i = 0; i < config->pool_count && file != NULL; i++) {
		file = file->next; /* behind the server file's */
		if (file == NULL || strcmp(config->pools[i].name, pool) != 0)
			continue;
		if (node != NULL)
			return put_node(out, file, pool, node, json, err);
		if (json)
			put_objects(&state, file);
		else
			put_file(out, file);
		return 0;
	}
	return refuse_pool(config, pool, err);
}

int effective_print(const struct effective *root, const struct config *config, const char *pool,
		    const char *node, bool json, FILE *out, struct err *err)
{
	struct buf text = { 0 };
	int rc = 0;

	if (pool == NULL)
		put_all(&text, root, config, json);
	else
		rc = put_pool(&text, root, config, pool, node, json, err);
	if (rc == 0)
		(void)fprintf(out, json ? "[%.*s\n]\n" : "%.*s", (int)text.len, (char *)text.data);
	buf_free(&text);
	return rc;
}
