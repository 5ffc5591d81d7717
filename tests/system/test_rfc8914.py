"""RFC 8914: Extended DNS Errors, as the table in signpost-dns(8) has them."""

import re

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

import ednstools
import rawdns
import signpost
from ednstools import EDE, NSID, TRANSPORTS, ask, error, options, query, send_wire

MANUAL = signpost.SOURCE / "man/signpost-dns.8"
LOOP, LONG, DOWN = "chain of aliases is a loop", "chain of aliases too long", "no node of the pool is up"

# What is asked: type and name, class; rcode, and the error.
ROWS = {
    "another name": ("www.example.org.", "A", "IN", "REFUSED", (20, None)),
    "the root": (".", "NS", "IN", "REFUSED", (20, None)),
    "another class": ("www.z.test.", "A", "HS", "REFUSED", (21, None)),
    "class ANY": ("www.z.test.", "A", "ANY", "REFUSED", (21, None)),
    "a transfer": ("z.test.", "AXFR", "IN", "REFUSED", (21, None)),
    "a transfer of no zone": ("example.org.", "AXFR", "IN", "NOTAUTH", (20, None)),
    "a type of no data": ("z.test.", "MAILB", "IN", "NOTIMP", (21, None)),
    "version off": ("version.bind.", "TXT", "CH", "REFUSED", (18, None)),
    "another name of class CH": ("authors.bind.", "TXT", "CH", "REFUSED", (20, None)),
    "a loop": ("loop1.z.test.", "A", "IN", "NOERROR", (0, LOOP)),
    "too long": ("c0.z.test.", "A", "IN", "NOERROR", (0, LONG)),
    "no node is up": ("down.z.test.", "A", "IN", "NOERROR", (0, DOWN)),
    # where there is nothing to tell
    "an address": ("www.z.test.", "A", "IN", "NOERROR", None),
    "a node": ("vpn.z.test.", "A", "IN", "NOERROR", None),
    "a type that a pool never has": ("vpn.z.test.", "AAAA", "IN", "NOERROR", None),
    "a missing name": ("none.z.test.", "A", "IN", "NXDOMAIN", None),
    "a missing type": ("www.z.test.", "MX", "IN", "NOERROR", None),
    "a chain that leaves": ("out.z.test.", "A", "IN", "NOERROR", None),
    "a long chain": ("c6.z.test.", "A", "IN", "NOERROR", None),
}


@pytest.fixture(scope="module")
def server():
    with ednstools.running(f"version: off\nnsid: {'n' * 250}\n") as server:
        signpost.wait_until(lambda: not ask(server, query("down.z.test.")).answer, 5 * signpost.SLOW)
        yield server


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("row", ROWS)
def test_2_and_4_the_error_says_why(server, row, transport):
    name, rrtype, rdclass, rcode, expected = ROWS[row]
    reply = ask(server, query(name, rrtype, rdclass=rdclass), transport)
    assert (dns.rcode.to_text(reply.rcode()), error(reply)) == (rcode, expected)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("row", ROWS)
def test_3_it_is_in_an_opt_record_or_nowhere(server, row, transport):
    """And it changes nothing else of the answer."""
    name, rrtype, rdclass, rcode, _ = ROWS[row]
    with_edns, without = (ask(server, query(name, rrtype, rdclass=rdclass, edns=edns), transport)
                          for edns in (True, False))
    assert without.rcode() == with_edns.rcode() and without.edns == -1
    assert [without.answer, without.authority, without.flags] == [with_edns.answer, with_edns.authority, with_edns.flags]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("opcode", [dns.opcode.IQUERY, dns.opcode.NOTIFY, dns.opcode.UPDATE, dns.opcode.STATUS])
def test_4_22_not_supported_operations(server, opcode, transport):
    message = query("z.test.", "SOA")
    message.set_opcode(opcode)
    reply = dns.message.from_wire(send_wire(server, message.to_wire(), transport))
    assert reply.rcode() == dns.rcode.NOTIMP and error(reply) == (21, None)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_malformed_messages_say_nothing(server, transport):
    wire = rawdns.query("www.example.org.", opt=b"\0\x08\0\1x")
    reply = dns.message.from_wire(send_wire(server, wire, transport))
    assert reply.rcode() == dns.rcode.FORMERR and not reply.options


def test_an_error_in_the_query_is_ignored(server):
    reply = ask(server, query(options={EDE: b"\0\x14what?"}))
    assert reply.rcode() == dns.rcode.NOERROR and EDE not in options(reply)


def test_3_it_never_makes_an_answer_truncated(server):
    """Its text goes first, then NSID where the error alone still fits, or the error."""
    full = ask(server, query("c0.z.test.", options={NSID: b""}, size=1232))
    assert error(full) == (0, LONG) and len(options(full)[NSID]) == 250
    seen = set()
    for size in range(512, len(full.to_wire()) + 1):
        reply = ask(server, query("c0.z.test.", options={NSID: b""}, size=size))
        assert not reply.flags & dns.flags.TC and reply.answer == full.answer
        seen.add((error(reply), NSID in options(reply)))
    assert {((0, LONG), True), ((0, None), True)} <= seen


def test_4_15_not_ready():
    """There has never been a world."""
    with ednstools.signpost.world() as (server, _):
        ednstools.configure(server)
        server.zone_file("z.test.zone").write_text("this is no zone\n")
        server.start()
        for transport in TRANSPORTS:
            for name, rdclass in (("www.z.test.", "IN"), ("version.bind.", "CH")):
                reply = ask(server, query(name, "TXT", rdclass=rdclass), transport)
                assert reply.rcode() == dns.rcode.SERVFAIL and error(reply) == (14, None)


def test_the_manual_has_them_all():
    text = MANUAL.read_text()
    section = text[text.index(".Sh EXTENDED DNS ERRORS"):]
    section = section[:section.index(".Sh", 4)]
    codes = {int(code) for code in re.findall(r"^\.It (\d+)", section, re.MULTILINE)}
    assert codes == {expected[0] for *_, expected in ROWS.values() if expected} | {14}
    for told in (LOOP, LONG, DOWN):
        assert told in section
