/* What is in the image is what ldns reads from the same text, wherever in a message a block is
 * put. */
#include <check.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "compile_test.h"
#include "zones_test.h"

#define MESSAGE_SIZE 65535

/* --- a block put into a message, as rrset.h says, and read by ldns ------------------------------ */

struct message {
	uint8_t bytes[MESSAGE_SIZE];
	size_t len;
};

static void put(struct message *message, const void *data, size_t size)
{
	ck_assert_uint_le(message->len + size, MESSAGE_SIZE);
	memcpy(message->bytes + message->len, data, size);
	message->len += size;
}

static void put_word(struct message *message, unsigned word)
{
	uint8_t wire[2];

	store_u16(wire, (uint16_t)word);
	put(message, wire, 2);
}

static void put_header(struct message *message, unsigned answers, const void *question,
		       size_t question_len, unsigned type)
{
	message->len = 0;
	put_word(message, 0x1234);
	put_word(message, 0x8400);
	put_word(message, 1);
	put_word(message, answers);
	put_word(message, 0);
	put_word(message, 0);
	put(message, question, question_len);
	put_word(message, type);
	put_word(message, CLASS_IN);
}

/* Copies the block; `owner_at` is where its owner name stands in the message. */
static void put_block(struct message *message, const struct rrset_block *block, size_t owner_at)
{
	size_t base = rrset_canonical_base(block), start = message->len;

	put(message, block->wire, block->wire_len);
	for (unsigned i = 0; i < block->fixup_count; i++) {
		uint8_t *at = message->bytes + start + rrset_fixups(block)[i];
		size_t target = load_u16(at) & DNS_POINTER_MAX;

		target = target < base ? target - DNS_HEADER_SIZE + owner_at
				       : target - base + start;
		ck_assert_uint_le(target, DNS_POINTER_MAX);
		store_u16(at, (uint16_t)(0xc000 | target));
	}
}

/* The block's RRs out of the message, in ldns' canonical form and order. */
static ldns_rr_list *read_block(const struct message *message, size_t skip)
{
	ldns_rr_list *list = ldns_rr_list_new();
	ldns_pkt *packet = NULL;

	ck_assert_int_eq(ldns_wire2pkt(&packet, message->bytes, message->len), LDNS_STATUS_OK);
	for (size_t i = skip; i < ldns_rr_list_rr_count(ldns_pkt_answer(packet)); i++)
		ldns_rr_list_push_rr(list,
				     ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_answer(packet), i)));
	ldns_pkt_free(packet);
	ldns_rr_list2canonical(list);
	ldns_rr_list_sort(list);
	return list;
}

