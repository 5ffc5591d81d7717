"""The sample zone as clients see it: steered names, client subnet, and what any zone has."""

import random

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

import signpost

NEAREST = [  # client networks of well-known holders, and the site nearest to their country
    ("133.11.0.0/24", "tokyo"),  # University of Tokyo
    ("134.109.0.0/24", "frankfurt"),  # TU Chemnitz
    ("200.160.0.0/24", "saopaulo"),  # NIC.br
    ("1.128.0.0/24", "sydney"),  # Telstra
    ("163.1.0.0/24", "london"),  # University of Oxford
    ("18.9.22.0/24", "newyork"),  # MIT
    ("137.132.0.0/24", "singapore"),  # National University of Singapore
    ("2001:240::/56", "tokyo"),  # IIJ
    ("2001:638::/56", "frankfurt"),  # DFN
]


def node_of(address):
    """(site, node) of a sample node's address, either family."""
    numbers = address.split(".")[2:] if "." in address else address.split(":")[2::2]
    site = next(name for name, (number, _) in signpost.SITES.items() if str(number) == numbers[0])
    return site, int(numbers[1])


@pytest.mark.parametrize("subnet, site", NEAREST)
def test_client_gets_a_node_of_the_nearest_site(sample, subnet, site):
    (address,) = sample.addresses("vpn.example.net", "A", subnet)
    assert node_of(address)[0] == site


@pytest.mark.parametrize("subnet, site", NEAREST)
def test_a_and_aaaa_name_the_same_node(sample, subnet, site):
    (v4,) = sample.addresses("vpn.example.net", "A", subnet)
    (v6,) = sample.addresses("vpn.example.net", "AAAA", subnet)
    assert node_of(v4) == node_of(v6)


@pytest.mark.parametrize("subnet, site", NEAREST)
def test_tcp_answers_what_udp_answers(sample, subnet, site):
    udp = sample.ask("vpn.example.net", "A", subnet)
    tcp = sample.ask("vpn.example.net", "A", subnet, tcp=True)
    assert udp.answer == tcp.answer
    assert signpost.scope(udp) == signpost.scope(tcp)


def test_ttl_is_the_records_and_the_answer_is_authoritative(sample):
    answer = sample.ask("vpn.example.net", "A", "133.11.0.0/24")
    assert answer.answer[0].ttl == 30
    assert answer.flags & dns.flags.AA
    assert not answer.flags & dns.flags.RA


def test_same_network_keeps_its_node(sample):
    answers = {tuple(sample.addresses("vpn.example.net", "A", "133.11.7.0/24")) for _ in range(50)}
    assert len(answers) == 1


def test_networks_of_one_country_share_its_sites_nodes(sample):
    answers = [sample.addresses("vpn.example.net", "A", f"133.{i}.{j}.0/24")[0]
               for i in range(3, 11) for j in range(0, 250, 5)]
    share = answers.count("127.10.1.1") / len(answers)
    assert 0.4 < share < 0.6, "two equal nodes get about the same"


def test_one_site_name_stays_in_its_site(sample):
    for subnet, _ in NEAREST:
        (address,) = sample.addresses("saopaulo.vpn.example.net", "A", subnet)
        assert node_of(address)[0] == "saopaulo"


# --- EDNS Client Subnet

def test_scope_covers_what_the_hash_decided(sample):
    """Two nodes stand at each site, so the persistence prefix is part of the decision."""
    assert signpost.scope(sample.ask("vpn.example.net", "A", "133.11.0.0/24")) >= 24
    assert signpost.scope(sample.ask("vpn.example.net", "A", "2001:240::/56")) >= 56


def test_every_address_in_the_scope_gets_the_same_answer(sample):
    rng = random.Random(1)
    for subnet in ("133.11.0.0/24", "134.109.0.0/24", "18.9.22.0/24"):
        first = sample.ask("vpn.example.net", "A", subnet)
        length = signpost.scope(first)
        base = subnet.split("/")[0].split(".")
        value = int.from_bytes(bytes(map(int, base)), "big") >> (32 - length) << (32 - length)
        for _ in range(20):
            other = (value | rng.getrandbits(32 - length)).to_bytes(4, "big")
            again = sample.ask("vpn.example.net", "A", ".".join(map(str, other)) + "/32")
            assert again.answer == first.answer


def test_scope_is_zero_where_the_client_does_not_matter(sample):
    assert signpost.scope(sample.ask("www.example.net", "A", "133.11.0.0/24")) == 0
    assert signpost.scope(sample.ask("nothing.example.net", "A", "133.11.0.0/24")) == 0


def test_source_length_zero_means_do_not_use_my_address(sample):
    answer = sample.ask("vpn.example.net", "A", "0.0.0.0/0")
    (option,) = [o for o in answer.options if o.otype == dns.edns.ECS]
    assert (option.srclen, option.scopelen) == (0, 0)
    assert answer.answer, "the resolver's own address steers"


def test_without_edns_there_is_an_answer_and_no_opt(sample):
    answer = sample.ask("vpn.example.net", "A")
    assert answer.answer and answer.edns == -1


