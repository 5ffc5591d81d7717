/* Commands that ask for what was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/commands_parts.h"
#include "control/history.h"
#include "control/names.h"

#define MS_PER_MINUTE 60000

static bool parse_former(const char *written, struct object *out)
{
	char *node = mem_format("node:%s", written);
	bool parsed = object_parse(written, out) || object_parse(node, out);

	free(node);
	return parsed;
}

/* A time in the request; `otherwise` where it is missing. */
static int take_ms(const json_t *request, const char *key, uint64_t otherwise, uint64_t *out,
		   struct err *err)
{
	const json_t *time = json_object_get(request, key);

	*out = otherwise;
	if (time == NULL || json_is_null(time))
		return 0;
	if (!json_is_integer(time) || json_integer_value(time) < 0)
		return err_set(err, "%s is no time", key);
	*out = (uint64_t)json_integer_value(time);
	return 0;
}

/* --- minutes ---------------------------------------------------------------------------------- */

void command_history(struct commands *commands, struct call *call, const json_t *request)
{
	const char *written = json_string_value(json_object_get(request, "node"));
	struct minutes_question question = { .limit = READER_ROWS_MAX };
	struct object object;
	struct err unknown = { "" }, err;
	uint64_t from_ms, until_ms;

	if (written == NULL) {
		call_refuse(call, "a node is missing");
		return;
	}
	if (commands_find(commands, written, &object, &unknown) != 0 &&
	    !parse_former(written, &object)) {
		call_refuse(call, unknown.text);
		return;
	}
	if (object.kind != OBJECT_NODE) {
		call_refuse(call, "only nodes have a history; audit tells of sites and pools");
		return;
	}
	if (take_ms(request, "from_ms", 0, &from_ms, &err) != 0 ||
	    take_ms(request, "until_ms", INT64_MAX, &until_ms, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	question.from = from_ms / MS_PER_MINUTE;
	question.until = until_ms / MS_PER_MINUTE + (until_ms % MS_PER_MINUTE != 0);
	(void)snprintf(question.node, sizeof(question.node), "%s/%s", object.pool, object.name);
	history_answer_minutes(commands->history, call, &question,
			       unknown.text[0] != '\0' ? unknown.text : NULL);
}

/* --- the audit -------------------------------------------------------------------------------- */

struct texts {
	char **list;
	size_t count, cap;
};

static void add(struct texts *texts, const char *a, const char *b, const char *c)
{
	char *text = mem_format("%s%s%s", a, b, c);

	array_add(texts->list, texts->count, texts->cap) = text;
}

/* A pool has everything that its name begins, also what has left the files. */
static void add_beginnings(const struct object *object, struct audit_question *out)
{
	struct texts nodes = { 0 }, objects = { 0 };

	add(&nodes, object->pool, "/", "");
	add(&objects, "node:", object->pool, "/");
	add(&objects, "site:", object->pool, "/");
	out->nodes.beginnings = nodes.list;
	out->nodes.beginning_count = nodes.count;
	out->objects.beginnings = objects.list;
	out->objects.beginning_count = objects.count;
}

/* A node of the object, and what it is part of. `before`: the node that was added before, or
 * PLAN_NONE. */
static void add_node(const struct image *plan, uint32_t number, uint32_t before,
		     struct texts *nodes, struct texts *objects)
{
	const struct plan_node *all = plan_items(plan, nodes, struct plan_node);
	const struct plan_node *node = &all[number];
	const char *pool = plan_pool_name(plan, node->pool);
	const char *site = plan_site_name(plan, node->pool_site);
	char key[NODE_KEY_SIZE];

	add(nodes, node_key(plan, number, key), "", "");
	add(objects, "node:", key, "");
	if (before != PLAN_NONE && all[before].pool_site == node->pool_site)
		return; /* neighbours */
	add(objects, "site:", site, "");
	add(objects, "pool:", pool, "");
	array_add(objects->list, objects->count, objects->cap) = mem_format("site:%s/@%s", pool,
									    site);
}

/* Whose transitions are meant, and on what somebody may have acted that concerns them. */
static void list_names(const struct image *plan, const struct object *object,
		       struct audit_question *out)
{
	struct texts nodes = { 0 }, objects = { 0 };
	char own[OBJECT_TEXT_SIZE];
	uint32_t before = PLAN_NONE;

	out->of_some = true;
	add(&objects, object_text(object, own), "", "");
	if (object->kind == OBJECT_POOL)
		add_beginnings(object, out);
	if (object->kind == OBJECT_NODE)
		add(&nodes, object->pool, "/", object->name);
	for (uint32_t n = 0; plan != NULL && n < plan_count(plan, nodes); n++) {
		if (!object_has(object, plan, n))
			continue;
		add_node(plan, n, before, &nodes, &objects);
		before = n;
	}
	out->nodes.whole = nodes.list;
	out->nodes.whole_count = nodes.count;
	out->objects.whole = objects.list;
	out->objects.whole_count = objects.count;
}

static int take_after(const json_t *request, struct audit_place *out, struct err *err)
{
	const json_t *after = json_object_get(request, "after");
	json_int_t at, id;
	int is_action;

	if (after == NULL || json_is_null(after))
		return 0;
	if (json_unpack((json_t *)(uintptr_t)after, "[I, I, b]", &at, &id, &is_action) != 0 ||
	    at < 0 || id < 0)
		return err_set(err, "after is what \"next\" was");
	*out = (struct audit_place){ (uint64_t)at, (uint64_t)id, is_action != 0 };
	return 0;
}

static int take_question(const json_t *request, struct audit_question *out, struct err *err)
{
	const json_t *who = json_object_get(request, "who");

	if (who != NULL && (!json_is_string(who) || json_string_length(who) >= sizeof(out->who)))
		return err_set(err, "who is no name");
	if (who != NULL)
		(void)snprintf(out->who, sizeof(out->who), "%s", json_string_value(who));
	if (take_ms(request, "from_ms", 0, &out->from_unix_ms, err) != 0 ||
	    take_ms(request, "until_ms", INT64_MAX, &out->until_unix_ms, err) != 0)
		return -1;
	return take_after(request, &out->after, err);
}

void command_audit(struct commands *commands, struct call *call, const json_t *request)
{
	const char *written = json_string_value(json_object_get(request, "object"));
	struct audit_question question = { .limit = READER_ROWS_MAX };
	struct object object;
	struct err err;

	if (take_question(request, &question, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	if (written != NULL) {
		if (commands_find(commands, written, &object, &err) != 0 &&
		    !parse_former(written, &object)) {
			call_refuse(call, err.text);
			return;
		}
		list_names(commands_plan(commands), &object, &question);
	}
	history_answer_audit(commands->history, call, &question);
}
