"""What was measured of nodes and what was done, as operators ask for it afterwards."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import sqlite3
import time

import pytest

import signpost


@pytest.fixture(scope="module")
def server():
    """The sample: a node that was down for a while, an operator who drained its site. What was measured
    in a minute is stored when it is over, or when the process ends."""
    with signpost.world() as (server, nodes):
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        server.start()
        signpost.wait_until(lambda: status_of(server, "tyo-2") == "up", 10 * signpost.SLOW)
        nodes.stop("127.10.1.2")
        signpost.wait_until(lambda: status_of(server, "tyo-2") == "down", 15 * signpost.SLOW)
        server.ctl("drain", "tokyo", "--reason", 'a "quoted", reason', "--until", "+1h")
        server.ctl("report", "edge/tyo-1", "83%")
        server.ctl("weight", "edge/sin-1", "50")
        server.stop()
        server.start()
        yield server


def status_of(server, name):
    told = json.loads(server.ctl("status", "--json").stdout)
    return next(node["status"] for pool in told["pools"] for site in pool["sites"] for node in site["nodes"]
                if node["name"] == name)


def rows(server, sql):
    with contextlib.closing(sqlite3.connect(server.folder / "state/signpost.db", timeout=10)) as db:
        return db.execute(sql).fetchall()


def test_history_tells_what_the_probes_measured(server):
    def read():
        return rows(server, "SELECT minute, probes, failures, rtt_us, rtt_max_us, load_permille FROM minutes JOIN nodes "
                            "ON id = minutes.node WHERE nodes.node = 'edge/tyo-1'")

    stored, told = None, None
    while stored != read():  # a minute may be over just now
        stored = read()
        told = json.loads(server.ctl("history", "edge/tyo-1", "--json").stdout)
    assert stored and [(m["minute_ms"] // 60000, m["probes"], m["failures"], m["rtt_us"], m["rtt_max_us"],
                        round(m["load"] * 1000) if m["load"] is not None else None) for m in told["minutes"]] == stored
    assert told["summary"]["probes"] == sum(m["probes"] for m in told["minutes"]) > 0
    assert told["summary"]["failures"] == 0
    assert told["minutes"][-1]["load"] == 0.83
    assert 0 < told["summary"]["rtt_ms"]["median"] < 1000
    assert time.time() * 1000 - told["minutes"][-1]["minute_ms"] < 600_000


def test_history_tells_of_losses_and_transitions(server):
    told = json.loads(server.ctl("history", "tyo-2", "--since", "1h", "--json").stdout)
    assert told["node"] == "edge/tyo-2"
    assert told["summary"]["failures"] >= 3
    assert [(t["from"], t["to"]) for t in told["transitions"]] == [("unknown", "up"), ("up", "down")]
    assert told["summary"]["down_ms"] > 0 and told["summary"]["up_ms"] > 0


def test_history_is_drawn_in_what_the_terminal_shows(server):
    told = {}
    for locale in ("C", "C.UTF-8"):
        with signpost_environment(LC_ALL=locale, COLUMNS="72"):
            told[locale] = server.ctl("history", "edge/tyo-2").stdout
    assert told["C"].isascii() and not told["C.UTF-8"].isascii()
    assert "┤" in told["C.UTF-8"] and "█" in told["C.UTF-8"]
    for text in told.values():
        assert text.startswith("edge/tyo-2   down\n")
        assert "round-trip time   min " in text and "loss   " in text and "UTC " in text
        assert "status   up " in text and "x" in text.splitlines()[-5]
        assert max(len(line) for line in text.splitlines() if line[:1] == " ") <= 72


@contextlib.contextmanager
def signpost_environment(**values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


def test_history_refuses_what_it_does_not_know(server):
    for what, why in (("edge/nowhere", "nowhere"), ("tokyo", "only nodes have a history")):
        refused = server.ctl("history", what, check=False)
        assert refused.returncode == 1 and why in refused.stderr
    for what in (["history", b"\xff"], ["audit", b"\xff"], ["audit", "--who", b"\xff"]):
        assert server.ctl(*what, check=False).returncode == 2
    assert server.ctl("history", "tyo-1", "--since", "1h", "--until", "2h", check=False).returncode == 2


def test_audit_is_all_that_the_database_has(server):
    told = json.loads(server.ctl("audit", "--json").stdout)
    assert [event["at_ms"] for event in told] == sorted(event["at_ms"] for event in told)
    transitions = rows(server, "SELECT at_unix_ms, 'node:' || node, from_status, to_status, reason FROM transitions ORDER BY at_unix_ms, id")
    actions = rows(server, "SELECT at_unix_ms, object, action, who, uid, reason FROM operator_actions ORDER BY at_unix_ms, id")
    assert len(transitions) >= 17 and len(actions) == 2
    assert [tuple(e[k] for k in ("at_ms", "object", "from", "to", "reason")) for e in told if e["kind"] == "transition"] == transitions
    assert [tuple(e[k] for k in ("at_ms", "object", "action", "who", "uid", "reason")) for e in told if e["kind"] == "action"] == actions


def test_audit_as_a_table_is_the_same(server):
    """Read by another's reader of such files."""
    events = json.loads(server.ctl("audit", "--json").stdout)
    table = list(csv.DictReader(io.StringIO(server.ctl("audit", "--csv").stdout, newline="")))
    assert [row["object"] for row in table] == [event["object"] for event in events]
    assert [row["reason"] for row in table] == [event["reason"] for event in events]
    drain = next(row for row in table if row["action"] == "drain")
    assert drain["reason"] == 'a "quoted", reason' and drain["until"].endswith("Z")


