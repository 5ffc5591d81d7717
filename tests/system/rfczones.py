"""The zones of the RFC tests (tests/data/rfc), who serves them, and rows that say what is answered.

A file per RFC, test_rfcNNNN.py, has its expectations as rows of text, taken from the RFC's words and
not from what Signpost does. One Signpost serves all zones to all of these files; NSD and Knot serve
them too, for test_rfc_rows_at_peers.py, which asks them every row.

A row is one line:

    section ; question ; status ; answer ; authority ; additional  # remark

question: "name type [class] [+edns +do +rd +ad +cd +z +bufsize=N +subnet=NETWORK]"; status: rcode, then aa and tc
where they are to be set. A section is records as in a master file, with " / " between them: names
are relative to the zone of the RFC, the TTL is 3600 where there is none. "-" is no record, "?" is
whatever comes. "SOA" alone is the zone's SOA as in a negative answer, "SOA name" that of another
zone. Trailing empty sections may be left out, and are empty.
"""

import itertools
import re
import socket
import typing

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

import signpost

DATA = signpost.SOURCE / "tests/data/rfc"
TTL = 3600  # $TTL of all the zones
NEGATIVE_TTL = 300  # their SOA's MINIMUM
TRANSPORTS = ("udp", "tcp")
Z = 0x0040  # the bit of the header that is left (RFC 1035, 4.1.1; RFC 6895, 2)

SITES = {"east": (35.68, 139.69), "west": (40.71, -74.01)}
POOLS = {  # of nodes that are not probed; for one client there is one answer
    "one": """
sites:
  east:
    nodes:
      only: { address: [203.0.113.99, "2001:db8:99::99"] }
""",
    "two": """
sites:
  east:
    nodes:
      v4: { address: 203.0.113.98 }
""",
    "ruled": """
sites:
  east:
    nodes:
      e: { address: [203.0.113.1, "2001:db8:1::1"] }
  west:
    nodes:
      w: { address: [203.0.113.2, "2001:db8:2::2"] }
rules:
  - clients: [192.0.2.0/24, "2001:db8:e::/48"]
    sites: [east, west]
  - clients: [0.0.0.0/0, "::/0"]
    sites: [west, east]
""",
}


# --- rows

class Section(typing.NamedTuple):
    """What is expected of one section: [(owner, type)] in order, and {(owner, type): (TTL, {rdata})}."""
    order: list
    rrsets: dict


class Row(typing.NamedTuple):
    section: str  # of the RFC
    question: str
    status: str
    sections: list  # of three: Section, or None: whatever comes
    origin: str
    remark: str

    def __str__(self):
        return f"{self.section} {self.question}" + (f" ({self.remark})" if self.remark else "")

    @property
    def flags(self):
        return {word for word in self.status.split()[1:]}

    @property
    def rcode(self):
        return dns.rcode.from_text(self.status.split()[0])


def absolute(text, origin):
    return dns.name.from_text(text, dns.name.from_text(origin))


def soa(origin, ttl=NEGATIVE_TTL):
    return f"{origin} {ttl} SOA ns1.{origin} hostmaster.{origin} 1 7200 900 1209600 {NEGATIVE_TTL}"


def parse_record(text, origin):
    """((owner, type), TTL, rdata)"""
    words = text.split(None, 1)
    if words[0] == "SOA":
        words = soa(absolute(words[1] if len(words) > 1 else "@", origin).to_text()).split(None, 1)
    owner, rest = words
    ttl = TTL
    if rest[0].isdigit():
        first, rest = rest.split(None, 1)
        ttl = int(first)
    rrtype, data = rest.split(None, 1)
    rrtype = dns.rdatatype.from_text(rrtype)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, rrtype, data, dns.name.from_text(origin), relativize=False)
    return (absolute(owner, origin), rrtype), ttl, rdata


def parse_section(text, origin):
    if text == "?":
        return None
    section = Section([], {})
    for record in text.split(" / ") if text not in ("", "-") else ():
        key, ttl, rdata = parse_record(record.strip(), origin)
        if key not in section.rrsets:
            section.order.append(key)
        known, rdatas = section.rrsets.setdefault(key, (ttl, set()))
        assert known == ttl, f"one RRset with two TTLs is expected: {text}"
        rdatas.add(rdata)
    return section


def rows(origin, text):
    """[Row] of a text with a row a line."""
    found = []
    for line in text.strip().splitlines():
        line, _, remark = line.partition("  # ")
        if not line.strip():
            continue
        section, question, status, *records = (part.strip() for part in line.split(";"))
        records += [""] * (3 - len(records))
        found.append(Row(section, question, status, [parse_section(part, origin) for part in records], origin,
                         remark.strip()))
    return found


def ids(row):
    return str(row)


# --- questions

FLAGS = {"+rd": dns.flags.RD, "+ad": dns.flags.AD, "+cd": dns.flags.CD, "+z": Z}


def query(question, origin="."):
    """A dns.message.Message of a row's question."""
    name, rrtype, *words = question.split()
    rdclass = words.pop(0) if words and words[0][0] != "+" else "IN"
    message = dns.message.Message()
    message.find_rrset(message.question, absolute(name, origin), dns.rdataclass.from_text(rdclass),
                       dns.rdatatype.from_text(rrtype), create=True, force_unique=True)
    size, do, options = None, False, []
    for word in words:
        if word in FLAGS:
            message.flags |= FLAGS[word]
        elif word == "+do":
            do, size = True, size or 1232
        elif word == "+edns":
            size = size or 1232
        elif word.startswith("+subnet="):
            address, _, length = word.partition("=")[2].partition("/")
            options.append(dns.edns.ECSOption(address, int(length)))
            size = size or 1232
        else:
            assert word.startswith("+bufsize="), word
            size = int(word.partition("=")[2])
    if size is not None:
        message.use_edns(0, dns.flags.DO if do else 0, size, options=options)
    return message


