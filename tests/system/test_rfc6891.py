"""RFC 6891: EDNS(0): the OPT record, versions, flags, sizes. Options of their own have files of their own."""

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


def record(owner, rrtype, rdclass, ttl, rdata):
    return owner + struct.pack("!HHIH", rrtype, rdclass, ttl, len(rdata)) + rdata


def opt(size=1232, rcode=0, version=0, flags=0, rdata=b"", owner=b"\0"):
    return record(owner, 41, size, rcode << 24 | version << 16 | flags, rdata)


A_RECORD = record(b"\xc0\x0c", 1, 1, 60, b"\xc0\0\2\1")


def message(answer=(), authority=(), additional=(), name="host", rrtype="A"):
    head = struct.pack("!6H", 0x4242, 0, 1, len(answer), len(authority), len(additional))
    question = dns.name.from_text(name, dns.name.from_text(ORIGIN)).to_wire() + struct.pack(
        "!2H", dns.rdatatype.from_text(rrtype), 1)
    return head + question + b"".join((*answer, *authority, *additional))


def ask(rfc, wire, transport):
    return dns.message.from_wire(rfczones.ask_wire(rfc.server, wire, transport == "tcp"))


UNKNOWN = rawdns.option(100, b"") + rawdns.option(65001, b"\1\2\3") + rawdns.option(65534, b"x" * 100)

ROWS = [  # section, what, the message, rcode, has an OPT record, is answered
    ("6.1.1", "an OPT record", message(additional=[opt()]), "NOERROR", True, True),
    ("6.1.1", "no OPT record", message(), "NOERROR", False, True),
    ("6.1.1", "two OPT records", message(additional=[opt(), opt()]), "FORMERR", True, False),
    ("6.1.1", "three OPT records", message(additional=[opt(), opt(), opt()]), "FORMERR", True, False),
    ("6.1.1", "two OPT records, the second of version 1", message(additional=[opt(), opt(version=1)]), "FORMERR", True, False),
    ("6.1.1", "two OPT records, the first of version 1", message(additional=[opt(version=1), opt()]), "FORMERR", True, False),
    ("6.1.1", "OPT in the answer section", message(answer=[opt()]), "FORMERR", None, False),
    ("6.1.1", "OPT in the authority section", message(authority=[opt()]), "FORMERR", None, False),
    ("6.1.1", "OPT behind another record", message(additional=[A_RECORD, opt()]), "NOERROR", True, True),
    ("6.1.1", "OPT before another record", message(additional=[opt(), A_RECORD]), "NOERROR", True, True),
    ("6.1.2", "another owner than the root", message(additional=[opt(owner=b"\1x\0")]), "FORMERR", None, False),
    ("6.1.2", "a pointer as the owner", message(additional=[opt(owner=b"\xc0\x0c")]), "FORMERR", None, False),
    ("6.1.2", "an option that nobody knows", message(additional=[opt(rdata=rawdns.option(65001, b"abc"))]), "NOERROR", True, True),
    ("6.1.2", "several options that nobody knows", message(additional=[opt(rdata=UNKNOWN)]), "NOERROR", True, True),
    ("6.1.2", "an unknown option twice", message(additional=[opt(rdata=rawdns.option(65001, b"") * 2)]), "NOERROR", True, True),
    ("6.1.2", "option 0", message(additional=[opt(rdata=rawdns.option(0, b""))]), "NOERROR", True, True),
    ("6.1.2", "option 65535", message(additional=[opt(rdata=rawdns.option(65535, b"x"))]), "NOERROR", True, True),
    ("6.1.2", "an option that is cut", message(additional=[opt(rdata=rawdns.option(65001, b"abc")[:-1])]), "FORMERR", True, False),
    ("6.1.2", "half an option's head", message(additional=[opt(rdata=b"\xfd\xe9\0")]), "FORMERR", True, False),
    ("6.1.3", "an extended rcode in the query", message(additional=[opt(rcode=0xff)]), "NOERROR", True, True),
    ("6.1.3", "version 1", message(additional=[opt(version=1)]), "BADVERS", True, False),
    ("6.1.3", "version 2", message(additional=[opt(version=2)]), "BADVERS", True, False),
    ("6.1.3", "version 255", message(additional=[opt(version=255)]), "BADVERS", True, False),
    ("6.1.3", "version 1 and DO", message(additional=[opt(version=1, flags=0x8000)]), "BADVERS", True, False),
    ("6.1.3", "version 1 and options", message(additional=[opt(version=1, rdata=UNKNOWN)]), "BADVERS", True, False),
    ("6.1.3", "version 1 and octets that are no options", message(additional=[opt(version=1, rdata=b"\1")]), "BADVERS", True, False),
    ("6.1.3", "version 1, of a name that is not ours", message(additional=[opt(version=1)], name="elsewhere.invalid."),
     "BADVERS", True, False),
    ("6.1.3", "version 1, of a name that is not there", message(additional=[opt(version=1)], name="nothing"), "BADVERS", True, False),
    ("6.1.4", "DO", message(additional=[opt(flags=0x8000)]), "NOERROR", True, True),
    ("6.1.4", "all flags", message(additional=[opt(flags=0xffff)]), "NOERROR", True, True),
    ("6.1.4", "an unknown flag", message(additional=[opt(flags=0x4000)]), "NOERROR", True, True),
    ("6.2.3", "size 0", message(additional=[opt(size=0)]), "NOERROR", True, True),
    ("6.2.3", "size 511", message(additional=[opt(size=511)]), "NOERROR", True, True),
    ("6.2.5", "size 65535", message(additional=[opt(size=65535)]), "NOERROR", True, True),
    ("7", "EDNS in the answer to a name that is not there", message(additional=[opt()], name="nothing"), "NXDOMAIN", True, False),
    ("7", "EDNS in a refusal", message(additional=[opt()], name="elsewhere.invalid."), "REFUSED", True, False),
    ("7", "EDNS in a referral", message(additional=[opt()], name="x.cut"), "NOERROR", True, False),
    ("7", "no EDNS in a refusal of a query without", message(name="elsewhere.invalid."), "REFUSED", False, False),
    ("7", "no EDNS in a name error of a query without", message(name="nothing"), "NXDOMAIN", False, False),
]


