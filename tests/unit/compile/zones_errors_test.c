/* Mistakes in zone files: each with its line and column, all of them at once. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "compile_test.h"
#include "tests/unit/run.h"
#include "zones_test.h"

/* Three lines, so that rows start with line 4. */
#define HEAD "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.test.\n"

struct row {
	const char *text;
	unsigned line, column; /* 0: the file as a whole */
	const char *message;
};

static const struct row errors[] = {
	/* words and lines */
	{ HEAD "a TXT \"open\nb A 192.0.2.1\n", 4, 7, "this quote is not closed" },
	{ HEAD "a TXT \"one\nb TXT \"two\"\n", 4, 7,
	  "not closed in its line, and then one is missing" },
	{ "\xef\xbb\xbf" HEAD, 1, 1, "the file starts with a byte order mark" },
	{ HEAD "a TXT ( one\ntwo\n", 4, 7, "this parenthesis is not closed" },
	{ HEAD "a TXT one )\n", 4, 11, "no parenthesis is open" },
	/* directives */
	{ HEAD "$GENERIC 1-9\n", 4, 1, "unknown directive \"$GENERIC\"" },
	{ HEAD "$GENERATE 9-1 a$ A 192.0.2.$\n", 4, 11, "\"9-1\" is not a range like 1-100" },
	{ HEAD "$GENERATE 1-9/0 a$ A 192.0.2.$\n", 4, 11, "is not a range" },
	{ HEAD "$GENERATE 0-65536 a$ A 192.0.2.1\n", 4, 11, "more than 65536 records at once" },
	{ HEAD "$GENERATE 1-9 a${1 A 192.0.2.$\n", 4, 15, "a modifier is written ${offset}" },
	{ HEAD "$GENERATE 1-9 a$ A 192.0.${0,3,z}\n", 4, 20, "a modifier is written ${offset}" },
	{ HEAD "$GENERATE 1-9 a$ A\n", 4, 18, "something is missing: it is written $GENERATE" },
	{ HEAD "$GENERATE 1-9 a$ 60 IN MX 10 mail$\n", 4, 30,
	  "data of several words stand in quotes" },
	{ HEAD "$GENERATE 1-1 a$ A 192.0.2.256\n", 4, 1, "\"192.0.2.256\" is not an IPv4 address" },
	{ HEAD "$TTL soon\n", 4, 6, "\"soon\" is not a TTL" },
	{ HEAD "$TTL\n", 4, 1, "something is missing: it is written $TTL seconds" },
	{ HEAD "$TTL 1 2\n", 4, 8, "this is too much: it is written $TTL seconds" },
	{ HEAD "$ORIGIN a..b.\n", 4, 9, "\"a..b.\" is not a valid origin: a label is empty" },
	{ HEAD "$INCLUDE nowhere\n", 4, 10, "cannot be read: No such file or directory" },
	{ HEAD "$INCLUDE example.net.zone\n", 4, 10, "includes itself" },
	{ HEAD "$INCLUDE .\n", 4, 10, "cannot be read: not a regular file" },
	{ HEAD "a A 192.0.2.1\n $TTL 5\n", 5, 2, "a directive starts in the first column" },
	/* owner, TTL, class, type */
	{ " A 192.0.2.1\n" HEAD, 1, 2, "no record above it has an owner name" },
	{ HEAD "a..b A 192.0.2.1\n", 4, 1, "\"a..b\" is not a valid owner name: a label is empty" },
	{ HEAD "a\\299 A 192.0.2.1\n", 4, 1, "is not a valid owner name" },
	{ HEAD "a 1x A 192.0.2.1\n", 4, 3, "\"1x\" is not a TTL" },
	{ HEAD "a 1h30 A 192.0.2.1\n", 4, 3, "\"1h30\" is not a TTL" },
	{ HEAD "a CH TXT x\n", 4, 3, "class \"CH\" is not served" },
	{ HEAD "a 60 IN\n", 4, 6, "the record ends here, before its type" },
	{ HEAD "a AAA 2001:db8::1\n", 4, 3, "unknown type \"AAA\"" },
	{ HEAD "a TYPE65536 \\# 0\n", 4, 3, "unknown type \"TYPE65536\"" },
	{ HEAD "a AXFR x\n", 4, 3, "\"AXFR\" is no type of records in a zone" },
	{ "a A 192.0.2.1\n" HEAD, 1, 3, "the record has no TTL" },
	/* RDATA */
	{ HEAD "a A 192.0.2.300\n", 4, 5, "\"192.0.2.300\" is not an IPv4 address" },
	{ HEAD "a A\n", 4, 3, "A records go on here: an IPv4 address is missing" },
	{ HEAD "a A 192.0.2.1 192.0.2.2\n", 4, 15, "\"192.0.2.2\" is more than A records hold" },
	{ HEAD "a AAAA 2001:db8::g\n", 4, 8, "is not an IPv6 address" },
	{ HEAD "a MX 70000 mail\n", 4, 6, "\"70000\" is not a number from 0 to 65535" },
	{ HEAD "a MX ten mail\n", 4, 6, "\"ten\" is not a number" },
	{ HEAD "a MX 10\n", 4, 6, "MX records go on here: a domain name is missing" },
	{ HEAD "a MX 10 ma..il\n", 4, 9, "\"ma..il\" is not a domain name: a label is empty" },
	{ HEAD "a CAA 256 issue \"ca.test\"\n", 4, 7, "\"256\" is not a number from 0 to 255" },
	{ HEAD "a DS 1 8 2 (\n  abcd\n  efgh )\n", 6, 3, "\"efgh\" is not an even number of hex" },
	{ HEAD "a DS 1 8 2 abc\n", 4, 12, "an odd number of hexadecimal digits" },
	{ HEAD "a DS 1 300 2 abcd\n", 4, 8, "\"300\" is not a number from 0 to 255" },
	{ HEAD "a DNSKEY 256 3 8 AwE!\n", 4, 18, "\"AwE!\" is not base64" },
	{ HEAD "a NSEC b A BOGUS MX\n", 4, 12, "\"BOGUS\" is not a type" },
	{ HEAD "a SRV 0 0 443\n", 4, 11, "SRV records go on here: a domain name is missing" },
	{ HEAD "a MD b\n", 4, 3, "\"MD\" is obsolete: write an MX record" },
	{ HEAD "a LOC 91 N 0 E 0m\n", 4, 7, "is not a location" },
	{ HEAD "a LOC 9 60 N 0 E 0m\n", 4, 9, "\"60\" is not part of an angle" },
	{ HEAD "a LOC 9 N 0 E\n", 4, 13, "the altitude is missing" },
	{ HEAD "a DS 1 8 2 abcd\n", 4, 6, "the digest has not the length of its type" },
	{ HEAD "a SSHFP 4 2 abcd\n", 4, 9, "the fingerprint has not the length of its type" },
	{ HEAD "@ ZONEMD 1 1 1 abcd\n", 4, 10, "the digest has not the length of its algorithm" },
	{ HEAD "a X25 311x\n", 4, 7, "an X.25 address has four digits at least" },
	{ HEAD "a NAPTR 1 1 u s !^.* .\n", 4, 9, "the expression is written like !from!to!" },
	{ HEAD "a AMTRELAY 10 0 3\n", 4, 12, "AMTRELAY records hold precedence, discovery" },
	{ HEAD "a AMTRELAY 10 2 3 b\n", 4, 15, "discovery is 0 or 1" },
	{ HEAD "a AMTRELAY 10 1 4 b\n", 4, 17, "the type of relay is 0 to 3" },
	{ HEAD "a AMTRELAY 10 1 0 b\n", 4, 19, "no relay is written as a dot" },
	{ HEAD "a AMTRELAY 10 1 1 b\n", 4, 19, "\"b\" is not an IPv4 address" },
	{ HEAD "a URI 1 1 http://a/\n", 4, 11, "a URI stands in quotes" },
	{ HEAD "a HTTPS 1 . \"port=1\"\n", 4, 13, "only its value may stand in quotes" },
	{ HEAD "a HTTPS 1 . port=65536\n", 4, 13,
	  "\"port=65536\" has not the value that belongs to it" },
	{ HEAD "a HTTPS 1 . key01=x\n", 4, 13, "\"key01\" is not a service parameter" },
	{ HEAD "a HTTPS 1 . port=1 port=2\n", 4, 9, "a service parameter is given twice" },
	{ HEAD "a HTTPS 1 . mandatory=port alpn=h2\n", 4, 9, "mandatory lists keys that the" },
	{ HEAD "a HTTPS 1 . mandatory=port,port port=1\n", 4, 9, "mandatory lists keys that" },
	{ HEAD "a HTTPS 1 . alpn\n", 4, 13, "\"alpn\" has not the value" },
	{ HEAD "a HTTPS 1 . no-default-alpn\n", 4, 9, "no-default-alpn stands without alpn" },
	{ HEAD "a HTTPS \\# 15 0001 00 000300020101 000300020202\n", 4, 9, "is given twice" },
	{ HEAD "a APL 1:192.0.2.0/33\n", 4, 7, "is not an address prefix" },
	{ HEAD "a TYPE65280 abc\n", 4, 13, "are written as \\# length hexadecimal" },
	{ HEAD "a TYPE65280 \\# 3 abcd\n", 4, 16, "the length is 3 octets, but 4 digits follow" },
	{ HEAD "a TYPE65280 \\# 2 abxd\n", 4, 18, "\"abxd\" is not hexadecimal" },
	{ HEAD "a TYPE65280 \\# many 00\n", 4, 16, "\"many\" is not a length" },
	{ HEAD "a A \\# 3 0a0000\n", 4, 5, "these octets are not the RDATA of this type" },
	{ HEAD "a MX \\# 4 000ac00c\n", 4, 6, "these octets are not the RDATA of this type" },
	/* the zone */
	{ "$TTL 60\n@ NS ns.test.\n", 0, 0, "the zone example.net. has no SOA record" },
	{ "$TTL 60\n@ SOA ns h 1 2 3 4 5\n", 0, 0, "the zone example.net. has no NS record" },
	{ HEAD "@ SOA ns h 2 2 3 4 5\n", 4, 3, "example.net. has a second SOA" },
	{ HEAD "a SOA ns h 2 2 3 4 5\n", 4, 3, "a.example.net. has an SOA" },
	{ HEAD "a CNAME b\na A 192.0.2.1\n", 5, 3, "has a CNAME, so it cannot have other records" },
	{ HEAD "@ CNAME b\n", 4, 3, "example.net. has a CNAME" },
	{ HEAD "a CNAME b\na CNAME c\n", 5, 3, "a.example.net. has a second CNAME" },
	{ HEAD "a DNAME b\na DNAME c\n", 5, 3, "a.example.net. has a second DNAME" },
	{ HEAD "a DNAME b\nx.y.a A 192.0.2.1\n", 5, 7, "lies below a DNAME" },
	{ HEAD "y.a POOL edge\na DNAME b\n", 4, 5, "lies below a DNAME" },
	{ HEAD "a DNAME b\na CNAME c\n", 4, 3, "has a CNAME, so it cannot have other" },
	{ HEAD "*.a DNAME b\n", 4, 5, "is a wildcard, which cannot have a DNAME" },
	{ HEAD "*.a NS ns.test.\n", 4, 5, "is a wildcard, which cannot be delegated" },
	{ HEAD "@ DS 1 8 9 ab\n", 4, 3, "has a DS record, which belongs into the zone above" },
	{ HEAD "@ NS ns\n", 4, 3,
	  "the name server ns.example.net. of example.net. has no address" },
	{ HEAD "@ NS ns\nns CNAME a\n", 4, 3, "is a CNAME (RFC 2181, section 10.3)" },
	/* POOL */
	{ HEAD "a POOL\n", 4, 3, "the pool is missing" },
	{ HEAD "a POOL edge \"A\"\n", 4, 13, "the types of a POOL record stand without quotes" },
	{ HEAD "a POOL edge tokyo\n", 4, 13, "\"tokyo\" is no type that a POOL record answers" },
	{ HEAD "a POOL edge A https a\n", 4, 21, "a is listed twice" },
	{ HEAD "a POOL edge HTPPS\n", 4, 13, "(did you mean \"HTTPS\"?)" },
	{ HEAD "a POOL edge MX\n", 4, 13, "those are A, AAAA, SRV, HTTPS and SVCB" },
	{ HEAD "_a POOL hosts SRV\n_a SRV 1 2 3 b\n", 5, 4,
	  "has a POOL record, so it cannot have an SRV record" },
	{ HEAD "v POOL ported A HTTPS\nv HTTPS 1 .\n", 5, 3, "cannot have an HTTPS record" },
	{ HEAD "_a._udp.v POOL ported SRV\n", 4, 23,
	  "node \"p-1\" of pool \"ported\" (ported.pool.yaml:3) needs a \"host\", or "
	  "v.example.net., the target that nodes without one share, a POOL record of ported with "
	  "A or AAAA" },
	{ HEAD "v POOL edge\n_a._udp.v POOL ported SRV\n", 5, 23, "a POOL record of ported" },
	{ HEAD "v POOL ported\n_a.v POOL ported/tokyo SVCB\n", 5, 24,
	  "a POOL record of ported/tokyo" },
	{ HEAD "v POOL ported HTTPS\n", 4, 15, "needs a \"host\", or v.example.net." },
	{ HEAD "v POOL mixed SRV A\n", 4, 14,
	  "SRV needs a \"port\", which node \"m-3\" of pool \"mixed\" (mixed.pool.yaml:9) has "
	  "not" },
	{ HEAD "w POOL named HTTPS\nn1 POOL ported\n", 4, 14,
	  "the host n1.example.net. of node \"n-1\" of pool \"named\" (named.pool.yaml:3) is "
	  "steered" },
	{ HEAD "w POOL named HTTPS\n* POOL ported\n", 4, 14, "the host n1.example.net. of" },
	{ HEAD "*.v POOL ported A SRV\n", 4, 19, "a wildcard cannot be its target name" },
	{ HEAD "a POOL egde\n", 4, 8, "there is no pool \"egde\" (did you mean \"edge\"?)" },
	{ HEAD "a POOL edge/tokio\n", 4, 13,
	  "pool \"edge\" has no site \"tokio\" (did you mean \"tokyo\"?)" },
	{ HEAD "a POOL \"edge/tokio\"\n", 4, 14, "has no site \"tokio\"" },
	{ HEAD "a POOL backup/frankfurt\n", 4, 15, "pool \"backup\" has no site \"frankfurt\"" },
	{ HEAD "a POOL edge\na 5 POOL backup\n", 5, 5, "a.example.net. has a second POOL record" },
	{ HEAD "a POOL edge\na A 192.0.2.1\n", 5, 3, "cannot have an A record" },
	{ HEAD "a AAAA ::1\na POOL edge\n", 4, 3, "cannot have an AAAA record" },
	{ HEAD "a CNAME b\na POOL edge\n", 5, 3, "cannot have a POOL record" },
	{ HEAD "sub NS ns.test.\na.sub POOL edge\n", 5, 7, "lies below a delegation" },
	{ HEAD "sub NS ns.test.\nsub POOL edge\n", 5, 5, "is delegated" },
};

