"""RFC 7766: DNS over TCP, section by section; and what RFC 1035, 4.2.2 and RFC 9210 say of it.

Its limits are test_tcp_limits.py's matter."""

import contextlib
import random
import socket
import struct
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import rawdns
import signpost
import tcpclient
from tcpclient import QUERY, connect, idents, is_open, queries

TCP_FASTOPEN_CONNECT = 30  # tcp(7); Python 3.11 has no name for it


@pytest.fixture(scope="module")
def server():
    with tcpclient.running() as server:
        yield server


def large_answer(message):
    """Is it the whole of txt.large.example?"""
    (txt,) = dns.message.from_wire(message).answer[0]
    return [s[249:] for s in txt.strings] == [b"%06d" % i for i in range(tcpclient.TXT_OCTETS // 256)]


# --- 5: TCP is as good as UDP

def test_5_tcp_may_be_used_before_udp(server):
    for name in tcpclient.NAMES:
        for rrtype in ("A", "AAAA", "TXT", "SOA", "ANY", "NS"):
            query = rawdns.query(name, rrtype, opt=rawdns.subnet("192.0.2.0/24"))
            with connect(server) as sock:
                assert tcpclient.ask(sock, rawdns.framed(query)) == rawdns.ask_udp(server.server, query)


@pytest.mark.parametrize("payload", [0, 512, 1232, 4096])
@pytest.mark.parametrize("name, rrtype, count", [("txt.large.example.", "TXT", 1), ("a.large.example.", "A", 100)])
def test_5_truncated_by_udp_and_whole_by_tcp(server, name, rrtype, count, payload):
    """RFC 1035, 4.2.1 and RFC 2181, 9, too."""
    message = dns.message.make_query(name, rrtype, use_edns=0 if payload else -1, payload=payload)
    udp = dns.query.udp(message, "127.0.0.1", port=server.port, timeout=3)
    assert udp.flags & dns.flags.TC and not udp.answer
    answer, tcp = dns.query.udp_with_fallback(message, "127.0.0.1", port=server.port, timeout=3)
    assert tcp and not answer.flags & dns.flags.TC and len(answer.answer[0]) == count


def test_5_udp_size_means_nothing_by_tcp(server):
    """RFC 6891, 6.2.3 is of UDP payloads only."""
    for size in (0, 512, 65535):
        query = bytearray(rawdns.query("a.large.example.", opt=b""))
        query[-8:-6] = struct.pack("!H", size)
        with connect(server) as sock:
            answer = tcpclient.ask(sock, rawdns.framed(query))
        assert rawdns.header(answer)[2] == [1, 100, 0, 1] and not rawdns.header(answer)[1] & 0x0200


# --- 6.2.1: one connection for many queries

def test_6_2_1_connection_is_used_again(server):
    with connect(server) as sock:
        for ident in range(50):
            (query,) = queries(1, ident)
            assert tcpclient.ask(sock, rawdns.framed(query)) == rawdns.ask_udp(server.server, query)
        assert is_open(sock)


@pytest.mark.parametrize("count", [2, 500, 5000])
def test_6_2_1_1_queries_may_be_pipelined(server, count):
    """Without waiting for answers; all in one write, so many in a segment. Each answer is made at once,
    so their order is that of the queries, which 6.2.1.1 and 7 let the server choose."""
    with connect(server) as sock:
        octets = b"".join(map(rawdns.framed, queries(count)))
        sock.sendall(octets)
        assert idents(sock.makefile("rb"), count) == list(range(count))


def test_6_2_1_1_large_and_small_answers_may_be_mixed(server):
    """Each is whole, though they are more than a batch, a turn and the socket hold."""
    with connect(server) as sock:
        stream = sock.makefile("rb")
        for ident in range(60):
            large = ident % 3 == 0
            sock.sendall(rawdns.framed(rawdns.query("txt.large.example." if large else "www.example.net.",
                                                    "TXT" if large else "A", ident=ident)))
        for ident in range(60):
            answer = rawdns.read_message(stream)
            assert rawdns.header(answer)[0] == ident
            assert large_answer(answer) if ident % 3 == 0 else len(answer) < 512


def test_6_2_1_1_who_pipelines_does_not_hold_up_others(server):
    """Of a worker: its turn is bounded."""
    with connect(server) as greedy, connect(server) as modest:
        greedy.setblocking(False)
        greedy_stream = tcpclient.LARGE * 50
        answered = 0
        for _ in range(50):
            with contextlib.suppress(BlockingIOError):
                greedy.send(greedy_stream)
            with contextlib.suppress(BlockingIOError):
                greedy.recv(1 << 20)
            answered += rawdns.rcode(tcpclient.ask(modest)) == dns.rcode.NOERROR
        assert answered == 50


# --- 6.2.2: several connections of a client

def test_6_2_2_client_may_have_several_connections(server):
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connect(server)) for _ in range(100)]
        for sock in socks:
            sock.sendall(QUERY)
        for sock in reversed(socks):
            assert rawdns.rcode(rawdns.read_message(sock.makefile("rb"))) == dns.rcode.NOERROR
        assert all(map(is_open, socks))


