#include "supervise/messages.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervise/status.h"

#define RESEND_MS  1000
#define DUE_IMAGES (DUE_WORLD | DUE_STEERING)

/* --- out ----------------------------------------------------------------------------------- */

/* One message, made when it is sent. */
struct outgoing {
	struct handover message;
	int fds[WORLD_PARTS];
	size_t fd_count;
};

unsigned messages_due_at_start(const struct supervisor *supervisor, const struct child *child)
{
	unsigned world = supervisor->worlds.newest.count > 0 ? DUE_WORLD : 0;

	if (child == &supervisor->dns)
		return DUE_LISTENERS | DUE_COUNTERS | world | DUE_START;
	return DUE_COUNTERS | DUE_ICMP | DUE_SOCKET | world | DUE_START | DUE_PROCESSES;
}

static void add_fd(struct outgoing *out, int fd)
{
	out->fds[out->fd_count++] = fd;
}

static void make_listener(const struct supervisor *supervisor, const struct child *child,
			  struct outgoing *out)
{
	const struct listener *listener = &supervisor->listeners.items[child->listeners_sent];

	out->message.type = HANDOVER_LISTENER;
	out->message.protocol = listener->protocol;
	out->message.worker = listener->worker;
	add_fd(out, listener->fd);
}

static void make_icmp(const struct supervisor *supervisor, const struct child *child,
		      struct outgoing *out)
{
	out->message.type = HANDOVER_ICMP;
	out->message.protocol = child->icmp_sent == 0 ? 4 : 6;
	add_fd(out, supervisor->icmp_fds[child->icmp_sent]);
}

static void make_socket(const struct supervisor *supervisor, struct outgoing *out)
{
	out->message.type = HANDOVER_SOCKET;
	out->message.world = supervisor->control_socket_inode;
	add_fd(out, supervisor->control_socket);
}

static void make_world(const struct supervisor *supervisor, const struct child *child,
		       struct outgoing *out)
{
	const struct world_set *set = worlds_to_serve(&supervisor->worlds);
	size_t count = child == &supervisor->dns ? WORLD_PARTS_DNS : set->count;

	out->message.type = HANDOVER_WORLD;
	out->message.world = set->steering_id;
	for (size_t i = 0; i < count; i++)
		add_fd(out, set->fds[i]);
}

static void make_steering(const struct supervisor *supervisor, struct outgoing *out)
{
	const struct world_set *set = worlds_to_serve(&supervisor->worlds);

	out->message.type = HANDOVER_STEERING;
	out->message.world = set->steering_id;
	add_fd(out, set->fds[WORLD_STEERING]);
}

static void make_start(const struct supervisor *supervisor, const struct child *child,
		       struct outgoing *out)
{
	out->message.type = HANDOVER_START;
	out->message.worker = supervisor->listeners.workers;
	if (child != &supervisor->control)
		return;
	out->message.world = supervisor->boot_id;
	(void)snprintf(out->message.text, sizeof(out->message.text), "%s", supervisor->server_file);
}

static void make_processes(const struct supervisor *supervisor, struct outgoing *out)
{
	out->message.type = HANDOVER_PROCESSES;
	out->message.supervisor = (struct handover_process){
		.pid = (int32_t)getpid(), .started_unix_ms = supervisor->started_unix_ms
	};
	out->message.dns = child_process(&supervisor->dns);
	out->message.control = child_process(&supervisor->control);
	status_text(supervisor, out->message.text, sizeof(out->message.text));
}

static void make_served(const struct supervisor *supervisor, struct outgoing *out)
{
	out->message.type = HANDOVER_READY;
	out->message.world = supervisor->served_id;
}

/* Skips what there is nothing of, so that the lowest bit of `due` can be sent. */
static void skip_empty(const struct supervisor *supervisor, struct child *child)
{
	if (child->listeners_sent == supervisor->listeners.count)
		child->due &= ~(unsigned)DUE_LISTENERS;
	while (child->icmp_sent < 2 && supervisor->icmp_fds[child->icmp_sent] < 0)
		child->icmp_sent++;
	if (child->icmp_sent == 2)
		child->due &= ~(unsigned)DUE_ICMP;
	if (supervisor->control_socket < 0)
		child->due &= ~(unsigned)DUE_SOCKET;
	if (child->due & DUE_WORLD) /* it contains the newest steering image */
		child->due &= ~(unsigned)DUE_STEERING;
}

