#include "probe/evidence.h"

#include <string.h>

#include "tests/unit/probe/probe_test.h"

static const char *last(const struct evidence *evidence)
{
	return evidence->steps[evidence->count - 1].text;
}

START_TEST(a_secret_is_hidden_wherever_it_would_be_told)
{
	struct evidence evidence = { 0 };

	evidence_note(&evidence, "%s", "hunter2 is not known yet");
	ck_assert_str_eq(last(&evidence), "hunter2 is not known yet");
	evidence_hide(&evidence, "hunter2", 7);
	evidence_hide(&evidence, "", 0);
	evidence_note(&evidence, "received \"%s\"", "hunter2, hunter2hunter2 and hunter");
	ck_assert_str_eq(last(&evidence), "received \"[hidden], [hidden][hidden] and hunter\"");
	evidence_octets(&evidence, "a\0hunter2z", 10, "hunter%d", 2);
	ck_assert_str_eq(last(&evidence), "[hidden]");
	ck_assert_str_eq(evidence.steps[2].octets, "61005b68696464656e5d7a");
	evidence_free(&evidence);
	evidence_hide(NULL, "x", 1);
	evidence_hide_line(NULL, "x");
}
END_TEST

/* What came may end within it, and so may what is told. */
START_TEST(the_beginning_of_a_secret_is_hidden_at_the_end)
{
	struct evidence evidence = { 0 };
	char line[300];

	evidence_hide(&evidence, "hunter2", 7);
	evidence_note(&evidence, "%s", "hunt");
	ck_assert_str_eq(last(&evidence), "[hidden]");
	evidence_note(&evidence, "%s", "hun");
	ck_assert_str_eq(last(&evidence), "hun");
	memset(line, 'x', sizeof(line));
	memcpy(line + 250, "hunter2", sizeof("hunter2"));
	evidence_note(&evidence, "%s", line);
	ck_assert_uint_eq(strlen(last(&evidence)), 255);
	ck_assert_ptr_null(strstr(last(&evidence), "hunt"));
	ck_assert_str_eq(last(&evidence) + 250, "[h...");
	evidence_free(&evidence);
}
END_TEST

START_TEST(of_a_line_its_words_are_hidden_too)
{
	struct evidence evidence = { 0 };

	evidence_hide_line(&evidence, "Bearer c2VjcmV0  and more");
	evidence_note(&evidence, "%s", "Bearer; c2VjcmV0; and; more; Bearer c2VjcmV0  and more");
	ck_assert_str_eq(last(&evidence), "Bearer; [hidden]; and; [hidden]; [hidden]");
	evidence_free(&evidence);
}
END_TEST

START_TEST(texts_do_not_control_terminals)
{
	struct evidence evidence = { 0 };

	evidence_note(&evidence, "%s", "a\x1b[1m\xc2\x9b\n");
	ck_assert_str_eq(last(&evidence), "a?[1m???");
	evidence_free(&evidence);
}
END_TEST

void add_evidence_tests(Suite *suite)
{
	suite_case(suite, "evidence", a_secret_is_hidden_wherever_it_would_be_told,
		   the_beginning_of_a_secret_is_hidden_at_the_end,
		   of_a_line_its_words_are_hidden_too, texts_do_not_control_terminals);
}
