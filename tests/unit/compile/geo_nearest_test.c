/* Order by distance: bias, bands, depth, and who is nearest when all is down. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geo_fixture.h"

static struct fixture f;

static void open_fixture(void)
{
	fixture_open(&f);
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
}

static void close_fixture(void)
{
	fixture_close(&f);
}

/* "TOKYO/0 SYDNEY/1": sites and bands, as numbers. */
static void check_bands(const char *address, const char *expected)
{
	const struct geo_pref *pref = fixture_pref(&f, address, 0);
	char text[256] = "";

	for (uint32_t i = 0; i < pref->site_count; i++)
		(void)sprintf(text + strlen(text), "%s%s/%u", i > 0 ? " " : "",
			      f.sites[image_at(&f.geo, uint16_t, pref->sites_off)[i]].name,
			      image_at(&f.geo, uint16_t, pref->bands_off)[i]);
	ck_assert_msg(strcmp(text, expected) == 0, "%s: %s", address, text);
}

/* From Berlin: Frankfurt 424 km, London 932, New York 6,385, San Francisco 9,105, Tokyo 8,920,
 * Singapore 9,920, Sao Paulo 10,225, Sydney 16,100. From Osaka: Tokyo 400, Singapore 4,950. */

START_TEST(without_bands_each_site_is_its_own)
{
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/1 newyork/2 tokyo/3");
}
END_TEST

START_TEST(sites_within_some_kilometres_are_one_band)
{
	f.pools[0].band_km = 600;
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/0 newyork/1 tokyo/2 sanfrancisco/2");
	f.pools[0].band_km = 500;
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/1 newyork/2 tokyo/3 sanfrancisco/3");
	f.config.preference_depth = 1;
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0");
}
END_TEST

START_TEST(sites_within_some_percent_are_one_band)
{
	f.pools[0].band_percent = 150;
	fixture_build(&f);
	/* Up to 1,060 km; then from New York up to 15,962. Bands are whole, whatever the depth, and
	 * within them sites stand in the order of their numbers. */
	check_bands("192.0.2.200", "frankfurt/0 london/0 tokyo/1 singapore/1 newyork/1 "
				   "sanfrancisco/1 saopaulo/1");
	f.pools[0].band_percent = 100;
	f.pools[0].band_km = 510; /* either suffices: 848 or 934 */
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/0 tokyo/1 singapore/1 newyork/1 "
				   "sanfrancisco/1 saopaulo/1");
}
END_TEST

START_TEST(bias_shrinks_and_stretches_distances)
{
	f.pool_sites[LONDON].bias_percent = 60; /* 373 km instead of 932 */
	fixture_build(&f);
	check_bands("192.0.2.200", "london/0 frankfurt/1 newyork/2 tokyo/3");
	f.pool_sites[LONDON].bias_percent = 50; /* 466 */
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/1 newyork/2 tokyo/3");
	f.pool_sites[FRANKFURT].bias_percent = -50; /* 848 */
	f.pool_sites[LONDON].bias_percent = 0;
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/1 newyork/2 tokyo/3");
	f.pool_sites[FRANKFURT].bias_percent = -60; /* 1,060 */
	fixture_build(&f);
	check_bands("192.0.2.200", "london/0 frankfurt/1 newyork/2 tokyo/3");
	f.pools[0].band_km = 200; /* of biased distances: 932 and 1,060 */
	fixture_build(&f);
	check_bands("192.0.2.200", "london/0 frankfurt/0 newyork/1 tokyo/2 sanfrancisco/2");
}
END_TEST

