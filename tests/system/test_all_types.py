"""What a zone file says of each type comes over the wire octet by octet as BIND compiles the same text.

named-compilezone writes its raw format, which holds RDATA as it is sent, so neither side's idea of
text takes part.
"""

import socket
import struct
import subprocess

import dns.message
import dns.name
import dns.rdatatype
import dns.wire
import pytest

import rawdns
import signpost
import test_zone_agreement
import zonefiles

GROUPS = (zonefiles.SYNTAX, zonefiles.NAMES, zonefiles.FIELDS, zonefiles.RDATA)
# Those that both load; not what lies outside the zone, nor what cannot be asked for at example.com alone.
ROWS = [name for group in GROUPS for name, _ in group
        if test_zone_agreement.EXPECTED[name][0] == test_zone_agreement.EXPECTED[name][2] == "+"
        and "outside" not in name and name not in ("name-root", "name-of-the-parent", "only-the-head")]

# All that ldns parses but MD, MF (refused) and those of RFC 3597's form alone; NSD-PTR and GPOS as they are.
TYPES = """A AAAA AFSDB AMTRELAY APL AVC CAA CDNSKEY CDS CERT CSYNC DHCID DLV DNSKEY DOA DS EID EUI48 EUI64 GPOS HINFO HIP
    HTTPS IPSECKEY ISDN KEY KX L32 L64 LOC LP MB MG MINFO MR MX NAPTR NID NIMLOC NINFO NSAP NSAP-PTR NSEC NSEC3 NSEC3PARAM
    NULL OPENPGPKEY PTR PX RESINFO RKEY RP RRSIG RT SIG SMIMEA SPF SRV SSHFP SVCB TA TALINK TLSA TXT URI WALLET WKS X25
    ZONEMD""".split()


def raw_rrsets(data):
    """{(owner, type number): (ttl, [RDATA])} of named-compilezone's raw format, version 1."""
    at, found = 24, {}
    while at < len(data):
        size, _, rrtype, _, ttl, count, name_len = struct.unpack_from("!IHHHIIH", data, at)
        end, at = at + size, at + 20
        owner = dns.name.from_wire(data[at:at + name_len], 0)[0]
        at += name_len
        rdatas = []
        for _ in range(count):
            length, = struct.unpack_from("!H", data, at)
            rdatas.append(data[at + 2:at + 2 + length])
            at += 2 + length
        assert at == end
        found[owner, rrtype] = ttl, rdatas
    return found


def compile_raw(origin, path, folder):
    raw = folder / f"{origin}.raw"
    subprocess.run(["named-compilezone", "-i", "none", "-k", "ignore", "-F", "raw=1", "-o", raw, origin, path],
                   cwd=path.parent, check=True, capture_output=True, timeout=60)
    return raw_rrsets(raw.read_bytes())


def text_for(row, origin):
    """A few rows say example.com in full."""
    return zonefiles.ROWS[row]["zone"].replace(b"example.com.", origin.encode() + b".") \
        .replace(b"EXAMPLE.COM.", origin.upper().encode() + b".")


# Types whose names may be compressed (RFC 3597, 4): octets before them, and how many they are.
NAMES = {2: (0, 1), 5: (0, 1), 6: (0, 2), 7: (0, 1), 8: (0, 1), 9: (0, 1), 12: (0, 1), 14: (0, 2), 15: (2, 1)}


def uncompressed(parser, rrtype, end):
    before, names = NAMES.get(rrtype, (0, 0))
    data = parser.get_bytes(before) + b"".join(parser.get_name().to_wire() for _ in range(names))
    return data + parser.get_bytes(end - parser.current)


def ask_raw(server, owner, rrtype):
    """The answer section over TCP, its RDATA not interpreted: [(owner, type, TTL, RDATA)]."""
    query = dns.message.make_query(owner, rrtype).to_wire()
    with socket.create_connection(server.server, timeout=5) as stream:
        stream.sendall(rawdns.framed(query))
        reply = rawdns.read_message(stream.makefile("rb"))
    assert rawdns.rcode(reply) == 0
    parser = dns.wire.Parser(reply, len(query))  # the question comes back as it was
    found = []
    for _ in range(struct.unpack_from("!H", reply, 6)[0]):
        name = parser.get_name()
        rrtype, rrclass, ttl, length = parser.get_struct("!HHIH")
        assert rrclass == 1
        found.append((name, rrtype, ttl, uncompressed(parser, rrtype, parser.current + length)))
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(server, {row: its RRsets as BIND has them})"""
    folder = tmp_path_factory.mktemp("raw")
    with signpost.world("signpost-types-") as (server, _):
        server.write_server_file({"tokyo": (35.68, 139.69)})
        expected = {}
        for number, row in enumerate(ROWS):
            origin = f"row{number:03}.test"[-11:]  # no longer than example.com, for names of 255 octets
            path = server.zone_file(f"{origin}.zone")
            path.write_bytes(text_for(row, origin))
            expected[row] = compile_raw(origin, path, folder)
        yield server.start(), expected


@pytest.mark.parametrize("row", ROWS)
def test_rdata_on_the_wire_is_what_bind_makes_of_the_text(served, row):
    server, expected = served
    assert len(expected[row]) >= 3
    for (owner, rrtype), (ttl, rdatas) in expected[row].items():
        found = ask_raw(server, owner, rrtype)
        assert {rr[:3] for rr in found} == {(owner, rrtype, ttl)}
        assert sorted(rdata for _, _, _, rdata in found) == sorted(rdatas)


def test_no_type_is_left_out(served):
    _, expected = served
    numbers = {rrtype for rrsets in expected.values() for _, rrtype in rrsets}
    known = {"AVC": 258, "AMTRELAY": 260, "DOA": 259, "RESINFO": 261, "WALLET": 262, "NINFO": 56, "RKEY": 57, "TALINK": 58,
             "TA": 32768, "DLV": 32769, "EID": 31, "NIMLOC": 32, "NSAP-PTR": 23, "GPOS": 27, "SIG": 24}
    missing = [name for name in TYPES if (known.get(name) or dns.rdatatype.from_text(name)) not in numbers]
    assert missing == []


def test_a_txt_record_near_64_kib_goes_over_tcp_and_is_truncated_over_udp(served):
    server, expected = served
    (owner, _), (_, rdatas) = next(item for item in expected["txt-near-64k"].items() if item[0][1] == 16)
    assert len(rdatas[0]) == 65280
    for options in ({}, {"use_edns": 0, "payload": 1232}):
        query = dns.message.make_query(owner, "TXT", **options)
        assert server.ask(owner, message=query, tcp=True).answer[0][0].to_wire() == rdatas[0]
        over_udp = server.ask(owner, message=query)
        assert over_udp.flags & 0x0200 and over_udp.answer == []
