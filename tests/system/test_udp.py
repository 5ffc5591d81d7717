"""UDP sockets on the wildcard addresses, as a default installation has them, and odd datagrams."""

import re
import socket

import dns.rcode
import pytest

import rawdns
import signpost


@pytest.fixture(scope="module")
def server():
    with signpost.world() as (server, nodes):
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        text = server.config.read_text()
        server.config.write_text(re.sub(r"^listen:.*$", f'listen: ["0.0.0.0:{server.port}", "[::]:{server.port}"]', text,
                                        flags=re.MULTILINE))
        yield server.start()


def own_ipv6():
    """Global addresses of this host, and its link-local ones as getaddrinfo takes them."""
    found = ["::1"]
    for line in open("/proc/net/if_inet6"):
        digits, _, _, scope, flags, interface = line.split()
        address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
        if scope == "00" and int(flags, 16) & 0x40 == 0:  # not tentative
            found.append(address)
        elif scope == "20":
            found.append(f"{address}%{interface}")
    return sorted(set(found))


ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.200.3.4"] + own_ipv6()


@pytest.mark.parametrize("address", ADDRESSES)
def test_answer_leaves_from_the_address_that_was_asked(server, address):
    """RFC 2181, 4.1"""
    family, _, _, _, to = socket.getaddrinfo(address, server.port, type=socket.SOCK_DGRAM)[0]
    query = rawdns.query("www.example.net.")
    for _ in range(5):  # the client's port says which worker's socket it is
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(3)
            sock.sendto(query, to)
            answer, source = sock.recvfrom(65535)
            assert source[:2] == to[:2] and rawdns.rcode(answer) == 0
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(3)
        sock.connect(to)
        sock.sendall(rawdns.framed(query))
        assert rawdns.read_message(sock.makefile("rb")) == answer


def test_client_at_an_ipv6_address_is_steered(server):
    """The source address is the client network where there is no Client Subnet: that of this host,
    which no database knows, so any node will do."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.sendto(rawdns.query("vpn.example.net."), ("::1", server.port))
        answer = sock.recv(65535)
    assert rawdns.header(answer)[2] == [1, 1, 0, 0]


@pytest.mark.parametrize("size, rcode", [(4096, dns.rcode.NOERROR), (4097, dns.rcode.FORMERR), (60000, dns.rcode.FORMERR)])
def test_datagram_that_is_larger_than_any_query_is_a_format_error(server, size, rcode):
    start = rawdns.query("www.example.net.", opt=b"")
    answer = rawdns.ask_udp(server.server, rawdns.query("www.example.net.", opt=rawdns.option(12, bytes(size - len(start) - 4))))
    assert rawdns.rcode(answer) == rcode and len(answer) < 100


@pytest.mark.parametrize("message", [b"", b"\x12\x34", rawdns.query("www.example.net.")[:11],
                                     rawdns.query("www.example.net.", flags=0x8000)],
                         ids=["empty", "an id", "11 octets", "an answer"])
def test_what_is_no_question_gets_no_answer(server, message):
    assert rawdns.ask_udp(server.server, message, timeout=0.2) is None


HEADER_ONLY = b"\x12\x34" + rawdns.HEADER.pack(0, 0, 1, 0, 0, 0)[2:]


WWW = rawdns.query("www.example.net.")
ODD = {  # message, its answer's code, and whether the question is understood, and so repeated
    "header only": (HEADER_ONLY, "FORMERR", False),
    "no question": (b"\x12\x34" + bytes(10), "FORMERR", False),
    "half a class": (WWW[:-1], "FORMERR", False),
    "a name that is a pointer to itself": (HEADER_ONLY + b"\xc0\x0c\0\1\0\1", "FORMERR", False),
    "a label of 65 octets": (HEADER_ONLY + b"\x41" + bytes(0x41) + b"\0\0\1\0\1", "FORMERR", False),
    "octets behind the message": (WWW + b"behind", "NOERROR", True),  # as NSD takes it
    "STATUS": (rawdns.query("www.example.net.", flags=0x1000), "NOTIMP", True),
    "NOTIFY": (rawdns.query("www.example.net.", flags=0x2000), "NOTIMP", True),
    "UPDATE": (rawdns.query("www.example.net.", flags=0x2800), "NOTIMP", True),
    "stateful operations (RFC 8490, 5.1.2)": (b"\x12\x34\x30\0" + bytes(8), "NOTIMP", False),
    "class CH": (WWW[:-2] + b"\0\3", "REFUSED", True),
    "AXFR": (rawdns.query("example.net.", "AXFR"), "REFUSED", True),
    "an option that is cut": (rawdns.query("www.example.net.", opt=b"\0\x0a\0\x08abc"), "FORMERR", True),
    "an unknown option (RFC 6891, 6.1.2)": (rawdns.query("www.example.net.", opt=b"\xfd\xe9\0\3abc"), "NOERROR", True),
}


@pytest.mark.parametrize("message, rcode, question", ODD.values(), ids=ODD)
def test_odd_messages_get_the_right_code(server, message, rcode, question):
    answer = rawdns.ask_udp(server.server, message)
    ident, flags, counts = rawdns.header(answer)
    assert ident == 0x1234 and flags & 0x8000 and flags & 0x7800 == message[2] << 8 & 0x7800
    assert dns.rcode.to_text(rawdns.rcode(answer)) == rcode
    assert counts[0] == int(question)
    if question:
        end = message.index(b"\7example") + 13 + 4
        assert answer[12:end] == message[12:end]
