"""Probes of kind wireguard against a real server: wireguard-go, in a network of its own."""

import json
import os
import re
import shutil
import signal
import subprocess

import ownnetwork
import pytest
import signpost

pytestmark = [ownnetwork.needs_one,
              pytest.mark.skipif(not (shutil.which("wireguard-go") and shutil.which("wg")), reason="no wireguard-go")]

# How many probes the server's log and its other peers have to bear.
PROBES = int(os.environ.get("SIGNPOST_PROBES", "50"))

ZONE = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nvpn 30 POOL right\n"
POOL = """pool: {name}
flap: off
probes:
  - {{ kind: wireguard, {options}, interval: {interval}ms, timeout: {timeout}ms, fall: 2, rise: 1 }}
sites: {{ tokyo: {{ nodes: {{ {name}: {{ address: {address} }} }} }} }}
"""


def wg(*arguments, text=None):
    return subprocess.run(["wg", *arguments], input=text, capture_output=True, text=True, check=True).stdout.strip()


class Keys:
    def __init__(self, folder, name):
        self.private = wg("genkey")
        self.public = wg("pubkey", text=self.private)
        self.file = folder / f"{name}.key"
        secret_file(self.file, self.private)


def secret_file(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)


class Server:
    """wireguard-go; peers: public key: further lines."""

    def __init__(self, network, folder, name, keys, peers):
        self.network, self.name, self.log_path = network, name, folder / f"{name}.log"
        config = folder / f"{name}.conf"
        secret_file(config, f"[Interface]\nPrivateKey = {keys.private}\nListenPort = 51820\n" + "".join(
            f"[Peer]\nPublicKey = {public}\n{more}\n" for public, more in peers.items()))
        self.process = network.start("wireguard-go", "-f", name, log=self.log_path, env={"LOG_LEVEL": "verbose"})
        signpost.wait_until(lambda: network.run("wg", "show", name, check=False).returncode == 0, 10 * signpost.SLOW)
        network.run("wg", "setconf", name, config)
        network.run("ip", "link", "set", name, "up")

    def log(self):
        return self.log_path.read_text()

    def count(self, text):
        return self.log().count(text)


@pytest.fixture(scope="module")
def lab():
    """A server, and a pool a story; each node is named as its pool."""
    with signpost.world() as (server, _), ownnetwork.network() as network:
        folder = server.folder
        own, right, psk, shown, stranger, other, loaded = (Keys(folder, name) for name in (
            "server", "right", "psk", "shown", "stranger", "other", "loaded"))
        secret_file(folder / "shared", wg("genpsk"))
        secret_file(folder / "wrong", wg("genpsk"))
        client = Keys(folder, "client")
        shared = f"PresharedKey = {(folder / 'shared').read_text()}"
        real = Server(network, folder, "wgs0", own, {
            right.public: "", loaded.public: "", psk.public: shared, shown.public: shared, other.public: shared, client.public: "AllowedIPs = 10.98.0.2/32\n"})
        server.write_server_file({"tokyo": (35, 139)})
        (folder / "zones/example.net.zone").write_text(ZONE)
        for name, address, options, interval in (
                ("right", "127.0.0.1", f"public-key: {own.public}, private-key: ../right.key", 100),
                ("v6", "::1", f"public-key: {own.public}, private-key: ../right.key", 150),
                ("psk", "127.0.0.1", f"public-key: {own.public}, private-key: ../psk.key, preshared-key: ../shared", 200),
                ("shown", "127.0.0.1",
                 f"public-key: {own.public}, private-key: ../shown.key, preshared-key: ../shared", 5000),
                ("mismatch", "127.0.0.1",
                 f"public-key: {own.public}, private-key: ../other.key, preshared-key: file:../wrong", 200),
                ("bare", "127.0.0.1", f"public-key: {own.public}, private-key: ../other.key", 200),
                ("stranger", "127.0.0.1", f"public-key: {own.public}, private-key: ../stranger.key", 200),
                ("impostor", "127.0.0.1", f"public-key: {other.public}, private-key: ../right.key", 200),
                ("loaded", "127.0.0.1", f"public-key: {own.public}, private-key: ../loaded.key", 1000),
                ("nobody", "127.0.0.1", f"public-key: {own.public}, private-key: ../right.key, port: 51821", 200)):
            server.zone_file(f"{name}.pool.yaml").write_text(POOL.format(
                name=name, address=address, options=options, interval=interval, timeout=interval))
        server.start(command=network.network_command())
        server.network, server.real, server.client, server.keys = network, real, client, own
        yield server


