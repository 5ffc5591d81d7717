"""signpostctl drill: a failure at the probes, its judgement, its end, and the times that it tells."""

import json
import sqlite3
import threading
import time

import pytest

import signpost

NAME, SUBNET = "vpn.example.net", "134.109.0.0/24"  # in Germany
INTERVAL_S, FALL, RISE, JITTER = 0.3, 3, 2, 0.1
LATE_S = 0.1  # a probe that starts so much later than it is due does not delay the next one
FRANKFURT, LONDON = {"127.10.4.1", "127.10.4.2"}, {"127.10.5.1", "127.10.5.2"}


def status_of(server, pool):
    return json.loads(server.ctl("--json", "status", pool).stdout)["pools"][0]


def are_up(server, pool):
    """All measured, for the first result ever decides at once."""
    return all(node["status"] == "up" for site in status_of(server, pool)["sites"] for node in site["nodes"])


@pytest.fixture(scope="module")
def server():
    with signpost.world("signpost-drill-") as (server, nodes):
        server.use_sample(nodes.port)
        pool = server.zone_file("edge.pool.yaml")
        text = pool.read_text().replace("interval: 1s", "interval: 300ms").replace("timeout: 1s", "timeout: 300ms")
        pool.write_text(f"spill: {{ high: 100%, low: 90% }}\n{text}")  # where clients are does not follow a load of 97 %
        nodes.start(*signpost.sample_addresses())
        server.start()
        server.nodes = nodes
        signpost.wait_until(lambda: are_up(server, "edge"), 10)
        yield server


def drill(server, *arguments, status=0):
    done = server.ctl("--json", "drill", *arguments, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)["drill"] if status == 0 else done.stderr


def site(server):
    address, = server.addresses(NAME, subnet=SUBNET)
    return {"4": "frankfurt", "5": "london"}.get(address.split(".")[2], address)


def wait_for(server, where, timeout=10):
    signpost.wait_until(lambda: site(server) == where, timeout * signpost.SLOW)


def all_have(report, key):
    return all(node[key] for node in report["nodes"])


def finished(server, key="up_served_ms"):
    """The report, once all of its nodes have that time."""
    return signpost.wait_until(lambda: (lambda told: all_have(told, key) and told)(drill(server, "status")), 20 * signpost.SLOW, 0.05)


class Watcher(threading.Thread):
    """A client that asks all the time: when was it sent to another site?"""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ended, self.changes = server, False, []
        self.last = site(server)

    def run(self):
        while not self.ended:
            now = site(self.server)
            if now != self.last:
                self.changes.append((time.time() * 1000, self.last, now))
                self.last = now
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.join()


def report_loads(server, load):
    for _, code in signpost.SITES.values():
        for number in (1, 2):
            server.ctl("report", f"edge/{code}-{number}", "--load", load)


def actions(server):
    with sqlite3.connect(f"file:{server.folder}/state/signpost.db?mode=ro", uri=True) as database:
        return database.execute(
            "SELECT action, object, who, reason FROM operator_actions WHERE action LIKE 'drill%' ORDER BY id").fetchall()


def stored_out(server):
    """The nodes that are out of answers in the database, which learns of that a moment later."""
    with sqlite3.connect(f"file:{server.folder}/state/signpost.db?mode=ro", uri=True) as database:
        return {node for node, in database.execute("SELECT node FROM drill_nodes WHERE down_served_unix_ms > 0")}


def practised(server):
    """A drill of Frankfurt from its start until all is as before: its report, and what a client saw of it."""
    with Watcher(server) as watcher:
        began = drill(server, "start", "--down", "frankfurt", "--for", "1m", "--reason", "practice")
        assert began["running"] and began["object"] == "site:frankfurt" and began["reason"] == "practice"
        assert began["until_ms"] - began["from_ms"] == 60000
        down = finished(server, "down_served_ms")
        people = server.ctl("status").stdout
        assert "DRILL: site:frankfurt is pretended to be down" in people and ": practice" in people
        node = next(node for node in json.loads(server.ctl("--json", "status").stdout)["pools"][0]["sites"][3]["nodes"])
        assert (node["status"], node["reason"]) == ("down", "drill")
        assert "there is a drill already" in drill(server, "start", "--down", "tokyo", status=1)
        server.ctl("reload")
        wait_for(server, "london")
        stopped = drill(server, "stop")
        assert not stopped["running"] and stopped["stopped"]
        report = finished(server)
        wait_for(server, "frankfurt")
        signpost.wait_until(lambda: len(watcher.changes) == 2, 10)
    assert len(down["nodes"]) == 2
    return report, watcher.changes


