/* Server cookies: the examples of RFC 9018, appendix A, and every border of what is valid. */
#include "serve/cookies.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/unit/serve/serve_test.h"

static void from_hex(const char *hex, uint8_t *out)
{
	for (size_t i = 0; hex[2 * i] != '\0'; i++) {
		unsigned octet;

		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &octet), 1);
		out[i] = (uint8_t)octet;
	}
}

static void set_cookie(struct edns *query, const char *hex)
{
	query->has = EDNS_HAS_COOKIE;
	query->cookie_len = (uint8_t)(strlen(hex) / 2);
	from_hex(hex, query->cookie);
}

#define SECRET_1 "e5e973e5a6b2a43f48e7dc849e37bfcf" /* A.1 to A.3 */
#define SECRET_2 "dd3bdf9344b678b185a6f5cb60fca715" /* A.4: the old one */
#define SECRET_3 "445536bcd2513298075a5d379663c962" /* A.4: the new one */

static const struct {
	const char *what, *client, *secrets[2], *query;
	uint32_t now_s;
	enum cookie_verdict verdict;
	const char *answer;
} examples[] = {
	{ "A.1, a new one",
	  "198.51.100.100",
	  { SECRET_1 },
	  "2464c4abcf10c957",
	  1559731985,
	  COOKIE_NEW,
	  "2464c4abcf10c957010000005cf79f111f8130c3eee29480" },
	{ "A.2, renewed after 40 minutes",
	  "198.51.100.100",
	  { SECRET_1 },
	  "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
	  1559734385,
	  COOKIE_VALID,
	  "2464c4abcf10c957010000005cf7a871d4a564a1442aca77" },
	{ "A.3, reserved octets are set; when it was young",
	  "203.0.113.203",
	  { SECRET_1 },
	  "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
	  1559727985,
	  COOKIE_VALID,
	  "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5" },
	{ "A.3, the answer, which is of another hour",
	  "203.0.113.203",
	  { SECRET_1 },
	  "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
	  1559734700,
	  COOKIE_INVALID,
	  "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e" },
	{ "A.4, IPv6 and a rolled secret",
	  "2001:db8:220:1:59de:d0f4:8769:82b8",
	  { SECRET_3, SECRET_2 },
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
	  1559741961,
	  COOKIE_VALID,
	  "22681ab97d52c298010000005cf7c609a6bb79d16625507a" },
	{ "A.4 before the secret is rolled",
	  "2001:db8:220:1:59de:d0f4:8769:82b8",
	  { SECRET_2, SECRET_3 },
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
	  1559741961,
	  COOKIE_VALID,
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8" },
	{ "A.4 without the old secret",
	  "2001:db8:220:1:59de:d0f4:8769:82b8",
	  { SECRET_3 },
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
	  1559741961,
	  COOKIE_INVALID,
	  "22681ab97d52c298010000005cf7c609a6bb79d16625507a" },
};

START_TEST(the_examples_of_the_rfc)
{
	struct dns_settings settings = { .cookies = 1 };
	uint8_t answer[COOKIE_ANSWER_SIZE], expected[COOKIE_ANSWER_SIZE];
	struct edns query = { 0 };
	struct ip_address client;

	for (unsigned i = 0; i < 2 && examples[_i].secrets[i] != NULL; i++)
		from_hex(examples[_i].secrets[i],
			 settings.cookie_secrets[settings.cookie_secret_count++]);
	ck_assert(ip_parse(examples[_i].client, &client));
	set_cookie(&query, examples[_i].query);
	from_hex(examples[_i].answer, expected);
	ck_assert_msg(cookie_answer(&settings, query.cookie, query.cookie_len, &client,
				    examples[_i].now_s, answer) == examples[_i].verdict,
		      "%s", examples[_i].what);
	ck_assert_mem_eq(answer, expected, sizeof(expected));
}
END_TEST

/* --- borders ---------------------------------------------------------------------------------- */

static struct dns_settings shared = { .cookies = 1,
				      .cookie_secret_count = 2,
				      .cookie_secrets = { "0123456789abcde", "ABCDEFGHIJKLMNO" } };
static const struct ip_address here = { { 192, 0, 2, 1 }, IP_V4 };

/* A query's cookie that was made at that time. */
static struct edns made_at(uint32_t now_s)
{
	struct edns query = { .has = EDNS_HAS_COOKIE, .cookie_len = 8, .cookie = "client!" };
	uint8_t answer[COOKIE_ANSWER_SIZE];

	ck_assert_int_eq(
		cookie_answer(&shared, query.cookie, query.cookie_len, &here, now_s, answer),
		COOKIE_NEW);
	ck_assert_mem_eq(answer, query.cookie, 8);
	ck_assert_uint_eq(load_u32(answer + 8), 0x01000000);
	ck_assert_uint_eq(load_u32(answer + 12), now_s);
	query.cookie_len = COOKIE_ANSWER_SIZE;
	memcpy(query.cookie, answer, sizeof(answer));
	return query;
}

static const struct {
	int32_t age_s;
	enum cookie_verdict verdict;
	bool kept; /* the same goes back */
} ages[] = {
	{ 0, COOKIE_VALID, true },
	{ 1799, COOKIE_VALID, true },
	{ 1800, COOKIE_VALID, false },
	{ 3600, COOKIE_VALID, false },
	{ 3601, COOKIE_INVALID, false },
	{ -300, COOKIE_VALID, true },
	{ -301, COOKIE_INVALID, false },
	{ INT32_MAX, COOKIE_INVALID, false },
	{ INT32_MIN, COOKIE_INVALID, false },
};

/* RFC 9018, 4.3, by serial number arithmetic: also where the counter wraps in between. */
START_TEST(a_cookie_has_an_age)
{
	static const uint32_t made[] = { 1559731985,        0,        100, UINT32_MAX,
					 UINT32_MAX - 1000, INT32_MAX };
	uint8_t answer[COOKIE_ANSWER_SIZE];

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		struct edns query = made_at(made[i]);
		uint32_t now_s = made[i] + (uint32_t)ages[_i].age_s;

		ck_assert_int_eq(cookie_answer(&shared, query.cookie, query.cookie_len, &here,
					       now_s, answer),
				 ages[_i].verdict);
		ck_assert_int_eq(memcmp(answer, query.cookie, sizeof(answer)) == 0, ages[_i].kept);
		if (!ages[_i].kept)
			ck_assert_uint_eq(load_u32(answer + 12), now_s);
	}
}
END_TEST