/* Is this in the report, at this place? */
static void check_report(const struct zones_try *try, const struct row *row, const char *severity)
{
	char *expected = row->line != 0 ? mem_format("%s:%u:%u: %s: ", try->paths[0], row->line,
						     row->column, severity)
					: mem_format("%s: %s: ", try->paths[0], severity);
	const char *found = strstr(try->report, expected);
	const char *message = found != NULL ? strstr(found, row->message) : NULL;

	ck_assert_msg(message != NULL && message < strchr(found, '\n'),
		      "wanted %s%s\nbut got:\n%s\nfrom:\n%s", expected, row->message, try->report,
		      row->text);
	free(expected);
}

START_TEST(each_mistake_is_found_at_its_place)
{
	const struct row *row = &errors[_i];
	struct zones_try try;

	zones_try_text(&try, row->text);
	check_report(&try, row, "error");
	ck_assert_uint_eq(diag_errors(try.diag), 1);
	ck_assert_int_eq(try.built.fd, -1);
	zones_try_close(&try);
}
END_TEST

static const struct row warnings[] = {
	{ HEAD "a.example.org. A 192.0.2.1\n", 4, 1, "a.example.org. is not in the zone" },
	{ HEAD "a A 192.0.2.1\na 30 A 192.0.2.2\n", 5, 6, "the smallest is used" },
	{ HEAD "a 30 A 192.0.2.1\na A 192.0.2.1\n", 5, 3, "the smallest is used" },
	{ HEAD "a 2147483648 A 192.0.2.1\n", 4, 3, "the TTL is larger than 2147483647, and so" },
	{ HEAD "a TXT \"one\ntwo\"\n", 4, 7, "this string goes on for 1 more line" },
	{ "@ SOA ns h 1 2 3 4 5\n@ 5 NS ns.test.\n", 1, 3, "that of the SOA's minimum" },
	{ HEAD "a A 192.0.2.1\n$ORIGIN b\n TXT x\n", 6, 2, "that of the record before $ORIGIN" },
	{ HEAD "a SPF x\n", 4, 3, "has an SPF record and no TXT record" },
	{ HEAD "a.*.b TXT x\n", 4, 7, "a \"*\" that is not its first label" },
	{ HEAD "a_b A 192.0.2.1\n", 4, 5, "a_b.example.net. has addresses, but is not a host's" },
	{ HEAD "a_b POOL edge\n", 4, 5, "has addresses, but is not a host's" },
	{ HEAD "a MX 10 b_.test.\n", 4, 3, "is not a host's name" },
	{ HEAD "a MX 10 192.0.2.1.\n", 4, 3, "192.0.2.1. of a.example.net. looks like an address" },
	{ HEAD "a NS 2001:db8::1.test.\n", 4, 3, "looks like an address" },
	{ HEAD "a MX 10 b\n", 4, 3, "the mail host b.example.net. of a.example.net. has no addr" },
	{ HEAD "a SRV 0 0 1 b\nb CNAME c\n", 4, 3,
	  "the host b.example.net. of a.example.net. is a C" },
	{ HEAD "sub NS ns.test.\nsub TXT x\n", 5, 5, "is delegated, so this record is never" },
	{ HEAD "sub NS ns.test.\na.sub AAAA ::1\n", 5, 7, "which is no glue, is never answered" },
	{ HEAD "sub NS ns.other\nother NS ns.test.\n", 4, 5, "which would be glue, in this zone" },
	{ HEAD "sub NS ns.sub\n", 4, 5, "the name server ns.sub.example.net. of sub.example.net." },
	{ HEAD "sub NS ns\nns CNAME a\n", 4, 5, "is a CNAME" },
	{ HEAD "moved DNAME x.y.MOVED\n", 4, 7, "a chain without an end" },
	{ HEAD "moved DNAME moved\n", 4, 7, "a chain without an end" },
	{ HEAD "v POOL mixed/tokyo AAAA SRV\n", 4, 25,
	  "nodes \"m-1\" and \"m-2\" of pool \"mixed\" (mixed.pool.yaml:8) have different ports" },
};

