"""RFC 2181: clarifications: addresses and ports of replies, RRsets, zone cuts, TTLs, TC, names."""

import contextlib
import socket

import dns.message
import dns.rdatatype
import pytest

import rfczones
import signpost

CUT = "cut NS ns.cut ; ns.cut A 192.0.2.9"


def addresses(name, count):
    return " / ".join(f"{name} A 198.51.100.{i}" for i in range(count))


ROWS = rfczones.rows("rfc2181.test.", f"""
5 ; twice A ; NOERROR aa ; twice A 192.0.2.4 / twice A 192.0.2.5  # duplicates are one record
5.1 ; mx-two MX ; NOERROR aa ; mx-two MX 10 host / mx-two MX 10 ns1 / mx-two MX 20 mx.elsewhere.invalid. ; - ; host A 192.0.2.80 / host AAAA 2001:db8::80 / ns1 A 192.0.2.53  # whole RRsets
5.2 ; ttl A ; NOERROR aa ; ttl 300 A 192.0.2.1 / ttl 300 A 192.0.2.2 / ttl 300 A 192.0.2.3  # one TTL for all
5.5 ; host AAAA ; NOERROR aa ; host AAAA 2001:db8::80
6.1 ; cut NS ; NOERROR ; - ; {CUT}  # the parent's NS are no answer
6.1 ; cut A ; NOERROR ; - ; {CUT}
6.1 ; x.cut A ; NOERROR ; - ; {CUT}
6.1 ; child NS ; NOERROR aa ; child 600 NS ns1.child ; - ; ns1.child 600 A 192.0.2.20  # the child's, for we have that zone
6.1 ; ns.child A ; NXDOMAIN aa ; - ; SOA child
6.2 ; child DS ; NOERROR aa ; - ; SOA  # what there is only at the parent
7.1 ; nothing A ; NXDOMAIN aa ; - ; SOA  # the SOA goes into authority
7.1 ; host TXT ; NOERROR aa ; - ; SOA
7.1 ; host A ; NOERROR aa ; host A 192.0.2.80 ; - ; -  # and nowhere else
7.2 ; @ SOA ; NOERROR aa ; @ SOA ns1 hostmaster 1 7200 900 1209600 300  # its own TTL when it is asked for
7.3 ; alias SOA ; NOERROR aa ; alias CNAME host ; SOA
8 ; ttl-zero A ; NOERROR aa ; ttl-zero 0 A 192.0.2.6
8 ; ttl-max A ; NOERROR aa ; ttl-max 2147483647 A 192.0.2.7
9 ; mx12 MX +bufsize=512 ; NOERROR aa ; ? ; - ; ?  # additional records left out are no reason for TC
10.1 ; alias A ; NOERROR aa ; alias CNAME host / host A 192.0.2.80
10.1 ; alias CNAME ; NOERROR aa ; alias CNAME host
10.1 ; alias MX ; NOERROR aa ; alias CNAME host ; SOA
10.2 ; 1.ptr PTR ; NOERROR aa ; 1.ptr PTR host / 1.ptr PTR ns1 / 1.ptr PTR alias  # several of one name
10.2 ; 2.ptr PTR ; NOERROR aa ; 2.ptr CNAME 1.ptr / 1.ptr PTR host / 1.ptr PTR ns1 / 1.ptr PTR alias
10.3 ; mx-alias MX ; NOERROR aa ; mx-alias MX 10 alias ; - ; -  # no CNAME in the additional section
11 ; under_score A ; NOERROR aa ; under_score A 192.0.2.10
11 ; -dash- A ; NOERROR aa ; -dash- A 192.0.2.11
11 ; 1.2 A ; NOERROR aa ; 1.2 A 192.0.2.12
11 ; sp\\032ace\\000\\255 A ; NOERROR aa ; sp\\032ace\\000\\255 A 192.0.2.13
11 ; a\\.b A ; NOERROR aa ; a\\.b A 192.0.2.14
11 ; a.b A ; NXDOMAIN aa ; - ; SOA  # a dot in a label is none between labels
""")

# 9: "the TC bit should be set only when an RRset is required as a part of the response, but could not
# be included in its entirety". What is there besides is not to be used.
UDP_ROWS = rfczones.rows("rfc2181.test.", f"""
9 ; a28 A ; NOERROR aa ; {addresses("a28", 28)}  # 482 octets
9 ; a30 A ; NOERROR aa tc ; ? ; ? ; ?
9 ; a30 A +bufsize=1232 ; NOERROR aa ; {addresses("a30", 30)}
9 ; a80 A +bufsize=1232 ; NOERROR aa tc ; ? ; ? ; ?
9 ; to-a80 A ; NOERROR aa tc ; ? ; ? ; ?
9 ; txt4000 TXT +bufsize=1232 ; NOERROR aa tc ; ? ; ? ; ?
9 ; txt64k TXT +bufsize=1232 ; NOERROR aa tc ; ? ; ? ; ?
9 ; mx12 MX ; NOERROR aa ; ? ; - ; ?
""")

