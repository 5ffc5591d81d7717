"""RFC 6672: DNAME: redirection of a subtree, the CNAME made from it, and what stands beside and below."""

import dns.name
import dns.rdatatype
import pytest

import rfczones

MOVED = "moved 120 DNAME new"
CUT = "cut.new NS ns.cut.new ; ns.cut.new A 192.0.2.4"
APEX = "dname-apex.test."
APEX_DNAME = f"{APEX} DNAME new"
APEX_SOA = f"{APEX} 300 SOA ns1.neighbour.test. hostmaster.{APEX} 1 7200 900 1209600 300"

ROWS = rfczones.rows("rfc6672.test.", f"""
2.1 ; moved DNAME ; NOERROR aa ; {MOVED}  # asked for itself
2.1 ; MOVED DNAME ; NOERROR aa ; {MOVED}
2.2 ; www.moved A ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
2.2 ; www.moved AAAA ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new / www.new AAAA 2001:db8::2
2.2 ; a.b.moved A ; NOERROR aa ; {MOVED} / a.b.moved 120 CNAME a.b.new / a.b.new A 192.0.2.3  # all labels in front are kept
2.2 ; b.moved A ; NOERROR aa ; {MOVED} / b.moved 120 CNAME b.new ; SOA  # an empty non-terminal
2.2 ; WWW.Moved A ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
2.2 ; *.moved A ; NXDOMAIN aa ; {MOVED} / *.moved 120 CNAME *.new ; SOA
2.2 ; x.to-apex A ; NXDOMAIN aa ; to-apex DNAME @ / x.to-apex CNAME x ; SOA
2.2 ; host.to-apex A ; NOERROR aa ; to-apex DNAME @ / host.to-apex CNAME host / host A 192.0.2.80
2.2 ; www.to-root A ; NOERROR aa ; to-root DNAME . / www.to-root CNAME www.
2.2 ; x.neighbour.test.to-root A ; NXDOMAIN aa ; to-root DNAME . / x.neighbour.test.to-root CNAME x.neighbour.test. ; SOA neighbour.test.
2.3 ; moved A ; NOERROR aa ; moved A 192.0.2.1  # the owner itself is not moved
2.3 ; moved TXT ; NOERROR aa ; moved TXT "beside the DNAME"
2.3 ; moved MX ; NOERROR aa ; moved MX 10 host ; - ; host A 192.0.2.80
2.3 ; moved AAAA ; NOERROR aa ; - ; SOA
2.3 ; moved CNAME ; NOERROR aa ; - ; SOA
2.3 ; twice A ; NOERROR aa ; - ; SOA
2.3 ; xmoved A ; NOERROR aa ; xmoved A 192.0.2.5  # labels, not octets
2.3 ; x.xmoved A ; NXDOMAIN aa ; - ; SOA
2.3 ; new TXT ; NOERROR aa ; new TXT "the target itself"
2.3 ; {APEX} SOA ; NOERROR aa ; {APEX} SOA ns1.neighbour.test. hostmaster.{APEX} 1 7200 900 1209600 300  # a DNAME at the apex
2.3 ; {APEX} NS ; NOERROR aa ; {APEX} NS ns1.neighbour.test. ; - ; ?
2.3 ; {APEX} TXT ; NOERROR aa ; {APEX} TXT "the apex itself is not moved"
2.3 ; {APEX} MX ; NOERROR aa ; {APEX} MX 10 host ; - ; ?
2.3 ; {APEX} DNAME ; NOERROR aa ; {APEX_DNAME}
2.3 ; {APEX} A ; NOERROR aa ; - ; {APEX_SOA}
2.3 ; www.{APEX} A ; NOERROR aa ; {APEX_DNAME} / www.{APEX} CNAME www.new / www.new A 192.0.2.2
2.3 ; a.b.{APEX} A ; NOERROR aa ; {APEX_DNAME} / a.b.{APEX} CNAME a.b.new / a.b.new A 192.0.2.3
2.3 ; x.{APEX} A ; NXDOMAIN aa ; {APEX_DNAME} / x.{APEX} CNAME x.new ; SOA
2.4 ; er.dname A ; NOERROR aa ; - ; SOA  # above it
2.4 ; dname A ; NOERROR aa ; - ; SOA
2.4 ; x.dname A ; NXDOMAIN aa ; - ; SOA
2.4 ; deep.er.dname TXT ; NOERROR aa ; - ; SOA
2.4 ; www.deep.er.dname A ; NOERROR aa ; deep.er.dname DNAME new / www.deep.er.dname CNAME www.new / www.new A 192.0.2.2
2.4 ; x.down A ; NXDOMAIN aa ; - ; SOA
2.4 ; x.up.down A ; NXDOMAIN aa ; up.down DNAME down / x.up.down CNAME x.down ; SOA
2.4 ; x.both A ; NOERROR ; - ; both NS ns1 ; ns1 A 192.0.2.53 / ns1 AAAA 2001:db8::53  # a delegation comes first
2.4 ; both DNAME ; NOERROR ; - ; both NS ns1 ; ns1 A 192.0.2.53 / ns1 AAAA 2001:db8::53
3.1 ; x.moved A ; NXDOMAIN aa ; {MOVED} / x.moved 120 CNAME x.new ; SOA  # the CNAME has the DNAME's TTL
3.1 ; www.moved CNAME ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new  # the type that is asked for
3.1 ; www.moved DNAME ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new ; SOA  # the owner's DNAME is not the name's
3.1 ; www.moved TXT ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new ; SOA
3.1 ; alias.moved CNAME ; NOERROR aa ; {MOVED} / alias.moved 120 CNAME alias.new
3.1 ; www.out A ; NOERROR aa ; out DNAME elsewhere.invalid. / www.out CNAME www.elsewhere.invalid.
3.1 ; www.out CNAME ; NOERROR aa ; out DNAME elsewhere.invalid. / www.out CNAME www.elsewhere.invalid.
3.2 ; alias.moved A ; NOERROR aa ; {MOVED} / alias.moved 120 CNAME alias.new / alias.new CNAME host / host A 192.0.2.80  # back to step 1
3.2 ; www.twice A ; NOERROR aa ; twice DNAME moved / www.twice CNAME www.moved / {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
3.2 ; www.thrice A ; NOERROR aa ; thrice 600 DNAME twice / www.thrice 600 CNAME www.twice / twice DNAME moved / www.twice CNAME www.moved / {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
3.2 ; to-moved A ; NOERROR aa ; to-moved CNAME www.moved / {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
3.2 ; to-twice A ; NOERROR aa ; to-twice CNAME www.twice / twice DNAME moved / www.twice CNAME www.moved / {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
3.2 ; to-owner A ; NOERROR aa ; to-owner CNAME moved / moved A 192.0.2.1
3.2 ; x.to-none A ; NXDOMAIN aa ; to-none DNAME nothing / x.to-none CNAME x.nothing ; SOA
3.2 ; www.to-alias A ; NXDOMAIN aa ; to-alias DNAME alias / www.to-alias CNAME www.alias ; SOA  # a CNAME has nothing below it
3.2 ; host.across A ; NOERROR aa ; across DNAME neighbour.test. / host.across CNAME host.neighbour.test. / host.neighbour.test. A 192.0.2.180
3.2 ; x.across A ; NXDOMAIN aa ; across DNAME neighbour.test. / x.across CNAME x.neighbour.test. ; SOA neighbour.test.
3.2 ; www.across2 A ; NOERROR aa ; across2 DNAME dname.neighbour.test. / www.across2 CNAME www.dname.neighbour.test. / dname.neighbour.test. DNAME new / www.dname.neighbour.test. CNAME www.new / www.new A 192.0.2.2
3.2 ; x.cut.moved A ; NOERROR aa ; {MOVED} / x.cut.moved 120 CNAME x.cut.new ; {CUT}  # a referral at the end
3.2 ; x.to-cut A ; NOERROR aa ; to-cut DNAME cut.new / x.to-cut CNAME x.cut.new ; {CUT}
3.2 ; self DNAME ; NOERROR aa ; self DNAME self
3.2 ; x.self A ; NOERROR aa ; self DNAME self / x.self CNAME x.self
3.2 ; x.loop1 A ; NOERROR aa ; loop1 DNAME loop2 / x.loop1 CNAME x.loop2 / loop2 DNAME loop1 / x.loop2 CNAME x.loop1
3.3 ; x.wild.moved TXT ; NOERROR aa ; {MOVED} / x.wild.moved 120 CNAME x.wild.new / x.wild.new TXT "wild"  # to a wildcard
3.3 ; *.wild.moved TXT ; NOERROR aa ; {MOVED} / *.wild.moved 120 CNAME *.wild.new / *.wild.new TXT "wild"
3.3 ; x.wildto A ; NOERROR aa ; x.wildto CNAME www.moved / {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2  # from a wildcard
5.3.1 ; www.moved A +do ; NOERROR aa ; {MOVED} / www.moved 120 CNAME www.new / www.new A 192.0.2.2
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc6672(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


def long_name(octets):
    """Below long.rfc6672.test., of so many octets in front of it."""
    labels = []
    while octets > 0:
        size = min(64, octets)
        if octets - size == 1:
            size -= 1
        labels.append(b"x" * (size - 1))
        octets -= size
    return dns.name.Name(labels).concatenate(dns.name.from_text("long.rfc6672.test."))


TARGET = 64 + 64 + 59 + len(b"\3new\7rfc6672\4test\0")  # octets


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("spare", [-2, -1, 0, 2])
def test_rfc6672_2_2_a_name_that_becomes_too_long_is_yxdomain(rfc, transport, spare):
    """"If ... the resulting name would overflow the legal size for a domain name, set RCODE to YXDOMAIN"
    (3.2); 255 octets still fit."""
    name = long_name(255 - TARGET - spare)
    reply, _ = rfczones.ask(rfc.server, rfczones.query(f"{name} A +bufsize=1232"), transport)
    types = [rrset.rdtype for rrset in reply.answer]
    if spare < 0:
        assert reply.rcode() == 6, "YXDOMAIN"
        assert types == [dns.rdatatype.DNAME]
    else:
        assert reply.rcode() == 3, "the target is not there"
        assert types == [dns.rdatatype.DNAME, dns.rdatatype.CNAME]
        assert len(reply.answer[1][0].target.to_wire()) == 255 - spare


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc6672_3_2_a_name_that_grows_with_every_turn_ends(rfc, transport):
    """grow DNAME x.grow: in YXDOMAIN or where the chain is cut; each CNAME is right as far as it goes."""
    reply, _ = rfczones.ask(rfc.server, rfczones.query("a.grow.rfc6672.test. A +bufsize=1232"), transport)
    assert reply.rcode() in (0, 6)
    cnames = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.CNAME]
    for i, rrset in enumerate(cnames):
        assert rrset.to_text() == f"a{'.x' * i}.grow.rfc6672.test. 3600 IN CNAME a{'.x' * (i + 1)}.grow.rfc6672.test."
    assert len(cnames) >= 8 and len(reply.answer) == len(cnames) + 1, "the DNAME once"


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc6672_2_5_the_target_of_a_dname_is_not_compressed(rfc, transport):
    """It is "new.rfc6672.test.", and the question has that suffix."""
    _, wire = rfczones.ask(rfc.server, rfczones.query("moved.rfc6672.test. DNAME"), transport)
    assert b"\x00\x12\x03new\x07rfc6672\x04test\x00" in wire


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc6672_4_any_below_a_dname_has_the_dname(rfc, transport):
    reply, _ = rfczones.ask(rfc.server, rfczones.query("www.moved.rfc6672.test. ANY"), transport)
    assert reply.answer[0].to_text() == "moved.rfc6672.test. 120 IN DNAME new.rfc6672.test."
    assert reply.answer[1].to_text() == "www.moved.rfc6672.test. 120 IN CNAME www.new.rfc6672.test."


MISTAKES = [  # zone files that are refused, or load and do not answer what is below
    ("2.4", "two DNAMEs of one name", "d DNAME a\nd DNAME b\n"),
    ("2.4", "a CNAME beside a DNAME", "d CNAME b\nd DNAME a\n"),
]


@pytest.mark.parametrize("section, what, records", MISTAKES, ids=[f"{row[0]} {row[1]}" for row in MISTAKES])
def test_rfc6672_mistakes_of_a_zone_are_refused(fresh, section, what, records):
    server, _ = fresh
    server.write_server_file({"nowhere": (0, 0)})
    server.zone_file("bad.test.zone").write_text(
        f"$TTL 3600\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n{records}")
    done = server.ctl("check", server.config, check=False)
    assert done.returncode != 0 and "bad.test.zone:6" in done.stdout + done.stderr
