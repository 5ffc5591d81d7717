/* The secrets of DNS cookies that control makes. */
#include "control/secrets.h"

#include <string.h>

#include "../run.h"
#include "control_test.h"

START_TEST(a_new_secret_comes_first_and_the_one_before_is_kept)
{
	struct secrets secrets = { 0 }, before;

	ck_assert(secrets_roll(&secrets));
	ck_assert_uint_eq(secrets.count, 1);
	for (int i = 0; i < 3; i++) {
		before = secrets;
		ck_assert(secrets_roll(&secrets));
		ck_assert_uint_eq(secrets.count, 2);
		ck_assert_mem_eq(secrets.octets[1], before.octets[0], COOKIE_SECRET_SIZE);
		ck_assert_mem_ne(secrets.octets[0], before.octets[0], COOKIE_SECRET_SIZE);
		ck_assert_mem_ne(secrets.octets[0], before.octets[1], COOKIE_SECRET_SIZE);
	}
}
END_TEST

START_TEST(a_control_that_was_restarted_goes_on_with_the_secrets_being_served)
{
	const struct dns_settings plan = { .cookies = 1 };
	struct dns_settings steering = { .cookies = 1, .cookie_secret_count = 2 };
	struct secrets secrets = { 0 };

	memset(steering.cookie_secrets[0], 'a', COOKIE_SECRET_SIZE);
	memset(steering.cookie_secrets[1], 'b', COOKIE_SECRET_SIZE);
	secrets_adopt(&secrets, &plan, &steering);
	ck_assert_uint_eq(secrets.count, 2);
	ck_assert_mem_eq(secrets.octets, steering.cookie_secrets, sizeof(secrets.octets));
}
END_TEST

START_TEST(what_the_operator_wrote_is_not_adopted)
{
	const struct dns_settings plan = { .cookies = 1, .cookie_secret_count = 2 };
	const struct dns_settings off = { .cookies = 0 };
	struct secrets secrets = { 0 };

	secrets_adopt(&secrets, &plan, &plan);
	secrets_adopt(&secrets, &off, &off);
	ck_assert_uint_eq(secrets.count, 0);
}
END_TEST

void add_secrets_cases(Suite *suite)
{
	suite_case(suite, "secrets", a_new_secret_comes_first_and_the_one_before_is_kept,
		   a_control_that_was_restarted_goes_on_with_the_secrets_being_served,
		   what_the_operator_wrote_is_not_adopted);
}
