"""For whom a backup pool stands in: clients for whom it, or its own backup, has a healthy node. All
others get the fallback of their own pool. Explained and simulated is what is answered."""

import collections
import ipaddress
import json
import math
import random
import re
import subprocess

import dns.edns
import pytest

import fastdns
import signpost

SITES = {"near": (35.68, 139.69), "far": (51.51, -0.13)}
# 203.0.113/24 is the network of each row's clients: /26 each.
PLAIN, SHUT, SHY, NOWHERE = (f"203.0.113.{n}/32" for n in (1, 65, 129, 193))
FALLBACKS = {"all": "all", "lastgood": "last-good", "nearest": "nearest", "none": "none", "pool": "pool:last",
             "addresses": "[192.0.2.99]"}
PROBES = "probes: [ { kind: tcp, port: PORT, interval: 300ms, timeout: 200ms, fall: 1, rise: 1, jitter: 0 } ]\n"
SECOND, THIRD, LAST = "127.31.8.1", "127.31.9.1", "127.31.7.1"
# Who is fenced off in the second pool has nobody there, and its backup is not asked for them; who
# avoids its node may have the third pool's, where it is not fenced off as well.
SECOND_SAYS = """backup: third
geofence: [ { clients: [203.0.113.64/26, US], never: all } ]
avoid: [ { node: second-1, clients: [203.0.113.128/25] } ]
"""
THIRD_SAYS = "geofence: [ { clients: [203.0.113.192/26], never: all } ]\n"


def pool(name, says, nodes):
    lines = [f"pool: {name}", "policy: nearest", says, "sites:"]
    for site, addresses in nodes.items():
        lines.append(f"  {site}: {{ nodes: {{ " + ", ".join(
            f"{name}-{address[-1]}: {{ address: '{address}' }}" for address in addresses) + " } }")
    return "\n".join(lines) + "\n"


def own(number):
    """The nodes of a pool that has backups: never up."""
    return {"near": [f"127.31.{number}.1"], "far": [f"127.31.{number}.2"]}


@pytest.fixture(scope="module")
def server():
    with signpost.world("signpost-backup-") as (server, nodes):
        server.nodes = nodes
        probes = PROBES.replace("PORT", str(nodes.port))
        server.write_server_file(SITES)
        server.zone_file("example.org.zone").write_text(
            "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
            + "six 30 POOL six\n" + "".join(f"{name} 30 POOL {name}\nnear.{name} 30 POOL {name}/near\n" for name in FALLBACKS))
        for number, (name, fallback) in enumerate(FALLBACKS.items(), 1):
            server.zone_file(f"{name}.pool.yaml").write_text(
                pool(name, f"backup: second\nfallback: {fallback}\n" + probes, own(number)))
        server.zone_file("second.pool.yaml").write_text(pool("second", SECOND_SAYS + probes, {"far": [SECOND]}))
        server.zone_file("third.pool.yaml").write_text(pool("third", THIRD_SAYS + probes, {"far": [THIRD]}))
        server.zone_file("six.pool.yaml").write_text(pool("six", probes, {"far": ["fd00:31::1"]}))
        server.zone_file("last.pool.yaml").write_text(pool("last", probes, {"far": [LAST]}))
        nodes.start(SECOND, THIRD, LAST)
        server.start()
        server.ctl("reload")  # the files have no mistakes
        wait_for(server, up={"second-1", "third-1", "last-1"})
        yield server


def wait_for(server, up):
    def known():
        told = json.loads(server.ctl("--json", "status").stdout)
        nodes = [node for p in told["pools"] for site in p["sites"] for node in site["nodes"]]
        return all(node["status"] == ("up" if node["name"] in up else "down") for node in nodes)
    signpost.wait_until(known, 20 * signpost.SLOW, every=0.05)


def answers(server, client, where=""):
    """{pool: its answer to this client}; where: "near." for the names that are bound to that site."""
    asked = [(f"{where}{name}.example.org", "A", ipaddress.ip_network(client)) for name in FALLBACKS]
    found = fastdns.ask_many(server.server, asked)
    assert all(rcode == 0 for rcode, _, _ in found)
    return {name: addresses for name, (_, addresses, _) in zip(FALLBACKS, found)}


def wait_answers(server, expected, *clients):
    """A verdict is told a moment before it is answered from. Bound or not: the first site is the nearest, too."""
    signpost.wait_until(lambda: all(answers(server, client, where) == expected
                                    for client in clients for where in ("", "near.")), 10 * signpost.SLOW)


def by_fallback():
    """What each pool answers for itself, to clients for whom "near" is the nearest site."""
    first = {name: [f"127.31.{number}.1"] for number, name in enumerate(FALLBACKS, 1)}
    return {**first, "none": [], "pool": [LAST], "addresses": ["192.0.2.99"]}


def explain(server, name, client):
    return json.loads(server.ctl("--json", "explain", f"{name}.example.org", client).stdout)["steering"]


