/* batch_answer() against answer(), under hostile bytes: no report of a sanitizer, the same octets, the
 * same counts. The first octet of an input says who asks whom, the message follows; it comes in
 * several places of a batch, changed a little, among queries that are well. */
#include <string.h>

#include "base/cursor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/serve/batch_check.h"
#include "tests/unit/serve/fixture.h"

/* A message that is answered with NOERROR is an accepted one. */
const unsigned long fuzz_runs = 300000, fuzz_runs_an_accepted = 5;

static const struct fixture_zone zones[] = {
	{ "z.zone",
	  "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\n@ MX 1 n\n@ MX 2 *.w\nn A 192.0.2.1\nn AAAA ::1\n"
	  "vpn POOL edge A AAAA HTTPS SVCB\n_s._udp.vpn POOL edge SRV\nweb POOL loose SRV HTTPS SVCB\n"
	  "here POOL edge/tokyo\nloose POOL loose\nplain POOL plain\nmany POOL many\nt TXT text\n"
	  "linked POOL linked\nover POOL over\n*.w POOL sticky\n*.m MX 5 n\n*.c CNAME c\nc CNAME vpn\nd DNAME w\n"
	  "*.v PTR p.v\n*.v PTR o.p.v\n*.v A 192.0.2.7\n*.v TXT text\n*.h POOL many\nb.v A 192.0.2.9\n"
	  "k CNAME VPN\n*.k CNAME p.k\np.k A 192.0.2.5\nup CNAME @\nm1 MX 5 m1\nm1 MX 6 n\nm1 A 192.0.2.6\n"
	  "*.m1 MX 7 p.k\n*.m1 MX 8 n\ns SRV 1 1 1 n\ns SRV 1 1 2 p.k\n"
	  "r DNAME x.r\nl CNAME m\nm CNAME l\na.b.c.d.e TXT deep\ncut NS ns.cut\ncut NS n\n"
	  "ns.cut A 192.0.2.2\nsub NS ns.sub\nsub NS n\nns.sub A 192.0.2.3\nsub DS 1 8 2 "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	  "p MX 1 vpn\np SRV 1 1 1 vpn\np HTTPS 1 . alpn=h2\np A 192.0.2.4\nq HTTPS 1 p\n"
	  "$GENERATE 1-40 big TXT a-string-of-some-length-to-fill-the-message-$\n" },
	{ "deep.sub.z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n" },
	{ "cut.z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\nx CNAME vpn.z.\n" },
};

/* Seeds have cookies of about this time, made with a secret of zeros, or the old one. */
#define NOW_S 1800000000

static const struct dns_settings settings[] = {
	{ .udp_size_max = 1232,
	  .ecs = 1,
	  .cookies = 1,
	  .cookie_secret_count = 2,
	  .cookie_secrets = { "", "the old one" } },
	{ .udp_size_max = 1232,
	  .ecs = 1,
	  .amplification = 3,
	  .nsid = { 4, "nsid" },
	  .cookies = 1,
	  .cookie_secret_count = 1 },
	{ .udp_size_max = 512, .ecs = 1 },
	{ .udp_size_max = 4096,
	  .ecs = 0,
	  .amplification = 2,
	  .cookies = 1,
	  .cookie_secret_count = 1 },
};
#define WORLDS (sizeof(settings) / sizeof(settings[0]))

static struct fixture fixtures[WORLDS];

static const struct question well[] = {
	ASK("t.z.", "TXT"),
	ASK("vpn.z.", "A", .ecs = "192.0.2.0/24"),
	ASK("many.z.", "AAAA", .edns_size = 1232),
	ASK("none.z.", "A"),
};
#define WELL (sizeof(well) / sizeof(well[0]))

static uint8_t well_data[WELL][FIXTURE_MESSAGE_SIZE];
static struct batch_message well_messages[WELL];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < WORLDS; i++) {
		struct dns_settings dns = settings[i];
		struct fixture_options options = { .dns = &dns };

		dns.tcp_idle_ms = dns.tcp_lifetime_ms = dns.tcp_connections = 1000;
		fixture_open(&fixtures[i], zones, sizeof(zones) / sizeof(zones[0]), &options);
	}
	for (unsigned i = 0; i < WELL; i++)
		well_messages[i] = (struct batch_message){ .data = well_data[i],
							   .len = question_write(&well[i],
										 well_data[i]),
							   .from = { { 192, 0, 2, 1 }, IP_V4 } };
	return 0;
}

enum change { CHANGE_NONE, CHANGE_CUT, CHANGE_CASE, CHANGE_HEADER, CHANGES };

/* Into out[size]. Returns the message's length. */
static size_t change(enum change how, const uint8_t *data, size_t size, uint8_t *out)
{
	static const uint8_t header[] = { 0x49, 0x44, 1, 0, 0, 1, 0, 0, 0, 0, 0 };

	if (size > 0)
		memcpy(out, data, size);
	if (how == CHANGE_CUT && size > 0)
		return size - 1;
	for (size_t i = DNS_HEADER_SIZE; how == CHANGE_CASE && i < size; i++)
		out[i] ^= (out[i] | 0x20) >= 'a' && (out[i] | 0x20) <= 'z' ? 0x20 : 0;
	if (how == CHANGE_HEADER) { /* one question, and what it had more of */
		memcpy(out, header, size < sizeof(header) ? size : sizeof(header));
		if (size > sizeof(header))
			out[sizeof(header)] &= 1;
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t changed[CHANGES][DNS_MESSAGE_MAX];
	struct batch_message messages[WELL + CHANGES];
	struct counters counters = { 0 };
	struct ip_address from = { { 192, 0, 2, 1 }, IP_V4 };
	const struct fixture *fixture;

	if (size == 0 || size > DNS_MESSAGE_MAX)
		return 0;
	if (data[0] & 2)
		from = (struct ip_address){ { 0x20, 1, 0xd, 0xb8 }, IP_V6 };
	for (unsigned i = 0; i < CHANGES; i++)
		messages[i * 2] = (struct batch_message){
			.data = changed[i],
			.len = change((enum change)i, data + 1, size - 1, changed[i]),
			.from = from,
			.random = data[0] * UINT64_C(0x9e3779b97f4a7c15) + i
		};
	for (unsigned i = 0; i < WELL; i++)
		messages[i * 2 + 1] = well_messages[i];
	fixture = &fixtures[data[0] >> 3 & 3];
	batch_check(data[0] == 0xff ? NULL : &fixture->world, messages, WELL + CHANGES,
		    data[0] & 1 ? 512 : 4096, NOW_S, &counters);
	fuzz_accepted += counters.noerror > WELL - 1;
	return 0;
}
