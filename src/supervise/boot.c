#include "supervise/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/identity.h"
#include "supervise/program.h"

/* A server file is read in a few milliseconds; what takes this long hangs. */
#define BOOT_TIMEOUT_MS 30000

/* The descriptor's number in the child: it has no channel, so the place is free. */
#define CONFIG_FD "3"

static pid_t start_compile(int folder, const char *config, int config_fd, int out, struct err *err)
{
	char path[BOOT_PATH_SIZE];
	char compile[] = "signpost-compile";
	char boot_record[] = "--boot-record";
	char option[] = "--config-fd";
	char number[] = CONFIG_FD;
	char *argv[] = { compile, boot_record, option, number, path, NULL };
	struct identity nobody;
	struct program program = {
		.name = compile, .argv = argv, .identity = &nobody, .out = out, .channel = config_fd
	};

	(void)snprintf(path, sizeof(path), "%s", config);
	identity_nobody(&nobody);
	return program_start(folder, &program, err);
}

/* Reads until the writer is done; at most size + 1 octets, so that too many are noticed. */
static int read_all(int fd, void *out, size_t size, struct err *err)
{
	uint64_t end_ms = clock_mono_ms() + BOOT_TIMEOUT_MS;
	uint8_t extra;
	size_t len = 0;

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		uint64_t now_ms = clock_mono_ms();
		ssize_t n;

		if (now_ms >= end_ms)
			return err_set(err, "signpost-compile: no boot record after %d seconds",
				       BOOT_TIMEOUT_MS / 1000);
		if (poll(&ready, 1, (int)(end_ms - now_ms)) <= 0)
			continue;
		n = len < size ? read(fd, (uint8_t *)out + len, size - len) : read(fd, &extra, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, "boot record: %s", strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > size)
			break;
	}
	return len == size ? 0 : err_set(err, "boot record: %zu octets instead of %zu", len, size);
}

static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

enum boot_result boot_read(struct boot_record *out, int folder, const char *config, struct err *err)
{
	enum boot_result result = BOOT_FAILED;
	int ends[2] = { -1, -1 };
	int config_fd = open(config, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	pid_t pid;
	int status, rc;

	if (config_fd < 0) {
		(void)err_set(err, "%s: %s", config, strerror(errno));
		goto out;
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		(void)err_set(err, "pipe: %s", strerror(errno));
		goto out;
	}
	pid = start_compile(folder, config, config_fd, ends[1], err);
	if (pid < 0)
		goto out;
	(void)close(ends[1]);
	ends[1] = -1;
	rc = read_all(ends[0], out, sizeof(*out), err);
	if (rc != 0)
		(void)kill(pid, SIGKILL); /* it has ended by itself, or hangs, or talks nonsense */
	status = wait_for(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		result = BOOT_MISTAKES;
	} else if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		(void)err_set(err, "signpost-compile --boot-record: exit status %d",
			      WEXITSTATUS(status));
	} else if (rc == 0 && !boot_record_valid(out)) {
		(void)err_set(err, "signpost-compile printed a boot record that is not valid");
	} else if (rc == 0) {
		result = BOOT_OK;
	}
out:
	for (unsigned i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			(void)close(ends[i]);
	}
	if (config_fd >= 0)
		(void)close(config_fd);
	return result;
}