def check_order(report, changes):
    """What holds however slow the machine is: nobody is judged or answered too early."""
    (left_at, *left), (back_at, *back) = changes
    assert left == ["frankfurt", "london"] and back == ["london", "frankfurt"]
    assert left_at >= min(node["down_ms"] for node in report["nodes"])
    assert back_at >= min(node["up_ms"] for node in report["nodes"])
    for node in report["nodes"]:
        assert node["down_ms"] - report["from_ms"] >= ((FALL - 1) * INTERVAL_S * (1 - JITTER) - LATE_S) * 1000
        assert node["up_ms"] - report["ended_ms"] >= ((RISE - 1) * INTERVAL_S * (1 - JITTER) - LATE_S) * 1000
        assert node["down_ms"] <= node["down_published_ms"] <= node["down_served_ms"]
        assert node["up_ms"] <= node["up_published_ms"] <= node["up_served_ms"]


def delays(report, changes):
    """What took longer than it should, as [(what, ms, at most)]."""
    left_at, back_at = changes[0][0], changes[1][0]
    slack, nodes = signpost.SLOW, report["nodes"]
    told = [("what the client saw", abs(left_at - max(node["down_served_ms"] for node in nodes)), 150 * slack),
            ("what it saw then", min(abs(back_at - node["up_served_ms"]) for node in nodes), 150 * slack)]
    for node in nodes:
        told += [("fall failures, an interval apart", node["down_ms"] - report["from_ms"],
                  FALL * INTERVAL_S * 1000 + 200 * slack),
                 ("published", node["down_published_ms"] - node["down_ms"], 100 * slack),
                 ("served", node["down_served_ms"] - node["down_published_ms"], 100 * slack),
                 ("rise successes, an interval apart", node["up_ms"] - report["ended_ms"],
                  RISE * INTERVAL_S * 1000 + 200 * slack)]
    return [row for row in told if row[1] > row[2]]


def test_a_site_falls_in_the_time_of_a_real_failure_and_comes_back(server):
    """A machine that stands still for a moment can only make it longer: one of five drills is to be in time."""
    for _ in range(5):
        report, changes = practised(server)
        check_order(report, changes)
        late = delays(report, changes)
        if not late:
            break
    assert not late
    text = server.ctl("drill", "status").stdout
    assert "no drill goes on; the last one: site:frankfurt" in text and "when it was stopped" in text
    assert "edge/fra-1" in text and "BACK AFTER" in text


def test_everything_is_on_record(server):
    signpost.wait_until(lambda: len(actions(server)) >= 3, 5)
    assert [(action, thing) for action, thing, _, _ in actions(server)][:3] == [
        ("drill", "site:frankfurt"), ("drill-stop", "site:frankfurt"), ("drill-end", "site:frankfurt")]
    first, _, last = actions(server)[:3]
    assert first[3] == "practice" and first[2] == last[2] != ""
    for part in ("drill of 2 nodes", "2 down after", "2 out of answers after", "2 back in answers after"):
        assert part in last[3], last[3]
    assert "drill begins" in server.log() and "drill ends" in server.log() and 'reason="drill"' in server.log()


def test_who_would_not_bear_it_is_spared(server):
    report_loads(server, "0.97")
    why = drill(server, "start", "--down", "frankfurt", status=1)
    assert "capacity would not hold" in why and "site london would use 1" in why and "--force" in why
    assert " % of its capacity" in why
    cheap = drill(server, "start", "--down", "frankfurt", "--for", "9s", status=1)
    assert "10 seconds" in cheap and "capacity" not in cheap, "what is told at once needs no simulation"
    assert server.ctl("simulate", "--down", "frankfurt", check=False).returncode == 1, "the same judgement"
    assert drill(server, "status")["running"] is False
    forced = drill(server, "start", "--down", "edge/fra-1", "--force")
    assert forced["running"] and [node["name"] for node in forced["nodes"]] == ["edge/fra-1"]
    finished(server, "down_ms")
    drill(server, "stop")
    finished(server)
    report_loads(server, "0.1")


