/* program.h - starting our own executables: between fork and exec. */
#ifndef SUPERVISE_PROGRAM_H
#define SUPERVISE_PROGRAM_H

#include <sys/types.h>

#include "base/err.h"
#include "supervise/identity.h"

#define PROGRAM_NONE (-1)

/* Opens the folder of the executables: `given` (NULL: the folder that this program is in, if the
 * others are there too - so that an uninstalled build works - else the installed one) and checks
 * that they are all there. *fd is the caller's.
 *
 * Programs are executed relative to this descriptor, so that a user who may not enter a folder
 * above (a build below /root) can still be what a child runs as. */
int program_folder_open(int *fd, const char *given, struct err *err);

struct program {
	const char *name; /* of the executable */
	char *const *argv;
	const struct identity *identity;
	int out;     /* becomes descriptor 1; PROGRAM_NONE: ours */
	int channel; /* becomes descriptor HANDOVER_FD; PROGRAM_NONE: nothing does */
};

/* Starts it, in a session of its own (the terminal's Ctrl-C is for the supervisor), with stdin
 * from /dev/null. Its pid, or -1. What fails after the fork ends the child with status 127 and
 * a line on stderr. */
pid_t program_start(int folder, const struct program *program, struct err *err);

/* Descriptors 0 to HANDOVER_FD must be taken before anything else is opened: nothing of ours may
 * sit where a child's channel is put. */
int program_reserve_fds(struct err *err);

#endif
