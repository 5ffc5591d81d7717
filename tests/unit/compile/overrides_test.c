/* What the operator knows of networks, over what the databases say; and of resolvers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "geo_fixture.h"

static struct fixture f;

static void open_fixture(void)
{
	fixture_open(&f);
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	(void)fixture_add_database(&f, DATA("asn.mmdb"));
}

static void close_fixture(void)
{
	fixture_close(&f);
}

static struct located find(const char *text)
{
	struct ip_address address = fixture_address(text);
	struct located found;

	locations_find(&f.locations, &address, &found);
	return found;
}

struct row {
	const char *address;
	unsigned prefix_len;
	unsigned line; /* 0: no row holds */
	const char *country, *continent, *subdivision, *city;
	double latitude, longitude; /* 0, 0: not known */
	uint32_t asn;
};

static void check_row(const struct row *row, const struct located *found)
{
	const struct location *l = &found->location;
	bool is_somewhere = row->latitude != 0 || row->longitude != 0;

	ck_assert_msg(found->prefix_len == row->prefix_len, "%s: /%u", row->address,
		      found->prefix_len);
	ck_assert_uint_eq(found->row != NULL ? found->row->line : 0, row->line);
	ck_assert_str_eq(found->file, row->line != 0 ? f.config.overrides_path : "");
	ck_assert_msg(strncmp(l->country, row->country, 2) == 0, "%s: %.2s", row->address,
		      l->country);
	ck_assert_msg(strncmp(l->continent, row->continent, 2) == 0, "%s: %.2s", row->address,
		      l->continent);
	ck_assert_str_eq(location_text(&f.locations, l->subdivision), row->subdivision);
	ck_assert_str_eq(location_text(&f.locations, l->city), row->city);
	ck_assert_uint_eq((l->has & LOCATION_COORDINATES) != 0, is_somewhere);
	ck_assert_double_eq_tol((double)l->latitude, row->latitude, 0.001);
	ck_assert_double_eq_tol((double)l->longitude, row->longitude, 0.001);
	ck_assert_msg(l->asn == row->asn, "%s: AS%u", row->address, l->asn);
}

START_TEST(longest_network_replaces_what_it_names)
{
	static const char text[] = "# ours\n"
				   "192.0.2.0/24     country=FR city=\"Aix en Provence\"\n"
				   "\n"
				   "192.0.2.64/26\tasn=AS64999   # the office\n"
				   "192.0.2.128/26 latitude=1.5 longitude=-2.25 subdivision=X\n"
				   "198.51.100.0/24 continent=AS\n"
				   "198.51.100.128/25 city=\"Kyoto\" subdivision=26\n"
				   "2001:db8:2::/49 site=sydney country=AU\n"
				   "::ffff:203.0.113.64/122 country=NO asn=7\r\n"
				   "240.0.0.1 country=AQ continent=SA\n";
	static const struct row rows[] = {
		{ "192.0.2.1", 26, 2, "FR", "EU", "", "Aix en Provence", 47.13, 2.74, 64500 },
		{ "192.0.2.65", 26, 4, "JP", "AS", "27", "Osaka", 34.69, 135.5, 64999 },
		{ "192.0.2.129", 26, 5, "", "", "X", "", 1.5, -2.25, 0 },
		{ "192.0.2.255", 26, 2, "FR", "EU", "", "Aix en Provence", 47.13, 2.74, 0 },
		{ "198.51.100.1", 25, 6, "FR", "AS", "", "", 47.13, 2.74, 64501 },
		{ "198.51.100.129", 25, 7, "FR", "EU", "26", "Kyoto", 47.13, 2.74, 64501 },
		{ "2001:db8:2::1", 49, 8, "AU", "OC", "", "", -33.87, 151.21, 4200000000U },
		{ "2001:db8:2:8000::1", 49, 0, "DE", "EU", "BE", "Berlin", 52.52, 13.4,
		  4200000000U },
		{ "203.0.113.65", 26, 9, "NO", "EU", "", "", 61.33, 10.29, 7 },
		{ "::ffff:203.0.113.65", 122, 9, "NO", "EU", "", "", 61.33, 10.29, 7 },
		{ "240.0.0.1", 32, 10, "AQ", "SA", "", "", -79.41, 0.34, 0 },
		{ "240.0.0.0", 32, 0, "", "", "", "", 0, 0, 0 },
	};

	f.config.overrides_path = fixture_write(&f, text);
	fixture_build(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct located found = find(rows[i].address);

		/* The country's coordinates are the table's: only that they are somewhere. */
		if ((found.location.has & LOCATION_COORDINATES_OF_COUNTRY) != 0) {
			struct row row = rows[i];

			row.latitude = (double)found.location.latitude;
			row.longitude = (double)found.location.longitude;
			check_row(&row, &found);
			continue;
		}
		check_row(&rows[i], &found);
	}
}
END_TEST