START_TEST(pools_of_different_bias_do_not_disturb_each_other)
{
	struct config_pool_site other[FIXTURE_SITES];

	memcpy(other, f.pool_sites, sizeof(other));
	other[LONDON].bias_percent = 60;
	f.pools[1] = f.pools[0];
	f.pools[1].sites = other;
	f.config.pool_count = 2;
	fixture_build(&f);
	check_bands("192.0.2.200", "frankfurt/0 london/1 newyork/2 tokyo/3");
	ck_assert_uint_eq(
		image_at(&f.geo, uint16_t, fixture_pref(&f, "192.0.2.200", 1)->sites_off)[0],
		LONDON);
}
END_TEST

START_TEST(nearest_fallback_knows_the_nearest_site_under_every_policy)
{
	static const enum policy policies[] = { POLICY_NEAREST, POLICY_WEIGHTED, POLICY_FAILOVER,
						POLICY_ROUND_ROBIN };
	const struct config_client jp = { .kind = MATCH_COUNTRY, .code = "JP" };
	const uint16_t never[] = { TOKYO };
	const struct config_fence fence = { .clients = { &jp, 1, "" },
					    .never = never,
					    .never_count = 1 };

	f.pools[0].fallback = FALLBACK_NEAREST;
	f.pools[0].policy = policies[_i];
	f.pools[0].fences = &fence;
	f.pools[0].fence_count = 1;
	fixture_build(&f);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.200", 0)->nearest, FRANKFURT);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.1", 0)->nearest, SINGAPORE);
	ck_assert_uint_eq(fixture_pref(&f, "240.0.0.1", 0)->nearest, GEO_SITE_NONE);
	if (policies[_i] == POLICY_WEIGHTED)
		check_bands("192.0.2.200", "frankfurt/0 tokyo/0 singapore/0 sydney/0 london/0 "
					   "newyork/0 sanfrancisco/0 saopaulo/0");
	f.pools[0].fallback = FALLBACK_ALL;
	fixture_build(&f);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.200", 0)->nearest, GEO_SITE_NONE);
}
END_TEST

START_TEST(network_fences_move_clients_to_the_next_site_by_distance)
{
	const struct config_client office = { .kind = MATCH_PREFIX,
					      .prefix = { fixture_address("192.0.2.192"), 26 } };
	const uint16_t never[] = { FRANKFURT, NEWYORK };
	const struct config_fence fence = { .clients = { &office, 1, "" },
					    .never = never,
					    .never_count = 2 };

	f.pools[0].fences = &fence;
	f.pools[0].fence_count = 1;
	fixture_build(&f);
	check_bands("192.0.2.190", "frankfurt/0 london/1 newyork/2 tokyo/3");
	check_bands("192.0.2.200", "london/0 tokyo/1 sanfrancisco/2 singapore/3");
}
END_TEST

START_TEST(many_sites_are_sorted_as_a_scan_sorts_them)
{
	enum { SITES = 300 };
	static struct config_site sites[SITES];
	static struct config_pool_site pool_sites[SITES];
	uint64_t seed = 23;

	for (uint16_t i = 0; i < SITES; i++) {
		sites[i] = (struct config_site){
			.name = "x",
			.latitude = (double)(fixture_random(&seed) % 180) - 90,
			.longitude = (double)(fixture_random(&seed) % 360) - 180,
		};
		pool_sites[i] = (struct config_pool_site){
			.site = i, .bias_percent = (int8_t)((int)(fixture_random(&seed) % 199) - 99)
		};
	}
	f.config.sites = sites;
	f.config.site_count = SITES;
	f.pools[0].sites = pool_sites;
	f.pools[0].site_count = SITES;
	f.config.preference_depth = SITES;
	fixture_build(&f);
	for (unsigned n = 0; n < 2; n++) {
		const char *address = n == 0 ? "192.0.2.1" : "192.0.2.200";
		double lat = (n == 0 ? (double)34.69F : (double)52.52F) * M_PI / 180;
		double lon = (n == 0 ? (double)135.5F : (double)13.4F) * M_PI / 180;
		const struct geo_pref *pref = fixture_pref(&f, address, 0);
		double last = 0;

		ck_assert_uint_eq(pref->site_count, SITES);
		for (uint32_t i = 0; i < SITES; i++) {
			uint16_t s = image_at(&f.geo, uint16_t, pref->sites_off)[i];
			double b = pool_sites[s].bias_percent / 100.0;
			double y = sites[s].latitude * M_PI / 180;
			double x = sites[s].longitude * M_PI / 180;
			double h = pow(sin((y - lat) / 2), 2) +
				   cos(y) * cos(lat) * pow(sin((x - lon) / 2), 2);
			double d = asin(sqrt(h)) * (b >= 0 ? 1 - b : 1 / (1 + b));

			ck_assert_double_ge(d, last - 1e-9);
			last = d;
		}
	}
}
END_TEST

