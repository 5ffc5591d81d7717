"""EDNS Client Subnet (RFC 7871), as the sample answers it: what is echoed, the scope, what is refused.

The sample has two nodes a site and persistence by client network, so a steered answer holds for one
/24 or /56 at most."""

import ipaddress
import random
import re
import socket
import struct
import subprocess

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

import fastdns
import rawdns
import signpost

TOKYO = "133.11.0.0/24"  # University of Tokyo
FRANKFURT = "134.109.0.0/24"  # TU Chemnitz
SCOPE_AT = 7  # in an option: behind code, length, family and source prefix length


def ask(server, name, network, rrtype="A", source="127.0.0.1"):
    """(scope, message). That the option is repeated, but for the scope, is checked here."""
    option = rawdns.subnet(network)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.bind((source, 0))
        sock.sendto(rawdns.query(name, rrtype, opt=option), server.server)
        answer = sock.recv(65535)
    at = answer.rindex(option[:SCOPE_AT])  # an error may stand behind it
    tail = answer[at:at + len(option)]
    assert tail[:SCOPE_AT] + b"\0" + tail[SCOPE_AT + 1:] == option, "RFC 7871, 7.2.1: FAMILY, SOURCE and ADDRESS as they were"
    message = dns.message.from_wire(answer)
    assert sum(o.otype == 8 for o in message.options) == 1
    return tail[SCOPE_AT], message


def addresses(message):
    return [rr.address for rrset in message.answer for rr in rrset
            if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)]


def site_of(address):
    return {number: site for site, (number, _) in signpost.SITES.items()}[int(address.split(".")[2])]


# --- the scope of an answer

@pytest.mark.parametrize("network, scope", [
    (TOKYO, 24), ("133.11.0.1/32", 24), ("133.11.128.0/17", 24), ("133.0.0.0/8", 24), ("128.0.0.0/1", 24),
    ("2001:240::/56", 56), ("2001:240::1/128", 56), ("2001:240::/32", 56), ("2000::/3", 56),
])
def test_scope_is_the_network_that_shares_a_node(sample, network, scope):
    """Whatever the source prefix length: RFC 7871, 7.2.1 lets the scope be longer or shorter."""
    assert ask(sample, "vpn.example.net.", network)[0] == scope


@pytest.mark.parametrize("name, rrtype, rcode", [
    ("www.example.net.", "A", "NOERROR"),
    ("vpn.example.net.", "MX", "NOERROR"),  # the name is steered, this type is not
    ("connect.example.net.", "CNAME", "NOERROR"),  # nor is the name of its target
    ("connect.example.net.", "TXT", "NOERROR"),
    ("_wireguard._udp.example.net.", "SRV", "NOERROR"),  # names a steered name
    ("nothing.example.net.", "A", "NXDOMAIN"),
    ("office.example.net.", "A", "NOERROR"),
    ("host.lab.example.net.", "A", "NOERROR"),  # a referral
    ("www.example.org.", "A", "REFUSED"),
])
def test_scope_is_zero_where_the_client_does_not_matter(sample, name, rrtype, rcode):
    """RFC 7871, 7.2.1; for negative answers and referrals, 7.4 and 7.2.1's last paragraphs."""
    for network in (TOKYO, "2001:240::/56", "0.0.0.0/0"):
        scope, message = ask(sample, name, network, rrtype)
        assert (scope, dns.rcode.to_text(message.rcode())) == (0, rcode)


@pytest.mark.parametrize("name", ["vpn.example.net.", "a7f3e9.vpn.example.net.", "a.b.c.vpn.example.net.",
                                  "gateway.example.net.", "connect.example.net."])
@pytest.mark.parametrize("rrtype", ["A", "AAAA", "ANY"])
def test_wildcards_and_chains_to_a_steered_name_have_its_scope_and_node(sample, name, rrtype):
    if rrtype == "ANY" and name in ("gateway.example.net.", "connect.example.net."):
        assert ask(sample, name, TOKYO, rrtype)[0] == 0  # the CNAME is all of the answer (RFC 8482)
        return
    scope, message = ask(sample, name, TOKYO, rrtype)
    plain = ask(sample, "vpn.example.net.", TOKYO, "AAAA" if rrtype == "AAAA" else "A")[1]
    assert scope == 24 and addresses(message) == addresses(plain)