START_TEST(what_the_vendor_says_is_still_told)
{
	struct located found;

	f.config.overrides_path = fixture_write(&f, "192.0.2.0/25 country=FR\n");
	fixture_build(&f);
	found = find("192.0.2.1");
	ck_assert_int_eq(strncmp(found.location.country, "FR", 2), 0);
	ck_assert_uint_eq(found.location.country_database, LOCATION_NONE);
	ck_assert_int_eq(strncmp(found.vendor.country, "JP", 2), 0);
	ck_assert_str_eq(location_database(&f.locations, found.vendor.country_database),
			 DATA("nested-city.mmdb"));
}
END_TEST

static const uint16_t *sites_of(const struct geo_pref *pref)
{
	return image_at(&f.geo, uint16_t, pref->sites_off);
}

START_TEST(clients_are_sent_where_overrides_say_they_are)
{
	f.config.overrides_path = fixture_write(
		&f, "192.0.2.0/26 site=sydney\n192.0.2.64/26 asn=9\n2001:db8:1::/56 country=BR\n");
	fixture_build(&f);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "192.0.2.1", 0))[0], SYDNEY);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "192.0.2.65", 0))[0], TOKYO);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "192.0.2.200", 0))[0], FRANKFURT);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "2001:db8:1::1", 0))[0], SAOPAULO);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "2001:db8:1:100::1", 0))[0], TOKYO);
}
END_TEST

START_TEST(rules_see_the_overridden_location)
{
	const struct config_client client[] = { { .kind = MATCH_COUNTRY, .code = "FR" },
						{ .kind = MATCH_ASN, .asn = 64999 } };
	const uint16_t sites[] = { NEWYORK, LONDON }, bands[] = { 0, 0 };
	const struct config_rule rules[] = {
		{ .clients = { &client[0], 1, "" },
		  .sites = sites,
		  .bands = bands,
		  .site_count = 1 },
		{ .clients = { &client[1], 1, "" },
		  .sites = sites + 1,
		  .bands = bands,
		  .site_count = 1 },
	};

	f.pools[0].rules = rules;
	f.pools[0].rule_count = 2;
	f.config.overrides_path = fixture_write(
		&f,
		"192.0.2.0/26 country=FR\n192.0.2.64/26 asn=64999\n198.51.100.0/24 site=tokyo\n");
	fixture_build(&f);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.1", 0)->rule, 0);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.65", 0)->rule, 1);
	ck_assert_uint_eq(fixture_pref(&f, "198.51.100.1", 0)->rule, GEO_RULE_NONE);
	f.config.overrides_path = NULL;
	fixture_build(&f);
	ck_assert_uint_eq(fixture_pref(&f, "198.51.100.1", 0)->rule, 0);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.1", 0)->rule, GEO_RULE_NONE);
}
END_TEST

/* --- resolvers ----------------------------------------------------------------------------- */

static const struct geo_pref *source_pref(const char *text)
{
	struct ip_address address = fixture_address(text);
	struct geo_match match = geo_find_source(&f.geo, &address);

	return geo_pool_pref(&f.geo, 0, geo_class_pref(&f.geo, match.class_id, 0));
}

