/* What the databases say: layouts, merging, refusals; against libmaxminddb's own lookup. */
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "geo_fixture.h"

static struct fixture f;

static void open_fixture(void)
{
	fixture_open(&f);
}

static void close_fixture(void)
{
	fixture_close(&f);
}

static const struct location *find(const char *text, uint8_t *prefix_len)
{
	struct ip_address address = fixture_address(text);
	static struct located found;

	locations_find(&f.locations, &address, &found);
	*prefix_len = found.prefix_len;
	return &found.location;
}

struct row {
	const char *address;
	unsigned prefix_len;
	const char *country, *continent; /* "": not known */
	const char *city, *subdivision;
	double latitude, longitude; /* 0, 0: not known */
	uint32_t asn;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		uint8_t len;
		const struct location *l = find(row->address, &len);
		bool is_somewhere = row->latitude != 0 || row->longitude != 0;

		ck_assert_msg(len == row->prefix_len, "%s: /%u", row->address, len);
		ck_assert_msg(strncmp(l->country, row->country, 2) == 0, "%s: %.2s", row->address,
			      l->country);
		ck_assert_msg(strncmp(l->continent, row->continent, 2) == 0, "%s: %.2s",
			      row->address, l->continent);
		ck_assert_str_eq(location_text(&f.locations, l->city), row->city);
		ck_assert_str_eq(location_text(&f.locations, l->subdivision), row->subdivision);
		ck_assert_msg(l->asn == row->asn, "%s: AS%u", row->address, l->asn);
		ck_assert_uint_eq((l->has & LOCATION_COORDINATES) != 0, is_somewhere);
		ck_assert_double_eq_tol((double)l->latitude, row->latitude, 0.001);
		ck_assert_double_eq_tol((double)l->longitude, row->longitude, 0.001);
	}
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