@pytest.mark.parametrize("data, why", [
    (b"\x00\x01\x21\x00\x7f\x00\x00\x00\x00", "source length 33 of an IPv4 address"),
    (b"\x00\x01\x18\x00\x7f\x00", "an address shorter than its length says"),
    (b"\x00\x01\x18\x00\x7f\x00\x00\x00", "an address longer than its length says"),
    (b"\x00\x01\x08\x00\x7f\x00", "octets after the address"),
    (b"\x00\x01\x04\x00\x7f", "bits set after the source length"),
    (b"\x00\x01\x18\x08\x7f\x00\x00", "a scope in a query"),
    (b"\x00\x07\x18\x00\x7f\x00\x00", "an unknown address family"),
    (b"\x00\x01\x18", "cut"),
])
def test_malformed_client_subnet_is_a_format_error(sample, data, why):
    message = dns.message.make_query("vpn.example.net", "A")
    message.use_edns(0, options=[dns.edns.GenericOption(dns.edns.ECS, data)])
    answer = dns.message.from_wire(ask_raw(sample, message.to_wire()))
    assert answer.rcode() == dns.rcode.FORMERR, why


def ask_raw(server, wire):
    import socket
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.sendto(wire, server.server)
        return sock.recv(65535)


def test_unknown_edns_version_is_badvers(sample):
    message = dns.message.make_query("vpn.example.net", "A")
    message.use_edns(1)
    assert sample.ask(None, message=message).rcode() == dns.rcode.BADVERS


# --- what any zone has

def test_case_of_the_question_is_kept(sample):
    message = dns.message.make_query("vPn.ExAmPlE.nEt", "A")
    raw = ask_raw(sample, message.to_wire())
    assert b"\x03vPn\x07ExAmPlE\x03nEt\x00" in raw


def test_names_are_compressed(sample):
    raw = ask_raw(sample, dns.message.make_query("example.net", "MX").to_wire())
    assert raw.count(b"\x07example") == 1


def test_name_that_is_not_there(sample):
    answer = sample.ask("nothing.example.net", "A")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.authority[0].rdtype == dns.rdatatype.SOA
    assert answer.authority[0].ttl == 60, "RFC 2308: the smaller of the SOA's TTL and MINIMUM"


@pytest.mark.parametrize("name, rrtype", [
    ("mail.example.net", "TXT"),
    ("vpn.example.net", "MX"),
    ("office.example.net", "A"),  # an empty non-terminal
    ("_udp.example.net", "A"),
])
def test_name_without_the_type(sample, name, rrtype):
    answer = sample.ask(name, rrtype)
    assert answer.rcode() == dns.rcode.NOERROR and not answer.answer
    assert answer.authority[0].rdtype == dns.rdatatype.SOA


def test_wildcard_is_steered_too(sample):
    (address,) = sample.addresses("a7f3e9.vpn.example.net", "A", "133.11.0.0/24")
    assert node_of(address)[0] == "tokyo"
    answer = sample.ask("a7f3e9.vpn.example.net", "A", "133.11.0.0/24")
    assert answer.answer[0].name == dns.name.from_text("a7f3e9.vpn.example.net.")


def test_cname_chain_is_followed_to_the_steered_name(sample):
    answer = sample.ask("connect.example.net", "A", "200.160.0.0/24")
    assert [rrset.rdtype for rrset in answer.answer] == [
        dns.rdatatype.CNAME, dns.rdatatype.CNAME, dns.rdatatype.A]
    assert node_of(answer.answer[2][0].address)[0] == "saopaulo"
    assert signpost.scope(answer) >= 24


def test_delegation_with_glue(sample):
    answer = sample.ask("host.lab.example.net", "A")
    assert not answer.flags & dns.flags.AA and not answer.answer
    assert answer.authority[0].rdtype == dns.rdatatype.NS
    assert {str(ns) for ns in answer.authority[0]} == {"ns1.lab.example.net.", "ns.example.org."}
    glue = {rr.address for rrset in answer.additional for rr in rrset}
    assert glue == {"203.0.113.53", "2001:db8:3::53"}


def test_type_that_nobody_knows(sample):
    answer = sample.ask("odd.example.net", "TYPE65280")
    assert answer.answer[0][0].to_generic().data == b"\x0a\x00\x00\x01"


def test_escaped_dot_is_part_of_a_label(sample):
    answer = sample.ask(dns.name.Name([b"ds-lite.box", b"example", b"net", b""]), "TXT")
    assert answer.answer[0][0].strings == (b"one label with a dot in it",)
    assert sample.ask("ds-lite.box.example.net", "TXT").rcode() == dns.rcode.NXDOMAIN


def test_other_zones_are_refused(sample):
    assert sample.ask("example.org", "A").rcode() == dns.rcode.REFUSED


def test_soa_and_apex(sample):
    answer = sample.ask("example.net", "SOA")
    assert answer.answer[0][0].serial == 2026112201
    assert sample.addresses("example.net", "AAAA") == ["2001:db8::80"]


def test_several_questions_on_one_tcp_connection(sample):
    import socket
    with socket.create_connection(sample.server, 3) as sock:
        queries = [dns.message.make_query(name, "A") for name in ("vpn.example.net", "www.example.net", "x.example.net")]
        for query in queries:
            dns.query.send_tcp(sock, query)
        answers = [dns.query.receive_tcp(sock)[0] for _ in queries]
    assert {a.id: a.rcode() for a in answers} == {
        queries[0].id: 0, queries[1].id: 0, queries[2].id: dns.rcode.NXDOMAIN}
