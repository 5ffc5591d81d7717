#include "supervise/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/handover.h"

static const char *const programs[] = { "signpost-compile", "signpost-control", "signpost-dns",
					"signpost-run" };
#define PROGRAM_COUNT (sizeof(programs) / sizeof(programs[0]))

/* The first program that is not in the folder; NULL: all are. */
static const char *missing_program(int folder)
{
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		if (faccessat(folder, programs[i], X_OK, AT_EACCESS) != 0)
			return programs[i];
	}
	return NULL;
}

static int open_folder(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_own_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;
	int folder;

	if (n <= 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return -1;
	*slash = '\0';
	folder = open_folder(path);
	if (folder >= 0 && missing_program(folder) != NULL) {
		(void)close(folder);
		folder = -1;
	}
	return folder;
}

int program_folder_open(int *fd, const char *given, struct err *err)
{
	const char *path = given != NULL ? given : SIGNPOST_LIBEXECDIR;
	const char *missing;
	int folder = given != NULL ? -1 : open_own_folder();

	if (folder < 0)
		folder = open_folder(path);
	if (folder < 0)
		return err_set(err,
			       "%s: the folder of signpost-dns, signpost-control, "
			       "signpost-compile and signpost-run: %s (--libexec names another)",
			       path, strerror(errno));
	missing = missing_program(folder);
	if (missing != NULL) {
		(void)close(folder);
		return err_set(err,
			       "%s/%s: not there, or not executable (--libexec names another "
			       "folder)",
			       path, missing);
	}
	*fd = folder;
	return 0;
}

int program_reserve_fds(struct err *err)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return err_set(err, "/dev/null: %s", strerror(errno));
	} while (fd <= HANDOVER_FD);
	(void)close(fd);
	return 0;
}

static int move_fd(int fd, int to)
{
	return fd == PROGRAM_NONE || dup2(fd, to) == to ? 0 : -1;
}

static int take_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : move_fd(fd, STDIN_FILENO);
}

static int reset_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR || signal(SIGUSR1, SIG_DFL) == SIG_ERR ||
	    signal(SIGUSR2, SIG_DFL) == SIG_ERR)
		return -1;
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Every descriptor that is not put somewhere by move_fd closes at exec. */
static void become(int folder, const struct program *program) __attribute__((noreturn));
static void become(int folder, const struct program *program)
{
	const char *step = "its session";

	if (setsid() < 0 || reset_signals() != 0)
		goto fail;
	step = "its descriptors";
	if (take_stdin() != 0 || move_fd(program->out, STDOUT_FILENO) != 0 ||
	    move_fd(program->channel, HANDOVER_FD) != 0)
		goto fail;
	step = "its user";
	if (identity_assume(program->identity) != 0)
		goto fail;
	step = "exec";
	(void)unsetenv("NOTIFY_SOCKET"); /* only the supervisor speaks to the service manager */
	(void)execveat(folder, program->name, program->argv, environ, 0);
fail:
	(void)fprintf(stderr, "signpostd: %s cannot be started: %s: %s\n", program->name, step,
		      strerror(errno));
	_exit(127);
}

pid_t program_start(int folder, const struct program *program, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return (pid_t)err_set(err, "%s: fork: %s", program->name, strerror(errno));
	if (pid == 0)
		become(folder, program);
	return pid;
}