static const char *const fine[] = {
	HEAD "@ NS ns.w\n*.w A 192.0.2.1\n", /* a wildcard gives it its address */
	HEAD "sub NS ns.w\n*.w POOL edge\n",
	HEAD "sub NS ns.other\nother NS ns\nns.other AAAA ::1\nns A 192.0.2.1\n", /* glue */
	HEAD "a CNAME b\na KEY 256 3 8 AAAA\n", /* RFC 4035, 2.5 */
	HEAD "@ MX 0 .\n_a._tcp SRV 0 0 0 .\na.b_c TXT x\n*.w A 192.0.2.1\n",
	HEAD "@ CSYNC 66 3\n@ CDS 0 0 0 00\na AVC x\na AMTRELAY 10 0 3 b\n",
	HEAD "moved DNAME xmoved\nxmoved A 192.0.2.1\nup DNAME @\n",
	HEAD "v POOL ported\n_a._udp.v POOL ported SRV\n",
	HEAD "_dns.v POOL ported/tokyo SVCB\nv POOL ported/tokyo aaaa\n",
	HEAD "*.v POOL ported A HTTPS SVCB\n",
	HEAD "w POOL named HTTPS\n* POOL ported\nn1 A 192.0.2.1\n",
	HEAD "*.v POOL hosts SRV\nw POOL hosts HTTPS\n",
	HEAD "v POOL mixed/frankfurt A AAAA HTTPS\n",
	HEAD "v POOL edge A\nv AAAA ::1\nv HTTPS 1 .\n",
};

