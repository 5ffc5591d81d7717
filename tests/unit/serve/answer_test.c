/* What is answered to which question: RFC 1034, 2308, 4592, 6604, 7871, 8482, as rows. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/unit/serve/fixture.h"
#include "tests/unit/serve/serve_test.h"
#include "wire/query.h"

#define SOA \
	"au example.net. 60 IN SOA ns1.example.net. hostmaster.example.net. 1 7200 900 1209600 60\n"
#define SUB_SOA "au own.example.net. 30 IN SOA ns.own.example.net. h.own.example.net. 2 1 1 1 30\n"

#define LABEL_60 "123456789012345678901234567890123456789012345678901234567890"

static const struct fixture_zone zones[] = {
	{ "example.net.zone",
	  "$TTL 3600\n"
	  "@ IN SOA ns1 hostmaster 1 7200 900 1209600 60\n"
	  "@ IN NS ns1\n"
	  "@ IN NS ns.example.org.\n"
	  "@ IN MX 10 mail\n"
	  "@ IN MX 20 mail\n"
	  "@ IN MX 30 mx.elsewhere.\n"
	  "ns1 IN A 192.0.2.53\n"
	  "ns1 IN AAAA 2001:db8::53\n"
	  "mail IN A 192.0.2.25\n"
	  "www IN A 192.0.2.80\n"
	  "www IN TXT \"text\"\n"
	  "a.b.c IN TXT \"deep\"\n"
	  "*.wild IN A 192.0.2.99\n"
	  "*.wild IN MX 5 mail\n"
	  "there.wild IN TXT \"hides the wildcard\"\n"
	  "x.sub.wild IN TXT \"sub is an empty non-terminal\"\n"
	  "*.toward IN CNAME www\n"
	  "*.steered IN 30 POOL edge\n"
	  "alias IN CNAME www\n"
	  "alias2 IN CNAME alias\n"
	  "far IN CNAME www.elsewhere.\n"
	  "nowhere IN CNAME missing\n"
	  "notype IN CNAME mail\n"
	  "loop1 IN CNAME loop2\n"
	  "loop2 IN CNAME loop1\n"
	  "self IN CNAME self\n"
	  "down IN CNAME host.cut\n"
	  "toother IN CNAME www.own\n"
	  "tovpn IN CNAME vpn\n"
	  "cut IN NS ns.cut\n"
	  "cut IN NS ns2.example.org.\n"
	  "cut IN NS ns1\n"
	  "ns.cut IN A 192.0.2.54\n"
	  "cut IN DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n"
	  "own IN NS ns.own\n"
	  "ns.own IN A 192.0.2.55\n"
	  "own IN DS 2 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n"
	  "_vpn._udp IN SRV 0 5 51820 mail\n"
	  "_cut._udp IN SRV 0 5 51820 ns.cut\n"
	  "moved 120 IN DNAME new\n"
	  "moved IN TXT \"here\"\n"
	  "vpn.new IN 40 POOL edge\n"
	  "away IN DNAME elsewhere.\n"
	  "round IN DNAME x.round\n"
	  "tomoved IN CNAME vpn.moved\n"
	  "long IN DNAME " LABEL_60 "." LABEL_60 "." LABEL_60 ".\n"
	  "vpn IN 30 POOL edge\n"
	  "tokyo.vpn IN 30 POOL edge/tokyo\n"
	  "v4only IN 30 POOL plain\n"
	  "sticky IN 30 POOL sticky\n"
	  "loose IN 30 POOL loose\n"
	  "svc IN 30 POOL edge A AAAA HTTPS SVCB\n"
	  "_s._udp.svc IN 20 POOL edge SRV\n"
	  "tokyo.svc IN 30 POOL edge/tokyo A HTTPS\n"
	  "hosts IN 30 POOL loose SRV\n"
	  "*.sw IN 30 POOL edge A AAAA HTTPS\n"
	  "toservice IN CNAME _s._udp.svc\n"
	  "tosvc IN SRV 0 0 1 svc\n"
	  "tostar IN SRV 0 0 1 a.wild\n"
	  "alias65 IN HTTPS 0 web65\n"
	  "web65 IN HTTPS 1 . port=444\n"
	  "web65 IN A 192.0.2.65\n"
	  "none65 IN HTTPS 0 .\n"
	  "none65 IN A 192.0.2.66\n"
	  "tosvc65 IN HTTPS 0 svc\n" },
	{ "own.example.net.zone", "$TTL 300\n"
				  "@ IN SOA ns h 2 1 1 1 30\n"
				  "@ IN NS ns\n"
				  "ns IN A 192.0.2.55\n"
				  "www IN A 192.0.2.81\n"
				  "back IN CNAME alias.example.net.\n"
				  "@ IN 60 POOL edge\n" },
	{ "rooted.zone", "$TTL 300\n" /* as the root: its own server lies below a delegation */
			 "@ IN SOA ns.servers.sub h 2 1 1 1 30\n"
			 "@ IN NS ns.servers.sub\n"
			 "sub IN NS ns.other.sub\n"
			 "ns.other.sub IN A 192.0.2.57\n"
			 "ns.servers.sub IN A 192.0.2.56\n" },
};

