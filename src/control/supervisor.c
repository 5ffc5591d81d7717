#include "control/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/netprefix.h"

#define AGAIN_S 1.

enum owed { OWED_NOTHING, OWED_STEERING, OWED_WORLD };

struct supervisor {
	struct ev_loop *loop;
	struct ev_io readable, writable;
	struct ev_timer again;
	int channel;
	struct supervisor_events events;
	void *context;
	struct supervisor_processes processes;
	bool started;
	struct images *adopted; /* until START */
	int icmp_v4, icmp_v6;
	int socket_kept; /* of an earlier control, until it is taken; -1: none */
	uint64_t socket_kept_inode;
	const struct counters_page *counters; /* mapped read-only; the data plane writes it */
	/* What a full channel has kept back. */
	enum owed owed;
	const struct images *newest;
	uint64_t served_id; /* of the steering image that the data plane took last; 0: unknown */
	int socket_owed;    /* that the supervisor is to keep; -1: it has it */
	uint64_t socket_owed_inode;
	char *refused, *reloaded; /* texts that are still to be told, NULL: none */
};

/* --- what arrives --------------------------------------------------------------------------- */

/* The order of the descriptors of WORLD (image/handover.h). */
static const enum image_kind world_order[] = { IMAGE_ZONES, IMAGE_GEO, IMAGE_STEERING, IMAGE_PLAN,
					       IMAGE_LOCATIONS };
#define WORLD_FDS (sizeof(world_order) / sizeof(world_order[0]))

static void keep_world(struct supervisor *sup, int *fds, size_t count)
{
	struct images *images = images_new();
	struct err err;

	for (size_t i = 0; i < count && i < WORLD_FDS; i++) {
		int fd = fds[i];

		fds[i] = -1;
		if (images_set(images, world_order[i], fd, &err) != 0) {
			log_error("the running world cannot be adopted", "reason=\"%s\"", err.text);
			images_free(images);
			return;
		}
	}
	if (sup->started) {
		sup->events.world(sup->context, images);
		return;
	}
	images_free(sup->adopted);
	sup->adopted = images;
}

static void keep_socket(int *kept, int *fds, size_t count)
{
	if (count == 0)
		return;
	if (*kept >= 0)
		(void)close(*kept);
	*kept = fds[0];
	fds[0] = -1;
}

static void unmap_counters(struct supervisor *sup)
{
	if (sup->counters != NULL)
		(void)munmap((void *)(uintptr_t)sup->counters, sizeof(*sup->counters));
	sup->counters = NULL;
}

static void map_counters(struct supervisor *sup, const int *fds, size_t count)
{
	struct stat st;
	void *base;

	if (count == 0 || fstat(fds[0], &st) != 0 || (size_t)st.st_size < sizeof(*sup->counters))
		return;
	base = mmap(NULL, sizeof(*sup->counters), PROT_READ, MAP_SHARED, fds[0], 0);
	if (base == MAP_FAILED) {
		log_error("the counters page cannot be mapped", "reason=\"%s\"", strerror(errno));
		return;
	}
	unmap_counters(sup);
	sup->counters = base;
}

static void take(struct supervisor *sup, struct handover *message, int *fds, size_t count)
{
	struct images *world;

	switch ((enum handover_type)message->type) {
	case HANDOVER_COUNTERS: map_counters(sup, fds, count); break;
	case HANDOVER_ICMP:
		keep_socket(message->protocol == IP_V4 ? &sup->icmp_v4 : &sup->icmp_v6, fds, count);
		break;
	case HANDOVER_SOCKET:
		keep_socket(&sup->socket_kept, fds, count);
		sup->socket_kept_inode = message->world;
		break;
	case HANDOVER_WORLD: keep_world(sup, fds, count); break;
	case HANDOVER_PROCESSES:
		sup->processes = (struct supervisor_processes){ message->supervisor, message->dns,
								message->control, "" };
		message->text[sizeof(message->text) - 1] = '\0';
		(void)snprintf(sup->processes.serving, sizeof(sup->processes.serving), "%.*s",
			       (int)strcspn(message->text, ";"), message->text);
		break;
	case HANDOVER_START:
		message->text[sizeof(message->text) - 1] = '\0';
		world = sup->adopted;
		sup->adopted = NULL; /* now the callee's */
		sup->started = true;
		sup->events.start(sup->context, message->text, message->world, world);
		break;
	case HANDOVER_RELOAD: sup->events.reload(sup->context, message->worker); break;
	case HANDOVER_READY:
		sup->served_id = message->world;
		if (sup->started && supervisor_serves_newest(sup))
			sup->events.served(sup->context);
		break;
	case HANDOVER_LISTENER:
	case HANDOVER_STEERING:
	case HANDOVER_REFUSED:
	default:
		log_warning("unexpected message from the supervisor", "type=%u", message->type);
		break;
	}
}