def test_name_of_one_site_depends_on_the_hash_only(sample):
    scope, message = ask(sample, "saopaulo.vpn.example.net.", TOKYO)
    assert scope == 24 and site_of(addresses(message)[0]) == "saopaulo"


# --- what decides

def test_client_subnet_decides_and_not_the_source_address(sample):
    """RFC 7871, 7.2.1"""
    answers = {tuple(addresses(ask(sample, "vpn.example.net.", FRANKFURT, source=f"127.0.{i}.{i + 1}")[1]))
               for i in range(20)}
    assert len(answers) == 1 and site_of(answers.pop()[0]) == "frankfurt"


@pytest.mark.parametrize("option", [
    struct.pack("!HBB", 1, 0, 0), struct.pack("!HBB", 2, 0, 0),
    struct.pack("!HBB", 0, 0, 0),  # of no family: dig's +subnet=0
])
def test_source_length_zero_is_echoed_with_scope_zero(sample, option):
    """RFC 7871, 7.1.2 and 7.2.1: the client's address must not be used; the resolver's is."""
    answer = rawdns.ask_udp(sample.server, rawdns.query("vpn.example.net.", opt=rawdns.option(8, option)))
    assert answer.endswith(rawdns.option(8, option)) and rawdns.header(answer)[2] == [1, 1, 0, 1]


def test_resolver_without_client_subnet_gets_none(sample):
    """RFC 7871, 7.2.1: no option in an answer to a query without."""
    answer = rawdns.ask_udp(sample.server, rawdns.query("vpn.example.net.", opt=b""))
    message = dns.message.from_wire(answer)
    assert message.edns == 0 and not message.options and message.answer


@pytest.mark.parametrize("inside", ["::ffff:{}", "64:ff9b::{}"])
@pytest.mark.parametrize("network", [TOKYO, FRANKFURT, "100.64.9.0/24", "200.160.0.0/20"])
def test_ipv4_inside_ipv6_is_located_and_hashed_as_what_it_is(sample, inside, network):
    """Mapped (RFC 4291, 2.5.5.2) and NAT64's well-known prefix (RFC 6052, 2.1): the same node, and the
    scope is that of IPv4 behind 96 bits."""
    network = ipaddress.ip_network(network)
    v4_scope, v4 = ask(sample, "vpn.example.net.", str(network))
    v6_scope, v6 = ask(sample, "vpn.example.net.", f"{inside.format(network.network_address)}/{96 + network.prefixlen}")
    assert addresses(v4) == addresses(v6) and v6_scope == v4_scope + 96


