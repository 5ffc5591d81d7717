#include "control/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/program.h"

/* In the child. */
#define RESULT_FD 3
#define SERVED_FD 4 /* zones, and then locations */
#define FREE_FD   6 /* ours from here on cannot be overwritten while the child's are set up */

enum exit_status { EXIT_MISTAKES = 1 };

struct compiler {
	struct ev_loop *loop;
	struct ev_io result, said;
	struct ev_child child;
	struct ev_timer limit;
	compiler_done_fn *done;
	void *context;
	uint64_t start_us;
	struct buf text;
	bool text_cut, too_long;
	struct compilation compiled;
	struct err err; /* what was wrong with the result; text[0] == 0: nothing */
};

/* --- what it says and hands over --------------------------------------------------------------- */

static const enum image_kind kind_of[COMPILED_FDS] = { [COMPILED_ZONES] = IMAGE_ZONES,
						       [COMPILED_GEO] = IMAGE_GEO,
						       [COMPILED_PLAN] = IMAGE_PLAN,
						       [COMPILED_LOCATIONS] = IMAGE_LOCATIONS };

static int take_result(struct compiler *compiler, int *fds, size_t count)
{
	const struct compile_result *result = &compiler->compiled.result;

	if (result->magic != COMPILED_MAGIC || result->version != COMPILED_VERSION ||
	    count != COMPILED_FDS || compiler->compiled.images != NULL)
		return err_set(&compiler->err, "signpost-compile is of another version");
	compiler->compiled.images = images_new();
	for (size_t i = 0; i < count; i++) {
		int fd = fds[i];

		fds[i] = -1;
		if (images_set(compiler->compiled.images, kind_of[i], fd, &compiler->err) != 0)
			return -1;
	}
	return 0;
}

/* One message, or the end. true: there may be more. */
static bool receive_result(struct compiler *compiler)
{
	struct compile_result result;
	int fds[CHANNEL_FDS_MAX];
	size_t count = 0;
	struct err err;
	ssize_t n = channel_receive(compiler->result.fd, &result, sizeof(result), fds, &count,
				    &err);

	if (n <= 0) {
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			compiler->err = err;
		ev_io_stop(compiler->loop, &compiler->result);
		return false;
	}
	if ((size_t)n == sizeof(result)) {
		compiler->compiled.result = result;
		(void)take_result(compiler, fds, count);
	} else {
		(void)err_set(&compiler->err, "signpost-compile is of another version");
	}
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	return true;
}

/* true: there may be more. */
static bool read_said(struct compiler *compiler)
{
	char chunk[4096];
	size_t room = COMPILER_TEXT_MAX - compiler->text.len;
	ssize_t n = read(compiler->said.fd, chunk, sizeof(chunk));

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			ev_io_stop(compiler->loop, &compiler->said);
		return false;
	}
	if ((size_t)n > room)
		compiler->text_cut = true;
	buf_append(&compiler->text, chunk, (size_t)n < room ? (size_t)n : room);
	return true;
}

static void result_readable(struct ev_loop *loop, struct ev_io *io, int events)
{
	(void)loop;
	(void)events;
	(void)receive_result(io->data);
}

static void said_readable(struct ev_loop *loop, struct ev_io *io, int events)
{
	(void)loop;
	(void)events;
	(void)read_said(io->data);
}

/* --- its end ----------------------------------------------------------------------------------- */

static void refuse_result(struct compiler *compiler)
{
	images_free(compiler->compiled.images);
	compiler->compiled.images = NULL;
}

/* Why there are no images, where signpost-compile itself did not say so. */
static void explain_end(struct compiler *compiler, int status)
{
	struct buf *text = &compiler->text;

	if (compiler->text_cut)
		buf_format(text, "\n(there is more)\n");
	if (compiler->err.text[0] != '\0')
		buf_format(text, "%s\n", compiler->err.text);
	else if (compiler->too_long)
		buf_format(text, "signpost-compile was stopped after %g s\n", COMPILER_TIME_MAX);
	else if (WIFSIGNALED(status))
		buf_format(text, "signpost-compile was ended by signal %d (%s)\n", WTERMSIG(status),
			   strsignal(WTERMSIG(status)));
	else if (text->len == 0 && WEXITSTATUS(status) != 0)
		buf_format(text, "signpost-compile ended with status %d\n", WEXITSTATUS(status));
	else if (WEXITSTATUS(status) == 0 && compiler->compiled.images == NULL)
		buf_format(text, "signpost-compile ended without a result\n");
}

