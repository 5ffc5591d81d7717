#include "probe/dns_judge.h"

#include <string.h>

#include "tests/unit/probe/probe_test.h"

#define ID 0x1234

/* a.example, type A, class IN. */
#define QUESTION               "\1a\7example\0\0\1\0\1"
#define HEADER(flags, answers) "\x12\x34" flags "\0\1\0" answers "\0\0\0\0"
#define RECORD(address)        "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" address
#define CNAME                  "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c"

static const struct {
	const char *story;
	const char *message;
	size_t len;
	bool answers;
	enum probe_outcome outcome;
	const char *why;
} rows[] = {
#define ROW(story, message, ...)                                 \
	{                                                        \
		story, message, sizeof(message) - 1, __VA_ARGS__ \
	}
	ROW("the address expected", HEADER("\x84\0", "\1") QUESTION RECORD("\xc0\0\2\1"), true,
	    PROBE_SUCCESS, "NOERROR, 1 record"),
	ROW("among others, behind an alias",
	    HEADER("\x81\x80", "\3") QUESTION CNAME RECORD("\xc0\0\2\2") RECORD("\xc0\0\2\1"), true,
	    PROBE_SUCCESS, "NOERROR, 2 records"),
	ROW("another address", HEADER("\x84\0", "\1") QUESTION RECORD("\xc0\0\2\2"), true,
	    PROBE_FAILURE, "NOERROR, but an expected address is missing"),
	ROW("an alias alone", HEADER("\x84\0", "\1") QUESTION CNAME, true, PROBE_FAILURE,
	    "NOERROR, 0 records"),
	ROW("nothing, for it is truncated", HEADER("\x86\0", "\0") QUESTION, true, PROBE_FAILURE,
	    "NOERROR, 0 records, truncated"),
	ROW("NXDOMAIN is not expected", HEADER("\x84\3", "\0") QUESTION, true, PROBE_FAILURE,
	    "NXDOMAIN"),
	ROW("REFUSED is", HEADER("\x80\5", "\0") QUESTION, true, PROBE_SUCCESS, "REFUSED"),
	ROW("an error without the question", "\x12\x34\x80\1\0\0\0\0\0\0\0\0", true, PROBE_FAILURE,
	    "FORMERR"),
	ROW("letters of another case",
	    HEADER("\x84\0", "\1") "\1A\7eXample\0\0\1\0\1" RECORD("\xc0\0\2\1"), true,
	    PROBE_SUCCESS, "NOERROR, 1 record"),
	ROW("one record is announced, none is there", HEADER("\x84\0", "\1") QUESTION, true,
	    PROBE_FAILURE, "an answer that cannot be read"),
	ROW("RDATA is longer than the message",
	    HEADER("\x84\0", "\1") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\5\xc0\0\2\1", true,
	    PROBE_FAILURE, "an answer that cannot be read"),
	ROW("an address without octets",
	    HEADER("\x84\0", "\1") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\0", true, PROBE_FAILURE,
	    "an answer that cannot be read"),
	ROW("one with an octet too many, beside the one expected",
	    HEADER("\x84\0", "\2")
		    QUESTION RECORD("\xc0\0\2\1") "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\5\xc0\0\2\1\1",
	    true, PROBE_FAILURE, "an answer that cannot be read"),
	ROW("another id", "\x12\x35\x84\0\0\1\0\0\0\0\0\0" QUESTION, false, 0, "another id"),
	ROW("our own question", HEADER("\0\0", "\0") QUESTION, false, 0, "no answer to a query"),
	ROW("another name", HEADER("\x84\0", "\0") "\1b\7example\0\0\1\0\1", false, 0,
	    "another question"),
	ROW("another type", HEADER("\x84\0", "\0") "\1a\7example\0\0\x1c\0\1", false, 0,
	    "another question"),
	ROW("half a question", HEADER("\x84\0", "\0") "\1a\7exam", false, 0, "another question"),
	ROW("no question and no error", "\x12\x34\x84\0\0\0\0\0\0\0\0\0", false, 0,
	    "another question"),
	ROW("half a header", "\x12\x34\x84", false, 0, "shorter than a header"),
};

struct given {
	struct dns_probe_settings settings;
	char question[sizeof(QUESTION)];
	struct ip_address address;
};

static const struct given given = {
	{ .question = { offsetof(struct given, question), sizeof(QUESTION) - 1 },
	  .addresses = { offsetof(struct given, address), sizeof(struct ip_address) },
	  .rcodes = 1U << 0 | 1U << 5,
	  .answers_min = 1 },
	QUESTION,
	{ { 192, 0, 2, 1 }, IP_V4 },
};

START_TEST(messages_count_as_they_should)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum probe_outcome outcome = PROBE_NOT_MADE;
		char why[PROBE_WHY_SIZE];
		bool answers = dns_judge(&given.settings, ID, (const uint8_t *)rows[i].message,
					 rows[i].len, &outcome, why);

		ck_assert_msg(answers == rows[i].answers, "%s: %s", rows[i].story, why);
		ck_assert_msg(!answers || outcome == rows[i].outcome, "%s", rows[i].story);
		ck_assert_msg(strcmp(why, rows[i].why) == 0, "%s: %s", rows[i].story, why);
	}
}
END_TEST

START_TEST(query_is_the_question_with_a_header)
{
	struct given asked = given;
	uint8_t query[DNS_QUERY_SIZE];

	ck_assert_uint_eq(dns_make_query(&asked.settings, ID, query), 12 + sizeof(QUESTION) - 1);
	ck_assert_mem_eq(query, "\x12\x34\0\0\0\1\0\0\0\0\0\0" QUESTION, 12 + sizeof(QUESTION) - 1);
	asked.settings.recursion = 1;
	(void)dns_make_query(&asked.settings, ID, query);
	ck_assert_uint_eq(query[2], 1);
}
END_TEST

void add_dns_judge_tests(Suite *suite)
{
	suite_case(suite, "dns_judge", messages_count_as_they_should,
		   query_is_the_question_with_a_header);
}
