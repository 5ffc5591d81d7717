#include "probe/stamps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

#define AHEAD_NS (60 * NS_PER_S)

/* In the year 2200; what is later was not written by us. */
#define LATEST_NS (UINT64_C(7258118400) * NS_PER_S)

/* The file is this number of nanoseconds, and a newline. */
#define DIGITS 20

static bool read_number(const char text[DIGITS + 1], uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < DIGITS; i++) {
		if (text[i] < '0' || text[i] > '9' || *out > LATEST_NS / 10)
			return false;
		*out = *out * 10 + (uint64_t)(text[i] - '0');
	}
	return text[DIGITS] == '\n' && *out <= LATEST_NS;
}

static int read_file(struct stamps *stamps, struct err *err)
{
	char text[DIGITS + 2];
	int fd = open(stamps->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	ssize_t n = -1;
	int error = errno;

	if (fd < 0)
		return error == ENOENT ? 0 : err_set(err, "%s: %s", stamps->path, strerror(error));
	n = read(fd, text, sizeof(text));
	error = errno;
	(void)close(fd);
	if (n < 0)
		return err_set(err, "%s: %s", stamps->path, strerror(error));
	if (n != DIGITS + 1 || !read_number(text, &stamps->reserved_ns)) {
		stamps->reserved_ns = 0;
		return err_set(err, "%s: holds something else than a time", stamps->path);
	}
	stamps->last_ns = stamps->reserved_ns;
	return 0;
}

int stamps_open(struct stamps *stamps, const char *path, struct err *err)
{
	*stamps = (struct stamps){ 0 };
	if (path == NULL)
		return 0;
	stamps->path = mem_copy_text(path);
	return read_file(stamps, err);
}

void stamps_close(struct stamps *stamps)
{
	free(stamps->path);
	stamps->path = NULL;
}

/* Not fsync'd: after a crash of the whole machine its clock has gone on, as a rule. One write of so
 * few octets is there whole or not at all. */
static int write_file(const struct stamps *stamps, struct err *err)
{
	char text[DIGITS + 2];
	int fd = open(stamps->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
	ssize_t n = -1;
	int error = errno;

	(void)snprintf(text, sizeof(text), "%0*" PRIu64 "\n", DIGITS, stamps->reserved_ns);
	if (fd >= 0) {
		n = write(fd, text, DIGITS + 1);
		error = n < 0 ? errno : ENOSPC;
		if (n == DIGITS + 1 && ftruncate(fd, DIGITS + 1) != 0) {
			n = -1;
			error = errno;
		}
		(void)close(fd);
	}
	return n == DIGITS + 1 ? 0 : err_set(err, "%s: %s", stamps->path, strerror(error));
}

static void store_be(uint8_t *out, uint64_t value, size_t size)
{
	for (size_t i = size; i > 0; i--) {
		out[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

int stamps_next(struct stamps *stamps, uint64_t unix_ms, uint8_t out[STAMP_SIZE], struct err *err)
{
	uint64_t now_ns = unix_ms * NS_PER_MS;

	stamps->last_ns = now_ns > stamps->last_ns ? now_ns : stamps->last_ns + 1;
	store_be(out, UINT64_C(0x400000000000000a) + stamps->last_ns / NS_PER_S, 8);
	store_be(out + 8, stamps->last_ns % NS_PER_S, 4);
	if (stamps->last_ns < stamps->reserved_ns || stamps->path == NULL)
		return 0;
	stamps->reserved_ns = stamps->last_ns + AHEAD_NS;
	return write_file(stamps, err);
}
