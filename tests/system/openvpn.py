"""Real OpenVPN servers and clients in the namespaces of namespaces.py, with certificates of their own."""

import pathlib
import signal
import subprocess

from signpost import SLOW, wait_until

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def run(folder, *command):
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)


def make_keys(folder):
    """ca, server, client (certificates); ta.key, other.key (static); v2s.key, v2c.key and v2other.key (tls-crypt-v2)."""
    run(folder, "openssl", "req", "-x509", *EC, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")
    for name in ("server", "client"):
        run(folder, "openssl", "req", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        run(folder, "openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-out", f"{name}.crt")
    for name in ("ta.key", "other.key"):
        run(folder, "openvpn", "--genkey", "secret", name)
    for server, client in (("v2s.key", "v2c.key"), ("v2foreign.key", "v2other.key")):
        run(folder, "openvpn", "--genkey", "tls-crypt-v2-server", server)
        run(folder, "openvpn", "--tls-crypt-v2", server, "--genkey", "tls-crypt-v2-client", client)


class Process:
    """An openvpn that is ended by its process id; its log is what it wrote."""

    def __init__(self, net, namespace, folder, name, *options):
        self.log_path = pathlib.Path(folder) / f"{name}.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*net.inside(namespace), "openvpn", "--dev", "tun", "--dev-type", "tun", "--verb", "3", *(str(o) for o in options)],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def ready(self):
        def so():
            assert self.process.poll() is None, self.log()
            return "Initialization Sequence Completed" in self.log()
        so.__doc__ = "openvpn ready"
        wait_until(so, 10 * SLOW)
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(10)


def server(net, folder, name, number, port, *options):
    """Clients get addresses of 10.96.NUMBER.0/24; `status` is written every second as NAME.status."""
    return Process(net, net.theirs, folder, name, "--ca", "ca.crt", "--cert", "server.crt", "--key", "server.key", "--dh", "none",
                   "--topology", "subnet", "--keepalive", "10", "60", "--server", f"10.96.{number}.0", "255.255.255.0",
                   "--port", port, "--status", f"{name}.status", "1", *options)


def client(net, folder, name, port, *options):
    return Process(net, net.ours, folder, name, "--client", "--ca", "ca.crt", "--cert", "client.crt", "--key", "client.key",
                   "--remote", "10.99.0.2", port, "--nobind", *options)
