"""Hooks: commands and URLs that are told what nodes and pools become; and that hang, fail and come too often."""

import http.server
import json
import threading
import time

import pytest

from signpost import SLOW, wait_until, world

PROBES = "probes: [ { kind: tcp, port: %d, interval: %s, jitter: 0%%, fall: 2, rise: 1 } ]\n"
INTERVAL = "100ms" if SLOW == 1 else "500ms"


class Receiver:
    """An HTTP server that keeps what it is sent, and answers with self.statuses, one after the other, then 200."""

    def __init__(self):
        receiver = self
        self.requests, self.statuses, self.hangs = [], [], False

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                receiver.requests.append((self.path, dict(self.headers), json.loads(body), time.monotonic()))
                while receiver.hangs:
                    time.sleep(0.05)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(str(self.headers["Authorization"]).encode())  # as some error pages do

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.hangs = False
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def running():
    with world() as (signpost, nodes):
        receiver = Receiver()
        folder = signpost.folder
        note = folder / "note"  # a line for each call: all that it was told
        note.write_text("#!/bin/sh\necho \"$SIGNPOST_EVENT|$SIGNPOST_POOL|$SIGNPOST_SITE|$SIGNPOST_NODE|$SIGNPOST_FROM|"
                        f"$SIGNPOST_TO|$SIGNPOST_REASON|$SIGNPOST_ADDRESSES|$SIGNPOST_LEFT_OUT|$1\" >>{folder}/noted\n")
        hang = folder / "hang"
        hang.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")
        fail = folder / "fail"
        fail.write_text("#!/bin/sh\necho 'not today' >&2\nexit 7\n")
        for script in (note, hang, fail):
            script.chmod(0o755)
        (folder / "header").write_text("Authorization: Bearer s3cret-word\n")
        (folder / "header").chmod(0o600)
        events = "[up, down, degraded, draining, disabled, alarm, alarm-end, fallback, fallback-end]"
        signpost.write_server_file(
            {"here": (1, 2)},
            "hooks:\n"
            f"  - {{ on: {events}, pools: edge, command: [note, 'an argument'], rate: 1000/s }}\n"
            f"  - {{ on: [up, down], pools: [edge], url: 'http://hooks.example:{receiver.port}/told?x=1', "
            "address: 127.0.0.1, header: header, rate: 1000/s, timeout: 20s, attempts: 3 }\n"
            "  - { on: [up, down], pools: edge, command: [hang], timeout: 10m, rate: 1000/s }\n"
            "  - { on: down, pools: edge, command: fail }\n"
            "  - { on: [up, down], pools: flap, command: [note, flapping], rate: 2/s }\n")
        signpost.zone_file("example.org.zone").write_text(
            "$TTL 60\n@ IN SOA ns host 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
            "edge 1 IN POOL edge\nflap 1 IN POOL flap\n")
        for pool, first in (("edge", "127.62.0"), ("flap", "127.62.1")):
            count = 2 if pool == "edge" else 8
            lines = "".join(f"      {pool}-{n}: {{ address: {first}.{n} }}\n" for n in range(1, count + 1))
            signpost.zone_file(f"{pool}.pool.yaml").write_text(
                f"pool: {pool}\nmax-automatic-down: 50%\nramp: {{ time: 0s }}\n" + PROBES % (nodes.port, INTERVAL)
                + f"sites:\n  here:\n    nodes:\n{lines}")
        nodes.start(*(f"127.62.0.{n}" for n in (1, 2)), *(f"127.62.1.{n}" for n in range(1, 9)))
        signpost.start()
        wait_until(lambda: len([line for line in noted(signpost) if line.startswith("up|edge")]) == 2
                   and len(receiver.requests) == 2, 10 * SLOW)
        yield signpost, nodes, receiver
        receiver.close()


def noted(signpost):
    path = signpost.folder / "noted"
    return path.read_text().splitlines() if path.exists() else []


def became(signpost, *events):
    """[(event, node)] of the pool edge, as the command was told them."""
    told = [line.split("|") for line in noted(signpost)]
    return [(event, node) for event, pool, _, node, *_ in told if pool == "edge" and event in events]


def wait_noted(signpost, *starts):
    """Until there is a line with each of these beginnings; returns the last of each."""
    def found():
        lines = [[line for line in noted(signpost) if line.startswith(start)] for start in starts]
        return all(lines) and [of[-1] for of in lines]
    return wait_until(found, 10 * SLOW)


def test_command_and_url_are_told_what_a_node_became(running):
    signpost, nodes, receiver = running
    before = len(receiver.requests)
    began = time.time()
    nodes.stop("127.62.0.1")
    told, = wait_noted(signpost, "down|edge|here|edge-1|up|down|")
    assert told.split("|")[6:] == [f"tcp 127.62.0.1:{nodes.port}: connection refused", "127.62.0.1", "0", "an argument"]
    path, headers, body, _ = wait_until(lambda: receiver.requests[before:], 10 * SLOW)[0]
    assert path == "/told?x=1"
    assert headers["Host"] == f"hooks.example:{receiver.port}"
    assert headers["Authorization"] == "Bearer s3cret-word"
    assert headers["Content-Type"] == "application/json"
    assert abs(body.pop("time") - began) < 60
    assert body == {"event": "down", "pool": "edge", "node": "edge-1", "site": "here", "from": "up", "to": "down",
                    "reason": f"tcp 127.62.0.1:{nodes.port}: connection refused", "addresses": ["127.62.0.1"],
                    "left_out": 0}
    nodes.start("127.62.0.1")
    wait_noted(signpost, "up|edge|here|edge-1|down|up|")
    assert "s3cret" not in signpost.log()


