"""The worked examples in zones/examples, each served with real nodes on loopback, and asked.

Addresses for documentation become loopback ones: 203.0.113.N is 127.30.0.N, 198.51.100.N is
127.31.0.N. IPv6 addresses, which no host here has, are left out; probes are made often, and so may hooks be
called.
"""

import collections
import contextlib
import re
import shutil
import subprocess
import time

import dns.rcode
import ownnetwork
import pytest

from signpost import SLOW, SOURCE, scope, wait_until, world

EXAMPLES = SOURCE / "zones/examples"
JAPAN, GERMANY, BRAZIL, AMERICA = "133.11.0.0/24", "134.109.0.0/24", "200.160.0.0/24", "18.7.0.0/24"
KOREA, CHINA, TURKEY, IRAN = "1.11.0.0/24", "114.114.114.0/24", "88.255.0.0/24", "5.160.0.0/24"


def here(text):
    """Documentation's addresses as loopback ones, and back again what a test names by its number."""
    return text.replace("203.0.113.", "127.30.0.").replace("198.51.100.", "127.31.0.")


def node(number):
    return f"127.30.0.{number}"


def on_loopback(pool, node_port):
    """A pool file for this test: only addresses, ports and times differ from the example."""
    pool = re.sub(r'\[([\d.]+), "2001:db8:[^"]*"\]', r"\1", here(pool))
    pool = re.sub(r"^( +)(- kind: tcp.*\n) +port: \d+.*\n", rf"\1\2\1  port: {node_port}\n", pool, flags=re.MULTILINE)
    pool = re.sub(r"^( +(interval|timeout): )\S+", r"\g<1>200ms", pool, flags=re.MULTILINE)
    return re.sub(r"^( +)(- kind: (tcp|icmp).*\n)(?!(.*\n)?(.*\n)? +interval)", r"\1\2\1  interval: 200ms\n", pool,
                  flags=re.MULTILINE)


def node_addresses(pool):
    return re.findall(r"address: \[?(127\.30\.0\.\d+)", pool)


@contextlib.contextmanager
def example(name, edit=None, network=None):
    """The example, served: (signpost, nodes), all nodes up and known to be. With a network of its own
    nodes are there already."""
    with world() as (signpost, nodes):
        text = (EXAMPLES / name / "signpost.yaml").read_text().replace("../../../geoip", str(signpost.geoip))
        text = re.sub(r"^( +)command: .*", r"\g<0>\n\1rate: 1000/s", text, flags=re.MULTILINE)
        signpost.config.write_text(
            text + f'\nlisten: ["127.0.0.1:{signpost.port}"]\nstate: state\nrun: run\nuser: root\n')
        for part in ("hooks", "keys"):
            if (EXAMPLES / name / part).exists():
                shutil.copytree(EXAMPLES / name / part, signpost.folder / part)
        for key in signpost.folder.rglob("*.key"):
            key.chmod(0o600)
        addresses = []
        for file in (EXAMPLES / name / "zones").iterdir():
            if file.name.endswith(".pool.yaml"):
                pool = on_loopback(file.read_text(), nodes.port)
                pool = edit(pool) if edit else pool
                addresses += node_addresses(pool)
                signpost.zone_file(file.name).write_text(pool)
            else:
                shutil.copy(file, signpost.folder / "zones")
        if network is None:
            nodes.start(*addresses)
        signpost.start(command=network.network_command() if network else ())
        wait_until(lambda: all(n["status"] == "up" or n["checks"] == 0 for n in nodes_of(signpost)), 10 * SLOW)
        yield signpost, nodes


def nodes_of(signpost):
    import json
    status = json.loads(signpost.ctl("status", "--json").stdout)
    return [node for pool in status["pools"] for site in pool["sites"] for node in site["nodes"]]


def shares(signpost, networks, name="vpn.example.net"):
    """How many of these client networks get which address first."""
    return collections.Counter(signpost.addresses(name, subnet=network)[0] for network in networks)


def german_networks(count):
    return [f"134.{109 + n // 250}.{n % 250}.0/24" for n in range(count)]


def becomes(signpost, addresses, subnet, name="vpn.example.net", timeout=10 * SLOW):
    wait_until(lambda: set(signpost.addresses(name, subnet=subnet)) <= set(addresses), timeout)


