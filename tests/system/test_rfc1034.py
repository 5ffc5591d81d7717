"""RFC 1034: the name server's algorithm (4.3.2) step by step, aliases (3.6.2), and the examples of 6.2."""

import dns.rdatatype
import pytest

import rfczones
import signpost

CUT = "cut NS ns.cut / cut NS ns.elsewhere.invalid. ; ns.cut A 192.0.2.91 / ns.cut AAAA 2001:db8::91"
LOOP = "loop1 CNAME loop2 / loop2 CNAME loop3 / loop3 CNAME loop1"

ROWS = rfczones.rows("rfc1034.test.", f"""
3.1 ; HOST A ; NOERROR aa ; host A 192.0.2.80 / host A 192.0.2.81  # letters compare without case
3.1 ; mixed TXT ; NOERROR aa ; MiXeD TXT "mixed"
3.1 ; MIXED TXT ; NOERROR aa ; MiXeD TXT "mixed"
3.6.2 ; alias A ; NOERROR aa ; alias CNAME host / host A 192.0.2.80 / host A 192.0.2.81
3.6.2 ; alias CNAME ; NOERROR aa ; alias CNAME host  # a query that matches CNAME is not restarted
3.6.2 ; alias2 CNAME ; NOERROR aa ; alias2 600 CNAME alias
3.6.2 ; alias3 AAAA ; NOERROR aa ; alias3 CNAME alias2 / alias2 600 CNAME alias / alias CNAME host / host AAAA 2001:db8::80  # chains are followed
3.6.2 ; alias-none A ; NXDOMAIN aa ; alias-none CNAME nothing ; SOA
3.6.2 ; alias-nodata AAAA ; NOERROR aa ; alias-nodata CNAME mail ; SOA
3.6.2 ; alias-ent A ; NOERROR aa ; alias-ent CNAME ent ; SOA
3.6.2 ; alias-wild A ; NOERROR aa ; alias-wild CNAME x.wild / x.wild A 192.0.2.83
3.6.2 ; alias-apex A ; NOERROR aa ; alias-apex CNAME @ / @ A 192.0.2.1
3.6.2 ; alias-apex MX ; NOERROR aa ; alias-apex CNAME @ / @ MX 10 mail ; - ; mail A 192.0.2.25
3.6.2 ; alias-out A ; NOERROR aa ; alias-out CNAME www.elsewhere.invalid.  # nobody's name: the asker goes on
3.6.2 ; self A ; NOERROR aa ; self CNAME self  # loops are caught
3.6.2 ; loop1 A ; NOERROR aa ; {LOOP}
3.6.2 ; loop1 CNAME ; NOERROR aa ; loop1 CNAME loop2
3.6.2 ; into-loop TXT ; NOERROR aa ; into-loop CNAME loop1 / {LOOP}
3.6.2 ; loop-across A ; NOERROR aa ; loop-across CNAME loop.neighbour.test. / loop.neighbour.test. CNAME loop-across
3.7.1 ; host TXT ; NOERROR aa ; host TXT "host"
3.7.1 ; host MX ; NOERROR aa ; - ; SOA
4.2.1 ; cut A ; NOERROR ; - ; {CUT}  # authoritative data ends at the cut
4.2.1 ; cut TXT ; NOERROR ; - ; {CUT}
4.2.1 ; cut NS ; NOERROR ; - ; {CUT}  # the NS at the cut are the child's
4.2.1 ; cut SOA ; NOERROR ; - ; {CUT}
4.2.1 ; cut CNAME ; NOERROR ; - ; {CUT}
4.2.1 ; cut ANY ; NOERROR ; - ; {CUT}
4.2.1 ; www.cut A ; NOERROR ; - ; {CUT}  # what is below it is not ours
4.2.1 ; alias.cut A ; NOERROR ; - ; {CUT}
4.2.1 ; x.dname.cut A ; NOERROR ; - ; {CUT}
4.2.1 ; dname.cut DNAME ; NOERROR ; - ; {CUT}
4.2.1 ; ns.cut A ; NOERROR ; - ; {CUT}  # glue is no authoritative data
4.2.1 ; ns.cut TXT ; NOERROR ; - ; {CUT}
4.2.1 ; nothing.cut A ; NOERROR ; - ; {CUT}
4.2.1 ; a.b.c.cut A ; NOERROR ; - ; {CUT}
4.2.1 ; www.inner.cut A ; NOERROR ; - ; {CUT}  # the upper of two delegations
4.2.1 ; inner.cut NS ; NOERROR ; - ; {CUT}
4.2.1 ; bare A ; NOERROR ; - ; bare NS ns.elsewhere.invalid.  # no glue for a server elsewhere
4.2.1 ; x.bare A ; NOERROR ; - ; bare NS ns.elsewhere.invalid.
4.2.1 ; x.by-us A ; NOERROR ; - ; by-us NS ns1 ; ns1 A 192.0.2.53 / ns1 AAAA 2001:db8::53
4.2.1 ; x.same A ; NOERROR ; - ; same NS same ; same A 192.0.2.95  # the glue is at the cut itself
4.2.1 ; same A ; NOERROR ; - ; same NS same ; same A 192.0.2.95
4.2.1 ; x.deep.er.and.deeper A ; NOERROR ; - ; deep.er.and.deeper NS ns1 ; ns1 A 192.0.2.53 / ns1 AAAA 2001:db8::53
4.2.1 ; er.and.deeper A ; NOERROR aa ; - ; SOA  # above the cut is ours
4.3.1 ; host A +rd ; NOERROR aa ; host A 192.0.2.80 / host A 192.0.2.81  # recursion is desired, and not available
4.3.1 ; www.cut A +rd ; NOERROR ; - ; {CUT}
4.3.1 ; alias-out A +rd ; NOERROR aa ; alias-out CNAME www.elsewhere.invalid.
4.3.1 ; www.elsewhere.invalid. A +rd ; REFUSED
4.3.2 step 2 ; host.child A ; NOERROR aa ; host.child A 192.0.2.99  # the nearest zone
4.3.2 step 2 ; child NS ; NOERROR aa ; child NS ns.child / child NS ns2.child ; - ; ns.child A 192.0.2.97 / ns2.child A 192.0.2.98  # its own NS, not its parent's
4.3.2 step 2 ; ns.child A ; NOERROR aa ; ns.child A 192.0.2.97
4.3.2 step 2 ; old.child TXT ; NXDOMAIN aa ; - ; SOA child
4.3.2 step 2 ; child SOA ; NOERROR aa ; child SOA ns1.child hostmaster.child 1 7200 900 1209600 300
4.3.2 step 2 ; child A ; NOERROR aa ; - ; SOA child
4.3.2 step 2 ; x.cut.child A ; NOERROR ; - ; cut.child NS ns.cut.child ; ns.cut.child A 192.0.2.100
4.3.2 step 2 ; www.elsewhere.invalid. A ; REFUSED  # no zone
4.3.2 step 2 ; test. A ; REFUSED  # above our zones
4.3.2 step 2 ; . NS ; REFUSED  # no upward referral
4.3.2 step 2 ; xrfc1034.test. A ; REFUSED  # a suffix of octets is none of labels
4.3.2 step 3a ; host AAAA ; NOERROR aa ; host AAAA 2001:db8::80
4.3.2 step 3a ; @ SOA ; NOERROR aa ; @ SOA ns1 hostmaster 1 7200 900 1209600 300
4.3.2 step 3a ; @ NS ; NOERROR aa ; @ NS ns1 / @ NS ns1.neighbour.test. ; - ; ?
4.3.2 step 3a ; @ A ; NOERROR aa ; @ A 192.0.2.1
4.3.2 step 3a ; @ AAAA ; NOERROR aa ; - ; SOA
4.3.2 step 3a ; @ CNAME ; NOERROR aa ; - ; SOA
4.3.2 step 3a ; host CNAME ; NOERROR aa ; - ; SOA
4.3.2 step 3a ; host SOA ; NOERROR aa ; - ; SOA
4.3.2 step 3a ; host NS ; NOERROR aa ; - ; SOA
4.3.2 step 3a ; alias ANY ; NOERROR aa ; alias CNAME host  # "QTYPE *" matches the CNAME itself
4.3.2 step 3a ; alias-child A ; NOERROR aa ; alias-child CNAME host.child / host.child A 192.0.2.99  # back to step 1: another zone
4.3.2 step 3a ; alias-child-apex NS ; NOERROR aa ; alias-child-apex CNAME child / child NS ns.child / child NS ns2.child ; - ; ns.child A 192.0.2.97 / ns2.child A 192.0.2.98
4.3.2 step 3a ; up.child AAAA ; NOERROR aa ; up.child CNAME host / host AAAA 2001:db8::80
4.3.2 step 3a ; across A ; NOERROR aa ; across CNAME host.neighbour.test. / host.neighbour.test. A 192.0.2.180
4.3.2 step 3a ; across TXT ; NOERROR aa ; across CNAME host.neighbour.test. ; SOA neighbour.test.
4.3.2 step 3a ; across-back AAAA ; NOERROR aa ; across-back CNAME back.neighbour.test. / back.neighbour.test. CNAME host / host AAAA 2001:db8::80
4.3.2 step 3a ; across-none A ; NXDOMAIN aa ; across-none CNAME nothing.neighbour.test. ; SOA neighbour.test.
4.3.2 step 3a ; across-gone A ; NXDOMAIN aa ; across-gone CNAME gone.neighbour.test. / gone.neighbour.test. CNAME nothing ; SOA
4.3.2 step 3a ; across-wild A ; NOERROR aa ; across-wild CNAME x.wild.neighbour.test. / x.wild.neighbour.test. A 192.0.2.181
4.3.2 step 3b ; alias-cut A ; NOERROR aa ; alias-cut CNAME cut ; {CUT}  # a referral ends the chain; AA is the first owner's
4.3.2 step 3b ; alias-below A ; NOERROR aa ; alias-below CNAME www.cut ; {CUT}
4.3.2 step 3b ; alias-child-cut A ; NOERROR aa ; alias-child-cut CNAME host.cut.child ; cut.child NS ns.cut.child ; ns.cut.child A 192.0.2.100
4.3.2 step 3b ; across-cut A ; NOERROR aa ; across-cut CNAME x.cut.neighbour.test. ; cut.neighbour.test. NS ns.cut.neighbour.test. ; ns.cut.neighbour.test. A 192.0.2.182
4.3.2 step 3c ; nothing A ; NXDOMAIN aa ; - ; SOA
4.3.2 step 3c ; nothing ANY ; NXDOMAIN aa ; - ; SOA
4.3.2 step 3c ; a.b.c.d.e.f.g A ; NXDOMAIN aa ; - ; SOA
4.3.2 step 3c ; x.host A ; NXDOMAIN aa ; - ; SOA
4.3.2 step 3c ; x.alias A ; NXDOMAIN aa ; - ; SOA  # an alias does not reach below itself
4.3.2 step 3c ; ent A ; NOERROR aa ; - ; SOA  # the name exists
4.3.2 step 3c ; x.ent A ; NXDOMAIN aa ; - ; SOA
4.3.2 step 3c ; x.wild A ; NOERROR aa ; x.wild A 192.0.2.83
4.3.2 step 3c ; x.wild AAAA ; NOERROR aa ; - ; SOA
4.3.2 step 3c ; x.y.z.wild A ; NOERROR aa ; x.y.z.wild A 192.0.2.83
4.3.2 step 6 ; @ MX ; NOERROR aa ; @ MX 10 mail ; - ; mail A 192.0.2.25  # useful addresses
4.3.4 ; nothing MX ; NXDOMAIN aa ; - ; SOA
""")

