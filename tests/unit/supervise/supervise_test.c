#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/channel.h"
#include "image/image.h"
#include "supervise/child.h"
#include "supervise/listeners.h"
#include "supervise/messages.h"
#include "supervise/status.h"
#include "supervise/worlds.h"
#include "tests/unit/run.h"

#define SECOND      UINT64_C(1000)
#define PATIENCE_MS 20000

/* --- worlds -------------------------------------------------------------------------------- */

enum { ZONES = 1, GEO = 2, PLAN = 3, OTHER_ZONES = 7 }; /* ids */

/* `zones_id`: which zones a steering image is made for. */
static int image_made_for(uint64_t zones_id, enum image_kind kind, uint64_t id)
{
	struct image_header header = { .magic = IMAGE_MAGIC, .kind = kind, .id = id };
	int fd = memfd_create("image", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	if (kind == IMAGE_STEERING) {
		header.basis[IMAGE_ZONES] = zones_id;
		header.basis[IMAGE_GEO] = GEO;
		header.basis[IMAGE_PLAN] = PLAN;
	}
	ck_assert_int_eq(write(fd, &header, sizeof(header)), sizeof(header));
	return fd;
}

static int image_fd(enum image_kind kind, uint64_t id)
{
	return image_made_for(ZONES, kind, id);
}

static void new_world_of(uint64_t zones_id, int fds[WORLD_PARTS], uint64_t steering_id)
{
	fds[WORLD_ZONES] = image_fd(IMAGE_ZONES, zones_id);
	fds[WORLD_GEO] = image_fd(IMAGE_GEO, GEO);
	fds[WORLD_STEERING] = image_made_for(zones_id, IMAGE_STEERING, steering_id);
	fds[WORLD_PLAN] = image_fd(IMAGE_PLAN, PLAN);
	fds[WORLD_LOCATIONS] = image_fd(IMAGE_LOCATIONS, 4);
}

static void new_world(int fds[WORLD_PARTS], uint64_t steering_id)
{
	new_world_of(ZONES, fds, steering_id);
}

static void take_of(uint64_t zones_id, struct worlds *worlds, uint64_t steering_id, uint64_t now_ms)
{
	int fds[WORLD_PARTS];
	struct err err;

	new_world_of(zones_id, fds, steering_id);
	ck_assert_int_eq(worlds_take(worlds, fds, WORLD_PARTS, now_ms, &err), 0);
}

static void take(struct worlds *worlds, uint64_t steering_id, uint64_t now_ms)
{
	take_of(ZONES, worlds, steering_id, now_ms);
}

static void take_steering_for(uint64_t zones_id, struct worlds *worlds, uint64_t steering_id,
			      uint64_t now_ms)
{
	struct err err;
	int fd = image_made_for(zones_id, IMAGE_STEERING, steering_id);

	ck_assert_int_eq(worlds_take_steering(worlds, fd, now_ms, &err), 0);
}

static void take_steering(struct worlds *worlds, uint64_t steering_id, uint64_t now_ms)
{
	take_steering_for(ZONES, worlds, steering_id, now_ms);
}

static uint64_t served_id(const struct worlds *worlds)
{
	const struct world_set *set = worlds_to_serve(worlds);

	return set == NULL ? 0 : set->steering_id;
}

START_TEST(without_a_world_nothing_is_served)
{
	struct worlds worlds = { 0 };

	ck_assert_ptr_null(worlds_to_serve(&worlds));
	ck_assert(!worlds_swap(&worlds));
}
END_TEST

START_TEST(newest_world_is_served)
{
	struct worlds worlds = { 0 };

	take(&worlds, 10, 0);
	ck_assert_uint_eq(served_id(&worlds), 10);
	take(&worlds, 11, 1);
	ck_assert_uint_eq(served_id(&worlds), 11);
	take_steering(&worlds, 12, 2);
	ck_assert_uint_eq(served_id(&worlds), 12);
	worlds_close(&worlds);
}
END_TEST

START_TEST(world_that_was_served_long_enough_is_the_one_to_go_back_to)
{
	struct worlds worlds = { 0 };

	take(&worlds, 10, 1 * SECOND);
	worlds_served(&worlds, 10, 1 * SECOND);
	take(&worlds, 11, 30 * SECOND);
	worlds_served(&worlds, 11, 30 * SECOND);
	take(&worlds, 12, 31 * SECOND); /* 11 was served for one second only */
	ck_assert(worlds_swap(&worlds));
	ck_assert_uint_eq(served_id(&worlds), 10);
	ck_assert(worlds_swap(&worlds)); /* and back, when that one crashes as well */
	ck_assert_uint_eq(served_id(&worlds), 12);
	worlds_close(&worlds);
}
END_TEST

static int file_with(int from)
{
	char path[] = "/tmp/signpost-supervise-XXXXXX";
	struct image_header header;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(from, &header, sizeof(header), 0), sizeof(header));
	ck_assert_int_eq(write(fd, &header, sizeof(header)), sizeof(header));
	(void)close(from);
	return fd; /* its name is the caller's to remove */
}

