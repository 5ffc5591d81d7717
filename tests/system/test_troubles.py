"""What an operator meets at night: damaged, full, vanished and hanging things. Answers go on, what
is wrong is told, and what is put right is used again without anybody's help."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

import pytest

import signpost

NAME = "vpn.example.net"
JAPAN = "133.11.0.0/24"

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount and to drop privileges")


@pytest.fixture
def running(fresh):
    """The sample, started, in a Signpost of the test's own."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    server.nodes = nodes
    return server.start()


def world_file(server, kind, world="world"):
    return server.folder / "state" / world / f"{kind}.image"


def wait_saved(server):
    signpost.wait_until(lambda: world_file(server, "zones").exists(), 10 * signpost.SLOW)


def edit_zone(server, old, new):
    zone = server.zone_file("example.net.zone")
    text = zone.read_text()
    assert old in text
    zone.write_text(text.replace(old, new))


def wait_log(server, text, timeout=10):
    signpost.wait_until(lambda: text in server.log(), timeout * signpost.SLOW)


# --- the world on disk


def damage(path):
    """One bit, where only a checksum tells."""
    octets = bytearray(path.read_bytes())
    octets[-9] ^= 1
    path.write_bytes(octets)


@pytest.mark.parametrize("kind", ["zones", "geo", "plan"])
def test_damaged_world_is_replaced_and_not_passed_on(running, kind):
    wait_saved(running)
    answer = running.addresses(NAME, "A", JAPAN)
    running.stop()
    good = world_file(running, kind).read_bytes()
    damage(world_file(running, kind))
    running.start()
    assert running.addresses(NAME, "A", JAPAN) == answer
    assert f"{kind} image is damaged" in running.log()
    signpost.wait_until(lambda: world_file(running, kind).read_bytes()[128:] == good[128:], 10 * signpost.SLOW)


def test_world_before_the_last_one_is_served_where_the_last_one_is_damaged(running):
    wait_saved(running)
    edit_zone(running, "192.0.2.25", "192.0.2.26")
    running.ctl("reload")
    signpost.wait_until(lambda: world_file(running, "zones", "world.previous").exists(), 10 * signpost.SLOW)
    running.stop()
    world_file(running, "zones").write_bytes(b"half written")
    running.zone_file("example.net.zone").write_text("not a zone\n")
    running.start()
    assert running.addresses("mail.example.net") == ["192.0.2.25"]
    assert "the world before the last one is used" in running.log()


@root_only
def test_world_is_saved_once_a_full_disk_has_room(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    state = server.folder / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", state], check=True)
    try:
        server.start()
        assert server.addresses(NAME, "A", JAPAN)
        wait_log(server, "the world is not saved")
        assert "not saved for the next start" in server.ctl("status").stdout
        subprocess.run(["mount", "-o", "remount,size=64m", state], check=True)
        server.ctl("reload")
        wait_saved(server)
        assert "not saved" not in server.ctl("status").stdout
    finally:
        server.stop()
        subprocess.run(["umount", "-l", state], check=True)


# --- the control socket


def test_removed_control_socket_comes_back(running):
    shutil.rmtree(running.folder / "run")
    signpost.wait_until(lambda: running.ctl("status", check=False).returncode == 0, 10 * signpost.SLOW)


def test_control_goes_on_without_a_control_socket(running):
    """Failover matters more than signpostctl."""
    shutil.rmtree(running.folder / "run")
    (running.folder / "run").write_text("in the way")
    old = running.kill("signpost-control")
    new = running.wait_new("signpost-control", old)
    wait_log(running, "the control socket cannot be made")
    before = running.addresses(NAME, "A", JAPAN)
    running.nodes.stop(*before)
    signpost.wait_until(lambda: running.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
    assert running.pid("signpost-control") == new
    (running.folder / "run").unlink()
    signpost.wait_until(lambda: running.ctl("status", check=False).returncode == 0, 10 * signpost.SLOW)


def test_clients_that_asked_for_a_reload_and_went_make_room(running):
    """A reload that hangs, and a job that asks for one again and again."""
    path = str(running.folder / "run/control.sock")
    for _ in range(300):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(path)
            client.send(b'{"command": "reload"}\n')
    assert running.ctl("status").returncode == 0
    assert running.ctl("reload").returncode == 0


# --- the log


def test_failover_does_not_wait_for_a_log_that_nobody_reads(fresh):
    """journald hangs, or a terminal was stopped: the pipe is full."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    readable, writable = os.pipe()
    try:
        server.start(log=writable)
        before = server.addresses(NAME, "A", JAPAN)
        os.set_blocking(writable, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writable, b"x" * 4096)
        os.set_blocking(writable, True)
        for _ in range(3):
            server.ctl("reload")
        nodes.stop(*before)
        signpost.wait_until(lambda: server.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
        old = server.kill("signpost-dns")
        server.wait_new("signpost-dns", old)
        assert server.addresses(NAME, "A", JAPAN) != before
        assert server.stop() == 0
    finally:
        os.close(writable)
        os.close(readable)
