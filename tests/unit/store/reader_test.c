/* reader_test.c - what is asked of the database while it runs. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/reader.h"
#include "tests/unit/store/store_test.h"

#define NOW_MINUTE (clock_unix_ms() / 60000)

struct fixture {
	struct store *store;
	struct reader *reader;
	int told, answered;
	struct minutes_answer minutes; /* its rows copied */
	struct audit_answer audit;
	char error[256];
};

static void told(void *context)
{
	struct fixture *f = context;

	(void)__atomic_add_fetch(&f->told, 1, __ATOMIC_SEQ_CST);
}

static void open_both(struct fixture *f, const struct store_kept *kept)
{
	struct err err;

	ck_assert_int_eq(store_open(&f->store, home, kept, &err), 0);
	ck_assert_int_eq(reader_open(&f->reader, f->store, told, f, &err), 0);
}

static void open_fixture(struct fixture *f)
{
	make_home();
	memset(f, 0, sizeof(*f));
	open_both(f, &kept_for_long);
}

static void forget(struct fixture *f)
{
	free(f->minutes.rows);
	free(f->audit.events);
	f->minutes = (struct minutes_answer){ 0 };
	f->audit = (struct audit_answer){ 0 };
	f->error[0] = '\0';
}

static void close_fixture(struct fixture *f)
{
	reader_close(f->reader);
	store_close(f->store);
	forget(f);
	remove_home();
}

static void wait_answer(struct fixture *f)
{
	int before = f->answered;

	for (int i = 0; i < 5000 && f->answered == before; i++) {
		reader_deliver(f->reader);
		if (f->answered == before)
			(void)usleep(2000);
	}
	ck_assert_int_eq(f->answered, before + 1);
}

static void keep_minutes(void *context, const struct minutes_question *question,
			 const struct minutes_answer *answer, const char *error)
{
	struct fixture *f = context;

	(void)question;
	f->answered++;
	forget(f);
	(void)snprintf(f->error, sizeof(f->error), "%s", error == NULL ? "" : error);
	if (answer == NULL)
		return;
	f->minutes = *answer;
	f->minutes.rows = mem_array(answer->count + 1, sizeof(*answer->rows));
	memcpy(f->minutes.rows, answer->rows, answer->count * sizeof(*answer->rows));
}

static void keep_audit(void *context, const struct audit_answer *answer, const char *error)
{
	struct fixture *f = context;

	f->answered++;
	forget(f);
	(void)snprintf(f->error, sizeof(f->error), "%s", error == NULL ? "" : error);
	if (answer == NULL)
		return;
	f->audit = *answer;
	f->audit.events = mem_array(answer->count + 1, sizeof(*answer->events));
	memcpy(f->audit.events, answer->events, answer->count * sizeof(*answer->events));
}

static void ask_minutes(struct fixture *f, const char *node, uint64_t from, uint64_t until,
			uint64_t limit)
{
	struct minutes_question question = { .from = from, .until = until, .limit = limit };
	struct err err;

	(void)snprintf(question.node, sizeof(question.node), "%s", node);
	ck_assert_int_eq(reader_ask_minutes(f->reader, &question, keep_minutes, f, &err), 0);
	wait_answer(f);
}

/* "edge/a", or "edge/" for all that begin so. */
static struct audit_names names_of(const char *text)
{
	struct audit_names names = { 0 };
	char **list = mem_array(1, sizeof(*list));

	list[0] = mem_copy_text(text);
	if (text[strlen(text) - 1] == '/')
		names = (struct audit_names){ .beginnings = list, .beginning_count = 1 };
	else
		names = (struct audit_names){ .whole = list, .whole_count = 1 };
	return names;
}

/* node, object: NULL for all. */
static void ask_audit(struct fixture *f, const struct audit_question *like, const char *node,
		      const char *object)
{
	struct audit_question question = *like;
	struct err err;

	if (node != NULL) {
		question.of_some = true;
		question.nodes = names_of(node);
		question.objects = names_of(object);
	}
	ck_assert_int_eq(reader_ask_audit(f->reader, &question, keep_audit, f, &err), 0);
	wait_answer(f);
	ck_assert_str_eq(f->error, "");
}

/* --- minutes ---------------------------------------------------------------------------------- */

