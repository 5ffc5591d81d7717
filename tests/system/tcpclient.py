"""TCP clients, good and bad, for the tests of RFC 7766, RFC 7828 and of the limits."""

import contextlib
import json
import os
import pathlib
import re
import resource
import select
import socket

import rawdns
import signpost

TXT_OCTETS = 64000  # of the largest answer, txt.large.example
NAMES = ("www.example.net.", "vpn.example.net.", "nothing.example.net.", "host.lab.example.net.", "example.net.")
KEEPALIVE = 11  # the option's code (RFC 7828, 3.1)
QUERY = rawdns.framed(rawdns.query("www.example.net."))
KEEPALIVE_QUERY = rawdns.framed(rawdns.query("www.example.net.", opt=rawdns.option(KEEPALIVE, b"")))
LARGE = rawdns.framed(rawdns.query("txt.large.example.", "TXT"))


@contextlib.contextmanager
def running(limits=""):
    """A Signpost of one worker, so that it is known which limit counts a connection, with all nodes up, so that
    a query has the same answer now and later. limits: as in the server file, "idle: 1s, connections: 20"."""
    with signpost.world() as (server, nodes):
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        text = server.config.read_text()
        assert "workers: 2" in text
        server.config.write_text(text.replace("workers: 2", "workers: 1") + f"\ntcp: {{ {limits} }}\n" * bool(limits))
        server.zone_file("large.example.zone").write_text(
            "$TTL 60\n@ IN SOA ns hostmaster 1 2 3 4 5\n@ IN NS ns\nns IN A 192.0.2.1\n"
            "txt IN TXT " + " ".join(f'"{"x" * 249}{i:06}"' for i in range(TXT_OCTETS // 256)) + "\n"
            + "".join(f"a IN A 198.51.{i // 250}.{i % 250}\n" for i in range(100)))
        server.start()
        yield server


def set_limits(server, limits):
    """By a reload; returns when they hold, which the announced idle timeout tells: it has to be new. Where
    few connections may be, 0 is announced, before the reload and after it."""
    text = re.sub(r"\ntcp: .*\n", "", server.config.read_text())
    server.config.write_text(f"{text}\ntcp: {{ {limits} }}\n")
    amount, unit = re.search(r"idle: (\d+)(ms|s|h)", limits).groups()
    wanted = int(amount) * {"ms": 1, "s": 1000, "h": 3600000}[unit]
    signpost.wait_until(lambda: json.loads(server.ctl("--json", "reload").stdout).get("served", True), 10 * signpost.SLOW)
    signpost.wait_until(lambda: announced(server) in (wanted // 100, 0), 10 * signpost.SLOW)


def connect(server, source="127.0.0.1", receive_buffer=None):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(10 * signpost.SLOW)
    sock.bind((source, 0))
    sock.connect(server.server)
    return sock


def ask(sock, query=QUERY):
    """The answer's octets; None: the server has ended the connection."""
    sock.sendall(query)
    with sock.makefile("rb") as stream:
        return rawdns.read_message(stream)


def options(message):
    """Of the answer's OPT record, which is the last one and, but for them, the 11 octets before."""
    found, rest = {}, message[message.rindex(b"\0\0\x29\x04\xd0") + 11:]
    while rest:
        code, length = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
        found[code], rest = rest[4:4 + length], rest[4 + length:]
    return found


def announced_by(sock):
    """The idle timeout in units of 100 ms."""
    answer = ask(sock, KEEPALIVE_QUERY)
    return int.from_bytes(options(answer)[KEEPALIVE], "big")


def ask_anew(server, source="127.0.0.1", query=QUERY):
    """By a connection of its own; once more where that was idle for too long before it came to ask."""
    for _ in range(5):
        with contextlib.suppress(OSError), connect(server, source) as sock:
            answer = ask(sock, query)
            if answer is not None:
                return answer
    return None


def announced(server):
    answer = ask_anew(server, query=KEEPALIVE_QUERY)
    return int.from_bytes(options(answer)[KEEPALIVE], "big")


def is_open(sock):
    """After everything that came was read."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    try:
        return not poll.poll(0) or sock.recv(1, socket.MSG_PEEK) != b""
    except ConnectionResetError:
        return False


def queries(count, start=0):
    return [rawdns.query(NAMES[i % len(NAMES)], ident=i & 0xffff, opt=rawdns.subnet("192.0.2.0/24"))
            for i in range(start, start + count)]


def idents(stream, count):
    return [int.from_bytes(rawdns.read_message(stream)[:2], "big") for _ in range(count)]


def padded(size, ident=1):
    """A query of `size` octets (RFC 7830)."""
    bare = len(rawdns.query("www.example.net.", opt=b""))
    return rawdns.query("www.example.net.", ident=ident, opt=rawdns.option(12, bytes(size - bare - 4)))


def memory_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def sockets_of(pid):
    """How many it has open; of other descriptors, an image that is just being taken is one."""
    count = 0
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(descriptor).startswith("socket:")
    return count


def need_descriptors(count):
    """Raises this process's own limit. false: it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return count <= hard
