"""Signpost's answers compared with those of NSD and Knot, section by section.

All three serve the same files: tests/data/peers, which is made to be hard to answer right, with
large RRsets added, and the sample zone's static part. Every name that is there, and names beside,
above and below it, are asked for many types, with and without EDNS, over UDP and TCP. The peers
differ from each other, too: each row of ALLOWED is a way in which one of them may, with the RFC
that says so; anything else fails, and so does a row that excuses nothing.
"""

import collections
import contextlib
import pathlib
import random
import re
import subprocess

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

import peers
import signpost

DATA = signpost.SOURCE / "tests/data/peers"
ROOT_WORLD = ("ROOT.zone", "child.zone")
SEED = 20261122
TYPES = [dns.rdatatype.from_text(text) for text in (
    "A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "SRV", "PTR", "DS", "DNSKEY", "NSEC", "RRSIG", "HTTPS", "CAA",
    "TYPE65280", "NAPTR", "TLSA", "ANY")]
SIZES = [(None, False), (512, False), (1232, False), (4096, False), (1232, True)]  # of EDNS, and DO
UDP_SIZE = 1232  # that all three serve at most

pytestmark = pytest.mark.skipif(bool(peers.missing()), reason=f"not installed: {', '.join(peers.missing())}")


# --- zone files

def large_rrsets():
    """RRsets around the sizes where answers are cut, and much larger ones."""
    lines = []
    for count in (27, 28, 29, 30, 72, 73, 74, 75, 300):
        lines += [f"a{count}.large IN A 198.51.{i // 250}.{i % 250}" for i in range(count)]
    for size in (440, 448, 449, 450, 451, 460, 1150, 1160, 1165, 1170, 1180, 16000):
        strings = " ".join(f'"{"x" * min(255, size - at)}"' for at in range(0, size, 255))
        lines.append(f"txt{size}.large IN TXT {strings}")
    for count in (5, 12, 40, 1000):
        lines += [f"mx{count}.large IN MX {i} host{i % 40}.mx.large" for i in range(count)]
        lines += [f"srv{count}.large IN SRV {i} 0 1 host{i % 40}.mx.large" for i in range(count)]
        lines += [f"ptr{count}.large IN PTR name{i}.suffix{i % 7}.Ptr.large" for i in range(count)]
    for i in range(40):
        lines += [f"host{i}.mx.large IN A 198.51.100.{i}", f"host{i}.mx.large IN AAAA 2001:db8:100::{i:x}"]
    for count in (3, 8, 13):
        for i in range(count):
            lines += [f"cut{count}.large IN NS ns{i}.cut{count}.large",
                      f"ns{i}.cut{count}.large IN A 203.0.113.{i}", f"ns{i}.cut{count}.large IN AAAA 2001:db8:113::{i:x}"]
    # For the answer to a long name at a wildcard, there is less room.
    lines += [f"*.wild.large IN A 198.51.101.{i}" for i in range(27)]
    # A chain whose end does not fit into 512 octets.
    lines += ["chain.large IN CNAME a30.large", "chainmx.large IN CNAME mx40.large"]
    return "\n".join(lines) + "\n"


def write_zones(folder, root):
    """{origin: path}"""
    zones = {}
    for path in DATA.glob("*.zone"):
        if (path.name in ROOT_WORLD) == root:
            zones["." if path.stem == "ROOT" else path.stem] = folder / path.name
            (folder / path.name).write_text(path.read_text() + (large_rrsets() if path.stem == "torture.example" else ""))
    if not root:
        sample = (signpost.SOURCE / "zones/example.net.zone").read_text().splitlines(keepends=True)
        zones["example.net"] = folder / "example.net.zone"
        zones["example.net"].write_text("".join(line for line in sample if "POOL" not in line))
    return zones


POOL = """\
pool: one
sites:
  nowhere:
    nodes:
      only: { address: [203.0.113.99, "2001:db8:99::99"] }
"""
# What such a POOL record is to a server that has none.
POOL_RECORD = (re.compile(r"^(\S+)\s+(\d+) IN POOL one$", re.MULTILINE),
               r"\1 \2 IN A 203.0.113.99\n\1 \2 IN AAAA 2001:db8:99::99")

