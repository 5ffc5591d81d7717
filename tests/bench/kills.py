#!/usr/bin/python3
"""kills.py [KILLS] [PER_SECOND] - how many queries are lost when the data plane is killed.

Serves the sample on loopback, asks steadily, kills signpost-dns again and again with SIGKILL, and
prints for each kill how long it took until the new one was there, and how many queries were never
answered. SIGNPOST_BUILD names the build folder.
"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import signpost  # noqa: E402
from test_processes import Load  # noqa: E402


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    per_second = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    with signpost.world() as (server, nodes):
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        server.start()
        time.sleep(2)
        lost, sent = [], 0
        for number in range(1, kills + 1):
            with Load(server.server, per_second) as load:
                time.sleep(0.5)
                old = server.kill("signpost-dns")
                start = time.monotonic()
                server.wait_new("signpost-dns", old)
                back_ms = (time.monotonic() - start) * 1000
                time.sleep(0.5)
            lost.append(load.lost)
            sent += sum(load.sent)
            print(f"kill {number}: new process after {back_ms:.0f} ms, {load.lost} of {sum(load.sent)} "
                  f"queries lost, {load.servfail} answered SERVFAIL", flush=True)
            time.sleep(5)  # an end more than twice in ten seconds would be taken for a crash loop
        print(f"{kills} kills, {sent} queries: {sum(lost)} lost, at most {max(lost)} by one kill")


main()
