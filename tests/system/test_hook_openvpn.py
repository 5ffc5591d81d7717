"""contrib/hooks/openvpn-drain, against two real servers and a client that looks their name up."""

import subprocess
import uuid

import pytest

import openvpn
from namespaces import namespaces, root_only
from signpost import SLOW, SOURCE, wait_until

pytestmark = root_only

HOOK = SOURCE / "contrib/hooks/openvpn-drain"
PASSWORD = "correct horse"


class Lab:
    def __init__(self, net, folder):
        self.net, self.folder = net, folder
        openvpn.make_keys(folder)
        (folder / "password").write_text(f"{PASSWORD}\n")
        self.hosts = folder / "hosts"
        self.point("10.99.0.2")
        net.address(net.theirs, "10.99.0.3/24")
        self.servers = [
            openvpn.server(net, folder, "first", 1, 1194, "--local", "10.99.0.2", "--management", "first.sock", "unix", "password"),
            openvpn.server(net, folder, "second", 2, 1194, "--local", "10.99.0.3", "--management", "10.99.0.3", "2194"),
        ]
        self.clients = []

    def point(self, address):
        """What clients look up from now on. It is written into the file: they see it under another name."""
        self.hosts.write_text(f"127.0.0.1 localhost\n{address} vpn.example.test\n")

    def client(self):
        made = openvpn.client(self.net, self.folder, f"client-{uuid.uuid4().hex[:8]}", 1194)
        self.clients.append(made)
        return made.ready()

    def hook(self, *arguments, where="first.sock"):
        return [HOOK, arguments[0], where, "--flag", f"{where}.flag", *arguments[1:]]

    def start(self, *options):
        """Goes on in the background until somebody says stop, whoever has no clients meanwhile."""
        hook = self.hook("start", *LOGIN, "--empty", "3000", *options)
        return subprocess.Popen([*self.net.inside(self.net.theirs), *hook], cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self, start):
        assert self.run("stop", *LOGIN).returncode == 0
        assert start.communicate(timeout=10 * SLOW) == ("stopped\n", "")
        assert start.returncode == 0

    def run(self, *arguments, where="first.sock"):
        inside = self.net.inside(self.net.theirs)
        return subprocess.run([*inside, *self.hook(*arguments, where=where)], cwd=self.folder, capture_output=True, text=True, timeout=60)

    def status(self, *options, where="first.sock"):
        done = self.run("status", *options, where=where)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


LOGIN = ("--password", "password")
SECOND = "10.99.0.3:2194"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with namespaces() as net:
        made = Lab(net, tmp_path_factory.mktemp("openvpn"))
        try:
            for server in made.servers:
                server.ready()
            yield made
        finally:
            for process in (*made.clients, *made.servers):
                process.end()


def test_server_without_clients_is_drained_at_once(lab):
    done = lab.run("start", "--age", "0", "--empty", "0", where=SECOND)
    assert (done.returncode, done.stdout, done.stderr) == (0, "empty\n", "")
    assert lab.status(where=SECOND).endswith("not draining")


def test_clients_of_a_drained_server_go_where_dns_sends_them(lab, monkeypatch):
    # The client sees our hosts file in place of the machine's, in a mount namespace of its own.
    inside = lab.net.inside(lab.net.ours)
    shown = [*inside, "unshare", "-m", "sh", "-c", f'mount --bind {lab.hosts} /etc/hosts && exec "$@"', "sh"]
    monkeypatch.setattr(lab.net, "inside", lambda name: shown if name == lab.net.ours else ["ip", "netns", "exec", name])
    user = openvpn.Process(lab.net, lab.net.ours, lab.folder, "user", "--client", "--ca", "ca.crt", "--cert", "client.crt", "--key",
                           "client.key", "--remote", "vpn.example.test", 1194, "--nobind", "--connect-retry", 1, 2)
    lab.clients.append(user)
    user.ready()
    wait_until(lambda: lab.status(*LOGIN) == "1 clients, not draining", 5 * SLOW)
    lab.point("10.99.0.3")
    start = lab.start("--age", "0")
    wait_until(lambda: lab.status(where=SECOND) == "1 clients, not draining", 20 * SLOW)
    assert lab.status(*LOGIN).endswith(" clients, draining")
    lab.stop(start)
    assert "Connection reset command was pushed by server" in user.log()
    assert user.process.poll() is None


def test_sessions_have_their_grace_and_who_comes_back_is_told_again_until_somebody_says_stop(lab):
    user = lab.client()  # knows one address alone
    done = lab.run("start", *LOGIN, "--grace", "60", "--for", "1")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "openvpn-drain: not empty after 1 s\n")
    assert "Connection reset" not in user.log()
    start = lab.start("--age", "0")
    wait_until(lambda: user.log().count("Connection reset command was pushed") >= 2, 30 * SLOW)
    lab.stop(start)


@pytest.mark.parametrize("where, options, says", [
    ("first.sock", (), "the management interface wants a password: --password FILE"),
    ("first.sock", ("--password", "ca.crt"), "the password is wrong"),
    ("none.sock", (), "none.sock: [Errno 2] No such file or directory"),
    ("10.99.0.3:1", (), "10.99.0.3:1: [Errno 111] Connection refused"),
])
def test_what_is_in_the_way_is_told(lab, where, options, says):
    done = lab.run("status", *options, where=where)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"openvpn-drain: {says}\n")