START_TEST(what_is_fine_is_not_reported)
{
	struct zones_try try;

	zones_try_text(&try, fine[_i]);
	ck_assert_msg(*try.report == '\0', "%s\nfrom:\n%s", try.report, fine[_i]);
	ck_assert_int_ge(try.built.fd, 0);
	zones_try_close(&try);
}
END_TEST

START_TEST(what_is_doubtful_is_a_warning_and_the_zone_is_served)
{
	const struct row *row = &warnings[_i];
	struct zones_try try;

	zones_try_text(&try, row->text);
	check_report(&try, row, "warning");
	ck_assert_uint_eq(diag_errors(try.diag), 0);
	ck_assert_uint_eq(diag_warnings(try.diag), 1);
	ck_assert_int_ge(try.built.fd, 0);
	zones_try_close(&try);
}
END_TEST

START_TEST(all_mistakes_are_reported_at_once)
{
	struct zones_try try;

	zones_try_text(&try, HEAD "a A 1\nb A 2\nc CNAME d\nc A 192.0.2.1\nd POOL no\n");
	ck_assert_uint_eq(diag_errors(try.diag), 4);
	ck_assert_ptr_nonnull(strstr(try.report, ":4:5: error: \"1\" is not an IPv4 address"));
	ck_assert_ptr_nonnull(strstr(try.report, ":5:5: error: \"2\" is not an IPv4 address"));
	ck_assert_ptr_nonnull(strstr(try.report, ":7:3: error: c.example.net. has a CNAME"));
	ck_assert_ptr_nonnull(strstr(try.report, ":8:8: error: there is no pool \"no\""));
	zones_try_close(&try);
}
END_TEST

