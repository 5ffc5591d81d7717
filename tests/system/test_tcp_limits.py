"""What TCP clients may cost, and who has to go when there are too many (RFC 7766, 6.2.2, 6.2.3 and 10;
RFC 9210, 4.2). One server; each story sets its limits by a reload. Times are bounds to one side: that
something does not happen too early, and that it happens at all."""

import contextlib
import io
import json
import os
import random
import signal
import socket
import struct
import time

import dns.rcode
import pytest

import rawdns
import signpost
import tcpclient
from tcpclient import QUERY, ask, connect, is_open

ATTACKER, CLIENT, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
SPACES = 128  # of a worker: connections that keep more than a short query (connection.h)


@pytest.fixture(scope="module")
def server():
    with tcpclient.running("idle: 20s") as server:
        yield server


@pytest.fixture
def sockets(server):
    """open(source, ...) connects; all are closed at the end."""
    with contextlib.ExitStack() as stack:
        def open_one(source=CLIENT, **more):
            return stack.enter_context(connect(server, source, **more))
        yield open_one


def counters(server):
    return json.loads(server.ctl("--json", "status").stdout)["counters"]


def wait_for_connections(server, count):
    signpost.wait_until(lambda: counters(server)["connections_open"] == count, 15 * signpost.SLOW, every=0.1)


def wait_for_timeout(server, before):
    """Of one connection that is the only one, which may have come and gone between two looks at it."""
    signpost.wait_until(lambda: counters(server)["connections_timed_out"] > before, 15 * signpost.SLOW, every=0.1)
    wait_for_connections(server, 0)


def wait_closed(sock, doing):
    def closed():
        doing()
        return not is_open(sock)
    signpost.wait_until(closed, 15 * signpost.SLOW)


def busy_client(sockets, idle_s):
    """Returns what asks by the same connection each time, as long as this machine lets it ask in time."""
    sock, active = sockets(), time.monotonic()

    def ask_again():
        nonlocal sock, active
        while True:
            start, answer = time.monotonic(), None
            with contextlib.suppress(OSError):
                answer = ask(sock)
            if answer is not None:
                active = start
                return
            assert time.monotonic() - active > idle_s, "it was busy, and its connection was closed"
            sock, active = sockets(), time.monotonic()
    return ask_again


# --- settings

def test_limits_change_by_a_reload_and_no_connection_ends_for_it(server, sockets):
    pid = server.pid("signpost-dns")
    sock = sockets()
    for idle in (30, 40):
        tcpclient.set_limits(server, f"idle: {idle}s, connections: 100")
        assert tcpclient.announced_by(sock) == idle * 10
    assert server.pid("signpost-dns") == pid


def test_fewer_connections_than_there_are_close_the_surplus(server, sockets):
    tcpclient.set_limits(server, "idle: 20s, connections: 100")
    socks = [sockets(ATTACKER) for _ in range(60)]
    own = sockets()
    assert all(map(ask, [own, *socks]))
    tcpclient.set_limits(server, "idle: 21s, connections: 20")
    signpost.wait_until(lambda: sum(map(is_open, socks)) <= 19, 5 * signpost.SLOW)
    assert ask(own) and all(map(is_open, socks[-15:]))


# --- 6.2.3: idle

def test_6_2_3_idle_connection_is_closed_and_busy_one_is_not(server, sockets):
    tcpclient.set_limits(server, "idle: 800ms")
    start, busy = time.monotonic(), busy_client(sockets, 0.8)
    silent, asked = sockets(), sockets()
    assert ask(asked)
    wait_closed(asked, busy)
    assert time.monotonic() - start >= 0.8 and not is_open(silent)
    busy()
    assert counters(server)["connections_timed_out"] >= 2


@pytest.mark.parametrize("drip, why", [
    (b"\0", "length fields, and no message"),
    (b"\0\x01x", "messages that are no header"),
    (rawdns.framed(rawdns.query("www.example.net.", flags=0x8000)), "answers"),
    (b"\x02", "octets of a query that has no end"),
])
def test_6_2_3_only_queries_are_activity(server, sockets, drip, why):
    """RFC 7766: the receipt of a full message resets the timeout, not that of any part of one."""
    tcpclient.set_limits(server, "idle: 800ms")
    start, busy, sock = time.monotonic(), busy_client(sockets, 0.8), sockets()

    def drop():
        with contextlib.suppress(OSError):
            sock.send(drip)
        busy()
    wait_closed(sock, drop)
    assert time.monotonic() - start >= 0.8, why


