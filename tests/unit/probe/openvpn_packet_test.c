#include "probe/openvpn_packet.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/unit/probe/probe_test.h"

/* Each request was sent to OpenVPN 2.6.14, and each reply came from it: static key 00 to ff, session
 * 0102030405060708, time 1700000000. */
#define UNIX_S 1700000000

static const uint8_t session[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static struct openvpn_key static_key(void)
{
	struct openvpn_key key = { 0 };

	for (size_t i = 0; i < sizeof(key.key); i++)
		key.key[i] = (uint8_t)i;
	return key;
}

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned value;

		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &value), 1);
		out[i] = (uint8_t)value;
	}
	return len;
}

static const struct vector {
	enum openvpn_mode mode;
	enum openvpn_direction direction;
	enum openvpn_digest digest;
	const char *request, *reply;
} vectors[] = {
	{ OPENVPN_PLAIN, OPENVPN_DIRECTION_0, OPENVPN_SHA1, "3801020304050607080000000000",
	  "40fefdfcfbfaf9f8f701000000000102030405060708"
	  "00000000" },
	{ OPENVPN_TLS_AUTH, OPENVPN_DIRECTION_1, OPENVPN_SHA256,
	  "38010203040506070836e2743ae2126dc34c9572c48b7858d8d8dcf58e82b4b59ba48c2eaa8bdf5d3a00000001"
	  "6553f1000000000000",
	  "403efbc2bf67fadf5a82927f97a5dde5f077d3dae76a7fe4ff15fcadcfccfa836713d1ff7465542ce500000001"
	  "6b0229840100000000010203040506070800000000" },
	{ OPENVPN_TLS_CRYPT, OPENVPN_DIRECTION_0, OPENVPN_SHA1,
	  "380102030405060708000000016553f100e2fcfd945f4c4d4a65fe3f138b0c4bafa2f10f7a4e77594fca76f3a4"
	  "cad2f5e60bc4ff7777",
	  "40dfda9395d8adc630000000016b0229852a578c1e0aa8a34ee42f05ed2c35b049671569d7fddc9a230e181f2f"
	  "b92eaf291baee24320ac6aac82ab6963d8516bee1e" },
};

static struct openvpn_wrap wrap_of(const struct vector *vector, const struct openvpn_key *key)
{
	return (struct openvpn_wrap){ .mode = vector->mode,
				      .direction = vector->direction,
				      .digest = vector->digest,
				      .key = vector->mode == OPENVPN_PLAIN ? NULL : key };
}

START_TEST(request_is_what_a_server_answered)
{
	const struct openvpn_key key = static_key();
	const struct openvpn_wrap wrap = wrap_of(&vectors[_i], &key);
	uint8_t wanted[256], request[OPENVPN_REQUEST_MAX];
	size_t len = from_hex(vectors[_i].request, wanted);

	ck_assert_uint_eq(openvpn_request(&wrap, session, UNIX_S, request), len);
	ck_assert_mem_eq(request, wanted, len);
}
END_TEST

START_TEST(reply_of_a_server_is_believed)
{
	const struct openvpn_key key = static_key();
	const struct openvpn_wrap wrap = wrap_of(&vectors[_i], &key);
	uint8_t reply[256], answered[OPENVPN_SESSION_SIZE];
	size_t len = from_hex(vectors[_i].reply, reply);

	ck_assert_ptr_null(openvpn_reply(&wrap, reply, len, answered));
	ck_assert_mem_eq(answered, session, sizeof(session));
}
END_TEST

