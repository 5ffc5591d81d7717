/* orders_json.h - operators' orders and pool files' windows, as JSON. Pure. */
#ifndef CONTROL_ORDERS_JSON_H
#define CONTROL_ORDERS_JSON_H

#include <jansson.h>

#include "control/orders.h"

/* {"state": "draining" | "disabled" | "weight" | "drill", "object": "site:tokyo", "who": "ann", "uid": 1000,
 *  "at_ms": ..., "from_ms": ..., "until_ms": ... (null: no end), "reason": "...", "weight": n,
 *  "holds": true, "in_files": true}. plan NULL: there is no world. */
json_t *order_json(const struct order *order, const struct image *plan, uint64_t now_ms);

/* The same of a window of a pool file: without who, uid and at_ms, but "file" and "line". */
json_t *window_json(const struct image *plan, uint32_t window, uint64_t now_ms);

/* All that holds or is to come; what holds first, then what begins soonest. */
json_t *orders_json(const struct orders *orders, const struct image *plan, uint64_t now_ms);

/* What a node's agents ask for, in the same shape. */
json_t *wish_json(const struct image *plan, uint32_t node, const char *state);

#endif