START_TEST(maxmind_layout_is_read)
{
	static const struct row rows[] = {
		{ "192.0.2.1", 25, "JP", "AS", "Osaka", "27", 34.69, 135.5, 0 },
		{ "192.0.2.200", 25, "DE", "EU", "Berlin", "BE", 52.52, 13.4, 0 },
		{ "198.51.100.7", 24, "FR", "EU", "", "", 47.13, 2.74, 0 },
		{ "203.0.113.1", 26, "", "SA", "", "", 0, 0, 0 },
		{ "203.0.113.65", 26, "BR", "SA", "", "", -18.16, -45.52, 0 },
		{ "203.0.113.129", 25, "", "", "", "", 0, 0, 0 },
		{ "2001:db8:1:2::", 48, "JP", "AS", "Osaka", "27", 34.69, 135.5, 0 },
		{ "2001:db8:3::1", 128, "FJ", "OC", "Suva", "", -18.14, 178.44, 0 },
		{ "2001:db8:3::", 128, "", "", "", "", 0, 0, 0 },
	};

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	f.config.countries_path = COUNTRIES_TSV;
	fixture_build(&f);
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(ipv4_is_found_inside_ipv6_but_not_by_way_of_aliases)
{
	static const struct row rows[] = {
		{ "::ffff:192.0.2.1", 121, "JP", "AS", "Osaka", "27", 34.69, 135.5, 0 },
		{ "64:ff9b::192.0.2.1", 121, "JP", "AS", "Osaka", "27", 34.69, 135.5, 0 },
	};
	uint8_t len;

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	CHECK_ROWS(rows);
	ck_assert_int_eq(find("2002:c000:201::", &len)->country[0], '\0');
	ck_assert_int_eq(find("::192.0.2.1", &len)->country[0], '\0');
}
END_TEST

START_TEST(flat_layout_is_read)
{
	static const struct row rows[] = {
		{ "192.0.2.1", 24, "JP", "AS", "", "Tokyo", 35.68, 139.69, 0 },
		{ "233.252.0.1", 24, "AU", "OC", "Sydney", "New South Wales", -33.87, 151.21, 0 },
		{ "2001:db8::", 3, "", "", "", "", 0, 0, 0 },
	};

	(void)fixture_add_database(&f, DATA("flat-ipv4.mmdb"));
	fixture_build(&f);
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(set_fields_are_read_where_they_are_set)
{
	static const struct row rows[] = {
		{ "192.0.2.1", 24, "NO", "EU", "", "", 59.91, 10.75, 64502 },
	};
	struct config_database *database = fixture_add_database(&f, DATA("own-fields.mmdb"));

	database->fields = (struct config_geo_fields){
		.country = "geo.cc", .latitude = "geo.at.0", .longitude = "geo.at.1", .asn = "net"
	};
	fixture_build(&f);
	CHECK_ROWS(rows);
}
END_TEST

START_TEST(first_database_that_knows_a_field_wins)
{
	static const struct row rows[] = {
		{ "192.0.2.1", 25, "JP", "AS", "Osaka", "Tokyo", 35.68, 139.69, 64500 },
		{ "192.0.2.200", 25, "JP", "AS", "Berlin", "Tokyo", 35.68, 139.69, 0 },
		{ "198.51.100.7", 24, "FR", "EU", "", "", 47.13, 2.74, 64501 },
		{ "2001:db8:2::1", 48, "DE", "EU", "Berlin", "BE", 52.52, 13.4, 4200000000U },
		{ "2001:db8:4::1", 46, "", "", "", "", 0, 0, 4200000000U },
	};
	const struct location *l;
	uint8_t len;

	(void)fixture_add_database(&f, DATA("flat-ipv4.mmdb"));
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	(void)fixture_add_database(&f, DATA("asn.mmdb"));
	fixture_build(&f);
	CHECK_ROWS(rows);
	l = find("192.0.2.1", &len);
	ck_assert_str_eq(location_database(&f.locations, l->coordinates_database),
			 DATA("flat-ipv4.mmdb"));
	ck_assert_str_eq(location_database(&f.locations, l->city_database),
			 DATA("nested-city.mmdb"));
	ck_assert_str_eq(location_database(&f.locations, l->asn_database), DATA("asn.mmdb"));
	l = find("198.51.100.7", &len);
	ck_assert_uint_eq(l->has, LOCATION_COORDINATES | LOCATION_COORDINATES_OF_COUNTRY);
	ck_assert_uint_eq(l->coordinates_database, LOCATION_NONE);
}
END_TEST

/* --- against libmaxminddb ------------------------------------------------------------------ */

static void random_address(uint64_t *seed, int i, char text[IP_TEXT_SIZE])
{
	struct ip_address address = { .family = i % 2 == 0 ? IP_V4 : IP_V6 };
	uint64_t words[2] = { fixture_random(seed), fixture_random(seed) };

	memcpy(address.bytes, words, ip_bits(address.family) / 8);
	if (address.family == IP_V6 && i % 4 == 1) { /* where networks are: 2400::/12 and so on */
		static const uint8_t tops[] = { 0x24, 0x26, 0x28, 0x2a, 0x2c };

		address.bytes[0] = tops[address.bytes[0] % sizeof(tops)];
		address.bytes[1] &= 0x0f;
	}
	(void)ip_format(&address, text);
}

START_TEST(countries_are_those_that_libmaxminddb_finds)
{
	MMDB_s db;
	uint64_t seed = 1;
	unsigned found = 0;

	(void)fixture_add_database(&f, COUNTRY_MMDB);
	fixture_build(&f);
	ck_assert_int_eq(MMDB_open(COUNTRY_MMDB, MMDB_MODE_MMAP, &db), MMDB_SUCCESS);
	for (int i = 0; i < 40000; i++) {
		char text[IP_TEXT_SIZE];
		MMDB_lookup_result_s result;
		MMDB_entry_data_s value = { .has_data = false };
		const struct location *l;
		int gai, mmdb;
		uint8_t len;

		random_address(&seed, i, text);
		result = MMDB_lookup_string(&db, text, &gai, &mmdb);
		ck_assert_int_eq(mmdb, MMDB_SUCCESS);
		l = find(text, &len);
		if (!result.found_entry) {
			ck_assert_msg(l->country[0] == '\0', "%s", text);
			continue;
		}
		found++;
		MMDB_get_value(&result.entry, &value, "country_code", NULL);
		ck_assert_msg(value.has_data && value.data_size == 2 &&
				      memcmp(value.utf8_string, l->country, 2) == 0,
			      "%s: %.2s", text, l->country);
		/* Neighbours of one country are one network here: ours is not the longer one. */
		if (i % 2 == 0)
			result.netmask = (uint16_t)(result.netmask - 96);
		ck_assert_msg(len <= result.netmask, "%s: /%u in /%u", text, len, result.netmask);
	}
	ck_assert_uint_gt(found, 10000);
	MMDB_close(&db);
}
END_TEST

/* --- refusals ------------------------------------------------------------------------------ */

static void check_mistake(const char *expected)
{
	char *text;

	fixture_build(&f);
	ck_assert_ptr_null(f.geo.base);
	text = fixture_mistakes(&f);
	ck_assert_msg(strstr(text, expected) != NULL, "%s", text);
	free(text);
}

START_TEST(database_without_known_fields_is_refused_with_what_it_holds)
{
	(void)fixture_add_database(&f, DATA("unknown-fields.mmdb"));
	check_mistake("signpost.yaml:11:5: error: " DATA(
		"unknown-fields.mmdb") ": no record has a known field; they hold: risk.score "
				       "(double), risk.seen (integer), tags.0 (text), note (text)");
}
END_TEST

START_TEST(what_clients_are_told_by_in_one_database_does_not_help_another)
{
	f.config.fields = (const struct config_field[]){ { "traits.is_anonymous", "true" } };
	f.config.field_count = 1;
	(void)fixture_add_database(&f, DATA("traits.mmdb"));
	(void)fixture_add_database(&f, DATA("unknown-fields.mmdb"));
	check_mistake("unknown-fields.mmdb: no record has a known field");
}
END_TEST

START_TEST(set_field_that_no_record_has_is_refused)
{
	fixture_add_database(&f, DATA("flat-ipv4.mmdb"))->fields.country = "country.code";
	check_mistake("no record has the country where \"fields\" says; they hold: city (text), "
		      "country_code (text), latitude (float)");
}
END_TEST

START_TEST(one_mistake_is_told_once)
{
	fixture_add_database(&f, DATA("own-fields.mmdb"))->fields.country = "geo.xx";
	check_mistake("no record has the country");
	ck_assert_uint_eq(diag_errors(f.diag), 1);
}
END_TEST

START_TEST(path_that_is_none_is_refused)
{
	fixture_add_database(&f, DATA("flat-ipv4.mmdb"))->fields.asn = "a..b";
	check_mistake("\"a..b\" is not a path");
}
END_TEST

START_TEST(missing_file_and_text_file_are_refused_by_name_and_at_once)
{
	(void)fixture_add_database(&f, DATA("none.mmdb"));
	(void)fixture_add_database(&f, DATA("make-mmdb"));
	check_mistake("signpost.yaml:11:5: error: " DATA("none.mmdb") ": No such file");
	check_mistake("signpost.yaml:12:5: error: " DATA("make-mmdb") ": ");
}
END_TEST

START_TEST(damaged_database_is_refused_or_read_but_harms_nobody)
{
	char path[] = "/tmp/signpost-damaged-XXXXXX";
	int source = open(DATA("nested-city.mmdb"), O_RDONLY);
	int fd = mkstemp(path);
	uint8_t bytes[8192];
	ssize_t size = read(source, bytes, sizeof(bytes));
	uint64_t seed = 3;
	unsigned refused = 0;

	ck_assert_int_gt(size, 1000);
	(void)fixture_add_database(&f, path);
	for (int round = 0; round < 1000; round++) {
		uint8_t copy[sizeof(bytes)];

		memcpy(copy, bytes, sizeof(bytes));
		for (int i = 0; i < 3; i++)
			copy[fixture_random(&seed) % (uint64_t)size] = (uint8_t)fixture_random(
				&seed);
		ck_assert_int_eq(pwrite(fd, copy, (size_t)size, 0), size);
		diag_free(f.diag);
		f.diag = diag_new();
		fixture_build(&f); /* verifies what it makes */
		refused += f.geo.base == NULL;
	}
	ck_assert_uint_gt(refused, 100);
	close(source);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(mistakes_in_the_countries_table_have_their_lines)
{
	static const char table[] = "# comment\n"
				    "JP\t35.7\t137.1\tJapan\n"
				    "Germany\t51\t10\n"
				    "FR\t91\t2\tFrance\n"
				    "SE\t60\tx\tSweden\n"
				    "JP\t1\t1\n"
				    "NO\n";
	char path[] = "/tmp/signpost-countries-XXXXXX";
	int fd = mkstemp(path);
	char *text;

	ck_assert_int_eq(write(fd, table, sizeof(table) - 1), sizeof(table) - 1);
	f.config.countries_path = path;
	fixture_build(&f);
	text = fixture_mistakes(&f);
	ck_assert_ptr_nonnull(strstr(text, ":3:1: error: \"Germany\" is not a country code"));
	ck_assert_ptr_nonnull(strstr(text, ":4:4: error: \"91\" is not a latitude"));
	ck_assert_ptr_nonnull(strstr(text, ":5:7: error: \"x\" is not a longitude"));
	ck_assert_ptr_nonnull(strstr(text, ":6:1: error: \"JP\" is there twice"));
	ck_assert_ptr_nonnull(strstr(text, ":7:3: error: \"\" is not a latitude"));
	ck_assert_uint_eq(diag_errors(f.diag), 5);
	free(text);
	close(fd);
	unlink(path);
}
END_TEST

/* --- taking over --------------------------------------------------------------------------- */

/* The locations of before with one thing changed, to see whether they were taken over. */
static void mark_locations(void)
{
	uint8_t *copy = malloc(f.locations.size);
	struct image original = f.locations;
	struct locations_root *root;

	memcpy(copy, original.base, original.size);
	root = (struct locations_root *)(void *)(copy + IMAGE_ROOT);
	((struct location_place *)(void *)(copy + root->places_off))[0].asn = 4711;
	f.locations.base = copy;
	fixture_build_from(&f, &f.locations);
	image_close(&original);
	free(copy);
}

static bool is_marked(void)
{
	uint8_t len;

	return find("240.0.0.1", &len)->asn == 4711;
}

START_TEST(unchanged_databases_are_not_walked_again)
{
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	mark_locations();
	ck_assert(is_marked());
	f.config.preference_depth = 1; /* not part of the key */
	fixture_build_again(&f);
	ck_assert(is_marked());
}
END_TEST

START_TEST(another_field_file_or_time_makes_them_walked_again)
{
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	mark_locations();
	if (_i == 0)
		f.databases[0].fields.city = "city.names.de";
	if (_i == 1)
		f.databases[0].path = DATA("flat-ipv4.mmdb");
	if (_i == 2)
		f.config.countries_path = NULL;
	if (_i == 3)
		(void)fixture_add_database(&f, DATA("asn.mmdb"));
	fixture_build_again(&f);
	ck_assert(!is_marked());
}
END_TEST

static void copy_file(const char *from, const char *to)
{
	char *bytes;
	size_t size = 0;
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");

	ck_assert(in != NULL && out != NULL);
	bytes = malloc(1U << 20);
	while ((size = fread(bytes, 1, 1U << 20, in)) > 0)
		ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
	free(bytes);
	ck_assert_int_eq(fclose(in) | fclose(out), 0);
}

/* As archives do: the modification times are the same, and the change times nearly always. */
START_TEST(link_that_leads_to_another_file_makes_them_walked_again)
{
	static const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	char folder[] = "/tmp/locations-XXXXXX", one[64], two[64], link[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(one, sizeof(one), "%s/one", folder);
	(void)snprintf(two, sizeof(two), "%s/two", folder);
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	copy_file(DATA("nested-city.mmdb"), one);
	copy_file(DATA("nested-city.mmdb"), two);
	ck_assert_int_eq(utimensat(AT_FDCWD, one, times, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, two, times, 0), 0);
	ck_assert_int_eq(symlink(one, link), 0);
	(void)fixture_add_database(&f, link);
	fixture_build(&f);
	mark_locations();
	ck_assert(is_marked());
	ck_assert_int_eq(unlink(link) | symlink(two, link), 0);
	fixture_build_again(&f);
	ck_assert(!is_marked());
	ck_assert_int_eq(unlink(link) | unlink(one) | unlink(two) | rmdir(folder), 0);
}
END_TEST

START_TEST(copied_image_is_the_same_image)
{
	uint64_t id;

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	id = image_header(&f.locations)->id;
	fixture_build_again(&f);
	ck_assert_uint_eq(image_header(&f.locations)->id, id);
}
END_TEST

START_TEST(damaged_locations_image_is_refused_or_harmless)
{
	uint8_t *copy;
	struct image image;
	uint64_t seed = 11;
	unsigned refused = 0;

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	copy = malloc(f.locations.size);
	image = (struct image){ copy, f.locations.size };
	for (int round = 0; round < 5000; round++) {
		struct err err;

		memcpy(copy, f.locations.base, f.locations.size);
		for (int i = 0; i < 3; i++)
			copy[IMAGE_ROOT + fixture_random(&seed) % (image.size - IMAGE_ROOT)] =
				(uint8_t)fixture_random(&seed);
		if (locations_verify(&image, &err) != 0) {
			refused++;
			continue;
		}
		for (int i = 0; i < 20; i++) {
			char text[IP_TEXT_SIZE];
			struct ip_address address;
			struct located l;

			random_address(&seed, i, text);
			address = fixture_address(text);
			(void)locations_find_source(&image, &address, &l);
			ck_assert_uint_lt(strlen(location_text(&image, l.location.city)),
					  image.size);
			ck_assert_uint_lt(
				strlen(location_database(&image, l.location.city_database)),
				image.size);
		}
	}
	ck_assert_uint_gt(refused, 1000);
	free(copy);
}
END_TEST

static uint8_t *copy_of(const struct image *image)
{
	uint8_t *bytes = malloc(image->size);

	memcpy(bytes, image->base, image->size);
	return bytes;
}

/* It is copied into images with other roots. */
START_TEST(databases_that_lie_in_the_root_are_refused)
{
	static const size_t fields[] = {
		offsetof(struct locations_root, breaks.family[0].heads_off),
		offsetof(struct locations_root, breaks.family[1].values_off),
		offsetof(struct locations_root, places_off),
		offsetof(struct locations_root, origins_off),
		offsetof(struct locations_root, databases_off),
		offsetof(struct locations_root, texts_off),
		offsetof(struct locations_root, field_sets_off),
	};
	struct err err;

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint8_t *bytes = copy_of(&f.locations);
		struct image damaged = { bytes, f.locations.size };
		uint64_t in_root = IMAGE_ROOT + offsetof(struct locations_root, overrides);

		ck_assert_int_eq(locations_verify(&damaged, &err), 0);
		memcpy(bytes + IMAGE_ROOT + fields[i], &in_root, sizeof(in_root));
		ck_assert_int_eq(locations_verify(&damaged, &err), -1);
		free(bytes);
	}
}
END_TEST

START_TEST(break_points_of_a_file_without_rows_are_looked_at)
{
	uint8_t *bytes;
	struct locations_root *root;
	struct image damaged;
	struct err err;

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	bytes = copy_of(&f.locations);
	damaged = (struct image){ bytes, f.locations.size };
	root = (struct locations_root *)(void *)(bytes + IMAGE_ROOT);
	root->overrides.breaks.family[1].count = 1;
	ck_assert_int_eq(locations_verify(&damaged, &err), -1);
	free(bytes);
}
END_TEST

/* A field more than a word of a set has bits for. */
START_TEST(sets_of_fields_that_are_too_small_are_made_anew)
{
	const struct locations_root *root;
	uint8_t *bytes;
	struct image damaged;

	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	mark_locations();
	bytes = copy_of(&f.locations);
	damaged = (struct image){ bytes, f.locations.size };
	((struct locations_root *)(void *)(bytes + IMAGE_ROOT))->field_words = 2;
	image_close(&f.locations);
	fixture_build_from(&f, &damaged);
	root = image_root(&f.locations, struct locations_root);
	ck_assert_uint_eq(root->field_words, 1);
	ck_assert(!is_marked());
	free(bytes);
}
END_TEST

Suite *locations_suite(void)
{
	Suite *suite = suite_create("locations");
	TCase *all = tcase_create("locations");

	tcase_add_checked_fixture(all, open_fixture, close_fixture);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, maxmind_layout_is_read);
	tcase_add_test(all, ipv4_is_found_inside_ipv6_but_not_by_way_of_aliases);
	tcase_add_test(all, flat_layout_is_read);
	tcase_add_test(all, set_fields_are_read_where_they_are_set);
	tcase_add_test(all, first_database_that_knows_a_field_wins);
	tcase_add_test(all, countries_are_those_that_libmaxminddb_finds);
	tcase_add_test(all, database_without_known_fields_is_refused_with_what_it_holds);
	tcase_add_test(all, what_clients_are_told_by_in_one_database_does_not_help_another);
	tcase_add_test(all, set_field_that_no_record_has_is_refused);
	tcase_add_test(all, one_mistake_is_told_once);
	tcase_add_test(all, path_that_is_none_is_refused);
	tcase_add_test(all, missing_file_and_text_file_are_refused_by_name_and_at_once);
	tcase_add_test(all, damaged_database_is_refused_or_read_but_harms_nobody);
	tcase_add_test(all, mistakes_in_the_countries_table_have_their_lines);
	tcase_add_test(all, unchanged_databases_are_not_walked_again);
	tcase_add_loop_test(all, another_field_file_or_time_makes_them_walked_again, 0, 4);
	tcase_add_test(all, link_that_leads_to_another_file_makes_them_walked_again);
	tcase_add_test(all, copied_image_is_the_same_image);
	tcase_add_test(all, damaged_locations_image_is_refused_or_harmless);
	tcase_add_test(all, databases_that_lie_in_the_root_are_refused);
	tcase_add_test(all, break_points_of_a_file_without_rows_are_looked_at);
	tcase_add_test(all, sets_of_fields_that_are_too_small_are_made_anew);
	suite_add_tcase(suite, all);
	return suite;
}
