/* command_diff.h - the command line of `diff`. */
#ifndef CTL_COMMAND_DIFF_H
#define CTL_COMMAND_DIFF_H

#include <stdbool.h>

#include "base/err.h"
#include "ctl/client.h"

struct diff_options {
	const char *files; /* NULL: those of the running server */
	bool json, all;
};

/* On control's answer to "world". 0; -1: err says why not, mistakes are told on stderr. */
int diff_command(const struct diff_options *options, const struct reply *world, struct err *err);

#endif
