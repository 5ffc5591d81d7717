"""EDNS options and server cookies for the tests: made here from the RFCs, not from what Signpost does."""

import contextlib
import ipaddress
import socket
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.query

import rawdns
import signpost

NSID, COOKIE, KEEPALIVE, PADDING, EDE = 3, 10, 11, 12, 15
BADCOOKIE = 23
TRANSPORTS = ("udp", "tcp")

ZONE = """$TTL 60
@ SOA ns1 hostmaster 1 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
vpn 30 POOL edge
down 30 POOL down
loop1 CNAME loop2
loop2 CNAME loop1
out CNAME www.example.org.
texts TXT {texts}
""".format(texts=" ".join(f'"{letter * 250}"' for letter in "abcd")) + "".join(
    f"c{i} CNAME c{i + 1}\n" for i in range(20)) + "c20 A 192.0.2.20\n"

POOL = """pool: {name}
fallback: none
{probes}sites:
  tokyo:
    nodes:
      {name}-1: {{ address: 203.0.113.10 }}
"""


@contextlib.contextmanager
def running(extra="", **keywords):
    """A Signpost for z.test; `extra` is of the server file. Pool "down" has a node that is down."""
    with signpost.world(**keywords) as (server, _):
        configure(server, extra)
        server.start()
        yield server


def configure(server, extra=""):
    server.write_server_file({"tokyo": (35.68, 139.69)}, extra)
    server.zone_file("z.test.zone").write_text(ZONE)
    probes = f"probes:\n  - {{ kind: tcp, port: {signpost.free_port()}, interval: 200ms, timeout: 100ms, fall: 1 }}\n"
    server.zone_file("edge.pool.yaml").write_text(POOL.format(name="edge", probes=""))
    server.zone_file("down.pool.yaml").write_text(
        POOL.format(name="down", probes=probes).replace("203.0.113.10", "127.0.0.1"))


def query(name="www.z.test.", rrtype="A", options=(), edns=True, rdclass="IN", size=1232):
    """options: {code: octets} or [(code, octets)]"""
    message = dns.message.make_query(name, rrtype, rdclass)
    message.flags &= ~dns.flags.RD
    options = options.items() if isinstance(options, dict) else options
    if edns:
        message.use_edns(0, payload=size, options=[dns.edns.GenericOption(code, data) for code, data in options])
    return message


def ask(server, message, transport="udp"):
    """A dns.message.Message; TC is not followed."""
    send = dns.query.tcp if transport == "tcp" else dns.query.udp
    reply = send(message, "127.0.0.1", port=server.port, timeout=3 * signpost.SLOW)
    assert (reply.edns >= 0) == (message.edns >= 0)
    return reply


def options(reply):
    """{code: octets}; each once."""
    found = {option.otype: option.to_wire() for option in reply.options}
    assert len(found) == len(reply.options)
    return found


def error(reply):
    """(code, text) of an Extended DNS Error; None: there is none."""
    for option in reply.options:
        if option.otype == EDE:
            assert isinstance(option, dns.edns.EDEOption)
            return int(option.code), option.text
    return None


def send_wire(server, wire, transport="udp"):
    """The answer's octets."""
    if transport == "udp":
        return rawdns.ask_udp(server.server, wire, 3 * signpost.SLOW)
    with socket.create_connection(server.server, 3 * signpost.SLOW) as sock:
        sock.sendall(rawdns.framed(wire))
        return rawdns.read_message(sock.makefile("rb"))


def without_question(cookie, transport, server, opt=True):
    """The answer to a message that has no question; cookie None: nor that option."""
    wire = rawdns.HEADER.pack(0x1234, 0, 0, 0, 0, int(opt))
    if opt:
        option = rawdns.option(COOKIE, cookie) if cookie is not None else b""
        wire += b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(option)) + option
    return dns.message.from_wire(send_wire(server, wire, transport))


# --- cookies

MASK = (1 << 64) - 1


def siphash24(key, data):
    """SipHash-2-4 (Aumasson, Bernstein 2012): 8 octets, little-endian."""
    def rotate(value, bits):
        return (value << bits | value >> (64 - bits)) & MASK

    def rounds(count):
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0, v2 = (v0 + v1) & MASK, (v2 + v3) & MASK
            v1, v3 = rotate(v1, 13) ^ v0, rotate(v3, 16) ^ v2
            v0 = rotate(v0, 32)
            v2, v0 = (v2 + v1) & MASK, (v0 + v3) & MASK
            v1, v3 = rotate(v1, 17) ^ v2, rotate(v3, 21) ^ v0
            v2 = rotate(v2, 32)

    k0, k1 = struct.unpack("<2Q", key)
    v0, v1 = k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d
    v2, v3 = k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573
    words = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for (word,) in struct.iter_unpack("<Q", words):
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xff
    rounds(4)
    return struct.pack("<Q", v0 ^ v1 ^ v2 ^ v3)


def server_cookie(secret, client_cookie, address="127.0.0.1", made=None, reserved=bytes(3), version=1):
    """Client and server cookie (RFC 9018, 4). made: unix time; None: now."""
    made = int(time.time()) if made is None else made
    head = client_cookie + bytes([version]) + reserved + struct.pack("!I", made % (1 << 32))
    return head + siphash24(secret, head + ipaddress.ip_address(address).packed)


def made_at(cookie):
    assert len(cookie) == 24 and cookie[8:12] == b"\1\0\0\0"
    return struct.unpack("!I", cookie[12:16])[0]