# --- 6.2.4: the end of a connection

def test_6_2_4_client_that_ends_its_side_gets_all_its_answers(server):
    """Half closed, behind a query that was cut. Then the server closes, too, and no RST takes answers."""
    with connect(server) as sock:
        stream = sock.makefile("rb")
        sock.sendall(b"".join(map(rawdns.framed, queries(300))) + b"\0\x40cut")
        sock.shutdown(socket.SHUT_WR)
        assert idents(stream, 300) == list(range(300))
        assert rawdns.read_message(stream) is None


def test_6_2_4_slow_reader_that_ends_its_side_gets_everything(server):
    count = 40
    with connect(server, receive_buffer=4096) as sock:
        sock.sendall(tcpclient.LARGE * count)
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while part := sock.recv(30000):
            got += part
            time.sleep(0.0005)
    size = 2 + int.from_bytes(got[:2], "big")
    assert len(got) == count * size and got == got[:size] * count and large_answer(got[2:size])


@pytest.mark.parametrize("how", ["close", "reset"])
def test_6_2_4_client_may_leave_in_the_middle_of_its_answers(server, how):
    """What it does not get is not sent, and the connection is gone."""
    pid = server.pid("signpost-dns")
    with connect(server) as other:
        assert tcpclient.ask(other)
        before = tcpclient.sockets_of(pid)
        for cut in (0, 1, 5, len(tcpclient.LARGE) * 3 + 7):
            sock = connect(server, receive_buffer=4096)
            sock.sendall(tcpclient.LARGE * 50 + tcpclient.LARGE[:cut])
            sock.recv(1000)
            if how == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        signpost.wait_until(lambda: tcpclient.sockets_of(pid) == before, 5 * signpost.SLOW)
        assert tcpclient.ask(other) and server.pid("signpost-dns") == pid


# --- 7: which answer is whose

def test_7_each_answer_has_its_querys_id_and_question(server):
    with connect(server) as sock:
        asked = [rawdns.query(name, rrtype, ident=number) for number, (name, rrtype) in enumerate(
            (name, rrtype) for name in tcpclient.NAMES for rrtype in ("A", "AAAA", "TXT", "SOA"))]
        sock.sendall(b"".join(map(rawdns.framed, asked)))
        stream = sock.makefile("rb")
        for query in asked:
            answer = rawdns.read_message(stream)
            assert answer[:2] == query[:2] and answer[12:len(query)] == query[12:]


# --- 8: messages and their length

