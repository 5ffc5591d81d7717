#include "conf/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conf_test.h"
#include "fixture.h"

#define SITES "zones: zones\nsites:\n  tokyo: { location: [1, 2] }\n  x: { location: "

static void write_text(const char *file, const char *text)
{
	fixture_write(file, text, strlen(text));
}

static void setup(void)
{
	fixture_setup();
	ck_assert_int_eq(mkdir("geoip", 0777), 0);
	write_text("geoip/countries.tsv", "# code\n\nJP\t35.5\t138.25\tJapan\r\nDE\t50.9\t9.8\n");
	write_text("geoip/places.tsv", "# code\nDEFRA\t50.11\t8.68\tFrankfurt am Main\n"
				       "DEFFO\t52.34\t14.55\tFrankfurt\n"
				       "FRA\t50.03\t8.57\tFrankfurt Airport\n"
				       "FRZZZ\t45\t5\tFranken\n"
				       "PAN\t6.79\t101.15\tPattani\n"
				       "USY2K\t-7.5\t-120\tSomewhere\n");
}

static struct reading *read_location(const char *location, char *server, size_t size)
{
	(void)snprintf(server, size, SITES "%s }\n", location);
	return fixture_read(server, NULL);
}

static const struct {
	const char *location;
	double latitude, longitude;
} good[] = {
	{ "JP", 35.5, 138.25 },          { "DE", 50.9, 9.8 },          { "FRA", 50.03, 8.57 },
	{ "\"IATA:FRA\"", 50.03, 8.57 }, { "IATA:PAN", 6.79, 101.15 }, { "DEFRA", 50.11, 8.68 },
	{ "DE FRA", 50.11, 8.68 },       { "USY2K", -7.5, -120 },      { "[3, 4]", 3, 4 },
};

START_TEST(a_site_is_where_its_name_says)
{
	char server[512];
	struct reading *reading = read_location(good[_i].location, server, sizeof(server));

	ck_assert_str_eq(reading->printed, "");
	ck_assert_double_eq(reading->config.sites[1].latitude, good[_i].latitude);
	ck_assert_double_eq(reading->config.sites[1].longitude, good[_i].longitude);
	ck_assert_double_eq(reading->config.sites[0].latitude, 1);
	fixture_free(reading);
}
END_TEST

static const struct {
	const char *location, *says;
} bad[] = {
	{ "XQ", "4:18: error: \"XQ\" is no country code of ISO 3166-1\n" },
	{ "UK", "4:18: error: \"UK\" is no country code of ISO 3166-1 (did you mean \"GB\"?)\n" },
	{ "NO", "4:18: error: \"NO\" is not in /" },
	{ "jp", "4:18: error: \"jp\" is no place (did you mean \"JP\"?)\n" },
	{ "de fra", "4:18: error: \"de fra\" is no place (did you mean \"DEFRA\"?)\n" },
	{ "QQQ",
	  "4:18: error: \"QQQ\" is no place: a location is [latitude, longitude] in degrees, "
	  "or a country (JP), an IATA code (FRA) or a UN/LOCODE (DE FRA)\n" },
	{ "IATA:DEFRA", "\"IATA:DEFRA\" is no place: " },
	{ "DEU", "4:18: error: \"DEU\" is no place (did you mean \"DE\"?)\n" },
	{ "PAN", "4:18: error: \"PAN\" is an airport or city, and a country as well: write "
		 "\"IATA:PAN\" or \"PA\"\n" },
	{ "pan", "write \"IATA:PAN\" or \"PA\"\n" },
	{ "frankfurt", " (did you mean DEFFO, Frankfurt; or DEFRA, Frankfurt am Main; or FRA, "
		       "Frankfurt Airport?)\n" },
	{ "{ a: b }", "4:18: error: a location is [latitude, longitude] in degrees, or " },
	{ "[1, 2, 3]", "4:18: error: a location is [latitude, longitude] in degrees, or " },
};

START_TEST(a_name_that_is_none_or_two_is_refused)
{
	char server[512];
	struct reading *reading = read_location(bad[_i].location, server, sizeof(server));

	if (strstr(reading->printed, bad[_i].says) == NULL || diag_errors(reading->diag) != 1)
		ck_abort_msg("expected alone:\n%s\ngot:\n%s", bad[_i].says, reading->printed);
	fixture_free(reading);
}
END_TEST

START_TEST(the_table_is_found_beside_that_of_countries)
{
	struct reading *reading;

	ck_assert_int_eq(rename("geoip", "zones/tables"), 0);
	reading = fixture_read(
		"geoip: { countries: zones/tables/countries.tsv }\n" SITES "DE FRA }\n", NULL);
	ck_assert_str_eq(reading->printed, "");
	ck_assert_double_eq(reading->config.sites[1].latitude, 50.11);
	fixture_free(reading);
}
END_TEST

START_TEST(without_a_table_a_code_is_not_found)
{
	char server[512];
	struct reading *reading;

	ck_assert_int_eq(remove("geoip/places.tsv"), 0);
	reading = read_location("HAM", server, sizeof(server));
	ck_assert_ptr_nonnull(strstr(
		reading->printed, "signpost.yaml:4:18: error: \"HAM\": there is no table to find "
				  "this in: geoip.places is not given, and places.tsv is not "
				  "beside the table of countries\n"));
	fixture_free(reading);
}
END_TEST

START_TEST(a_table_of_the_operators_own_is_used_and_its_mistakes_are_told)
{
	struct reading *reading;

	write_text("own.tsv", "HAM\t1\t2\n# x\nMUC\t91\t2\tMunich\nTOOLONG\t1\t2\tx\nBRE 1 2\n"
			      "BER\t1\tinf\tx\n");
	reading = fixture_read("geoip: { places: own.tsv }\n" SITES "HAM }\n", NULL);
	ck_assert_uint_eq(diag_errors(reading->diag), 4);
	ck_assert_double_eq(reading->config.sites[1].latitude, 1);
	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "/own.tsv:3:1: error: this is not a code, a latitude, a "
				     "longitude and a name, with tabs between\n"));
	ck_assert_ptr_nonnull(strstr(reading->printed, "/own.tsv:6:1: error: "));
	fixture_free(reading);
}
END_TEST

Suite *places_suite(void)
{
	Suite *suite = suite_create("places");
	TCase *tcase = tcase_create("places");

	tcase_add_checked_fixture(tcase, setup, fixture_teardown);
	tcase_add_loop_test(tcase, a_site_is_where_its_name_says, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, a_name_that_is_none_or_two_is_refused, 0,
			    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, the_table_is_found_beside_that_of_countries);
	tcase_add_test(tcase, without_a_table_a_code_is_not_found);
	tcase_add_test(tcase, a_table_of_the_operators_own_is_used_and_its_mistakes_are_told);
	suite_add_tcase(suite, tcase);
	return suite;
}
