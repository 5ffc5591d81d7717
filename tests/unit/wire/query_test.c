/* What a query's bytes mean: each kind of damage has one defined result. */
#include "wire/query.h"

#include <check.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/unit/wire/wire_test.h"

/* Messages are rows of pieces; the id is "ID". */
#define HEADER(flags, qd, an, ns, ar) "ID" flags "\0" qd "\0" an "\0" ns "\0" ar
#define QUERY(ar)                     HEADER("\0\0", "\1", "\0", "\0", ar)
#define NAME                          "\3wWw\7exaMPle\0"
#define QUESTION                      NAME "\0\1\0\1"
#define OPT(class, ttl, rdata_len)    "\0\0\x29" class ttl rdata_len
#define OPT_PLAIN                     OPT("\x04\xd0", "\0\0\0\0", "\0\0")
#define OPT_ECS(len, option)          OPT("\x04\xd0", "\0\0\0\0", "\0" len) option
#define RECORD                        "\0\1\0\1\0\0\0\0\0\4abcd"
#define KEY                           "\1k\3key\0"
#define TSIG(rdata_len)               "\0\xfa\0\xff\0\0\0\0\0" rdata_len
#define TSIG_RDATA_CUT             \
	"\7unknown\0" TIMES "\0\4" \
	"MAC!"                     \
	"ID"                       \
	"\0\0"                     \
	"\0"
#define TSIG_RDATA  TSIG_RDATA_CUT "\0"
#define TIMES       "\0\0sixs\1\x2c"
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

struct row {
	const char *what;
	const uint8_t *message;
	size_t len;
	enum rcode rcode;
	bool question, edns, ecs; /* what the answer can repeat */
};

#define LABEL_63 \
	"\x3f"   \
	"123456789012345678901234567890123456789012345678901234567890123"
#define NAME_255                          \
	LABEL_63 LABEL_63 LABEL_63 "\x3d" \
				   "1234567890123456789012345678901234567890123456789012345678901"
#define NAME_256                   \
	LABEL_63 LABEL_63 LABEL_63 \
		"\x3e"             \
		"12345678901234567890123456789012345678901234567890123456789012"

