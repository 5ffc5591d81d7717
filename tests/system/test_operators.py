"""Operators take nodes out and back, nodes tell their load, lists change: what is answered then."""

import collections
import contextlib
import json
import math
import os
import re
import signal
import sqlite3
import time

import fastdns
import pytest
import signpost
from test_failover import client_networks

PROBES = "probes:\n  - { kind: tcp, port: PORT, interval: 300ms, timeout: 200ms, fall: 2, rise: 1, jitter: 0 }\n"
SITES = {"near": (35.68, 139.69), "far": (51.51, -0.13)}
NEAR, FAR = ["127.30.1.1", "127.30.1.2"], ["127.30.2.1"]
FROZEN = [f"127.30.3.{n}" for n in range(1, 5)]
ROLLED = ["127.30.4.1", "127.30.4.2"]
FULL = ["127.30.5.1", "127.30.6.1"]
WINDOW = ["127.30.7.1", "127.30.7.2"]
FENCED = ["127.30.8.1", "127.30.8.2"]


def instant(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def pool(name, options, sites):
    lines = [f"pool: {name}", options, "sites:"]
    for site, nodes in sites.items():
        lines += [f"  {site}:", "    nodes:"]
        lines += [f"      {node}: {{ address: {address} }}" for node, address in nodes.items()]
    return "\n".join(lines) + "\n"


def numbered(name, addresses):
    return {f"{name}-{n}": address for n, address in enumerate(addresses, 1)}


@pytest.fixture(scope="module")
def server():
    with signpost.world("signpost-operators-") as (server, nodes):
        server.nodes = nodes
        probes = PROBES.replace("PORT", str(nodes.port))
        server.write_server_file(SITES)
        server.zone_file("example.org.zone").write_text(
            "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
            + "".join(f"{name} 30 POOL {name}\n" for name in ("edge", "frozen", "rolled", "full", "window", "fenced")))
        files = {
            "edge": ("policy: failover\n" + probes, {"near": numbered("near", NEAR), "far": numbered("far", FAR)}),
            "frozen": ("policy: weighted\nmax-automatic-down: 50%\nfreeze: true\n" + probes,
                       {"near": numbered("frozen", FROZEN)}),
            "rolled": ("policy: weighted\nfallback: last-good\n" + probes, {"near": numbered("rolled", ROLLED)}),
            "full": ("policy: failover\nspill: { high: 90%, low: 50% }\nload-max-age: 1d\n" + probes,
                     {"near": numbered("full-near", FULL[:1]), "far": numbered("full-far", FULL[1:])}),
            "window": ("policy: weighted\nttl: { floor: 1s }\n" + probes, {"near": numbered("window", WINDOW)}),
            "fenced": ("policy: failover\nrules:\n  - { clients: 'file:office.txt', sites: [far, near] }\n" + probes,
                       {"near": numbered("fenced-near", FENCED[:1]), "far": numbered("fenced-far", FENCED[1:])}),
        }
        for name, (options, sites) in files.items():
            server.zone_file(f"{name}.pool.yaml").write_text(pool(name, options, sites))
        server.zone_file("office.txt").write_text("203.0.113.0/24\n")
        nodes.start(*NEAR, *FAR, *FROZEN, *ROLLED, *FULL, *WINDOW, *FENCED)
        server.start()
        server.ctl("reload")  # the files have no mistakes
        yield server


def answered(server, name, count=300):
    """Who is answered to many networks: {address: how many}."""
    results = fastdns.ask_many(server.server, [(f"{name}.example.org", "A", n) for n in client_networks(count)])
    assert all(rcode == 0 and len(addresses) <= 1 for rcode, addresses, _ in results)
    return collections.Counter(address for _, addresses, _ in results for address in addresses)


def wait_answered(server, name, expected, timeout=10, count=300):
    """What was ordered is stored, and told, a moment before it is answered from."""
    return signpost.wait_until(lambda: expected(answered(server, name, count)), timeout * signpost.SLOW, every=0.05)


def only(*addresses):
    return lambda now: set(now) == set(addresses)


def status(server, pool):
    return json.loads(server.ctl("--json", "status", pool).stdout)


def node(server, pool, name):
    return next(n for s in status(server, pool)["pools"][0]["sites"] for n in s["nodes"] if n["name"] == name)


def query(server, sql):
    with contextlib.closing(sqlite3.connect(server.folder / "state/signpost.db", timeout=10)) as db:
        return db.execute(sql).fetchall()


@contextlib.contextmanager
def enabled_again(server, *objects):
    try:
        yield
    finally:
        for name in objects:
            server.ctl("enable", name)


# --- states -------------------------------------------------------------------------------------------

def test_drain_empties_a_node_at_once_and_whatever_is_killed_keeps_it(server):
    wait_answered(server, "edge", only(*NEAR))
    before = answered(server, "edge")
    with enabled_again(server, "near-1"):
        for _ in range(5):  # a machine that stands still for a moment can only make it longer
            server.ctl("enable", "near-1")
            wait_answered(server, "edge", lambda now: now == before)
            server.ctl("drain", "near-1", "--reason", "new kernel")
            start = time.monotonic()
            wait_answered(server, "edge", only(NEAR[1]))
            took = time.monotonic() - start
            if took < 0.5 * signpost.SLOW:
                break
        assert took < 0.5 * signpost.SLOW
        # Who said so and why is on the disk when the command ends.
        (who, uid, obj, reason) = query(
            server, "SELECT who, uid, object, reason FROM operator_actions WHERE action = 'drain' ORDER BY id")[-1]
        assert (uid, obj, reason) == (os.getuid(), "node:edge/near-1", "new kernel") and who
        old = server.kill("signpost-control")
        server.wait_new("signpost-control", old)
        old = server.kill("signpost-dns")
        server.wait_new("signpost-dns", old)
        assert only(NEAR[1])(answered(server, "edge"))
        told = signpost.wait_until(lambda: node(server, "edge", "near-1"), 5)
        assert (told["status"], told["state"], told["steered"]) == ("up", "draining", "draining")
        assert told["state_by"]["reason"] == "new kernel"
        # A start from nothing but the files and the database keeps it as well.
        server.stop()
        server.start()
        wait_answered(server, "edge", only(NEAR[1]))
        (state,) = json.loads(server.ctl("states", "--json").stdout)["states"]
        assert state["object"] == "node:edge/near-1" and state["holds"]
        assert "ended or cut short: node:edge/near-1 draining" in server.ctl("enable", "near-1").stdout
        assert "nothing was ordered of it" in server.ctl("enable", "near-1").stdout
    wait_answered(server, "edge", lambda now: now == before)


def test_draining_nodes_are_answered_before_any_that_is_down_and_disabled_ones_never(server):
    with enabled_again(server, "edge", "edge/@far"):
        told_before = len(server.log())

        def changes():
            return [line for line in server.log()[told_before:].splitlines() if "admin state changed" in line]
        server.ctl("drain", "edge/@near")
        wait_answered(server, "edge", only(*FAR))
        line, = signpost.wait_until(changes, 5 * signpost.SLOW)  # one for the site
        assert "site=edge/@near nodes=2 from=enabled to=draining" in line
        server.nodes.stop(*FAR)
        try:
            wait_answered(server, "edge", only(*NEAR))
            assert status(server, "edge")["pools"][0]["applied"] == "draining"
            server.ctl("disable", "edge/@near")
            wait_answered(server, "edge", only(*FAR))  # fallback all: as if they were up
            told = server.ctl("disable", "edge").stdout
            assert "warning: pool edge has no usable node" in told
            wait_answered(server, "edge", lambda now: not now)
        finally:
            server.nodes.start(*FAR)
            server.ctl("enable", "edge/@near")


def begin_and_end_in(server, seconds):
    """Orders and options that begin in so many seconds and hold as long; None: they began, or ended, before all
    that is to be seen until then was seen."""
    window, fenced = server.zone_file("window.pool.yaml"), server.zone_file("fenced.pool.yaml")
    before = window.read_text(), fenced.read_text()
    begin, end = (int(time.time()) + 1 + seconds * n for n in (1, 2))
    window.write_text(before[0] + f"maintenance:\n  - {{ node: window-1, from: {instant(begin)!r}, "
                                  f"until: {instant(end)!r}, reason: new disk }}\n")
    fenced.write_text(before[1] + f"avoid:\n  - {{ node: fenced-near-1, clients: all, until: {instant(end)!r} }}\n")
    try:
        server.ctl("disable", "node:edge/near-2", "--from", instant(begin), "--until", instant(end))
        server.ctl("reload")
        wait_answered(server, "fenced", lambda now: only(FENCED[1])(now) or time.time() >= begin)
        told = (server.ctl("states").stdout, *(set(answered(server, name)) for name in ("edge", "window")))
        if time.time() >= begin:
            return None
        assert "disabled, to come" in told[0] and told[1:] == (set(NEAR), set(WINDOW))
        wait_answered(server, "edge", lambda now: only(NEAR[0])(now) or time.time() > end, timeout=seconds + 5)
        wait_answered(server, "window", lambda now: only(WINDOW[1])(now) or time.time() > end, timeout=5)
        states = [s for s in status(server, "window")["states"] if s["object"] == "node:window/window-1"]
        in_time = time.time() < end
        if in_time:
            (state,) = states
            assert (state["reason"], state["holds"]) == ("new disk", True)
            assert state["file"].endswith("window.pool.yaml")
        wait_answered(server, "fenced", only(FENCED[0]), timeout=seconds + 5)
        wait_answered(server, "edge", only(*NEAR), timeout=5)
        wait_answered(server, "window", only(*WINDOW), timeout=5)
        assert "nothing is drained" in server.ctl("states").stdout
        return in_time or None
    finally:
        window.write_text(before[0])
        fenced.write_text(before[1])
        server.ctl("reload")
        server.ctl("enable", "near-2")


def test_orders_windows_and_avoids_begin_and_end_by_themselves(server):
    # A busy machine may need longer than that until all is seen.
    assert any(begin_and_end_in(server, seconds) for seconds in (2, 6, 18))


def answers_beside_order_in(server, seconds):
    """An order begins in so many seconds and holds as long. What is answered too long, or too late: a machine that
    stands still does that as well."""
    ttls, wrong = collections.defaultdict(set), []

    def ttl(network):
        (answer,) = server.ask("window.example.org", subnet=network).answer
        return answer.ttl

    def ask(network, when, until=math.inf, changes=True):
        at = time.time()
        (answer,) = server.ask("window.example.org", subnet=network).answer
        if time.time() >= until:
            return  # nobody knows whether it is from before or from after
        ttls[answer[0].address, when].add(answer.ttl)
        # What changes with time is looked at once a second, and no TTL is below one.
        if changes and at + answer.ttl > max(until, at + 1) + 0.5:
            wrong.append((at, until, answer))

    def changes_at(when, *addresses):
        wait_answered(server, "window", only(*addresses))
        if time.time() - when > 2 * signpost.SLOW:
            wrong.append(f"{addresses} {time.time() - when} s late")

    wait_answered(server, "window", only(*WINDOW))
    leaves, stays = (next(str(n) for n in client_networks(30)
                          if server.addresses("window.example.org", subnet=str(n)) == [node]) for node in WINDOW)
    begin, end = (int(time.time()) + seconds * n for n in (1, 2))
    with enabled_again(server, "window-1"):
        server.ctl("drain", "window-1", "--from", instant(begin), "--until", instant(end))
        doubts = server.ctl("status", "window").stdout
        told = server.ctl("explain", "window.example.org", leaves).stdout
        signpost.wait_until(lambda: ttl(leaves) < 30 or time.time() >= begin, 10 * signpost.SLOW)
        if time.time() >= begin - 1:
            return ["it began before all was seen that is before it"]
        # Planned is not doubted: no check has failed.
        assert "in doubt" not in doubts
        assert "verdict" not in told and re.search(r"^TTL .*planned", told, re.M), told
        while time.time() < begin:
            ask(leaves, "before" if begin - time.time() < 3 else "long before", begin)
            ask(stays, "before", begin, changes=False)
            time.sleep(0.05)
        changes_at(begin, WINDOW[1])
        while time.time() < end:
            ask(leaves, "in it" if end - time.time() < 3 else "early in it", end)
            time.sleep(0.05)
        changes_at(end, *WINDOW)
        ask(leaves, "after", changes=False)
        ask(stays, "after", changes=False)
    soon = [ttls.pop(key, {math.inf}) for key in ((WINDOW[0], "before"), (WINDOW[1], "in it"))]
    if max(set().union(*soon)) > 2:
        wrong.append(f"TTLs of what changes soon: {soon}")
    for early in ((WINDOW[0], "long before"), (WINDOW[1], "early in it")):
        ttls.pop(early, None)
    assert wrong or set().union(*ttls.values()) == {30}, ttls
    return wrong


def test_answers_that_a_planned_order_changes_have_run_out_by_then(server):
    wrong = []
    for seconds in (3, 9, 27):
        wrong.append(answers_beside_order_in(server, seconds))
        if not wrong[-1]:
            return
    raise AssertionError(wrong)


def test_order_of_a_node_waits_for_its_return_to_the_files(server):
    path = server.zone_file("window.pool.yaml")
    before = path.read_text()
    with enabled_again(server, "window-1"):
        server.ctl("drain", "window-1")
        try:
            path.write_text(before.replace("window-1:", "window-3:"))
            server.ctl("reload")
            wait_answered(server, "window", only(*WINDOW))
            assert "node:window/window-1 (not in the files)" in server.ctl("states").stdout
        finally:
            path.write_text(before)
            server.ctl("reload")
        wait_answered(server, "window", only(WINDOW[1]))


def test_what_is_not_clear_is_refused_with_what_it_may_mean(server):
    for arguments, told in ((("drain", "window"), "may be"), (("drain", "near-9"), "did you mean"),
                            (("drain", "window-1", "--until", "2001-01-01T00:00:00Z"), "in the past"),
                            (("weight", "edge/@near", "3"), "only nodes")):
        done = server.ctl(*arguments, check=False)
        if arguments[1] == "window":  # a pool alone has this name
            assert done.returncode == 0
            server.ctl("enable", "window")
            continue
        assert done.returncode == 1 and told in done.stderr, done
    assert server.ctl("drain", check=False).returncode == 2
    assert server.ctl("drain", "edge", "--from", "soon", check=False).returncode == 2


def test_order_that_cannot_be_written_holds_and_is_told_to_be_unsafe(server):
    with contextlib.closing(sqlite3.connect(server.folder / "state/signpost.db", timeout=10)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            done = server.ctl("drain", "near-1")
            assert "not stored yet" in done.stderr
            wait_answered(server, "edge", only(NEAR[1]))
        finally:
            db.execute("ROLLBACK")
    signpost.wait_until(lambda: query(server, "SELECT 1 FROM orders WHERE object = 'node:edge/near-1'"), 10)
    # What is ordered is stored again. (A disk may be busy for longer than a command waits for it.)
    signpost.wait_until(lambda: "stored" not in server.ctl("enable", "near-1").stderr, 10 * signpost.SLOW)


# --- weights, caps, loads -----------------------------------------------------------------------------

def test_weight_moves_clients_and_reset_brings_them_back(server):
    before = answered(server, "rolled", 2000)
    assert 800 < before[ROLLED[0]] < 1200
    server.ctl("weight", "rolled-1", "25")
    wait_answered(server, "rolled", lambda now: 300 < now[ROLLED[0]] < 500, count=2000)
    told = node(server, "rolled", "rolled-1")
    assert (told["weight"], told["configured_weight"]) == (25, 100)
    server.ctl("weight", "rolled-1", "--reset")
    wait_answered(server, "rolled", lambda now: now == before, count=2000)


def test_frozen_pool_keeps_half_of_its_nodes_in(server):
    def held():
        return {n["name"] for n in status(server, "frozen")["pools"][0]["sites"][0]["nodes"] if n["held"]}

    try:
        for number, address in enumerate(FROZEN, 1):
            server.nodes.stop(address)
            signpost.wait_until(lambda: node(server, "frozen", f"frozen-{number}")["status"] == "down", 10)
        wait_answered(server, "frozen", only(*FROZEN[2:]))
        alarm = status(server, "frozen")["pools"][0]["alarm"]
        assert (alarm["down"], alarm["of"], alarm["max"], alarm["held"]) == (4, 4, 2, 2)
        assert held() == {"frozen-3", "frozen-4"}
        assert "ALARM for" in server.ctl("status", "frozen").stdout
        old = server.kill("signpost-control")
        server.wait_new("signpost-control", old)
        signpost.wait_until(lambda: held() == {"frozen-3", "frozen-4"}, 10)
        server.nodes.start(FROZEN[0])  # room for one more to go out
        wait_answered(server, "frozen", only(FROZEN[0], FROZEN[3]))
    finally:
        server.nodes.start(*[a for a in FROZEN if a not in server.nodes._listening])
    wait_answered(server, "frozen", only(*FROZEN))
    signpost.wait_until(lambda: status(server, "frozen")["pools"][0]["alarm"] is None, 10)
    log = server.log()
    assert "more nodes of a pool are down than may be pool=frozen down=3 of=4 max=2 frozen=yes" in log
    assert "node is down but held in, for too many of its pool are node=frozen/frozen-3" in log
    assert "node is held in no longer node=frozen/frozen-3" in log
    assert "a pool has no more nodes down than may be pool=frozen" in log


def test_frozen_pool_counts_the_nodes_that_a_reload_adds_and_removes(server):
    path = server.zone_file("frozen.pool.yaml")
    before = path.read_text()
    added = "127.30.3.5"
    try:
        server.nodes.start(added)
        server.nodes.stop(*FROZEN[:3])
        signpost.wait_until(lambda: status(server, "frozen")["pools"][0]["alarm"] is not None, 10)
        wait_answered(server, "frozen", lambda now: FROZEN[3] in now and len(now) == 2)  # two of four are out
        (held,) = set(answered(server, "frozen")) - {FROZEN[3]}
        path.write_text(before.replace(f"address: {held}", f"address: {added}"))  # another machine in its place
        server.ctl("reload")
        wait_answered(server, "frozen", only(FROZEN[3], added))
        assert sum(n["status"] == "down" for n in status(server, "frozen")["pools"][0]["sites"][0]["nodes"]) == 2
        path.write_text(before + "".join(f"      more-{n}: {{ address: {added} }}\n" for n in range(2)))
        server.ctl("reload")  # three of six are out: nobody is held in
        wait_answered(server, "frozen", only(FROZEN[3], added))
        assert not any(n["held"] for n in status(server, "frozen")["pools"][0]["sites"][0]["nodes"])
    finally:
        path.write_text(before)
        server.ctl("reload")
        server.nodes.start(*[a for a in FROZEN if a not in server.nodes._listening])
        server.nodes.stop(added)
    wait_answered(server, "frozen", only(*FROZEN))


def test_last_good_nodes_are_answered_when_none_is_up(server):
    try:
        server.nodes.stop(ROLLED[0])
        wait_answered(server, "rolled", only(ROLLED[1]))
        time.sleep(1.2)  # longer than it takes to find a node down: they did not fail together
        server.nodes.stop(ROLLED[1])
        signpost.wait_until(lambda: status(server, "rolled")["pools"][0]["applied"] == "last-good", 10)
        assert only(ROLLED[1])(answered(server, "rolled"))
        assert "the fallback is answered: last-good" in server.ctl("status", "rolled").stdout
        old = server.kill("signpost-control")
        server.wait_new("signpost-control", old)
        time.sleep(1.5)  # until steering is made anew from what was stored
        assert only(ROLLED[1])(answered(server, "rolled"))
    finally:
        server.nodes.start(*[a for a in ROLLED if a not in server.nodes._listening])
    wait_answered(server, "rolled", only(*ROLLED))


def test_site_that_is_full_passes_clients_on_until_it_is_not(server):
    wait_answered(server, "full", only(FULL[0]))
    server.ctl("report", "full-near-1", "--load", "0.95")
    wait_answered(server, "full", lambda now: now[FULL[1]] > 0)
    shares = answered(server, "full")
    site = status(server, "full")["pools"][0]["sites"][0]
    assert site["spilling"] and site["use"] == 0.95
    assert abs(shares[FULL[0]] / 300 - site["keep"]) < 0.1
    assert "site near spills over: 95 % is used" in server.ctl("status", "full").stdout
    server.ctl("report", "full-near-1", "--load", "0.7")  # between the marks: goes on, with more
    wait_answered(server, "full", lambda now: shares[FULL[0]] < now[FULL[0]] < 300)
    shares = answered(server, "full")
    signpost.wait_until(lambda: query(server, "SELECT load, spilling FROM node_status WHERE node = 'full/full-near-1'") == [(0.7, 1)], 5)
    old = server.kill("signpost-control")
    server.wait_new("signpost-control", old)
    site = status(server, "full")["pools"][0]["sites"][0]
    assert site["spilling"] and site["use"] == 0.7, "what was outlives the process that knew of it"
    time.sleep(1.5)  # until steering is made anew from what was stored
    assert answered(server, "full") == shares
    server.ctl("report", "full-near-1", "--load", "0.4")
    wait_answered(server, "full", only(FULL[0]))
    assert "site begins to spill over pool=full site=near use=0.95" in server.log()
    assert "site spills over no longer pool=full site=near" in server.log()


# --- data files ---------------------------------------------------------------------------------------

def test_list_that_is_edited_is_answered_from_without_a_command(server):
    office = server.zone_file("office.txt")

    def address():
        return server.addresses("fenced.example.org", subnet="198.51.100.0/24")

    assert address() == [FENCED[0]]
    office.write_text("203.0.113.0/24\n198.51.100.0/24\n")
    signpost.wait_until(lambda: address() == [FENCED[1]], 10 * signpost.SLOW)
    assert f"a data file has changed, all are read again path={office}" in server.log()
    # A mistake changes nothing; its repair, by rename, is noticed.
    office.write_text("nonsense\n")
    signpost.wait_until(lambda: "nothing is reloaded, what was running goes on" in server.log(), 10 * signpost.SLOW)
    assert address() == [FENCED[1]]
    other = server.zone_file("office.new")
    other.write_text("203.0.113.0/24\n")
    os.rename(other, office)
    signpost.wait_until(lambda: address() == [FENCED[0]], 10 * signpost.SLOW)
    # What is edited while there is no control is read by the next one.
    old = server.pid("signpost-control")
    office.write_text("198.51.100.0/24\n")
    os.kill(old, signal.SIGKILL)
    server.wait_new("signpost-control", old)
    signpost.wait_until(lambda: address() == [FENCED[1]], 10 * signpost.SLOW)
