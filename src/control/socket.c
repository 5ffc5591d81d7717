#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/log.h"
#include "base/mem.h"

#define ACCEPTED_AT_ONCE 32 /* then others have their turn */
#define LOOK_EVERY_S     2. /* is the socket still there? */

/* GONE: the client hung up while its answer was being made. */
enum call_state { CALL_READING, CALL_WAITING, CALL_WRITING, CALL_GONE };

struct call {
	struct control_socket *socket;
	struct call *next, **link; /* of the socket's list, oldest first */
	enum call_state state;
	struct ev_io io;
	struct ev_timer patience;
	char request[SOCKET_REQUEST_MAX + 1];
	size_t request_len;
	char *reply;
	size_t reply_len, reply_pos;
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;
};

struct control_socket {
	struct ev_loop *loop;
	struct supervisor *supervisor;
	struct ev_io acceptable; /* its fd: -1 while nothing listens */
	struct ev_timer look;
	socket_request_fn *request;
	void *context;
	struct call *calls, **last;
	size_t call_count; /* without those that are gone */
	char *run_dir, *path;
	ino_t inode; /* of our path: that of a successor is not ours to remove */
	bool failing;
};

static void hang_up(struct call *call)
{
	struct control_socket *socket = call->socket;

	ev_io_stop(socket->loop, &call->io);
	ev_timer_stop(socket->loop, &call->patience);
	(void)close(call->io.fd);
	socket->call_count--;
}

static void call_end(struct call *call)
{
	if (call->state != CALL_GONE)
		hang_up(call);
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	else
		call->socket->last = call->link;
	channel_close_fds(call->fds, call->fd_count);
	free(call->reply);
	free(call);
}

/* --- writing --------------------------------------------------------------------------------- */

/* As much as goes; the descriptors travel with the first octets. */
static ssize_t send_some(const struct call *call)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
	} control = { 0 };
	struct iovec iov = { call->reply + call->reply_pos, call->reply_len - call->reply_pos };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (call->reply_pos == 0 && call->fd_count > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * call->fd_count);
		c = &control.align;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * call->fd_count);
		memcpy(CMSG_DATA(c), call->fds, sizeof(int) * call->fd_count);
	}
	return sendmsg(call->io.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void write_reply(struct call *call)
{
	while (call->reply_pos < call->reply_len) {
		ssize_t n = send_some(call);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ev_timer_again(call->socket->loop, &call->patience);
			return; /* goes on when it is writable */
		}
		if (n < 0)
			break; /* the client has gone */
		call->reply_pos += (size_t)n;
	}
	call_end(call);
}

void call_answer(struct call *call, const json_t *reply, const int *fds, size_t fd_count)
{
	struct buf line = { 0 };
	char *text;

	if (call->state == CALL_GONE) {
		call_end(call);
		return;
	}
	text = json_dumps(reply, JSON_COMPACT);
	buf_format(&line, "%s\n",
		   text != NULL ? text : "{\"ok\":false,\"error\":\"the answer is not text\"}");
	free(text);
	call->reply = (char *)line.data;
	call->reply_len = line.len;
	for (size_t i = 0; i < fd_count && i < CHANNEL_FDS_MAX; i++) {
		call->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (call->fds[i] < 0) { /* out of descriptors: say nothing half */
			log_error("a client is not answered", "reason=\"%s\"", strerror(errno));
			call_end(call);
			return;
		}
		call->fd_count++;
	}
	call->state = CALL_WRITING;
	ev_io_stop(call->socket->loop, &call->io);
	ev_io_set(&call->io, call->io.fd, EV_WRITE);
	ev_io_start(call->socket->loop, &call->io);
	ev_timer_again(call->socket->loop, &call->patience);
	write_reply(call);
}

uint32_t call_uid(const struct call *call)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	(void)getsockopt(call->io.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	return (uint32_t)peer.uid;
}

