"""RFC 6604: the rcode is that of the last name of a chain, AA that of the first."""

import pytest

import rfczones

CUT = "cut NS ns.cut ; ns.cut A 192.0.2.2"
ACROSS_CUT = "cut.neighbour.test. NS ns.cut.neighbour.test. ; ns.cut.neighbour.test. A 192.0.2.182"

ROWS = rfczones.rows("rfc6604.test.", f"""
2.1 ; ok A ; NOERROR aa ; ok CNAME host / host A 192.0.2.80
2.1 ; out A ; NOERROR aa ; out CNAME www.elsewhere.invalid.  # "authority for the first owner name", as RFC 1035 has it
2.1 ; out2 A ; NOERROR aa ; out2 CNAME out / out CNAME www.elsewhere.invalid.
2.1 ; to-cut A ; NOERROR aa ; to-cut CNAME www.cut ; {CUT}
2.1 ; to-cut2 A ; NOERROR aa ; to-cut2 CNAME to-cut / to-cut CNAME www.cut ; {CUT}
2.1 ; www.cut A ; NOERROR ; - ; {CUT}  # nothing of ours comes first
2.1 ; x.dname A ; NOERROR aa ; dname DNAME elsewhere.invalid. / x.dname CNAME x.elsewhere.invalid.
2.1 ; across-ok A ; NOERROR aa ; across-ok CNAME host.neighbour.test. / host.neighbour.test. A 192.0.2.180
2.1 ; across-cut A ; NOERROR aa ; across-cut CNAME x.cut.neighbour.test. ; {ACROSS_CUT}
2.2 ; ok A +ad ; NOERROR aa ; ok CNAME host / host A 192.0.2.80  # AD is not ours to set
3 ; none A ; NXDOMAIN aa ; none CNAME nothing ; SOA
3 ; none2 A ; NXDOMAIN aa ; none2 CNAME none / none CNAME nothing ; SOA
3 ; none CNAME ; NOERROR aa ; none CNAME nothing  # nothing is followed, so nothing is missing
3 ; none2 CNAME ; NOERROR aa ; none2 CNAME none
3 ; none ANY ; NOERROR aa ; none CNAME nothing
3 ; empty TXT ; NOERROR aa ; empty CNAME host ; SOA
3 ; ent A ; NOERROR aa ; ent CNAME below ; SOA
3 ; out TXT ; NOERROR aa ; out CNAME www.elsewhere.invalid.  # "the last query cycle" was ours, and well
3 ; to-cut TXT ; NOERROR aa ; to-cut CNAME www.cut ; {CUT}
3 ; x.dname-none A ; NXDOMAIN aa ; dname-none DNAME nothing / x.dname-none CNAME x.nothing ; SOA
3 ; x.dname-ok A ; NOERROR aa ; dname-ok DNAME below / x.dname-ok CNAME x.below / x.below A 192.0.2.1
3 ; y.dname-ok A ; NXDOMAIN aa ; dname-ok DNAME below / y.dname-ok CNAME y.below ; SOA
3 ; x.dname-none CNAME ; NOERROR aa ; dname-none DNAME nothing / x.dname-none CNAME x.nothing
3 ; across-none A ; NXDOMAIN aa ; across-none CNAME nothing.neighbour.test. ; SOA neighbour.test.
3 ; across-ok TXT ; NOERROR aa ; across-ok CNAME host.neighbour.test. ; SOA neighbour.test.
3 ; x.wild A ; NXDOMAIN aa ; x.wild CNAME nothing ; SOA
3 ; x.wildok A ; NOERROR aa ; x.wildok CNAME host / host A 192.0.2.80
3 ; x.wildok TXT ; NOERROR aa ; x.wildok CNAME host ; SOA
3 ; loop A ; NOERROR aa ; loop CNAME loop
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc6604(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)
