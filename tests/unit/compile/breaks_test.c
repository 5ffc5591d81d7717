/* Lists of break points: what is packed comes back, in order and by seeking, from memory and from an
 * image; and what is damaged is refused. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/breaks.h"
#include "image/locations.h"
#include "geo_fixture.h"

#define POINTS_MAX 5000U

static struct {
	uint32_t count;
	address_bits start[POINTS_MAX];
	uint32_t value[POINTS_MAX];
} list;

static uint64_t seed = 1;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Distances of one bit, of few and of many, and values of each length. */
static void fill(uint8_t family, uint32_t count)
{
	address_bits unit = family == IP_V4 ? bits_of_v4(1) : 1;
	address_bits at = 0;

	list.count = 0;
	while (list.count < count) {
		unsigned room = family == IP_V4 ? 18 : 110;
		address_bits odd = next_random() % 4 == 0 ? next_random() % 4096 : 1;

		list.start[list.count] = at;
		list.value[list.count] = (uint32_t)(next_random() >> (32 + next_random() % 32)) ^ 1;
		if (list.count > 0 && list.value[list.count] == list.value[list.count - 1])
			list.value[list.count] ^= 2;
		list.count++;
		odd = (odd | 1) * unit << next_random() % room;
		if (at + odd < at)
			return;
		at += odd;
	}
}

static void pack(struct breaks *breaks, uint8_t family)
{
	*breaks = (struct breaks){ .family = family };
	for (uint32_t i = 0; i < list.count; i++) {
		breaks_add(breaks, list.start[i], list.value[i]);
		if (i + 1 < list.count) /* and one that changes nothing */
			breaks_add(breaks, list.start[i] + 1, list.value[i]);
	}
}

static void check_at(const struct breaks_cursor *cursor, uint32_t i)
{
	address_bits next = 0;

	ck_assert_uint_eq(cursor->at, i);
	ck_assert(cursor->start == list.start[i]);
	ck_assert_uint_eq(cursor_value(cursor), list.value[i]);
	ck_assert(cursor_next(cursor, &next) == (i + 1 < list.count));
	ck_assert(i + 1 == list.count || next == list.start[i + 1]);
}

static void check_cursor(const struct breaks_cursor *first)
{
	struct breaks_cursor cursor = *first;

	for (uint32_t i = 0; i < list.count; i++) {
		check_at(&cursor, i);
		cursor_step(&cursor);
	}
	check_at(&cursor, list.count - 1);
	for (uint32_t step = 1; step < list.count; step = 2 * step + 1) {
		cursor = *first;
		for (uint32_t i = 0; i < list.count; i += step) {
			cursor_seek(&cursor, list.start[i]);
			check_at(&cursor, i);
			if (i + 1 < list.count)
				cursor_seek(&cursor, list.start[i + 1] - 1);
			check_at(&cursor, i);
		}
	}
}

/* Writes the list into an image and opens that. */
static struct image write_list(struct breaks *breaks, struct break_list *out)
{
	struct image_writer writer;
	struct image image;
	struct err err;
	int fd;

	ck_assert_int_eq(image_writer_open(&writer, IMAGE_LOCATIONS, 64, &err), 0);
	breaks_write(breaks, &writer, out);
	ck_assert_int_eq(image_writer_finish(&writer, NULL, &fd, &err), 0);
	ck_assert_int_eq(image_open(&image, fd, IMAGE_LOCATIONS, &err), 0);
	(void)close(fd);
	return image;
}

static uint32_t largest(void)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < list.count; i++)
		most = list.value[i] > most ? list.value[i] : most;
	return most;
}

START_TEST(what_is_packed_comes_back)
{
	static const uint32_t counts[] = { 1, 2, 127, 128, 129, 256, 257, POINTS_MAX };
	uint8_t family = _i == 0 ? IP_V4 : IP_V6;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct break_list written;
		struct breaks_cursor cursor;
		struct breaks breaks;
		struct image image;
		struct err err;

		fill(family, counts[i]);
		pack(&breaks, family);
		cursor = breaks_cursor(&breaks);
		check_cursor(&cursor);
		image = write_list(&breaks, &written);
		ck_assert_int_eq(breaks_verify(&image, &written, family == IP_V4, largest() + 1,
					       "list", &err),
				 0);
		ck_assert_int_eq(breaks_verify(&image, &written, family == IP_V4, largest(),
					       "list", &err),
				 -1);
		cursor = breaks_cursor_in(&image, &written);
		check_cursor(&cursor);
		image_close(&image);
		breaks_free(&breaks);
	}
}
END_TEST

/* Each octet changed in turn: refused, or all that can be read is in order. */
START_TEST(what_is_damaged_is_refused_or_in_order)
{
	struct break_list written;
	struct breaks breaks;
	struct image image, copy;
	uint8_t *bytes;

	fill(IP_V6, 300);
	pack(&breaks, IP_V6);
	image = write_list(&breaks, &written);
	bytes = malloc(image.size);
	copy = (struct image){ bytes, image.size };
	for (size_t at = IMAGE_ROOT; at < image.size; at++) {
		struct err err;

		memcpy(bytes, image.base, image.size);
		bytes[at] ^= (uint8_t)(1U << at % 8);
		if (breaks_verify(&copy, &written, false, UINT32_MAX, "list", &err) == 0) {
			struct breaks_cursor cursor = breaks_cursor_in(&copy, &written);
			address_bits before = cursor.start, next;

			while (cursor_next(&cursor, &next)) {
				ck_assert(next > before);
				before = next;
				cursor_seek(&cursor, next);
			}
			ck_assert_uint_eq(cursor.at, written.count - 1);
		}
	}
	free(bytes);
	image_close(&image);
	breaks_free(&breaks);
}
END_TEST

START_TEST(ipv4_has_nothing_between_two_addresses)
{
	struct breaks breaks = { .family = IP_V6 };
	struct break_list written;
	struct image image;
	struct err err;

	breaks_add(&breaks, 0, 1);
	breaks_add(&breaks, bits_of_v4(1) >> 1, 2);
	image = write_list(&breaks, &written);
	ck_assert_int_eq(breaks_verify(&image, &written, false, 3, "list", &err), 0);
	ck_assert_int_eq(breaks_verify(&image, &written, true, 3, "list", &err), -1);
	image_close(&image);
	breaks_free(&breaks);
}
END_TEST

Suite *breaks_suite(void)
{
	Suite *suite = suite_create("breaks");
	TCase *tests = tcase_create("break points");

	tcase_add_loop_test(tests, what_is_packed_comes_back, 0, 2);
	tcase_add_test(tests, what_is_damaged_is_refused_or_in_order);
	tcase_add_test(tests, ipv4_has_nothing_between_two_addresses);
	suite_add_tcase(suite, tests);
	return suite;
}
