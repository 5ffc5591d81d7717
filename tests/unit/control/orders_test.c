#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "../steer/make_plan.h"
#include "base/mem.h"
#include "control/admin.h"
#include "control_test.h"

static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },
	{ "london", 51.51, -0.13 },
	{ "edge", 0, 0 },
};
static const struct make_pool pools[] = {
	{ .name = "edge", .sites = "tokyo london" },
	{ .name = "backup", .sites = "tokyo" },
};
static const struct make_node nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1" },
	{ "edge", "tokyo", "tyo-2", 50, "192.0.2.2" },
	{ "edge", "london", "lon-1", 0, "192.0.2.3" },
	{ "backup", "tokyo", "tyo-1", 1, "192.0.2.4" },
	{ "backup", "tokyo", "tokyo", 1, "192.0.2.5" },
};
static const struct make_plan plan_rows = { .sites = sites,
					    .site_count = 3,
					    .pools = pools,
					    .pool_count = 2,
					    .nodes = nodes,
					    .node_count = 5 };

static struct made made;

static void make(void)
{
	made = make_images(&plan_rows);
}

static void unmake(void)
{
	made_close(&made);
}

/* --- objects ---------------------------------------------------------------------------------- */

static const struct {
	const char *written, *means; /* NULL: refused */
	const char *error;           /* that this is said */
} written[] = {
	{ "tyo-2", "node:edge/tyo-2", NULL },
	{ "edge/tyo-1", "node:edge/tyo-1", NULL },
	{ "node:edge/tyo-1", "node:edge/tyo-1", NULL },
	{ "london", "site:london", NULL },
	{ "@tokyo", "site:tokyo", NULL },
	{ "site:tokyo", "site:tokyo", NULL },
	{ "node:tokyo", "node:backup/tokyo", NULL },
	{ "edge/@tokyo", "site:edge/@tokyo", NULL },
	{ "edge/tokyo", "site:edge/@tokyo", NULL },
	{ "site:edge/tokyo", "site:edge/@tokyo", NULL },
	{ "backup", "pool:backup", NULL },
	{ "pool:edge", "pool:edge", NULL },
	{ "tyo-1", NULL, "may be node:edge/tyo-1, node:backup/tyo-1" },
	{ "tokyo", NULL, "may be site:tokyo, node:backup/tokyo" },
	{ "edge", NULL, "may be pool:edge, site:edge" },
	{ "backup/tokyo", NULL, "may be site:backup/@tokyo, node:backup/tokyo" },
	{ "tyo-3", NULL, "did you mean \"node:" },
	{ "londom", NULL, "did you mean \"site:london\"" },
	{ "edge/lon-2", NULL, "there is no node, site or pool \"edge/lon-2\"" },
	{ "pool:tokyo", NULL, "there is no" },
	{ "pool:edge/tokyo", NULL, "is no object" },
	{ "", NULL, "is no object" },
	{ "a b", NULL, "is no object" },
	{ "@", NULL, "is no object" },
	{ "node:", NULL, "is no object" },
};

START_TEST(object_is_what_the_operator_means_or_the_error_lists_what_it_may_be)
{
	struct object object;
	char text[OBJECT_TEXT_SIZE];
	struct err err = { "" };
	int rc = object_find(written[_i].written, &made.plan, NULL, 0, &object, &err);

	if (written[_i].means == NULL) {
		ck_assert_int_eq(rc, -1);
		ck_assert_msg(strstr(err.text, written[_i].error) != NULL, "%s", err.text);
		return;
	}
	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_str_eq(object_text(&object, text), written[_i].means);
	ck_assert(object_exists(&object, &made.plan));
	ck_assert(object_parse(text, &object));
	ck_assert_str_eq(object_text(&object, text), written[_i].means);
}
END_TEST

START_TEST(object_that_left_the_files_is_still_known_by_its_orders)
{
	struct object gone, found;
	struct err err;

	ck_assert(object_parse("node:edge/old-1", &gone));
	ck_assert(!object_exists(&gone, &made.plan));
	ck_assert_int_eq(object_find("old-1", &made.plan, &gone, 1, &found, &err), 0);
	ck_assert(object_equal(&found, &gone));
	ck_assert_int_eq(object_find("old-1", NULL, &gone, 1, &found, &err), 0);
	ck_assert_int_eq(object_find("old-1", &made.plan, NULL, 0, &found, &err), -1);
}
END_TEST

