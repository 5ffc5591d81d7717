"""Where clients are and which site is theirs: the server against a computation of its own in
Python (see geomodel), for 100,000 addresses; and what an answered scope promises."""

import ipaddress
import json
import random
import re
import subprocess

import pytest

import fastdns
import geomodel
import signpost

NAME = "vpn.example.net"
ADDRESSES = 100_000 // signpost.SLOW
DEPTH = 4  # sites of a preference that are ordered for each place; the rest follows the first


@pytest.fixture(scope="module")
def model():
    text = (signpost.SOURCE / "zones/signpost.yaml").read_text()
    sites = {name: (float(lat), float(lon)) for name, lat, lon in
             re.findall(r"^  (\w+): +\{ location: \[([-\d.]+), ([-\d.]+)\] \}", text, re.MULTILINE)}
    assert list(sites) == list(signpost.SITES)
    return geomodel.Model(str(signpost.SOURCE / "geoip/country.mmdb"),
                          str(signpost.SOURCE / "geoip/countries.tsv"), sites)


@pytest.fixture(scope="module")
def addresses():
    rng = random.Random(20261121)
    return [fastdns.random_public(rng, 4 if i % 2 else 6) for i in range(ADDRESSES)]


def network_of(address):
    return ipaddress.ip_network((address, 24 if address.version == 4 else 56), strict=False)


def site_of(addresses):
    assert len(addresses) == 1
    number = int(addresses[0].split(".")[2])
    return next(name for name, (n, _) in signpost.SITES.items() if n == number)


def test_chosen_site_is_the_nearest_by_an_independent_computation(sample, model, addresses):
    # The first address of each /24 or /56 stands for it in both computations: ECS carries no more.
    networks = [network_of(address) for address in addresses]
    results = fastdns.ask_many(sample.server, [(NAME, "A", network) for network in networks])
    wrong = [(str(network), model.country(network[0]), site_of(answer), model.order(network[0])[0])
             for network, (_, answer, _) in zip(networks, results)
             if site_of(answer) != model.order(network[0])[0]]
    assert not wrong, f"{len(wrong)} of {len(networks)} differ, such as {wrong[:5]}"
    assert len({site_of(answer) for _, answer, _ in results}) == 8


def explained(server, addresses):
    done = subprocess.run([signpost.BUILD / "signpostctl", "-c", server.config, "explain", "--json", NAME, "-"],
                          input="".join(f"{a}/{a.max_prefixlen}\n" for a in addresses), capture_output=True, text=True,
                          timeout=300, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_country_and_preference_equal_an_independent_computation(sample, model, addresses):
    """The whole preference; beyond its depth sites follow by distance from the first."""
    told = explained(sample, addresses)
    assert len(told) == len(addresses)
    wrong = []
    for address, answer in zip(addresses, told):
        country, order = model.country(address), model.order(address)
        rest = sorted((s for s in order[DEPTH:]),
                      key=lambda s, first=order[0]: geomodel.haversine_km(model.sites[first], model.sites[s]))
        expected = order[:DEPTH] + rest if country in model.countries else None
        got = [site["name"] for site in answer["steering"]["sites"]]
        if (answer["location"].get("country") or None) != country or (expected and got != expected):
            wrong.append((str(address), country, answer["location"], got, expected))
    assert not wrong, f"{len(wrong)} of {len(addresses)} differ, such as {wrong[:3]}"


def test_every_address_inside_an_answered_scope_has_the_same_preference(sample, addresses):
    rng = random.Random(7)
    some = rng.sample(addresses, 4000 // signpost.SLOW)
    networks = [network_of(address) for address in some]
    results = fastdns.ask_many(sample.server, [(NAME, "A", network) for network in networks])
    inside, expected = [], []
    for network, (_, answer, scope) in zip(networks, results):
        # The sample's sites have two nodes each, so the hash decided: the scope has its prefix.
        assert scope >= network.prefixlen
        cache_entry = ipaddress.ip_network((network[0], scope), strict=False)
        for _ in range(5):
            address = cache_entry[rng.randrange(cache_entry.num_addresses)]
            inside.append((NAME, "A", ipaddress.ip_network(address)))
            expected.append(answer)
    again = fastdns.ask_many(sample.server, inside)
    wrong = [(q[2], a, e) for q, (_, a, _), e in zip(inside, again, expected) if a != e]
    assert not wrong, wrong[:5]


def test_scope_without_hashing_is_the_map_prefix_and_holds(fresh, model):
    """One node a site: no hash decides, so scopes are as wide as the map; each address inside has
    the same site."""
    server, nodes = fresh
    server.write_server_file(model.sites)
    server.zone_file("example.net.zone").write_text(
        "@ 60 IN SOA ns1 h 1 2 3 4 60\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\nvpn 30 IN POOL one\n")
    server.zone_file("one.pool.yaml").write_text("pool: one\nsites:\n" + "".join(
        f"  {name}: {{ nodes: {{ {code}: {{ address: 127.10.{number}.1 }} }} }}\n"
        for name, (number, code) in signpost.SITES.items()))
    server.start()
    rng = random.Random(11)
    networks = [network_of(fastdns.random_public(rng, 4 if i % 2 else 6)) for i in range(4000 // signpost.SLOW)]
    results = fastdns.ask_many(server.server, [(NAME, "A", network) for network in networks])
    assert min(scope for _, _, scope in results) < 20, "some scopes are wide"
    inside, expected = [], []
    for network, (_, answer, scope) in zip(networks, results):
        entry = ipaddress.ip_network((network[0], scope), strict=False)
        for _ in range(5):
            inside.append((NAME, "A", ipaddress.ip_network(entry[rng.randrange(entry.num_addresses)])))
            expected.append(answer)
    again = fastdns.ask_many(server.server, inside)
    wrong = [(q[2], a, e) for q, (_, a, _), e in zip(inside, again, expected) if a != e]
    assert not wrong, wrong[:5]
