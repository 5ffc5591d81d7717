"""Who may be answered to whom, computed straight from what a random pool file says: no classes, no
tables, no images. Slow and plain, to hold the server against.

A pool here is a dictionary as random_pool() makes it; pool_text() writes it as a pool file.
"""

import ipaddress

import geomodel

AFRICA = set("AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW "
             "MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW".split())
SOUTH_AMERICA = set("AR BO BR CL CO EC FK GF GY PE PY SR UY VE".split())
CONTINENTS = {"AF": AFRICA, "SA": SOUTH_AMERICA}
COUNTRIES = "US CN JP DE GB BR KR FR CA AU IN RU ZA NG AR MX IT NL TR ID".split()
WORDS = ("unknown", "all")
NOWHERE = "nowhere"
LIVE_V6, DEAD_V6 = "::1", "100::1"  # the one is listened on, the other leads nowhere (RFC 6666)


# --- random configurations ------------------------------------------------------------------------------

def random_clients(rng, networks, count=3):
    made = set()
    while len(made) < count:
        kind = rng.random()
        if kind < 0.45:
            made.add(rng.choice(COUNTRIES))
        elif kind < 0.55:
            made.add("continent:" + rng.choice(list(CONTINENTS)))
        elif kind < 0.95:
            made.add(str(rng.choice(networks)))
        else:
            made.add(rng.choice(WORDS))
    return sorted(made)


def random_networks(rng, count):
    """Networks of which some lie inside others."""
    made = []
    for _ in range(count):
        if made and rng.random() < 0.3:
            outer = rng.choice(made)
            length = min(outer.max_prefixlen, outer.prefixlen + rng.randrange(1, 9))
            start = int(outer.network_address) + (rng.getrandbits(128) % outer.num_addresses)
        else:
            version = rng.choice((4, 6))
            length = rng.randrange(3, 29) if version == 4 else rng.randrange(12, 60)
            start = rng.getrandbits(32) if version == 4 else 0x2 << 124 | rng.getrandbits(124)
            outer = ipaddress.ip_network("0.0.0.0/0" if version == 4 else "::/0")
        made.append(ipaddress.ip_network((start, length) if outer.version == 6 or start < 1 << 32 else start, strict=False)
                    if outer.version == 4 else
                    ipaddress.IPv6Network((start, length), strict=False))
    return made


def random_pool(rng, name, sites, networks, number, with_nodes=True):
    """`number`: of the pool, for its nodes' addresses 127.(40 + number).SITE.NODE and
    2001:db8:(number):SITE::NODE, where they have one."""
    policy = rng.choice(("nearest", "nearest", "nearest", "weighted", "failover", "round-robin"))
    chosen = rng.sample(sorted(sites), rng.randrange(2, min(9, len(sites)) + 1))
    pool = {"name": name, "policy": policy, "sites": {}, "rules": [], "fences": [], "avoids": [],
            "persistence": rng.choice(("subnet", "subnet", "none")), "fallback": rng.choice(("all", "all", "none")),
            "band": (rng.choice((0, 0, 10, 50)), rng.choice((0, 0, 500))),
            "answers": rng.choice((1, 1, 1, 2, 3)), "spread": rng.choice(("node", "site")),
            "own-networks": rng.choice(("weighted", "failover")), "backup": None,
            "strict-pair": rng.random() < 0.25}
    pool["spare"] = rng.randrange(0, pool["answers"])
    # In some pools no path is up but those of IPv4, so that all nodes can be down.
    paths = (DEAD_V6, DEAD_V6, None) if rng.random() < 0.5 else (LIVE_V6, LIVE_V6, DEAD_V6, None)
    for at, site in enumerate(chosen):
        nodes = {}
        for n in range(rng.randrange(1, 4)):
            nodes[f"{site}-{n}"] = {"address": f"127.{40 + number}.{at + 1}.{n + 1}",
                                    "weight": rng.choice((0, 1, 100, 100, 100, 300)),
                                    "address6": f"2001:db8:{number}:{at + 1}::{n + 1}",
                                    "path6": rng.choice(paths)}
        pool["sites"][site] = {"nodes": nodes, "bias": rng.choice((0, 0, 0, 30, -40)) if policy == "nearest" else 0,
                               "minimum": rng.randrange(1, len(nodes) + 1) if rng.random() < 0.3 else 1,
                               "priority": rng.randrange(0, 4) if rng.random() < 0.5 else at}
    used = set()
    for _ in range(rng.randrange(0, 5)):
        clients = [c for c in random_clients(rng, networks) if c not in used]
        used |= set(clients)
        if clients:
            some = rng.sample(chosen, rng.randrange(1, len(chosen) + 1))
            cut = rng.randrange(1, len(some) + 1)
            pool["rules"].append({"clients": clients, "sites": [some[:cut]] + [[s] for s in some[cut:]]})
    for _ in range(rng.randrange(0, 4)):
        never = chosen if rng.random() < 0.15 else rng.sample(chosen, rng.randrange(1, len(chosen)))
        pool["fences"].append({"clients": random_clients(rng, networks),
                               "except": random_clients(rng, networks, 1) if rng.random() < 0.4 else [],
                               "never": never})
    for _ in range(rng.randrange(0, 4)):
        site = rng.choice(chosen)
        node = rng.choice(sorted(pool["sites"][site]["nodes"])) if rng.random() < 0.5 else None
        pool["avoids"].append({"clients": random_clients(rng, networks), "site": site, "node": node})
    return pool


