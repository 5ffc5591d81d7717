"""Probes of kind exec with real plugins (monitoring-plugins), and of kinds file and push: what others say."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from probing import PATIENT
from signpost import SLOW, wait_until, world

PLUGINS = "/usr/lib/nagios/plugins"
PROBING = "interval: 1s, timeout: 990ms, jitter: 0%"  # a plugin is a process, for which a busy machine takes its time

# A node has the name of the processes that are its sessions; nobody else's test runs such.
SESSIONS = f"session{os.getpid()}"
FOLLOWS = f"""load:
  low-mark: 50%
  high-mark: 100%
  min-weight: 10%
  smoothing: 0s
  step: 100%
  dwell: 0s
  sources:
    - {{ kind: exec, signal: sessions, command: [{PLUGINS}/check_procs, -c, "0:2", -C, "{{node}}"], load: procs, capacity: 4, {PROBING} }}
    - {{ kind: exec, signal: machine, command: [{PLUGINS}/check_load, -w, "1,1,1", -c, "2,2,2"], load: load5, capacity: 100000, {PROBING} }}
"""


def pool(name, probe, nodes, extra=""):
    lines = "".join(f"      {node}: {{ address: {address} }}\n" for node, address in nodes.items())
    return f"pool: {name}\n{extra}probes:\n  - {{ {probe} }}\nsites:\n  here:\n    nodes:\n{lines}"


class Banner:
    """A server that greets as OpenSSH does."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
                connection.recv(256)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture(scope="module")
def running():
    with world() as (signpost, nodes):
        banner = Banner()
        signpost.write_server_file({"here": (1, 2)})
        zone = "$TTL 60\n@ IN SOA ns host 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
        names = ("dummy", "strict", "tcp", "ssh", "hang", "file", "push", "load")
        signpost.zone_file("example.org.zone").write_text(
            zone + "".join(f"{name} 1 IN POOL {name}\n" for name in names))
        dummy = f"kind: exec, command: [{PLUGINS}/check_dummy, '{{node}}', 'told {{pool}}'], {PATIENT}"
        each = {str(status): f"127.61.0.{status + 1}" for status in range(4)}
        for name, text in {
                "dummy": pool("dummy", dummy, each),
                "strict": pool("strict", f"{dummy}, unknown: failure", each),
                "tcp": pool("tcp", f"kind: exec, port: {nodes.port}, command: [{PLUGINS}/check_tcp, -H, '{{address}}', -p, "
                            f"'{{port}}'], {PROBING}, fall: 2, rise: 2", {"a": "127.61.1.1", "b": "127.61.1.2"}),
                "ssh": pool("ssh", f"kind: exec, command: [{PLUGINS}/check_ssh, -p, '{banner.port}', 127.0.0.1], {PROBING}, "
                            "fall: 1, rise: 1", {"s": "127.61.2.1"}),
                "hang": pool("hang", f"kind: exec, command: [hang], {PROBING}, fall: 1, rise: 1", {"h": "127.61.3.1"}),
                "file": pool("file", f"kind: file, path: '../said/{{node}}', {PROBING}, max-age: 1h",
                             {"f": "127.61.4.1", "g": "127.61.4.2"}),
                "load": pool("load", f"kind: tcp, port: {nodes.port}, {PROBING}", {SESSIONS: "127.61.6.1", "other": "127.61.6.2"},
                             extra=FOLLOWS),
                "push": pool("push", "kind: push, interval: 1m, max-age: 1h", {"p": "127.61.5.1", "q": "127.61.5.2"}),
        }.items():
            signpost.zone_file(f"{name}.pool.yaml").write_text(text)
        hang = signpost.zone_file("hang")
        hang.write_text("#!/bin/sh\ntrap '' TERM\nsleep 1000\n")
        hang.chmod(0o755)
        (signpost.folder / "said").mkdir()
        nodes.start("127.61.1.1", "127.61.1.2", "127.61.6.1", "127.61.6.2")
        signpost.start()
        yield signpost, nodes, banner
        banner.close()


def node(signpost, name):
    pool_name = name.partition("/")[0]
    told = json.loads(signpost.ctl("status", pool_name, "--json").stdout)
    return {f"{pool_name}/{found['name']}": found for site in told["pools"][0]["sites"] for found in site["nodes"]}[name]


def wait_status(signpost, name, status, reason=""):
    seen = []

    def reached():
        found = node(signpost, name)
        seen[:] = [found["status"], found["reason"]]
        return found["status"] == status and reason in found["reason"] and found
    try:
        return wait_until(reached, 15 * SLOW, every=0.1)
    except AssertionError:
        raise AssertionError(f"{name} is not {status} for {reason!r} but {seen}") from None


def test_exit_status_of_a_plugin_is_the_verdict(running):
    signpost, _, _ = running
    wait_status(signpost, "dummy/0", "up", "OK: told dummy")
    wait_status(signpost, "dummy/1", "up", "WARNING: told dummy")
    wait_status(signpost, "dummy/2", "down", "CRITICAL: told dummy")
    assert node(signpost, "dummy/3")["status"] == "unknown"
    assert "degraded" not in signpost.ctl("probe", "dummy/0").stdout
    assert "dummy/1 is up, but degraded" in signpost.ctl("probe", "dummy/1").stdout
    wait_status(signpost, "strict/3", "down", "UNKNOWN: told strict")
    wait_until(lambda: signpost.addresses("strict.example.org") in (["127.61.0.1"], ["127.61.0.2"]), 5 * SLOW)


