#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "ctl/columns.h"
#include "ctl/command_history.h"
#include "ctl/field.h"

static bool is_transition(const json_t *event)
{
	return strcmp(field_text(event, "kind"), "transition") == 0;
}

/* --- for people ---------------------------------------------------------------------------------- */

/* "up -> down" */
static void add_turn(struct columns *table, const json_t *event)
{
	const char *to = field_text(event, "to");
	enum ink ink = strcmp(to, "down") == 0 ? INK_BAD
		       : strcmp(to, "up") == 0 ? INK_GOOD
					       : INK_DIM;

	columns_cell(table, ink, "%s -> %s", field_text(event, "from"), to);
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

static void put_text(const char *text, FILE *out)
{
	(void)fputs(",\"", out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			(void)fputc('"', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
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

void show_audit_csv(const json_t *events, FILE *out)
{
	const json_t *event;
	size_t i;

	(void)fputs("time,kind,object,action,from_status,to_status,who,uid,weight,from,until,"
		    "reason\r\n",
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
		(void)fputs("\r\n", out);
	}
}
