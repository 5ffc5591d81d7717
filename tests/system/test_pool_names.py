"""POOL names are names as all others: at the apex, at wildcards, beside other types, in chains.

A pool of one node gives its addresses, so what is expected is what A and AAAA records would give.
"""

import random
import string

import pytest

import rfczones
import signpost

A, AAAA = "A 203.0.113.99", "AAAA 2001:db8:99::99"
APEX = "apex.pool-only.test."
APEX_SOA = f"{APEX} 300 SOA ns1 hostmaster 1 7200 900 1209600 300"
CUT = "cut NS pool / cut NS ns.cut"

# The section is the story's.
ROWS = rfczones.rows("pool.test.", f"""
apex ; @ A ; NOERROR aa ; @ 30 {A}
apex ; @ AAAA ; NOERROR aa ; @ 30 {AAAA}
apex ; @ TXT ; NOERROR aa ; @ TXT "beside the apex' POOL"
apex ; @ CAA ; NOERROR aa ; @ CAA 0 issue "ca.invalid"
apex ; @ HTTPS ; NOERROR aa ; @ HTTPS 1 . alpn=h3 ; - ; ?
apex ; @ MX ; NOERROR aa ; @ MX 10 mail ; - ; mail A 192.0.2.25
apex ; @ NS ; NOERROR aa ; @ NS ns1 / @ NS pool ; - ; ?
apex ; @ SOA ; NOERROR aa ; @ SOA ns1 hostmaster 1 7200 900 1209600 300
apex ; @ SRV ; NOERROR aa ; - ; SOA
apex ; @ CNAME ; NOERROR aa ; - ; SOA
apex ; {APEX} A ; NOERROR aa ; {APEX} 30 {A}
apex ; {APEX} AAAA ; NOERROR aa ; {APEX} 30 {AAAA}
apex ; {APEX} TXT ; NOERROR aa ; - ; {APEX_SOA}
apex ; {APEX} NS ; NOERROR aa ; {APEX} NS ns1 ; - ; ?
apex ; random.{APEX} A ; NOERROR aa ; random.{APEX} 30 {A}
apex ; a.b.c.{APEX} AAAA ; NOERROR aa ; a.b.c.{APEX} 30 {AAAA}
apex ; x.tokyo.{APEX} A ; NXDOMAIN aa ; - ; {APEX_SOA}  # tokyo is the closest encloser
apex ; *.{APEX} A ; NOERROR aa ; *.{APEX} 30 {A}
ttl ; pool A ; NOERROR aa ; pool 30 {A}
ttl ; pool AAAA ; NOERROR aa ; pool 30 {AAAA}
ttl ; ttl0 A ; NOERROR aa ; ttl0 0 {A}
ttl ; ttl1 A ; NOERROR aa ; ttl1 1 {A}
ttl ; ttlmax AAAA ; NOERROR aa ; ttlmax 2147483647 {AAAA}
ttl ; default A ; NOERROR aa ; default 3600 {A}
ttl ; beside A ; NOERROR aa ; beside 20 {A}
ttl ; beside TXT ; NOERROR aa ; beside 600 TXT "text"
case ; PoOl A ; NOERROR aa ; pool 30 {A}
case ; RaNdOm.VPN A ; NOERROR aa ; random.vpn 40 {A}
types ; beside CAA ; NOERROR aa ; beside CAA 0 issue "ca.invalid"
types ; beside HTTPS ; NOERROR aa ; beside HTTPS 1 . alpn=h2 ; - ; ?
types ; beside SSHFP ; NOERROR aa ; beside SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
types ; beside MX ; NOERROR aa ; beside MX 10 beside ; - ; ?
types ; beside TYPE65280 ; NOERROR aa ; beside TYPE65280 \\# 1 ff
types ; beside SRV ; NOERROR aa ; - ; SOA
types ; beside NS ; NOERROR aa ; - ; SOA
types ; beside DS ; NOERROR aa ; - ; SOA
types ; pool TXT ; NOERROR aa ; - ; SOA
types ; pool CNAME ; NOERROR aa ; - ; SOA
types ; x.pool A ; NXDOMAIN aa ; - ; SOA  # pool has no wildcard of its own
types ; v4 A ; NOERROR aa ; v4 30 A 203.0.113.98
types ; v4 AAAA ; NOERROR aa ; - ; SOA  # no node has one: no data, for nobody
types ; v4 TXT ; NOERROR aa ; - ; SOA
wildcard ; vpn A ; NOERROR aa ; vpn 30 {A}
wildcard ; x.vpn A ; NOERROR aa ; x.vpn 40 {A}
wildcard ; x.y.z.vpn AAAA ; NOERROR aa ; x.y.z.vpn 40 {AAAA}
wildcard ; *.vpn A ; NOERROR aa ; *.vpn 40 {A}
wildcard ; x.vpn TXT ; NOERROR aa ; x.vpn TXT "any name"
wildcard ; x.vpn MX ; NOERROR aa ; - ; SOA
wildcard ; exact.vpn A ; NOERROR aa ; exact.vpn A 192.0.2.80  # a name that exists
wildcard ; exact.vpn AAAA ; NOERROR aa ; - ; SOA
wildcard ; x.exact.vpn A ; NXDOMAIN aa ; - ; SOA
wildcard ; ent.vpn A ; NOERROR aa ; - ; SOA  # an empty non-terminal
wildcard ; x.ent.vpn A ; NXDOMAIN aa ; - ; SOA
wildcard ; wild A ; NOERROR aa ; - ; SOA
wildcard ; x.wild A ; NOERROR aa ; x.wild 50 {A}
wildcard ; x.*.stars A ; NOERROR aa ; x.*.stars 60 {A}
wildcard ; x.y.stars A ; NOERROR aa ; - ; SOA
wildcard ; anything A ; NOERROR aa ; anything 10 {A}  # the wildcard below the apex
wildcard ; any.thing.at.all AAAA ; NOERROR aa ; any.thing.at.all 10 {AAAA}
wildcard ; under.deep A ; NOERROR aa ; - ; SOA
wildcard ; ent.under.deep A ; NOERROR aa ; ent.under.deep 30 {A}
wildcard ; x.under.deep A ; NXDOMAIN aa ; - ; SOA
chain ; alias A ; NOERROR aa ; alias CNAME pool / pool 30 {A}
chain ; alias AAAA ; NOERROR aa ; alias CNAME pool / pool 30 {AAAA}
chain ; alias TXT ; NOERROR aa ; alias CNAME pool ; SOA
chain ; alias CNAME ; NOERROR aa ; alias CNAME pool
chain ; alias2 A ; NOERROR aa ; alias2 600 CNAME alias / alias CNAME pool / pool 30 {A}
chain ; alias-wild A ; NOERROR aa ; alias-wild CNAME x.y.vpn / x.y.vpn 40 {A}
chain ; alias-apex A ; NOERROR aa ; alias-apex CNAME @ / @ 30 {A}
chain ; alias-v4 A ; NOERROR aa ; alias-v4 CNAME v4 / v4 30 A 203.0.113.98
chain ; alias-v4 AAAA ; NOERROR aa ; alias-v4 CNAME v4 ; SOA
chain ; x.aliaswild A ; NOERROR aa ; x.aliaswild CNAME pool / pool 30 {A}
chain ; across A ; NOERROR aa ; across CNAME pool.neighbour.test. / pool.neighbour.test. 30 {A}
chain ; across-wild AAAA ; NOERROR aa ; across-wild CNAME a.b.poolwild.neighbour.test. / a.b.poolwild.neighbour.test. 40 {AAAA}
chain ; x.dname A ; NOERROR aa ; dname DNAME vpn / x.dname CNAME x.vpn / x.vpn 40 {A}
chain ; exact.dname A ; NOERROR aa ; dname DNAME vpn / exact.dname CNAME exact.vpn / exact.vpn A 192.0.2.80
chain ; pool.dname-apex A ; NOERROR aa ; dname-apex DNAME @ / pool.dname-apex CNAME pool / pool 30 {A}
target ; mx MX ; NOERROR aa ; mx MX 10 pool ; - ; pool 30 {A} / pool 30 {AAAA}
target ; srv SRV ; NOERROR aa ; srv SRV 0 0 51820 pool ; - ; pool 30 {A} / pool 30 {AAAA}
target ; svc SVCB ; NOERROR aa ; svc SVCB 1 pool ; - ; pool 30 {A} / pool 30 {AAAA}
target ; x.cut A ; NOERROR ; - ; {CUT} ; ns.cut A 192.0.2.82 / pool 30 {A} / pool 30 {AAAA}
client ; ruled A +subnet=192.0.2.0/24 ; NOERROR aa ; ruled 30 A 203.0.113.1
client ; ruled AAAA +subnet=192.0.2.0/24 ; NOERROR aa ; ruled 30 AAAA 2001:db8:1::1
client ; ruled A +subnet=198.51.100.0/24 ; NOERROR aa ; ruled 30 A 203.0.113.2
client ; ruled A +subnet=2001:db8:e::/56 ; NOERROR aa ; ruled 30 A 203.0.113.1
client ; ruled AAAA +subnet=2001:db8:f::/56 ; NOERROR aa ; ruled 30 AAAA 2001:db8:2::2
client ; ruled A ; NOERROR aa ; ruled 30 A 203.0.113.2
client ; x.y.ruled A +subnet=192.0.2.0/24 ; NOERROR aa ; x.y.ruled 30 A 203.0.113.1
client ; x.y.ruled A +subnet=198.51.100.0/24 ; NOERROR aa ; x.y.ruled 30 A 203.0.113.2
client ; ruled-alias A +subnet=192.0.2.0/24 ; NOERROR aa ; ruled-alias CNAME x.ruled / x.ruled 30 A 203.0.113.1
client ; ruled-alias A +subnet=198.51.100.0/24 ; NOERROR aa ; ruled-alias CNAME x.ruled / x.ruled 30 A 203.0.113.2
client ; a.ruled-dname A +subnet=192.0.2.0/24 ; NOERROR aa ; ruled-dname DNAME ruled / a.ruled-dname CNAME a.ruled / a.ruled 30 A 203.0.113.1
client ; east A +subnet=198.51.100.0/24 ; NOERROR aa ; east 30 A 203.0.113.1  # one site only
client ; tokyo.{APEX} A +subnet=198.51.100.0/24 ; NOERROR aa ; tokyo.{APEX} 30 A 203.0.113.1
client ; mx-ruled MX ; NOERROR aa ; mx-ruled MX 10 ruled ; - ; ruled 30 A 203.0.113.2 / ruled 30 AAAA 2001:db8:2::2
client ; mx-ruled MX +subnet=192.0.2.0/24 ; NOERROR aa ; mx-ruled MX 10 ruled ; - ; -  # for one network: not where caches keep it for all (RFC 7871, 7.3.1)
client ; srv-ruled SRV +subnet=192.0.2.0/24 ; NOERROR aa ; srv-ruled SRV 0 0 51820 ruled ; - ; -
client ; mx MX +subnet=192.0.2.0/24 ; NOERROR aa ; mx MX 10 pool ; - ; pool 30 {A} / pool 30 {AAAA}  # the same for all
client ; ruled TXT +subnet=192.0.2.0/24 ; NOERROR aa ; - ; SOA
client ; alias2 A +subnet=192.0.2.0/24 ; NOERROR aa ; alias2 600 CNAME alias / alias CNAME pool / pool 30 {A}
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_pool_names(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_any_is_answered_with_the_addresses_of_one_family(rfc, transport):
    for name in ("pool", "x.vpn", "@", "beside"):
        reply, _ = rfczones.ask(rfc.server, rfczones.query(f"{name} ANY", "pool.test."), transport)
        assert len(reply.answer) == 1 and reply.answer[0].rdtype in (1, 28)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_random_labels_in_front_of_the_name_are_all_answered(rfc, transport):
    """As OpenVPN's remote-random-hostname makes them, 12 hexadecimal digits, and odder ones."""
    rng = random.Random(4)
    for i in range(50):
        label = "".join(rng.choices("0123456789abcdef" if i < 40 else string.ascii_letters + "-_", k=12 if i < 40 else 63))
        rfczones.check(rfc.server, rfczones.rows("pool.test.", f"openvpn ; {label}.vpn A ; NOERROR aa ; {label}.vpn 40 {A}")[0],
                       transport)


SCOPES = [  # question; the scope prefix length that its answer has for 192.0.2.0/24
    ("ruled A", 24), ("ruled AAAA", 24), ("x.ruled A", 24), ("ruled-alias A", 24), ("a.ruled-dname A", 24), ("beside TXT", 0),
    ("v4 AAAA", 0), ("ruled TXT", 0), ("mx-ruled MX", 0), ("mx MX", 0), ("pool A", 0), ("x.vpn AAAA", 0), ("alias2 A", 0), ("east A", 0),
    ("nothing.under.deep A", 0), ("x.cut A", 0), ("exact.vpn A", 0), ("@ SOA", 0),
]


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("question, scope", SCOPES, ids=[row[0] for row in SCOPES])
def test_scope_is_that_of_the_steered_name_in_the_chain(rfc, question, scope, transport):
    """RFC 7871, 7.2.1: for how large a network the answer holds; 0 for what is the same for all."""
    reply, _ = rfczones.ask(rfc.server, rfczones.query(f"{question} +subnet=192.0.2.0/24", "pool.test."), transport)
    assert signpost.scope(reply) == scope


REFUSED = [  # records of a zone, and what is said of the last line
    ("below a delegation", "cut NS ns1\nx.cut POOL one", "lies below a delegation"),
    ("at a delegation", "cut NS ns1\ncut POOL one", "is delegated"),
    ("two levels below a delegation", "cut NS ns1\na.b.cut POOL one", "lies below a delegation"),
    ("as a wildcard below a delegation", "cut NS ns1\n*.cut POOL one", "lies below a delegation"),
    ("beside a CNAME", "x CNAME ns1\nx POOL one", "CNAME"),
    ("beside an A record", "x A 192.0.2.1\nx POOL one", "A record"),
    ("beside an AAAA record", "x AAAA 2001:db8::1\nx POOL one", "AAAA record"),
    ("twice", "x POOL one\nx POOL one", "POOL"),
    ("of a pool that is not there", "x POOL none", "there is no pool"),
    ("of a site that is not there", "x POOL one/nowhere", "no site"),
    ("without a pool", "x POOL", "POOL"),
    ("of two pools", "x POOL one two", ""),
]


@pytest.fixture(scope="module")
def checked():
    """A Signpost that only checks files."""
    with signpost.world() as (server, _):
        server.write_server_file(rfczones.SITES)
        rfczones.write_pools(server)
        yield server


@pytest.mark.parametrize("what, records, words", REFUSED, ids=[row[0] for row in REFUSED])
def test_pool_records_that_could_not_be_answered_are_refused(checked, what, records, words):
    head = "$TTL 3600\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
    checked.zone_file("bad.test.zone").write_text(head + records + "\n")
    done = checked.ctl("check", checked.config, check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and words in said
    assert f"bad.test.zone:{5 + records.count(chr(10))}:" in said or f"bad.test.zone:{4 + records.count(chr(10))}:" in said