static void check_list(const struct message *message, size_t skip, const ldns_rr_list *expected)
{
	ldns_rr_list *list = read_block(message, skip);

	if (ldns_rr_list_compare(list, expected) != 0) {
		ldns_rr_list_print(stderr, list);
		ldns_rr_list_print(stderr, expected);
		ck_abort_msg("not the same RRset");
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		ck_assert_uint_eq(ldns_rr_ttl(ldns_rr_list_rr(list, i)),
				  ldns_rr_ttl(ldns_rr_list_rr(expected, i)));
	ldns_rr_list_deep_free(list);
}

static void check_canonical(const struct rrset_block *block, const uint8_t *owner,
			    const ldns_rr_list *expected)
{
	static struct message message;

	put_header(&message, block->rr_count, owner, block->owner_len, block->type);
	ck_assert_uint_eq(message.len, rrset_canonical_base(block));
	put_block(&message, block, DNS_HEADER_SIZE);
	check_list(&message, 0, expected);
}

/* Behind a CNAME from another name, whose RDATA is where the owner name stands. */
static void check_behind_cname(const struct rrset_block *block, const uint8_t *owner,
			       const ldns_rr_list *expected)
{
	static struct message message;
	size_t owner_at;

	put_header(&message, block->rr_count + 1U, "\5other\4test", 12, block->type);
	put_word(&message, 0xc00c);
	put_word(&message, TYPE_CNAME);
	put_word(&message, CLASS_IN);
	put_word(&message, 0);
	put_word(&message, 60);
	put_word(&message, block->owner_len);
	owner_at = message.len;
	put(&message, owner, block->owner_len);
	put_block(&message, block, owner_at);
	check_list(&message, 1, expected);
}

/* As far behind as a block may stand. */
static void check_far(const struct rrset_block *block, const uint8_t *owner,
		      const ldns_rr_list *expected)
{
	static struct message message;
	static const uint8_t filler[RRSET_PLACE_MAX];

	if (block->wire_len > MESSAGE_SIZE - RRSET_PLACE_MAX)
		return;
	put_header(&message, block->rr_count + 1U, owner, block->owner_len, block->type);
	put_word(&message, 0xc00c);
	put_word(&message, 65280);
	put_word(&message, CLASS_IN);
	put_word(&message, 0);
	put_word(&message, 60);
	put_word(&message, (unsigned)(RRSET_PLACE_MAX - message.len - 2));
	put(&message, filler, RRSET_PLACE_MAX - message.len);
	ck_assert_uint_eq(message.len, RRSET_PLACE_MAX);
	put_block(&message, block, DNS_HEADER_SIZE);
	check_list(&message, 1, expected);
}

/* --- a whole zone ------------------------------------------------------------------------------- */

static void check_rrset(const struct zone_segment *segment, const ldns_rr_list *expected)
{
	ldns_rr *first = ldns_rr_list_rr(expected, 0);
	const uint8_t *owner = ldns_rdf_data(ldns_rr_owner(first));
	size_t len = ldns_rdf_size(ldns_rr_owner(first));
	const struct zone_node *node = zone_find(segment, owner, len);
	const struct rrset_block *block;

	ck_assert_ptr_nonnull(node);
	block = zone_rrset(segment, node, (uint16_t)ldns_rr_get_type(first));
	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq(block->rr_count, ldns_rr_list_rr_count(expected));
	if (block->type != TYPE_RRSIG) /* of which each has its own */
		ck_assert_uint_eq(block->ttl_s, ldns_rr_ttl(first));
	check_canonical(block, owner, expected);
	check_behind_cname(block, owner, expected);
	check_far(block, owner, expected);
}

/* Takes the RRs of one owner and type off the sorted list. */
static ldns_rr_list *pop_rrset(ldns_rr_list *all)
{
	ldns_rr_list *rrset = ldns_rr_list_new();

	while (ldns_rr_list_rr_count(all) > 0) {
		ldns_rr *rr = ldns_rr_list_rr(all, ldns_rr_list_rr_count(all) - 1);

		if (ldns_rr_list_rr_count(rrset) > 0) {
			ldns_rr *first = ldns_rr_list_rr(rrset, 0);

			if (ldns_rr_get_type(first) != ldns_rr_get_type(rr) ||
			    ldns_rdf_compare(ldns_rr_owner(first), ldns_rr_owner(rr)) != 0)
				break;
		}
		ldns_rr_list_push_rr(rrset, ldns_rr_list_pop_rr(all));
	}
	ldns_rr_list_sort(rrset);
	return rrset;
}

static ldns_rr_list *read_with_ldns(const char *path)
{
	ldns_rdf *origin = ldns_dname_new_frm_str("example.net.");
	ldns_zone *zone = NULL;
	FILE *in = fopen(path, "r");
	ldns_rr_list *all;
	int line = 0;
	ldns_status status;

	ck_assert_ptr_nonnull(in);
	status = ldns_zone_new_frm_fp_l(&zone, in, origin, 3600, LDNS_RR_CLASS_IN, &line);
	ck_assert_msg(status == LDNS_STATUS_OK, "line %d: %s", line,
		      ldns_get_errorstr_by_id(status));
	(void)fclose(in);
	all = ldns_rr_list_clone(ldns_zone_rrs(zone));
	ldns_rr_list_push_rr(all, ldns_rr_clone(ldns_zone_soa(zone)));
	ldns_zone_deep_free(zone);
	ldns_rdf_deep_free(origin);
	ldns_rr_list2canonical(all);
	ldns_rr_list_sort(all);
	return all;
}

/* `plain` is the same zone in a form that ldns' reader takes. */
static void check_zone_as(const char *text, const char *plain)
{
	struct zones_try try;
	ldns_rr_list *all;
	unsigned rrsets = 0;

	zones_try_text(&try, text);
	ck_assert_msg(diag_errors(try.diag) == 0, "%s", try.report);
	zones_try_write(&try, &(struct zones_file){ "example.net.zone", plain, 0 });
	all = read_with_ldns(try.paths[0]);
	ck_assert_uint_eq(try.built.record_count, ldns_rr_list_rr_count(all));
	while (ldns_rr_list_rr_count(all) > 0) {
		ldns_rr_list *rrset = pop_rrset(all);

		check_rrset(zones_segment(&try.image, 0), rrset);
		ldns_rr_list_deep_free(rrset);
		rrsets++;
	}
	ck_assert_uint_gt(rrsets, 2);
	ldns_rr_list_deep_free(all);
	zones_try_close(&try);
}

static void check_zone(const char *text)
{
	check_zone_as(text, text);
}

#define HEAD                                                                    \
	"$ORIGIN example.net.\n$TTL 3600\n"                                     \
	"@ IN SOA ns1 hostmaster.example.net. 2026112101 7200 900 1209600 60\n" \
	"@ NS ns1\n@ NS ns2\nns1 A 192.0.2.53\nns2 A 198.51.100.53\n"

START_TEST(names_in_rdata_are_compressed_and_come_out_the_same)
{
	check_zone(HEAD "@ NS ns3.other.test.\n@ NS ns4.other.test.\n@ NS .\n"
			"mail MX 10 mail\nmail MX 20 backup.mail\nmail MX 30 example.net.\n"
			"mail MX 40 x.backup.mail\nmail A 192.0.2.25\nmail MX 50 .\n"
			"1 PTR Host.EXAMPLE.net.\n2 PTR a.b.c.d.e.f.g\n2 PTR z.b.c.d.e.f.g\n"
			"mi MINFO one.two.test. other.two.test.\nmb MB mb\nmg MG x.mg\nmr MR .\n"
			"alias CNAME target.alias\n"
			"*.wild MX 10 *.wild\n*.wild MX 20 wild\n*.wild MX 5 x.*.wild\n"
			"_sip._tcp SRV 1 2 5060 sip\n_sip._tcp SRV 1 3 5060 sip.example.net.\n"
			"sip AAAA 2001:db8::5\n");
}
END_TEST

START_TEST(every_type_that_ldns_knows_is_taken)
{
	check_zone(
		HEAD
		"t TXT \"a string\" two \"three;(not a comment)\" \"quo\\\"te\" \"\\007\\\\\"\n"
		"t2 TXT ( one ; comment\n  two\n three )\nt3 TXT \"\"\n"
		"h HINFO PC \"Linux 6\"\nr RP admin.example.net. t.example.net.\n"
		"af AFSDB 1 afs\nx X25 311061700956\ni ISDN 150862028003217 004\n"
		"rt RT 10 relay\nk KX 10 kx\npx PX 50 a.test. b.test.\n"
		"l LOC 51 30 12.748 N 0 7 39.612 W 10m 20m 10000m 10m\n"
		"n NAPTR 100 10 \"S\" \"SIP+D2U\" \"!^.*$!sip:a@example.net!\" _sip._udp\n"
		"c CERT PKIX 1 RSASHA256 AQPSKmynfzW4kyBv015MUG2DeIQ3\n"
		"ap APL 1:192.0.2.0/24 !2:2001:db8::/32\n"
		"ds DS 60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118\n"
		"s SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789\n"
		"ip IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==\n"
		"ip2 IPSECKEY 10 3 2 gw.example.net. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4\n"
		"dh DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=\n"
		"key DNSKEY 256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3\n"
		"nsec NSEC a A MX RRSIG NSEC TYPE1234\n"
		"n3p NSEC3PARAM 1 0 12 aabbccdd\n"
		"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd "
		"2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG\n"
		"sig RRSIG A 5 3 3600 20030322173103 20030220173103 2642 example.net. oJB1W6WN\n"
		"sig 300 RRSIG NSEC 5 3 300 20030322173103 20030220173103 2642 example.net. oJB1\n"
		"_443._tcp TLSA 3 1 1 0d6fce3320315023ff499f3ed7c4a1dd\n"
		"hip HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cI\n"
		"cds CDS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118\n"
		"cs CSYNC 66 3 A NS AAAA\nz ZONEMD 2018031500 1 240 c68090d90a7aed71c68090d9\n"
		"o OPENPGPKEY AQPSKmynfzW4kyBv015MUG2DeIQ3\n"
		"nid NID 10 0014:4fff:ff20:ee64\nl32 L32 10 10.1.2.0\nlp LP 10 l64\n"
		"l64 L64 10 2001:0db8:1140:1000\ne48 EUI48 00-00-5e-00-53-2a\n"
		"e64 EUI64 00-00-5e-ef-10-00-00-2a\nu URI 10 1 \"https://example.net/a;b\"\n"
		"caa CAA 0 issue \"ca.example.net; policy=ev\"\n"
		"sp SPF \"v=spf1 -all\"\nsmime SMIMEA 0 0 1 0d6fce3320315023\n"
		"svc SVCB 1 svc4 alpn=h2,h3 port=8004 ipv4hint=192.0.2.1\n"
		"web HTTPS 0 svc\nweb2 HTTPS 1 . alpn=\"h2,h3\" no-default-alpn key667=\"a b\"\n"
		"wks WKS 192.0.2.1 TCP 25 80\ngpos GPOS -32.6882 116.8652 10.0\n");
}
END_TEST

START_TEST(generic_types_and_rdata_are_taken_for_every_type)
{
	check_zone(HEAD "g TYPE65280 \\# 4 deadbeef\ng TYPE65280 \\# 0\n"
			"g TYPE65281 \\# 6 ( dead\n be ef 00 11 )\n"
			"a A \\# 4 0a000001\na TYPE1 \\# 4 0a000002\nmx MX \\# 5 000A01 6100\n"
			"nul NULL \\# 3 010203\n");
}
END_TEST

START_TEST(owners_ttls_and_classes_are_read_in_all_their_forms)
{
	check_zone_as(
		"$TTL 1h\n"
		"example.net. IN SOA ns1 h ( 1 ; serial\n 2h 15m 2w 1m )\n"
		"\tNS ns1\n"
		"ns1 1h30m IN A 192.0.2.1\n"
		"ns2 IN 2d A 192.0.2.2\n"
		"ns3 IN A 192.0.2.3\r\n"
		"  AAAA 2001:db8::3 ; the same owner\n"
		"\n ; only a comment\n"
		"$ORIGIN sub.example.net.\n"
		"a 5 A 192.0.2.4\n"
		"$ttl 300\n"
		"b class1 a 192.0.2.5\n"
		"@ TXT here\n"
		"$ORIGIN deeper\n"
		"@ TXT @\n"
		"@ PTR @\n"
		"we\\.ird A 192.0.2.6\n"
		"b\\105n A 192.0.2.7\n"
		"UPPER ( A\n192.0.2.8 )\n"
		"3600 3600 A 192.0.2.9\n"
		"in in A 192.0.2.10\n"
		"ip 7 TYPE45 10 3 2 gw AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
		"example.net. 3600 IN SOA ns1.example.net. h.example.net. 1 7200 900 1209600 60\n"
		"example.net. 3600 IN NS ns1.example.net.\n"
		"ns1.example.net. 5400 IN A 192.0.2.1\n"
		"ns2.example.net. 172800 IN A 192.0.2.2\n"
		"ns3.example.net. 3600 IN A 192.0.2.3\n"
		"ns3.example.net. 3600 IN AAAA 2001:db8::3\n"
		"a.sub.example.net. 5 IN A 192.0.2.4\n"
		"b.sub.example.net. 300 IN A 192.0.2.5\n"
		"sub.example.net. 300 IN TXT here\n"
		"deeper.sub.example.net. 300 IN TXT @\n"
		"deeper.sub.example.net. 300 IN PTR deeper.sub.example.net.\n"
		"we\\.ird.deeper.sub.example.net. 300 IN A 192.0.2.6\n"
		"bin.deeper.sub.example.net. 300 IN A 192.0.2.7\n"
		"upper.deeper.sub.example.net. 300 IN A 192.0.2.8\n"
		"3600.deeper.sub.example.net. 3600 IN A 192.0.2.9\n"
		"in.deeper.sub.example.net. 300 IN A 192.0.2.10\n"
		"ip.deeper.sub.example.net. 7 IN IPSECKEY 10 3 2 gw.deeper.sub.example.net. "
		"AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==\n");
}
END_TEST

START_TEST(large_rrsets_stay_within_what_pointers_reach)
{
	struct buf text = { 0 };

	buf_format(&text, "%s", HEAD);
	for (unsigned i = 0; i < 1500; i++)
		buf_format(&text, "many MX %u host-%u.domain-%u.test.\n", i, i, i % 700);
	buf_append(&text, "", 1);
	check_zone((const char *)text.data);
	buf_free(&text);
}
END_TEST

Suite *zones_ldns_suite(void)
{
	Suite *suite = suite_create("zones image against ldns");
	TCase *tcase = tcase_create("zones");

	tcase_add_test(tcase, names_in_rdata_are_compressed_and_come_out_the_same);
	tcase_add_test(tcase, every_type_that_ldns_knows_is_taken);
	tcase_add_test(tcase, generic_types_and_rdata_are_taken_for_every_type);
	tcase_add_test(tcase, owners_ttls_and_classes_are_read_in_all_their_forms);
	tcase_add_test(tcase, large_rrsets_stay_within_what_pointers_reach);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return suite;
}