START_TEST(the_offending_text_is_shown_and_underlined)
{
	struct zones_try try;

	zones_try_text(&try, HEAD "a  A  192.0.2.300 ; oops\n");
	ck_assert_ptr_nonnull(strstr(try.report, "      a  A  192.0.2.300 ; oops\n"
						 "            ^~~~~~~~~~~\n"));
	zones_try_close(&try);
}
END_TEST

START_TEST(a_mistake_in_an_included_file_names_that_file)
{
	struct zones_try try;

	zones_try_open(&try);
	zones_try_write(&try, &(struct zones_file){ "example.net.zone",
						    HEAD "$INCLUDE hosts.inc\nx A y\n", 0 });
	zones_try_write(&try, &(struct zones_file){ "hosts.inc", "a A 192.0.2.1\nb A bad\n", 0 });
	zones_try_build(&try, NULL);
	ck_assert_uint_eq(diag_errors(try.diag), 2);
	ck_assert_ptr_nonnull(strstr(try.report, "/hosts.inc:2:5: error: \"bad\""));
	ck_assert_ptr_nonnull(strstr(try.report, "/example.net.zone:5:5: error: \"y\""));
	zones_try_close(&try);
}
END_TEST

START_TEST(files_that_include_each_other_are_refused)
{
	struct zones_try try;

	zones_try_open(&try);
	zones_try_write(&try,
			&(struct zones_file){ "example.net.zone", HEAD "$INCLUDE a.inc\n", 0 });
	zones_try_write(&try, &(struct zones_file){ "a.inc", "\n$INCLUDE b.inc\n", 0 });
	zones_try_write(&try, &(struct zones_file){ "b.inc", "$INCLUDE ./a.inc\n", 0 });
	zones_try_build(&try, NULL);
	ck_assert_uint_eq(diag_errors(try.diag), 1);
	ck_assert_ptr_nonnull(strstr(try.report, "/b.inc:1:10: error: "));
	ck_assert_ptr_nonnull(strstr(try.report, "includes itself"));
	zones_try_close(&try);
}
END_TEST

