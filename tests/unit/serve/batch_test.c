/* A batch answers as answer() does: generated queries of all kinds, whole and damaged, to worlds with
 * several settings. What the answers have to be is said elsewhere; here both ways are one. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "serve/cookies.h"
#include "tests/unit/serve/batch_check.h"
#include "tests/unit/serve/fixture.h"
#include "tests/unit/serve/serve_test.h"

#define NOW_S UINT32_C(1800000000)

#define TEXT_50 "\"tttttttttttttttttttttttttttttttttttttttttttttttttt\""

static const struct fixture_zone zones[] = {
	{ "z.zone",
	  "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\n@ NS n.deep.sub\n@ MX 1 n\n@ MX 2 *.w\n"
	  "n A 192.0.2.1\nn AAAA 2001:db8::1\nwww A 192.0.2.2\nwww A 192.0.2.3\nwww TXT text\n"
	  "vpn POOL edge A AAAA HTTPS SVCB\n_s._udp.vpn POOL edge SRV\nvpn TXT beside\n"
	  "here POOL edge/tokyo\nloose POOL loose\nplain POOL plain\nmany POOL many\n"
	  "sticky POOL sticky\nlinked POOL linked\nover POOL over\nnone.plain POOL plain AAAA\n"
	  "*.w POOL sticky\n*.w TXT beside\n*.h POOL many\n*.h.w HTTPS 1 n\n"
	  "*.v PTR ptr.v\n*.v PTR other.ptr.v\n*.v TXT text\n*.v A 192.0.2.7\n*.v A 192.0.2.8\n"
	  "*.v MX 1 mail.elsewhere.\na.below.v A 192.0.2.9\n*.m MX 5 n\n*.m A 192.0.2.9\n*.c CNAME c\nc CNAME vpn\n"
	  "k CNAME WWW\n*.k CNAME other.k.here\nup CNAME @\nout CNAME x.org.\nto CNAME many\n"
	  "*.to CNAME n\ndown CNAME n.deep.sub\nglue CNAME ns.cut\nhttps CNAME p\n*.here A 192.0.2.5\n"
	  "other.k.here AAAA 2001:db8::5\nmail MX 5 mail\nmail MX 6 n\nmail A 192.0.2.6\n"
	  "_x._tcp SRV 1 1 1 n\n_x._tcp SRV 1 1 2 www\n_x._tcp SRV 1 1 3 n\n*.mail MX 5 n\n*.mail MX 6 mail\n"
	  "d DNAME w\n"
	  "l CNAME m\nm CNAME l\na.b.c.d.e TXT deep\ncut NS ns.cut\ncut NS n\n"
	  "ns.cut A 192.0.2.2\nsub NS n.deep.sub\nsub DS 1 8 2 "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	  "big TXT 1" TEXT_50 "\nbig TXT 2" TEXT_50 "\nbig TXT 3" TEXT_50 "\nbig TXT 4" TEXT_50
	  "\nbig TXT 5" TEXT_50 "\nbig TXT 6" TEXT_50 "\nbig TXT 7" TEXT_50 "\n"
	  "$GENERATE 1-700 far MX 1 host-$.elsewhere.example.\nfar MX 2 far\nfar A 192.0.2.10\n"
	  "p SRV 1 1 1 vpn\np HTTPS 1 . alpn=h2\np A 192.0.2.4\nodd TYPE65280 \\# 2 0102\n" },
	{ "deep.sub.z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n@ POOL edge\n" },
	{ "org.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\nx POOL edge\n" },
};

static const char *const names[] = {
	"z.",
	"n.z.",
	"www.z.",
	"vpn.z.",
	"_s._udp.vpn.z.",
	"here.z.",
	"loose.z.",
	"plain.z.",
	"many.z.",
	"sticky.z.",
	"linked.z.",
	"over.z.",
	"none.plain.z.",
	"w.z.",
	"x.w.z.",
	"*.w.z.",
	"y.x.w.z.",
	"a-long-label-for-a-wildcard.w.z.",
	"x.h.z.",
	"xx.h.w.z.",
	"x.v.z.",
	"*.v.z.",
	"longer.v.z.",
	"x.y.v.z.",
	"below.v.z.",
	"x.below.v.z.",
	"x.m.z.",
	"x.c.z.",
	"c.z.",
	"k.z.",
	"x.k.z.",
	"a-long-label.k.z.",
	"up.z.",
	"out.z.",
	"to.z.",
	"xx.to.z.",
	"down.z.",
	"glue.z.",
	"https.z.",
	"mail.z.",
	"xxx.mail.z.",
	"_x._tcp.z.",
	"d.z.",
	"vpn.d.z.",
	"l.z.",
	"a.b.c.d.e.z.",
	"b.c.d.e.z.",
	"cut.z.",
	"ns.cut.z.",
	"x.cut.z.",
	"sub.z.",
	"deep.sub.z.",
	"n.deep.sub.z.",
	"x.deep.sub.",
	"big.z.",
	"far.z.",
	"p.z.",
	"odd.z.",
	"org.",
	"x.org.",
	"nothing.z.",
	".",
	"elsewhere.x.",
	"version.bind.",
};

static const char *const types[] = { "A",        "A",       "A",      "AAAA",      "NS",
				     "MX",       "SOA",     "TXT",    "PTR",       "SRV",
				     "HTTPS",    "SVCB",    "CNAME",  "DNAME",     "DS",
				     "ANY",      "TYPE0",   "TYPE41", "TYPE65280", "TYPE128",
				     "TYPE249",  "TYPE250", "AXFR",   "IXFR",      "TYPE256",
				     "TYPE65535" };

static const char *const networks[] = {
	"192.0.2.0/24",  "203.0.113.0/25", "192.0.0.0/8",  "10.1.2.3/32",          "10.0.0.0/9",
	"2001:db8::/32", "2001:db8::/56",  "2a00:1::/48",  "2a00::1/128",          "0.0.0.0/0",
	"::ffff:0:0/96", "::/0",           "64:ff9b::/96", "::ffff:192.0.2.0/120",
};

static const char *const sources[] = { "10.0.0.1", "192.0.2.7", "2001:db8::7", "2a00::7",
				       "::ffff:192.0.2.7" };

/* Behind Client Subnet: NSID, a cookie, one that nobody knows, half of one, Client Subnet again, COOKIE
 * before it, before nothing, and twice. */