static struct fixture fixture;

static void setup(void)
{
	fixture_open(&fixture, zones, sizeof(zones) / sizeof(zones[0]), NULL);
}

static void teardown(void)
{
	fixture_close(&fixture);
}

struct row {
	struct question q;
	const char *reply;
};

static const struct row rows[] = {
	/* what is there */
	{ ASK("www.example.net.", "A"), "NOERROR aa\nan www.example.net. 3600 IN A 192.0.2.80\n" },
	{ ASK("WwW.eXample.NET.", "A"), "NOERROR aa\nan WwW.eXample.NET. 3600 IN A 192.0.2.80\n" },
	{ ASK("example.net.", "SOA"),
	  "NOERROR aa\nan example.net. 3600 IN SOA ns1.example.net. hostmaster.example.net. 1 7200 "
	  "900 1209600 60\n" },
	{ ASK("example.net.", "NS"), "NOERROR aa\nan example.net. 3600 IN NS ns1.example.net.\n"
				     "an example.net. 3600 IN NS ns.example.org.\n"
				     "ad ns1.example.net. 3600 IN A 192.0.2.53\n"
				     "ad ns1.example.net. 3600 IN AAAA 2001:db8::53\n" },
	{ ASK("example.net.", "MX"), "NOERROR aa\nan example.net. 3600 IN MX 10 mail.example.net.\n"
				     "an example.net. 3600 IN MX 20 mail.example.net.\n"
				     "an example.net. 3600 IN MX 30 mx.elsewhere.\n"
				     "ad mail.example.net. 3600 IN A 192.0.2.25\n" },
	{ ASK("_vpn._udp.example.net.", "SRV"),
	  "NOERROR aa\nan _vpn._udp.example.net. 3600 IN SRV 0 5 51820 mail.example.net.\n"
	  "ad mail.example.net. 3600 IN A 192.0.2.25\n" },
	{ ASK("_cut._udp.example.net.", "SRV"),
	  "NOERROR aa\nan _cut._udp.example.net. 3600 IN SRV 0 5 51820 ns.cut.example.net.\n" },
	{ ASK("rooted.", "NS"), "NOERROR aa\nan rooted. 300 IN NS ns.servers.sub.rooted.\n"
				"ad ns.servers.sub.rooted. 300 IN A 192.0.2.56\n" },
	{ ASK("*.wild.example.net.", "A"),
	  "NOERROR aa\nan *.wild.example.net. 3600 IN A 192.0.2.99\n" },

	/* services of the chosen node */
	{ ASK("svc.example.net.", "HTTPS"), "NOERROR aa\nan svc.example.net. 30 IN HTTPS 1 .\n"
					    "ad svc.example.net. 30 IN A 203.0.113.10\n"
					    "ad svc.example.net. 30 IN AAAA 2001:db8::a\n" },
	{ ASK("svc.example.net.", "SVCB", .ecs = "192.0.2.0/24"), /* RFC 7871, 7.3.1 */
	  "NOERROR aa\nan svc.example.net. 30 IN SVCB 1 .\necs 192.0.2.0/24/24\n" },
	{ ASK("_s._udp.svc.example.net.", "SRV"),
	  "NOERROR aa\nan _s._udp.svc.example.net. 20 IN SRV 0 0 1000 svc.example.net.\n"
	  "ad svc.example.net. 20 IN A 203.0.113.10\n"
	  "ad svc.example.net. 20 IN AAAA 2001:db8::a\n" },
	{ ASK("toservice.example.net.", "SRV"),
	  "NOERROR aa\nan toservice.example.net. 3600 IN CNAME _s._udp.svc.example.net.\n"
	  "an _s._udp.svc.example.net. 20 IN SRV 0 0 1000 svc.example.net.\n"
	  "ad svc.example.net. 20 IN A 203.0.113.10\n"
	  "ad svc.example.net. 20 IN AAAA 2001:db8::a\n" },
	{ ASK("hosts.example.net.", "SRV", .ecs = "10.0.0.0/24"), /* the host's, whoever asks */
	  "NOERROR aa\nan hosts.example.net. 30 IN SRV 0 0 1000 node0.test.\n"
	  "ad node0.test. 30 IN A 203.0.113.10\n"
	  "ad node0.test. 30 IN AAAA 2001:db8::a\necs 10.0.0.0/24/1\n" },
	{ ASK("x.sw.example.net.", "HTTPS"), "NOERROR aa\nan x.sw.example.net. 30 IN HTTPS 1 .\n"
					     "ad x.sw.example.net. 30 IN A 203.0.113.10\n"
					     "ad x.sw.example.net. 30 IN AAAA 2001:db8::a\n" },
	{ ASK("svc.example.net.", "SRV"), "NOERROR aa\n" SOA },
	{ ASK("hosts.example.net.", "A"), "NOERROR aa\n" SOA },
	{ ASK("tokyo.svc.example.net.", "AAAA"), "NOERROR aa\n" SOA },
	{ ASK("hosts.example.net.", "ANY"),
	  "NOERROR aa\nan hosts.example.net. 30 IN SRV 0 0 1000 node0.test.\n"
	  "ad node0.test. 30 IN A 203.0.113.10\n"
	  "ad node0.test. 30 IN AAAA 2001:db8::a\n" },

	/* what comes along with written records */
	{ ASK("tosvc.example.net.", "SRV"),
	  "NOERROR aa\nan tosvc.example.net. 3600 IN SRV 0 0 1 svc.example.net.\n"
	  "ad svc.example.net. 30 IN A 203.0.113.10\n"
	  "ad svc.example.net. 30 IN AAAA 2001:db8::a\n" },
	{ ASK("tosvc.example.net.", "SRV", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan tosvc.example.net. 3600 IN SRV 0 0 1 svc.example.net.\n"
	  "ecs 192.0.2.0/24/0\n" },
	{ ASK("tostar.example.net.", "SRV"),
	  "NOERROR aa\nan tostar.example.net. 3600 IN SRV 0 0 1 a.wild.example.net.\n"
	  "ad a.wild.example.net. 3600 IN A 192.0.2.99\n" },
	{ ASK("alias65.example.net.", "HTTPS"),
	  "NOERROR aa\nan alias65.example.net. 3600 IN HTTPS 0 web65.example.net.\n"
	  "ad web65.example.net. 3600 IN HTTPS 1 . port=444\n"
	  "ad web65.example.net. 3600 IN A 192.0.2.65\n" },
	{ ASK("web65.example.net.", "HTTPS"),
	  "NOERROR aa\nan web65.example.net. 3600 IN HTTPS 1 . port=444\n"
	  "ad web65.example.net. 3600 IN A 192.0.2.65\n" },
	{ ASK("none65.example.net.", "HTTPS"),
	  "NOERROR aa\nan none65.example.net. 3600 IN HTTPS 0 .\n" },
	{ ASK("tosvc65.example.net.", "HTTPS"),
	  "NOERROR aa\nan tosvc65.example.net. 3600 IN HTTPS 0 svc.example.net.\n"
	  "ad svc.example.net. 30 IN HTTPS 1 .\n"
	  "ad svc.example.net. 30 IN A 203.0.113.10\n"
	  "ad svc.example.net. 30 IN AAAA 2001:db8::a\n" },

	/* what is not */
	{ ASK("missing.example.net.", "A"), "NXDOMAIN aa\n" SOA },
	{ ASK("x.www.example.net.", "A"), "NXDOMAIN aa\n" SOA },
	{ ASK("www.example.net.", "AAAA"), "NOERROR aa\n" SOA },
	{ ASK("c.example.net.", "A"), "NOERROR aa\n" SOA },
	{ ASK("b.c.example.net.", "TXT"), "NOERROR aa\n" SOA },
	{ ASK("z.c.example.net.", "TXT"), "NXDOMAIN aa\n" SOA },
	{ ASK("example.org.", "A"), "REFUSED\n" },
	{ ASK(".", "NS"), "REFUSED\n" },
	{ ASK("net.", "NS"), "REFUSED\n" },
	{ ASK("xexample.net.", "A"), "REFUSED\n" },
	{ ASK("example.net.", "AXFR"), "REFUSED\n" },
	{ ASK("example.net.", "IXFR"), "REFUSED\n" },
	{ ASK("www.example.net.", "AXFR"), "NOTAUTH\n" },
	{ ASK("example.org.", "IXFR"), "NOTAUTH\n" },
	{ ASK("www.example.net.", "TYPE128"), "FORMERR\n" }, /* NXNAME */
	{ ASK("www.example.net.", "TYPE41"), "FORMERR\n" },
	{ ASK("www.example.net.", "TSIG"), "FORMERR\n" },
	{ ASK("www.example.net.", "TYPE249"), "NOTIMPL\n" }, /* TKEY */
	{ ASK("www.example.net.", "MAILB"), "NOTIMPL\n" },
	{ ASK("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.example.net.", "A"),
	  "NXDOMAIN aa\n" SOA },

	/* wildcards */
	{ ASK("some.wild.example.net.", "A"),
	  "NOERROR aa\nan some.wild.example.net. 3600 IN A 192.0.2.99\n" },
	{ ASK("some.more.wild.example.net.", "A"),
	  "NOERROR aa\nan some.more.wild.example.net. 3600 IN A 192.0.2.99\n" },
	{ ASK("some.wild.example.net.", "MX"),
	  "NOERROR aa\nan some.wild.example.net. 3600 IN MX 5 mail.example.net.\n"
	  "ad mail.example.net. 3600 IN A 192.0.2.25\n" },
	{ ASK("x.wild.example.net.", "MX"), /* as long as the wildcard's own name */
	  "NOERROR aa\nan x.wild.example.net. 3600 IN MX 5 mail.example.net.\n"
	  "ad mail.example.net. 3600 IN A 192.0.2.25\n" },
	{ ASK("some.wild.example.net.", "TXT"), "NOERROR aa\n" SOA },
	{ ASK("there.wild.example.net.", "A"), "NOERROR aa\n" SOA },
	{ ASK("x.there.wild.example.net.", "A"), "NXDOMAIN aa\n" SOA },
	{ ASK("sub.wild.example.net.", "A"), "NOERROR aa\n" SOA },
	{ ASK("y.sub.wild.example.net.", "A"), "NXDOMAIN aa\n" SOA },
	{ ASK("any.toward.example.net.", "A"),
	  "NOERROR aa\nan any.toward.example.net. 3600 IN CNAME www.example.net.\n"
	  "an www.example.net. 3600 IN A 192.0.2.80\n" },

	/* chains */
	{ ASK("alias.example.net.", "A"),
	  "NOERROR aa\nan alias.example.net. 3600 IN CNAME www.example.net.\n"
	  "an www.example.net. 3600 IN A 192.0.2.80\n" },
	{ ASK("alias.example.net.", "CNAME"),
	  "NOERROR aa\nan alias.example.net. 3600 IN CNAME www.example.net.\n" },
	{ ASK("alias2.example.net.", "TXT"),
	  "NOERROR aa\nan alias2.example.net. 3600 IN CNAME alias.example.net.\n"
	  "an alias.example.net. 3600 IN CNAME www.example.net.\n"
	  "an www.example.net. 3600 IN TXT \"text\"\n" },
	{ ASK("far.example.net.", "A"),
	  "NOERROR aa\nan far.example.net. 3600 IN CNAME www.elsewhere.\n" },
	{ ASK("nowhere.example.net.", "A"),
	  "NXDOMAIN aa\nan nowhere.example.net. 3600 IN CNAME missing.example.net.\n" SOA },
	{ ASK("notype.example.net.", "AAAA"),
	  "NOERROR aa\nan notype.example.net. 3600 IN CNAME mail.example.net.\n" SOA },
	{ ASK("loop1.example.net.", "A"),
	  "NOERROR aa\nan loop1.example.net. 3600 IN CNAME loop2.example.net.\n"
	  "an loop2.example.net. 3600 IN CNAME loop1.example.net.\n" },
	{ ASK("self.example.net.", "A"),
	  "NOERROR aa\nan self.example.net. 3600 IN CNAME self.example.net.\n" },
	{ ASK("down.example.net.", "A"),
	  "NOERROR aa\nan down.example.net. 3600 IN CNAME host.cut.example.net.\n"
	  "au cut.example.net. 3600 IN NS ns.cut.example.net.\n"
	  "au cut.example.net. 3600 IN NS ns2.example.org.\n"
	  "au cut.example.net. 3600 IN NS ns1.example.net.\n"
	  "ad ns.cut.example.net. 3600 IN A 192.0.2.54\n"
	  "ad ns1.example.net. 3600 IN A 192.0.2.53\n"
	  "ad ns1.example.net. 3600 IN AAAA 2001:db8::53\n" },
	{ ASK("toother.example.net.", "A"),
	  "NOERROR aa\nan toother.example.net. 3600 IN CNAME www.own.example.net.\n"
	  "an www.own.example.net. 300 IN A 192.0.2.81\n" },
	{ ASK("toother.example.net.", "AAAA"),
	  "NOERROR aa\nan toother.example.net. 3600 IN CNAME www.own.example.net.\n" SUB_SOA },
	{ ASK("back.own.example.net.", "A"),
	  "NOERROR aa\nan back.own.example.net. 300 IN CNAME alias.example.net.\n"
	  "an alias.example.net. 3600 IN CNAME www.example.net.\n"
	  "an www.example.net. 3600 IN A 192.0.2.80\n" },
	{ ASK("tovpn.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan tovpn.example.net. 3600 IN CNAME vpn.example.net.\n"
	  "an vpn.example.net. 30 IN A 203.0.113.12\necs 192.0.2.0/24/24\n" },

	/* DNAME */
	{ ASK("vpn.moved.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan moved.example.net. 120 IN DNAME new.example.net.\n"
	  "an vpn.moved.example.net. 120 IN CNAME vpn.new.example.net.\n"
	  "an vpn.new.example.net. 40 IN A 203.0.113.12\necs 192.0.2.0/24/24\n" },
	{ ASK("tomoved.example.net.", "AAAA", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan tomoved.example.net. 3600 IN CNAME vpn.moved.example.net.\n"
	  "an moved.example.net. 120 IN DNAME new.example.net.\n"
	  "an vpn.moved.example.net. 120 IN CNAME vpn.new.example.net.\n"
	  "an vpn.new.example.net. 40 IN AAAA 2001:db8::c\necs 192.0.2.0/24/24\n" },
	{ ASK("x.vpn.moved.example.net.", "CNAME"),
	  "NOERROR aa\nan moved.example.net. 120 IN DNAME new.example.net.\n"
	  "an x.vpn.moved.example.net. 120 IN CNAME x.vpn.new.example.net.\n" },
	{ ASK("none.moved.example.net.", "A"),
	  "NXDOMAIN aa\nan moved.example.net. 120 IN DNAME new.example.net.\n"
	  "an none.moved.example.net. 120 IN CNAME none.new.example.net.\n" SOA },
	{ ASK("moved.example.net.", "TXT"),
	  "NOERROR aa\nan moved.example.net. 3600 IN TXT \"here\"\n" },
	{ ASK("moved.example.net.", "A"), "NOERROR aa\n" SOA },
	{ ASK("a.b.away.example.net.", "A"),
	  "NOERROR aa\nan away.example.net. 3600 IN DNAME elsewhere.\n"
	  "an a.b.away.example.net. 3600 IN CNAME a.b.elsewhere.\n" },
	{ ASK(LABEL_60 ".x.long.example.net.", "A", .edns_size = 1232),
	  "NOERROR aa\nan long.example.net. 3600 IN DNAME " LABEL_60 "." LABEL_60 "." LABEL_60
	  ".\nan " LABEL_60 ".x.long.example.net. 3600 IN CNAME " LABEL_60 ".x." LABEL_60
	  "." LABEL_60 "." LABEL_60 ".\n" },
	{ ASK(LABEL_60 ".1234567890.long.example.net.", "A"),
	  "YXDOMAIN aa\nan long.example.net. 3600 IN DNAME " LABEL_60 "." LABEL_60 "." LABEL_60
	  ".\n" },

	/* delegations */
	{ ASK("host.cut.example.net.", "A"),
	  "NOERROR\nau cut.example.net. 3600 IN NS ns.cut.example.net.\n"
	  "au cut.example.net. 3600 IN NS ns2.example.org.\n"
	  "au cut.example.net. 3600 IN NS ns1.example.net.\n"
	  "ad ns.cut.example.net. 3600 IN A 192.0.2.54\n"
	  "ad ns1.example.net. 3600 IN A 192.0.2.53\n"
	  "ad ns1.example.net. 3600 IN AAAA 2001:db8::53\n" },
	{ ASK("ns.cut.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR\nau cut.example.net. 3600 IN NS ns.cut.example.net.\n"
	  "au cut.example.net. 3600 IN NS ns2.example.org.\n"
	  "au cut.example.net. 3600 IN NS ns1.example.net.\n"
	  "ad ns.cut.example.net. 3600 IN A 192.0.2.54\n"
	  "ad ns1.example.net. 3600 IN A 192.0.2.53\n"
	  "ad ns1.example.net. 3600 IN AAAA 2001:db8::53\n"
	  "ecs 192.0.2.0/24/0\n" },
	{ ASK("cut.example.net.", "DS"),
	  "NOERROR aa\nan cut.example.net. 3600 IN DS 1 8 2 "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n" },
	{ ASK("own.example.net.", "DS"), /* we have both zones: the parent answers */
	  "NOERROR aa\nan own.example.net. 3600 IN DS 2 8 2 "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n" },
	{ ASK("example.net.", "DS"), "NOERROR aa\n" SOA }, /* we have the child only */
	{ ASK("own.example.net.", "NS"),
	  "NOERROR aa\nan own.example.net. 300 IN NS ns.own.example.net.\n"
	  "ad ns.own.example.net. 300 IN A 192.0.2.55\n" },
	{ ASK("zz.own.example.net.", "A"), "NXDOMAIN aa\n" SUB_SOA },

	/* ANY: one RRset */
	{ ASK("www.example.net.", "ANY"),
	  "NOERROR aa\nan www.example.net. 3600 IN A 192.0.2.80\n" },
	{ ASK("c.example.net.", "ANY"), "NOERROR aa\n" SOA },
	{ ASK("alias.example.net.", "ANY"),
	  "NOERROR aa\nan alias.example.net. 3600 IN CNAME www.example.net.\n" },
	{ ASK("v4only.example.net.", "ANY"),
	  "NOERROR aa\nan v4only.example.net. 30 IN A 198.51.100.1\n" },
	{ ASK("zz.own.example.net.", "ANY"), "NXDOMAIN aa\n" SUB_SOA },

	/* steered names; frankfurt is 203.0.113.12 and .13, tokyo .10 and .11 */
	{ ASK("tokyo.vpn.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan tokyo.vpn.example.net. 30 IN A 203.0.113.10\necs 192.0.2.0/24/24\n" },
	{ ASK("vpn.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan vpn.example.net. 30 IN A 203.0.113.12\necs 192.0.2.0/24/24\n" },
	{ ASK("vpn.example.net.", "AAAA", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan vpn.example.net. 30 IN AAAA 2001:db8::c\necs 192.0.2.0/24/24\n" },
	{ ASK("v4only.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan v4only.example.net. 30 IN A 198.51.100.1\necs 192.0.2.0/24/8\n" },
	{ ASK("v4only.example.net.", "AAAA", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\n" SOA "ecs 192.0.2.0/24/0\n" },
	{ ASK("vpn.example.net.", "TXT", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\n" SOA "ecs 192.0.2.0/24/0\n" },
	{ ASK("x.vpn.example.net.", "A"), "NXDOMAIN aa\n" SOA },
	{ ASK("any.steered.example.net.", "AAAA", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan any.steered.example.net. 30 IN AAAA 2001:db8::c\necs 192.0.2.0/24/24\n" },
	{ ASK("own.example.net.", "A", .ecs = "192.0.2.0/24"),
	  "NOERROR aa\nan own.example.net. 60 IN A 203.0.113.12\necs 192.0.2.0/24/24\n" },
	{ ASK("own.example.net.", "MX"), "NOERROR aa\n" SUB_SOA },

	/* EDNS */
	{ ASK("www.example.net.", "A", .edns_size = 1232, .dnssec_ok = true),
	  "NOERROR aa do\nan www.example.net. 3600 IN A 192.0.2.80\n" },
	{ ASK("www.example.net.", "A", .ecs = "2001:db8::/32"),
	  "NOERROR aa\nan www.example.net. 3600 IN A 192.0.2.80\necs 2001:db8::/32/0\n" },
	{ ASK("missing.example.net.", "A", .ecs = "10.0.0.0/8"),
	  "NXDOMAIN aa\n" SOA "ecs 10.0.0.0/8/0\n" },
	{ ASK("example.org.", "A", .ecs = "10.0.0.0/8"), "REFUSED\necs 10.0.0.0/8/0\nerror 20\n" },
};

START_TEST(each_question_has_its_answer)
{
	char *reply = fixture_ask(&fixture, &rows[_i].q);

	ck_assert_msg(strcmp(reply, rows[_i].reply) == 0, "%s %s:\n%s\ninstead of\n%s",
		      rows[_i].q.name, rows[_i].q.type, reply, rows[_i].reply);
	free(reply);
}
END_TEST

START_TEST(tcp_answers_are_the_same)
{
	struct question q = rows[_i].q;
	char *reply;

	q.tcp = true;
	reply = fixture_ask(&fixture, &q);
	ck_assert_str_eq(reply, rows[_i].reply);
	free(reply);
}
END_TEST

/* Each step makes the name longer, until a link too many. */
START_TEST(a_dname_to_itself_ends)
{
	static const struct question q = ASK("a.round.example.net.", "A", .tcp = true);
	char *reply = fixture_ask(&fixture, &q);
	const char *dname = strstr(reply, "an round.example.net. 3600 IN DNAME ");

	ck_assert_int_eq(strncmp(reply, "NOERROR aa\n", 11), 0);
	ck_assert_ptr_nonnull(strstr(reply, "an a.round.example.net. 3600 IN CNAME "
					    "a.x.round.example.net.\n"));
	ck_assert_msg(dname != NULL && strstr(dname + 1, "an round.") == NULL,
		      "the DNAME itself is there once");
	free(reply);
}
END_TEST

/* --- messages that are no plain question ------------------------------------------------------ */

static size_t send_raw(const struct world *world, const uint8_t *message, size_t len,
		       uint8_t reply[512])
{
	struct client client = { .address = { .family = IP_V4 } };

	return answer(world, &client, message, len, reply, 512, &fixture.counters);
}

START_TEST(answers_are_not_answered)
{
	static const uint8_t message[] = "ID\x80\0\0\1\0\0\0\0\0\0\0\0\1\0\1";
	uint8_t reply[512];

	ck_assert_uint_eq(send_raw(&fixture.world, message, sizeof(message) - 1, reply), 0);
	ck_assert_uint_eq(send_raw(&fixture.world, message, 11, reply), 0);
	ck_assert_uint_eq(fixture.counters.dropped, 2);
}
END_TEST

static const struct {
	const char *what;
	uint16_t flags, class; /* in */
	uint16_t reply;        /* flags */
} flag_rows[] = {
	{ "class CH", 0, CLASS_CH, 0x8005 },
	{ "class ANY", 0, CLASS_ANY, 0x8005 },
	{ "RD is kept; RA, Z, AD and CD are not", 0x01f0, CLASS_IN, 0x8500 },
	{ "AA, TC and an rcode in a query mean nothing", 0x060f, CLASS_IN, 0x8400 },
	{ "NOTIFY", 0x2000, CLASS_IN, 0xa004 },
	{ "UPDATE", 0x2800, CLASS_IN, 0xa804 },
	{ "opcode 15", 0x7800, CLASS_IN, 0xf804 },
};

START_TEST(header_flags_follow_the_query)
{
	static const struct question q = ASK("www.example.net.", "A");
	uint8_t message[512], reply[512];
	uint8_t *big = malloc(FIXTURE_MESSAGE_SIZE);
	size_t len;

	ck_assert_ptr_nonnull(big);
	len = question_write(&q, big);
	memcpy(message, big, len);
	free(big);
	store_u16(message + 2, flag_rows[_i].flags);
	store_u16(message + len - 2, flag_rows[_i].class);
	len = send_raw(&fixture.world, message, len, reply);
	ck_assert_uint_ge(len, 12);
	ck_assert_msg(load_u16(reply + 2) == flag_rows[_i].reply, "%s: %04x", flag_rows[_i].what,
		      load_u16(reply + 2));
}
END_TEST

START_TEST(damage_is_told_by_a_bare_header)
{
	static const uint8_t message[] = "ID\1\0\0\1\0\0\0\0\0\0\3www";
	static const uint8_t expected[] = "ID\x81\1\0\0\0\0\0\0\0\0";
	uint8_t reply[512];

	ck_assert_uint_eq(send_raw(&fixture.world, message, sizeof(message) - 1, reply), 12);
	ck_assert_mem_eq(reply, expected, 12);
}
END_TEST

START_TEST(version_1_is_told_by_badvers_and_ours)
{
	static const uint8_t message[] = "ID\0\0\0\1\0\0\0\0\0\1\0\0\2\0\1"
					 "\0\0\x29\x10\0\0\1\x80\0\0\0";
	static const uint8_t opt[] = "\0\0\x29\x04\xd0\1\0\x80\0\0\0";
	uint8_t reply[512];
	size_t len = send_raw(&fixture.world, message, sizeof(message) - 1, reply);

	ck_assert_uint_eq(len, 12 + 5 + 11);
	ck_assert_uint_eq(reply[3] & 15, 0);
	ck_assert_mem_eq(reply + 17, opt, 11);
}
END_TEST

START_TEST(bad_ecs_is_not_echoed)
{
	static const uint8_t message[] =
		"ID\0\0\0\1\0\0\0\0\0\1\0\0\2\0\1"
		"\0\0\x29\x10\0\0\0\0\0\0\x0b\0\x08\0\7\0\1\x18\x18\xc0\0\2";
	uint8_t reply[512];
	size_t len = send_raw(&fixture.world, message, sizeof(message) - 1, reply);

	ck_assert_uint_eq(len, 12 + 5 + 11);
	ck_assert_uint_eq(reply[3] & 15, RCODE_FORMERR);
}
END_TEST

START_TEST(without_a_world_resolvers_move_on)
{
	static const uint8_t message[] = "ID\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
	static const uint8_t expected[] = "ID\x81\2\0\1\0\0\0\0\0\0\0\0\2\0\1";
	uint8_t reply[512];

	ck_assert_uint_eq(send_raw(NULL, message, sizeof(message) - 1, reply), 17);
	ck_assert_mem_eq(reply, expected, 17);
	ck_assert_uint_eq(fixture.counters.servfail, 1);
}
END_TEST

/* --- client subnet ---------------------------------------------------------------------------- */

static void expect(const struct question *q, const char *reply)
{
	char *got = fixture_ask(&fixture, q);

	ck_assert_str_eq(got, reply);
	free(got);
}

START_TEST(source_0_lets_the_resolver_steer_and_has_scope_0)
{
	struct question q = ASK("v4only.example.net.", "A", .ecs = "0.0.0.0/0");
	struct question sticky = ASK("sticky.example.net.", "A", .ecs = "0.0.0.0/0");
	char *reply;

	expect(&q, "NOERROR aa\nan v4only.example.net. 30 IN A 198.51.100.1\necs 0.0.0.0/0/0\n");
	sticky.from = "192.0.2.1";
	reply = fixture_ask(&fixture, &sticky);
	ck_assert(strstr(reply, "203.0.113.12") != NULL || strstr(reply, "203.0.113.13") != NULL);
	ck_assert_ptr_nonnull(strstr(reply, "ecs 0.0.0.0/0/0"));
	free(reply);
	sticky.from = "10.0.0.1";
	reply = fixture_ask(&fixture, &sticky);
	ck_assert(strstr(reply, "203.0.113.10") != NULL || strstr(reply, "203.0.113.11") != NULL);
	free(reply);
}
END_TEST

START_TEST(ecs_switched_off_is_neither_used_nor_echoed)
{
	static const struct fixture_options off = { .no_ecs = true };
	struct question q = ASK("sticky.example.net.", "A", .ecs = "192.0.2.0/24");
	char *reply;

	teardown();
	fixture_open(&fixture, zones, sizeof(zones) / sizeof(zones[0]), &off);
	reply = fixture_ask(&fixture, &q); /* from 10.0.0.1: tokyo */
	ck_assert(strstr(reply, "203.0.113.10") != NULL || strstr(reply, "203.0.113.11") != NULL);
	ck_assert_ptr_null(strstr(reply, "ecs"));
	free(reply);
	ck_assert_uint_eq(fixture.counters.with_ecs, 0);
}
END_TEST

START_TEST(each_answer_is_counted_once)
{
	static const struct question q[] = {
		ASK("www.example.net.", "A"),
		ASK("www.example.net.", "A", .tcp = true),
		ASK("missing.example.net.", "A"),
		ASK("example.org.", "A"),
		ASK("vpn.example.net.", "A", .ecs = "192.0.2.0/24"),
	};
	const struct counters *c = &fixture.counters;

	for (unsigned i = 0; i < sizeof(q) / sizeof(q[0]); i++)
		free(fixture_ask(&fixture, &q[i]));
	ck_assert_uint_eq(c->queries_udp, 4);
	ck_assert_uint_eq(c->queries_tcp, 1);
	ck_assert_uint_eq(c->noerror, 3);
	ck_assert_uint_eq(c->nxdomain, 1);
	ck_assert_uint_eq(c->refused, 1);
	ck_assert_uint_eq(c->steered, 1);
	ck_assert_uint_eq(c->with_ecs, 1);
	ck_assert_uint_eq(c->truncated + c->dropped + c->formerr + c->servfail, 0);
}
END_TEST

void add_answer_tests(Suite *suite)
{
	TCase *answers = tcase_create("answers");
	TCase *odd = tcase_create("odd messages and settings");

	tcase_add_checked_fixture(answers, setup, teardown);
	tcase_add_loop_test(answers, each_question_has_its_answer, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(answers, tcp_answers_are_the_same, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, answers);
	tcase_add_checked_fixture(odd, setup, teardown);
	tcase_add_test(odd, a_dname_to_itself_ends);
	tcase_add_test(odd, answers_are_not_answered);
	tcase_add_loop_test(odd, header_flags_follow_the_query, 0,
			    sizeof(flag_rows) / sizeof(flag_rows[0]));
	tcase_add_test(odd, damage_is_told_by_a_bare_header);
	tcase_add_test(odd, version_1_is_told_by_badvers_and_ours);
	tcase_add_test(odd, bad_ecs_is_not_echoed);
	tcase_add_test(odd, without_a_world_resolvers_move_on);
	tcase_add_test(odd, source_0_lets_the_resolver_steer_and_has_scope_0);
	tcase_add_test(odd, ecs_switched_off_is_neither_used_nor_echoed);
	tcase_add_test(odd, each_answer_is_counted_once);
	suite_add_tcase(suite, odd);
}
