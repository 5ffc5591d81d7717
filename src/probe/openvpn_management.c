/* openvpn_management.c - asks an OpenVPN server for the number of its clients, by its management
 * interface.
 *
 * That serves one client at a time: others wait until it is done, and so may we, or the operator
 * because of us. So the connection is closed as soon as the answer is there. Lines that begin with
 * ">" come whenever there is something to tell, and are passed over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/probe_openvpn.h"
#include "probe/kind.h"
#include "probe/openvpn_load.h"
#include "probe/secret.h"

#define PROMPT       "ENTER PASSWORD:" /* no end of line follows */
#define PASSWORD_MAX 127
#define BUFFER_SIZE  2048

struct management {
	struct kind kind; /* first: a struct kind * is a struct management * */
	struct ev_loop *loop;
};

struct management_own {
	struct management *management;
	struct probe *probe;
	char password[PASSWORD_MAX + 2]; /* with its newline; "": none */
	ev_io io;
	bool greeted, gave_password;
	char text[BUFFER_SIZE]; /* what has come and was not looked at */
	size_t len;
};

static const struct openvpn_management_settings *settings_of(const struct probe *probe)
{
	return probe->settings;
}

/* --- the password -------------------------------------------------------------------------- */

static int read_password(const char *path, char password[PASSWORD_MAX + 2], struct err *err)
{
	char text[SECRET_SIZE_MAX];
	size_t len, line;
	int rc = -1;

	if (secret_read(path, text, sizeof(text), &len, err) != 0)
		return -1;
	line = strcspn(text, "\r\n");
	if (line > 0 && line <= PASSWORD_MAX) {
		memcpy(password, text, line);
		password[line] = '\n';
		rc = 0;
	} else {
		(void)err_set(err, "%s: its first line is no password", path);
	}
	secret_wipe(text, sizeof(text));
	return rc;
}

static int management_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	const struct openvpn_management_settings *settings = settings_of(probe);
	struct management_own *own = probe->own;

	own->management = (struct management *)kind;
	own->probe = probe;
	if (settings->password_file.offset == 0)
		return 0;
	return read_password(probe_text(settings, settings->password_file), own->password, err);
}

static void management_release(struct kind *kind, struct probe *probe)
{
	struct management_own *own = probe->own;

	(void)kind;
	secret_wipe(own->password, sizeof(own->password));
}

/* --- ends ---------------------------------------------------------------------------------- */

static void stop(struct management_own *own)
{
	ev_io_stop(own->management->loop, &own->io);
	(void)close(own->io.fd);
}

static void management_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	stop(probe->own);
}

static void management_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	const struct management_own *own = probe->own;

	(void)kind;
	stop(probe->own);
	if (!own->greeted)
		result->why = "no greeting: does another client of the interface hold it?";
}

static void fail(struct management_own *own, int error)
{
	stop(own);
	evidence_note(own->probe->evidence, "the network says: %s", strerrordesc_np(error));
	kind_failed(own->probe, error);
}

static void fail_because(struct management_own *own, const char *why)
{
	stop(own);
	evidence_note(own->probe->evidence, "%s", why);
	kind_done(own->probe, PROBE_FAILURE, why);
}

static void end_with(struct management_own *own, uint32_t clients)
{
	uint32_t capacity = settings_of(own->probe)->capacity;
	char why[PROBE_WHY_SIZE];
	struct probe_result result = { .outcome = PROBE_SUCCESS,
				       .why = why,
				       .has_use = true,
				       .use = (double)clients / (double)capacity };

	(void)snprintf(why, sizeof(why), "%u of %u clients", clients, capacity);
	stop(own);
	own->probe->done(own->probe, &result);
}

/* --- what is said -------------------------------------------------------------------------- */