START_TEST(minutes_of_a_node_are_read_as_they_were_written)
{
	const struct store_minute rows[] = { { "edge/a", 12, 3, 250, 900, 830 },
					     { "edge/b", 12, 12, 0, 0, STORE_NO_LOAD } };
	uint64_t now = NOW_MINUTE;
	struct fixture f;

	open_fixture(&f);
	store_minutes(f.store, now - 2, rows, 2);
	store_minutes(f.store, now, rows, 1);
	ck_assert(is_written(f.store));
	ask_minutes(&f, "edge/a", now - 100, now + 1, 0);
	ck_assert_uint_eq(f.minutes.count, 2);
	ck_assert_uint_eq(f.minutes.next, 0);
	ck_assert(f.minutes.known);
	ck_assert_uint_eq(f.minutes.rows[0].minute, now - 2);
	ck_assert_uint_eq(f.minutes.rows[1].minute, now);
	ck_assert_uint_eq(f.minutes.rows[0].probes, 12);
	ck_assert_uint_eq(f.minutes.rows[0].failures, 3);
	ck_assert_uint_eq(f.minutes.rows[0].rtt_us, 250);
	ck_assert_uint_eq(f.minutes.rows[0].rtt_max_us, 900);
	ck_assert_int_eq(f.minutes.rows[0].load_permille, 830);
	ask_minutes(&f, "edge/b", now - 100, now, 0);
	ck_assert_uint_eq(f.minutes.count, 1);
	ck_assert_int_eq(f.minutes.rows[0].load_permille, STORE_NO_LOAD);
	ask_minutes(&f, "edge/c", 0, UINT32_MAX, 0);
	ck_assert_uint_eq(f.minutes.count, 0);
	ck_assert(!f.minutes.known);
	close_fixture(&f);
}
END_TEST

/* A clock that was set back, or a process that was started again in the same minute. */
START_TEST(minute_that_is_there_already_is_added_to)
{
	const struct store_minute first = { "edge/a", 4, 1, 100, 150, 500 };
	const struct store_minute second = { "edge/a", 3, 2, 500, 500, STORE_NO_LOAD };
	const struct store_minute failed = { "edge/a", 2, 2, 0, 0, 700 };
	uint64_t now = NOW_MINUTE;
	struct fixture f;

	open_fixture(&f);
	store_minutes(f.store, now, &first, 1);
	store_minutes(f.store, now, &second, 1);
	store_minutes(f.store, now, &failed, 1);
	store_minutes(f.store, now + 1, &failed, 1);
	store_minutes(f.store, now + 1, &failed, 1);
	ck_assert(is_written(f.store));
	ask_minutes(&f, "edge/a", now, now + 2, 0);
	ck_assert_uint_eq(f.minutes.count, 2);
	ck_assert_uint_eq(f.minutes.rows[0].probes, 9);
	ck_assert_uint_eq(f.minutes.rows[0].failures, 5);
	ck_assert_uint_eq(f.minutes.rows[0].rtt_us, 200); /* (3 x 100 + 1 x 500) / 4 */
	ck_assert_uint_eq(f.minutes.rows[0].rtt_max_us, 500);
	ck_assert_int_eq(f.minutes.rows[0].load_permille, 700);
	ck_assert_uint_eq(f.minutes.rows[1].probes, 4);
	ck_assert_uint_eq(f.minutes.rows[1].rtt_us, 0);
	close_fixture(&f);
}
END_TEST

START_TEST(answers_are_bounded_and_the_rest_is_asked_for_again)
{
	const struct store_minute row = { "edge/a", 1, 0, 100, 100, STORE_NO_LOAD };
	uint64_t now = NOW_MINUTE, from = now - 2500, seen = 0;
	struct fixture f;

	open_fixture(&f);
	for (uint64_t m = now - 2500; m < now; m++)
		store_minutes(f.store, m, &row, 1);
	ck_assert(is_written(f.store));
	for (int pages = 0; pages < 2; pages++) {
		ask_minutes(&f, "edge/a", from, now, 0);
		for (size_t i = 0; i < f.minutes.count; i++)
			ck_assert_uint_eq(f.minutes.rows[i].minute, now - 2500 + seen++);
		from = f.minutes.next;
		ck_assert_uint_eq(f.minutes.count, pages == 0 ? READER_ROWS_MAX : 500);
	}
	ck_assert_uint_eq(from, 0);
	close_fixture(&f);
}
END_TEST