def judged(server, *arguments):
    done = server.ctl("--json", "simulate", *arguments, check=False)
    pool = json.loads(done.stdout)["pools"][0]
    return pool, {site["site"]: site["verdict"] for site in pool["sites"]}


def test_a_site_that_is_above_its_capacity_already_blocks_no_drill_elsewhere(server):
    for number in (1, 2):
        server.ctl("report", f"edge/tyo-{number}", "--load", "1.2")
    try:
        pool, sites = signpost.wait_until(lambda: (lambda told: told[1]["tokyo"] == "over" and told)(
            judged(server, "--down", "frankfurt")), 5, 0.2)
        assert pool["holds"] is True and sites["london"] == "holds"
        assert "no more so then: tokyo (120 %)" in server.ctl("simulate", "--down", "frankfurt").stdout
        done = server.ctl("drill", "start", "--down", "frankfurt")
        assert "site tokyo uses already, and no more in the drill, 120 % of its capacity" in done.stderr
        drill(server, "stop")
        assert judged(server, "--down", "newyork", "--load", "tokyo=1.2")[0]["holds"] is False, "what is supposed counts"
    finally:
        report_loads(server, "0.1")


def test_where_only_some_nodes_report_nobody_knows(server):
    pool = small_pool(server, [("sydney", "127.10.3.1"), ("saopaulo", "127.10.8.1")])
    try:
        start = ["start", "--down", "node:small/sydney-1"]
        silent = server.ctl("drill", *start)
        assert "pool small: no node reports its load" in silent.stderr, "told, but nothing that could be waited for"
        drill(server, "stop")
        server.ctl("report", "small/saopaulo-1", "--load", "0.2")
        pool_told = next(pool for pool in json.loads(server.ctl("--json", "simulate", "--down", "node:small/sydney-1").stdout)
                         ["pools"] if pool["name"] == "small")
        assert (pool_told["verdict"], pool_told["holds"], pool_told["reporting"], pool_told["needed"]) == ("unknown", None, 1, 2)
        assert "holds as far as 1 of 2 nodes report" in server.ctl("simulate", "--down", "node:small/sydney-1").stdout
        why = drill(server, *start, status=1)
        assert "pool small: 1 of 2 nodes" in why and "--unknown-capacity" in why
        assert drill(server, *start, "--unknown-capacity")["running"]
    finally:
        server.ctl("drill", "stop", check=False)
        pool.unlink()
        server.ctl("reload")


def wait_for_the_end(server):
    ends = len([action for action, *_ in actions(server) if action == "drill-end"])
    drill(server, "stop")
    signpost.wait_until(
        lambda: len([action for action, *_ in actions(server) if action == "drill-end"]) > ends, 10 * signpost.SLOW)


def test_who_is_frozen_in_answers_did_not_leave_them(server):
    pool = small_pool(server, [("tokyo", "127.10.1.1"), ("london", "127.10.5.1")], "max-automatic-down: 10\nfreeze: true\n")
    try:
        drill(server, "start", "--down", "node:small/tokyo-1")
        node, = finished(server, "kept_in")["nodes"]
        assert node["down_ms"] and not node["down_served_ms"]
        assert "answered all the same: the pool is frozen" in server.ctl("drill", "status").stdout
        wait_for_the_end(server)
    finally:
        pool.unlink()
        server.ctl("reload")


def test_who_cannot_come_back_is_told_as_such_and_not_waited_for(server):
    pool = small_pool(server, [("tokyo", "127.10.1.1"), ("london", "127.10.5.1"), ("newyork", "127.10.6.1")])
    try:
        drill(server, "start", "--down", "node:small/london-1")
        finished(server, "down_served_ms")
        server.ctl("disable", "node:small/london-1")
        wait_for_the_end(server)
        node, = drill(server, "status")["nodes"]
        assert node["kept_out"] and node["up_ms"] and not node["up_served_ms"]
        server.ctl("enable", "node:small/london-1")
        drill(server, "start", "--down", "node:small/tokyo-1")
        finished(server, "down_served_ms")
        pool.unlink()
        server.ctl("reload")
        assert drill(server, "status")["running"], "what left the files may come back"
        wait_for_the_end(server)
        assert "it left the files" in server.ctl("drill", "status").stdout
    finally:
        pool.unlink(missing_ok=True)
        server.ctl("reload")