/* --- orders ----------------------------------------------------------------------------------- */

#define NOW 1000000

static const struct store_kept kept_for_ever = { 36500, 7 }; /* what is of NOW, too */

/* A store in a folder of its own, orders in it. */
static char home[64];
static struct store *store;
static struct orders orders;

static void open_orders(void)
{
	struct err err;

	make();
	(void)snprintf(home, sizeof(home), "/tmp/test-orders-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	ck_assert_int_eq(store_open(&store, home, &kept_for_ever, &err), 0);
	orders_open(&orders, store);
	ck_assert(orders.loaded);
}

static void close_orders(void)
{
	char command[128];

	orders_close(&orders);
	store_close(store);
	(void)snprintf(command, sizeof(command), "rm -rf %s", home);
	ck_assert_int_eq(system(command), 0);
	unmake();
}

/* Gives an order at NOW; returns how many others it ended or cut. */
static size_t give(enum order_action action, const char *object, uint64_t from_ms,
		   uint64_t until_ms)
{
	struct order order = { .action = action };
	struct order_changes changes;
	struct err err;

	ck_assert(object_parse(object, &order.object));
	order.row.at_unix_ms = NOW;
	order.row.from_unix_ms = from_ms;
	order.row.until_unix_ms = until_ms;
	order.row.weight = 7;
	(void)snprintf(order.row.action, sizeof(order.row.action), "%s", order_action_name[action]);
	(void)snprintf(order.row.object, sizeof(order.row.object), "%s", object);
	ck_assert_int_eq(orders_take(&orders, &order, &changes, &err), 0);
	ck_assert_uint_ne(changes.ticket, 0);
	free(changes.ended);
	return changes.ended_count;
}

/* The admin states of all nodes, a letter each: enabled, draining, forced down, X disabled; and in
 * capitals who is forced up. */
static const char *at(uint64_t now_ms)
{
	static char text[8];
	struct admin admin[5];

	(void)admin_judge(&orders, &made.plan, now_ms, admin);
	for (int n = 0; n < 5; n++)
		text[n] = (admin[n].forced_up != ADMIN_NONE ? "EDFX" : "edfX")[admin[n].state];
	text[5] = '\0';
	return text;
}

START_TEST(most_restrictive_state_of_node_site_and_pool_holds)
{
	give(ORDER_DRAIN, "pool:edge", NOW, 0);
	ck_assert_str_eq(at(NOW), "dddee");
	give(ORDER_DISABLE, "site:tokyo", NOW, 0);
	ck_assert_str_eq(at(NOW), "XXdXX");
	give(ORDER_DRAIN, "node:edge/tyo-1", NOW, 0);
	ck_assert_str_eq(at(NOW), "XXdXX");
	give(ORDER_ENABLE, "site:tokyo", NOW, 0);
	ck_assert_str_eq(at(NOW), "dddee");
	give(ORDER_ENABLE, "pool:edge", NOW, 0);
	ck_assert_str_eq(at(NOW), "deeee");
	give(ORDER_DISABLE, "site:backup/@tokyo", NOW, 0);
	ck_assert_str_eq(at(NOW), "deeXX");
}
END_TEST

START_TEST(order_for_now_stands_in_place_of_the_objects_own_for_its_time)
{
	give(ORDER_DISABLE, "node:edge/tyo-1", NOW, 0);
	ck_assert_uint_eq(give(ORDER_DRAIN, "node:edge/tyo-1", NOW, NOW + 100), 1);
	ck_assert_str_eq(at(NOW), "deeee");
	ck_assert_str_eq(at(NOW + 99), "deeee");
	ck_assert_str_eq(at(NOW + 100), "Xeeee"); /* nothing is enabled by accident */
	ck_assert_uint_eq(give(ORDER_DRAIN, "node:edge/tyo-1", NOW, 0), 2);
	ck_assert_str_eq(at(NOW + 100), "deeee");
	ck_assert_uint_eq(orders.count, 1);
}
END_TEST

START_TEST(order_to_come_stands_beside_the_one_that_holds)
{
	give(ORDER_DISABLE, "node:edge/tyo-1", NOW, NOW + 150);
	ck_assert_uint_eq(give(ORDER_DRAIN, "node:edge/tyo-1", NOW + 100, NOW + 200), 0);
	ck_assert_str_eq(at(NOW + 120), "Xeeee");
	ck_assert_str_eq(at(NOW + 150), "deeee");
	ck_assert_str_eq(at(NOW + 200), "eeeee");
	give(ORDER_DRAIN, "node:edge/tyo-1", NOW + 100, NOW + 200); /* again: once */
	ck_assert_uint_eq(orders.count, 2);
}
END_TEST

START_TEST(enable_for_a_time_cuts_a_hole)
{
	give(ORDER_DRAIN, "pool:edge", NOW, NOW + 1000);
	ck_assert_uint_eq(give(ORDER_ENABLE, "pool:edge", NOW + 100, NOW + 200), 1);
	ck_assert_str_eq(at(NOW + 99), "dddee");
	ck_assert_str_eq(at(NOW + 100), "eeeee");
	ck_assert_str_eq(at(NOW + 200), "dddee");
	ck_assert_str_eq(at(NOW + 1000), "eeeee");
	ck_assert_uint_eq(give(ORDER_ENABLE, "pool:edge", NOW, 0), 2); /* and what is to come */
	ck_assert_uint_eq(orders.count, 0);
}
END_TEST

START_TEST(span_ends_when_the_next_order_begins_or_ends)
{
	struct admin admin[5];
	struct admin_span span;

	give(ORDER_DRAIN, "pool:edge", NOW + 50, NOW + 100);
	span = admin_judge(&orders, &made.plan, NOW, admin);
	ck_assert_uint_eq(span.from_unix_ms, 0);
	ck_assert_uint_eq(span.until_unix_ms, NOW + 50);
	span = admin_judge(&orders, &made.plan, NOW + 70, admin);
	ck_assert_uint_eq(span.from_unix_ms, NOW + 50); /* for clocks that are set back */
	ck_assert_uint_eq(span.until_unix_ms, NOW + 100);
	ck_assert_uint_eq(admin[0].until_unix_ms, NOW + 100);
	span = admin_judge(&orders, &made.plan, NOW + 100, admin);
	ck_assert_uint_eq(span.until_unix_ms, UINT64_MAX);
}
END_TEST

/* "+50d": 50 ms later the node will drain; "": nothing is planned for it. */
static const char *next_of(uint32_t node)
{
	static char text[32];
	struct admin admin[5];

	(void)admin_judge(&orders, &made.plan, NOW, admin);
	text[0] = '\0';
	if (admin[node].next_unix_ms != 0)
		(void)snprintf(
			text, sizeof(text), "+%u%c", (unsigned)(admin[node].next_unix_ms - NOW),
			(admin[node].next_forced_up ? "EDFX" : "edfX")[admin[node].next_state]);
	return text;
}

START_TEST(force_stands_in_place_of_the_objects_own_and_most_restrictive_holds)
{
	give(ORDER_DISABLE, "node:edge/tyo-1", NOW, 0);
	ck_assert_uint_eq(give(ORDER_FORCE_DOWN, "node:edge/tyo-1", NOW, NOW + 100), 1);
	ck_assert_str_eq(at(NOW), "feeee");
	ck_assert_str_eq(at(NOW + 100), "Xeeee");
	ck_assert_uint_eq(give(ORDER_FORCE_UP, "node:edge/tyo-1", NOW, 0), 2);
	ck_assert_str_eq(at(NOW), "Eeeee");
	give(ORDER_DRAIN, "site:tokyo", NOW, 0);
	ck_assert_str_eq(at(NOW), "Ddedd");
	give(ORDER_FORCE_DOWN, "site:tokyo", NOW, 0); /* over drain, and over its own being up */
	ck_assert(at(NOW)[0] == 'F');
	ck_assert(at(NOW)[1] == 'f');
	ck_assert_uint_eq(give(ORDER_ENABLE, "site:tokyo", NOW, 0), 1);
	ck_assert_str_eq(at(NOW), "Eeeee");
	ck_assert_uint_eq(give(ORDER_ENABLE, "node:edge/tyo-1", NOW, 0), 1);
	ck_assert_str_eq(at(NOW), "eeeee");
	give(ORDER_FORCE_UP, "node:edge/tyo-1", NOW, NOW + 50);
	ck_assert_str_eq(next_of(0), "+50e");
	ck_assert_str_eq(at(NOW + 50), "eeeee");
}
END_TEST

START_TEST(next_change_of_a_state_is_known_and_what_changes_nothing_is_none)
{
	ck_assert_str_eq(next_of(0), "");
	give(ORDER_WEIGHT, "node:edge/tyo-1", NOW, 0);
	ck_assert_str_eq(next_of(0), "");
	give(ORDER_DRAIN, "site:tokyo", NOW + 50, NOW + 100);
	ck_assert_str_eq(next_of(0), "+50d");
	ck_assert_str_eq(next_of(2), ""); /* in London */
	ck_assert_str_eq(next_of(3), "+50d");
	give(ORDER_DRAIN, "node:edge/tyo-1", NOW, NOW + 70);
	ck_assert_str_eq(next_of(0), "+100e"); /* at 50 and at 70 it drains before and after */
	give(ORDER_DISABLE, "pool:edge", NOW + 60, NOW + 80);
	ck_assert_str_eq(next_of(0), "+60X");
	ck_assert_str_eq(next_of(2), "+60X");
	ck_assert_str_eq(next_of(1), "+50d");
	give(ORDER_DISABLE, "pool:edge", NOW, NOW + 40);
	ck_assert_str_eq(next_of(2), "+40e");
	ck_assert_str_eq(next_of(0), "+40d");
}
END_TEST

/* A look a second, at any part of it: whatever is answered until the next one holds until the change
 * at most, and no less than half of what it might. */
START_TEST(answers_hold_until_a_planned_change_and_their_ttl_falls_in_few_steps)
{
	const uint64_t change_ms = NOW + 700000123;

	for (uint64_t part_ms = 0; part_ms < 1000; part_ms += 333) {
		uint32_t before = 0, steps = 0;
		bool good = true;

		for (uint64_t now_ms = NOW + part_ms; now_ms + 3000 < change_ms; now_ms += 1000) {
			uint32_t ttl_s = admin_ttl_s(change_ms, now_ms);
			uint64_t left_ms = change_ms - now_ms, ttl_ms = ttl_s * UINT64_C(1000);

			good &= ttl_s == 0
					? left_ms >= UINT64_C(7) * 86400000
					: ttl_ms + 999 <= left_ms && 2 * ttl_ms + 2000 >= left_ms;
			steps += ttl_s != before;
			before = ttl_s;
		}
		ck_assert(good);
		ck_assert_uint_le(steps, 20);
	}
	ck_assert_uint_eq(admin_ttl_s(change_ms, change_ms - 500), 1);
	ck_assert_uint_eq(admin_ttl_s(0, NOW), 0);
}
END_TEST

START_TEST(weight_is_the_ordered_one_until_it_is_reset)
{
	struct admin admin[5];

	give(ORDER_WEIGHT, "node:edge/tyo-1", NOW, 0);
	ck_assert_uint_eq(give(ORDER_WEIGHT, "node:edge/tyo-1", NOW, 0), 1);
	(void)admin_judge(&orders, &made.plan, NOW, admin);
	ck_assert_uint_eq(admin[0].weight, 7);
	ck_assert_uint_eq(admin[0].weight_order, 0);
	ck_assert_uint_eq(admin[1].weight, 50);
	ck_assert_uint_eq(admin[3].weight, 1); /* of the same name in another pool */
	ck_assert_uint_eq(give(ORDER_ENABLE, "node:edge/tyo-1", NOW, 0), 0); /* no state */
	ck_assert_uint_eq(give(ORDER_RESET, "node:edge/tyo-1", NOW, 0), 1);
	(void)admin_judge(&orders, &made.plan, NOW, admin);
	ck_assert_uint_eq(admin[0].weight, 100);
}
END_TEST

START_TEST(orders_are_the_same_after_a_restart_and_ended_ones_are_forgotten_a_day_later)
{
	struct err err;

	give(ORDER_DRAIN, "node:edge/old-1", NOW, 0);
	give(ORDER_DISABLE, "site:tokyo", NOW, NOW + 100);
	orders_close(&orders);
	store_close(store);
	ck_assert_int_eq(store_open(&store, home, &kept_for_ever, &err), 0);
	orders_open(&orders, store);
	ck_assert_uint_eq(orders.count, 2);
	ck_assert_str_eq(at(NOW), "XXeXX");
	orders_forget_ended(&orders, NOW + 86400000);
	ck_assert_uint_eq(orders.count, 2);
	orders_forget_ended(&orders, NOW + 86400000 + 101);
	ck_assert_uint_eq(orders.count, 1);
	ck_assert_str_eq(orders.list[0].row.object, "node:edge/old-1");
}
END_TEST

/* What the database says, once all that was queued is in it. */
static long count_actions(const char *action)
{
	char command[256], line[32] = "";
	FILE *answer;

	store_close(store);
	store = NULL;
	(void)snprintf(
		command, sizeof(command),
		"sqlite3 %s/signpost.db \"SELECT count(*) FROM operator_actions WHERE action = '%s'\"",
		home, action);
	answer = popen(command, "r");
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), answer));
	ck_assert_int_eq(pclose(answer), 0);
	return strtol(line, NULL, 10);
}

