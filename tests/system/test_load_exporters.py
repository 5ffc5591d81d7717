"""A load by HTTPS from a real node_exporter: whom it trusts, and what answers that are none do to the weight."""

import json
import os
import subprocess

import pytest

from certificates import make_authority, make_certificate
from signpost import SLOW, free_port, wait_until, world

EXPORTER = "/usr/bin/prometheus-node-exporter"
pytestmark = pytest.mark.skipif(not os.access(EXPORTER, os.X_OK), reason="needs prometheus-node-exporter")

HERE = "127.44.3.1"
TLS = "tls_server_config:\n  cert_file: exporter.crt\n  key_file: exporter.key\n"
ZONE = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\nvpn POOL edge\nw POOL watched\n"
LOAD = """low-mark: 50%
  high-mark: 100%
  min-weight: 10%
  smoothing: 0s
  step: 100%
  dwell: 0s
  stale-after: 1s"""
SESSIONS = "kind: prometheus, port: {port}, metric: vpn_sessions, capacity: 100, interval: 200ms"
POOL = f"""pool: edge
load:
  {LOAD}
  sources:
    - {{{{ {SESSIONS}, signal: sessions, scheme: https, host: vpn.example.net, ca: ../ca.crt, max-body: 4096 }}}}
sites: {{{{ tokyo: {{{{ nodes: {{{{ a: {{{{ address: {HERE} }}}} }}}} }}}} }}}}
"""
# Sources that never say anything, and why.
SILENT = {
    "stranger": ("scheme: https, host: vpn.example.net", "unable to get local issuer certificate"),
    "other": ("scheme: https, host: other.example.net, ca: ../ca.crt", "the certificate is for another name"),
    "plain": ("scheme: http", "HTTP status 400"),
    "unknown": ("scheme: https, host: vpn.example.net, ca: ../ca.crt, path: '/metrics?collect[]=x'", "HTTP status 400"),
    "page": ("scheme: https, host: vpn.example.net, ca: ../ca.crt, path: /", "line 1: there is no name of a metric"),
}
SOURCES = "".join(f"    - {{{{ {SESSIONS}, signal: {name}, {more} }}}}\n" for name, (more, _) in SILENT.items())
WATCHED = f"""pool: watched
load:
  sources:
{SOURCES}sites: {{{{ tokyo: {{{{ nodes: {{{{ w: {{{{ address: {HERE} }}}} }}}} }}}} }}}}
"""


class Exporter:
    def __init__(self, folder, port):
        self.folder, self.port, self.process = folder, port, None
        self.texts = folder / "texts"
        self.texts.mkdir()
        self.want_password(False)

    def tell(self, sessions, more=""):
        new = self.texts / "vpn.prom.new"
        new.write_text(f"vpn_sessions {sessions}\n{more}")
        new.rename(self.texts / "vpn.prom")

    def want_password(self, wanted):
        """The file is read for each connection. The password is nobody's."""
        new = self.folder / "web.new"
        new.write_text(TLS + f"basic_auth_users:\n  nobody: {'$2y$04$' + 'u' * 53}\n" * wanted)
        new.rename(self.folder / "web.yml")

    def start(self):
        self.process = subprocess.Popen(
            [EXPORTER, f"--web.listen-address={HERE}:{self.port}", f"--web.config.file={self.folder}/web.yml",
             "--web.disable-exporter-metrics", "--collector.disable-defaults",
             "--collector.textfile", f"--collector.textfile.directory={self.texts}"], stderr=subprocess.DEVNULL)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def lab():
    port = free_port()
    with world() as (signpost, _):
        make_authority(signpost.folder)
        make_certificate(signpost.folder, "exporter", "vpn.example.net", "DNS:vpn.example.net")
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        signpost.zone_file("example.net.zone").write_text(ZONE)
        signpost.zone_file("edge.pool.yaml").write_text(POOL.format(port=port))
        signpost.zone_file("watched.pool.yaml").write_text(WATCHED.format(port=port))
        signpost.exporter = Exporter(signpost.folder, port)
        signpost.exporter.tell(90)
        signpost.exporter.start()
        try:
            yield signpost.start()
        finally:
            signpost.exporter.stop()


def follows(signpost, pool):
    pools = json.loads(signpost.ctl("--json", "status").stdout)["pools"]
    return next(p for p in pools if p["name"] == pool)["sites"][0]["nodes"][0]["follows"]


def reaches(signpost, cause, part):
    def so():
        told = follows(signpost, "edge")
        return told["cause"] == cause and told["part"] == pytest.approx(part, abs=0.02)
    so.__doc__ = f"{cause} and {part:.0%} of the weight: {follows(signpost, 'edge')}"
    wait_until(so, 10 * SLOW, every=0.05)


def whys(signpost, node):
    told = json.loads(signpost.ctl("--json", "probe", node, check=False).stdout)
    return {probe["name"]: (probe["outcome"], probe["why"]) for probe in told["probes"]}


def test_exporter_by_tls_is_a_load(lab):
    reaches(lab, "between", 0.28)
    [(outcome, why)] = whys(lab, "edge/a").values()
    assert (outcome, why) == ("success", "use 90.0 %: 90 of 100")


def test_sources_that_cannot_be_read_say_why_and_tell_no_load(lab):
    reaches(lab, "between", 0.28)  # the exporter is there
    assert whys(lab, "watched/w") == {name: ("failure", why) for name, (_, why) in SILENT.items()}
    assert follows(lab, "watched")["signals"] == []


@pytest.mark.parametrize("spoil, why", [
    (lambda exporter: exporter.tell(90, "".join(f"filler_{n} 1\n" for n in range(300))),
     "the answer has more than 4096 octets"),
    (lambda exporter: exporter.want_password(True), "HTTP status 401"),
])
def test_load_that_cannot_be_read_any_more_fades_and_says_why(lab, spoil, why):
    reaches(lab, "between", 0.28)
    spoil(lab.exporter)
    wait_until(lambda: follows(lab, "edge")["cause"] in ("fading", "unknown"), 10 * SLOW, every=0.05)
    assert list(whys(lab, "edge/a").values()) == [("failure", why)]
    lab.exporter.tell(95)
    lab.exporter.want_password(False)
    reaches(lab, "between", 0.19)
    lab.exporter.tell(90)
