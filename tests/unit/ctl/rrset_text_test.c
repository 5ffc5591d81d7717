/* What `diff` tells of records: blocks as zones and answers have them, taken apart again. */
#include <string.h>

#include "../run.h"
#include "ctl/rrset_text.h"
#include "image/rrset_build.h"
#include "wire/name.h"
#include "wire/types.h"

#define OWNER     "\003www\007example\003net"
#define OWNER_LEN 17

/* A block of these records, taken apart. */
static struct rrset_plain take_apart(struct buf *out, uint16_t type,
				     const struct rrset_rdata *rdatas, size_t count)
{
	struct rrset_source source = { .owner = (const uint8_t *)OWNER,
				       .owner_len = OWNER_LEN,
				       .type = type,
				       .ttl_s = 60,
				       .rdatas = rdatas,
				       .count = count };
	ptrdiff_t at = rrset_build(out, &source);
	struct rrset_plain plain;

	ck_assert_int_ge(at, 0);
	rrset_plain(&plain, (const struct rrset_block *)(const void *)(out->data + at),
		    (const uint8_t *)OWNER);
	ck_assert_uint_eq(plain.count, count);
	return plain;
}

static void assert_text(uint16_t type, const struct plain_rdata *rdata, const char *expected)
{
	struct buf line = { 0 };

	rdata_text(&line, type, rdata);
	buf_append(&line, "", 1);
	ck_assert_str_eq((const char *)line.data, expected);
	buf_free(&line);
}

START_TEST(names_are_whole_again)
{
	static const uint8_t below[] = "\000\012\004mail\003www\007example\003net";
	static const uint8_t beside[] = "\000\024\004mail\007example\003net";
	static const uint8_t same[] = "\000\036\004mail\007example\003net";
	const struct rrset_rdata rdatas[] = { { below, sizeof(below) },
					      { beside, sizeof(beside) },
					      { same, sizeof(same) } };
	struct buf out = { 0 };
	struct rrset_plain plain = take_apart(&out, TYPE_MX, rdatas, 3);

	ck_assert_uint_eq(plain.items[0].len, sizeof(below));
	ck_assert_mem_eq(plain.items[0].data, below, sizeof(below));
	ck_assert_mem_eq(plain.items[1].data, beside, sizeof(beside));
	ck_assert_mem_eq(plain.items[2].data, same, sizeof(same));
	assert_text(TYPE_MX, &plain.items[0], "10 mail.www.example.net.");
	rrset_plain_free(&plain);
	buf_free(&out);
}
END_TEST

static const struct {
	uint16_t type;
	const char *rdata;
	size_t len;
	const char *text;
} rows[] = {
	{ TYPE_A, "\300\000\002\001", 4, "192.0.2.1" },
	{ TYPE_AAAA, "\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\001", 16, "2001:db8::1" },
	{ TYPE_NS, "\002ns\003net", 8, "ns.net." },
	{ TYPE_SOA, "\002ns\0\001h\0\0\0\0\001\0\0\0\002\0\0\0\003\0\0\0\004\0\0\0\005", 27,
	  "ns. h. 1 2 3 4 5" },
	{ TYPE_TXT, "\003a\"b\001\377", 6, "\"a\\\"b\" \"\\255\"" },
	{ 257, "\200\005issueca", 9, "128 issue \"ca\"" },
	{ TYPE_SRV, "\0\001\0\002\0\003\001a", 9, "1 2 3 a." },
	{ 65280, "\001\002", 2, "\\# 2 0102" },
	{ 65280, "", 0, "\\# 0" },
	{ TYPE_A, "\300", 1, "\\# 1 c0" },
	{ TYPE_TXT, "\005ab", 3, "\\# 3 056162" },
};

START_TEST(rdata_reads_as_in_master_files)
{
	const struct plain_rdata rdata = { (uint8_t *)(uintptr_t)rows[_i].rdata, rows[_i].len };

	assert_text(rows[_i].type, &rdata, rows[_i].text);
}
END_TEST

START_TEST(types_have_names_or_numbers)
{
	char text[TYPE_TEXT_SIZE];

	ck_assert_str_eq(type_text(TYPE_HTTPS, text), "HTTPS");
	ck_assert_str_eq(type_text(257, text), "CAA");
	ck_assert_str_eq(type_text(65280, text), "TYPE65280");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rrset-text");
	TCase *texts = tcase_create("texts");

	suite_case(suite, "blocks", names_are_whole_again, types_have_names_or_numbers);
	tcase_add_loop_test(texts, rdata_reads_as_in_master_files, 0,
			    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(suite, texts);
	return run_suite(suite);
}
