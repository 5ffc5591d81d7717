"""Who asks: each way of naming clients, in rules, fences and avoids, and sites that are named by a code.

The databases are the tests' own (tests/data/make-mmdb says what is in them). Each rule has a site and a
node of its own, so that the address that is answered tells which rule held."""

import json
import math
import subprocess

import dns.rcode
import pytest

import signpost
from signpost import SOURCE

SITES = ["rest", "long", "short", "list", "own", "asn", "field", "city", "part", "country", "continent",
         "unknown", "all"]
NODE = {site: f"127.40.0.{number}" for number, site in enumerate(SITES, 1)}

SERVER = """listen: ["127.0.0.1:{port}"]
zones: zones
state: state
run: run
user: {user}
workers: 1
own-networks: [10.66.0.0/16, file:lists/exits]
geoip:
  databases: [{data}/nested-city.mmdb, {data}/asn.mmdb]
  overrides: lists/overrides
  resolvers: lists/resolvers
  countries: {geoip}/countries.tsv
sites:
{sites}"""
ZONE = """@ 60 IN SOA ns1 host 1 2 3 4 60
@ 60 IN NS ns1
ns1 60 IN A 192.0.2.53
vpn 60 IN POOL who
near 60 IN POOL near
fence 60 IN POOL fence
"""
# failover: whom no rule is for is sent to the first site
WHO = """pool: who
policy: failover
sites:
{sites}
rules:
  - {{ clients: [203.0.113.128/25], sites: short }}
  - {{ clients: [203.0.113.192/26, "2001:db8:7::/48"], sites: long }}
  - {{ clients: [file:../lists/office], sites: list }}
  - {{ clients: [own-networks], sites: own }}
  - {{ clients: [AS64500], sites: asn }}
  - {{ clients: ["field:location.time_zone=Etc/UTC"], sites: field }}
"""
RULES = {  # in a second file, for the field would win over these
    "city": "city:JP/osaka", "part": "subdivision:DE/be", "country": "FR", "continent": "continent:SA",
    "unknown": "unknown",
}
NEAR = """pool: near
policy: failover
sites:
{sites}
rules:
{rules}
  - {{ clients: all, sites: all }}
"""
FENCE = """pool: fence
policy: failover
sites:
  rest: {{ nodes: {{ rest: {{ address: {rest} }} }} }}
  city: {{ nodes: {{ city: {{ address: {city} }} }} }}
  list: {{ nodes: {{ list: {{ address: {list} }} }} }}
geofence:
  - {{ clients: JP, except: 192.0.2.96/28, never: rest }}
  - {{ clients: city:Osaka, never: city }}
  - {{ clients: DE, only: list, otherwise: pool:near }}
  - {{ clients: FJ, never: all, otherwise: pool:near }}
  - {{ clients: AS64501, never: all }}
avoid:
  - {{ site: rest, clients: [203.0.113.0/26] }}
  - {{ node: rest, clients: [203.0.113.128/25], until: 2001-01-01T00:00:00Z }}
  - file: ../lists/avoid
"""


def nodes(sites):
    return "".join(f"  {site}: {{ nodes: {{ {site}: {{ address: {NODE[site]} }} }} }}\n" for site in sites)