def near_boundaries(rng):
    """Addresses beside those where something else begins: a rule of the sample, IPv4 inside IPv6,
    and what is not routed."""
    for text in ("100.64.0.0", "100.128.0.0", "0.0.0.0", "10.0.0.0", "127.0.0.0", "169.254.0.0", "192.168.0.0", "224.0.0.0",
                 "255.255.255.255", "::", "::1:0:0", "::fffe:0:0", "::ffff:0:0", "::1:0:0:0", "64:ff9b::", "64:ff9b::1:0:0",
                 "64:ff9a:ffff:ffff:ffff:ffff::", "2000::", "2002:850b::", "fe80::", "ffff:ffff::"):
        address = ipaddress.ip_address(text)
        for away in (0, -1, 1, -256, 256, rng.getrandbits(address.max_prefixlen // 2)):
            yield type(address)((int(address) + away) % (1 << address.max_prefixlen))


def test_every_network_in_a_scope_gets_the_same_answer(sample):
    """RFC 7871, 7.3.1: the resolver answers everybody in there from its cache."""
    rng = random.Random(7871)
    whole = [ipaddress.ip_network(a) for a in near_boundaries(rng)]
    questions = [("vpn.example.net", "A", n) for n in whole]
    found = fastdns.ask_many(sample.server, questions)
    again, expected = [], []
    for network, (_, answer, scope) in zip(whole, found):
        covered = network.supernet(new_prefix=scope)
        for _ in range(12):
            inside = covered.network_address + rng.getrandbits(covered.max_prefixlen - scope)
            again.append(("vpn.example.net", "A", ipaddress.ip_network((inside, rng.randint(scope, covered.max_prefixlen)),
                                                                       strict=False)))
            expected.append((answer, scope, network))
        for edge in (covered.network_address, covered.broadcast_address):
            again.append(("vpn.example.net", "A", ipaddress.ip_network(edge)))
            expected.append((answer, scope, network))
    for (_, _, network), (answer, scope, of), (_, got, its) in zip(again, expected, fastdns.ask_many(sample.server, again)):
        assert got == answer, f"{network} is in {of} with scope {scope}"
        assert its == scope, f"{network} and {of}: overlapping scopes (RFC 7871, 7.2.1)"


# --- what is refused

@pytest.mark.parametrize("data, why", [
    ("", "nothing"), ("00", "one octet"), ("0001", "a family"), ("000118", "no scope"),
    ("00010001", "scope in a query (RFC 7871, 6)"), ("00011808850b00", "scope in a query"),
    ("00011800850b", "too few octets"), ("00011800850b0000", "too many"), ("0001000085", "octets with source 0"),
    ("00011900850b0040", "a bit behind the source"), ("0001010001", "a bit behind the source"),
    ("00012100850b000000", "33 bits"), ("0002810000" + "00" * 16, "129 bits"), ("0001ff00" + "00" * 32, "255 bits"),
    ("00000800c0", "bits of no family"), ("0003000000", "a family that is not"), ("00030000", "one with source 0"),
    ("ffff0000", "family 65535"),
])
def test_malformed_option_is_a_format_error_without_it(sample, data, why):
    """RFC 7871, 7.1.2 and 6. There is an OPT record (RFC 6891, 7), without the bad option."""
    answer = rawdns.ask_udp(sample.server, rawdns.query("vpn.example.net.", opt=rawdns.option(8, bytes.fromhex(data))))
    message = dns.message.from_wire(answer)
    assert message.rcode() == dns.rcode.FORMERR, why
    assert message.edns == 0 and not message.options and not message.answer


def test_two_options_are_a_format_error(sample):
    """Which of them the answer is for would be a matter of opinion."""
    for other in (FRANKFURT, TOKYO):
        answer = rawdns.ask_udp(sample.server, rawdns.query("vpn.example.net.", opt=rawdns.subnet(TOKYO) + rawdns.subnet(other)))
        assert rawdns.rcode(answer) == dns.rcode.FORMERR


def test_other_options_around_it_do_not_matter(sample):
    cookie, unknown = rawdns.option(10, b"12345678"), rawdns.option(65001, b"")
    answer = rawdns.ask_udp(sample.server, rawdns.query(
        "vpn.example.net.", opt=cookie + rawdns.subnet(TOKYO) + unknown))
    (option,) = [o for o in dns.message.from_wire(answer).options if o.otype == 8]
    assert (option.address, option.srclen, option.scopelen) == ("133.11.0.0", 24, 24)


# --- as others see it

@pytest.mark.parametrize("subnet, told", [
    ("0", "0.0.0.0/0/0"), ("0.0.0.0/0", "0.0.0.0/0/0"), ("::/0", "::/0/0"), (TOKYO, "133.11.0.0/24/24"),
    ("133.11.0.1", "133.11.0.1/32/24"), ("2001:240::/56", "2001:240::/56/56"),
])
def test_dig_reads_what_is_answered(sample, subnet, told):
    output = subprocess.run(["dig", "@127.0.0.1", "-p", str(sample.port), "vpn.example.net", f"+subnet={subnet}"],
                            capture_output=True, text=True, timeout=20).stdout
    assert "status: NOERROR" in output and f"; CLIENT-SUBNET: {told}\n" in output, output


def test_switched_off_it_is_as_if_it_were_not_there(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.config.write_text(re.sub("^zones:", "ecs: false\nzones:", server.config.read_text(), flags=re.MULTILINE))
    server.start()
    for option in (rawdns.subnet(TOKYO), rawdns.option(8, b"bad")):
        message = dns.message.from_wire(rawdns.ask_udp(server.server, rawdns.query("vpn.example.net.", opt=option)))
        assert message.rcode() == dns.rcode.NOERROR and message.answer and message.edns == 0 and not message.options