def test_8_query_may_come_octet_by_octet(server):
    with connect(server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in QUERY * 2:
            sock.send(bytes([octet]))
            time.sleep(0.0005)
        assert idents(sock.makefile("rb"), 2) == [0x1234] * 2


def test_8_queries_may_be_cut_anywhere(server):
    """A message may come in several segments, its length field too, and a segment may have several."""
    rng = random.Random(1)
    octets = b"".join(map(rawdns.framed, queries(40)))
    with connect(server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while octets:
            size = rng.choice((1, 1, 2, 3, 50, 200))
            sock.sendall(octets[:size])
            octets = octets[size:]
            time.sleep(0.001)
        assert idents(sock.makefile("rb"), 40) == list(range(40))


def test_8_length_and_message_are_sent_at_once(server):
    """In one segment, as one call gave them to the kernel; so the first read has the whole answer."""
    with connect(server) as sock:
        for _ in range(20):
            sock.sendall(QUERY)
            answer = sock.recv(65535)
            assert len(answer) == 2 + int.from_bytes(answer[:2], "big")


def test_8_answers_to_one_segment_are_sent_at_once(server):
    """20 queries are 20 answers in one segment, not 20 segments: the kernel counts those that came."""
    with connect(server) as sock:
        sock.sendall(b"".join(map(rawdns.framed, queries(20))))
        assert idents(sock.makefile("rb"), 20) == list(range(20))
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        (data_segments,) = struct.unpack_from("=I", info, 152)  # tcpi_data_segs_in of linux/tcp.h
        assert 1 <= data_segments <= 3


@pytest.mark.parametrize("size", [128, 468, 510, 511, 4095, 8190, 8191, 16385, 65535])
def test_8_query_may_be_as_long_as_its_length_field_says(server, size):
    """RFC 1035, 4.2.2: 65,535 octets; with padding (RFC 7830), say."""
    query = tcpclient.padded(size)
    assert len(query) == size
    for pieces in (1, 2, 7):
        with connect(server) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            octets = rawdns.framed(query) + rawdns.framed(rawdns.query("www.example.net.", ident=2))
            step = len(octets) // pieces + 1
            for start in range(0, len(octets), step):
                sock.sendall(octets[start:start + step])
                time.sleep(0.002)
            stream = sock.makefile("rb")
            first, second = rawdns.read_message(stream), rawdns.read_message(stream)
        assert rawdns.header(first)[0] == 1 and rawdns.rcode(first) == dns.rcode.NOERROR
        assert rawdns.header(first)[2] == [1, 2, 0, 1] and first[12:-11] == second[12:]
        assert rawdns.header(second)[0] == 2 and rawdns.rcode(second) == dns.rcode.NOERROR


def test_8_longest_message_that_is_no_query_is_formerr(server):
    with connect(server) as sock:
        noise = b"ID" + bytes([0, 0, 0, 1, 0, 1, 0, 0, 0, 0]) + b"A" * 65523
        sock.sendall(rawdns.framed(noise) + QUERY)
        stream = sock.makefile("rb")
        first, second = rawdns.read_message(stream), rawdns.read_message(stream)
        assert first[:2] == b"ID" and rawdns.rcode(first) == dns.rcode.FORMERR
        assert rawdns.rcode(second) == dns.rcode.NOERROR


@pytest.mark.parametrize("message, why", [
    (b"", "no octets"),
    (b"\x12", "one octet"),
    (b"\x12\x34\0\0\0", "no header"),
    (bytes(11), "a header that is cut"),
    (rawdns.query("www.example.net.", flags=0x8000), "an answer"),
])
def test_8_what_is_no_query_gets_no_answer_and_the_next_one_does(server, message, why):
    with connect(server) as sock:
        sock.sendall(rawdns.framed(message) * 3 + rawdns.framed(rawdns.query("www.example.net.", ident=7)))
        assert idents(sock.makefile("rb"), 1) == [7], why


def test_8_length_fields_alone_hold_nobody_up(server):
    """Messages of no octets, as fast as they can be sent."""
    with connect(server) as sock, connect(server) as other:
        sock.setblocking(False)
        for _ in range(20):
            with contextlib.suppress(BlockingIOError):
                sock.send(bytes(1 << 20))
            assert rawdns.rcode(tcpclient.ask(other)) == dns.rcode.NOERROR


# --- 9: TCP Fast Open

def test_9_query_may_come_with_the_handshake(server):
    """Where this host has it switched on (net.ipv4.tcp_fastopen), else behind the handshake."""
    for _ in range(3):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(5 * signpost.SLOW)
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
            sock.connect(server.server)
            assert rawdns.rcode(tcpclient.ask(sock)) == dns.rcode.NOERROR


# --- 10: connections are managed; RFC 9210, 4.2

def test_10_client_that_does_not_read_is_not_read_from(server):
    """And costs one buffer, not as much as it likes to ask for; nobody else waits for it."""
    pid = server.pid("signpost-dns")
    with connect(server, receive_buffer=4096) as sock:
        before = tcpclient.memory_kib(pid)
        sock.setblocking(False)
        sent, quiet = 0, 0
        while quiet < 10:
            try:
                sent += sock.send(tcpclient.LARGE * 100)
                quiet = 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.02)
            assert sent < 100 << 20, "the server goes on reading"
        assert server.addresses("www.example.net", tcp=True) and server.addresses("vpn.example.net")
        assert tcpclient.memory_kib(pid) - before < (1024 if signpost.SLOW == 1 else 65536)
        sock.setblocking(True)
        sock.settimeout(5 * signpost.SLOW)
        stream = sock.makefile("rb")
        for _ in range(100):  # and when it reads at last, it gets what it asked for, whole
            assert large_answer(rawdns.read_message(stream))


@pytest.mark.parametrize("rrtype", ["AXFR", "IXFR"])
def test_transfers_are_refused(server, rrtype):
    """RFC 5936, 2.2.1."""
    with connect(server) as sock:
        answer = tcpclient.ask(sock, rawdns.framed(rawdns.query("example.net.", rrtype)))
        assert rawdns.rcode(answer) == dns.rcode.REFUSED and rawdns.header(answer)[2] == [1, 0, 0, 0]
        assert tcpclient.ask(sock)
