#include "control/stored.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "control/report.h"

struct waiting {
	struct stored *stored;
	struct waiting *next;
	struct call *call;
	json_t *reply;
	uint64_t ticket;
	struct ev_timer patience;
};

struct stored {
	struct ev_loop *loop;
	struct store *store;
	struct ev_async written;
	struct waiting *first;
};

static void answer(struct stored *stored, struct call *call, json_t *reply, bool is_stored)
{
	struct store_health health;

	json_object_set_new(reply, "stored", json_boolean(is_stored));
	if (!is_stored) {
		store_health(stored->store, &health);
		json_object_set_new(reply, "store_error",
				    report_text(health.error[0] != '\0'
							? health.error
							: "the database is not written yet"));
	}
	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

static void finish(struct waiting **link, bool is_stored)
{
	struct waiting *waiting = *link;

	*link = waiting->next;
	ev_timer_stop(waiting->stored->loop, &waiting->patience);
	answer(waiting->stored, waiting->call, waiting->reply, is_stored);
	free(waiting);
}

static void look(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct stored *stored = async->data;

	(void)loop;
	(void)events;
	for (struct waiting **link = &stored->first; *link != NULL;) {
		if (store_is_stored(stored->store, (*link)->ticket))
			finish(link, true);
		else
			link = &(*link)->next;
	}
}

static void too_late(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct waiting *waiting = timer->data;
	struct waiting **link = &waiting->stored->first;

	(void)loop;
	(void)events;
	while (*link != waiting)
		link = &(*link)->next;
	finish(link, store_is_stored(waiting->stored->store, waiting->ticket));
}

/* In the store's thread. */
static void written(void *context)
{
	struct stored *stored = context;

	ev_async_send(stored->loop, &stored->written);
}

struct stored *stored_open(struct ev_loop *loop, struct store *store)
{
	struct stored *stored = mem_alloc(sizeof(*stored));

	stored->loop = loop;
	stored->store = store;
	ev_async_init(&stored->written, look);
	stored->written.data = stored;
	ev_async_start(loop, &stored->written);
	store_when_written(store, written, stored);
	return stored;
}

void stored_close(struct stored *stored)
{
	if (stored == NULL)
		return;
	store_when_written(stored->store, NULL, NULL);
	while (stored->first != NULL)
		finish(&stored->first, store_is_stored(stored->store, stored->first->ticket));
	ev_async_stop(stored->loop, &stored->written);
	free(stored);
}

void stored_answer(struct stored *stored, struct call *call, json_t *reply, uint64_t ticket)
{
	struct waiting *waiting;

	if (ticket == 0) {
		answer(stored, call, reply, false);
		return;
	}
	waiting = mem_alloc(sizeof(*waiting));
	*waiting = (struct waiting){ .stored = stored,
				     .next = stored->first,
				     .call = call,
				     .reply = reply,
				     .ticket = ticket };
	stored->first = waiting;
	ev_timer_init(&waiting->patience, too_late, STORED_PATIENCE_S, 0.);
	waiting->patience.data = waiting;
	ev_now_update(stored->loop); /* a long round of the loop must not shorten it */
	ev_timer_start(stored->loop, &waiting->patience);
}