def nodes(server):
    status = json.loads(server.ctl("status", "--json").stdout)
    return {node["name"]: node for pool in status["pools"] for site in pool["sites"] for node in site["nodes"]}


def wait_for(server, name, status, reason="", timeout=10):
    def there():
        node = nodes(server)[name]
        return node["status"] == status and reason in node["reason"] and node
    try:
        return signpost.wait_until(there, timeout * signpost.SLOW)
    except AssertionError:
        raise AssertionError(f"{nodes(server)[name]}\n{server.real.log()[-2000:]}") from None


@pytest.mark.parametrize("name", ["right", "v6", "psk"])
def test_server_that_knows_the_peer_is_up(lab, name):
    wait_for(lab, name, "up", "handshake response")
    # The next probe tells, where the last one was held up.
    signpost.wait_until(lambda: 0 < nodes(lab)[name]["rtt_us"] < 100_000 * signpost.SLOW, 10 * signpost.SLOW)


@pytest.mark.parametrize("name, reason", [
    ("mismatch", "preshared key or identity does not match"), ("bare", "preshared key or identity does not match"),
    ("stranger", "timeout"), ("impostor", "timeout"), ("nobody", "connection refused")])
def test_server_with_other_keys_is_down_and_says_why(lab, name, reason):
    wait_for(lab, name, "down", reason)


def test_server_that_hangs_is_down_and_up_again_after_it(lab):
    wait_for(lab, "right", "up")
    lab.real.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lab, "right", "down", "timeout")
    finally:
        lab.real.process.send_signal(signal.SIGCONT)
    wait_for(lab, "right", "up", "handshake response")


def test_probe_shows_its_steps_and_no_secret(lab):
    shown = lab.ctl("probe", "node:shown/shown").stdout
    assert re.search(r"sent 148 octets: handshake initiation 1, sender index [0-9a-f]{8}", shown), shown
    assert "received 92 octets: a handshake response" in shown and lab.keys.public in shown
    for pool in ("shown", "right", "psk"):  # the last two may get no answer in their short time
        shown += lab.ctl("probe", f"node:{pool}/{pool}", "--json", check=False).stdout
    shown += lab.log()
    for file in ("shown.key", "right.key", "psk.key", "shared", "server.key"):
        secret = (lab.folder / file).read_text().strip()
        assert secret not in shown


def answered(lab):
    """The numbers of the client's pings that an answer came to, in its order."""
    return [int(number) for number in re.findall(r"bytes from .* icmp_seq=(\d+) .*\n",
                                                 (lab.folder / "ping.log").read_text())]