/* The lowest bit of what may be sent; 0: nothing. */
static unsigned next_due(const struct child *child)
{
	unsigned due = child->unanswered ? child->due & ~(unsigned)DUE_IMAGES : child->due;

	return due & -due;
}

bool messages_wait(const struct child *child)
{
	return child->send_at_ms == 0 && next_due(child) != 0;
}

static void make_next(const struct supervisor *supervisor, const struct child *child,
		      struct outgoing *out)
{
	memset(&out->message, 0, sizeof(out->message));
	out->fd_count = 0;
	switch (next_due(child)) {
	case DUE_LISTENERS: make_listener(supervisor, child, out); break;
	case DUE_COUNTERS:
		out->message.type = HANDOVER_COUNTERS;
		out->message.worker = COUNTERS_THREADS_MAX;
		add_fd(out, supervisor->counters_fd);
		break;
	case DUE_ICMP: make_icmp(supervisor, child, out); break;
	case DUE_SOCKET: make_socket(supervisor, out); break;
	case DUE_WORLD: make_world(supervisor, child, out); break;
	case DUE_START: make_start(supervisor, child, out); break;
	case DUE_STEERING: make_steering(supervisor, out); break;
	case DUE_PROCESSES: make_processes(supervisor, out); break;
	case DUE_SERVED: make_served(supervisor, out); break;
	default:
		out->message.type = HANDOVER_RELOAD;
		out->message.worker = supervisor->told.asked_by;
		break;
	}
	out->message.fd_count = (uint32_t)out->fd_count;
}

static void mark_sent(struct supervisor *supervisor, struct child *child)
{
	unsigned sent = next_due(child);

	switch (sent) {
	case DUE_LISTENERS: child->listeners_sent++; break; /* skip_empty ends the series */
	case DUE_ICMP: child->icmp_sent++; break;
	default: child->due &= ~sent; break;
	}
	if ((sent & DUE_IMAGES) && child == &supervisor->dns)
		child->unanswered = true;
}

/* Full: poll tells when to go on. Peer gone: its end will be reaped. Anything else (memory, or more
 * descriptors under way than the limit of open files lets us) poll knows nothing about. */
static void tell_not_sent(struct child *child, int error, const struct err *err)
{
	if (error == EAGAIN || error == EPIPE || error == ECONNRESET)
		return;
	child->send_at_ms = clock_mono_ms() + RESEND_MS;
	log_error("message not sent", "process=%s again_in_ms=%d: %s", child->name, RESEND_MS,
		  err->text);
}

void messages_flush(struct supervisor *supervisor, struct child *child)
{
	struct outgoing out;
	struct err err;

	for (;;) {
		if (child->channel < 0)
			return;
		skip_empty(supervisor, child);
		if (next_due(child) == 0)
			return;
		make_next(supervisor, child, &out);
		if (channel_send(child->channel, &out.message, sizeof(out.message), out.fds,
				 out.fd_count, &err) != 0) {
			tell_not_sent(child, errno, &err);
			return;
		}
		mark_sent(supervisor, child);
	}
}

/* --- in ------------------------------------------------------------------------------------ */

/* What happened to newest decides whether the data plane takes the steering image alone. */
static void pass_to_dns(struct supervisor *supervisor, unsigned due)
{
	supervisor->dns.due |= due;
	messages_flush(supervisor, &supervisor->dns);
}

/* What is served is what control has to steer, or no failover reaches anybody. */
static void give_to_control(struct supervisor *supervisor)
{
	if (worlds_to_serve(&supervisor->worlds) == NULL)
		return;
	supervisor->control.due |= DUE_WORLD;
	messages_flush(supervisor, &supervisor->control);
}

void messages_other_world(struct supervisor *supervisor)
{
	pass_to_dns(supervisor, DUE_WORLD);
	give_to_control(supervisor);
}

static void take_world(struct supervisor *supervisor, const int *fds, size_t count)
{
	struct err err;

	if (worlds_take(&supervisor->worlds, fds, count, clock_mono_ms(), &err) != 0)
		log_error("world refused", "%s", err.text);
	else
		pass_to_dns(supervisor, DUE_WORLD);
	status_changed(supervisor);
}

