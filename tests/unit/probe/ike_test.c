/* Requests as strongSwan took them, and answers as it sent them, but for SPIs. */
#include "probe/ike.h"

#include <string.h>

#include "probe/ike_judge.h"
#include "tests/unit/probe/probe_test.h"

static const struct ikev2_settings liveness = { .mode = IKE_LIVENESS, .attempts = 3 };
static const struct ikev2_settings config = { .mode = IKE_CONFIG,
					      .attempts = 3,
					      .encryption = 12,
					      .key_bits = 256,
					      .integrity = 12,
					      .prf = 5,
					      .group = 14 };
static const struct ike_cookie none;

#define SPI "\x11\x22\x33\x44\x55\x66\x77\x88"

static struct ike_fresh some(void)
{
	struct ike_fresh fresh;

	memcpy(fresh.spi, SPI, sizeof(fresh.spi));
	memset(fresh.nonce, 0xaa, sizeof(fresh.nonce));
	memset(fresh.value, 0xff, sizeof(fresh.value));
	return fresh;
}

/* An answer to SPI from 0x99...: payloads of `type` first, with the right length. */
static size_t make_answer(uint8_t out[256], uint8_t type, const void *payloads, size_t len)
{
	static const uint8_t tail[] = { 0x20, 34, 0x20, 0, 0, 0, 0, 0, 0, 0 };

	memcpy(out, SPI, 8);
	memset(out + 8, 0x99, 8);
	out[16] = type;
	memcpy(out + 17, tail, sizeof(tail));
	out[27] = (uint8_t)(28 + len);
	memcpy(out + 28, payloads, len);
	return 28 + len;
}

static enum ike_answer read_answer(const struct ikev2_settings *settings, const uint8_t *message,
				   size_t len, struct ike_reply *reply)
{
	return ike_read(settings, (const uint8_t *)SPI, message, len, reply);
}

/* What the first payload of the request and those after it are, in order. */
static void assert_payloads(const uint8_t *request, size_t len, const uint8_t *types, size_t count)
{
	uint8_t type = request[16];
	size_t at = 28;

	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(type, types[i]);
		type = request[at];
		at += (size_t)(request[at + 2] << 8 | request[at + 3]);
		ck_assert_uint_le(at, len);
	}
	ck_assert_uint_eq(type, 0);
	ck_assert_uint_eq(at, len);
}

START_TEST(request_is_what_the_rfc_says)
{
	static const uint8_t header[] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0,  0,
					  0,    0,    0,    0,    0,    0,    33,   0x20, 34, 8,
					  0,    0,    0,    0,    0,    0,    0,    160 };
	static const uint8_t sa[] = { 34, 0,  0, 48, 0, 0,  0,    44, 1, 1,  0, 4,  3, 0,
				      0,  12, 1, 0,  0, 12, 0x80, 14, 1, 0,  3, 0,  0, 8,
				      3,  0,  0, 12, 3, 0,  0,    8,  2, 0,  0, 5,  0, 0,
				      0,  8,  4, 0,  0, 14, 40,   0,  0, 40, 0, 31, 0, 0 };
	static const uint8_t types[] = { 33, 34, 40, 41 };
	uint8_t request[IKE_REQUEST_MAX];
	struct ike_fresh fresh = some();

	ck_assert_uint_eq(ike_request(&config, &fresh, &none, request), 160);
	ck_assert_mem_eq(request, header, sizeof(header));
	ck_assert_mem_eq(request + sizeof(header), sa, sizeof(sa));
	assert_payloads(request, 160, types, sizeof(types));
}
END_TEST

START_TEST(key_exchange_is_of_another_group_in_mode_config_alone)
{
	struct ikev2_settings settings = config;
	uint8_t request[IKE_REQUEST_MAX];
	struct ike_fresh fresh = some();

	settings.group = 31;
	ck_assert_uint_eq(ike_request(&settings, &fresh, &none, request), 160 + 256 - 32);
	ck_assert_uint_eq(request[28 + 48 + 5], 14);
	ck_assert_uint_eq(request[28 + 48 + 8], 0x7f); /* below the prime */
	settings.mode = IKE_FULL;
	ck_assert_uint_eq(ike_request(&settings, &fresh, &none, request), 160);
	ck_assert_uint_eq(request[28 + 48 + 5], 31);
	settings.group = 16;
	ck_assert_uint_eq(ike_request(&settings, &fresh, &none, request), 160 + 512 - 32);
	ck_assert_uint_eq(request[28 + 48 + 5], 16);
}
END_TEST

START_TEST(ciphers_without_integrity_have_three_transforms)
{
	struct ikev2_settings settings = config;
	uint8_t request[IKE_REQUEST_MAX];
	struct ike_fresh fresh = some();

	settings.encryption = 20;
	settings.integrity = 0;
	ck_assert_uint_eq(ike_request(&settings, &fresh, &none, request), 152);
	ck_assert_uint_eq(request[28 + 11], 3);
	ck_assert_uint_eq(ike_request(&liveness, &fresh, &none, request), 156);
}
END_TEST

