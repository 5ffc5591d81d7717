/* commands_parts.h - the commands that stand in files of their own. */
#ifndef CONTROL_COMMANDS_PARTS_H
#define CONTROL_COMMANDS_PARTS_H

#include "control/commands.h"

typedef void command_fn(struct commands *commands, struct call *call, const json_t *request);

/* --- commands_orders.c -------------------------------------------------------------------------- */

command_fn command_state, command_weight, command_states, command_report;

/* NULL: there is no world yet. */
const struct image *commands_plan(const struct commands *commands);

/* What is meant; what has left the files is known by its full name ("edge/tyo-1", "site:tokyo") where
 * there are orders of it. -1: err says what it may be. */
int commands_find(const struct commands *commands, const char *written, struct object *out,
		  struct err *err);

/* The order that a request is, given by whoever calls; from, until and weight as they are in it. */
int commands_take_order(const struct commands *commands, const struct call *call,
			const json_t *request, enum order_action action, struct order *out,
			struct err *err);

/* Who gives it: as the kernel says, and as the request does. */
int commands_take_who(const struct call *call, const json_t *request, struct store_action *row,
		      struct err *err);

/* --- commands_reload.c -------------------------------------------------------------------------- */

command_fn command_reload;

/* --- commands_history.c ------------------------------------------------------------------------- */

command_fn command_history, command_audit;

/* --- commands_drill.c --------------------------------------------------------------------------- */

command_fn command_drill;

/* --- commands_probe.c --------------------------------------------------------------------------- */

command_fn command_probe;

#endif
