/* Keys, hashes and comparisons of names in whole words, against loops over octets; and how evenly
 * the hash spreads names that zones have. */
#include "wire/words.h"

#include <check.h>
#include <stdlib.h>

#include "base/hash.h"
#include "tests/unit/wire/wire_test.h"
#include "wire/key.h"
#include "wire/name.h"

/* --- keys ------------------------------------------------------------------------------------- */

/* A name of `len` octets: labels of random lengths and octets, letters among them in both cases. */
static void random_name(uint8_t *wire, size_t len, uint64_t random)
{
	size_t pos = 0;

	while (len - pos > 1) {
		size_t room = len - pos - 2, label;

		random = hash_word(random);
		label = 1 + random % (room < DNS_LABEL_MAX ? room : DNS_LABEL_MAX);
		if (room <= DNS_LABEL_MAX)
			label = room;
		else if (room - label < 2)
			label = 1; /* else one octet would be left, and no label has none */
		wire[pos++] = (uint8_t)label;
		for (; label > 0; label--) {
			random = hash_word(random);
			wire[pos++] = (uint8_t)(random % 3 == 0 ? random >> 32
								: 'A' + (random >> 32) % 60);
		}
	}
	wire[pos] = 0;
}

/* Memory of exactly this size, so that a sanitizer sees any step outside. */
static uint8_t *exactly(const uint8_t *octets, size_t size)
{
	uint8_t *copy = malloc(size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, octets, size);
	return copy;
}

static void check_key(const uint8_t *wire, size_t len, size_t size)
{
	uint8_t *message = exactly(wire, size);
	struct name_key key;
	bool equal = true;

	memset(&key, 0xee, sizeof(key));
	ck_assert_uint_eq(name_key_read(&key, message, size), len);
	ck_assert_uint_eq(key.len, len);
	ck_assert_uint_eq(key.labels, name_labels(wire));
	for (size_t i = 0; i < len; i++)
		equal = equal && key.wire[i] == name_lower(wire[i]);
	ck_assert(equal);
	for (unsigned labels = 0; labels <= key.labels; labels++) {
		size_t suffix_len;
		const uint8_t *suffix = name_key_suffix(&key, labels, &suffix_len);

		ck_assert_uint_eq(suffix_len, name_length(suffix, DNS_NAME_MAX));
		ck_assert_uint_eq(name_labels(suffix), labels);
	}
	for (size_t i = 0; i < NAME_ROOM; i++)
		ck_assert_uint_eq(key.wire[len + i], 0);
	free(message);
}

START_TEST(a_key_has_the_lower_case_name_and_each_suffix)
{
	uint8_t wire[DNS_NAME_MAX + 40];

	for (size_t len = 1; len <= DNS_NAME_MAX; len++) {
		if (len == 2)
			continue; /* no name has two octets */
		for (unsigned behind = 0; behind < 40; behind += len < 70 ? 1 : 13) {
			memset(wire, 'X', sizeof(wire));
			random_name(wire, len, len * 64 + behind);
			check_key(wire, len, len + behind);
		}
	}
}
END_TEST

/* For every octet at every place in a word. */
START_TEST(lower_case_is_that_of_each_octet)
{
	for (unsigned octet = 0; octet < 256; octet++) {
		for (unsigned at = 0; at < 40; at++) {
			uint8_t wire[42] = { 40 };

			memset(wire + 1, 'Q', 40);
			wire[1 + at] = (uint8_t)octet;
			check_key(wire, sizeof(wire), sizeof(wire));
		}
	}
}
END_TEST

START_TEST(what_is_no_name_has_no_key_wherever_it_is_cut)
{
	uint8_t wire[DNS_NAME_MAX + 40] = { 0 };
	struct name_key key;

	for (size_t size = 0; size < DNS_NAME_MAX; size++) {
		uint8_t *cut;

		random_name(wire, DNS_NAME_MAX, size);
		cut = exactly(wire, size);
		ck_assert_uint_eq(name_key_read(&key, cut, size), 0);
		free(cut);
	}
	memset(wire, 1, sizeof(wire)); /* 127 labels of one octet, and no end in time */
	ck_assert_uint_eq(name_key_read(&key, wire, sizeof(wire)), 0);
	wire[DNS_NAME_MAX - 1] = 0;
	ck_assert_uint_eq(name_key_read(&key, wire, sizeof(wire)), DNS_NAME_MAX);
	ck_assert_uint_eq(key.labels, DNS_LABELS_MAX);
	wire[0] = DNS_LABEL_MAX + 1;
	ck_assert_uint_eq(name_key_read(&key, wire, sizeof(wire)), 0);
	wire[0] = 0xc0;
	ck_assert_uint_eq(name_key_read(&key, wire, sizeof(wire)), 0);
}
END_TEST

/* --- hashing and comparing ---------------------------------------------------------------------- */

START_TEST(what_stands_behind_a_name_counts_neither_in_hash_nor_comparison)
{
	uint8_t a[DNS_NAME_MAX + NAME_ROOM], b[DNS_NAME_MAX + NAME_ROOM];

	for (size_t len = 0; len < DNS_NAME_MAX; len++) {
		uint8_t *tight;

		memset(a, 0, sizeof(a));
		memset(b, 0xff, sizeof(b));
		for (size_t i = 0; i < len; i++)
			a[i] = b[i] = (uint8_t)hash_word(len * 256 + i);
		tight = exactly(a, len);
		ck_assert_uint_eq(name_hash(a, len), name_hash(b, len));
		ck_assert_uint_eq(name_hash_tight(tight, len), name_hash(a, len));
		ck_assert(name_same(a, b, len));
		free(tight);
	}
}
END_TEST

