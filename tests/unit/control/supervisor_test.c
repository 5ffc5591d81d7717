#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../run.h"
#include "base/channel.h"
#include "control/supervisor.h"
#include "control_test.h"

#define BOOT_ID 77 /* of what the supervisor acts on */

/* An image with a header and one word, `content`. */
static int make_image(enum image_kind kind, uint64_t content)
{
	struct image_writer writer;
	struct err err;
	int fd;

	ck_assert_int_eq(image_writer_open(&writer, kind, sizeof(uint64_t), &err), 0);
	*image_writer_root(&writer, uint64_t) = content;
	ck_assert_int_eq(image_writer_finish(&writer, NULL, &fd, &err), 0);
	return fd;
}

static void put(struct images *images, enum image_kind kind, uint64_t content)
{
	struct err err;

	ck_assert_msg(images_set(images, kind, make_image(kind, content), &err) == 0, "%s",
		      err.text);
}

static struct images *make_images_of(uint64_t content)
{
	struct images *images = images_new();

	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		put(images, (enum image_kind)kind, content);
	return images;
}

struct heard {
	int starts, worlds, reloads, served, ends;
	struct images *world;
};

static void started(void *context, const char *server_file, uint64_t boot_id, struct images *world)
{
	struct heard *heard = context;

	heard->starts++;
	heard->world = world;
	ck_assert_uint_eq(boot_id, BOOT_ID);
	ck_assert_str_eq(server_file, "/etc/signpost.yaml");
}

static void other_world(void *context, struct images *world)
{
	struct heard *heard = context;

	images_free(heard->world);
	heard->world = world;
	heard->worlds++;
}

static void reload(void *context, uint32_t uid)
{
	(void)uid;
	((struct heard *)context)->reloads++;
}

static void served(void *context)
{
	((struct heard *)context)->served++;
}

static void gone(void *context)
{
	((struct heard *)context)->ends++;
}

static const struct supervisor_events events = { started, other_world, reload, served, gone };

struct fixture {
	struct ev_loop *loop;
	int theirs; /* the supervisor's end */
	struct supervisor *supervisor;
	struct heard heard;
};

static void open_fixture(struct fixture *f)
{
	int ends[2];

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	f->loop = ev_loop_new(EVFLAG_AUTO);
	f->theirs = ends[0];
	f->supervisor = supervisor_open(f->loop, ends[1], &events, &f->heard);
}

static void close_fixture(struct fixture *f)
{
	supervisor_close(f->supervisor);
	(void)close(f->theirs);
	ev_loop_destroy(f->loop);
}

static void turn(struct fixture *f)
{
	for (int i = 0; i < 8; i++)
		(void)ev_run(f->loop, EVRUN_NOWAIT);
}

static void tell(struct fixture *f, struct handover message, const int *fds, size_t count)
{
	struct err err;

	ck_assert_int_eq(channel_send(f->theirs, &message, sizeof(message), fds, count, &err), 0);
}

/* Type of the next message, 0: there is none. The id of its last-but-`from_end` image. */
static uint32_t hear(struct fixture *f, uint64_t *world, size_t *fd_count)
{
	struct handover message;
	int fds[CHANNEL_FDS_MAX];
	struct err err;

	if (channel_receive(f->theirs, &message, sizeof(message), fds, fd_count, &err) <= 0)
		return 0;
	channel_close_fds(fds, *fd_count);
	*world = message.world;
	return message.type;
}

START_TEST(world_and_processes_arrive_before_start)
{
	struct fixture f;
	struct images *sent = make_images_of(1);
	const int fds[] = { sent->fd[IMAGE_ZONES], sent->fd[IMAGE_GEO], sent->fd[IMAGE_STEERING],
			    sent->fd[IMAGE_PLAN] };

	open_fixture(&f);
	tell(&f,
	     (struct handover){ .type = HANDOVER_PROCESSES, .dns = { .pid = 17, .restarts = 2 } },
	     NULL, 0);
	tell(&f, (struct handover){ .type = HANDOVER_WORLD }, fds, 4);
	tell(&f,
	     (struct handover){
		     .type = HANDOVER_START, .world = BOOT_ID, .text = "/etc/signpost.yaml" },
	     NULL, 0);
	turn(&f);
	ck_assert_int_eq(f.heard.starts, 1);
	ck_assert_int_eq(supervisor_processes(f.supervisor)->dns.pid, 17);
	ck_assert_ptr_nonnull(f.heard.world);
	ck_assert(images_equal(f.heard.world, f.heard.world));
	for (int kind = 0; kind < IMAGE_LOCATIONS; kind++)
		ck_assert_uint_eq(images_id(f.heard.world, (enum image_kind)kind),
				  images_id(sent, (enum image_kind)kind));
	ck_assert_int_eq(f.heard.world->fd[IMAGE_LOCATIONS], -1);
	images_free(f.heard.world);
	images_free(sent);
	close_fixture(&f);
}
END_TEST