START_TEST(resolvers_count_where_their_clients_are_but_subnets_where_they_are)
{
	const struct config_client client = { .kind = MATCH_PREFIX,
					      .prefix = { fixture_address("198.51.100.0"), 28 } };
	const uint16_t site = SINGAPORE, band = 0;
	const struct config_rule rule = {
		.clients = { &client, 1, "" }, .sites = &site, .bands = &band, .site_count = 1
	};
	struct ip_address address;
	struct located found;

	f.pools[0].rules = &rule;
	f.pools[0].rule_count = 1;
	f.config.overrides_path = fixture_write(&f, "192.0.2.0/26 site=sydney\n");
	f.config.resolvers_path = fixture_write(
		&f, "192.0.2.0/27 country=BR\n198.51.100.0/24 country=GB\n2001:db8:1::/48 asn=5\n");
	fixture_build(&f);
	ck_assert_uint_eq(sites_of(source_pref("192.0.2.1"))[0], SAOPAULO);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "192.0.2.1", 0))[0], SYDNEY);
	ck_assert_uint_eq(sites_of(source_pref("192.0.2.33"))[0], SYDNEY); /* not in the table */
	ck_assert_uint_eq(sites_of(source_pref("192.0.2.200"))[0], FRANKFURT);
	ck_assert_uint_eq(sites_of(source_pref("198.51.100.17"))[0], LONDON);
	ck_assert_uint_eq(source_pref("198.51.100.1")->rule, 0); /* rules for networks on top */
	ck_assert_uint_eq(sites_of(source_pref("2001:db8:1::1"))[0], TOKYO);
	address = fixture_address("192.0.2.1");
	ck_assert(locations_find_source(&f.locations, &address, &found));
	ck_assert_int_eq(strncmp(found.location.country, "BR", 2), 0);
	ck_assert_str_eq(found.file, f.config.resolvers_path);
	ck_assert_uint_eq(found.row->line, 1);
	address = fixture_address("192.0.2.33");
	ck_assert(!locations_find_source(&f.locations, &address, &found));
	ck_assert_str_eq(found.file, f.config.overrides_path);
}
END_TEST

/* --- mistakes ------------------------------------------------------------------------------ */

START_TEST(mistakes_have_their_line_and_column)
{
	static const struct {
		const char *line, *mistake;
	} rows[] = {
		{ "192.0.2.300/24 country=DE", ":1:1: error: \"192.0.2.300/24\" is not a network" },
		{ "192.0.2.1/24 country=DE", ":1:1: error: \"192.0.2.1/24\" has bits behind" },
		{ "192.0.2.0/24", ":1:1: error: \"192.0.2.0/24\" is all there is" },
		{ "192.0.2.0/24 county=DE", ":1:14: error: \"county\" is not one of country," },
		{ "192.0.2.0/24 country=DE country=FR",
		  ":1:25: error: \"country\" is there twice" },
		{ "192.0.2.0/24 country", ":1:14: error: \"country\" is not KEY=VALUE" },
		{ "192.0.2.0/24 country=Germany", ":1:22: error: \"Germany\" is not a country" },
		{ "192.0.2.0/24 country=UK", ":1:22: error: \"UK\" is not the ISO 3166-1 code" },
		{ "192.0.2.0/24 continent=XX", ":1:24: error: \"XX\" is not a continent" },
		{ "  192.0.2.0/24 latitude=91 longitude=1", ":1:25: error: \"91\" is not a lat" },
		{ "192.0.2.0/24 latitude=9 longitude=1x", ":1:35: error: \"1x\" is not a longi" },
		{ "192.0.2.0/24 latitude=9", ":1:1: error: \"192.0.2.0/24\" has a latitude or" },
		{ "192.0.2.0/24 site=atlantis", ":1:19: error: \"atlantis\" is not a site" },
		{ "192.0.2.0/24 site=tokyo latitude=1 longitude=1", "has both a site and" },
		{ "192.0.2.0/24 asn=AS0", ":1:18: error: \"AS0\" is not an AS number" },
		{ "192.0.2.0/24 asn=4294967296", ":1:18: error: \"4294967296\" is not an AS" },
		{ "192.0.2.0/24 city=\"New York", ":1:19: error: \"\"New York\" has no closing" },
		{ "192.0.2.0/24 city=\"New\"York", "goes on behind its quote" },
		{ "192.0.2.0/24 city=\"\"", "is not a name of 1 to 255" },
		{ "192.0.2.0/24 city=\xff\xff", "is not UTF-8 text" },
	};
	char *text;

	f.config.overrides_path = fixture_write(&f, rows[_i].line);
	fixture_build(&f);
	ck_assert_ptr_null(f.geo.base);
	text = fixture_mistakes(&f);
	ck_assert_msg(strstr(text, rows[_i].mistake) != NULL, "%s", text);
	ck_assert_uint_eq(diag_errors(f.diag), 1);
	free(text);
}
END_TEST
#define MISTAKES 20

