/* openvpn_status.c - reads the number of clients in the file that an OpenVPN server writes its status
 * to, every minute unless it was told otherwise.
 *
 * It is read at each turn, beside the loop (probe/file_read.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_openvpn.h"
#include "probe/file_read.h"
#include "probe/kind.h"
#include "probe/openvpn_load.h"
#include "probe/placeholders.h"
#include "probe/status_age.h"

#define FILE_MAX (8 << 20) /* some 50,000 clients */

struct status {
	struct kind kind; /* first: a struct kind * is a struct status * */
	struct file_reader *reader;
};

struct status_own {
	struct status_age age;
	struct file_read *reading; /* NULL: none */
};

/* Version 1 tells its time in words of a zone that is not said: it is as old as its file. */
static uint64_t age_ms(struct status_own *own, const struct openvpn_status *status,
		       const struct stat *st)
{
	uint64_t at_s = status->unix_s != 0 ? status->unix_s : (uint64_t)st->st_mtim.tv_sec;

	return status_age_take(&own->age, status->stamp, at_s * 1000, clock_unix_ms(),
			       clock_mono_ms());
}

static void judge(struct probe *probe, const struct openvpn_status *status, const struct stat *st)
{
	const struct openvpn_status_settings *settings = probe->settings;
	uint64_t age = age_ms(probe->own, status, st);
	char why[PROBE_WHY_SIZE];
	struct probe_result result = { .outcome = PROBE_SUCCESS, .why = why };

	evidence_note(probe->evidence, "a status of version %u, written %llu s ago, of %u clients",
		      status->version, (unsigned long long)age / 1000, status->clients);
	if (age > settings->max_age_ms) {
		(void)snprintf(why, sizeof(why), "written %llu s ago",
			       (unsigned long long)age / 1000);
		result.outcome = PROBE_FAILURE;
	} else {
		(void)snprintf(why, sizeof(why), "%u of %u clients", status->clients,
			       settings->capacity);
		result.has_use = true;
		result.use = (double)status->clients / (double)settings->capacity;
	}
	probe->done(probe, &result);
}

static void has_read(void *context, const struct file_text *file)
{
	struct probe *probe = context;
	struct status_own *own = probe->own;
	struct openvpn_status status;
	const char *wrong;

	own->reading = NULL;
	if (file->error != 0) {
		kind_failed(probe, file->error);
		return;
	}
	if (!file->is_file)
		wrong = "it is no file";
	else if (file->len > FILE_MAX)
		wrong = "it is longer than 8 MiB";
	else
		wrong = openvpn_status_read(file->text, file->len, &status);
	if (wrong != NULL)
		kind_done(probe, PROBE_FAILURE, wrong);
	else
		judge(probe, &status, &file->st);
}

static void status_start(struct kind *kind, struct probe *probe)
{
	struct status *status = (struct status *)kind;
	const struct openvpn_status_settings *settings = probe->settings;
	struct status_own *own = probe->own;
	struct buf path = { 0 };

	placeholders_fill(probe_text(settings, settings->path), probe, &path);
	buf_append(&path, "", 1);
	evidence_note(probe->evidence, "the file is %s", (const char *)path.data);
	if (file_read_hangs(status->reader, (const char *)path.data)) {
		kind_done(probe, PROBE_FAILURE, FILE_READ_HANGS);
	} else {
		own->reading = file_read_start(status->reader, (const char *)path.data,
					       FILE_MAX + 1, has_read, probe);
		if (own->reading == NULL)
			kind_done(probe, PROBE_NOT_MADE, "no thread to read files");
	}
	buf_free(&path);
}

static void status_cancel(struct kind *kind, struct probe *probe)
{
	struct status_own *own = probe->own;

	(void)kind;
	file_read_cancel(own->reading, false);
	own->reading = NULL;
}

static void status_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct status_own *own = probe->own;
	bool hangs = file_read_has_begun(own->reading);

	(void)kind;
	result->why = hangs ? FILE_READ_HANGS : FILE_READ_WAITS;
	if (!hangs)
		result->outcome = PROBE_NOT_MADE;
	file_read_cancel(own->reading, hangs);
	own->reading = NULL;
}

static void status_close(struct kind *kind)
{
	struct status *status = (struct status *)kind;

	file_reader_close(status->reader);
	free(status);
}

struct kind *kind_openvpn_status_open(const struct kind_tools *tools)
{
	struct status *status = mem_alloc(sizeof(*status));

	status->kind = (struct kind){ .name = "openvpn-status",
				      .own_size = sizeof(struct status_own),
				      .start = status_start,
				      .cancel = status_cancel,
				      .expire = status_expire,
				      .close = status_close };
	status->reader = file_reader_open(tools->loop);
	return &status->kind;
}
