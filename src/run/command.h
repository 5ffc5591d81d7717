/* command.h - one command that runs: from its start to the result that is told of it.
 *
 * It is executed without a shell in a process group of its own, which is killed when the command
 * ends, when its time is up or when it writes without end; and by the kernel when this process
 * dies. Single thread. */
#ifndef RUN_COMMAND_H
#define RUN_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "image/run_messages.h"

/* What it says on one of its descriptors. */
struct command_pipe {
	int fd; /* -1: it has ended */
	uint32_t kept, kept_max;
	char *text;
};

struct command {
	uint64_t id;
	pid_t pid;        /* 0: this place is free */
	enum run_end end; /* why it was killed; 0: it was not */
	uint64_t started_us, until_us;
	uint32_t said; /* octets, of both */
	int failed;    /* descriptor: why there was no exec */
	struct command_pipe output, errors;
	char output_text[RUN_OUTPUT_MAX], errors_text[RUN_ERRORS_MAX];
};

/* The words and variables of a request; `words` and `variables` have room for the maxima and a
 * NULL. -1: it is malformed, and *out asks for nothing. */
int command_read(const void *message, size_t size, struct run_request *out, char **words,
		 char **variables, struct err *err);

/* Starts it. -1: errno says why not, and command->pid is 0. */
int command_start(struct command *command, const struct run_request *request, char *const *words,
		  char *const *variables);

/* Reads what there is of one of its pipes. */
void command_listen(struct command *command, struct command_pipe *pipe);

/* Kills its group, for this reason; it has then still to end. */
void command_kill(struct command *command, enum run_end why);

/* true: it has ended, all of its group is killed, and *result says how; the place is free. The
 * texts are those of the command. */
bool command_reap(struct command *command, struct run_result *result);

#endif