def test_active_active_shares_by_weight_and_the_reserve_waits():
    with example("active-active") as (signpost, nodes):
        got = shares(signpost, german_networks(400))
        assert set(got) == {node(21), node(22), node(41)}
        assert abs(got[node(41)] - 100) < 40
        nodes.stop(node(21), node(22), node(41))
        becomes(signpost, [node(42)], JAPAN)


def test_active_passive_fails_over_and_then_to_the_last_resort():
    with example("active-passive") as (signpost, nodes):
        assert signpost.addresses("vpn.example.net", subnet=JAPAN)[0] in (node(21), node(22))
        nodes.stop(node(21), node(22))
        becomes(signpost, [node(51)], JAPAN)
        nodes.stop(node(51))
        becomes(signpost, ["127.31.0.99"], JAPAN)


def test_nearest_sends_everybody_to_the_nearest_site_that_is_up():
    with example("nearest") as (signpost, nodes):
        assert set(shares(signpost, [JAPAN])) <= {node(11), node(12)}
        assert set(shares(signpost, [AMERICA])) == {node(31)}
        got = shares(signpost, german_networks(300))
        assert abs(got[node(22)] - 100) < 40 and got[node(21)] + got[node(22)] == 300
        nodes.stop(node(31))
        becomes(signpost, [node(21), node(22)], AMERICA)


def test_follow_load_gives_busy_nodes_fewer_clients():
    with example("follow-load") as (signpost, _):
        signpost.ctl("report", "fra-2", "10%")
        signpost.ctl("report", "fra-1", "110%")  # and the site does not spill over: it is at 60 %

        def told():
            return {n["name"]: n["follows"]["part"] for n in nodes_of(signpost)}
        wait_until(lambda: told()["fra-1"] < 1, 10 * SLOW)
        assert abs(told()["fra-1"] - 0.25) < 0.01 and told()["fra-2"] == 1 and told()["nyc-1"] == 1

        def follow():
            got = shares(signpost, german_networks(300))
            return abs(got[node(21)] - 60) < 30 and got[node(21)] + got[node(22)] == 300
        wait_until(follow, 5 * SLOW)


def test_nearest_with_spill_goes_on_to_the_next_site_and_comes_back():
    with example("nearest-with-spill") as (signpost, _):
        clients = german_networks(300)
        frankfurt, amsterdam = {node(21), node(22)}, {node(41), node(42)}

        def report(load):
            for name in ("fra-1", "fra-2"):
                signpost.ctl("report", name, "--load", load)

        def kept():
            got = shares(signpost, clients)
            assert set(got) <= frankfurt | amsterdam
            return sum(got[address] for address in frankfurt) / len(clients)
        report("0.80")   # not over the high mark yet
        assert kept() == 1
        report("0.90")
        wait_until(lambda: kept() < 0.3, 10 * SLOW)
        report("0.75")   # between the marks: a third of the way down to the low one
        wait_until(lambda: 0.6 < kept() < 0.9, 10 * SLOW)
        report("0.65")
        wait_until(lambda: kept() == 1, 10 * SLOW)
        report("0.80")   # from below, the high mark counts again
        time.sleep(2.5)   # inputs are looked at once a second
        assert kept() == 1


def test_far_spare_gives_two_near_sites_and_a_far_one():
    with example("far-spare") as (signpost, nodes):
        def answer(subnet):
            message = signpost.ask("vpn.example.net", subnet=subnet)
            return [rr.address for rrset in message.answer for rr in rrset]
        first, second, third = answer(GERMANY)
        assert first in (node(21), node(22)) and second == node(41)
        assert third in (node(31), node(11), node(12))
        near = answer(JAPAN)
        assert near[0] in (node(11), node(12)) and len(set(near)) == 3
        nodes.stop(node(41))
        wait_until(lambda: node(41) not in answer(GERMANY), 10 * SLOW)
        assert len(answer(GERMANY)) == 3