START_TEST(world_after_start_is_told_at_once)
{
	struct fixture f;
	struct images *sent = make_images_of(1);
	const int fds[] = { sent->fd[IMAGE_ZONES], sent->fd[IMAGE_GEO], sent->fd[IMAGE_STEERING],
			    sent->fd[IMAGE_PLAN] };

	open_fixture(&f);
	tell(&f,
	     (struct handover){
		     .type = HANDOVER_START, .world = BOOT_ID, .text = "/etc/signpost.yaml" },
	     NULL, 0);
	tell(&f, (struct handover){ .type = HANDOVER_WORLD }, fds, 4);
	turn(&f);
	ck_assert_int_eq(f.heard.worlds, 1);
	ck_assert_uint_eq(images_id(f.heard.world, IMAGE_ZONES), images_id(sent, IMAGE_ZONES));
	images_free(f.heard.world);
	images_free(sent);
	close_fixture(&f);
}
END_TEST

START_TEST(what_is_served_is_known_when_the_data_plane_has_said_so)
{
	struct fixture f;
	struct images *old = make_images_of(1), *new = make_images_of(2);
	const struct handover processes = { .type = HANDOVER_PROCESSES, .dns = { .pid = 17 } };
	const uint64_t old_id = images_id(old, IMAGE_STEERING),
		       new_id = images_id(new, IMAGE_STEERING);

	open_fixture(&f);
	tell(&f,
	     (struct handover){
		     .type = HANDOVER_START, .world = BOOT_ID, .text = "/etc/signpost.yaml" },
	     NULL, 0);
	turn(&f);
	supervisor_publish_world(f.supervisor, new);
	ck_assert_msg(supervisor_serves_newest(f.supervisor), "no data plane runs");
	tell(&f, processes, NULL, 0);
	turn(&f);
	ck_assert(!supervisor_serves_newest(f.supervisor));
	tell(&f, (struct handover){ .type = HANDOVER_READY, .world = old_id }, NULL, 0);
	turn(&f);
	ck_assert(!supervisor_serves_newest(f.supervisor));
	ck_assert_int_eq(f.heard.served, 0);
	tell(&f, (struct handover){ .type = HANDOVER_READY, .world = new_id }, NULL, 0);
	turn(&f);
	ck_assert(supervisor_serves_newest(f.supervisor));
	ck_assert_int_eq(f.heard.served, 1);
	images_free(old);
	images_free(new);
	close_fixture(&f);
}
END_TEST

START_TEST(world_whose_images_are_mixed_up_is_not_adopted)
{
	struct fixture f;
	struct images *sent = make_images_of(1);
	const int fds[] = { sent->fd[IMAGE_GEO], sent->fd[IMAGE_ZONES], sent->fd[IMAGE_STEERING],
			    sent->fd[IMAGE_PLAN] };

	open_fixture(&f);
	tell(&f, (struct handover){ .type = HANDOVER_WORLD }, fds, 4);
	tell(&f,
	     (struct handover){
		     .type = HANDOVER_START, .world = BOOT_ID, .text = "/etc/signpost.yaml" },
	     NULL, 0);
	turn(&f);
	ck_assert_int_eq(f.heard.starts, 1);
	ck_assert_ptr_null(f.heard.world);
	images_free(sent);
	close_fixture(&f);
}
END_TEST

START_TEST(control_socket_is_given_to_the_next_control)
{
	struct fixture f;
	const struct handover kept = { .type = HANDOVER_SOCKET, .world = 1234 };
	uint64_t inode = 0;
	size_t fd_count;
	int fd;

	open_fixture(&f);
	ck_assert_int_eq(supervisor_take_socket(f.supervisor, &inode), -1);
	tell(&f, kept, &f.theirs, 1);
	turn(&f);
	fd = supervisor_take_socket(f.supervisor, &inode);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(inode, 1234);
	ck_assert_int_eq(supervisor_take_socket(f.supervisor, &inode), -1);
	supervisor_keep_socket(f.supervisor, fd, 5678);
	ck_assert_uint_eq(hear(&f, &inode, &fd_count), HANDOVER_SOCKET);
	ck_assert_uint_eq(inode, 5678);
	ck_assert_uint_eq(fd_count, 1);
	(void)close(fd);
	close_fixture(&f);
}
END_TEST

START_TEST(counters_of_all_threads_are_summed)
{
	struct fixture f;
	struct counters page[3] = { { .queries_udp = 1, .connections = 7 }, { .queries_udp = 10 } };
	struct counters sum;
	int fd = memfd_create("counters", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, page, sizeof(page)), sizeof(page));
	ck_assert_int_eq(ftruncate(fd, (off_t)sizeof(struct counters_page)), 0);
	open_fixture(&f);
	supervisor_counters(f.supervisor, &sum);
	ck_assert_uint_eq(sum.queries_udp, 0);
	tell(&f, (struct handover){ .type = HANDOVER_COUNTERS, .worker = 3 }, &fd, 1);
	turn(&f);
	supervisor_counters(f.supervisor, &sum);
	ck_assert_uint_eq(sum.queries_udp, 11);
	ck_assert_uint_eq(sum.connections, 7);
	(void)close(fd);
	close_fixture(&f);
}
END_TEST