START_TEST(missing_file_is_a_mistake)
{
	f.config.resolvers_path = "/tmp/signpost-there-is-none";
	fixture_build(&f);
	ck_assert_ptr_null(f.geo.base);
}
END_TEST

START_TEST(after_many_mistakes_the_rest_of_the_file_is_not_read)
{
	char many[100 * 10 + 1];

	for (int i = 0; i < 100; i++)
		memcpy(many + i * 10, "192.0.2.0\n", 10);
	many[sizeof(many) - 1] = '\0';
	f.config.overrides_path = fixture_write(&f, many);
	fixture_build(&f);
	ck_assert_uint_eq(diag_errors(f.diag), DIAG_PER_FILE);
}
END_TEST

START_TEST(network_that_stands_twice_is_where_it_stands_first)
{
	char *text;

	f.config.overrides_path = fixture_write(
		&f, "192.0.2.0/24 country=FR\n192.0.2.0/24 country=FR\n192.0.2.0/24 country=NO\n");
	fixture_build(&f);
	ck_assert_int_eq(strncmp(find("192.0.2.1").location.country, "FR", 2), 0);
	ck_assert_uint_eq(find("192.0.2.1").row->line, 1);
	ck_assert_uint_eq(diag_warnings(f.diag), 1);
	text = fixture_mistakes(&f);
	ck_assert_ptr_nonnull(strstr(text, ":3: warning: this network stands in line 1 already"));
	free(text);
}
END_TEST

/* --- taking over --------------------------------------------------------------------------- */

START_TEST(databases_are_not_walked_again_when_overrides_change)
{
	struct image before;
	uint8_t *copy;
	struct locations_root *root;
	uint64_t id;

	f.config.overrides_path = fixture_write(&f, "192.0.2.0/26 site=sydney\n");
	fixture_build(&f);
	before = f.locations;
	copy = malloc(before.size);
	memcpy(copy, before.base, before.size);
	root = (struct locations_root *)(void *)(copy + IMAGE_ROOT);
	((struct location_place *)(void *)(copy + root->places_off))[0].asn = 4711; /* a mark */
	f.config.overrides_path = fixture_write(&f, "192.0.2.0/26 site=london city=L\n");
	fixture_build_from(&f, &(struct image){ copy, before.size });
	ck_assert_uint_eq(find("240.0.0.1").location.asn, 4711);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "192.0.2.1", 0))[0], LONDON);
	ck_assert_uint_eq(sites_of(fixture_pref(&f, "192.0.2.100", 0))[0], TOKYO);
	image_close(&f.locations);
	fixture_build_from(&f, &before);
	id = image_header(&f.locations)->id;
	fixture_build(&f); /* and all is as if they had been */
	ck_assert_uint_eq(image_header(&f.locations)->id, id);
	image_close(&before);
	free(copy);
}
END_TEST

