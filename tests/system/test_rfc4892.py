"""RFC 4892: class CH, where the server says what it is and who; and the other classes."""

import re
import socket

import dns.flags
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

import ednstools
import signpost
from ednstools import TRANSPORTS, ask, error, query

IDENTITY, VERSION = ("id.server.", "hostname.bind."), ("version.bind.", "version.server.")


@pytest.fixture(scope="module")
def server():
    with ednstools.running("version: a version\nidentity: ns1.tokyo\n") as server:
        yield server


@pytest.fixture(scope="module")
def reticent():
    with ednstools.running("version: off\nidentity: off\n") as server:
        yield server


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rrtype", ["TXT", "ANY"])
@pytest.mark.parametrize("name, text", [*((name, b"ns1.tokyo") for name in IDENTITY),
                                        *((name, b"a version") for name in VERSION)])
def test_3_1_is_a_txt_record_of_class_ch(server, transport, name, text, rrtype):
    reply = ask(server, query(name, rrtype, edns=False, rdclass="CH"), transport)
    assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA
    (rrset,) = reply.answer
    assert (rrset.name.to_text(), rrset.rdclass, rrset.rdtype) == (name, dns.rdataclass.CH, dns.rdatatype.TXT)
    assert [rdata.strings for rdata in rrset] == [(text,)]
    assert rrset.ttl == 0, "nobody is to keep it"
    assert not reply.authority and not reply.additional


def test_names_have_no_case_and_come_back_as_asked(server):
    reply = ask(server, query("Id.sErVeR.", "TXT", rdclass="CH"))
    assert reply.question[0].name.to_text() == "Id.sErVeR." == reply.answer[0].name.to_text()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rrtype", ["A", "NS", "SOA", "HINFO"])
def test_other_types_have_no_data(server, transport, rrtype):
    reply = ask(server, query("id.server.", rrtype, rdclass="CH"), transport)
    assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and error(reply) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["authors.bind.", "server.", "bind.", "x.id.server.", ".", "www.z.test."])
def test_other_names_are_refused(server, transport, name):
    reply = ask(server, query(name, "TXT", rdclass="CH"), transport)
    assert reply.rcode() == dns.rcode.REFUSED and not reply.flags & dns.flags.AA and error(reply) == (20, None)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", IDENTITY + VERSION)
def test_3_2_it_can_be_off(reticent, transport, name):
    """An operator MUST be able to disable it: an answer, but not with what is asked for."""
    reply = ask(reticent, query(name, "TXT", rdclass="CH"), transport)
    assert reply.rcode() == dns.rcode.REFUSED and not reply.answer and error(reply) == (18, None)


@pytest.mark.parametrize("name", IDENTITY + VERSION)
def test_they_are_no_names_of_class_in(server, name):
    assert ask(server, query(name, "TXT")).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rdclass", ["ANY", "HS", "NONE", "CLASS2", "CLASS65280"])
@pytest.mark.parametrize("name, rrtype", [("id.server.", "TXT"), ("www.z.test.", "A"), ("vpn.z.test.", "ANY")])
def test_other_classes_are_refused(server, transport, rdclass, name, rrtype):
    reply = ask(server, query(name, rrtype, rdclass=rdclass), transport)
    assert reply.rcode() == dns.rcode.REFUSED and not reply.answer and error(reply) == (21, None)
    assert reply.question[0].rdclass == dns.rdataclass.from_text(rdclass)


def test_by_itself_it_is_name_and_version_and_the_host(server):
    text = server.config.read_text()
    server.config.write_text(re.sub(r"^(version|identity): .*\n", "", text, flags=re.MULTILINE))
    try:
        server.ctl("reload")

        def told():
            (version,) = ask(server, query("version.bind.", "TXT", rdclass="CH")).answer[0]
            return version.strings != (b"a version",) and version

        version = signpost.wait_until(told, 5)
        (identity,) = ask(server, query("id.server.", "TXT", rdclass="CH")).answer[0]
        assert re.fullmatch(rb"Signpost \d+\.\d+\.\d+", version.strings[0])
        assert identity.strings == (socket.gethostname().encode(),)
    finally:
        server.config.write_text(text)