/* Of the plain one, the server's session id and the packet id may be anything. */
START_TEST(reply_with_any_bit_changed_is_none)
{
	const struct openvpn_key key = static_key();
	const struct openvpn_wrap wrap = wrap_of(&vectors[_i], &key);
	uint8_t reply[256], answered[OPENVPN_SESSION_SIZE];
	size_t len = from_hex(vectors[_i].reply, reply);
	bool plain = vectors[_i].mode == OPENVPN_PLAIN;

	for (size_t bit = 0; bit < len * 8; bit++) {
		size_t at = bit / 8;
		bool is_free = plain && ((at >= 1 && at < 9) || at >= 22);
		bool is_ours = plain && at >= 14 && at < 22;
		const char *wrong;

		reply[at] ^= (uint8_t)(1 << bit % 8);
		wrong = openvpn_reply(&wrap, reply, len, answered);
		if (is_ours)
			ck_assert(wrong != NULL || memcmp(answered, session, 8) != 0);
		else
			ck_assert_msg((wrong == NULL) == is_free, "bit %zu", bit);
		reply[at] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_ptr_null(openvpn_reply(&wrap, reply, len, answered));
}
END_TEST

START_TEST(reply_that_is_cut_is_none)
{
	const struct openvpn_key key = static_key();
	const struct openvpn_wrap wrap = wrap_of(&vectors[_i], &key);
	uint8_t reply[256], answered[OPENVPN_SESSION_SIZE];
	size_t len = from_hex(vectors[_i].reply, reply);

	for (size_t cut = 0; cut < len; cut++)
		ck_assert_ptr_nonnull(openvpn_reply(&wrap, reply, cut, answered));
}
END_TEST

START_TEST(reply_longer_than_any_is_none)
{
	const struct openvpn_key key = static_key();
	const struct openvpn_wrap wrap = wrap_of(&vectors[_i], &key);
	uint8_t reply[65535] = { 0 }, answered[OPENVPN_SESSION_SIZE];

	(void)from_hex(vectors[_i].reply, reply);
	ck_assert_ptr_nonnull(openvpn_reply(&wrap, reply, sizeof(reply), answered));
}
END_TEST

/* Who sends with one half receives with the other: a request of direction 0 is no answer to one of
 * direction 1, but the HMAC key of both is the first half without a direction. */
START_TEST(direction_and_digest_choose_the_hmac)
{
	static const size_t lengths[] = {
		[OPENVPN_SHA1] = 42, [OPENVPN_SHA256] = 54, [OPENVPN_SHA512] = 86
	};
	const struct openvpn_key key = static_key();
	struct openvpn_wrap wrap = { .mode = OPENVPN_TLS_AUTH, .key = &key };
	uint8_t zero[OPENVPN_REQUEST_MAX], one[OPENVPN_REQUEST_MAX], none[OPENVPN_REQUEST_MAX];

	for (wrap.digest = OPENVPN_SHA1; wrap.digest <= OPENVPN_SHA512; wrap.digest++) {
		wrap.direction = OPENVPN_DIRECTION_0;
		ck_assert_uint_eq(openvpn_request(&wrap, session, UNIX_S, zero),
				  lengths[wrap.digest]);
		wrap.direction = OPENVPN_DIRECTION_1;
		ck_assert_uint_eq(openvpn_request(&wrap, session, UNIX_S, one),
				  lengths[wrap.digest]);
		wrap.direction = OPENVPN_DIRECTION_NONE;
		ck_assert_uint_eq(openvpn_request(&wrap, session, UNIX_S, none),
				  lengths[wrap.digest]);
		ck_assert_mem_ne(zero, one, lengths[wrap.digest]);
		ck_assert_mem_eq(zero, none, lengths[wrap.digest]);
	}
}
END_TEST

START_TEST(wrapped_key_stands_behind_the_request)
{
	struct openvpn_key key = static_key();
	const struct openvpn_wrap wrap = { .mode = OPENVPN_TLS_CRYPT_V2, .key = &key };
	uint8_t request[OPENVPN_REQUEST_MAX];

	memset(key.wrapped, 0xaa, 299);
	key.wrapped_len = 299;
	ck_assert_uint_eq(openvpn_request(&wrap, session, UNIX_S, request), 54 + 299);
	ck_assert_uint_eq(request[0], 10 << 3);
	ck_assert_uint_eq(load_u32(request + 9), 0x0f000001);
	ck_assert_mem_eq(request + 54, key.wrapped, 299);
	key.wrapped_len = OPENVPN_WRAPPED_MAX;
	ck_assert_uint_eq(openvpn_request(&wrap, session, UNIX_S, request),
			  54 + OPENVPN_WRAPPED_MAX);
}
END_TEST

/* --- files of keys ------------------------------------------------------------------------- */

#define LINE "000102030405060708090a0b0c0d0e0f\n"
#define FOUR LINE LINE LINE LINE

#define STATIC_BEGIN "-----BEGIN OpenVPN Static key V1-----\n"
#define STATIC_END   "-----END OpenVPN Static key V1-----\n"

static const struct {
	const char *text;
	bool right;
} static_files[] = {
	{ "#\n# 2048 bit OpenVPN static key\n#\n" STATIC_BEGIN FOUR FOUR FOUR FOUR STATIC_END,
	  true },
	{ STATIC_BEGIN FOUR FOUR FOUR FOUR STATIC_END, true },
	{ "\r\n" STATIC_BEGIN "\r\n" FOUR FOUR FOUR FOUR STATIC_END, true },
	{ STATIC_BEGIN FOUR FOUR FOUR LINE LINE LINE STATIC_END, false },
	{ STATIC_BEGIN FOUR FOUR FOUR FOUR "00" STATIC_END, false },
	{ STATIC_BEGIN FOUR FOUR FOUR FOUR, false },
	{ FOUR FOUR FOUR FOUR STATIC_END, false },
	{ STATIC_END STATIC_BEGIN FOUR FOUR FOUR FOUR, false },
	{ STATIC_BEGIN FOUR FOUR FOUR LINE LINE LINE
	  "000102030405060708090a0b0c0d0e0g\n" STATIC_END,
	  false },
	{ STATIC_BEGIN STATIC_END, false },
	{ "", false },
};

START_TEST(static_key_is_read_or_refused)
{
	const char *text = static_files[_i].text;
	struct openvpn_key key;
	const char *wrong = openvpn_key_static(text, strlen(text), &key);

	ck_assert_msg((wrong == NULL) == static_files[_i].right, "row %d", _i);
	for (size_t i = 0; i < sizeof(key.key); i++) /* refused: nothing is left of it */
		ck_assert_uint_eq(key.key[i], static_files[_i].right ? i % 16 : 0);
}
END_TEST

#define V2_BEGIN "-----BEGIN OpenVPN tls-crypt-v2 client key-----\n"
#define V2_END   "-----END OpenVPN tls-crypt-v2 client key-----\n"

/* Of `size` octets, the last two of which say `told`. */
static size_t v2_file(size_t size, unsigned told, char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[4096] = { 0 };
	int at = sprintf(text, "%s", V2_BEGIN);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i + 2 == size ? told >> 8 : i + 1 == size ? told : i);
	for (size_t i = 0; i < size; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 |
				 (uint32_t)bytes[i + 2];

		at += sprintf(text + at, "%c%c%c%c%s", digits[three >> 18],
			      digits[three >> 12 & 63],
			      i + 1 < size ? digits[three >> 6 & 63] : '=',
			      i + 2 < size ? digits[three & 63] : '=', i % 48 == 45 ? "\n" : "");
	}
	return (size_t)(at + sprintf(text + at, "\n%s", V2_END));
}

