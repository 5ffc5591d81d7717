"""HTTPS and SVCB records (RFC 9460): written ones, and those that a POOL record generates."""

import dns.rdatatype
import dns.rdtypes.svcbbase as svcb
import pytest

import services
import signpost
from services import GERMANY, JAPAN, TRANSPORTS, additional, answered, ask, record

ALPN, PORT = svcb.ParamKey.ALPN, svcb.ParamKey.PORT
IPV4HINT, IPV6HINT = svcb.ParamKey.IPV4HINT, svcb.ParamKey.IPV6HINT


@pytest.fixture(scope="module")
def server():
    with services.services() as started:
        yield started


def params(rr):
    """{key: value}, as dnspython reads them."""
    read = {ALPN: lambda p: [name.decode() for name in p.ids], PORT: lambda p: p.port,
            IPV4HINT: lambda p: list(p.addresses), IPV6HINT: lambda p: list(p.addresses)}
    return {key: read[key](param) for key, param in rr.params.items()}


def wire_keys(rr):
    """The SvcParamKeys in the order in which they stand."""
    data, keys = rr.to_digestable(), []
    at = 2 + len(rr.target.to_wire())
    while at < len(data):
        keys.append(int.from_bytes(data[at:at + 2], "big"))
        at += 4 + int.from_bytes(data[at + 2:at + 4], "big")
    return keys


OWN = {
    JAPAN: ("tyo-1", {ALPN: ["h2", "http/1.1"], PORT: 443, IPV4HINT: ["127.30.1.1", "127.30.1.3"],
                      IPV6HINT: ["2001:db8:1::1"]}),
    GERMANY: ("fra-1", {ALPN: ["h2", "http/1.1"], PORT: 51820, IPV4HINT: ["127.30.2.1"],
                        IPV6HINT: ["2001:db8:2::1"]}),
}


# --- generated, nodes with hosts

@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("subnet", OWN)
@pytest.mark.parametrize("name, rrtype", [("only", "HTTPS"), ("here", "HTTPS"), ("_dns.resolver", "SVCB")])
def test_the_record_is_that_of_the_chosen_node(server, name, rrtype, subnet, transport):
    """2.2, 2.4.3 (ServiceMode), 7.1 (alpn), 7.2 (port), 7.3 (hints): one node's, whole."""
    host, wanted = OWN[subnet]
    answer = ask(server, name, rrtype, subnet, transport)
    rr = record(answer)
    assert rr.priority == 1 and rr.target.to_text() == f"{host}.nodes.example.net."
    assert params(rr) == wanted
    assert signpost.scope(answer) == signpost.scope(ask(server, "here", "A", subnet)) > 0
    # 4.1: A and AAAA of the target. They are the host's whoever asks, so they may come along (4.4).
    assert additional(answer) == {f"{host}.nodes A": (30, wanted[IPV4HINT]), f"{host}.nodes AAAA": (30, wanted[IPV6HINT])}


@pytest.mark.parametrize("name, rrtype", [("only", "HTTPS"), ("www", "HTTPS"), ("www", "SVCB"), ("plain", "HTTPS")])
def test_parameters_stand_in_ascending_order_each_once(server, name, rrtype):
    """2.2: keys SHALL appear in increasing numeric order."""
    keys = wire_keys(record(ask(server, name, rrtype)))
    assert keys == sorted(set(keys))


# --- generated, nodes that share a name

@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rrtype", ["HTTPS", "SVCB"])
def test_without_hosts_the_target_is_the_owner(server, rrtype, transport):
    """2.5.2: "." is the owner name."""
    answer = ask(server, "www", rrtype, None, transport)
    rr = record(answer)
    assert (rr.priority, rr.target.to_text(), answer.answer[0].ttl) == (1, ".", 40)
    hints = {key: params(rr).get(key) for key in (IPV4HINT, IPV6HINT)}
    assert params(rr)[PORT] == 8443 and ALPN not in params(rr)  # 7.1.2: the scheme's default only
    extra = additional(answer)
    assert extra["www A"] == (40, hints[IPV4HINT])
    assert extra.get("www AAAA", (40, None)) == (40, hints[IPV6HINT])


def test_hints_are_for_the_client_subnet_and_the_additional_section_is_not(server):
    """4.4, RFC 7871, 7.3.1: an address that is not for everybody must not stand there."""
    for subnet, address in ((JAPAN, "127.30.1.1"), (GERMANY, "127.30.2.1")):
        answer = ask(server, "www", "HTTPS", subnet)
        assert params(record(answer))[IPV4HINT] == [address]
        assert signpost.scope(answer) > 0 and additional(answer) == {}
        assert answered(ask(server, "www", "A", subnet)) == {"www A": (40, [address])}


