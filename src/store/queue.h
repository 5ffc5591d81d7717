/* queue.h - rows that wait to be written: bounded, a node's status only once (the latest wins).
 *
 * No thread and no lock in here; store.c has two of these and swaps them. */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define QUEUE_TRANSITIONS_MAX 65536 /* 26 MB */
#define QUEUE_STATUSES_MAX    131072
#define QUEUE_ACTIONS_MAX     16384
#define QUEUE_MINUTES_MAX     600000 /* an hour of 10,000 nodes; 40 MB */

struct queue_transition {
	struct queue_transition *next;
	struct store_status now;
	char from[sizeof(((struct store_status *)NULL)->status)];
	char from_families[sizeof(((struct store_status *)NULL)->families_down)];
};

struct queue_action {
	struct queue_action *next;
	struct store_action action;
};

/* One minute of many nodes. */
struct queue_minutes {
	struct queue_minutes *next;
	uint64_t minute;
	uint32_t count;
	struct store_minute *rows; /* their texts behind them, in the same block */
};

/* All that operators have ordered, in place of what was. */
struct queue_orders {
	struct store_action *list;
	size_t count;
	uint64_t ticket; /* 0: nothing was said of them */
};

/* The last drill, in place of what was. */
struct queue_drill {
	bool is; /* something was said of it */
	struct store_drill drill;
	struct store_drill_node *nodes;
	size_t count;
};

/* Zero-initialise. */
struct queue {
	struct queue_transition *first, **end; /* oldest first; `end` is set by the first put */
	uint32_t transition_count;
	struct store_status **statuses; /* in the order in which their nodes came */
	uint32_t status_count, status_capacity;
	uint32_t *slots;     /* hash of node -> its status' index + 1; linear probing */
	uint32_t slot_count; /* a power of two, at least twice status_capacity; or 0 */
	struct queue_action *first_action, **end_action; /* as with transitions */
	uint32_t action_count;
	struct queue_minutes *first_minutes, **end_minutes; /* as with transitions */
	uint32_t minute_count;                              /* rows */
	struct queue_orders orders;
	struct queue_drill drill;
};

/* false: full, the row is lost. A transition and a status are two rows. */
bool queue_put_transition(struct queue *queue, const struct store_status *now,
			  const struct store_before *from);
bool queue_put_status(struct queue *queue, const struct store_status *now);
bool queue_put_action(struct queue *queue, const struct store_action *action);

/* All of them or none. */
bool queue_put_minutes(struct queue *queue, uint64_t minute, const struct store_minute *rows,
		       uint32_t count);

/* Copies the list. */
void queue_put_orders(struct queue *queue, const struct store_action *list, size_t count,
		      uint64_t ticket);

/* Copies the nodes. */
void queue_put_drill(struct queue *queue, const struct store_drill *drill,
		     const struct store_drill_node *nodes, size_t count);

static inline uint64_t queue_rows(const struct queue *queue)
{
	return (uint64_t)queue->transition_count + queue->status_count + queue->action_count +
	       queue->minute_count + (queue->orders.ticket != 0) + queue->drill.is;
}

void queue_clear(struct queue *queue); /* its rows; keeps its tables for the next ones */
void queue_free(struct queue *queue);

#endif