static void ended(struct ev_loop *loop, struct ev_child *child, int events)
{
	struct compiler *compiler = child->data;
	int status = child->rstatus;

	(void)events;
	ev_child_stop(loop, child);
	ev_timer_stop(loop, &compiler->limit);
	while (ev_is_active(&compiler->said) && read_said(compiler))
		continue;
	while (ev_is_active(&compiler->result) && receive_result(compiler))
		continue;
	ev_io_stop(loop, &compiler->said);
	ev_io_stop(loop, &compiler->result);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || compiler->err.text[0] != '\0')
		refuse_result(compiler);
	explain_end(compiler, status);
	buf_append(&compiler->text, "", 1); /* the NUL */
	compiler->compiled.text = (const char *)compiler->text.data;
	compiler->compiled.refused = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MISTAKES;
	compiler->compiled.took_us = clock_mono_us() - compiler->start_us;
	compiler->done(compiler->context, &compiler->compiled);
}

static void limit(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct compiler *compiler = timer->data;

	(void)loop;
	(void)events;
	compiler->too_long = true;
	(void)kill(compiler->child.pid, SIGKILL); /* `ended` follows */
}

/* --- its start --------------------------------------------------------------------------------- */

/* Of the served images it takes these. */
#define SERVED 2
static const struct {
	enum image_kind kind;
	const char *option;
} served_image[SERVED] = { { IMAGE_ZONES, "--served" }, { IMAGE_LOCATIONS, "--served-locations" } };

struct ends {
	int result, said, served[SERVED]; /* served -1: none */
};

struct served_option {
	char name[24], descriptor[16];
};

/* Returns how many words there are. */
static size_t list_served(const struct ends *ends, struct served_option options[SERVED],
			  char *words[2 * SERVED])
{
	size_t count = 0;

	for (int i = 0; i < SERVED; i++) {
		struct served_option *option = &options[i];

		if (ends->served[i] < 0)
			continue;
		(void)snprintf(option->name, sizeof(option->name), "%s", served_image[i].option);
		(void)snprintf(option->descriptor, sizeof(option->descriptor), "%d", SERVED_FD + i);
		words[count++] = option->name;
		words[count++] = option->descriptor;
	}
	return count;
}

static int spawn(pid_t *pid, const char *server_file, const char *state_dir,
		 const struct ends *ends, struct err *err)
{
	char path[PATH_MAX];
	char descriptor[16];
	struct served_option served[SERVED];
	char *cache = mem_format("%s/world", state_dir);
	char *file = mem_copy_text(server_file), *state = mem_copy_text(state_dir);
	char *argv[] = { path,
			 (char[]){ "--emit" },
			 descriptor,
			 file,
			 (char[]){ "--state" },
			 state,
			 (char[]){ "--cache" },
			 cache,
			 NULL,
			 NULL,
			 NULL,
			 NULL,
			 NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int rc = program_find("signpost-compile", path, sizeof(path), err);

	if (rc != 0)
		goto out;
	(void)snprintf(descriptor, sizeof(descriptor), "%d", RESULT_FD);
	(void)list_served(ends, served, argv + 8);
	(void)sigemptyset(&none);
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	(void)sigaddset(&defaults, SIGHUP);
	(void)sigaddset(&defaults, SIGINT);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, ends->said, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, ends->said, 2);
	(void)posix_spawn_file_actions_adddup2(&actions, ends->result, RESULT_FD);
	for (int i = 0; i < SERVED; i++)
		if (ends->served[i] >= 0)
			(void)posix_spawn_file_actions_adddup2(&actions, ends->served[i],
							       SERVED_FD + i);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, path, &actions, &attributes, argv, environ);
	if (rc != 0)
		rc = err_set(err, "%s: %s", path, strerror(rc));
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
out:
	free(cache);
	free(file);
	free(state);
	return rc;
}

