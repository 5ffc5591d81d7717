#include "store/audit_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sql.h"

/* Behind a place, by time and then by id; a comparison of rows would not use the index on time. */
#define IN_RANGE                                                                        \
	" WHERE at_unix_ms >= ?1 AND at_unix_ms < ?2 AND (at_unix_ms > ?1 OR id > ?3) " \
	"ORDER BY at_unix_ms, id"

#define GET_TRANSITIONS \
	"SELECT at_unix_ms, id, node, from_status, to_status, rtt_us, reason, from_families_down, to_families_down FROM transitions " IN_RANGE

#define GET_ACTIONS                                                                              \
	"SELECT at_unix_ms, id, action, object, who, uid, weight, from_unix_ms, until_unix_ms, " \
	"reason FROM operator_actions" IN_RANGE

/* --- what is asked for ------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void audit_names_sort(struct audit_names *names)
{
	if (names->whole_count > 0)
		qsort(names->whole, names->whole_count, sizeof(*names->whole), compare_texts);
}

static bool is_among(const struct audit_names *names, const char *text)
{
	for (size_t i = 0; i < names->beginning_count; i++) {
		if (strncmp(names->beginnings[i], text, strlen(names->beginnings[i])) == 0)
			return true;
	}
	return names->whole_count > 0 && bsearch(&text, names->whole, names->whole_count,
						 sizeof(*names->whole), compare_texts) != NULL;
}

static bool is_wanted(const struct audit_question *question, const struct audit_event *event)
{
	const char *who = event->place.is_action ? event->action.who : "";

	if (question->who[0] != '\0' && strcmp(question->who, who) != 0)
		return false;
	if (!question->of_some)
		return true;
	return event->place.is_action ? is_among(&question->objects, event->action.object)
				      : is_among(&question->nodes, event->node);
}

/* --- the two tables, side by side --------------------------------------------------------------- */

struct source {
	sqlite3_stmt *get;
	bool is_action;
	int code; /* of the last step: SQLITE_ROW while there is a row */
};

static int open_source(sqlite3 *db, const struct audit_question *question, bool is_action,
		       struct source *out, struct err *err)
{
	const struct audit_place *after = &question->after;
	bool goes_on = after->at_unix_ms >= question->from_unix_ms && after->id != 0;
	uint64_t from = goes_on ? after->at_unix_ms : question->from_unix_ms;
	uint64_t id = 0;

	*out = (struct source){ .is_action = is_action };
	out->code = sql_prepare(db, is_action ? GET_ACTIONS : GET_TRANSITIONS, &out->get, err);
	if (out->code != SQLITE_OK)
		return out->code;
	/* Behind an action there is no transition of the same time any more. */
	if (goes_on && is_action == after->is_action)
		id = after->id;
	else if (goes_on && after->is_action)
		id = INT64_MAX;
	sql_bind_number(out->get, 1, from);
	sql_bind_number(out->get, 2, question->until_unix_ms);
	sql_bind_number(out->get, 3, id);
	out->code = sqlite3_step(out->get);
	return SQLITE_OK;
}

/* The one that is earlier; of events at the same time the transition. NULL: both have ended. */
static struct source *pick(struct source *transitions, struct source *actions)
{
	if (transitions->code != SQLITE_ROW)
		return actions->code == SQLITE_ROW ? actions : NULL;
	if (actions->code != SQLITE_ROW)
		return transitions;
	return sql_number(actions->get, 0) < sql_number(transitions->get, 0) ? actions
									     : transitions;
}

static void read_action(sqlite3_stmt *get, struct store_action *action)
{
	sql_text(get, 2, action->action, sizeof(action->action));
	sql_text(get, 3, action->object, sizeof(action->object));
	sql_text(get, 4, action->who, sizeof(action->who));
	action->uid = (uint32_t)sql_number(get, 5);
	action->weight = (uint32_t)sql_number(get, 6);
	action->from_unix_ms = sql_number(get, 7);
	action->until_unix_ms = sql_number(get, 8);
	sql_text(get, 9, action->reason, sizeof(action->reason));
}

static void read_event(const struct source *source, struct audit_event *out)
{
	sqlite3_stmt *get = source->get;

	*out = (struct audit_event){ .place = { sql_number(get, 0), sql_number(get, 1),
						source->is_action } };
	out->action.at_unix_ms = out->place.at_unix_ms;
	if (source->is_action) {
		read_action(get, &out->action);
		return;
	}
	sql_text(get, 2, out->node, sizeof(out->node));
	sql_text(get, 3, out->from, sizeof(out->from));
	sql_text(get, 4, out->to, sizeof(out->to));
	out->rtt_us = (uint32_t)sql_number(get, 5);
	sql_text(get, 6, out->action.reason, sizeof(out->action.reason));
	sql_text(get, 7, out->from_families, sizeof(out->from_families));
	sql_text(get, 8, out->to_families, sizeof(out->to_families));
}

static void read_events(struct source *transitions, struct source *actions,
			const struct audit_question *question, struct audit_answer *answer)
{
	struct source *source;
	struct audit_event event;
	size_t cap = 0;

	while ((source = pick(transitions, actions)) != NULL) {
		read_event(source, &event);
		if (is_wanted(question, &event)) {
			if (answer->count == question->limit) {
				answer->more = true;
				return;
			}
			array_add(answer->events, answer->count, cap) = event;
		}
		source->code = sqlite3_step(source->get);
	}
}

static int outcome(sqlite3 *db, const struct source *source, struct err *err)
{
	if (source->code == SQLITE_ROW || source->code == SQLITE_DONE)
		return SQLITE_OK;
	return sql_fail(db, source->code, "read", err);
}

int audit_rows_read(sqlite3 *db, const struct audit_question *question, struct audit_answer *answer,
		    struct err *err)
{
	struct source transitions = { 0 }, actions = { 0 };
	/* Both as of one time. */
	int code = sql_run(db, "BEGIN", err);

	if (code == SQLITE_OK)
		code = open_source(db, question, false, &transitions, err);
	if (code == SQLITE_OK)
		code = open_source(db, question, true, &actions, err);
	if (code == SQLITE_OK) {
		read_events(&transitions, &actions, question, answer);
		code = outcome(db, &transitions, err);
	}
	if (code == SQLITE_OK)
		code = outcome(db, &actions, err);
	(void)sqlite3_finalize(transitions.get);
	(void)sqlite3_finalize(actions.get);
	return code;
}