@pytest.fixture(scope="module")
def server():
    with signpost.world() as (server, _):
        (server.folder / "lists").mkdir()
        (server.folder / "lists/exits").write_text("10.67.0.0/16 # by two\n\n2001:db8:66::/48\n")
        (server.folder / "lists/office").write_text("# ours\n203.0.113.200\n203.0.113.240/28\n")
        (server.folder / "lists/avoid").write_text(
            'rest BR\nsite:city 203.0.113.64/26 until=2999-01-01T00:00:00Z reason="as well"\n')
        (server.folder / "lists/overrides").write_text(
            "# partners\n198.18.0.0/24 country=FR\n198.18.1.0/24 country=JP city=Osaka\n198.18.2.0/24 asn=64500\n"
            '198.18.3.0/24 subdivision=be country=DE city="Bad Homburg" # not Berlin\n192.0.2.0/26 continent=SA country=BR\n')
        (server.folder / "lists/resolvers").write_text("127.0.0.0/8 country=FR\n")
        server.config.write_text(SERVER.format(
            port=server.port, user=server.user, data=SOURCE / "tests/data", geoip=SOURCE / "geoip",
            sites="".join(f"  {site}: {{ location: [0, {number}] }}\n" for number, site in enumerate(SITES))))
        server.zone_file("example.net.zone").write_text(ZONE)
        server.zone_file("who.pool.yaml").write_text(WHO.format(sites=nodes(SITES)))
        server.zone_file("near.pool.yaml").write_text(NEAR.format(sites=nodes(SITES), rules="".join(
            f"  - {{ clients: \"{client}\", sites: {site} }}\n" for site, client in RULES.items()).rstrip()))
        server.zone_file("fence.pool.yaml").write_text(FENCE.format(**NODE))
        server.let_other_users_read()
        server.start()
        yield server


def site(server, name, network=None):
    found = server.addresses(f"{name}.example.net", "A", network)
    return next(site for site, address in NODE.items() if [address] == found)


@pytest.mark.parametrize("network, rule", [
    ("203.0.113.130/32", "short"),
    ("203.0.113.193/32", "long"),
    ("203.0.113.200/32", "list"),  # an address in a file is longer than the rule's network
    ("203.0.113.241/32", "list"),
    ("2001:db8:7::/64", "long"),
    ("10.66.1.0/24", "own"),
    ("10.67.1.0/24", "own"),
    ("2001:db8:66:1::/64", "own"),
    ("192.0.2.64/26", "asn"),  # before the field, which is so, too
    ("192.0.2.128/25", "field"),
    ("198.51.100.0/24", "rest"),
    ("100.64.0.0/24", "rest"),
])
def test_longest_network_then_the_most_specific_client_has_the_rule(server, network, rule):
    assert site(server, "vpn", network) == rule


@pytest.mark.parametrize("network, rule", [
    ("192.0.2.64/26", "city"),
    ("192.0.2.128/25", "part"),
    ("198.51.100.0/24", "country"),
    ("203.0.113.0/26", "continent"),
    ("203.0.113.64/26", "continent"),  # Brazil: the continent follows from the country
    ("100.64.0.0/24", "unknown"),
    ("2001:db8:3::1/128", "all"),
    ("10.66.1.0/24", "rest"),  # of own networks, nothing else tells
])
def test_what_is_known_of_a_place_has_the_rule(server, network, rule):
    if rule == "rest":
        assert site(server, "near", network) in SITES
    else:
        assert site(server, "near", network) == rule


@pytest.mark.parametrize("name, network, rule", [
    ("near", "198.18.0.0/24", "country"),
    ("near", "198.18.1.0/24", "city"),
    ("vpn", "198.18.2.0/24", "asn"),
    ("near", "198.18.3.0/24", "part"),
    ("near", "192.0.2.0/26", "continent"),  # the database says Osaka
    ("near", "192.0.2.64/26", "city"),
    ("near", "198.18.4.0/24", "unknown"),
])
def test_overrides_win_over_the_databases(server, name, network, rule):
    assert site(server, name, network) == rule


def test_resolver_speaks_for_its_users_where_it_names_no_subnet(server):
    assert site(server, "near") == "country"
    assert site(server, "near", "127.0.0.1/32") == "unknown"


