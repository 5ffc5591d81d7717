"""RFC 8482: ANY is answered with one RRset of the name (4.1), over either transport (4.4)."""

import dns.rdatatype
import pytest

import rfczones

CUT = "cut NS ns.cut ; ns.cut A 192.0.2.5"

ROWS = rfczones.rows("rfc8482.test.", f"""
4.1 ; one ANY ; NOERROR aa ; one TXT "the only one"
4.1 ; alias ANY ; NOERROR aa ; alias CNAME many  # the CNAME is the name's RRset, and not followed
4.1 ; alias ANY +edns ; NOERROR aa ; alias CNAME many
4.1 ; ent ANY ; NOERROR aa ; - ; SOA  # nothing there
4.1 ; nothing ANY ; NXDOMAIN aa ; - ; SOA  # what ANY asks is whether there is anything
4.1 ; x.one ANY ; NXDOMAIN aa ; - ; SOA
4.1 ; x.wildalias ANY ; NOERROR aa ; x.wildalias CNAME many
4.1 ; cut ANY ; NOERROR ; - ; {CUT}  # a referral as for any type
4.1 ; x.cut ANY ; NOERROR ; - ; {CUT}
4.1 ; ns.cut ANY ; NOERROR ; - ; {CUT}
4.1 ; elsewhere.invalid. ANY ; REFUSED
4.1 ; only-v4 ANY ; NOERROR aa ; only-v4 30 A 203.0.113.98  # a steered name has addresses to show
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc8482(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


NAMES = [  # and the types that it has
    ("many", "A AAAA TXT MX CAA"), ("@", "SOA NS"), ("x.wild", "A TXT"), ("*.wild", "A TXT"),
    ("dname", "DNAME TXT"), ("pool", "A AAAA TXT"), ("x.poolwild", "A AAAA"),
]


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("flags", ["", "+edns", "+do", "+rd"])
@pytest.mark.parametrize("name, types", NAMES, ids=[name for name, _ in NAMES])
def test_rfc8482_4_1_one_rrset_and_whole(rfc, name, types, flags, transport):
    reply, _ = rfczones.ask(rfc.server, rfczones.query(f"{name} ANY {flags}", "rfc8482.test."), transport)
    assert reply.rcode() == 0 and len(reply.answer) == 1 and not reply.authority
    rrtype = reply.answer[0].rdtype
    assert dns.rdatatype.to_text(rrtype) in types.split()
    alone, _ = rfczones.ask(rfc.server, rfczones.query(f"{name} {dns.rdatatype.to_text(rrtype)}", "rfc8482.test."),
                            transport)
    assert alone.answer == reply.answer, "it is the RRset that its own type has, with its TTL"


@pytest.mark.parametrize("name, types", NAMES, ids=[name for name, _ in NAMES])
def test_rfc8482_4_1_the_same_rrset_each_time(rfc, name, types):
    """Or caches would hold now this, now that."""
    message = rfczones.query(f"{name} ANY", "rfc8482.test.")
    assert len({str(rfczones.ask(rfc.server, message, transport)[0].answer)
                for transport in ("udp", "tcp", "udp", "udp", "tcp")}) == 1


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc8482_4_1_any_does_not_amplify(rfc, transport):
    """Beside 4,000 octets of TXT the name has one address."""
    reply, wire = rfczones.ask(rfc.server, rfczones.query("big ANY +edns", "rfc8482.test."), transport)
    assert reply.rcode() == 0 and len(reply.answer) <= 1
    assert transport == "tcp" or len(wire) <= 1232
