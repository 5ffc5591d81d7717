"""An answer, as the comparison with peers reads it: quickly, as it has some hundred thousand to read."""

import rawdns

PARTS = ("flags", "aa", "tc", "rcode", "question", "answer", "order", "authority", "additional", "opt", "classes", "repeats")
OPT, RRSIG = 41, 46
# Where RDATA has names that may be compressed (RFC 3597, 4), or that some server compresses all the
# same: octets before them and how many they are.
NAMES = {2: (0, 1), 3: (0, 1), 4: (0, 1), 5: (0, 1), 6: (0, 2), 7: (0, 1), 8: (0, 1), 9: (0, 1), 12: (0, 1), 14: (0, 2),
         15: (2, 1), 17: (0, 2), 18: (2, 1), 21: (2, 1), 26: (2, 2), 33: (6, 1), 36: (2, 1), 39: (0, 1)}


class Malformed(Exception):
    pass


def read_name(wire, pos):
    """(the name in lower case, where it ends)"""
    labels, end = [], None
    for _ in range(255):
        length = wire[pos]
        if length >= 0xc0:
            end = end or pos + 2
            target = (length & 0x3f) << 8 | wire[pos + 1]
            if target >= pos:
                raise Malformed("a pointer forward")
            pos = target
        elif length > 63:
            raise Malformed("a label of unknown kind")
        else:
            pos += 1 + length
            labels.append(wire[pos - 1 - length:pos])
            if length == 0:
                return b"".join(labels).lower(), end or pos
    raise Malformed("a name without an end")


def read_rdata(wire, pos, end, rrtype):
    if rrtype not in NAMES:
        return wire[pos:end]
    before, count = NAMES[rrtype]
    rdata = wire[pos:pos + before]
    pos += before
    for _ in range(count):
        name, pos = read_name(wire, pos)
        rdata += name
    if pos > end:
        raise Malformed("a name behind the end of its record")
    return rdata + wire[pos:end]


class Answer:
    """What is compared. Sections are {(name, type): (TTL, {rdata})}; order is of the answer section's
    RRsets; classes: of all records; repeats: a
    section has a record twice; opt is (size, version, flags), options {code: octets}, both None where there is no OPT."""

    def __init__(self, wire):
        self.wire = wire
        try:
            self.read()
        except IndexError:
            raise Malformed("ends too early") from None

    def read(self):
        wire = self.wire
        _, flags, questions, *counts = rawdns.HEADER.unpack_from(wire)
        self.flags = flags & ~(0x600 | 15)
        self.aa, self.tc, self.rcode = flags & 0x400 != 0, flags & 0x200 != 0, flags & 15
        self.opt = self.options = None
        self.repeats, self.classes = False, set()
        pos = 12
        for _ in range(questions):
            pos = read_name(wire, pos)[1] + 4
        self.question = wire[12:pos]
        sections = []
        for count in counts:
            pos, section = self.read_section(pos, count)
            sections.append(section)
        if pos != len(wire):
            raise Malformed("more behind its end")
        self.answer, self.authority, self.additional = sections
        self.order = list(self.answer)

    def read_section(self, pos, count):
        wire, rrsets = self.wire, {}
        for _ in range(count):
            name, pos = read_name(wire, pos)
            if pos + 10 > len(wire):
                raise Malformed("ends too early")
            rrtype, rdclass, ttl, length = rawdns.RECORD.unpack_from(wire, pos)
            pos, start = pos + 10 + length, pos + 10
            if rrtype == OPT:
                self.read_opt(name, rdclass, ttl, wire[start:pos])
                continue
            rrset_ttl, rdatas = rrsets.setdefault((name, rrtype), (ttl, set()))
            rdata = read_rdata(wire, start, pos, rrtype)
            if rrset_ttl != ttl and rrtype != RRSIG:  # RFC 4034, 3: a signature has that of what it signs
                raise Malformed(f"one RRset with two TTLs: {name} {rrtype} {rrset_ttl} {ttl}")
            self.classes.add(rdclass)
            self.repeats |= rdata in rdatas
            rdatas.add(rdata)
        return pos, rrsets

    def read_opt(self, name, size, ttl, rdata):
        if self.opt is not None or name != b"\0":
            raise Malformed("an OPT record too many, or with a name")
        self.opt, self.options, pos = (size, ttl >> 16 & 255, ttl & 0xffff), {}, 0
        self.rcode |= ttl >> 24 << 4
        while pos < len(rdata):
            code, length = rawdns.PAIR.unpack_from(rdata, pos)
            self.options[code] = rdata[pos + 4:pos + 4 + length]
            pos += 4 + length

    def is_referral(self):
        return not self.aa and not self.answer and any(rrtype == 2 for _, rrtype in self.authority)

    def differs_from(self, other):
        """The parts that are not alike: some of PARTS, and "option 10" and so on."""
        parts = {part for part in PARTS if getattr(self, part) != getattr(other, part)}
        if not self.classes or not other.classes:
            parts.discard("classes")
        if self.opt and other.opt and self.options != other.options:
            parts.update(f"option {code}" for code in self.options.keys() | other.options.keys()
                         if self.options.get(code) != other.options.get(code))
        return parts
