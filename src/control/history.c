#include "control/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/report.h"

struct history {
	struct ev_loop *loop;
	struct store *store;
	struct reader *reader;
	struct ev_async answered;
};

/* Who waits for an answer. */
struct asking {
	struct history *history;
	struct call *call;
	char *unknown;
};

static struct asking *asking_new(struct history *history, struct call *call, const char *unknown)
{
	struct asking *asking = mem_alloc(sizeof(*asking));

	asking->history = history;
	asking->call = call;
	asking->unknown = unknown == NULL ? NULL : mem_copy_text(unknown);
	return asking;
}

static void asking_free(struct asking *asking)
{
	free(asking->unknown);
	free(asking);
}

/* Takes the reply over. What the database has is not all while it cannot be written. */
static void answer(struct asking *asking, json_t *reply)
{
	struct store_health health;

	store_health(asking->history->store, &health);
	if (health.error[0] != '\0' && health.pending > 0) {
		json_object_set_new(reply, "pending", json_integer((json_int_t)health.pending));
		json_object_set_new(reply, "store_error", report_text(health.error));
	}
	call_answer(asking->call, reply, NULL, 0);
	json_decref(reply);
}

/* --- minutes ---------------------------------------------------------------------------------- */

static json_t *known_text(const char *text)
{
	return text[0] == '\0' ? json_null() : report_text(text);
}

static json_t *minute_json(const struct minutes_row *row)
{
	json_t *load = row->load_permille == STORE_NO_LOAD ? json_null()
							   : json_integer(row->load_permille);

	return json_pack("[I, I, I, I, I, o]", (json_int_t)row->minute, (json_int_t)row->probes,
			 (json_int_t)row->failures, (json_int_t)row->rtt_us,
			 (json_int_t)row->rtt_max_us, load);
}

static json_t *minutes_json(const struct minutes_question *question,
			    const struct minutes_answer *found)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < found->count; i++)
		json_array_append_new(rows, minute_json(&found->rows[i]));
	return json_pack("{s:b, s:o, s:I, s:o, s:o, s:o, s:o}", "ok", true, "node",
			 report_text(question->node), "now_ms", (json_int_t)clock_unix_ms(),
			 "status_before", known_text(found->status_before), "status",
			 known_text(found->status_now), "minutes", rows, "next_ms",
			 found->next == 0 ? json_null()
					  : json_integer((json_int_t)found->next * 60000));
}

static void minutes_read(void *context, const struct minutes_question *question,
			 const struct minutes_answer *found, const char *error)
{
	struct asking *asking = context;

	if (error != NULL) {
		call_refuse(asking->call, error);
	} else if (!found->known && asking->unknown != NULL) {
		call_refuse(asking->call, asking->unknown);
	} else {
		answer(asking, minutes_json(question, found));
	}
	asking_free(asking);
}

void history_answer_minutes(struct history *history, struct call *call,
			    const struct minutes_question *question, const char *unknown)
{
	struct asking *asking = asking_new(history, call, unknown);
	struct err err;

	if (reader_ask_minutes(history->reader, question, minutes_read, asking, &err) != 0) {
		call_refuse(call, err.text);
		asking_free(asking);
	}
}

/* --- the audit -------------------------------------------------------------------------------- */

static json_t *families_json(const char *families)
{
	json_t *list = json_array();

	if (strstr(families, "IPv4") != NULL)
		json_array_append_new(list, json_string("IPv4"));
	if (strstr(families, "IPv6") != NULL)
		json_array_append_new(list, json_string("IPv6"));
	return list;
}

static json_t *transition_json(const struct audit_event *event)
{
	char *object = mem_format("node:%s", event->node);
	json_t *told = json_pack(
		"{s:I, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:o}", "at_ms",
		(json_int_t)event->place.at_unix_ms, "kind", "transition", "object",
		report_text(object), "action", "status", "from", report_text(event->from), "to",
		report_text(event->to), "from_down_families", families_json(event->from_families),
		"to_down_families", families_json(event->to_families), "rtt_us",
		(json_int_t)event->rtt_us, "reason", report_text(event->action.reason));

	free(object);
	return told;
}

static json_t *action_json(const struct store_action *action)
{
	return json_pack(
		"{s:I, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "at_ms",
		(json_int_t)action->at_unix_ms, "kind", "action", "object",
		report_text(action->object), "action", report_text(action->action), "who",
		report_text(action->who), "uid",
		action->uid == STORE_NO_UID ? json_null() : json_integer(action->uid), "weight",
		(json_int_t)action->weight, "from_ms", (json_int_t)action->from_unix_ms, "until_ms",
		action->until_unix_ms == 0 ? json_null()
					   : json_integer((json_int_t)action->until_unix_ms),
		"reason", report_text(action->reason));
}

static json_t *audit_json(const struct audit_answer *found)
{
	json_t *events = json_array(), *next = json_null();

	for (size_t i = 0; i < found->count; i++)
		json_array_append_new(events, found->events[i].place.is_action
						      ? action_json(&found->events[i].action)
						      : transition_json(&found->events[i]));
	if (found->more && found->count > 0) {
		const struct audit_place *last = &found->events[found->count - 1].place;

		next = json_pack("[I, I, b]", (json_int_t)last->at_unix_ms, (json_int_t)last->id,
				 (int)last->is_action);
	}
	return json_pack("{s:b, s:I, s:o, s:o}", "ok", true, "now_ms", (json_int_t)clock_unix_ms(),
			 "events", events, "next", next);
}

static void audit_read(void *context, const struct audit_answer *found, const char *error)
{
	struct asking *asking = context;

	if (error != NULL) {
		call_refuse(asking->call, error);
	} else {
		answer(asking, audit_json(found));
	}
	asking_free(asking);
}

void history_answer_audit(struct history *history, struct call *call,
			  struct audit_question *question)
{
	struct asking *asking = asking_new(history, call, NULL);
	struct err err;

	if (reader_ask_audit(history->reader, question, audit_read, asking, &err) != 0) {
		call_refuse(call, err.text);
		asking_free(asking);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static void deliver(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct history *history = async->data;

	(void)loop;
	(void)events;
	reader_deliver(history->reader);
}

/* In the reader's thread. */
static void answered(void *context)
{
	struct history *history = context;

	ev_async_send(history->loop, &history->answered);
}

int history_open(struct history **out, struct ev_loop *loop, struct store *store, struct err *err)
{
	struct history *history = mem_alloc(sizeof(*history));

	history->loop = loop;
	history->store = store;
	ev_async_init(&history->answered, deliver);
	history->answered.data = history;
	ev_async_start(loop, &history->answered);
	if (reader_open(&history->reader, store, answered, history, err) != 0) {
		ev_async_stop(loop, &history->answered);
		free(history);
		return -1;
	}
	*out = history;
	return 0;
}

void history_close(struct history *history)
{
	if (history == NULL)
		return;
	reader_close(history->reader);
	ev_async_stop(history->loop, &history->answered);
	free(history);
}
