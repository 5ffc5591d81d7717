"""Probes of kinds http and https: requests as they arrive, answers as they count."""

import http.server
import socket
import ssl
import threading

import pytest

from certificates import make_authority, make_certificate
from probing import PATIENT, reaches, states, write_pools
from signpost import free_port, world

HERE, HERE6 = "127.94.1.1", "::1"
TEXT = "all is well"


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.server.heard[self.path] = (self.command, dict(self.headers.items()),
                                        self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        status = int(self.path.split("/")[1])
        body = ("x" * 70000 if "long" in self.path else "") + TEXT
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", f"http://{HERE}:1/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, port, context=None):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), Handler)
        self.heard, self.context = {}, context
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        if self.context is not None:  # in the thread of the connection
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        pass

    def close(self):
        self.shutdown()
        self.server_close()


def server_context(folder, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return context


@pytest.fixture(scope="module")
def lab():
    port, secure = free_port(), free_port()
    with world() as (signpost, _):
        folder = signpost.folder
        make_authority(folder)
        make_certificate(folder, "good", "vpn.example.net", f"DNS:vpn.example.net,IP:{HERE}")
        make_certificate(folder, "soon", "vpn.example.net", "DNS:vpn.example.net", days=5)
        make_certificate(folder, "past", "vpn.example.net", "DNS:vpn.example.net", days=-1)
        make_certificate(folder, "client", "monitor", "DNS:monitor")
        (folder / "token").write_text("Bearer c2VjcmV0\n")
        (folder / "token").chmod(0o600)
        plain, tls = f"kind: http, port: {port}", f"kind: https, port: {secure}, ca: ../ca.crt"
        named = f"{tls}, host: vpn.example.net, path: /200/tls"
        write_pools(signpost, {
            "well": (HERE, f"{plain}, path: /200/well, host: www.example.net, expect-body: {TEXT}, "
                           "headers: { Authorization: 'file:../token', X-Probe: signpost }", PATIENT),
            "well6": (HERE6, f"{plain}, path: /200/six, expect-body: {TEXT}"),
            "moved": (HERE, f"{plain}, path: /302/moved"),
            "wanted": (HERE, f"{plain}, path: /302/wanted, expect-status: [200, 301-303]"),
            "broken": (HERE, f"{plain}, path: /503/broken"),
            "strict": (HERE, f"{plain}, path: /302/strict, expect-status: 200"),
            "text": (HERE, f"{plain}, path: /200/text, expect-body: all is lost"),
            "beyond": (HERE, f"{plain}, path: /200/long, expect-body: {TEXT}"),
            "within": (HERE, f"{plain}, path: /200/long, expect-body: {TEXT}, max-body: 100000"),
            "post": (HERE, f"{plain}, path: /201/post, method: POST, body: '<init/>'"),
            "head": (HERE, f"{plain}, path: /200/head, method: HEAD"),
            "refused": ("127.94.1.9", plain),
            "secure": (HERE, named),
            "address": (HERE, f"{tls}, path: /200/tls"),
            "name": (HERE, f"{tls}, host: other.example.net, path: /200/tls"),
            "stranger": (HERE, f"kind: https, port: {secure}, host: vpn.example.net, path: /200/tls"),
            "plaintext": (HERE, f"kind: https, port: {port}"),
            "soon": ("127.94.1.2", named),
            "never": ("127.94.1.2", f"{named}, warn-expiry: 0d"),
            "past": ("127.94.1.3", named),
            "lenient": ("127.94.1.3", f"kind: https, port: {secure}, path: /200/tls, verify: false"),
            "unknown": ("127.94.1.4", named),
            "shown": ("127.94.1.4", f"{named}, client-certificate: ../client.crt, client-key: ../client.key"),
        })
        signpost.servers = [Server(HERE, port), Server(HERE6, port)]
        for last, name in (1, "good"), (2, "soon"), (3, "past"), (4, "good"):
            context = server_context(folder, name)
            if last == 4:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(folder / "ca.crt")
            signpost.servers.append(Server(f"127.94.1.{last}", secure, context))
        try:
            yield signpost.start()
        finally:
            for server in signpost.servers:
                server.close()


@pytest.mark.parametrize("pool, state, reason", [
    ("well", "up", "http 127.94.1.1:[0-9]+: HTTP status 200$"),
    ("well6", "up", r"http \[::1\]:[0-9]+: HTTP status 200$"),
    ("moved", "up", "HTTP status 302$"),
    ("wanted", "up", "HTTP status 302$"),
    ("strict", "down", "HTTP status 302$"),
    ("broken", "down", "HTTP status 503$"),
    ("text", "down", "HTTP status 200, but the body has not the text expected$"),
    ("beyond", "down", "HTTP status 200, but the body has not the text expected$"),
    ("within", "up", "HTTP status 200$"),
    ("post", "up", "HTTP status 201$"),
    ("head", "up", "HTTP status 200$"),
    ("refused", "down", "http 127.94.1.9:80: connection refused$|http 127.94.1.9:[0-9]+: connection refused$"),
    ("secure", "up", "https 127.94.1.1:[0-9]+: HTTP status 200$"),
    ("address", "up", "HTTP status 200$"),
    ("name", "down", "the certificate is for another name$"),
    ("stranger", "down", "unable to get local issuer certificate"),
    # Whole days: five within the second in which it was made, and the reason is that of the first probe.
    ("soon", "up", "HTTP status 200, certificate expires in [45] days$"),
    ("never", "up", "HTTP status 200$"),
    ("past", "down", "certificate has expired$"),
    ("lenient", "up", "HTTP status 200, certificate expired 1 day ago$"),
    # What the server says of it is lost where its end of the connection comes first.
    ("unknown", "down", "https 127.94.1.4:[0-9]+: (the server refuses TLS: certificate required|connection reset)$"),
    ("plaintext", "down", "https 127.94.1.1:[0-9]+: the server does not speak TLS$"),
    ("shown", "up", "HTTP status 200$"),
])
def test_answer_counts_as_it_should(lab, pool, state, reason):
    reaches(lab, pool, state, reason)


def test_request_is_what_the_options_say(lab):
    reaches(lab, "well", "up", "200")
    reaches(lab, "post", "up", "201")
    heard = lab.servers[0].heard
    method, headers, _ = heard["/200/well"]
    assert method == "GET" and headers["Host"].startswith("www.example.net:")
    assert headers["Authorization"] == "Bearer c2VjcmV0" and headers["X-Probe"] == "signpost"
    method, headers, body = heard["/201/post"]
    assert (method, body) == ("POST", b"<init/>") and headers["Host"].startswith(f"{HERE}:")


def test_secrets_are_in_no_log_and_no_evidence(lab):
    told = lab.ctl("probe", "well/well").stdout
    assert "HTTP status 200" in told and "Authorization" not in told
    assert "c2VjcmV0" not in told + lab.log()


def test_server_that_ends_is_down_and_up_when_it_is_back(lab):
    reaches(lab, "well6", "up", "200")
    lab.servers[1].close()
    port = lab.servers[1].server_address[1]
    reaches(lab, "well6", "down", "refused|reset|without an answer")
    assert states(lab)["well"]["status"] == "up"
    lab.servers[1] = Server(HERE6, port)
    reaches(lab, "well6", "up", "200")
