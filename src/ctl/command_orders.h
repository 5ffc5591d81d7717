/* command_orders.h - the command lines of drain, disable, force, enable, weight, report and states: what
 * is asked of control, and its answer for people. Pure but for the names of users. */
#ifndef CTL_COMMAND_ORDERS_H
#define CTL_COMMAND_ORDERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct order_options {
	const char *reason, *from, *until, *load, *duration; /* NULL: not given */
	bool reset;
};

/* The request for a command line, whose first argument is the command. NULL: it cannot be; the
 * caller's. */
json_t *order_request(const struct order_options *options, char **arguments, int count,
		      uint64_t now_unix_ms, struct err *err);

/* A time as written: RFC 3339, or from now on: "+90m", "2h", "1d12h". false: it is none. */
bool order_time(const char *text, uint64_t now_unix_ms, uint64_t *unix_ms);

/* Who we are, to be told in logs and lists: the user's name; after sudo(8), whose it was. */
const char *order_who(char *text, size_t size);

void show_order(const json_t *reply, FILE *out);
void show_states(const json_t *reply, FILE *out, bool colour);

#endif
