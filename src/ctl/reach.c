#include "ctl/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/program.h"
#include "image/boot.h"

/* Starts signpost-compile; what it prints comes out of *out. Its pid, or -1. */
static pid_t start_compile(const char *server_file, int *out, struct err *err)
{
	char path[PATH_MAX];
	char *file = mem_copy_text(server_file);
	char *argv[] = { path, (char[]){ "--boot-record" }, file, NULL };
	posix_spawn_file_actions_t actions;
	int ends[2] = { -1, -1 };
	pid_t pid = -1;
	int rc;

	if (program_find("signpost-compile", path, sizeof(path), err) != 0)
		goto out;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		(void)err_set(err, "pipe: %s", strerror(errno));
		goto out;
	}
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	rc = posix_spawn(&pid, path, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	if (rc == 0) {
		*out = ends[0];
		goto out;
	}
	(void)close(ends[0]);
	(void)err_set(err, "%s: %s", path, strerror(rc));
	pid = -1;
out:
	free(file);
	return pid;
}

/* The folder of the control socket, as the server file has it: the caller's, or NULL. What a
 * server file says is known to signpost-compile alone, which prints a boot record of it. */
static char *run_dir_of(const char *server_file, struct err *err)
{
	struct boot_record *boot = mem_alloc(sizeof(*boot));
	char *run_dir = NULL;
	int from = -1, status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid = start_compile(server_file, &from, err);

	if (pid < 0)
		goto out;
	while (len < sizeof(*boot) && (n = read(from, (char *)boot + len, sizeof(*boot) - len)) > 0)
		len += (size_t)n;
	(void)close(from);
	(void)waitpid(pid, &status, 0);
	if (status == 0 && len == sizeof(*boot) && boot_record_valid(boot))
		run_dir = mem_copy_text(boot->run_dir);
	else
		(void)err_set(err, "%s: it does not tell where the control socket is (--run does)",
			      server_file);
out:
	free(boot);
	return run_dir;
}

char *reach_control(const char *socket, const char *run_dir, const char *server_file,
		    struct err *err)
{
	char *told = NULL, *path;

	if (socket != NULL)
		return mem_copy_text(socket);
	if (run_dir == NULL && server_file == NULL)
		run_dir = getenv("SIGNPOST_RUN");
	if (run_dir != NULL)
		return mem_format("%s/control.sock", run_dir);
	if (server_file != NULL || access(REACH_SERVER_FILE, R_OK) == 0)
		told = run_dir_of(server_file != NULL ? server_file : REACH_SERVER_FILE, err);
	if (told == NULL && server_file != NULL)
		return NULL;
	if (told == NULL && access(REACH_SERVER_FILE, R_OK) == 0) /* broken just now */
		(void)fprintf(stderr, "signpostctl: %s; trying " REACH_RUN_DIR "\n", err->text);
	path = mem_format("%s/control.sock", told != NULL ? told : REACH_RUN_DIR);
	free(told);
	return path;
}