START_TEST(one_bit_makes_another_hash_and_another_name)
{
	uint8_t a[64 + NAME_ROOM] = { 0 }, b[64 + NAME_ROOM] = { 0 };

	for (size_t bit = 0; bit < (size_t)64 * 8; bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		for (size_t len = 0; len <= 64; len++) {
			ck_assert_int_eq(name_same(a, b, len), bit / 8 >= len);
			ck_assert_int_eq(name_hash(a, len) == name_hash(b, len), bit / 8 >= len);
		}
		b[bit / 8] = 0;
	}
}
END_TEST

START_TEST(a_folded_product_is_the_same_from_halves)
{
	static const uint64_t edges[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX };

	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t a = i < 25 ? edges[i / 5] : hash_word(i);
		uint64_t b = i < 25 ? edges[i % 5] : hash_word(~i);

		ck_assert_uint_eq(name_fold(a, b), name_fold_halves(a, b));
	}
}
END_TEST

/* --- how names spread --------------------------------------------------------------------------- */

#define NAMES   1000000U
#define BUCKETS (NAMES / 5 + 1)
#define PLACES  65536U

/* A label of a text and a number of `digits` digits. */
static size_t put_label(uint8_t *name, const char *text, uint32_t number, unsigned digits)
{
	size_t len = strlen(text);

	*name = (uint8_t)(len + digits);
	memcpy(name + 1, text, len);
	for (; digits > 0; digits--, number /= 10)
		name[len + digits] = (uint8_t)('0' + number % 10);
	return 1U + *name;
}

static unsigned digits_of(uint32_t number)
{
	return number < 10 ? 1 : number < 100 ? 2 : 3;
}

static size_t host(uint8_t *name, unsigned i)
{
	return put_label(name, "host", i, 7);
}

/* All words of up to four letters, and more. */
static size_t word(uint8_t *name, unsigned i)
{
	*name = 0;
	for (; i > 0 || *name == 0; i /= 26) {
		++*name;
		name[*name] = (uint8_t)('a' + i % 26);
	}
	return 1U + *name;
}

static size_t reverse_v4(uint8_t *name, unsigned i)
{
	size_t len = 0;

	for (unsigned octet = 0; octet < 3; octet++, i /= 256)
		len += put_label(name + len, "", i % 256, digits_of(i % 256));
	return len;
}

static size_t reverse_v6(uint8_t *name, unsigned i)
{
	size_t len = 0;

	for (unsigned nibble = 0; nibble < 16; nibble++, i >>= 4) {
		name[len++] = 1;
		name[len++] = (uint8_t) "0123456789abcdef"[i & 15];
	}
	return len;
}

static size_t service(uint8_t *name, unsigned i)
{
	size_t len = put_label(name, "_service", i % 1000, 3);

	len += put_label(name + len, "_tcp", 0, 0);
	return len + put_label(name + len, "customer-number-", i / 1000, 4);
}

static size_t (*const makers[])(uint8_t *, unsigned) = { host, word, reverse_v4, reverse_v6,
							 service };

/* Chi-square, as a multiple of what a random function gives on average. The names are always the
 * same, so this is a number, not a chance; less than 1 is more even than by chance. */
static double unevenness(const uint32_t *counts, uint32_t cells)
{
	double expected = (double)NAMES / cells, sum = 0;

	for (uint32_t i = 0; i < cells; i++)
		sum += (counts[i] - expected) * (counts[i] - expected) / expected;
	return sum / (cells - 1);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* In a zone's buckets and in a table whose size is a power of two. No two names look alike in a
 * zone's buckets, where half a pair in a thousand sets of names would by chance. */
START_TEST(a_million_names_spread_as_by_chance)
{
	static uint32_t buckets[BUCKETS], places[PLACES];
	static uint64_t seen[NAMES];
	uint32_t same = 0;

	for (uint32_t i = 0; i < NAMES; i++) {
		uint8_t name[80] = { 0 };
		uint64_t hash = name_hash(name, makers[_i](name, i));
		uint64_t bucket = (hash >> 32) * BUCKETS >> 32;

		buckets[bucket]++;
		places[(hash >> 32) % PLACES]++;
		seen[i] = bucket << 32 | (uint32_t)hash;
	}
	ck_assert(unevenness(buckets, BUCKETS) < 1.05);
	ck_assert(unevenness(places, PLACES) < 1.05);
	qsort(seen, NAMES, sizeof(seen[0]), compare);
	for (uint32_t i = 1; i < NAMES; i++)
		same += seen[i - 1] == seen[i];
	ck_assert_uint_eq(same, 0);
}
END_TEST

void add_words_tests(Suite *suite)
{
	TCase *spread = tcase_create("spread");

	suite_case(suite, "words", a_key_has_the_lower_case_name_and_each_suffix,
		   lower_case_is_that_of_each_octet, what_is_no_name_has_no_key_wherever_it_is_cut,
		   what_stands_behind_a_name_counts_neither_in_hash_nor_comparison,
		   one_bit_makes_another_hash_and_another_name,
		   a_folded_product_is_the_same_from_halves);
	tcase_add_loop_test(spread, a_million_names_spread_as_by_chance, 0,
			    sizeof(makers) / sizeof(makers[0]));
	tcase_set_timeout(spread, 60);
	suite_add_tcase(suite, spread);
}
