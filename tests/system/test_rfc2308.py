"""RFC 2308: negative answers: what is one, and for how long it may be kept."""

import dns.rdatatype
import pytest

import rfczones

SHORT = "short 60 SOA ns1.short hostmaster.short 1 7200 900 1209600 86400"
ZERO = "zero 0 SOA ns1.zero hostmaster.zero 1 7200 900 1209600 0"

ROWS = rfczones.rows("rfc2308.test.", f"""
2.1 ; nothing A ; NXDOMAIN aa ; - ; SOA  # a name error
2.1 ; nothing MX ; NXDOMAIN aa ; - ; SOA
2.1 ; nothing NS ; NXDOMAIN aa ; - ; SOA
2.1 ; nothing SOA ; NXDOMAIN aa ; - ; SOA
2.1 ; nothing CNAME ; NXDOMAIN aa ; - ; SOA
2.1 ; nothing ANY ; NXDOMAIN aa ; - ; SOA
2.1 ; nothing TYPE65280 ; NXDOMAIN aa ; - ; SOA
2.1 ; x.host A ; NXDOMAIN aa ; - ; SOA
2.1 ; x.leaf.ent A ; NXDOMAIN aa ; - ; SOA
2.1 ; an A ; NXDOMAIN aa ; an CNAME tripple ; SOA  # "AN.EXAMPLE. CNAME TRIPPLE.XX.": the error is the last name's
2.1 ; an CNAME ; NOERROR aa ; an CNAME tripple
2.1 ; an2 A ; NXDOMAIN aa ; an2 CNAME an / an CNAME tripple ; SOA
2.1 ; an-other A ; NXDOMAIN aa ; an-other CNAME tripple.neighbour.test. ; SOA neighbour.test.  # the SOA is that of the zone that says no
2.1 ; an-out A ; NOERROR aa ; an-out CNAME tripple.elsewhere.invalid.  # which we cannot say
2.1 ; x.dname A ; NXDOMAIN aa ; dname DNAME ent / x.dname CNAME x.ent ; SOA
2.2 ; host TXT ; NOERROR aa ; - ; SOA  # no data
2.2 ; host CNAME ; NOERROR aa ; - ; SOA
2.2 ; host TYPE65280 ; NOERROR aa ; - ; SOA
2.2 ; alias TXT ; NOERROR aa ; alias CNAME host ; SOA
2.2 ; ent A ; NOERROR aa ; - ; SOA
2.2 ; ent ANY ; NOERROR aa ; - ; SOA
2.2 ; x.wild A ; NOERROR aa ; - ; SOA
2.2 ; @ A ; NOERROR aa ; - ; SOA
2.2 ; leaf.dname TXT ; NOERROR aa ; dname DNAME ent / leaf.dname CNAME leaf.ent ; SOA
2.2 ; x.cut A ; NOERROR ; - ; cut NS ns.cut ; ns.cut A 192.0.2.82  # a referral: NS and no SOA
2.2.1 ; cut TXT ; NOERROR ; - ; cut NS ns.cut ; ns.cut A 192.0.2.82
3 ; nothing.short A ; NXDOMAIN aa ; - ; {SHORT}  # the SOA's TTL, where MINIMUM is larger
3 ; ns1.short TXT ; NOERROR aa ; - ; {SHORT}
3 ; an-minimum A ; NXDOMAIN aa ; an-minimum CNAME tripple.short ; {SHORT}
3 ; alias.short A ; NXDOMAIN aa ; alias.short CNAME nothing ; SOA
3 ; nothing.zero A ; NXDOMAIN aa ; - ; {ZERO}
3 ; ns1.zero TXT ; NOERROR aa ; - ; {ZERO}
3 ; @ SOA ; NOERROR aa ; @ SOA ns1 hostmaster 1 7200 900 1209600 300  # as an answer it has its own TTL
3 ; short SOA ; NOERROR aa ; {SHORT}
3 ; zero SOA ; NOERROR aa ; zero SOA ns1.zero hostmaster.zero 1 7200 900 1209600 0
3 ; nothing A +edns ; NXDOMAIN aa ; - ; SOA
3 ; nothing A +do ; NXDOMAIN aa ; - ; SOA
3 ; NoThInG A ; NXDOMAIN aa ; - ; SOA
8 ; host A ; NOERROR aa ; host A 192.0.2.80 ; - ; -
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc2308(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc2308_3_the_longest_question_has_room_for_the_soa(rfc, transport):
    """255 octets of name leave little of 512."""
    left = 255 - len(b"\7rfc2308\4test\0")
    labels = []
    while left > 0:
        labels.append("x" * min(63, left - 1 if left <= 64 else 61))
        left -= len(labels[-1]) + 1
    name = ".".join(labels) + ".rfc2308.test."
    reply, wire = rfczones.ask(rfc.server, rfczones.query(f"{name} A"), transport)
    assert len(wire) > 12 + 255 + 4
    assert reply.rcode() == 3 and reply.authority[0].rdtype == dns.rdatatype.SOA
