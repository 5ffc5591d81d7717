"""Self-doubt: the link of the machine that probes is cut, or its IPv6 alone, and no node is removed for
it."""

import contextlib
import json
import os
import subprocess

import pytest

import signpost

POOL = """pool: edge
answers: 8
spread: node
probes: [ { kind: icmp, interval: 200ms, timeout: 200ms, fall: 3, rise: 2 } ]
sites:
  tokyo:
    nodes:
      a: { address: [10.97.0.11, "fd97::11"] }
      b: { address: [10.97.0.12, "fd97::12"] }
      c: { address: [10.97.0.13, "fd97::13"] }
      d: { address: 10.97.0.14 }
      e: { address: "fd97::15" }
"""
V4 = ("10.97.0.11", "10.97.0.12", "10.97.0.13", "10.97.0.14")
V6 = ("fd97::11", "fd97::12", "fd97::13", "fd97::15")
V6_UP = {V6[0], V6[1], V6[3]}
REFERENCES = ("10.97.0.100", "fd97::100")
ALL_UP = {name: ("up", []) for name in "abcde"}


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


def add_address(name, address):
    ip("-n", name, "addr", "add", f"{address}/{64 if ':' in address else 24}", "dev", "up0")


def remove_address(name, address):
    ip("-n", name, "addr", "del", f"{address}/{64 if ':' in address else 24}", "dev", "up0")