def test_audit_is_asked_of_one_object_or_person(server):
    def objects(*arguments):
        return {event["object"] for event in json.loads(server.ctl("audit", "--json", *arguments).stdout)}
    assert objects("tyo-2") == {"node:edge/tyo-2", "site:tokyo"}, "what was done to its site concerns it"
    assert objects("tokyo") == {"node:edge/tyo-1", "node:edge/tyo-2", "site:tokyo"}
    assert {"node:edge/sin-1", "site:tokyo"} < objects("pool:edge")
    who = next(e["who"] for e in json.loads(server.ctl("audit", "--json").stdout) if e["action"] == "drain")
    assert objects("--who", who) == {"site:tokyo", "node:edge/sin-1"}
    assert objects("--who", "nobody-at-all") == set()
    assert objects("--until", "1h") == set()
    text = server.ctl("audit", "tyo-2").stdout
    assert "up -> down" in text and "drain until " in text and 'a "quoted", reason' in text


def reloads(server):
    return [event for event in json.loads(server.ctl("audit", "--json").stdout) if event["object"] == "files"]


def test_every_reload_is_on_record(server):
    zone = server.zone_file("example.net.zone")
    good = zone.read_text().replace("192.0.2.25\n", "192.0.2.26\n")
    zone.write_text(good)
    for _ in range(2):  # the second one changes nothing
        server.ctl("reload")
    zone.write_text("$TTL 1h\n@ IN A 192.0.2.300\n")
    server.ctl("reload", check=False)
    zone.write_text(good)
    told = signpost.wait_until(lambda: len(reloads(server)) == 3 and reloads(server), 10 * signpost.SLOW)
    assert [(event["kind"], event["action"]) for event in told] == [
        ("action", "reload"), ("action", "reload"), ("action", "reload-refused")]
    assert "zones=+0-0~1" in told[0]["reason"] and told[1]["reason"] == "nothing has changed"
    assert re.match(r"the files have mistakes: \S*example\.net\.zone:\d+:\d+: error: ", told[2]["reason"])
    assert {(event["uid"], event["who"] != "") for event in told} == {(os.getuid(), True)}


def test_reload_by_signal_is_on_record_with_its_sender(server):
    before = len(reloads(server))
    server.process.send_signal(signal.SIGHUP)
    told = signpost.wait_until(lambda: reloads(server)[before:], 10 * signpost.SLOW)
    assert [(event["who"], event["uid"], event["action"], event["reason"]) for event in told] == [
        ("signal", os.getuid(), "reload", "nothing has changed")]
    assert "signal" in server.ctl("audit").stdout


def test_what_was_edited_before_a_start_is_on_record(server):
    before = len(reloads(server))
    server.stop()
    zone = server.zone_file("example.net.zone")
    zone.write_text(zone.read_text().replace("192.0.2.26\n", "192.0.2.27\n"))
    server.start()
    (told,) = signpost.wait_until(lambda: reloads(server)[before:], 10 * signpost.SLOW)
    assert (told["who"], told["uid"], told["action"]) == ("start", None, "reload")
    assert "zones=+0-0~1" in told["reason"]
    row = next(row for row in csv.DictReader(io.StringIO(server.ctl("audit", "--csv").stdout, newline="")) if row["who"] == "start")
    assert row["uid"] == ""
    assert "start (as root)" not in server.ctl("audit").stdout


def test_database_refuses_to_forget_what_was_done(server):
    with contextlib.closing(sqlite3.connect(server.folder / "state/signpost.db", timeout=10)) as db:
        for sql in ("DELETE FROM operator_actions", "UPDATE operator_actions SET who = 'nobody'",
                    "DELETE FROM transitions", "UPDATE transitions SET reason = ''"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(sql)


@pytest.mark.parametrize("reason", ['=HYPERLINK("http://192.0.2.1/","x")', "@SUM(1)", "+1", "-1", 'a;b,"c\',d', "\u009b2Jgone", "\u00e9\u6771"])
def test_audit_as_a_table_holds_whatever_was_said(server, reason):
    server.ctl("weight", "edge/nyc-1", "50", "--reason", reason)
    text = server.ctl("audit", "edge/nyc-1", "--csv").stdout
    rows_of = list(csv.DictReader(io.StringIO(text, newline="")))
    plain = reason.replace("\u009b", "??")
    assert rows_of[-1]["reason"] == ("'" + plain if reason[0] in "=+-@" else plain)
    assert not any(ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 for c in text)
    assert text.count("\n") == len(rows_of) + 1, "each is one line"
    assert json.loads(server.ctl("audit", "edge/nyc-1", "--json").stdout)[-1]["reason"] == reason
    assert plain in server.ctl("audit", "edge/nyc-1").stdout
