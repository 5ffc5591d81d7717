/* answer() under hostile bytes: no report of a sanitizer, and every reply is one that a stranger's
 * parser takes. The first octet of an input says what kind of client it is, the message follows. */
#include <ldns/ldns.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/serve/fixture.h"

/* A message that is answered with anything but FORMERR is an accepted one. */
const unsigned long fuzz_runs = 300000, fuzz_runs_an_accepted = 5;

#define TEXT_RECORD(c) \
	"t TXT " c     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"

static const struct fixture_zone zones[] = {
	{ "z.zone",
	  "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\n@ MX 1 n\n@ MX 2 *.w\nn A 192.0.2.1\nn AAAA ::1\n"
	  "vpn POOL edge A AAAA HTTPS SVCB\n_s._udp.vpn POOL edge SRV\nweb POOL loose SRV HTTPS SVCB\nhere POOL edge/tokyo\nloose POOL loose\nplain POOL plain\n"
	  "*.w POOL sticky\n*.m MX 5 n\n*.c CNAME c\nc CNAME vpn\nd DNAME w\nr DNAME x.r\nl CNAME m\nm CNAME l\n"
	  "a.b.c.d.e TXT deep\ncut NS ns.cut\ncut NS n\nns.cut A 192.0.2.2\n"
	  "sub NS ns.sub\nsub NS n\nns.sub A 192.0.2.3\nsub DS 1 8 2 "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	  "p MX 1 vpn\np SRV 1 1 1 vpn\np HTTPS 1 . alpn=h2\np A 192.0.2.4\nq HTTPS 1 p\nq SVCB 0 vpn\n"
	  "$GENERATE 1-400 big NS a-label-of-some-length-to-fill-the-message-$.big\n"
	  "$GENERATE 1-400 a-label-of-some-length-to-fill-the-message-$.big A 192.0.2.1\n" TEXT_RECORD(
		  "a") TEXT_RECORD("b") TEXT_RECORD("c") TEXT_RECORD("d") TEXT_RECORD("e")
		  TEXT_RECORD("f") },
	{ "deep.sub.z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n" },
	{ "cut.z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\nx CNAME vpn.z.\n" },
};

#define NOW_S 1800000000 /* seeds have cookies of this time, made with a secret of zeros */

static const struct dns_settings settings = { .udp_size_max = 1232,
					      .ecs = 1,
					      .cookies = 1,
					      .cookie_secret_count = 2,
					      .tcp_idle_ms = 10000,
					      .tcp_lifetime_ms = 1800000,
					      .tcp_connections = 1000,
					      .version = { 3, "1.0" },
					      .identity = { 4, "here" },
					      .nsid = { 4, "nsid" } };

/* The second one answers no more than some times what it was asked, without a cookie. */
static struct fixture fixtures[2];

static void check_reply(const uint8_t *message, const uint8_t *reply, size_t len, size_t limit)
{
	ldns_pkt *pkt = NULL;

	must(len >= DNS_HEADER_SIZE && len <= limit);
	must(memcmp(message, reply, 2) == 0 && (reply[2] & 0x80) != 0);
	must(ldns_wire2pkt(&pkt, reply, len) == LDNS_STATUS_OK);
	fuzz_accepted += ldns_pkt_get_rcode(pkt) != LDNS_RCODE_FORMERR;
	ldns_pkt_free(pkt);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < 2; i++) {
		struct dns_settings dns = settings;
		struct fixture_options options = { .dns = &dns };

		dns.amplification = i == 0 ? 0 : 3;
		fixture_open(&fixtures[i], zones, sizeof(zones) / sizeof(zones[0]), &options);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t reply[DNS_MESSAGE_MAX];
	struct client client = { .address = { { 192, 0, 2, 1 }, IP_V4 }, .unix_s = NOW_S };
	struct fixture *fixture;
	size_t limit, len;

	if (size == 0)
		return 0;
	client.tcp = data[0] & 1;
	client.tells_keepalive = data[0] & 4;
	client.tcp_keepalive = 100;
	client.random = data[0] * UINT64_C(0x9e3779b97f4a7c15);
	if (data[0] & 2)
		client.address = (struct ip_address){ { 0x20, 1, 0xd, 0xb8 }, IP_V6 };
	limit = client.tcp ? DNS_MESSAGE_MAX : 1232;
	fixture = &fixtures[data[0] >> 3 & 1];
	len = answer(data[0] == 0xff ? NULL : &fixture->world, &client, data + 1, size - 1, reply,
		     limit, &fixture->counters);
	if (len > 0)
		check_reply(data + 1, reply, len, limit);
	return 0;
}
