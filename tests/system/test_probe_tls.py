"""Probes of kind tls, and of https, against OpenSSL's server and ocserv (AnyConnect)."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess

import ownnetwork
import pytest

from certificates import make_authority, make_certificate
from probing import PATIENT, reaches, states, write_pools
from signpost import SLOW, free_port, wait_until, world

PORT = free_port()
# What ocserv has to answer to is proved by this many probes: 1000 take longer than a test may.
OCSERV_PROBES = int(os.environ.get("SIGNPOST_OCSERV_PROBES", "8"))

SERVERS = {  # address: certificate, and how the server is started
    "127.94.2.1": ("good", "-tls1_3 -alpn h2,http/1.1"),
    "127.94.2.2": ("good", "-tls1_2"),
    "127.94.2.3": ("soon", ""),
    "127.94.2.4": ("past", ""),
    "127.94.2.5": ("good", "-Verify 1 -verify_return_error -CAfile ca.crt -tls1_3"),
    "127.94.2.6": ("good", "-Verify 1 -verify_return_error -CAfile ca.crt -tls1_2"),
    "[::1]": ("good", ""),
    "127.94.2.8": ("good", ""),
}

OCSERV = """auth = "plain[passwd={folder}/passwd]"
tcp-port = {port}
udp-port = {port}
listen-host = 127.94.3.1
socket-file = {folder}/ocserv-socket
use-occtl = true
occtl-socket-file = {folder}/occtl.socket
server-cert = {folder}/good.crt
server-key = {folder}/good.key
isolate-workers = false
run-as-user = nobody
run-as-group = nogroup
device = vpns
ipv4-network = 10.95.0.0
ipv4-netmask = 255.255.255.0
max-ban-score = 80
cisco-client-compat = true
tls-priorities = "NORMAL:%SERVER_PRECEDENCE"
pid-file = {folder}/ocserv.pid
"""


def listens(address, port):
    """Something listens there. Nobody connects: a server must see probes alone."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as taken:
        try:
            taken.bind((address.strip("[]"), port))
        except OSError:
            return True
    return False