static const struct {
	const char *octets;
	uint16_t len;
} options[] = { { "\0\3\0\0", 4 },
		{ "\0\12\0\10abcdefgh", 12 },
		{ "\xff\xfe\0\1x", 5 },
		{ "\0\10\0", 3 },
		{ "\0\10\0\4\0\0\0\0", 8 },
		{ "\0\10\0\7\0\1\30\1\300\0\2", 11 },
		{ "\0\12\0\10abcdefgh\0\10\0\7\0\1\30\0\300\0\2", 23 },
		{ "\0\12\0\10abcdefgh\0\10", 14 },
		{ "\0\12\0\10abcdefgh\0\12\0\7abcdefg", 23 } };

static const struct dns_settings with_cookies = { .udp_size_max = 1232,
						  .ecs = 1,
						  .cookies = 1,
						  .cookie_secret_count = 2,
						  .cookie_secrets = { "new", "old" },
						  .tcp_idle_ms = 10000,
						  .tcp_lifetime_ms = 1800000,
						  .tcp_connections = 1000,
						  .nsid = { 4, "nsid" } };
static const struct dns_settings sparing = { .udp_size_max = 4096,
					     .ecs = 1,
					     .amplification = 2,
					     .cookies = 1,
					     .cookie_secret_count = 1,
					     .cookie_secrets = { "old" },
					     .tcp_idle_ms = 10000,
					     .tcp_lifetime_ms = 1800000,
					     .tcp_connections = 1000 };

static const struct dns_settings cookies_only = { .udp_size_max = 1232,
						  .cookies = 1,
						  .cookie_secret_count = 1,
						  .tcp_idle_ms = 10000,
						  .tcp_lifetime_ms = 1800000,
						  .tcp_connections = 1000 };

static const struct fixture_options worlds[] = {
	{ .udp_size_max = 0 }, { .udp_size_max = 512, .no_ecs = true },  { .dns = &with_cookies },
	{ .dns = &sparing },   { .dns = &cookies_only, .no_ecs = true },
};
#define WORLDS (sizeof(worlds) / sizeof(worlds[0]))

static uint64_t state;

static uint32_t below(size_t count)
{
	state++;
	return hash_below(hash_word(state), (uint32_t)count);
}

#define ONE_OF(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

/* Cookies of each of two secrets and of none, of all ages, lengths and versions, before Client Subnet or
 * not. */
