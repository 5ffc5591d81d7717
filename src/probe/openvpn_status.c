/* openvpn_status.c - reads the number of clients in the file that an OpenVPN server writes its status
 * to, every minute unless it was told otherwise.
 *
 * It is read at each turn, without waiting: it has to be on a local disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_openvpn.h"
#include "probe/kind.h"
#include "probe/openvpn_load.h"
#include "probe/placeholders.h"

#define FILE_MAX (8 << 20) /* some 50,000 clients */

/* NULL, or why there is nothing to read; `text` is the caller's to free. */
static const char *read_file(int fd, const struct stat *st, char **text, size_t *len)
{
	ssize_t n = 1;

	if (!S_ISREG(st->st_mode))
		return "it is no file";
	if (st->st_size > FILE_MAX)
		return "it is longer than 8 MiB";
	*text = mem_alloc((size_t)st->st_size + 1);
	for (*len = 0; n > 0 && *len<(size_t)st->st_size; *len += n> 0 ? (size_t)n : 0)
		n = read(fd, *text + *len, (size_t)st->st_size - *len);
	return n < 0 ? strerrordesc_np(errno) : NULL;
}

/* Version 1 tells its time in words of a zone that is not said: it is as old as its file. */
static uint64_t age_s(const struct openvpn_status *status, const struct stat *st)
{
	uint64_t now_s = clock_unix_ms() / 1000;
	uint64_t at_s = status->unix_s != 0 ? status->unix_s : (uint64_t)st->st_mtim.tv_sec;

	return now_s > at_s ? now_s - at_s : 0;
}

static void judge(struct probe *probe, const struct openvpn_status *status, const struct stat *st)
{
	const struct openvpn_status_settings *settings = probe->settings;
	uint64_t age = age_s(status, st);
	char why[PROBE_WHY_SIZE];
	struct probe_result result = { .outcome = PROBE_SUCCESS, .why = why };

	evidence_note(probe->evidence, "a status of version %u, written %llu s ago, of %u clients",
		      status->version, (unsigned long long)age, status->clients);
	if (age * 1000 > settings->max_age_ms) {
		(void)snprintf(why, sizeof(why), "written %llu s ago", (unsigned long long)age);
		result.outcome = PROBE_FAILURE;
	} else {
		(void)snprintf(why, sizeof(why), "%u of %u clients", status->clients,
			       settings->capacity);
		result.has_use = true;
		result.use = (double)status->clients / (double)settings->capacity;
	}
	probe->done(probe, &result);
}

static void look(struct probe *probe, int fd)
{
	struct openvpn_status status;
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	const char *wrong = fstat(fd, &st) != 0 ? strerrordesc_np(errno)
						: read_file(fd, &st, &text, &len);

	if (wrong == NULL)
		wrong = openvpn_status_read(text, len, &status);
	free(text);
	if (wrong != NULL)
		kind_done(probe, PROBE_FAILURE, wrong);
	else
		judge(probe, &status, &st);
}

static int open_file(const struct probe *probe)
{
	const struct openvpn_status_settings *settings = probe->settings;
	struct buf path = { 0 };
	int fd, error;

	placeholders_fill(probe_text(settings, settings->path), probe, &path);
	buf_append(&path, "", 1);
	fd = open((const char *)path.data, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	error = errno;
	evidence_note(probe->evidence, "%s: %s", (const char *)path.data,
		      fd >= 0 ? "open" : strerrordesc_np(error));
	buf_free(&path);
	errno = error;
	return fd;
}

static int status_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	const struct openvpn_status_settings *settings = probe->settings;

	(void)kind;
	return settings->capacity == 0 ? err_set(err, "damaged settings") : 0;
}

static void status_start(struct kind *kind, struct probe *probe)
{
	int fd = open_file(probe);

	(void)kind;
	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	look(probe, fd);
	(void)close(fd);
}

/* Nothing runs after start. */
static void status_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	(void)probe;
}

static void status_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_openvpn_status_open(const struct kind_tools *tools)
{
	struct kind *kind = mem_alloc(sizeof(*kind));

	(void)tools;
	*kind = (struct kind){ .name = "openvpn-status",
			       .prepare = status_prepare,
			       .start = status_start,
			       .cancel = status_cancel,
			       .close = status_close };
	return kind;
}
