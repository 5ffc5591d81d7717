"""Random and damaged packets, over both transports: no report of a sanitizer (the fixture reads
the log for them), the data plane is not restarted and needs no more memory, and a proper question is
answered all the while.

SIGNPOST_PACKETS is how many: 100,000 if it says nothing; a million take a few minutes. The
in-process test beside this one (answer-fuzz) sends three million to the same function."""

import contextlib
import json
import os
import random
import re
import select
import socket

import dns.rcode
import pytest

import fastdns
import malformed
import rawdns
import signpost

COUNT = int(os.environ.get("SIGNPOST_PACKETS", "100000"))
WARM = 10_000  # after so many of them, each path was walked and each buffer used
GROWTH_KIB = 256  # allowed from then on: a page of a table here and there, but no octet a packet


def seeds():
    """Every row of the table in signpost-dns(8), and what steers."""
    rows = [message for row in malformed.ROWS for message in malformed.messages(row) if message]
    rows += [fastdns.query(1, name, rrtype, None) for rrtype in ("A", "AAAA")
             for name in ("vpn.example.net", "www.example.net", "x.lab.example.net")]
    rows += [rawdns.query("vpn.example.net.", opt=rawdns.subnet(network)) for network in ("133.11.0.0/24", "2001:db8::/56")]
    assert len(rows) > 500
    return rows


def packets(rng, count):
    rows = seeds()
    for number in range(count):
        if number % 16 == 0:
            yield rng.randbytes(rng.randrange(0, 600))
            continue
        packet = bytearray(rng.choice(rows))
        for _ in range(rng.randrange(0, 6)):
            packet[rng.randrange(len(packet))] = rng.getrandbits(8)
        if number % 8 == 1:
            packet = packet[:rng.randrange(len(packet))]
        elif number % 8 == 2:
            packet += rng.choice(rows)[12:]  # another one's records behind its own
        yield bytes(packet)


def memory_kib(pid):
    """What the process has for itself: all but the images, whose pages count as private where nobody else has them mapped."""
    total, counts = 0, False
    with open(f"/proc/{pid}/smaps", encoding="ascii") as mappings:
        for line in mappings:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                counts = "/memfd:" not in line
            elif counts and line.startswith(("Private_Dirty:", "Swap:")):
                total += int(line.split()[1])
    return total


class Flat:
    """The same process, with the same memory as when it was warm."""

    def __init__(self, server):
        self.server = server
        self.pid = server.pid("signpost-dns")
        self.queries = self.count_queries()
        self.memory = None

    def count_queries(self):
        counters = json.loads(self.server.ctl("--json", "status").stdout)["counters"]
        return counters["queries_udp"] + counters["queries_tcp"]

    def warm(self):
        self.memory = memory_kib(self.pid)

    def check(self, sent):
        still_answering(self.server)
        assert self.count_queries() >= self.queries + sent, "each was read"
        assert self.server.pid("signpost-dns") == self.pid, "the data plane was restarted"
        now = memory_kib(self.pid)
        print(f"memory: {self.memory} KiB when warm, {now} KiB at the end")
        if signpost.SLOW == 1:  # a sanitizer's quarantine grows by design
            assert now <= self.memory + GROWTH_KIB, f"{self.memory} -> {now} KiB"


def still_answering(server):
    assert server.ask("vpn.example.net", "A", "133.11.0.0/24").rcode() == dns.rcode.NOERROR
    assert server.ask("vpn.example.net", "A", "133.11.0.0/24", tcp=True).rcode() == dns.rcode.NOERROR


def keep_in_step(sock):
    """One socket's datagrams go to one worker, in their order: it has read them all when it answers the last one."""
    last = fastdns.query(0xfffe, "ns1.example.net", "A", None)
    sock.send(last)
    while select.select([sock], [], [], 5 * signpost.SLOW)[0]:
        answer = sock.recv(65535)
        assert answer[2] & 0x80, "an answer has QR set"
        if answer[:2] + answer[12:len(last)] == last[:2] + last[12:]:
            return
    raise AssertionError("the last one was not answered")


def test_random_datagrams(sample):
    flat = Flat(sample)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(sample.server)
        sock.setblocking(False)
        for number, packet in enumerate(packets(random.Random(1), COUNT)):
            sock.send(packet)
            if number % 100 == 99:
                keep_in_step(sock)
            if number % 20_000 == 0:
                still_answering(sample)
            if number == WARM:
                flat.warm()
    flat.check(COUNT)


def send_stream(server, octets):
    with socket.create_connection(server, timeout=5 * signpost.SLOW) as sock:
        with contextlib.suppress(OSError):  # the server may hang up on what it cannot read
            sock.sendall(octets)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass


@pytest.mark.parametrize("framed", [True, False])
def test_random_streams(sample, framed):
    """framed: each packet behind its own length, as TCP wants it; else lengths are random too."""
    flat = Flat(sample)
    batch = []
    for number, packet in enumerate(packets(random.Random(2), COUNT // 5)):
        batch.append(rawdns.framed(packet) if framed else packet)
        if len(batch) == 50:
            send_stream(sample.server, b"".join(batch))
            batch = []
        if number == WARM:
            flat.warm()
    flat.check(COUNT // 5 if framed else 0)


def test_answers_are_never_answered(sample):
    query = bytearray(fastdns.query(9, "vpn.example.net", "A", None))
    query[2] |= 0x80
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(sample.server)
        sock.settimeout(0.5)
        sock.send(bytes(query))
        with pytest.raises(socket.timeout):
            sock.recv(512)
