#include "base/hash.h"
#include "steer/bands.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define ALL  BANDS_ALL
#define HALF 32768

static struct band band(struct band_site *sites, uint32_t count)
{
	return (struct band){ .sites = sites, .site_count = count };
}

static void expect_about(uint32_t got, double exact)
{
	ck_assert_double_eq_tol((double)got / ALL, exact, 2.0 / ALL);
}

START_TEST(without_spill_the_first_band_takes_all)
{
	struct band_site first[] = { { 10, ALL, 0 }, { 20, ALL, 0 } }, second[] = { { 5, ALL, 0 } };
	struct band bands[] = { band(first, 2), band(second, 1) };

	ck_assert_uint_eq(bands_share(bands, 2, true), 0);
	ck_assert_uint_eq(bands[0].part, ALL);
	ck_assert_uint_eq(bands[1].part, 0);
	ck_assert_uint_eq(first[0].level, ALL);
	ck_assert_uint_eq(first[1].level, ALL);
}
END_TEST

START_TEST(a_band_keeps_all_while_one_of_its_sites_has_room)
{
	struct band_site first[] = { { 10, HALF, 0 }, { 1, ALL, 0 } }, second[] = { { 5, ALL, 0 } };
	struct band bands[] = { band(first, 2), band(second, 1) };

	ck_assert_uint_eq(bands_share(bands, 2, true), 0);
	ck_assert_uint_eq(bands[0].part, ALL);
	ck_assert_uint_eq(first[0].level, HALF);
	ck_assert_uint_eq(first[1].level, ALL);
}
END_TEST

START_TEST(a_band_whose_sites_all_spill_gives_the_rest_to_the_next)
{
	struct band_site first[] = { { 30, HALF, 0 }, { 10, HALF / 2, 0 } };
	struct band_site second[] = { { 5, ALL, 0 } };
	struct band bands[] = { band(first, 2), band(second, 1) };

	ck_assert_uint_eq(bands_share(bands, 2, true), 0);
	expect_about(bands[0].part, (30 * 0.5 + 10 * 0.25) / 40);
	expect_about(bands[1].part, 1 - (30 * 0.5 + 10 * 0.25) / 40);
	ck_assert_uint_eq(first[0].level, ALL);
	expect_about(first[1].level, 0.5);
}
END_TEST

START_TEST(what_all_bands_leave_is_the_backups)
{
	struct band_site first[] = { { 1, HALF, 0 } }, second[] = { { 9, HALF, 0 } };
	struct band bands[] = { band(first, 1), band(second, 1) };

	expect_about(bands_share(bands, 2, true), 0.25);
	expect_about(bands[0].part, 0.5);
	expect_about(bands[1].part, 0.25);
}
END_TEST

START_TEST(without_a_backup_the_bands_share_it_as_they_share_the_rest)
{
	struct band_site first[] = { { 1, HALF, 0 } }, second[] = { { 9, HALF, 0 } };
	struct band bands[] = { band(first, 1), band(second, 1) };

	ck_assert_uint_eq(bands_share(bands, 2, false), 0);
	expect_about(bands[0].part, 2 / 3.0);
	expect_about(bands[1].part, 1 / 3.0);
}
END_TEST

START_TEST(bands_that_keep_nothing_are_as_good_as_those_that_keep_all)
{
	struct band_site empty[] = { { 0, ALL, 0 } };
	struct band_site first[] = { { 1, 0, 0 } }, second[] = { { 9, 0, 0 } };
	struct band bands[] = { band(empty, 1), band(first, 1), band(second, 1) };

	ck_assert_uint_eq(bands_share(bands, 3, false), 0);
	ck_assert_uint_eq(bands[0].part, 0);
	ck_assert_uint_eq(bands[1].part, ALL);
	ck_assert_uint_eq(first[0].level, ALL);
	ck_assert_uint_eq(bands_share(bands, 3, true), ALL);
	ck_assert_uint_eq(bands[1].part, 0);
}
END_TEST

START_TEST(bands_without_anybody_get_nothing)
{
	struct band_site none[] = { { 0, ALL, 0 } };
	struct band bands[] = { band(none, 1), band(NULL, 0) };

	ck_assert_uint_eq(bands_share(bands, 2, false), 0);
	ck_assert_uint_eq(bands[0].part, 0);
	ck_assert_uint_eq(bands_share(bands, 2, true), ALL);
	ck_assert_uint_eq(bands_share(bands, 0, true), ALL);
}
END_TEST

/* Random bands: each unit of clients has one place, and a site that keeps less never gets more. */
START_TEST(parts_add_up_and_follow_keep)
{
	uint64_t x = 99;

	for (unsigned round = 0; round < 20000; round++) {
		struct band_site sites[4][3];
		struct band bands[4];
		uint32_t before, left, sum = 0;

		for (unsigned b = 0; b < 4; b++) {
			bands[b] = band(sites[b], (uint32_t)(hash_word(++x) % 4));
			for (unsigned s = 0; s < 3; s++) {
				x = hash_word(x);
				sites[b][s] = (struct band_site){ x % 1000, (uint16_t)(x >> 40),
								  0 };
			}
		}
		bands[0].site_count = 1;
		sites[0][0].weight++;
		left = bands_share(bands, 4, round % 2 == 0);
		for (unsigned b = 0; b < 4; b++)
			sum += bands[b].part;
		ck_assert_uint_eq(sum + left, ALL);
		before = bands[0].part;
		sites[0][0].keep /= 2;
		(void)bands_share(bands, 4, round % 2 == 0);
		ck_assert_uint_le(bands[0].part, before);
	}
}
END_TEST

void bands_cases(Suite *suite)
{
	suite_case(suite, "bands", without_spill_the_first_band_takes_all,
		   a_band_keeps_all_while_one_of_its_sites_has_room,
		   a_band_whose_sites_all_spill_gives_the_rest_to_the_next,
		   what_all_bands_leave_is_the_backups,
		   without_a_backup_the_bands_share_it_as_they_share_the_rest,
		   bands_that_keep_nothing_are_as_good_as_those_that_keep_all,
		   bands_without_anybody_get_nothing, parts_add_up_and_follow_keep);
}
