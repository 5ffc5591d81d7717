/* signpost-dns: the data plane. Its sockets, counters and images come from the supervisor
 * (image/handover.h); it opens nothing itself. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#include "base/channel.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/handover.h"
#include "serve/tcp.h"
#include "serve/udp.h"
#include "serve/worlds.h"

/* Standard streams, the supervisor's channel, what a message brings, and a few that libraries
 * open. */
#define DESCRIPTORS_KEPT (4 + 2 * CHANNEL_FDS_MAX + 16)

struct listener {
	int fd;
	uint32_t protocol, worker;
};

/* The main thread's. */
struct server {
	struct listener *listeners;
	size_t listener_count, listener_capacity;
	struct counters_page
		*counters; /* counter_count threads may have some, shared with control */
	size_t counter_count;
	size_t threads;
	bool started;
	unsigned connections_max;    /* a worker's: there are descriptors for them */
	unsigned connections_wanted; /* as the settings had it when that was compared */
};

/* --- messages to the supervisor --------------------------------------------------------------- */

/* A supervisor that cannot be told is gone, and the next receive says so. */
static void tell(enum handover_type type, uint64_t world, const char *text)
{
	static struct handover message; /* large; the main thread only */
	struct err err;

	memset(&message, 0, sizeof(message));
	message.type = type;
	message.world = world;
	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	if (channel_send(HANDOVER_FD, &message, sizeof(message), NULL, 0, &err) != 0)
		log_warning("message not sent", "to=supervisor: %s", err.text);
}

static void tell_taken(int rc, uint64_t id, const struct err *err)
{
	if (rc == 0) {
		tell(HANDOVER_READY, id, "");
		return;
	}
	log_error("world refused", "%s", err->text);
	tell(HANDOVER_REFUSED, 0, err->text);
}

/* --- messages from the supervisor ------------------------------------------------------------- */

static void take_world(const int *fds, size_t fd_count)
{
	uint64_t id = 0;
	struct err err;
	int rc;

	if (fd_count == 3)
		rc = worlds_take(fds[0], fds[1], fds[2], &id, &err);
	else
		rc = err_set(&err, "a world of %zu images instead of 3", fd_count);
	tell_taken(rc, id, &err);
}

static void take_steering(const int *fds, size_t fd_count)
{
	uint64_t id = 0;
	struct err err;
	int rc;

	if (fd_count == 1)
		rc = worlds_take_steering(fds[0], &id, &err);
	else
		rc = err_set(&err, "%zu images instead of 1 for steering", fd_count);
	tell_taken(rc, id, &err);
}

static int take_listener(struct server *server, const struct handover *message, const int *fds,
			 size_t fd_count, struct err *err)
{
	if (fd_count != 1 || server->started)
		return err_set(err, "a listener %s",
			       server->started ? "after the start" : "without its socket");
	array_add(server->listeners, server->listener_count, server->listener_capacity) =
		(struct listener){ fds[0], message->protocol, message->worker };
	return 0;
}

static int take_counters(struct server *server, const struct handover *message, const int *fds,
			 size_t fd_count, struct err *err)
{
	size_t size = sizeof(struct counters_page);
	struct stat st;
	void *page;

	if (fd_count != 1 || server->counters != NULL || message->worker == 0 ||
	    message->worker > COUNTERS_THREADS_MAX || fstat(fds[0], &st) != 0 ||
	    (size_t)st.st_size < size)
		return err_set(err, "a counters page that does not hold %u threads'",
			       message->worker);
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	if (page == MAP_FAILED)
		return err_set(err, "counters page: mmap: %s", strerror(errno));
	server->counters = page;
	server->counter_count = message->worker;
	return 0;
}

/* --- threads ---------------------------------------------------------------------------------- */

static int next_counters(struct server *server, struct thread_counters *out, struct err *err)
{
	if (server->threads == server->counter_count)
		return err_set(err, "the counters page has no room for more than %zu threads",
			       server->counter_count);
	out->counters = &server->counters->counters[server->threads];
	out->classes = &server->counters->classes[server->threads];
	server->threads++;
	return 0;
}

static int start_udp(struct server *server, struct err *err)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		const struct listener *listener = &server->listeners[i];
		unsigned number = (unsigned)server->threads;
		struct thread_counters counters = { 0 };

		if (listener->protocol != HANDOVER_UDP)
			continue;
		if (next_counters(server, &counters, err) != 0 ||
		    udp_start(listener->fd, number, &counters, err) != 0)
			return -1;
	}
	return 0;
}

/* Connections must leave descriptors for the images that come: a stranger who opens many of them
 * would else keep verdicts out. Returns how many a worker may have. */
static unsigned tcp_connections(const struct server *server, uint32_t workers)
{
	struct rlimit limit;
	rlim_t needed = DESCRIPTORS_KEPT + server->listener_count +
			(rlim_t)workers * TCP_DESCRIPTORS;
	rlim_t max = 0;

	if (workers == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur >= needed + (rlim_t)workers * DNS_TCP_CONNECTIONS_MAX)
		return DNS_TCP_CONNECTIONS_MAX;
	if (limit.rlim_cur > needed)
		max = (limit.rlim_cur - needed) / workers;
	return max > 0 ? (unsigned)max : 1;
}