# What Knot 3.2 does not read, in words that it does.
FOR_KNOT = (
    ('X25\t"311061700956"', "TYPE19 \\# 13 0c333131303631373030393536"),
    ('ISDN\t"150862028003217" "004"', "TYPE20 \\# 20 0f313530383632303238303033323137 03303034"),
    ("CLASS1 TYPE28", "IN TYPE28"),
)


def write_zones_for(peer, zones, folder):
    folder.mkdir()
    written = {}
    for origin, path in zones.items():
        text = POOL_RECORD[0].sub(POOL_RECORD[1], path.read_text())
        assert " POOL " not in text
        for theirs, generic in FOR_KNOT if peer is peers.Knot and origin == "torture.example" else ():
            assert theirs in text
            text = text.replace(theirs, generic)
        written[origin] = folder / path.name
        written[origin].write_text(text)
    return written


def read_names(server, zones):
    """{owner name: types} of all zones, as a peer read them."""
    found = collections.defaultdict(set)
    for origin in zones:
        records = subprocess.run(["dig", "@127.0.0.1", "-p", str(server[1]), origin, "AXFR", "+onesoa", "+noall", "+answer"],
                                 capture_output=True, text=True, check=True).stdout.splitlines()
        assert "; Transfer failed." not in records
        for name, rrtype in {tuple(record.split(None, 4)[0:4:3]) for record in records if record[:1] not in ("", ";")}:
            found[dns.name.from_text(name)].add(dns.rdatatype.from_text(rrtype))
    return found


# --- questions

Question = collections.namedtuple("Question", "name rrtype size dnssec tcp")  # size: EDNS; None: no EDNS


def neighbours(rng, name):
    """The name, and children, siblings and ancestors of it, each of which may be there or not."""
    labels = name.labels
    found = [labels, (b"*", *labels), (b"*a", *labels), (b"x" * 63, b"y" * rng.randint(1, 20), *labels),
             (bytes(rng.choices(b"abcxyz019-", k=rng.randint(1, 8))), *labels)]
    if len(labels) > 2:
        found += [(bytes([labels[0][0] ^ 1]) + labels[0][1:], *labels[1:]), (b"nosuch", *labels[1:])]
    found += [labels[up:] for up in range(1, min(4, len(labels) - 1))]
    for some in found:
        with contextlib.suppress(dns.name.NameTooLong):
            yield dns.name.Name(some)


def mixed_case(rng, name):
    return dns.name.Name([bytes(rng.choice((c, c ^ 0x20)) if c < 128 and chr(c).isalpha() else c for c in label)
                          for label in name.labels])


def make_questions(names):
    rng = random.Random(SEED)
    types = {}
    for name in sorted(names):
        for near in neighbours(rng, name) if name.labels[1:2] != (b"mx",) else (name,):
            types.setdefault(near, set()).update(names.get(near, ()))
    found = []
    for name, here in types.items():
        if b"large" in name.labels:
            sizes = SIZES[:2] if b"1000" in name.labels[0] else SIZES
            variants = [(t, size, tcp) for t in sorted(here) for size in sizes for tcp in (False, True)]
        else:
            variants = [(t, rng.choice(SIZES), rng.random() < 0.2)
                        for t in sorted(here | set(rng.sample(TYPES, 12 if here else 4)))]
        found += [Question(mixed_case(rng, name), t, *size, tcp) for t, size, tcp in variants]
    return found


def encode(question):
    wire = b"\0\0\0\0\0\x01\0\0\0\0" + (b"\0\0" if question.size is None else b"\0\x01")
    wire += question.name.to_wire() + question.rrtype.to_bytes(2, "big") + b"\0\x01"
    if question.size is not None:
        wire += b"\0\0\x29" + question.size.to_bytes(2, "big") + bytes([0, 0, 0x80 if question.dnssec else 0, 0, 0, 0])
    return wire


