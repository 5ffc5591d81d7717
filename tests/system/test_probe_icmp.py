"""Probes of kind icmp over a cable that loses packets: loss and round-trip time of a window."""

import json
import re

import pytest

from namespaces import namespaces, root_only
from signpost import SLOW, wait_until, world

pytestmark = root_only

# Echoes to these are lost: three of ten, in a row.
LENIENT, STRICT = "10.99.0.12", "10.99.0.13"

POOL = """pool: {name}
sites:
  tokyo:
    nodes:
{nodes}
probes:
  - {{ kind: icmp, interval: 100ms, timeout: 80ms, fall: 1, rise: 1, {options} }}
"""

POOLS = {
    "lenient": ({"well": "10.99.0.11", "lossy": LENIENT}, "max-loss: 60%, warn-loss: 20%"),
    "strict": ({"well": "10.99.0.11", "lossy": STRICT}, "window: 20, max-loss: 20%"),
    "path6": ({"well6": "fd99::11", "cut6": "fd99::12"}, "max-loss: 50%"),
    "both": ({"whole": '10.99.0.11", "fd99::11'}, "max-loss: 50%"),
    "half": ({"half": '10.99.0.11", "fd99::12'}, "max-loss: 50%"),
    "slow": ({"well": "10.99.0.11"}, "max-rtt: 50ms, warn-rtt: 40ms"),
    "source": ({"chosen": "10.99.0.14"}, "source: 10.99.0.9"),
}


ZONE = "$TTL 60\n@ 3600 IN SOA ns1 hostmaster 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n"


def write_pools(signpost):
    signpost.zone_file("example.net.zone").write_text(ZONE + "".join(f"{name} POOL {name}\n" for name in POOLS))
    for name, (nodes, options) in POOLS.items():
        lines = "\n".join(f"      {node}: {{ address: [\"{address}\"] }}" for node, address in nodes.items())
        signpost.zone_file(f"{name}.pool.yaml").write_text(POOL.format(name=name, nodes=lines, options=options))


@pytest.fixture(scope="module")
def lab():
    with namespaces() as net, world() as (signpost, _):
        for last in (11, 12, 13, 14):
            net.address(net.theirs, f"10.99.0.{last}/24")
        for last in (11, 12):
            net.address(net.theirs, f"fd99::{last}/64")
        net.address(net.ours, "10.99.0.9/24")
        for address in (LENIENT, STRICT):
            net.drop(f"ip daddr {address} icmp type echo-request numgen inc mod 10 < 3")
        net.drop("ip6 daddr fd99::12 icmpv6 type echo-request")
        net.drop("ip daddr 10.99.0.14 ip saddr != 10.99.0.9 icmp type echo-request")
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        write_pools(signpost)
        signpost.net = net
        signpost.start(command=net.inside(net.ours))
        yield signpost


def told(lab, pool, node):
    pools = {p["name"]: p for p in json.loads(lab.ctl("--json", "status").stdout)["pools"]}
    return {n["name"]: n for site in pools[pool]["sites"] for n in site["nodes"]}[node]


def reaches(lab, pool, node, state, reason):
    """Waits until the node is in this state for this reason."""
    def so():
        found = told(lab, pool, node)
        return found["status"] == state and re.search(reason, found["reason"] or "")
    so.__doc__ = f"{pool}/{node} {state}: {reason}"
    try:
        wait_until(so, 10 * SLOW)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{lab.ctl('status').stdout}") from None


def test_loss_within_the_limit_keeps_a_node_in(lab):
    reaches(lab, "lenient", "lossy", "up", r"icmp 10.99.0.12: \d of \d+ echoes lost, more than 20%")


def test_loss_beyond_the_limit_takes_it_out(lab):
    reaches(lab, "strict", "lossy", "down", r"icmp 10.99.0.13: \d of \d+ echoes lost, more than 20%")


def test_node_whose_echoes_come_back_is_up_whatever_the_limits(lab):
    reaches(lab, "lenient", "well", "up", r"icmp 10.99.0.11: 0 of \d+ echoes lost, mean \d+\.\d ms")
    reaches(lab, "strict", "well", "up", r"0 of \d+ echoes lost")
    reaches(lab, "slow", "well", "up", r"0 of \d+ echoes lost")


def test_path_of_ipv6_that_is_cut_is_down(lab):
    reaches(lab, "path6", "cut6", "down", r"icmp fd99::12: (\d+) of \1 echoes lost, more than 50%")
    reaches(lab, "path6", "well6", "up", r"icmp fd99::11: 0 of \d+ echoes lost")


def test_node_whose_path_of_ipv6_is_cut_is_answered_by_ipv4_alone(lab):
    wait_until(lambda: told(lab, "half", "half")["down_families"] == ["IPv6"], 10 * SLOW)
    reaches(lab, "half", "half", "up", r"icmp fd99::12: (\d+) of \1 echoes lost, more than 50%")
    reaches(lab, "both", "whole", "up", r"0 of \d+ echoes lost")
    assert told(lab, "both", "whole")["down_families"] == []

    def asked():
        return {rrtype: lab.net.run(*lab.net.inside(lab.net.ours), "dig", "+short", "@127.0.0.1", "-p", lab.port,
                                    "half.example.net", rrtype).stdout.split() for rrtype in ("A", "AAAA")}
    wait_until(lambda: asked() == {"A": ["10.99.0.11"], "AAAA": []}, 5 * SLOW)
    warning = "warning: no node of a pool is answered for a family, is it down here? pool={} family=IPv6"
    assert warning.format("half") in lab.log() and warning.format("both") not in lab.log()


def test_echoes_come_from_the_source_that_was_named(lab):
    reaches(lab, "source", "chosen", "up", "icmp 10.99.0.14: echo reply")