def test_a_row_of_backups_stands_in_for_whom_one_of_them_has_a_node(server):
    everyone = dict.fromkeys(FALLBACKS)
    wait_answers(server, dict.fromkeys(everyone, [SECOND]), PLAIN)
    wait_answers(server, dict.fromkeys(everyone, [THIRD]), SHY)
    wait_answers(server, by_fallback(), SHUT, NOWHERE)
    assert re.search(r"pool none: .* backup pool second is answered to clients for whom it has a node, else the "
                     r"fallback: none$", server.ctl("status", "none").stdout, re.M)


def test_each_step_is_explained(server):
    told = explain(server, "all", SHUT)
    assert (told["applied"], told["backup_without_nodes"], told["further"]) == ("all", "second", [])
    assert told["fallback_active"] is True
    assert "pool second has nobody for these clients, so the pool's own fallback applies" in \
        server.ctl("explain", "all.example.org", SHUT).stdout
    told = explain(server, "pool", NOWHERE)
    assert (told["applied"], told["backup_without_nodes"], told["goes_on_in"]) == ("pool", "second", "last")
    told = explain(server, "all", SHY)
    assert (told["applied"], told["goes_on_in"]) == ("backup", "second") and "backup_without_nodes" not in told
    assert [step["applied"] for step in told["further"]] == ["backup", "nodes"]


def networks(count):
    rng = random.Random(5)
    near = [ipaddress.ip_network(f"203.0.113.{n}/32") for n in range(0, 256, 16)]
    return near + [ipaddress.ip_network((fastdns.random_public(rng, 4), 24), strict=False) for _ in range(count)]


def assert_told_is_answered(server, name):
    asked = networks(60)
    done = subprocess.run(
        [signpost.BUILD / "signpostctl", "--run", server.folder / "run", "--json", "explain", f"{name}.example.org", "-"],
        input="\n".join(map(str, asked)), capture_output=True, text=True, timeout=60, check=True)
    found = fastdns.ask_many(server.server, [(f"{name}.example.org", "A", network) for network in asked])
    for network, told, (_, addresses, scope) in zip(asked, map(json.loads, done.stdout.splitlines()), found):
        answer = told["answers"][0]
        assert [r.split()[-1] for r in answer["records"]] == addresses, network
        assert answer["scope"] == scope, network
        if network.prefixlen > 24:
            assert scope >= 24, f"who is fenced off is told by more than a /24: {network}"
    return collections.Counter(addresses[0] for _, addresses, _ in found if addresses)


def test_what_is_told_is_what_is_answered_and_what_is_in_one_scope_has_one_answer(server):
    assert set(assert_told_is_answered(server, "all")) == {SECOND, THIRD, *own(1)["near"], *own(1)["far"]}
    for client in (PLAIN, SHUT, SHY, NOWHERE):
        (_, before, scope), = fastdns.ask_many(server.server, [("all.example.org", "A", ipaddress.ip_network(client))])
        entry = ipaddress.ip_network((client.split("/")[0], scope), strict=False)
        inside = [ipaddress.ip_network((entry[at], 32)) for at in (0, entry.num_addresses // 2, -1)]
        for _, now, _ in fastdns.ask_many(server.server, [("all.example.org", "A", one) for one in inside]):
            assert now == before, f"{client}, scope {scope}"


def test_diff_foretells_whom_a_backup_takes(server):
    asked = [("all.example.org", "A", network) for network in networks(3000)[16:]]
    own_fallback = sum(addresses[0] not in (SECOND, THIRD) for _, addresses, _ in fastdns.ask_many(server.server, asked))
    file = server.zone_file("second.pool.yaml")
    text = file.read_text()
    file.write_text(text.replace(", US]", "]"))  # then all of them have somebody there
    try:
        told = json.loads(server.ctl("--json", "diff").stdout)
    finally:
        file.write_text(text)
    share, = (line["changed"]["ipv4"] for line in told["steered"] if "all.example.org." in line["names"])
    assert share > 0.1
    assert abs(own_fallback / len(asked) - share) <= 4 * math.sqrt(share * (1 - share) / len(asked)) + 0.002


def test_any_is_not_told_what_a_type_lacks(server):
    told = server.ask("six.example.org", "A", subnet="203.0.113.0/24")
    assert not told.answer and [o.code for o in told.options if o.otype == dns.edns.OptionType.EDE]
    told = server.ask("six.example.org", "ANY", subnet="203.0.113.0/24")
    assert [rrset.to_text().split()[-1] for rrset in told.answer] == ["fd00:31::1"]
    assert not [o for o in told.options if o.otype == dns.edns.OptionType.EDE]


def test_when_no_backup_has_a_node_each_fallback_applies_to_all(server):
    server.nodes.stop(THIRD)
    wait_for(server, up={"second-1", "last-1"})
    wait_answers(server, dict.fromkeys(FALLBACKS, [SECOND]), PLAIN)
    wait_answers(server, by_fallback(), SHY, SHUT)
    server.nodes.stop(SECOND)
    wait_for(server, up={"last-1"})
    wait_answers(server, by_fallback(), PLAIN, SHY, SHUT, NOWHERE)
    server.nodes.stop(LAST)  # which falls back to itself
    wait_for(server, up=set())
    wait_answers(server, by_fallback(), PLAIN, SHY, SHUT, NOWHERE)
