"""A real Signpost for a test: its files, its processes, its answers.

Everything is on loopback, on ports that were free a moment ago, in a folder of its own; what is
started is ended by its process id.
"""

import contextlib
import functools
import itertools
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SIGNPOST_BUILD", SOURCE / "build")).resolve()
SLOW = 10 if "asan" in BUILD.name else 1  # how much more time a sanitized build gets

PROGRAMS = ("signpostd", "signpost-dns", "signpost-control", "signpost-compile", "signpost-run")

SITES = {  # of the sample: number, and the code in its nodes' names
    "tokyo": (1, "tyo"), "singapore": (2, "sin"), "sydney": (3, "syd"), "frankfurt": (4, "fra"),
    "london": (5, "lon"), "newyork": (6, "nyc"), "sanfrancisco": (7, "sfo"), "saopaulo": (8, "gru"),
}


PORTS = 512  # that a run of tests has for itself


@functools.cache
def own_ports():
    """Ports that no other run of tests hands out, each in its turn, and what keeps them ours; None: there are few."""
    given_away = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    blocks = range(10000, given_away - PORTS, PORTS)
    for first in random.sample(blocks, len(blocks)):
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):  # another run has these
            mark.bind(f"\0signpost-test-ports-{first}")
            return itertools.cycle(range(first, first + PORTS)), mark
        mark.close()
    return None


def free_port():
    """A port that is free for UDP and TCP on 127.0.0.1, that the kernel gives to nobody who asks for any port (else a
    connection may have it before the server does for which it is meant), and that no other run gives to nodes on
    further addresses of loopback."""
    own = own_ports()
    for _ in range(PORTS):
        port = next(own[0]) if own else 0
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", port))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no free port")


def wait_until(what, timeout, every=0.02):
    """Calls what() until it returns something true, which is returned."""
    end = time.monotonic() + timeout
    while True:
        result = what()
        if result:
            return result
        assert time.monotonic() < end, f"not within {timeout} s: {getattr(what, '__doc__', None) or what}"
        time.sleep(every)


class Nodes:
    """VPN nodes as a TCP probe sees them: addresses that accept connections, or do not."""

    def __init__(self, port):
        self.port = port
        self._listening, self._by_fd = {}, {}
        self._poll = select.epoll()
        self._ended = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while not self._ended:
            for fd, _ in self._poll.poll(0.2):
                with contextlib.suppress(OSError, KeyError):  # it was stopped meanwhile
                    self._by_fd[fd].accept()[0].close()

    def start(self, *addresses):
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind((address, self.port))
            listener.listen(64)
            self._listening[address] = self._by_fd[listener.fileno()] = listener
            self._poll.register(listener, select.EPOLLIN)

    def stop(self, *addresses):
        for address in addresses:
            listener = self._listening.pop(address)
            self._poll.unregister(listener)
            del self._by_fd[listener.fileno()]
            listener.close()

    def close(self):
        self._ended = True
        self._thread.join()
        self.stop(*list(self._listening))
        self._poll.close()


# Nodes that come back have all of their clients again; test_ramp.py is about the others.
AT_ONCE = "defaults: { ramp: { time: 0s } }\n"


def sample_addresses():
    return [f"127.10.{site}.{node}" for site, _ in SITES.values() for node in (1, 2)]


