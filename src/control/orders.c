#include "control/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timestamp.h"

#define KEPT_AFTER_END_MS ((uint64_t)86400000)

const char *const order_action_name[] = { "drain", "disable", "force-up", "force-down", "weight",
					  "drill", "enable",  "reset",    "drill-stop" };

bool order_action_parse(const char *name, enum order_action *out)
{
	for (int a = ORDER_DRAIN; a <= ORDER_DRILL_STOP; a++) {
		if (strcmp(name, order_action_name[a]) == 0) {
			*out = (enum order_action)a;
			return true;
		}
	}
	return false;
}

/* --- the store -------------------------------------------------------------------------------- */

static bool is_about(const struct order *order, const struct object *object)
{
	return object_equal(&order->object, object);
}

static bool has_orders_of(const struct orders *orders, const struct object *object)
{
	for (size_t i = 0; i < orders->count; i++) {
		if (is_about(&orders->list[i], object))
			return true;
	}
	return false;
}

/* What was ordered of an object while the store could not be read counts, not what it had. */
static void adopt(struct orders *orders, const struct store_action *rows, size_t count)
{
	struct orders all = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct order order = { .row = rows[i] };

		if (!order_action_parse(rows[i].action, &order.action) ||
		    !object_parse(rows[i].object, &order.object))
			log_warning("an order in the database is not understood",
				    "action=%s object=%s", rows[i].action, rows[i].object);
		else if (!has_orders_of(orders, &order.object))
			array_add(all.list, all.count, all.cap) = order;
	}
	for (size_t i = 0; i < orders->count; i++)
		array_add(all.list, all.count, all.cap) = orders->list[i];
	free(orders->list);
	orders->list = all.list;
	orders->count = all.count;
	orders->cap = all.cap;
}

/* All of them, to be written; with what was done. */
static uint64_t queue_all(const struct orders *orders, const struct store_action *done)
{
	struct store_action *rows = mem_array(orders->count + 1, sizeof(*rows));
	uint64_t ticket;

	for (size_t i = 0; i < orders->count; i++)
		rows[i] = orders->list[i].row;
	ticket = store_orders(orders->store, rows, orders->count, done);
	free(rows);
	return ticket;
}

/* While the store cannot be read. */
static void keep_unrecorded(struct orders *orders, const struct store_action *done)
{
	if (orders->unrecorded_count < ORDERS_UNRECORDED_MAX)
		array_add(orders->unrecorded, orders->unrecorded_count,
			  orders->unrecorded_cap) = *done;
	else
		log_warning("what was done is not put on record, for too much waits for the "
			    "database",
			    "action=%s object=%s who=\"%s\" reason=\"%s\"", done->action,
			    done->object, done->who, done->reason);
}

/* What waited. */
static void record_all(struct orders *orders)
{
	for (size_t i = 0; i < orders->unrecorded_count; i++)
		(void)queue_all(orders, &orders->unrecorded[i]);
	free(orders->unrecorded);
	orders->unrecorded = NULL;
	orders->unrecorded_count = orders->unrecorded_cap = 0;
}

bool orders_load(struct orders *orders, struct err *err)
{
	struct store_action *rows;
	size_t count;

	if (orders->loaded || store_load_orders(orders->store, &rows, &count, err) != 0)
		return false;
	orders->loaded = true;
	adopt(orders, rows, count);
	free(rows);
	record_all(orders);
	return true;
}

void orders_open(struct orders *orders, struct store *store)
{
	struct err err;

	*orders = (struct orders){ .store = store };
	if (!orders_load(orders, &err))
		log_error("operators' orders are not known", "reason=\"%s\"", err.text);
}

void orders_close(struct orders *orders)
{
	free(orders->list);
	free(orders->unrecorded);
	*orders = (struct orders){ 0 };
}

/* --- taking one ------------------------------------------------------------------------------- */

/* The end of a time as a number that can be compared. */
static uint64_t end_of(uint64_t until_ms)
{
	return until_ms == 0 ? UINT64_MAX : until_ms;
}

static bool is_state(enum order_action action)
{
	return action <= ORDER_FORCE_DOWN;
}

static void add(struct orders *orders, const struct order *order)
{
	array_add(orders->list, orders->count, orders->cap) = *order;
}

static void remove_at(struct orders *orders, size_t at)
{
	orders->count--;
	memmove(&orders->list[at], &orders->list[at + 1],
		(orders->count - at) * sizeof(*orders->list));
}

/* Takes this time out of an order: it may end earlier, begin later, do both, or go; what is past
 * goes as well. Returns whether one is left at its place. */
static bool cut(struct orders *orders, size_t at, const struct store_action *by)
{
	uint64_t from_ms = by->from_unix_ms, until_ms = by->until_unix_ms;
	struct order *order = &orders->list[at];
	bool before = order->row.from_unix_ms < from_ms && from_ms > by->at_unix_ms;
	bool after = end_of(until_ms) < end_of(order->row.until_unix_ms);
	struct order rest = *order;

	rest.row.from_unix_ms = until_ms;
	if (before)
		order->row.until_unix_ms = from_ms;
	else if (after)
		*order = rest;
	else
		remove_at(orders, at);
	if (before && after)
		add(orders, &rest);
	return before || after;
}

