"""signpost-control alone, with this file as its supervisor: what it sends, when, and what it keeps."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time

import pytest

import signpost

HANDOVER = struct.Struct("=IIIIQ" + "iIQ" * 3 + "4096s")
(LISTENER, COUNTERS, ICMP, WORLD, STEERING, START, READY, REFUSED, RELOAD, PROCESSES) = range(1, 11)
IMAGES = ("zones", "geo", "steering", "plan", "locations")  # the order in a WORLD message
AS_DESCRIPTOR_3 = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.close(int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""
INTERVAL, FALL, RISE = 0.1, 3, 2


def image_header(fd):
    """(magic, kind, version, size, id, basis of zones, geo, plan, steering, locations, made)"""
    return struct.unpack("=QIIQQ5QQ", os.pread(fd, 80, 0))


def image_id(fd):
    return image_header(fd)[4]


def steering_is_for(fds):
    basis = image_header(fds[2])[5:10]
    return basis[0] == image_id(fds[0]) and basis[1] == image_id(fds[1]) and basis[2] == image_id(fds[3])


class Supervisor:
    """Our end of the channel to one signpost-control."""

    def __init__(self, server, world=()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        moved = fcntl.fcntl(theirs, fcntl.F_DUPFD, 100)
        log = open(server.log_path, "ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_DESCRIPTOR_3, str(moved),
             signpost.BUILD / "signpost-control", "--config", server.config,
             "--state", server.folder / "state", "--run", server.folder / "run"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(moved,))
        log.close()
        os.close(moved)
        theirs.close()
        self.channel = ours
        self.log_path = server.log_path
        self.images = {}
        self.send(PROCESSES)
        if world:
            self.send(WORLD, fds=world)
        self.send(START, text=str(server.config))

    def send(self, kind, fds=(), text=""):
        processes = (os.getpid(), 0, 1000, 0, 0, 0, self.process.pid, 0, 2000)
        message = HANDOVER.pack(kind, 0, 0, len(fds), 0, *processes, text.encode())
        socket.send_fds(self.channel, [message], list(fds))

    def receive(self, timeout):
        """(type, [descriptors], text, time), or None: nothing came."""
        if not select.select([self.channel], [], [], timeout)[0]:
            return None
        message, fds, _, _ = socket.recv_fds(self.channel, HANDOVER.size, 8)
        if not message:
            return None
        fields = HANDOVER.unpack(message)
        return fields[0], fds, fields[-1].split(b"\0")[0].decode(), time.monotonic()

    def wait(self, kind, timeout=10):
        """The next message of this type; others are let pass."""
        end = time.monotonic() + timeout * signpost.SLOW
        while (left := end - time.monotonic()) > 0:
            got = self.receive(left)
            if got is not None and got[0] == kind:
                return got
        raise AssertionError(f"no message {kind} within {timeout} s\n{self.log_path.read_text()}")

    def drain(self, quiet=0.3):
        got = []
        while (one := self.receive(quiet)) is not None:
            got.append(one)
        return got

    def end(self):
        self.channel.close()
        try:
            return self.process.wait(10 * signpost.SLOW)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


@contextlib.contextmanager
def control(server, world=()):
    supervisor = Supervisor(server, world)
    try:
        yield supervisor
    finally:
        assert supervisor.end() == 0, server.log()


POOL = """pool: edge
probes:
  - {{ kind: tcp, port: {port}, interval: 100ms, timeout: 50ms, fall: {fall}, rise: {rise}, jitter: 0 }}
sites:
  tokyo:
    nodes:
      tyo-1: {{ address: 127.10.1.1 }}
      tyo-2: {{ address: 127.10.1.2 }}
  london:
    nodes:
      lon-1: {{ address: 127.10.5.1 }}
