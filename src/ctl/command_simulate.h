/* command_simulate.h - the command line of `signpostctl simulate`. */
#ifndef CTL_COMMAND_SIMULATE_H
#define CTL_COMMAND_SIMULATE_H

#include "ctl/client.h"
#include "ctl/simulate.h"

struct simulate_options {
	struct simulation what;
	const char *svg; /* file for the map; NULL: none is drawn */
	bool all_countries, json;
};

/* false: there are too many of these options. */
bool simulate_suppose(struct simulate_options *options, enum suppose_kind kind, const char *text);

/* Simulates on what control lent, and prints it. 1: capacity does not hold; 0: it does, or nobody
 * knows. -1: it cannot be done. */
int simulate_command(const struct simulate_options *options, const struct reply *reply,
		     struct err *err);

#endif
