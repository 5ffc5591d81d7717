"""Servers with one large thing to load, and what it takes: an asker that is quick enough to tell when they
answer, and the memory of all their processes."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import data
import peers

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import fastdns  # noqa: E402
import peer_conf  # noqa: E402

BIG = "big.example"
MIB = 1 << 20
CLONE_NEWNET = 0x40000000


def socket_in(namespace):
    """A UDP socket in a namespace, made by a thread that is there: a socket stays where it was made."""
    made = []

    def make():
        with open(f"/run/netns/{namespace.name}", "rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) == 0:
                made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise RuntimeError(f"cannot enter the namespace {namespace.name}")
    return made[0]


class Asker:
    """Asks every millisecond until there is the answer that is waited for."""

    def __init__(self, server):
        self.server = server
        self.sock = socket_in(server.namespace)
        self.sock.connect(("127.0.0.1", server.port))
        self.sock.settimeout(0.001)
        self.ident = 0

    def close(self):
        self.sock.close()

    def once(self, name):
        """The answer's addresses; None: no answer within a millisecond."""
        self.ident = (self.ident + 1) & 0xFFFF
        try:
            self.sock.send(fastdns.query(self.ident, name, "A", None))
            while True:
                ident, _, addresses, _ = fastdns.answer(self.sock.recv(4096))
                if ident == self.ident:
                    return addresses
        except TimeoutError:
            return None
        except ConnectionError:  # nobody has the port yet
            time.sleep(0.0005)
            return None

    def until(self, name, good, start, timeout):
        """Seconds from `start` to the first answer that is good."""
        while time.monotonic() < start + timeout:
            answer = self.once(name)
            if answer is not None:
                if good(answer):
                    return time.monotonic() - start
                time.sleep(0.001)
            elif self.server.process.poll() is not None:
                raise RuntimeError(f"{self.server.name} ended:\n{self.server.log()}")
        raise RuntimeError(f"{self.server.name}: not the answer for {name} within {timeout:.0f} s:\n{self.server.log()}")


# --- memory -----------------------------------------------------------------------------------------------


def everybody(server):
    """All its processes: below the first one, and those of its session whose parent has ended."""
    first = server.process.pid
    found = set(peers.tree(first))
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        fields = peers.read(path).rpartition(")")[2].split()
        if len(fields) > 3 and int(fields[3]) == first:
            found.add(int(path.parent.name))
    return found


def memfds(pid):
    """{(device, inode): MiB} of the memory files that a process holds open, mapped or not."""
    found = {}
    with contextlib.suppress(OSError):
        for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(path).startswith("/memfd:"):
                    status = path.stat()
                    found[status.st_dev, status.st_ino] = status.st_blocks * 512 / MIB
    return found


def mappings(pid):
    """(inode, path, {Rss, Pss, Anonymous ...: MiB}) of each mapping."""
    found = []
    for line in peers.read(f"/proc/{pid}/smaps").splitlines():
        fields = line.split(maxsplit=5)
        if "-" in fields[0]:
            found.append((int(fields[4]), fields[5] if len(fields) > 5 else "", {}))
        elif fields[-1] == "kB":
            found[-1][2][fields[0][:-1]] = int(fields[1]) / 1024
    return found


def memory(server):
    """All its processes, in MiB: "Rss", the sum of theirs; "all", in which every page counts once: the
    sum of their Pss (what n processes map is an n-th of each), but of memory files all they have,
    whether anybody has mapped it or not; "files", how much that is; and of each process its own."""
    out = {"Rss": 0, "all": 0, "processes": {}}
    pids, files = sorted(everybody(server)), {}
    for pid in pids:
        files.update(memfds(pid))
    inodes = {inode for _, inode in files}
    for pid in pids:
        name, mapped = peers.read(f"/proc/{pid}/comm").strip(), mappings(pid)
        if not mapped or name in ("ip", "taskset"):  # ended, or before it became the server
            continue
        while name in out["processes"]:
            name += "'"
        sizes = {key: sum(part.get(key, 0) for _, _, part in mapped) for key in ("Pss", "Rss", "Anonymous")}
        out["processes"][name] = sizes
        out["Rss"] += sizes["Rss"]
        out["all"] += sum(part.get("Pss", 0) for inode, path, part in mapped
                          if not (path.startswith("/memfd:") and inode in inodes))
    out["files"] = sum(files.values())
    out["all"] += out["files"]
    return out