static const struct row rows[] = {
	{ "plain", BYTES(QUERY("\0") QUESTION), RCODE_NOERROR, true, false, false },
	{ "octets behind the end", BYTES(QUERY("\0") QUESTION "xyz"), RCODE_NOERROR, true, false,
	  false },
	{ "the root", BYTES(QUERY("\0") "\0\0\2\0\1"), RCODE_NOERROR, true, false, false },
	{ "longest name", BYTES(QUERY("\0") NAME_255 "\0\0\1\0\1"), RCODE_NOERROR, true, false,
	  false },
	{ "name too long", BYTES(QUERY("\0") NAME_256 "\0\0\1\0\1"), RCODE_FORMERR, false, false,
	  false },
	{ "header only", BYTES(QUERY("\0")), RCODE_FORMERR, false, false, false },
	{ "no question", BYTES(HEADER("\0\0", "\0", "\0", "\0", "\0") QUESTION), RCODE_FORMERR,
	  false, false, false },
	{ "two questions", BYTES(HEADER("\0\0", "\2", "\0", "\0", "\0") QUESTION QUESTION),
	  RCODE_FORMERR, false, false, false },
	{ "name without end", BYTES(QUERY("\0") "\3www\7exa"), RCODE_FORMERR, false, false, false },
	{ "name is a pointer", BYTES(QUERY("\0") "\xc0\x0c\0\1\0\1"), RCODE_FORMERR, false, false,
	  false },
	{ "label type 01", BYTES(QUERY("\0") "\x41xx\0\0\1\0\1"), RCODE_FORMERR, false, false,
	  false },
	{ "no type", BYTES(QUERY("\0") NAME), RCODE_FORMERR, false, false, false },
	{ "half a class", BYTES(QUERY("\0") NAME "\0\1\0"), RCODE_FORMERR, false, false, false },

	{ "notify", BYTES(HEADER("\x20\0", "\1", "\0", "\0", "\0") NAME "\0\6\0\1"), RCODE_NOTIMP,
	  true, false, false },
	{ "update that ends early", BYTES(HEADER("\x28\0", "\1", "\0", "\1", "\0") QUESTION),
	  RCODE_NOTIMP, true, false, false },
	{ "opcode 15 with nothing", BYTES(HEADER("\x78\0", "\0", "\0", "\0", "\0")), RCODE_NOTIMP,
	  false, false, false },

	{ "EDNS", BYTES(QUERY("\1") QUESTION OPT_PLAIN), RCODE_NOERROR, true, true, false },
	{ "EDNS promised", BYTES(QUERY("\1") QUESTION), RCODE_FORMERR, true, false, false },
	{ "OPT cut", BYTES(QUERY("\1") QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0"), RCODE_FORMERR, true,
	  false, false },
	{ "OPT rdata cut", BYTES(QUERY("\1") QUESTION OPT("\x04\xd0", "\0\0\0\0", "\0\4") "\0\3"),
	  RCODE_FORMERR, true, true, false },
	{ "two OPT", BYTES(QUERY("\2") QUESTION OPT_PLAIN OPT_PLAIN), RCODE_FORMERR, true, true,
	  false },
	{ "OPT of a name", BYTES(QUERY("\1") QUESTION "\1x" OPT_PLAIN), RCODE_FORMERR, true, true,
	  false },
	{ "OPT in authority", BYTES(HEADER("\0\0", "\1", "\0", "\1", "\0") QUESTION OPT_PLAIN),
	  RCODE_FORMERR, true, true, false },
	{ "version 1", BYTES(QUERY("\1") QUESTION OPT("\x04\xd0", "\0\1\0\0", "\0\0")),
	  RCODE_BADVERS, true, true, false },
	{ "version 1, strange rdata",
	  BYTES(QUERY("\1") QUESTION OPT("\x04\xd0", "\0\1\0\0", "\0\1") "x"), RCODE_BADVERS, true,
	  true, false },
	{ "two OPT, the first of version 1",
	  BYTES(QUERY("\2") QUESTION OPT("\x04\xd0", "\0\1\0\0", "\0\0") OPT_PLAIN), RCODE_FORMERR,
	  true, true, false },
	{ "other records around OPT",
	  BYTES(HEADER("\0\0", "\1", "\1", "\1", "\2") QUESTION
		"\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"
		"\1x\xc0\x0c\0\6\0\1\0\0\0\0\0\0" OPT_PLAIN "\0\0\xf9\0\xff\0\0\0\0\0\2ab"),
	  RCODE_NOERROR, true, true, false },
	{ "a record's rdata cut",
	  BYTES(HEADER("\0\0", "\1", "\1", "\0", "\0") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abc"),
	  RCODE_FORMERR, true, false, false },
	{ "no question, but OPT", BYTES(HEADER("\0\0", "\0", "\0", "\0", "\1") OPT_PLAIN),
	  RCODE_FORMERR, false, true, false },
	{ "two questions and OPT",
	  BYTES(HEADER("\0\0", "\2", "\0", "\0", "\1") QUESTION QUESTION OPT_PLAIN), RCODE_FORMERR,
	  false, true, false },
	{ "two questions that end early",
	  BYTES(HEADER("\0\0", "\2", "\0", "\0", "\1") QUESTION NAME "\0\1\0"), RCODE_FORMERR,
	  false, false, false },
	{ "no question, of version 1",
	  BYTES(HEADER("\0\0", "\0", "\0", "\0", "\1") OPT("\x04\xd0", "\0\1\0\0", "\0\0")),
	  RCODE_BADVERS, false, true, false },
	{ "update of version 1",
	  BYTES(HEADER("\x28\0", "\1", "\0", "\0", "\1")
			QUESTION OPT("\x04\xd0", "\0\1\0\0", "\0\0")),
	  RCODE_BADVERS, true, true, false },
	{ "a record whose name points at itself", BYTES(QUERY("\1") QUESTION "\xc0\x1d" RECORD),
	  RCODE_FORMERR, true, false, false },
	{ "a record whose name points ahead", BYTES(QUERY("\1") QUESTION "\xff\xff" RECORD),
	  RCODE_FORMERR, true, false, false },
	{ "a record whose name points into the header",
	  BYTES(QUERY("\1") QUESTION "\xc0\x0b" RECORD), RCODE_FORMERR, true, false, false },
	{ "a record's name is half a pointer", BYTES(QUERY("\1") QUESTION "\1x\xc0"), RCODE_FORMERR,
	  true, false, false },
	{ "a record's longest name", BYTES(QUERY("\1") QUESTION NAME_255 "\0" RECORD),
	  RCODE_NOERROR, true, false, false },
	{ "a record's name too long", BYTES(QUERY("\1") QUESTION NAME_256 "\0" RECORD),
	  RCODE_FORMERR, true, false, false },
	{ "a record's name of label type 10",
	  BYTES(HEADER("\0\0", "\1", "\1", "\0", "\0") QUESTION "\x80\0\1\0\1\0\0\0\0\0\0"),
	  RCODE_FORMERR, true, false, false },

	{ "TSIG", BYTES(QUERY("\1") QUESTION KEY TSIG("\x1d") TSIG_RDATA), RCODE_NOTAUTH, true,
	  false, false },
	{ "TSIG behind OPT", BYTES(QUERY("\2") QUESTION OPT_PLAIN KEY TSIG("\x1d") TSIG_RDATA),
	  RCODE_NOTAUTH, true, true, false },
	{ "TSIG behind OPT of version 1",
	  BYTES(QUERY("\2") QUESTION OPT("\x04\xd0", "\0\1\0\0", "\0\0") KEY TSIG("\x1d")
			TSIG_RDATA),
	  RCODE_BADVERS, true, true, false },
	{ "TSIG of an update",
	  BYTES(HEADER("\x28\0", "\1", "\0", "\0", "\1") QUESTION KEY TSIG("\x1d") TSIG_RDATA),
	  RCODE_NOTAUTH, true, false, false },
	{ "TSIG, its key compressed",
	  BYTES(QUERY("\1") QUESTION "\1k\xc0\x10" TSIG("\x1d") TSIG_RDATA), RCODE_NOTAUTH, true,
	  false, false },
	{ "TSIG before OPT", BYTES(QUERY("\2") QUESTION KEY TSIG("\x1d") TSIG_RDATA OPT_PLAIN),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG twice",
	  BYTES(QUERY("\2") QUESTION KEY TSIG("\x1d") TSIG_RDATA KEY TSIG("\x1d") TSIG_RDATA),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG in authority",
	  BYTES(HEADER("\0\0", "\1", "\0", "\1", "\0") QUESTION KEY TSIG("\x1d") TSIG_RDATA),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG of class IN", BYTES(QUERY("\1") QUESTION KEY "\0\xfa\0\1\0\0\0\0\0\x1d" TSIG_RDATA),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG with a TTL",
	  BYTES(QUERY("\1") QUESTION KEY "\0\xfa\0\xff\0\0\0\1\0\x1d" TSIG_RDATA), RCODE_FORMERR,
	  true, false, false },
	{ "TSIG, RDATA too short", BYTES(QUERY("\1") QUESTION KEY TSIG("\x1c") TSIG_RDATA_CUT),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG, RDATA too long", BYTES(QUERY("\1") QUESTION KEY TSIG("\x1e") TSIG_RDATA "x"),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG, its key a loop", BYTES(QUERY("\1") QUESTION "\1k\xc0\x1d" TSIG("\x1d") TSIG_RDATA),
	  RCODE_FORMERR, true, false, false },
	{ "TSIG, its key partly in the header",
	  BYTES(QUERY("\1") QUESTION "\1k\xc0\1" TSIG("\x1d") TSIG_RDATA), RCODE_FORMERR, true,
	  false, false },
	{ "TSIG, its key ends with a pointer to a zero octet",
	  BYTES(QUERY("\1") QUESTION "\1k\xc0\x19" TSIG("\x1d") TSIG_RDATA), RCODE_NOTAUTH, true,
	  false, false },
	{ "TSIG, its key points at what runs into itself",
	  BYTES(QUERY("\1") QUESTION "\1k\xc0\x1c" TSIG("\x1d") TSIG_RDATA), RCODE_FORMERR, true,
	  false, false },

	{ "unknown option", BYTES(QUERY("\1") QUESTION OPT_ECS("\6", "\xff\xfe\0\2ab")),
	  RCODE_NOERROR, true, true, false },
	{ "option without length", BYTES(QUERY("\1") QUESTION OPT_ECS("\2", "\0\x08")),
	  RCODE_FORMERR, true, true, false },
	{ "option over the end", BYTES(QUERY("\1") QUESTION OPT_ECS("\6", "\0\3\0\3ab")),
	  RCODE_FORMERR, true, true, false },
	{ "ECS /24", BYTES(QUERY("\1") QUESTION OPT_ECS("\13", "\0\x08\0\7\0\1\x18\0\xc0\0\2")),
	  RCODE_NOERROR, true, true, true },
	{ "ECS /0", BYTES(QUERY("\1") QUESTION OPT_ECS("\10", "\0\x08\0\4\0\1\0\0")), RCODE_NOERROR,
	  true, true, true },
	{ "ECS of no family, nothing in it",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\10", "\0\x08\0\4\0\0\0\0")), RCODE_NOERROR, true,
	  true, true },
	{ "ECS IPv6 /56",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\17", "\0\x08\0\x0b\0\2\x38\0\x20\1\xd\xb8\1\2\3")),
	  RCODE_NOERROR, true, true, true },
	{ "ECS behind another option",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\17", "\0\3\0\0\0\x08\0\7\0\1\x18\0\xc0\0\2")),
	  RCODE_NOERROR, true, true, true },
	{ "ECS too short for its fields",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\7", "\0\x08\0\3\0\1\0")), RCODE_FORMERR, true, true,
	  false },
	{ "ECS with an octet too few",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\12", "\0\x08\0\6\0\1\x18\0\xc0\0")), RCODE_FORMERR,
	  true, true, false },
	{ "ECS with an octet too many",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\14", "\0\x08\0\x08\0\1\x18\0\xc0\0\2\0")),
	  RCODE_FORMERR, true, true, false },
	{ "ECS with bits after the prefix",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\13", "\0\x08\0\7\0\1\x17\0\xc0\0\3")), RCODE_FORMERR,
	  true, true, false },
	{ "ECS with a scope",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\13", "\0\x08\0\7\0\1\x18\x18\xc0\0\2")),
	  RCODE_FORMERR, true, true, false },
	{ "ECS IPv4 /33",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\15", "\0\x08\0\x09\0\1\x21\0\xc0\0\2\1\0")),
	  RCODE_FORMERR, true, true, false },
	{ "ECS of an unknown family",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\13", "\0\x08\0\7\0\3\x18\0\xc0\0\2")), RCODE_FORMERR,
	  true, true, false },
	{ "ECS twice",
	  BYTES(QUERY("\1") QUESTION OPT_ECS("\26", "\0\x08\0\7\0\1\x18\0\xc0\0\2"
						    "\0\x08\0\7\0\1\x18\0\xc0\0\2")),
	  RCODE_FORMERR, true, true, false },
};

START_TEST(each_message_has_one_defined_result)
{
	const struct row *row = &rows[_i];
	struct query query;
	enum rcode rcode;

	ck_assert(query_wants_answer(row->message, row->len));
	rcode = query_read(&query, row->message, row->len, EDNS_HAS_ALL);
	ck_assert_msg(rcode == row->rcode, "%s: rcode %d", row->what, (int)rcode);
	ck_assert_msg((query.question_len > 0) == row->question, "%s: question", row->what);
	ck_assert_msg(query.has_edns == row->edns, "%s: EDNS", row->what);
	ck_assert_msg((query.has_edns && (query.edns.has & EDNS_HAS_CLIENT_SUBNET) != 0) ==
			      row->ecs,
		      "%s: ECS", row->what);
}
END_TEST

START_TEST(every_cut_of_a_message_is_read_within_its_bounds)
{
	const struct row *row = &rows[_i];

	for (size_t len = DNS_HEADER_SIZE; len < row->len; len++) {
		uint8_t *copy = malloc(len); /* exactly as long: the sanitizer sees a step beyond */
		struct query query;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, row->message, len);
		(void)query_read(&query, copy, len, EDNS_HAS_ALL);
		free(copy);
	}
}
END_TEST

START_TEST(answers_and_stumps_are_nobodys_question)
{
	ck_assert(!query_wants_answer(BYTES(HEADER("\x80\0", "\1", "\0", "\0", "\0") QUESTION)));
	ck_assert(!query_wants_answer((const uint8_t *)"ID\0\0\0\1\0\0\0\0\0", 11));
	ck_assert(!query_wants_answer((const uint8_t *)"", 0));
}
END_TEST

START_TEST(ecs_is_an_unknown_option_where_it_is_not_wanted)
{
	static const char bad[] = QUERY("\1")
		QUESTION OPT_ECS("\13", "\0\x08\0\7\0\1\x18\x18\xc0\0\2");
	struct query query;

	ck_assert_int_eq(query_read(&query, BYTES(bad), EDNS_HAS_ALL & ~EDNS_HAS_CLIENT_SUBNET),
			 RCODE_NOERROR);
	ck_assert(query.has_edns && (query.edns.has & EDNS_HAS_CLIENT_SUBNET) == 0);
}
END_TEST

START_TEST(edns_fields_are_read)
{
	struct query query;

	ck_assert_int_eq(query_read(&query,
				    BYTES(QUERY("\1") QUESTION OPT("\x10\0", "\0\0\x80\0", "\0\0")),
				    EDNS_HAS_ALL),
			 RCODE_NOERROR);
	ck_assert_uint_eq(query.edns.udp_size, 4096);
	ck_assert(query.edns.dnssec_ok);
	ck_assert_int_eq(query_read(&query,
				    BYTES(QUERY("\1") QUESTION OPT("\0\x10", "\0\0\0\0", "\0\0")),
				    EDNS_HAS_ALL),
			 RCODE_NOERROR);
	ck_assert_uint_eq(query.edns.udp_size, 512);
	ck_assert(!query.edns.dnssec_ok);
}
END_TEST

/* --- options other than Client Subnet --------------------------------------------------------- */

#define COOKIE_8  "12345678"
#define COOKIE_16 COOKIE_8 COOKIE_8
#define COOKIE_40 COOKIE_16 COOKIE_16 COOKIE_8

static const struct option_row {
	const char *what;
	const char *rdata;
	size_t len;
	enum rcode rcode;
	unsigned has;
	uint8_t cookie_len;
} option_rows[] = {
#define RDATA(text) text, sizeof(text) - 1
	{ "NSID (RFC 5001, 2.1)", RDATA("\0\3\0\0"), RCODE_NOERROR, EDNS_HAS_NSID, 0 },
	{ "NSID with data (2.2: ignored)", RDATA("\0\3\0\2ab"), RCODE_NOERROR, EDNS_HAS_NSID, 0 },
	{ "NSID twice", RDATA("\0\3\0\0\0\3\0\0"), RCODE_NOERROR, EDNS_HAS_NSID, 0 },
	{ "keepalive (RFC 7828, 3.2.1)", RDATA("\0\x0b\0\0"), RCODE_NOERROR, EDNS_HAS_TCP_KEEPALIVE,
	  0 },
	{ "keepalive with a timeout", RDATA("\0\x0b\0\2\0\1"), RCODE_FORMERR, 0, 0 },
	{ "keepalive of one octet", RDATA("\0\x0b\0\1a"), RCODE_FORMERR, 0, 0 },
	{ "cookie of no octets (RFC 7873, 5.2.2)", RDATA("\0\x0a\0\0"), RCODE_FORMERR, 0, 0 },
	{ "cookie of 7",
	  RDATA("\0\x0a\0\7"
		"1234567"),
	  RCODE_FORMERR, 0, 0 },
	{ "cookie of 8", RDATA("\0\x0a\0\x08" COOKIE_8), RCODE_NOERROR, EDNS_HAS_COOKIE, 8 },
	{ "cookie of 9", RDATA("\0\x0a\0\x09" COOKIE_8 "x"), RCODE_FORMERR, 0, 0 },
	{ "cookie of 15", RDATA("\0\x0a\0\x0f" COOKIE_8 "1234567"), RCODE_FORMERR, 0, 0 },
	{ "cookie of 16", RDATA("\0\x0a\0\x10" COOKIE_16), RCODE_NOERROR, EDNS_HAS_COOKIE, 16 },
	{ "cookie of 40", RDATA("\0\x0a\0\x28" COOKIE_40), RCODE_NOERROR, EDNS_HAS_COOKIE, 40 },
	{ "cookie of 41", RDATA("\0\x0a\0\x29" COOKIE_40 "x"), RCODE_FORMERR, 0, 0 },
	{ "two cookies: the first counts (5.2)",
	  RDATA("\0\x0a\0\x08" COOKIE_8 "\0\x0a\0\x10" COOKIE_16), RCODE_NOERROR, EDNS_HAS_COOKIE,
	  8 },
	{ "padding (RFC 7830)", RDATA("\0\x0c\0\2\0\0"), RCODE_NOERROR, 0, 0 },
	{ "an error in a query", RDATA("\0\x0f\0\2\0\0"), RCODE_NOERROR, 0, 0 },
	{ "nothing is left of what stands before FORMERR",
	  RDATA("\0\3\0\0"
		"\0\x0a\0\x08" COOKIE_8 "\0\x0b\0\0"
		"\0"),
	  RCODE_FORMERR, 0, 0 },
#undef RDATA
};

START_TEST(each_option_has_one_defined_result)
{
	const struct option_row *row = &option_rows[_i];
	uint8_t *copy = malloc(row->len); /* exactly as long: see above */
	struct edns edns;
	enum rcode rcode;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, row->rdata, row->len);
	rcode = edns_read(&edns, 1232, 0, copy, row->len, EDNS_HAS_ALL);
	ck_assert_msg(rcode == row->rcode, "%s: rcode %d", row->what, (int)rcode);
	ck_assert_msg(edns.has == row->has, "%s: has %u", row->what, edns.has);
	if (row->cookie_len > 0)
		ck_assert_uint_eq(edns.cookie_len, row->cookie_len);
	if (row->cookie_len > 0)
		ck_assert_mem_eq(edns.cookie, row->rdata + 4, row->cookie_len);
	/* Where no option is known, none is looked into. */
	if (rcode == RCODE_FORMERR && row->rdata[row->len - 1] != '\0') {
		ck_assert_int_eq(edns_read(&edns, 1232, 0, copy, row->len, 0), RCODE_NOERROR);
		ck_assert_uint_eq(edns.has, 0);
	}
	free(copy);
}
END_TEST

