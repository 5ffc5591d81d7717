"""Nodes that are more than up or down: on their way back, with one family down, forced by an operator."""

import collections
import contextlib
import json
import socket
import threading

import fastdns
import pytest
import signpost
from test_failover import client_networks

ONE, TWO, ONE_V6 = "127.36.1.1", "127.36.1.2", "2001:db8:36::1"


@pytest.fixture(scope="module")
def server():
    """Node one has IPv6, too, whose path is up while ::1 listens; node two has not."""
    with signpost.world("signpost-ramp-") as (server, nodes):
        server.nodes = nodes
        server.write_server_file({"near": (35.68, 139.69)})
        server.zone_file("example.org.zone").write_text(
            "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nedge 30 POOL edge\n")
        server.zone_file("edge.pool.yaml").write_text(
            "pool: edge\npolicy: weighted\nramp: { from: 20%, time: 6s }\n"
            f"probes: [ {{ kind: tcp, port: {nodes.port}, interval: 300ms, timeout: 200ms, fall: 2, rise: 1 }} ]\n"
            "sites:\n  near:\n    nodes:\n"
            f"      one: {{ address: [{ONE}, '{ONE_V6}'], probe-address: [{ONE}, '::1'] }}\n"
            f"      two: {{ address: {TWO} }}\n")
        nodes.start(ONE, TWO, "::1")
        server.start()
        wait_condition(server, "one", "up")
        wait_condition(server, "two", "up")
        yield server


def node(server, name):
    status = json.loads(server.ctl("--json", "status", "edge").stdout)
    return next(n for site in status["pools"][0]["sites"] for n in site["nodes"] if n["name"] == name)


def wait_condition(server, name, condition):
    signpost.wait_until(lambda: node(server, name)["condition"] == condition, 20 * signpost.SLOW, every=0.05)


def answered(server, kind="A", count=600, name="edge.example.org"):
    """{address: part of the clients}; None: those without an answer."""
    results = fastdns.ask_many(server.server, [(name, kind, n) for n in client_networks(count)])
    assert all(rcode == 0 and len(addresses) <= 1 for rcode, addresses, _ in results)
    found = collections.Counter(addresses[0] if addresses else None for _, addresses, _ in results)
    return {address: number / count for address, number in found.items()}


def wait_shares(server, expected, kind="A", name="edge.example.org"):
    """What was ordered or judged is told a moment before it is answered from."""
    return signpost.wait_until(lambda: expected(answered(server, kind, name=name)), 10 * signpost.SLOW, every=0.05)


def wait_answered(server, expected, kind="A"):
    return wait_shares(server, lambda now: set(now) == set(expected), kind)


def test_a_node_that_was_down_gets_its_clients_back_little_by_little(server):
    whole = answered(server)
    assert 0.4 < whole[ONE] < 0.6
    server.nodes.stop(ONE)
    server.nodes.stop("::1")
    wait_answered(server, [TWO])
    signpost.wait_until(lambda: node(server, "one")["status"] == "down", 10 * signpost.SLOW)  # of both families
    server.nodes.start(ONE, "::1")
    seen = []

    def part(level):
        """Of the clients, for the weights are equal."""
        return level / (level + 1)

    def is_back():
        share, told = answered(server).get(ONE, 0), node(server, "one")
        if told["condition"] == "ramping" and not told["down_families"]:
            level = told["ramp_level"] / 65535
            seen.append((level, share))
            wait_shares(server, lambda now: now.get(ONE, 0) > part(level) - 0.08)
        return told["condition"] == "up"

    signpost.wait_until(is_back, 20 * signpost.SLOW, every=0.1)
    wait_shares(server, lambda now: now == whole)  # its former clients return, and only they move
    levels = [level for level, _ in seen]
    assert levels == sorted(levels) and 0.19 < levels[0] < 0.9, seen
    # What is answered was told before.
    assert all(share < part(level) + 0.08 and share < whole[ONE] + 0.01 for level, share in seen), seen
    assert "node gets its clients back little by little node=edge/one" in server.log()
    signpost.wait_until(lambda: "node has all of its weight again node=edge/one" in server.log(), 5 * signpost.SLOW)


def test_a_node_whose_ipv6_is_down_is_answered_for_a_alone(server):
    before = answered(server)
    assert answered(server, "AAAA") == {ONE_V6: 1}
    server.nodes.stop("::1")
    try:
        wait_answered(server, [None], "AAAA")  # nobody else has any
        assert answered(server) == before
        told = node(server, "one")
        assert (told["condition"], told["status"], told["down_families"]) == ("degraded", "up", ["IPv6"])
        assert "degraded, no IPv6" in server.ctl("status", "edge").stdout
        assert "one: its IPv6 is down" in server.ctl("simulate", "--down", "two").stdout
        mine = next(n for n in client_networks(600) if server.addresses("edge.example.org", "A", str(n)) == [ONE])
        assert "; its IPv6 is down" in server.ctl("explain", "edge.example.org", str(mine)).stdout
    finally:
        server.nodes.start("::1")
    wait_answered(server, [ONE_V6], "AAAA")
    wait_condition(server, "one", "up")


