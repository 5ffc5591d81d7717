"""Nodes die and come back: whose answers change, and whose do not."""

import collections
import contextlib
import ipaddress
import os
import random
import signal
import socket
import sqlite3
import subprocess

import fastdns
import signpost

NAME = "vpn.example.net"


def client_networks(count, seed=4):
    rng = random.Random(seed)
    return [ipaddress.ip_network((int(fastdns.random_public(rng, 4)) >> 8 << 8, 24)) for _ in range(count)]


def answers(server, networks, name=NAME):
    """One address for each network."""
    results = fastdns.ask_many(server.server, [(name, "A", n) for n in networks])
    for rcode, addresses, _ in results:
        assert rcode == 0 and len(addresses) == 1
    return [addresses[0] for _, addresses, _ in results]


def settled(server, networks, expected, timeout=15):
    """Waits until the answers satisfy expected(list), and returns them."""
    sample = networks[:500]
    signpost.wait_until(lambda: expected(answers(server, sample)), timeout * signpost.SLOW, every=0.1)
    return answers(server, networks)


def site_of(address):
    return address.rsplit(".", 1)[0]


def test_death_moves_the_dead_nodes_clients_and_nobody_else(sample):
    networks = client_networks(10000)
    before = answers(sample, networks)
    assert len(set(before)) == 16, "every node has clients"

    sample.nodes.stop("127.10.1.1")
    one_dead = settled(sample, networks, lambda now: "127.10.1.1" not in now)
    for old, new in zip(before, one_dead):
        assert new == ("127.10.1.2" if old == "127.10.1.1" else old)

    sample.nodes.stop("127.10.1.2")
    both_dead = settled(sample, networks, lambda now: "127.10.1.2" not in now)
    moved = [new for old, new in zip(before, both_dead) if site_of(old) == "127.10.1"]
    assert moved and all(site_of(new) != "127.10.1" for new in moved)
    assert all(new == old for old, new in zip(before, both_dead) if site_of(old) != "127.10.1")
    # Japan's next-nearest site is Singapore (5,300 km; Sydney is at 7,800).
    assert sample.addresses(NAME, "A", "133.11.0.0/24")[0].startswith("127.10.2.")

    sample.nodes.start("127.10.1.1", "127.10.1.2")
    after = settled(sample, networks, lambda now: {"127.10.1.1", "127.10.1.2"} <= set(now))
    assert after == before, "its former clients return, and only they move"


def test_transitions_are_in_the_database(sample):
    sample.nodes.stop("127.10.3.1")
    try:
        rows = signpost.wait_until(lambda: [r for r in transitions(sample) if r[:2] == ("edge/syd-1", "down")],
                                   15 * signpost.SLOW)
        assert "refused" in rows[-1][2]
    finally:
        sample.nodes.start("127.10.3.1")
    signpost.wait_until(lambda: [r for r in transitions(sample) if r[0] == "edge/syd-1"][-1][1] == "up",
                        15 * signpost.SLOW)
    settled(sample, client_networks(500), lambda now: "127.10.3.1" in now)


def transitions(server):
    """[(node, to, reason)] in order of time"""
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/state/signpost.db?mode=ro", uri=True)) as db:
        return list(db.execute("SELECT node, to_status, reason FROM transitions ORDER BY id"))


def test_when_nothing_is_up_everything_is_answered(sample):
    networks = client_networks(1000, seed=5)
    before = answers(sample, networks)
    everyone = signpost.sample_addresses()
    sample.nodes.stop(*everyone)
    try:
        signpost.wait_until(lambda: all_down(sample), 20 * signpost.SLOW)
        signpost.wait_until(lambda: answers(sample, networks) == before, 5 * signpost.SLOW)
    finally:
        sample.nodes.start(*everyone)
    signpost.wait_until(lambda: not any_down(sample), 20 * signpost.SLOW)


def statuses(server):
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/state/signpost.db?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT node, status FROM node_status"))


def all_down(server):
    now = statuses(server)
    return len(now) == 16 and set(now.values()) == {"down"}


def all_up(server):
    now = statuses(server)
    return len(now) == 16 and set(now.values()) == {"up"}


def any_down(server):
    return "down" in statuses(server).values()


def test_five_nodes_at_one_site(fresh):
    """The loss of one spreads its clients over the four others and leaves theirs alone."""
    server, nodes = fresh
    addresses = [f"127.20.1.{n}" for n in range(1, 6)]
    server.write_server_file({"frankfurt": (50.11, 8.68)})
    server.zone_file("example.net.zone").write_text(
        "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nvpn POOL five\n")
    server.zone_file("five.pool.yaml").write_text(
        "pool: five\nprobes:\n"
        f"  - {{ kind: tcp, port: {nodes.port}, interval: 1s, timeout: 1s, fall: 2, rise: 2 }}\n"
        "sites:\n  frankfurt:\n    nodes:\n"
        + "".join(f"      n{i}: {{ address: {a} }}\n" for i, a in enumerate(addresses, 1)))
    nodes.start(*addresses)
    server.start()
    networks = client_networks(10000, seed=6)
    before = answers(server, networks)
    shares = collections.Counter(before)
    assert min(shares.values()) > 1700 and max(shares.values()) < 2300, shares

    nodes.stop(addresses[2])
    after = settled(server, networks, lambda now: addresses[2] not in now)
    assert all(new == old for old, new in zip(before, after) if old != addresses[2])
    heirs = collections.Counter(new for old, new in zip(before, after) if old == addresses[2])
    assert set(heirs) == set(addresses) - {addresses[2]}
    assert max(heirs.values()) < 1.5 * min(heirs.values()), heirs

    nodes.start(addresses[2])
    assert settled(server, networks, lambda now: addresses[2] in now) == before


def test_demonstration_nodes_are_killed_and_started(fresh):
    """The program that `bootstrap run` starts, as a process that is killed."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    demo = signpost.SOURCE / "contrib/demo-node"

    def start(name, address):
        return subprocess.Popen([demo, name, address, str(nodes.port)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL)

    processes = {a: start(f"node-{a}", a) for a in signpost.sample_addresses()}
    try:
        for address in processes:  # they listen some time after they began
            signpost.wait_until(lambda: socket.socket().connect_ex((address, nodes.port)) == 0, 10 * signpost.SLOW)
        server.start()
        # Whose answer it is while all are up: on a busy machine a first check may fail.
        signpost.wait_until(lambda: all_up(server), 15 * signpost.SLOW)
        settled(server, client_networks(500), lambda now: len(set(now)) == 16)
        (mine,) = server.addresses(NAME, "A", "133.11.0.0/24")
        other = {"127.10.1.1": "127.10.1.2", "127.10.1.2": "127.10.1.1"}[mine]
        os.kill(processes[mine].pid, signal.SIGKILL)
        processes[mine].wait()
        signpost.wait_until(lambda: server.addresses(NAME, "A", "133.11.0.0/24") == [other], 10 * signpost.SLOW)
        processes[mine] = start("again", mine)
        signpost.wait_until(lambda: server.addresses(NAME, "A", "133.11.0.0/24") == [mine], 10 * signpost.SLOW)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