START_TEST(what_is_done_while_the_database_cannot_be_read_is_on_record_later)
{
	struct store_action reload = { .action = "reload", .who = "alice", .at_unix_ms = NOW };
	struct err err;

	orders.loaded = false;
	for (int i = 0; i < ORDERS_UNRECORDED_MAX + 2; i++)
		orders_record(&orders, &reload);
	ck_assert_uint_eq(orders.unrecorded_count, ORDERS_UNRECORDED_MAX);
	ck_assert(orders_load(&orders, &err));
	ck_assert_uint_eq(orders.unrecorded_count, 0);
	ck_assert_int_eq(count_actions("reload"), ORDERS_UNRECORDED_MAX);
}
END_TEST

START_TEST(there_are_no_more_orders_than_may_be)
{
	struct order order = { .action = ORDER_DRAIN };
	struct order_changes changes;
	struct err err;

	ck_assert(object_parse("pool:edge", &order.object));
	order.row.at_unix_ms = NOW;
	while (orders.count < ORDERS_MAX) {
		order.row.from_unix_ms = NOW + 1 + orders.count;
		array_add(orders.list, orders.count, orders.cap) = order;
	}
	ck_assert_int_eq(orders_take(&orders, &order, &changes, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "4096 orders"));
	give(ORDER_ENABLE, "pool:edge", NOW, 0);
	ck_assert_uint_eq(orders.count, 0);
}
END_TEST

