"""SRV records (RFC 2782): written ones, and those that a POOL record generates for the chosen node."""

import socket

import dns.message
import pytest

import services
import signpost
from services import GERMANY, JAPAN, TRANSPORTS, additional, answered, ask, record


@pytest.fixture(scope="module")
def server():
    with services.services() as started:
        yield started


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("subnet, host, port, addresses", [
    (JAPAN, "tyo-1", 443, {"A": ["127.30.1.1", "127.30.1.3"], "AAAA": ["2001:db8:1::1"]}),
    (GERMANY, "fra-1", 51820, {"A": ["127.30.2.1"], "AAAA": ["2001:db8:2::1"]}),
])
def test_srv_names_the_chosen_node_with_its_port_and_addresses(server, transport, subnet, host, port, addresses):
    """Page 3, "the format of the SRV RR"; page 5: additional data for the target."""
    answer = ask(server, "_vpn._udp", "SRV", subnet, transport)
    rr = record(answer)
    assert answer.answer[0].ttl == 30
    assert (rr.priority, rr.weight, rr.port) == (0, 0, port)
    assert rr.target.to_text() == f"{host}.nodes.example.net."
    assert additional(answer) == {f"{host}.nodes {kind}": (30, texts) for kind, texts in addresses.items()}
    assert signpost.scope(answer) == signpost.scope(ask(server, "here", "A", subnet))


@pytest.mark.parametrize("subnet", [JAPAN, GERMANY])
def test_srv_and_addresses_of_one_name_are_of_one_node(server, subnet):
    target = record(ask(server, "here", "SRV", subnet)).target
    extra = additional(ask(server, "here", "SRV", subnet))
    for kind in ("A", "AAAA"):
        _, addresses = answered(ask(server, "here", kind, subnet))[f"here {kind}"]
        assert extra[f"{target.to_text().removesuffix('.example.net.')} {kind}"][1] == addresses


def test_the_target_is_not_compressed(server):
    """Page 4, "Target": name compression is not to be used for this field."""
    wire = server_wire(server, "_vpn._udp.vpn.example.net.", "SRV")
    assert wire.count(b"\x07example\x03net\x00") == 2  # in the question and in the target


def server_wire(server, name, rrtype):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(3)
        udp.sendto(dns.message.make_query(name, rrtype).to_wire(), server.server)
        return udp.recv(65535)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nodes_without_a_host_share_the_name_without_underscores(server, transport):
    """Page 2: the target is a host name; service and protocol stand in front of it."""
    answer = ask(server, "_vpn._udp.vpn", "SRV", None, transport)
    rr = record(answer)
    assert (rr.target.to_text(), rr.port) == ("vpn.example.net.", 8443)
    extra = additional(answer)
    assert extra == answered(ask(server, "vpn", "A")) | {
        key: value for key, value in extra.items() if key == "vpn AAAA"}
    assert extra["vpn A"][0] == 30 and answer.answer[0].ttl == 20  # each has its own record's TTL


def test_addresses_of_a_shared_target_are_not_tied_to_a_client_subnet(server):
    """RFC 7871, 7.3.1: what stands in the additional section is for everybody."""
    for subnet in (JAPAN, GERMANY):
        answer = ask(server, "_vpn._udp.vpn", "SRV", subnet)
        assert record(answer).target.to_text() == "vpn.example.net."
        assert signpost.scope(answer) > 0 and additional(answer) == {}


def test_a_record_that_is_bound_to_a_site_has_that_sites_node(server):
    answer = ask(server, "_vpn._udp.tyo.vpn", "SRV", GERMANY)
    assert record(answer).target.to_text() == "tyo.vpn.example.net."
    assert signpost.scope(answer) == 0  # one node: the same for everybody, so it may come along
    assert additional(answer) == {"tyo.vpn A": (30, ["127.30.1.1"]), "tyo.vpn AAAA": (30, ["2001:db8:1::1"])}