def test_plugin_that_connects_follows_its_server(running):
    signpost, nodes, banner = running
    wait_status(signpost, "tcp/a", "up", "TCP OK")
    wait_status(signpost, "tcp/b", "up", "TCP OK")
    nodes.stop("127.61.1.1")
    wait_status(signpost, "tcp/a", "down", "refused")
    wait_until(lambda: signpost.addresses("tcp.example.org") == ["127.61.1.2"], 5 * SLOW)
    nodes.start("127.61.1.1")
    wait_status(signpost, "tcp/a", "up", "TCP OK")
    wait_status(signpost, "ssh/s", "up", "SSH OK")


def test_command_that_hangs_is_killed_and_a_failure(running):
    signpost, _, _ = running
    wait_status(signpost, "hang/h", "down", "timeout")
    runner = children(signpost.pid("signpost-control"))[0]
    assert wait_until(lambda: len([pid for pid in children(runner) if "hang" in command(pid)]) <= 1, 5 * SLOW)


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_runner_that_is_killed_takes_its_commands_along_and_comes_back(running):
    signpost, nodes, _ = running
    control = signpost.pid("signpost-control")

    def runner():
        found = [pid for pid in children(control) if "signpost-run" in command(pid)]
        return found and found[0]
    first = runner()
    sleeper = wait_until(lambda: [pid for pid in children(first) if "hang" in command(pid)], 5 * SLOW)[0]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: "hang" not in command(sleeper), 5 * SLOW)
    wait_until(lambda: runner() not in (first, []), 10 * SLOW)
    assert "signpost-run ended, it is started again" in signpost.log()
    assert node(signpost, "tcp/a")["status"] == "up"  # what was lost counts as not made
    nodes.stop("127.61.1.2")
    wait_status(signpost, "tcp/b", "down", "refused")
    nodes.start("127.61.1.2")
    # It ends with control, and so does what it runs.
    last = runner()
    signpost.kill("signpost-control")
    wait_until(lambda: command(last) == "", 10 * SLOW)
    signpost.wait_new("signpost-control", control)


@contextlib.contextmanager
def sessions(folder, count):
    """So many processes of that name."""
    program = folder / SESSIONS
    if not program.exists():
        shutil.copy("/bin/sleep", program)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen([program, "1000"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def test_weight_follows_what_plugins_measure(running):
    """The signal is how many processes there are, in the plugin's performance data; that it calls 3 critical is nothing here."""
    signpost, _, _ = running

    def follows(name, sessions_use, effective):
        found = node(signpost, name)
        told = {signal["name"]: signal["use"] for signal in found["follows"]["signals"]}
        return (told.get("sessions"), "machine" in told, found["status"]) == (sessions_use, True, "up") and \
            abs(found["factors"]["effective"] - effective) < 0.1

    wait_until(lambda: follows(f"load/{SESSIONS}", 0, 100) and follows("load/other", 0, 100), 15 * SLOW)
    with sessions(signpost.folder, 3):  # of 4: half of the way from 50 to 100, half of that from 100 to 10
        wait_until(lambda: follows(f"load/{SESSIONS}", 0.75, 55), 15 * SLOW)
        assert follows("load/other", 0, 100)
        assert f"node {SESSIONS}: 55 % of its weight: sessions 75 %, between the marks; machine " in signpost.ctl("status").stdout
    with sessions(signpost.folder, 5):
        wait_until(lambda: follows(f"load/{SESSIONS}", 1.25, 10), 15 * SLOW)
    wait_until(lambda: follows(f"load/{SESSIONS}", 0, 100), 15 * SLOW)


def write(signpost, name, text, age=0):
    path = signpost.folder / "said" / name
    new = path.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (time.time() - age,) * 2)
    new.rename(path)


def test_file_says_how_its_node_is(running):
    signpost, _, _ = running
    wait_status(signpost, "file/f", "down", "no such file")
    write(signpost, "f", "up\n")
    write(signpost, "g", "up 50%\n")
    wait_status(signpost, "file/f", "up")
    wait_status(signpost, "file/g", "up")
    write(signpost, "f", "down # disk full\n")
    wait_status(signpost, "file/f", "down", "says down: disk full")
    wait_until(lambda: signpost.addresses("file.example.org") == ["127.61.4.2"], 5 * SLOW)
    write(signpost, "f", "drain\n")
    wait_status(signpost, "file/f", "up")
    wait_until(lambda: signpost.addresses("file.example.org") == ["127.61.4.2"], 10 * SLOW)
    write(signpost, "f", "up\n", age=7200)
    wait_status(signpost, "file/f", "down", "not written for 7")


def test_report_counts_at_once_and_for_its_time(running):
    signpost, _, _ = running
    signpost.ctl("report", "push/p", "up", "--reason", "began")
    signpost.ctl("report", "push/q", "up")
    wait_status(signpost, "push/p", "up", "began")  # its interval is a minute
    wait_status(signpost, "push/q", "up", "reported up")
    signpost.ctl("report", "push/p", "down", "--reason", "disk full")
    wait_status(signpost, "push/p", "down", "push: disk full")
    wait_until(lambda: signpost.addresses("push.example.org") == ["127.61.5.2"], 5 * SLOW)
    signpost.ctl("report", "push/p", "degraded", "--for", "1h")
    wait_status(signpost, "push/p", "up", "reported degraded")
    assert "push/p is up, but degraded" in signpost.ctl("probe", "push/p").stdout
    refused = signpost.ctl("report", "tcp/a", "up", check=False)
    assert refused.returncode == 1 and "no probe of kind push" in refused.stderr
    for wrong in (("push/p", "sideways"), ("push/p", "up", "--for", "soon"), ("push/p", "0.5", "--reason", "x")):
        assert signpost.ctl("report", *wrong, check=False).returncode == 2