def ask_wire(server, wire, tcp, timeout=3):
    """The answer's octets."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(timeout * signpost.SLOW)
        sock.connect(server)
        if not tcp:
            sock.send(wire)
            return sock.recv(65535)
        sock.sendall(len(wire).to_bytes(2, "big") + wire)
        stream = sock.makefile("rb")
        return stream.read(int.from_bytes(stream.read(2), "big"))


def ask(server, message, transport):
    """The answer as a dns.message.Message, and its octets."""
    wire = ask_wire(server, message.to_wire(), transport == "tcp")
    return dns.message.from_wire(wire), wire


# --- answers

def read_section(section):
    """A Section of a message's section. RRSIGs are one RRset, whatever types they cover."""
    read = Section([], {})
    for rrset in section:
        key = (rrset.name, rrset.rdtype)
        assert key not in read.rrsets or rrset.covers, f"an RRset in two parts: {section}"
        if key not in read.rrsets:
            read.order.append(key)
        ttl, rdatas = read.rrsets.setdefault(key, (rrset.ttl, set()))
        assert ttl == rrset.ttl, f"an RRset with two TTLs: {section}"
        rdatas.update(rrset)
    return read


def show(section):
    return [f"{name} {ttl} {dns.rdatatype.to_text(rrtype)} {sorted(map(str, rdatas))}"
            for (name, rrtype), (ttl, rdatas) in section.rrsets.items()]


def differences(row, reply):
    """What of a reply is not as the row says: [(part, expected, found)]."""
    found = []
    if reply.rcode() != row.rcode:
        found.append(("rcode", dns.rcode.to_text(row.rcode), dns.rcode.to_text(reply.rcode())))
    for text, flag in (("aa", dns.flags.AA), ("tc", dns.flags.TC)):
        if (text in row.flags) != bool(reply.flags & flag):
            found.append((text, text in row.flags, bool(reply.flags & flag)))
    for name, expected, section in zip(("answer", "authority", "additional"), row.sections,
                                       (reply.answer, reply.authority, reply.additional)):
        section = read_section(section)
        if expected is not None and expected.rrsets != section.rrsets:
            found.append((name, show(expected), show(section)))
    return found


def check_header(message, wire, reply, reply_wire, tcp):
    """What holds of every answer, whatever is asked."""
    assert reply.id == message.id
    assert reply.flags & dns.flags.QR
    assert reply.opcode() == message.opcode()
    question = message.question[0].name.to_wire() + wire[12 + len(message.question[0].name.to_wire()):][:4]
    assert reply_wire[12:12 + len(question)] == question, "the question is not repeated octet by octet"
    assert bool(reply.flags & dns.flags.RD) == bool(message.flags & dns.flags.RD), "RD is copied (RFC 1035, 4.1.1)"
    for bit, name in ((dns.flags.RA, "RA"), (Z, "Z"), (dns.flags.AD, "AD"), (dns.flags.CD, "CD")):
        assert not reply.flags & bit, name
    assert (reply.edns >= 0) == (message.edns >= 0), "OPT where there was one in the query (RFC 6891, 6.1.1)"
    limit = 65535 if tcp else 512 if message.edns < 0 else min(max(512, message.payload), 1232)
    assert len(reply_wire) <= limit


def check(server, row, transport):
    """Asks the row's question; the answer is to be what the row says."""
    message = query(row.question, row.origin)
    wire = message.to_wire()
    reply, reply_wire = ask(server, message, transport)
    check_header(message, wire, reply, reply_wire, transport == "tcp")
    wrong = differences(row, reply)
    assert not wrong, f"{row}:\n" + "\n".join(f"{part}: {a}, not {b}" for part, a, b in wrong) + f"\n{reply}"
    if row.sections[0] is not None:
        assert read_section(reply.answer).order == row.sections[0].order, "the answer's RRsets are not in the order of the chain"
    return reply


# --- zones

def zone_files():
    """{origin: path}, of those without a root zone."""
    return {path.stem: path for path in sorted(DATA.glob("*.zone"))}


# What POOL records are to a server that has none: what they answer to a client without subnet.
POOL_RECORD = re.compile(r"^(\S+)[ \t]+(?:(\d+)[ \t]+)?POOL[ \t]+(\S+)[ \t]*$", re.MULTILINE)
AS_RECORDS = {
    "one": ("A 203.0.113.99", "AAAA 2001:db8:99::99"), "two": ("A 203.0.113.98",),
    "ruled": ("A 203.0.113.2", "AAAA 2001:db8:2::2"), "ruled/east": ("A 203.0.113.1", "AAAA 2001:db8:1::1"),
}


def without_pools(text):
    def records(match):
        return "\n".join(f"{match[1]} {match[2] or ''} {record}" for record in AS_RECORDS[match[3]])
    return POOL_RECORD.sub(records, text)


def write_pools(server):
    for name, sites in POOLS.items():
        server.zone_file(f"{name}.pool.yaml").write_text(f"pool: {name}\n{sites}")


def start(server):
    """All zones and pools on a Signpost that is not started."""
    server.write_server_file(SITES)
    write_pools(server)
    for path in zone_files().values():
        server.zone_file(path.name).write_text(path.read_text())
    return server.start()


def both(table):
    """Parameters (row, transport) of a table."""
    return list(itertools.product(table, TRANSPORTS))
