"""Small random zones, in which wildcards, aliases and delegations fall upon each other: every short name is
answered as NSD and Knot answer it (RFC 1034, 4.3.2; RFC 4592, 3.3; RFC 6672, 3.2)."""

import collections
import itertools
import random
import re

import dns.flags
import dns.message
import dns.rdatatype
import pytest

import peers
import rfczones

SEED, ZONES = 20261122, 12
LABELS = ("a", "b", "*", "c")
KINDS = ("A", "A", "A TXT", "TXT", "MX", "CNAME", "CNAME", "DNAME", "NS", "NS DS")
TYPES = ("A", "CNAME", "MX", "DS", "DNAME", "NS")
LONG = 6  # CNAMEs in an answer: how far endless chains are followed is each server's own choice

pytestmark = pytest.mark.skipif(bool(peers.missing()), reason=f"not installed: {', '.join(peers.missing())}")


def choose_names(rng, names):
    """{name: kind}, nothing below a DNAME, and no delegated or moved wildcard."""
    chosen = {}
    for name in sorted(rng.sample(names, rng.randint(5, 14)), key=lambda name: name.count(".")):
        labels = name.split(".")
        above = [".".join(labels[at:]) for at in range(1, len(labels))]
        if not any(chosen.get(up) == "DNAME" for up in above):
            kind = rng.choice(KINDS)
            chosen[name] = "CNAME" if labels[0] == "*" and kind in ("DNAME", "NS", "NS DS") else kind
    return chosen


def random_zone(rng):
    names = [".".join(labels) for depth in (1, 2, 3) for labels in itertools.product(LABELS, repeat=depth)]
    chosen = choose_names(rng, names)

    def target():
        return rng.choice([*chosen, *rng.sample(names, 3), "ns1", "@"]).replace("*", rng.choice("xab*"))

    lines = ["$TTL 3600", "@ SOA ns1 hostmaster 1 2 3 4 300", "@ NS ns1", "ns1 A 192.0.2.1"]
    for name, kind in chosen.items():
        data = {"A": ["A 192.0.2.2"], "A TXT": ["A 192.0.2.3", 'TXT "x"'], "TXT": ['TXT "x"'], "MX": [f"MX 10 {target()}"],
                "CNAME": [f"CNAME {target()}"], "DNAME": [f"DNAME {target()}"]}.get(kind)
        if data is None:
            data = [f"NS ns.{name}", f"NS {target()}"] + ([f"DS 1 13 2 {'01' * 32}"] if "DS" in kind else [])
            lines.append(f"ns.{name} A 192.0.2.4")
        lines += [f"{name} {record}" for record in data]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def load_zones(server, rng):
    """{origin: path} of random zones; those that a random target made a mistake of are thrown away."""
    zones = {}
    for number in range(ZONES):
        path = server.zone_file(f"random{number}.test.zone")
        path.write_text(random_zone(rng))
        zones[path.stem] = path
    done = server.ctl("check", server.config, check=False)
    for name in set(re.findall(r"(random\d+\.test)\.zone:\d+:\d+: error", done.stdout + done.stderr)):
        zones.pop(name).unlink()
    assert len(zones) > ZONES // 2
    return zones


def make_questions(rng, zones):
    labels = (*LABELS, "x")
    names = [".".join(some) for depth in (1, 2, 3) for some in itertools.product(labels, repeat=depth)]
    for origin in zones:
        deep = [".".join(rng.choices(labels, k=rng.randint(4, 6))) for _ in range(20)]
        for name in ["@", "ns1", *rng.sample(names, 60), *deep]:
            for rrtype in TYPES:
                yield f"{name} {rrtype} +edns", f"{origin}."


Answer = collections.namedtuple("Answer", "rcode aa answer authority additional")


def read(wire):
    message = dns.message.from_wire(wire)
    sections = [rfczones.read_section(section).rrsets for section in (message.answer, message.authority, message.additional)]
    return Answer(message.rcode(), bool(message.flags & dns.flags.AA), *sections)


def is_like(ours, theirs):
    """NSD adds the zone's servers to positive answers; addresses made from wildcards are a courtesy."""
    if sum(rrtype == dns.rdatatype.CNAME for _, rrtype in ours.answer) > LONG:
        return True
    courtesy = ours.answer and not ours.authority and [rrtype for _, rrtype in theirs.authority] == [dns.rdatatype.NS]
    return (ours[:3] == theirs[:3] and (ours.authority == theirs.authority or courtesy) and
            ours.additional.items() <= theirs.additional.items())


def test_random_zones_are_answered_as_nsd_and_knot_answer_them(fresh):
    server, _ = fresh
    rng = random.Random(SEED)
    server.write_server_file({"nowhere": (0, 0)})
    zones = load_zones(server, rng)
    server.start()
    questions = list(make_questions(rng, zones))
    wires = [rfczones.query(*question).to_wire() for question in questions]
    with peers.Nsd(server.folder, zones) as nsd, peers.Knot(server.folder, zones) as knot:
        answers = [peers.ask_udp(of, wires) for of in (server.server, nsd.server, knot.server)]
    wrong, seen = [], collections.Counter()
    for question, ours, *theirs in zip(questions, *answers):
        seen[ours[2] & 4, ours[3] & 15, ours[7]] += 1  # AA, rcode, records in the answer
        wrong += [f"{question} ({name}):\n{dns.message.from_wire(ours)}\n--- {name}:\n{dns.message.from_wire(other)}"
                  for name, other in zip(("nsd", "knot"), theirs) if ours[2:] != other[2:] and not is_like(read(ours), read(other))]
    assert not wrong, f"{len(wrong)} of {len(questions)}:\n" + "\n".join(wrong[:5])
    assert len(seen) > 8, "the zones are all alike"
