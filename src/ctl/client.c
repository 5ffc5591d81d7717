#include "ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define REPLY_MAX ((size_t)1 << 30)

static int no_answer(unsigned patience_s, struct err *err)
{
	return err_set(
		err,
		"control does not answer (waited %u s): it hangs, or is stopped or overloaded; "
		"queries are answered all the same",
		patience_s);
}

static int connect_to(const char *path, unsigned patience_s, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = (time_t)patience_s };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, "%s: a socket's path has at most %zu characters", path,
			       sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, "socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* connect's */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		if (errno == EAGAIN)
			(void)no_answer(patience_s, err);
		else
			(void)err_set(err, "%s: %s (%s)", path, strerror(errno),
				      errno == EACCES
					      ? "it is for Signpost's user, its group and root"
					      : "is signpostd running?");
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int send_request(int fd, const json_t *request, struct err *err)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct buf line = { 0 };
	int rc = 0;

	buf_format(&line, "%s\n", text == NULL ? "{}" : text);
	if (send(fd, line.data, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
		rc = err_set(err, "control socket: %s", strerror(errno));
	free(text);
	buf_free(&line);
	return rc;
}

/* Octets and, with the first of them, descriptors; up to the end of the stream. */
static int receive(int fd, unsigned patience_s, struct buf *text, struct reply *out,
		   struct err *err)
{
	char chunk[65536];

	for (;;) {
		int fds[CHANNEL_FDS_MAX];
		size_t count = 0;
		ssize_t n = channel_receive(fd, chunk, sizeof(chunk), fds, &count, err);

		if (n < 0 && errno == EAGAIN)
			return no_answer(patience_s, err);
		if (n < 0)
			return err_prefix(err, "control socket");
		if (count > 0 && out->fd_count == 0) {
			memcpy(out->fds, fds, count * sizeof(*fds));
			out->fd_count = count;
		} else {
			channel_close_fds(fds, count);
		}
		if (n == 0)
			return 0;
		if (text->len + (size_t)n > REPLY_MAX)
			return err_set(err, "control socket: an endless answer");
		buf_append(text, chunk, (size_t)n);
	}
}

int client_ask(const char *socket_path, const json_t *request, unsigned patience_s,
	       struct reply *out, struct err *err)
{
	struct buf text = { 0 };
	json_error_t where;
	int fd, rc = -1;

	*out = (struct reply){ 0 };
	fd = connect_to(socket_path, patience_s, err);
	if (fd < 0)
		return -1;
	if (send_request(fd, request, err) != 0 || receive(fd, patience_s, &text, out, err) != 0)
		goto out;
	out->json = text.len == 0 ? NULL : json_loadb((const char *)text.data, text.len, 0, &where);
	if (!json_is_object(out->json)) {
		(void)err_set(err, "control went away without an answer");
		goto out;
	}
	rc = 0;
out:
	(void)close(fd);
	buf_free(&text);
	if (rc != 0)
		reply_free(out);
	return rc;
}

void reply_free(struct reply *reply)
{
	json_decref(reply->json);
	channel_close_fds(reply->fds, reply->fd_count);
	*reply = (struct reply){ 0 };
}

bool reply_ok(const struct reply *reply)
{
	return json_is_true(json_object_get(reply->json, "ok"));
}

const char *reply_error(const struct reply *reply)
{
	const char *error = json_string_value(json_object_get(reply->json, "error"));

	return error == NULL ? "" : error;
}