# 6.2: "queries to C.ISI.EDU". The SOA in the empty answer of 6.2.4 and the one RRset for "*" in 6.2.2
# are of later RFCs (2308, 8482); 6.2.7 is as A.ISI.EDU answers it, which has no zone EDU either.
ROOT_ROWS = rfczones.rows(".", """
6.2.1 ; SRI-NIC.ARPA. A ; NOERROR aa ; SRI-NIC.ARPA. 86400 A 26.0.0.73 / SRI-NIC.ARPA. 86400 A 10.0.0.51
6.2.3 ; SRI-NIC.ARPA. MX ; NOERROR aa ; SRI-NIC.ARPA. 86400 MX 0 SRI-NIC.ARPA. ; - ; SRI-NIC.ARPA. 86400 A 26.0.0.73 / SRI-NIC.ARPA. 86400 A 10.0.0.51
6.2.4 ; SRI-NIC.ARPA. NS ; NOERROR aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.2.5 ; SIR-NIC.ARPA. A ; NXDOMAIN aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.2.6 ; BRL.MIL. A ; NOERROR ; - ; MIL. 86400 NS SRI-NIC.ARPA. / MIL. 86400 NS A.ISI.EDU. ; A.ISI.EDU. 86400 A 26.3.0.103 / SRI-NIC.ARPA. 86400 A 26.0.0.73 / SRI-NIC.ARPA. 86400 A 10.0.0.51
6.2.7 ; USC-ISIC.ARPA. A ; NOERROR aa ; USC-ISIC.ARPA. 86400 CNAME C.ISI.EDU. ; EDU. 86400 NS SRI-NIC.ARPA. / EDU. 86400 NS C.ISI.EDU. ; SRI-NIC.ARPA. 86400 A 26.0.0.73 / SRI-NIC.ARPA. 86400 A 10.0.0.51 / C.ISI.EDU. 86400 A 10.0.0.52
6.2.8 ; USC-ISIC.ARPA. CNAME ; NOERROR aa ; USC-ISIC.ARPA. 86400 CNAME C.ISI.EDU.
5.2.1 ; 73.0.0.26.IN-ADDR.ARPA. PTR ; NOERROR aa ; 73.0.0.26.IN-ADDR.ARPA. 86400 PTR SRI-NIC.ARPA.
6.1 ; ARPA. A ; NOERROR aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.1 ; . A ; NOERROR aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.1 ; . DS ; NOERROR aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400  # the root has no parent
6.1 ; COM. NS ; NXDOMAIN aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.1 ; MIL. DS ; NOERROR aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.1 ; X.EDU. DS ; NOERROR ; - ; EDU. 86400 NS SRI-NIC.ARPA. / EDU. 86400 NS C.ISI.EDU. ; ?
6.1 ; IN-ADDR.ARPA. PTR ; NOERROR aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.1 ; SRI-NIC.ARPA.COM. A ; NXDOMAIN aa ; - ; . 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
6.1 ; . NS ; NOERROR aa ; . 86400 NS A.ISI.EDU. / . 86400 NS C.ISI.EDU. / . 86400 NS SRI-NIC.ARPA. ; - ; SRI-NIC.ARPA. 86400 A 26.0.0.73 / SRI-NIC.ARPA. 86400 A 10.0.0.51 / A.ISI.EDU. 86400 A 26.3.0.103 / C.ISI.EDU. 86400 A 10.0.0.52
6.1 ; C.ISI.EDU. A ; NOERROR ; - ; EDU. 86400 NS SRI-NIC.ARPA. / EDU. 86400 NS C.ISI.EDU. ; SRI-NIC.ARPA. 86400 A 26.0.0.73 / SRI-NIC.ARPA. 86400 A 10.0.0.51 / C.ISI.EDU. 86400 A 10.0.0.52
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc1034(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.fixture(scope="module")
def root():
    """The root zone of 6.1, alone."""
    with signpost.world() as (server, _):
        server.write_server_file({"nowhere": (0, 0)})
        server.zone_file("ROOT.zone").write_text((rfczones.DATA / "1034-6.1.root").read_text())
        yield server.start()


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROOT_ROWS, ids=rfczones.ids)
def test_rfc1034_examples(root, row, transport):
    rfczones.check(root.server, row, transport)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc1034_6_2_2_star_is_answered_with_rrsets_of_the_name_whole(root, transport):
    reply, _ = rfczones.ask(root.server, rfczones.query("SRI-NIC.ARPA. ANY"), transport)
    known = {dns.rdatatype.A: 2, dns.rdatatype.MX: 1, dns.rdatatype.HINFO: 1}
    assert reply.answer and not reply.authority
    for rrset in reply.answer:
        assert len(rrset) == known[rrset.rdtype] and rrset.ttl == 86400


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc1034_5_2_2_a_long_chain_is_cut_where_the_asker_can_go_on(fresh, transport):
    """Of 40 links; the answer is a part of the chain from its beginning, and no error."""
    server, _ = fresh
    server.write_server_file({"nowhere": (0, 0)})
    links = "".join(f"c{i} CNAME c{i + 1}\n" for i in range(40))
    server.zone_file("long.test.zone").write_text(
        f"$TTL 3600\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n{links}c40 A 192.0.2.2\n")
    server.start()
    reply, _ = rfczones.ask(server.server, rfczones.query("c0.long.test. A +bufsize=1232"), transport)
    assert reply.rcode() == 0 and len(reply.answer) >= 8
    for i, rrset in enumerate(reply.answer):
        assert rrset.to_text() == f"c{i}.long.test. 3600 IN CNAME c{i + 1}.long.test."
