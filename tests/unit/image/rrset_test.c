/* RRset blocks: what the builder makes, and what verification refuses. That blocks come out of a
 * message as they went in is checked with whole zones (tests/unit/compile/zones_ldns_test.c). */
#include <string.h>

#include "base/cursor.h"
#include "image/rrset_build.h"
#include "tests/unit/run.h"

#define NAME(text) ((const uint8_t *)(text)), sizeof(text)
#define RDATA(text)                                                            \
	{                                                                      \
		.data = (const uint8_t *)(text), .len = (uint16_t)sizeof(text) \
	}

static ptrdiff_t build(struct buf *out, const uint8_t *owner, size_t owner_len, uint16_t type,
		       const struct rrset_rdata *rdatas, size_t count)
{
	const struct rrset_source source = {
		.owner = owner,
		.owner_len = (uint16_t)owner_len,
		.type = type,
		.ttl_s = 60,
		.rdatas = rdatas,
		.count = count,
	};

	return rrset_build(out, &source);
}

static struct rrset_block *block_at(struct buf *buf, ptrdiff_t offset)
{
	ck_assert_int_ge(offset, 0);
	ck_assert_int_eq(offset % 8, 0);
	return (struct rrset_block *)(void *)(buf->data + offset);
}

static bool verifies(const struct buf *buf, ptrdiff_t offset, const uint8_t *owner)
{
	const char *reason = "";
	const uint8_t *at = buf->data + offset;

	return rrset_verify((const struct rrset_block *)(const void *)at, buf->len - (size_t)offset,
			    owner, &reason);
}

START_TEST(addresses_are_plain_records_behind_a_pointer)
{
	const struct rrset_rdata rdatas[] = { { (const uint8_t *)"\300\0\2\1", 4 },
					      { (const uint8_t *)"\300\0\2\2", 4 } };
	static const uint8_t wire[] = "\300\014\0\1\0\1\0\0\0\74\0\4\300\0\2\1"
				      "\300\014\0\1\0\1\0\0\0\74\0\4\300\0\2\2";
	struct buf buf = { 0 };
	struct rrset_block *block;

	buf_append(&buf, "odd", 3); /* blocks align themselves */
	block = block_at(&buf, build(&buf, NAME("\3vpn\4test"), TYPE_A, rdatas, 2));
	ck_assert_uint_eq(block->wire_len, 32);
	ck_assert_mem_eq(block->wire, wire, 32);
	ck_assert_uint_eq(block->rr_count, 2);
	ck_assert_uint_eq(block->owner_len, 10);
	ck_assert_uint_eq(block->fixup_count, 2);
	ck_assert_uint_eq(rrset_fixups(block)[1], 16);
	ck_assert_uint_eq(rrset_block_size(block), buf.len - 8);
	ck_assert(verifies(&buf, 8, (const uint8_t *)"\3vpn\4test"));
	buf_free(&buf);
}
END_TEST

START_TEST(names_point_to_the_longest_suffix_there_is)
{
	const struct rrset_rdata rdatas[] = { RDATA("\2ns\3sub\4test"), RDATA("\1b\2NS\3sub\4test"),
					      RDATA("\3sub\4test"), RDATA("\5other"), RDATA("") };
	struct buf buf = { 0 };
	const struct rrset_block *block = block_at(
		&buf, build(&buf, NAME("\3sub\4test"), TYPE_NS, rdatas, 5));
	/* The question ends at 12 + 10 + 4; the first RDATA stands 12 octets behind that. */
	const unsigned ns_at = 26 + 12;

	ck_assert_mem_eq(block->wire + 12, "\2ns\300\014", 5);
	ck_assert_mem_eq(block->wire + 17 + 12, "\1b\300", 3);
	ck_assert_uint_eq(block->wire[17 + 12 + 3], ns_at);
	ck_assert_mem_eq(block->wire + 33 + 12, "\300\014", 2);
	ck_assert_mem_eq(block->wire + 47 + 12, "\5other", 7);
	ck_assert_uint_eq(block->wire_len, 47 + 12 + 7 + 12 + 1);
	ck_assert(verifies(&buf, 0, (const uint8_t *)"\3sub\4test"));
	buf_free(&buf);
}
END_TEST