/* Both ends of a result channel and of a pipe for what is said; ours do not block. */
static int open_ends(int result[2], int said[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, result) != 0)
		return err_set(err, "socketpair: %s", strerror(errno));
	if (pipe2(said, O_CLOEXEC) != 0) {
		(void)err_set(err, "pipe: %s", strerror(errno));
		channel_close_fds(result, 2);
		return -1;
	}
	(void)fcntl(result[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(said[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* The child's ends, where no other descriptor of the child's is put over them. */
static int spawn_with(pid_t *pid, const char *server_file, const char *state_dir, int result,
		      int said, const struct images *served, struct err *err)
{
	struct ends ends = {
		.result = fcntl(result, F_DUPFD_CLOEXEC, FREE_FD),
		.said = fcntl(said, F_DUPFD_CLOEXEC, FREE_FD),
	};
	bool failed = ends.result < 0 || ends.said < 0;
	int rc;

	for (int i = 0; i < SERVED; i++) {
		int fd = served != NULL ? served->fd[served_image[i].kind] : -1;

		ends.served[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FREE_FD);
		failed = failed || (fd >= 0 && ends.served[i] < 0);
	}
	if (failed)
		rc = err_set(err, "dup: %s", strerror(errno));
	else
		rc = spawn(pid, server_file, state_dir, &ends, err);
	channel_close_fds(ends.served, SERVED);
	channel_close_fds((int[]){ ends.result, ends.said }, 2);
	return rc;
}

int compiler_start(struct compiler **out, struct ev_loop *loop, const char *server_file,
		   const char *state_dir, const struct images *served, compiler_done_fn *done,
		   void *context, struct err *err)
{
	struct compiler *compiler;
	int result[2] = { -1, -1 }, said[2] = { -1, -1 };
	pid_t pid;

	if (open_ends(result, said, err) != 0)
		return -1;
	if (spawn_with(&pid, server_file, state_dir, result[1], said[1], served, err) != 0) {
		channel_close_fds(result, 2);
		channel_close_fds(said, 2);
		return -1;
	}
	(void)close(result[1]);
	(void)close(said[1]);
	compiler = mem_alloc(sizeof(*compiler));
	compiler->loop = loop;
	compiler->done = done;
	compiler->context = context;
	compiler->start_us = clock_mono_us();
	ev_io_init(&compiler->result, result_readable, result[0], EV_READ);
	ev_io_init(&compiler->said, said_readable, said[0], EV_READ);
	ev_child_init(&compiler->child, ended, pid, 0);
	ev_timer_init(&compiler->limit, limit, COMPILER_TIME_MAX, 0.);
	compiler->result.data = compiler;
	compiler->said.data = compiler;
	compiler->child.data = compiler;
	compiler->limit.data = compiler;
	ev_io_start(loop, &compiler->result);
	ev_io_start(loop, &compiler->said);
	ev_child_start(loop, &compiler->child);
	ev_timer_start(loop, &compiler->limit);
	*out = compiler;
	return 0;
}

void compiler_close(struct compiler *compiler)
{
	if (compiler == NULL)
		return;
	if (ev_is_active(&compiler->child)) {
		(void)kill(compiler->child.pid, SIGKILL);
		(void)waitpid(compiler->child.pid, NULL, 0);
	}
	ev_child_stop(compiler->loop, &compiler->child);
	ev_timer_stop(compiler->loop, &compiler->limit);
	ev_io_stop(compiler->loop, &compiler->result);
	ev_io_stop(compiler->loop, &compiler->said);
	(void)close(compiler->result.fd);
	(void)close(compiler->said.fd);
	images_free(compiler->compiled.images);
	buf_free(&compiler->text);
	free(compiler);
}
