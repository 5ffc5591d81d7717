#include <string.h>

#include "base/timestamp.h"
#include "ctl/columns.h"
#include "ctl/command_orders.h"
#include "ctl/field.h"
#include "ctl/show.h"

/* "2026-12-24T18:00:00Z" */
static const char *moment(const json_t *object, const char *key, char text[TIMESTAMP_SIZE])
{
	return timestamp_text(field_count(object, key) / 1000, text);
}

/* "ann", "ann (uid 0)" where that is not her own, "edge.pool.yaml:12". */
static void add_who(struct columns *table, const json_t *state)
{
	const char *file = field_text(state, "file");
	const char *slash = strrchr(file, '/');

	if (file[0] != '\0')
		columns_cell(table, INK_PLAIN, "%s:%lld", slash == NULL ? file : slash + 1,
			     field_number(state, "line"));
	else if (field_number(state, "uid") == 0 && strcmp(field_text(state, "who"), "root") != 0)
		columns_cell(table, INK_PLAIN, "%s (as root)", field_text(state, "who"));
	else
		columns_cell(table, INK_PLAIN, "%s", field_text(state, "who"));
}

static void add_state(struct columns *table, const json_t *state)
{
	bool holds = field_is(state, "holds");
	const char *name = field_text(state, "state");
	char text[TIMESTAMP_SIZE];

	columns_row(table);
	if (strcmp(name, "weight") == 0)
		columns_cell(table, INK_PLAIN, "weight %lld", field_number(state, "weight"));
	else
		columns_cell(table, holds ? INK_BAD : INK_DIM, "%s%s", name,
			     holds ? "" : ", to come");
	columns_cell(table, INK_PLAIN, "%s%s", field_text(state, "object"),
		     field_is(state, "in_files") ? "" : " (not in the files)");
	columns_cell(table, INK_PLAIN, "%s", moment(state, "from_ms", text));
	columns_cell(table, INK_PLAIN, "%s",
		     json_is_integer(json_object_get(state, "until_ms"))
			     ? moment(state, "until_ms", text)
			     : "-");
	add_who(table, state);
	columns_cell(table, INK_PLAIN, "%s", field_text(state, "reason"));
}

void show_states(const json_t *reply, FILE *out, bool colour)
{
	const json_t *states = json_object_get(reply, "states"), *state;
	struct columns *table;
	size_t i;

	if (json_is_false(json_object_get(reply, "known")))
		(void)fprintf(out, "the database could not be read yet: there may be more\n");
	if (json_array_size(states) == 0) {
		(void)fprintf(out,
			      "nothing is drained, disabled, forced or weighted otherwise, nor "
			      "is to be\n");
		return;
	}
	table = columns_new("STATE|OBJECT|FROM|UNTIL|BY|WHY");
	json_array_foreach(states, i, state) add_state(table, state);
	columns_print(table, out, "", colour);
}

/* "drained by ann since ...: moving" */
static void show_line(const char *what, const json_t *state, FILE *out)
{
	char text[TIMESTAMP_SIZE];
	const char *by = field_text(state, "who")[0] != '\0' ? field_text(state, "who")
							     : field_text(state, "file");

	(void)fprintf(out, "%s: %s %s by %s, from %s", what, field_text(state, "object"),
		      field_text(state, "state"), by, moment(state, "from_ms", text));
	if (strcmp(field_text(state, "state"), "weight") == 0)
		(void)fprintf(out, ", %lld", field_number(state, "weight"));
	if (json_is_integer(json_object_get(state, "until_ms")))
		(void)fprintf(out, " until %s", moment(state, "until_ms", text));
	(void)fprintf(out, "%s%s\n", field_text(state, "reason")[0] != '\0' ? ": " : "",
		      field_text(state, "reason"));
}

void show_order(const json_t *reply, FILE *out)
{
	const char *action = field_text(reply, "action");
	bool ends = strcmp(action, "enable") == 0 || strcmp(action, "reset") == 0;
	const json_t *item;
	char text[TIMESTAMP_SIZE];
	size_t i;

	(void)fprintf(out, "%s %s: %lld node%s", action, field_text(reply, "object"),
		      field_number(reply, "nodes"), field_number(reply, "nodes") == 1 ? "" : "s");
	if (field_count(reply, "from_ms") > field_count(reply, "now_ms"))
		(void)fprintf(out, ", from %s", moment(reply, "from_ms", text));
	if (field_count(reply, "until_ms") != 0)
		(void)fprintf(out, ", until %s", moment(reply, "until_ms", text));
	(void)fputc('\n', out);
	if (ends && json_array_size(json_object_get(reply, "ended")) == 0)
		(void)fprintf(out, "nothing was ordered of it that this could end\n");
	json_array_foreach(json_object_get(reply, "ended"), i, item)
		show_line("ended or cut short", item, out);
	json_array_foreach(json_object_get(reply, "others"), i, item)
		show_line("holds as well", item, out);
	json_array_foreach(json_object_get(reply, "warnings"), i, item)(void)
		fprintf(out, "warning: %s\n", json_string_value(item));
}