START_TEST(counters_by_class_are_those_of_one_geo_image)
{
	struct fixture f;
	struct counters_page *page = calloc(1, sizeof(*page));
	uint64_t *sums = calloc(GEO_CLASSES_MAX, sizeof(*sums));
	int fd = memfd_create("counters", MFD_CLOEXEC);

	page->classes[0].geo_id = page->classes[2].geo_id = 77;
	page->classes[1].geo_id = 78; /* answers from another one */
	page->classes[0].steered[5] = 1;
	page->classes[1].steered[5] = 10;
	page->classes[2].steered[5] = 100;
	page->classes[2].steered[65534] = 3;
	ck_assert_int_eq(write(fd, page, sizeof(*page)), (ssize_t)sizeof(*page));
	open_fixture(&f);
	tell(&f, (struct handover){ .type = HANDOVER_COUNTERS, .worker = 3 }, &fd, 1);
	turn(&f);
	supervisor_class_counters(f.supervisor, 77, sums);
	ck_assert_uint_eq(sums[5], 101);
	ck_assert_uint_eq(sums[65534], 3);
	supervisor_class_counters(f.supervisor, 79, sums);
	ck_assert_uint_eq(sums[5], 0);
	free(page);
	free(sums);
	(void)close(fd);
	close_fixture(&f);
}
END_TEST

/* The supervisor stands still while verdicts go on: what it then hears is the newest. */
START_TEST(full_channel_brings_the_newest_when_it_is_read_again)
{
	struct fixture f;
	struct images *first = make_images_of(1), *second = make_images_of(2);
	uint64_t world = 0, last = 0;
	size_t fd_count = 0, messages = 0;
	bool heard_world = false;

	open_fixture(&f);
	supervisor_publish_world(f.supervisor, first);
	for (uint64_t i = 0; i < 5000; i++) {
		put(first, IMAGE_STEERING, 1000 + i);
		supervisor_publish_steering(f.supervisor, first);
	}
	supervisor_publish_world(f.supervisor, second);
	put(second, IMAGE_STEERING, 99999);
	supervisor_publish_steering(f.supervisor, second);
	supervisor_tell_reload(f.supervisor, "done");
	for (;;) {
		uint32_t type;

		turn(&f);
		type = hear(&f, &world, &fd_count);
		if (type == 0)
			break;
		messages++;
		if (type != HANDOVER_RELOAD)
			last = world;
		if (type == HANDOVER_WORLD && world == images_id(second, IMAGE_STEERING)) {
			heard_world = true;
			ck_assert_uint_eq(fd_count, 5);
		}
	}
	ck_assert_uint_lt(messages, 5000);
	ck_assert_msg(heard_world, "the second world came, with the steering image of the end");
	ck_assert_uint_eq(last, images_id(second, IMAGE_STEERING));
	images_free(first);
	images_free(second);
	close_fixture(&f);
}
END_TEST

START_TEST(end_of_the_channel_and_reload_are_told)
{
	struct fixture f;

	open_fixture(&f);
	tell(&f, (struct handover){ .type = HANDOVER_RELOAD }, NULL, 0);
	(void)shutdown(f.theirs, SHUT_RDWR);
	turn(&f);
	ck_assert_int_eq(f.heard.reloads, 1);
	ck_assert_int_eq(f.heard.ends, 1);
	close_fixture(&f);
}
END_TEST

START_TEST(image_of_another_kind_is_refused_and_closed)
{
	struct images *images = make_images_of(1);
	uint64_t before = images_id(images, IMAGE_GEO);
	struct err err;
	int fd = make_image(IMAGE_ZONES, 5);

	ck_assert_int_eq(images_set(images, IMAGE_GEO, fd, &err), -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_uint_eq(images_id(images, IMAGE_GEO), before);
	images_free(images);
}
END_TEST

START_TEST(worlds_are_equal_whatever_is_steered)
{
	struct images *a = make_images_of(1), *b = make_images_of(1);

	put(b, IMAGE_STEERING, 2);
	ck_assert(images_equal(a, b));
	put(b, IMAGE_PLAN, 2);
	ck_assert(!images_equal(a, b));
	images_free(a);
	images_free(b);
}
END_TEST

void add_supervisor_cases(Suite *suite)
{
	suite_case(suite, "supervisor", world_and_processes_arrive_before_start,
		   world_after_start_is_told_at_once,
		   what_is_served_is_known_when_the_data_plane_has_said_so,
		   world_whose_images_are_mixed_up_is_not_adopted,
		   control_socket_is_given_to_the_next_control, counters_of_all_threads_are_summed,
		   counters_by_class_are_those_of_one_geo_image,
		   full_channel_brings_the_newest_when_it_is_read_again,
		   end_of_the_channel_and_reload_are_told);
	suite_case(suite, "images", image_of_another_kind_is_refused_and_closed,
		   worlds_are_equal_whatever_is_steered);
}
