"""Weights that follow load, told by real node_exporters: a text file of the test's is what they say."""

import collections
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

from signpost import SLOW, free_port, wait_until, world

EXPORTER = "/usr/bin/prometheus-node-exporter"
pytestmark = pytest.mark.skipif(not os.access(EXPORTER, os.X_OK), reason="needs prometheus-node-exporter")

NODES = {"a": "127.44.0.1", "b": "127.44.0.2"}
STALE_S = 3  # what is told fades for as long again: ages are looked at once a second

POOL = """pool: edge
policy: weighted
persistence: subnet
probes:
  - {{ kind: tcp, port: {alive}, interval: 1s }}
load:
  low-mark: 50%
  high-mark: 100%
  min-weight: 10%
  smoothing: 0s
  step: 100%
  dwell: 0s
  stale-after: {stale}s
  sources:
    - kind: prometheus
      signal: sessions
      port: {port}
      path: /metrics?collect[]=textfile
      metric: vpn_sessions
      labels: {{ interface: [wg0, wg1] }}
      capacity: {{ metric: vpn_sessions_max }}
      interval: 200ms
sites:
  tokyo:
    nodes:
      a: {{ address: {a}, weight: 100 }}
      b: {{ address: {b}, weight: 100 }}
"""

MACHINE = """pool: machine
probes: [ {{ kind: tcp, port: {alive}, interval: 100ms }} ]
load:
  probe-loss: 50%
  probe-rtt: 5s
  sources:
    - {{ kind: prometheus, preset: node-memory, port: {port}, path: "/metrics?collect[]=meminfo", interval: 500ms }}
    - {{ kind: prometheus, preset: node-cpu, port: {port}, path: "/metrics?collect[]=cpu", interval: 500ms }}
sites: {{ tokyo: {{ nodes: {{ m: {{ address: {b} }} }} }} }}
"""

ZONE = "$TTL 60\n@ 3600 IN SOA ns1 hostmaster 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\nvpn POOL edge\nm POOL machine\n"


class Exporter:
    """A node_exporter at an address, and what its textfile collector reads."""

    def __init__(self, folder, address, port):
        self.folder, self.address, self.port, self.process = folder, address, port, None
        folder.mkdir()
        self.tell(0)

    def tell(self, sessions, capacity=200):
        text = (f'vpn_sessions{{interface="wg0"}} {sessions / 2}\nvpn_sessions{{interface="wg1"}} {sessions / 2}\n'
                f'vpn_sessions{{interface="eth0"}} 1e+06\nvpn_sessions_max {capacity}\n')
        new = self.folder / "vpn.prom.new"
        new.write_text(text)
        new.rename(self.folder / "vpn.prom")

    def start(self):
        self.process = subprocess.Popen(
            [EXPORTER, f"--web.listen-address={self.address}:{self.port}", "--collector.disable-defaults",
             "--collector.textfile", "--collector.cpu", "--collector.meminfo",
             f"--collector.textfile.directory={self.folder}"], stderr=subprocess.DEVNULL)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Lab:
    def __init__(self, signpost, exporters):
        self.signpost, self.exporters = signpost, exporters

    def node(self, name):
        told = json.loads(self.signpost.ctl("--json", "status").stdout)
        return next(n for pool in told["pools"] for n in pool["sites"][0]["nodes"] if n["name"] == name)

    def signal(self, name, signal):
        return next((s for s in self.node(name)["follows"]["signals"] if s["name"] == signal), None)

    def reaches(self, name, part):
        """Waits until the node gets this part of its weight."""
        def so():
            return abs(self.node(name)["follows"]["part"] - part) < 0.02
        so.__doc__ = f"{name} gets {part:.0%}: {self.node(name)['follows']}"
        wait_until(so, 6 * SLOW, every=0.1)

    def shares(self):
        """How many of 500 client networks get each node."""
        count = collections.Counter()
        for n in range(500):
            [address] = self.signpost.addresses("vpn.example.net", subnet=f"198.18.{n % 250}.0/{24 if n < 250 else 23}")
            count[address] += 1
        return {name: count[address] for name, address in NODES.items()}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    port = free_port()
    with world() as (signpost, nodes), contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("exporters")
        exporters = {name: Exporter(folder / name, address, port) for name, address in NODES.items()}
        for exporter in exporters.values():
            stack.callback(exporter.stop)
            exporter.start()
        nodes.start(*NODES.values())
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        signpost.zone_file("example.net.zone").write_text(ZONE)
        signpost.zone_file("edge.pool.yaml").write_text(POOL.format(port=port, alive=nodes.port, stale=STALE_S, **NODES))
        signpost.zone_file("machine.pool.yaml").write_text(MACHINE.format(port=port, alive=nodes.port, **NODES))
        signpost.start()
        lab = Lab(signpost, exporters)
        wait_until(lambda: all(lab.signal(name, "sessions") for name in NODES), 10 * SLOW)
        yield lab


