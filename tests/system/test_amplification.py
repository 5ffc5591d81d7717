"""No answer by UDP is longer than the rule says, whatever is sent (option amplification)."""

import random

import dns.flags
import dns.rcode
import pytest

import ednstools
import malformed
import rawdns
import signpost
from ednstools import COOKIE, NSID, ask, options, query, send_wire, server_cookie

SECRET, CLIENT = bytes(range(16)), b"\x01client\xff"
FACTORS = (2, 3, 10)


@pytest.fixture(scope="module", params=FACTORS)
def server(request):
    """What it says of itself is as long as it can be. It has the zones of the table of messages, too."""
    texts = "".join(f'{option}: {"x" * 255}\n' for option in ("nsid", "version", "identity"))
    with signpost.world() as (server, _):
        ednstools.configure(server, f"amplification: {request.param}\ncookie-secrets: secrets\n{texts}")
        (server.folder / "secrets").write_text(SECRET.hex() + "\n")
        (server.folder / "secrets").chmod(0o600)
        server.start()
        server.factor = request.param
        yield server


def small(server, wire):
    """There is an answer, and its octets are few enough."""
    answer = rawdns.ask_udp(server.server, wire, 5 * signpost.SLOW)
    assert answer is not None, wire
    assert_small(server, wire, answer)
    return answer


def assert_small(server, wire, answer):
    assert 12 <= len(answer) <= server.factor * len(wire), (wire, answer)


OPTIONS = ([], [(NSID, b"")], [(COOKIE, CLIENT)], [(NSID, b""), (COOKIE, CLIENT), (8, b"\0\1\x18\0\xc0\0\2")],
           [(COOKIE, CLIENT + bytes(16))], [(COOKIE, b"x")])
QUESTIONS = [("texts.z.test.", "TXT", "IN"), ("z.test.", "NS", "IN"), ("c0.z.test.", "A", "IN"), ("none.z.test.", "A", "IN"),
             ("www.z.test.", "A", "IN"), ("vpn.z.test.", "A", "IN"), (".", "NS", "IN"), ("z.test.", "ANY", "IN"),
             ("version.bind.", "TXT", "CH"), ("id.server.", "TXT", "CH"), ("www.example.org.", "A", "IN"),
             ("z.test.", "AXFR", "IN"), ("www.z.test.", "A", "ANY")]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_no_answer_is_longer(server, question):
    name, rrtype, rdclass = question
    small(server, query(name, rrtype, rdclass=rdclass, edns=False).to_wire())
    for chosen in OPTIONS:
        for size in (512, 1232, 65535):
            wire = query(name, rrtype, chosen, rdclass=rdclass, size=size).to_wire()
            small(server, wire)


def test_nor_is_any_to_a_malformed_message(server):
    """FORMERR, BADVERS, NOTIMP, and the TSIG record of who signs with a key that nobody has."""
    rcodes = set()
    for row in malformed.ROWS:
        for wire in malformed.messages(row):
            if wire and len(wire) >= 12 and not wire[2] & 0x80:
                rcodes.add(rawdns.rcode(small(server, wire)))
    assert {dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.NOTAUTH} <= rcodes


def test_nor_to_a_damaged_one(server):
    rng = random.Random(server.factor)
    wires = [query(name, rrtype, rng.choice(OPTIONS), rdclass=rdclass).to_wire() for name, rrtype, rdclass in QUESTIONS]
    for _ in range(300):
        wire = bytearray(rng.choice(wires))
        for _ in range(rng.randint(1, 3)):
            wire[rng.randrange(4, len(wire))] = rng.randrange(256)
        damaged = bytes(wire[:rng.randint(12, len(wire))] if rng.random() < 0.3 else wire)
        answer = rawdns.ask_udp(server.server, damaged, 0.3 * signpost.SLOW)  # some get none
        if answer is not None:
            assert_small(server, damaged, answer)


def test_a_longer_one_has_tc_and_tcp_has_it_all(server):
    message = query("texts.z.test.", "TXT")
    short = ask(server, message)
    assert short.flags & dns.flags.TC and not (short.answer or short.authority or short.additional)
    assert short.question == message.question and short.edns == 0
    assert len(ask(server, message, "tcp").answer[0][0].strings) == 4


def test_who_has_shown_a_cookie_gets_it_all(server):
    cookie = options(ask(server, query("texts.z.test.", "TXT", {COOKIE: CLIENT})))[COOKIE]
    reply = ask(server, query("texts.z.test.", "TXT", {COOKIE: cookie, NSID: b""}))
    assert not reply.flags & dns.flags.TC and len(reply.answer[0][0].strings) == 4


@pytest.mark.parametrize("cookie", [
    lambda: server_cookie(SECRET, CLIENT, "127.0.0.2"), lambda: server_cookie(bytes(16), CLIENT),
    lambda: server_cookie(SECRET, CLIENT, made=1), lambda: CLIENT])
def test_whoever_has_not_does_not(server, cookie):
    message = query("texts.z.test.", "TXT", {COOKIE: cookie()})
    reply = ask(server, message)
    assert reply.flags & dns.flags.TC and not reply.answer and options(reply)[COOKIE][:8] == CLIENT
    small(server, message.to_wire())


def test_nsid_and_errors_go_first(server):
    """A short answer is whole, though its NSID would be too long."""
    message = query("www.z.test.", options={NSID: b"", COOKIE: server_cookie(SECRET, CLIENT, "127.0.0.2")})
    reply = ask(server, message)
    assert reply.answer and not reply.flags & dns.flags.TC
    assert (NSID in options(reply)) == (server.factor == 10)
    assert NSID in options(ask(server, message, "tcp"))


def test_without_the_rule_answers_are_as_long_as_they_are():
    with ednstools.running() as server:
        message = query("texts.z.test.", "TXT")
        assert len(send_wire(server, message.to_wire())) > 10 * len(message.to_wire())
