"""NSD, Knot and BIND for a test: the same zone files as Signpost has, on loopback, in a folder of the test."""

import contextlib
import os
import pathlib
import select
import shutil
import socket
import subprocess

import dns.exception
import dns.message
import dns.query

import peer_conf
import rawdns
import signpost

IDENTITY = "peers"  # what all of them say that they are
TRANSFERS = "127.0.0.2"  # the address from which zones may be transferred; to others that is refused


class Peer:
    """A name server of Debian. Its name, program and configuration are the subclass's."""

    def __init__(self, folder, zones):
        """zones: {origin: path of its file}"""
        self.folder = pathlib.Path(folder) / self.name
        self.zones = zones
        self.port = signpost.free_port()
        self.process = None

    @property
    def server(self):
        return ("127.0.0.1", self.port)

    def __enter__(self):
        self.folder.mkdir()
        config = self.folder / "conf"
        config.write_text(self.configuration())
        with open(self.folder / "log", "wb") as log:
            program = shutil.which(self.command[0], path=PATH)
            self.process = subprocess.Popen([program, *self.command[1:], str(config)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.folder)
        try:
            for origin in self.zones:
                signpost.wait_until(lambda: self.answers(origin), 20 * signpost.SLOW)
        except BaseException:
            self.__exit__()
            print(self.log())
            raise
        return self

    def answers(self, origin):
        assert self.process.poll() is None, f"{self.name} ended:\n{self.log()}"
        try:
            return dns.query.tcp(dns.message.make_query(origin, "SOA"), "127.0.0.1", port=self.port, timeout=1).answer
        except (OSError, EOFError, dns.exception.DNSException):
            return None

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Nsd(Peer):
    name = "nsd"
    command = ("nsd", "-d", "-c")

    def configuration(self):
        return peer_conf.nsd(self.folder, self.port, self.zones, f"""\
  nsid: "ascii_{IDENTITY}"
  identity: "{IDENTITY}"
  version: "{IDENTITY}"
  tcp-timeout: 120
""", f"  provide-xfr: {TRANSFERS} NOKEY\n")


class Knot(Peer):
    name = "knot"
    command = ("knotd", "-c")

    def configuration(self):
        return peer_conf.knot(self.folder, self.port, self.zones, f"""\
  nsid: {IDENTITY}
  identity: {IDENTITY}
  version: {IDENTITY}
  tcp-idle-timeout: 120
""", "    semantic-checks: off\n")


class Bind(Peer):
    name = "bind"
    command = ("named", "-f", "-n", "1", "-c")

    def configuration(self):
        zones = "".join(f'zone "{origin}" {{ type primary; file "{path}"; }};\n' for origin, path in self.zones.items())
        return f"""options {{
  directory "{self.folder}";
  pid-file "{self.folder}/pid";
  session-keyfile "{self.folder}/session.key";
  lock-file none;
  listen-on port {self.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  server-id "{IDENTITY}";
  hostname "{IDENTITY}";
  version "{IDENTITY}";
  recursion no;
  minimal-responses no;
  empty-zones-enable no;
  dnssec-validation no;
  notify no;
  rrset-order {{ order none; }};
  allow-transfer {{ none; }};
  check-names primary ignore;
  check-integrity no;
  tcp-idle-timeout 1200;
  max-records-per-type 0;
  max-types-per-name 0;
}};
controls {{ }};
logging {{ category default {{ default_stderr; }}; }};
{zones}"""


PEERS = (Nsd, Knot, Bind)
PATH = os.environ.get("PATH", "") + ":/usr/sbin"  # where Debian has them, and users do not look


def missing():
    """Packages that this needs and this host has not."""
    return [kind.name for kind in PEERS if shutil.which(kind.command[0], path=PATH) is None]


# --- asking a lot

def with_id(number, query):
    return number.to_bytes(2, "big") + query[2:]


def ask_udp(server, queries, window=64, tries=5, timeout=1.0):
    """queries: messages in wire form, whose ids are overwritten. Answers in the same order; None
    where there is none. The next window's ids are others: of what was asked twice, the second answer
    may come late."""
    answers = [None] * len(queries)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.connect(server)
        for start in range(0, len(queries), window):
            pending = set(range(start, min(start + window, len(queries))))
            for _ in range(tries):
                for number in sorted(pending):
                    sock.send(with_id(number & 0xffff, queries[number]))
                while pending and select.select([sock], [], [], timeout)[0]:
                    data = sock.recv(65535)
                    number = start + (int.from_bytes(data[:2], "big") - start & 0xffff)
                    if number in pending:
                        pending.remove(number)
                        answers[number] = data
                if not pending:
                    break
    return answers


def ask_one_tcp(server, query, timeout):
    with contextlib.suppress(OSError), socket.create_connection(server, timeout) as sock:
        sock.sendall(rawdns.framed(query))
        return rawdns.read_message(sock.makefile("rb"))
    return None


def ask_tcp(server, queries, window=64, timeout=10):
    """As ask_udp, `window` at a time on one connection; what that one is not answered, as when the
    peer ends it, is asked once more on a connection of its own."""
    answers = [None] * len(queries)
    for start in range(0, len(queries), window * 16):
        with contextlib.suppress(OSError), socket.create_connection(server, timeout) as sock:
            stream = sock.makefile("rb")
            for first in range(start, min(start + window * 16, len(queries)), window):
                numbers = range(first, min(first + window, len(queries)))
                sock.sendall(b"".join(rawdns.framed(with_id(n - start, queries[n])) for n in numbers))
                for _ in numbers:
                    data = rawdns.read_message(stream)
                    if not data:
                        raise ConnectionError
                    answers[start + int.from_bytes(data[:2], "big")] = data
    for number, query in enumerate(queries):
        if answers[number] is None:
            answers[number] = ask_one_tcp(server, with_id(number & 0xffff, query), timeout)
    return answers