static void take_steering(struct supervisor *supervisor, const int *fds, size_t count)
{
	const struct world_set *served = worlds_to_serve(&supervisor->worlds);
	uint64_t before = served == NULL ? 0 : served->steering_id;
	bool distrusted = supervisor->worlds.distrusted;
	struct err err;

	if (count != 1) {
		channel_close_fds(fds, count);
		log_error("steering image refused", "control sent %zu descriptors", count);
		return;
	}
	if (worlds_take_steering(&supervisor->worlds, fds[0], clock_mono_ms(), &err) != 0) {
		log_error("steering image refused", "%s", err.text);
		give_to_control(supervisor);
		return;
	}
	if (supervisor->worlds.distrusted != distrusted) {
		pass_to_dns(supervisor, DUE_WORLD);
		status_changed(supervisor);
	} else if (worlds_to_serve(&supervisor->worlds)->steering_id != before) {
		pass_to_dns(supervisor, DUE_STEERING);
	}
}

static void take_socket(struct supervisor *supervisor, uint64_t inode, const int *fds, size_t count)
{
	if (count != 1) {
		channel_close_fds(fds, count);
		log_error("control socket refused", "control sent %zu descriptors", count);
		return;
	}
	if (supervisor->control_socket >= 0)
		(void)close(supervisor->control_socket);
	supervisor->control_socket = fds[0];
	supervisor->control_socket_inode = inode;
}

static void from_control(struct supervisor *supervisor, struct handover *message, const int *fds,
			 size_t count)
{
	switch (message->type) {
	case HANDOVER_WORLD: take_world(supervisor, fds, count); return;
	case HANDOVER_STEERING: take_steering(supervisor, fds, count); return;
	case HANDOVER_SOCKET: take_socket(supervisor, message->world, fds, count); return;
	case HANDOVER_REFUSED: status_no_world(supervisor, message->text); break;
	case HANDOVER_RELOAD: status_reloaded(supervisor, message->text); break;
	default:
		log_error("message not understood", "process=%s type=%u", supervisor->control.name,
			  message->type);
		break;
	}
	channel_close_fds(fds, count);
}

static void world_refused(struct supervisor *supervisor, const char *why)
{
	log_error("the data plane refused a world", "reason=\"%s\"", why);
	if (!supervisor->worlds.distrusted && worlds_swap(&supervisor->worlds)) {
		log_warning("the previous world goes on being served", "%s", "");
		messages_other_world(supervisor);
	}
	status_changed(supervisor);
}

static void from_dns(struct supervisor *supervisor, struct handover *message, const int *fds,
		     size_t count)
{
	channel_close_fds(fds, count); /* it has nothing to hand over */
	if (message->type == HANDOVER_READY || message->type == HANDOVER_REFUSED)
		supervisor->dns.unanswered = false;
	switch (message->type) {
	case HANDOVER_READY:
		worlds_served(&supervisor->worlds, message->world, clock_mono_ms());
		supervisor->served_id = message->world;
		supervisor->control.due |= DUE_SERVED;
		messages_flush(supervisor, &supervisor->control);
		status_serving(supervisor);
		break;
	case HANDOVER_REFUSED: world_refused(supervisor, message->text); break;
	default:
		log_error("message not understood", "process=%s type=%u", supervisor->dns.name,
			  message->type);
		break;
	}
	messages_flush(supervisor, &supervisor->dns);
}

/* 1: one message was taken in; 0: there is none; -1: the peer is gone. */
static int receive_one(struct supervisor *supervisor, struct child *child)
{
	struct handover message;
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;
	struct err err;
	ssize_t n = channel_receive(child->channel, &message, sizeof(message), fds, &fd_count,
				    &err);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if ((size_t)n != sizeof(message)) {
		channel_close_fds(fds, fd_count);
		log_error("message not understood", "process=%s length=%zd", child->name, n);
		return 1;
	}
	message.text[sizeof(message.text) - 1] = '\0';
	if (child == &supervisor->dns)
		from_dns(supervisor, &message, fds, fd_count);
	else
		from_control(supervisor, &message, fds, fd_count);
	return 1;
}

bool messages_receive(struct supervisor *supervisor, struct child *child)
{
	return receive_one(supervisor, child) >= 0;
}

void messages_receive_rest(struct supervisor *supervisor, struct child *child)
{
	while (child->channel >= 0 && receive_one(supervisor, child) > 0)
		continue;
}
