"""RFC 7873: DNS cookies as a server answers them; what they are made of is test_rfc9018.py's."""

import os
import re
import socket
import subprocess

import dns.rcode
import dns.message
import pytest

import ednstools
import signpost
from ednstools import BADCOOKIE, COOKIE, TRANSPORTS, ask, options, query, without_question

CLIENT = b"\x01client\xff"
WRONG = CLIENT + bytes.fromhex("01000000") + bytes(12)


@pytest.fixture(scope="module")
def server():
    with ednstools.running() as server:
        yield server


def cookie_of(reply):
    return options(reply)[COOKIE]


def learn(server, transport="udp"):
    return cookie_of(ask(server, query(options={COOKIE: CLIENT}), transport))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_5_2_1_no_option_no_cookie(server, transport):
    assert COOKIE not in options(ask(server, query(), transport))
    assert ask(server, query(edns=False), transport).edns == -1


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("length", [*range(8), *range(9, 16), 41, 42, 100])
def test_5_2_2_malformed_lengths_are_formerr(server, transport, length):
    reply = ask(server, query(options={COOKIE: bytes(length)}), transport)
    assert reply.rcode() == dns.rcode.FORMERR and not reply.answer and not reply.options


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name, rcode", [("www.z.test.", "NOERROR"), ("vpn.z.test.", "NOERROR"), ("none.z.test.", "NXDOMAIN"),
                                         ("www.example.org.", "REFUSED")])
def test_5_2_3_a_client_cookie_gets_a_server_cookie(server, transport, name, rcode):
    reply = ask(server, query(name, options={COOKIE: CLIENT}), transport)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert cookie_of(reply)[:8] == CLIENT and len(cookie_of(reply)) == 24


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bad", [WRONG, CLIENT + bytes(8), CLIENT + b"x" * 32, CLIENT + b"\2" * 16],
                         ids=["a wrong hash", "8 octets", "32 octets", "another version"])
def test_5_2_4_an_invalid_server_cookie_is_answered_with_another(server, transport, bad):
    """By the third of the choices that there are: as if there were a client cookie only."""
    reply = ask(server, query(options={COOKIE: bad}), transport)
    assert reply.rcode() == dns.rcode.NOERROR and reply.answer[0][0].address == "192.0.2.80"
    assert cookie_of(reply)[:8] == CLIENT and cookie_of(reply) != bad and len(cookie_of(reply)) == 24


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_5_2_5_a_valid_server_cookie_comes_back(server, transport):
    cookie = learn(server)
    for _ in range(3):
        reply = ask(server, query(options={COOKIE: cookie}), transport)
        assert reply.rcode() == dns.rcode.NOERROR and reply.answer and cookie_of(reply) == cookie


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("flip", [0, 7, 12, 15, 16, 23])
def test_5_2_5_every_octet_of_it_counts(server, transport, flip):
    cookie = bytearray(learn(server))
    cookie[flip] ^= 0x80
    reply = without_question(bytes(cookie), transport, server)
    assert reply.rcode() == BADCOOKIE


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_5_2_of_several_only_the_first_counts(server, transport):
    cookie = learn(server)
    reply = ask(server, query(options=[(COOKIE, cookie), (COOKIE, WRONG)]), transport)
    assert cookie_of(reply) == cookie
    reply = ask(server, query(options=[(COOKIE, cookie), (COOKIE, b"x")]), transport)
    assert reply.rcode() == dns.rcode.NOERROR and cookie_of(reply) == cookie


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_5_4_a_cookie_alone_may_be_asked_for(server, transport):
    reply = without_question(CLIENT, transport, server)
    assert reply.rcode() == dns.rcode.NOERROR
    assert not (reply.question or reply.answer or reply.authority or reply.additional)
    cookie = cookie_of(reply)
    assert cookie[:8] == CLIENT and len(cookie) == 24
    again = without_question(cookie, transport, server)
    assert again.rcode() == dns.rcode.NOERROR and cookie_of(again) == cookie


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_5_4_an_invalid_one_is_badcookie(server, transport):
    reply = without_question(WRONG, transport, server)
    assert reply.rcode() == BADCOOKIE and not reply.question
    assert without_question(cookie_of(reply), transport, server).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_5_4_without_a_cookie_it_is_formerr(server, transport):
    assert without_question(None, transport, server).rcode() == dns.rcode.FORMERR
    assert without_question(None, transport, server, opt=False).rcode() == dns.rcode.FORMERR
    assert without_question(b"x", transport, server).rcode() == dns.rcode.FORMERR


def test_6_cookies_are_of_their_client(server):
    """What one address learnt is of no use to another one."""
    cookie = learn(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3 * signpost.SLOW)
        sock.bind(("127.0.0.2", 0))
        sock.connect(server.server)
        sock.send(query(options={COOKIE: cookie}).to_wire())
        reply = dns.message.from_wire(sock.recv(4096))
    assert reply.answer and cookie_of(reply)[:8] == CLIENT and cookie_of(reply) != cookie


def test_dig_finds_them_good(server):
    command = ["dig", "@127.0.0.1", "-p", str(server.port), "www.z.test", "+cookie", "+nsid"]
    for extra in ([], ["+tcp"]):
        done = subprocess.run([*command, *extra], capture_output=True, text=True, timeout=20)
        assert re.search(r"; COOKIE: [0-9a-f]{16}01000000[0-9a-f]{24} \(good\)", done.stdout), done.stdout
        assert "; NSID: " in done.stdout and "status: NOERROR" in done.stdout
    done = subprocess.run([*command[:4], "+header-only", "+cookie"], capture_output=True, text=True, timeout=20)
    assert "status: NOERROR" in done.stdout and "(good)" in done.stdout, done.stdout


def test_with_cookies_off_the_option_is_not_known():
    with ednstools.running("cookies: false\n") as server:
        for data in (CLIENT, WRONG, b"x", bytes(100)):
            for transport in TRANSPORTS:
                reply = ask(server, query(options={COOKIE: data}), transport)
                assert reply.rcode() == dns.rcode.NOERROR and COOKIE not in options(reply) and reply.answer
                assert without_question(data, transport, server).rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("name", ["signpost-dns", "signpost-control"])
def test_they_outlive_the_processes(server, name):
    """Secrets made at random stay with the images, so nobody's cookie is lost by a crash."""
    cookie = learn(server)
    server.wait_new(name, server.kill(name), 10)

    def same():
        return cookie_of(ask(server, query(options={COOKIE: cookie}))) == cookie
    signpost.wait_until(lambda: (server.folder / "run/control.sock").exists() and
                        server.ctl("status", check=False).returncode == 0, 20)
    signpost.wait_until(same, 10)
    server.ctl("reload")
    assert same(), "nor by a reload"


def test_random_secrets_are_not_on_the_disk(server):
    """Found out from a cookie: no 16 octets of what is written make it."""
    cookie = learn(server)
    server.ctl("reload")
    signpost.wait_until(lambda: (server.folder / "state/world/plan.image").exists(), 10)
    names = {path.name for path in (server.folder / "state").rglob("*") if path.is_file()}
    assert "plan.image" in names and "steering.image" not in names
    head = cookie[:16] + bytes([127, 0, 0, 1])
    plan = (server.folder / "state/world/plan.image").read_bytes()
    assert all(ednstools.siphash24(plan[at:at + 16], head) != cookie[16:]
               for at in range(0, min(len(plan), 8192) - 16))
    assert os.stat(server.folder / "state/world/plan.image").st_mode & 0o077 == 0