/* The server file may ask for more connections than this process may have descriptors for. */
static void tell_lack_of_descriptors(struct server *server)
{
	unsigned wanted = world_settings(worlds_current())->tcp_connections;

	if (!server->started || wanted == server->connections_wanted)
		return;
	server->connections_wanted = wanted;
	if (wanted > server->connections_max)
		log_warning("fewer TCP connections, for few files may be open",
			    "connections=%u of=%u, each worker", server->connections_max, wanted);
}

static int start_tcp_worker(struct server *server, uint32_t worker, struct err *err)
{
	int *fds = mem_array(server->listener_count + 1, sizeof(fds[0]));
	struct thread_counters counters = { 0 };
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; i < server->listener_count; i++) {
		if (server->listeners[i].protocol == HANDOVER_TCP &&
		    server->listeners[i].worker == worker)
			fds[count++] = server->listeners[i].fd;
	}
	if (count > 0) {
		rc = next_counters(server, &counters, err);
		if (rc == 0)
			rc = tcp_start(fds, count, worker, server->connections_max, &counters, err);
	}
	free(fds);
	return rc;
}

static int start(struct server *server, uint32_t workers, struct err *err)
{
	if (server->started)
		return err_set(err, "a second start");
	server->started = true;
	server->connections_max = tcp_connections(server, workers);
	tell_lack_of_descriptors(server);
	if (start_udp(server, err) != 0)
		return -1;
	for (uint32_t worker = 0; worker < workers; worker++) {
		if (start_tcp_worker(server, worker, err) != 0)
			return -1;
	}
	log_info("answering", "listeners=%zu threads=%zu world=%s", server->listener_count,
		 server->threads, worlds_published == NULL ? "none" : "there");
	return 0;
}

/* --- the process ------------------------------------------------------------------------------ */

/* Descriptors that a message brought are closed, but for a listener's. */
static int handle(struct server *server, const struct handover *message, const int *fds,
		  size_t fd_count, struct err *err)
{
	int rc = 0;

	switch (message->type) {
	case HANDOVER_LISTENER:
		rc = take_listener(server, message, fds, fd_count, err);
		if (rc == 0)
			return 0;
		break;
	case HANDOVER_COUNTERS: rc = take_counters(server, message, fds, fd_count, err); break;
	case HANDOVER_WORLD:
		take_world(fds, fd_count);
		tell_lack_of_descriptors(server);
		break;
	case HANDOVER_STEERING:
		take_steering(fds, fd_count);
		tell_lack_of_descriptors(server);
		break;
	case HANDOVER_START: rc = start(server, message->worker, err); break;
	default: rc = err_set(err, "a message of type %u", message->type); break;
	}
	channel_close_fds(fds, fd_count);
	return rc;
}

static int serve(struct server *server, struct err *err)
{
	static struct handover message; /* large */
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;

	for (;;) {
		ssize_t n = channel_receive(HANDOVER_FD, &message, sizeof(message), fds, &fd_count,
					    err);

		if (n <= 0)
			return (int)n;
		if ((size_t)n != sizeof(message)) {
			channel_close_fds(fds, fd_count);
			return err_set(err, "a message of %zd octets from the supervisor", n);
		}
		message.text[sizeof(message.text) - 1] = '\0';
		if (handle(server, &message, fds, fd_count, err) != 0)
			return -1;
	}
}

/* Nobody may look into the process that reads strangers' packets, and it may become nobody else;
 * it ends with its supervisor, even where it is stopped, and leaves the port to the next one. */
static int confine(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_set(err, "prctl: %s", strerror(errno));
#ifndef SIGNPOST_SANITIZED /* the leak checker traces the process */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_set(err, "prctl: %s", strerror(errno));
#endif
	return 0;
}

/* Connections need descriptors; fewer than are allowed are no reason to refuse any. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool read_options(int argc, char **argv)
{
	static const struct option options[] = { { "log-level", required_argument, NULL, 'l' },
						 { "syslog", no_argument, NULL, 's' },
						 { NULL, 0, NULL, 0 } };
	enum log_level level = LOG_LEVEL_INFO;
	enum log_target target = LOG_TARGET_STDERR;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			target = LOG_TARGET_SYSLOG;
		else if (option != 'l' || !log_level_parse(optarg, &level))
			return false;
	}
	log_open("signpost-dns", target, level);
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct server server = { 0 };
	struct err err;
	int rc = EXIT_FAILURE;

	if (!read_options(argc, argv)) {
		(void)fprintf(stderr, "usage: signpost-dns [--log-level LEVEL] [--syslog]\n"
				      "signpostd starts it.\n");
		return EXIT_FAILURE;
	}
	raise_descriptor_limit();
	if (confine(&err) != 0 || serve(&server, &err) != 0) {
		log_error("cannot go on", "%s", err.text);
	} else {
		log_info("ending", "the supervisor is gone");
		rc = EXIT_SUCCESS;
	}
	free(server.listeners); /* threads still answer from all else */
	return rc;
}