START_TEST(locations_are_taken_over_whole_where_nothing_changed)
{
	static const char text[] = "192.0.2.0/26 country=FR\n192.0.2.0/26 country=NO\n";
	struct diag *told = f.diag;

	f.config.overrides_path = fixture_write(&f, text);
	f.config.resolvers_path = fixture_write(&f, "198.51.100.0/24 site=tokyo\n");
	fixture_build(&f);
	ck_assert_uint_eq(diag_warnings(f.diag), 1);
	ck_assert_uint_eq(f.kept_warnings, 0);
	f.diag = diag_new();
	f.config.preference_depth = 2;
	ck_assert(fixture_take_over(&f));
	ck_assert_uint_eq(diag_warnings(f.diag), 0); /* it was told when the file was read */
	ck_assert_uint_eq(f.kept_warnings, 1);
	ck_assert_uint_eq(find("192.0.2.1").row->line, 1);
	fixture_rewrite(f.config.overrides_path, text); /* another time, nothing else */
	ck_assert(fixture_take_over(&f));
	diag_free(told);
}
END_TEST

/* Each is the same as before but for one thing, and of the same size. */
START_TEST(locations_are_made_anew_where_something_changed)
{
	f.config.overrides_path = fixture_write(&f, "192.0.2.0/26 country=FR\n");
	f.config.resolvers_path = fixture_write(&f, "198.51.100.0/24 site=tokyo\n");
	fixture_build(&f);
	if (_i == 0)
		fixture_rewrite(f.config.overrides_path, "192.0.2.0/26 country=NO\n");
	if (_i == 1)
		fixture_rewrite(f.config.resolvers_path, "198.51.100.0/25 site=tokyo\n");
	if (_i == 2)
		f.sites[TOKYO].latitude += 1;
	if (_i == 3)
		f.config.resolvers_path = NULL;
	if (_i == 4)
		f.config.countries_path = fixture_write(&f, "FR\t47\t2\nNO\t61\t10\n");
	if (_i == 5)
		(void)fixture_add_database(&f, DATA("flat-ipv4.mmdb"));
	ck_assert(!fixture_take_over(&f));
	ck_assert_int_eq(strncmp(find("192.0.2.1").location.country, _i == 0 ? "NO" : "FR", 2), 0);
}
END_TEST

START_TEST(file_that_is_gone_is_a_mistake_even_if_it_was_empty)
{
	f.config.overrides_path = fixture_write(&f, "");
	fixture_build(&f);
	ck_assert_int_eq(unlink(f.config.overrides_path), 0);
	ck_assert(!fixture_take_over(&f));
	ck_assert_uint_eq(diag_errors(f.diag), 1);
}
END_TEST

/* --- long files: two threads read them ----------------------------------------------------- */

enum { LONG_LINES = 12000 };

/* Line n (from 0 on) names 10.0.0.0 + 256 n, and a city that some other lines name. */
static char *long_file(void)
{
	char *text = malloc(LONG_LINES * 64), *at = text;

	for (unsigned n = 0; n < LONG_LINES; n++)
		at += sprintf(at, "10.%u.%u.0/24 city=\"C %u\" subdivision=S%u asn=%u\n", n >> 8,
			      n & 255, n * n % 4001, n % 77, n % 997 + 1);
	return text;
}

START_TEST(long_file_is_as_if_read_in_order)
{
	char *text = long_file();

	f.config.overrides_path = fixture_write(&f, text);
	fixture_build(&f);
	for (unsigned n = 0; n < LONG_LINES; n++) {
		char address[32], city[16], subdivision[16];
		struct located found;

		(void)sprintf(address, "10.%u.%u.7", n >> 8, n & 255);
		(void)sprintf(city, "C %u", n * n % 4001);
		(void)sprintf(subdivision, "S%u", n % 77);
		found = find(address);
		ck_assert_uint_eq(found.row->line, n + 1);
		ck_assert_str_eq(location_text(&f.locations, found.location.city), city);
		ck_assert_str_eq(location_text(&f.locations, found.location.subdivision),
				 subdivision);
		ck_assert_uint_eq(found.location.asn, n % 997 + 1);
	}
	free(text);
}
END_TEST

static char *line_of(char *text, unsigned number)
{
	while (--number > 0)
		text = strchr(text, '\n') + 1;
	return text;
}