START_TEST(a_question_is_missing_only_where_a_cookie_is_asked_for)
{
	static const char with[] = HEADER("\0\0", "\0", "\0", "\0", "\1")
		OPT("\x04\xd0", "\0\0\0\0", "\0\x0c") "\0\x0a\0\x08" COOKIE_8;
	static const char without[] = HEADER("\0\0", "\0", "\0", "\0", "\1") OPT_PLAIN;
	struct query query;

	ck_assert_int_eq(query_read(&query, BYTES(with), EDNS_HAS_ALL), RCODE_NOERROR);
	ck_assert_uint_eq(query.question_len, 0);
	ck_assert_uint_eq(query.edns.cookie_len, 8);
	ck_assert_int_eq(query_read(&query, BYTES(without), EDNS_HAS_ALL), RCODE_FORMERR);
	ck_assert(query.has_edns);
	ck_assert_int_eq(query_read(&query, BYTES(with), EDNS_HAS_ALL & ~EDNS_HAS_COOKIE),
			 RCODE_FORMERR);
}
END_TEST

START_TEST(what_edns_write_writes_is_read_again)
{
	struct edns in = { .dnssec_ok = true,
			   .has = EDNS_HAS_CLIENT_SUBNET,
			   .ecs = { ECS_IPV6, 48, 6, { 0x20, 1, 0xd, 0xb8, 0, 7 } } };
	struct edns_reply reply = { .query = &in,
				    .udp_size = 1232,
				    .scope = 40,
				    .has = EDNS_HAS_COOKIE,
				    .cookie = (const uint8_t *)COOKIE_40,
				    .cookie_len = 40,
				    .error = EDNS_ERROR_NONE };
	uint8_t opt[200];
	struct edns out;
	size_t len = edns_write(opt, edns_size(&reply), &reply, RCODE_BADVERS);

	ck_assert_uint_eq(len, 11 + 4 + 4 + 6 + 4 + 40);
	ck_assert_uint_eq(len, edns_size(&reply));
	ck_assert_uint_eq(opt[5], 1); /* the upper bits of BADVERS */
	ck_assert_uint_eq(opt[18], 40);
	opt[18] = 0; /* a query has no scope */
	ck_assert_int_eq(edns_read(&out, load_u16(opt + 3), load_u32(opt + 5), opt + 11,
				   load_u16(opt + 9), EDNS_HAS_ALL),
			 RCODE_NOERROR);
	ck_assert(out.dnssec_ok && out.version == 0);
	ck_assert_uint_eq(out.has, EDNS_HAS_CLIENT_SUBNET | EDNS_HAS_COOKIE);
	ck_assert_uint_eq(out.udp_size, 1232);
	ck_assert_mem_eq(&out.ecs, &in.ecs, sizeof(in.ecs));
	ck_assert_uint_eq(out.cookie_len, 40);
	ck_assert_mem_eq(out.cookie, COOKIE_40, 40);
}
END_TEST

