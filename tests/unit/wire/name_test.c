/* Names, against ldns' reading of the same texts. */
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/wire/wire_test.h"
#include "wire/name.h"

static const char *const valid[] = {
	".",
	"net.",
	"example.net.",
	"VPN.Example.NET.",
	"a\\.b.example.net.",
	"\\000\\255.net.",
	"*.vpn.example.net.",
	"x\\032y.net.",
	"\\\\.net.",
	"_sip._tcp.example.net.",
	"1.2.3.4.in-addr.arpa.",
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890.net.",
};

static const char *const invalid[] = {
	"",          "..",
	".net.",     "a..net.",
	"\\25.net.", "\\256.net.",
	"a\\",       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789012.net.",
};

START_TEST(names_read_as_ldns_reads_them)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		const char *reason = NULL;
		struct name name;
		ldns_rdf *rdf = ldns_dname_new_frm_str(valid[i]);

		ck_assert_ptr_nonnull(rdf);
		ldns_dname2canonical(rdf);
		ck_assert_msg(name_parse(valid[i], strlen(valid[i]), NULL, &name, &reason),
			      "%s: %s", valid[i], reason);
		ck_assert_uint_eq(name.len, ldns_rdf_size(rdf));
		ck_assert_mem_eq(name.wire, ldns_rdf_data(rdf), name.len);
		ck_assert_uint_eq(name.labels, ldns_dname_label_count(rdf));
		ck_assert_uint_eq(name_length(name.wire, name.len), name.len);
		ck_assert_uint_eq(name_length(name.wire, name.len - 1U), 0);
		ldns_rdf_deep_free(rdf);
	}
}
END_TEST

START_TEST(bad_names_are_refused_with_a_reason)
{
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		const char *reason = NULL;
		struct name name;

		ck_assert_msg(!name_parse(invalid[i], strlen(invalid[i]), NULL, &name, &reason),
			      "%s", invalid[i]);
		ck_assert_ptr_nonnull(reason);
	}
}
END_TEST

START_TEST(name_of_255_octets_is_the_longest)
{
	char text[300] = "";
	const char *reason;
	struct name name;

	for (unsigned i = 0; i < 126; i++)
		strcat(text, "a.");
	strcat(text, "b."); /* 127 labels of one octet and the root: 255 octets */
	ck_assert(name_parse(text, strlen(text), NULL, &name, &reason));
	ck_assert_uint_eq(name.len, 255);
	ck_assert_uint_eq(name.labels, 127);
	strcat(text, "c.");
	ck_assert(!name_parse(text, strlen(text), NULL, &name, &reason));
}
END_TEST

START_TEST(relative_names_are_completed_by_the_origin)
{
	struct name origin, name;
	const char *reason;
	char text[NAME_TEXT_SIZE];

	ck_assert(name_parse("example.net.", 12, NULL, &origin, &reason));
	ck_assert(name_parse("vpn", 3, &origin, &name, &reason));
	ck_assert_str_eq(name_format(name.wire, text), "vpn.example.net.");
	ck_assert(name_parse("@", 1, &origin, &name, &reason));
	ck_assert_str_eq(name_format(name.wire, text), "example.net.");
	ck_assert(name_is_under(name.wire, name.len, origin.wire, origin.len));
}
END_TEST

START_TEST(every_octet_survives_printing_and_reading)
{
	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t wire[] = { 3, 'a', name_lower((uint8_t)octet), 'b', 0 };
		char text[NAME_TEXT_SIZE];
		struct name name;
		const char *reason;

		name_format(wire, text);
		ck_assert_msg(name_parse(text, strlen(text), NULL, &name, &reason), "%s", text);
		ck_assert_mem_eq(name.wire, wire, sizeof(wire));
	}
}
END_TEST

START_TEST(comparison_ignores_case_and_sees_label_borders)
{
	ck_assert(name_equal((const uint8_t *)"\3VPN\3net", (const uint8_t *)"\3vpn\3NET"));
	ck_assert(!name_equal((const uint8_t *)"\3vpn\3net", (const uint8_t *)"\3vpn"));
	ck_assert(!name_equal((const uint8_t *)"\1a\1b", (const uint8_t *)"\3a\1b"));
	/* "xexample.net" ends with the text of "example.net", but is not below it */
	ck_assert(!name_is_under((const uint8_t *)"\10xexample\3net", 14,
				 (const uint8_t *)"\7example\3net", 13));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");

	suite_case(suite, "name", names_read_as_ldns_reads_them,
		   bad_names_are_refused_with_a_reason, name_of_255_octets_is_the_longest,
		   relative_names_are_completed_by_the_origin,
		   every_octet_survives_printing_and_reading,
		   comparison_ignores_case_and_sees_label_borders);
	add_query_tests(suite);
	add_tsig_tests(suite);
	add_words_tests(suite);
	return run_suite(suite);
}