START_TEST(cookie_comes_first_and_the_rest_stays_as_it_was)
{
	static const uint8_t types[] = { 41, 33, 34, 40, 41 };
	static const uint8_t notify[] = { 33, 0, 0, 10, 0, 0, 0x40, 0x06, 0xc0, 0xc1 };
	const struct ike_cookie cookie = { 2, { 0xc0, 0xc1 } };
	uint8_t first[IKE_REQUEST_MAX], second[IKE_REQUEST_MAX];
	struct ike_fresh fresh = some();

	(void)ike_request(&config, &fresh, &none, first);
	ck_assert_uint_eq(ike_request(&config, &fresh, &cookie, second), 170);
	assert_payloads(second, 170, types, sizeof(types));
	ck_assert_mem_eq(second + 28, notify, sizeof(notify));
	ck_assert_mem_eq(second + 38, first + 28, 132);
}
END_TEST

START_TEST(marker_precedes_and_does_not_count)
{
	struct ikev2_settings settings = config;
	uint8_t plain[IKE_REQUEST_MAX], marked[IKE_REQUEST_MAX], answer[260] = { 0 };
	struct ike_fresh fresh = some();
	struct ike_reply reply;
	size_t len;

	settings.marker = 1;
	(void)ike_request(&config, &fresh, &none, plain);
	ck_assert_uint_eq(ike_request(&settings, &fresh, &none, marked), 164);
	ck_assert_mem_eq(marked, "\0\0\0\0", 4);
	ck_assert_mem_eq(marked + 4, plain, 160);
	len = make_answer(answer + 4, 41, "\0\0\0\x8\0\0\0\xe", 8) + 4;
	ck_assert_int_eq(read_answer(&settings, answer, len, &reply), IKE_NOTIFIED);
	answer[3] = 1;
	ck_assert_int_eq(read_answer(&settings, answer, len, &reply), IKE_NO_ANSWER);
	ck_assert_str_eq(reply.why, "not marked as IKE");
}
END_TEST

START_TEST(answers_are_read)
{
	uint8_t m[256];
	struct ike_reply reply;
	size_t len = make_answer(m, 41, "\0\0\0\xa\0\0\0\x11\0\xe", 10);

	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NOTIFIED);
	ck_assert_uint_eq(reply.notify, IKE_INVALID_KE_PAYLOAD);
	ck_assert_uint_eq(reply.group, 14);
	len = make_answer(m, 41, "\0\0\0\x8\1\0\0\xe", 8);
	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NOTIFIED);
	ck_assert_uint_eq(reply.notify, IKE_NO_PROPOSAL_CHOSEN);
	len = make_answer(m, 41, "\0\0\0\xb\0\0\x40\x06xyz", 11);
	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NOTIFIED);
	ck_assert_uint_eq(reply.notify, IKE_COOKIE);
	ck_assert_uint_eq(reply.cookie.len, 3);
	ck_assert_mem_eq(reply.cookie.octets, "xyz", 3);
	len = make_answer(m, 33, "\x22\0\0\4\x29\0\0\4\0\0\0\x8\0\0\x40\x22", 16);
	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_ACCEPTED);
	memset(m + 8, 0, 8); /* who goes on has an SPI */
	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NO_ANSWER);
	ck_assert_str_eq(reply.why, "neither an error nor a choice");
	/* What is no error may stand before one. */
	len = make_answer(m, 41, "\x29\0\0\x8\0\0\x40\x22\0\0\0\x8\0\0\0\x7", 16);
	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NOTIFIED);
	ck_assert_uint_eq(reply.notify, 7);
}
END_TEST

START_TEST(what_does_not_answer_is_ignored)
{
	uint8_t m[256];
	struct ike_reply reply;
	const size_t len = make_answer(m, 41, "\0\0\0\x8\0\0\0\xe", 8);
	static const struct {
		size_t at;
		uint8_t value;
		const char *why;
	} rows[] = {
		{ 0, 0, "an answer to another SPI" },
		{ 17, 0x10, "of another version of IKE" },
		{ 18, 35, "no response to IKE_SA_INIT" },
		{ 19, 0x08, "no response to IKE_SA_INIT" },
		{ 19, 0x28, "no response to IKE_SA_INIT" },
		{ 23, 1, "no response to IKE_SA_INIT" },
		{ 27, 37, "of another length than it says" },
		{ 28, 41, "malformed" }, /* one more payload, which is not there */
		{ 31, 3, "malformed" },
		{ 31, 9, "malformed" },
		{ 33, 1, "neither an error nor a choice" }, /* the SPI is behind the end */
		{ 35, 0, "neither an error nor a choice" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t kept = m[rows[i].at];

		m[rows[i].at] = rows[i].value;
		ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NO_ANSWER);
		ck_assert_str_eq(reply.why, rows[i].why);
		m[rows[i].at] = kept;
	}
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(read_answer(&config, m, cut, &reply), IKE_NO_ANSWER);
	ck_assert_int_eq(read_answer(&config, m, len, &reply), IKE_NOTIFIED);
}
END_TEST