@pytest.mark.parametrize("network, wanted", [
    ("100.64.0.0/24", "rest"),
    ("192.0.2.64/27", "list"),  # Osaka: neither rest, for Japan, nor city
    ("192.0.2.96/28", "rest"),  # but these are excepted from the first fence
    ("192.0.2.128/25", "list"),  # Germany: only there
    ("2001:db8:3::1/128", "all"),  # Fiji: another pool's rule
    ("203.0.113.0/26", "city"),  # avoids rest
    ("203.0.113.64/26", "list"),  # Brazil avoids rest, and this network city
    ("203.0.113.128/25", "rest"),  # has ended
])
def test_fences_and_avoids_that_match_hold_together(server, network, wanted):
    assert site(server, "fence", network) == wanted


def test_explanation_tells_in_which_file_an_avoid_stands(server):
    told = json.loads(server.ctl("--json", "explain", "fence.example.net", "203.0.113.64/26").stdout)
    assert [avoid["place"] for avoid in told["steering"]["avoids"]] == [
        f"{server.folder / 'lists/avoid'}:{line}:1" for line in (1, 2)]
    told = json.loads(server.ctl("--json", "explain", "fence.example.net", "203.0.113.0/26").stdout)
    assert told["steering"]["avoids"][0]["place"].startswith(str(server.zone_file("fence.pool.yaml")) + ":")


def test_client_for_whom_no_site_is_left_gets_nothing(server):
    answer = server.ask("fence.example.net", "A", "198.51.100.0/24")
    assert answer.rcode() == dns.rcode.NOERROR and not answer.answer


# --- sites by name

# Places and where they are, to a degree, as everybody knows who looks at a map.
KNOWN = {
    "FRA": (50, 8.6), "DE FRA": (50.1, 8.7), "JPTYO": (35.7, 139.7), "IATA:HND": (35.6, 139.8), "LON": (51.5, -0.1),
    "NYC": (40.7, -74), "USNYC": (40.7, -74), "SIN": (1.4, 104), "SGSIN": (1.3, 103.9), "GRU": (-23.4, -46.5),
    "BRSAO": (-23.5, -46.6), "AUSYD": (-33.9, 151.2), "JNB": (-26.1, 28.2), "ZAJNB": (-26.2, 28), "DXB": (25.3, 55.4),
    "INBOM": (19.1, 72.9), "LAX": (33.9, -118.4), "NLAMS": (52.4, 4.9), "WAW": (52.2, 21), "SEA": (47.4, -122.3),
    "HKHKG": (22.3, 114.2), "ICN": (37.5, 126.4), "AKL": (-37, 174.8), "KEF": (64, -22.6), "EZE": (-34.8, -58.5),
    "IATA:USA": (35.4, -80.7), "CH": (47, 8), "NZ": (-39, 175), "SG": (1.3, 103.8),
}


def distance(a, b):
    (phi, lam), (psi, mu) = ((math.radians(x) for x in p) for p in (a, b))
    return math.degrees(math.acos(min(1, math.sin(phi) * math.sin(psi) + math.cos(phi) * math.cos(psi) * math.cos(lam - mu))))


@pytest.mark.parametrize("name", KNOWN)
def test_table_has_places_where_everybody_knows_them(name):
    table = SOURCE / f"geoip/{'countries' if len(name) == 2 else 'places'}.tsv"
    code = name.removeprefix("IATA:").replace(" ", "")
    line, = (line for line in table.read_text().splitlines() if line.startswith(code + "\t"))
    where = tuple(map(float, line.split("\t")[1:3]))
    assert distance(where, KNOWN[name]) < (3 if len(name) == 2 else 0.5)


def test_sites_are_named_by_codes(server, tmp_path):
    sites = "".join(f'  s{number}: {{ location: "{name}" }}\n' for number, name in enumerate(KNOWN))
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones/example.net.zone").write_text(ZONE.split("vpn")[0])
    (tmp_path / "signpost.yaml").write_text(
        f"zones: zones\ngeoip: {{ countries: {SOURCE}/geoip/countries.tsv }}\nsites:\n{sites}")
    done = subprocess.run([signpost.BUILD / "signpostctl", "check", tmp_path / "signpost.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(KNOWN)} sites" in done.stdout
