"""Servers with one large thing to load, and what it takes: an asker that is quick enough to tell when they
answer, and the memory of all their processes."""

import contextlib
import ctypes
import os
import pathlib
import re
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
    """Of each server: reload_command(), after the files of a zone have changed. options.database []: it
    has zones alone, those of options.origins, without anything that is steered. options.cpus: the
    processors at its disposal; where it has all of them, it has as many threads as it takes by itself."""

    def __init__(self, namespace, folder, options):
        super().__init__(namespace, folder, options)
        self.cpus = options.cpus
        self.alone = "," not in options.cpus  # one core, one of each kind of thread
        self.files = {origin: self.zones / origin for origin in options.origins}

    def reload(self, origin):
        return subprocess.Popen(["taskset", "-c", self.options.asker_cpus, *map(str, self.reload_command(origin))],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True)

    def write(self):
        if self.options.database:
            super().write()
        else:
            self.write_zones_only()
        path = self.folder / self.conf
        if not self.alone:
            path.write_text(re.sub(self.limits, "", path.read_text()))

    def stop(self):
        if self.process is None:
            return
        session = everybody(self)
        super().stop()
        for pid in session:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Signpost(Loaded, peers.Signpost):
    conf, limits = "signpost.yaml", r"workers: 1\n"

    def write_zones_only(self):
        (self.folder / "zones").mkdir()
        for origin, path in self.files.items():
            (self.folder / f"zones/{origin}.zone").symlink_to(path)
        (self.folder / "signpost.yaml").write_text(
            f'listen: ["127.0.0.1:{self.port}"]\nzones: zones\nstate: state\nrun: run\nuser: root\nworkers: 1\n'
            "sites: { frankfurt: { location: [50.11, 8.68] } }\n")

    def reload_command(self, _):
        return [self.options.build / "signpostctl", "--run", self.folder / "run", "--json", "reload"]


class Nsd(Loaded, peers.Nsd):
    conf, limits = "nsd.conf", r"  server-count: 1\n"

    def write_zones_only(self):
        conf = peer_conf.nsd(self.folder, self.port, self.files, "  minimal-responses: yes\n  verbosity: 0\n")
        (self.folder / "nsd.conf").write_text(conf.replace(
            "control-enable: no", f"control-enable: yes\n  control-interface: {self.folder}/control"))

    def reload_command(self, _):
        return ["nsd-control", "-c", self.folder / "nsd.conf", "reload"]


class Knot(Loaded, peers.Knot):
    conf, limits = "knot.conf", r"  (udp|tcp|background)-workers: 1\n"

    def write_zones_only(self):
        (self.folder / "knot.conf").write_text(peer_conf.knot(self.folder, self.port, self.files))

    def reload_command(self, origin):
        return ["knotc", "-s", self.folder / "knot.sock", "zone-reload", origin]


class Gdnsd(Loaded, peers.Gdnsd):
    conf, limits = "config", r"udp_threads => 1, tcp_threads => 1"

    def write_zones_only(self):
        (self.folder / "zones").mkdir()
        for origin, path in self.files.items():
            (self.folder / "zones" / origin).symlink_to(path)
        (self.folder / "config").write_text(f"""options => {{
  listen => {{ 127.0.0.1:{self.port} => {{ udp_threads => 1, tcp_threads => 1 }} }}
  run_dir => {self.folder}/run
  state_dir => {self.folder}/state
}}
""")

    def reload_command(self, _):
        return ["gdnsdctl", "-c", self.folder, "reload-zones"]


SERVERS = {server.name: server for server in (Signpost, Nsd, Knot, Gdnsd)}


class BigZone:
    """A zone's file, in which a record changes; the last one's address tells which it is."""

    def __init__(self, folder, records, origin=BIG):
        self.path, self.origin = folder / origin, origin
        self.last = f"host{records - 1:07d}.{origin}"
        text = data.APEX + "".join(f"host{i:07d} IN A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n" for i in range(records))
        serial = text.index(" hostmaster ") + len(" hostmaster ")
        self.parts = [text[:serial].encode(), text[text.index(" ", serial):text.rindex(" A ") + len(" A ")].encode()]
        self.change(1)

    def change(self, serial):
        """Another serial and another address; returns that. The file is replaced whole."""
        address = f"172.16.{serial >> 8 & 255}.{serial & 255}"
        fresh = self.path.with_suffix(".new")
        with open(fresh, "wb") as out:
            out.write(self.parts[0] + str(serial).encode() + self.parts[1] + address.encode() + b"\n")
        fresh.rename(self.path)
        return address
