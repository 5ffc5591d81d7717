"""The database is locked by somebody, or damaged while it is in use: probing and answering go on, and what
was lost is told. A full disk: test_troubles.py."""

import contextlib
import json
import os
import sqlite3

import pytest

import signpost

NAME = "vpn.example.net"
JAPAN = "133.11.0.0/24"


@pytest.fixture
def running(fresh):
    """All nodes are up, and the database has that."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    server.nodes = nodes
    server.start()
    wait(lambda: rows(server, "SELECT count(*) FROM transitions WHERE to_status = 'up'") == [(16,)])
    return server


def connect(server):
    return contextlib.closing(sqlite3.connect(server.folder / "state/signpost.db", timeout=10))


def rows(server, sql):
    with connect(server) as db:
        return db.execute(sql).fetchall()


def store(server):
    return json.loads(server.ctl("status", "--json").stdout)["store"]


def wait(what, timeout=10):
    return signpost.wait_until(what, timeout * signpost.SLOW)


def fail_over(server):
    """One of the nodes that answer now dies; its address, and its name."""
    before = server.addresses(NAME, "A", JAPAN)
    server.nodes.stop(*before)
    wait(lambda: server.addresses(NAME, "A", JAPAN) != before)
    return "edge/tyo-" + before[0].rpartition(".")[2]


def test_database_that_somebody_locks_delays_nothing_and_loses_nothing(running):
    wait(lambda: store(running)["pending"] == 0)
    with connect(running) as db:
        db.isolation_level = None
        db.execute("BEGIN EXCLUSIVE")
        node = fail_over(running)
        wait(lambda: "database is locked" in store(running)["error"], 15)
        assert store(running)["pending"] > 0
        assert "database is locked" in running.ctl("status").stdout
        history, audit = running.ctl("history", "edge/tyo-1"), running.ctl("audit")
        assert "up -> down" not in audit.stdout, "who reads need not wait, but does not get all"
        assert all("may be missing" in told.stderr and "locked" in told.stderr for told in (history, audit))
        db.execute("ROLLBACK")
    wait(lambda: rows(running, f"SELECT to_status FROM transitions WHERE node = '{node}' AND to_status = 'down'"))
    wait(lambda: (store(running)["error"], store(running)["lost"]) == ("", 0))
    wait(lambda: "database is written again" in running.log())
    assert running.ctl("audit").stderr == ""


def overwrite(server):
    """All of it but the first page, in its place."""
    path = server.folder / "state/signpost.db"
    with open(path, "r+b", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def test_database_that_is_overwritten_is_moved_aside_and_begun_anew(running):
    """What operators ordered is in the new one at once; what is gone is told."""
    running.ctl("drain", "frankfurt", "--reason", "moving")
    with connect(running) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(running)
    read = running.ctl("audit", check=False)  # its reading finds the damage, unless a row was written before
    assert read.returncode == 0 or "/signpost.db: " in read.stderr
    wait(lambda: store(running)["damaged_ms"] > 0)
    aside = store(running)["damaged_path"]
    assert os.path.exists(aside) and "signpost.db.damaged-" in aside
    assert f"is lost, it was damaged: {aside}" in running.ctl("status").stdout
    wait(lambda: "database was damaged" in running.log())
    node = fail_over(running)
    wait(lambda: rows(running, f"SELECT to_status FROM transitions WHERE node = '{node}'") == [("down",)])
    assert rows(running, "SELECT object, reason FROM orders") == [("site:frankfurt", "moving")]
    assert rows(running, "PRAGMA integrity_check") == [("ok",)]
    old = running.kill("signpost-control")
    running.wait_new("signpost-control", old)
    assert "site:frankfurt" in running.ctl("states").stdout
