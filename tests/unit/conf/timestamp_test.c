#include "conf/timestamp.h"

#include "conf_test.h"

/* Seconds as date(1) tells them: date -d TEXT +%s */
static const struct {
	const char *text;
	uint64_t unix_s;
} good[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2026-11-22T06:55:01Z", 1795330501 },
	{ "2026-11-22t06:55:01z", 1795330501 },
	{ "2026-11-22 06:55:01Z", 1795330501 },
	{ "2026-11-22T06:55:01.999Z", 1795330501 },
	{ "2026-11-22T12:25:01+05:30", 1795330501 },
	{ "2026-11-21T22:55:01-08:00", 1795330501 },
	{ "2024-02-29T23:59:59Z", 1709251199 },
	{ "2000-02-29T00:00:00Z", 951782400 },
	{ "2016-12-31T23:59:60Z", 1483228800 },
	{ "1969-12-31T23:00:00-01:00", 0 },
	{ "9999-12-31T23:59:59Z", 253402300799 },
};

START_TEST(a_moment_is_the_same_in_every_zone)
{
	uint64_t unix_s = 1;

	ck_assert_msg(timestamp_parse(good[_i].text, &unix_s), "%s", good[_i].text);
	ck_assert_uint_eq(unix_s, good[_i].unix_s);
}
END_TEST

static const char *const bad[] = {
	"",
	"tomorrow",
	"2026-11-22",
	"2026-11-22T06:55:01",
	"2026-11-22T06:55Z",
	"2026-11-22T6:55:01Z",
	"2026-11-22T06:55:01ZZ",
	"2026-11-22T06:55:01.Z",
	"2026-11-22T24:00:00Z",
	"2026-11-22T06:60:00Z",
	"2026-11-22T06:00:61Z",
	"2026-11-22T06:00:00+24:00",
	"2026-11-22T06:00:00+0100",
	"2026-11-22T06:00:00+01",
	"2026-02-29T06:00:00Z",
	"2026-04-31T06:00:00Z",
	"2026-13-01T06:00:00Z",
	"2026-00-01T06:00:00Z",
	"2026-01-00T06:00:00Z",
	"26-01-01T06:00:00Z",
	"2026/01/01T06:00:00Z",
	"1969-12-31T23:59:59Z",
	"1970-01-01T00:00:00+00:01",
};

START_TEST(what_is_no_moment_is_refused)
{
	uint64_t unix_s;

	ck_assert_msg(!timestamp_parse(bad[_i], &unix_s), "\"%s\"", bad[_i]);
}
END_TEST

Suite *timestamp_suite(void)
{
	Suite *suite = suite_create("timestamp");
	TCase *tcase = tcase_create("timestamp");

	tcase_add_loop_test(tcase, a_moment_is_the_same_in_every_zone, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, what_is_no_moment_is_refused, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