def test_a_node_without_an_address_of_a_family_has_no_hint_of_it(server):
    """7.3: and no empty one, either. AAAA of the name is another node's then."""
    assert IPV6HINT not in params(record(ask(server, "www", "HTTPS", GERMANY)))
    assert params(record(ask(server, "www", "HTTPS", JAPAN)))[IPV6HINT] == ["2001:db8:1::1"]


def test_underscore_labels_are_not_part_of_the_target(server):
    """2.3: a port-prefixed name is not the name of a host."""
    answer = ask(server, "_vpn._udp.tyo.vpn", "SVCB", GERMANY)
    assert record(answer).target.to_text() == "tyo.vpn.example.net."
    assert additional(answer) == {"tyo.vpn A": (30, ["127.30.1.1"]), "tyo.vpn AAAA": (30, ["2001:db8:1::1"])}


def test_hints_are_only_of_types_that_the_target_answers(server):
    rr = record(ask(server, "_4._udp.fourth", "SVCB", JAPAN))
    assert rr.target.to_text() == "fourth.example.net." and IPV6HINT not in params(rr)
    assert params(rr)[IPV4HINT] == ["127.30.1.1"]


def test_a_node_without_a_port_has_no_port_parameter(server):
    """7.2: the client then takes the port of the service it asked for."""
    answer = ask(server, "plain", "HTTPS")
    assert params(record(answer)) == {IPV4HINT: ["203.0.113.7"]}
    assert additional(answer) == {"plain A": (30, ["203.0.113.7"])}
    assert answered(ask(server, "plain", "AAAA")) == {"plain AAAA": (3600, ["2001:db8::77"])}  # a written one


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_wildcards_target_is_the_name_that_was_asked_for(server, transport):
    """2.5.2 and RFC 4592, 3.3.1."""
    answer = ask(server, "a.b.wild", "HTTPS", None, transport)
    assert list(answered(answer)) == ["a.b.wild HTTPS"] and record(answer).target.to_text() == "."
    assert additional(answer)["a.b.wild A"][1] == params(record(answer))[IPV4HINT]


def test_other_types_are_as_written(server):
    assert answered(ask(server, "www", "TXT")) == {"www TXT": (3600, ['"beside"'])}
    answer = ask(server, "www", "SRV", JAPAN)
    assert answer.answer == [] and signpost.scope(answer) == 0
    assert ask(server, "vpn", "HTTPS").answer == []  # POOL without types: addresses
    assert list(answered(ask(server, "only", "ANY"))) == ["only HTTPS"]


# --- failures

def test_a_failover_changes_target_port_hints_and_addresses_together(server):
    def tell():
        answer = ask(server, "only", "HTTPS", JAPAN)
        return record(answer).target.to_text().split(".")[0], params(record(answer)), additional(answer)

    assert tell()[0] == "tyo-1"
    try:
        server.nodes.stop("127.30.1.1")
        signpost.wait_until(lambda: tell()[0] == "fra-1", 5 * signpost.SLOW)
        assert tell() == ("fra-1", OWN[GERMANY][1], {"fra-1.nodes A": (30, ["127.30.2.1"]),
                                                     "fra-1.nodes AAAA": (30, ["2001:db8:2::1"])})
        # Nothing is up in the pool "shared" then: its fallback has addresses, and no port.
        server.nodes.stop("127.30.2.1")
        signpost.wait_until(lambda: answered(ask(server, "vpn", "A")) == {"vpn A": (30, ["192.0.2.99"])},
                            5 * signpost.SLOW)
        answer = ask(server, "www", "HTTPS", JAPAN)
        assert record(answer).target.to_text() == "."
        assert params(record(answer)) == {IPV4HINT: ["192.0.2.99"], IPV6HINT: ["2001:db8:99::1"]}
        answer = ask(server, "_vpn._udp.vpn", "SRV", JAPAN)
        assert answer.answer == [] and len(answer.authority) == 1 and signpost.scope(answer) == 0
        signpost.wait_until(lambda: tell()[0] == "tyo-2", 5 * signpost.SLOW)
        assert tell() == ("tyo-2", {ALPN: ["h2", "http/1.1"], PORT: 8443, IPV4HINT: ["127.30.1.2"]},
                          {"tyo-2.nodes A": (30, ["127.30.1.2"])})
    finally:
        services.start_all(server)
    signpost.wait_until(lambda: tell()[0] == "tyo-1", 5 * signpost.SLOW)


# --- written records

