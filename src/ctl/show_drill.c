#include <string.h>

#include "base/timestamp.h"
#include "ctl/columns.h"
#include "ctl/command_drill.h"
#include "ctl/field.h"

/* --- times ------------------------------------------------------------------------------------- */

static void cell_after(struct columns *table, const json_t *node, const char *key, uint64_t from_ms)
{
	uint64_t at_ms = field_count(node, key);

	if (at_ms == 0)
		columns_cell(table, INK_DIM, "-");
	else
		columns_cell(table, INK_PLAIN, "%.2f s",
			     at_ms > from_ms ? (double)(at_ms - from_ms) / 1000 : 0.);
}

static const char *note_of(const json_t *drill, const json_t *node)
{
	if (!field_is(node, "has_probes"))
		return "it has no probe";
	if (field_is(node, "gone"))
		return "it left the files";
	if (field_is(node, "was_down"))
		return "it was down before";
	if (field_is(node, "kept_in"))
		return "answered all the same: the pool is frozen";
	if (field_is(node, "kept_out"))
		return "an operator or a window has it out of answers";
	if (field_count(node, "down_ms") == 0)
		return field_is(drill, "running") ? "not down yet" : "it did not go down";
	if (!field_is(drill, "running") && field_count(node, "up_ms") == 0)
		return "not back yet";
	return "";
}

static void show_nodes(const json_t *drill, FILE *out, bool colour)
{
	static const char *const down[] = { "down_ms", "down_published_ms", "down_served_ms" };
	static const char *const up[] = { "up_ms", "up_published_ms", "up_served_ms" };
	struct columns *table = columns_new(
		"NODE|>DOWN AFTER|>PUBLISHED|>SERVED|>BACK AFTER|>PUBLISHED|>SERVED|");
	const json_t *node;
	size_t i;

	json_array_foreach(json_object_get(drill, "nodes"), i, node)
	{
		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s", field_text(node, "name"));
		for (int s = 0; s < 3; s++)
			cell_after(table, node, down[s], field_count(drill, "from_ms"));
		for (int s = 0; s < 3; s++)
			cell_after(table, node, up[s], field_count(drill, "ended_ms"));
		columns_cell(table, INK_DIM, "%s", note_of(drill, node));
	}
	columns_print(table, out, "  ", colour);
}

/* --- the whole --------------------------------------------------------------------------------- */

void show_drill_running(const json_t *drill, uint64_t now_ms, FILE *out)
{
	uint64_t until_ms = field_count(drill, "until_ms");
	char left[QUANTITY_SIZE], until[TIMESTAMP_SIZE];

	if (!field_is(drill, "running"))
		return;
	(void)fprintf(out, "DRILL: %s is pretended to be down by %s, for %s more, until %s%s%s\n",
		      field_text(drill, "object"), field_text(drill, "who"),
		      text_age(now_ms, until_ms > now_ms ? until_ms : now_ms, left),
		      timestamp_text(until_ms / 1000, until),
		      field_text(drill, "reason")[0] != '\0' ? ": " : "",
		      field_text(drill, "reason"));
}

static void show_past(const json_t *drill, FILE *out)
{
	char from[TIMESTAMP_SIZE], ended[TIMESTAMP_SIZE];

	(void)fprintf(out, "no drill goes on; the last one: %s, by %s, from %s to %s%s\n",
		      field_text(drill, "object"), field_text(drill, "who"),
		      timestamp_text(field_count(drill, "from_ms") / 1000, from),
		      timestamp_text(field_count(drill, "ended_ms") / 1000, ended),
		      field_is(drill, "stopped") ? ", when it was stopped" : "");
}

void show_drill(const json_t *reply, FILE *out, bool colour)
{
	const json_t *drill = json_object_get(reply, "drill");

	if (!json_is_object(drill)) {
		(void)fputs("no drill goes on, and none is known of before\n", out);
		return;
	}
	if (field_is(drill, "running"))
		show_drill_running(drill, field_count(reply, "now_ms"), out);
	else
		show_past(drill, out);
	if (field_is(drill, "resumed"))
		(void)fputs(
			"the control plane was restarted meanwhile: what came about just then has "
			"no time here\n",
			out);
	show_nodes(drill, out, colour);
}
