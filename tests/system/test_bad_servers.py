"""Probes of every kind beside servers that do what no server should (badservers.py)."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

from badservers import BY_TCP, BY_UDP
from certificates import make_authority, make_certificate
from probing import ZONE
from signpost import BUILD, SLOW, free_port, wait_until, world

SECONDS = int(os.environ.get("SIGNPOST_BAD_SERVERS_S", "3"))
PORT = free_port()
TIMES = "interval: 1s, timeout: 1s, jitter: 50%, fall: 1, rise: 1"

TCP_KINDS = {
    "tcp": "kind: tcp",
    "tls": "kind: tls, verify: false",
    "http": "kind: http, expect-body: never",
    "https": "kind: https, verify: false",
    "agent": "kind: agent, unreachable: failure",
    "dns": "kind: dns, query: example.net, transport: tcp",
    "openvpn": "kind: openvpn, transport: tcp",
    "metrics": "kind: prometheus, metric: m, capacity: 1, inverse: true",
    "sessions": "kind: openvpn-management, capacity: 10, password: ../password",
}
# For what the servers have to bring about, and not the time: all of them are one process, which is busy.
PATIENT = "interval: 60s, timeout: 60s"
UDP_KINDS = {
    "wireguard": f"kind: wireguard, public-key: {base64.b64encode(bytes(range(32))).decode()}, private-key: ../wg.key",
    "ikev2": "kind: ikev2",
    "openvpn": "kind: openvpn",
    "dns": "kind: dns, query: example.net",
    "udp": "kind: udp, send: ping, expect: pong",
}
LOAD = {"metrics", "sessions"}


def write_pools(signpost):
    names = []
    for transport, kinds, servers in ("t", TCP_KINDS, BY_TCP), ("u", UDP_KINDS, BY_UDP):
        for name, options in kinds.items():
            nodes = "".join(f"      n{address.rsplit('.', 1)[1]}: {{ address: {address} }}\n" for address in servers)
            probe = f"{{ {options}, port: {PORT}, interval: 1s, timeout: 1s }}" if name in LOAD else \
                f"{{ {options}, port: {PORT}, {TIMES} }}"
            probes = f"load: {{ sources: [ {probe} ] }}\n" if name in LOAD else f"probes: [ {probe} ]\n"
            names.append(f"{transport}-{name}")
            signpost.zone_file(f"{names[-1]}.pool.yaml").write_text(
                f"pool: {names[-1]}\nflap: off\n{probes}sites:\n  tokyo:\n    nodes:\n{nodes}")
    signpost.zone_file("endless.pool.yaml").write_text(
        f"pool: endless\nprobes: [ {{ kind: tls, verify: false, port: {PORT}, {PATIENT} }}]\n"
        "sites: { tokyo: { nodes: { n17: { address: 127.96.1.17 } } } }\n")
    signpost.zone_file("example.net.zone").write_text(ZONE + "".join(f"{name} POOL {name}\n" for name in names))
    return names


@pytest.fixture(scope="module")
def lab():
    with world() as (signpost, _):
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        make_authority(signpost.folder)
        make_certificate(signpost.folder, "good", "vpn.example.net", "DNS:vpn.example.net")
        for name, text in (("password", "the-secret-word\n"), ("wg.key", base64.b64encode(os.urandom(32)).decode() + "\n")):
            (signpost.folder / name).write_text(text)
            os.chmod(signpost.folder / name, 0o600)
        write_pools(signpost)
        zoo = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("badservers.py"), signpost.folder, str(PORT)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert zoo.stdout.readline() == b"ready\n"
            yield signpost.start()
        finally:
            zoo.kill()
            zoo.communicate()


def nodes(signpost):
    return {f"{pool['name']}/{node['name']}": node for pool in json.loads(signpost.ctl("--json", "status").stdout)["pools"]
            for site in pool["sites"] for node in site["nodes"] if pool["name"] != "endless"}


def descriptors(signpost):
    return len(os.listdir(f"/proc/{signpost.pid('signpost-control')}/fd"))


def test_control_goes_on_whatever_they_do(lab):
    """It answers, keeps its process, and has a verdict on everybody."""
    pid = lab.pid("signpost-control")
    end, slowest = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        began, starved_ms = time.monotonic(), lab.starved_ms("signpost-control")
        found = nodes(lab)
        starved_ms = lab.starved_ms("signpost-control") - starved_ms
        slowest = max(slowest, time.monotonic() - began - starved_ms / 1000)
        time.sleep(0.1)
    unknown = wait_until(lambda: not [name for name, node in nodes(lab).items()
                                      if node["status"] == "unknown" and name.split("/")[0][2:] not in LOAD], 10 * SLOW)
    assert len(found) == len(TCP_KINDS) * len(BY_TCP) + len(UDP_KINDS) * len(BY_UDP)
    assert unknown and lab.pid("signpost-control") == pid
    print(f"status took {slowest * 1000:.0f} ms at most, {descriptors(lab)} descriptors")
    assert slowest < 2 * SLOW
    for name, node in found.items():
        if node["status"] == "up" and name.split("/")[0][2:] not in LOAD | {"tcp"}:
            assert name in ("t-tls/n17", "t-tls/n18", "t-agent/n21"), (name, node["reason"])


def test_reloads_and_single_probes_in_the_middle_of_probes_leave_nothing_behind(lab):
    before = descriptors(lab)
    path = lab.zone_file("t-tls.pool.yaml")
    for turn in range(6):
        path.write_text(re.sub("interval: .s", f"interval: {turn % 2 + 1}s", path.read_text()))
        asking = [subprocess.Popen([BUILD / "signpostctl", "--run", lab.folder / "run", "probe", name],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                  for name in ("t-tls/n17", "t-http/n4", "u-openvpn/n2", "t-sessions/n7", "t-metrics/n15")]
        lab.ctl("reload")
        for one in asking:
            one.wait(30)
    wait_until(lambda: descriptors(lab) <= before + 60, 10 * SLOW)


def test_tls_server_that_talks_without_end_is_not_listened_to(lab):
    told = lab.ctl("probe", "endless/n17", timeout=90).stdout
    assert "the server goes on talking" in told and "success" in told, told


@pytest.mark.parametrize("node", ["t-http/n8", "t-http/n9", "t-agent/n21"])
def test_what_servers_say_does_not_control_terminals(lab, node):
    told = lab.ctl("probe", node, check=False).stdout
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f]", told) and "received" in told, told


def test_password_is_told_to_nobody_else(lab):
    told = lab.ctl("probe", "t-sessions/n7", check=False).stdout
    assert "the-secret-word" not in told + lab.log() + lab.ctl("--json", "status").stdout
    for path in [*(lab.folder / "state").rglob("*"), *(lab.folder / "run").rglob("*")]:
        assert not path.is_file() or b"the-secret-word" not in path.read_bytes(), path