START_TEST(client_key_of_v2_is_read_or_refused)
{
	static const struct {
		size_t size;
		unsigned told;
		bool right;
	} rows[] = {
		{ 256 + 299, 299, true },    { 256 + 290, 290, true },  { 256 + 1024, 1024, true },
		{ 256 + 299, 298, false },   { 256 + 289, 289, false }, { 256 + 1025, 1025, false },
		{ 256 + 4 + 290, 0, false }, { 256 + 299, 555, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[8192];
		struct openvpn_key key;
		size_t len = v2_file(rows[i].size, rows[i].told, text);
		const char *wrong = openvpn_key_v2(text, len, &key);

		ck_assert_msg((wrong == NULL) == rows[i].right, "row %zu", i);
		ck_assert_uint_eq(key.wrapped_len, rows[i].right ? rows[i].told : 0);
		ck_assert_uint_eq(key.key[255], rows[i].right ? 255 : 0);
		ck_assert_uint_eq(key.wrapped[7], rows[i].right ? 7 : 0);
	}
}
END_TEST

START_TEST(server_key_of_v2_is_told_as_such)
{
	static const char text[] = "-----BEGIN OpenVPN tls-crypt-v2 server key-----\nAAAA\n"
				   "-----END OpenVPN tls-crypt-v2 server key-----\n";
	struct openvpn_key key;

	ck_assert_ptr_nonnull(
		strstr(openvpn_key_v2(text, sizeof(text) - 1, &key), "a client's key is needed"));
}
END_TEST

void add_openvpn_packet_tests(Suite *suite)
{
	TCase *known = tcase_create("openvpn packets");
	TCase *files = tcase_create("openvpn key files");
	int count = sizeof(vectors) / sizeof(vectors[0]);

	tcase_add_loop_test(known, request_is_what_a_server_answered, 0, count);
	tcase_add_loop_test(known, reply_of_a_server_is_believed, 0, count);
	tcase_add_loop_test(known, reply_with_any_bit_changed_is_none, 0, count);
	tcase_add_loop_test(known, reply_that_is_cut_is_none, 0, count);
	tcase_add_loop_test(known, reply_longer_than_any_is_none, 0, count);
	suite_add_tcase(suite, known);
	tcase_add_loop_test(files, static_key_is_read_or_refused, 0,
			    sizeof(static_files) / sizeof(static_files[0]));
	suite_add_tcase(suite, files);
	suite_case(suite, "openvpn keys", direction_and_digest_choose_the_hmac,
		   wrapped_key_stands_behind_the_request, client_key_of_v2_is_read_or_refused,
		   server_key_of_v2_is_told_as_such);
}
