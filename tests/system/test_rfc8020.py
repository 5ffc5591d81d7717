"""RFC 8020: where a name does not exist, nothing does below it; so a name above one that exists is never
NXDOMAIN. RFC 4592, 2.2.2 says the same of empty non-terminals. Over all names of the RFC tests' zones."""

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest

import peers
import rfczones

ZONES = {origin: path for origin, path in rfczones.zone_files().items()
         if not any(other != origin and other.endswith(f".{origin}") for other in rfczones.zone_files())  # without children
         and origin != "rfc3597.test"}  # which dnspython does not read


def names_of(origin, path):
    zone = dns.zone.from_text(rfczones.without_pools(path.read_text()), origin, relativize=False, check_origin=False)
    return {name for name in zone.nodes if name.is_subdomain(zone.origin)}, zone.origin


def rcodes(server, names, tcp):
    names = list(names)
    queries = [dns.message.make_query(name, "A").to_wire() for name in names]
    answers = (peers.ask_tcp if tcp else peers.ask_udp)(server, queries)
    return {name: answer[3] & 15 for name, answer in zip(names, answers)}


def below(name, label=b"x"):
    return dns.name.Name((label, *name.labels)) if len(name.to_wire()) < 250 else None


@pytest.mark.parametrize("tcp", [False, True], ids=rfczones.TRANSPORTS)
@pytest.mark.parametrize("origin", ZONES)
def test_rfc8020_2_nothing_is_below_what_does_not_exist(rfc, origin, tcp):
    """For every name of the zone: it and its ancestors exist (2), and where a made-up name below it is
    NXDOMAIN, so is one below that (2: "nothing underneath")."""
    names, apex = names_of(origin, ZONES[origin])
    ancestors = {dns.name.Name(name.labels[at:]) for name in names for at in range(len(name.labels) - len(apex.labels) + 1)}
    made_up = {name: below(name) for name in ancestors if below(name) and below(name) not in ancestors}
    deeper = {name: below(child) for name, child in made_up.items() if below(child)}
    found = rcodes(rfc.server, ancestors | set(made_up.values()) | set(deeper.values()), tcp)
    aliases = {name for name in ancestors if found[name] not in (dns.rcode.NOERROR, dns.rcode.YXDOMAIN)}
    for name in aliases:  # NXDOMAIN of an existing name is that of the end of its chain (RFC 6604, 3)
        assert found[name] == dns.rcode.NXDOMAIN
        answer = rfc.ask(name, "A", tcp=tcp).answer
        assert answer and answer[0].rdtype in (dns.rdatatype.CNAME, dns.rdatatype.DNAME), f"{name} exists"
    for name, child in made_up.items():
        if name in deeper and found[child] == dns.rcode.NXDOMAIN:
            assert found[deeper[name]] in (dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN), f"{child} does not exist, {deeper[name]} does"
    assert made_up
