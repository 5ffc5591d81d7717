#include "probe/kind.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum probe_outcome kind_outcome(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN: return PROBE_NOT_MADE;
	default: return PROBE_FAILURE;
	}
}

void kind_done(struct probe *probe, enum probe_outcome outcome, const char *why)
{
	const struct probe_result result = { .outcome = outcome, .why = why };

	probe->done(probe, &result);
}

void kind_went_on(struct probe *probe)
{
	if (probe->went_on != NULL)
		probe->went_on(probe);
}

void kind_reason(char why[PROBE_WHY_SIZE], const char *text)
{
	static const char more[] = "...";
	size_t room = PROBE_WHY_SIZE - sizeof(more);
	size_t len = strlen(text);

	if (len >= PROBE_WHY_SIZE) {
		for (len = room; len > 0 && text[len] != ' ';)
			len--;
		if (len == 0) /* a word without end: whole characters of UTF-8 */
			for (len = room; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;)
				len--;
	}
	memcpy(why, text, len);
	(void)strcpy(why + len, text[len] == '\0' ? "" : more);
}

enum probe_outcome kind_errno_outcome(const struct probe *probe, int error)
{
	bool ours = error == EADDRNOTAVAIL && probe->source.family != 0;

	return ours ? PROBE_NOT_MADE : kind_outcome(error);
}

void kind_failed(struct probe *probe, int error)
{
	kind_done(probe, kind_errno_outcome(probe, error), strerrordesc_np(error));
}

static int connect_from(int fd, const struct probe *probe)
{
	struct sockaddr_storage name;
	socklen_t size;

	if (probe->source.family != 0) {
		size = ip_to_sockaddr(&probe->source, 0, &name);
		if (bind(fd, (struct sockaddr *)&name, size) != 0)
			return -1;
	}
	size = ip_to_sockaddr(&probe->address, probe->port, &name);
	return connect(fd, (struct sockaddr *)&name, size) == 0 || errno == EINPROGRESS ? 0 : -1;
}

int kind_socket(const struct probe *probe, int type)
{
	int family = probe->address.family == IP_V4 ? AF_INET : AF_INET6;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd >= 0 && connect_from(fd, probe) != 0) {
		error = errno;
		(void)close(fd);
		errno = error;
		fd = -1;
	}
	if (fd < 0)
		evidence_note(probe->evidence, "no socket: %s", strerrordesc_np(errno));
	return fd;
}

void kind_watch(struct ev_loop *loop, ev_io *io, void (*callback)(struct ev_loop *, ev_io *, int),
		int fd, int events, void *data)
{
	ev_io_init(io, callback, fd, events);
	ev_set_priority(io, KIND_IO_PRIORITY);
	io->data = data;
	ev_io_start(loop, io);
}

int kind_connected(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}
