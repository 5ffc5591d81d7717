/* The record that refuses a TSIG record, as ldns reads it. */
#include "wire/tsig.h"

#include <check.h>
#include <ldns/ldns.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/unit/wire/wire_test.h"
#include "wire/query.h"

/* 21 octets, then the TSIG record: its owner is "Key" and the name in the question. */
#define MESSAGE                                   \
	"ID\0\0\0\1\0\0\0\0\0\1"                  \
	"\3net\0\0\1\0\1"                         \
	"\3Key\xc0\x0c\0\xfa\0\xff\0\0\0\0\0\x27" \
	"\x0bhmac-sha256\0"                       \
	"\0\0\x65\x43\x21\x10\1\x2c"              \
	"\0\4MAC!"                                \
	"OI\0\0"                                  \
	"\0\6ignore"

static void read_message(struct query *out)
{
	static const uint8_t message[] = MESSAGE;

	ck_assert_int_eq(query_read(out, message, sizeof(message) - 1, 0), RCODE_NOTAUTH);
}

START_TEST(key_algorithm_and_time_come_back_and_no_signature)
{
	struct query query;
	uint8_t out[600];
	size_t pos = 0, len;
	ldns_rr *rr = NULL;
	char *text;

	read_message(&query);
	len = tsig_size(&query.tsig);
	ck_assert_uint_le(len, sizeof(out));
	tsig_write_badkey(out, &query.tsig);
	ck_assert_int_eq(ldns_wire2rr(&rr, out, len, &pos, LDNS_SECTION_ADDITIONAL),
			 LDNS_STATUS_OK);
	ck_assert_uint_eq(pos, len);
	text = ldns_rr2str(rr);
	/* The MAC and other data are nothing between two spaces, and behind one. */
	ck_assert_str_eq(text,
			 "Key.net.\t0\tANY\tTSIG\thmac-sha256. 1698898192  300 0  20297 17 0 \n");
	free(text);
	ldns_rr_free(rr);
}
END_TEST

/* Each octet of the record set to each value: it is read within its bounds (the sanitizer looks),
 * and whatever is taken can be written and read again. */
START_TEST(what_is_read_can_be_written)
{
	static const uint8_t whole[] = MESSAGE;

	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t *message = malloc(sizeof(whole) - 1), out[600];
		struct query query;
		ldns_rr *rr = NULL;
		size_t pos = 0;

		ck_assert_ptr_nonnull(message);
		memcpy(message, whole, sizeof(whole) - 1);
		message[_i] = (uint8_t)octet;
		if (query_read(&query, message, sizeof(whole) - 1, 0) == RCODE_NOTAUTH) {
			tsig_write_badkey(out, &query.tsig);
			ck_assert_int_eq(ldns_wire2rr(&rr, out, tsig_size(&query.tsig), &pos,
						      LDNS_SECTION_ADDITIONAL),
					 LDNS_STATUS_OK);
			ldns_rr_free(rr);
		}
		free(message);
	}
}
END_TEST

void add_tsig_tests(Suite *suite)
{
	TCase *octets = tcase_create("every octet");

	tcase_add_loop_test(octets, what_is_read_can_be_written, 21, sizeof(MESSAGE) - 1);
	suite_add_tcase(suite, octets);
	suite_case(suite, "tsig", key_algorithm_and_time_come_back_and_no_signature);
}