def ask(server, questions):
    """{question: octets, or None where nothing came}"""
    answers = {}
    for tcp, how in ((False, peers.ask_udp), (True, peers.ask_tcp)):
        some = [question for question in questions if question.tcp == tcp]
        answers.update(zip(some, how(server, [encode(question) for question in some])))
    return answers


# --- answers

PARTS = ("rcode", "aa", "tc", "answer", "authority", "additional")


class Answer:
    """What is compared of a message. Sections are {(name, type): (TTL, {rdata})}."""

    def __init__(self, wire):
        self.wire = wire
        self.message = message = dns.message.from_wire(wire, one_rr_per_rrset=True)
        self.rcode = message.rcode()
        self.aa = bool(message.flags & dns.flags.AA)
        self.tc = bool(message.flags & dns.flags.TC)
        self.answer, self.authority, self.additional = map(
            self.read, (message.answer, message.authority, message.additional))

    @staticmethod
    def read(section):
        rrsets = {}
        for rrset in section:
            ttl, rdatas = rrsets.setdefault((rrset.name, rrset.rdtype), (rrset.ttl, set()))
            assert ttl == rrset.ttl, f"one RRset with two TTLs: {rrset}"
            rdatas.add(rrset[0])
        return rrsets

    def check(self, question):
        """What must hold of any answer of ours, whatever is in it."""
        end = 12 + len(question.name.to_wire()) + 4
        assert self.wire[12:end] == encode(question)[12:end], "the question is not repeated octet by octet"
        limit = 65535 if question.tcp else min(max(question.size or 512, 512), UDP_SIZE)
        assert len(self.wire) <= limit, "more octets than were asked for"
        assert self.message.flags & ~(dns.flags.AA | dns.flags.TC | 15) == dns.flags.QR
        assert (self.message.edns == 0) == (question.size is not None), "EDNS is for those who speak it (RFC 6891, 7)"
        assert bool(self.message.ednsflags & dns.flags.DO) == question.dnssec, "DO is repeated (RFC 3225, 3)"
        records = [(rrset.name, rrset[0]) for section in self.message.sections[1:] for rrset in section]
        assert len(records) == len(set(records)), "a record comes twice"

    def is_referral(self):
        return not self.answer and any(rrtype == dns.rdatatype.NS for _, rrtype in self.authority)

    def __str__(self):
        return f"{len(self.wire)} octets\n{self.message}"


# --- where the peers may differ

Case = collections.namedtuple("Case", "question ours theirs names zones")
ALLOWED = []  # (peer, function: case -> the parts that may differ)


def allowed(*of_peers):
    def add(row):
        ALLOWED.extend((peer, row) for peer in of_peers)
        return row
    return add


def conflict(ours, theirs):
    """RRsets that both have, and not alike."""
    return any(theirs[key] != value for key, value in ours.items() if key in theirs)


@allowed("nsd")
def apex_servers_come_along(case):
    """RFC 2181, 7.2 and RFC 1034, 4.3.2: the zone's NS RRset in a positive answer is a courtesy."""
    extra = set(case.theirs.authority)
    if case.ours.answer and not case.ours.authority and len(extra) == 1 and extra.pop()[1] == dns.rdatatype.NS:
        if not conflict(case.ours.additional, case.theirs.additional):
            return {"authority", "additional"}


@allowed("nsd", "knot")
def one_rrset_for_any(case):
    """RFC 8482, 4.1: one RRset of the name, whichever. A DNAME comes with the CNAME made from it, and
    that is one of the name, too."""
    ours, theirs = case.ours.answer, case.theirs.answer
    if case.question.rrtype == dns.rdatatype.ANY and ours and not conflict(ours, theirs):
        if any(rrtype == dns.rdatatype.DNAME for _, rrtype in ours):
            return {"rcode", "answer", "authority"}
        return {"answer", "authority", "additional", "tc"} if len(ours) == 1 else None


@allowed("nsd")
def glue_without_tc(case):
    """RFC 9471, 3.1: a referral that lacks glue has TC. It is newer than NSD 4.6."""
    ours, theirs = case.ours, case.theirs
    if ours.is_referral() and ours.tc and len(ours.wire) > 450 and not conflict(ours.additional, theirs.additional):
        return {"tc", "additional"}