void call_refuse(struct call *call, const char *error)
{
	json_t *reply = json_pack("{s:b, s:s}", "ok", false, "error", error);

	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

/* --- reading --------------------------------------------------------------------------------- */

static void dispatch(struct call *call)
{
	json_error_t where;
	json_t *request = json_loads(call->request, JSON_REJECT_DUPLICATES, &where);

	call->state = CALL_WAITING;
	ev_io_stop(call->socket->loop, &call->io);
	ev_timer_stop(call->socket->loop, &call->patience);
	if (json_is_object(request))
		call->socket->request(call->socket->context, call, request);
	else
		call_refuse(call, "a request is one line with one JSON object");
	json_decref(request);
}

static void read_request(struct call *call)
{
	size_t room = SOCKET_REQUEST_MAX - call->request_len;
	ssize_t n = recv(call->io.fd, call->request + call->request_len, room, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		call_end(call);
		return;
	}
	call->request_len += (size_t)n;
	call->request[call->request_len] = '\0';
	end = memchr(call->request, '\n', call->request_len);
	if (end != NULL) {
		*end = '\0';
		dispatch(call);
	} else if (call->request_len == SOCKET_REQUEST_MAX) {
		ev_io_stop(call->socket->loop, &call->io);
		call_refuse(call, "the request is too long");
	}
}

static void ready(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct call *call = io->data;

	(void)loop;
	(void)events;
	if (call->state == CALL_READING)
		read_request(call);
	else
		write_reply(call);
}

static void impatient(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	call_end(timer->data);
}

/* --- clients --------------------------------------------------------------------------------- */

/* A client that waits is not read from, so its end has to be asked for. Whoever makes its answer
 * keeps the call. */
static bool forget_if_gone(struct call *call)
{
	struct pollfd peer = { .fd = call->io.fd };

	if (poll(&peer, 1, 0) != 1 || !(peer.revents & (POLLHUP | POLLERR)))
		return false;
	hang_up(call);
	call->state = CALL_GONE;
	return true;
}

/* Ends the one that has been connected longest without a request of its own being worked on, or
 * whose client has gone meanwhile. false: there is none. */
static bool make_room(struct control_socket *socket)
{
	for (struct call *call = socket->calls; call != NULL; call = call->next) {
		if (call->state == CALL_READING || call->state == CALL_WRITING) {
			call_end(call);
			return true;
		}
		if (call->state == CALL_WAITING && forget_if_gone(call))
			return true;
	}
	return false;
}

static void add_call(struct control_socket *socket, int fd)
{
	struct call *call = mem_alloc(sizeof(*call));

	call->socket = socket;
	call->link = socket->last;
	*socket->last = call;
	socket->last = &call->next;
	socket->call_count++;
	ev_io_init(&call->io, ready, fd, EV_READ);
	ev_timer_init(&call->patience, impatient, 0., SOCKET_PATIENCE_S);
	call->io.data = call;
	call->patience.data = call;
	ev_io_start(socket->loop, &call->io);
	ev_timer_again(socket->loop, &call->patience);
}

/* One that waits. false: there is none. */
static bool accept_one(struct control_socket *socket)
{
	int fd = accept4(socket->acceptable.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return (errno == EMFILE || errno == ENFILE) && make_room(socket);
	if (socket->call_count >= SOCKET_CLIENTS_MAX && !make_room(socket))
		(void)close(fd);
	else
		add_call(socket, fd);
	return true;
}

static void acceptable(struct ev_loop *loop, struct ev_io *io, int events)
{
	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTED_AT_ONCE && accept_one(io->data); i++)
		continue;
}

/* --- life ------------------------------------------------------------------------------------ */

static int bind_to(int fd, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, "%s: a socket's path has at most %zu characters", path,
			       sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(path, 0660) != 0 || listen(fd, SOCKET_CLIENTS_MAX) != 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	return 0;
}

/* Made under another name, with its mode, and then renamed: whatever the umask, nobody else can
 * connect in between, and what a crash has left behind is replaced. */
static int listen_at(const char *path, ino_t *inode, int *out, struct err *err)
{
	char *temporary = mem_format("%s.new", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st = { 0 };
	mode_t before = umask(0177);
	int rc = -1;

	if (fd < 0) {
		(void)err_set(err, "socket: %s", strerror(errno));
		goto out;
	}
	if (bind_to(fd, temporary, err) != 0)
		goto out;
	if (rename(temporary, path) != 0 || stat(path, &st) != 0) {
		(void)err_set(err, "%s: %s", path, strerror(errno));
		goto out;
	}
	*inode = st.st_ino;
	*out = fd;
	fd = -1;
	rc = 0;
out:
	(void)umask(before);
	if (fd >= 0)
		(void)close(fd);
	free(temporary);
	return rc;
}

static void stop_listening(struct control_socket *socket)
{
	ev_io_stop(socket->loop, &socket->acceptable);
	if (socket->acceptable.fd >= 0)
		(void)close(socket->acceptable.fd);
	socket->acceptable.fd = -1;
}

static void listen_on(struct control_socket *socket, int fd)
{
	stop_listening(socket);
	ev_io_set(&socket->acceptable, fd, EV_READ);
	ev_io_start(socket->loop, &socket->acceptable);
}

/* Told once, not at every look. */
static void start_listening(struct control_socket *socket)
{
	struct err err;
	int fd;

	(void)mkdir(socket->run_dir, 0755); /* is there, or bind tells what is wrong */
	if (listen_at(socket->path, &socket->inode, &fd, &err) != 0) {
		if (!socket->failing)
			log_error("the control socket cannot be made, signpostctl finds nobody",
				  "reason=\"%s\"", err.text);
		socket->failing = true;
		return;
	}
	listen_on(socket, fd);
	supervisor_keep_socket(socket->supervisor, fd, socket->inode);
	if (socket->failing)
		log_info("the control socket is there again", "path=%s", socket->path);
	socket->failing = false;
}

static bool is_in_place(const struct control_socket *socket)
{
	struct stat st;

	return socket->acceptable.fd >= 0 && stat(socket->path, &st) == 0 &&
	       st.st_ino == socket->inode;
}

/* A run directory is often cleaned by others, or not made in time. */
static void look(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct control_socket *socket = timer->data;

	(void)loop;
	(void)events;
	if (is_in_place(socket))
		return;
	if (!socket->failing)
		log_warning("the control socket was removed, another one is made", "path=%s",
			    socket->path);
	start_listening(socket);
}

/* Clients may be waiting there. */
static void go_on_listening(struct control_socket *socket)
{
	uint64_t inode;
	int fd = supervisor_take_socket(socket->supervisor, &inode);

	if (fd < 0)
		return;
	socket->inode = (ino_t)inode;
	listen_on(socket, fd);
}

struct control_socket *control_socket_open(struct ev_loop *loop, struct supervisor *supervisor,
					   const char *run_dir, socket_request_fn *request,
					   void *context)
{
	struct control_socket *socket = mem_alloc(sizeof(*socket));

	socket->run_dir = mem_copy_text(run_dir);
	socket->path = mem_format("%s/control.sock", run_dir);
	socket->loop = loop;
	socket->supervisor = supervisor;
	socket->request = request;
	socket->context = context;
	socket->last = &socket->calls;
	ev_io_init(&socket->acceptable, acceptable, -1, EV_READ);
	ev_timer_init(&socket->look, look, LOOK_EVERY_S, LOOK_EVERY_S);
	socket->acceptable.data = socket;
	socket->look.data = socket;
	ev_timer_start(loop, &socket->look);
	go_on_listening(socket);
	if (!is_in_place(socket))
		start_listening(socket);
	return socket;
}

void control_socket_close(struct control_socket *socket)
{
	if (socket == NULL)
		return;
	while (socket->calls != NULL)
		call_end(socket->calls);
	if (is_in_place(socket))
		(void)unlink(socket->path);
	stop_listening(socket);
	ev_timer_stop(socket->loop, &socket->look);
	free(socket->run_dir);
	free(socket->path);
	free(socket);
}