/* Else nobody could ever write to them, and a world that was never read would be gone back to. */
START_TEST(files_that_a_start_begins_with_are_not_kept)
{
	struct worlds worlds = { 0 };
	int fds[WORLD_PARTS];
	char path[64], name[256];
	ssize_t n;
	struct err err;

	new_world(fds, 10);
	fds[WORLD_ZONES] = file_with(fds[WORLD_ZONES]);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[WORLD_ZONES]);
	n = readlink(path, name, sizeof(name) - 1);
	ck_assert_int_gt(n, 0);
	name[n] = '\0';
	ck_assert_int_eq(worlds_take(&worlds, fds, WORLD_PARTS, 1 * SECOND, &err), 0);
	worlds_served(&worlds, 10, 1 * SECOND);
	take(&worlds, 11, 20 * SECOND);
	worlds_served(&worlds, 11, 20 * SECOND);
	ck_assert(!worlds_swap(&worlds));
	ck_assert_int_eq(unlink(name), 0);
	take(&worlds, 12, 40 * SECOND);
	ck_assert(worlds_swap(&worlds));
	ck_assert_uint_eq(served_id(&worlds), 11);
	worlds_close(&worlds);
}
END_TEST

START_TEST(crash_takes_the_proof_away)
{
	struct worlds worlds = { 0 };

	take(&worlds, 10, 1 * SECOND);
	worlds_served(&worlds, 10, 1 * SECOND);
	take(&worlds, 11, 20 * SECOND);
	worlds_served(&worlds, 11, 20 * SECOND);
	worlds_crashed(&worlds);
	take(&worlds, 12, 40 * SECOND);
	ck_assert(worlds_swap(&worlds));
	ck_assert_uint_eq(served_id(&worlds), 10);
	worlds_close(&worlds);
}
END_TEST

START_TEST(steering_alone_ends_distrust_only_where_steering_was_to_blame)
{
	struct worlds worlds = { 0 };

	take(&worlds, 10, 1 * SECOND);
	worlds_served(&worlds, 10, 1 * SECOND);
	take_steering(&worlds, 11, 20 * SECOND);
	ck_assert(worlds_swap(&worlds));
	ck_assert_uint_eq(served_id(&worlds), 10);
	take_steering(&worlds, 12, 21 * SECOND);
	ck_assert_uint_eq(served_id(&worlds), 12);

	worlds_served(&worlds, 12, 21 * SECOND);
	take_of(OTHER_ZONES, &worlds, 20, 40 * SECOND); /* which crash */
	ck_assert(worlds_swap(&worlds));
	take_steering_for(OTHER_ZONES, &worlds, 21, 41 * SECOND);
	ck_assert_uint_eq(served_id(&worlds), 12);
	take(&worlds, 30, 42 * SECOND); /* the operator mended them */
	ck_assert_uint_eq(served_id(&worlds), 30);
	worlds_close(&worlds);
}
END_TEST

