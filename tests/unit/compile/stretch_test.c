/* Memory in which a place has 32 bits: what is there stays there, whoever takes more of it. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compile/stretch.h"
#include "compile_test.h"

#define PIECES 20000U
#define SIZE   331U /* no multiple of the unit: in all more than a huge page takes */

struct taker {
	struct stretch_part part;
	uint8_t fill;
	uint32_t places[PIECES];
};

static void *take_pieces(void *context)
{
	struct taker *taker = context;

	for (unsigned i = 0; i < PIECES; i++) {
		uint8_t *piece = stretch_take(&taker->part, SIZE);

		for (unsigned k = 0; k < SIZE; k++)
			taker->fill |= piece[k]; /* zero, or it shows below */
		memset(piece, taker->fill, SIZE);
		taker->places[i] = stretch_place(taker->part.of, piece);
	}
	return NULL;
}

START_TEST(two_threads_take_what_is_zeroed_and_stays_theirs)
{
	static struct taker takers[2];
	struct stretch stretch;
	pthread_t threads[2];

	stretch_open(&stretch);
	for (unsigned t = 0; t < 2; t++) {
		takers[t] = (struct taker){ .part = { .of = &stretch },
					    .fill = (uint8_t)(1U << t) };
		ck_assert_int_eq(pthread_create(&threads[t], NULL, take_pieces, &takers[t]), 0);
	}
	for (unsigned t = 0; t < 2; t++)
		ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
	for (unsigned t = 0; t < 2; t++) {
		uint8_t whole[SIZE];

		memset(whole, 1 << t, SIZE);
		for (unsigned i = 0; i < PIECES; i++) {
			ck_assert_uint_ne(takers[t].places[i], 0);
			ck_assert_mem_eq(stretch_at(&stretch, takers[t].places[i]), whole, SIZE);
		}
	}
	stretch_close(&stretch);
}
END_TEST

START_TEST(a_piece_may_be_larger_than_what_is_made_usable_at_once)
{
	const size_t size = (size_t)40 << 20;
	struct stretch stretch;
	struct stretch_part part = { .of = &stretch };
	uint8_t *first, *large, *next;

	stretch_open(&stretch);
	first = stretch_take(&part, 1);
	large = stretch_take(&part, size);
	next = stretch_take(&part, 1);
	large[0] = large[size - 1] = 1;
	ck_assert_uint_eq(next[STRETCH_ROOM], 0);
	ck_assert_ptr_eq(large, first + STRETCH_UNIT);
	ck_assert_ptr_eq(next, large + size);
	stretch_close(&stretch);
}
END_TEST

/* Room for a large record has any size, and the next part begins behind it. */
START_TEST(a_part_begins_aligned_whatever_room_another_had)
{
	struct stretch stretch;
	struct stretch_part one = { .of = &stretch }, other = { .of = &stretch };
	const uint8_t *taken;

	stretch_open(&stretch);
	(void)stretch_room(&one, 100001);
	taken = stretch_take(&other, SIZE);
	ck_assert_ptr_eq(stretch_at(&stretch, stretch_place(&stretch, taken)), taken);
	stretch_close(&stretch);
}
END_TEST

/* So many octets more than the process has now. */
static void limit_addresses(size_t more)
{
	unsigned long long pages;
	struct rlimit limit;
	FILE *in = fopen("/proc/self/statm", "r");

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(fscanf(in, "%llu", &pages), 1);
	ck_assert_int_eq(fclose(in), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = pages * (unsigned long long)sysconf(_SC_PAGESIZE) + more;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

START_TEST(where_addresses_are_limited_a_small_zone_does_with_fewer)
{
	struct stretch stretches[3];

	limit_addresses((size_t)3 << 30);
	for (unsigned i = 0; i < 3; i++) {
		struct stretch_part part = { .of = &stretches[i] };

		stretch_open(&stretches[i]);
		memset(stretch_take(&part, 1 << 20), 1, 1 << 20);
	}
	for (unsigned i = 0; i < 3; i++)
		stretch_close(&stretches[i]);
}
END_TEST

/* There sooner, it is what it would be: zeros, and no more of it than a bit. */
START_TEST(what_is_filled_ahead_is_zeroed_and_little)
{
	const size_t size = (size_t)3 << 20;
	struct stretch stretch;
	struct stretch_part part = { .of = &stretch };
	size_t filled = 0, zeros = 0;
	uint8_t *taken;

	stretch_open(&stretch);
	taken = stretch_take(&part, size);
	taken[size - 1] = 1;
	while (stretch_fill_ahead(&stretch))
		filled++;
	ck_assert_uint_le(filled, ((size_t)2 << 20) / ((size_t)64 << 10));
	taken = stretch_take(&part, size);
	while (zeros < size && taken[zeros] == 0)
		zeros++;
	ck_assert_uint_eq(zeros, size);
	stretch_close(&stretch);
}
END_TEST

Suite *stretch_suite(void)
{
	Suite *suite = suite_create("stretch");
	TCase *tc = tcase_create("all");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, two_threads_take_what_is_zeroed_and_stays_theirs);
	tcase_add_test(tc, a_piece_may_be_larger_than_what_is_made_usable_at_once);
	tcase_add_test(tc, a_part_begins_aligned_whatever_room_another_had);
	tcase_add_test(tc, where_addresses_are_limited_a_small_zone_does_with_fewer);
	tcase_add_test(tc, what_is_filled_ahead_is_zeroed_and_little);
	return suite;
}