static const struct judged {
	enum ike_mode mode;
	enum ike_answer answer;
	uint16_t notify, group;
	enum probe_outcome outcome;
	const char *why;
} judged[] = {
	{ IKE_LIVENESS, IKE_NOTIFIED, 14, 0, PROBE_SUCCESS, "NO_PROPOSAL_CHOSEN" },
	{ IKE_LIVENESS, IKE_NOTIFIED, IKE_COOKIE, 0, PROBE_SUCCESS, "COOKIE" },
	{ IKE_LIVENESS, IKE_NOTIFIED, 99, 0, PROBE_SUCCESS, "error notify 99" },
	{ IKE_LIVENESS, IKE_ACCEPTED, 0, 0, PROBE_WARNING, "accepts DES and MD5" },
	{ IKE_LIVENESS, IKE_NOTIFIED, IKE_REDIRECT, 0, PROBE_WARNING,
	  "REDIRECT: it sends clients to another server" },
	{ IKE_CONFIG, IKE_NOTIFIED, 17, 14, PROBE_SUCCESS,
	  "INVALID_KE_PAYLOAD: it takes the proposal" },
	{ IKE_CONFIG, IKE_NOTIFIED, 17, 31, PROBE_FAILURE, "INVALID_KE_PAYLOAD" },
	{ IKE_CONFIG, IKE_NOTIFIED, 14, 0, PROBE_FAILURE,
	  "NO_PROPOSAL_CHOSEN: no connection takes the proposal" },
	{ IKE_CONFIG, IKE_NOTIFIED, 7, 0, PROBE_FAILURE, "INVALID_SYNTAX" },
	{ IKE_CONFIG, IKE_NOTIFIED, IKE_COOKIE, 0, PROBE_WARNING, "COOKIE: under load" },
	{ IKE_CONFIG, IKE_ACCEPTED, 0, 0, PROBE_WARNING,
	  "accepts a key exchange that it was not offered" },
	{ IKE_FULL, IKE_ACCEPTED, 0, 0, PROBE_SUCCESS, "accepted" },
	{ IKE_FULL, IKE_NOTIFIED, 17, 31, PROBE_FAILURE,
	  "INVALID_KE_PAYLOAD: it asks for group 31" },
	{ IKE_FULL, IKE_NOTIFIED, 14, 0, PROBE_FAILURE, "NO_PROPOSAL_CHOSEN" },
	{ IKE_FULL, IKE_NOTIFIED, IKE_COOKIE, 0, PROBE_WARNING,
	  "COOKIE: under load, or too many half-open states" },
};

START_TEST(each_answer_counts_as_its_mode_has_it)
{
	const struct judged *row = &judged[_i];
	struct ikev2_settings settings = config;
	const struct ike_reply reply = { .notify = row->notify, .group = row->group };
	struct probe_result result = { 0 };
	char why[PROBE_WHY_SIZE];

	settings.mode = (uint8_t)row->mode;
	ike_judge(&settings, row->answer, &reply, why, &result);
	ck_assert_int_eq(result.outcome, row->outcome);
	ck_assert_str_eq(result.why, row->why);
	ck_assert_int_eq(result.wish, WISH_NONE);
}
END_TEST

START_TEST(redirect_can_be_a_wish_to_be_drained_which_ends)
{
	struct ikev2_settings settings = liveness;
	const struct ike_reply redirect = { .notify = IKE_REDIRECT }, other = { .notify = 14 };
	struct probe_result result = { 0 };
	char why[PROBE_WHY_SIZE];

	settings.redirect = IKE_REDIRECT_DRAINS;
	ike_judge(&settings, IKE_NOTIFIED, &redirect, why, &result);
	ck_assert_int_eq(result.outcome, PROBE_SUCCESS);
	ck_assert_int_eq(result.wish, WISH_DRAIN);
	ike_judge(&settings, IKE_NOTIFIED, &other, why, &result);
	ck_assert_int_eq(result.wish, WISH_READY);
}
END_TEST

void add_ike_tests(Suite *suite)
{
	TCase *tcase = tcase_create("ike judged");

	suite_case(suite, "ike", request_is_what_the_rfc_says,
		   key_exchange_is_of_another_group_in_mode_config_alone,
		   ciphers_without_integrity_have_three_transforms,
		   cookie_comes_first_and_the_rest_stays_as_it_was,
		   marker_precedes_and_does_not_count, answers_are_read,
		   what_does_not_answer_is_ignored,
		   redirect_can_be_a_wish_to_be_drained_which_ends);
	tcase_add_loop_test(tcase, each_answer_counts_as_its_mode_has_it, 0,
			    (int)(sizeof(judged) / sizeof(judged[0])));
	suite_add_tcase(suite, tcase);
}
