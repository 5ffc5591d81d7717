"""DNS messages octet by octet, for what dnspython would not send."""

import contextlib
import ipaddress
import socket
import struct

import dns.message
import dns.name
import dns.rdatatype

HEADER = struct.Struct("!6H")
PAIR = struct.Struct("!2H")       # type and class
RECORD = struct.Struct("!HHIH")   # type, class, TTL, length of RDATA


def query(name, rrtype="A", ident=0x1234, flags=0, opt=None):
    """opt: the OPT record's RDATA; None: no EDNS."""
    head = HEADER.pack(ident, flags, 1, 0, 0, 0 if opt is None else 1)
    question = dns.name.from_text(name).to_wire() + struct.pack("!2H", dns.rdatatype.from_text(rrtype), 1)
    return head + question + (b"" if opt is None else b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(opt)) + opt)


def option(code, data):
    return struct.pack("!HH", code, len(data)) + data


def subnet(network):
    """The Client Subnet option (RFC 7871, 6) of "192.0.2.0/24"."""
    network = ipaddress.ip_network(network)
    address = network.network_address.packed[:(network.prefixlen + 7) // 8]
    return option(8, struct.pack("!HBB", 1 if network.version == 4 else 2, network.prefixlen, 0) + address)


def framed(message):
    """As it is sent over TCP (RFC 1035, 4.2.2)."""
    return struct.pack("!H", len(message)) + message


def read_message(stream):
    """Of a connection's makefile("rb"). None: the peer has ended it."""
    length = stream.read(2)
    return stream.read(int.from_bytes(length, "big")) if len(length) == 2 else None


def ask_udp(server, message, timeout=3):
    """The answer's octets; None: none came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect(server)
        sock.send(message)
        with contextlib.suppress(TimeoutError):
            return sock.recv(65535)
    return None


def header(message):
    """(id, flags, number of records in each section)"""
    ident, flags, *counts = HEADER.unpack_from(message)
    return ident, flags, counts


def rcode(message):
    return message[3] & 15