def test_geofence_holds_whatever_is_up():
    with example("geofence") as (signpost, nodes):
        tokyo, newyork = node(11), node(31)
        assert signpost.addresses("vpn.example.net", subnet=JAPAN) == [tokyo]
        assert signpost.addresses("vpn.example.net", subnet=KOREA) == [tokyo]
        assert signpost.addresses("vpn.example.net", subnet="198.18.7.0/24") == ["127.31.0.80"]
        assert signpost.addresses("vpn.example.net", subnet=CHINA) == [node(21)]   # avoid.txt: not fra-2
        assert set(shares(signpost, [f"88.255.{n}.0/24" for n in range(40)])) == {node(22)}   # not fra-1
        nodes.stop(node(21), node(22))
        becomes(signpost, [newyork], GERMANY)
        for subnet in (IRAN, CHINA):
            assert tokyo not in signpost.addresses("vpn.example.net", subnet=subnet)
        assert newyork not in signpost.addresses("vpn.example.net", subnet=IRAN)
        nodes.stop(tokyo, newyork)
        wait_until(lambda: all(n["status"] == "down" for n in nodes_of(signpost) if n["checks"]), 10 * SLOW)
        assert tokyo not in signpost.addresses("vpn.example.net", subnet=GERMANY)
        assert set(signpost.addresses("vpn.example.net", subnet=IRAN)) <= {node(21), node(22)}


def test_canary_gets_its_percent_and_keeps_it():
    with example("canary") as (signpost, nodes):
        clients = [f"10.{n // 250}.{n % 250}.0/24" for n in range(3000)]
        def canaries():
            return {c for c in clients if signpost.addresses("vpn.example.net", subnet=c) == [node(23)]}
        first = canaries()
        assert 10 <= len(first) <= 55, len(first)
        signpost.ctl("weight", "fra-next", "50")
        wait_until(lambda: len(canaries()) > len(first), 10 * SLOW)
        more = canaries()
        assert len(first - more) <= 60 and 90 <= len(more) <= 200, len(more)
        nodes.stop(node(23))
        becomes(signpost, [node(21), node(22)], sorted(more)[0])
        assert canaries() == set()


def maintenance_for(seconds):
    """The windows of the example, soon and for so long; false: they ended before all was seen that is to be seen
    while they last."""
    begin = int(time.time() + 3 + 0.4 * SLOW)
    end = begin + seconds

    def soon(pool):
        for word, at in (("from", begin), ("until", end)):
            pool = re.sub(rf"{word}: \S+", f"{word}: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at))}", pool)
        return pool
    with example("maintenance", soon) as (signpost, _):
        wait_until(lambda: set(signpost.addresses("vpn.example.net", subnet=JAPAN)) <= {node(21), node(31)}
                   or time.time() >= end, seconds + 10 * SLOW)
        meanwhile = set(shares(signpost, german_networks(60)))
        if time.time() >= end:
            return False
        assert meanwhile == {node(21)}
        becomes(signpost, [node(11)], JAPAN, timeout=seconds + 10 * SLOW)
        assert set(shares(signpost, german_networks(60))) == {node(21), node(22)}
    return True


def test_maintenance_begins_and_ends_by_itself():
    assert any(maintenance_for(seconds * (1 if SLOW == 1 else 2)) for seconds in (4, 12, 36))


def test_openvpn_wildcard_answers_any_random_name_with_two_shuffled_nodes():
    with example("openvpn-wildcard") as (signpost, _):
        orders = collections.Counter()
        for n in range(60):
            message = signpost.ask(f"{n:012x}.vpn.example.net", subnet=JAPAN)
            assert message.rcode() == dns.rcode.NOERROR
            orders[tuple(rr.address for rrset in message.answer for rr in rrset)] += 1
        assert set(orders) == {(node(11), node(12)), (node(12), node(11))}
        assert min(orders.values()) >= 12
        service = signpost.ask("_openvpn._udp.vpn.example.net", "SRV", subnet=JAPAN)
        assert {(rr.port, str(rr.target)) for rrset in service.answer for rr in rrset} == {(1194, "vpn.example.net.")}


def test_wireguard_keeps_its_node_and_is_never_left_without_one():
    with example("wireguard") as (signpost, nodes):
        message = signpost.ask("vpn.example.net", subnet=JAPAN)
        assert [rrset.ttl for rrset in message.answer] == [60] and scope(message) == 24
        mine = signpost.addresses("vpn.example.net", subnet=JAPAN)
        assert all(signpost.addresses("vpn.example.net", subnet=JAPAN) == mine for _ in range(20))
        for address in node_addresses(signpost.zone_file("wireguard.pool.yaml").read_text()):
            if [address] != mine:
                nodes.stop(address)
        wait_until(lambda: sum(n["status"] == "down" for n in nodes_of(signpost)) == 3, 10 * SLOW)
        time.sleep(3)   # what fails within the time of a detection fails together
        nodes.stop(*mine)
        wait_until(lambda: all(n["status"] == "down" for n in nodes_of(signpost)), 10 * SLOW)
        assert signpost.addresses("vpn.example.net", subnet=GERMANY) == mine   # the last that was good


