"""The questions of the comparison with peers: for every name of the zones and names around it each
type that is there and some that are not; then whatever a random generator makes up."""

import collections
import contextlib
import random

import dns.name
import dns.rdatatype

import rawdns

TYPES = [dns.rdatatype.from_text(text) for text in (
    "A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "SRV", "PTR", "DS", "DNSKEY", "NSEC", "RRSIG", "HTTPS", "CAA",
    "TYPE65280", "NAPTR", "TLSA", "ANY", "CDS", "NSEC3", "NSEC3PARAM", "SVCB")]
ODD_TYPES = [0, 41, 128, 200, 249, 250, 251, 252, 253, 254, 65535]  # reserved, OPT, TKEY, TSIG, transfers, MAILB...
IN, CH, HS, NONE, ANY = 1, 3, 4, 254, 255
QUERY = 0
A, SOA, MX, TXT, DS = 1, 6, 15, 16, 43
RD, CD, AD, Z, RA, TC, AA = 0x100, 0x10, 0x20, 0x40, 0x80, 0x200, 0x400
DO = 0x8000

Edns = collections.namedtuple("Edns", "size flags version options", defaults=(0, 0, ()))
# edns: None: no OPT record. shape: a key of SHAPES.
Question = collections.namedtuple("Question", "name rrtype edns tcp rdclass opcode flags shape",
                                  defaults=(None, False, IN, QUERY, 0, ""))
SIZES = [None, Edns(512), Edns(1232), Edns(4096), Edns(1232, DO)]


# --- messages

def question_wire(question):
    return question.name.to_wire() + rawdns.PAIR.pack(question.rrtype, question.rdclass)


def opt_record(edns, owner=b"\0"):
    options = b"".join(rawdns.option(code, data) for code, data in edns.options)
    return owner + rawdns.RECORD.pack(41, edns.size, edns.version << 16 | edns.flags, len(options)) + options


def record(rrtype, rdata, ttl=60):
    """Of the name in the question."""
    return b"\xc0\x0c" + rawdns.RECORD.pack(rrtype, IN, ttl, len(rdata)) + rdata


A_RECORD = record(1, bytes([192, 0, 2, 1]))
SOA_RECORD = record(6, b"\0\0" + bytes(20))

# What else may stand in a query: ([questions, answers, authority, additional], what makes the octets
# between the header and the end of: the question, the OPT record).
SHAPES = {
    "": ((1, 0, 0, 0), lambda q, opt: q + opt),
    "no question": ((0, 0, 0, 0), lambda q, opt: opt),
    "two questions": ((2, 0, 0, 0), lambda q, opt: q + b"\xc0\x0c\0\x0f\0\x01" + opt),
    "the same question twice": ((2, 0, 0, 0), lambda q, opt: q + q + opt),
    "a record in the answer section": ((1, 1, 0, 0), lambda q, opt: q + A_RECORD + opt),
    "a record in the authority section": ((1, 0, 1, 0), lambda q, opt: q + SOA_RECORD + opt),
    "a record before the OPT record": ((1, 0, 0, 1), lambda q, opt: q + A_RECORD + opt),
    "a record behind the OPT record": ((1, 0, 0, 1), lambda q, opt: q + opt + A_RECORD),
    "octets behind the last record": ((1, 0, 0, 0), lambda q, opt: q + opt + b"\0\1\2"),
}


def encode(question):
    """As a message whose id is 0."""
    counts, body = SHAPES[question.shape]
    opt = b"" if question.edns is None else opt_record(question.edns)
    additional = counts[3] + (question.edns is not None)
    return (rawdns.HEADER.pack(0, question.opcode << 11 | question.flags, *counts[:3], additional)
            + body(question_wire(question), opt))


def is_odd(question):
    """One that a server might not answer at all."""
    return (question.opcode != QUERY or question.shape != "" or question.rdclass != IN or question.rrtype in ODD_TYPES
            or question.flags & ~(RD | AD | CD) != 0)


# --- questions about what is there, and beside it

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


def types_around(rng, names):
    """{name: types that are there}, for all names and their neighbours."""
    found = {}
    for name in sorted(names):
        few = name.labels[1:2] in ((b"mx",), (b"octet",))
        for near in (name,) if few else neighbours(rng, name):
            found.setdefault(near, set()).update(names.get(near, ()))
    return found