/* States of the object do not hold in the order's time any more. */
static void clear_states(struct orders *orders, const struct order *by,
			 struct order_changes *changes)
{
	size_t count = orders->count; /* what is added needs no second look */

	for (size_t i = 0; i < count;) {
		struct order *order = &orders->list[i];

		if (!is_state(order->action) || !is_about(order, &by->object) ||
		    end_of(order->row.until_unix_ms) <= by->row.from_unix_ms ||
		    order->row.from_unix_ms >= end_of(by->row.until_unix_ms)) {
			i++;
			continue;
		}
		array_add(changes->ended, changes->ended_count, changes->ended_cap) = *order;
		if (cut(orders, i, &by->row))
			i++;
		else
			count--;
	}
}

static void clear_weight(struct orders *orders, const struct object *object,
			 struct order_changes *changes)
{
	for (size_t i = 0; i < orders->count;) {
		struct order *order = &orders->list[i];

		if (order->action != ORDER_WEIGHT || !is_about(order, object)) {
			i++;
			continue;
		}
		array_add(changes->ended, changes->ended_count, changes->ended_cap) = *order;
		remove_at(orders, i);
	}
}

static void clear_drills(struct orders *orders, struct order_changes *changes)
{
	for (size_t i = 0; i < orders->count;) {
		if (orders->list[i].action != ORDER_DRILL) {
			i++;
			continue;
		}
		array_add(changes->ended, changes->ended_count,
			  changes->ended_cap) = orders->list[i];
		remove_at(orders, i);
	}
}

/* The same for the same time: said again. */
static void clear_same(struct orders *orders, const struct order *order)
{
	for (size_t i = 0; i < orders->count; i++) {
		const struct order *other = &orders->list[i];

		if (other->action != order->action || !is_about(other, &order->object) ||
		    other->row.from_unix_ms != order->row.from_unix_ms ||
		    other->row.until_unix_ms != order->row.until_unix_ms)
			continue;
		remove_at(orders, i);
		return;
	}
}

static void take_state(struct orders *orders, const struct order *order,
		       struct order_changes *changes)
{
	const struct store_action *row = &order->row;

	if (row->from_unix_ms <= row->at_unix_ms)
		clear_states(orders, order, changes);
	else
		clear_same(orders, order);
	add(orders, order);
}

static void log_order(const struct store_action *row)
{
	char from[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE] = "ever";

	(void)timestamp_text(row->from_unix_ms / 1000, from);
	if (row->until_unix_ms != 0)
		(void)timestamp_text(row->until_unix_ms / 1000, until);
	log_info("operator's order",
		 "action=%s object=%s weight=%u from=%s until=%s who=\"%s\" uid=%u reason=\"%s\"",
		 row->action, row->object, row->weight, from, until, row->who, row->uid,
		 row->reason);
}

int orders_take(struct orders *orders, const struct order *order, struct order_changes *changes,
		struct err *err)
{
	const struct store_action *row = &order->row;

	*changes = (struct order_changes){ 0 };
	orders_forget_ended(orders, row->at_unix_ms);
	if (orders->count >= ORDERS_MAX && order->action <= ORDER_DRILL)
		return err_set(err, "there are %d orders, which is as many as there may be",
			       ORDERS_MAX);
	switch (order->action) {
	case ORDER_DRAIN:
	case ORDER_DISABLE:
	case ORDER_FORCE_UP:
	case ORDER_FORCE_DOWN: take_state(orders, order, changes); break;
	case ORDER_ENABLE: clear_states(orders, order, changes); break;
	case ORDER_WEIGHT:
		clear_weight(orders, &order->object, changes);
		add(orders, order);
		break;
	case ORDER_RESET: clear_weight(orders, &order->object, changes); break;
	case ORDER_DRILL:
		clear_drills(orders, changes);
		add(orders, order);
		break;
	case ORDER_DRILL_STOP: clear_drills(orders, changes); break;
	}
	if (orders->loaded)
		changes->ticket = queue_all(orders, row);
	else
		keep_unrecorded(orders, row);
	log_order(row);
	return 0;
}

void orders_record(struct orders *orders, const struct store_action *done)
{
	if (orders->loaded)
		(void)queue_all(orders, done);
	else
		keep_unrecorded(orders, done);
}

void orders_forget_ended(struct orders *orders, uint64_t now_ms)
{
	for (size_t i = 0; i < orders->count;) {
		uint64_t end_ms = end_of(orders->list[i].row.until_unix_ms);

		if (end_ms < now_ms && now_ms - end_ms > KEPT_AFTER_END_MS)
			remove_at(orders, i);
		else
			i++;
	}
}

struct object *orders_objects(const struct orders *orders)
{
	struct object *objects = mem_array(orders->count + 1, sizeof(*objects));

	for (size_t i = 0; i < orders->count; i++)
		objects[i] = orders->list[i].object;
	return objects;
}
