/* command.h - the commands of signpostctl, a file for each family, and what they share. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/client.h"
#include "ctl/command_history.h"
#include "ctl/command_orders.h"
#include "ctl/command_simulate.h"

enum exit_status { STATUS_OK, STATUS_REFUSED, STATUS_USAGE, STATUS_UNREACHED };

#define OPTIONS_MAX 32

struct options {
	const char *server_file, *run_dir, *socket;
	bool json, source, effective, all, force, unknown_capacity;
	uint8_t types; /* bits of enum pool_type; 0: not given */
	struct simulate_options simulate;
	struct order_options order;
	struct history_options history;
	const char *drill_for;               /* NULL: not given */
	const char *probe_kind, *probe_name; /* NULL: not given */
	char **arguments;                    /* the command first */
	int count;
	const char *given[OPTIONS_MAX]; /* long names of those that not all commands have */
	int given_count;
};

/* --- options.c ----------------------------------------------------------------------------------- */

/* STATUS_OK, or the exit status of a usage that is over here (-1: well). */
int parse_options(struct options *out, int argc, char **argv);

/* An option that was given but is not among these, "reason from until"; NULL: there is none. */
const char *foreign_option(const struct options *options, const char *allowed);

void print_usage(FILE *out);

/* --- command.c ----------------------------------------------------------------------------------- */

/* Tells that the command line is not understood, and how it is; STATUS_USAGE. */
int misused(const char *format, const char *what);

/* The answer to a request, which is taken over; an exit status, STATUS_OK: *out is there. */
int ask(const struct options *options, json_t *request, unsigned patience_s, struct reply *out);

/* Tells why control refused, and frees its answer; STATUS_REFUSED. */
int refused(struct reply *reply);

/* Prints it with a line end; an exit status. */
int print_json(const json_t *json, size_t flags);

/* --- the commands: each returns the exit status -------------------------------------------------- */

typedef int command_fn(const struct options *options);

command_fn command_check, command_config;                      /* commands_files.c */
command_fn command_drill;                                      /* commands_drill.c */
command_fn command_history, command_audit;                     /* commands_history.c */
command_fn command_probe;                                      /* commands_probe.c */
command_fn command_diff, command_reload, command_status;       /* commands_server.c */
command_fn command_order, command_states;                      /* commands_orders.c */
command_fn command_explain, command_simulate, command_profile; /* commands_steering.c */

#endif