START_TEST(previous_world_is_steered_while_it_is_served)
{
	struct worlds worlds = { 0 };
	struct err err;

	take(&worlds, 10, 1 * SECOND);
	worlds_served(&worlds, 10, 1 * SECOND);
	take_of(OTHER_ZONES, &worlds, 20, 20 * SECOND);
	ck_assert_int_eq(worlds_take_steering(&worlds, image_made_for(ZONES, IMAGE_STEERING, 11),
					      21 * SECOND, &err),
			 -1); /* too late: it is not served */
	ck_assert(worlds_swap(&worlds));
	take_steering(&worlds, 12, 22 * SECOND);
	ck_assert_uint_eq(served_id(&worlds), 12);
	ck_assert(worlds.distrusted);
	ck_assert(worlds_swap(&worlds)); /* that one crashes as well */
	ck_assert_uint_eq(served_id(&worlds), 20);
	worlds_close(&worlds);
}
END_TEST

START_TEST(what_is_not_an_image_is_refused_and_changes_nothing)
{
	struct worlds worlds = { 0 };
	int fds[WORLD_PARTS];
	struct err err;
	int fd = image_fd(IMAGE_STEERING, 5);

	ck_assert_int_eq(worlds_take_steering(&worlds, fd, 0, &err), -1); /* no world yet */
	take(&worlds, 10, 0);
	fd = image_fd(IMAGE_ZONES, 5);
	ck_assert_int_eq(worlds_take_steering(&worlds, fd, 0, &err), -1);
	new_world(fds, 11);
	ck_assert_int_eq(worlds_take(&worlds, fds, 2, 0, &err), -1);
	channel_close_fds(fds + 2, WORLD_PARTS - 2);
	ck_assert_uint_eq(served_id(&worlds), 10);
	worlds_close(&worlds);
}
END_TEST

/* --- child --------------------------------------------------------------------------------- */

START_TEST(first_end_restarts_at_once_and_pauses_grow)
{
	struct child child = { .channel = -1, .pause_max_ms = 5000 };
	uint64_t now_ms = 100 * SECOND;

	ck_assert_uint_eq(child_ended(&child, now_ms), 0);
	ck_assert_uint_eq(child_ended(&child, now_ms + 10), 100);
	ck_assert_uint_eq(child_ended(&child, now_ms + 120), 1000);
	ck_assert_uint_eq(child_ended(&child, now_ms + 1200), 5000);
	ck_assert_uint_eq(child_ended(&child, now_ms + 6300), 5000);
	ck_assert_uint_eq(child.start_at_ms, now_ms + 11300);
	ck_assert_uint_eq(child.restarts, 5);
}
END_TEST

START_TEST(pause_has_the_limit_of_its_child)
{
	struct child child = { .channel = -1, .pause_max_ms = 1000 };

	for (unsigned i = 0; i < 10; i++)
		ck_assert_uint_le(child_ended(&child, 100 * SECOND + i), 1000);
}
END_TEST

START_TEST(end_after_a_quiet_time_restarts_at_once)
{
	struct child child = { .channel = -1 };

	for (unsigned i = 0; i < CHILD_ENDS; i++)
		(void)child_ended(&child, 100 * SECOND + i);
	ck_assert_uint_eq(child_ended(&child, 120 * SECOND), 0);
	ck_assert_uint_eq(child_recent_ends(&child, 120 * SECOND), 1);
}
END_TEST

/* --- listeners ----------------------------------------------------------------------------- */

static bool is_free(int type, unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool is = bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;

	close(fd);
	return is;
}

/* For UDP and TCP, and one that the kernel gives to nobody who asks for any port, if there are such:
 * else a connection may have it before we do. */
static uint16_t free_port(void)
{
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned from = 0, to = 0;

	ck_assert_ptr_nonnull(range);
	ck_assert_int_eq(fscanf(range, "%u %u", &from, &to), 2);
	(void)fclose(range);
	if (from <= 1024 && to == UINT16_MAX)
		from = to = 0;
	for (unsigned port = UINT16_MAX - (unsigned)getpid() % 4000; port >= 1024; port--) {
		if ((port < from || port > to) && is_free(SOCK_STREAM, port) &&
		    is_free(SOCK_DGRAM, port))
			return (uint16_t)port;
	}
	ck_abort_msg("no port is free");
}

