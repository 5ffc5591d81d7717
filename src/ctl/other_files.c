#include "ctl/other_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/mem.h"
#include "base/program.h"
#include "image/compiled.h"
#include "image/geo.h"
#include "image/locations.h"
#include "image/plan.h"
#include "image/zones.h"

#define RESULT_FD 3 /* in the child */

static char *server_file_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return mem_format("%s/signpost.yaml", path);
	return mem_copy_text(path);
}

static int spawn(pid_t *pid, char *file, const char *cache, int result, struct err *err)
{
	char path[PATH_MAX], descriptor[16];
	char *folder = cache == NULL ? NULL : mem_copy_text(cache);
	char *argv[] = { path,
			 (char[]){ "--emit" },
			 descriptor,
			 file,
			 folder != NULL ? (char[]){ "--cache" } : NULL,
			 folder,
			 NULL };
	posix_spawn_file_actions_t actions;
	int rc = program_find("signpost-compile", path, sizeof(path), err);

	if (rc == 0) {
		(void)snprintf(descriptor, sizeof(descriptor), "%d", RESULT_FD);
		(void)posix_spawn_file_actions_init(&actions);
		(void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
		(void)posix_spawn_file_actions_adddup2(&actions, result, RESULT_FD);
		rc = posix_spawn(pid, path, &actions, NULL, argv, environ);
		if (rc != 0)
			rc = err_set(err, "%s: %s", path, strerror(rc));
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	free(folder);
	return rc;
}

static int open_result(const struct compile_result *result, ssize_t len, const int *fds,
		       size_t count, struct image out[IMAGE_KINDS], struct err *err)
{
	static const enum image_kind kinds[COMPILED_FDS] = {
		[COMPILED_ZONES] = IMAGE_ZONES,
		[COMPILED_GEO] = IMAGE_GEO,
		[COMPILED_PLAN] = IMAGE_PLAN,
		[COMPILED_LOCATIONS] = IMAGE_LOCATIONS
	};

	if ((size_t)len != sizeof(*result) || result->magic != COMPILED_MAGIC ||
	    result->version != COMPILED_VERSION || count != COMPILED_FDS)
		return err_set(err, "signpost-compile is of another version");
	for (size_t i = 0; i < count; i++) {
		if (image_open(&out[kinds[i]], fds[i], kinds[i], err) != 0)
			return -1;
	}
	if (zones_verify(&out[IMAGE_ZONES], err) != 0 || geo_verify(&out[IMAGE_GEO], err) != 0 ||
	    plan_verify(&out[IMAGE_PLAN], err) != 0 ||
	    locations_verify(&out[IMAGE_LOCATIONS], err) != 0)
		return -1;
	return 0;
}

/* Waits for what the child hands over; nothing: it has told why. */
static int receive(int from, pid_t pid, const char *file, struct image out[IMAGE_KINDS],
		   struct err *err)
{
	struct compile_result result;
	int fds[CHANNEL_FDS_MAX];
	size_t count = 0;
	int status = 0, rc = -1;
	ssize_t len = channel_receive(from, &result, sizeof(result), fds, &count, err);

	(void)waitpid(pid, &status, 0);
	if (len < 0)
		goto out;
	if (len == 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		(void)err_set(err, "%s: it cannot be compiled", file);
		goto out;
	}
	rc = open_result(&result, len, fds, count, out, err);
out:
	channel_close_fds(fds, count);
	return rc;
}

int other_files_compile(const char *path, const char *cache, struct image out[IMAGE_KINDS],
			struct err *err)
{
	char *file = server_file_of(path);
	int ends[2] = { -1, -1 };
	pid_t pid;
	int rc;

	memset(out, 0, IMAGE_KINDS * sizeof(*out));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		free(file);
		return err_set(err, "socketpair: %s", strerror(errno));
	}
	if (ends[1] == RESULT_FD) { /* dup2 onto itself would leave it close-on-exec */
		int moved = fcntl(ends[1], F_DUPFD_CLOEXEC, RESULT_FD + 1);

		(void)close(ends[1]);
		ends[1] = moved;
	}
	rc = spawn(&pid, file, cache, ends[1], err);
	(void)close(ends[1]);
	if (rc == 0)
		rc = receive(ends[0], pid, file, out, err);
	(void)close(ends[0]);
	free(file);
	return rc;
}