@pytest.mark.parametrize("arguments, status, why", [
    (["start", "--down", "atlantis"], 1, "atlantis"), (["start", "--down", "frankfurt", "--for", "9s"], 1, "10 seconds"),
    (["start", "--down", "frankfurt", "--for", "25h"], 1, "24 hours"), (["start"], 2, "--down"),
    (["start", "--down", "frankfurt", "--for", "long"], 2, "long"), (["stop"], 1, "there is no drill"),
    (["start", "--down", "edge"], 1, ""), (["begin"], 2, "drill start"),
])
def test_what_cannot_be_is_refused(server, arguments, status, why):
    done = server.ctl("drill", *arguments, check=False)
    assert done.returncode == status and why in done.stderr, done.stderr
    assert drill(server, "status")["running"] is False


def small_pool(server, sites, options=""):
    """A second pool; returns its file."""
    pool = server.zone_file("small.pool.yaml")
    pool.write_text(f"pool: small\n{options}"
                    f"probes: [{{ kind: tcp, port: {server.nodes.port}, interval: 300ms, timeout: 300ms }}]\n"
                    f"sites: {{ {', '.join(f'{name}: {{ nodes: {{ {name}-1: {{ address: {address} }} }} }}' for name, address in sites)} }}\n")
    server.ctl("reload")
    signpost.wait_until(lambda: are_up(server, "small"), 5)
    return pool


def test_last_nodes_of_a_pool_are_refused(server):
    pool = small_pool(server, [("tokyo", "127.10.1.1")])
    try:
        assert "pool small" in drill(server, "start", "--down", "node:small/tokyo-1", status=1)
    finally:
        pool.unlink()
        server.ctl("reload")


def test_alarms_say_that_they_are_of_a_drill(server):
    pool = small_pool(server, [("tokyo", "127.10.1.1"), ("london", "127.10.5.1")], "max-automatic-down: 10\n")
    try:
        assert status_of(server, "small")["alarm"] is None
        drill(server, "start", "--down", "node:small/tokyo-1")
        finished(server, "down_served_ms")
        assert status_of(server, "small")["alarm"]["drill"] is True
        assert "; of a drill" in server.ctl("status").stdout
        assert "pool=small down=1 of=2 max=0 drill=yes" in server.log()
        assert are_up(server, "edge"), "of the same probe"
    finally:
        server.ctl("drill", "stop")
        finished(server)
        pool.unlink()
        server.ctl("reload")


def test_it_outlives_control_and_ends_by_itself(server):
    with Watcher(server) as watcher:
        began = drill(server, "start", "--down", "frankfurt", "--for", "10s")
        before = finished(server, "down_served_ms")
        signpost.wait_until(lambda: stored_out(server) == {"edge/fra-1", "edge/fra-2"}, 5)
        old = server.kill("signpost-control")
        server.wait_new("signpost-control", old)
        signpost.wait_until(lambda: server.ctl("drill", "status", check=False).returncode == 0, 10)
        resumed = drill(server, "status")
        assert resumed["running"] and resumed["resumed"] and resumed["until_ms"] == began["until_ms"]
        times = [[[node[key] for key in ("down_ms", "down_published_ms", "down_served_ms")] for node in report["nodes"]]
                 for report in (before, resumed)]
        assert times[0] == times[1], "times are known from before"
        starved_ms = server.starved_ms("signpost-control")
        report = finished(server)
        starved_ms = server.starved_ms("signpost-control") - starved_ms
        assert not report["running"] and not report["stopped"]
        # Whether one is over is asked once a second, by a process that gets a processor when the machine has one.
        assert 0 <= report["ended_ms"] - report["until_ms"] <= 1500 * signpost.SLOW + starved_ms
        wait_for(server, "frankfurt")
        signpost.wait_until(lambda: len(watcher.changes) == 2, 10)
    assert [change[1:] for change in watcher.changes] == [("frankfurt", "london"), ("london", "frankfurt")]
    assert watcher.changes[1][0] >= report["ended_ms"], "its end is not the restart's"
    signpost.wait_until(lambda: actions(server)[-1][0] == "drill-end", 5)
    old = server.kill("signpost-control")
    server.wait_new("signpost-control", old)
    signpost.wait_until(lambda: server.ctl("drill", "status", check=False).returncode == 0, 10)
    assert drill(server, "status") == {**report, "resumed": False}, "and when it is long over"
