"""RFC 7828: edns-tcp-keepalive, section by section."""

import contextlib

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

import rawdns
import tcpclient
from tcpclient import KEEPALIVE, announced, announced_by, ask, connect, is_open, options

IDLE_100MS = 100  # the default, 10 s
EMPTY = rawdns.option(KEEPALIVE, b"")
NAMES = ("www.example.net.", "vpn.example.net.", "nothing.example.net.", "example.org.")


@pytest.fixture(scope="module")
def server():
    with tcpclient.running() as server:
        yield server


def answer_to(server, opt, name="www.example.net."):
    with connect(server) as sock:
        return ask(sock, rawdns.framed(rawdns.query(name, opt=opt)))


@pytest.mark.parametrize("name", NAMES)
def test_3_1_answer_has_code_11_length_2_and_the_timeout(server, name):
    """In units of 100 ms, in network order; whatever else the answer says."""
    answer = answer_to(server, EMPTY, name)
    assert options(answer)[11] == IDLE_100MS.to_bytes(2, "big") and b"\0\x0b\0\x02\0\x64" in answer


def test_3_1_dnspython_reads_it(server):
    query = dns.message.make_query("www.example.net.", "A", use_edns=0, options=[dns.edns.GenericOption(KEEPALIVE, b"")])
    (option,) = dns.query.tcp(query, "127.0.0.1", port=server.port, timeout=5).options
    assert option.otype == KEEPALIVE and option.to_wire() == IDLE_100MS.to_bytes(2, "big")


@pytest.mark.parametrize("size", [1, 2, 3, 500])
def test_3_2_1_query_with_a_timeout_is_formerr(server, size):
    """A client MUST specify an OPTION-LENGTH of 0 in queries. The connection goes on."""
    with connect(server) as sock:
        answer = ask(sock, rawdns.framed(rawdns.query("www.example.net.", opt=rawdns.option(KEEPALIVE, bytes(size)))))
        assert rawdns.rcode(answer) == dns.rcode.FORMERR and KEEPALIVE not in options(answer)
        assert announced_by(sock) == IDLE_100MS


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\x64", bytes(9)])
def test_3_2_1_by_udp_it_is_ignored(server, data):
    """3.3.1: a server MUST ignore it, so it is not malformed there either."""
    opt = rawdns.option(KEEPALIVE, data)
    answer = rawdns.ask_udp(server.server, rawdns.query("www.example.net.", opt=opt))
    assert answer == rawdns.ask_udp(server.server, rawdns.query("www.example.net.", opt=b""))
    assert KEEPALIVE not in options(answer)


def test_3_3_2_only_who_has_the_option_is_told(server):
    """And nobody without EDNS (RFC 6891, 7)."""
    assert options(answer_to(server, b"")) == {}
    assert rawdns.header(answer_to(server, None))[2][2] == 0


@pytest.mark.parametrize("position", range(3))
def test_3_3_2_beside_other_options(server, position):
    others = [rawdns.subnet("192.0.2.0/24"), rawdns.option(65001, b"unknown")]
    others.insert(position, EMPTY)
    answer = answer_to(server, b"".join(others), "vpn.example.net.")
    assert set(options(answer)) == {8, KEEPALIVE} and rawdns.rcode(answer) == dns.rcode.NOERROR


def test_3_3_2_each_of_pipelined_queries_is_told(server):
    with connect(server) as sock:
        sock.sendall(rawdns.framed(rawdns.query("www.example.net.", opt=EMPTY)) * 20)
        stream = sock.makefile("rb")
        assert [options(rawdns.read_message(stream)) for _ in range(20)] == [{KEEPALIVE: b"\0\x64"}] * 20


@pytest.mark.parametrize("idle, units", [("500ms", 5), ("1700ms", 17), ("15s", 150), ("1h", 36000)])
def test_3_3_2_timeout_is_the_one_that_the_server_keeps(server, idle, units):
    tcpclient.set_limits(server, f"idle: {idle}")
    assert announced(server) == units


def test_3_3_2_timeout_is_0_when_resources_are_low(server):
    """When seven of eight connections that may be are there; and the one told before when they are gone.
    A client that is told 0 SHOULD close (3.2.2): it is not cut off, what it has asked is answered."""
    tcpclient.set_limits(server, "idle: 20s, connections: 16")
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connect(server)) for _ in range(13)]
        assert [announced_by(sock) for sock in socks] == [200] * 13
        last = stack.enter_context(connect(server))
        assert announced_by(last) == 0 == announced_by(socks[0])
        last.sendall(tcpclient.QUERY * 3)
        assert tcpclient.idents(last.makefile("rb"), 3) == [0x1234] * 3 and is_open(last)
    assert announced(server) == 200