static void boot_on_loopback(struct boot_record *boot, uint16_t port)
{
	memset(boot, 0, sizeof(*boot));
	boot->workers = 3;
	boot->listen_count = 1;
	ck_assert(ip_parse("127.0.0.1", &boot->listen[0].address));
	boot->listen[0].port = port;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

START_TEST(each_worker_gets_its_own_sockets_on_the_port)
{
	static struct boot_record boot;
	struct listeners listeners;
	struct err err;
	unsigned udp = 0;

	boot_on_loopback(&boot, free_port());
	ck_assert_msg(listeners_open(&listeners, &boot, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(listeners.count, 6);
	for (size_t i = 0; i < listeners.count; i++) {
		const struct listener *l = &listeners.items[i];
		bool is_udp = l->protocol == HANDOVER_UDP;

		udp += is_udp;
		ck_assert_uint_eq(l->worker, i % 3);
		ck_assert_int_eq(option(l->fd, SOL_SOCKET, SO_TYPE),
				 is_udp ? SOCK_DGRAM : SOCK_STREAM);
		ck_assert_int_eq(option(l->fd, SOL_SOCKET, SO_ACCEPTCONN), !is_udp);
		ck_assert(fcntl(l->fd, F_GETFD) & FD_CLOEXEC);
		if (is_udp)
			ck_assert_int_eq(option(l->fd, IPPROTO_IP, IP_MTU_DISCOVER),
					 IP_PMTUDISC_OMIT);
	}
	ck_assert_uint_eq(udp, 3);
	listeners_close(&listeners);
}
END_TEST

static int which_got_it(const struct listeners *listeners)
{
	struct pollfd waiting[16];
	char octet;

	ck_assert_uint_le(listeners->count, 16);
	for (size_t i = 0; i < listeners->count; i++)
		waiting[i] = (struct pollfd){ listeners->items[i].protocol == HANDOVER_UDP
						      ? listeners->items[i].fd
						      : -1,
					      POLLIN, 0 };
	ck_assert_int_eq(poll(waiting, listeners->count, PATIENCE_MS), 1);
	for (size_t i = 0; i < listeners->count; i++) {
		if (waiting[i].revents != 0 && recv(waiting[i].fd, &octet, 1, MSG_DONTWAIT) == 1)
			return (int)listeners->items[i].worker;
	}
	return -1;
}

/* On loopback a datagram comes to the processor that sends it. */
static int worker_asked_from_processor(int processor, const struct listeners *listeners,
				       const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0); /* of a port of its own */
	cpu_set_t before, one;
	int worker;

	CPU_ZERO(&one);
	CPU_SET((unsigned)processor, &one);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_int_eq(sendto(fd, "", 1, 0, (const struct sockaddr *)address, sizeof(*address)),
			 1);
	worker = which_got_it(listeners);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(before), &before), 0);
	close(fd);
	return worker;
}

START_TEST(with_socket_affinity_a_worker_gets_what_came_to_its_processor)
{
	static struct boot_record boot;
	struct listeners listeners;
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	cpu_set_t ours;
	struct err err;

	boot_on_loopback(&boot, free_port());
	boot.socket_affinity = 1;
	ck_assert_msg(listeners_open(&listeners, &boot, &err) == 0, "%s", err.text);
	ck_assert_int_eq(getsockname(listeners.items[0].fd, (struct sockaddr *)&address, &len), 0);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(ours), &ours), 0);
	for (int processor = 0; processor < (int)boot.workers; processor++) {
		if (!CPU_ISSET((unsigned)processor, &ours))
			continue;
		for (unsigned i = 0; i < 20; i++)
			ck_assert_int_eq(
				worker_asked_from_processor(processor, &listeners, &address),
				processor);
	}
	listeners_close(&listeners);
}
END_TEST