START_TEST(no_name_points_to_the_label_of_a_wildcard)
{
	const struct rrset_rdata rdata = RDATA("\1*\4test");
	struct buf buf = { 0 };
	const struct rrset_block *block = block_at(
		&buf, build(&buf, NAME("\1*\4test"), TYPE_PTR, &rdata, 1));

	ck_assert_mem_eq(block->wire + 12, "\1*\300\016", 4);
	ck_assert(verifies(&buf, 0, (const uint8_t *)"\1*\4test"));
	buf_free(&buf);
}
END_TEST

START_TEST(only_the_types_of_rfc_1035_are_compressed)
{
	const struct rrset_rdata rdata = { (const uint8_t *)"\0\1\0\2\0\3\4test", 12 };
	struct buf buf = { 0 };
	const struct rrset_block *block = block_at(
		&buf, build(&buf, NAME("\4test"), TYPE_SRV, &rdata, 1));

	ck_assert_uint_eq(block->fixup_count, 1);
	ck_assert_mem_eq(block->wire + 12, rdata.data, 12);
	buf_free(&buf);
}
END_TEST

START_TEST(the_root_has_records_too)
{
	const struct rrset_rdata rdata = RDATA("\1a\4root");
	struct buf buf = { 0 };
	const struct rrset_block *block = block_at(&buf, build(&buf, NAME(""), TYPE_NS, &rdata, 1));

	ck_assert_uint_eq(rrset_canonical_base(block), 17);
	ck_assert(verifies(&buf, 0, (const uint8_t *)""));
	buf_free(&buf);
}
END_TEST

START_TEST(what_is_too_large_for_a_message_is_refused)
{
	static const uint8_t text[60000];
	const struct rrset_rdata rdatas[] = { { text, 60000 }, { text, 6000 } };
	struct buf buf = { 0 };

	buf_append(&buf, "before", 6);
	ck_assert_int_eq(build(&buf, NAME("\4test"), TYPE_TXT, rdatas, 2), -1);
	ck_assert_uint_eq(buf.len, 6);
	ck_assert_int_eq(build(&buf, NAME("\4test"), TYPE_TXT, rdatas, 1), 8);
	buf_free(&buf);
}
END_TEST

/* One RRset of NS ns.test, b.ns.test at test; each row changes one thing. */
START_TEST(damage_is_refused)
{
	static const struct {
		size_t at; /* in the block */
		uint8_t value;
	} rows[] = {
		{ 0, TYPE_MX },            /* type */
		{ 2, 3 },                  /* rr_count */
		{ 4, 61 },                 /* ttl_s */
		{ 8, 3 },                  /* owner_len */
		{ 10, 3 },                 /* fixup_count */
		{ 12, 1 },                 /* extra_count */
		{ 14, 30 },                /* wire_len */
		{ 16 + 1, 13 },            /* the owner's pointer */
		{ 16 + 5, CLASS_CH },      /* class */
		{ 16 + 11, 6 },            /* RDLENGTH */
		{ 16 + 12, 64 },           /* a label */
		{ 16 + 16, 13 },           /* a pointer into a label of the owner */
		{ 16 + 17 + 12 + 3, 22 },  /* ... into type and class of the question */
		{ 16 + 17 + 12 + 3, 23 },  /* ... to the block's first octet */
		{ 16 + 17 + 12 + 3, 52 },  /* ... to itself */
		{ 16 + 17 + 12 + 3, 200 }, /* ... behind it */
		{ 16 + 33 + 1 + 2, 9 },    /* a fixup */
	};
	const struct rrset_rdata rdatas[] = { RDATA("\2ns\4test"), RDATA("\1b\2ns\4test") };
	struct buf buf = { 0 };

	ck_assert_int_eq(build(&buf, NAME("\4test"), TYPE_NS, rdatas, 2), 0);
	ck_assert(verifies(&buf, 0, (const uint8_t *)"\4test"));
	ck_assert(verifies(&buf, 0, NULL));
	ck_assert_uint_ne(buf.data[rows[_i].at], rows[_i].value);
	buf.data[rows[_i].at] = rows[_i].value;
	ck_assert(!verifies(&buf, 0, (const uint8_t *)"\4test"));
	buf_free(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("RRset blocks");
	TCase *damage = tcase_create("damage");

	suite_case(suite, "built", addresses_are_plain_records_behind_a_pointer,
		   names_point_to_the_longest_suffix_there_is,
		   no_name_points_to_the_label_of_a_wildcard,
		   only_the_types_of_rfc_1035_are_compressed, the_root_has_records_too,
		   what_is_too_large_for_a_message_is_refused);
	tcase_add_loop_test(damage, damage_is_refused, 0, 17);
	suite_add_tcase(suite, damage);
	return run_suite(suite);
}