def questions_about(rng, around):
    found = []
    for name, here in around.items():
        if b"large" in name.labels:
            sizes = SIZES[:2] if b"1000" in name.labels[0] else SIZES
            variants = [(t, size, tcp) for t in sorted(here) for size in sizes for tcp in (False, True)]
        else:
            few = 2 if b"octet" in name.labels else 12 if here else 4
            variants = [(t, rng.choice(SIZES), rng.random() < 0.2)
                        for t in sorted(here | set(rng.sample(TYPES, few)))]
        found += [Question(mixed_case(rng, name), *variant) for variant in variants]
    return found


# --- questions at random

ELSEWHERE = [dns.name.from_text(text) for text in (
    ".", "example.", "com.", "www.example.com.", "version.bind.", "hostname.bind.", "id.server.", "localhost.", "10.in-addr.arpa.",
    "1.0.0.127.in-addr.arpa.", "home.arpa.", "invalid.", "resolver.arpa.", "authors.bind.", "version.server.")]


def random_label(rng):
    how = rng.random()
    if how < 0.3:
        return bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz0123456789-_", k=rng.randint(1, 10)))
    if how < 0.6:
        return rng.choice((b"*", b"www", b"_25", b"_tcp", b"host", b"moved", b"new", b"w", b"x" * 63, b"pool", b"ns1", b"child"))
    return rng.randbytes(rng.randint(1, 63 if how > 0.9 else 6))


def random_name(rng, names):
    if rng.random() < 0.02:
        return rng.choice(ELSEWHERE)
    labels = list(rng.choice(names).labels)
    how = rng.random()
    if how < 0.35:
        pass
    elif how < 0.7:
        labels = [random_label(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 20)))] + labels
    elif how < 0.85:
        at = rng.randrange(max(1, len(labels) - 2))
        labels[at:at + rng.randint(0, 1)] = [random_label(rng)]
    else:
        labels = labels[rng.randrange(len(labels)):]
    while sum(map(len, labels)) + len(labels) > 255:
        labels.pop(0)
    return dns.name.Name([label for label in labels[:-1] if label] + [b""])


def random_type(rng, here):
    how = rng.random()
    if here and how < 0.4:
        return rng.choice(sorted(here))
    if how < 0.93:
        return rng.choice(TYPES)
    return rng.choice(ODD_TYPES) if how < 0.98 else rng.randrange(65536)


SUBNETS = ("192.0.2.0/24", "198.51.100.77/32", "0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/25", "2001:db8::/56", "::/0", "2001:db8::1/128")
# Well-formed options of queries.
OPTIONS = (
    lambda rng: (3, b""),                                        # NSID (RFC 5001)
    lambda rng: (8, rawdns.subnet(rng.choice(SUBNETS))[4:]),     # Client Subnet (RFC 7871)
    lambda rng: (9, b""),                                        # EXPIRE (RFC 7314)
    lambda rng: (10, rng.randbytes(8)),                          # COOKIE (RFC 7873): the client's alone
    lambda rng: (10, rng.randbytes(8 + rng.randint(8, 32))),     # and a server's that nobody made
    lambda rng: (11, b""),                                       # TCP keepalive (RFC 7828)
    lambda rng: (12, bytes(rng.randint(0, 64))),                 # padding (RFC 7830)
    lambda rng: (14, b"\x4f\x66"),                               # key tag (RFC 8145)
    lambda rng: (rng.randint(5, 7), b"\x08\x0d"),                # DAU, DHU, N3U (RFC 6975)
    lambda rng: (rng.choice((0, 21, 100, 26947, 65001, 65534, 65535)), rng.randbytes(rng.randint(0, 20))),
)


def random_edns(rng):
    how = rng.random()
    if how < 0.35:
        return None
    size = rng.choice((0, 100, 511, 512, 513, 800, 1220, 1232, 1232, 1280, 4096, 4096, 65535))
    flags = (DO if rng.random() < 0.3 else 0) | (rng.randrange(0x8000) if rng.random() < 0.05 else 0)
    version = rng.choice((1, 2, 255)) if rng.random() < 0.03 else 0
    some = rng.choices(OPTIONS, k=rng.choice((1, 1, 1, 2, 3))) if rng.random() < 0.25 else ()
    options = {code: data for code, data in (option(rng) for option in some)}
    return Edns(size, flags, version, tuple(options.items()))


