"""Probes of kind ikev2 against a real server: strongSwan's charon, in a network of its own."""

import json
import os
import re
import signal

import ownnetwork
import pytest
import signpost

CHARON = "/usr/lib/ipsec/charon"
pytestmark = [ownnetwork.needs_one, pytest.mark.skipif(not os.path.exists(CHARON), reason="no charon")]

# How many probes the server has to bear.
PROBES = int(os.environ.get("SIGNPOST_PROBES", "50"))
# Fewer than would be left behind by so many probes, but more than come while a busy machine lets charon stand still:
# with its defaults, three at the same time are asked for a cookie.
HALF_OPEN = "cookie_threshold = 40\n  cookie_threshold_ip = 0\n  block_threshold = 40"

ZONE = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nvpn 30 POOL live\n"
POOL = """pool: {name}
flap: off
probes:
  - {{ kind: ikev2, {options}, {times}, fall: 2, rise: 1 }}
sites: {{ tokyo: {{ nodes: {{ {name}: {{ address: {address} }} }} }} }}
"""
STRONGSWAN = """charon {{
  load_modular = no
  load = random nonce openssl aes sha1 sha2 hmac kdf gmp pem pkcs1 x509 revocation constraints pubkey vici kernel-netlink socket-default updown
  install_routes = no
  {more}
  plugins {{
    vici {{
      socket = unix:///run/charon.vici
    }}
  }}
  filelog {{
    stderr {{
      default = 1
    }}
  }}
}}
"""
CONNECTION = """connections {
  ikev2 {
    version = 2
    local_addrs = %any
    proposals = aes256-sha256-x25519, aes256-sha256-modp2048, aes128gcm16-prfsha384-ecp256
    local {
      auth = psk
      id = vpn.example
    }
    remote {
      auth = psk
    }
    children {
      net {
        local_ts = 10.97.0.0/24
      }
    }
  }
}
secrets {
  ike-1 {
    secret = "test"
  }
}
"""

# One without a tunnel (RFC 6023): the kernel need not know of it.
CLIENT = """connections {
  vpn {
    version = 2
    remote_addrs = 10.99.0.1
    proposals = aes256-sha256-x25519
    childless = force
    dpd_delay = 1s
    local {
      auth = psk
      id = client.example
    }
    remote {
      auth = psk
      id = vpn.example
    }
  }
}
secrets {
  ike-1 {
    secret = "test"
  }
}
"""


class Charon:
    """charon in a network, whose /run is its own; without a connection until it is told to load it."""

    def __init__(self, network, folder, more="", connection=CONNECTION):
        self.network, self.log_path = network, folder / "charon.log"
        (folder / "strongswan.conf").write_text(STRONGSWAN.format(more=more))
        (folder / "swanctl").mkdir(exist_ok=True)
        (folder / "swanctl/swanctl.conf").write_text(connection)
        self.env = {"STRONGSWAN_CONF": str(folder / "strongswan.conf"), "SWANCTL_DIR": str(folder / "swanctl")}
        self.start()

    def start(self):
        self.process = self.network.start(CHARON, log=self.log_path, env=self.env)
        signpost.wait_until(lambda: self.ctl("--stats", check=False).returncode == 0, 10 * signpost.SLOW)

    def ctl(self, *arguments, check=True):
        return self.network.run("env", *(f"{k}={v}" for k, v in self.env.items()), "swanctl", *arguments,
                                "--uri", "unix:///run/charon.vici", check=check)

    def sessions(self):
        """SPIs of those that stand."""
        return re.findall(r"ESTABLISHED, IKEv2, ([0-9a-f]{16})_i\*? ([0-9a-f]{16})_r", self.ctl("--list-sas").stdout)

    def half_open(self):
        return int(re.search(r"(\d+) half-open", self.ctl("--stats").stdout)[1])

    def count(self, text):
        return self.log_path.read_text().count(text)


OFTEN, SELDOM = "interval: 100ms", "interval: 1h, timeout: 5s"


def start(server, nodes):
    server.write_server_file({"tokyo": (35, 139)})
    server.zone_file("example.net.zone").write_text(ZONE.replace("live", nodes[0][0]))
    for name, address, options, times in nodes:
        server.zone_file(f"{name}.pool.yaml").write_text(
            POOL.format(name=name, address=address, options=options, times=times))
    server.start(command=server.charon.network.network_command())


@pytest.fixture(scope="module")
def lab():
    """A server, and a pool a story; each node is named as its pool."""
    with signpost.world() as (server, _), ownnetwork.network() as network:
        server.charon = Charon(network, server.folder, HALF_OPEN)
        start(server, [
            ("live", "127.0.0.1", "mode: liveness", OFTEN),
            ("v6", "::1", "port: 4500", OFTEN),
            ("x25519", "127.0.0.1", "mode: config, proposal: aes256-sha256-x25519", OFTEN),
            ("modp", "127.0.0.1", "mode: config, proposal: aes256-sha256-modp2048, port: 4500", OFTEN),
            ("gcm", "127.0.0.1", "mode: config, proposal: aes128gcm16-prfsha384-ecp256", OFTEN),
            ("other", "127.0.0.1", "mode: config, proposal: aes128-sha512-ecp384", OFTEN),
            ("full", "127.0.0.1", "mode: full, proposal: aes256-sha256-modp2048", SELDOM),
            ("unmarked", "127.0.0.1", "port: 4500, non-esp-marker: false", OFTEN),
            ("nobody", "127.0.0.1", "port: 501", OFTEN)])
        yield server