/* The OPT record's options in the order in which they are given up as room gets short. */
START_TEST(the_error_s_text_then_the_error_then_nsid_make_room)
{
	struct edns in = { .dnssec_ok = false };
	struct edns_reply reply = { .query = &in,
				    .udp_size = 1232,
				    .has = EDNS_HAS_NSID | EDNS_HAS_TCP_KEEPALIVE,
				    .keepalive_100ms = 0x1234,
				    .nsid = (const uint8_t *)"name",
				    .nsid_len = 4,
				    .error = EDNS_ERROR_NOT_READY,
				    .error_text = "why" };
	static const char all[] = "\0\x0b\0\2\x12\x34"
				  "\0\3\0\4name"
				  "\0\x0f\0\5\0\x0ewhy";
	static const struct {
		size_t room, len;
	} sizes[] = {
		{ 11 + 6, 11 + 6 },   { 11 + 13, 11 + 12 + 0 }, /* the error alone fits where NSID does not */
		{ 11 + 14, 11 + 14 }, { 11 + 19, 11 + 14 },     { 11 + 20, 11 + 20 },
		{ 11 + 22, 11 + 20 }, { 11 + 23, 11 + 23 },     { 200, 11 + 23 }
	};
	uint8_t opt[200];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(opt, 0xee, sizeof(opt));
		ck_assert_uint_eq(edns_write(opt, sizes[i].room, &reply, RCODE_NOERROR),
				  sizes[i].len);
		ck_assert_uint_eq(load_u16(opt + 9), sizes[i].len - 11);
		ck_assert(sizes[i].len == sizeof(opt) || opt[sizes[i].len] == 0xee);
	}
	ck_assert_mem_eq(opt + 11, all, sizeof(all) - 1);
}
END_TEST

void add_query_tests(Suite *suite)
{
	TCase *rows_case = tcase_create("messages");

	tcase_add_loop_test(rows_case, each_message_has_one_defined_result, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(rows_case, every_cut_of_a_message_is_read_within_its_bounds, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(rows_case, each_option_has_one_defined_result, 0,
			    sizeof(option_rows) / sizeof(option_rows[0]));
	suite_add_tcase(suite, rows_case);
	suite_case(suite, "query", answers_and_stumps_are_nobodys_question,
		   ecs_is_an_unknown_option_where_it_is_not_wanted, edns_fields_are_read,
		   a_question_is_missing_only_where_a_cookie_is_asked_for,
		   the_error_s_text_then_the_error_then_nsid_make_room,
		   what_edns_write_writes_is_read_again);
}