START_TEST(status_before_is_what_transitions_say)
{
	uint64_t now = NOW_MINUTE;
	struct store_status down = make_status("edge/a", "down", (now - 50) * 60000);
	struct store_status up = make_status("edge/a", "up", (now - 10) * 60000);
	struct fixture f;

	open_fixture(&f);
	store_transition(f.store, &down, &(struct store_before){ "up", "" });
	store_transition(f.store, &up, &(struct store_before){ "down", "" });
	ck_assert(is_written(f.store));
	ask_minutes(&f, "edge/a", now - 100, now, 0);
	ck_assert_str_eq(f.minutes.status_before, "up");
	ck_assert_str_eq(f.minutes.status_now, "up");
	ask_minutes(&f, "edge/a", now - 30, now, 0);
	ck_assert_str_eq(f.minutes.status_before, "down");
	ck_assert(f.minutes.known);
	close_fixture(&f);
}
END_TEST

START_TEST(minutes_and_nodes_that_are_too_old_are_deleted)
{
	struct store_minute rows[600];
	char names[600][24];
	uint64_t now = NOW_MINUTE;
	struct fixture f = { 0 };

	for (int i = 0; i < 600; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "edge/%d", i);
		rows[i] = (struct store_minute){ names[i], 1, 0, 1, 1, STORE_NO_LOAD };
	}
	make_home();
	open_both(&f, &(struct store_kept){ 90, 90 });
	for (uint64_t m = 0; m < 20; m++) /* more than are deleted at once */
		store_minutes(f.store, now - 9 * 1440 + m, rows, 600);
	store_minutes(f.store, now - 6 * 1440, rows, 5);
	ck_assert(is_written(f.store));
	ck_assert_str_eq(ask("SELECT count(*) FROM minutes; SELECT count(*) FROM nodes"),
			 "12005\n600");
	reader_close(f.reader);
	store_close(f.store);
	open_both(&f, &kept_for_long);
	for (int i = 0; i < 1000 && strcmp(ask("SELECT count(*) FROM nodes"), "5") != 0; i++)
		(void)usleep(10000);
	ck_assert_str_eq(ask("SELECT count(*) FROM minutes; SELECT count(*) FROM nodes"), "5\n5");
	close_fixture(&f);
}
END_TEST

/* --- the audit -------------------------------------------------------------------------------- */

static struct store_action make_action(const char *action, const char *object, const char *who,
				       uint64_t at_ms)
{
	struct store_action row = { .at_unix_ms = at_ms, .from_unix_ms = at_ms, .uid = 1000 };

	(void)snprintf(row.action, sizeof(row.action), "%s", action);
	(void)snprintf(row.object, sizeof(row.object), "%s", object);
	(void)snprintf(row.who, sizeof(row.who), "%s", who);
	(void)snprintf(row.reason, sizeof(row.reason), "because");
	return row;
}

/* Four transitions and three actions, some at the same time. */
static uint64_t fill_audit(struct fixture *f)
{
	uint64_t start_ms = clock_unix_ms() - 100000;
	struct store_status row = make_status("edge/a", "down", start_ms + 10);
	struct store_action action = make_action("drain", "site:tokyo", "ann", start_ms + 20);

	store_transition(f->store, &row, &(struct store_before){ "up", "" });
	(void)store_orders(f->store, NULL, 0, &action);
	row = make_status("edge/b", "down", start_ms + 20);
	store_transition(f->store, &row, &(struct store_before){ "up", "" });
	action = make_action("enable", "site:tokyo", "bob", start_ms + 20);
	(void)store_orders(f->store, NULL, 0, &action);
	row = make_status("other/a", "up", start_ms + 30);
	store_transition(f->store, &row, &(struct store_before){ "down", "" });
	action = make_action("disable", "node:other/a", "ann", start_ms + 40);
	(void)store_orders(f->store, NULL, 0, &action);
	row = make_status("edge/a", "up", start_ms + 50);
	store_transition(f->store, &row, &(struct store_before){ "down", "" });
	ck_assert(is_written(f->store));
	return start_ms;
}

/* "edge/a down, drain site:tokyo, ..." */
static const char *story(const struct fixture *f)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < f->audit.count; i++) {
		const struct audit_event *event = &f->audit.events[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s",
					i > 0 ? ", " : "",
					event->place.is_action ? event->action.action : event->node,
					event->place.is_action ? event->action.object : event->to);
	}
	return text;
}

#define WHOLE_STORY                                                                           \
	"edge/a down, edge/b down, drain site:tokyo, enable site:tokyo, other/a up, disable " \
	"node:other/a, edge/a up"