/* So many that several threads measure them: each place has the sites that a scan finds. */
START_TEST(many_places_are_measured_as_each_by_itself)
{
	enum { PLACES = 6000 };
	static double latitude[PLACES], longitude[PLACES];
	char *text = malloc(PLACES * 64);
	size_t len = 0;
	uint64_t seed = 31, id;

	for (int i = 0; i < PLACES; i++) {
		latitude[i] = (double)(fixture_random(&seed) % 1700) / 10 - 85;
		longitude[i] = (double)(fixture_random(&seed) % 3600) / 10 - 180;
		len += (size_t)sprintf(text + len, "10.%d.%d.0/24 latitude=%.1f longitude=%.1f\n",
				       i / 256, i % 256, latitude[i], longitude[i]);
	}
	f.config.overrides_path = fixture_write(&f, text);
	free(text);
	f.pools[1] = f.pools[0];
	f.pools[1].fallback = FALLBACK_NEAREST;
	f.pools[1].policy = POLICY_WEIGHTED;
	f.config.pool_count = 2;
	fixture_build(&f);
	id = image_header(&f.geo)->id;
	for (int i = 0; i < PLACES; i++) {
		char address[32];
		const struct geo_pref *pref;
		double best = 10;
		uint16_t near = 0;

		for (uint16_t s = 0; s < FIXTURE_SITES; s++) {
			double rad = M_PI / 180, y = f.sites[s].latitude * rad;
			double h = pow(sin((y - latitude[i] * rad) / 2), 2) +
				   cos(y) * cos(latitude[i] * rad) *
					   pow(sin((f.sites[s].longitude - longitude[i]) * rad / 2),
					       2);

			if (h < best) {
				best = h;
				near = s;
			}
		}
		(void)sprintf(address, "10.%d.%d.1", i / 256, i % 256);
		pref = fixture_pref(&f, address, 0);
		ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->sites_off)[0], near);
		ck_assert_uint_eq(fixture_pref(&f, address, 1)->nearest, near);
	}
	fixture_build(&f); /* whatever the threads' pace, it is the same image */
	ck_assert_uint_eq(image_header(&f.geo)->id, id);
}
END_TEST

Suite *geo_nearest_suite(void)
{
	Suite *suite = suite_create("geo_nearest");
	TCase *all = tcase_create("geo_nearest");

	tcase_add_checked_fixture(all, open_fixture, close_fixture);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, without_bands_each_site_is_its_own);
	tcase_add_test(all, sites_within_some_kilometres_are_one_band);
	tcase_add_test(all, sites_within_some_percent_are_one_band);
	tcase_add_test(all, bias_shrinks_and_stretches_distances);
	tcase_add_test(all, pools_of_different_bias_do_not_disturb_each_other);
	tcase_add_loop_test(all, nearest_fallback_knows_the_nearest_site_under_every_policy, 0, 4);
	tcase_add_test(all, network_fences_move_clients_to_the_next_site_by_distance);
	tcase_add_test(all, many_sites_are_sorted_as_a_scan_sorts_them);
	tcase_add_test(all, many_places_are_measured_as_each_by_itself);
	suite_add_tcase(suite, all);
	return suite;
}
