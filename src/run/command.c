#include "run/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* --- the request ------------------------------------------------------------------------------ */

/* Texts one behind the other, each with its NUL. Returns what is behind them, or NULL. */
static char *take_texts(char *at, const char *end, uint32_t count, char **out)
{
	for (uint32_t i = 0; i < count; i++) {
		char *nul = memchr(at, '\0', (size_t)(end - at));

		if (nul == NULL)
			return NULL;
		out[i] = at;
		at = nul + 1;
	}
	out[count] = NULL;
	return at;
}

int command_read(const void *message, size_t size, struct run_request *out, char **words,
		 char **variables, struct err *err)
{
	char *text, *at, *end;

	*out = (struct run_request){ 0 }; /* what is refused asks for nothing */
	words[0] = variables[0] = NULL;
	if (size < sizeof(*out))
		return err_set(err, "a request of %zu octets", size);
	memcpy(out, message, sizeof(*out));
	if (out->magic != RUN_MAGIC || size - sizeof(*out) != out->text_len ||
	    out->ask < RUN_START || out->ask > RUN_PING)
		return err_set(err, "a request of another version");
	if (out->ask != RUN_START)
		return 0;
	if (out->words < 1 || out->words > RUN_WORDS_MAX || out->variables > RUN_VARIABLES_MAX ||
	    out->timeout_ms == 0)
		return err_set(err, "a request beyond its bounds");
	memcpy(&text, &message, sizeof(message)); /* execve only reads the words */
	text += sizeof(*out);
	end = text + out->text_len;
	at = take_texts(text, end, out->words, words);
	if (at != NULL)
		at = take_texts(at, end, out->variables, variables);
	return at == end ? 0 : err_set(err, "a request whose texts do not end");
}

/* --- its start -------------------------------------------------------------------------------- */

struct ends {
	int input, output[2], errors[2], failed[2];
};

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

static void close_ends(const struct ends *ends)
{
	close_all((int[]){ ends->input, ends->output[0], ends->output[1], ends->errors[0],
			   ends->errors[1], ends->failed[0], ends->failed[1] },
		  7);
}

