"""Malformed and unusual messages, row by row as signpost-dns(8) says: its tables are read from the
manual, the messages are made in malformed.py, and each is sent over UDP and over TCP (RFC 9267)."""

import re
import socket
import struct
import unittest.mock

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

import malformed
import rawdns
import signpost

MANUAL = signpost.SOURCE / "man/signpost-dns.8"
OPTIONS = {"NSID": 3, "ECS": 8, "COOKIE": 10, "KEEPALIVE": 11}
EDE = 15
NEXT = rawdns.query("ns1.example.net.", ident=0x4321)  # what is asked behind each message


def documented(section):
    """{row: its result} of one section of the manual."""
    text = re.search(rf"^\.Sh {section}\n(.*?)(?=^\.Sh )", MANUAL.read_text(), re.DOTALL | re.MULTILINE).group(1)
    rows = re.findall(r"^\.It (\S+)\n\.Sy (.*)\.$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)) == text.count("\n.It "), "each row once, and each with its result"
    return dict(rows)


MESSAGES, STREAMS = documented("MESSAGES"), documented("TCP")


@pytest.fixture(scope="module")
def udp(sample):
    """One socket, so that one worker gets it all and answers in order."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5 * signpost.SLOW)
        sock.connect(sample.server)
        yield sock


@pytest.fixture(scope="module")
def connect(sample):
    """Opens a connection: (socket, stream)."""
    opened = []

    def connection():
        sock = socket.create_connection(sample.server, 5 * signpost.SLOW)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.append(sock)
        return sock, sock.makefile("rb")

    yield connection
    for sock in opened:
        sock.close()


@pytest.fixture(scope="module")
def tcp(connect):
    return connect()


def is_next(answer):
    return answer is not None and rawdns.header(answer)[:2] == (0x4321, 0x8400)


def ask_udp(sock, message):
    """The answer; None: the next message was answered and this one was not."""
    sock.send(message)
    sock.send(NEXT)
    answer = sock.recv(65535)
    if is_next(answer):
        return None
    assert is_next(sock.recv(65535))
    return answer


def ask_tcp(connection, message):
    sock, stream = connection
    sock.sendall(rawdns.framed(message) + rawdns.framed(NEXT))
    answer = rawdns.read_message(stream)
    if is_next(answer):
        return None
    assert is_next(rawdns.read_message(stream))
    return answer


def tokens(result, transport):
    """What an answer has: "TC over UDP" is TC over UDP and nothing over TCP."""
    parts = [part.partition(" over ") for part in result.split(", ")]
    return [what for what, _, where in parts if where in ("", transport)]


def question_of(message):
    """The octets of the first question."""
    end = 12
    while message[end] != 0:
        end += 1 + message[end]
    return message[12:end + 5]


def read(answer):
    """Raises where anything is not well-formed, or octets are left. What dnspython cannot read is
    put otherwise: operation codes, and family 0 of a client subnet; no key is needed for TSIG."""
    wire = answer[:2] + bytes([answer[2] & 0x87]) + answer[3:]
    wire = wire.replace(rawdns.option(8, b"\0\0\0\0"), rawdns.option(8, b"\0\1\0\0"))
    with unittest.mock.patch("dns.tsig.validate"):
        return dns.message.from_wire(wire, keyring=False)


def check_header(query, answer, counts_question):
    ident, flags, counts = rawdns.header(answer)
    asked_ident, asked_flags, _ = rawdns.header(query)
    assert ident == asked_ident
    assert flags & dns.flags.QR
    assert flags & 0x7900 == asked_flags & 0x7900, "operation code and RD are copied"
    assert flags & 0x00f0 == 0, "RA, Z, AD and CD are 0"
    assert counts[0] == counts_question
    if counts_question:
        assert answer[12:].startswith(question_of(query)), "the question, octet by octet"


def check_tsig(query, answer, message):
    """RFC 8945, 5.2.1 and 5.3.2; of the query, its last record."""
    asked = read(query).tsig
    (told,) = message.tsig
    assert message.tsig.name == asked.name
    assert (told.algorithm, told.time_signed, told.fudge) == (asked[0].algorithm, asked[0].time_signed, asked[0].fudge)
    assert (told.mac, told.error, told.other) == (b"", 17, b"")
    assert told.original_id == asked[0].original_id
    assert answer.endswith(struct.pack("!3H", told.original_id, 17, 0)), "it is the last record"


def check(query, answer, result, transport):
    wanted = tokens(result, transport)
    if wanted == ["dropped"]:
        assert answer is None
        return
    assert answer is not None, "dropped"
    message = read(answer)
    check_header(query, answer, "no question" not in wanted)
    assert dns.rcode.to_text(message.rcode()) == wanted[0]
    has = {"OPT": message.edns >= 0, "DO": message.ednsflags & dns.flags.DO != 0, "TSIG": message.had_tsig,
           "TC": message.flags & dns.flags.TC != 0,
           **{name: code in [option.otype for option in message.options] for name, code in OPTIONS.items()},
           **{f"EDE {option.code}": True for option in message.options if option.otype == EDE}}
    assert {what for what in has if has[what]} == set(wanted[1:]) - {"no question"}
    assert message.edns <= 0, "version 0"
    assert message.ednsflags & 0x7fff == 0, "flags that nobody knows are 0"
    assert {option.otype for option in message.options} <= {*OPTIONS.values(), EDE}
    if wanted[0] == "NOERROR" and query[12:].startswith(malformed.QUESTION):
        assert message.answer[-1].rdtype == dns.rdatatype.A and message.flags & dns.flags.AA
    if wanted[0] in ("FORMERR", "NOTIMP", "BADVERS", "NOTAUTH"):
        assert not message.answer and not message.authority and not message.additional and not message.flags & dns.flags.AA
    if message.had_tsig:
        check_tsig(query, answer, message)


def test_every_row_of_the_manual_is_tested_and_every_test_is_documented():
    assert list(MESSAGES) == list(malformed.ROWS), "and in the same order"
    assert len(MESSAGES) > 90


@pytest.mark.parametrize("row", MESSAGES)
def test_message_is_answered_as_the_manual_says(row, udp, tcp):
    for query in malformed.messages(row):
        check(query, ask_udp(udp, query), MESSAGES[row], "UDP")
        check(query, ask_tcp(tcp, query), MESSAGES[row], "TCP")


def test_every_cut_of_every_message_is_answered_or_dropped(udp):
    """Whatever the result, it is well-formed; and nobody answers what has QR set or is no header."""
    for row in MESSAGES:
        for query in [] if row == "long" else malformed.messages(row)[:2]:
            for length in range(len(query)):
                answer = ask_udp(udp, query[:length])
                assert (answer is None) == (length < 12 or query[2] & 0x80 != 0)
                if answer is not None:
                    read(answer)
                    assert rawdns.header(answer)[0] == 0x1234


def test_amplification_rule_holds_for_every_message(fresh):
    """Twice the query is what signpost.yaml(5) allows at least: errors, echoes and keys fit, too."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.config.write_text(server.config.read_text() + "\namplification: 2\n")
    server.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5 * signpost.SLOW)
        sock.connect(server.server)
        for row in MESSAGES:
            for query in malformed.messages(row):
                answer = ask_udp(sock, query)
                assert (answer is None) == (MESSAGES[row] == "dropped")
                assert answer is None or len(answer) <= 2 * len(query) and read(answer), row


