"""signpostctl explain on a pool that has all kinds of things to be told: overrides, resolvers, fences,
avoided nodes, bands, sets of nodes. And: what it tells is what is answered."""

import json
import random
import subprocess

import pytest

import fastdns
import signpost

NAME = "vpn.example.net"
SITES = {"tokyo": (35.68, 139.69), "osaka": (34.69, 135.5), "frankfurt": (50.11, 8.68), "newyork": (40.71, -74.01)}
POOL = """pool: edge
band: { km: 500km }
answers: 2
sites:
  tokyo: { nodes: { tyo-1: { address: [127.10.1.1, "fd00:10:1::1"] }, tyo-2: { address: [127.10.1.2, "fd00:10:1::2"] } } }
  osaka: { nodes: { osa-1: { address: [127.10.2.1, "fd00:10:2::1"] }, osa-2: { address: [127.10.2.2, "fd00:10:2::2"] } } }
  frankfurt: { nodes: { fra-1: { address: [127.10.3.1, "fd00:10:3::1"] }, fra-2: { address: 127.10.3.2 } } }
  newyork: { bias: 10%, nodes: { nyc-1: { address: [127.10.4.1, "fd00:10:4::1"] } } }
rules:
  - { clients: [192.0.2.0/25], sites: [newyork] }
geofence:
  - { clients: [DE], except: [134.109.0.0/17], never: [frankfurt] }
avoid:
  - { node: nyc-1, clients: [BR], reason: "blocked there", until: 2099-01-01T00:00:00Z }
"""
OVERRIDES = "# ours\n192.0.2.0/24 country=JP city=Osaka latitude=34.69 longitude=135.50\n198.51.100.0/24 asn=64500\n"
RESOLVERS = "203.0.113.53 country=JP\n"


@pytest.fixture(scope="module")
def server():
    with signpost.world() as (server, _):
        server.write_server_file(SITES, "own-networks: [198.18.0.0/15]\n")
        text = server.config.read_text().replace(
            "geoip:\n", f"geoip:\n  overrides: {server.folder}/overrides\n  resolvers: {server.folder}/resolvers\n")
        server.config.write_text(text)
        (server.folder / "overrides").write_text(OVERRIDES)
        (server.folder / "resolvers").write_text(RESOLVERS)
        server.zone_file("example.net.zone").write_text(
            "@ 60 IN SOA ns1 host 1 7200 900 1209600 60\n@ 60 IN NS ns1\nns1 60 IN A 127.0.0.1\nvpn 30 IN POOL edge\n")
        server.zone_file("edge.pool.yaml").write_text(POOL)
        yield server.start()


def explain(server, *arguments):
    return json.loads(server.ctl("--json", "explain", NAME, *arguments).stdout)


def line_of(part):
    return 1 + POOL[:POOL.index(part)].count("\n")


def test_overrides_are_told_beside_what_the_database_says(server):
    told = explain(server, "192.0.2.0/24")["location"]
    assert (told["country"], told["city"]) == ("JP", "Osaka") and told["longitude"] == pytest.approx(135.5, abs=0.01)
    assert told["override"]["file"].endswith("/overrides") and told["override"]["line"] == 2
    assert told["override"]["vendor"]["country"] is None
    assert explain(server, "198.51.100.0/24")["location"]["asn"] == 64500
    assert "override" not in explain(server, "133.11.0.0/24")["location"]
    text = server.ctl("explain", NAME, "192.0.2.0/24").stdout
    assert "by the override at" in text and "the databases say: nothing" in text


def test_resolvers_are_told_where_they_are_asked_for(server):
    told = explain(server, "203.0.113.53", "--source")
    assert told["location"]["resolver_table"] is True and told["location"]["country"] == "JP"
    assert told["location"]["override"]["file"].endswith("/resolvers") and told["location"]["override"]["line"] == 1
    assert told["steering"]["sites"][0]["name"] in ("tokyo", "osaka")
    told = explain(server, "203.0.113.0/24")
    assert told["location"]["resolver_table"] is False and told["location"]["country"] != "JP"


def test_own_networks_are_told(server):
    told = explain(server, "198.18.7.0/24")["steering"]
    assert told["own_network"] is True and told["policy"] == "weighted" and told["rule"] is None
    assert explain(server, "133.11.0.0/24")["steering"]["own_network"] is False