@contextlib.contextmanager
def two_namespaces():
    """One for the server, and one behind a link that has the nodes and the references."""
    here, there = f"sp-here-{os.getpid()}", f"sp-there-{os.getpid()}"
    try:
        for name in (here, there):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            ip("netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.keep_addr_on_down=1",
               "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        ip("-n", here, "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", there)
        for address in ("10.97.0.1", "fd97::1"):
            add_address(here, address)
        for address in (*V4, *V6, *REFERENCES):
            add_address(there, address)
        for name in (here, there):
            ip("-n", name, "link", "set", "up0", "up")
        for address in REFERENCES:
            wait_until(lambda: ip("netns", "exec", here, "ping", "-c1", "-W1", address, check=False).returncode == 0)
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
        server.write_server_file({"tokyo": (35.68, 139.69)}, f"doubt: {{ references: {json.dumps(REFERENCES)} }}\n")
        server.zone_file("example.net.zone").write_text(
            "$TTL 3600\n@ IN SOA ns1 h 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\nvpn 30 IN POOL edge\n")
        server.zone_file("edge.pool.yaml").write_text(POOL)
        server.here, server.there = here, there
        server.start(command=("ip", "netns", "exec", here))
        wait_until(lambda: is_judged(server) and health(server) == ALL_UP)
        yield server


def wait_until(condition, seconds=10):
    return signpost.wait_until(condition, seconds * signpost.SLOW)


def status(server):
    return json.loads(server.ctl("--json", "status").stdout)


def nodes(server):
    return status(server)["pools"][0]["sites"][0]["nodes"]


def health(server):
    return {node["name"]: (node["status"], node["down_families"]) for node in nodes(server)}


def is_judged(server):
    return not any(node["adopted"] for node in nodes(server))


def frozen(server):
    return {family: doubt["frozen"] for family, doubt in status(server)["doubt"].items()}


def answered(server, record):
    """What the server in its namespace answers for the pool."""
    done = subprocess.run(["ip", "netns", "exec", server.here, "dig", "+short", "+tries=1", "+bufsize=1232", "-p",
                           str(server.port), "@127.0.0.1", "vpn.example.net", record], capture_output=True, text=True)
    return set(done.stdout.split())


def changes(server):
    return server.log().count("node changed")


def wait_checked(server):
    """Until the nodes were checked many times as often as it takes to be down."""
    before = {node["name"]: node["checked_ms"] for node in nodes(server)}
    wait_until(lambda: all(node["checked_ms"] > before[node["name"]] + 2000 for node in nodes(server)), 15)


def test_cut_link_removes_no_node_and_all_goes_on_by_itself(server):
    assert all(doubt["answer"] and not doubt["borrowed"] for doubt in status(server)["doubt"].values())
    before = changes(server)
    ip("-n", server.here, "link", "set", "up0", "down")
    wait_until(lambda: frozen(server) == {"ipv4": True, "ipv6": True})
    for doubt in status(server)["doubt"].values():
        assert doubt["failing"] >= 3 and doubt["answer"] is False
    assert server.ctl("status").stdout.count("ALARM") == 2 and "statuses are frozen" in server.log()
    wait_checked(server)
    assert health(server) == ALL_UP and changes(server) == before
    ip("-n", server.here, "link", "set", "up0", "up")
    wait_until(lambda: frozen(server) == {"ipv4": False, "ipv6": False})
    assert health(server) == ALL_UP and changes(server) == before
    assert "statuses are frozen no longer family=IPv6" in server.log()
    assert "ALARM" not in server.ctl("status").stdout


def test_broken_ipv6_of_this_machine_removes_no_aaaa_and_ipv4_goes_on_being_judged(server):
    remove_address(server.there, V6[2])  # of its own, while all is well here
    wait_until(lambda: answered(server, "AAAA") == V6_UP)
    wait_until(lambda: "up -> up, no IPv6" in server.ctl("audit", "node:edge/c").stdout)
    wait_until(lambda: status(server)["doubt"]["ipv6"]["tested_ms"] >= nodes(server)[2]["families_since_ms"])
    ip("-n", server.here, "-6", "route", "add", "unreachable", "fd97::/64", "metric", "1")
    wait_until(lambda: frozen(server) == {"ipv4": False, "ipv6": True})
    text = server.ctl("status").stdout
    assert "the IPv6 network here seems to fail" in text and "IPv4 network" not in text
    assert "statuses are frozen family=IPv6" in server.log()
    remove_address(server.there, V4[1])
    remove_address(server.there, V4[3])
    wait_until(lambda: answered(server, "A") == {V4[0], V4[2]})
    wait_until(lambda: health(server) == {**ALL_UP, "b": ("up", ["IPv4"]), "c": ("up", ["IPv6"]), "d": ("down", [])})
    assert answered(server, "AAAA") == V6_UP
    add_address(server.there, V4[3])
    wait_until(lambda: answered(server, "A") == {V4[0], V4[2], V4[3]})
    wait_checked(server)
    assert answered(server, "AAAA") == V6_UP and frozen(server) == {"ipv4": False, "ipv6": True}


def test_start_in_the_midst_of_it_removes_no_aaaa_and_brings_none_back(server):
    since = {node["name"]: (node["since_ms"], node["families_since_ms"]) for node in nodes(server)}
    old = server.kill("signpost-control")
    server.wait_new("signpost-control", old)
    wait_until(lambda: frozen(server)["ipv6"])
    wait_checked(server)
    assert answered(server, "AAAA") == V6_UP and answered(server, "A") == {V4[0], V4[2], V4[3]}
    assert health(server) == {**ALL_UP, "b": ("up", ["IPv4"]), "c": ("up", ["IPv6"])}
    assert [node["adopted"] for node in nodes(server) if node["name"] == "e"] == [True]
    assert {node["name"]: (node["since_ms"], node["families_since_ms"]) for node in nodes(server)} == since
    add_address(server.there, V4[1])
    ip("-n", server.here, "-6", "route", "del", "unreachable", "fd97::/64", "metric", "1")
    wait_until(lambda: frozen(server)["ipv6"] is False)
    wait_until(lambda: is_judged(server) and health(server) == {**ALL_UP, "c": ("up", ["IPv6"])})
    assert answered(server, "AAAA") == V6_UP and answered(server, "A") == set(V4)
    add_address(server.there, V6[2])
    wait_until(lambda: health(server) == ALL_UP)
    assert answered(server, "AAAA") == set(V6)
    wait_until(lambda: "up, no IPv6 -> up " in server.ctl("audit", "node:edge/c").stdout)
    assert "ALARM" not in server.ctl("status").stdout


def test_nodes_that_fail_while_the_references_answer_are_removed(server):
    gone = (*V4[1:], *V6[1:])  # the first is the primary address, and would take the others along
    for address in gone:
        remove_address(server.there, address)
    wait_until(lambda: answered(server, "A") == {V4[0]} and answered(server, "AAAA") == {V6[0]})
    assert frozen(server) == {"ipv4": False, "ipv6": False}
    for address in gone:
        add_address(server.there, address)
    wait_until(lambda: health(server) == ALL_UP)
