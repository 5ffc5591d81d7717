"""signpostctl profile: where steered queries come from, by the counters of the data plane, and what
simulate makes of it."""

import ipaddress
import json
import re

import maxminddb
import pytest

import fastdns
import signpost

NAME = "vpn.example.net"
SENT = {"133.11.0.0/24": 300, "134.109.0.0/24": 100, "200.160.0.0/24": 50}   # Japan, Germany, Brazil


@pytest.fixture
def fresh_sample(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    return server.start()


def lines_of(text):
    return [(match[1], float(match[2]), match[3]) for match in
            re.finditer(r"^(\S+) ([\d.]+) # (\S+)$", text, re.MULTILINE)]


def site_queries(server, profile):
    """Of each site, by a simulation in which nothing changes."""
    told = json.loads(server.ctl("--json", "simulate", "--profile", str(profile)).stdout)
    return {site["site"]: site["before"].get("queries", 0) for site in told["pools"][0]["sites"]}


def test_profile_tells_of_the_clients_that_asked(fresh_sample, tmp_path):
    server = fresh_sample
    refused = server.ctl("profile", check=False)
    assert refused.returncode == 1 and "no query has been steered" in refused.stderr
    fastdns.ask_many(server.server, [(NAME, "A", ipaddress.ip_network(network))
                                     for network, count in SENT.items() for _ in range(count)])
    text = server.ctl("profile").stdout
    lines = lines_of(text)
    assert lines == sorted(lines, key=lambda line: -line[1])
    assert abs(sum(queries for _, queries, _ in lines) - 450) < 1
    with maxminddb.open_database(str(signpost.SOURCE / "geoip/country.mmdb")) as database:
        for address, _, country in lines:
            assert (database.get(address) or {}).get("country_code", "-") == country
    # No client is told of: what stands there is the first address of a network of the map.
    assert not any(address.rsplit(".", 1)[0] + ".0/24" in SENT for address, _, _ in lines)
    profile = tmp_path / "profile"
    profile.write_text(text)
    shares = site_queries(server, profile)
    assert abs(shares["tokyo"] - 300 / 450) < 0.01
    assert abs(shares["frankfurt"] - 100 / 450) < 0.01
    assert abs(shares["saopaulo"] - 50 / 450) < 0.01


def test_profile_begins_anew_when_classes_do(fresh_sample):
    server = fresh_sample
    asked = [(NAME, "A", ipaddress.ip_network("133.11.0.0/24"))] * 40
    fastdns.ask_many(server.server, asked)
    pool = server.zone_file("edge.pool.yaml")
    pool.write_text(pool.read_text() + "  - { clients: NZ, sites: [tokyo] }\n")
    server.ctl("reload")
    fastdns.ask_many(server.server, asked[:7])
    assert abs(sum(queries for _, queries, _ in lines_of(server.ctl("profile").stdout)) - 7) < 0.5
