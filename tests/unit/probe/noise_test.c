#include "probe/noise.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/probe/noise_vectors.h"
#include "tests/unit/probe/probe_test.h"

static void unhex(const char *digits, uint8_t *out, size_t size)
{
	ck_assert_uint_eq(strlen(digits), 2 * size);
	for (size_t i = 0; i < size; i++) {
		unsigned octet;

		ck_assert_int_eq(sscanf(digits + 2 * i, "%2x", &octet), 1);
		out[i] = (uint8_t)octet;
	}
}

static void count_up(uint8_t first, uint8_t out[NOISE_KEY_SIZE])
{
	for (uint8_t i = 0; i < NOISE_KEY_SIZE; i++)
		out[i] = (uint8_t)(first + i);
}

/* One initiation, as in the vectors. */
struct story {
	struct noise *noise;
	struct noise_peer peer;
	struct noise_handshake handshake;
	uint8_t message[NOISE_INITIATION_SIZE];
	uint8_t cookie[NOISE_COOKIE_SIZE];
	const char *why;
};

static void begin(struct story *story, const char *timestamp, bool preshared)
{
	uint8_t own[NOISE_KEY_SIZE], server[NOISE_KEY_SIZE], psk[NOISE_KEY_SIZE];
	struct noise_fresh fresh = { .index = { 0x11, 0x22, 0x33, 0x44 } };
	struct err err;

	count_up(0x01, own);
	count_up(0xc0, psk);
	count_up(0x40, fresh.ephemeral);
	unhex(timestamp, fresh.timestamp, sizeof(fresh.timestamp));
	unhex(SERVER_PUBLIC, server, sizeof(server));
	ck_assert_int_eq(noise_open(&story->noise, &err), 0);
	ck_assert_int_eq(noise_peer_init(story->noise, &story->peer, own, server,
					 preshared ? psk : NULL, &err),
			 0);
	noise_initiate(story->noise, &story->peer, &fresh, NULL, &story->handshake, story->message);
}

static enum noise_answer answer(struct story *story, const uint8_t *message, size_t len)
{
	return noise_read(story->noise, &story->peer, &story->handshake, message, len,
			  story->cookie, &story->why);
}

START_TEST(initiation_is_that_of_the_vector)
{
	uint8_t known[NOISE_INITIATION_SIZE], public_key[NOISE_KEY_SIZE];
	struct story story;

	begin(&story, TIMESTAMP, true);
	unhex(OWN_PUBLIC, public_key, sizeof(public_key));
	ck_assert_mem_eq(story.peer.own_public, public_key, sizeof(public_key));
	unhex(INITIATION, known, sizeof(known));
	ck_assert_mem_eq(story.message, known, sizeof(known));
	noise_close(story.noise);
	begin(&story, LATER, true);
	unhex(LATER_INITIATION, known, sizeof(known));
	ck_assert_mem_eq(story.message, known, sizeof(known));
	noise_close(story.noise);
}
END_TEST

START_TEST(response_of_the_real_server_opens)
{
	uint8_t message[NOISE_RESPONSE_SIZE];
	struct story story;

	unhex(RESPONSE, message, sizeof(message));
	begin(&story, TIMESTAMP, true);
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_RESPONSE);
	noise_close(story.noise);
}
END_TEST

START_TEST(another_preshared_key_or_none_is_a_mismatch)
{
	uint8_t message[NOISE_RESPONSE_SIZE];
	struct story story;

	unhex(RESPONSE, message, sizeof(message));
	begin(&story, TIMESTAMP, false);
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_MISMATCH);
	noise_close(story.noise);
	begin(&story, TIMESTAMP, true);
	for (size_t bit = 0; bit < 8 * sizeof(story.peer.preshared); bit++) {
		story.peer.preshared[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_MISMATCH);
		story.peer.preshared[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	noise_close(story.noise);
}
END_TEST

START_TEST(response_with_any_bit_flipped_does_not_count)
{
	uint8_t message[NOISE_RESPONSE_SIZE];
	struct story story;

	unhex(RESPONSE, message, sizeof(message));
	begin(&story, TIMESTAMP, true);
	for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (bit < 8 * 76) /* the second MAC is for cookies that we never gave */
			ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_NONE);
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(answer(&story, message, sizeof(message) - 1), NOISE_NONE);
	ck_assert_str_eq(story.why, "neither a handshake response nor a cookie reply");
	noise_close(story.noise);
}
END_TEST

