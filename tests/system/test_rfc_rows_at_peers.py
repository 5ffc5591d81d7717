"""The rows of the RFC tests asked at NSD, Knot and BIND, which serve the same zones.

What a row expects is not what Signpost happens to do: the peers do it, too. Where one of them does
not, a row of ALLOWED says by which RFC it may; one that excuses nothing fails.
"""

import importlib
import pathlib
import re

import dns.flags
import dns.name
import dns.rdatatype
import pytest

import peers
import rfczones

MODULES = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("test_rfc[0-9]*.py")) + ["test_pool_names"]
TABLES = {"ROWS": ("udp", "tcp"), "UDP_ROWS": ("udp",), "TCP_ROWS": ("tcp",)}

pytestmark = pytest.mark.skipif(bool(peers.missing()), reason=f"not installed: {', '.join(peers.missing())}")


def questions():
    """[(row, transport)] of all files. Not: client subnets, which are steering, and transfers, which
    are a matter of configuration."""
    found = []
    for name in MODULES:
        module = importlib.import_module(name)
        for table, transports in TABLES.items():
            rows = [row for row in getattr(module, table, ()) if isinstance(row, rfczones.Row)]
            found += [(row, transport) for row in rows for transport in transports
                      if "+subnet" not in row.question and "AXFR" not in row.question]
    return found


# --- zone files

def generic(match):
    """A record of an old type with a name in it, for a server that does not read its mnemonic."""
    owner, rrtype, target = match.groups()
    data = dns.name.from_text(target, dns.name.from_text("rfc3597.test.")).to_wire()
    return f"{owner}\tTYPE{int(dns.rdatatype.from_text(rrtype))}\t\\# {len(data)} {data.hex()}"


