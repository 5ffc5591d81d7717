"""Probes of kind openvpn against real servers, each way to protect them: up, stopped, wrong key, and what the server sees."""

import json
import os
import re
import signal
import subprocess

import pytest

import openvpn
from namespaces import namespaces, root_only
from signpost import SLOW, wait_until, world

pytestmark = root_only

# How many probes of one server its log is looked at for; 1,000 take ten seconds more.
PROBES = int(os.environ.get("SIGNPOST_OPENVPN_PROBES", "150"))

UDP, TCP = ("--proto", "udp"), ("--proto", "tcp-server")
# Name: port, how the server is started, what the probe is told, and the same with a wrong key.
SERVERS = {
    "plain": (1194, UDP, "", None),
    "auth": (1195, (*UDP, "--tls-auth", "ta.key", "0", "--auth", "SHA256"),
             "tls-auth: keys/ta.key, digest: SHA256", "tls-auth: keys/other.key, digest: SHA256"),
    "auth-sha1": (1196, (*UDP, "--tls-auth", "ta.key", "--auth", "SHA1"),
                  "tls-auth: file:keys/ta.key, key-direction: none", "tls-auth: keys/ta.key, key-direction: 1"),
    "auth-sha512": (1197, (*UDP, "--tls-auth", "ta.key", "1", "--auth", "SHA512"),
                    "tls-auth: keys/ta.key, key-direction: 0, digest: SHA512", "tls-auth: keys/ta.key, key-direction: 0"),
    "crypt": (1198, (*UDP, "--tls-crypt", "ta.key"),
              "tls-crypt: keys/ta.key", "tls-crypt: keys/other.key"),
    "crypt-v2": (1199, (*UDP, "--tls-crypt-v2", "v2s.key", "force-cookie"),
                 "tls-crypt-v2: keys/v2c.key", "tls-crypt-v2: keys/v2other.key"),
    "tcp": (1200, TCP, "transport: tcp", None),
    "tcp-crypt": (1201, (*TCP, "--tls-crypt", "ta.key"),
                  "transport: tcp, tls-crypt: keys/ta.key", "transport: tcp, tls-crypt: keys/other.key"),
    "tcp-crypt-v2": (1202, (*TCP, "--tls-crypt-v2", "v2s.key"),
                     "transport: tcp, tls-crypt-v2: keys/v2c.key", "transport: tcp, tls-crypt-v2: keys/v2other.key"),
    # Answers more than its hundred in ten seconds, at each of its addresses, and nobody has a wrong key for it.
    "quiet": (1203, (*UDP, "--tls-crypt", "ta.key", "--multihome", "--connect-freq-initial", "1000", "1"),
              "tls-crypt: keys/ta.key", None),
}
# "quiet" is probed often, but each of these nodes seldom, with a long time to answer: the second answer to a request that
# was sent again is an error in its log.
NODES, SELDOM = 180, {"interval": "6s", "timeout": "6s"}
REQUEST = 54  # octets of a hard reset with tls-crypt

POOL = """pool: {name}
flap: off
sites: {{ tokyo: {{ nodes: {{ {nodes} }} }} }}
probes: [ {{ kind: openvpn, port: {port}, interval: {interval}, timeout: {timeout}, fall: 1, rise: 1{options} }} ]
"""
ZONE = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n"


def write_pool(signpost, name, port, options, interval="1s", timeout="600ms", addresses=("10.99.0.2",)):
    nodes = ", ".join(f'n{number}: {{ address: "{address}" }}' for number, address in enumerate(addresses))
    signpost.zone_file(f"{name}.pool.yaml").write_text(POOL.format(
        name=name, nodes=nodes, port=port, interval=interval, timeout=timeout, options=f", {options}" if options else ""))
    with open(signpost.zone_file("example.net.zone"), "a", encoding="ascii") as zone:
        zone.write(f"{name} POOL {name}\n")


def write_pools(signpost):
    signpost.zone_file("example.net.zone").write_text(ZONE)
    for name, (port, _, options, wrong) in SERVERS.items():
        write_pool(signpost, name, port, options, **(SELDOM if name == "quiet" else {}))
        if wrong:
            write_pool(signpost, f"wrong-{name}", port, wrong)
    write_pool(signpost, "v6", 1194, "", addresses=("fd99::2",))
    write_pool(signpost, "foreign", 1195, "")  # plain, at a server that wants tls-auth


class Lab:
    def __init__(self, net, signpost):
        self.net, self.signpost = net, signpost
        self.keys = signpost.folder / "zones" / "keys"
        self.keys.mkdir()
        openvpn.make_keys(self.keys)
        self.servers = {name: self.start(name) for name in SERVERS}

    def start(self, name):
        port, options, _, _ = SERVERS[name]
        if name == "plain":  # IPv4 and IPv6 with one socket
            options = ("--proto", "udp6")
        return openvpn.server(self.net, self.keys, name, list(SERVERS).index(name), port, *options)

    def node(self, pool, node="n0"):
        pools = {p["name"]: p for p in json.loads(self.signpost.ctl("--json", "status").stdout)["pools"]}
        return {n["name"]: n for site in pools[pool]["sites"] for n in site["nodes"]}[node]

    def reaches(self, pool, state, reason):
        def so():
            found = self.node(pool)
            return found["status"] == state and re.search(reason, found["reason"] or "")
        try:
            wait_until(so, 10 * SLOW)
        except AssertionError as error:
            raise AssertionError(f"{pool}: not {state} ({reason}): {error}\n{self.signpost.ctl('status').stdout}") from None


