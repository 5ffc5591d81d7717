/* What the audit has of reloads. */
#include <stdlib.h>
#include <string.h>

#include "control/reload_record.h"
#include "control/report.h"
#include "control_test.h"

static const struct reload_asker ann = { .who = "ann", .uid = 1000, .person = true };
static const struct reload_asker data_file = { .who = "data file", .uid = STORE_NO_UID };

static bool record(const struct reload_asker *by, json_t *report, struct store_action *out)
{
	bool is = reload_record(by, report, 1234, out);

	json_decref(report);
	return is;
}

static json_t *taken(bool changed)
{
	return json_pack("{s:b, s:b, s:{s:b}}", "ok", true, "changed", (int)changed, "changes",
			 "settings", true);
}

START_TEST(first_world_of_all_is_no_change)
{
	static const struct reload_asker start = { .uid = STORE_NO_UID };
	struct store_action row;

	ck_assert(!record(&start, taken(true), &row));
	ck_assert(!record(&start, report_failure("compiling failed", ""), &row));
}
END_TEST

START_TEST(refused_reload_tells_the_first_mistake_and_who_asked)
{
	struct store_action row;

	ck_assert(record(&ann,
			 report_failure("the files have mistakes",
					"signpost.yaml:3:1: warning: old\n"
					"      text: error\n"
					"zones/a.pool.yaml:17:25: error: \"x\" is no address\n"
					"zones/b.pool.yaml:1:1: error: another\n"),
			 &row));
	ck_assert_str_eq(row.action, "reload-refused");
	ck_assert_str_eq(row.object, "files");
	ck_assert_str_eq(row.who, "ann");
	ck_assert_uint_eq(row.uid, 1000);
	ck_assert_uint_eq(row.at_unix_ms, 1234);
	ck_assert_str_eq(row.reason, "the files have mistakes: "
				     "zones/a.pool.yaml:17:25: error: \"x\" is no address");
}
END_TEST

START_TEST(failure_without_a_place_is_told_by_its_first_line)
{
	struct store_action row;

	ck_assert(record(&data_file, report_failure("compiling failed", "\nkilled\nmore\n"), &row));
	ck_assert_str_eq(row.reason, "compiling failed: killed");
	ck_assert_uint_eq(row.uid, STORE_NO_UID);
	ck_assert(record(&ann, report_failure("compiling failed", ""), &row));
	ck_assert_str_eq(row.reason, "compiling failed");
}
END_TEST

START_TEST(long_reason_is_cut_between_characters)
{
	struct store_action row;
	char text[1024];
	size_t len;
	json_t *json;

	for (size_t shift = 0; shift < 2; shift++) { /* the limit falls into one of the two */
		memset(text, 'x', shift);
		for (len = shift; len + 2 < sizeof(text); len += 2)
			memcpy(text + len, "\xc3\xbc", 2);
		text[len] = '\0';
		ck_assert(record(&ann, report_failure("wrong", text), &row));
		len = strlen(row.reason);
		ck_assert_uint_ge(len, sizeof(row.reason) - 2);
		json = json_string(row.reason); /* NULL: no UTF-8 */
		ck_assert_ptr_nonnull(json);
		json_decref(json);
	}
}
END_TEST

START_TEST(reload_that_changes_nothing_is_on_record_where_a_person_asked)
{
	struct store_action row;

	ck_assert(record(&ann, taken(false), &row));
	ck_assert_str_eq(row.action, "reload");
	ck_assert_str_eq(row.reason, "nothing has changed");
	ck_assert(!record(&data_file, taken(false), &row));
	ck_assert(record(&data_file, taken(true), &row));
	ck_assert_ptr_nonnull(strstr(row.reason, "settings=changed"));
}
END_TEST

void add_reload_record_cases(Suite *suite)
{
	TCase *tests = tcase_create("reload record");

	tcase_add_test(tests, first_world_of_all_is_no_change);
	tcase_add_test(tests, refused_reload_tells_the_first_mistake_and_who_asked);
	tcase_add_test(tests, failure_without_a_place_is_told_by_its_first_line);
	tcase_add_test(tests, long_reason_is_cut_between_characters);
	tcase_add_test(tests, reload_that_changes_nothing_is_on_record_where_a_person_asked);
	suite_add_tcase(suite, tests);
}