def test_6_2_3_query_that_came_in_time_is_answered_by_a_server_that_stood_still(server, sockets):
    """It hears whoever has been idle for too long before it closes the connection."""
    tcpclient.set_limits(server, "idle: 2s")
    sock = sockets()
    assert ask(sock)
    pid = server.kill("signpost-dns", signal.SIGSTOP)
    try:
        sock.sendall(QUERY)
        time.sleep(2.5)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert rawdns.read_message(sock.makefile("rb")) is not None


def test_6_2_3_reading_ones_answers_is_activity(server, sockets):
    """However slowly: for as long as the lifetime lets it. Unless this machine did not let it read in time."""
    tcpclient.set_limits(server, "idle: 1s, lifetime: 1m")

    def read_slowly(sock):
        """(octets, the longest time between two reads)"""
        start = last = time.monotonic()
        got, longest = b"", 0
        with contextlib.suppress(ConnectionResetError):
            while part := sock.recv(32768):
                got, longest, last = got + part, max(longest, time.monotonic() - last), time.monotonic()
                if len(got) == 60 * (2 + int.from_bytes(got[:2], "big")):
                    break
                time.sleep(0.02 if last < start + 2 else 0)
        return got, max(longest, time.monotonic() - last)

    def all_of_it():
        sock = sockets(receive_buffer=4096)
        sock.sendall(tcpclient.LARGE * 60)
        got, longest = read_slowly(sock)
        size = 2 + int.from_bytes(got[:2], "big")
        assert got == got[:size] * 60 or longest > 0.8, f"{len(got)} octets, at most {longest} s between two reads"
        return got == got[:size] * 60
    signpost.wait_until(all_of_it, 30 * signpost.SLOW)


def test_6_2_3_not_reading_them_is_none(server, sockets):
    tcpclient.set_limits(server, "idle: 600ms, lifetime: 1m")
    wait_for_connections(server, 0)
    before = counters(server)["connections_timed_out"]
    sock = sockets(receive_buffer=4096)
    sock.sendall(tcpclient.LARGE * 60)
    wait_for_timeout(server, before)
    with pytest.raises(OSError):  # what is not in the socket's buffer is lost
        while sock.recv(1 << 20):
            pass
        raise ConnectionResetError


# --- lifetime (RFC 9210, 4.2: a limit on the total time)

def test_busy_connection_ends_after_its_lifetime_and_no_answer_is_lost(server, sockets):
    """The server shuts its side down; a query that crosses that on its way is not answered, but costs no
    answer either, as RST would."""
    tcpclient.set_limits(server, "idle: 2s, lifetime: 1s")

    def was_busy():
        """false: this machine did not let it ask often."""
        start, asked, answered = time.monotonic(), 0, 0
        sock = sockets()
        stream = sock.makefile("rb")
        while time.monotonic() < start + 15 * signpost.SLOW:
            sock.sendall(rawdns.framed(rawdns.query("www.example.net.", ident=asked)) * 3)
            asked += 1
            answers = [rawdns.read_message(stream) for _ in range(3)]
            if answers[0] is None:
                break
            assert all(answer is not None and rawdns.header(answer)[0] == asked - 1 for answer in answers)
            answered += 1
            time.sleep(0.02)
        assert 1 <= time.monotonic() - start and answered == asked - 1
        return answered > 3
    signpost.wait_until(was_busy, 10 * signpost.SLOW)
    assert server.addresses("www.example.net", tcp=True)


def test_pending_answers_are_sent_after_the_lifetime_before_the_end(server, sockets):
    tcpclient.set_limits(server, "idle: 6s, lifetime: 1s")
    sock = sockets(receive_buffer=4096)
    sock.sendall(tcpclient.LARGE * 3)
    time.sleep(2.5)  # more than the lifetime, and what may pass until that is noticed
    stream = sock.makefile("rb")
    answers = []
    while (answer := rawdns.read_message(stream)) is not None:
        answers.append(answer)
    assert answers and answers == answers[:1] * len(answers) and len(answers[0]) > tcpclient.TXT_OCTETS


def test_taking_answers_little_by_little_keeps_no_connection_past_its_lifetime(server, sockets):
    """It is closed in the middle of an answer: to wait for the last one's end takes longer."""
    tcpclient.set_limits(server, "idle: 3s, lifetime: 1s")
    sock = sockets(receive_buffer=4096)
    sock.sendall(tcpclient.LARGE * 60)
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while octets := sock.recv(512):
            got += octets
            time.sleep(0.1)
    stream = io.BytesIO(got)
    while len(size := stream.read(2)) == 2 and len(stream.read(int.from_bytes(size, "big"))) == \
            int.from_bytes(size, "big"):
        pass
    assert size, len(got)