def start_s_server(folder, address):
    certificate, options = SERVERS[address]
    return subprocess.Popen(
        ["openssl", "s_server", "-accept", f"{address}:{PORT}", "-cert", f"{certificate}.crt", "-key",
         f"{certificate}.key", "-quiet", *options.split()],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    make_authority(folder)
    make_certificate(folder, "good", "vpn.example.net", "DNS:vpn.example.net,IP:127.94.2.1")
    make_certificate(folder, "soon", "vpn.example.net", "DNS:vpn.example.net", days=5)
    make_certificate(folder, "past", "vpn.example.net", "DNS:vpn.example.net", days=-1)
    make_certificate(folder, "client", "monitor", "DNS:monitor")


@pytest.fixture(scope="module")
def lab():
    tls = f"kind: tls, port: {PORT}, ca: ../ca.crt"
    named = f"{tls}, server-name: vpn.example.net"
    ours = "client-certificate: ../client.crt, client-key: ../client.key"
    with world() as (signpost, _):
        make_certificates(signpost.folder)
        write_pools(signpost, {
            "new": ("127.94.2.1", f"{named}, alpn: [h2, h3], expect-alpn: h2", PATIENT),
            "alpn": ("127.94.2.1", f"{named}, alpn: [h2, http/1.1], expect-alpn: http/1.1"),
            "address": ("127.94.2.1", tls),
            "old": ("127.94.2.2", named),
            "name": ("127.94.2.2", f"{tls}, server-name: other.example.net"),
            "noaddress": ("127.94.2.2", tls),
            "stranger": ("127.94.2.2", f"kind: tls, port: {PORT}, server-name: vpn.example.net"),
            "soon": ("127.94.2.3", named),
            "past": ("127.94.2.4", named),
            "lenient": ("127.94.2.4", f"kind: tls, port: {PORT}, verify: false"),
            "refused": ("127.94.2.5", named),
            "shown": ("127.94.2.5", f"{named}, {ours}"),
            "refused2": ("127.94.2.6", named),
            "shown2": ("127.94.2.6", f"{named}, {ours}"),
            "six": ("::1", named),
            "closed": ("127.94.2.9", named),
            "plain": ("127.0.0.1", f"kind: tls, port: {signpost.port}"),
            "stopped": ("127.94.2.8", named),
        })
        signpost.servers = {address: start_s_server(signpost.folder, address) for address in SERVERS}
        try:
            for address in SERVERS:
                wait_until(lambda: listens(address, PORT), 10)
            yield signpost.start()
        finally:
            for server in signpost.servers.values():
                server.kill()
                server.wait()
                server.stdin.close()


@pytest.mark.parametrize("pool, state, reason", [
    ("new", "up", "tls 127.94.2.1:[0-9]+: handshake complete, TLSv1.3$"),
    ("alpn", "down", 'ALPN "http/1.1" was not chosen$'),
    ("address", "up", "handshake complete, TLSv1.3$"),
    ("old", "up", "handshake complete, TLSv1.2$"),
    ("name", "down", "hostname mismatch$"),
    ("noaddress", "down", "IP address mismatch$"),
    ("stranger", "down", "unable to get local issuer certificate$"),
    ("soon", "up", "handshake complete, certificate expires in [45] days$"),  # 5 within the second in which it was made
    ("past", "down", "certificate has expired$"),
    ("lenient", "up", "handshake complete, certificate expired 1 day ago$"),
    ("refused", "down", "tlsv13 alert certificate required$"),
    ("shown", "up", "handshake complete, TLSv1.3$"),
    ("refused2", "down", "alert handshake failure$|closed$|reset"),
    ("shown2", "up", "handshake complete, TLSv1.2$"),
    ("six", "up", r"tls \[::1\]:[0-9]+: handshake complete"),
    ("closed", "down", "connection refused$"),
    ("plain", "down", "timeout in the handshake$|closed|wrong version number|unexpected eof|reset"),
])
def test_handshake_counts_as_it_should(lab, pool, state, reason):
    reaches(lab, pool, state, reason)


def test_server_that_hangs_is_down_and_up_when_it_goes_on(lab):
    reaches(lab, "stopped", "up", "handshake complete")
    lab.servers["127.94.2.8"].send_signal(signal.SIGSTOP)
    try:
        reaches(lab, "stopped", "down", "timeout in the handshake$")
    finally:
        lab.servers["127.94.2.8"].send_signal(signal.SIGCONT)
    reaches(lab, "stopped", "up", "handshake complete")


def test_steps_are_told(lab):
    told = lab.ctl("probe", "new/new").stdout
    for step in "sent a TCP SYN", "handshake complete: TLSv1.3", "ALPN h2", "certificate of /CN=vpn.example.net", \
            "sent close_notify", "the server has closed, too":
        assert step in told, told


# --- ocserv

# As AnyConnect does it: asks for a session, logs in, opens the tunnel, and asks in it whether the server is
# there (DPD), again and again; what was sent and what came back is said at the end.
CLIENT = """
import re, select, signal, socket, ssl, struct, sys, time
context = ssl.create_default_context(cafile=sys.argv[2])
to = context.wrap_socket(socket.create_connection(("127.94.3.1", int(sys.argv[1]))), server_hostname="vpn.example.net")
def post(path, body, cookie=""):
    body = '<?xml version="1.0"?><config-auth client="vpn" %s</config-auth>' % body
    to.sendall(("POST %s HTTP/1.1\\r\\nHost: vpn.example.net\\r\\nUser-Agent: Open AnyConnect VPN Agent\\r\\n"
                "X-Transcend-Version: 1\\r\\nCookie: %s\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (path, cookie, len(body), body)).encode())
    head = b""
    while b"\\r\\n\\r\\n" not in head:
        head += to.recv(1) or sys.exit("closed: %r" % head)
    left = int(re.search(rb"(?i)content-length: (\\d+)", head)[1])
    while left > 0:
        left -= len(to.recv(left))
    return "; ".join("%s=%s" % pair for pair in re.findall(r"(?i)set-cookie: *([^=]+)=([^;]+)", head.decode()))
post("/", 'type="init"><version who="vpn">v9</version>')
cookie = post("/auth", 'type="auth-reply"><auth><username>user</username></auth>')
cookie = post("/auth", 'type="auth-reply"><auth><password>secret</password></auth>', cookie)
to.sendall(("CONNECT /CSCOSSLC/tunnel HTTP/1.1\\r\\nHost: vpn.example.net\\r\\nCookie: %s\\r\\nX-CSTP-Version: 1\\r\\n"
            "X-CSTP-Address-Type: IPv4\\r\\nX-CSTP-MTU: 1400\\r\\n\\r\\n" % cookie).encode())
head = b""
while b"\\r\\n\\r\\n" not in head:
    head += to.recv(1) or sys.exit("closed: %r" % head)
if not head.startswith(b"HTTP/1.1 200 "):
    sys.exit("no tunnel: %r" % head)
print("open", flush=True)
ending, sent, received = [], 0, 0
signal.signal(signal.SIGINT, lambda *_: ending.append(1))
def take():
    header = b""
    while len(header) < 8:
        header += to.recv(8 - len(header)) or sys.exit("closed after %d" % sent)
    left = struct.unpack(">H", header[4:6])[0]
    while left > 0:
        left -= len(to.recv(left))
    if header[6] in (5, 9):
        sys.exit("the server ends the session")
    return header[6] == 4
while not ending:
    to.sendall(b"STF\\x01\\0\\0\\x03\\0")
    sent += 1
    while not take():
        pass
    received += 1
    time.sleep(0.05)
print("sent %d received %d" % (sent, received))
"""


class Ocserv:
    def __init__(self, network, folder):
        self.network, self.folder, self.port = network, folder, 4443
        subprocess.run(["ocpasswd", "-c", folder / "passwd", "user"], input="secret\nsecret\n", text=True, check=True,
                       capture_output=True)
        (folder / "ocserv.conf").write_text(OCSERV.format(folder=folder, port=self.port))
        self.process = network.start("setsid", "ocserv", "-f", "-c", folder / "ocserv.conf", "-d", "1", log=folder / "ocserv.log")

    def kill(self):
        """With its children, which have its sockets."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def client(self):
        log = self.folder / "client.log"
        started = self.network.start("/usr/bin/python3", "-c", CLIENT, str(self.port), self.folder / "ca.crt", log=log)
        wait_until(lambda: log.read_text() != "", 20 * SLOW)
        assert log.read_text() == "open\n", log.read_text()
        return started, log

    def occtl(self, *arguments):
        return self.network.run("occtl", "-s", self.folder / "occtl.socket", *arguments, check=False).stdout


def probes_take_no_harm(signpost, ocserv):
    client, log = ocserv.client()
    for _ in range(OCSERV_PROBES):
        for pool in "handshake", "anyconnect":
            told = signpost.ctl("probe", f"{pool}/{pool}").stdout
            assert "handshake complete" in told or "HTTP status 200" in told, told
    client.send_signal(signal.SIGINT)
    assert client.wait(20) == 0, log.read_text()
    sent, received = map(int, re.search(r"sent (\d+) received (\d+)", log.read_text()).groups())
    assert sent == received > 0
    bans = ocserv.occtl("show", "ip", "bans", "points")
    assert "127." not in bans, bans


@ownnetwork.needs_one
@pytest.mark.skipif(not shutil.which("ocserv"), reason="no ocserv")
def test_ocserv_is_up_by_tls_and_by_its_own_protocol_and_takes_no_harm():
    init = ("method: POST, host: vpn.example.net, body: "
            "'<config-auth client=\"vpn\" type=\"init\"><version who=\"vpn\">v9</version></config-auth>', "
            "expect-status: 200, expect-body: '<config-auth client=\"vpn\" type=\"auth-request\">'")
    with world() as (signpost, _), ownnetwork.network() as network:
        make_certificates(signpost.folder)
        ocserv = Ocserv(network, signpost.folder)
        tls = f"port: {ocserv.port}, ca: ../ca.crt"
        write_pools(signpost, {
            "handshake": ("127.94.3.1", f"kind: tls, {tls}, server-name: vpn.example.net", PATIENT),
            "anyconnect": ("127.94.3.1", f"kind: https, {tls}, {init}", PATIENT),
            "other": ("127.94.3.1", f"kind: https, {tls}, {init.replace('auth-request', 'complete')}"),
            "wrong": ("127.94.3.1", f"kind: tls, port: {ocserv.port}, ca: ../client.crt, server-name: vpn.example.net"),
        })
        try:
            signpost.start(command=network.network_command())
            reaches(signpost, "handshake", "up", "handshake complete, TLSv1.3$")
            reaches(signpost, "anyconnect", "up", "HTTP status 200$")
            reaches(signpost, "other", "down", "the body has not the text expected$")
            reaches(signpost, "wrong", "down", "certificate")
            probes_take_no_harm(signpost, ocserv)
            assert states(signpost)["handshake"]["status"] == states(signpost)["anyconnect"]["status"] == "up"
            ocserv.process.send_signal(signal.SIGSTOP)
            try:
                reaches(signpost, "handshake", "down", "timeout")
                reaches(signpost, "anyconnect", "down", "timeout")
            finally:
                ocserv.process.send_signal(signal.SIGCONT)
            reaches(signpost, "anyconnect", "up", "HTTP status 200$")
            ocserv.kill()
            for pool in "handshake", "anyconnect":
                reaches(signpost, pool, "down", "(?i)refused|could not connect|couldn't connect")
        finally:
            ocserv.kill()
        log = (signpost.folder / "ocserv.log").read_text(errors="replace")
        assert not re.search("(?i)segfault|worker.*crash|banned|cannot accept", log), log[-3000:]
