"""Random pool files, random clients: what is answered is what a plain model of the pool file allows
(steeringmodel.py), and what a scope promises holds.

  - the first address is of a node that the model expects there; none is one that the fences forbid,
    that is down or that these clients avoid, while there is another;
  - no answer is empty while a healthy, allowed node exists that has the asked family, but where
    strict-pair wants it so; no address is of a family whose path is down;
  - a backup pool stands in for clients for whom it, or its own backup, has such a node, and for no
    others: these get what their own pool falls back to;
  - every address in an answered scope has the same answer (where chance decides: the same nodes to
    draw from, by the model);
  - the scope has the persistence prefix where the hash decided among several, and only there.

SIGNPOST_NETWORKS (default 8,000) client networks are asked, with three addresses inside the scope
of each; SIGNPOST_SEED makes other worlds.
"""

import ipaddress
import json
import os
import random

import pytest

import fastdns
import geomodel
import steeringmodel
from signpost import SLOW, SOURCE, wait_until, world

NETWORKS = int(os.environ.get("SIGNPOST_NETWORKS", 8_000 // SLOW))
SEED = int(os.environ.get("SIGNPOST_SEED", 1))
WORLDS = 4 if "SIGNPOST_NETWORKS" not in os.environ else max(4, NETWORKS // 50_000)
POOLS = 3
PERSISTENCE = {4: 24, 6: 56}


def random_sites(rng):
    return {f"s{n}": (round(rng.uniform(-50, 65), 2), round(rng.uniform(-175, 175), 2)) for n in range(10)}


class World:
    """A server on random files, and the model of them."""

    def __init__(self, server, nodes, seed):
        rng = self.rng = random.Random(seed)
        self.server, self.nodes = server, nodes
        sites = random_sites(rng)
        networks = steeringmodel.random_networks(rng, 30)
        own = steeringmodel.random_networks(rng, 3)
        self.interesting = networks + own
        self.pools = [steeringmodel.random_pool(rng, f"p{n}", sites, networks, n) for n in range(POOLS)]
        for pool, backup in zip(self.pools, self.pools[1:]):
            pool["backup"] = backup["name"] if rng.random() < 0.7 else None
        self.doomed = None  # a pool of which no node is up
        if seed % 4 == 3:
            self.doomed = self.pools[0]
            self.doomed["backup"] = self.pools[1]["name"]
            for site in self.doomed["sites"].values():
                for node in site["nodes"].values():
                    node["path6"] = node["path6"] and steeringmodel.DEAD_V6
        self.model = steeringmodel.Model(
            geomodel.Model([str(SOURCE / "geoip/country.mmdb")], str(SOURCE / "geoip/countries.tsv"), sites), sites, own,
            {pool["name"]: pool for pool in self.pools})
        self.addresses = {node: n["address"] for pool in self.pools for site in pool["sites"].values()
                          for node, n in ((f"{pool['name']}/{node}", n) for node, n in site["nodes"].items())}
        self.live = {}
        server.write_server_file(sites, extra="preference-depth: 16\nown-networks: ["
                                 + ", ".join(f'"{network}"' for network in own) + "]\n")
        server.zone_file("example.net.zone").write_text(
            "@ 60 IN SOA ns1 h 1 2 3 4 60\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\n"
            + "".join(f"vpn{n} 30 IN POOL p{n}\n" for n in range(POOLS)))
        for pool in self.pools:
            server.zone_file(f"{pool['name']}.pool.yaml").write_text(steeringmodel.pool_text(pool, nodes.port))

    def start(self):
        """The IPv4 paths of some nodes are down; in one world of four all paths of all nodes of a pool."""
        for pool in self.pools:
            nodes = {node: n for site in pool["sites"].values() for node, n in site["nodes"].items()}
            part = self.rng.choice((0, 0.2, 0.5, 1 if self.rng.random() < 0.3 else 0.8))
            part = 1 if pool is self.doomed else part
            live = self.live[pool["name"]] = {}
            for node, n in nodes.items():
                live[node] = set() if self.rng.random() < part else {"A"}
                if n["path6"] == steeringmodel.LIVE_V6:
                    live[node].add("AAAA")
            self.nodes.start(*(n["address"] for node, n in nodes.items() if "A" in live[node]))
        self.nodes.start(steeringmodel.LIVE_V6)
        self.server.start()
        wait_until(self.is_known, 20 * SLOW)
        self.server.ctl("reload")  # which has ended when all of this is answered from

    def is_known(self):
        """All nodes' status is what it is to be, and of each family."""
        status = json.loads(self.server.ctl("status", "--json").stdout)
        for pool in status["pools"]:
            for site in pool["sites"]:
                for node in site["nodes"]:
                    live = self.live[pool["name"]][node["name"]]
                    has = {"A"} | ({"AAAA"} if len(node["addresses"]) > 1 else set())
                    down = {"IPv4": "A", "IPv6": "AAAA"}
                    if node["status"] != ("up" if live else "down") or \
                            {down[family] for family in node["down_families"]} != (has - live if live else set()):
                        return False
        return True

    def networks(self, count):
        """Anywhere, and every other one in or beside a network that the files name."""
        for at in range(count):
            if at % 2:
                near = self.rng.choice(self.interesting)
                start = int(near.network_address) + self.rng.getrandbits(128) % near.num_addresses
                start ^= 1 << (near.max_prefixlen - near.prefixlen) if self.rng.random() < 0.2 and near.prefixlen else 0
                address = (ipaddress.IPv4Address if near.version == 4 else ipaddress.IPv6Address)(start)
            else:
                address = fastdns.random_public(self.rng, self.rng.choice((4, 6)))
            yield ipaddress.ip_network((address, PERSISTENCE[address.version]), strict=False)


def check_answer(expected, answer, where):
    """Returns whether the client's hash decided."""
    if expected is None:
        assert answer == [], where
        return False
    assert expected.size[0] <= len(answer) <= expected.size[1], f"{answer} has not {expected.size}: {where}"
    assert not answer or answer[0] in expected.first, f"{answer} is none of {expected.first}: {where}"
    assert set(answer) <= expected.may, f"{answer} is not all of {expected.may}: {where}"
    return expected.hashed and not expected.drawn


def inside(rng, network, scope):
    """Addresses that a resolver would give the same answer."""
    entry = ipaddress.ip_network((network.network_address, scope), strict=False)
    for _ in range(3):
        yield ipaddress.ip_network(int(entry.network_address) + rng.getrandbits(128) % entry.num_addresses
                                   if entry.version == 4 else
                                   (int(entry.network_address) + rng.getrandbits(128) % entry.num_addresses, 128))


@pytest.mark.parametrize("number", range(WORLDS))
def test_random_pools_answer_what_their_files_say(number):
    with world() as (server, nodes):
        w = World(server, nodes, SEED * 1000 + number)
        w.start()
        asked = [(w.rng.randrange(POOLS), network, w.rng.choice(("A", "AAAA")))
                 for network in w.networks(NETWORKS // WORLDS)]
        results = fastdns.ask_many(server.server, [(f"vpn{p}.example.net", kind, network) for p, network, kind in asked])
        follow, wide, by_backup = [], 0, 0
        for (p, network, kind), (rcode, answer, scope) in zip(asked, results):
            where = f"world {number}, pool p{p}, client {network}, {kind}, scope {scope}"
            expectation = w.model.expect(w.pools[p], network.network_address, w.live, kind)
            assert rcode == 0, where
            hashed = check_answer(expectation, answer, where)
            if hashed:
                assert scope >= PERSISTENCE[network.version], f"the hash decided: {where}"
            by_backup += expectation is not None and expectation.pool != w.pools[p]["name"]
            wide += scope < PERSISTENCE[network.version]
            follow += [(p, one, kind, answer, expectation) for one in inside(w.rng, network, scope)]
        again = fastdns.ask_many(server.server, [(f"vpn{p}.example.net", kind, one) for p, one, kind, _, _ in follow])
        for (p, one, kind, before, expectation), (_, now, _) in zip(follow, again):
            where = f"world {number}, pool p{p}, {kind}, {one} in a scope: {before}, {now}"
            mine = w.model.expect(w.pools[p], one.network_address, w.live, kind)
            assert (mine is None) == (expectation is None), where
            if mine is None or not mine.drawn or not mine.hashed:
                assert now == before, where
            else:
                assert (mine.first, mine.may) == (expectation.first, expectation.may), where
        print(f"world {number}: {len(asked)} networks, {len(follow)} addresses in their scopes, {wide} scopes were wide, "
              f"{by_backup} answers are a backup's")
