#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/timestamp.h"
#include "ctl/columns.h"
#include "ctl/command_history.h"
#include "ctl/field.h"

static bool is_transition(const json_t *event)
{
	return strcmp(field_text(event, "kind"), "transition") == 0;
}

/* --- for people ---------------------------------------------------------------------------------- */

/* "up", "up, no IPv6" */
static void put_side(const json_t *event, const char *status, const char *down, struct buf *out)
{
	const json_t *list = json_object_get(event, down), *family;
	size_t i;

	buf_format(out, "%s", field_text(event, status));
	json_array_foreach(list, i, family) buf_format(out, ", no %s", json_string_value(family));
}

/* "up -> down", "up -> up, no IPv6" */
static void add_turn(struct columns *table, const json_t *event)
{
	const char *to = field_text(event, "to");
	enum ink ink = strcmp(to, "down") == 0 ? INK_BAD
		       : strcmp(to, "up") == 0 ? INK_GOOD
					       : INK_DIM;
	struct buf text = { 0 };

	if (ink == INK_GOOD && json_array_size(json_object_get(event, "to_down_families")) > 0)
		ink = INK_PLAIN;
	put_side(event, "from", "from_down_families", &text);
	buf_append(&text, " -> ", 4);
	put_side(event, "to", "to_down_families", &text);
	buf_append(&text, "", 1);
	columns_cell(table, ink, "%s", (const char *)text.data);
	buf_free(&text);
	columns_cell(table, INK_DIM, "-");
}

/* "drain until 2026-12-24T18:00:00Z", "weight 50"; by whom. */
static void add_action(struct columns *table, const json_t *event)
{
	const char *action = field_text(event, "action"), *who = field_text(event, "who");
	char from[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE], weight[24] = "";
	bool later = field_count(event, "from_ms") > field_count(event, "at_ms");
	bool ends = field_has(event, "until_ms");
	bool as_root = field_has(event, "uid") && field_number(event, "uid") == 0;

	if (strcmp(action, "weight") == 0)
		(void)snprintf(weight, sizeof(weight), " %lld", field_number(event, "weight"));
	columns_cell(table, INK_PLAIN, "%s%s%s%s%s%s", action, weight, later ? " from " : "",
		     later ? timestamp_text(field_count(event, "from_ms") / 1000, from) : "",
		     ends ? " until " : "",
		     ends ? timestamp_text(field_count(event, "until_ms") / 1000, until) : "");
	columns_cell(table, INK_PLAIN, "%s%s", who,
		     as_root && strcmp(who, "root") != 0 ? " (as root)" : "");
}

void show_audit(const json_t *events, FILE *out, bool colour)
{
	struct columns *table = columns_new("TIME|OBJECT|WHAT|WHO|WHY");
	char when[TIMESTAMP_SIZE], counted[COUNTED_SIZE];
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s",
			     timestamp_text(field_count(event, "at_ms") / 1000, when));
		columns_cell(table, INK_PLAIN, "%s", field_text(event, "object"));
		if (is_transition(event))
			add_turn(table, event);
		else
			add_action(table, event);
		columns_cell(table, INK_PLAIN, "%s", field_text(event, "reason"));
	}
	columns_print(table, out, "", colour);
	(void)fprintf(out, "%s\n",
		      text_counted((long long)json_array_size(events), "event", counted));
}

/* --- for spreadsheets: RFC 4180 ------------------------------------------------------------------- */

/* What probes and operators said may be anything. Spreadsheets take a text that begins so for a
 * formula, and run it; one in front of it they show and take for the text that it is. */
static bool is_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@", text[0]) != NULL;
}

static void put_text(const char *text, FILE *out)
{
	char *plain = text_plain(mem_copy_text(text));

	(void)fprintf(out, ",\"%s", is_formula(plain) ? "'" : "");
	for (const char *at = plain; *at != '\0'; at++) {
		if (*at == '"')
			(void)fputc('"', out);
		(void)fputc(*at, out);
	}
	(void)fputc('"', out);
	free(plain);
}

/* "2026-12-24T18:00:00.123Z"; empty for a time that there is not. */
static void put_time(const json_t *event, const char *key, FILE *out)
{
	uint64_t ms = field_count(event, key);
	char text[TIMESTAMP_SIZE];

	if (!field_has(event, key))
		return;
	(void)timestamp_text(ms / 1000, text);
	text[strcspn(text, "Z")] = '\0';
	(void)fprintf(out, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

static void put_number(const json_t *event, const char *key, FILE *out)
{
	(void)fputc(',', out);
	if (field_has(event, key))
		(void)fprintf(out, "%lld", field_number(event, key));
}

static void put_families(const json_t *event, const char *key, FILE *out)
{
	const json_t *list = json_object_get(event, key), *family;
	size_t i;

	(void)fputs(",\"", out);
	json_array_foreach(list, i, family)(void)
		fprintf(out, "%s%s", i > 0 ? "," : "", json_string_value(family));
	(void)fputc('"', out);
}

void show_audit_csv(const json_t *events, FILE *out)
{
	const json_t *event;
	size_t i;

	(void)fputs("time,kind,object,action,from_status,to_status,who,uid,weight,from,until,"
		    "reason,from_families_down,to_families_down\r\n",
		    out);
	json_array_foreach(events, i, event)
	{
		put_time(event, "at_ms", out);
		put_text(field_text(event, "kind"), out);
		put_text(field_text(event, "object"), out);
		put_text(field_text(event, "action"), out);
		put_text(field_text(event, "from"), out);
		put_text(field_text(event, "to"), out);
		put_text(field_text(event, "who"), out);
		put_number(event, "uid", out);
		put_number(event, "weight", out);
		(void)fputc(',', out);
		put_time(event, "from_ms", out);
		(void)fputc(',', out);
		put_time(event, "until_ms", out);
		put_text(field_text(event, "reason"), out);
		put_families(event, "from_down_families", out);
		put_families(event, "to_down_families", out);
		(void)fputs("\r\n", out);
	}
}
