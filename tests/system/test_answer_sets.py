"""Answers of several nodes: near ones and a far spare, in random order, and TTLs that fall while a
verdict on one of them is near."""

import collections
import subprocess
import time

import pytest

import signpost

JAPAN, GERMANY = "133.11.0.0/24", "134.109.0.0/24"

SITES = {"tokyo": (35.68, 139.69), "seoul": (37.57, 126.98), "singapore": (1.35, 103.82),
         "frankfurt": (50.11, 8.68)}

PROBES = """probes:
  - {{ kind: tcp, port: {port}, family: ipv4, interval: {interval}, timeout: 500ms, fall: {fall}, rise: 1, jitter: 0 }}
"""

NODES = """sites:
  tokyo:
    nodes:
      tyo-1: {{ address: [127.40.{n}.1, "2001:db8:{n}::1"] }}
      tyo-2: {{ address: [127.40.{n}.2, "2001:db8:{n}::2"], weight: 0 }}
  seoul: {{ nodes: {{ sel-1: {{ address: 127.40.{n}.3 }} }} }}
  singapore: {{ nodes: {{ sin-1: {{ address: [127.40.{n}.4, "2001:db8:{n}::4"] }} }} }}
  frankfurt: {{ nodes: {{ fra-1: {{ address: [127.40.{n}.5, "2001:db8:{n}::5"] }} }} }}
"""

# Seoul is 1,150 km from Tokyo, Singapore 5,300, Frankfurt 9,300.
SPARE = ("pool: spare\nanswers: 3\nspread: site\nspare: 1\nspare-distance: 6000km\n"
         + PROBES + NODES)
SHUFFLED = ("pool: shuffled\nanswers: 4\nspread: site\norder: shuffled\n" + PROBES + NODES)
DOUBT = ("pool: doubt\nanswers: 2\nttl: {{ floor: 3s, ceiling: 50s }}\n" + PROBES + NODES)

HOSTS = """pool: hosts
answers: 3
port: 1194
sites:
  tokyo: { nodes: { tyo-1: { address: 192.0.2.1, host: tyo-1.nodes.example.net. } } }
  seoul: { nodes: { sel-1: { address: [192.0.2.2, "2001:db8::2"], host: sel-1.nodes.example.net. } } }
  singapore: { nodes: { sin-1: { address: 192.0.2.3 } } }
"""

PAIRS = """pool: pairs
strict-pair: true
sites:
  tokyo: { nodes: { tyo-1: { address: 192.0.2.1 } } }
  frankfurt: { nodes: { fra-1: { address: [192.0.2.2, "2001:db8::2"] } } }
"""
FOURS = """pool: fours
sites:
  tokyo: { nodes: { tyo-1: { address: 192.0.2.1 } } }
  frankfurt: { nodes: { fra-1: { address: 192.0.2.2 } } }
"""

ZONE = """$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
spare 30 IN POOL spare
tokyo.spare 30 IN POOL spare/tokyo
shuffled 30 IN POOL shuffled
*.any 30 IN POOL shuffled
alias IN CNAME shuffled
doubt 60 IN POOL doubt
brief 2 IN POOL doubt
frankfurt.doubt 60 IN POOL doubt/frankfurt
hosts 30 IN POOL hosts
pairs 30 IN POOL pairs
fours 30 IN POOL fours
_vpn._udp.hosts 30 IN POOL hosts SRV HTTPS
"""


@pytest.fixture(scope="module")
def server():
    with signpost.world() as (started, nodes):
        started.write_server_file(SITES)
        started.zone_file("example.net.zone").write_text(ZONE)
        for n, (name, text) in enumerate((("spare", SPARE), ("shuffled", SHUFFLED), ("doubt", DOUBT)), 1):
            interval, fall = ("1s", 4) if name == "doubt" else ("500ms", 2)
            started.zone_file(f"{name}.pool.yaml").write_text(
                text.format(port=nodes.port, interval=interval, fall=fall, n=n))
            nodes.start(*(f"127.40.{n}.{node}" for node in range(1, 6)))
        started.zone_file("hosts.pool.yaml").write_text(HOSTS)
        started.zone_file("pairs.pool.yaml").write_text(PAIRS)
        started.zone_file("fours.pool.yaml").write_text(FOURS)
        started.nodes = nodes
        started.start()
        yield started


def in_order(server, name, rrtype="A", subnet=JAPAN):
    """The addresses as they stand in the answer."""
    answer = server.ask(f"{name}.example.net.", rrtype, subnet)
    return [rr.address for rrset in answer.answer if rrset.rdtype in (1, 28) for rr in rrset]


def ttl(server, name, subnet=JAPAN):
    return server.ask(f"{name}.example.net.", "A", subnet).answer[0].ttl


# --- who is answered

def test_two_near_nodes_and_a_far_spare_in_order_of_preference(server):
    assert in_order(server, "spare") == ["127.40.1.1", "127.40.1.3", "127.40.1.5"]
    assert in_order(server, "spare", "AAAA") == ["2001:db8:1::1", "2001:db8:1::5"]  # sel-1 has none
    # From Frankfurt, Seoul is nearer than Tokyo and Singapore, and all are far enough.
    assert in_order(server, "spare", subnet=GERMANY) == ["127.40.1.5", "127.40.1.3", "127.40.1.1"]


def test_dig_sees_the_same_order(server):
    command = ["dig", "@127.0.0.1", "-p", str(server.port), "+short", "+subnet=" + JAPAN, "spare.example.net.", "A"]
    assert subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.split() == [
        "127.40.1.1", "127.40.1.3", "127.40.1.5"]


