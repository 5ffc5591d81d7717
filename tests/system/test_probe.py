"""`signpostctl probe`: a node's probes made once, with what they showed; and what probes say of a node."""

import contextlib
import json
import socket

import pytest

import signpost

POOL = """pool: edge
require: any
probes:
  - { kind: tcp, port: PORT, interval: 200ms, timeout: 200ms, name: service }
  - { kind: tcp, port: OTHER, interval: 200ms, timeout: 200ms, name: spare, family: ipv4 }
sites:
  tokyo:
    nodes:
      both: { address: [127.10.1.1, "::1"] }
      dead: { address: 127.10.1.9 }
"""


FLAPPY = """pool: flappy
probes: [ { kind: tcp, port: PORT, interval: 100ms, timeout: 100ms, fall: 1, rise: 1, jitter: 0% } ]
flap: { max-hold: 1s }
sites: { tokyo: { nodes: { wobbly: { address: 127.10.1.20 } } } }
"""


@contextlib.contextmanager
def listening(at, address):
    at.start(address)
    try:
        yield
    finally:
        at.stop(address)


@contextlib.contextmanager
def taking(count, address, port):
    """So many connections; nobody accepts them, and there is no room for more: further ones are not answered."""
    with socket.create_server((address, port), backlog=count - 1):
        yield


@pytest.fixture(scope="module")
def server():
    with signpost.world() as (server, service), contextlib.closing(signpost.Nodes(signpost.free_port())) as spare:
        server.service, server.spare = service, spare
        service.start("127.10.1.1")
        server.write_server_file({"tokyo": (35.68, 139.69)})
        server.zone_file("example.net.zone").write_text(
            "$TTL 3600\n@ IN SOA ns1 h 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\nvpn 30 IN POOL edge\n")
        server.zone_file("edge.pool.yaml").write_text(
            POOL.replace("PORT", str(service.port)).replace("OTHER", str(spare.port)))
        server.zone_file("flappy.pool.yaml").write_text(FLAPPY.replace("PORT", str(service.port)))
        server.start()
        signpost.wait_until(lambda: {node["status"] for node in nodes(server).values()} == {"up", "down"}, 5 * signpost.SLOW)
        yield server


def nodes(server):
    return {node["name"]: node for node in json.loads(server.ctl("--json", "status").stdout)["pools"][0]["sites"][0]["nodes"]}


def flappy(server):
    return json.loads(server.ctl("--json", "status", "flappy").stdout)["pools"][0]["sites"][0]["nodes"][0]


def probe(server, *arguments, status=0):
    done = server.ctl("--json", "probe", *arguments, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_each_step_is_told_and_why_it_counts(server):
    signpost.wait_until(lambda: probe(server, "both", status=1)["state"]["down_families"] == ["ipv6"], 5 * signpost.SLOW, every=0.2)
    told = probe(server, "both", "--probe", "service", status=1)  # nobody listens on ::1
    v4, v6 = told["probes"]
    assert (v4["where"], v4["judges"], v4["outcome"], v4["why"]) == (
        f"127.10.1.1:{server.service.port}", "ipv4", "success", "connected")
    assert [step["text"] for step in v4["steps"]] == ["sent a TCP SYN", "SYN answered: connected"]
    assert 0 <= v4["steps"][0]["at_us"] <= v4["steps"][1]["at_us"] <= v4["took_us"] < 2_000_000
    assert v4["check"]["verdict"] == "up" and v4["check"]["counted"] == 0 and v4["check"]["fall"] == 3
    assert (v6["judges"], v6["outcome"], v6["why"]) == ("ipv6", "failure", "Connection refused")
    assert told["state"]["status"] == "up" and told["state"]["down_families"] == ["ipv6"]
    assert told["state"]["degraded"] is True and told["state"]["require"] == 1


def test_people_read_the_same(server):
    done = server.ctl("probe", "edge/both", "--kind", "tcp", check=False)
    assert done.returncode == 1
    assert f"service (tcp) of 127.10.1.1:{server.service.port}, judges its IPv4 addresses:" in done.stdout
    assert "it counts as a success: connected" in done.stdout
    assert "it counts as a failure: Connection refused" in done.stdout
    assert "the regular check is up, with 0 of the 3 failures in a row that make it down; last: connected" in done.stdout
    assert "edge/both is up, but degraded, its IPv6 is down, for " in done.stdout


def test_status_says_how_it_went(server):
    with listening(server.service, "::1"):
        told = probe(server, "both", "--probe", "service")
        assert [found["outcome"] for found in told["probes"]] == ["success", "success"]
    probe(server, "edge/dead", status=1)
    for arguments, why in ((("nobody",), "nobody"), (("both", "--probe", "nothing"), 'no probe "nothing"'),
                           (("both", "--kind", "icmp"), "no probe of kind icmp"), (("edge",), "only nodes are probed"), ((), "wants a node")):
        done = server.ctl("probe", *arguments, check=False)
        assert done.returncode == 2 and why in done.stderr, done.stderr


def test_any_of_two_probes_is_enough(server):
    with listening(server.spare, "127.10.1.9"):
        signpost.wait_until(lambda: nodes(server)["dead"]["status"] == "up", 5 * signpost.SLOW)
        told = probe(server, "edge/dead", status=1)
        assert {found["name"]: found["outcome"] for found in told["probes"]} == {"service": "failure", "spare": "success"}
        assert told["state"]["degraded"] is True
    signpost.wait_until(lambda: nodes(server)["dead"]["status"] == "down", 5 * signpost.SLOW)


def test_node_that_alternates_is_held_down_and_comes_back_when_it_rests(server):
    def changes():
        return server.log().count("node=flappy/wobbly")

    def fails(why):
        signpost.wait_until(lambda: flappy(server)["status"] == "down" and why in flappy(server)["reason"], 5 * signpost.SLOW)

    fails("refused")
    before = changes()
    for _ in range(6):
        with taking(2, "127.10.1.20", server.service.port):
            fails("timeout")  # both are taken
        fails("refused")
    # Twice the first success is enough, then two in a row are asked for, and from then on more than there are.
    assert changes() - before == 6, server.log()
    held = flappy(server)
    assert held["status"] == "down" and held["flap_rise"] >= 4
    assert "it flaps: up after" in server.ctl("status", "flappy").stdout
    with listening(server.service, "127.10.1.20"):
        signpost.wait_until(lambda: flappy(server)["status"] == "up", 5 * signpost.SLOW)