def for_knot(text):
    """Without what Knot 3.2 does not read."""
    text = text.replace("CLASS1 TYPE65281", "IN TYPE65281")
    text = text.replace("both\t\tNS\tns1\n\t\tDNAME\tnew\n", "both\t\tNS\tns1\n")  # a delegation and a DNAME
    text = re.sub(r"^n-px\t.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"^(c-\S+)\t+(MB|MG|MR)\t+(\S+)$", generic, text, flags=re.MULTILINE)


def write_zones(kind, folder):
    folder.mkdir()
    zones = {}
    for origin, path in rfczones.zone_files().items():
        text = rfczones.without_pools(path.read_text())
        zones[origin] = folder / path.name
        zones[origin].write_text(for_knot(text) if kind is peers.Knot else text)
    return zones


# --- where they may differ

ALLOWED = []  # (peer, function: row, peer's reply -> the parts that may differ)


def allowed(*of_peers):
    def add(function):
        ALLOWED.extend((peer, function) for peer in of_peers)
        return function
    return add


def zone_of(name):
    """The longest of our origins above a name; None: it is in no zone of ours."""
    origins = {dns.name.from_text(origin) for origin in rfczones.zone_files()}
    return next((up for up in (dns.name.Name(name.labels[at:]) for at in range(len(name.labels))) if up in origins), None)


def question_name(row):
    return rfczones.query(row.question, row.origin).question[0].name


@allowed("nsd", "bind")
def apex_servers_come_along(row, reply):
    """RFC 1034, 4.3.2 and RFC 2181, 7.2: the zone's NS RRset in a positive answer is a courtesy."""
    if row.sections[1] is not None and not row.sections[1].order and len(reply.authority) == 1 and reply.rcode() == 0:
        if reply.answer and reply.authority[0].rdtype == dns.rdatatype.NS:
            return {"authority", "additional"}


@allowed("nsd", "bind")
def glue_without_tc(row, reply):
    """RFC 9471, 3.1 is newer than NSD 4.6; BIND sets TC where not even one address fits."""
    if "tc" in row.flags and reply.authority and not reply.flags & dns.flags.AA or "to-big" in row.question:
        return {"tc"}


@allowed("nsd")
def occluded_name_in_the_child(row, reply):
    """RFC 1034, 4.2.1: what the parent's file has below a delegation is no part of the child. NSD keeps
    the names of all zones in one tree."""
    if row.question in ("old.child TXT", "ns.child A") and row.rcode == 3:
        return {"rcode"}


@allowed("knot", "bind")
def chain_ends_with_the_zone(row, reply):
    """RFC 1034, 4.3.2, step 3a goes back to step 1, so on to other zones that are served."""
    targets = [rdata.target for (_, rrtype), (_, rdatas) in (row.sections[0].rrsets if row.sections[0] else {}).items()
               if rrtype == dns.rdatatype.CNAME for rdata in rdatas]
    if any(zone_of(target) not in (None, zone_of(question_name(row))) for target in targets):
        return {"rcode", "answer", "authority", "additional"}


@allowed("knot")
def some_signatures(row, reply):
    """RFC 8482, 7: of the RRSIGs of a name those of one type may be answered."""
    if " RRSIG" in row.question and reply.answer:
        return {"answer"}


@allowed("nsd", "knot", "bind")
def proofs_of_a_signed_zone(row, reply):
    """RFC 4035, 3.1: they serve DNSSEC, and this zone looks signed. Signpost serves it as plain data."""
    if "+do" in row.question and row.origin == "rfc4035.test.":
        return {"authority"}


@allowed("nsd")
def child_that_the_parent_does_not_know(row, reply):
    """RFC 4035, 3.1.4.1: a DS is the parent's to answer, and this one has no such name. NSD's tree has."""
    if row.question == "unknown DS":
        return {"rcode"}


@allowed("nsd", "knot", "bind")
def ds_where_the_grandparent_is_served(row, reply):
    """RFC 4035, 3.1.4.1: a server that has the child and not the parent MUST answer that there is no DS.
    They answer with the grandparent's referral."""
    if row.question == "deep.foreign DS":
        return {"aa", "authority"}


@allowed("knot", "bind")
def ttl_of_an_rrset(row, reply):
    """RFC 2181, 5.2: records of one RRset with different TTLs are a mistake; which one counts is not said
    for files (we take the smallest, and warn)."""
    if row.section == "5.2":
        return {"answer"}


@allowed("knot")
def more_addresses(row, reply):
    """RFC 1034, 4.3.2, step 6: addresses that "may be useful"; those of hosts below a
    delegation are not ours to tell."""
    if row.question == "_cut._x SRV":
        return {"additional"}


@allowed("bind")
def fewer_addresses(row, reply):
    """RFC 1034, 4.3.2, step 6: addresses of name servers that are no glue are left out of referrals."""
    theirs = rfczones.read_section(reply.additional).rrsets
    if row.sections[2] is not None and theirs.items() <= row.sections[2].rrsets.items() and not reply.flags & dns.flags.AA:
        return {"additional"}


@allowed("bind")
def loops_are_failures(row, reply):
    """RFC 1034, 3.6.2: loops are "signalled as an error". The others and we give the links, once around."""
    if reply.rcode() == 2 and all(rrset.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.DNAME) for rrset in reply.answer):
        return {"rcode", "answer"}


@allowed("bind")
def soa_of_a_name_that_is_not_there(row, reply):
    """RFC 2308, 3: of a name whose SOA is asked for, BIND lets the answer's SOA not be kept (TTL 0)."""
    if row.question == "nothing SOA" and reply.authority[0].ttl == 0:
        return {"authority"}


used = set()


@pytest.mark.parametrize("kind", peers.PEERS, ids=[kind.name for kind in peers.PEERS])
def test_peers_answer_what_the_rows_say(kind, tmp_path):
    wrong, agreed = [], 0
    asked = questions()
    with kind(tmp_path, write_zones(kind, tmp_path / "zones")) as peer:
        for row, transport in asked:
            reply, _ = rfczones.ask(peer.server, rfczones.query(row.question, row.origin), transport)
            found = rfczones.differences(row, reply)
            may = set()
            for of_peer, function in ALLOWED if found else ():
                parts = function(row, reply) if of_peer == kind.name else None
                if parts and parts & {part for part, _, _ in found}:
                    may |= parts
                    used.add((of_peer, function))
            left = [(part, a, b) for part, a, b in found if part not in may]
            agreed += not found
            if left:
                wrong.append(f"{row} over {transport}:\n" + "\n".join(f"  {part}: {a}, not {b}" for part, a, b in left))
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:20])
    assert agreed > len(asked) // 3
    print(f"{kind.name}: {agreed} of {len(asked)} agree in every part")


def test_every_allowance_is_needed():
    """After all of the above."""
    assert [f"{peer}: {function.__name__}" for peer, function in ALLOWED if (peer, function) not in used] == []
