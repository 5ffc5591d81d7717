/* The options of an OPT record: the input is its class, TTL and RDATA, in an otherwise plain query
 * for a steered name. Client Subnet and cookies are held against a reading of RFC 7871 and RFC 7873
 * of the target's own. */
#include <ldns/ldns.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/serve/fixture.h"
#include "wire/edns.h"

/* A query that is answered without an error is an accepted one. */
const unsigned long fuzz_runs = 200000, fuzz_runs_an_accepted = 10;

#define FIXED 6 /* octets of the input that are class and TTL */

static const struct fixture_zone zone = {
	"z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\nv POOL sticky\n"
};
static const uint8_t question[] = { 1, 'v', 1, 'z', 0, 0, TYPE_A, 0, CLASS_IN };

#define NOW_S 1800000000 /* seeds have cookies of this time, made with a secret of zeros */

static const struct dns_settings settings = { .udp_size_max = 1232,
					      .ecs = 1,
					      .cookies = 1,
					      .cookie_secret_count = 1,
					      .tcp_idle_ms = 10000,
					      .tcp_lifetime_ms = 1800000,
					      .tcp_connections = 1000,
					      .nsid = { 4, "nsid" } };

static struct fixture fixture;

/* --- the target's own reading ----------------------------------------------------------------- */

struct options {
	bool well_formed; /* lengths fit */
	unsigned ecs_count;
	const uint8_t *ecs;
	size_t ecs_len;
	unsigned cookie_count;
	const uint8_t *cookie;
	size_t cookie_len;
};

static struct options read_options(const uint8_t *data, size_t size)
{
	struct options options = { .well_formed = true };

	while (size >= 4 && load_u16(data + 2) + 4U <= size) {
		size_t len = load_u16(data + 2);

		if (load_u16(data) == EDNS_CLIENT_SUBNET) {
			options.ecs_count++;
			options.ecs = data + 4;
			options.ecs_len = len;
		}
		if (load_u16(data) == EDNS_COOKIE &&
		    options.cookie_count++ == 0) { /* RFC 7873, 5.2 */
			options.cookie = data + 4;
			options.cookie_len = len;
		}
		data += 4 + len;
		size -= 4 + len;
	}
	options.well_formed = size == 0;
	return options;
}

/* RFC 7871, 6: in a query. */
static bool ecs_valid(const struct options *options)
{
	const uint8_t *ecs = options->ecs;
	unsigned family, source;

	if (options->ecs_len < 4)
		return false;
	family = load_u16(ecs);
	source = ecs[2];
	if (source > (family == 0   ? 0U
		      : family == 1 ? 32U
		      : family == 2 ? 128U
				    : 0U) ||
	    family > 2 || ecs[3] != 0 || options->ecs_len != 4 + (source + 7) / 8)
		return false;
	return source % 8 == 0 || (ecs[options->ecs_len - 1] & (0xffU >> source % 8)) == 0;
}

/* RFC 7873, 4. */
static bool cookie_valid(const struct options *options)
{
	return options->cookie_len == 8 || (options->cookie_len >= 16 && options->cookie_len <= 40);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* An option comes back as it was asked, with a scope; one that was not asked does not. */
static void check_ecs(const struct options *asked, const struct options *answered)
{
	must(answered->ecs_count == asked->ecs_count);
	if (asked->ecs_count == 0)
		return;
	must(asked->ecs_count == 1 && ecs_valid(asked));
	must(answered->ecs_len == asked->ecs_len);
	must(memcmp(answered->ecs, asked->ecs, 3) == 0);
	must(answered->ecs[3] <= (load_u16(asked->ecs) == 1 ? 32 : 128));
	must(asked->ecs[2] != 0 || answered->ecs[3] == 0);
	must(memcmp(answered->ecs + 4, asked->ecs + 4, asked->ecs_len - 4) == 0);
}

/* The client's half comes back, and a server cookie of RFC 9018 with it. */
static void check_cookie(const struct options *asked, const struct options *answered)
{
	must(answered->cookie_count == (asked->cookie_count > 0));
	if (asked->cookie_count == 0)
		return;
	must(cookie_valid(asked) && answered->cookie_len == 24);
	must(memcmp(answered->cookie, asked->cookie, 8) == 0 && answered->cookie[8] == 1);
}

static void check_reply(const uint8_t *data, size_t size, const uint8_t *reply, size_t len)
{
	struct options asked = read_options(data + FIXED, size - FIXED), answered;
	bool refused = !asked.well_formed || asked.ecs_count > 1 ||
		       (asked.ecs_count == 1 && !ecs_valid(&asked)) ||
		       (asked.cookie_count > 0 && !cookie_valid(&asked));
	ldns_pkt *pkt = NULL;
	ldns_rdf *rdf;
	unsigned rcode;

	must(ldns_wire2pkt(&pkt, reply, len) == LDNS_STATUS_OK);
	must(ldns_pkt_edns(pkt));
	rcode = ldns_pkt_get_rcode(pkt) | (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4;
	must((rcode == RCODE_BADVERS) == (data[3] > 0));
	if (data[3] == 0 && refused)
		must(rcode == RCODE_FORMERR);
	rdf = ldns_pkt_edns_data(pkt);
	answered = rdf != NULL ? read_options(ldns_rdf_data(rdf), ldns_rdf_size(rdf))
			       : read_options(NULL, 0);
	must(answered.well_formed && answered.ecs_count <= 1);
	if (rcode == RCODE_NOERROR) {
		fuzz_accepted++;
		must(ldns_pkt_ancount(pkt) == 1 || ldns_pkt_tc(pkt));
		must(ldns_pkt_edns_do(pkt) == ((data[4] & 0x80) != 0));
		check_ecs(&asked, &answered);
		check_cookie(&asked, &answered);
	}
	ldns_pkt_free(pkt);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fixture_open(&fixture, &zone, 1, &(struct fixture_options){ .dns = &settings });
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t message[DNS_MESSAGE_MAX], reply[DNS_MESSAGE_MAX];
	struct client client = { .address = { { 192, 0, 2, 1 }, IP_V4 },
				 .unix_s = NOW_S,
				 .random = size };
	struct writer w = { .data = message, .size = sizeof(message) };
	size_t len;

	if (size < FIXED || size > 4096)
		return 0;
	put_u32(&w, 0x49440000);
	put_u32(&w, 0x00010000);
	put_u32(&w, 1);
	put_bytes(&w, question, sizeof(question));
	put_u8(&w, 0);
	put_u16(&w, TYPE_OPT);
	put_bytes(&w, data, FIXED);
	put_u16(&w, (uint16_t)(size - FIXED));
	put_bytes(&w, data + FIXED, size - FIXED);
	len = answer(&fixture.world, &client, message, w.pos, reply, 1232, &fixture.counters);
	check_reply(data, size, reply, len);
	return 0;
}