START_TEST(second_supervisor_on_the_port_is_refused)
{
	static struct boot_record boot;
	struct listeners first, second;
	struct err err;

	boot_on_loopback(&boot, free_port());
	ck_assert_msg(listeners_open(&first, &boot, &err) == 0, "%s", err.text);
	ck_assert_int_eq(listeners_open(&second, &boot, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "listen 127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(err.text, "another program has this port"));
	listeners_close(&first);
}
END_TEST

START_TEST(address_of_another_host_is_named)
{
	static struct boot_record boot;
	struct listeners listeners;
	struct err err;

	boot_on_loopback(&boot, 5353);
	ck_assert(ip_parse("192.0.2.200", &boot.listen[0].address));
	ck_assert_int_eq(listeners_open(&listeners, &boot, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "192.0.2.200:5353"));
	ck_assert_ptr_nonnull(strstr(err.text, "no such address"));
}
END_TEST

/* --- messages ------------------------------------------------------------------------------ */

struct scene {
	struct supervisor supervisor;
	struct listener listeners[4];
	int dns, control; /* the children's ends */
};

static int connect_child(struct child *child)
{
	int ends[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	child->channel = ends[0];
	return ends[1];
}

static void scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	for (unsigned i = 0; i < 4; i++)
		scene->listeners[i] = (struct listener){ STDIN_FILENO,
							 i < 2 ? HANDOVER_UDP : HANDOVER_TCP,
							 i % 2 };
	scene->supervisor.listeners.items = scene->listeners;
	scene->supervisor.listeners.count = 4;
	scene->supervisor.listeners.workers = 2;
	scene->supervisor.server_file = "/etc/signpost/signpost.yaml";
	scene->supervisor.counters_fd = STDIN_FILENO;
	scene->supervisor.icmp_fds[0] = -1;
	scene->supervisor.icmp_fds[1] = STDIN_FILENO;
	scene->supervisor.control_socket = -1;
	scene->supervisor.dns.name = "dns";
	scene->supervisor.control.name = "control";
	scene->dns = connect_child(&scene->supervisor.dns);
	scene->control = connect_child(&scene->supervisor.control);
}

static void scene_close(struct scene *scene)
{
	child_close_channel(&scene->supervisor.dns);
	child_close_channel(&scene->supervisor.control);
	close(scene->dns);
	close(scene->control);
	worlds_close(&scene->supervisor.worlds);
}

/* false: nothing there. The descriptors are counted and closed. */
static bool next_message(int channel, struct handover *message, size_t *fd_count)
{
	int fds[CHANNEL_FDS_MAX];
	struct err err;
	ssize_t n = channel_receive(channel, message, sizeof(*message), fds, fd_count, &err);

	if (n < 0 && errno == EAGAIN)
		return false;
	ck_assert_int_eq(n, sizeof(*message));
	ck_assert_uint_eq(message->fd_count, *fd_count);
	channel_close_fds(fds, *fd_count);
	return true;
}

static void expect(int channel, uint32_t type, size_t fd_count)
{
	struct handover message;
	size_t count;

	ck_assert(next_message(channel, &message, &count));
	ck_assert_uint_eq(message.type, type);
	ck_assert_uint_eq(count, fd_count);
}

static void expect_nothing(int channel)
{
	struct handover message;
	size_t count;

	ck_assert(!next_message(channel, &message, &count));
}

static void send_from(int channel, const struct handover *message, const int *fds, size_t count)
{
	struct err err;

	ck_assert_int_eq(channel_send(channel, message, sizeof(*message), fds, count, &err), 0);
}

static void control_sends_world(struct scene *scene, uint64_t steering_id)
{
	struct handover message = { .type = HANDOVER_WORLD };
	int fds[WORLD_PARTS];

	new_world(fds, steering_id);
	send_from(scene->control, &message, fds, WORLD_PARTS);
	channel_close_fds(fds, WORLD_PARTS);
	ck_assert(messages_receive(&scene->supervisor, &scene->supervisor.control));
}

static void control_sends_steering(struct scene *scene, uint64_t steering_id)
{
	struct handover message = { .type = HANDOVER_STEERING };
	int fd = image_fd(IMAGE_STEERING, steering_id);

	send_from(scene->control, &message, &fd, 1);
	close(fd);
	ck_assert(messages_receive(&scene->supervisor, &scene->supervisor.control));
}

static void dns_answers(struct scene *scene, enum handover_type type, uint64_t steering_id)
{
	struct handover message = { .type = type, .world = steering_id };

	send_from(scene->dns, &message, NULL, 0);
	ck_assert(messages_receive(&scene->supervisor, &scene->supervisor.dns));
}

START_TEST(children_get_what_is_held_and_then_start)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover message;
	size_t count;

	scene_open(&scene);
	s->dns.due = messages_due_at_start(s, &s->dns);
	messages_flush(s, &s->dns);
	for (unsigned i = 0; i < 4; i++)
		expect(scene.dns, HANDOVER_LISTENER, 1);
	expect(scene.dns, HANDOVER_COUNTERS, 1);
	expect(scene.dns, HANDOVER_START, 0);
	expect_nothing(scene.dns);

	s->control.due = messages_due_at_start(s, &s->control);
	messages_flush(s, &s->control);
	expect(scene.control, HANDOVER_COUNTERS, 1);
	ck_assert(next_message(scene.control, &message, &count));
	ck_assert_uint_eq(message.type, HANDOVER_ICMP);
	ck_assert_uint_eq(message.protocol, 6); /* there is none for IPv4 */
	expect(scene.control, HANDOVER_PROCESSES, 0); /* it is asked for them as soon as it has started */
	ck_assert(next_message(scene.control, &message, &count));
	ck_assert_uint_eq(message.type, HANDOVER_START);
	ck_assert_str_eq(message.text, "/etc/signpost/signpost.yaml");
	expect_nothing(scene.control);
	scene_close(&scene);
}
END_TEST

START_TEST(control_gets_the_world_that_is_served_instead_of_its_own)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover message = { .type = HANDOVER_WORLD };
	int fds[WORLD_PARTS];
	size_t count;

	scene_open(&scene);
	control_sends_world(&scene, 10);
	expect(scene.dns, HANDOVER_WORLD, 3);
	dns_answers(&scene, HANDOVER_READY, 10);
	expect(scene.control, HANDOVER_PROCESSES, 0);
	ck_assert(next_message(scene.control, &message, &count));
	ck_assert_uint_eq(message.type, HANDOVER_READY);
	ck_assert_uint_eq(message.world, 10); /* what is served is told to who made it */
	message = (struct handover){ .type = HANDOVER_WORLD };
	new_world_of(OTHER_ZONES, fds, 20);
	send_from(scene.control, &message, fds, WORLD_PARTS);
	channel_close_fds(fds, WORLD_PARTS);
	ck_assert(messages_receive(s, &s->control));
	expect(scene.dns, HANDOVER_WORLD, 3);
	dns_answers(&scene, HANDOVER_REFUSED, 0);
	do {
		ck_assert(next_message(scene.control, &message, &count));
	} while (message.type == HANDOVER_PROCESSES);
	ck_assert_uint_eq(message.type, HANDOVER_WORLD);
	ck_assert_uint_eq(message.world, 10);
	ck_assert_uint_eq(count, WORLD_PARTS);
	expect(scene.dns, HANDOVER_WORLD, 3); /* the first one again */
	dns_answers(&scene, HANDOVER_READY, 10);
	control_sends_steering(&scene, 11); /* for the one that is served */
	expect(scene.dns, HANDOVER_STEERING, 1);
	scene_close(&scene);
}
END_TEST