def open_to_everybody(path):
    """May any user reach it? A checkout below /root, say, is root's alone."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


class Signpost:
    """signpostd on the files in self.folder, which the test writes before start()."""

    def __init__(self, folder, user="root"):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.user = user
        self.process = None
        self.notified = []
        self._notify = None
        self.log_path = self.folder / "log"
        self.programs, self.geoip = BUILD, SOURCE / "geoip"
        (self.folder / "zones").mkdir(exist_ok=True)

    def let_other_users_read(self):
        """For tests in which another user than the one who runs them needs programs and data."""
        if not open_to_everybody(BUILD):
            self.programs = self.folder / "programs"
            self.programs.mkdir()
            for name in PROGRAMS:
                shutil.copy(BUILD / name, self.programs)
        if not open_to_everybody(self.geoip):
            self.geoip = pathlib.Path(shutil.copytree(self.geoip, self.folder / "geoip"))
        return self

    # --- files

    @property
    def config(self):
        return self.folder / "signpost.yaml"

    def zone_file(self, name):
        return self.folder / "zones" / name

    def write_server_file(self, sites, extra=""):
        lines = "".join(f"  {name}: {{ location: [{lat}, {lon}] }}\n" for name, (lat, lon) in sites.items())
        self.config.write_text(
            f'listen: ["127.0.0.1:{self.port}"]\n'
            "zones: zones\nstate: state\nrun: run\nworkers: 2\n"
            f"user: {self.user}\n{extra}"
            f"geoip:\n  databases: [{self.geoip}/country.mmdb]\n  countries: {self.geoip}/countries.tsv\n"
            f"sites:\n{lines}{'' if 'defaults:' in extra else AT_ONCE}"
        )

    def use_sample(self, node_port):
        """The sample's own files; only ports and folders differ, and that there are no ramps."""
        text = (SOURCE / "zones/signpost.yaml").read_text()
        for pattern, new in (
            (r"^listen:.*$", f'listen: ["127.0.0.1:{self.port}"]\nworkers: 2'),
            (r"^zones:.*$", "zones: zones"),
            (r"^state:.*$", "state: state"),
            (r"^run:.*$", "run: run"),
            (r"^user:.*$", f"user: {self.user}"),
            (r"\.\./geoip/", f"{self.geoip}/"),
        ):
            text, changed = re.subn(pattern, new, text, flags=re.MULTILINE)
            assert changed, f"the sample has no {pattern}"
        self.config.write_text(text + AT_ONCE)
        shutil.copy(SOURCE / "zones/example.net.zone", self.folder / "zones")
        pool = (SOURCE / "zones/edge.pool.yaml").read_text()
        assert "port: 5191" in pool
        self.zone_file("edge.pool.yaml").write_text(pool.replace("port: 5191", f"port: {node_port}"))

    # --- processes

    def start(self, wait=True, command=(), programs=None, log=None):
        """log: a descriptor for what it says, instead of the file that self.log() reads."""
        path = str(self.folder / "notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.notified = []
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(path)
        self._notify.setblocking(False)
        os.chmod(path, 0o777)
        with open(self.log_path, "ab") as file:
            self.process = subprocess.Popen(
                [*command, str((programs or self.programs) / "signpostd"), "-c", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log or file, stderr=log or file, cwd="/",
                env={**os.environ, "NOTIFY_SOCKET": path})
        if wait:
            self.wait_notified("READY=1", 20 * SLOW)
        return self

    def wait_notified(self, line, timeout):
        """Waits for a line of sd_notify(3); what was told before it is returned and forgotten, what came
        behind it is still to be waited for."""
        def told():
            with contextlib.suppress(BlockingIOError):
                while True:
                    self.notified += self._notify.recv(65536).decode().splitlines()
            assert self.process.poll() is None, f"signpostd ended:\n{self.log()}"
            return line in self.notified
        try:
            wait_until(told, timeout)
        except AssertionError as error:
            raise AssertionError(f"no {line} from signpostd: {error}\n{self.log()}") from None
        at = self.notified.index(line)
        before, self.notified = self.notified[:at], self.notified[at + 1:]
        return before

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def pid(self, name):
        """Of signpostd's child with this name; None: it is not running."""
        try:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except FileNotFoundError:
            return None
        for pid in children.split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                if status.startswith(f"Name:\t{name[:15]}\n") and "State:\tZ" not in status:
                    return int(pid)
        return None

    def starved_ms(self, name):
        """How long the machine has kept it waiting for a processor since it was started (its first thread)."""
        return int(pathlib.Path(f"/proc/{self.pid(name)}/schedstat").read_text().split()[1]) / 1e6

    def kill(self, name, signum=signal.SIGKILL):
        """Returns the pid that was killed."""
        pid = self.pid(name)
        os.kill(pid, signum)
        return pid

    def wait_new(self, name, old_pid, timeout=10):
        return wait_until(lambda: (self.pid(name) or old_pid) != old_pid and self.pid(name), timeout * SLOW)

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"signpostd did not end within 20 s:\n{self.log()}") from None
        finally:
            self._notify.close()
            self.process = None

    def ctl(self, *arguments, check=True, timeout=60):
        done = subprocess.run([BUILD / "signpostctl", "--run", self.folder / "run", *arguments],
                              capture_output=True, text=True, timeout=timeout, cwd=self.folder)
        assert not check or done.returncode == 0, f"signpostctl {arguments}: {done.stdout}{done.stderr}"
        return done

    # --- questions

    @property
    def server(self):
        return ("127.0.0.1", self.port)

    def ask(self, name, rrtype="A", subnet=None, tcp=False, message=None, timeout=3):
        """A dns.message.Message. subnet: "192.0.2.0/24"."""
        if message is None:
            message = dns.message.make_query(name, rrtype)
            message.flags &= ~dns.flags.RD
            if subnet is not None:
                address, _, length = subnet.partition("/")
                message.use_edns(0, options=[dns.edns.ECSOption(address, int(length))])
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(message, "127.0.0.1", port=self.port, timeout=timeout)

    def addresses(self, name, rrtype="A", subnet=None, tcp=False):
        answer = self.ask(name, rrtype, subnet, tcp)
        assert answer.rcode() == dns.rcode.NOERROR, answer
        return sorted(rr.address for rrset in answer.answer if rrset.rdtype in (1, 28) for rr in rrset)


def scope(message):
    """Of the answer's client subnet option; None: it has none."""
    for option in message.options:
        if option.otype == dns.edns.ECS:
            return option.scopelen
    return None


@contextlib.contextmanager
def world(prefix="signpost-test-", user="root"):
    """A Signpost in a new folder that every user may enter, and nodes; all ended at the end."""
    folder = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    os.chmod(folder, 0o755)
    nodes = Nodes(free_port())
    signpost = Signpost(folder, user)
    try:
        yield signpost, nodes
    finally:
        status = signpost.stop()
        nodes.close()
        log = signpost.log()
        shutil.rmtree(folder, ignore_errors=True)
        for marker in ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer"):
            assert marker not in log, log
        assert status in (0, None), f"signpostd ended with status {status}:\n{log}"