/* Only our ends do not block. */
static int open_ends(struct ends *ends)
{
	int error;

	*ends = (struct ends){
		open("/dev/null", O_RDONLY | O_CLOEXEC), { -1, -1 }, { -1, -1 }, { -1, -1 }
	};
	if (ends->input >= 0 && pipe2(ends->output, O_CLOEXEC) == 0 &&
	    pipe2(ends->errors, O_CLOEXEC) == 0 && pipe2(ends->failed, O_CLOEXEC) == 0 &&
	    fcntl(ends->output[0], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(ends->errors[0], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(ends->failed[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	error = errno;
	close_ends(ends);
	errno = error;
	return -1;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL); /* KILL, STOP and the C library's own refuse */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors 0 to 2 are the command's, 3 tells why it is none, and all others are closed. None of
 * our own is among the first four but the channel, so that nothing is overwritten. */
static int take_descriptors(const struct ends *ends)
{
	if (dup2(ends->input, STDIN_FILENO) < 0 || dup2(ends->output[1], STDOUT_FILENO) < 0 ||
	    dup2(ends->errors[1], STDERR_FILENO) < 0 || dup3(ends->failed[1], 3, O_CLOEXEC) < 0)
		return -1;
	return close_range(4, ~0U, 0);
}

static void become(pid_t parent, const struct ends *ends, char *const *words,
		   char *const *variables) __attribute__((noreturn));
static void become(pid_t parent, const struct ends *ends, char *const *words,
		   char *const *variables)
{
	int failed = ends->failed[1], error;

	(void)setpgid(0, 0);
	reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    take_descriptors(ends) == 0 && chdir("/") == 0) {
		failed = 3;
		(void)execve(words[0], words, variables);
	}
	error = errno;
	(void)!write(failed, &error, sizeof(error));
	_exit(127);
}

int command_start(struct command *command, const struct run_request *request, char *const *words,
		  char *const *variables)
{
	pid_t self = getpid();
	struct ends ends;
	int error;

	if (open_ends(&ends) != 0)
		return -1;
	command->pid = fork();
	if (command->pid == 0)
		become(self, &ends, words, variables);
	if (command->pid < 0) {
		error = errno;
		close_ends(&ends);
		command->pid = 0;
		errno = error;
		return -1;
	}
	(void)setpgid(command->pid, command->pid); /* whoever of the two comes first */
	close_all((int[]){ ends.input, ends.output[1], ends.errors[1], ends.failed[1] }, 4);
	command->id = request->id;
	command->end = 0;
	command->said = 0;
	command->started_us = clock_mono_us();
	command->until_us = command->started_us + (uint64_t)request->timeout_ms * 1000;
	command->failed = ends.failed[0];
	command->output = (struct command_pipe){ ends.output[0], 0, RUN_OUTPUT_MAX,
						 command->output_text };
	command->errors = (struct command_pipe){ ends.errors[0], 0, RUN_ERRORS_MAX,
						 command->errors_text };
	return 0;
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void end_pipe(struct command_pipe *pipe)
{
	if (pipe->fd >= 0)
		(void)close(pipe->fd);
	pipe->fd = -1;
}

static void keep(struct command_pipe *pipe, const char *text, size_t len)
{
	size_t room = pipe->kept_max - pipe->kept;

	if (len > room)
		len = room;
	memcpy(pipe->text + pipe->kept, text, len);
	pipe->kept += (uint32_t)len;
}

/* true: there may be more. */
static bool read_some(struct command *command, struct command_pipe *pipe)
{
	char chunk[16384];
	ssize_t n = pipe->fd < 0 ? 0 : read(pipe->fd, chunk, sizeof(chunk));

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			end_pipe(pipe);
		return false;
	}
	keep(pipe, chunk, (size_t)n);
	command->said += (uint32_t)n;
	return command->said <= RUN_FLOOD_MAX;
}

void command_listen(struct command *command, struct command_pipe *pipe)
{
	(void)read_some(command, pipe);
	if (command->said > RUN_FLOOD_MAX)
		command_kill(command, RUN_FLOOD);
}

void command_kill(struct command *command, enum run_end why)
{
	if (command->pid == 0 || command->end != 0)
		return;
	command->end = why;
	(void)kill(-command->pid, SIGKILL);
	end_pipe(&command->output);
	end_pipe(&command->errors);
}

/* --- its end ---------------------------------------------------------------------------------- */

static void tell_end(const struct command *command, const siginfo_t *info, int failed,
		     struct run_result *result)
{
	bool exited = info->si_code == CLD_EXITED;

	*result = (struct run_result){ .magic = RUN_MAGIC,
				       .id = command->id,
				       .took_us = clock_mono_us() - command->started_us,
				       .status = info->si_status,
				       .output_len = command->output.kept,
				       .errors_len = command->errors.kept };
	if (failed != 0) {
		result->end = RUN_NOT_STARTED;
		result->status = failed;
	} else if (command->end != 0 && !exited) {
		result->end = command->end;
	} else {
		result->end = exited ? RUN_EXITED : RUN_SIGNALLED;
	}
}

bool command_reap(struct command *command, struct run_result *result)
{
	siginfo_t info = { 0 };
	int failed = 0;

	/* Until it is waited for, the number of its group is nobody else's. */
	if (waitid(P_PID, (id_t)command->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid == 0)
		return false;
	(void)kill(-command->pid, SIGKILL);
	(void)waitpid(command->pid, NULL, 0);
	while (read_some(command, &command->output))
		continue;
	while (read_some(command, &command->errors))
		continue;
	if (read(command->failed, &failed, sizeof(failed)) != sizeof(failed))
		failed = 0;
	tell_end(command, &info, failed, result);
	end_pipe(&command->output);
	end_pipe(&command->errors);
	(void)close(command->failed);
	command->pid = 0;
	return true;
}