# --- streams

def length_prefixes(*lengths):
    return b"".join(struct.pack("!H", length) + b"\1" * length for length in lengths)


GOOD = malformed.flagged(0)
# Segments to send, in front of a good query, and how many answers there are to them.
SEGMENTS = {
    "tcp-length-0": ([length_prefixes(*[0] * 1000)], 0),
    "tcp-length-short": ([length_prefixes(*range(12))], 0),
    "tcp-length-12": ([rawdns.framed(malformed.header())], 1),
    # Behind its end there are \0\1, which is the length of a message of one octet.
    "tcp-length-too-small": ([struct.pack("!H", len(GOOD) - 2) + GOOD + b"x"], 1),
    "tcp-length-too-large": ([struct.pack("!H", len(GOOD) + 1000) + GOOD], 0),
    "tcp-many-in-one": ([rawdns.framed(GOOD) * 100], 100),
    "tcp-one-in-many": ([bytes([octet]) for octet in rawdns.framed(GOOD)], 1),
}


def test_every_stream_of_the_manual_is_tested_and_documented():
    assert list(STREAMS) == list(SEGMENTS)


@pytest.mark.parametrize("row", STREAMS)
def test_stream_is_answered_as_the_manual_says(row, connect):
    sock, stream = connect()
    segments, count = SEGMENTS[row]
    for segment in segments:
        sock.sendall(segment)
    sock.sendall(rawdns.framed(NEXT))
    result = STREAMS[row].split(", ")
    if result == ["waits"]:
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(5 * signpost.SLOW)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
        return
    for _ in range(count):
        answer = rawdns.read_message(stream)
        check_header(GOOD, answer, "no question" not in result)
        assert dns.rcode.to_text(rawdns.rcode(answer)) == result[0]
    assert is_next(rawdns.read_message(stream))