TCP_ROWS = rfczones.rows("rfc2181.test.", f"""
9 ; a30 A ; NOERROR aa ; {addresses("a30", 30)}
9 ; a80 A ; NOERROR aa ; {addresses("a80", 80)}
9 ; a120 A ; NOERROR aa ; {addresses("a120", 120)}
9 ; to-a80 A ; NOERROR aa ; to-a80 CNAME a80 / {addresses("a80", 80)}
9 ; to-a80 A +bufsize=512 ; NOERROR aa ; to-a80 CNAME a80 / {addresses("a80", 80)}  # a UDP size means nothing here
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc2181(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("row", UDP_ROWS, ids=rfczones.ids)
def test_rfc2181_over_udp(rfc, row):
    rfczones.check(rfc.server, row, "udp")


@pytest.mark.parametrize("row", TCP_ROWS, ids=rfczones.ids)
def test_rfc2181_over_tcp(rfc, row):
    rfczones.check(rfc.server, row, "tcp")


@pytest.mark.parametrize("name, strings", [("txt4000", 20), ("txt64k", 300)])
def test_rfc2181_9_large_rrsets_are_whole_over_tcp(rfc, name, strings):
    reply, wire = rfczones.ask(rfc.server, rfczones.query(f"{name} TXT", "rfc2181.test."), "tcp")
    assert len(reply.answer[0]) == strings and len(wire) > strings * 203
    assert {rr.strings[0][:3] for rr in reply.answer[0]} == {b"%03d" % i for i in range(strings)}


@pytest.mark.parametrize("question", ["a30 A", "to-a80 A", "txt4000 TXT +bufsize=1232"])
def test_rfc2181_9_rrsets_that_are_cut_are_left_out_whole(rfc, question):
    """"When a DNS client receives a reply with TC set, it should ignore that response": so no part of
    an RRset is in it that a client could keep."""
    reply, _ = rfczones.ask(rfc.server, rfczones.query(question, "rfc2181.test."), "udp")
    assert [rrset for rrset in reply.answer if rrset.rdtype != dns.rdatatype.CNAME] == []


def test_rfc2181_5_additional_rrsets_are_whole_or_not_there(rfc):
    """Of 12 servers, each with A and AAAA, only some fit."""
    reply, _ = rfczones.ask(rfc.server, rfczones.query("mx12 MX", "rfc2181.test."), "udp")
    assert len(reply.answer[0]) == 12
    assert 0 < len(reply.additional) < 24 and all(len(rrset) == 1 for rrset in reply.additional)


# --- 4: replies

@pytest.fixture(scope="module")
def everywhere():
    """A Signpost that listens on all addresses."""
    with signpost.world() as (server, _):
        server.write_server_file({"nowhere": (0, 0)})
        config = server.config.read_text()
        server.config.write_text(config.replace("127.0.0.1:", "0.0.0.0:", 1))
        server.zone_file("rfc2181.test.zone").write_text(
            "$TTL 3600\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.53\n")
        yield server.start()


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "127.1.2.3"])
def test_rfc2181_4_1_replies_leave_from_the_address_that_was_asked(everywhere, address, transport):
    query = rfczones.query("ns1 A", "rfc2181.test.").to_wire()
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with contextlib.closing(socket.socket(socket.AF_INET, kind)) as sock:
        sock.settimeout(3 * signpost.SLOW)
        if transport == "udp":  # not connected, so that any source would be seen
            sock.sendto(query, (address, everywhere.port))
            reply, source = sock.recvfrom(65535)
            assert source == (address, everywhere.port), "4.1 the address, 4.2 the port"
        else:
            sock.connect((address, everywhere.port))
            sock.sendall(len(query).to_bytes(2, "big") + query)
            reply = sock.recv(65535)[2:]
            assert sock.getpeername() == (address, everywhere.port)
    assert dns.message.from_wire(reply).answer[0][0].address == "192.0.2.53"


def test_rfc2181_4_2_replies_go_to_the_port_that_asked(rfc):
    """From whatever port, among them one below 1024 where the system lets us."""
    query = rfczones.query("host A", "rfc2181.test.").to_wire()
    for port in (0, 1023, 40000 + signpost.free_port() % 20000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with contextlib.suppress(OSError):  # not allowed, or taken
                sock.bind(("127.0.0.1", port))
            sock.settimeout(3 * signpost.SLOW)
            sock.sendto(query, rfc.server)
            assert sock.recvfrom(512)[1] == rfc.server