def test_command_that_fails_is_logged(running):
    signpost, _, _ = running
    wait_until(lambda: 'a hook failed hook=4 event=down pool=edge node=edge-1 what="exit status 7" said="not today"'
               in signpost.log(), 10 * SLOW)


def test_what_operators_order_is_told_with_its_reason(running):
    signpost, _, _ = running
    signpost.ctl("drain", "edge-2", "--reason", "new kernel")
    assert "|new kernel|" in wait_noted(signpost, "draining|edge|here|edge-2|up|draining|")[0]
    signpost.ctl("disable", "edge-2")
    wait_noted(signpost, "disabled|edge|here|edge-2|draining|disabled|")
    signpost.ctl("enable", "edge-2")
    wait_noted(signpost, "up|edge|here|edge-2|disabled|up|")


def test_pool_in_trouble_is_told_and_its_end(running):
    signpost, nodes, _ = running
    nodes.stop("127.62.0.1", "127.62.0.2")
    wait_noted(signpost, "alarm|edge|||||2 of 2 nodes are down, 1 may be|", "fallback|edge||")
    nodes.start("127.62.0.1", "127.62.0.2")
    wait_noted(signpost, "alarm-end|edge||", "fallback-end|edge||")  # the first one that is back ends both
    wait_until(lambda: {node: event for event, node in became(signpost, "up", "down")}
               == {"edge-1": "up", "edge-2": "up"}, 10 * SLOW)


def test_request_that_fails_is_tried_again_and_given_up(running):
    signpost, nodes, receiver = running
    wait_until(lambda: [(r[2]["event"], r[2]["node"]) for r in receiver.requests] == became(signpost, "up", "down"),
               10 * SLOW)  # all that was before has been told
    receiver.requests.clear()
    receiver.statuses[:] = [503, 200]
    nodes.stop("127.62.0.2")
    wait_until(lambda: len(receiver.requests) == 2, 15 * SLOW)
    first, second = receiver.requests
    assert first[2] == second[2] and first[2]["event"] == "down"
    assert second[3] - first[3] >= 0.9
    receiver.statuses[:] = [500, 500, 500]
    nodes.start("127.62.0.2")
    wait_until(lambda: 'event=up pool=edge node=edge-2 what="HTTP status 500"' in signpost.log(), 15 * SLOW)
    assert len(receiver.requests) == 5
    assert "s3cret-word" not in signpost.log()


def test_hooks_that_hang_delay_nothing(running):
    signpost, nodes, receiver = running
    receiver.hangs = True  # and each call of the third hook hangs since the start

    def answered():
        return {address for _ in range(40) for address in signpost.addresses("edge.example.org")}
    took = []
    for _ in range(3):
        wait_until(lambda: answered() == {"127.62.0.1", "127.62.0.2"}, 10 * SLOW)
        began = time.monotonic()
        nodes.stop("127.62.0.1")
        wait_until(lambda: answered() == {"127.62.0.2"}, 10 * SLOW, every=0.01)
        took.append(time.monotonic() - began)
        nodes.start("127.62.0.1")
    assert min(took) < 3 * SLOW, took  # a machine that stands still can only make it longer
    receiver.hangs = False
    wait_until(lambda: answered() == {"127.62.0.1", "127.62.0.2"}, 10 * SLOW)


def test_calls_beyond_the_rate_are_counted_and_told_together(running):
    signpost, nodes, _ = running
    flap = [f"127.62.1.{n}" for n in range(1, 9)]

    def told():
        """(calls, how many were left out of them) since the start."""
        lines = [line for line in noted(signpost) if line.endswith("|flapping")]
        calls = [line for line in lines if not line.startswith("summary")]
        return len(calls), sum(int(line.split("|")[8]) for line in lines if line.startswith("summary"))

    def down():
        pools = json.loads(signpost.ctl("status", "flap", "--json").stdout)["pools"]
        return [node["status"] for node in pools[0]["sites"][0]["nodes"]] == ["down"] * 8
    before, _ = wait_until(lambda: sum(told()) == 8 and told(), 10 * SLOW)
    began = time.monotonic()
    nodes.stop(*flap)
    wait_until(down, 10 * SLOW)
    most = 2 * (1 + int(time.monotonic() - began))  # in each second that has begun
    calls, left_out = wait_until(lambda: sum(told()) == 16 and told(), 10 * SLOW)
    assert 0 < calls - before <= most, (before, calls, left_out, most)
    nodes.start(*flap)


def test_first_verdict_on_a_new_node_is_told_and_a_node_that_goes_is_not(running):
    signpost, nodes, _ = running
    path = signpost.zone_file("edge.pool.yaml")
    before = path.read_text()
    nodes.start("127.62.0.3")
    try:
        path.write_text(before + "      edge-3: { address: 127.62.0.3 }\n      edge-4: { address: 127.62.0.4 }\n")
        signpost.ctl("reload")
        wait_noted(signpost, "up|edge|here|edge-3|unknown|up|", "down|edge|here|edge-4|unknown|down|")
    finally:
        path.write_text(before)
        signpost.ctl("reload")
        nodes.stop("127.62.0.3")
    signpost.ctl("drain", "edge-2")
    wait_noted(signpost, "draining|edge|here|edge-2|up|draining|")  # what comes later has been told
    signpost.ctl("enable", "edge-2")
    wait_noted(signpost, "up|edge|here|edge-2|draining|up|")
    of_new = [line.split("|")[0] for line in noted(signpost) if "|edge-3|" in line or "|edge-4|" in line]
    assert sorted(of_new) == ["down", "up"]