def random_flags(rng):
    how = rng.random()
    if how < 0.6:
        return 0
    if how < 0.85:
        return rng.choice((RD, RD | AD, RD | CD, AD, CD))
    return sum(bit for bit in (RD, CD, AD, Z, RA, TC, AA) if rng.random() < 0.3) | (rng.choice((0, 0, 0, 1, 5, 9, 15)))


def random_question(rng, names, around):
    name = random_name(rng, names)
    question = Question(mixed_case(rng, name), random_type(rng, around.get(name)), random_edns(rng), rng.random() < 0.25,
                        flags=random_flags(rng))
    how = rng.random()
    if how < 0.02:
        return question._replace(rdclass=rng.choice((CH, CH, HS, NONE, ANY, ANY, 0, 2, rng.randrange(65536))))
    if how < 0.04:
        return question._replace(opcode=rng.randint(1, 15) if rng.random() < 0.5 else rng.choice((2, 4, 5)))
    if how < 0.06:
        return question._replace(shape=rng.choice(sorted(SHAPES)))
    return question


CHAOS = [dns.name.from_text(text) for text in ("version.bind.", "version.server.", "hostname.bind.", "id.server.", "authors.bind.",
                                              "nosuch.bind.")]


def odd_questions(zones):
    """What is rare at random: each kind of oddity at least for the apex of a zone, for a name below it
    that is not there, and for a name of nobody."""
    found = []
    for origin in (*sorted(zones)[-3:], "nobody.invalid"):
        apex = dns.name.from_text(origin)
        for name in (apex, dns.name.from_text("nosuch", apex)):
            some = [Question(name, rrtype) for rrtype in ODD_TYPES]
            some += [Question(name, A, rdclass=rdclass) for rdclass in (0, 2, CH, HS, NONE, ANY)]
            some += [Question(name, SOA, opcode=opcode) for opcode in range(1, 16)]
            some += [Question(name, A, shape=shape) for shape in SHAPES]
            found += [question._replace(edns=edns, tcp=tcp) for question in some for edns, tcp in (
                (None, False), (Edns(1232), False), (Edns(1232, DO, 1), False), (Edns(4096), True))]
    for flags in (AD, CD, AD | CD | Z | RA | RD):  # an answer that is cut
        found += [Question(dns.name.from_text("mx40.large.torture.example"), MX, flags=flags)]
    found += [Question(dns.name.from_text(origin), DS, tcp=tcp) for origin in sorted(zones) for tcp in (False, True)]
    for length in range(4, 60, 4):  # a DNAME's CNAME that fits, or does not, or would be too long
        found += [Question(dns.name.Name((b"x" * length, b"y" * part, b"toolong", b"torture", b"example", b"")), A, edns)
                  for part in (1, 10, 40) for edns in SIZES[:2]]
    found += [Question(dns.name.from_text(f"a{count}.large.torture.example"), A, Edns(1232, options=((10, b"12345678"),)))
              for count in (72, 73, 74)]
    for cookie in (b"12345678", b"12345678nobody's."):
        found += [Question(dns.name.root, A, Edns(1232, options=((10, cookie),)), tcp, shape=shape)
                  for tcp in (False, True) for shape in ("", "no question", "two questions")]
    for subnet in SUBNETS:
        found += [Question(dns.name.from_text("pool.torture.example"), A, Edns(1232, options=((8, rawdns.subnet(subnet)[4:]),)))]
    for name in CHAOS:
        found += [Question(name, rrtype, Edns(1232), tcp, CH) for rrtype in (A, TXT, 255) for tcp in (False, True)]
    return found


def make_questions(names, zones, count, seed):
    rng = random.Random(seed)
    around = types_around(rng, names)
    found = questions_about(rng, around) + odd_questions(zones)
    everywhere = sorted(around)
    found = dict.fromkeys(found)  # each but once
    while len(found) < count:
        found[random_question(rng, everywhere, around)] = None
    return list(found)