"""
ZONE = "@ 3600 IN SOA ns1 hostmaster {serial} 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\nvpn 30 IN POOL edge\n"
NODES = ("127.10.1.1", "127.10.1.2", "127.10.5.1")


@pytest.fixture
def small():
    """(server, nodes): two sites, three nodes, all up; nothing is started."""
    with signpost.world() as (server, nodes):
        server.write_server_file({"tokyo": (35.68, 139.69), "london": (51.51, -0.13)})
        server.zone_file("example.net.zone").write_text(ZONE.format(serial=1))
        server.zone_file("edge.pool.yaml").write_text(POOL.format(port=nodes.port, fall=FALL, rise=RISE))
        nodes.start(*NODES)
        yield server, nodes


def connect(server):
    """To the control socket; a signpost-control that was just started gets time to make it."""
    path = str(server.folder / "run/control.sock")
    end = time.monotonic() + 5 * signpost.SLOW
    while True:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            s.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
            continue
        s.settimeout(20 * signpost.SLOW)
        return s


def ask(server, **request):
    return ask_raw(server, json.dumps(request).encode() + b"\n")


def ask_raw(server, octets):
    with connect(server) as s:
        s.sendall(octets)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return json.loads(answer) if answer else None


def database(server, query):
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/state/signpost.db?mode=ro", uri=True)) as db:
        return list(db.execute(query))


def node_status(server):
    status = ask(server, command="status")
    return {n["name"]: n for p in status["pools"] for s in p["sites"] for n in s["nodes"]}


def wait_all_up(server):
    signpost.wait_until(lambda: {n["status"] for n in node_status(server).values()} == {"up"}, 5 * signpost.SLOW)


# --- start


def test_first_start_compiles_and_sends_a_world_that_fits_together(small):
    server, _ = small
    with control(server) as supervisor:
        _, fds, _, _ = supervisor.wait(WORLD)
        assert len(fds) == len(IMAGES)
        assert [image_header(fd)[1] for fd in fds] == [0, 1, 3, 2, 4], "in the order of handover.h"
        assert steering_is_for(fds)
        assert all(fcntl.fcntl(fd, fcntl.F_GET_SEALS) & 0xF == 0xF for fd in fds), "sealed"


def test_first_start_with_a_mistake_tells_the_supervisor_that_there_is_no_world(small):
    server, _ = small
    server.zone_file("example.net.zone").write_text("@ IN SOA broken\n")
    with control(server) as supervisor:
        assert "mistakes" in supervisor.wait(REFUSED)[2]
        assert ask(server, command="status")["world"] is None
        for request in ({"command": "world"}, {"command": "status", "pool": "edge"}, {"command": "profile"},
                        {"command": "state", "action": "drain", "object": "tyo-1"},
                        {"command": "report", "object": "tyo-1", "load": 1}):
            assert ask(server, **request) == {
                "ok": False, "error": "no files are in use yet: the log, and signpostctl check, say why"}
        assert server.ctl("status").stdout.count("in use: ") == 1
        server.zone_file("example.net.zone").write_text(ZONE.format(serial=1))
        supervisor.send(RELOAD)
        supervisor.wait(WORLD)


def test_world_on_disk_is_served_before_the_files_are_compiled(small):
    server, _ = small
    with control(server) as supervisor:
        first = [image_id(fd) for fd in supervisor.wait(WORLD)[1]]
        signpost.wait_until(lambda: (server.folder / "state/world/zones.image").exists(), 5 * signpost.SLOW)
    server.zone_file("example.net.zone").write_text("a mistake\n")
    with control(server) as supervisor:
        _, fds, _, _ = supervisor.wait(WORLD)
        assert [image_id(fd) for fd in fds[:2]] == first[:2]
        assert steering_is_for(fds)
        signpost.wait_until(lambda: ask(server, command="status")["last_reload"], 5 * signpost.SLOW)
        assert not ask(server, command="status")["last_reload"]["ok"]
        assert ask(server, command="status")["world"]["source"] == "disk"


def saved_world(server):
    """One run that leaves its world on the disk. Returns the images' ids, as in a WORLD message."""
    with control(server) as supervisor:
        _, fds, _, _ = supervisor.wait(WORLD)
        signpost.wait_until(lambda: (server.folder / "state/world/stamp").exists(), 5 * signpost.SLOW)
    return [image_id(fd) for fd in fds]


