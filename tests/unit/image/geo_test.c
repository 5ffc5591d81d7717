/* geo_find and geo_verify on an image made from the country database. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/compile/geo_fixture.h"

static struct fixture f;

static void open_country(void)
{
	fixture_open(&f);
	(void)fixture_add_database(&f, COUNTRY_MMDB);
	fixture_build(&f);
	ck_assert_ptr_nonnull(f.geo.base);
}

static void open_small(void)
{
	fixture_open(&f);
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	ck_assert_ptr_nonnull(f.geo.base);
}

static void close_fixture(void)
{
	fixture_close(&f);
}

START_TEST(embedded_ipv4_is_found_as_ipv4)
{
	static const char *const rows[] = { "::ffff:133.11.0.1", "64:ff9b::133.11.0.1" };
	struct ip_address plain = fixture_address("133.11.0.1");
	struct geo_match match = geo_find(&f.geo, &plain);

	for (int i = 0; i < 2; i++) {
		struct ip_address address = fixture_address(rows[i]), v4;
		struct geo_match embedded = geo_find(&f.geo, &address);

		ck_assert_uint_eq(embedded.class_id, match.class_id);
		ck_assert_uint_eq(embedded.prefix_len, match.prefix_len + 96U);
		ck_assert(geo_embedded_ipv4(&address, &v4));
		ck_assert_mem_eq(&v4, &plain, sizeof(v4));
	}
}
END_TEST

START_TEST(other_ipv6_addresses_carry_no_ipv4)
{
	static const char *const rows[] = { "::133.11.0.1",          "::fffe:133.11.0.1",
					    "64:ff9b:1::133.11.0.1", "64:ff9b::1:133.11.0.1",
					    "2001:db8::1",           "::ffff:0:133.11.0.1" };
	struct ip_address v4 = fixture_address("133.11.0.1");

	ck_assert(!geo_embedded_ipv4(&v4, &v4));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_address address = fixture_address(rows[i]);

		ck_assert_msg(!geo_embedded_ipv4(&address, &v4), "%s", rows[i]);
	}
}
END_TEST

/* All of the network that an answer is given for has the same answer, whatever is asked. */
START_TEST(every_address_in_the_scope_has_the_same_class)
{
	uint64_t seed = 42;

	for (int i = 0; i < 100000; i++) {
		struct ip_address address = { .family = i % 2 == 0 ? IP_V4 : IP_V6 }, other;
		uint64_t words[2] = { fixture_random(&seed), fixture_random(&seed) };
		struct geo_match match;
		unsigned bits = ip_bits(address.family);

		memcpy(address.bytes, words, bits / 8);
		if (address.family == IP_V6 && i % 4 == 1)
			address.bytes[0] = 0x20 |
					   (address.bytes[0] & 0x0f); /* where networks are */
		match = geo_find(&f.geo, &address);
		ck_assert_uint_le(match.prefix_len, bits);
		other = address;
		for (unsigned bit = match.prefix_len; bit < bits; bit++)
			other.bytes[bit / 8] ^= (uint8_t)((fixture_random(&seed) & 1)
							  << (7 - bit % 8));
		ck_assert_uint_eq(geo_find(&f.geo, &other).class_id, match.class_id);
		ck_assert_uint_eq(geo_find(&f.geo, &other).prefix_len, match.prefix_len);
	}
}
END_TEST

/* Whatever geo_verify accepts can be looked up in without leaving the image. */
static void look_around(const struct image *image, uint64_t *seed)
{
	uint32_t classes = image_root(image, struct geo_root)->class_count;

	for (int i = 0; i < 50; i++) {
		struct ip_address address = { .family = i % 2 == 0 ? IP_V4 : IP_V6 };
		uint64_t words[2] = { fixture_random(seed), fixture_random(seed) };
		struct geo_match match;

		memcpy(address.bytes, words, ip_bits(address.family) / 8);
		match = geo_find(image, &address);
		ck_assert_uint_lt(match.class_id, classes);
		ck_assert_uint_le(match.prefix_len, ip_bits(address.family));
	}
}

START_TEST(damaged_geo_image_is_refused_or_harmless)
{
	uint64_t seed = 7;
	uint8_t *copy = malloc(f.geo.size);
	struct image image = { copy, f.geo.size };
	size_t sensitive = sizeof(struct geo_root);
	unsigned refused = 0;

	for (int round = 0; round < 3000; round++) {
		struct err err;
		size_t flips = 1 + fixture_random(&seed) % 4;

		memcpy(copy, f.geo.base, f.geo.size);
		for (size_t i = 0; i < flips; i++) {
			size_t size = round % 2 == 0 ? sensitive : f.geo.size - IMAGE_ROOT;
			size_t at = IMAGE_ROOT + fixture_random(&seed) % size;

			copy[at] = (uint8_t)fixture_random(&seed);
		}
		if (geo_verify(&image, &err) != 0)
			refused++;
		else
			look_around(&image, &seed);
	}
	ck_assert_uint_gt(refused, 1000);
	free(copy);
}
END_TEST

START_TEST(cut_geo_image_is_refused)
{
	uint8_t *copy = malloc(f.geo.size);
	struct err err;

	memcpy(copy, f.geo.base, f.geo.size);
	for (size_t size = IMAGE_ROOT; size < f.geo.size; size += 997) {
		uint8_t *cut = malloc(size); /* of just this size, for the address sanitizer */
		struct image image = { cut, size };

		memcpy(cut, copy, size);
		ck_assert_int_eq(geo_verify(&image, &err), -1);
		free(cut);
	}
	free(copy);
}
END_TEST

Suite *geo_find_suite(void)
{
	Suite *suite = suite_create("geo_find");
	TCase *country = tcase_create("country database");
	TCase *small = tcase_create("damage");

	tcase_add_unchecked_fixture(country, open_country, close_fixture);
	tcase_add_test(country, embedded_ipv4_is_found_as_ipv4);
	tcase_add_test(country, other_ipv6_addresses_carry_no_ipv4);
	tcase_add_test(country, every_address_in_the_scope_has_the_same_class);
	tcase_set_timeout(country, 60);
	suite_add_tcase(suite, country);
	tcase_add_unchecked_fixture(small, open_small, close_fixture);
	tcase_add_test(small, damaged_geo_image_is_refused_or_harmless);
	tcase_add_test(small, cut_geo_image_is_refused);
	tcase_set_timeout(small, 120);
	suite_add_tcase(suite, small);
	return suite;
}
