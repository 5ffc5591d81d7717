"""The wall clock is set wrongly, and set right again: probing, answers and what operators ordered go on."""

import json
import os
import struct
import subprocess

import pytest

import signpost

NAME = "vpn.example.net"
JAPAN, GERMANY, BRITAIN = "133.11.0.0/24", "134.109.0.0/24", "129.67.0.0/24"
DAY = 86400


@pytest.fixture
def running(fresh, monkeypatch):
    """The sample, with a clock that the test steps: running.step(seconds)."""
    server, nodes = fresh
    library, steps = server.folder / "clock_step.so", server.folder / "clock"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, signpost.SOURCE / "tests/system/clock_step.c"], check=True)
    steps.write_bytes(bytes(4096))
    for path in (library, steps):
        path.chmod(0o755)
    monkeypatch.setenv("CLOCK_STEP", str(steps))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")

    def step(seconds):
        with open(steps, "r+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))

    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    server.nodes, server.step = nodes, step
    server.start()
    monkeypatch.delenv("LD_PRELOAD")
    return server


def nodes_of(server):
    told = json.loads(server.ctl("status", "--json").stdout)
    return {node["name"]: node for pool in told["pools"] for site in pool["sites"] for node in site["nodes"]}


def drill_ends_of(server):
    """Their reasons in the audit, to which they are written behind the log."""
    told = json.loads(server.ctl("audit", "sydney", "--json").stdout)
    return [entry["reason"] for entry in told if entry["action"] == "drill-stop"]


def stepped(server, seconds):
    """Steps the clock and waits until that was noticed."""
    noticed = server.log().count("the clock was stepped")
    server.step(seconds)
    signpost.wait_until(lambda: server.log().count("the clock was stepped") > noticed, 5 * signpost.SLOW)


def fails_over(server):
    """And the node is seen when it is back; its weight grows for a minute then."""
    before = server.addresses(NAME, "A", JAPAN)
    server.nodes.stop(*before)
    signpost.wait_until(lambda: server.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
    server.nodes.start(*before)
    signpost.wait_until(lambda: all(node["status"] != "down" for name, node in nodes_of(server).items()
                                    if not name.startswith("syd-")), 10 * signpost.SLOW)


def test_steps_of_a_day_change_nothing_but_the_times_that_are_told(running):
    running.ctl("drain", "frankfurt", "--reason", "for as long as it takes")
    running.ctl("report", "edge/tyo-1", "0.83")
    # Frankfurt's clients are London's, a moment after the drain is stored.
    signpost.wait_until(lambda: running.addresses(NAME, "A", GERMANY) == running.addresses(NAME, "A", BRITAIN), 5 * signpost.SLOW)
    answers = {place: running.addresses(NAME, "A", place) for place in (JAPAN, GERMANY, BRITAIN)}
    for seconds in (DAY, 0, -DAY):
        stepped(running, seconds)
        assert {place: running.addresses(NAME, "A", place) for place in answers} == answers
        nodes = nodes_of(running)
        assert nodes["tyo-1"]["load"] == 0.83, "it was told a moment ago"
        assert nodes["fra-1"]["state"] == "draining"
        if seconds == DAY:
            running.ctl("drain", "saopaulo", "--reason", "tomorrow")
    assert "by_s=-86400.0" in running.log()
    assert "tomorrow" in running.ctl("audit").stdout, "what a clock that was ahead left behind"
    fails_over(running)
    assert json.loads(running.ctl("status", "--json").stdout)["store"]["lost"] == 0


def test_drill_ends_in_time_though_the_clock_was_set_back(running):
    running.ctl("drill", "start", "--down", "sydney", "--for", "10s", "--unknown-capacity", "--force")
    stepped(running, -DAY)
    signpost.wait_until(lambda: "drill ends" in running.log(), 15 * signpost.SLOW)
    assert signpost.wait_until(lambda: drill_ends_of(running), 5 * signpost.SLOW) == [
        "its time is over; the clock was set back meanwhile"]


def test_order_up_to_a_time_holds_again_when_the_clock_is_set_right(running):
    """The clock says that its time is over, which is not so."""
    running.ctl("drain", "frankfurt", "--until", "+1h")
    assert nodes_of(running)["fra-1"]["state"] == "draining"
    stepped(running, DAY)
    signpost.wait_until(lambda: nodes_of(running)["fra-1"]["state"] == "enabled", 5 * signpost.SLOW)
    stepped(running, 0)
    signpost.wait_until(lambda: nodes_of(running)["fra-1"]["state"] == "draining", 5 * signpost.SLOW)