@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name, rrtype, extra", [
    ("web", "HTTPS", {"web A": ["192.0.2.80"], "web AAAA": ["2001:db8::80"]}),  # 2.5.2: "." is the owner
    ("svc", "SVCB", {"ns1 A": ["192.0.2.53"], "web A": ["192.0.2.80"], "web AAAA": ["2001:db8::80"]}),
    ("top", "HTTPS", {"web HTTPS": ["1 . port=\"444\""], "web A": ["192.0.2.80"], "web AAAA": ["2001:db8::80"]}),
    ("toself", "HTTPS", {}),  # 2.5.1: "." in AliasMode is no name
    ("nothere", "HTTPS", {}),
    ("outside", "HTTPS", {}),
])
def test_the_target_comes_along(server, name, rrtype, extra, transport):
    """4.1: A, AAAA and SVCB records of TargetNames that are in the zone."""
    answer = ask(server, name, rrtype, JAPAN, transport)
    assert {key: texts for key, (_, texts) in additional(answer).items()} == extra
    assert signpost.scope(answer) == 0


def test_a_written_wildcards_target_is_the_name_that_was_asked_for(server):
    answer = ask(server, "a.star", "HTTPS")
    assert record(answer).target.to_text() == "."
    assert additional(answer) == {"a.star A": (3600, ["192.0.2.82"])}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name, rrtype, target", [
    ("_star._udp", "SRV", "x.star"), ("mx.star", "MX", "y.z.star"), ("sub", "NS", "ns.star")])
def test_a_wildcard_speaks_for_a_target(server, name, rrtype, target, transport):
    """RFC 4592, 3.3.1, for any record that brings addresses; in a referral, too."""
    answer = server.ask(f"{name}.example.net.", rrtype, None, transport == "tcp")
    assert additional(answer) == {f"{target} A": (3600, ["192.0.2.82"])}


def test_a_wildcard_speaks_for_a_target_that_is_steered(server):
    assert additional(ask(server, "_wild._udp", "SRV"))["a.b.wild A"][1][0] in ("127.30.1.1", "127.30.2.1")
    assert additional(ask(server, "_wild._udp", "SRV", JAPAN)) == {}


def test_an_alias_to_a_steered_name_brings_all_of_it(server):
    """4.1; not for a client subnet, 4.4."""
    extra = additional(ask(server, "tosteered", "HTTPS"))
    assert {"www HTTPS", "www A"} <= set(extra)
    assert extra["www A"][1][0] in extra["www HTTPS"][1][0]
    assert additional(ask(server, "tosteered", "HTTPS", JAPAN)) == {}


# --- files

def test_a_pool_file_that_takes_away_what_a_zone_needs_is_refused_at_the_zones_line(server):
    """The zone file itself did not change, so its segment is taken over; its mistake is told all the same."""
    pool = server.zone_file("own.pool.yaml")
    before = pool.read_text()
    line = services.ZONE.splitlines().index("_vpn._udp 30 IN POOL own SRV") + 1
    try:
        pool.write_text(before.replace("\nport: 443\n", "\n"))
        told = server.ctl("reload", check=False)
        assert told.returncode == 1
        assert f'/example.net.zone:{line}:26: error: SRV needs a "port", which node "tyo-1"' in told.stdout + told.stderr
        pool.write_text(before.replace("\nport: 443\n", "\nport: 70000\n"))
        told = server.ctl("reload", check=False)
        assert "/own.pool.yaml:" in told.stderr and "70000 is out of range" in told.stderr
        assert "SRV needs" not in told.stderr, "the pool has a port, though a wrong one"
        pool.write_text(before.replace(", host: tyo-2.nodes.example.net", ""))
        told = server.ctl("reload", check=False)
        assert told.returncode == 1
        assert f':{line}:26: error: node "tyo-2" of pool "own" (' in told.stdout + told.stderr
    finally:
        pool.write_text(before)
        server.ctl("reload")
    assert record(ask(server, "_vpn._udp", "SRV", JAPAN)).port == 443


def test_a_reload_tells_whose_port_changed_and_answers_it(server):
    pool = server.zone_file("own.pool.yaml")
    before = pool.read_text()
    try:
        pool.write_text(before.replace("port: 51820", "port: 51821"))
        assert "own/fra-1" in server.ctl("reload").stdout
        assert params(record(ask(server, "only", "HTTPS", GERMANY)))[PORT] == 51821
        assert record(ask(server, "_vpn._udp", "SRV", GERMANY)).port == 51821
    finally:
        pool.write_text(before)
        server.ctl("reload")


def test_explain_tells_what_is_answered(server):
    told = server.ctl("explain", "www.example.net", "133.11.0.0").stdout
    assert "IN POOL shared A AAAA HTTPS SVCB, policy nearest" in told
    assert "www.example.net. 40 IN HTTPS 1 . port=8443 ipv4hint=127.30.1.1 ipv6hint=2001:db8:1::1\n" in told
    told = server.ctl("explain", "--type", "https", "only.example.net", "134.109.0.0").stdout
    assert 'HTTPS 1 fra-1.nodes.example.net. alpn="h2,http/1.1" port=51820' in told
