"""Probes of kind agent beside a real HAProxy, which asks the same agent: both make the same of each line."""

import collections
import csv
import io
import json
import re
import select
import shutil
import socket
import subprocess
import threading

import pytest

from signpost import SLOW, free_port, wait_until, world

INTERVAL = "100ms" if SLOW == 1 else "200ms"


def has_gone(connection):
    """Whoever asked has not waited for the answer."""
    return select.select([connection], [], [], 0)[0] and connection.recv(1) == b""


class Agent:
    """Answers each connection with self.line, and counts who asked since it was set, and for which server or node."""

    def __init__(self):
        self.line, self.asked = b"up\n", collections.Counter()
        self.port = None
        self.start()

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port or 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()

    def _serve(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    who = connection.recv(64).strip().decode()
                    line = self.line
                    if has_gone(connection):
                        continue
                    connection.sendall(line)
                except OSError:
                    continue
            if line == self.line:
                self.asked[who] += 1

    def say(self, line):
        """Until all have heard it twice: the first may have been under way."""
        self.line = line
        self.asked = collections.Counter()
        wait_until(lambda: all(self.asked[who] >= 2 for who in ("haproxy/s1", "signpost/s1", "signpost/s2")), 20 * SLOW)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Haproxy:
    def __init__(self, folder, agent):
        self.socket = folder / "haproxy.sock"
        port = free_port()
        (folder / "haproxy.cfg").write_text(
            f"global\n  stats socket {self.socket} level admin\n"
            "defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"
            f"listen be\n  bind 127.0.0.1:{port}\n"
            f"  server s1 127.0.0.1:{agent.port} weight 100 agent-check agent-addr 127.0.0.1 agent-port {agent.port} "
            'agent-inter 100ms agent-send "haproxy/s1\\n"\n')
        self.process = subprocess.Popen([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", folder / "haproxy.cfg"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.socket.exists, 10 * SLOW)

    def state(self):
        """(is it up, "drain", "maint" or "", weight)"""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"show stat\n")
            text = connection.makefile().read()
        row = next(row for row in csv.DictReader(io.StringIO(text.lstrip("# "))) if row["svname"] == "s1")
        status = row["status"]
        wish = "drain" if status.startswith("DRAIN") else "maint" if status.startswith("MAINT") else ""
        return not status.startswith("DOWN"), wish, int(row["weight"])

    def close(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def running():
    with world() as (signpost, _):
        agent = Agent()
        signpost.write_server_file({"here": (1, 2)})
        signpost.zone_file("example.org.zone").write_text(
            "$TTL 60\n@ IN SOA ns host 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\nvpn 1 IN POOL edge\n")
        signpost.zone_file("edge.pool.yaml").write_text(
            f"pool: edge\nramp: {{ time: 0s }}\nprobes:\n  - {{ kind: agent, port: {agent.port}, interval: {INTERVAL}, jitter: 0%, "
            'send: "signpost/{node}\\n", max-age: 1h }\n'
            "sites:\n  here:\n    nodes:\n      s1: { address: 203.0.113.1, probe-address: 127.0.0.1, weight: 100 }\n"
            "      s2: { address: 203.0.113.2, probe-address: 127.0.0.1, weight: 100 }\n")
        haproxy = Haproxy(signpost.folder, agent)
        signpost.start()
        try:
            yield signpost, haproxy, agent
        finally:
            haproxy.close()
            agent.stop()


def ours(signpost):
    node = json.loads(signpost.ctl("status", "edge", "--json").stdout)["pools"][0]["sites"][0]["nodes"][0]
    wish = {"draining": "drain", "disabled": "maint"}.get(node["state"], "")
    return node["status"] == "up", wish, round(node["weight"] * node["level"] / 65535) if "level" in node else node["weight"]


def same(mine, theirs):
    """In maintenance HAProxy shows the weight from before; the new one counts after "ready", as ours does."""
    return mine == theirs or (mine[:2] == theirs[:2] and mine[1] == "maint")


LINES = [  # in this order: what is not said stays
    b"up 100%\n", b"50%\n", b"75%", b"drain 30%\n", b"up\n", b"ready\n", b"maint\n", b"up 100%\n", b"ready\n",
    b"down #overloaded\n", b"80%\n", b"up\n", b"fail\n", b"up\n", b"stopped\n", b"up,70%,ready\n", b"failed #x\n",
    b"up 60% maxconn:30\r\n", b" \t UP 90%\n", b"up 12.5%\n", b"garbage words\n", b"\n", b"up\ndown\n", b"up down\n",
    b"down up 10% 20%\n", b"drain ready\n", b"ready drain\n", b"ready -5%\n", b"up % 100%\n", b"down#x\n",
    b"256%\n", b"1000%\n", b"up 300% 100%\n",  # of weight 100: HAProxy's largest is 256
]


def test_each_line_means_the_same_to_both(running):
    signpost, haproxy, agent = running
    differing = []
    for line in LINES:
        agent.say(line)
        try:
            wait_until(lambda: same(ours(signpost), haproxy.state()), 10 * SLOW)
        except AssertionError:
            differing.append((line, "ours", ours(signpost), "haproxy", haproxy.state()))
    assert differing == []


def test_weights_that_agents_say_are_shown_and_no_news(running):
    """They may say another one each time, and there may be thousands of them."""
    signpost, _, agent = running

    def both_say(percent, degraded):
        nodes = json.loads(signpost.ctl("status", "edge", "--json").stdout)["pools"][0]["sites"][0]["nodes"]
        return all((node["status"], node["degraded"], node["wish_percent"]) == ("up", degraded, percent) for node in nodes)

    for percent in (19, 18, 17):
        agent.say(b"up %d%% ready\n" % percent)
        wait_until(lambda: both_say(percent, False), 10 * SLOW)
    assert "node s1: its agent asks for 17 % of its weight" in signpost.ctl("status").stdout
    agent.say(b"17% nonsense\n")
    wait_until(lambda: signpost.log().count("degraded=yes weight_percent=17") == 2, 10 * SLOW)
    assert "weight_percent=18" not in signpost.log() and "degraded=no weight_percent=17" not in signpost.log()
    agent.say(b"up 100%\n")


def test_agent_that_is_away_changes_nothing_for_either(running):
    signpost, haproxy, agent = running
    agent.say(b"up 40% drain\n")
    wait_until(lambda: ours(signpost) == haproxy.state() == (True, "drain", 40), 10 * SLOW)
    agent.stop()
    for _ in range(3):  # beside the regular checks, which fail as well
        shown = signpost.ctl("probe", "s1", check=False).stdout
        assert re.search(r"it does not count: .*refused\n +it says nothing about the node\n", shown), shown
    assert ours(signpost) == haproxy.state() == (True, "drain", 40)
    agent.start()
    agent.say(b'down #"no" reason\n')
    wait_until(lambda: not ours(signpost)[0] and not haproxy.state()[0], 10 * SLOW)
    wait_until(lambda: 'says down: \\"no\\" reason' in signpost.log(), 10 * SLOW)
    agent.say(b"up 100% ready\n")
    wait_until(lambda: ours(signpost) == haproxy.state() == (True, "", 100), 10 * SLOW)