@pytest.fixture(scope="module")
def lab():
    with namespaces() as net, world() as (signpost, _):
        made = None
        try:
            made = Lab(net, signpost)
            for number in range(NODES):
                net.address(net.theirs, f"10.99.0.{50 + number}/24")
            signpost.write_server_file({"tokyo": (35.68, 139.69)})
            write_pools(signpost)
            for server in made.servers.values():
                server.ready()
            signpost.start(command=net.inside(net.ours))
            yield made
        finally:
            for server in made.servers.values() if made else ():
                server.end()


@pytest.mark.parametrize("name", SERVERS)
def test_server_that_runs_is_up(lab, name):
    port = SERVERS[name][0]
    lab.reaches(name, "up", f"^openvpn 10.99.0.2:{port}: hard reset answered$")
    # The next probe tells, where the last one was held up.
    wait_until(lambda: 0 < lab.node(name)["rtt_us"] < 600_000, 10 * SLOW)


def test_server_is_probed_by_ipv6(lab):
    lab.reaches("v6", "up", r"^openvpn \[fd99::2\]:1194: hard reset answered$")


@pytest.mark.parametrize("name", [name for name, row in SERVERS.items() if row[3]])
def test_wrong_key_is_down(lab, name):
    silence = "closed without an answer, as where the key is wrong" if "tcp" in name else "timeout"
    lab.reaches(f"wrong-{name}", "down", f": {silence}$")


def test_probe_without_the_key_is_down(lab):
    lab.reaches("foreign", "down", ": timeout$")


def test_hung_server_is_down_until_it_goes_on_and_a_dead_one_at_once(lab):
    server = lab.servers["plain"]
    lab.reaches("plain", "up", "answered")
    server.signal(signal.SIGSTOP)
    lab.reaches("plain", "down", ": timeout$")
    server.signal(signal.SIGCONT)
    lab.reaches("plain", "up", "answered")
    server.end()
    lab.reaches("plain", "down", ": connection refused$")


def test_dead_server_by_tcp_is_down(lab):
    lab.servers["tcp"].end()
    lab.reaches("tcp", "down", ": connection refused$")


# --- what the server sees


def requests(net):
    """How many came so far."""
    listed = net.run(*net.inside(net.theirs), "nft", "-j", "list", "chain", "inet", "count", "in").stdout
    for row in json.loads(listed)["nftables"]:
        if "rule" in row:
            return next(part["counter"]["packets"] for part in row["rule"]["expr"] if "counter" in part)
    raise AssertionError(listed)


def count_requests(net, port):
    nft = [*net.inside(net.theirs), "nft", "add"]
    net.run(*nft, "table", "inet", "count")
    net.run(*nft, "chain", "inet", "count", "in", "{ type filter hook input priority 0; }")
    net.run(*nft, "rule", "inet", "count", "in", "udp", "dport", port, "udp", "length", 8 + REQUEST, "counter")


def read_status(lab, name):
    """The server's status, which is written every second, a line at a time: what it is twice."""
    read = [None]

    def is_whole():
        read.append((lab.keys / f"{name}.status").read_text())
        return read[-1] == read[-2]
    wait_until(is_whole, 5 * SLOW)
    return read[-1]


def clients(text):
    """Common names in a status."""
    return re.findall(r"^(\w+),10\.99\.0\.", text[:text.find("ROUTING TABLE")], re.MULTILINE)


def test_many_probes_leave_no_trace_and_a_session_alone(lab):
    server, net = lab.servers["quiet"], lab.net
    port, number = SERVERS["quiet"][0], list(SERVERS).index("quiet")
    user = openvpn.client(net, lab.keys, "user", port, "--proto", "udp", "--tls-crypt", "ta.key").ready()
    try:
        wait_until(lambda: "Protocol options" in server.log() and clients(read_status(lab, "quiet")), 10 * SLOW)
        before, session = server.log(), user.log()
        count_requests(net, port)
        write_pool(lab.signpost, "often", port, "tls-crypt: keys/ta.key", **SELDOM,
                   addresses=[f"10.99.0.{50 + n}" for n in range(NODES)])
        lab.signpost.ctl("reload")
        ping = subprocess.Popen([*net.inside(net.ours), "ping", "-q", "-c", str(PROBES), "-W", "10", "-i", "0.02",
                                 f"10.96.{number}.1"], stdout=subprocess.PIPE, text=True)
        wait_until(lambda: requests(net) >= PROBES, (10 + PROBES / 20) * SLOW)
        told = ping.communicate(timeout=10 + PROBES)[0]  # it waits for the last answers
        lab.reaches("often", "up", "answered")
        status = read_status(lab, "quiet")
        wait_until(lambda: read_status(lab, "quiet") != status, 5 * SLOW)
        assert server.log() == before, server.log()[len(before):]
        assert user.log() == session
        assert clients(read_status(lab, "quiet")) == ["client"]
        sent, received = (int(re.search(rf"(\d+) (packets )?{what}", told).group(1)) for what in ("transmitted", "received"))
        assert sent == received == PROBES, told
    finally:
        user.end()