def pool_text(pool, port):
    percent, km = pool["band"]
    lines = [f"pool: {pool['name']}", f"policy: {pool['policy']}", f"persistence: {pool['persistence']}",
             f"fallback: {pool['fallback']}", f"band: {{ percent: {percent}, km: {km} }}",
             f"answers: {pool['answers']}", f"spread: {pool['spread']}", f"spare: {pool['spare']}",
             f"own-networks: {pool['own-networks']}", f"strict-pair: {str(pool['strict-pair']).lower()}",
             *([f"backup: {pool['backup']}"] if pool["backup"] else []),
             f"probes: [ {{ kind: tcp, port: {port}, interval: 500ms, timeout: 400ms, fall: 3, rise: 1 }} ]", "sites:"]
    for name, site in pool["sites"].items():
        lines += [f"  {name}:", f"    bias: {site['bias']}", f"    minimum: {site['minimum']}",
                  f"    priority: {site['priority']}", "    nodes:"]
        for node, n in site["nodes"].items():
            addresses = n["address"]
            if n["path6"]:
                addresses = (f"[{n['address']}, '{n['address6']}'], "
                             f"probe-address: [{n['address']}, '{n['path6']}']")
            lines.append(f"      {node}: {{ address: {addresses}, weight: {n['weight']} }}")

    def listed(things):
        return "[" + ", ".join(f'"{thing}"' for thing in things) + "]"

    for title, entries in (("rules", pool["rules"]), ("geofence", pool["fences"]), ("avoid", pool["avoids"])):
        lines += [f"{title}:"] if entries else []
        for entry in entries:
            lines.append(f"  - clients: {listed(entry['clients'])}")
            if title == "rules":
                lines.append("    sites: [" + ", ".join(listed(band) for band in entry["sites"]) + "]")
            elif title == "geofence":
                lines.append(f"    never: {listed(entry['never'])}")
                lines += [f"    except: {listed(entry['except'])}"] if entry["except"] else []
            else:
                lines.append(f"    node: {entry['node']}" if entry["node"] else f"    site: {entry['site']}")
    return "\n".join(lines) + "\n"


# --- the model --------------------------------------------------------------------------------------------

class Expectation:
    """first: the addresses of which one stands first; may: all that may stand in the answer at all;
    hashed: several choices, so that the client's hash (or chance) decides; size: (fewest, most);
    drawn: every answer is drawn anew; pool: who answers in the end."""

    def __init__(self, first, may, hashed, size, drawn, pool):
        self.first, self.may, self.hashed, self.size, self.drawn, self.pool = first, may, hashed, size, drawn, pool


