"""Random and damaged packets, over both transports: no report of a sanitizer (the fixture reads
the log for them), nothing is lost, and a proper question is answered all the while.

The in-process test beside this one (answer-fuzz) sends a million to the same function."""

import random
import socket
import struct

import dns.message
import dns.rcode
import pytest

import fastdns
import signpost

COUNT = 100_000


def packets(rng, count):
    seeds = [fastdns.query(1, name, rrtype, None) for name in ("vpn.example.net", "www.example.net", "x.lab.example.net")
             for rrtype in ("A", "AAAA")]
    seeds.append(dns.message.make_query("vpn.example.net", "A", use_edns=0).to_wire())
    for number in range(count):
        if number % 4 == 0:
            yield rng.randbytes(rng.randrange(0, 600))
            continue
        packet = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 6)):
            packet[rng.randrange(len(packet))] = rng.getrandbits(8)
        if number % 8 == 1:
            packet = packet[:rng.randrange(len(packet))]
        yield bytes(packet)


def pid_and_memory(server):
    pid = server.pid("signpost-dns")
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return pid, int(next(line for line in status if line.startswith("VmRSS:")).split()[1])


def still_answering(server):
    assert server.ask("vpn.example.net", "A", "133.11.0.0/24").rcode() == dns.rcode.NOERROR
    assert server.ask("vpn.example.net", "A", "133.11.0.0/24", tcp=True).rcode() == dns.rcode.NOERROR


def test_random_datagrams(sample):
    rng = random.Random(1)
    pid, memory = pid_and_memory(sample)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(sample.server)
        sock.setblocking(False)
        for number, packet in enumerate(packets(rng, COUNT)):
            sock.send(packet)
            if number % 50 == 49:  # keep in step, so that the server reads them all
                try:
                    while True:
                        reply = sock.recv(65535)
                        assert reply[2] & 0x80, "an answer has QR set"
                except BlockingIOError:
                    pass
            if number % 20_000 == 0:
                still_answering(sample)
    still_answering(sample)
    now_pid, now_memory = pid_and_memory(sample)
    assert now_pid == pid, "the data plane was never restarted"
    if signpost.SLOW == 1:  # a sanitizer's quarantine grows by design
        assert now_memory < memory + 4096, f"{memory} -> {now_memory} KiB"


@pytest.mark.parametrize("framed", [True, False])
def test_random_streams(sample, framed):
    """framed: each packet behind its own length, as TCP wants it; else lengths are random too."""
    rng = random.Random(2)
    pid, _ = pid_and_memory(sample)
    batch = []
    for packet in packets(rng, COUNT // 10):
        batch.append(struct.pack("!H", len(packet)) + packet if framed else packet)
        if len(batch) < 50:
            continue
        with socket.create_connection(sample.server, timeout=5) as sock:
            try:
                sock.sendall(b"".join(batch))
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            except OSError:
                pass  # the server may hang up on what it cannot read
        batch = []
    still_answering(sample)
    assert pid_and_memory(sample)[0] == pid


def test_answers_are_never_answered(sample):
    query = bytearray(fastdns.query(9, "vpn.example.net", "A", None))
    query[2] |= 0x80
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(sample.server)
        sock.settimeout(0.5)
        sock.send(bytes(query))
        with pytest.raises(socket.timeout):
            sock.recv(512)
