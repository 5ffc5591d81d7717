"""A process ends: what is answered meanwhile, and what the others do."""

import contextlib
import os
import re
import select
import signal
import socket
import sqlite3
import struct
import threading
import time

import pytest

import signpost

NAME = "vpn.example.net"


class Load:
    """Steady queries, each with a number of its own, sent whether or not answers come. Behind the last of each socket
    comes LAST: a socket's queries are read in their order, so what is answered by then is not lost."""

    LAST = 0xFFFF

    def __init__(self, server, per_second, sockets=128):  # each has room for some hundred answers
        import fastdns
        import ipaddress
        self.per_second = per_second
        self.template = fastdns.query(0, NAME, "A", ipaddress.ip_network("133.11.0.0/24"))
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(sockets)]
        self.sent = [0] * sockets
        self.lost = None
        self.servfail = 0
        self._answered = [set() for _ in range(sockets)]
        self._end = False
        for sock in self.sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.connect(server)
            sock.setblocking(False)

    def __enter__(self):
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for thread in self._threads:
            thread.start()
        return self

    def _ask(self, which, number):
        self.sockets[which].send(struct.pack("!H", number) + self.template[2:])

    def _send(self):
        start = time.monotonic()
        total = 0
        while not self._end:
            due = int((time.monotonic() - start) * self.per_second)
            while total < due:
                which = total % len(self.sockets)
                self._ask(which, self.sent[which])
                self.sent[which] += 1
                total += 1
            time.sleep(0.002)
        for which in range(len(self.sockets)):
            self._ask(which, self.LAST)

    def _receive(self):
        poll = select.epoll()
        which = {}
        for number, sock in enumerate(self.sockets):
            poll.register(sock, select.EPOLLIN)
            which[sock.fileno()] = number
        until = None
        while until is None or time.monotonic() < until:
            ready = poll.poll(0.1)
            for fd, _ in ready:
                number = which[fd]
                with contextlib.suppress(BlockingIOError):
                    while True:
                        head = self.sockets[number].recv(2048)[:4]
                        if head[3] & 15 == 2:
                            self.servfail += 1
                        self._answered[number].add(struct.unpack("!H", head[:2])[0])
            if self._end and not ready and self._have_all_ended():
                return
            if self._end and until is None:
                until = time.monotonic() + 20 * signpost.SLOW

    def _have_all_ended(self):
        return all(self.LAST in answered for answered in self._answered)

    def __exit__(self, *_):
        self._end = True
        for thread in self._threads:
            thread.join()
        assert max(self.sent) < self.LAST, "each socket's ids are used once"
        assert self._have_all_ended(), "what came last was not answered"
        self.lost = sum(self.sent) + len(self.sockets) - sum(len(answered) for answered in self._answered)
        for sock in self.sockets:
            sock.close()


def transitions(server):
    """[(node, to)] in order of time; a moment behind the log."""
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/state/signpost.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT node, to_status FROM transitions ORDER BY id").fetchall()


def test_death_of_the_control_plane_changes_no_answer_and_no_status(sample):
    sample.nodes.stop("127.10.5.1")
    signpost.wait_until(lambda: transitions(sample)[-1:] == [("edge/lon-1", "down")], 15 * signpost.SLOW)
    before = transitions(sample)
    answer = ["127.10.5.2"]
    signpost.wait_until(lambda: sample.addresses(NAME, "A", "163.1.0.0/24") == answer, 5 * signpost.SLOW)
    with Load(sample.server, 1000) as load:
        old = sample.kill("signpost-control")
        sample.wait_new("signpost-control", old)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            assert sample.addresses(NAME, "A", "163.1.0.0/24") == answer
            time.sleep(0.1)
    assert (load.lost, load.servfail) == (0, 0)
    assert transitions(sample) == before, "a restart is no reason to change a node's status"
    sample.nodes.start("127.10.5.1")
    signpost.wait_until(lambda: len(transitions(sample)) > len(before), 15 * signpost.SLOW)