static void make_cookie(struct question *q, const struct ip_address *from)
{
	static const struct dns_settings makers[] = {
		{ .cookies = 1, .cookie_secret_count = 1, .cookie_secrets = { "new" } },
		{ .cookies = 1, .cookie_secret_count = 1, .cookie_secrets = { "old" } },
		{ .cookies = 1, .cookie_secret_count = 1, .cookie_secrets = { "else" } },
	};
	static const uint32_t made[] = { NOW_S,        NOW_S,        NOW_S - 1799, NOW_S - 1800,
					 NOW_S - 3600, NOW_S - 3601, NOW_S + 300,  NOW_S + 301 };
	static const uint8_t lens[] = {
		24, 24, 24, 24, 24, 24, 8, 8, 16, 40, 0, 7, 9, 15, 41, 255
	};
	static const char subnet[] = "\0\10\0\7\0\1\30\0\300\0\2";
	static uint8_t option[512];
	uint8_t len = ONE_OF(lens);

	memset(option, 0, sizeof(option));
	option[1] = EDNS_COOKIE;
	option[3] = len;
	(void)cookie_answer(&ONE_OF(makers), (const uint8_t *)"a client", COOKIE_CLIENT_SIZE, from,
			    ONE_OF(made), option + EDNS_OPTION_SIZE);
	if (below(8) == 0)
		option[EDNS_OPTION_SIZE + below(COOKIE_ANSWER_SIZE)] ^= 1;
	q->options = (const char *)option;
	q->options_len = (uint16_t)(EDNS_OPTION_SIZE + len);
	if (below(3) > 0)
		return;
	memcpy(option + q->options_len, subnet, sizeof(subnet) - 1);
	q->options_len = (uint16_t)(q->options_len + sizeof(subnet) - 1);
}

static void make_edns(struct question *q, const struct ip_address *from)
{
	static const uint16_t sizes[] = { 0, 1, 512, 700, 1232, 4096, 65535 };
	unsigned option = below(4 * sizeof(options) / sizeof(options[0]));

	q->edns_size = ONE_OF(sizes);
	q->dnssec_ok = below(4) == 0;
	if (below(2) == 0)
		q->ecs = ONE_OF(networks);
	if (option < sizeof(options) / sizeof(options[0])) {
		q->options = options[option].octets;
		q->options_len = options[option].len;
	} else if (below(2) == 0) {
		make_cookie(q, from);
	}
}

/* Letters of another case, and now and then an octet changed, or some left out at the end. */
static size_t damage(uint8_t *message, size_t len)
{
	static const uint8_t telling[] = { 0, 1, 2, 8, 0x3f, 0x40, 0x80, 0xc0, 0xff, 41 };

	for (size_t i = DNS_HEADER_SIZE; below(2) == 0 && i < len; i++)
		message[i] ^= message[i] >= 'a' && message[i] <= 'z' && below(2) ? 0x20 : 0;
	message[3] = (uint8_t)below(256);
	if (below(3) > 0)
		return len;
	for (unsigned n = below(3); n > 0; n--)
		message[below(len)] = ONE_OF(telling);
	return below(4) == 0 ? below(len) : len;
}

static void make_message(struct batch_message *out, uint8_t *data)
{
	struct question q = { .name = ONE_OF(names), .type = ONE_OF(types) };

	if (below(8) == 0)
		q.class = (uint16_t)below(5);
	ck_assert(ip_parse(ONE_OF(sources), &out->from));
	if (below(2) == 0)
		make_edns(&q, &out->from);
	out->data = data;
	out->len = damage(data, question_write(&q, data));
	out->random = hash_word(below(UINT32_MAX));
}

static void ask_some(const struct world *world, struct counters *counters)
{
	static uint8_t data[BATCH_MAX][FIXTURE_MESSAGE_SIZE];
	static const size_t sizes[] = { 512, 1232, 4096, 65535 };
	struct batch_message messages[BATCH_MAX];
	unsigned count = below(BATCH_MAX + 1);

	for (unsigned i = 0; i < count; i++)
		make_message(&messages[i], data[i]);
	batch_check(world, messages, count, ONE_OF(sizes), NOW_S, counters);
}

START_TEST(a_batch_is_answered_as_one_by_one)
{
	struct counters counters = { 0 };
	struct fixture fixture;

	state = (uint64_t)_i << 32;
	fixture_open(&fixture, zones, sizeof(zones) / sizeof(zones[0]), &worlds[_i]);
	for (unsigned round = 0; round < 300; round++)
		ask_some(&fixture.world, &counters);
	fixture_close(&fixture);
	ck_assert_uint_gt(counters.queries_udp, 5000);
	ck_assert_uint_gt(counters.noerror, 1000);
	ck_assert_uint_gt(counters.steered, 300);
	ck_assert_uint_gt(counters.truncated + counters.dropped, 100);
	ck_assert_uint_eq(counters.with_ecs == 0, worlds[_i].no_ecs);
}
END_TEST

START_TEST(without_a_world_a_batch_is_answered_too)
{
	struct counters counters = { 0 };

	state = 0;
	ask_some(NULL, &counters);
	ask_some(NULL, &counters);
	ck_assert_uint_gt(counters.servfail, 10);
}
END_TEST

void add_batch_tests(Suite *suite)
{
	TCase *batches = tcase_create("batches");

	tcase_add_loop_test(batches, a_batch_is_answered_as_one_by_one, 0, WORLDS);
	tcase_add_test(batches, without_a_world_a_batch_is_answered_too);
	suite_add_tcase(suite, batches);
}
