"""Loads told by real OpenVPN servers with clients: by the management interface, and by status files."""

import json
import re

import pytest

import openvpn
from namespaces import namespaces, root_only
from signpost import SLOW, wait_until, world

pytestmark = root_only

PASSWORD = "correct horse"  # nowhere but in its file

# Name: port, what the server is told beside it, and the sources that it is asked by.
SERVERS = {
    "tcp": (1194, ("--management", "10.99.0.2", "2194", "password"),
            "- { kind: openvpn-management, port: 2194, capacity: 4, password: keys/password, interval: 1s }"),
    "unix": (1195, ("--management", "unix.sock", "unix", "--status-version", "3"), """
    - { kind: openvpn-management, socket: keys/unix.sock, capacity: 10, interval: 1s }
    - { kind: openvpn-status, path: "keys/{node}.status", capacity: 2, interval: 1s }"""),
    "one": (1196, ("--status-version", "1"),
            '- { kind: openvpn-status, path: "keys/{pool}.status", signal: clients, capacity: 3, interval: 1s, max-age: 3s }'),
    "wrong": (1194, None, "- { kind: openvpn-management, port: 2194, capacity: 4, password: keys/wrong, interval: 10s }"),
}
POOL = """pool: {name}
sites: {{ tokyo: {{ nodes: {{ {name}: {{ address: 10.99.0.2 }} }} }} }}
load:
  stale-after: 5s
  sources:
    {sources}
"""
ZONE = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n"


class Lab:
    def __init__(self, net, signpost):
        self.net, self.signpost = net, signpost
        self.keys = signpost.folder / "zones" / "keys"
        self.keys.mkdir()
        openvpn.make_keys(self.keys)
        for name, text in (("password", PASSWORD), ("wrong", "incorrect")):
            path = self.keys / name
            path.write_text(f"{text}\n")
            path.chmod(0o600)
        signpost.zone_file("example.net.zone").write_text(ZONE + "".join(f"{name} POOL {name}\n" for name in SERVERS))
        for name, (_, _, sources) in SERVERS.items():
            signpost.zone_file(f"{name}.pool.yaml").write_text(POOL.format(name=name, sources=sources.strip()))
        self.processes = {}
        for number, (name, (port, options, _)) in enumerate(SERVERS.items()):
            if options is not None:
                self.processes[name] = openvpn.server(net, self.keys, name, number, port, "--duplicate-cn", *options)

    def client(self, name):
        made = openvpn.client(self.net, self.keys, f"client-{name}", SERVERS[name][0]).ready()
        self.processes[f"client-{name}"] = made

    def end(self):
        for process in self.processes.values():
            process.end()

    def use(self, pool, signal):
        """As told last; None: never."""
        pools = json.loads(self.signpost.ctl("--json", "status").stdout)["pools"]
        node = next(p for p in pools if p["name"] == pool)["sites"][0]["nodes"][0]
        return next((s["use"] for s in node["follows"]["signals"] if s["name"] == signal), None)

    def reaches(self, pool, signal, use):
        def so():
            return self.use(pool, signal) == pytest.approx(use)
        so.__doc__ = f"{pool}: {signal} at {use}"
        wait_until(so, 10 * SLOW, every=0.1)


@pytest.fixture(scope="module")
def lab():
    with namespaces() as net, world() as (signpost, _):
        made = Lab(net, signpost)
        try:
            signpost.write_server_file({"tokyo": (35.68, 139.69)})
            for process in made.processes.values():
                process.ready()
            signpost.start(command=net.inside(net.ours))
            yield made
        finally:
            made.end()


def test_clients_of_a_server_are_its_load(lab):
    for pool, signal in (("tcp", "openvpn-management"), ("unix", "openvpn-management"), ("unix", "openvpn-status"), ("one", "clients")):
        lab.reaches(pool, signal, 0)
    for name in ("tcp", "unix", "one"):
        lab.client(name)
    lab.reaches("tcp", "openvpn-management", 1 / 4)
    lab.reaches("unix", "openvpn-management", 1 / 10)
    lab.reaches("unix", "openvpn-status", 1 / 2)
    lab.reaches("one", "clients", 1 / 3)


def told(lab, pool, source):
    """Of a probe that is made once: (outcome, why, all of it as text)."""
    text = lab.signpost.ctl("--json", "probe", f"{pool}/{pool}", check=False).stdout
    check = next(c for c in json.loads(text)["probes"] if c["name"] == source)
    return check["outcome"], check["why"], text


def test_probe_by_hand_tells_what_was_said_but_no_password(lab):
    outcome, why, text = told(lab, "tcp", "openvpn-management")
    assert (outcome, re.sub(r"\d", "N", why)) == ("success", "N of N clients")
    assert "load-stats" in text and "it asks for the password" in text
    assert PASSWORD not in text and PASSWORD.encode().hex() not in text
    assert PASSWORD not in lab.signpost.log()


def test_wrong_password_is_no_reading(lab):
    outcome, why, _ = told(lab, "wrong", "openvpn-management")
    assert (outcome, why) == ("failure", "the password is wrong")
    assert lab.use("wrong", "openvpn-management") is None


def test_status_of_a_server_that_ended_grows_old(lab):
    lab.processes["one"].end()
    wait_until(lambda: told(lab, "one", "clients")[1].startswith("written "), 10 * SLOW, every=0.2)
