/* signpost-run: runs commands for signpost-control, which has threads and must not fork. It knows
 * nothing of what they are for: a request comes in, a result goes out. */
#include <config.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/command.h"

static const char usage[] = "usage: signpost-run\n"
			    "signpost-control starts this program; it is of no use alone.\n";

struct run {
	struct command *commands; /* RUN_COMMANDS_MAX places */
	int signals;
	bool ended;
};

/* --- results ---------------------------------------------------------------------------------- */

/* Waits until control reads: there are no more results than it asked for, and few pongs. */
static void answer(struct run *run, const struct run_result *result, const struct command *command)
{
	char message[RUN_RESULT_MAX];
	size_t size = sizeof(*result);
	struct err err;

	memcpy(message, result, sizeof(*result));
	if (command != NULL) {
		memcpy(message + size, command->output_text, result->output_len);
		size += result->output_len;
		memcpy(message + size, command->errors_text, result->errors_len);
		size += result->errors_len;
	}
	if (channel_send(RUN_FD, message, size, NULL, 0, &err) != 0)
		run->ended = true; /* nobody is there any more */
}

/* true: it has ended. */
static bool reap_one(struct run *run, struct command *command)
{
	struct run_result result;

	if (!command_reap(command, &result))
		return false;
	answer(run, &result, command);
	return true;
}

static void reap(struct run *run)
{
	for (size_t i = 0; i < RUN_COMMANDS_MAX; i++) {
		if (run->commands[i].pid != 0)
			(void)reap_one(run, &run->commands[i]);
	}
}

/* --- requests --------------------------------------------------------------------------------- */

static struct command *free_place(struct run *run)
{
	for (size_t i = 0; i < RUN_COMMANDS_MAX; i++) {
		if (run->commands[i].pid == 0)
			return &run->commands[i];
	}
	return NULL;
}

static void start(struct run *run, const struct run_request *request, char *const *words,
		  char *const *variables)
{
	struct command *command = free_place(run);
	struct run_result failure = {
		.magic = RUN_MAGIC, .end = RUN_NOT_STARTED, .id = request->id, .status = EBUSY
	};

	if (command != NULL && command_start(command, request, words, variables) == 0)
		return;
	if (command != NULL)
		failure.status = errno;
	answer(run, &failure, NULL);
}

static void pong(struct run *run)
{
	const struct run_result result = { .magic = RUN_MAGIC, .end = RUN_PONG };

	answer(run, &result, NULL);
}

static void stop(struct run *run, uint64_t id)
{
	for (size_t i = 0; i < RUN_COMMANDS_MAX; i++) {
		if (run->commands[i].pid != 0 && run->commands[i].id == id)
			command_kill(&run->commands[i], RUN_STOPPED);
	}
}

static void take_request(struct run *run)
{
	static char message[RUN_REQUEST_MAX];
	char *words[RUN_WORDS_MAX + 1], *variables[RUN_VARIABLES_MAX + 1];
	int fds[CHANNEL_FDS_MAX];
	struct run_request request;
	size_t fd_count;
	struct err err;
	ssize_t n = channel_receive(RUN_FD, message, sizeof(message), fds, &fd_count, &err);

	channel_close_fds(fds, fd_count);
	if (n <= 0) {
		run->ended = true;
		return;
	}
	if (command_read(message, (size_t)n, &request, words, variables, &err) != 0) {
		log_error("what control asks is not understood, ending", "reason=\"%s\"", err.text);
		run->ended = true;
	} else if (request.ask == RUN_STOP) {
		stop(run, request.id);
	} else if (request.ask == RUN_PING) {
		pong(run);
	} else {
		start(run, &request, words, variables);
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

static void take_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info))
		run->ended = run->ended || info.ssi_signo == SIGTERM;
}

/* Those whose time is up: it may be us who stood still, and what they said is not to be lost. Returns how
 * long the others have, -1: there is none. */
static int look_at_times(struct run *run)
{
	uint64_t now_us = clock_mono_us(), soonest_us = UINT64_MAX;

	for (size_t i = 0; i < RUN_COMMANDS_MAX; i++) {
		struct command *command = &run->commands[i];

		if (command->pid == 0 || command->end != 0)
			continue;
		if (command->until_us > now_us) {
			if (command->until_us < soonest_us)
				soonest_us = command->until_us;
		} else if (!reap_one(run, command)) {
			command_kill(command, RUN_TIMEOUT);
		}
	}
	return soonest_us == UINT64_MAX ? -1 : (int)((soonest_us - now_us + 999) / 1000);
}

struct watched {
	struct command *command;
	struct command_pipe *pipe;
};

static void turn(struct run *run)
{
	struct pollfd polls[2 + 2 * RUN_COMMANDS_MAX] = {
		{ .fd = RUN_FD, .events = POLLIN }, { .fd = run->signals, .events = POLLIN }
	};
	struct watched watched[2 + 2 * RUN_COMMANDS_MAX];
	nfds_t count = 2;
	int wait_ms = look_at_times(run);

	for (size_t i = 0; i < RUN_COMMANDS_MAX; i++) {
		struct command *command = &run->commands[i];
		struct command_pipe *pipes[] = { &command->output, &command->errors };

		for (size_t p = 0; command->pid != 0 && p < 2; p++) {
			if (pipes[p]->fd < 0)
				continue;
			watched[count] = (struct watched){ command, pipes[p] };
			polls[count++] = (struct pollfd){ .fd = pipes[p]->fd, .events = POLLIN };
		}
	}
	if (poll(polls, count, wait_ms) <= 0)
		return;
	for (nfds_t i = 2; i < count; i++) {
		if (polls[i].revents != 0)
			command_listen(watched[i].command, watched[i].pipe);
	}
	if (polls[1].revents != 0)
		take_signals(run);
	reap(run);
	if (polls[0].revents != 0)
		take_request(run);
}

/* Nothing that runs outlives us. */
static void end(struct run *run)
{
	for (size_t i = 0; i < RUN_COMMANDS_MAX; i++) {
		struct command *command = &run->commands[i];

		if (command->pid == 0)
			continue;
		(void)kill(-command->pid, SIGKILL);
		(void)waitpid(command->pid, NULL, 0);
	}
	free(run->commands);
}

static int open_signals(struct run *run)
{
	sigset_t watched;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)sigemptyset(&watched);
	(void)sigaddset(&watched, SIGCHLD);
	(void)sigaddset(&watched, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &watched, NULL);
	run->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signals < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct run run = { .signals = -1 };

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("signpost-run " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc != 1) {
		(void)fputs(usage, stderr);
		return 2;
	}
	log_open("signpost-run", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* beside the end of the channel */
	(void)close_range(RUN_FD + 1, ~0U, 0);
	if (open_signals(&run) != 0) {
		log_error("no signals", "reason=\"%s\"", strerror(errno));
		return EXIT_FAILURE;
	}
	run.commands = mem_array(RUN_COMMANDS_MAX, sizeof(*run.commands));
	while (!run.ended)
		turn(&run);
	end(&run);
	(void)close(run.signals);
	return EXIT_SUCCESS;
}
