#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/store/store_test.h"

#define DAY_MS   ((uint64_t)86400000)
#define FOR_EVER 36500 /* days: what is of any time, as in these tests, is not deleted meanwhile */

static struct store *open_store(uint32_t days)
{
	struct store *store;
	struct err err;

	ck_assert_int_eq(store_open(&store, home, &(struct store_kept){ days, days }, &err), 0);
	ck_assert_str_eq(err.text, "");
	return store;
}

static struct store_status loaded[100];
static size_t loaded_count;

static void keep(void *context, const struct store_status *row)
{
	ck_assert_ptr_eq(context, &loaded_count);
	ck_assert_uint_lt(loaded_count, 100);
	loaded[loaded_count++] = *row;
}

START_TEST(what_was_stored_is_loaded_after_a_restart)
{
	struct store_status up = make_status("edge/tyo-1", "up", 1700000000123);
	struct store_status down = make_status("edge/fra-1", "down", 1700000000456);
	struct store *store;
	struct err err;

	make_home();
	up.rtt_us = 4294967295;
	up.load = 0.83;
	up.load_at_unix_ms = 1700000000099;
	up.spilling = true;
	(void)snprintf(up.families_down, sizeof(up.families_down), "IPv6");
	up.families_since_unix_ms = 1700000000111;
	(void)snprintf(down.reason, sizeof(down.reason), "tcp [::1]:5191: it's refused; --\"\"");
	store = open_store(FOR_EVER);
	ck_assert_int_eq(store_load(store, keep, &loaded_count, &err), 0);
	ck_assert_uint_eq(loaded_count, 0);
	store_status(store, &up);
	store_transition(store, &down, &(struct store_before){ "up", "" });
	store_close(store); /* writes what is queued */
	store = open_store(FOR_EVER);
	ck_assert_int_eq(store_load(store, keep, &loaded_count, &err), 0);
	ck_assert_uint_eq(loaded_count, 2);
	ck_assert_mem_eq(&loaded[0], &down, sizeof(down)); /* by name */
	ck_assert_mem_eq(&loaded[1], &up, sizeof(up));
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(family_that_is_down_is_a_transition_of_its_own_time)
{
	struct store_status row = make_status("edge/a", "up", 1000);
	struct store *store;

	make_home();
	store = open_store(FOR_EVER);
	(void)snprintf(row.families_down, sizeof(row.families_down), "IPv6");
	row.families_since_unix_ms = clock_unix_ms();
	store_transition(store, &row, &(struct store_before){ "up", "" });
	ck_assert(is_written(store));
	ck_assert_str_eq(ask("SELECT from_status, from_families_down, to_status, to_families_down, "
			     "at_unix_ms > 1000 FROM transitions"),
			 "up||up|IPv6|1");
	ck_assert_str_eq(ask("SELECT status, since_unix_ms, families_down, "
			     "families_since_unix_ms > 1000 FROM node_status"),
			 "up|1000|IPv6|1");
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(rows_are_what_operators_read_while_it_runs)
{
	uint64_t now_ms = clock_unix_ms();
	struct store_status first = make_status("edge/tyo-1", "up", now_ms);
	struct store_status second = make_status("edge/tyo-1", "down", now_ms + 7);
	struct store_health health;
	struct store *store;
	char expected[512];

	make_home();
	first.rtt_us = 250;
	(void)snprintf(second.reason, sizeof(second.reason), "tcp 127.10.1.1:5191: timeout");
	second.checked_unix_ms = now_ms + 9;
	store = open_store(90);
	store_transition(store, &first, &(struct store_before){ "unknown", "" });
	store_transition(store, &second, &(struct store_before){ "up", "" });
	ck_assert(is_written(store));
	ck_assert_str_eq(ask("PRAGMA journal_mode"), "wal");
	ck_assert_str_eq(ask("PRAGMA user_version"), "6");
	ck_assert_str_eq(ask("PRAGMA integrity_check"), "ok");
	(void)snprintf(expected, sizeof(expected),
		       "edge/tyo-1|down|%llu|%llu|0|tcp 127.10.1.1:5191: timeout",
		       (unsigned long long)now_ms + 7, (unsigned long long)now_ms + 9);
	ck_assert_str_eq(ask("SELECT node, status, since_unix_ms, checked_unix_ms, rtt_us, reason "
			     "FROM node_status"),
			 expected);
	(void)snprintf(expected, sizeof(expected),
		       "1|%llu|edge/tyo-1|unknown|up||250\n"
		       "2|%llu|edge/tyo-1|up|down|tcp 127.10.1.1:5191: timeout|0",
		       (unsigned long long)now_ms, (unsigned long long)now_ms + 7);
	ck_assert_str_eq(ask("SELECT id, at_unix_ms, node, from_status, to_status, reason, rtt_us "
			     "FROM transitions ORDER BY id"),
			 expected);
	store_health(store, &health);
	/* two transitions, and one status, or two where the writer came in between */
	ck_assert_uint_ge(health.written, 3);
	ck_assert_uint_le(health.written, 4);
	ck_assert_uint_eq(store_lost(&health), 0);
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(what_is_older_than_the_history_is_deleted_at_the_start)
{
	uint64_t now_ms = clock_unix_ms();
	struct store *store;

	make_home();
	store = open_store(3650);
	for (uint64_t day = 0; day < 20; day++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "edge/%02llu", (unsigned long long)day);
		struct store_status row = make_status(name, "up",
						      now_ms - day * DAY_MS - DAY_MS / 2);

		if (day == 19)
			row.load_at_unix_ms = now_ms;

		for (int i = 0; i < 1000; i++) /* more than are deleted at once */
			store_transition(store, &row, &(struct store_before){ "down", "" });
	}
	ck_assert(is_written(store));
	store_close(store);
	ck_assert_str_eq(ask("SELECT count(*) FROM transitions"), "20000");
	store = open_store(7);
	for (int i = 0; i < 500 && strcmp(ask("SELECT count(*) FROM transitions"), "7000") != 0;
	     i++)
		(void)usleep(20000);
	ck_assert_str_eq(ask("SELECT count(*), min(node), max(node) FROM transitions"),
			 "7000|edge/00|edge/06");
	/* Of a node that left the files nothing is heard, be it a check or a report. */
	ck_assert_str_eq(ask("SELECT count(*), max(node) FROM node_status"), "8|edge/19");
	ck_assert_ptr_nonnull(strstr(ask("EXPLAIN QUERY PLAN SELECT id FROM transitions "
					 "WHERE at_unix_ms < 5 LIMIT 5"),
				     "INDEX transitions_by_time"));
	store_close(store);
	remove_home();
}
END_TEST

/* More than the queue holds and the batch that the writer took before, be that as full. */
#define TOO_MANY 150000

START_TEST(queueing_never_waits_even_while_the_database_is_locked)
{
	struct store_status row = make_status("edge/a", "up", clock_unix_ms());
	uint64_t worst_us = 0, start_us, total_us;
	struct store_health health;
	struct store *store;
	FILE *holder;

	make_home();
	store = open_store(90);
	holder = lock_database();
	total_us = clock_mono_us();
	for (uint64_t i = 0; i < TOO_MANY; i++) {
		(void)snprintf(row.node, sizeof(row.node), "edge/%llu",
			       (unsigned long long)i % 10000);
		start_us = clock_mono_us();
		store_transition(store, &row, &(struct store_before){ "down", "" });
		start_us = clock_mono_us() - start_us;
		worst_us = start_us > worst_us ? start_us : worst_us;
	}
	total_us = clock_mono_us() - total_us;
	store_health(store, &health);
	(void)fprintf(stderr, "%d transitions queued: mean %.2f us, worst %llu us\n", TOO_MANY,
		      (double)total_us / TOO_MANY, (unsigned long long)worst_us);
	check_time("one of 150,000 transitions, the longest", worst_us, 250000);
	/* Whoever waited for the writer would do so until it gives up, after five seconds. */
	ck_assert_uint_lt(worst_us, 4000000);
	/* What is beyond is counted. */
	ck_assert_uint_gt(store_lost(&health), 0);
	ck_assert_uint_le(health.pending, 2 * (65536 + 10000));
	ck_assert(has_error(store, true)); /* after five seconds */
	store_health(store, &health);
	ck_assert_ptr_nonnull(strstr(health.error, "locked"));
	unlock_database(holder);
	ck_assert(is_written(store));
	ck_assert(has_error(store, false));
	store_health(store, &health);
	ck_assert_str_eq(ask("SELECT count(*) FROM node_status"), "10000");
	{
		char expected[32];

		(void)snprintf(expected, sizeof(expected), "%llu",
			       TOO_MANY - (unsigned long long)store_lost(&health));
		ck_assert_str_eq(ask("SELECT count(*) FROM transitions"), expected);
	}
	store_close(store);
	remove_home();
}
END_TEST

static struct store_action make_order(const char *action, const char *object, const char *reason)
{
	struct store_action order = { .at_unix_ms = 1700000000123, .uid = 4294967294, .weight = 7 };

	(void)snprintf(order.action, sizeof(order.action), "%s", action);
	(void)snprintf(order.object, sizeof(order.object), "%s", object);
	(void)snprintf(order.who, sizeof(order.who), "ann");
	(void)snprintf(order.reason, sizeof(order.reason), "%s", reason);
	order.from_unix_ms = 1700000001000;
	order.until_unix_ms = 1700000002000;
	return order;
}

static void wait_stored(struct store *store, uint64_t ticket)
{
	for (int i = 0; i < 1000 && !store_is_stored(store, ticket); i++)
		(void)usleep(10000);
	ck_assert(store_is_stored(store, ticket));
}

static void count_up(void *context)
{
	(void)__atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void wait_told(const int *count)
{
	for (int i = 0; i < 1000 && __atomic_load_n(count, __ATOMIC_SEQ_CST) == 0; i++)
		(void)usleep(10000);
	ck_assert_int_gt(__atomic_load_n(count, __ATOMIC_SEQ_CST), 0);
}

START_TEST(orders_are_kept_whole_and_what_operators_did_is_only_added_to)
{
	struct store_action orders[2] = { make_order("drain", "node:edge/tyo-1", "it's; --\"\""),
					  make_order("disable", "site:tokyo", "") };
	struct store_action enabled = make_order("enable", "site:tokyo", "done");
	struct store_action *read;
	int told = 0;
	struct store *store;
	struct err err;
	size_t count;

	make_home();
	store = open_store(FOR_EVER);
	store_when_written(store, count_up, &told);
	ck_assert_int_eq(store_load_orders(store, &read, &count, &err), 0);
	ck_assert_uint_eq(count, 0);
	free(read);
	(void)store_orders(store, orders, 1, &orders[0]);
	wait_stored(store, store_orders(store, orders, 2, &orders[1]));
	wait_told(&told); /* once the attempt is over: rows are stored before */
	store_close(store);
	store = open_store(FOR_EVER);
	ck_assert_int_eq(store_load_orders(store, &read, &count, &err), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_mem_eq(read, orders, sizeof(orders));
	free(read);
	wait_stored(store, store_orders(store, orders, 1, &enabled));
	ck_assert_str_eq(ask("SELECT object FROM orders"), "node:edge/tyo-1");
	ck_assert_str_eq(ask("SELECT id, action, object, uid FROM operator_actions ORDER BY id"),
			 "1|drain|node:edge/tyo-1|4294967294\n"
			 "2|disable|site:tokyo|4294967294\n"
			 "3|enable|site:tokyo|4294967294");
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(orders_are_written_again_to_a_database_that_is_begun_anew)
{
	struct store_action order = make_order("drain", "pool:edge", "moving");
	struct store_status row = make_status("edge/a", "up", 1);
	struct store *store;
	char path[128];

	make_home();
	store = open_store(FOR_EVER);
	wait_stored(store, store_orders(store, &order, 1, &order));
	(void)snprintf(path, sizeof(path), "%s/signpost.db", home);
	ck_assert_int_eq(unlink(path), 0);
	store_status(store, &row); /* something to write */
	for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++)
		(void)usleep(10000);
	ck_assert(is_written(store));
	ck_assert_str_eq(ask("SELECT object, reason FROM orders"), "pool:edge|moving");
	store_close(store);
	remove_home();
}
END_TEST

/* Else a restart between the two would put it on record once more. */
START_TEST(a_drill_is_written_together_with_its_record)
{
	struct store_drill drill = { .order = make_order("drill", "site:tokyo", "practice"),
				     .ended_unix_ms = 1700000002000,
				     .told = true };
	struct store_drill_node node = { "edge/tyo-1", false, true, { 1, 2 } };
	struct store_action done = make_order("drill-end", "site:tokyo", "drill of 1 nodes");
	struct store_drill read;
	struct store_drill_node *nodes;
	struct store *store;
	struct err err;
	size_t count;

	done.at_unix_ms = clock_unix_ms(); /* else it would be too old to be kept */
	make_home();
	store = open_store(90);
	(void)ask("CREATE TRIGGER refuse BEFORE INSERT ON drill "
		  "BEGIN SELECT RAISE(ABORT, 'no'); END");
	store_drill(store, &drill, &node, 1, &done);
	ck_assert(has_error(store, true));
	ck_assert_str_eq(ask("SELECT count(*) FROM operator_actions"), "0");
	(void)ask("DROP TRIGGER refuse");
	ck_assert(has_error(store, false));
	ck_assert_str_eq(ask("SELECT action, object FROM operator_actions"),
			 "drill-end|site:tokyo");
	ck_assert_int_eq(store_load_drill(store, &read, &nodes, &count, &err), 0);
	ck_assert(read.told);
	ck_assert_uint_eq(count, 1);
	ck_assert_mem_eq(nodes, &node, sizeof(node));
	free(nodes);
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(orders_that_cannot_be_written_yet_are_not_said_to_be_stored)
{
	struct store_action order = make_order("drain", "pool:edge", "moving");
	struct store *store;
	uint64_t ticket;
	FILE *holder;

	make_home();
	store = open_store(FOR_EVER);
	holder = lock_database();
	ticket = store_orders(store, &order, 1, &order);
	(void)usleep(300000);
	ck_assert(!store_is_stored(store, ticket));
	unlock_database(holder);
	wait_stored(store, ticket);
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(database_of_the_first_schema_is_brought_up_to_date)
{
	struct store_action order = make_order("drain", "pool:edge", "moving");
	struct store *store;
	struct err err;

	make_home();
	(void)ask("CREATE TABLE node_status (node TEXT PRIMARY KEY, status TEXT NOT NULL, "
		  "since_unix_ms INTEGER NOT NULL, checked_unix_ms INTEGER NOT NULL, "
		  "rtt_us INTEGER NOT NULL, reason TEXT NOT NULL) STRICT, WITHOUT ROWID; "
		  "CREATE TABLE transitions (id INTEGER PRIMARY KEY, at_unix_ms INTEGER NOT NULL, "
		  "node TEXT NOT NULL, from_status TEXT NOT NULL, to_status TEXT NOT NULL, "
		  "reason TEXT NOT NULL, rtt_us INTEGER NOT NULL) STRICT; "
		  "INSERT INTO node_status VALUES ('edge/a', 'down', 7, 8, 9, 'timeout'); "
		  "PRAGMA user_version = 1");
	store = open_store(FOR_EVER);
	ck_assert_int_eq(store_load(store, keep, &loaded_count, &err), 0);
	ck_assert_uint_eq(loaded_count, 1);
	ck_assert_str_eq(loaded[0].status, "down");
	ck_assert_str_eq(loaded[0].families_down, "");
	ck_assert_uint_eq(loaded[0].load_at_unix_ms, 0);
	wait_stored(store, store_orders(store, &order, 1, &order));
	ck_assert_str_eq(ask("SELECT count(*) FROM orders; PRAGMA user_version"), "1\n6");
	store_close(store);
	remove_home();
}
END_TEST

static void *queue_many(void *context)
{
	struct store *store = context;

	for (int i = 0; i < 2000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "edge/%d", i % 50);
		struct store_status row = make_status(name, "up", clock_unix_ms());
		struct store_health health;

		store_transition(store, &row, &(struct store_before){ "down", "" });
		store_status(store, &row);
		store_health(store, &health);
	}
	return NULL;
}

START_TEST(several_threads_may_queue)
{
	struct store *store;
	pthread_t threads[4];

	make_home();
	store = open_store(90);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, queue_many, store), 0);
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	ck_assert(is_written(store));
	ck_assert_str_eq(ask("SELECT count(*) FROM transitions"), "8000");
	ck_assert_str_eq(ask("SELECT count(*) FROM node_status"), "50");
	store_close(store);
	store_close(NULL);
	remove_home();
}
END_TEST

void add_store_tests(Suite *suite)
{
	suite_case(suite, "store", what_was_stored_is_loaded_after_a_restart,
		   family_that_is_down_is_a_transition_of_its_own_time,
		   orders_are_kept_whole_and_what_operators_did_is_only_added_to,
		   orders_are_written_again_to_a_database_that_is_begun_anew,
		   a_drill_is_written_together_with_its_record,
		   orders_that_cannot_be_written_yet_are_not_said_to_be_stored,
		   database_of_the_first_schema_is_brought_up_to_date,
		   rows_are_what_operators_read_while_it_runs,
		   what_is_older_than_the_history_is_deleted_at_the_start,
		   queueing_never_waits_even_while_the_database_is_locked,
		   several_threads_may_queue);
}