@both_transports
@pytest.mark.parametrize("section, what, wire, rcode, has_opt, answered", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_rfc6891(rfc, section, what, wire, rcode, has_opt, answered, transport):
    reply = ask(rfc, wire, transport)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert has_opt is None or (reply.edns == 0) == has_opt
    assert bool(reply.answer) == answered
    assert reply.id == 0x4242 and reply.question
    if reply.edns == 0:
        assert reply.payload == 1232, "our own size (6.2.4)"
        assert reply.ednsflags & 0x7fff == 0, "unknown flags are 0 (6.1.4)"
        assert [option.otype for option in reply.options if option.otype != 15] == [], "options that nobody asked for"


DO = [("DO", 0x8000, 0x8000), ("no DO", 0, 0), ("all", 0xffff, 0x8000), ("all others", 0x7fff, 0)]


@both_transports
@pytest.mark.parametrize("what, flags, expected", DO, ids=[row[0] for row in DO])
@pytest.mark.parametrize("name", ["host", "nothing", "x.cut", "elsewhere.invalid."])
def test_rfc6891_6_1_4_do_is_copied_and_other_flags_are_cleared(rfc, name, what, flags, expected, transport):
    assert ask(rfc, message(additional=[opt(flags=flags)], name=name), transport).ednsflags & 0xffff == expected


@both_transports
def test_rfc6891_6_1_1_the_opt_record_is_in_the_additional_section_once(rfc, transport):
    wire = rfczones.ask_wire(rfc.server, message(additional=[opt()]), transport == "tcp")
    assert struct.unpack_from("!4H", wire, 4) == (1, 1, 0, 1)
    assert wire.endswith(opt(size=1232))


# --- sizes

SIZES = [  # name, the query's size (None: no EDNS), does it fit over UDP
    ("s512-0", None, True), ("s513-0", None, False), ("s512-11", 0, True), ("s513-11", 0, False), ("s512-11", 511, True),
    ("s513-11", 511, False), ("s512-11", 512, True), ("s513-11", 512, False), ("s513-11", 513, True), ("s1000-11", 1000, True),
    ("s1001-11", 1000, False), ("s1001-11", 999, False), ("s1232-11", 1232, True), ("s1232-11", 1231, False),
    ("s1233-11", 1232, False), ("s1232-11", 4096, True), ("s1233-11", 4096, False), ("s1233-11", 65535, False),
]


@pytest.mark.parametrize("name, size, fits", SIZES, ids=[f"{name} in {size}" for name, size, _ in SIZES])
def test_rfc6891_6_2_5_the_querys_size_is_the_limit_and_so_is_ours(rfc, name, size, fits):
    additional = [] if size is None else [opt(size=size)]
    wire = rfczones.ask_wire(rfc.server, message(additional=additional, name=name, rrtype="TXT"), False)
    reply = dns.message.from_wire(wire)
    assert bool(reply.flags & dns.flags.TC) == (not fits)
    if fits:
        assert len(wire) == int(name[1:].partition("-")[0])
    else:
        assert not reply.answer
        whole = rfczones.ask_wire(rfc.server, message(additional=additional, name=name, rrtype="TXT"), True)
        assert len(whole) == int(name[1:].partition("-")[0])
        assert not dns.message.from_wire(whole).flags & dns.flags.TC


def test_rfc6891_6_2_6_over_tcp_the_size_means_nothing(rfc):
    for size in (0, 512, 65535):
        reply = ask(rfc, message(additional=[opt(size=size)], name="big", rrtype="TXT"), "tcp")
        assert len(reply.answer[0]) == 30 and not reply.flags & dns.flags.TC
