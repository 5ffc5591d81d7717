#include "serve/cookies.h"

#include <sodium/crypto_shorthash_siphash24.h>
#include <string.h>

#include "base/cursor.h"

/* RFC 9018, 4:
 *    0: | client cookie, 8 octets                   |
 *    8: | version | reserved, 3 octets              |
 *   12: | timestamp, 4 octets                       |
 *   16: | hash of all before and of the client's address, 8 octets | */
#define VERSION_AT   8
#define TIMESTAMP_AT 12
#define HASH_AT      16
#define HASH_SIZE    8
#define VERSION      1

_Static_assert(crypto_shorthash_siphash24_KEYBYTES == COOKIE_SECRET_SIZE &&
		       crypto_shorthash_siphash24_BYTES == HASH_SIZE,
	       "SipHash-2-4 as RFC 9018, 4.4 has it");

/* SipHash-2-4 of the first HASH_AT octets of a cookie, as they are (also what is reserved in it),
 * and of the address without a port (4.4). */
static void hash(uint8_t out[HASH_SIZE], const uint8_t *cookie, const struct ip_address *client,
		 const uint8_t secret[COOKIE_SECRET_SIZE])
{
	size_t address_len = ip_bits(client->family) / 8;
	uint8_t input[HASH_AT + sizeof(client->bytes)];

	memcpy(input, cookie, HASH_AT);
	memcpy(input + HASH_AT, client->bytes, address_len);
	(void)crypto_shorthash_siphash24(out, input, HASH_AT + address_len, secret); /* returns 0 */
}

/* One comparison of words: how long it takes does not tell how much of a guess was right. */
static bool same_hash(const uint8_t made[HASH_SIZE], const uint8_t *cookie)
{
	uint64_t x, y;

	memcpy(&x, made, sizeof(x));
	memcpy(&y, cookie + HASH_AT, sizeof(y));
	return x == y;
}

/* Seconds, in serial number arithmetic (RFC 1982): less than 0 when it was made ahead of us. */
static int32_t age_of(const uint8_t *cookie, uint32_t now_s)
{
	return (int32_t)(now_s - load_u32(cookie + TIMESTAMP_AT));
}

/* The secret's number; settings->cookie_secret_count: it was made with none of ours. */
static unsigned find_secret(const struct dns_settings *settings, const uint8_t *cookie,
			    const struct ip_address *client)
{
	unsigned i;

	for (i = 0; i < settings->cookie_secret_count; i++) {
		uint8_t made[HASH_SIZE];

		hash(made, cookie, client, settings->cookie_secrets[i]);
		if (same_hash(made, cookie))
			break;
	}
	return i;
}

static void make(uint8_t out[COOKIE_ANSWER_SIZE], const struct dns_settings *settings,
		 const uint8_t *client_cookie, const struct ip_address *client, uint32_t now_s)
{
	memcpy(out, client_cookie, COOKIE_CLIENT_SIZE);
	store_u32(out + VERSION_AT, (uint32_t)VERSION << 24);
	store_u32(out + TIMESTAMP_AT, now_s);
	hash(out + HASH_AT, out, client, settings->cookie_secrets[0]);
}

/* The time is looked at first: most cookies that are not valid are old, and cost no hash. */
enum cookie_verdict cookie_answer(const struct dns_settings *settings, const uint8_t *cookie,
				  size_t len, const struct ip_address *client, uint32_t now_s,
				  uint8_t out[COOKIE_ANSWER_SIZE])
{
	enum cookie_verdict verdict = len == COOKIE_CLIENT_SIZE ? COOKIE_NEW : COOKIE_INVALID;

	if (len == COOKIE_ANSWER_SIZE && cookie[VERSION_AT] == VERSION) {
		int32_t age_s = age_of(cookie, now_s);
		unsigned secret = settings->cookie_secret_count;

		if (age_s <= COOKIE_VALID_FOR_S && age_s >= -COOKIE_AHEAD_S)
			secret = find_secret(settings, cookie, client);
		if (secret < settings->cookie_secret_count)
			verdict = COOKIE_VALID;
		if (secret == 0 && verdict == COOKIE_VALID && age_s < COOKIE_RENEWED_AFTER_S) {
			memcpy(out, cookie, COOKIE_ANSWER_SIZE);
			return verdict;
		}
	}
	make(out, settings, cookie, client, now_s);
	return verdict;
}