def test_fences_that_hold_are_told_with_their_place(server):
    told = explain(server, "134.109.128.0/24")["steering"]
    fence, = told["fences"]
    assert fence["never"] == ["frankfurt"] and int(fence["place"].split(":")[-2]) == line_of("{ clients: [DE]")
    assert [site["name"] for site in told["sites"] if site["fenced"]] == ["frankfurt"]
    assert explain(server, "134.109.0.0/24")["steering"]["fences"] == [], "excepted"
    assert "never frankfurt" in server.ctl("explain", NAME, "134.109.128.0/24").stdout


def test_avoided_nodes_are_told_with_reason_and_end(server):
    avoid, = explain(server, "200.160.0.0/24")["steering"]["avoids"]
    assert (avoid["node"], avoid["reason"], avoid["ended"]) == ("nyc-1", "blocked there", False)
    assert avoid["until_ms"] == 4070908800000
    newyork = next(site for site in explain(server, "200.160.0.0/24")["steering"]["sites"] if site["name"] == "newyork")
    assert (newyork["usable"], newyork["counts"], newyork["bias_percent"]) == (0, False, 10)
    assert 'node nyc-1, "blocked there", until 2099-01-01T00:00:00Z' in server.ctl("explain", NAME, "200.160.0.0/24").stdout


def test_bands_are_told(server):
    told = explain(server, "133.11.0.0/24")["steering"]
    bands = {site["name"]: site["band"] for site in told["sites"]}
    assert bands["tokyo"] == bands["osaka"] == 0 < bands["frankfurt"] != bands["newyork"]
    assert "BAND" in server.ctl("explain", NAME, "133.11.0.0/24").stdout


def test_what_is_told_is_what_is_answered(server):
    rng = random.Random(4)
    networks = []
    for number in range(400):
        address = fastdns.random_public(rng, 4 if number % 2 else 6)
        networks.append(fastdns.ipaddress.ip_network((address, 24 if number % 2 else 56), strict=False))
    done = subprocess.run(
        [signpost.BUILD / "signpostctl", "--run", server.folder / "run", "--json", "explain", NAME, "-"],
        input="\n".join(map(str, networks)), capture_output=True, text=True, timeout=60, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for number, rrtype in enumerate(("A", "AAAA")):
        answers = fastdns.ask_many(server.server, [(NAME, rrtype, network) for network in networks])
        for network, explained, (rcode, addresses, scope) in zip(networks, told, answers):
            answer = explained["answers"][number]
            assert explained["network"] == str(network) and answer["type"] == rrtype and rcode == 0
            assert sorted(r.split()[-1] for r in answer["records"]) == sorted(addresses), network
            assert answer["scope"] == scope == explained["steering"]["scope"], network
            nodes = [member["name"] for member in explained["steering"]["set"] if rrtype in member["types"]]
            assert len(nodes) == len(addresses)
            assert rrtype == "AAAA" or nodes[0] == explained["steering"]["node"]["name"]
    assert len({explained["steering"]["node"]["name"] for explained in told}) > 4


# --- bands, fences, avoided nodes and sets as they are answered ---------------------------------------

def test_nodes_of_a_band_answer_and_others_are_companions(server):
    told = explain(server, "133.11.0.0/24")["steering"]
    assert told["node"]["site"] in ("tokyo", "osaka")
    assert [member["role"] for member in told["set"]] == ["first", "companion"]


def test_nobody_gets_what_is_fenced_or_avoided(server):
    for number in range(64):
        told = explain(server, f"134.109.{128 + number}.0/24")["steering"]
        assert {member["site"] for member in told["set"]}.isdisjoint({"frankfurt"})
        told = explain(server, f"200.160.{number}.0/24")["steering"]
        assert "nyc-1" not in {member["name"] for member in told["set"]}


def test_who_drained_a_node_is_told(server):
    server.ctl("drain", "fra-2", "--reason", "new kernel")
    try:
        told = explain(server, "134.109.0.0/24")["steering"]
        frankfurt, = (site for site in told["sites"] if site["name"] == "frankfurt")
        node, = frankfurt["not_usable"]
        assert (node["name"], node["steered"], node["state_by"]["reason"]) == ("fra-2", "draining", "new kernel")
        assert 'fra-2 at frankfurt: draining by' in server.ctl("explain", NAME, "134.109.0.0/24").stdout
    finally:
        server.ctl("enable", "fra-2")