def test_force_decides_whatever_probes_say(server):
    wait_condition(server, "one", "up")
    server.ctl("force", "one", "down", "--reason", "it lies")
    wait_answered(server, [TWO])
    told = node(server, "one")
    assert (told["condition"], told["status"], told["state"]) == ("forced", "up", "forced-down")
    assert "up, forced-down" in server.ctl("status", "edge").stdout
    assert "forced-down  node:edge/one" in server.ctl("states").stdout
    server.nodes.stop(TWO)
    signpost.wait_until(lambda: node(server, "two")["status"] == "down", 10 * signpost.SLOW)
    wait_answered(server, [ONE, TWO])  # all are down: the fallback answers both
    server.ctl("force", "two", "up", "--for", "1h")
    wait_answered(server, [TWO])
    assert node(server, "two")["state_by"]["until_ms"] > node(server, "two")["state_by"]["from_ms"]
    server.ctl("enable", "one")
    wait_shares(server, lambda now: ONE in now)  # some of these may have been answered before
    assert 0.4 < answered(server)[ONE] < 0.6, "it was not down: all of its clients at once"
    server.ctl("enable", "two")
    wait_answered(server, [ONE])
    server.nodes.start(TWO)
    wait_condition(server, "two", "up")
    done = server.ctl("force", "two", "sideways", check=False)
    assert done.returncode == 2 and "up or down" in done.stderr


class Agents:
    """What agents of the nodes say: {address: line}."""

    def __init__(self, **lines):
        self.lines, self.listeners, self.port = lines, [], None

    def __enter__(self):
        for address in self.lines:
            self.listeners.append(socket.create_server((address, self.port or 0)))
            self.port = self.listeners[0].getsockname()[1]
            threading.Thread(target=self.serve, args=(address, self.listeners[-1]), daemon=True).start()
        return self

    def serve(self, address, listener):
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as client:
                    client.sendall(self.lines[address].encode() + b"\n")

    def __exit__(self, *_):
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def test_agents_are_heeded_but_an_operator_decides(server):
    first, second = "127.36.2.1", "127.36.2.2"
    with Agents(**{first: "up 100%", second: "up 100%"}) as agents:
        zone, pool = server.zone_file("example.org.zone"), server.zone_file("asked.pool.yaml")
        zone.write_text(zone.read_text() + "asked 30 POOL asked\n")
        pool.write_text(
            "pool: asked\npolicy: weighted\nprobes: [ { kind: agent, port: PORT, interval: 300ms, timeout: 200ms } ]\n"
            .replace("PORT", str(agents.port))
            + f"sites: {{ near: {{ nodes: {{ p: {{ address: {first} }}, q: {{ address: {second} }} }} }} }}\n")
        server.ctl("reload")

        def told(name):
            (pool,) = json.loads(server.ctl("--json", "status", "asked").stdout)["pools"]
            return next(n for site in pool["sites"] for n in site["nodes"] if n["name"] == name)

        def shares():
            return answered(server, name="asked.example.org")

        signpost.wait_until(lambda: len(shares()) == 2, 10 * signpost.SLOW, every=0.05)
        agents.lines[first] = "up 25%"
        signpost.wait_until(lambda: told("p")["level"] == 65535 // 4, 10 * signpost.SLOW, every=0.05)
        signpost.wait_until(lambda: 0.12 < shares()[first] < 0.28, 10 * signpost.SLOW, every=0.05)  # 25 of 125
        agents.lines[first] = "drain"
        signpost.wait_until(lambda: set(shares()) == {second}, 10 * signpost.SLOW, every=0.05)
        assert (told("p")["state"], told("p")["condition"], told("p")["wish"]) == ("draining", "draining", "drain")
        assert "node:asked/p by its agent" in server.ctl("status", "asked").stdout
        assert "draining by its agent" in server.ctl("enable", "asked/p").stdout, "that is what still keeps it out"
        server.ctl("force", "asked/p", "up")
        signpost.wait_until(lambda: len(shares()) == 2, 10 * signpost.SLOW, every=0.05)
        assert told("p")["state"] == "forced-up" and told("p")["wish"] == "drain"
        agents.lines[first] = "maint"
        server.ctl("enable", "asked/p")
        signpost.wait_until(lambda: told("p")["condition"] == "disabled", 10 * signpost.SLOW, every=0.05)
        signpost.wait_until(lambda: set(shares()) == {second}, 10 * signpost.SLOW, every=0.05)
        agents.lines[second] = "maint"  # all of them: a fallback answers, which is everybody
        signpost.wait_until(lambda: told("q")["condition"] == "disabled" and len(shares()) == 2, 10 * signpost.SLOW, every=0.05)
        agents.lines[second] = "ready up 100%"
        signpost.wait_until(lambda: set(shares()) == {second}, 10 * signpost.SLOW, every=0.05)
        agents.lines[first] = "ready up 100%"
        signpost.wait_until(lambda: len(shares()) == 2, 10 * signpost.SLOW, every=0.05)