START_TEST(response_to_another_initiation_is_ignored)
{
	uint8_t message[NOISE_RESPONSE_SIZE];
	struct story story;

	unhex(RESPONSE, message, sizeof(message));
	begin(&story, LATER, true); /* the index is the same: the transcript is not */
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_MISMATCH);
	story.handshake.index[0] ^= 1;
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_NONE);
	ck_assert_str_eq(story.why, "a response to another initiation");
	noise_close(story.noise);
}
END_TEST

START_TEST(ephemeral_key_of_few_points_opens_nothing)
{
	uint8_t message[NOISE_RESPONSE_SIZE];
	struct story story;

	unhex(RESPONSE, message, sizeof(message));
	begin(&story, TIMESTAMP, true);
	memset(message + 12, 0, NOISE_KEY_SIZE); /* the first MAC is wrong then */
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_NONE);
	noise_close(story.noise);
}
END_TEST

START_TEST(cookie_reply_of_the_real_server_opens)
{
	uint8_t message[NOISE_REPLY_SIZE], known[NOISE_COOKIE_SIZE];
	struct story story;

	unhex(COOKIE_REPLY, message, sizeof(message));
	unhex(COOKIE, known, sizeof(known));
	begin(&story, LATER, true);
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_COOKIE);
	ck_assert_mem_eq(story.cookie, known, sizeof(known));
	for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_NONE);
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	story.handshake.mac1[0] ^= 1; /* it is for one initiation alone */
	ck_assert_int_eq(answer(&story, message, sizeof(message)), NOISE_NONE);
	noise_close(story.noise);
}
END_TEST

START_TEST(initiation_with_a_cookie_has_its_second_mac)
{
	struct noise_fresh fresh = { .index = { 1 } };
	static const uint8_t zeros[NOISE_MAC_SIZE];
	uint8_t other[NOISE_INITIATION_SIZE];
	struct story story;

	begin(&story, TIMESTAMP, true);
	unhex(COOKIE, story.cookie, sizeof(story.cookie));
	count_up(0x40, fresh.ephemeral);
	noise_initiate(story.noise, &story.peer, &fresh, NULL, &story.handshake, other);
	noise_initiate(story.noise, &story.peer, &fresh, story.cookie, &story.handshake,
		       story.message);
	ck_assert_mem_eq(story.message, other, 132);
	ck_assert_mem_eq(other + 132, zeros, sizeof(zeros));
	ck_assert_mem_ne(story.message + 132, zeros, sizeof(zeros));
	noise_close(story.noise);
}
END_TEST

START_TEST(public_key_of_few_points_is_refused)
{
	static const uint8_t few[NOISE_KEY_SIZE] = { 1 };
	uint8_t own[NOISE_KEY_SIZE];
	struct noise_peer peer;
	struct noise *noise;
	struct err err;

	count_up(1, own);
	ck_assert_int_eq(noise_open(&noise, &err), 0);
	ck_assert_int_eq(noise_peer_init(noise, &peer, own, few, NULL, &err), -1);
	ck_assert_str_eq(err.text, "no server can have this public key");
	noise_close(noise);
}
END_TEST

void add_noise_tests(Suite *suite)
{
	suite_case(suite, "noise", initiation_is_that_of_the_vector,
		   response_of_the_real_server_opens, another_preshared_key_or_none_is_a_mismatch,
		   response_with_any_bit_flipped_does_not_count,
		   response_to_another_initiation_is_ignored,
		   ephemeral_key_of_few_points_opens_nothing, cookie_reply_of_the_real_server_opens,
		   initiation_with_a_cookie_has_its_second_mac,
		   public_key_of_few_points_is_refused);
}
