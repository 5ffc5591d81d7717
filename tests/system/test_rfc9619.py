"""RFC 9619: a query has one question: none, or more, is FORMERR."""

import struct

import pytest

import rfczones

QUESTION = b"\4host\7rfc6891\4test\0\0\1\0\1"

ROWS = [  # section, what, QDCOUNT, what stands behind the header, rcode
    ("4", "one question", 1, QUESTION, 0),
    ("4", "two questions", 2, QUESTION * 2, 1),
    ("4", "two questions of two names", 2, QUESTION + b"\2ns\7rfc6891\4test\0\0\1\0\1", 1),
    ("4", "two questions of two types", 2, QUESTION + QUESTION[:-4] + b"\0\x1c\0\1", 1),
    ("4", "two, of which one is there", 2, QUESTION, 1),
    ("4", "65,535", 65535, QUESTION, 1),
    ("4", "65,535, of which ten are there", 65535, QUESTION * 10, 1),
    ("4", "none", 0, b"", 1),
    ("4", "none, though one is there", 0, QUESTION, 1),
]


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("section, what, count, body, rcode", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_rfc9619(rfc, section, what, count, body, rcode, transport):
    wire = struct.pack("!6H", 0x4646, 0, count, 0, 0, 0) + body
    reply = rfczones.ask_wire(rfc.server, wire, transport == "tcp")
    assert reply[:2] == wire[:2] and reply[2] & 0x80 and reply[3] & 15 == rcode
    assert struct.unpack_from("!H", reply, 6)[0] == (rcode == 0), "an answer to one question alone"