static void receive(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct supervisor *sup = io->data;
	struct handover message;
	int fds[CHANNEL_FDS_MAX];
	size_t count;
	struct err err;
	ssize_t n = channel_receive(sup->channel, &message, sizeof(message), fds, &count, &err);

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		if (n < 0)
			log_error("the supervisor cannot be heard", "reason=\"%s\"", err.text);
		ev_io_stop(loop, io);
		sup->events.gone(sup->context);
		return;
	}
	if ((size_t)n == sizeof(message))
		take(sup, &message, fds, count);
	else
		log_warning("a message of another size from the supervisor", "bytes=%zd", n);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

/* --- what is published ---------------------------------------------------------------------- */

static int send_images(struct supervisor *sup, struct err *err)
{
	struct handover message = { .type = HANDOVER_STEERING };
	int fds[WORLD_FDS];
	size_t count = 0;

	if (sup->owed == OWED_WORLD) {
		message.type = HANDOVER_WORLD;
		for (size_t i = 0; i < WORLD_FDS; i++) {
			if (sup->newest->fd[world_order[i]] >= 0)
				fds[count++] = sup->newest->fd[world_order[i]];
		}
	} else if (sup->owed == OWED_STEERING) {
		fds[count++] = sup->newest->fd[IMAGE_STEERING];
	} else {
		return 0;
	}
	message.fd_count = (uint32_t)count;
	message.world = images_id(sup->newest, IMAGE_STEERING);
	if (channel_send(sup->channel, &message, sizeof(message), fds, count, err) != 0)
		return -1;
	sup->owed = OWED_NOTHING;
	return 0;
}

static int send_socket(struct supervisor *sup, struct err *err)
{
	struct handover message = { .type = HANDOVER_SOCKET,
				    .fd_count = 1,
				    .world = sup->socket_owed_inode };

	if (sup->socket_owed < 0)
		return 0;
	if (channel_send(sup->channel, &message, sizeof(message), &sup->socket_owed, 1, err) != 0)
		return -1;
	(void)close(sup->socket_owed);
	sup->socket_owed = -1;
	return 0;
}

static int send_text(struct supervisor *sup, enum handover_type type, char **text, struct err *err)
{
	struct handover message = { .type = type };

	if (*text == NULL)
		return 0;
	(void)snprintf(message.text, sizeof(message.text), "%s", *text);
	if (channel_send(sup->channel, &message, sizeof(message), NULL, 0, err) != 0)
		return -1;
	free(*text);
	*text = NULL;
	return 0;
}

static void flush(struct supervisor *sup)
{
	struct err err;

	if (send_images(sup, &err) == 0 && send_socket(sup, &err) == 0 &&
	    send_text(sup, HANDOVER_REFUSED, &sup->refused, &err) == 0 &&
	    send_text(sup, HANDOVER_RELOAD, &sup->reloaded, &err) == 0) {
		ev_io_stop(sup->loop, &sup->writable);
	} else if (errno == EAGAIN || errno == ENOBUFS) {
		ev_io_start(sup->loop, &sup->writable);
	} else { /* a supervisor that is gone is noticed by receive(); else want of memory, say */
		log_error("the supervisor cannot be told", "reason=\"%s\"", err.text);
		ev_io_stop(sup->loop, &sup->writable);
		ev_timer_again(sup->loop, &sup->again);
	}
}

static void flush_again(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	(void)events;
	ev_timer_stop(loop, timer);
	flush(timer->data);
}

static void tell(struct supervisor *sup, char **kept, const char *text)
{
	free(*kept);
	*kept = mem_copy_text(text);
	flush(sup);
}

void supervisor_tell_refused(struct supervisor *sup, const char *text)
{
	tell(sup, &sup->refused, text);
}

void supervisor_tell_reload(struct supervisor *sup, const char *text)
{
	tell(sup, &sup->reloaded, text);
}

int supervisor_take_socket(struct supervisor *sup, uint64_t *inode)
{
	int fd = sup->socket_kept;

	*inode = sup->socket_kept_inode;
	sup->socket_kept = -1;
	return fd;
}

