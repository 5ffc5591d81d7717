"""RFC 8906: the tests of its section 8, and that nothing is met with silence (3)."""

import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

import rawdns
import rfczones

ORIGIN = "rfc6891.test."
both_transports = pytest.mark.parametrize("transport", rfczones.TRANSPORTS)


def query(rrtype="SOA", flags=0, opcode=0, opt=None, name="@", rdclass=1):
    """opt: (size, version, flags, RDATA)"""
    head = struct.pack("!6H", 0x4343, opcode << 11 | flags, 1, 0, 0, 0 if opt is None else 1)
    question = dns.name.from_text(name, dns.name.from_text(ORIGIN)).to_wire() + struct.pack(
        "!2H", dns.rdatatype.from_text(rrtype), rdclass)
    if opt is None:
        return head + question
    size, version, flags, rdata = opt
    return head + question + b"\0" + struct.pack("!HHIH", 41, size, version << 16 | flags, len(rdata)) + rdata


def edns(size=1232, version=0, flags=0, rdata=b""):
    return (size, version, flags, rdata)


RD, AD, CD, Z, DO = 0x0100, 0x0020, 0x0010, 0x0040, 0x8000
UNKNOWN = rawdns.option(100, b"")
MANY = rawdns.option(65001, b"\1\2") + rawdns.option(65002, b"x" * 20) + rawdns.option(100, b"")

# Section; what is sent; rcode; is the SOA in the answer; EDNS in the answer.
ROWS = [
    ("8.1.1", "is the server configured for the zone", query(), "NOERROR", True, False),
    ("8.1.2", "unknown type", query("TYPE1000"), "NOERROR", False, False),
    ("8.1.2", "unknown type of a name that is not there", query("TYPE1000", name="nothing"), "NXDOMAIN", False, False),
    ("8.1.3.1", "CD=1", query(flags=CD), "NOERROR", True, False),
    ("8.1.3.2", "AD=1", query(flags=AD), "NOERROR", True, False),
    ("8.1.3.3", "the reserved bit", query(flags=Z), "NOERROR", True, False),
    ("8.1.3.4", "RD=1", query(flags=RD), "NOERROR", True, False),
    ("8.1.3", "all of them", query(flags=RD | AD | CD | Z), "NOERROR", True, False),
    ("8.1.3", "all of them, with EDNS", query(flags=RD | AD | CD | Z, opt=edns()), "NOERROR", True, True),
    ("8.2.1", "minimal EDNS", query(opt=edns()), "NOERROR", True, True),
    ("8.2.2", "EDNS version 1", query(opt=edns(version=1)), "BADVERS", False, True),
    ("8.2.2", "EDNS version 100", query(opt=edns(version=100)), "BADVERS", False, True),
    ("8.2.3", "an unknown option", query(opt=edns(rdata=UNKNOWN)), "NOERROR", True, True),
    ("8.2.4", "an unknown flag", query(opt=edns(flags=0x40)), "NOERROR", True, True),
    ("8.2.5", "EDNS version 1 and an unknown flag", query(opt=edns(version=1, flags=0x40)), "BADVERS", False, True),
    ("8.2.6", "EDNS version 1 and an unknown option", query(opt=edns(version=1, rdata=UNKNOWN)), "BADVERS", False, True),
    ("8.2.8", "DO=1", query(opt=edns(flags=DO)), "NOERROR", True, True),
    ("8.2.9", "EDNS version 1 and DO=1", query(opt=edns(version=1, flags=DO)), "BADVERS", False, True),
    ("8.2.10", "several options", query(opt=edns(rdata=MANY)), "NOERROR", True, True),
    ("8.2.10", "several options and DO=1", query(opt=edns(rdata=MANY, flags=DO)), "NOERROR", True, True),
]


