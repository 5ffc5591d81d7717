#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/queue.h"
#include "tests/unit/store/store_test.h"

START_TEST(status_of_a_node_waits_once_and_the_latest_wins)
{
	struct queue queue = { 0 };
	char name[32];

	for (uint64_t round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			(void)snprintf(name, sizeof(name), "edge/node-%d", i);
			struct store_status row = make_status(name, "up", round);

			ck_assert(queue_put_status(&queue, &row));
		}
	}
	ck_assert_uint_eq(queue.status_count, 1000);
	ck_assert_uint_eq(queue_rows(&queue), 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "edge/node-%u", i);
		ck_assert_str_eq(queue.statuses[i]->node, name);
		ck_assert_uint_eq(queue.statuses[i]->since_unix_ms, 2);
	}
	queue_free(&queue);
}
END_TEST

START_TEST(transitions_wait_in_their_order_and_each_by_itself)
{
	struct queue queue = { 0 };
	uint64_t at_ms = 0;

	for (uint64_t i = 0; i < 10; i++) {
		struct store_status row = make_status("edge/a", i % 2 ? "up" : "down", i);

		ck_assert(queue_put_transition(
			&queue, &row, &(struct store_before){ i % 2 ? "down" : "up", "" }));
	}
	for (struct queue_transition *t = queue.first; t != NULL; t = t->next, at_ms++) {
		ck_assert_uint_eq(t->now.since_unix_ms, at_ms);
		ck_assert_str_eq(t->from, at_ms % 2 ? "down" : "up");
	}
	ck_assert_uint_eq(at_ms, 10);
	queue_free(&queue);
}
END_TEST

START_TEST(full_queue_refuses_more_transitions_but_takes_known_nodes)
{
	struct store_status row = make_status("edge/a", "up", 1);
	struct queue queue = { 0 };
	char name[32];

	for (uint32_t i = 0; i < QUEUE_TRANSITIONS_MAX; i++)
		ck_assert(queue_put_transition(&queue, &row, &(struct store_before){ "down", "" }));
	ck_assert(!queue_put_transition(&queue, &row, &(struct store_before){ "down", "" }));
	for (uint32_t i = 0; i < QUEUE_STATUSES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "edge/%u", i);
		row = make_status(name, "up", 1);
		ck_assert(queue_put_status(&queue, &row));
	}
	row.since_unix_ms = 2;
	ck_assert(queue_put_status(&queue, &row));
	row = make_status("edge/one-too-many", "up", 1);
	ck_assert(!queue_put_status(&queue, &row));
	ck_assert_uint_eq(queue_rows(&queue), QUEUE_TRANSITIONS_MAX + QUEUE_STATUSES_MAX);
	queue_free(&queue);
}
END_TEST

START_TEST(minutes_are_queued_whole_or_not_at_all)
{
	char name[] = "edge/a";
	struct store_minute row = { name, 12, 0, 250, 900, 500 };
	struct store_minute *rows = calloc(QUEUE_MINUTES_MAX / 2, sizeof(*rows));
	struct queue queue = { 0 };

	for (uint32_t i = 0; i < QUEUE_MINUTES_MAX / 2; i++)
		rows[i] = row;
	ck_assert(queue_put_minutes(&queue, 7, rows, QUEUE_MINUTES_MAX / 2));
	ck_assert(queue_put_minutes(&queue, 8, rows, QUEUE_MINUTES_MAX / 2 - 1));
	name[5] = 'b'; /* texts are copied */
	ck_assert(!queue_put_minutes(&queue, 9, rows, 2));
	ck_assert(queue_put_minutes(&queue, 9, rows, 1));
	ck_assert(!queue_put_minutes(&queue, 10, rows, 1));
	ck_assert_uint_eq(queue_rows(&queue), QUEUE_MINUTES_MAX);
	ck_assert_str_eq(queue.first_minutes->rows[0].node, "edge/a");
	ck_assert_uint_eq(queue.first_minutes->next->minute, 8);
	ck_assert_str_eq(queue.first_minutes->next->next->rows[0].node, "edge/b");
	queue_clear(&queue);
	ck_assert_uint_eq(queue_rows(&queue), 0);
	ck_assert(queue_put_minutes(&queue, 11, rows, 1));
	ck_assert_uint_eq(queue.first_minutes->minute, 11);
	queue_free(&queue);
	free(rows);
}
END_TEST

START_TEST(cleared_queue_is_as_good_as_new)
{
	struct store_status row = make_status("edge/a", "up", 1);
	struct queue queue = { 0 };

	for (int i = 0; i < 3; i++) {
		ck_assert(queue_put_status(&queue, &row));
		ck_assert(queue_put_transition(&queue, &row, &(struct store_before){ "down", "" }));
		ck_assert_uint_eq(queue_rows(&queue), 2);
		queue_clear(&queue);
		ck_assert_uint_eq(queue_rows(&queue), 0);
		ck_assert_ptr_null(queue.first);
	}
	queue_free(&queue);
}
END_TEST

void add_queue_tests(Suite *suite)
{
	suite_case(suite, "queue", status_of_a_node_waits_once_and_the_latest_wins,
		   transitions_wait_in_their_order_and_each_by_itself,
		   full_queue_refuses_more_transitions_but_takes_known_nodes,
		   minutes_are_queued_whole_or_not_at_all, cleared_queue_is_as_good_as_new);
}
