/* What was: of a node, and of what was done. */
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/command_history.h"
#include "ctl/field.h"

#define HISTORY_SINCE "24h"

/* --- asking -------------------------------------------------------------------------------------- */

/* The time that is asked for. */
struct range {
	uint64_t from_ms, until_ms;
};

/* false: some text of the command line is no UTF-8, which JSON cannot carry. */
static bool can_be_asked(const struct options *options)
{
	const char *texts[] = { options->count > 1 ? options->arguments[1] : NULL,
				options->history.who };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *text = texts[i] == NULL ? json_null() : json_string(texts[i]);

		if (text == NULL)
			return false;
		json_decref(text);
	}
	return true;
}

/* STATUS_OK, or why not. since: unless it is given. */
static int take_range(const struct options *options, const char *since, struct range *out)
{
	const char *from = options->history.since != NULL ? options->history.since : since;
	uint64_t now_ms = clock_unix_ms();
	struct err err;

	*out = (struct range){ 0, now_ms };
	if (!can_be_asked(options))
		return misused("not UTF-8", "a name");
	if ((from != NULL && history_time("since", from, now_ms, &out->from_ms, &err) != 0) ||
	    (options->order.until != NULL &&
	     history_time("until", options->order.until, now_ms, &out->until_ms, &err) != 0))
		return misused("not understood", err.text);
	if (out->from_ms >= out->until_ms)
		return misused("nothing lies between --since and --until", from);
	return STATUS_OK;
}

/* One page. Exit status; STATUS_OK: *out is well. */
static int ask_page(const struct options *options, json_t *request, struct reply *out)
{
	int status = ask(options, request, CLIENT_PATIENCE_S, out);

	if (status == STATUS_OK && !reply_ok(out))
		return refused(out);
	return status;
}

/* The database does not have everything while it cannot be written. */
static void warn_of_missing(const json_t *page)
{
	long long rows = field_number(page, "pending");

	if (rows > 0)
		(void)fprintf(
			stderr,
			"signpostctl: what happened last may be missing: %lld row%s wait%s to be "
			"written: %s\n",
			rows, rows == 1 ? "" : "s", rows == 1 ? "s" : "",
			field_text(page, "store_error"));
}

/* All events; the caller's. */
static int ask_events(const struct options *options, const struct range *range, const char *object,
		      json_t **out)
{
	json_t *events = json_array(), *after = json_null();
	int status = STATUS_OK;

	while (after != NULL && status == STATUS_OK) {
		json_t *request = json_pack("{s:s, s:I, s:I, s:o}", "command", "audit", "from_ms",
					    (json_int_t)range->from_ms, "until_ms",
					    (json_int_t)range->until_ms, "after", after);
		struct reply reply;

		after = NULL;
		if (object != NULL)
			json_object_set_new(request, "object", json_string(object));
		if (options->history.who != NULL)
			json_object_set_new(request, "who", json_string(options->history.who));
		status = ask_page(options, request, &reply);
		if (status != STATUS_OK)
			break;
		json_array_extend(events, json_object_get(reply.json, "events"));
		if (!field_has(reply.json, "next"))
			warn_of_missing(reply.json);
		else
			after = json_incref(json_object_get(reply.json, "next"));
		reply_free(&reply);
	}
	if (status == STATUS_OK)
		*out = events;
	else
		json_decref(events);
	return status;
}

/* --- history ------------------------------------------------------------------------------------- */

struct answer {
	char node[256], status[16];
	struct measured measured;
	json_t *events; /* the transitions */
};

static void take_page(struct answer *answer, const json_t *page)
{
	const char *before = field_text(page, "status_before");

	(void)measured_add_minutes(&answer->measured, page);
	if (answer->node[0] != '\0')
		return; /* the first page says it */
	(void)snprintf(answer->node, sizeof(answer->node), "%s", field_text(page, "node"));
	(void)snprintf(answer->status, sizeof(answer->status), "%s", field_text(page, "status"));
	answer->measured.before = measured_state(before[0] != '\0' ? before : answer->status);
}

static int ask_history(const struct options *options, struct answer *answer)
{
	struct range range = { answer->measured.from_ms, answer->measured.until_ms };
	uint64_t next_ms = range.from_ms;
	int status = STATUS_OK;

	while (next_ms != 0 && status == STATUS_OK) {
		struct reply reply;

		status = ask_page(options,
				  json_pack("{s:s, s:s, s:I, s:I}", "command", "history", "node",
					    options->arguments[1], "from_ms", (json_int_t)next_ms,
					    "until_ms", (json_int_t)range.until_ms),
				  &reply);
		if (status != STATUS_OK)
			return status;
		take_page(answer, reply.json);
		next_ms = field_count(reply.json, "next_ms");
		reply_free(&reply);
	}
	return ask_events(options, &range, answer->node, &answer->events);
}

/* Only transitions: what operators did is audit's. */
static void drop_actions(json_t *events)
{
	for (size_t i = json_array_size(events); i-- > 0;) {
		if (strcmp(field_text(json_array_get(events, i), "kind"), "transition") != 0)
			json_array_remove(events, i);
	}
}

static size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return columns != NULL && atoi(columns) > 0 ? (size_t)atoi(columns) : 80;
}

static bool shows_unicode(void)
{
	(void)setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int tell_history(const struct options *options, struct answer *answer)
{
	const struct chart_style style = { shows_unicode(), isatty(STDOUT_FILENO) == 1 };
	json_t *json;
	int status;

	drop_actions(answer->events);
	json = json_pack("{s:O}", "events", answer->events);
	measured_add_turns(&answer->measured, json);
	json_decref(json);
	if (!options->json) {
		show_history(answer->node, answer->status, &answer->measured, terminal_width(),
			     &style, stdout);
		return STATUS_OK;
	}
	json = history_json(answer->node, answer->status, &answer->measured, answer->events);
	status = print_json(json, JSON_INDENT(2));
	json_decref(json);
	return status;
}

int command_history(const struct options *options)
{
	struct answer answer = { .measured = { .before = ' ' } };
	struct range range;
	int status;

	if (options->count < 2)
		return misused("history wants a node", "history POOL/NODE");
	status = take_range(options, HISTORY_SINCE, &range);
	if (status != STATUS_OK)
		return status;
	answer.measured.from_ms = range.from_ms;
	answer.measured.until_ms = range.until_ms;
	status = ask_history(options, &answer);
	if (status == STATUS_OK)
		status = tell_history(options, &answer);
	measured_free(&answer.measured);
	json_decref(answer.events);
	return status;
}

/* --- audit --------------------------------------------------------------------------------------- */

int command_audit(const struct options *options)
{
	json_t *events = NULL;
	struct range range;
	int status = take_range(options, NULL, &range);

	if (options->order.until == NULL)
		range.until_ms = INT64_MAX; /* also what a clock that was ahead left behind */
	if (status == STATUS_OK && options->json && options->history.csv)
		return misused("one of the two", "--json --csv");
	if (status == STATUS_OK)
		status = ask_events(options, &range,
				    options->count > 1 ? options->arguments[1] : NULL, &events);
	if (status != STATUS_OK)
		return status;
	if (options->json)
		status = print_json(events, JSON_INDENT(2));
	else if (options->history.csv)
		show_audit_csv(events, stdout);
	else
		show_audit(events, stdout, isatty(STDOUT_FILENO) == 1);
	json_decref(events);
	return status;
}
