"""RFC 1035: names, TTLs, record types and messages as they are sent."""

import socket
import struct

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import pytest

import rfczones
import signpost

ORIGIN = "rfc1035.test."
LABEL = "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
LONG = f"{LABEL}.{LABEL}.{LABEL}.{'z' * (255 - 14 - 192 - 1)}"
ONES = ".".join("a" * 120)

ROWS = rfczones.rows(ORIGIN, rf"""
2.3.1 ; _x A ; NOERROR aa ; _x A 192.0.2.1
2.3.1 ; 1digit A ; NOERROR aa ; 1digit A 192.0.2.2
2.3.1 ; - A ; NOERROR aa ; - A 192.0.2.3
2.3.3 ; case A ; NOERROR aa ; case A 192.0.2.81
2.3.3 ; CASE A ; NOERROR aa ; case A 192.0.2.81
2.3.3 ; case TXT ; NOERROR aa ; case TXT "Case Is Kept"
2.3.4 ; {LABEL} TXT ; NOERROR aa ; {LABEL} TXT "63 octets"
2.3.4 ; {LONG} TXT ; NOERROR aa ; {LONG} TXT "255 octets"
2.3.4 ; {LONG} A ; NOERROR aa ; - ; SOA
2.3.4 ; to-long TXT ; NOERROR aa ; to-long CNAME {LONG} / {LONG} TXT "255 octets"
2.3.4 ; y{LONG[1:]} TXT ; NXDOMAIN aa ; - ; SOA
2.3.4 ; x.{LABEL}.{LABEL} TXT ; NOERROR aa ; x.{LABEL}.{LABEL} TXT "below a long name"
2.3.4 ; {LABEL[1:]} TXT ; NXDOMAIN aa ; - ; SOA
2.3.4 ; {ONES} TXT ; NOERROR aa ; {ONES} TXT "122 labels"
2.3.4 ; b{ONES[1:]} TXT ; NXDOMAIN aa ; - ; SOA
2.3.4 ; {ONES[2:]}.b TXT ; NXDOMAIN aa ; - ; SOA
2.3.4 ; {ONES.replace("a", "b")} TXT ; NXDOMAIN aa ; - ; SOA
2.3.4 ; {ONES[2:]} TXT ; NOERROR aa ; - ; SOA
3.2.1 ; ttl0 A ; NOERROR aa ; ttl0 0 A 192.0.2.4
3.2.1 ; ttlmax A ; NOERROR aa ; ttlmax 2147483647 A 192.0.2.5
3.3.1 ; t-cname CNAME ; NOERROR aa ; t-cname CNAME host
3.3.2 ; t-hinfo HINFO ; NOERROR aa ; t-hinfo HINFO "PDP-11/70" "UNIX"
3.3.9 ; t-mx MX ; NOERROR aa ; t-mx MX 0 host / t-mx MX 65535 nothing ; - ; host A 192.0.2.80
3.3.10 ; t-null NULL ; NOERROR aa ; t-null TYPE10 \# 4 00ff00ff
3.3.11 ; @ NS ; NOERROR aa ; @ NS ns1 / @ NS ns2 ; - ; ns1 A 192.0.2.53 / ns2 A 192.0.2.54
3.3.12 ; t-ptr PTR ; NOERROR aa ; t-ptr PTR host ; - ; -  # "cause no additional section processing"
3.3.13 ; @ SOA ; NOERROR aa ; @ SOA ns1 hostmaster 1 7200 900 1209600 300
3.3.14 ; t-txt TXT ; NOERROR aa ; t-txt TXT "one" "two" ""
3.3.14 ; t-txt-octets TXT ; NOERROR aa ; t-txt-octets TXT "\000\001\127\128\255\"\\"
3.3.14 ; txt255 TXT ; NOERROR aa ; txt255 TXT "{"x" * 255}"
3.4.1 ; a-limits A ; NOERROR aa ; a-limits A 0.0.0.0 / a-limits A 255.255.255.255
3.4.2 ; t-wks WKS ; NOERROR aa ; t-wks WKS \# 6 c0000201 06 40
5.1 ; a\.dot TXT ; NOERROR aa ; a\.dot TXT "a dot in a label"
5.1 ; a.dot TXT ; NXDOMAIN aa ; - ; SOA
5.1 ; sp\032ace TXT ; NOERROR aa ; sp\032ace TXT "a space"
5.1 ; \000nul TXT ; NOERROR aa ; \000nul TXT "a zero octet"
5.1 ; \255\254 TXT ; NOERROR aa ; \255\254 TXT "high octets"
5.1 ; \\back TXT ; NOERROR aa ; \\back TXT "a backslash"
5.1 ; \"quote\" TXT ; NOERROR aa ; \"quote\" TXT "quotes"
5.1 ; \(par\) TXT ; NOERROR aa ; \(par\) TXT "parentheses"
5.1 ; semi\059colon TXT ; NOERROR aa ; semi\059colon TXT "a semicolon"
5.1 ; \@ TXT ; NOERROR aa ; \@ TXT "an at sign"
5.1 ; \$dollar TXT ; NOERROR aa ; \$dollar TXT "a dollar"
6.2 ; nothing A ; NXDOMAIN aa ; - ; SOA
""")