# What a node with IKEv2 says to a proposal that nobody takes: NO_PROPOSAL_CHOSEN (RFC 7296, 3.1, 3.10).
# And an exporter, of one node that has 450 sessions.
NODE = """
import http.server, socket, threading

class Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'wireguard_sessions{interface="wg0"} 450\\n')

exporter = http.server.HTTPServer(("127.30.0.21", 9100), Exporter)
threading.Thread(target=exporter.serve_forever, daemon=True).start()
ike = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ike.setsockopt(socket.IPPROTO_IP, 8, 1)   # IP_PKTINFO: the answer comes from where the question went
ike.bind(("0.0.0.0", 500))
print("ready", flush=True)
while True:
    asked, about, _, client = ike.recvmsg(4096, 256)
    notify = bytes([0, 0, 0, 8, 0, 0, 0, 14])
    header = asked[:8] + bytes(8) + bytes([41, 0x20, 34, 0x20]) + bytes(4) + (28 + len(notify)).to_bytes(4, "big")
    to = about[0][2][4:8]
    ike.sendmsg([header + notify], [(socket.IPPROTO_IP, 8, bytes(4) + to + bytes(4))], 0, client)
"""


def wireguard_nodes(network, folder, monitor, server_key):
    """One WireGuard that has all the addresses of the example."""
    log = folder / "nodes.log"
    network.start("wireguard-go", "-f", "wg0", log=log)
    wait_until(lambda: network.run("wg", "show", "wg0", check=False).returncode == 0, 10 * SLOW)
    (folder / "server.key").write_text(server_key)
    network.run("wg", "set", "wg0", "private-key", folder / "server.key", "listen-port", "51820", "peer", monitor)
    network.run("ip", "link", "set", "wg0", "up")
    network.start("/usr/bin/python3", "-c", NODE, log=log)
    wait_until(lambda: "ready\n" in log.read_text(), 10 * SLOW)


def wg(*arguments, text=None):
    return subprocess.run(["wg", *arguments], input=text, capture_output=True, text=True, check=True).stdout.strip()


@ownnetwork.needs_one
@pytest.mark.skipif(not (shutil.which("wireguard-go") and shutil.which("wg")), reason="no wireguard-go")
def test_vpn_health_is_what_clients_would_find(tmp_path):
    key = wg("genkey")
    monitor = wg("pubkey", text=(EXAMPLES / "vpn-health/keys/throw-away-monitor.key").read_text())

    # Handshakes need a processor on both sides: in less time, a busy machine fails them at all nodes.
    pace = "500ms" if SLOW == 1 else "2s"

    def with_key(pool):
        pool = re.sub(r"^( +(interval|timeout): )\S+", rf"\g<1>{pace}", pool, flags=re.MULTILINE)
        return re.sub(r"public-key: \S+", f"public-key: {wg('pubkey', text=key)}", pool)
    with ownnetwork.network() as network:
        wireguard_nodes(network, tmp_path, monitor, key)
        network.run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")   # the reference: what fails are the nodes
        with example("vpn-health", with_key, network) as (signpost, _):
            told = tmp_path / "told"
            hook = signpost.folder / "hooks/tell"
            hook.write_text(hook.read_text().replace("logger -t signpost-hook --", f"echo >>{told}"))

            def found(name):
                return next(n for n in nodes_of(signpost) if n["name"] == name)
            wait_until(lambda: abs(found("fra-1")["follows"]["part"] - 0.44) < 0.01, 10 * SLOW)  # 90 %, of 60 to 100
            network.run("ip", "route", "add", "blackhole", "127.30.0.22", "table", "local")
            wait_until(lambda: [n["name"] for n in nodes_of(signpost) if n["status"] == "down"] == ["fra-2"], 10 * SLOW)
            down = re.compile(r"^vpn fra-2: (up|degraded|ramping) -> down: (wireguard|ikev2) 127", re.MULTILINE)
            wait_until(lambda: told.exists() and down.search(told.read_text()), 10 * SLOW)
            network.run("ip", "route", "del", "blackhole", "127.30.0.22", "table", "local")
            wait_until(lambda: found("fra-2")["condition"] == "ramping", 10 * SLOW)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_every_example_has_a_test_of_its_own(name):
    others = {"probes-and-rules", "services"}   # test_pool_srv.py, and the test of rules in test_ecs.py
    assert name in others or f'example("{name}"' in open(__file__).read()
