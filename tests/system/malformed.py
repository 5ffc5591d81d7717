"""A message for each row of the table in signpost-dns(8): what is wrong with it, octet by octet.

The rows' names are the manual's; what is answered to each stands there and only there."""

import struct

import rawdns
from rawdns import option

NAME = b"\3www\7example\3net\0"
QUESTION = NAME + struct.pack("!2H", 1, 1)
TO_QUESTION = b"\xc0\x0c"
OPT, TSIG, SIG = 41, 250, 24
IN, ANY = 1, 255


def header(qd=1, an=0, ns=0, ar=0, flags=0):
    return rawdns.HEADER.pack(0x1234, flags, qd, an, ns, ar)


def flagged(flags):
    return header(flags=flags) + QUESTION


def asked(question):
    """One question, as these octets."""
    return header() + question


def kind(rrtype, rrclass=IN):
    return asked(NAME + struct.pack("!2H", rrtype, rrclass))


def record(rrtype, rdata=b"", owner=b"\0", rrclass=IN, ttl=0, length=None):
    """length: what RDLENGTH says, if not the truth."""
    return owner + struct.pack("!2HIH", rrtype, rrclass, ttl, len(rdata) if length is None else length) + rdata


def opt(rdata=b"", owner=b"\0", size=1232, version=0, flags=0, length=None):
    return record(OPT, rdata, owner, size, version << 16 | flags, length)


def additional(*records):
    return header(ar=len(records)) + QUESTION + b"".join(records)


def ecs(family, source, scope, address):
    return option(8, struct.pack("!H2B", family, source, scope) + bytes(address))


ALGORITHM = b"\x0bhmac-sha256\0"
KEY = b"\3key\7example\3net\0"
TIMES = struct.pack("!HIH", 0, 0x6543210, 300)


def tsig(owner=KEY, algorithm=ALGORITHM, mac=bytes(32), mac_length=None, other=b"", more=b"", **fields):
    """The TSIG record (RFC 8945, 4.2) of a key that no server has."""
    rdata = (algorithm + TIMES + struct.pack("!H", len(mac) if mac_length is None else mac_length) + mac
             + struct.pack("!3H", 0x1234, 0, len(other)) + other + more)
    return record(TSIG, rdata, owner, **{"rrclass": ANY, **fields})


def labels(*lengths):
    return b"".join(bytes([length]) + b"x" * length for length in lengths) + b"\0"


ZONE = b"\7example\3net\0"
LONGEST = labels(63, 63, 63, 49)[:-1] + ZONE
TOO_LONG = labels(63, 63, 63, 50)[:-1] + ZONE
A_AND_IN = b"\0\1\0\1"
BEHIND_QUESTION = 12 + len(QUESTION)
IPV4 = ecs(1, 24, 0, [192, 0, 2])


def pointer(target):
    return struct.pack("!H", 0xc000 | target)


def a(owner):
    return record(1, b"\xc0\0\2\1", owner, ttl=60)


A = a(TO_QUESTION)

