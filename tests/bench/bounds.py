#!/usr/bin/python3
"""bounds.py - the times that operators wait for, measured on the real daemon on loopback.

  reload of the sample after an edit of its zone           bound 100 ms
  10 MB of random bytes as a zone, a pool, a server file   bound 1 s
  verdict to changed answer, with 1,000 nodes              bound 20 ms
  reload of one edited zone among 10,000                   bound 1 s

SIGNPOST_BUILD names the build folder. Prints medians and the worst of each; nothing passes or
fails here, for the machine may be busy.
"""

import datetime
import ipaddress
import os
import pathlib
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import fastdns  # noqa: E402
import signpost  # noqa: E402

NODES = 1000
SITES = {"tokyo": (35.68, 139.69), "frankfurt": (50.11, 8.68), "newyork": (40.71, -74.01),
         "saopaulo": (-23.55, -46.63)}


def tell(what, times_s):
    ms = [t * 1000 for t in times_s]
    print(f"{what}: median {statistics.median(ms):.1f} ms, worst {max(ms):.1f} ms of {len(ms)}", flush=True)


def timed(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def reloads():
    with signpost.world() as (server, nodes):
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        server.start()
        zone = server.zone_file("example.net.zone")
        times = []
        for number in range(20):
            zone.write_text(zone.read_text() + f"x{number} IN A 192.0.2.{number}\n")
            times.append(timed(lambda: server.ctl("reload")))
        tell("reload of the sample, signpostctl included", times)
        for path in (zone, server.zone_file("edge.pool.yaml"), server.config):
            whole = path.read_bytes()
            path.write_bytes(os.urandom(10 << 20))
            times = [timed(lambda: server.ctl("check", server.config, check=False)) for _ in range(5)]
            path.write_bytes(whole)
            tell(f"10 MB of random bytes as {path.name}, refused", times)


ZONES = 10000
ZONE = ("$TTL 3600\n@ IN SOA ns1 hostmaster {serial} 7200 900 1209600 60\n@ IN NS ns1\n@ IN NS ns2\n"
        "ns1 IN A 192.0.2.1\nns2 IN A 192.0.2.2\n@ MX 10 mail\nmail A 192.0.2.3\nwww A 192.0.2.4\n"
        "www AAAA 2001:db8::{number:x}\n")


def peak_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:"))) / 1024


def many_zones():
    with signpost.world() as (server, _):
        server.write_server_file({"tokyo": (35.68, 139.69)})
        for number in range(ZONES):
            server.zone_file(f"z{number}.test.zone").write_text(ZONE.format(serial=1, number=number))
        tell(f"start with {ZONES} zones, to ready", [timed(server.start)])
        times = []
        for serial in range(2, 12):
            server.zone_file("z77.test.zone").write_text(ZONE.format(serial=serial, number=77))
            times.append(timed(lambda: server.ctl("reload")))
        tell(f"reload of one edited zone among {ZONES}", times)
        image = (server.folder / "state/world/zones.image").stat().st_size / (1 << 20)
        told = ", ".join(f"{name} {peak_mb(server.pid(name)):.0f} MB"
                         for name in ("signpost-control", "signpost-dns"))
        print(f"zones image {image:.0f} MB; peak resident: {told}", flush=True)


def write_many_nodes(server, port):
    """Returns the addresses of NODES nodes at four sites of one pool."""
    addresses = []
    text = (f"pool: big\nprobes:\n  - {{ kind: tcp, port: {port}, interval: 1s, timeout: 1s, fall: 1, rise: 1 }}\n"
            "sites:\n")
    for number, name in enumerate(SITES):
        text += f"  {name}:\n    nodes:\n"
        for n in range(NODES // len(SITES)):
            addresses.append(f"127.{20 + number}.{n // 250}.{n % 250 + 1}")
            text += f"      n{number}-{n}: {{ address: {addresses[-1]} }}\n"
    server.write_server_file(SITES)
    server.zone_file("example.net.zone").write_text(
        "@ 60 IN SOA ns1 h 1 2 3 4 60\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\nvpn 30 IN POOL big\n")
    server.zone_file("big.pool.yaml").write_text(text)
    return addresses


def logged_at(server, address):
    """When the log says that the node went down: the verdict, told just after it was published."""
    line = [line for line in server.log().splitlines() if f" {address}:" in line and "to=down" in line][-1]
    return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()


def verdicts():
    with signpost.world() as (server, nodes):
        nodes.start(*write_many_nodes(server, nodes.port))
        server.start()
        time.sleep(4)
        query = fastdns.query(1, "vpn.example.net", "A", ipaddress.ip_network("133.11.0.0/24"))
        times = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(server.server)

            def ask():
                sock.send(query)
                return fastdns.answer(sock.recv(2048))[2]

            for _ in range(20):
                time.sleep(0.3)
                before = ask()
                nodes.stop(*before)
                while ask() == before:
                    time.sleep(0.0002)
                now = time.time()
                time.sleep(0.05)
                times.append(max(0.0, now - logged_at(server, before[0])))
        tell(f"verdict to changed answer, {NODES} nodes", times)


if __name__ == "__main__":
    reloads()
    verdicts()
    many_zones()