void supervisor_keep_socket(struct supervisor *sup, int fd, uint64_t inode)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0) { /* it ends with us, as long as no other one is made */
		log_warning("the control socket is not kept", "reason=\"%s\"", strerror(errno));
		return;
	}
	if (sup->socket_owed >= 0)
		(void)close(sup->socket_owed);
	sup->socket_owed = copy;
	sup->socket_owed_inode = inode;
	flush(sup);
}

static void writable(struct ev_loop *loop, struct ev_io *io, int events)
{
	(void)loop;
	(void)events;
	flush(io->data);
}

void supervisor_publish_world(struct supervisor *sup, const struct images *images)
{
	sup->newest = images;
	sup->owed = OWED_WORLD;
	flush(sup);
}

void supervisor_publish_steering(struct supervisor *sup, const struct images *images)
{
	sup->newest = images;
	if (sup->owed == OWED_NOTHING) /* a world that is still owed brings its steering along */
		sup->owed = OWED_STEERING;
	flush(sup);
}

bool supervisor_serves_newest(const struct supervisor *sup)
{
	return sup->newest == NULL || sup->processes.dns.pid == 0 ||
	       sup->served_id == images_id(sup->newest, IMAGE_STEERING);
}

/* --- life ----------------------------------------------------------------------------------- */

struct supervisor *supervisor_open(struct ev_loop *loop, int channel,
				   const struct supervisor_events *events, void *context)
{
	struct supervisor *sup = mem_alloc(sizeof(*sup));

	*sup = (struct supervisor){ .loop = loop,
				    .channel = channel,
				    .events = *events,
				    .context = context,
				    .icmp_v4 = -1,
				    .icmp_v6 = -1,
				    .socket_kept = -1,
				    .socket_owed = -1 };
	(void)fcntl(channel, F_SETFD, FD_CLOEXEC); /* children must not hold it open */
	(void)fcntl(channel, F_SETFL, fcntl(channel, F_GETFL) | O_NONBLOCK);
	ev_io_init(&sup->readable, receive, channel, EV_READ);
	ev_io_init(&sup->writable, writable, channel, EV_WRITE);
	sup->readable.data = sup;
	sup->writable.data = sup;
	ev_timer_init(&sup->again, flush_again, 0., AGAIN_S);
	sup->again.data = sup;
	ev_io_start(loop, &sup->readable);
	return sup;
}

static void close_kept(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void supervisor_close(struct supervisor *sup)
{
	if (sup == NULL)
		return;
	ev_io_stop(sup->loop, &sup->readable);
	ev_io_stop(sup->loop, &sup->writable);
	ev_timer_stop(sup->loop, &sup->again);
	images_free(sup->adopted);
	free(sup->refused);
	free(sup->reloaded);
	(void)close(sup->channel);
	close_kept(sup->icmp_v4);
	close_kept(sup->icmp_v6);
	close_kept(sup->socket_kept);
	close_kept(sup->socket_owed);
	unmap_counters(sup);
	free(sup);
}

const struct supervisor_processes *supervisor_processes(const struct supervisor *sup)
{
	return &sup->processes;
}

int supervisor_icmp(const struct supervisor *sup, int family)
{
	return family == IP_V4 ? sup->icmp_v4 : sup->icmp_v6;
}

/* Each field of struct counters is one uint64_t, padding included, so the sum goes by words. */
void supervisor_counters(const struct supervisor *sup, struct counters *sum)
{
	const size_t words = sizeof(*sum) / sizeof(uint64_t);
	uint64_t *to = (uint64_t *)(void *)sum;

	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; sup->counters != NULL && i < COUNTERS_THREADS_MAX; i++) {
		const struct counters *of_thread = &sup->counters->counters[i];
		const uint64_t *from = (const uint64_t *)(const void *)of_thread;

		for (size_t w = 0; w < words; w++)
			to[w] += __atomic_load_n(&from[w], __ATOMIC_RELAXED);
	}
}

void supervisor_class_counters(const struct supervisor *sup, uint64_t geo_id,
			       uint64_t sums[GEO_CLASSES_MAX])
{
	memset(sums, 0, GEO_CLASSES_MAX * sizeof(*sums));
	for (size_t i = 0; sup->counters != NULL && i < COUNTERS_THREADS_MAX; i++) {
		const struct class_counters *from = &sup->counters->classes[i];

		/* A thread that begins anew just now may be counted in part: a few queries. */
		if (__atomic_load_n(&from->geo_id, __ATOMIC_ACQUIRE) != geo_id)
			continue;
		for (size_t c = 0; c < GEO_CLASSES_MAX; c++)
			sums[c] += __atomic_load_n(&from->steered[c], __ATOMIC_RELAXED);
	}
}
