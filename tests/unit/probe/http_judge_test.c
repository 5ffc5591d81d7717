#include "probe/http_judge.h"

#include <string.h>

#include "tests/unit/probe/probe_test.h"

#define DAY_S 86400
#define BODY  "<config-auth client=\"vpn\" type=\"auth-request\">"

static const struct {
	const char *story;
	const char *expect_body;
	struct web_answer answer;
	enum probe_outcome outcome;
	const char *why;
} rows[] = {
	{ "an expected status", "", { .status = 200 }, PROBE_SUCCESS, "HTTP status 200" },
	{ "the last of a range", "", { .status = 299 }, PROBE_SUCCESS, "HTTP status 299" },
	{ "one behind it", "", { .status = 300 }, PROBE_FAILURE, "HTTP status 300" },
	{ "one alone", "", { .status = 401 }, PROBE_SUCCESS, "HTTP status 401" },
	{ "an error of the server", "", { .status = 503 }, PROBE_FAILURE, "HTTP status 503" },
	{ "no connection",
	  "",
	  { .error = "Connection refused" },
	  PROBE_FAILURE,
	  "Connection refused" },
	{ "an error that there is no room for",
	  "",
	  { .error = "/etc/signpost/pools/keys/monitor.key: no private key of the client "
		     "certificate: bad decrypt" },
	  PROBE_FAILURE,
	  "/etc/signpost/pools/keys/monitor.key: no private key of the client..." },
	{ "a word that there is no room for",
	  "",
	  { .error =
		    "/etc/signpost/a-folder-with-a-name-without-any-blanks-in-it/monito\xc3\xb6\xc3"
		    "\xb6.key" },
	  PROBE_FAILURE,
	  "/etc/signpost/a-folder-with-a-name-without-any-blanks-in-it/monito\xc3\xb6..." },
	{ "a lack of ours",
	  "",
	  { .error = "Too many open files", .ours = true },
	  PROBE_NOT_MADE,
	  "Too many open files" },
	{ "the text at the end of the body",
	  "auth-request\">",
	  { .status = 200, .body = BODY, .body_len = sizeof(BODY) - 1 },
	  PROBE_SUCCESS,
	  "HTTP status 200" },
	{ "the text behind what was read",
	  "auth-request\">",
	  { .status = 200, .body = BODY, .body_len = sizeof(BODY) - 2, .cut = true },
	  PROBE_FAILURE,
	  "HTTP status 200, but the body has not the text expected" },
	{ "no body where there should be one",
	  "x",
	  { .status = 200, .body = "", .body_len = 0 },
	  PROBE_FAILURE,
	  "HTTP status 200, but the body has not the text expected" },
	{ "a certificate with time to live",
	  "",
	  { .status = 200, .has_certificate = true, .certificate_s = 14 * DAY_S },
	  PROBE_SUCCESS,
	  "HTTP status 200" },
	{ "a certificate that ends soon",
	  "",
	  { .status = 200, .has_certificate = true, .certificate_s = 14 * DAY_S - 1 },
	  PROBE_WARNING,
	  "HTTP status 200, certificate expires in 13 days" },
	{ "a certificate that ends this day",
	  "",
	  { .status = 200, .has_certificate = true, .certificate_s = 3599 },
	  PROBE_WARNING,
	  "HTTP status 200, certificate expires in 59 minutes" },
	{ "a certificate that has expired, and is not verified",
	  "",
	  { .status = 200, .has_certificate = true, .certificate_s = -2 * DAY_S },
	  PROBE_WARNING,
	  "HTTP status 200, certificate expired 2 days ago" },
	{ "a failure goes before a warning",
	  "",
	  { .status = 500, .has_certificate = true, .certificate_s = 1 },
	  PROBE_FAILURE,
	  "HTTP status 500" },
};

START_TEST(answers_count_as_they_should)
{
	struct {
		struct http_settings http;
		char text[64];
	} settings = { .http = { .warn_days = 14,
				 .range_count = 2,
				 .ranges = { { 200, 299 }, { 401, 401 } },
				 .expect_body = { sizeof(struct http_settings), 0 } } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct web_answer answer = rows[i].answer;
		char why[PROBE_WHY_SIZE];

		settings.http.expect_body.len = (uint32_t)strlen(rows[i].expect_body);
		memcpy(settings.text, rows[i].expect_body, settings.http.expect_body.len + 1);
		if (answer.body == NULL)
			answer.body = "";
		ck_assert_msg(http_judge(&settings.http, &answer, why) == rows[i].outcome, "%s",
			      rows[i].story);
		ck_assert_str_eq(why, rows[i].why);
	}
}
END_TEST

void add_http_judge_tests(Suite *suite)
{
	suite_case(suite, "http_judge", answers_count_as_they_should);
}