def below_cut(names, name):
    return any(dns.rdatatype.NS in names.get(up, ()) and dns.rdatatype.SOA not in names.get(up, ())
               for up in (dns.name.Name(name.labels[at:]) for at in range(len(name.labels) - 1)))


@allowed("nsd", "knot")
def more_addresses(case):
    """RFC 1034, 4.3.2, step 6: addresses that "may be useful". We leave out those of mail servers
    below a delegation, and all behind the 32nd."""
    ours, theirs = case.ours, case.theirs
    if conflict(ours.additional, theirs.additional) or set(ours.additional) - set(theirs.additional):
        return None
    many = sum(len(rdatas) for _, rdatas in ours.answer.values()) > 32
    more = {name for name, _ in set(theirs.additional) - set(ours.additional)}
    if all((below_cut(case.names, name) and not ours.is_referral()) or (many and b"mx" in name.labels)
           for name in more):
        return {"additional"}


@allowed("knot")
def additional_of_services(case):
    """RFC 9460, 4.1: the addresses of a target SHOULD come along, and "." is one (2.5.2), which Knot
    3.2 passes over."""
    targets = {rdata.target for _, rdatas in case.ours.answer.values() for rdata in rdatas if hasattr(rdata, "target")}
    if case.question.rrtype in (dns.rdatatype.SVCB, dns.rdatatype.HTTPS) and targets == {dns.name.root}:
        return {"additional"} if not case.theirs.additional else None


def zone_of(zones, name):
    """The longest origin above it; None: nobody serves it."""
    name = name.canonicalize()
    while name.to_text(omit_final_dot=len(name.labels) > 1) not in zones:
        if len(name.labels) < 2:
            return None
        name = name.parent()
    return name


@allowed("knot")
def chain_ends_with_the_zone(case):
    """RFC 1034, 4.3.2, step 3a goes back to step 1, so on to other zones that are served; RFC 2181,
    5.4.1 and resolvers do not count on it."""
    zone = zone_of(case.zones, case.question.name)
    targets = [rdata.target for (_, rrtype), (_, rdatas) in case.ours.answer.items()
               if rrtype == dns.rdatatype.CNAME for rdata in rdatas]
    if any(zone_of(case.zones, target) not in (None, zone) for target in targets):
        if set(case.theirs.answer) <= set(case.ours.answer) and not conflict(case.theirs.answer, case.ours.answer):
            return {"rcode", "answer", "authority", "additional"}


@allowed("nsd", "knot")
def length_of_endless_chains(case):
    """RFC 1034, 5.2.2: how far chains are followed is not said. We go 16 links; Knot fewer; NSD, not
    past the same DNAME twice."""
    ours, theirs = list(case.ours.answer), list(case.theirs.answer)
    if any(rrtype == dns.rdatatype.CNAME for _, rrtype in ours) and not conflict(case.theirs.answer, case.ours.answer):
        if (len(theirs) > 4 and len(ours) > len(theirs)) or b"round" in case.question.name.canonicalize().labels:
            return {"tc", "answer", "authority"}


@allowed("knot")
def target_that_is_too_long(case):
    """RFC 6672, 2.2: YXDOMAIN where a DNAME makes a name too long. Knot looks for the SOA, too."""
    if case.ours.rcode == dns.rcode.YXDOMAIN and case.ours.answer == case.theirs.answer:
        return {"rcode", "authority"}


@allowed("knot")
def soa_that_does_not_fit(case):
    """RFC 2181, 9: TC where a section that is needed does not fit; the SOA tells for how long there
    is nothing. NSD thinks so, too."""
    if case.ours.tc and not case.ours.authority and case.ours.answer == case.theirs.answer and not case.theirs.authority:
        return {"tc"}