START_TEST(transitions_and_actions_are_told_in_one_sequence)
{
	struct audit_question question = { .until_unix_ms = INT64_MAX };
	struct fixture f;
	uint64_t start_ms;

	open_fixture(&f);
	start_ms = fill_audit(&f);
	ask_audit(&f, &question, NULL, NULL);
	ck_assert_str_eq(story(&f), WHOLE_STORY);
	ck_assert(!f.audit.more);
	ck_assert_str_eq(f.audit.events[2].action.who, "ann");
	ck_assert_str_eq(f.audit.events[2].action.reason, "because");
	ck_assert_uint_eq(f.audit.events[2].action.uid, 1000);
	question.from_unix_ms = start_ms + 20;
	question.until_unix_ms = start_ms + 40;
	ask_audit(&f, &question, NULL, NULL);
	ck_assert_str_eq(story(&f), "edge/b down, drain site:tokyo, enable site:tokyo, other/a up");
	close_fixture(&f);
}
END_TEST

START_TEST(events_are_told_once_however_small_the_pages)
{
	struct fixture f;

	open_fixture(&f);
	(void)fill_audit(&f);
	for (uint64_t limit = 1; limit < 8; limit++) {
		struct audit_question question = { .until_unix_ms = INT64_MAX, .limit = limit };
		char whole[1024] = "";
		bool more = true;

		while (more) {
			ask_audit(&f, &question, NULL, NULL);
			(void)strcat(strcat(whole, whole[0] != '\0' ? ", " : ""), story(&f));
			more = f.audit.more;
			question.after = f.audit.events[f.audit.count - 1].place;
		}
		ck_assert_str_eq(whole, WHOLE_STORY);
	}
	close_fixture(&f);
}
END_TEST

START_TEST(audit_is_told_of_one_node_one_object_and_one_person)
{
	struct audit_question all = { .until_unix_ms = INT64_MAX }, anns = all;
	struct fixture f;

	open_fixture(&f);
	(void)fill_audit(&f);
	ask_audit(&f, &all, "edge/a", "site:tokyo");
	ck_assert_str_eq(story(&f), "edge/a down, drain site:tokyo, enable site:tokyo, edge/a up");
	ask_audit(&f, &all, "edge/", "node:edge/");
	ck_assert_str_eq(story(&f), "edge/a down, edge/b down, edge/a up");
	(void)snprintf(anns.who, sizeof(anns.who), "ann");
	ask_audit(&f, &anns, NULL, NULL);
	ck_assert_str_eq(story(&f), "drain site:tokyo, disable node:other/a");
	close_fixture(&f);
}
END_TEST

START_TEST(audit_is_only_added_to_until_its_time_is_over)
{
	struct fixture f;
	char sql[128];

	open_fixture(&f);
	(void)fill_audit(&f);
	(void)usleep(2500000); /* what is too old is deleted */
	ck_assert_ptr_nonnull(strstr(ask("UPDATE operator_actions SET who = 'nobody'"),
				     "operator_actions are only added to"));
	ck_assert_ptr_nonnull(
		strstr(ask("UPDATE transitions SET reason = ''"), "transitions are only added to"));
	ck_assert_ptr_nonnull(strstr(ask("DELETE FROM operator_actions WHERE who = 'ann'"),
				     "operator_actions are kept for their time"));
	ck_assert_ptr_nonnull(
		strstr(ask("DELETE FROM transitions"), "transitions are kept for their time"));
	ck_assert_ptr_nonnull(
		strstr(ask("REPLACE INTO transitions VALUES (1, 1, '', '', '', '', 1, '', '')"),
		       "transitions are only added to"));
	ck_assert_ptr_nonnull(strstr(ask("DELETE FROM kept; DELETE FROM transitions"),
				     "transitions are kept for their time"));
	ck_assert_str_eq(ask("SELECT count(*) FROM operator_actions; "
			     "SELECT count(*) FROM transitions"),
			 "3\n4");
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO transitions VALUES (99, 1, '', '', '', '', 1, '', '')");
	ck_assert_str_eq(ask(sql), "");
	ck_assert_str_eq(ask("INSERT INTO kept VALUES (2); DELETE FROM transitions WHERE id = 99; "
			     "SELECT count(*) FROM transitions"),
			 "4");
	close_fixture(&f);
}
END_TEST

/* --- troubles --------------------------------------------------------------------------------- */

/* The folder is gone: a file that is removed the writer makes anew. */
START_TEST(question_that_cannot_be_answered_says_why)
{
	struct fixture f;
	char away[128];

	open_fixture(&f);
	(void)snprintf(away, sizeof(away), "%s-away", home);
	ck_assert_int_eq(rename(home, away), 0);
	ask_minutes(&f, "edge/a", 0, 1, 0);
	ck_assert_ptr_nonnull(strstr(f.error, "unable to open"));
	ck_assert_int_eq(rename(away, home), 0);
	close_fixture(&f);
}
END_TEST

