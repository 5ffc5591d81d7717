"""Self-doubt: the link of the machine that probes is cut, and no node is removed for it."""

import contextlib
import json
import os
import subprocess

import pytest

import signpost

POOL = """pool: edge
probes: [ { kind: icmp, interval: 200ms, timeout: 200ms, fall: 3, rise: 2 } ]
sites:
  tokyo:
    nodes:
      a: { address: 10.97.0.11 }
      b: { address: 10.97.0.12 }
      c: { address: 10.97.0.13 }
      d: { address: 10.97.0.14 }
"""
NODES = ("10.97.0.11", "10.97.0.12", "10.97.0.13", "10.97.0.14")
REFERENCE = "10.97.0.100"


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


@contextlib.contextmanager
def two_namespaces():
    """One for the server, and one behind a link that has the nodes and the reference."""
    here, there = f"sp-here-{os.getpid()}", f"sp-there-{os.getpid()}"
    try:
        for name in (here, there):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", here, "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", there)
        ip("-n", here, "addr", "add", "10.97.0.1/24", "dev", "up0")
        for address in (*NODES, REFERENCE):
            ip("-n", there, "addr", "add", f"{address}/24", "dev", "up0")
        for name in (here, there):
            ip("-n", name, "link", "set", "up0", "up")
        yield here, there
    finally:
        for name in (here, there):
            ip("netns", "del", name, check=False)


@pytest.fixture(scope="module")
def server():
    if os.geteuid() != 0 or ip("netns", "add", f"sp-try-{os.getpid()}", check=False).returncode != 0:
        pytest.skip("this needs the right to make network namespaces")
    ip("netns", "del", f"sp-try-{os.getpid()}")
    with two_namespaces() as (here, there), signpost.world() as (server, _):
        server.write_server_file({"tokyo": (35.68, 139.69)}, f"doubt: {{ references: {REFERENCE} }}\n")
        server.zone_file("example.net.zone").write_text(
            "$TTL 3600\n@ IN SOA ns1 h 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\nvpn 30 IN POOL edge\n")
        server.zone_file("edge.pool.yaml").write_text(POOL)
        server.here, server.there = here, there
        server.start(command=("ip", "netns", "exec", here))
        signpost.wait_until(lambda: statuses(server) == ["up"] * 4, 10 * signpost.SLOW)
        yield server


def status(server):
    return json.loads(server.ctl("--json", "status").stdout)


def statuses(server):
    return [node["status"] for node in status(server)["pools"][0]["sites"][0]["nodes"]]


def changes(server):
    return server.log().count("node changed state")


def test_cut_link_removes_no_node_and_all_goes_on_by_itself(server):
    assert status(server)["doubt"]["answer"] is True
    before = changes(server)
    ip("-n", server.here, "link", "set", "up0", "down")
    doubt = signpost.wait_until(lambda: (found := status(server)["doubt"])["frozen"] and found, 10 * signpost.SLOW)
    assert doubt["failing"] >= 3 and doubt["answer"] is False
    assert "ALARM" in server.ctl("status").stdout and "statuses are frozen" in server.log()
    checked = status(server)["pools"][0]["sites"][0]["nodes"][0]["checked_ms"]
    signpost.wait_until(  # many times as long as it takes to be down
        lambda: status(server)["pools"][0]["sites"][0]["nodes"][0]["checked_ms"] > checked + 2500, 15 * signpost.SLOW, every=0.2)
    assert statuses(server) == ["up"] * 4 and changes(server) == before
    ip("-n", server.here, "link", "set", "up0", "up")
    signpost.wait_until(lambda: status(server)["doubt"]["frozen"] is False, 10 * signpost.SLOW)
    assert statuses(server) == ["up"] * 4 and changes(server) == before
    assert "statuses are frozen no longer" in server.log()
    assert "ALARM" not in server.ctl("status").stdout


def test_nodes_that_fail_while_the_reference_answers_are_removed(server):
    for address in NODES[1:]:  # the first is the primary address, and would take the others along
        ip("-n", server.there, "addr", "del", f"{address}/24", "dev", "up0")
    signpost.wait_until(lambda: statuses(server) == ["up"] + ["down"] * 3, 10 * signpost.SLOW)
    assert status(server)["doubt"]["frozen"] is False
    for address in NODES[1:]:
        ip("-n", server.there, "addr", "add", f"{address}/24", "dev", "up0")
    signpost.wait_until(lambda: statuses(server) == ["up"] * 4, 10 * signpost.SLOW)