@allowed("knot")
def types_that_may_stand_beside_a_cname(case):
    """RFC 4035, 2.5: a signed CNAME has RRSIG and NSEC beside it, so these are not looked for at its
    target. In a zone that is not signed there is neither."""
    if case.question.rrtype in (dns.rdatatype.RRSIG, dns.rdatatype.NSEC) and not case.theirs.answer:
        if any(rrtype == dns.rdatatype.CNAME for _, rrtype in case.ours.answer):
            return {"rcode", "answer", "authority", "additional"}


@allowed("nsd")
def occluded_name_in_the_child(case):
    """RFC 1034, 4.2.1: what the parent's file has below a delegation is no part of the child. NSD
    keeps the names of all zones in one tree, and so this one hides the child's wildcard."""
    if case.question.name.is_subdomain(dns.name.from_text("fromparent.child.torture.example.")):
        return {"rcode", "answer", "authority"}


@allowed("nsd")
def child_that_the_parent_does_not_know(case):
    """RFC 4035, 3.1.4.1: a DS is the parent's to answer, and this parent has no such name. NSD's tree
    of all zones has it."""
    if case.question.rrtype == dns.rdatatype.DS:
        if case.question.name == dns.name.from_text("unlinked.torture.example."):
            return {"rcode"}


# --- the comparison

class World:
    """All three, serving the same files, and what they answered."""

    def __init__(self, server, zones, root):
        with contextlib.ExitStack() as stack:
            server.write_server_file({"nowhere": (0, 0)})
            server.zone_file("one.pool.yaml").write_text(POOL)
            server.start()
            nsd, knot = (
                stack.enter_context(peer(server.folder, write_zones_for(peer, zones, server.folder / f"for-{peer.name}")))
                for peer in peers.PEERS)
            self.zones = zones
            self.names = read_names(nsd.server, zones)
            self.questions = make_questions(self.names)
            self.ours = ask(server.server, self.questions)
            self.theirs = {peer.name: ask(peer.server, self.questions) for peer in (nsd, knot)}

    def differences(self, peer, ours, question):
        """(parts that differ, those that may, the rows that say so, the other answer)"""
        wire = self.theirs[peer][question]
        if wire is None or wire[2:] == ours.wire[2:]:
            return set(), set(), [], None
        theirs = Answer(wire)
        parts = {part for part in PARTS if getattr(ours, part) != getattr(theirs, part)}
        if ours.tc and theirs.tc:  # what did fit is not to be used
            parts &= {"rcode", "aa"}
        may, rows = set(), []
        for of_peer, row in ALLOWED if parts else ():
            found = row(Case(question, ours, theirs, self.names, self.zones)) if of_peer == peer else None
            if found and found & parts:
                may |= found
                rows.append((peer, row))
        return parts, may, rows, theirs


used = set()


@pytest.mark.parametrize("root", [False, True], ids=["many zones", "the root zone"])
def test_answers_are_those_of_nsd_and_knot(fresh, root):
    server, _ = fresh
    world = World(server, write_zones(server.folder / "zones", root), root)
    wrong, agreed = [], 0
    for question in world.questions:
        wire = world.ours[question]
        try:
            assert wire is not None, "no answer"
            ours = Answer(wire)
            ours.check(question)
        except Exception as error:
            wrong.append(f"{question}: {error!r}\n{wire}")
            continue
        for peer in world.theirs:
            parts, may, rows, theirs = world.differences(peer, ours, question)
            agreed += not parts
            used.update(rows if parts <= may else ())
            if parts - may:
                wrong.append(f"{question}: {', '.join(sorted(parts - may))}\n--- ours: {ours}\n--- {peer}: {theirs}")
    assert not wrong, f"{len(wrong)} of {len(world.questions)} questions:\n" + "\n\n".join(wrong[:10])
    assert agreed > len(world.questions), "the rows excuse nearly everything"
    print(f"{len(world.questions)} questions, {sum(q.tcp for q in world.questions)} over TCP; "
          f"{agreed} answers of a peer that are like ours")


def test_every_row_is_needed():
    """After all of the above."""
    assert [f"{peer}: {row.__name__}" for peer, row in ALLOWED if (peer, row) not in used] == []