void add_orders_cases(Suite *suite)
{
	TCase *objects = tcase_create("objects");
	TCase *tcase = tcase_create("orders");

	tcase_add_checked_fixture(objects, make, unmake);
	tcase_add_loop_test(objects,
			    object_is_what_the_operator_means_or_the_error_lists_what_it_may_be, 0,
			    (int)(sizeof(written) / sizeof(written[0])));
	tcase_add_test(objects, object_that_left_the_files_is_still_known_by_its_orders);
	suite_add_tcase(suite, objects);
	tcase_add_checked_fixture(tcase, open_orders, close_orders);
	tcase_add_test(tcase, most_restrictive_state_of_node_site_and_pool_holds);
	tcase_add_test(tcase, order_for_now_stands_in_place_of_the_objects_own_for_its_time);
	tcase_add_test(tcase, force_stands_in_place_of_the_objects_own_and_most_restrictive_holds);
	tcase_add_test(tcase, order_to_come_stands_beside_the_one_that_holds);
	tcase_add_test(tcase, enable_for_a_time_cuts_a_hole);
	tcase_add_test(tcase, span_ends_when_the_next_order_begins_or_ends);
	tcase_add_test(tcase, next_change_of_a_state_is_known_and_what_changes_nothing_is_none);
	tcase_add_test(tcase, answers_hold_until_a_planned_change_and_their_ttl_falls_in_few_steps);
	tcase_add_test(tcase, weight_is_the_ordered_one_until_it_is_reset);
	tcase_add_test(
		tcase,
		orders_are_the_same_after_a_restart_and_ended_ones_are_forgotten_a_day_later);
	tcase_add_test(tcase, what_is_done_while_the_database_cannot_be_read_is_on_record_later);
	tcase_add_test(tcase, there_are_no_more_orders_than_may_be);
	suite_add_tcase(suite, tcase);
}