START_TEST(an_rrset_larger_than_a_message_is_refused)
{
	struct buf text = { 0 };
	struct zones_try try;

	buf_format(&text, "%s", HEAD);
	for (unsigned i = 0; i < 300; i++)
		buf_format(&text, "a TXT %03u%0240u\n", i, i);
	buf_append(&text, "", 1);
	zones_try_text(&try, (const char *)text.data);
	ck_assert_ptr_nonnull(strstr(try.report, ":4:3: error: the 300 records of this type"));
	buf_free(&text);
	zones_try_close(&try);
}
END_TEST

START_TEST(file_names_must_give_origins)
{
	struct zones_try try;

	zones_try_open(&try);
	zones_try_write(&try, &(struct zones_file){ "a..b.zone", HEAD, 0 });
	zones_try_write(&try, &(struct zones_file){ "Example.net.zone", HEAD, 0 });
	zones_try_write(&try, &(struct zones_file){ "example.net.zone", HEAD, 0 });
	zones_try_build(&try, NULL);
	ck_assert_uint_eq(diag_errors(try.diag), 2);
	ck_assert_ptr_nonnull(strstr(try.report, "/a..b.zone: error: the file's name is not that"));
	ck_assert_ptr_nonnull(strstr(try.report, "/example.net.zone: error: this zone is already"));
	zones_try_close(&try);
}
END_TEST

