#include "store/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

bool queue_put_transition(struct queue *queue, const struct store_status *now,
			  const struct store_before *from)
{
	struct queue_transition *transition;

	if (queue->transition_count == QUEUE_TRANSITIONS_MAX)
		return false;
	transition = mem_alloc(sizeof(*transition));
	transition->now = *now;
	(void)snprintf(transition->from, sizeof(transition->from), "%s", from->status);
	(void)snprintf(transition->from_families, sizeof(transition->from_families), "%s",
		       from->families_down);
	if (queue->first == NULL)
		queue->end = &queue->first;
	*queue->end = transition;
	queue->end = &transition->next;
	queue->transition_count++;
	return true;
}

/* The slot that holds this node's index, or the empty one where it belongs. */
static uint32_t *find_slot(const struct queue *queue, const char *node)
{
	uint32_t at = (uint32_t)hash_text(node, 0) & (queue->slot_count - 1);

	while (queue->slots[at] != 0 &&
	       strcmp(queue->statuses[queue->slots[at] - 1]->node, node) != 0)
		at = (at + 1) & (queue->slot_count - 1);
	return &queue->slots[at];
}

static void grow_statuses(struct queue *queue)
{
	queue->status_capacity = queue->status_capacity ? queue->status_capacity * 2 : 256;
	queue->statuses = mem_resize(queue->statuses, queue->status_capacity,
				     sizeof(struct store_status *));
	free(queue->slots);
	queue->slot_count = queue->status_capacity * 2;
	queue->slots = mem_array(queue->slot_count, sizeof(*queue->slots));
	for (uint32_t i = 0; i < queue->status_count; i++)
		*find_slot(queue, queue->statuses[i]->node) = i + 1;
}

bool queue_put_status(struct queue *queue, const struct store_status *now)
{
	uint32_t *slot;

	if (queue->status_count == queue->status_capacity &&
	    queue->status_count < QUEUE_STATUSES_MAX)
		grow_statuses(queue);
	slot = find_slot(queue, now->node);
	if (*slot == 0) {
		if (queue->status_count == QUEUE_STATUSES_MAX)
			return false;
		queue->statuses[queue->status_count] = mem_alloc(sizeof(*now));
		*slot = ++queue->status_count;
	}
	*queue->statuses[*slot - 1] = *now;
	return true;
}

bool queue_put_action(struct queue *queue, const struct store_action *action)
{
	struct queue_action *row;

	if (queue->action_count == QUEUE_ACTIONS_MAX)
		return false;
	row = mem_alloc(sizeof(*row));
	row->action = *action;
	if (queue->first_action == NULL)
		queue->end_action = &queue->first_action;
	*queue->end_action = row;
	queue->end_action = &row->next;
	queue->action_count++;
	return true;
}

/* The rows, and behind them their texts. */
static struct store_minute *copy_rows(const struct store_minute *rows, uint32_t count)
{
	size_t size = count * sizeof(*rows);
	struct store_minute *copy;
	char *text;

	for (uint32_t i = 0; i < count; i++)
		size += strlen(rows[i].node) + 1;
	copy = mem_alloc(size);
	memcpy(copy, rows, count * sizeof(*rows));
	text = (char *)&copy[count];
	for (uint32_t i = 0; i < count; i++) {
		size_t len = strlen(rows[i].node) + 1;

		copy[i].node = memcpy(text, rows[i].node, len);
		text += len;
	}
	return copy;
}

bool queue_put_minutes(struct queue *queue, uint64_t minute, const struct store_minute *rows,
		       uint32_t count)
{
	struct queue_minutes *batch;

	if (count > QUEUE_MINUTES_MAX - queue->minute_count)
		return false;
	batch = mem_alloc(sizeof(*batch));
	*batch = (struct queue_minutes){ NULL, minute, count, copy_rows(rows, count) };
	if (queue->first_minutes == NULL)
		queue->end_minutes = &queue->first_minutes;
	*queue->end_minutes = batch;
	queue->end_minutes = &batch->next;
	queue->minute_count += count;
	return true;
}

void queue_put_orders(struct queue *queue, const struct store_action *list, size_t count,
		      uint64_t ticket)
{
	free(queue->orders.list);
	queue->orders = (struct queue_orders){ mem_array(count + 1, sizeof(*list)), count, ticket };
	if (count > 0)
		memcpy(queue->orders.list, list, count * sizeof(*list));
}

void queue_put_drill(struct queue *queue, const struct store_drill *drill,
		     const struct store_drill_node *nodes, size_t count)
{
	free(queue->drill.nodes);
	queue->drill = (struct queue_drill){ true, *drill, mem_array(count + 1, sizeof(*nodes)),
					     count };
	if (count > 0)
		memcpy(queue->drill.nodes, nodes, count * sizeof(*nodes));
}

static void clear_actions(struct queue *queue)
{
	struct queue_action *next;

	for (struct queue_action *a = queue->first_action; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	queue->first_action = NULL;
	queue->action_count = 0;
	free(queue->orders.list);
	queue->orders = (struct queue_orders){ 0 };
	free(queue->drill.nodes);
	queue->drill = (struct queue_drill){ 0 };
}

static void clear_minutes(struct queue *queue)
{
	struct queue_minutes *next;

	for (struct queue_minutes *m = queue->first_minutes; m != NULL; m = next) {
		next = m->next;
		free(m->rows);
		free(m);
	}
	queue->first_minutes = NULL;
	queue->minute_count = 0;
}

void queue_clear(struct queue *queue)
{
	struct queue_transition *next;

	for (struct queue_transition *t = queue->first; t != NULL; t = next) {
		next = t->next;
		free(t);
	}
	for (uint32_t i = 0; i < queue->status_count; i++)
		free(queue->statuses[i]);
	if (queue->status_count > 0)
		memset(queue->slots, 0, queue->slot_count * sizeof(*queue->slots));
	clear_actions(queue);
	clear_minutes(queue);
	queue->first = NULL;
	queue->transition_count = 0;
	queue->status_count = 0;
}

void queue_free(struct queue *queue)
{
	queue_clear(queue);
	free(queue->statuses);
	free(queue->slots);
	*queue = (struct queue){ 0 };
}