def test_client_that_does_not_end_its_side_is_closed_when_it_is_idle(server, sockets):
    tcpclient.set_limits(server, "idle: 1200ms, lifetime: 1s")
    wait_for_connections(server, 0)
    before = counters(server)["connections_timed_out"]
    sock = sockets()
    assert ask(sock)
    wait_for_timeout(server, before)
    assert sock.recv(1) == b""
    assert counters(server)["connections_timed_out"] == before + 1, "for whichever reason, and once"


# --- 6.2.2: too many

def test_6_2_2_who_opens_thousands_replaces_his_own(server, sockets):
    """And nobody else's, though that one is idle longer than each of his."""
    tcpclient.set_limits(server, "idle: 50s, connections: 40")
    own = sockets(CLIENT)
    assert ask(own)
    evicted = counters(server)["connections_evicted"]
    attack = [sockets(ATTACKER) for _ in range(120)]
    assert ask(attack[-1])
    signpost.wait_until(lambda: sum(map(is_open, attack)) == 39, 5 * signpost.SLOW)
    assert [is_open(sock) for sock in attack] == [False] * 81 + [True] * 39
    assert is_open(own) and ask(own)
    now = counters(server)
    assert now["connections_evicted"] - evicted == 81 and now["connections_open"] == 40
    newcomer = sockets(OTHER)
    assert ask(newcomer) and ask(own) and not is_open(attack[81]) and is_open(attack[82])
    assert f"{now['connections_evicted'] + 1} closed to make room" in server.ctl("status").stdout


def test_6_2_2_of_the_one_who_has_most_it_is_the_idle_longest(server, sockets):
    tcpclient.set_limits(server, "idle: 51s, connections: 20")
    few = [sockets(CLIENT) for _ in range(5)]
    most = [sockets(ATTACKER) for _ in range(15)]
    assert all(map(ask, few + most))
    assert ask(most[0])
    newcomer = sockets(OTHER)
    assert ask(newcomer)
    assert [is_open(sock) for sock in most[:3]] == [True, False, True]
    assert all(map(is_open, few))


def test_6_2_2_of_equals_it_is_the_idle_longest_of_all(server, sockets):
    tcpclient.set_limits(server, "idle: 52s, connections: 20")
    socks = [sockets(f"127.0.1.{number}") for number in range(1, 21)]
    assert all(map(ask, socks)) and ask(socks[0])
    assert ask(sockets(OTHER))
    assert [is_open(sock) for sock in socks[:3]] == [True, False, True]
    assert all(map(is_open, socks[2:]))


# --- 10: memory

def test_10_clients_that_never_read_share_what_there_is(server, sockets):
    """Each has one buffer of SPACES at most, however many there are; a client that reads gets its answers
    all the while."""
    tcpclient.set_limits(server, "idle: 53s, connections: 1000")
    pid = server.pid("signpost-dns")
    own = sockets(CLIENT)
    before = tcpclient.memory_kib(pid)
    stuck = [sockets(ATTACKER, receive_buffer=4096) for _ in range(400)]
    for number, sock in enumerate(stuck):
        sock.sendall(tcpclient.LARGE * 20)
        if number % 20 == 0:
            assert rawdns.rcode(ask(own, tcpclient.LARGE)) == dns.rcode.NOERROR
    signpost.wait_until(lambda: counters(server)["connections_open"] <= SPACES + 10, 10 * signpost.SLOW)
    assert ask(own)
    assert tcpclient.memory_kib(pid) - before < (24 << 10 if signpost.SLOW == 1 else 512 << 10)


def test_10_long_queries_without_an_end_do_not_keep_others_out(server, sockets):
    """Whoever holds most buffers gives one back, so a long query in pieces is answered in the midst of
    hundreds that never end."""
    tcpclient.set_limits(server, "idle: 54s, connections: 1000")
    query = rawdns.framed(tcpclient.padded(20000))
    own = sockets(CLIENT)
    stuck = []
    for part in range(4):
        own.sendall(query[part * 5001:(part + 1) * 5001])
        for _ in range(100):
            sock = sockets(ATTACKER)
            sock.sendall(query[:3000])
            stuck.append(sock)
    assert rawdns.rcode(rawdns.read_message(own.makefile("rb"))) == dns.rcode.NOERROR
    signpost.wait_until(lambda: sum(map(is_open, stuck)) <= SPACES, 5 * signpost.SLOW)
    assert is_open(stuck[-1]) and sum(map(is_open, stuck)) == SPACES