# Where there are several messages they are all answered alike.
ROWS = {
    # the header
    "short": [flagged(0)[:length] for length in range(12)],
    "header-only": header(),
    "qr": [flagged(0x8000), header(qd=0, flags=0xf800), header(flags=0x8000) + b"\xff", flagged(0x8000)[:12]],
    "opcode-query": flagged(0),
    "opcode-other": [flagged(number << 11) for number in range(1, 16)],
    "opcode-other-header": [header(qd=0, flags=number << 11) for number in range(1, 16)],
    "opcode-other-malformed": [header(flags=0x2000) + b"\xff", header(qd=0, flags=0x3000) + b"\0\1\0\1",
                               header(flags=0x2800, ns=9) + b"\7exam"],
    "flags": [flagged(0x0400), flagged(0x0200), flagged(0x0100), flagged(0x0080), flagged(0x0040), flagged(0x0020),
              flagged(0x0010), flagged(0x07f0)],
    "rcode": [flagged(code) for code in range(1, 16)],

    # counts
    "qdcount-0": header(qd=0) + QUESTION,
    "qdcount-0-opt": header(qd=0, ar=1) + opt(),
    "qdcount-2": [header(qd=2) + QUESTION + QUESTION, header(qd=2) + QUESTION, header(qd=65535) + QUESTION],
    "qdcount-2-opt": header(qd=2, ar=1) + QUESTION + QUESTION + opt(),
    "qdcount-2-tsig": header(qd=2, ar=1) + QUESTION + QUESTION + tsig(),
    "qdcount-2-version": header(qd=2, ar=1) + QUESTION + QUESTION + opt(version=1),
    "count-short": [header(an=1) + QUESTION, header(ns=1) + QUESTION, header(ar=1) + QUESTION,
                    header(an=65535, ns=65535, ar=65535) + QUESTION, header(an=2) + QUESTION + A],
    "count-short-opt": header(ar=2) + QUESTION + opt(),
    "trailing": [flagged(0) + b"x", flagged(0) + bytes(400), flagged(0) + opt()],

    # the question
    "question-pointer-self": asked(pointer(12) + A_AND_IN),
    "question-pointer-loop": asked(b"\3www" + pointer(12) + A_AND_IN),
    "question-pointer-forward": [asked(pointer(18) + A_AND_IN + NAME), asked(b"\3www" + pointer(0x3fff) + A_AND_IN)],
    "question-pointer-header": asked(b"\3www" + pointer(4) + A_AND_IN),
    "question-pointer-half": asked(b"\3www\xc0"),
    "question-label-type": [asked(b"\x41x\0" + A_AND_IN), asked(b"\x81x\0" + A_AND_IN), asked(b"\3www\x40\0" + A_AND_IN)],
    "question-label-63": asked(labels(63)[:-1] + ZONE + A_AND_IN),
    "question-label-64": asked(labels(64)[:-1] + ZONE + A_AND_IN),
    "question-name-255": asked(LONGEST + A_AND_IN),
    "question-name-256": [asked(TOO_LONG + A_AND_IN), asked(labels(*[1] * 128) + A_AND_IN)],
    "question-labels-127": asked(labels(*[1] * 127) + A_AND_IN),
    "question-name-endless": [asked(b"\3www\7exam"), asked(b"\3www\7example"), asked(b"\3www\7example\3net"), asked(b"\3")],
    "question-octets": [asked(bytes([3, octet, 0, 255]) + ZONE + A_AND_IN) for octet in range(256)],
    "question-cut": [asked(NAME), asked(NAME + b"\0"), asked(NAME + b"\0\1"), asked(NAME + b"\0\1\0")],
    "type-unknown": [kind(number) for number in (0, 129, 200, 248, 256, 65280, 65535)],
    "type-none": [kind(number) for number in (OPT, 128, TSIG)],
    "type-meta": [kind(number) for number in (249, 253, 254)],
    "type-transfer": [asked(ZONE + struct.pack("!2H", number, 1)) for number in (251, 252)],
    "type-transfer-other": [kind(251), kind(252)],
    "class-other": [kind(1, number) for number in (0, 2, 3, 4, 254, 255, 65535)],

    # other records
    "record-answer": header(an=1) + QUESTION + A,
    "record-authority": header(ns=1) + QUESTION + A,
    "record-additional": header(ar=1) + QUESTION + A,
    "record-beside-opt": [additional(A, opt()), additional(opt(), A), header(an=1, ns=1, ar=1) + QUESTION + A + A + opt()],
    "record-rdata": [header(an=1) + QUESTION + record(rrtype, rdata) for rrtype, rdata in
                     ((1, b""), (1, bytes(5)), (2, pointer(0x3fff)), (6, b"\xff"), (16, b"\5abc"), (28, bytes(15)))],
    "record-pointer-self": additional(a(pointer(BEHIND_QUESTION))),
    "record-pointer-loop": additional(a(b"\1x" + pointer(BEHIND_QUESTION))),
    "record-pointer-forward": [additional(a(pointer(BEHIND_QUESTION + 2))), additional(a(pointer(0x3fff)))],
    "record-pointer-header": additional(a(pointer(4))),
    "record-pointer-half": additional(b"\xc0"),
    "record-label-type": [additional(a(b"\x41x\0")), additional(a(b"\x81x\0"))],
    "record-name-255": additional(a(LONGEST)),
    "record-name-256": additional(a(TOO_LONG)),
    "record-name-endless": additional(b"\3www\7example"),
    "record-cut": [additional(A[:length]) for length in range(2, 12)],
    "record-rdlength": [additional(record(1, b"\xc0\0\2\1", TO_QUESTION, length=length)) for length in (5, 65535)],
    "long": additional(record(65280, bytes(4096 - BEHIND_QUESTION)), opt()),

    # OPT
    "opt": additional(opt()),
    "opt-owner": [additional(opt(owner=b"\1x\0")), additional(opt(owner=pointer(12 + len(NAME) - 1)))],
    "opt-twice": [additional(opt(), opt()), additional(opt(version=1), opt()), additional(opt(), A, opt())],
    "opt-section": [header(an=1) + QUESTION + opt(), header(ns=1) + QUESTION + opt()],
    "opt-cut": [additional(opt()[:length]) for length in range(1, 11)],
    "opt-rdlength": [additional(opt(length=4)), additional(opt(length=65535)), additional(opt(IPV4, length=100))],
    "opt-option-cut": [additional(opt(b"\0\3\0\4"[:length])) for length in (1, 2, 3)],
    "opt-option-length": [additional(opt(struct.pack("!2H", code, length) + b"ab")) for code in (8, 65001)
                          for length in (3, 65535)],
    "opt-option-unknown": [additional(opt(option(code, data) * times)) for code in (0, 1, 65001, 65535)
                           for data in (b"", b"ab") for times in (1, 2)],
    "opt-version": [additional(opt(version=version)) for version in (1, 2, 255)],
    "opt-version-malformed": additional(opt(b"\0\x08\0", version=1)),
    "opt-version-refused": header(ar=1) + NAME + b"\0\1\0\2" + opt(version=1),
    "opt-version-opcode": [header(flags=number << 11, ar=1) + QUESTION + opt(version=1) for number in range(1, 16)],
    "opt-flags": [additional(opt(flags=1 << bit)) for bit in range(15)] + [additional(opt(flags=0x7fff))],
    "opt-do": additional(opt(flags=0x8000)),
    "opt-rcode": additional(record(OPT, rrclass=1232, ttl=0xff000000)),
    "opt-size": [additional(opt(size=size)) for size in (0, 1, 511, 512, 4096, 65535)],

    # Client Subnet
    "ecs": [additional(opt(IPV4)), additional(opt(ecs(2, 56, 0, [0x20, 1, 0xd, 0xb8, 0, 0, 1])))],
    "ecs-source-0": [additional(opt(ecs(family, 0, 0, []))) for family in (0, 1, 2)],
    "ecs-family": [additional(opt(ecs(family, 24, 0, [192, 0, 2]))) for family in (0, 3, 65535)],
    "ecs-length": [additional(opt(option(8, b"\0\1\0\0"[:length]))) for length in range(4)],
    "ecs-source": [additional(opt(ecs(1, 33, 0, [192, 0, 2, 1, 0]))), additional(opt(ecs(1, 255, 0, [192] * 32))),
                   additional(opt(ecs(2, 129, 0, [0x20] + [0] * 16)))],
    "ecs-scope": [additional(opt(ecs(1, 24, scope, [192, 0, 2]))) for scope in (1, 24, 255)],
    "ecs-address-short": [additional(opt(ecs(1, 24, 0, [192, 0]))), additional(opt(ecs(1, 24, 0, [])))],
    "ecs-address-long": [additional(opt(ecs(1, 24, 0, [192, 0, 2, 0]))), additional(opt(ecs(1, 0, 0, [0])))],
    "ecs-bits": [additional(opt(ecs(1, 23, 0, [192, 0, 3]))), additional(opt(ecs(2, 1, 0, [0x40])))],
    "ecs-twice": additional(opt(IPV4 + IPV4)),

    # what else is known
    "nsid": additional(opt(option(3, b""))),
    "nsid-data": [additional(opt(option(3, bytes(length)))) for length in (1, 100)],
    "cookie": [additional(opt(option(10, bytes(length)))) for length in (8, *range(16, 41))],
    "cookie-length": [additional(opt(option(10, bytes(length)))) for length in (*range(8), *range(9, 16), 41, 65, 255)],
    "cookie-twice": [additional(opt(option(10, bytes(8)) + option(10, bytes(length)))) for length in (7, 8, 24)],
    "cookie-version": additional(opt(option(10, bytes(8)), version=1)),
    "cookie-alone": header(qd=0, ar=1) + opt(option(10, bytes(8))),
    "cookie-alone-invalid": [header(qd=0, ar=1) + opt(option(10, bytes(length))) for length in (16, 24, 40)],
    "cookie-alone-length": [header(qd=0, ar=1) + opt(option(10, bytes(length))) for length in (0, 7, 9, 15, 41)],
    "keepalive": additional(opt(option(11, b""))),
    "keepalive-data": [additional(opt(option(11, bytes(length)))) for length in (1, 2, 3)],
    "padding": [additional(opt(option(12, bytes(length)))) for length in (0, 100)],

    # extended errors
    "error-opcode": [header(flags=number << 11, ar=1) + QUESTION + opt() for number in range(1, 16)],
    "error-zone": header(ar=1) + b"\4name\2in\2no\4zone\0" + A_AND_IN + opt(),
    "error-class": [header(ar=1) + NAME + struct.pack("!2H", 1, number) + opt() for number in (0, 2, 4, 254, 255, 65535)],
    "error-type": [header(ar=1) + NAME + struct.pack("!2H", number, 1) + opt() for number in (249, 253, 254)],
    "error-transfer": [header(ar=1) + ZONE + struct.pack("!2H", number, 1) + opt() for number in (251, 252)],
    "error-transfer-other": [header(ar=1) + NAME + struct.pack("!2H", number, 1) + opt() for number in (251, 252)],

    # TSIG and SIG(0)
    "tsig": [additional(tsig()), additional(tsig(owner=b"\3key" + pointer(16))), additional(tsig(algorithm=b"\3foo\0")),
             additional(tsig(mac=b"")), additional(tsig(other=b"abcdef")), header(an=1, ar=1) + QUESTION + A + tsig()],
    "tsig-opt": additional(opt(), tsig()),
    "tsig-long": additional(tsig(owner=labels(63, 63, 63, 61), algorithm=labels(63, 63, 63, 61))),
    "tsig-opcode": [header(flags=number << 11, ar=1) + QUESTION + tsig() for number in range(1, 16)],
    "tsig-version": additional(opt(version=1), tsig()),
    "tsig-not-last": additional(tsig(), A),
    "tsig-not-last-opt": additional(tsig(), opt()),
    "tsig-twice": additional(tsig(), tsig()),
    "tsig-section": [header(an=1) + QUESTION + tsig(), header(ns=1) + QUESTION + tsig()],
    "tsig-class": additional(tsig(rrclass=IN)),
    "tsig-ttl": additional(tsig(ttl=1)),
    "tsig-owner": [additional(tsig(owner=b"\1x" + pointer(target))) for target in
                   (0, 11, BEHIND_QUESTION - 1, BEHIND_QUESTION, BEHIND_QUESTION + 2, 0x3fff)]
                  + [additional(tsig(owner=labels(63, 63, 63, 46)[:-1] + TO_QUESTION))],
    "tsig-algorithm": [additional(tsig(algorithm=TO_QUESTION)), additional(tsig(algorithm=b"\x41x\0")),
                       additional(record(TSIG, b"\x0bhmac", KEY, ANY))],
    "tsig-rdata": [additional(record(TSIG, ALGORITHM + TIMES, KEY, ANY)), additional(tsig(mac_length=65535)),
                   additional(tsig(mac_length=33)), additional(tsig(more=b"x")), additional(record(TSIG, b"", KEY, ANY))],
    "sig0": additional(record(SIG, struct.pack("!H2B3IH", 0, 13, 0, 0, 0, 0, 1) + KEY + bytes(64), rrclass=ANY)),
}


def messages(name):
    row = ROWS[name]
    return [row] if isinstance(row, bytes) else row