def test_what_an_exporter_tells_moves_the_weight_and_the_answers(lab):
    lab.exporters["a"].tell(100)
    lab.exporters["b"].tell(100)
    lab.reaches("a", 1)
    lab.reaches("b", 1)
    wait_until(lambda: 190 < lab.shares()["a"] < 310, 6 * SLOW)
    lab.exporters["a"].tell(190)  # 95 %, ninetenths of the way from 50 to 100
    lab.reaches("a", 0.19)
    told = lab.node("a")
    assert told["follows"]["signal"] == "sessions" and told["follows"]["cause"] == "between"
    assert told["weight"] == 100 and abs(told["level"] / 65535 - 0.19) < 0.02
    wait_until(lambda: 40 < lab.shares()["a"] < 125, 6 * SLOW)  # 16 % of 500
    assert lab.node("b")["follows"]["part"] == 1
    assert "another answer" not in lab.signpost.ctl("diff").stdout   # nor would files that are as they were


def test_the_highest_of_signals_counts_and_reports_are_one(lab):
    lab.exporters["b"].tell(120)
    lab.reaches("b", 0.82)

    def report_decides():  # a report is of no age, and so again and again
        lab.signpost.ctl("report", "b", "90%")
        text = lab.signpost.ctl("status").stdout
        return "node b: 28 % of its weight: push 90 %, between the marks; " in text and " 28 of 100 " in text
    wait_until(report_decides, 6 * SLOW)
    explained = lab.signpost.ctl("explain", "vpn.example.net", NODES["b"], "--source", check=False).stdout
    assert "% of its weight: " in explained


def test_status_tells_what_a_weight_is_made_of(lab):
    lab.exporters["a"].tell(120)
    lab.signpost.ctl("weight", "a", "50")
    lab.reaches("a", 0.82)

    def told():
        factors = lab.node("a")["factors"]
        assert (factors["weight"], factors["ordered"], factors["agent"], factors["ramp"]) == (50, True, 1, 1), factors
        assert abs(factors["effective"] - 50 * factors["load"]) < 0.01, factors
        return "node a: weight 41 = 50 (ordered) x 82 % (load)" in lab.signpost.ctl("status").stdout
    wait_until(told, 6 * SLOW)
    lab.signpost.ctl("weight", "a", "--reset")


def test_presets_read_what_the_machine_says_of_itself(lab):
    wait_until(lambda: lab.signal("m", "node-cpu"), 5 * SLOW)  # needs two scrapes
    assert 0 <= lab.signal("m", "node-cpu")["use"] <= 1

    def memory_is_so():
        memory = {line.split(":")[0]: int(line.split()[1]) for line in pathlib.Path("/proc/meminfo").open()}
        used = 1 - memory["MemAvailable"] / memory["MemTotal"]
        return abs(lab.signal("m", "node-memory")["use"] - used) < 0.05
    wait_until(memory_is_so, 10 * SLOW)


def test_loss_and_round_trip_time_of_probes_are_signals(lab):
    wait_until(lambda: lab.signal("m", "probe-rtt"), 5 * SLOW)  # from the tenth probe on
    assert lab.signal("m", "probe-loss")["use"] == 0
    assert 0 < lab.signal("m", "probe-rtt")["use"] < 0.5


def test_a_dead_exporter_gives_the_node_its_weight_back_and_takes_it_not_down(lab):
    lab.exporters["a"].tell(200)
    lab.reaches("a", 0.1)
    lab.exporters["a"].stop()

    def fades():
        follows = lab.node("a")["follows"]
        return follows["cause"] == "fading" and follows
    (told,) = wait_until(fades, 10 * SLOW, every=0.05)["signals"]
    assert told["age_ms"] > STALE_S * 1000  # not at once
    wait_until(lambda: lab.node("a")["follows"]["cause"] == "unknown", 10 * SLOW, every=0.05)
    lab.reaches("a", 1)
    assert lab.node("a")["status"] == "up"
    lab.exporters["a"].start()
    lab.reaches("a", 0.1)