class Model:
    def __init__(self, places, sites, own_networks, pools):
        """places: a geomodel.Model; sites: name -> (latitude, longitude) in the server file's order;
        pools: all of them, by name."""
        self.places, self.sites, self.own, self.pools = places, sites, own_networks, pools

    def by_own(self, pool, address):
        """Is it of our own networks, and no rule for a network as long or longer holds? Then nobody
        knows where it is, and the pool's policy for own networks holds."""
        longest = max((network.prefixlen for network in self.own
                       if network.version == address.version and address in network), default=None)
        if longest is None:
            return False
        lengths = [-how[1] for how in (self.matches(rule["clients"], address, None) for rule in pool["rules"])
                   if how is not None and how[0] == 0]
        return max(lengths, default=-1) < longest

    def specificity(self, client, address, country):
        """None: it does not match; else the smaller the more specific. country NOWHERE: it is
        neither known nor unknown."""
        if client[0].isdigit() or ":" in client and not client.startswith("continent:"):
            network = ipaddress.ip_network(client)
            inside = network.version == address.version and address in network
            return (0, -network.prefixlen) if inside else None
        if client.startswith("continent:"):
            return (3, 0) if country in CONTINENTS[client[10:]] else None
        if client == "all":
            return (5, 0)
        if client == "unknown":
            return (4, 0) if country is None else None
        return (2, 0) if client == country else None

    def matches(self, clients, address, country):
        found = [s for s in (self.specificity(client, address, country) for client in clients) if s is not None]
        return min(found) if found else None

    def rule(self, pool, address, country):
        best = None
        for rule in pool["rules"]:
            how = self.matches(rule["clients"], address, country)
            if how is not None and (best is None or how < best[0]):
                best = (how, rule)
        return best

    def by_distance(self, pool, here, names):
        percent, km = pool["band"]

        def distance(name):
            bias = pool["sites"][name]["bias"]
            factor = 1 - bias / 100 if bias >= 0 else 1 / (1 + bias / 100)
            return geomodel.haversine_km(here, self.sites[name]) * factor
        order = sorted(names, key=lambda name: (distance(name), list(self.sites).index(name)))
        bands = []
        for name in order:
            start = distance(bands[-1][0]) if bands else None
            if bands and (distance(name) <= start * (1 + percent / 100) or distance(name) <= start + km):
                bands[-1].append(name)
            else:
                bands.append([name])
        return bands

    def by_priority(self, pool, names):
        levels = sorted({pool["sites"][name]["priority"] for name in names})
        return [[name for name in names if pool["sites"][name]["priority"] == level] for level in levels]

    def the_rest(self, pool, policy, named, names):
        rest = [name for name in names if name not in named]
        if policy == "failover":
            return self.by_priority(pool, rest)
        if policy == "nearest":
            if not named:
                return [[name] for name in rest]
            first = self.sites[named[0]]
            order = sorted(rest, key=lambda name: (geomodel.haversine_km(first, self.sites[name]), names.index(name)))
            return [[name] for name in order]
        return [rest] if rest else []

    def bands(self, pool, address, country, allowed):
        """The allowed sites in bands, best first."""
        policy = pool["policy"]
        names = [name for name in pool["sites"] if name in allowed]
        best = self.rule(pool, address, country)
        own = country is NOWHERE
        if own:
            policy = pool["own-networks"]
        elif best is not None:
            named = [[name for name in band if name in allowed] for band in best[1]["sites"]]
            named = [band for band in named if band]
            flat = [name for band in named for name in band]
            return policy, named + self.the_rest(pool, policy, flat, names)
        here = self.places.countries.get(country)
        if policy == "nearest" and here:
            return policy, self.by_distance(pool, here, names)
        return policy, self.the_rest(pool, policy, [], names)

    def allowed(self, pool, address, country):
        sites = set(pool["sites"])
        for fence in pool["fences"]:
            if self.matches(fence["clients"], address, country) is not None and \
                    self.matches(fence["except"], address, country) is None:
                sites -= set(fence["never"])
        return sites

    def avoided(self, pool, address, country):
        gone = set()
        for avoid in pool["avoids"]:
            if self.matches(avoid["clients"], address, country) is not None:
                gone |= {avoid["node"]} if avoid["node"] else set(pool["sites"][avoid["site"]]["nodes"])
        return gone

    def serving(self, pool, bands, up, heed_minimum=True):
        """(nodes of the band that takes these clients, all nodes that may stand beside them): nodes
        with a weight, or, where none is up, those in reserve, of sites that have enough of them."""
        weight = {node: n["weight"] for site in pool["sites"].values() for node, n in site["nodes"].items()}
        reachable = [node for band in bands for site in band for node in pool["sites"][site]["nodes"] if node in up]
        good = [node for node in reachable if weight[node] > 0] or reachable
        for minimum_counts in (True, False) if heed_minimum else (False,):
            enough = []
            for site in pool["sites"].values():
                nodes = [node for node in site["nodes"] if node in good]
                if len(nodes) >= site["minimum"] or not minimum_counts:
                    enough += nodes
            for band in bands:
                here = [node for site in band for node in pool["sites"][site]["nodes"] if node in enough]
                if here:
                    return here, enough
        return [], []

    def answer_size(self, pool, good):
        """(fewest, most) nodes in an answer."""
        sites = {site for site, s in pool["sites"].items() if set(s["nodes"]) & set(good)}
        if pool["spread"] == "site" or pool["spare"]:
            return min(pool["answers"], len(sites)), min(pool["answers"], len(good))
        return (min(pool["answers"], len(good)),) * 2

    def country(self, pool, address):
        return NOWHERE if self.by_own(pool, address) else self.places.country(address)

    @staticmethod
    def addresses(pool, nodes, live, family):
        """Of those nodes that are answered for the family: one that is down is so, under a fallback,
        for all that it has."""
        every = {node: n for site in pool["sites"].values() for node, n in site["nodes"].items()}
        found = {}
        for node in nodes:
            has = {"A"} | ({"AAAA"} if every[node]["path6"] else set())
            if family in (live[node] or has):
                found[node] = every[node]["address" if family == "A" else "address6"]
        return found

    def of_family(self, pool, chosen, live, family):
        """What comes of (first, good, reachable nodes, (fewest, most)) for one family."""
        first, good, reachable, (fewest, most) = chosen
        firsts, beside = (self.addresses(pool, nodes, live, family) for nodes in (first, good))
        may_be_first, may = set(firsts.values()), set(beside.values())
        if len(firsts) < len(first):  # others of its set come first, or a substitute stands in
            weight = {node: n["weight"] for site in pool["sites"].values() for node, n in site["nodes"].items()}
            able = self.addresses(pool, reachable, live, family)
            best = {node: able[node] for node in able if weight[node] > 0} or able
            if pool["answers"] > 1:
                may_be_first |= may
            if not pool["strict-pair"]:
                may_be_first |= set(best.values())
                may |= set(best.values())
            fewest = 1 if best and not pool["strict-pair"] else 0
        elif len(beside) < len(good):
            fewest = 1
        return may_be_first, may, (fewest, most)

    def has_somebody(self, name, address, down):
        """Has a pool, or a backup behind it, a healthy node for this client? A fence that leaves no
        site leads to no backup."""
        pool = self.pools[name]
        country = self.country(pool, address)
        allowed = self.allowed(pool, address, country)
        nodes = {node for site in allowed for node in pool["sites"][site]["nodes"]}
        return bool(nodes - down[name] - self.avoided(pool, address, country)) or \
            bool(allowed and pool["backup"] and self.has_somebody(pool["backup"], address, down))

    def expect(self, pool, address, live, family="A"):
        """live: pool -> node -> families whose path is not down; none: the node is down. None: NODATA."""
        down = {name: {node for node, families in nodes.items() if not families} for name, nodes in live.items()}
        country = self.country(pool, address)
        allowed = self.allowed(pool, address, country)
        if not allowed:
            return None
        policy, bands = self.bands(pool, address, country, allowed)
        nodes = {node for name, site in pool["sites"].items() if name in allowed for node in site["nodes"]}
        reachable = up = nodes - down[pool["name"]] - self.avoided(pool, address, country)
        first, good = self.serving(pool, bands, up)
        fewest, most = self.answer_size(pool, good)
        if not first:
            if pool["backup"] and self.has_somebody(pool["backup"], address, down):
                return self.expect(self.pools[pool["backup"]], address, live, family)
            if pool["fallback"] == "none":
                return None
            first, good = self.serving(pool, bands, nodes, heed_minimum=False)
            reachable = nodes
            # Companions are never of a site below its minimum, so there may be none.
            fewest, most = 1, self.answer_size(pool, good)[1]
        may_be_first, may, size = self.of_family(pool, (first, good, reachable, (fewest, most)), live[pool["name"]],
                                                 family)
        return Expectation(may_be_first, may, len(first) > 1, size,
                           pool["persistence"] == "none" or policy == "round-robin", pool["name"])