class Watch:
    """The most memory of all processes together, seen every 20 ms."""

    def __init__(self, server):
        self.server, self.peak = server, {"Rss": 0, "all": 0, "files": 0, "processes": {}}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(0.02):
            if self.server.process is None:
                continue
            now = memory(self.server)
            if now["all"] > self.peak["all"]:
                self.peak.update({key: now[key] for key in ("all", "files", "processes")})
            self.peak["Rss"] = max(self.peak["Rss"], now["Rss"])


# --- servers ----------------------------------------------------------------------------------------------


class Loaded:
    """Of each server: reload_command(), after its files have changed. options.database []: it has the
    zone alone, without anything that is steered."""

    def reload(self):
        return subprocess.Popen(["taskset", "-c", "1", *map(str, self.reload_command())], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def write(self):
        if self.options.database:
            super().write()
        else:
            self.write_zone_only()

    def stop(self):
        if self.process is None:
            return
        session = everybody(self)
        super().stop()
        for pid in session:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Signpost(Loaded, peers.Signpost):
    def write_zone_only(self):
        (self.folder / "zones").mkdir()
        (self.folder / f"zones/{BIG}.zone").symlink_to(self.zones / BIG)
        (self.folder / "signpost.yaml").write_text(
            f'listen: ["127.0.0.1:{self.port}"]\nzones: zones\nstate: state\nrun: run\nuser: root\nworkers: 1\n'
            "sites: { frankfurt: { location: [50.11, 8.68] } }\n")

    def reload_command(self):
        return [self.options.build / "signpostctl", "--run", self.folder / "run", "reload"]


class Nsd(Loaded, peers.Nsd):
    def write(self):
        conf = peer_conf.nsd(self.folder, self.port, {BIG: self.zones / BIG},
                             "  minimal-responses: yes\n  verbosity: 0\n")
        (self.folder / "nsd.conf").write_text(conf.replace(
            "control-enable: no", f"control-enable: yes\n  control-interface: {self.folder}/control"))

    def reload_command(self):
        return ["nsd-control", "-c", self.folder / "nsd.conf", "reload"]


class Knot(Loaded, peers.Knot):
    def write_zone_only(self):
        (self.folder / "knot.conf").write_text(peer_conf.knot(self.folder, self.port, {BIG: self.zones / BIG}))

    def reload_command(self):
        return ["knotc", "-s", self.folder / "knot.sock", "zone-reload", BIG]


class Gdnsd(Loaded, peers.Gdnsd):
    def write_zone_only(self):
        (self.folder / "zones").mkdir()
        (self.folder / "zones" / BIG).symlink_to(self.zones / BIG)
        (self.folder / "config").write_text(f"""options => {{
  listen => {{ 127.0.0.1:{self.port} => {{ udp_threads => 1, tcp_threads => 1 }} }}
  run_dir => {self.folder}/run
  state_dir => {self.folder}/state
}}
""")

    def reload_command(self):
        return ["gdnsdctl", "-c", self.folder, "reload-zones"]


SERVERS = {server.name: server for server in (Signpost, Nsd, Knot, Gdnsd)}


class BigZone:
    """The zone's file, in which a record changes; the last one's address tells which it is."""

    def __init__(self, folder, records):
        self.path = folder / BIG
        self.last = f"host{records - 1:07d}.{BIG}"
        data.write_zones(folder, records)
        text = self.path.read_bytes()
        at = text.rindex(b" A ") + len(b" A ")
        start = text.index(b" hostmaster ") + len(b" hostmaster ")
        self.parts = text[:start], text[text.index(b" ", start):at]
        self.change(1)

    def change(self, serial):
        """Another serial and another address; returns that. The file is replaced whole."""
        address = f"172.16.{serial >> 8 & 255}.{serial & 255}"
        fresh = self.path.with_suffix(".new")
        with open(fresh, "wb") as out:
            out.write(self.parts[0] + str(serial).encode() + self.parts[1] + address.encode() + b"\n")
        fresh.rename(self.path)
        return address