START_TEST(world_and_steering_pass_from_control_to_dns)
{
	static struct scene scene;

	scene_open(&scene);
	control_sends_world(&scene, 10);
	expect(scene.dns, HANDOVER_WORLD, 3);
	control_sends_steering(&scene, 11);
	expect_nothing(scene.dns); /* it has not answered for the world */
	dns_answers(&scene, HANDOVER_READY, 10);
	expect(scene.dns, HANDOVER_STEERING, 1);
	expect_nothing(scene.dns);
	scene_close(&scene);
}
END_TEST

START_TEST(restarted_children_get_the_newest_world)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover message;
	size_t count;

	scene_open(&scene);
	control_sends_world(&scene, 10);
	control_sends_steering(&scene, 11);
	close(scene.control);
	child_close_channel(&s->control);
	scene.control = connect_child(&s->control);
	s->control.due = messages_due_at_start(s, &s->control);
	messages_flush(s, &s->control);
	expect(scene.control, HANDOVER_COUNTERS, 1);
	expect(scene.control, HANDOVER_ICMP, 1);
	ck_assert(next_message(scene.control, &message, &count));
	ck_assert_uint_eq(message.type, HANDOVER_WORLD);
	ck_assert_uint_eq(message.world, 11);
	ck_assert_uint_eq(count, WORLD_PARTS);
	scene_close(&scene);
}
END_TEST