/* Mistakes in both halves come in order, and no more than if they were read one by one. */
START_TEST(mistakes_of_a_long_file_are_those_of_its_first_lines)
{
	char *text = long_file(), *told;
	const char *last;

	for (unsigned line = 1; line < LONG_LINES; line += 500) /* 12 in each half */
		*line_of(text, line) = 'x';
	f.config.overrides_path = fixture_write(&f, text);
	fixture_build(&f);
	ck_assert_uint_eq(diag_errors(f.diag), DIAG_PER_FILE);
	told = fixture_mistakes(&f);
	last = told;
	for (unsigned i = 0; i < DIAG_PER_FILE; i++) {
		char place[64];

		(void)sprintf(place, ":%u:1: error: \"x0.", i * 500 + 1);
		last = strstr(last, place);
		ck_assert_msg(last != NULL, "%s\n%s", place, told);
	}
	free(told);
	free(text);
}
END_TEST

/* Random networks in one another against a scan of all rows. */
START_TEST(rows_are_those_that_a_scan_finds)
{
	enum { ROWS = 500 };
	static struct ip_prefix prefixes[ROWS];
	static char text[ROWS * 64];
	uint64_t seed = 17;
	size_t len = 0;

	for (int i = 0; i < ROWS; i++) {
		struct ip_prefix *prefix = &prefixes[i];
		uint64_t bits = fixture_random(&seed);
		char written[IP_PREFIX_SIZE];

		*prefix = (struct ip_prefix){ .address.family = IP_V4,
					      .len = (uint8_t)(8 + fixture_random(&seed) % 25) };
		memcpy(prefix->address.bytes, &bits, 4);
		prefix->address.bytes[0] = 10;
		prefix->address.bytes[1] &= 3;
		ip_mask(prefix->address.bytes, prefix->len);
		len += (size_t)sprintf(text + len, "%s asn=%d\n", ip_prefix_format(prefix, written),
				       i + 1);
	}
	f.config.overrides_path = fixture_write(&f, text);
	fixture_build(&f);
	for (int i = 0; i < 20000; i++) {
		struct ip_address address = prefixes[fixture_random(&seed) % ROWS].address;
		struct located found;
		int best = -1;

		address.bytes[3] ^= (uint8_t)fixture_random(&seed);
		for (int r = 0; r < ROWS; r++)
			if (ip_prefix_contains(&prefixes[r], &address) &&
			    (best < 0 || prefixes[r].len > prefixes[best].len))
				best = r;
		locations_find(&f.locations, &address, &found);
		ck_assert_uint_eq(found.location.asn, (uint32_t)(best + 1));
	}
}
END_TEST

Suite *overrides_suite(void)
{
	Suite *suite = suite_create("overrides");
	TCase *all = tcase_create("overrides");

	tcase_add_checked_fixture(all, open_fixture, close_fixture);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, longest_network_replaces_what_it_names);
	tcase_add_test(all, what_the_vendor_says_is_still_told);
	tcase_add_test(all, clients_are_sent_where_overrides_say_they_are);
	tcase_add_test(all, rules_see_the_overridden_location);
	tcase_add_test(all, resolvers_count_where_their_clients_are_but_subnets_where_they_are);
	tcase_add_loop_test(all, mistakes_have_their_line_and_column, 0, MISTAKES);
	tcase_add_test(all, missing_file_is_a_mistake);
	tcase_add_test(all, after_many_mistakes_the_rest_of_the_file_is_not_read);
	tcase_add_test(all, network_that_stands_twice_is_where_it_stands_first);
	tcase_add_test(all, databases_are_not_walked_again_when_overrides_change);
	tcase_add_test(all, locations_are_taken_over_whole_where_nothing_changed);
	tcase_add_loop_test(all, locations_are_made_anew_where_something_changed, 0, 6);
	tcase_add_test(all, file_that_is_gone_is_a_mistake_even_if_it_was_empty);
	tcase_add_test(all, long_file_is_as_if_read_in_order);
	tcase_add_test(all, mistakes_of_a_long_file_are_those_of_its_first_lines);
	tcase_add_test(all, rows_are_those_that_a_scan_finds);
	suite_add_tcase(suite, all);
	return suite;
}