def test_only_addresses_that_the_target_answers_come_along(server):
    answer = ask(server, "_4._udp.fourth", "SRV")
    assert [key for key in additional(answer)] == ["fourth A"]
    assert additional(answer)["fourth A"][0] == 50


def test_a_wildcard_answers_srv_with_the_nodes_host(server):
    """RFC 4592, 3.3: the owner is the name that was asked for."""
    answer = ask(server, "a.b.any", "SRV", GERMANY)
    assert list(answered(answer)) == ["a.b.any SRV"]
    assert record(answer).target.to_text() == "fra-1.nodes.example.net."
    assert "fra-1.nodes A" in additional(answer)


def test_a_cname_leads_to_srv(server):
    answer = ask(server, "alias", "SRV", JAPAN)
    assert list(answered(answer)) == ["alias CNAME", "_vpn._udp SRV"]
    assert answer.answer[1][0].target.to_text() == "tyo-1.nodes.example.net."
    assert "tyo-1.nodes A" in additional(answer)


def test_types_that_a_record_does_not_name_are_not_there(server):
    for name, rrtype in (("_vpn._udp", "A"), ("vpn", "SRV"), ("www", "SRV"), ("_vpn._udp", "HTTPS")):
        answer = ask(server, name, rrtype, JAPAN)
        assert answer.answer == [] and len(answer.authority) == 1  # the SOA: NODATA
        assert signpost.scope(answer) == 0
    assert list(answered(ask(server, "_vpn._udp", "ANY"))) == ["_vpn._udp SRV"]  # RFC 8482, 4.1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_written_records_bring_the_addresses_of_steered_targets(server, transport):
    """Page 5, "additional information": of a target in the zone."""
    for name, rrtype in (("_sip._udp", "SRV"), ("mail", "MX"), (".example.net.".lstrip("."), "NS")):
        answer = ask(server, name, rrtype, None, transport)
        extra = additional(answer)
        target = "www" if rrtype == "SRV" else "vpn"
        assert extra[f"{target} A"][1][0] in ("127.30.1.1", "127.30.2.1")
        answer = ask(server, name, rrtype, JAPAN, transport)
        assert f"{target} A" not in additional(answer) and signpost.scope(answer) == 0
    assert additional(ask(server, "mail", "MX", JAPAN)) == {"ns1 A": (3600, ["192.0.2.53"])}
    assert additional(ask(server, "_sip._tcp", "SRV", JAPAN)) == {"ns1 A": (3600, ["192.0.2.53"])}


def test_a_failover_changes_srv_and_its_addresses_together(server):
    def host():
        answer = ask(server, "_vpn._udp", "SRV", JAPAN)
        rr = record(answer)
        return rr.target.to_text().split(".")[0], rr.port, additional(answer)

    assert host()[:2] == ("tyo-1", 443)
    try:
        server.nodes.stop("127.30.1.1")
        signpost.wait_until(lambda: host()[0] == "fra-1", 5 * signpost.SLOW)
        assert host() == ("fra-1", 51820, {"fra-1.nodes A": (30, ["127.30.2.1"]),
                                           "fra-1.nodes AAAA": (30, ["2001:db8:2::1"])})
        server.nodes.stop("127.30.2.1")
        signpost.wait_until(lambda: host()[0] == "tyo-2", 5 * signpost.SLOW)
        assert host() == ("tyo-2", 8443, {"tyo-2.nodes A": (30, ["127.30.1.2"])})
    finally:
        services.start_all(server)
    signpost.wait_until(lambda: host()[0] == "tyo-1", 5 * signpost.SLOW)


def test_explain_tells_what_is_answered(server):
    told = server.ctl("explain", "--type", "SRV", "_vpn._udp.example.net", "133.11.0.0").stdout
    assert "_vpn._udp.example.net. 30 IN SRV 0 0 443 tyo-1.nodes.example.net." in told
    assert "IN POOL own SRV," in told
