#include "tests/unit/serve/serve_test.h"

int main(void)
{
	Suite *suite = suite_create("serve");

	add_message_tests(suite);
	add_choose_tests(suite);
	add_eviction_tests(suite);
	add_answer_tests(suite);
	add_batch_tests(suite);
	add_size_tests(suite);
	add_cookie_tests(suite);
	add_option_tests(suite);
	return run_suite(suite);
}