def need_leases(server):
    """Without them on this file system, a world on disk is read before it is handed over."""
    fd = os.open(server.config, os.O_RDONLY)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        pytest.skip(f"no leases here: {error}")
    finally:
        os.close(fd)


def may_write(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except BlockingIOError:
        return False
    return True


def in_memory(fd):
    return os.readlink(f"/proc/self/fd/{fd}").startswith("/memfd:")


def test_world_on_disk_is_handed_over_unread_and_then_in_memory(small):
    server, _ = small
    need_leases(server)
    first = saved_world(server)
    server.zone_file("example.net.zone").write_text("a mistake\n")
    with control(server) as supervisor:
        _, unread, _, _ = supervisor.wait(WORLD)
        assert [in_memory(fd) for fd in unread] == [False, False, True, False, False]
        assert not may_write(server.folder / "state/world/zones.image"), "who would cut it short has to wait"
        _, fds, _, _ = supervisor.wait(WORLD)
        assert all(map(in_memory, fds))
        assert [image_id(fd) for fd in fds] == [image_id(fd) for fd in unread]
        assert image_id(fds[0]) == first[0]
        for fd in unread:
            os.close(fd)
        signpost.wait_until(lambda: may_write(server.folder / "state/world/zones.image"), 5 * signpost.SLOW)


def rot(path):
    """Its last octet becomes another one, as if nobody had written; which."""
    before = path.stat()
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        octet = file.read(1)[0] ^ 1
        file.seek(-1, os.SEEK_END)
        file.write(bytes([octet]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return octet


def test_damage_that_a_disk_did_unasked_is_found_soon_after(small):
    server, _ = small
    need_leases(server)
    first = saved_world(server)
    path = server.folder / "state/world/zones.image"
    octet = rot(path)
    with control(server) as supervisor:
        _, unread, _, _ = supervisor.wait(WORLD)
        assert not in_memory(unread[0])
        _, fds, _, _ = supervisor.wait(WORLD)  # the files', compiled
        assert in_memory(fds[0]) and image_id(fds[0]) == first[0]
        assert os.pread(fds[0], 1, os.fstat(fds[0]).st_size - 1) != bytes([octet])
        assert "checksum" in server.log()
        assert ask(server, command="status")["world"]["source"] == "compiled"
        for fd in unread:
            os.close(fd)
        signpost.wait_until(lambda: path.read_bytes()[-1] != octet, 5 * signpost.SLOW)


def test_world_on_disk_that_nobody_came_to_check_is_read_first(small):
    """Whatever ended control may have been in it."""
    server, _ = small
    need_leases(server)
    saved_world(server)
    path = server.folder / "state/world/zones.image"
    rot(path)
    server.zone_file("example.net.zone").write_text("a mistake\n")  # nothing new is saved, however late it is ended
    ended = Supervisor(server)
    _, unread, _, _ = ended.wait(WORLD)
    ended.process.kill()
    ended.end()
    assert not in_memory(unread[0])
    for fd in unread:
        os.close(fd)
    server.zone_file("example.net.zone").write_text(ZONE.format(serial=1))
    said = len(server.log())
    with control(server) as supervisor:
        _, fds, _, _ = supervisor.wait(WORLD)
        assert all(map(in_memory, fds))
        assert "checksum" in server.log()[said:]


def test_unread_world_that_cannot_be_taken_is_read_and_then_the_former_one_served(small):
    server, _ = small
    need_leases(server)
    world, previous = server.folder / "state/world", server.folder / "state/world.previous"
    old = saved_world(server)
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        signpost.wait_until(lambda: ask(server, command="status")["last_reload"], 5 * signpost.SLOW)  # that of the start
        server.zone_file("example.net.zone").write_text(ZONE.format(serial=2))
        assert ask(server, command="reload")["changed"]
        signpost.wait_until(lambda: previous.exists() and (world / "stamp").exists(), 5 * signpost.SLOW)
    path = world / "zones.image"
    before = path.stat()
    with open(path, "r+b") as file:
        file.seek(128 + 40)  # how many POOL records the root says that there are
        file.write(struct.pack("=I", 9))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    server.zone_file("example.net.zone").write_text("a mistake\n")
    with control(server) as supervisor:
        _, fds, _, _ = supervisor.wait(WORLD)
        assert all(map(in_memory, fds))
        assert image_id(fds[0]) == old[0]
        assert "checksum" in server.log()


def test_damaged_world_on_disk_is_not_served(small):
    server, _ = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        signpost.wait_until(lambda: (server.folder / "state/world/zones.image").exists(), 5 * signpost.SLOW)
    path = server.folder / "state/world/zones.image"
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    server.zone_file("example.net.zone").write_text("a mistake\n")
    with control(server) as supervisor:
        supervisor.wait(REFUSED)
        assert "checksum" in server.log()


def test_former_world_is_kept_beside_the_new_one(small):
    server, _ = small
    world, previous = server.folder / "state/world", server.folder / "state/world.previous"
    with control(server) as supervisor:
        old = [image_id(fd) for fd in supervisor.wait(WORLD)[1]]
        signpost.wait_until(lambda: (world / "zones.image").exists(), 5 * signpost.SLOW)
        server.zone_file("example.net.zone").write_text(ZONE.format(serial=2))
        assert ask(server, command="reload")["changed"]
        signpost.wait_until(lambda: (previous / "zones.image").exists(), 5 * signpost.SLOW)
        new = ask(server, command="status")["images"]
    def on_disk(folder, name):
        with open(folder / f"{name}.image", "rb") as file:
            return image_id(file.fileno())
    assert on_disk(previous, "zones") == old[0]
    assert f"{on_disk(world, 'zones'):016x}" == new["zones"]["id"]
    assert (world / "geo.image").stat().st_nlink == 2, "what did not change is linked, not written again"


# --- verdicts


DOWN = "SELECT reason FROM transitions WHERE node = 'edge/tyo-1' AND to_status = 'down'"


def fail(server, supervisor, nodes):
    """A node fails while nobody can write to the database: the steering image, and after how long it came."""
    before = len(database(server, DOWN))
    supervisor.drain()
    with contextlib.closing(sqlite3.connect(f"{server.folder}/state/signpost.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")  # nobody else can write
        nodes.stop("127.10.1.1")
        start = time.monotonic()
        # An image before the verdict's may only have a shorter TTL, while the verdict is near.
        _, fds, _, came = supervisor.wait(STEERING)
        while node_status(server)["tyo-1"]["status"] == "up":
            _, fds, _, came = supervisor.wait(STEERING)
        assert len(database(server, DOWN)) == before
        lock.execute("ROLLBACK")
    signpost.wait_until(lambda: len(database(server, DOWN)) == before + 1, 10 * signpost.SLOW)
    return fds, came - start


def test_verdict_is_published_in_time_and_waits_for_no_database(small):
    """Who stands still for a moment can only make it longer: one of five is to be in time."""
    server, nodes = small
    pool = server.zone_file("edge.pool.yaml")
    pool.write_text("flap: off\n" + pool.read_text())
    with control(server) as supervisor:
        world = supervisor.wait(WORLD)[1]
        wait_all_up(server)
        for _ in range(5):
            fds, took = fail(server, supervisor, nodes)
            assert len(fds) == 1
            assert image_header(fds[0])[5:7] == (image_id(world[0]), image_id(world[1]))
            assert node_status(server)["tyo-1"]["status"] == "down"
            supervisor.drain()
            nodes.start("127.10.1.1")
            supervisor.wait(STEERING)
            assert node_status(server)["tyo-1"]["status"] == "up"
            if took < INTERVAL * FALL + 0.2 * signpost.SLOW:
                break
        assert took < INTERVAL * FALL + 0.2 * signpost.SLOW


def test_many_verdicts_at_once_share_steering_images(small):
    server, nodes = small
    names = [f"127.10.9.{n}" for n in range(1, 101)]
    lines = "".join(f"      many-{n}: {{ address: {a} }}\n" for n, a in enumerate(names))
    server.zone_file("edge.pool.yaml").write_text(
        POOL.format(port=nodes.port, fall=1, rise=1) + "  paris:\n    nodes:\n" + lines)
    server.write_server_file({"tokyo": (35.68, 139.69), "london": (51.51, -0.13), "paris": (48.86, 2.35)})
    with control(server) as supervisor:
        nodes.start(*names)
        wait_all_up(server)
        supervisor.drain()
        nodes.stop(*names)
        signpost.wait_until(lambda: {n["status"] for n in node_status(server).values()
                                     if n["name"].startswith("many")} == {"down"}, 10 * signpost.SLOW)
        got = [m for m in supervisor.drain(0.5) if m[0] == STEERING]
        assert 1 <= len(got) <= 60, "100 verdicts within an interval do not make 100 images"


def test_pool_with_nothing_up_is_told_and_its_end_too(small):
    server, nodes = small
    with control(server):
        wait_all_up(server)
        nodes.stop(*NODES)
        signpost.wait_until(lambda: ask(server, command="status")["pools"][0]["fallback_active"], 5 * signpost.SLOW)
        assert "pool has no usable node, fallback applies pool=edge" in server.log()
        nodes.start(*NODES)
        wait_all_up(server)
        assert "pool has a usable node again, fallback ends pool=edge" in server.log()


# --- restart


def test_adopted_world_goes_on_without_a_word(small):
    server, nodes = small
    nodes.stop("127.10.5.1")
    with control(server) as supervisor:
        world = supervisor.wait(WORLD)[1]
        signpost.wait_until(lambda: node_status(server)["lon-1"]["status"] == "down", 5 * signpost.SLOW)
        signpost.wait_until(lambda: {n["status"] for n in node_status(server).values()} == {"up", "down"},
                            5 * signpost.SLOW)
        since = {k: n["since_ms"] for k, n in node_status(server).items()}
        last = [m for m in supervisor.drain() if m[0] == STEERING]
        world[2] = last[-1][1][0]
    transitions = len(database(server, "SELECT * FROM transitions"))
    server.zone_file("example.net.zone").write_text("nobody reads this\n")
    with control(server, world) as supervisor:
        signpost.wait_until(lambda: all(not n["adopted"] for n in node_status(server).values()), 5 * signpost.SLOW)
        status = ask(server, command="status")
        assert status["world"]["source"] == "adopted"
        assert status["last_reload"] is None
        assert {k: n["since_ms"] for k, n in node_status(server).items()} == since, "age is kept"
        assert node_status(server)["lon-1"]["status"] == "down"
        assert [m for m in supervisor.drain(0) if m[0] == WORLD] == []
        nodes.stop("127.10.1.1")
        signpost.wait_until(lambda: node_status(server)["tyo-1"]["status"] == "down", 5 * signpost.SLOW)
        assert [m for m in supervisor.drain() if m[0] == STEERING], "verdicts go on"
    assert len(database(server, "SELECT * FROM transitions")) == transitions + 1


def test_end_of_the_supervisor_is_the_end_of_control(small):
    server, _ = small
    with control(server) as supervisor:
        wait_all_up(server)
    assert supervisor.process.returncode == 0
    assert not (server.folder / "run/control.sock").exists()
    rows = database(server, "SELECT node, status, checked_unix_ms FROM node_status")
    assert sorted(r[:2] for r in rows) == [("edge/lon-1", "up"), ("edge/tyo-1", "up"), ("edge/tyo-2", "up")]
    assert all(time.time() * 1000 - r[2] < 5000 * signpost.SLOW for r in rows), "the last results are stored"


def test_sigterm_ends_it(small):
    server, _ = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        supervisor.process.terminate()
        assert supervisor.process.wait(10 * signpost.SLOW) == 0


# --- reload


def test_reload_tells_what_changed(small):
    server, nodes = small
    with control(server) as supervisor:
        first = supervisor.wait(WORLD)[1]
        wait_all_up(server)
        server.zone_file("example.net.zone").write_text(ZONE.format(serial=7) + "www IN A 192.0.2.80\n")
        server.zone_file("example.org.zone").write_text(ZONE.format(serial=1).replace("vpn", "www"))
        pool = POOL.format(port=nodes.port, fall=FALL, rise=RISE)
        pool = pool.replace("tyo-2: { address: 127.10.1.2 }", "tyo-3: { address: 127.10.1.2 }")
        server.zone_file("edge.pool.yaml").write_text(pool.replace("lon-1: { address: 127.10.5.1 }",
                                                                   "lon-1: { address: 127.10.5.1, weight: 5 }"))
        report = ask(server, command="reload")
        assert report["ok"] and report["changed"]
        changes = report["changes"]
        assert changes["zones"]["list"] == [
            {"change": "changed", "name": "example.net.", "serial_before": 1, "serial": 7,
             "records_before": 4, "records": 5},
            {"change": "added", "name": "example.org.", "serial": 1, "records": 4}]
        assert [(c["change"], c["name"]) for c in changes["nodes"]["list"]] == [
            ("changed", "edge/lon-1"), ("removed", "edge/tyo-2"), ("added", "edge/tyo-3")] or \
            sorted((c["name"], c["change"]) for c in changes["nodes"]["list"]) == [
                ("edge/lon-1", "changed"), ("edge/tyo-2", "removed"), ("edge/tyo-3", "added")]
        assert changes["pools"]["list"] == [] and changes["sites"]["list"] == []
        second = supervisor.wait(WORLD)[1]
        assert image_id(second[0]) != image_id(first[0]) and steering_is_for(second)
        assert f"{image_id(second[0]):016x}" == report["images"]["zones"]["id"]
        assert node_status(server)["lon-1"]["status"] == "up", "who stays keeps the status"


def test_reload_of_what_did_not_change_publishes_nothing(small):
    server, _ = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        wait_all_up(server)
        supervisor.drain()
        report = ask(server, command="reload")
        assert report["ok"] and not report["changed"]
        assert [m for m in supervisor.drain() if m[0] == WORLD] == []


def test_mistake_is_told_with_its_place_and_changes_nothing(small):
    server, nodes = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        wait_all_up(server)
        supervisor.drain()
        before = ask(server, command="status")["images"]
        path = server.zone_file("edge.pool.yaml")
        path.write_text(path.read_text().replace("127.10.1.2", "127.10.1.300"))
        report = ask(server, command="reload")
        assert not report["ok"]
        assert 'edge.pool.yaml:8:' in report["messages"] and '127.10.1.300' in report["messages"]
        assert ask(server, command="status")["images"] == before
        assert [m for m in supervisor.drain() if m[0] in (WORLD, STEERING)] == []
        supervisor.send(RELOAD)
        assert "mistakes" in supervisor.wait(RELOAD)[2], "the supervisor learns how its own reload ended"
        done = subprocess.run([signpost.BUILD / "signpostctl", "-c", server.config, "reload"],
                              capture_output=True, text=True)
        assert done.returncode == 1 and "127.10.1.300" in done.stderr


def test_reloads_that_come_together_are_made_once_or_twice(small):
    server, _ = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        wait_all_up(server)
        before = server.log().count("reloaded")
        sockets = [connect(server) for _ in range(20)]
        supervisor.process.send_signal(signal.SIGSTOP)  # so that they do come together
        for s in sockets:
            s.sendall(b'{"command": "reload"}\n')
        supervisor.process.send_signal(signal.SIGCONT)
        for s in sockets:
            assert json.loads(s.makefile().readline())["ok"]
            s.close()
        assert 1 <= server.log().count("reloaded") - before <= 3


def test_compiler_that_crashes_is_reported(small, tmp_path):
    """signpost-compile is looked for beside signpost-control, so a copy of that can have another one."""
    server, _ = small
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    shutil.copy(signpost.BUILD / "signpost-control", bin_dir)
    fake = bin_dir / "signpost-compile"
    build, signpost.BUILD = signpost.BUILD, bin_dir
    try:
        fake.write_text("#!/bin/sh\nkill -SEGV $$\n")
        fake.chmod(0o755)
        with control(server) as supervisor:
            supervisor.wait(REFUSED)
            assert "signal 11" in ask(server, command="status")["last_reload"]["messages"]
            fake.write_text("#!/bin/sh\nyes 'a very long story' | head -c 3000000 >&2\nexit 1\n")
            report = ask(server, command="reload")
            assert not report["ok"] and len(report["messages"]) < 1100000
            assert report["messages"].endswith("(there is more)\n")
            fake.write_text("#!/bin/sh\nexit 0\n")
            assert "without a result" in ask(server, command="reload")["messages"]
    finally:
        signpost.BUILD = build


# --- the control socket


def test_socket_is_for_its_owner_and_group_and_replaces_a_stale_one(small):
    server, _ = small
    run = server.folder / "run"
    run.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(run / "control.sock"))
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        assert (run / "control.sock").stat().st_mode & 0o777 == 0o660
        assert ask(server, command="status")["ok"]


def test_clients_that_stall_block_nobody(small):
    server, _ = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        wait_all_up(server)
        stalled = []
        for _ in range(300):
            s = connect(server)
            with contextlib.suppress(BrokenPipeError):
                s.sendall(b'{"command"')
            stalled.append(s)
        assert ask(server, command="status")["ok"]
        stalled[-1].setblocking(False)
        with pytest.raises(BlockingIOError):  # it was not cut off for that
            stalled[-1].recv(1)
        for s in stalled:
            s.close()


@pytest.mark.parametrize("request_line, error", [
    (b"{}\n", "no such command"),
    (b"[1]\n", "one JSON object"),
    (b"\xff\xfe\n", "one JSON object"),
    (b'{"command": "status", "pool": "nothing"}\n', 'there is no pool "nothing"'),
    (b'{"command": 7}\n', "no such command"),
    (b"x" * 5000, "too long"),
    (b"[" * 4000 + b"\n", "one JSON object"),
], ids=["no command", "array", "not UTF-8", "no such pool", "number", "long", "deep"])
def test_request_that_makes_no_sense_is_refused(small, request_line, error):
    server, _ = small
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            answer = ask_raw(server, request_line)
            assert not answer["ok"] and error in answer["error"]
        assert ask(server, command="status")["ok"]


# --- a database that does not work


def test_state_directory_that_cannot_be_written_stops_neither_probing_nor_steering(small):
    server, nodes = small
    state = server.folder / "state"
    state.write_text("a file, not a folder")
    with control(server) as supervisor:
        supervisor.wait(WORLD)
        wait_all_up(server)
        nodes.stop("127.10.1.1")
        supervisor.wait(STEERING)
        signpost.wait_until(lambda: ask(server, command="status")["store"]["error"], 10 * signpost.SLOW)
        signpost.wait_until(lambda: "the world is not saved" in server.log(), 10 * signpost.SLOW)
        assert ask(server, command="reload")["ok"]