# --- all of it at once

class Visitor:
    """A client that does what comes to its mind, and holds the server to the order of its answers."""

    def __init__(self, server, rng):
        self.rng, self.asked, self.sent, self.got, self.heard, self.ended = rng, 0, bytearray(), b"", 0, False
        self.sock = connect(server, f"127.0.2.{rng.randrange(1, 9)}", receive_buffer=rng.choice((None, 4096)))
        self.sock.setblocking(False)

    def ask(self):
        for _ in range(self.rng.choice((1, 2, 30))):
            kind = self.rng.randrange(8)
            if kind == 0:
                query = rawdns.query("txt.large.example.", "TXT", ident=self.asked)
            elif kind == 1:
                query = tcpclient.padded(self.rng.randrange(100, 30000), ident=self.asked)
            elif kind == 2:  # of this one nothing is heard
                self.sent += self.rng.choice((b"\0\0", b"\0\x03abc"))
                continue
            else:
                query = rawdns.query(self.rng.choice(tcpclient.NAMES), ident=self.asked)
            self.sent += rawdns.framed(query)
            self.asked = self.asked + 1 & 0xffff

    def send(self):
        count = self.rng.choice((1, 5, 600, 100000))
        del self.sent[:self.sock.send(self.sent[:count])]

    def receive(self):
        part = self.sock.recv(self.rng.choice((1, 1000, 200000)))
        if not part:
            raise ConnectionResetError
        self.got += part
        pos, at = self.heard, 0
        while len(self.got) - at >= 2 and len(self.got) - at >= (size := 2 + int.from_bytes(self.got[at:at + 2], "big")):
            assert int.from_bytes(self.got[at + 2:at + 4], "big") == pos & 0xffff
            pos, at = pos + 1, at + size
        self.heard, self.got = pos, self.got[at:]

    def leave(self):
        if self.rng.random() < 0.3:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionResetError

    def end_side(self):
        self.sock.shutdown(socket.SHUT_WR)
        self.sent, self.ended = bytearray(), True

    def act(self):
        """false: it is gone."""
        what = self.rng.random()
        try:
            if what < 0.01:
                self.leave()
            elif what < 0.02 and not self.ended:
                self.end_side()
            elif what < 0.5 and not self.ended:
                if not self.sent:
                    self.ask()
                self.send()
            else:
                self.receive()
        except BlockingIOError:
            pass
        except OSError:
            self.sock.close()
            return False
        return True


@pytest.mark.parametrize("seed", range(int(os.environ.get("VISITORS", "2"))))
def test_whatever_clients_do_the_others_get_their_answers_in_order(server, seed):
    """For a second and a half, at the cap, with short limits; the memory is bounded, and nothing is left.
    VISITORS=n in the environment: n times."""
    rng = random.Random(seed)
    tcpclient.set_limits(server, f"idle: {3 + seed % 7}00ms, lifetime: 1s, connections: 40")
    pid, visitors = server.pid("signpost-dns"), []
    end = time.monotonic() + 1.5
    try:
        while time.monotonic() < end:
            if len(visitors) < 60:
                visitors.append(Visitor(server, rng))
            visitors = [visitor for visitor in visitors if visitor.act()]
            if rng.random() < 0.01:
                assert rawdns.rcode(tcpclient.ask_anew(server, "127.0.3.1")) == dns.rcode.NOERROR
    finally:
        for visitor in visitors:
            visitor.sock.close()
    assert server.pid("signpost-dns") == pid
    wait_for_connections(server, 0)
    assert tcpclient.memory_kib(pid) < (64 << 10 if signpost.SLOW == 1 else 1 << 20)


def test_connections_leave_descriptors_for_new_images(fresh):
    """Or a stranger could keep verdicts out by opening many where few files may be open."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.start(command=("prlimit", "--nofile=150:150"))
    pid = server.pid("signpost-dns")
    assert "few files may be open" in server.log()
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connect(server)) for _ in range(400)]
        assert rawdns.rcode(ask(socks[-1])) == 0
        assert server.addresses("www.example.net") == ["192.0.2.80"]
        zone = server.zone_file("example.net.zone")
        zone.write_text(zone.read_text().replace("192.0.2.80", "192.0.2.90"))
        server.ctl("reload")
        signpost.wait_until(lambda: server.addresses("www.example.net") == ["192.0.2.90"], 5)
        assert rawdns.rcode(ask(socks[-1])) == 0
        assert server.pid("signpost-dns") == pid