START_TEST(too_many_questions_are_refused_and_all_others_are_answered_at_the_end)
{
	struct minutes_question question = { .node = "edge/a", .until = UINT32_MAX };
	struct fixture f;
	struct err err;
	int asked = 0;

	open_fixture(&f);
	while (asked < 100000 &&
	       reader_ask_minutes(f.reader, &question, keep_minutes, &f, &err) == 0)
		asked++;
	ck_assert_int_lt(asked, 100000);
	ck_assert_ptr_nonnull(strstr(err.text, "too many questions"));
	reader_close(f.reader);
	ck_assert_int_eq(f.answered, asked);
	f.reader = NULL;
	close_fixture(&f);
}
END_TEST

/* --- its size --------------------------------------------------------------------------------- */

static uint64_t wanted(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* SIGNPOST_HISTORY_NODES=10000 SIGNPOST_HISTORY_MINUTES=10080: what a week of 10,000 nodes takes. */
START_TEST(week_of_many_nodes_takes_32_octets_a_row)
{
	uint64_t nodes = wanted("SIGNPOST_HISTORY_NODES", 500);
	uint64_t minutes = wanted("SIGNPOST_HISTORY_MINUTES", 20);
	struct store_minute *rows = mem_array(nodes, sizeof(*rows));
	uint64_t now = NOW_MINUTE, start_us = clock_mono_us(), took_us;
	struct fixture f;
	uint64_t octets;
	struct stat st;
	char path[128];

	for (uint64_t n = 0; n < nodes; n++)
		rows[n] = (struct store_minute){
			mem_format("edge/node-%04llu", (unsigned long long)n), 12, 0, 0, 0, 400
		};
	open_fixture(&f);
	for (uint64_t m = 0; m < minutes; m++) {
		for (uint64_t n = 0; n < nodes; n++) {
			rows[n].rtt_us = (uint32_t)(9000 + (n * 7919 + m * 104729) % 70000);
			rows[n].rtt_max_us = rows[n].rtt_us * 2;
			rows[n].load_permille = (int32_t)((n + m) % 1000);
		}
		store_minutes(f.store, now - minutes + m, rows, (uint32_t)nodes);
		if (m % 10 == 9)
			ck_assert(is_written(f.store));
	}
	ck_assert(is_written(f.store));
	took_us = clock_mono_us() - start_us;
	start_us = clock_mono_us();
	for (uint64_t from = now - minutes; from != 0; from = f.minutes.next)
		ask_minutes(&f, rows[nodes / 2].node, from, now, 0);
	(void)printf("%llu nodes, %llu minutes: %.2f ms a minute written, a node read in %.1f ms, ",
		     (unsigned long long)nodes, (unsigned long long)minutes,
		     (double)took_us / 1000. / (double)minutes,
		     (double)(clock_mono_us() - start_us) / 1000.);
	reader_close(f.reader);
	store_close(f.store);
	f.reader = NULL;
	f.store = NULL;
	(void)snprintf(path, sizeof(path), "%s/signpost.db", home);
	ck_assert_int_eq(stat(path, &st), 0);
	octets = (uint64_t)st.st_size - 65536; /* the other tables */
	(void)printf("%llu MB, %.1f octets a row\n", (unsigned long long)st.st_size / 1000000,
		     (double)octets / (double)(nodes * minutes));
	ck_assert_uint_le(octets, nodes * 100 + nodes * minutes * 32);
	for (uint64_t n = 0; n < nodes; n++)
		free((char *)(uintptr_t)rows[n].node);
	free(rows);
	close_fixture(&f);
}
END_TEST

void add_reader_tests(Suite *suite)
{
	suite_case(suite, "reader", minutes_of_a_node_are_read_as_they_were_written,
		   minute_that_is_there_already_is_added_to,
		   answers_are_bounded_and_the_rest_is_asked_for_again,
		   status_before_is_what_transitions_say,
		   minutes_and_nodes_that_are_too_old_are_deleted,
		   transitions_and_actions_are_told_in_one_sequence,
		   events_are_told_once_however_small_the_pages,
		   audit_is_told_of_one_node_one_object_and_one_person,
		   audit_is_only_added_to_until_its_time_is_over,
		   question_that_cannot_be_answered_says_why,
		   too_many_questions_are_refused_and_all_others_are_answered_at_the_end,
		   week_of_many_nodes_takes_32_octets_a_row);
}