START_TEST(restarted_control_goes_on_with_the_newest_control_socket)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover message = { .type = HANDOVER_SOCKET };
	size_t count;

	scene_open(&scene);
	for (message.world = 5; message.world <= 6; message.world++) {
		send_from(scene.control, &message, &scene.dns, 1);
		ck_assert(messages_receive(s, &s->control));
	}
	send_from(scene.control, &message, NULL, 0); /* no socket at all: not taken */
	ck_assert(messages_receive(s, &s->control));
	s->control.due = messages_due_at_start(s, &s->control);
	messages_flush(s, &s->control);
	expect(scene.control, HANDOVER_COUNTERS, 1);
	expect(scene.control, HANDOVER_ICMP, 1);
	ck_assert(next_message(scene.control, &message, &count));
	ck_assert_uint_eq(message.type, HANDOVER_SOCKET);
	ck_assert_uint_eq(message.world, 6);
	ck_assert_uint_eq(count, 1);
	expect(scene.control, HANDOVER_PROCESSES, 0);
	expect(scene.control, HANDOVER_START, 0);
	close(s->control_socket);
	scene_close(&scene);
}
END_TEST

START_TEST(child_that_does_not_read_gets_only_the_newest_when_it_reads)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover message;
	uint64_t last = 0;
	unsigned got = 0;
	size_t count;

	scene_open(&scene);
	control_sends_world(&scene, 1);
	for (uint64_t id = 2; id <= 500; id++)
		control_sends_steering(&scene, id);
	ck_assert_uint_ne(s->dns.due, 0);
	ck_assert(!messages_wait(&s->dns)); /* and nobody turns in circles */
	while (next_message(scene.dns, &message, &count)) {
		ck_assert_uint_gt(message.world, last);
		last = message.world;
		got++;
		dns_answers(&scene, HANDOVER_READY, last);
	}
	ck_assert_uint_eq(last, 500);
	ck_assert_uint_eq(got, 2);
	ck_assert_uint_eq(s->dns.due, 0);
	scene_close(&scene);
}
END_TEST

START_TEST(refused_world_gives_way_to_the_proven_one_at_the_next_start)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover ready = { .type = HANDOVER_READY, .world = 10 };
	struct handover refused = { .type = HANDOVER_REFUSED, .text = "it does not fit" };

	scene_open(&scene);
	control_sends_world(&scene, 10);
	send_from(scene.dns, &ready, NULL, 0);
	ck_assert(messages_receive(s, &s->dns));
	control_sends_world(&scene, 11);
	send_from(scene.dns, &refused, NULL, 0);
	ck_assert(messages_receive(s, &s->dns));
	ck_assert_uint_eq(served_id(&s->worlds), 10);
	scene_close(&scene);
}
END_TEST

START_TEST(data_plane_cannot_hand_over_a_world)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	struct handover message = { .type = HANDOVER_WORLD };
	int fds[WORLD_PARTS];

	scene_open(&scene);
	new_world(fds, 66);
	send_from(scene.dns, &message, fds, WORLD_PARTS);
	channel_close_fds(fds, WORLD_PARTS);
	ck_assert(messages_receive(s, &s->dns));
	ck_assert_uint_eq(served_id(&s->worlds), 0);
	scene_close(&scene);
}
END_TEST