def test_clients_session_and_the_servers_log_bear_many_probes(lab):
    with ownnetwork.network() as far:
        ownnetwork.join(lab.network, far)
        Server(far, lab.folder, "wgc0", lab.client, {
            lab.keys.public: "Endpoint = 10.99.0.1:51820\nAllowedIPs = 10.98.0.1/32\n"})
        far.run("ip", "address", "add", "10.98.0.2/24", "dev", "wgc0")
        lab.network.run("ip", "address", "add", "10.98.0.1/24", "dev", "wgs0")
        far.run("ping", "-c", "1", "-W", "5", "10.98.0.1")
        before = lab.real.count("Sending handshake response")
        pinging = far.start("ping", "-i", "0.1", "10.98.0.1", log=lab.folder / "ping.log")
        signpost.wait_until(lambda: lab.real.count("Sending handshake response") >= before + PROBES,
                            PROBES * signpost.SLOW)
        seen = len(answered(lab))
        signpost.wait_until(lambda: len(answered(lab)) >= max(seen + 2, 10), 20 * signpost.SLOW)
        pinging.send_signal(signal.SIGINT)
        assert pinging.wait(10) == 0
    # What was sent just before the end is still on its way; nothing before it may be missing.
    answers = answered(lab)
    assert answers == list(range(1, len(answers) + 1)), "the client's session lost nothing"
    assert lab.real.count("ERROR") == 0
    # What the probes with wrong keys are answered with is another matter.
    shown = lab.network.run("wg", "show", "wgs0", "latest-handshakes").stdout.split()
    seen = dict(zip(shown[::2], shown[1::2]))
    assert int(seen[lab.client.public]) > 0
    assert [key for key, when in seen.items() if int(when) > 0] == [lab.client.public]


def test_key_that_is_replaced_is_used(lab):
    wait_for(lab, "stranger", "down")
    taken, known = lab.folder / "stranger.key", Keys(lab.folder, "known")
    lab.network.run("wg", "set", "wgs0", "peer", known.public)
    os.replace(known.file, taken)
    wait_for(lab, "stranger", "up", "handshake response")


FLOOD = """
import socket, sys, time
message = bytes.fromhex(sys.argv[1])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
    out.connect(("127.0.0.1", 51820))
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        for _ in range(1000):
            out.send(message)
"""


def test_server_under_load_asks_for_a_cookie_and_gets_it(lab):
    """An initiation that it has had, again and again, from elsewhere: it asks all for cookies soon."""
    wait_for(lab, "loaded", "up")
    once = json.loads(lab.ctl("probe", "node:loaded/loaded", "--json", check=False).stdout)
    message = next(octets for octets in octets_of(once) if len(octets) == 2 * 148)
    flood = lab.network.start("/usr/bin/python3", "-c", FLOOD, message, str(60), log=lab.folder / "flood.log")
    try:
        shown = signpost.wait_until(lambda: asked_for_a_cookie(lab), 20 * signpost.SLOW)
    finally:
        lab.network.end(flood)
    assert re.search(r"sent 148 octets: handshake initiation \d, sender index [0-9a-f]{8}, with the cookie", shown), shown
    assert "it opens" in shown or "under load: asks for cookies, and does not answer with them" in shown, shown
    wait_for(lab, "loaded", "up", "handshake response")


def octets_of(value):
    """All that evidence has, at any depth."""
    if isinstance(value, dict):
        own = [value["octets"]] if isinstance(value.get("octets"), str) else []
        return own + [octets for item in value.values() for octets in octets_of(item)]
    return [octets for item in value for octets in octets_of(item)] if isinstance(value, list) else []


def asked_for_a_cookie(lab):
    shown = lab.ctl("probe", "node:loaded/loaded", check=False).stdout
    return "a cookie reply: the server is under load" in shown and "with the cookie" in shown and shown


def test_key_of_the_servers_is_replaced_by_a_reload(lab):
    """First at the server, then in the pool: no verdict outlives the key that it was about."""
    wait_for(lab, "right", "up")
    new, pool = Keys(lab.folder, "new"), lab.zone_file("right.pool.yaml")
    lab.network.run("wg", "set", "wgs0", "private-key", new.file)
    wait_for(lab, "right", "down", "timeout")
    pool.write_text(pool.read_text().replace(lab.keys.public, new.public))
    lab.ctl("reload")
    wait_for(lab, "right", "up", "handshake response")
    wait_for(lab, "v6", "down", "timeout")  # whose pool has the old one


def test_server_that_was_killed_is_down(lab):
    wait_for(lab, "right", "up")
    lab.network.end(lab.real.process)
    wait_for(lab, "right", "down", "connection refused")
    wait_for(lab, "psk", "down", "connection refused")
