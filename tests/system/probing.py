"""Pools of one node each, for tests of a kind of probe: what is probed, and what came of it."""

import json
import re

from signpost import SLOW, wait_until

ZONE = "$TTL 60\n@ 3600 IN SOA ns1 hostmaster 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n"
PATIENCE_MS = 500 if SLOW == 1 else 1000
TIMES = f"interval: {PATIENCE_MS}ms, timeout: {PATIENCE_MS}ms, fall: 1, rise: 1"
# Of probes that have one try: those that a test makes once, and of nodes that it expects to be up all the while.
PATIENT = "interval: 3s, timeout: 3s, fall: 1, rise: 1"


def write_pools(signpost, pools):
    """pools: {name: (address, the probe's options[, its times])}."""
    signpost.write_server_file({"tokyo": (35.68, 139.69)})
    signpost.zone_file("example.net.zone").write_text(ZONE + "".join(f"{name} POOL {name}\n" for name in pools))
    for name, (address, options, *times) in pools.items():
        signpost.zone_file(f"{name}.pool.yaml").write_text(
            f"pool: {name}\nflap: off\nsites: {{ tokyo: {{ nodes: {{ {name}: {{ address: \"{address}\" }} }} }} }}\n"
            f"probes:\n  - {{ {options}, {times[0] if times else TIMES} }}\n")


def states(signpost):
    """{pool: (its node's state, the reason)}."""
    found = {}
    for pool in json.loads(signpost.ctl("--json", "status").stdout)["pools"]:
        node = pool["sites"][0]["nodes"][0]
        found[pool["name"]] = node
    return found


def reaches(signpost, pool, state, reason):
    """Waits until the pool's node has this state for this reason (a pattern), and returns it."""
    def so():
        node = states(signpost)[pool]
        return node["status"] == state and re.search(reason, node["reason"] or "") and node
    so.__doc__ = f"{pool} {state}: {reason}"
    try:
        return wait_until(so, 10 * SLOW)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{states(signpost)[pool]}") from None
