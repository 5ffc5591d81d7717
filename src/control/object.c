#include "control/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "control/names.h"

#define LISTED_MAX 8

static const char *const kind_name[] = { "node", "site", "pool" };

#define KIND_BIT(kind) (1U << (kind))
#define KINDS_ALL      (KIND_BIT(OBJECT_NODE) | KIND_BIT(OBJECT_SITE) | KIND_BIT(OBJECT_POOL))

/* --- text ------------------------------------------------------------------------------------- */

const char *object_text(const struct object *object, char text[OBJECT_TEXT_SIZE])
{
	const char *at = object->kind == OBJECT_SITE ? "@" : "";

	if (object->kind == OBJECT_POOL)
		(void)snprintf(text, OBJECT_TEXT_SIZE, "pool:%s", object->pool);
	else if (object->pool[0] == '\0')
		(void)snprintf(text, OBJECT_TEXT_SIZE, "%s:%s", kind_name[object->kind],
			       object->name);
	else
		(void)snprintf(text, OBJECT_TEXT_SIZE, "%s:%s/%s%s", kind_name[object->kind],
			       object->pool, at, object->name);
	return text;
}

/* What is written, in its parts. */
struct pattern {
	unsigned kinds; /* bits: what it may be */
	char pool[OBJECT_NAME_SIZE], name[OBJECT_NAME_SIZE];
};

static bool copy_name(char out[OBJECT_NAME_SIZE], const char *text, size_t len)
{
	if (len == 0 || len >= OBJECT_NAME_SIZE)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return strcspn(out, "/:@ ") == len;
}

static bool parse(const char *text, struct pattern *out)
{
	const char *slash;

	*out = (struct pattern){ .kinds = KINDS_ALL };
	for (int kind = 0; kind < 3; kind++) {
		size_t len = strlen(kind_name[kind]);

		if (strncmp(text, kind_name[kind], len) == 0 && text[len] == ':') {
			out->kinds = KIND_BIT(kind);
			text += len + 1;
			break;
		}
	}
	slash = strchr(text, '/');
	if (slash != NULL) {
		if (!copy_name(out->pool, text, (size_t)(slash - text)))
			return false;
		out->kinds &= ~KIND_BIT(OBJECT_POOL);
		text = slash + 1;
	}
	if (text[0] == '@') {
		out->kinds &= KIND_BIT(OBJECT_SITE);
		text++;
	}
	return copy_name(out->name, text, strlen(text)) && out->kinds != 0;
}

bool object_parse(const char *text, struct object *out)
{
	struct pattern pattern;
	char again[OBJECT_TEXT_SIZE];

	if (!parse(text, &pattern))
		return false;
	*out = (struct object){ .kind = OBJECT_SITE };
	if (pattern.kinds == KIND_BIT(OBJECT_NODE))
		out->kind = OBJECT_NODE;
	if (pattern.kinds == KIND_BIT(OBJECT_POOL)) {
		out->kind = OBJECT_POOL;
		memcpy(out->pool, pattern.name, sizeof(out->pool));
	} else {
		memcpy(out->pool, pattern.pool, sizeof(out->pool));
		memcpy(out->name, pattern.name, sizeof(out->name));
	}
	return strcmp(object_text(out, again), text) == 0 &&
	       (out->kind != OBJECT_NODE || out->pool[0] != '\0');
}

bool object_equal(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && strcmp(a->pool, b->pool) == 0 && strcmp(a->name, b->name) == 0;
}

/* --- in a plan -------------------------------------------------------------------------------- */

bool object_has(const struct object *object, const struct image *plan, uint32_t node)
{
	const struct plan_node *n = &plan_items(plan, nodes, struct plan_node)[node];

	if (object->pool[0] != '\0' && strcmp(object->pool, plan_pool_name(plan, n->pool)) != 0)
		return false;
	if (object->kind == OBJECT_NODE)
		return strcmp(object->name, plan_text(plan, n->name)) == 0;
	return object->kind == OBJECT_POOL ||
	       strcmp(object->name, plan_site_name(plan, n->pool_site)) == 0;
}

/* Every object that a plan has, one after the other: pools, sites, each pool's sites, nodes.
 * false: there are no more. */
static bool next_object(const struct image *plan, uint32_t number, struct object *out)
{
	const struct plan_pool_site *pool_sites = plan_items(plan, pool_sites,
							     struct plan_pool_site);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	const char *pool = "", *name = "";

	*out = (struct object){ .kind = OBJECT_SITE };
	if (number < plan_count(plan, pools)) {
		out->kind = OBJECT_POOL;
		pool = plan_pool_name(plan, number);
	} else if ((number -= plan_count(plan, pools)) < plan_count(plan, sites)) {
		name = plan_text(plan, plan_items(plan, sites, struct plan_site)[number].name);
	} else if ((number -= plan_count(plan, sites)) < plan_count(plan, pool_sites)) {
		pool = plan_pool_name(plan, pool_sites[number].pool);
		name = plan_site_name(plan, number);
	} else if ((number -= plan_count(plan, pool_sites)) < plan_count(plan, nodes)) {
		out->kind = OBJECT_NODE;
		pool = plan_pool_name(plan, nodes[number].pool);
		name = plan_text(plan, nodes[number].name);
	} else {
		return false;
	}
	(void)snprintf(out->pool, sizeof(out->pool), "%s", pool);
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	return true;
}