both_transports = pytest.mark.parametrize("transport", rfczones.TRANSPORTS)


def wire_of(rfc, question, transport):
    return rfczones.ask(rfc.server, rfczones.query(question, ORIGIN), transport)[1]


@both_transports
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc1035(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@both_transports
@pytest.mark.parametrize("first", range(0, 256, 16), ids=lambda first: f"{first} to {first + 15}")
def test_rfc1035_3_1_every_octet_may_be_in_a_label(rfc, first, transport):
    """Letters in upper case find those in lower case (2.3.3), and no other octet finds another."""
    for octet in range(first, first + 16):
        name = dns.name.Name([b"x" + bytes([octet]) + b"y", b"octets", b"rfc1035", b"test", b""])
        reply, wire = rfczones.ask(rfc.server, dns.message.make_query(name, "A"), transport)
        found = octet + 32 if ord("A") <= octet <= ord("Z") else octet
        assert reply.answer[0][0].address == f"192.0.2.{found}"
        assert wire[12:12 + len(name.to_wire())] == name.to_wire()


# --- 2.3.3: case

CASES = ["host", "HOST", "hOsT", "HoSt"]


@both_transports
@pytest.mark.parametrize("host", CASES)
def test_rfc1035_2_3_3_the_questions_case_comes_back(rfc, host, transport):
    """On which 0x20 bits depend; the owner of the answer points to the question."""
    name = f"{host}.RfC1035.TeSt."
    wire = wire_of(rfc, f"{name} A", transport)
    encoded = dns.name.from_text(name).to_wire()
    assert wire[12:12 + len(encoded)] == encoded
    assert wire[12 + len(encoded) + 4:][:2] == b"\xc0\x0c"


@both_transports
def test_rfc1035_2_3_3_case_in_rdata_is_kept(rfc, transport):
    assert b"\7CaSe-Of\3The\6Target" in wire_of(rfc, "case-target CNAME", transport)


# --- 4.1.1: the header

IDS = [0, 1, 0x1234, 0x8000, 0xffff]


@both_transports
@pytest.mark.parametrize("ident", IDS, ids=hex)
def test_rfc1035_4_1_1_id_is_copied(rfc, ident, transport):
    message = rfczones.query("host A", ORIGIN)
    message.id = ident
    assert rfczones.ask(rfc.server, message, transport)[0].id == ident


FLAGS = [0x0100, 0x0200, 0x0400, 0x0080, 0x0040, 0x0020, 0x0010, 0x000f, 0x07ff]


@both_transports
@pytest.mark.parametrize("flags", FLAGS, ids=hex)
def test_rfc1035_4_1_1_bits_that_are_the_answers_are_not_taken_from_the_query(rfc, flags, transport):
    """AA, TC, RA, Z and the rcode of a query mean nothing; RD alone is copied."""
    wire = bytearray(rfczones.query("host A", ORIGIN).to_wire())
    wire[2:4] = flags.to_bytes(2, "big")
    reply = rfczones.ask_wire(rfc.server, bytes(wire), transport == "tcp")
    assert int.from_bytes(reply[2:4], "big") == 0x8000 | 0x0400 | (flags & 0x0100)
    assert struct.unpack_from("!4H", reply, 4) == (1, 1, 0, 0)


COUNTS = [  # question; records in the three sections
    ("host A", (1, 0, 0)), ("nothing A", (0, 1, 0)), ("@ NS", (2, 0, 2)), ("t-mx MX", (2, 0, 1)), ("a-limits A", (2, 0, 0)),
    ("t-ns A", (0, 1, 1)), ("elsewhere.invalid. A", (0, 0, 0)),
]


@both_transports
@pytest.mark.parametrize("question, counts", COUNTS, ids=[row[0] for row in COUNTS])
def test_rfc1035_4_1_1_counts_are_those_of_records(rfc, question, counts, transport):
    assert struct.unpack_from("!4H", wire_of(rfc, question, transport), 4) == (1, *counts)


def test_rfc1035_4_1_1_an_answer_is_not_answered(rfc):
    """QR says so. What comes first is the answer to the second message."""
    wire = bytearray(rfczones.query("host A", ORIGIN).to_wire())
    wire[2] |= 0x80
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.connect(rfc.server)
        sock.send(wire)
        message = rfczones.query("host A", ORIGIN)
        sock.send(message.to_wire())
        assert dns.message.from_wire(sock.recv(512)).id == message.id
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(512)


# --- 4.1.4: compression

def pointers(wire):
    """(place, target) of the names in a message, of types that this test asks for; all that is not a
    name is passed over by its length."""
    found = []

    def name(at):
        while wire[at]:
            if wire[at] >= 0xc0:
                found.append((at, int.from_bytes(wire[at:at + 2], "big") & 0x3fff))
                return at + 2
            assert wire[at] < 64
            at += 1 + wire[at]
        return at + 1

    at = name(12) + 4
    for _ in range(sum(struct.unpack_from("!3H", wire, 6))):
        at = name(at)
        rrtype, _, _, length = struct.unpack_from("!HHIH", wire, at)
        at += 10
        if rrtype in (dns.rdatatype.NS, dns.rdatatype.CNAME, dns.rdatatype.PTR, dns.rdatatype.MX):
            assert name(at + (2 if rrtype == dns.rdatatype.MX else 0)) == at + length
        elif rrtype == dns.rdatatype.SOA:
            assert name(name(at)) + 20 == at + length
        at += length
    assert at == len(wire), "nothing behind the last record"
    return found


QUESTIONS = ["host A", "@ NS", "@ SOA", "nothing A", "t-mx MX", "t-cname A", "to-long TXT", "many PTR", "x.t-ns A",
             "case-target CNAME", f"{LONG} TXT", f"{LONG} A", "far MX"]


@both_transports
@pytest.mark.parametrize("question", QUESTIONS)
def test_rfc1035_4_1_4_pointers_lead_backwards_to_the_start_of_a_label(rfc, question, transport):
    wire = wire_of(rfc, question, transport)
    for place, target in pointers(wire):
        assert 12 <= target < place
        name, _ = dns.name.from_wire(wire, target)  # which refuses loops, too
        assert name.is_subdomain(dns.name.from_text("test.")), name


@both_transports
@pytest.mark.parametrize("question", ["@ NS", "@ SOA", "nothing A", "t-mx MX", "t-cname A", "many PTR", "x.t-ns A"])
def test_rfc1035_4_1_4_the_zones_name_is_there_once(rfc, question, transport):
    assert wire_of(rfc, question, transport).lower().count(b"\7rfc1035\4test") == 1


def test_rfc1035_4_1_4_names_beyond_what_a_pointer_reaches(rfc):
    """900 MX records are more than 16 KiB: owners are still pointers to the question; targets and the
    addresses' owners are right, wherever they are."""
    reply, wire = rfczones.ask(rfc.server, rfczones.query("far MX", ORIGIN), "tcp")
    assert len(wire) > 0x4000
    assert {(rr.preference, rr.exchange.to_text()) for rr in reply.answer[0]} == {
        (i, f"mail{i}.with.a.long.name.in.far.{ORIGIN}") for i in range(900)}
    for rrset in reply.additional:
        number = int(rrset.name.labels[0][4:])
        assert rrset[0].address == f"192.0.2.{number % 256}"


# --- 4.2: transport

def test_rfc1035_4_2_1_without_edns_512_octets(rfc):
    """"Messages carried by UDP are restricted to 512 bytes"."""
    reply, wire = rfczones.ask(rfc.server, rfczones.query("many PTR", ORIGIN), "udp")
    assert len(wire) <= 512 and reply.flags & dns.flags.TC


def test_rfc1035_4_2_2_over_tcp_two_octets_of_length_come_first(rfc):
    wire = wire_of(rfc, "many PTR", "tcp")
    assert len(wire) > 512 and len(dns.message.from_wire(wire).answer[0]) == 40


# --- 5.2: "use of master files to define zones": what is refused, and what is warned of

SOA = "@ SOA ns1 hostmaster 1 2 3 4 5\n"
HEAD = f"$TTL 3600\n{SOA}@ NS ns1\nns1 A 192.0.2.1\n"
L64 = "x" * 64

FILES = [  # section, what, the file, is it refused, the line that is told
    ("5.2", "as it should be", HEAD + "host A 192.0.2.2\n", False, None),
    ("5.2 (1)", "a record of another class", HEAD + "host CH A 192.0.2.2\n", True, 5),
    ("5.2 (1)", "all records of class HS", HEAD.replace(" SOA", " HS SOA").replace(" NS", " HS NS"), True, 2),
    ("5.2 (2)", "no SOA", "$TTL 3600\n@ NS ns1\nns1 A 192.0.2.1\n", True, None),
    ("5.2 (2)", "two SOAs", HEAD + "@ SOA ns1 hostmaster 2 2 3 4 5\n", True, 5),
    ("5.2 (2)", "the same SOA twice", HEAD + SOA, False, None),
    ("5.2 (2)", "an SOA that is not at the top", HEAD + "sub SOA ns1 hostmaster 1 2 3 4 5\n", True, 5),
    ("5.2 (3)", "a delegation without its glue", HEAD + "cut NS ns.cut\n", False, 5),
    ("5.2 (4)", "what a delegation hides", HEAD + "cut NS ns1\nx.cut TXT x\n", False, 6),
    ("5.2", "a name that is not in the zone", HEAD + "host.elsewhere.invalid. A 192.0.2.2\n", False, 5),
    ("5.2", "no NS", f"$TTL 3600\n{SOA}ns1 A 192.0.2.1\n", True, None),
    ("3.6.2 of RFC 1034", "a CNAME and other data", HEAD + "x CNAME ns1\nx A 192.0.2.2\n", True, 6),
    ("10.1 of RFC 2181", "two CNAMEs of one name", HEAD + "x CNAME ns1\nx CNAME host\n", True, 6),
    ("4.2 of RFC 4592", "a wildcard that is delegated", HEAD + "*.x NS ns1\n", True, 5),
    ("3.3 of RFC 6672", "a wildcard with a DNAME", HEAD + "*.x DNAME y\n", True, 5),
    ("2.4 of RFC 6672", "a name below a DNAME", HEAD + "x DNAME y\na.x A 192.0.2.2\n", True, 6),
    ("2.3.4", "a label of 64 octets", HEAD + f"{L64} A 192.0.2.2\n", True, 5),
    ("2.3.4", "a name of 256 octets", HEAD + f"{'.'.join(['x' * 49] * 5)} A 192.0.2.2\n", True, 5),
    ("2.3.4", "a TXT string of 256 octets", HEAD + f'x TXT "{"x" * 256}"\n', True, 5),
    ("5.1", "a parenthesis that is not closed", HEAD + "x TXT ( a\n", True, None),
    ("5.1", "a parenthesis that is not opened", HEAD + "x TXT a )\n", True, 5),
    ("5.1", "an octet above 255", HEAD + "x TXT \\256\n", True, 5),
    ("5.1", "a type that is none", HEAD + "x NOTYPE a\n", True, 5),
    ("5.1", "an address that is none", HEAD + "x A 192.0.2.256\n", True, 5),
    ("5.1", "a preference above 65535", HEAD + "x MX 65536 ns1\n", True, 5),
    ("5.1", "a field too few", HEAD + "x MX 10\n", True, 5),
    ("5.1", "a field too many", HEAD + "x A 192.0.2.2 192.0.2.3\n", True, 5),
    ("5.1", "an empty label", HEAD + "a..b A 192.0.2.2\n", True, 5),
    ("5.1", "a directive that is none", HEAD + "$NOTHING x\n", True, 5),
    ("5.1", "a file to include that is not there", HEAD + "$INCLUDE nothing\n", True, 5),
]


@pytest.fixture(scope="module")
def said():
    """What is said of all these files, which are checked in one go."""
    with signpost.world() as (server, _):
        server.write_server_file({"nowhere": (0, 0)})
        for number, row in enumerate(FILES):
            server.zone_file(f"file{number}.test.zone").write_text(row[2])
        done = server.ctl("check", server.config, check=False)
        return done.stdout + done.stderr


@pytest.mark.parametrize("number", range(len(FILES)), ids=[f"{row[0]} {row[1]}" for row in FILES])
def test_rfc1035_5_2_master_files_with_mistakes(said, number):
    _, _, _, refused, line = FILES[number]
    lines = [text for text in said.splitlines() if f"/file{number}.test.zone:" in text]
    assert any(": error: " in text for text in lines) == refused, lines
    if line is not None:
        assert any(f".zone:{line}:" in text for text in lines), lines
    elif not refused:
        assert not lines
