"""The world of the SRV, HTTPS and SVCB tests: two sites, probed nodes with ports, with and without hosts."""

import contextlib

import dns.flags
import dns.rcode
import dns.rdatatype

import signpost

JAPAN, GERMANY = "133.11.0.0/24", "134.109.0.0/24"  # whose nearest site is tokyo, frankfurt
TRANSPORTS = ("udp", "tcp")

PROBES = """probes:
  - {{ kind: tcp, port: {port}, family: ipv4, interval: 200ms, timeout: 200ms, fall: 1, rise: 1, jitter: 0 }}
"""

# Each node has a host name of its own; tyo-2 is in reserve: it gets clients when no other node is up.
OWN = """pool: own
port: 443
alpn: [h2, http/1.1]
""" + PROBES + """sites:
  tokyo:
    nodes:
      tyo-1: {{ address: [127.30.1.1, "2001:db8:1::1", 127.30.1.3], host: TYO-1.nodes.example.net. }}
      tyo-2: {{ address: 127.30.1.2, host: tyo-2.nodes.example.net, port: 8443, weight: 0 }}
  frankfurt:
    nodes:
      fra-1: {{ address: [127.30.2.1, "2001:db8:2::1"], host: fra-1.nodes.example.net, port: 51820 }}
"""

# The same nodes without hosts, and without ALPN.
SHARED = """pool: shared
port: 8443
fallback: [192.0.2.99, "2001:db8:99::1"]
""" + PROBES + """sites:
  tokyo: {{ nodes: {{ tyo-1: {{ address: [127.30.1.1, "2001:db8:1::1"] }} }} }}
  frankfurt: {{ nodes: {{ fra-1: {{ address: 127.30.2.1 }} }} }}
"""

# Neither port nor host; one node.
BARE = """pool: bare
sites:
  tokyo: { nodes: { only: { address: 203.0.113.7 } } }
"""

ZONE = """$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
@ IN NS vpn
ns1 IN A 192.0.2.53
vpn 30 IN POOL shared
tyo.vpn 30 IN POOL shared/tokyo
_vpn._udp.vpn 20 IN POOL shared SRV
_vpn._udp.tyo.vpn 20 IN POOL shared/tokyo SRV SVCB
www 40 IN POOL shared AAAA A HTTPS SVCB
www IN TXT "beside"
*.wild 30 IN POOL shared A AAAA HTTPS
here 30 IN POOL own A AAAA SRV HTTPS
only 30 IN POOL own HTTPS
_vpn._udp 30 IN POOL own SRV
_dns.resolver 30 IN POOL own SVCB
*.any 30 IN POOL own SRV
alias IN CNAME _vpn._udp
plain 30 IN POOL bare A HTTPS
plain IN AAAA 2001:db8::77
fourth 50 IN POOL shared A
_4._udp.fourth 30 IN POOL shared SRV SVCB
"""

# Names of other records that lead to steered ones, and to others.
ZONE += """
mail 300 IN MX 10 vpn
mail 300 IN MX 20 ns1
_sip._udp IN SRV 1 2 5060 www
_sip._tcp IN SRV 1 2 5060 ns1
web IN HTTPS 1 . port=444
web IN A 192.0.2.80
web IN AAAA 2001:db8::80
top IN HTTPS 0 web
toself IN HTTPS 0 .
toself IN A 192.0.2.81
tosteered IN HTTPS 0 www
svc IN SVCB 1 ns1 port=853
svc IN SVCB 2 web port=853
nothere IN HTTPS 1 missing
outside IN HTTPS 1 www.example.org.
*.star IN HTTPS 1 . alpn=h3
_star._udp IN SRV 0 0 1 x.star
mx.star IN MX 1 y.z.star
_wild._udp IN SRV 0 0 1 a.b.wild
sub IN NS ns.star
*.star IN A 192.0.2.82
"""

ADDRESSES = ("127.30.1.1", "127.30.1.2", "127.30.1.3", "127.30.2.1")


@contextlib.contextmanager
def services():
    with signpost.world() as (server, nodes):
        server.write_server_file({"tokyo": (35.68, 139.69), "frankfurt": (50.11, 8.68)})
        server.zone_file("example.net.zone").write_text(ZONE)
        server.zone_file("own.pool.yaml").write_text(OWN.format(port=nodes.port))
        server.zone_file("shared.pool.yaml").write_text(SHARED.format(port=nodes.port))
        server.zone_file("bare.pool.yaml").write_text(BARE)
        nodes.start(*ADDRESSES)
        server.nodes = nodes
        server.start()
        yield server


def start_all(server):
    """Lets every node listen again."""
    for address in ADDRESSES:
        with contextlib.suppress(OSError):
            server.nodes.start(address)
    for subnet, address in ((JAPAN, "127.30.1.1"), (GERMANY, "127.30.2.1")):
        for name in ("vpn", "here"):
            signpost.wait_until(lambda: address in server.addresses(f"{name}.example.net.", "A", subnet), 5 * signpost.SLOW)


def ask(server, name, rrtype, subnet=None, transport="udp"):
    """A NOERROR answer."""
    if not name.endswith("."):
        name += ".example.net."
    answer = server.ask(name, rrtype, subnet, transport == "tcp")
    assert answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA, answer
    assert not answer.flags & dns.flags.TC
    return answer


def told(section):
    """{"name type": (TTL, [rdata])}, names without example.net."""
    return {f"{rrset.name.to_text().removesuffix('.example.net.')} {dns.rdatatype.to_text(rrset.rdtype)}":
            (rrset.ttl, sorted(rr.to_text() for rr in rrset)) for rrset in section}


def answered(answer):
    return told(answer.answer)


def additional(answer):
    return told(answer.additional)


def record(answer):
    """The one record of an answer."""
    assert len(answer.answer) == 1 and len(answer.answer[0]) == 1, answer
    return answer.answer[0][0]