@both_transports
@pytest.mark.parametrize("section, what, wire, rcode, soa, has_opt", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_rfc8906(rfc, section, what, wire, rcode, soa, has_opt, transport):
    reply_wire = rfczones.ask_wire(rfc.server, wire, transport == "tcp")
    reply = dns.message.from_wire(reply_wire)
    flags = int.from_bytes(reply_wire[2:4], "big")
    assert reply.id == 0x4343 and flags & 0x8000
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert [rrset.rdtype for rrset in reply.answer] == ([dns.rdatatype.SOA] if soa else [])
    assert (reply.edns == 0) == has_opt
    assert flags & (AD | CD | Z | 0x80) == 0, "AD, CD, Z and RA are not set"
    assert flags & RD == int.from_bytes(wire[2:4], "big") & RD
    if rcode != "BADVERS":
        assert flags & 0x0400, "AA"
    if has_opt:
        sent = int.from_bytes(wire[wire.index(b"\0\0\x29") + 7:][:2], "big")
        assert reply.ednsflags & 0xffff == sent & DO, "unknown flags are cleared, DO is copied"
        assert not [option for option in reply.options if option.otype in (100, 65001, 65002)], "nor echoed"


def test_rfc8906_8_2_7_a_truncated_answer_has_opt(rfc):
    reply = dns.message.from_wire(rfczones.ask_wire(rfc.server, query("TXT", name="big", opt=edns(512, flags=DO)), False))
    assert reply.flags & dns.flags.TC and reply.edns == 0 and reply.ednsflags & dns.flags.DO
    assert reply.rcode() == dns.rcode.NOERROR


def test_rfc8906_8_1_5_tcp_is_answered(rfc):
    assert dns.message.from_wire(rfczones.ask_wire(rfc.server, query(), True)).answer


OPCODES = {1: "IQUERY", 2: "STATUS", 3: "3", 4: "NOTIFY", 5: "UPDATE", 6: "DSO", 7: "7", 8: "8", 9: "9", 10: "10", 11: "11",
           12: "12", 13: "13", 14: "14", 15: "15"}


@both_transports
@pytest.mark.parametrize("opt", [None, edns()], ids=["plain", "EDNS"])
@pytest.mark.parametrize("opcode", OPCODES, ids=OPCODES.get)
def test_rfc8906_8_1_4_other_opcodes_are_not_implemented(rfc, opcode, opt, transport):
    wire = rfczones.ask_wire(rfc.server, query(opcode=opcode, opt=opt), transport == "tcp")
    flags = int.from_bytes(wire[2:4], "big")
    assert flags & 15 == dns.rcode.NOTIMP and flags >> 11 & 15 == opcode and flags & 0x8000
    assert flags & 0x0400 == 0, "nothing authoritative is said"
    assert struct.unpack_from("!2H", wire, 6) == (0, 0)


BARE = [  # messages of other operations as they are sent, which have not one question
    ("DSO has no records at all (RFC 8490, 5.4)", 6, (0, 0, 0, 0), b"\0\1\0\4\0\0\x3a\x98"),
    ("IQUERY has an answer (RFC 1035, 6.4)", 1, (0, 1, 0, 0), b"\0\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1"),
    ("STATUS is a header (RFC 1034, 3.8)", 2, (0, 0, 0, 0), b""),
    ("opcode 15 is a header", 15, (0, 0, 0, 0), b""),
    ("UPDATE has a zone and updates (RFC 2136, 2)", 5, (1, 0, 1, 0),
     b"\7rfc6891\4test\0\0\6\0\1\3new\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"),
    ("NOTIFY has an SOA (RFC 1996, 3.7)", 4, (1, 0, 0, 0), b"\7rfc6891\4test\0\0\6\0\1"),
]


@both_transports
@pytest.mark.parametrize("what, opcode, counts, body", BARE, ids=[row[0] for row in BARE])
def test_rfc8906_3_1_4_other_operations_are_not_implemented(rfc, what, opcode, counts, body, transport):
    """Of what form they are is theirs to say: NOTIMP, never FORMERR or silence."""
    wire = rfczones.ask_wire(rfc.server, struct.pack("!6H", 0x4344, opcode << 11, *counts) + body, transport == "tcp")
    flags = int.from_bytes(wire[2:4], "big")
    assert wire[:2] == b"\x43\x44" and flags == 0x8000 | opcode << 11 | dns.rcode.NOTIMP


@both_transports
@pytest.mark.parametrize("rrtype, rcode", [
    ("AXFR", "REFUSED"), ("IXFR", "REFUSED"), ("MAILA", "NOTIMP"), ("MAILB", "NOTIMP"), ("TKEY", "NOTIMP"),
    ("TSIG", "FORMERR"), ("OPT", "FORMERR"), ("TYPE128", "FORMERR")])
def test_rfc8906_3_1_2_transfers_and_types_that_are_no_data_are_refused(rfc, rrtype, rcode, transport):
    """RFC 5936, 2.2.1 and RFC 1995, 2: who may not have a transfer is REFUSED. MAILA and the like "may
    return NOTIMP". OPT and TSIG are parts of
    messages, and NXNAME (128) is of a bitmap alone (RFC 9824, 3.5)."""
    reply = dns.message.from_wire(rfczones.ask_wire(rfc.server, query(rrtype), transport == "tcp"))
    assert dns.rcode.to_text(reply.rcode()) == rcode and not reply.answer


@both_transports
@pytest.mark.parametrize("where, rcode", [
    ("rfc6891.test.", dns.rcode.REFUSED), ("elsewhere.invalid.", dns.rcode.NOTAUTH), ("x.rfc6891.test.", dns.rcode.NOTAUTH)])
def test_rfc8906_3_1_2_ixfr_with_its_soa_is_refused(rfc, where, rcode, transport):
    """RFC 1995, 3: the version that the client has is in the authority section. NOTAUTH: no zone of
    ours (RFC 5936, 2.2.1)."""
    name = dns.name.from_text(where).to_wire()
    soa = b"\0\0\0\0\0\1" + b"\0" * 16
    wire = (struct.pack("!6H", 0x4345, 0, 1, 0, 1, 0) + name + b"\0\xfb\0\1" +
            b"\xc0\x0c\0\6\0\1\0\0\0\0" + len(soa).to_bytes(2, "big") + soa)
    reply = rfczones.ask_wire(rfc.server, wire, transport == "tcp")
    assert int.from_bytes(reply[2:4], "big") == 0x8000 | rcode


@both_transports
@pytest.mark.parametrize("name, rcode", [("elsewhere.invalid.", "REFUSED"), (".", "REFUSED"), ("test.", "REFUSED")])
def test_rfc8906_3_1_1_zones_that_are_not_served_are_refused(rfc, name, rcode, transport):
    reply = dns.message.from_wire(rfczones.ask_wire(rfc.server, query(name=name), transport == "tcp"))
    assert dns.rcode.to_text(reply.rcode()) == rcode and not reply.authority and not reply.additional


@both_transports
@pytest.mark.parametrize("rdclass", [0, 2, 4, 254, 255, 1000, 65535])
def test_rfc8906_3_1_2_unknown_classes_are_answered(rfc, rdclass, transport):
    wire = rfczones.ask_wire(rfc.server, query(rdclass=rdclass), transport == "tcp")
    assert wire[3] & 15 == dns.rcode.REFUSED and struct.unpack_from("!4H", wire, 4) == (1, 0, 0, 0)


@both_transports
@pytest.mark.parametrize("rrtype", [0, 3, 10, 13, 41, 100, 127, 128, 200, 248, 256, 1000, 32768, 65279, 65535])
def test_rfc8906_3_1_2_no_type_is_met_with_silence(rfc, rrtype, transport):
    """Of data that is not there: NODATA with the SOA; or a refusal of what is no type of data."""
    reply = dns.message.from_wire(rfczones.ask_wire(rfc.server, query(f"TYPE{rrtype}"), transport == "tcp"))
    assert not reply.answer
    if reply.rcode() == dns.rcode.NOERROR:
        assert reply.authority[0].rdtype == dns.rdatatype.SOA and reply.flags & dns.flags.AA
    else:
        assert rrtype in (41, 128) and reply.rcode() == dns.rcode.FORMERR