def test_death_of_the_data_plane_loses_one_batch_at_most(sample):
    """Queries wait in the sockets, which the supervisor holds; only what the dead process had
    already read is gone: at most one batch of 32 for each of two workers."""
    time.sleep(10)  # a first end in ten seconds is answered by a start at once
    with Load(sample.server, 20000 // signpost.SLOW) as load:
        time.sleep(1)
        old = sample.kill("signpost-dns")
        sample.wait_new("signpost-dns", old)
        time.sleep(1)
    assert load.servfail == 0
    assert load.lost <= 64, f"{load.lost} of {sum(load.sent)} queries were lost"


def test_data_plane_answers_while_there_is_no_control_plane(sample):
    """Control is stopped, not killed: nobody starts another one."""
    pid = sample.kill("signpost-control", signal.SIGSTOP)
    try:
        old = sample.kill("signpost-dns")
        sample.wait_new("signpost-dns", old)
        signpost.wait_until(lambda: sample.addresses(NAME, "A", "134.109.0.0/24"), 5)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_supervisor_says_what_happened(sample):
    old = sample.kill("signpost-dns")
    sample.wait_new("signpost-dns", old)
    signpost.wait_until(lambda: f"process ended process=signpost-dns pid={old} signal=9" in sample.log(), 5)


def test_process_that_ends_in_order_is_not_killed(sample):
    """Its channel ends a moment before it does."""
    signpost.wait_until(lambda: sample.ctl("status", check=False).returncode == 0, 10 * signpost.SLOW)
    old = sample.kill("signpost-control", signal.SIGTERM)
    sample.wait_new("signpost-control", old)
    signpost.wait_until(lambda: f"process ended process=signpost-control pid={old} " in sample.log(), 5)
    assert f"process ended process=signpost-control pid={old} status=0" in sample.log()


def test_children_end_with_their_supervisor(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.start()
    children = [server.pid("signpost-dns"), server.pid("signpost-control")]
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.process = None
    signpost.wait_until(lambda: not any(is_alive(pid) for pid in children), 5 * signpost.SLOW)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return "State:\tZ" not in status.read()
    except FileNotFoundError:
        return False


def test_sigterm_ends_everything_with_status_zero(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.start()
    children = [server.pid("signpost-dns"), server.pid("signpost-control")]
    assert server.stop() == 0
    assert not any(is_alive(pid) for pid in children)


def test_port_in_use_is_named_with_what_to_do(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(server.server)
        server.start(wait=False)
        assert server.process.wait(20) == 1
    assert f"listen 127.0.0.1:{server.port} udp" in server.log()
    assert "another program has this port" in server.log()
    server.process = None


def test_last_good_world_is_served_at_the_next_start(fresh):
    """Zones that broke while nothing ran: what was good is on disk, and is answered."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    server.start()
    answer = server.addresses(NAME, "A", "133.11.0.0/24")
    server.stop()
    server.zone_file("example.net.zone").write_text("not a zone\n")
    server.start()
    assert server.addresses(NAME, "A", "133.11.0.0/24") == answer


def test_without_any_world_the_answer_is_servfail_and_the_status_says_so(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.zone_file("example.net.zone").write_text("not a zone\n")
    server.start()
    assert server.ask(NAME).rcode() == 2
    assert "there is no world to serve" in server.log()
    # The operator mends the file; no restart is needed.
    server.zone_file("example.net.zone").write_text(
        (signpost.SOURCE / "zones/example.net.zone").read_text())
    server.process.send_signal(signal.SIGHUP)
    signpost.wait_until(lambda: server.ask(NAME).rcode() == 0, 10 * signpost.SLOW)


def test_sighup_reloads_and_tells_the_service_manager(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.start()
    zone = server.zone_file("example.net.zone")
    zone.write_text(zone.read_text().replace("192.0.2.25", "192.0.2.26"))
    server.process.send_signal(signal.SIGHUP)
    server.wait_notified("RELOADING=1", 5 * signpost.SLOW)
    server.wait_notified("READY=1", 10 * signpost.SLOW)
    signpost.wait_until(lambda: server.addresses("mail.example.net") == ["192.0.2.26"], 5)


@pytest.mark.parametrize("program", ["signpost-dns", "signpost-control"])
def test_child_that_keeps_ending_is_started_less_and_less_often(fresh, program):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.start()
    starts = []
    for _ in range(3):
        start = time.monotonic()
        old = server.kill(program)
        server.wait_new(program, old)
        starts.append(time.monotonic() - start)
    assert re.findall(rf"started again after a pause process={program} pause_ms=(\d+)", server.log()) == ["100", "1000"]
    assert starts[1] >= 0.1 and starts[2] >= 1


@pytest.mark.parametrize("signum", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE])
def test_signals_that_mean_nothing_here_end_nothing(sample, signum):
    sample.process.send_signal(signum)
    time.sleep(0.2)
    assert sample.process.poll() is None
    assert sample.addresses(NAME, "A", "133.11.0.0/24")
