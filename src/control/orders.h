/* orders.h - what operators have ordered, now and in time to come: states and weights of objects.
 *
 * Kept by object, not by plan: what is ordered of an object that leaves the files waits for its
 * return. Every change is queued to the store whole, with the row that says who did it; while the
 * store could not be read yet orders hold all the same, but count as not stored. Control's loop
 * only. */
#ifndef CONTROL_ORDERS_H
#define CONTROL_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/object.h"
#include "store/store.h"

/* All up to DRILL are kept as long as they hold; the others end those. */
enum order_action {
	ORDER_DRAIN,
	ORDER_DISABLE,
	ORDER_FORCE_UP,   /* whatever probes say */
	ORDER_FORCE_DOWN, /* as if probes said so */
	ORDER_WEIGHT,
	ORDER_DRILL, /* control/drill.h */
	ORDER_ENABLE,
	ORDER_RESET,
	ORDER_DRILL_STOP
};

/* "drain", "disable", "force-up", "force-down", "weight", "drill", "enable", "reset", "drill-stop" */
extern const char *const order_action_name[];

/* false: there is no such action. */
bool order_action_parse(const char *name, enum order_action *out);

struct order {
	enum order_action action;
	struct object object;
	struct store_action row; /* with the texts of these two; from, until, who, when, why */
};

#define ORDERS_MAX            4096
#define ORDERS_UNRECORDED_MAX 1000 /* what is done beyond them is not put on record */

struct orders {
	struct store *store;
	struct order *list; /* the oldest first */
	size_t count, cap;
	bool loaded; /* the store's are among them */
	/* Until they are: what was done meanwhile, for the record. */
	struct store_action *unrecorded;
	size_t unrecorded_count, unrecorded_cap;
};

void orders_open(struct orders *orders, struct store *store); /* reads them; err is logged */
void orders_close(struct orders *orders);

/* Where the store could not be read before. true: it could be now, and there are others. */
bool orders_load(struct orders *orders, struct err *err);

/* What was to hold at once began then, also for a clock that was set back since. */
static inline uint64_t order_begin_ms(const struct order *order)
{
	return order->row.from_unix_ms <= order->row.at_unix_ms ? 0 : order->row.from_unix_ms;
}

/* Does the order hold at that time? */
static inline bool order_holds(const struct order *order, uint64_t now_ms)
{
	return order_begin_ms(order) <= now_ms &&
	       (order->row.until_unix_ms == 0 || now_ms < order->row.until_unix_ms);
}

/* What an order did to others of the same object. */
struct order_changes {
	struct order *ended; /* as they were; the caller's to free */
	size_t ended_count, ended_cap;
	uint64_t ticket; /* store_is_stored; 0: the store was not read yet */
};

/* Takes an order that is given at row.at_unix_ms (from: not before it; until: 0 or after from).
 *
 * DRAIN, DISABLE, FORCE from now on: in place of what the object has in that time. To begin later:
 * beside it, for the most restrictive one holds. ENABLE: the object has no state in that time; what
 * began before or lasts longer is cut. WEIGHT, RESET: of a node, for all time. DRILL: in place of
 * any other, which DRILL_STOP ends.
 *
 * -1: there are too many orders. */
int orders_take(struct orders *orders, const struct order *order, struct order_changes *changes,
		struct err *err);

/* Puts something on record that is no order. */
void orders_record(struct orders *orders, const struct store_action *done);

/* Forgets orders that ended a day ago: not at once, for clocks step. */
void orders_forget_ended(struct orders *orders, uint64_t now_ms);

/* The objects that orders are about, some several times: the caller's to free. */
struct object *orders_objects(const struct orders *orders);

#endif