START_TEST(peer_that_is_gone_is_noticed)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;

	scene_open(&scene);
	close(scene.dns);
	ck_assert(!messages_receive(s, &s->dns));
	scene.dns = connect_child(&s->dns);
	scene_close(&scene);
}
END_TEST

/* Control publishes, and is killed before it has read what it was sent itself. */
START_TEST(last_words_of_a_child_that_ended_are_taken)
{
	static struct scene scene;
	struct supervisor *s = &scene.supervisor;
	const struct handover world = { .type = HANDOVER_WORLD },
			      steering = { .type = HANDOVER_STEERING };
	int fds[WORLD_PARTS], fd = image_fd(IMAGE_STEERING, 11);

	scene_open(&scene);
	s->control.due = messages_due_at_start(s, &s->control);
	messages_flush(s, &s->control);
	new_world(fds, 10);
	send_from(scene.control, &world, fds, WORLD_PARTS);
	send_from(scene.control, &steering, &fd, 1);
	channel_close_fds(fds, WORLD_PARTS);
	close(fd);
	close(scene.control);
	messages_receive_rest(s, &s->control);
	ck_assert_uint_eq(served_id(&s->worlds), 11);
	ck_assert(!messages_receive(s, &s->control));
	child_close_channel(&s->control);
	scene.control = connect_child(&s->control);
	scene_close(&scene);
}
END_TEST

/* --- folders ------------------------------------------------------------------------------- */

START_TEST(folder_is_made_once_and_a_file_in_its_place_is_named)
{
	char base[] = "/tmp/supervise-test-XXXXXX";
	char folder[64], file[64];
	struct identity user;
	struct stat st;
	struct err err;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(base));
	(void)snprintf(folder, sizeof(folder), "%s/state", base);
	(void)snprintf(file, sizeof(file), "%s/file", base);
	identity_nobody(&user);
	ck_assert_int_eq(identity_make_folder(folder, 0750, &user, &err), 0);
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_uid, user.uid);
	ck_assert_int_eq(identity_make_folder(folder, 0750, &user, &err), 0);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	ck_assert_int_eq(identity_make_folder(file, 0750, &user, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "not a folder"));
	if (user.change) {
		ck_assert_int_eq(chown(folder, 0, 0), 0);
		ck_assert_int_eq(identity_make_folder(folder, 0750, &user, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "cannot write"));
	}
	(void)unlink(file);
	(void)rmdir(folder);
	(void)rmdir(base);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("supervise");

	suite_case(suite, "worlds", without_a_world_nothing_is_served, newest_world_is_served,
		   world_that_was_served_long_enough_is_the_one_to_go_back_to,
		   files_that_a_start_begins_with_are_not_kept, crash_takes_the_proof_away,
		   steering_alone_ends_distrust_only_where_steering_was_to_blame,
		   previous_world_is_steered_while_it_is_served,
		   what_is_not_an_image_is_refused_and_changes_nothing);
	suite_case(suite, "child", first_end_restarts_at_once_and_pauses_grow,
		   pause_has_the_limit_of_its_child, end_after_a_quiet_time_restarts_at_once);
	suite_case(suite, "listeners", each_worker_gets_its_own_sockets_on_the_port,
		   with_socket_affinity_a_worker_gets_what_came_to_its_processor,
		   second_supervisor_on_the_port_is_refused, address_of_another_host_is_named);
	suite_case(suite, "messages", children_get_what_is_held_and_then_start,
		   control_gets_the_world_that_is_served_instead_of_its_own,
		   world_and_steering_pass_from_control_to_dns,
		   restarted_children_get_the_newest_world,
		   restarted_control_goes_on_with_the_newest_control_socket,
		   child_that_does_not_read_gets_only_the_newest_when_it_reads,
		   refused_world_gives_way_to_the_proven_one_at_the_next_start,
		   data_plane_cannot_hand_over_a_world, peer_that_is_gone_is_noticed,
		   last_words_of_a_child_that_ended_are_taken);
	suite_case(suite, "folders", folder_is_made_once_and_a_file_in_its_place_is_named);
	return run_suite(suite);
}
