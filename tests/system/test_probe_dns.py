"""Probes of kind dns against Signpost itself and NSD, and of kind udp against a small server."""

import os
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from probing import PATIENT, reaches, write_pools
from signpost import free_port, world

ZONE = "$ORIGIN example.org.\n$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\nwww A 192.0.2.2\n"
NSD = """server:
  ip-address: 127.94.4.1@{port}
  ip-address: ::1@{port}
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  username: ""
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: "{folder}/example.org.zone"
"""


class Udp:
    """Answers b"ping N" with b"pong N", and two answers to b"two"."""

    def __init__(self, address, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                asked, peer = self.socket.recvfrom(2000)
                if asked == b"\0end":
                    return
                for answer in ([b"junk", b"\x00\xffgood"] if asked == b"two" else [asked.replace(b"ping", b"pong")]):
                    self.socket.sendto(answer, peer)
        finally:
            self.socket.close()

    def close(self):
        self.socket.sendto(b"\0end", self.socket.getsockname())


@pytest.fixture(scope="module")
def lab():
    port, udp_port = free_port(), free_port()
    with world() as (signpost, _):
        folder = signpost.folder
        (folder / "example.org.zone").write_text(ZONE)
        (folder / "nsd.conf").write_text(NSD.format(folder=folder, port=port))
        nsd = f"kind: dns, port: {port}"
        own = f"kind: dns, port: {signpost.port}"
        udp = f"kind: udp, port: {udp_port}"
        write_pools(signpost, {
            "udp": ("127.94.4.1", f"{nsd}, query: WWW.example.org, expect-address: [192.0.2.2, 192.0.2.1]"),
            "tcp": ("127.94.4.1", f"{nsd}, query: www.example.org, transport: tcp, min-answers: 2"),
            "six": ("::1", f"{nsd}, query: example.org, type: SOA"),
            "six-tcp": ("::1", f"{nsd}, query: example.org, type: NS, transport: tcp"),
            "name": ("127.94.4.1", f"{nsd}, query: nowhere.example.org"),
            "nxdomain": ("127.94.4.1", f"{nsd}, query: nowhere.example.org, expect-rcode: [NXDOMAIN, NOERROR]"),
            "zone": ("127.94.4.1", f"{nsd}, query: example.com"),
            "nodata": ("127.94.4.1", f"{nsd}, query: www.example.org, type: AAAA"),
            "empty": ("127.94.4.1", f"{nsd}, query: www.example.org, type: AAAA, min-answers: 0", PATIENT),
            "address": ("127.94.4.1", f"{nsd}, query: www.example.org, expect-address: 192.0.2.3"),
            "closed": ("127.94.4.9", f"{nsd}, query: www.example.org"),
            "closed-tcp": ("127.94.4.9", f"{nsd}, query: www.example.org, transport: tcp"),
            "self": ("127.0.0.1", f"{own}, query: ns1.example.net, expect-address: 192.0.2.53"),
            "self-tcp": ("127.0.0.1", f"{own}, query: example.net, type: NS, transport: tcp"),
            "echo": ("127.94.4.2", f"{udp}, send: ping 1, expect: pong 1"),
            "any": ("127.94.4.2", f"{udp}, send-hex: 00ff"),
            "inside": ("127.94.4.2", f"{udp}, send: ping 1, expect: '1', expect-at: anywhere"),
            "start": ("127.94.4.2", f"{udp}, send: ping 1, expect: '1'"),
            "second": ("127.94.4.2", f"{udp}, send: two, expect-hex: 00ff", PATIENT),
            "silent": ("127.94.4.9", f"{udp}, send: x"),
        })
        server = subprocess.Popen(["nsd", "-d", "-c", folder / "nsd.conf"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True)
        signpost.nsd, signpost.udp = server, Udp("127.94.4.2", udp_port)
        try:
            yield signpost.start()
        finally:
            signpost.udp.close()
            server.terminate()
            server.wait(20)


pytestmark = pytest.mark.skipif(not shutil.which("nsd"), reason="nsd is not installed")


@pytest.mark.parametrize("pool, state, reason", [
    ("udp", "up", "dns 127.94.4.1:[0-9]+: NOERROR, 2 records$|nOERROR, 2 records$"),
    ("tcp", "up", "NOERROR, 2 records$"),
    ("six", "up", r"dns \[::1\]:[0-9]+: NOERROR, 1 record$"),
    ("six-tcp", "up", "NOERROR, 1 record$"),
    ("name", "down", "NXDOMAIN$"),
    ("nxdomain", "up", "NXDOMAIN$"),
    ("zone", "down", "REFUSED$|SERVFAIL$"),
    ("nodata", "down", "NOERROR, 0 records$"),
    ("empty", "up", "NOERROR, 0 records$"),
    ("address", "down", "NOERROR, but an expected address is missing$"),
    ("closed", "down", "connection refused$"),
    ("closed-tcp", "down", "connection refused$"),
    ("self", "up", "NOERROR, 1 record$"),
    ("self-tcp", "up", "NOERROR, 1 record$"),
    ("echo", "up", "udp 127.94.4.2:[0-9]+: answered$"),
    ("any", "up", "answered$"),
    ("inside", "up", "answered$"),
    ("start", "down", "answered, but with other octets than expected$"),
    ("second", "up", "answered$"),
    ("silent", "down", "connection refused$"),
])
def test_answer_counts_as_it_should(lab, pool, state, reason):
    reaches(lab, pool, state, f"(?i){reason}")


def test_server_that_hangs_is_down_and_up_when_it_goes_on(lab):

    reaches(lab, "udp", "up", "(?i)2 records$")
    os.killpg(lab.nsd.pid, signal.SIGSTOP)
    try:
        reaches(lab, "udp", "down", "timeout$")
        reaches(lab, "tcp", "down", "timeout$")
    finally:
        os.killpg(lab.nsd.pid, signal.SIGCONT)
    reaches(lab, "udp", "up", "(?i)2 records$")
    reaches(lab, "tcp", "up", "(?i)2 records$")


def test_steps_are_told(lab):
    told = lab.ctl("probe", "second/second").stdout
    for step in "sent 3 octets", "received 4 octets", "not what is expected", "received 6 octets":
        assert step in told, told
    assert "sent a query of 33 octets" in lab.ctl("probe", "empty/empty").stdout
