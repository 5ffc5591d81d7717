"""Servers that do what no server should, for tests of probes: badservers.py FOLDER PORT.

Each address of BY_TCP and BY_UDP behaves in one way, at this port. FOLDER has good.crt and good.key."""

import contextlib
import itertools
import os
import socket
import ssl
import struct
import sys
import threading
import time

GO_ON_S = 3  # longer than any probe waits


def until_closed(connection, chunks, pause=0.0, go_on_s=GO_ON_S):
    """Says all of that, as fast as it is read, or with pauses."""
    end = time.monotonic() + go_on_s
    with contextlib.suppress(OSError):
        for chunk in chunks:
            connection.sendall(chunk)
            if time.monotonic() > end:
                return
            time.sleep(pause)


def http(connection, head, body=(), pause=0.0):
    with contextlib.suppress(OSError):
        connection.recv(4096)
        until_closed(connection, itertools.chain([b"HTTP/1.1 " + head], body), pause)


def tls(connection, chunks):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("good.crt", "good.key")
    with contextlib.suppress(OSError, ValueError):
        with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True) as secured:
            until_closed(secured, chunks, go_on_s=GO_ON_S * 30)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_tls(connection):
    with contextlib.suppress(OSError):
        connection.recv(4096)
        connection.sendall(b"\x16\x03\x03\x10\x00\x02\x00\x0f\xfc\x03\x03" + os.urandom(50))
        reset(connection)


CHUNK = b"x" * 16384
OK = b"200 OK\r\n"
BY_TCP = {
    "127.96.1.1": lambda c: time.sleep(GO_ON_S),
    "127.96.1.2": lambda c: None,
    "127.96.1.3": reset,
    "127.96.1.4": lambda c: until_closed(c, itertools.repeat(CHUNK)),
    "127.96.1.5": lambda c: until_closed(c, itertools.repeat(bytes(16384))),
    "127.96.1.6": lambda c: until_closed(c, itertools.repeat(b">"), 0.02),
    "127.96.1.7": lambda c: until_closed(c, itertools.repeat(b">INFO:no end\r\n" * 1000)),
    "127.96.1.8": lambda c: http(c, OK, (b"X-%d: \033[2J\033]0;owned\007\xff\r\n" % n for n in itertools.count())),
    "127.96.1.9": lambda c: http(c, OK + b"\033]0;owned\007: \xc2\x9b2J\r\n\r\n", itertools.repeat(CHUNK)),
    "127.96.1.10": lambda c: http(c, OK + b"Transfer-Encoding: chunked\r\n\r\n", itertools.repeat(b"1\r\nx\r\n")),
    "127.96.1.11": lambda c: http(c, OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40),
    "127.96.1.12": lambda c: http(c, OK + b"Content-Length: 100\r\n\r\nhalf", [], 0),
    "127.96.1.13": lambda c: http(c, OK + b"Content-Length: -1\r\nContent-Length: 9999999999999999999999\r\n\r\n"),
    "127.96.1.14": lambda c: http(c, b"100 Continue\r\n\r\n", itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "127.96.1.15": lambda c: http(c, OK + b"\r\n", (b'm{a="%d"} %s\n' % (n, v) for n, v in enumerate(
        itertools.cycle([b"+Inf", b"NaN", b"-1e308", b"1e308", b"0x1p1023"])))),
    "127.96.1.16": lambda c: http(c, b"301 Away\r\nLocation: file:///etc/passwd\r\n\r\n"),
    "127.96.1.17": lambda c: tls(c, itertools.repeat(CHUNK)),
    "127.96.1.18": lambda c: tls(c, [OK]),
    "127.96.1.19": cut_tls,
    "127.96.1.20": lambda c: until_closed(c, [b"\xff\xff" + CHUNK * 10]),
    "127.96.1.21": lambda c: until_closed(c, [b"up 99999999999999999999% drain#\033[31m\"\\\xff\xfe\r\n"]),
    "127.96.1.22": lambda c: until_closed(c, [b"SUCCESS: nclients=99999999999999,bytesin=-1\r\n"]),
}


def echo(sock, data, peer):
    sock.sendto(data, peer)


def flood(sock, data, peer):
    answer = bytearray(data or b"x")
    end = time.monotonic() + GO_ON_S
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            sock.sendto(answer, peer)


def garbage(sock, data, peer):
    """The answer's beginning, and of all lengths."""
    for length in itertools.chain(range(0, 200), (512, 1500, 9000, 65000)):
        for first in (data[:1], b"\x40", b"\x02", b"\x03"):
            sock.sendto((first + data[1:28] + os.urandom(length))[:length], peer)


BY_UDP = {"127.96.2.1": echo, "127.96.2.2": flood, "127.96.2.3": garbage, "127.96.2.4": lambda *_: None}


def run(behave, connection):
    with connection:
        with contextlib.suppress(OSError):
            behave(connection)


def serve_tcp(address, port, behave):
    listener = socket.create_server((address, port), backlog=128)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=run, args=(behave, connection), daemon=True).start()


def serve_udp(address, port, behave):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    while True:
        with contextlib.suppress(OSError):
            data, peer = sock.recvfrom(65535)
            behave(sock, data, peer)


def main():
    os.chdir(sys.argv[1])
    for serve, behaviours in ((serve_tcp, BY_TCP), (serve_udp, BY_UDP)):
        for address, behave in behaviours.items():
            threading.Thread(target=serve, args=(address, int(sys.argv[2]), behave), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