/* With NULs, and without any. */
START_TEST(ten_megabytes_of_noise_are_refused)
{
	size_t size = 10000000;
	char *noise = malloc(size);
	uint64_t state = 42, start, took;
	struct zones_try try;

	for (size_t i = 0; i < size; i++) {
		state = hash_word(state);
		noise[i] = (char)(_i == 1 && (state & 255) == 0 ? 1 : state & 255);
	}
	zones_try_open(&try);
	zones_try_write(&try, &(struct zones_file){ "example.net.zone", noise, size });
	start = cpu_us();
	zones_try_build(&try, NULL);
	took = cpu_us() - start;
	check_time("10 MB of noise as a zone", took, 1000000);
	ck_assert_uint_ge(diag_errors(try.diag), 1);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(try.report, "this file is not text"));
	free(noise);
	zones_try_close(&try);
}
END_TEST

/* Names that all belong into the first bucket: who asks for one of them would have others' looked at
 * through more full buckets than a lookup may pass. */
START_TEST(names_made_to_collide_are_refused)
{
	const uint32_t names = 8 * ZONE_BUCKETS_MAX + 64, buckets = (names + 2) / 5 + 1;
	struct buf text = { 0 };
	struct zones_try try;

	buf_format(&text, "%s", HEAD);
	for (uint32_t i = 0, found = 0; found < names; i++) {
		char label[16];
		uint8_t name[16];
		int len = snprintf(label, sizeof(label), "n%u", i);

		name[0] = (uint8_t)len;
		memcpy(name + 1, label, (size_t)len);
		if ((name_hash_tight(name, 1U + (size_t)len) >> 32) * buckets >> 32 != 0)
			continue;
		buf_format(&text, "%s A 192.0.2.1\n", label);
		found++;
	}
	buf_append(&text, "", 1);
	zones_try_text(&try, (const char *)text.data);
	ck_assert_uint_eq(diag_errors(try.diag), 1);
	ck_assert_ptr_nonnull(strstr(try.report, "too many names collide"));
	zones_try_close(&try);
	buf_free(&text);
}
END_TEST

#define LAST_ASSIGNED 32769 /* DLV */

/* The list of them stands in the name's node, which tells its extent in 16 bits. */
START_TEST(more_types_than_a_node_can_list_are_refused)
{
	const uint32_t most = (ZONE_NODE_SIZE_MAX - ZONE_NODE_BLOCKS_MAX) /
			      sizeof(struct zone_rrset);
	struct buf text = { 0 };
	struct zones_try try;

	buf_format(&text, "%s", HEAD);
	for (uint32_t i = most + (uint32_t)_i; i > 0; i--)
		buf_format(&text, "many TYPE%u \\# 0\n", LAST_ASSIGNED + i);
	buf_append(&text, "", 1);
	zones_try_text(&try, (const char *)text.data);
	ck_assert_msg(diag_errors(try.diag) == (unsigned)_i, "%s", try.report);
	ck_assert(_i == 0 ? try.image.base != NULL
			  : strstr(try.report, "many.example.net. has records of more types than "
					       "fit into an image") != NULL);
	zones_try_close(&try);
	buf_free(&text);
}
END_TEST

Suite *zones_errors_suite(void)
{
	Suite *suite = suite_create("mistakes in zone files");
	TCase *tcase = tcase_create("zones");

	tcase_add_loop_test(tcase, each_mistake_is_found_at_its_place, 0,
			    sizeof(errors) / sizeof(errors[0]));
	tcase_add_loop_test(tcase, what_is_fine_is_not_reported, 0, sizeof(fine) / sizeof(fine[0]));
	tcase_add_loop_test(tcase, what_is_doubtful_is_a_warning_and_the_zone_is_served, 0,
			    sizeof(warnings) / sizeof(warnings[0]));
	tcase_add_test(tcase, all_mistakes_are_reported_at_once);
	tcase_add_test(tcase, the_offending_text_is_shown_and_underlined);
	tcase_add_test(tcase, a_mistake_in_an_included_file_names_that_file);
	tcase_add_test(tcase, files_that_include_each_other_are_refused);
	tcase_add_test(tcase, an_rrset_larger_than_a_message_is_refused);
	tcase_add_test(tcase, file_names_must_give_origins);
	tcase_add_test(tcase, names_made_to_collide_are_refused);
	tcase_add_loop_test(tcase, more_types_than_a_node_can_list_are_refused, 0, 2);
	tcase_add_loop_test(tcase, ten_megabytes_of_noise_are_refused, 0, 2);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return suite;
}
