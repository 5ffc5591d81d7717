/* Threads answer while the main thread swaps worlds: to be run with the thread and the address
 * sanitizer. Each answer must come whole from one world, and worlds that do not fit change
 * nothing. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "serve/worlds.h"
#include "tests/unit/run.h"
#include "tests/unit/serve/fixture.h"

#define THREADS     3
#define SWAPS       200
#define GENERATIONS 8

static const struct fixture_zone zones[] = {
	{ "z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n"
		    "vpn POOL edge\nhere POOL edge/tokyo\n" },
};

static struct fixture fixture;
static int steering_fds[GENERATIONS];
static atomic_uint generation_seen[GENERATIONS];
static atomic_ulong answers;
static atomic_bool done;

struct asker {
	pthread_t thread;
	struct counters counters;
};

/* The last octet of an address: 10 + node (0 or 1) + generation * 16. */
static void check_reply(const uint8_t *reply, size_t len)
{
	unsigned octet = reply[len - 1] - 10U;

	ck_assert_uint_eq(load_u16(reply + 2), 0x8500);
	ck_assert_uint_eq(load_u16(reply + 6), 1);
	ck_assert_uint_lt(octet % 16, 2);
	ck_assert_uint_lt(octet / 16, GENERATIONS);
	atomic_fetch_add_explicit(&generation_seen[octet / 16], 1, memory_order_relaxed);
}

static void *ask(void *object)
{
	static const struct question q = ASK("here.z.", "A");
	struct asker *asker = object;
	struct client client = { .address = { { 10, 0, 0, 1 }, IP_V4 } };
	uint8_t *message = malloc(FIXTURE_MESSAGE_SIZE), reply[512];
	size_t len = question_write(&q, message);

	worlds_thread_start();
	while (!atomic_load(&done)) {
		const struct world *world = worlds_current(); /* for a batch, as in udp.c */

		for (unsigned i = 0; i < 64; i++) {
			client.random += UINT64_C(0x9e3779b97f4a7c15);
			check_reply(reply, answer(world, &client, message, len, reply,
						  sizeof(reply), &asker->counters));
		}
		atomic_fetch_add_explicit(&answers, 64, memory_order_relaxed);
		worlds_offline(); /* as before a receive */
		worlds_online();
	}
	worlds_thread_end();
	free(message);
	return NULL;
}

static void swap_all(void)
{
	for (unsigned i = 0; i < SWAPS; i++) {
		int steering = steering_fds[i % GENERATIONS];
		uint64_t id;
		struct err err;

		/* every other one brings all three images anew */
		ck_assert_msg((i % 2 == 0 ? worlds_take_steering(steering, &id, &err)
					  : worlds_take(fixture.fds[0], fixture.fds[1], steering,
							&id, &err)) == 0,
			      "%s", err.text);
	}
}

static bool all_generations_seen(void)
{
	for (unsigned g = 0; g < GENERATIONS; g++) {
		if (atomic_load(&generation_seen[g]) == 0)
			return false;
	}
	return true;
}

START_TEST(answers_come_from_one_world_while_worlds_are_swapped)
{
	static struct asker askers[THREADS];
	uint64_t id;
	struct err err;

	ck_assert_int_eq(worlds_take(fixture.fds[0], fixture.fds[1], steering_fds[0], &id, &err),
			 0);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	/* On a busy machine the threads may sleep through many swaps: go on until they have seen
	 * every generation. One that is never served ends in the case's time limit. */
	while (atomic_load(&answers) < THREADS * 1000 || !all_generations_seen())
		swap_all();
	atomic_store(&done, true);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
}
END_TEST

START_TEST(a_world_that_does_not_fit_changes_nothing)
{
	static const struct fixture_zone other[] = {
		{ "y.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n" }
	};
	struct fixture foreign;
	uint64_t id = 0, other_id = 0;
	struct world *before;
	struct err err;

	fixture_open(&foreign, other, 1, NULL);
	ck_assert_int_eq(worlds_take_steering(steering_fds[0], &other_id, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no world"));
	ck_assert_int_eq(worlds_take(fixture.fds[0], fixture.fds[1], steering_fds[0], &id, &err),
			 0);
	before = worlds_published;
	ck_assert_int_eq(worlds_take_steering(foreign.fds[2], &other_id, &err), -1);
	ck_assert_int_eq(
		worlds_take(foreign.fds[0], foreign.fds[1], steering_fds[0], &other_id, &err), -1);
	ck_assert_int_eq(
		worlds_take(fixture.fds[1], fixture.fds[0], steering_fds[0], &other_id, &err), -1);
	ck_assert_ptr_eq(worlds_published, before);
	ck_assert_uint_eq(image_header(&worlds_published->steering)->id, id);
	ck_assert_uint_eq(other_id, 0);
	fixture_close(&foreign);
}
END_TEST

static void setup(void)
{
	fixture_open(&fixture, zones, 1, NULL);
	for (unsigned g = 0; g < GENERATIONS; g++) {
		struct fixture_options options = { .generation = g * 16 };

		steering_fds[g] = fixture_steering(&fixture, &options);
	}
}

static void teardown(void)
{
	for (unsigned g = 0; g < GENERATIONS; g++)
		(void)close(steering_fds[g]);
	fixture_close(&fixture);
}

int main(void)
{
	Suite *suite = suite_create("world swap");
	TCase *swap = tcase_create("worlds");

	tcase_add_checked_fixture(swap, setup, teardown);
	tcase_set_timeout(swap, 60);
	tcase_add_test(swap, answers_come_from_one_world_while_worlds_are_swapped);
	tcase_add_test(swap, a_world_that_does_not_fit_changes_nothing);
	suite_add_tcase(suite, swap);
	return run_suite(suite);
}