def node(server, name):
    status = json.loads(server.ctl("status", "--json").stdout)
    return next(node for pool in status["pools"] for site in pool["sites"] for node in site["nodes"]
                if node["name"] == name)


def wait_for(server, name, status, reason=""):
    def there():
        now = node(server, name)
        return now["status"] == status and reason in now["reason"]
    try:
        signpost.wait_until(there, 10 * signpost.SLOW)
    except AssertionError:
        raise AssertionError(f"{node(server, name)}\n{server.charon.log_path.read_text()[-2000:]}") from None


def test_server_without_its_configuration_is_alive_but_fails_mode_config(lab):
    wait_for(lab, "live", "up", "NO_PROPOSAL_CHOSEN")
    wait_for(lab, "full", "down", "NO_PROPOSAL_CHOSEN")
    for name in ("x25519", "modp", "gcm"):
        wait_for(lab, name, "down", "NO_PROPOSAL_CHOSEN: no connection takes the proposal")
    lab.charon.ctl("--load-all")
    for name in ("x25519", "modp", "gcm"):
        wait_for(lab, name, "up", "INVALID_KE_PAYLOAD: it takes the proposal")


@pytest.mark.parametrize("name, status, reason", [
    ("v6", "up", "NO_PROPOSAL_CHOSEN"), ("other", "down", "no connection takes the proposal"),
    ("unmarked", "down", "connection refused"), ("nobody", "down", "connection refused")])
def test_other_ports_and_proposals(lab, name, status, reason):
    wait_for(lab, name, status, reason)


def test_many_probes_leave_no_state_and_full_ones_leave_one(lab):
    before = lab.charon.count("parsed IKE_SA_INIT request")
    signpost.wait_until(lambda: lab.charon.count("parsed IKE_SA_INIT request") >= before + PROBES,
                        PROBES * signpost.SLOW)
    signpost.wait_until(lambda: lab.charon.half_open() == 0, 10 * signpost.SLOW)  # none but those in hand
    shown = lab.ctl("probe", "node:full/full").stdout
    assert "received 392 octets: a proposal is chosen" in shown and "counts as a success: accepted" in shown, shown
    signpost.wait_until(lambda: lab.charon.half_open() == 1, 10 * signpost.SLOW)


def test_clients_session_and_the_servers_log_bear_many_probes(lab):
    lab.charon.ctl("--load-all")
    (lab.folder / "client").mkdir()
    with ownnetwork.network() as far:
        ownnetwork.join(lab.charon.network, far)
        client = Charon(far, lab.folder / "client", connection=CLIENT)
        client.ctl("--load-all")
        client.ctl("--initiate", "--ike", "vpn", "--timeout", "20")
        session, before = client.sessions(), lab.charon.count("parsed IKE_SA_INIT request")
        alive = client.count("parsed INFORMATIONAL response")
        assert len(session) == 1
        signpost.wait_until(lambda: lab.charon.count("parsed IKE_SA_INIT request") >= before + PROBES
                            and client.count("parsed INFORMATIONAL response") > alive, PROBES * signpost.SLOW)
        assert client.sessions() == lab.charon.sessions() == session
        client.ctl("--rekey", "--ike", "vpn")  # which both have to do
        signpost.wait_until(lambda: client.sessions() == lab.charon.sessions() != session, 10 * signpost.SLOW)
    log = lab.charon.log_path.read_text()
    assert not re.search(r"ignoring IKE_SA setup|limit of|N\(COOKIE\)", log), log[-5000:]


def test_server_that_hangs_or_ends_is_down_and_up_again_after_it(lab):
    wait_for(lab, "live", "up")
    lab.charon.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lab, "live", "down", "timeout")
    finally:
        lab.charon.process.send_signal(signal.SIGCONT)
    wait_for(lab, "live", "up")
    lab.charon.network.end(lab.charon.process)
    wait_for(lab, "live", "down", "connection refused")
    lab.charon.network.run("rm", "-f", "/run/charon.pid", "/run/charon.vici")
    lab.charon.start()
    wait_for(lab, "live", "up", "NO_PROPOSAL_CHOSEN")


def test_cookie_is_sent_back_where_that_leaves_no_state():
    """With cookie_threshold 3: from three half-open states on it asks everybody for one."""
    with signpost.world() as (server, _), ownnetwork.network() as network:
        server.charon = Charon(network, server.folder, "cookie_threshold = 3\n  cookie_threshold_ip = 0")
        server.charon.ctl("--load-all")
        start(server, [(name, "127.0.0.1", f"mode: {name}{proposal}", SELDOM) for name, proposal in (
            ("liveness", ""), ("config", ", proposal: aes256-sha256-x25519"), ("full", ", proposal: aes256-sha256-x25519"))])
        wait_for(server, "full", "up", "accepted")
        assert "counts as a success: accepted" in server.ctl("probe", "node:full/full").stdout
        assert "counts as a success: accepted" in server.ctl("probe", "node:full/full").stdout
        assert "counts as a success that warns: COOKIE: under load" in server.ctl("probe", "node:full/full").stdout
        shown = server.ctl("probe", "node:config/config").stdout
        told = [line.split("   ", 1)[1].strip() for line in shown.splitlines() if " ms  " in line]
        assert [line.partition(": ")[2] for line in told[:4]] == [
            "IKE_SA_INIT with the proposal, and a public value of another group", "COOKIE",
            "IKE_SA_INIT with the proposal, and a public value of another group, and the cookie",
            "INVALID_KE_PAYLOAD"], shown
        assert "counts as a success: COOKIE" in server.ctl("probe", "node:liveness/liveness").stdout
        assert server.charon.half_open() == 3