def test_that_some_clients_have_no_address_is_told_for_these_only(server):
    """Or a resolver would take it as said of all its clients."""
    there, missing = (server.ask("pairs.example.net.", "AAAA", subnet) for subnet in (GERMANY, JAPAN))
    assert there.answer and not missing.answer
    assert signpost.scope(there) > 0 and signpost.scope(missing) > 0
    # Of a name that has none for anybody it is said for all.
    assert signpost.scope(server.ask("fours.example.net.", "A", JAPAN)) > 0
    assert signpost.scope(server.ask("fours.example.net.", "AAAA", JAPAN)) == 0


def test_a_record_bound_to_a_site_has_only_its_nodes(server):
    assert in_order(server, "tokyo.spare") == ["127.40.1.1"]


def test_who_goes_is_replaced_and_comes_back(server):
    server.nodes.stop("127.40.1.3")
    signpost.wait_until(lambda: in_order(server, "spare") == ["127.40.1.1", "127.40.1.4", "127.40.1.5"],
                        10 * signpost.SLOW)
    server.nodes.stop("127.40.1.5")  # no site is far enough any more: the farthest that is left
    signpost.wait_until(lambda: in_order(server, "spare") == ["127.40.1.1", "127.40.1.4"], 10 * signpost.SLOW)
    server.nodes.start("127.40.1.3", "127.40.1.5")
    signpost.wait_until(lambda: in_order(server, "spare") == ["127.40.1.1", "127.40.1.3", "127.40.1.5"],
                        10 * signpost.SLOW)


# --- in which order

def test_each_node_comes_first_as_often_as_any_other(server):
    """Chi-square, 3 degrees of freedom; 4,000 queries."""
    expected = {f"127.40.2.{node}" for node in (1, 3, 4, 5)}
    first, orders = collections.Counter(), set()
    for _ in range(4000):
        addresses = in_order(server, "shuffled")
        assert set(addresses) == expected and len(addresses) == 4
        first[addresses[0]] += 1
        orders.add(tuple(addresses))
    chi_square = sum((first[address] - 1000) ** 2 / 1000 for address in expected)
    assert chi_square < 21.1, first  # p 0.0001
    assert len(orders) == 24


@pytest.mark.parametrize("name", ["x.any", "alias"])
def test_answers_are_shuffled_wherever_they_stand(server, name):
    orders = {tuple(in_order(server, name)) for _ in range(100)}
    assert len(orders) > 10
    assert {frozenset(order) for order in orders} == {frozenset(f"127.40.2.{node}" for node in (1, 3, 4, 5))}


def test_answers_in_order_of_preference_are_never_shuffled(server):
    assert len({tuple(in_order(server, "spare")) for _ in range(200)}) == 1


# --- for how long

def watch(server, done):
    """The TTLs of doubt.example.net one after another until done(addresses), and what was answered."""
    seen = []
    end = time.monotonic() + 15 * signpost.SLOW
    while True:
        answer = server.ask("doubt.example.net.", "A", JAPAN)
        seen.append(answer.answer[0].ttl)
        if done([rr.address for rr in answer.answer[0]], seen):
            return [t for i, t in enumerate(seen) if i == 0 or t != seen[i - 1]]
        assert time.monotonic() < end, seen
        time.sleep(0.05)


def test_ttl_falls_between_first_failure_and_verdict_and_rises_after(server):
    assert ttl(server, "doubt") == 50  # the ceiling
    assert ttl(server, "brief") == 2  # below the floor, as it was written
    server.nodes.stop("127.40.3.1")
    # Failures to come x 1 s + 500 ms, rounded up: 4, then 3, then (2) the floor; then the node is gone.
    ttls = watch(server, lambda addresses, seen: "127.40.3.1" not in addresses)
    assert ttls in ([50, 4, 3, 50], [50, 3, 50]), ttls
    assert in_order(server, "doubt") == ["127.40.3.3", "127.40.3.4"]
    server.nodes.start("127.40.3.1")
    assert watch(server, lambda addresses, seen: addresses[0] == "127.40.3.1") == [50]


def test_ttl_rises_again_when_the_node_answers_before_the_verdict(server):
    signpost.wait_until(lambda: in_order(server, "doubt")[0] == "127.40.3.1", 10 * signpost.SLOW)
    server.nodes.stop("127.40.3.3")  # the companion
    watch(server, lambda addresses, seen: seen[-1] < 50)
    assert ttl(server, "brief") == 2
    assert ttl(server, "frankfurt.doubt") == 50  # its answer has other nodes
    server.nodes.start("127.40.3.3")
    ttls = watch(server, lambda addresses, seen: seen[-1] == 50)
    assert set(ttls) <= {3, 4, 50}
    assert in_order(server, "doubt") == ["127.40.3.1", "127.40.3.3"]


# --- services

def test_services_have_a_record_for_each_node(server):
    answer = server.ask("_vpn._udp.hosts.example.net.", "SRV", JAPAN)
    assert [rr.to_text() for rr in answer.answer[0]] == [
        "0 0 1194 tyo-1.nodes.example.net.", "1 0 1194 sel-1.nodes.example.net.", "2 0 1194 hosts.example.net."]
    extra = {(rrset.name.to_text(), rr.to_text()) for rrset in answer.additional for rr in rrset}
    assert extra == {("tyo-1.nodes.example.net.", "192.0.2.1"), ("sel-1.nodes.example.net.", "192.0.2.2"),
                     ("sel-1.nodes.example.net.", "2001:db8::2")}  # the shared name's are for this client only
    https = server.ask("_vpn._udp.hosts.example.net.", "HTTPS", JAPAN)
    assert [(rr.priority, rr.target.to_text()) for rr in https.answer[0]] == [
        (1, "tyo-1.nodes.example.net."), (2, "sel-1.nodes.example.net."), (3, "hosts.example.net.")]
