"""Answers at every size from 512 to 1,232 octets: what is left out, and when TC is set.

RFC 2181, 9: TC only where something that is needed does not fit; 5: RRsets are whole. RFC 6891, 6.2.5: the
size is kept. RFC 9471, 3.1: glue of servers inside the delegated zone is needed.
"""

import dns.flags
import dns.message
import pytest

import peers
import rfczones

SIZES = range(512, 1233)

# Question, zone, and below which name the addresses of name servers are needed.
QUESTIONS = [
    ("mx12 MX", "rfc2181.test.", None),
    ("a30 A", "rfc2181.test.", None),
    ("to-a80 A", "rfc2181.test.", None),
    ("@ NS", "rfc2181.test.", None),
    ("www.big A", "rfc9471.test.", "big.rfc9471.test."),
    ("to-big A", "rfc9471.test.", "big.rfc9471.test."),
    ("www.huge A", "rfc9471.test.", "huge.rfc9471.test."),
    ("www.bigsib A", "rfc9471.test.", None),
    ("www.bigmix A", "rfc9471.test.", "bigmix.rfc9471.test."),
    ("many PTR", "rfc1035.test.", None),
    ("s1001-11 TXT", "rfc6891.test.", None),
    ("alias2 A", "pool.test.", None),
]
OPTIONS = ["", "+do", "+subnet=192.0.2.0/24"]


def whole_answer(server, question, zone):
    return dns.message.from_wire(rfczones.ask_wire(server, rfczones.query(f"{question} +edns", zone).to_wire(), True))


def read_sections(message):
    return [rfczones.read_section(section).rrsets for section in (message.answer, message.authority, message.additional)]


def check(wire, whole, needed):
    """Returns whether the answer is truncated."""
    reply = dns.message.from_wire(wire)
    truncated = bool(reply.flags & dns.flags.TC)
    parts, all_parts = read_sections(reply), read_sections(whole)
    assert reply.edns == 0, "OPT has its place always"
    for part, all_of_it in zip(parts, all_parts):
        assert part.items() <= all_of_it.items(), "RRsets are whole"
    if not truncated:
        assert parts[:2] == all_parts[:2], "nothing that is needed is missing without TC"
    glue = {key for key in all_parts[2] if needed and key[0].is_subdomain(needed)}
    assert truncated or glue <= set(parts[2]), "glue is missing without TC"
    return truncated


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options or "EDNS")
@pytest.mark.parametrize("question, zone, needed", QUESTIONS, ids=[row[0] for row in QUESTIONS])
def test_answers_of_every_size_are_whole_or_say_that_they_are_not(rfc, question, zone, needed, options):
    whole = whole_answer(rfc.server, question, zone)
    assert not whole.flags & dns.flags.TC
    needed = needed and rfczones.absolute(needed, ".")
    query = rfczones.query(f"{question} +edns {options}", zone).to_wire()
    at = query.index(b"\0\0\x29") + 3  # of the size in the OPT record
    wires = [query[:at] + size.to_bytes(2, "big") + query[at + 2:] for size in SIZES]
    answers = peers.ask_udp(rfc.server, wires)
    before, truncated = None, True
    for size, wire in zip(SIZES, answers):
        assert len(wire) <= size
        if wire[2:] == before:
            continue
        assert before is None or len(wire) == size, "there was room for it before"
        was, truncated = truncated, check(wire, whole, needed)
        assert was or not truncated, "what fits fits into more, too"
        before = wire[2:]