/* false: the probe has ended. A new connection has room for such a line. */
static bool say(struct management_own *own, const char *text, const char *what)
{
	ssize_t n;

	do {
		n = send(own->io.fd, text, strlen(text), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		fail(own, errno);
		return false;
	}
	evidence_note(own->probe->evidence, "sent %s", what);
	return true;
}

static bool answer_prompt(struct management_own *own)
{
	const char *why = own->gave_password ? "the password is wrong" : "it wants a password";

	if (own->gave_password || own->password[0] == '\0') {
		fail_because(own, why);
		return false;
	}
	own->gave_password = true;
	evidence_note(own->probe->evidence, "it asks for the password");
	return say(own, own->password, "the password");
}

/* A line without its end. false: the probe has ended. */
static bool take_line(struct management_own *own, const char *line, size_t len)
{
	uint32_t clients;

	evidence_octets(own->probe->evidence, line, len, "received a line of %zu octets", len);
	if (len > 0 && line[0] == '>') {
		bool first = !own->greeted;

		own->greeted = true;
		return !first || say(own, "load-stats\n", "load-stats");
	}
	if (own->greeted && openvpn_load_stats(line, len, &clients)) {
		end_with(own, clients);
		return false;
	}
	if (!own->greeted && len >= 8 && memcmp(line, "SUCCESS:", 8) == 0)
		return true; /* of the password */
	fail_because(own, len >= 6 && memcmp(line, "ERROR:", 6) == 0
				  ? "it answers with an error"
				  : "what answers is no management interface of OpenVPN");
	return false;
}

/* false: the probe has ended. */
static bool take_text(struct management_own *own)
{
	size_t taken = 0;

	while (taken < own->len) {
		const char *at = own->text + taken;
		size_t left = own->len - taken;
		const char *end = memchr(at, '\n', left);

		if (left >= strlen(PROMPT) && memcmp(at, PROMPT, strlen(PROMPT)) == 0) {
			taken += strlen(PROMPT);
			if (!answer_prompt(own))
				return false;
			continue;
		}
		if (end == NULL)
			break;
		taken += (size_t)(end - at) + 1;
		if (!take_line(own, at, (size_t)(end - at) - (end > at && end[-1] == '\r')))
			return false;
	}
	memmove(own->text, own->text + taken, own->len - taken);
	own->len -= taken;
	return true;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct management_own *own = io->data;
	ssize_t n = recv(io->fd, own->text + own->len, sizeof(own->text) - own->len, MSG_DONTWAIT);

	(void)loop;
	(void)events;
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			fail(own, errno);
		return;
	}
	if (n == 0) {
		fail_because(own, own->len == sizeof(own->text)
					  ? "what answers is no management interface of OpenVPN"
					  : "closed without an answer");
		return;
	}
	own->len += (size_t)n;
	(void)take_text(own);
	kind_went_on(own->probe);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct management_own *own = io->data;
	int error = kind_connected(io->fd);

	(void)events;
	if (error != 0) {
		fail(own, error);
		return;
	}
	evidence_note(own->probe->evidence, "connected");
	ev_io_stop(loop, io);
	kind_watch(loop, io, on_readable, io->fd, EV_READ, own);
	kind_went_on(own->probe);
}

/* --- the kind ------------------------------------------------------------------------------ */

/* -1: errno says why. */
static int connect_path(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		error = errno;
		(void)close(fd);
		errno = error;
		fd = -1;
	}
	return fd;
}

static void management_start(struct kind *kind, struct probe *probe)
{
	struct management *management = (struct management *)kind;
	const struct openvpn_management_settings *settings = settings_of(probe);
	struct management_own *own = probe->own;
	bool local = settings->socket.offset != 0;
	int fd = local ? connect_path(probe_text(settings, settings->socket))
		       : kind_socket(probe, SOCK_STREAM);

	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	evidence_hide(probe->evidence, own->password, strcspn(own->password, "\n"));
	own->greeted = false;
	own->gave_password = false;
	own->len = 0;
	kind_watch(management->loop, &own->io, on_writable, fd, EV_WRITE, own);
}

static void management_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_openvpn_management_open(const struct kind_tools *tools)
{
	struct management *management = mem_alloc(sizeof(*management));

	management->kind = (struct kind){ .name = "openvpn-management",
					  .own_size = sizeof(struct management_own),
					  .has_descriptor = true,
					  .prepare = management_prepare,
					  .release = management_release,
					  .start = management_start,
					  .cancel = management_cancel,
					  .expire = management_expire,
					  .close = management_close };
	management->loop = tools->loop;
	return &management->kind;
}
