#include "store/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

bool queue_put_transition(struct queue *queue, const struct store_status *now, const char *from)
{
	struct queue_transition *transition;

	if (queue->transition_count == QUEUE_TRANSITIONS_MAX)
		return false;
	transition = mem_alloc(sizeof(*transition));
	transition->now = *now;
	(void)snprintf(transition->from, sizeof(transition->from), "%s", from);
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
