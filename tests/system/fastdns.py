"""DNS messages by hand, for tests that ask a hundred thousand times.

dnspython is right but slow; this makes one kind of query (A or AAAA, one question, EDNS Client
Subnet) and reads of the answer what the tests compare: code, addresses, scope.
"""

import ipaddress
import select
import socket
import struct

TYPES = {"A": 1, "AAAA": 28}


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def query(ident, name, rrtype, network):
    """`network` is an ipaddress network (the client subnet) or None for no EDNS at all."""
    head = struct.pack("!6H", ident, 0, 1, 0, 0, 1 if network else 0)
    question = encode_name(name) + struct.pack("!2H", TYPES[rrtype], 1)
    if network is None:
        return head + question
    octets = (network.prefixlen + 7) // 8
    family = 1 if network.version == 4 else 2
    option = struct.pack("!HBB", family, network.prefixlen, 0) + network.network_address.packed[:octets]
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 4 + len(option)) + struct.pack("!HH", 8, len(option)) + option
    return head + question + opt


def _skip_name(message, pos):
    while True:
        length = message[pos]
        if length >= 0xC0:
            return pos + 2
        pos += 1 + length
        if length == 0:
            return pos


def answer(message):
    """(id, rcode, [addresses], ECS scope or None)"""
    ident, flags, qd, an, ns, ar = struct.unpack_from("!6H", message)
    pos = 12
    for _ in range(qd):
        pos = _skip_name(message, pos) + 4
    addresses, scope = [], None
    for number in range(an + ns + ar):
        pos = _skip_name(message, pos)
        rrtype, _, _, rdlen = struct.unpack_from("!HHIH", message, pos)
        pos += 10
        rdata = message[pos:pos + rdlen]
        pos += rdlen
        if number < an and rrtype in (1, 28):
            addresses.append(str(ipaddress.ip_address(rdata)))
        if rrtype == 41:
            option = 0
            while option < len(rdata):
                code, length = struct.unpack_from("!HH", rdata, option)
                if code == 8:
                    scope = rdata[option + 4 + 3]
                option += 4 + length
    return ident, flags & 15, addresses, scope


def ask_many(server, questions, window=256, timeout=3.0):
    """questions: [(name, rrtype, network)]; returns the answers in the same order. At most
    `window` are under way at once; one that is lost is asked again, three times."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(server)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    results = [None] * len(questions)
    for start in range(0, len(questions), window):
        # IDs of their own in each window: what was only late, and asked again, is answered twice.
        pending = {number & 0xFFFF: number for number in range(start, min(start + window, len(questions)))}
        for _ in range(3):
            for ident, number in pending.items():
                sock.send(query(ident, *questions[number]))
            while pending and select.select([sock], [], [], timeout)[0]:
                ident, *parsed = answer(sock.recv(65535))
                number = pending.pop(ident, None)
                if number is not None:
                    results[number] = tuple(parsed)
            if not pending:
                break
        assert not pending, f"{len(pending)} queries were never answered"
    sock.close()
    return results


def random_public(rng, version):
    """A random address that is globally routable by IANA's registries."""
    while True:
        if version == 4:
            address = ipaddress.IPv4Address(rng.getrandbits(32))
        else:  # 2000::/3 is all that is allocated; mostly 2001::/16, 24xx, 26xx, 28xx, 2axx, 2cxx
            first = rng.choice([0x2001, 0x2400, 0x2404, 0x2600, 0x2607, 0x2800, 0x2804, 0x2a00, 0x2a02, 0x2c0f])
            high = rng.getrandbits(16) if first != 0x2001 else rng.randrange(0x200, 0x5000)
            address = ipaddress.IPv6Address((first + rng.choice([0, 0, 1, 2]) << 112) | high << 96 | rng.getrandbits(96))
        if address.is_global and not address.is_multicast:
            return address