bool object_exists(const struct object *object, const struct image *plan)
{
	struct object other;

	for (uint32_t i = 0; next_object(plan, i, &other); i++) {
		if (object_equal(object, &other))
			return true;
	}
	return false;
}

/* --- what is meant ---------------------------------------------------------------------------- */

struct finds {
	struct object list[LISTED_MAX];
	size_t count; /* all of them */
};

static bool matches(const struct pattern *pattern, const struct object *object)
{
	const char *name = object->kind == OBJECT_POOL ? object->pool : object->name;

	if (!(pattern->kinds & KIND_BIT(object->kind)) || strcmp(pattern->name, name) != 0)
		return false;
	if (pattern->pool[0] != '\0')
		return strcmp(pattern->pool, object->pool) == 0;
	/* A site's name alone means it in all pools; a node's may be of any pool. */
	return object->kind != OBJECT_SITE || object->pool[0] == '\0';
}

static void note(struct finds *finds, const struct pattern *pattern, const struct object *object)
{
	size_t listed = finds->count < LISTED_MAX ? finds->count : LISTED_MAX;

	if (!matches(pattern, object))
		return;
	for (size_t i = 0; i < listed; i++) {
		if (object_equal(&finds->list[i], object))
			return;
	}
	if (finds->count < LISTED_MAX)
		finds->list[finds->count] = *object;
	finds->count++;
}

static int refuse_several(const char *written, const struct finds *finds, struct err *err)
{
	struct buf text = { 0 };
	char name[OBJECT_TEXT_SIZE];

	for (size_t i = 0; i < finds->count && i < LISTED_MAX; i++)
		buf_format(&text, "%s%s", i == 0 ? "" : ", ", object_text(&finds->list[i], name));
	buf_append(&text, "", 1); /* the NUL */
	(void)err_set(err, "\"%s\" may be %s%s", written, (const char *)text.data,
		      finds->count > LISTED_MAX ? " or others" : "");
	buf_free(&text);
	return -1;
}

/* All names of a plan, each a copy; what they are called without their kind. */
static char **all_names(const struct image *plan, size_t *count)
{
	char **names = NULL;
	size_t cap = 0;
	struct object object;

	*count = 0;
	for (uint32_t i = 0; next_object(plan, i, &object); i++)
		array_add(names, *count, cap) = mem_copy_text(
			object.kind == OBJECT_POOL ? object.pool : object.name);
	return names;
}

static int refuse_unknown(const char *written, const char *name, const struct image *plan,
			  struct err *err)
{
	struct finds near = { 0 };
	size_t count = 0;
	char **names = all_names(plan, &count);
	const char *word = nearest_word(name, (const char *const *)names, count);
	struct object object;
	char text[OBJECT_TEXT_SIZE];
	struct pattern pattern = { .kinds = KINDS_ALL };

	if (word != NULL && copy_name(pattern.name, word, strlen(word))) {
		for (uint32_t i = 0; next_object(plan, i, &object); i++)
			note(&near, &pattern, &object);
	}
	(void)err_set(err, "there is no node, site or pool \"%s\"", written);
	if (near.count > 0)
		(void)err_set(err, "there is no node, site or pool \"%s\" (did you mean \"%s\"?)",
			      written, object_text(&near.list[0], text));
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return -1;
}

int object_find(const char *written, const struct image *plan, const struct object *known,
		size_t known_count, struct object *out, struct err *err)
{
	struct pattern pattern;
	struct finds finds = { 0 };
	struct object object;

	if (!parse(written, &pattern))
		return err_set(
			err,
			"\"%.200s\" is no object: NODE, POOL/NODE, SITE, POOL/@SITE or POOL, "
			"with node:, site: or pool: before it where that is not clear",
			written);
	for (uint32_t i = 0; plan != NULL && next_object(plan, i, &object); i++)
		note(&finds, &pattern, &object);
	for (size_t i = 0; i < known_count; i++)
		note(&finds, &pattern, &known[i]);
	if (finds.count == 0 && plan == NULL)
		return err_set(err, "%s", NOTHING_IN_USE);
	if (finds.count == 0)
		return refuse_unknown(written, pattern.name, plan, err);
	if (finds.count > 1)
		return refuse_several(written, &finds, err);
	*out = finds.list[0];
	return 0;
}
