"""Signpost's answers compared with those of NSD and Knot, section by section.

All three serve the same files: tests/data/peers, which is made to be hard to answer right, with
large RRsets added, and the sample zone's static part. Every name that is there, and names beside,
above and below it, are asked for many types, with and without EDNS, over UDP and TCP. The peers
differ from each other, too: what they may do otherwise is in the table DIFFERENCES, with the RFC
that lets them; anything else fails, and so does a row that excuses nothing.
"""

import collections
import contextlib
import pathlib
import random
import subprocess
import tempfile

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

import peers
import signpost

DATA = signpost.SOURCE / "tests/data/peers"
SEED = 20261122
TYPES = ["A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "SRV", "PTR", "DS", "DNSKEY", "NSEC", "RRSIG", "HTTPS", "CAA",
         "TYPE65280", "NAPTR", "TLSA", "SPF", "ANY"]
TYPES_A_NAME = 12

pytestmark = pytest.mark.skipif(bool(peers.missing()), reason=f"not installed: {', '.join(peers.missing())}")

# --- zone files

def large_rrsets():
    """RRsets around the sizes where answers are cut, and one of nearly all that TCP can carry."""
    lines = []
    for count in (24, 27, 28, 29, 30, 31, 60, 71, 72, 73, 74, 75, 76, 300):
        lines += [f"a{count}.large IN A 198.51.{i // 250}.{i % 250}" for i in range(count)]
    for size in (100, 440, 444, 448, 449, 450, 452, 455, 460, 1150, 1160, 1165, 1170, 1180, 4000, 60000):
        strings = " ".join(f'"{"x" * min(255, size - at)}"' for at in range(0, size, 255))
        lines.append(f"txt{size}.large IN TXT {strings}")
    for count in (5, 12, 40, 400, 1500):
        lines += [f"mx{count}.large IN MX {i} host{i % 40}.mx.large" for i in range(count)]
        lines += [f"srv{count}.large IN SRV {i} 0 1 host{i % 40}.mx.large" for i in range(min(count, 1200))]
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


def write_zones(folder):
    """{origin: path}"""
    zones = {}
    for path in sorted(DATA.glob("*.zone")):
        text = path.read_text()
        if path.stem == "torture.example":
            text += large_rrsets()
        (folder / path.name).write_text(text)
        zones[path.stem] = folder / path.name
    static = [line for line in (signpost.SOURCE / "zones/example.net.zone").read_text().splitlines() if "POOL" not in line]
    zones["example.net"] = folder / "example.net.zone"
    zones["example.net"].write_text("\n".join(static) + "\n")
    return zones


# What Knot 3.2 does not read, in words that it does.
FOR_KNOT = (
    ('X25\t"311061700956"', "TYPE19 \\# 13 0c333131303631373030393536"),
    ('ISDN\t"150862028003217" "004"', "TYPE20 \\# 20 0f313530383632303238303033323137 03303034"),
    ("CLASS1 TYPE28", "IN TYPE28"),
)


def write_zones_for_knot(zones, folder):
    written = {}
    for origin, path in zones.items():
        text = path.read_text()
        for theirs, generic in FOR_KNOT if origin == "torture.example" else ():
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
        for name, rrtype in {tuple(record.split(None, 4)[0:4:3]) for record in records if record[:1] not in ("", ";")}:
            found[dns.name.from_text(name)].add(dns.rdatatype.from_text(rrtype))
    return found


# --- questions

Question = collections.namedtuple("Question", "name rrtype size dnssec tcp")  # size: EDNS; None: no EDNS


def neighbours(rng, name):
    """The name, and children, siblings and ancestors of it, each of which may be there or not."""
    labels = name.labels
    found = [labels, (b"*", *labels), (b"*a", *labels), (b"ns", *labels), (b"x" * 63, b"y" * rng.randint(1, 20), *labels),
             (bytes(rng.choices(b"abcxyz019-", k=rng.randint(1, 8))), *labels)]
    if len(labels) > 2:
        found += [(bytes([labels[0][0] ^ 1]) + labels[0][1:], *labels[1:]), (b"nosuch", *labels[1:])]
    found += [labels[up:] for up in range(1, min(4, len(labels) - 1))]
    for some in found:
        with contextlib.suppress(dns.name.NameTooLong):
            yield dns.name.Name(some)


def mixed_case(rng, name):
    return dns.name.Name([bytes(rng.choice((c, c ^ 0x20)) if chr(c).isalpha() and c < 128 else c for c in label)
                          for label in name.labels])


def questions(names):
    rng = random.Random(SEED)
    asked = {}
    for name in sorted(names):
        for near in neighbours(rng, name):
            asked.setdefault(near, set()).update(names.get(near, ()))
    sizes = [(None, False), (512, False), (1232, False), (4096, False), (1232, True)]
    found = []
    for name, types in asked.items():
        here = types | {dns.rdatatype.from_text(t) for t in rng.sample(TYPES, TYPES_A_NAME if types else 4)}
        for rrtype in sorted(here):
            everything = b"large" in name.labels and rrtype in types
            for tcp in (False, True) if everything else (rng.random() < 0.2,):
                for size, dnssec in sizes if everything else (rng.choice(sizes),):
                    found.append(Question(mixed_case(rng, name), rrtype, size, dnssec, tcp))
    return found


def encode(question):
    head = b"\0\0\0\0\0\x01\0\0\0\0" + (b"\0\0" if question.size is None else b"\0\x01")
    wire = head + question.name.to_wire() + question.rrtype.to_bytes(2, "big") + b"\0\x01"
    if question.size is not None:
        wire += b"\0\0\x29" + question.size.to_bytes(2, "big") + bytes([0, 0, 0x80 if question.dnssec else 0, 0, 0, 0])
    return wire


def ask(server, asked):
    """Answers to all the questions, UDP and TCP."""
    answers = {}
    for tcp, how in ((False, peers.ask_udp), (True, peers.ask_tcp)):
        some = [question for question in asked if question.tcp == tcp]
        answers.update(zip(some, how(server, [encode(question) for question in some])))
    return answers


# --- answers

class Answer:
    """What is compared of a message: sections as {(name, type): (TTL, {rdata})}, names in lower case."""

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
            assert rrset[0] not in rdatas, f"twice: {rrset}"
            rdatas.add(rrset[0])
        return rrsets

    def types(self, section):
        return {rrtype for _, rrtype in getattr(self, section)}

    def __str__(self):
        return f"{len(self.wire)} octets\n{self.message}"


def check_form(question, wire):
    """What must hold of any answer, whoever may say what."""
    assert wire is not None, "no answer"
    query = encode(question)
    end = 12 + len(question.name.to_wire()) + 4
    assert wire[12:end] == query[12:end], "the question is not the one that was asked, octet by octet"
    limit = 65535 if question.tcp else min(max(question.size or 512, 512), 1232)
    assert len(wire) <= limit, "more octets than were asked for"
    answer = Answer(wire)
    assert answer.message.flags & ~(dns.flags.AA | dns.flags.TC | 15) == dns.flags.QR, "flags"
    assert (answer.message.edns == 0) == (question.size is not None), "EDNS is for those who speak it"
    if question.size is not None:
        assert bool(answer.message.ednsflags & dns.flags.DO) == question.dnssec, "DO is echoed (RFC 3225)"
    assert not (question.tcp and answer.tc), "truncated over TCP"
    return answer