START_TEST(every_bit_of_a_cookie_counts)
{
	const struct edns good = made_at(1559731985);
	uint8_t answer[COOKIE_ANSWER_SIZE];

	for (unsigned bit = 0; bit < COOKIE_ANSWER_SIZE * 8; bit++) {
		struct edns query = good;

		query.cookie[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_int_eq(cookie_answer(&shared, query.cookie, query.cookie_len, &here,
					       1559731985, answer),
				 COOKIE_INVALID);
		ck_assert_mem_eq(answer, query.cookie, 8);
	}
}
END_TEST

START_TEST(a_cookie_is_of_its_address)
{
	const struct edns query = made_at(1559731985);
	struct ip_address other = here;
	uint8_t answer[COOKIE_ANSWER_SIZE];

	other.bytes[3]++;
	ck_assert_int_eq(
		cookie_answer(&shared, query.cookie, query.cookie_len, &other, 1559731985, answer),
		COOKIE_INVALID);
	other = here;
	other.family = IP_V6;
	ck_assert_int_eq(
		cookie_answer(&shared, query.cookie, query.cookie_len, &other, 1559731985, answer),
		COOKIE_INVALID);
}
END_TEST

START_TEST(server_cookies_of_other_lengths_are_not_ours)
{
	struct edns query = made_at(1559731985);
	uint8_t answer[COOKIE_ANSWER_SIZE];

	for (uint8_t len = COOKIE_SIZE_MIN; len <= COOKIE_SIZE_MAX; len++) {
		query.cookie_len = len;
		ck_assert_int_eq(cookie_answer(&shared, query.cookie, query.cookie_len, &here,
					       1559731985, answer),
				 len == COOKIE_ANSWER_SIZE ? COOKIE_VALID : COOKIE_INVALID);
	}
}
END_TEST

void add_cookie_tests(Suite *suite)
{
	TCase *loops = tcase_create("cookies");

	tcase_add_loop_test(loops, the_examples_of_the_rfc, 0,
			    sizeof(examples) / sizeof(examples[0]));
	tcase_add_loop_test(loops, a_cookie_has_an_age, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_test(loops, every_bit_of_a_cookie_counts);
	tcase_add_test(loops, a_cookie_is_of_its_address);
	tcase_add_test(loops, server_cookies_of_other_lengths_are_not_ours);
	suite_add_tcase(suite, loops);
}
