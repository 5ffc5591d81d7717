"""signpost-compile as a program: what it prints, hands over and returns."""

import fcntl
import ipaddress
import os
import pathlib
import random
import socket
import struct
import subprocess

import pytest

import signpost

BUILD = signpost.BUILD
PROGRAM = str(BUILD / "signpost-compile")
SEALED = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
KINDS = (0, 1, 2, 4)  # zones, geo, plan, locations

SERVER = """\
listen: [127.0.0.1:5300, "[::1]:5301"]
zones: .
state: state
run: /tmp/run
user: nobody
workers: 3
log: { level: debug, target: syslog }
sites: { oslo: { location: [59.91, 10.75] } }
socket-affinity: true
"""
POOL = "pool: edge\nsites: { oslo: { nodes: { a: { address: 192.0.2.1 } } } }\n"
ZONE = """\
$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 60
@ NS ns
ns A 192.0.2.53
vpn 30 POOL edge
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "signpost.yaml").write_text(SERVER)
    (tmp_path / "edge.pool.yaml").write_text(POOL)
    (tmp_path / "example.net.zone").write_text(ZONE)
    return tmp_path


def run(*args, cwd, **more):
    return subprocess.run([PROGRAM, *args], cwd=cwd, capture_output=True, timeout=60, **more)


def emit(folder, *args):
    """(finished process, message, descriptors)"""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = run("--emit", str(theirs.fileno()), "signpost.yaml", *args, cwd=folder,
                   pass_fds=[theirs.fileno()])
        theirs.close()
        message, fds, _, _ = socket.recv_fds(ours, 65536, 8)
    return done, message, fds


def ids(message):
    return struct.unpack_from("4Q", message, 16)


def text(field):
    return field.split(b"\0")[0].decode()


def test_check_says_what_there_is(folder):
    done = run("--check", "signpost.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"ok: 1 zone, 4 records, 1 pool, 1 node, 1 site\n"


def test_check_prints_every_mistake_of_every_file_and_counts_them(folder):
    (folder / "signpost.yaml").write_text(SERVER + "ecs: maybe\n")
    (folder / "edge.pool.yaml").write_text(POOL.replace("192.0.2.1", "192.0.2.256"))
    (folder / "example.net.zone").write_text(ZONE.replace("192.0.2.53", "192.0.2.257"))
    done = run("--check", "signpost.yaml", cwd=folder)
    assert done.returncode == 1
    assert done.stdout == b"3 errors\n"
    heads = [line for line in done.stderr.decode().splitlines() if not line.startswith(" ")]
    column = POOL.splitlines()[1].index("192.0.2.1") + 1
    assert [head.split(": ")[0] for head in heads] == [
        f"edge.pool.yaml:2:{column}", "example.net.zone:4:6", "signpost.yaml:10:6"]
    assert all(": error: " in head for head in heads)


@pytest.mark.parametrize("args", [[], ["--check"], ["--nonsense", "x"], ["--emit", "x", "signpost.yaml"],
                                  ["--check", "signpost.yaml", "another"]])
def test_wrong_arguments_are_a_failure_of_its_own(folder, args):
    done = run(*args, cwd=folder)
    assert done.returncode == 2
    assert b"usage:" in done.stderr


def test_a_closed_channel_is_a_failure_of_its_own(folder):
    done = run("--emit", "9", "signpost.yaml", cwd=folder)
    assert done.returncode == 2
    assert b"signpost-compile: " in done.stderr


def test_emit_hands_over_four_sealed_images(folder):
    done, message, fds = emit(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(fds) == 4
    for fd, kind, image_id in zip(fds, KINDS, ids(message)):
        assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) & SEALED == SEALED
        header = os.pread(fd, 128, 0)
        assert struct.unpack_from("I", header, 8)[0] == kind
        assert struct.unpack_from("Q", header, 16)[0] == os.fstat(fd).st_size
        assert struct.unpack_from("Q", header, 24)[0] == image_id
        os.close(fd)


def test_emit_hands_over_nothing_when_there_are_mistakes(folder):
    (folder / "edge.pool.yaml").write_text("pool: [\n")
    done, message, fds = emit(folder)
    assert (done.returncode, message, fds) == (1, b"", [])
    assert b"edge.pool.yaml:2:1: error: " in done.stderr


def test_the_same_files_give_the_same_images_with_and_without_the_last_world(folder):
    cache = folder / "world"
    cache.mkdir()
    first, message, fds = emit(folder)
    for fd, name in zip(fds, ("zones", "geo", "plan", "locations")):
        (cache / f"{name}.image").write_bytes(os.pread(fd, os.fstat(fd).st_size, 0))
        os.close(fd)
    for args in ([], ["--cache", str(cache)]):
        done, again, fds = emit(folder, *args)
        assert (done.returncode, done.stderr) == (0, b"")
        assert ids(again) == ids(message)
        for fd in fds:
            os.close(fd)
    # A damaged one is named and made anew.
    data = bytearray((cache / "zones.image").read_bytes())
    data[300] ^= 1
    (cache / "zones.image").write_bytes(data)
    done, again, fds = emit(folder, "--cache", str(cache))
    assert done.returncode == 0
    assert b"zones.image: warning: not reused: " in done.stderr
    assert ids(again) == ids(message)
    for fd in fds:
        os.close(fd)


def test_a_changed_file_changes_its_image_only(folder):
    _, before, fds = emit(folder)
    (folder / "edge.pool.yaml").write_text(POOL.replace("192.0.2.1", "192.0.2.2"))
    _, after, more = emit(folder)
    same = [a == b for a, b in zip(ids(before), ids(after))]
    assert same == [True, True, False, True]
    for fd in fds + more:
        os.close(fd)


@pytest.mark.parametrize("by_descriptor", [False, True])
def test_the_boot_record_says_what_the_server_file_says(folder, by_descriptor):
    if by_descriptor:
        # As the supervisor does it: the file is opened by who may, and named only.
        (folder / "signpost.yaml").rename(folder / "elsewhere")
        with open(folder / "elsewhere", "rb") as file:
            done = run("--boot-record", "--config-fd", str(file.fileno()), "signpost.yaml",
                       cwd=folder, pass_fds=[file.fileno()])
    else:
        done = run("--boot-record", "signpost.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    record = done.stdout
    magic, version, size, workers, affinity, level, target, count = struct.unpack_from("Q7I", record)
    assert (magic, version, size) == (0x31746F6F42677053, 2, len(record))
    assert (workers, affinity, level, target, count) == (3, 1, 3, 1, 2)
    endpoints = []
    for i in range(count):
        address, family, port = struct.unpack_from("16sBxH", record, 36 + 20 * i)
        endpoints.append((str(ipaddress.ip_address(address[:4 if family == 4 else 16])), port))
    assert endpoints == [("127.0.0.1", 5300), ("::1", 5301)]
    at = 36 + 20 * 64
    assert text(record[at:at + 64]) == "nobody"
    paths = [text(record[at + 64 + 4096 * i:at + 64 + 4096 * (i + 1)]) for i in range(3)]
    assert paths == [f"{folder}/state", "/tmp/run", f"{folder}/signpost.yaml"]


def test_no_boot_record_comes_of_a_server_file_with_mistakes(folder):
    (folder / "signpost.yaml").write_text(SERVER.replace("5301", "x"))
    done = run("--boot-record", "signpost.yaml", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    column = SERVER.index("[::1]") + 1
    assert done.stderr.startswith(b"signpost.yaml:1:%d: error: " % column)


def test_a_boot_record_needs_only_what_a_start_needs(folder):
    """What else is wrong is told when it is compiled; meanwhile the last good world is served."""
    (folder / "signpost.yaml").write_text(SERVER.replace("59.91", "5900.91") + "goip: {}\nbogus: 1\n")
    done = run("--boot-record", "signpost.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert run("--check", "signpost.yaml", cwd=folder).returncode == 1


def test_an_option_that_may_mean_one_of_the_start_is_not_passed_over(folder):
    (folder / "signpost.yaml").write_text(SERVER.replace("listen:", "lisen:"))
    done = run("--boot-record", "signpost.yaml", cwd=folder)
    assert done.returncode == 1
    assert b'unknown option "lisen" (did you mean "listen"?)' in done.stderr


@pytest.mark.parametrize("name", ["signpost.yaml", "edge.pool.yaml", "example.net.zone"])
def test_ten_random_megabytes_are_refused_in_few_words(folder, name):
    (folder / name).write_bytes(random.Random(name).randbytes(10_000_000))
    done = run("--check", "signpost.yaml", cwd=folder)  # how soon: tests/bench/bounds.py
    assert done.returncode == 1
    assert done.stderr.startswith(name.encode() + b":1:")
    assert len(done.stderr) < 20_000
    assert all(c.isprintable() or c == "\n" for c in done.stderr.decode())  # safe for a terminal
