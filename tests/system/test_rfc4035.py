"""RFC 4035: DS at the parent's side, AD, CD and DO, and DNSSEC's types in a zone that is served as it is."""

import dns.flags
import pytest

import rfczones

DIGEST = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
KEY = "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
CUT = "cut NS ns.cut ; ns.cut A 192.0.2.84"
SIGNED = "20300101000000 20200101000000 1 @"

ROWS = rfczones.rows("rfc4035.test.", f"""
2.1 ; @ DNSKEY ; NOERROR aa ; @ DNSKEY {KEY}
2.1 ; host DNSKEY ; NOERROR aa ; - ; SOA
2.4 ; @ DS ; NOERROR aa ; - ; SOA  # it would be at the parent, which is not ours
2.5 ; alias A ; NOERROR aa ; alias CNAME host / host A 192.0.2.80
2.5 ; alias CNAME ; NOERROR aa ; alias CNAME host
2.5 ; alias NSEC ; NOERROR aa ; alias NSEC child CNAME RRSIG NSEC  # the name's own, beside the CNAME
2.5 ; alias RRSIG ; NOERROR aa ; alias RRSIG CNAME 13 3 3600 {SIGNED} EEEE
3.1 ; host A ; NOERROR aa ; host A 192.0.2.80  # no RRSIG without DO
3.1 ; host RRSIG ; NOERROR aa ; host RRSIG A 13 3 3600 {SIGNED} CCCC / host RRSIG AAAA 13 3 3600 {SIGNED} DDDD  # unless it is asked for
3.1 ; host NSEC ; NOERROR aa ; host NSEC ns1 A AAAA RRSIG NSEC
3.1 ; unsigned RRSIG ; NOERROR aa ; - ; SOA
3.1 ; unsigned NSEC ; NOERROR aa ; - ; SOA
3.1 ; nothing RRSIG ; NXDOMAIN aa ; - ; SOA
3.1 ; @ NSEC ; NOERROR aa ; @ NSEC host NS SOA RRSIG NSEC DNSKEY
3.1 ; @ NSEC3PARAM ; NOERROR aa ; @ NSEC3PARAM 1 0 0 -
3.1 ; @ CDS ; NOERROR aa ; @ CDS 60485 13 2 {DIGEST}
3.1 ; @ RRSIG ; NOERROR aa ; @ RRSIG DNSKEY 13 2 3600 {SIGNED} AAAA / @ RRSIG SOA 13 2 3600 {SIGNED} BBBB
3.1 ; nothing A ; NXDOMAIN aa ; - ; SOA
3.1.4 ; cut A ; NOERROR ; - ; {CUT}  # without DO a referral has no DS
3.1.4 ; x.cut A ; NOERROR ; - ; {CUT}
3.1.4.1 ; cut DS ; NOERROR aa ; cut DS 60486 13 2 {DIGEST}  # ours, at the parent's side of the cut
3.1.4.1 ; cutnods DS ; NOERROR aa ; - ; SOA
3.1.4.1 ; child DS ; NOERROR aa ; child DS 60485 13 2 {DIGEST}  # of both zones, the parent answers
3.1.4.1 ; child DNSKEY ; NOERROR aa ; child DNSKEY {KEY}  # and the child all else
3.1.4.1 ; child NS ; NOERROR aa ; child NS ns1.child ; - ; ns1.child A 192.0.2.85
3.1.4.1 ; nods DS ; NOERROR aa ; - ; SOA  # the parent's SOA
3.1.4.1 ; nods NS ; NOERROR aa ; nods NS ns1.nods ; - ; ns1.nods A 192.0.2.86
3.1.4.1 ; ns1.child DS ; NOERROR aa ; - ; SOA child  # no cut, so the zone of the name
3.1.4.1 ; nothing.child DS ; NXDOMAIN aa ; - ; SOA child
3.1.4.1 ; x.cut DS ; NOERROR ; - ; {CUT}  # below the cut
3.1.4.1 ; ns.cut DS ; NOERROR ; - ; {CUT}
3.1.4.1 ; host DS ; NOERROR aa ; - ; SOA
3.1.4.1 ; nothing DS ; NXDOMAIN aa ; - ; SOA
3.1.4.1 ; to-cut DS ; NOERROR aa ; to-cut CNAME cut / cut DS 60486 13 2 {DIGEST}
3.1.4.1 ; to-child DS ; NOERROR aa ; to-child CNAME child / child DS 60485 13 2 {DIGEST}
3.1.4.1 ; plain-alias DS ; NOERROR aa ; plain-alias CNAME host ; SOA
3.1.4.1 ; deep.foreign DS ; NOERROR aa ; - ; SOA deep.foreign  # "not authoritative for the parent": NODATA of the child
3.1.4.1 ; ns1.deep.foreign DS ; NOERROR aa ; - ; SOA deep.foreign
3.1.4.1 ; deep.foreign NS ; NOERROR aa ; deep.foreign NS ns1.deep.foreign ; - ; ns1.deep.foreign A 192.0.2.87
3.1.4.1 ; foreign DS ; NOERROR aa ; - ; SOA
3.1.4.1 ; x.foreign DS ; NOERROR ; - ; foreign NS ns.elsewhere.invalid.
3.1.4.1 ; unknown DS ; NXDOMAIN aa ; - ; SOA  # the parent is ours, and has no such name
3.1.4.1 ; unknown SOA ; NOERROR aa ; unknown SOA ns1.unknown hostmaster.unknown 1 7200 900 1209600 300
3.1.4.1 ; test. DS ; REFUSED
3.1.4.1 ; . DS ; REFUSED
3.1.5 ; @ AXFR ; REFUSED  # no transfers
3.1.5 ; host AXFR ; NOTAUTH  # no zone, so none of ours (RFC 5936, 2.2.1)
3.1.5 ; cut AXFR ; NOTAUTH
3.1.5 ; child AXFR ; REFUSED
3.1.5 ; elsewhere.invalid. AXFR ; NOTAUTH
3.1.6 ; host A +ad ; NOERROR aa ; host A 192.0.2.80  # AD is cleared: we do not validate
3.1.6 ; host A +cd ; NOERROR aa ; host A 192.0.2.80
3.1.6 ; host A +ad +cd +rd ; NOERROR aa ; host A 192.0.2.80
3.1.6 ; nothing A +ad ; NXDOMAIN aa ; - ; SOA
3.1.6 ; elsewhere.invalid. A +ad +cd ; REFUSED
3.1 ; unsigned A +do ; NOERROR aa ; unsigned A 192.0.2.81
3.1 ; ns1 TXT +do ; NOERROR aa ; - ; SOA
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc4035(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("question", ["unsigned A", "nothing A", "cut A", "elsewhere.invalid. A"])
@pytest.mark.parametrize("do", [False, True])
def test_rfc4035_3_1_do_is_copied_and_nothing_else(rfc, question, do, transport):
    message = rfczones.query(f"{question} {'+do' if do else '+edns'}", "rfc4035.test.")
    reply, _ = rfczones.ask(rfc.server, message, transport)
    assert reply.ednsflags & dns.flags.DO == (dns.flags.DO if do else 0)
    assert reply.ednsflags & 0x7fff == 0
