"""RFC 3597: types that nobody knows are served as they are; names are compressed in well-known types alone."""

import struct

import dns.name
import dns.rdata
import dns.rdatatype
import pytest

import rfczones

ROWS = rfczones.rows("rfc3597.test.", r"""
3 ; u TYPE731 ; NOERROR aa ; u TYPE731 \# 6 abcdef012345
3 ; u TYPE62347 ; NOERROR aa ; u TYPE62347 \# 0  # no octets at all
3 ; u TYPE65280 ; NOERROR aa ; u TYPE65280 \# 3 010203 / u TYPE65280 \# 3 010204  # an RRset
3 ; u TYPE65281 ; NOERROR aa ; u TYPE65281 \# 2 beef
3 ; u TYPE65282 ; NOERROR aa ; - ; SOA  # no data, of a type that nobody knows
3 ; u A ; NOERROR aa ; - ; SOA
3 ; nothing TYPE731 ; NXDOMAIN aa ; - ; SOA
3 ; host TYPE65281 ; NOERROR aa ; - ; SOA
3 ; @ TYPE1000 ; NOERROR aa ; - ; SOA
3 ; host TYPE127 ; NOERROR aa ; - ; SOA  # the last type of data below the question types
3 ; host TYPE256 ; NOERROR aa ; - ; SOA  # the first above them
3 ; host TYPE65535 ; NOERROR aa ; - ; SOA
3 ; x.wild TYPE731 ; NOERROR aa ; x.wild TYPE731 \# 2 cafe
3 ; alias TYPE731 ; NOERROR aa ; alias CNAME u / u TYPE731 \# 6 abcdef012345
3 ; alias TYPE65282 ; NOERROR aa ; alias CNAME u ; SOA
3 ; cut TYPE731 ; NOERROR ; - ; cut NS ns.cut ; ns.cut A 192.0.2.1
3 ; ns.cut TYPE731 ; NOERROR ; - ; cut NS ns.cut ; ns.cut A 192.0.2.1
3 ; U TYPE731 ; NOERROR aa ; u TYPE731 \# 6 abcdef012345
3 ; u TYPE731 +do ; NOERROR aa ; u TYPE731 \# 6 abcdef012345
3 ; u TYPE731 CLASS1 ; NOERROR aa ; u TYPE731 \# 6 abcdef012345  # class IN is 1
3 ; pointer TYPE65283 ; NOERROR aa ; pointer TYPE65283 \# 4 c00cc00c  # octets, whatever they look like
3 ; names TYPE65284 ; NOERROR aa ; names TYPE65284 \# 19 04686f7374 0772666333353937 0474657374 00
5 ; known A ; NOERROR aa ; known A 10.0.0.1 / known A 10.0.0.2  # a known type in the general form
5 ; known AAAA ; NOERROR aa ; known AAAA 2001:db8::1
5 ; mx MX ; NOERROR aa ; mx MX 10 mail.host.
8 ; names TYPE65284 ; NOERROR aa ; ? ; - ; -  # no additional records for what is not known
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc3597(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("rdclass", ["CLASS2", "CLASS3", "CLASS4", "CLASS254", "CLASS65280", "CLASS65535", "CLASS0"])
def test_rfc3597_3_other_classes_are_not_served(rfc, rdclass, transport):
    reply, _ = rfczones.ask(rfc.server, rfczones.query(f"host A {rdclass}", "rfc3597.test."), transport)
    assert reply.rcode() == 5 and not reply.answer and not reply.authority, "REFUSED"


def skip_name(wire, at):
    while wire[at] != 0:
        if wire[at] >= 0xc0:
            return at + 2
        at += 1 + wire[at]
    return at + 1


def first_rdata(wire):
    """(type, RDATA) of the first record behind the question, as it is sent."""
    at = skip_name(wire, skip_name(wire, 12) + 4)
    rrtype, _, _, length = struct.unpack_from("!HHIH", wire, at)
    return rrtype, wire[at + 10:at + 10 + length]


COMPRESSED = "NS CNAME PTR MX MB MG MR MINFO".split()
UNCOMPRESSED = "RP AFSDB RT PX KX SRV NAPTR DNAME SVCB HTTPS LP NSEC RRSIG IPSECKEY".split()


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("rrtype", [*COMPRESSED, "SOA"])
def test_rfc3597_4_names_of_well_known_types_are_compressed(rfc, rrtype, transport):
    name = "@" if rrtype == "SOA" else f"c-{rrtype.lower()}"
    _, wire = rfczones.ask(rfc.server, rfczones.query(f"{name} {rrtype}", "rfc3597.test."), transport)
    found, rdata = first_rdata(wire)
    assert found == dns.rdatatype.from_text(rrtype)
    assert b"\x07rfc3597" not in rdata and any(octet >= 0xc0 for octet in rdata)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("rrtype", UNCOMPRESSED)
def test_rfc3597_4_names_of_other_types_are_not(rfc, rrtype, transport):
    question = f"n-{rrtype.lower()} {rrtype}"
    _, wire = rfczones.ask(rfc.server, rfczones.query(question, "rfc3597.test."), transport)
    found, rdata = first_rdata(wire)
    assert found == dns.rdatatype.from_text(rrtype)
    suffix = dns.name.from_text("rfc3597.test." if rrtype == "RRSIG" else "target.c.rfc3597.test.")
    assert suffix.to_wire() in rdata


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("rrtype", COMPRESSED)
def test_rfc3597_4_compressed_names_read_back_as_they_were_written(rfc, rrtype, transport):
    _, wire = rfczones.ask(rfc.server, rfczones.query(f"c-{rrtype.lower()} {rrtype}", "rfc3597.test."), transport)
    at = skip_name(wire, skip_name(wire, 12) + 4) + 10
    at += 2 if rrtype == "MX" else 0
    expected = {"NS": ["ns.c"], "MINFO": ["target.c", "other.c"]}.get(rrtype, ["target.c"])
    for text in expected:
        name, used = dns.name.from_wire(wire, at)
        assert name.to_text() == f"{text}.rfc3597.test."
        at += used


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("rrtype", UNCOMPRESSED)
def test_rfc3597_4_every_rdata_reads_back_as_it_was_written(rfc, rrtype, transport):
    reply, _ = rfczones.ask(rfc.server, rfczones.query(f"n-{rrtype.lower()} {rrtype}", "rfc3597.test."), transport)
    line = next(line for line in (rfczones.DATA / "rfc3597.test.zone").read_text().splitlines()
                if line.startswith(f"n-{rrtype.lower()}\t"))
    origin = dns.name.from_text("rfc3597.test.")
    assert list(reply.answer[0]) == [dns.rdata.from_text("IN", rrtype, line.split(None, 2)[2], origin, relativize=False)]
