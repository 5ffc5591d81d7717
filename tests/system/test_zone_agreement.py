"""BIND, NSD and Signpost load the same master files; where they differ, the table says who is right.

The rows are in zonefiles.py. BIND's verdict is that of named-checkzone as it comes, but for
addresses of hosts outside the zone, which it would ask the DNS for.
"""

import concurrent.futures
import subprocess

import pytest

import signpost
import zonefiles

SERVER_FILE = ('listen: ["127.0.0.1:5300"]\nzones: .\nstate: state\nrun: run\n'
               "sites:\n  tokyo: { location: [35.68, 139.69] }\n")

# Who does what others do not: "named nsd signpost", + loads, - refuses; why; and which rows.
DIFFER = [
    # NSD takes what is wrong
    ("-+-", "RFC 1035, 5.1: parentheses group data over lines, so they close",
     "parenthesis-open-at-the-end"),
    ("-+-", "RFC 1035, 5.1: behind \\ stand three digits of an octet, or one other character",
     "txt-escape-256 txt-escape-two-digits txt-escape-at-the-end name-escape-256 name-escape-two-digits"),
    ("-+-", "RFC 1035, 4.2.2: a message has 65,535 octets, so no such record can be sent",
     "txt-65535 generic-65535"),
    ("-+-", "a number with units ends with one, and a TTL has 32 bits (RFC 2308, 4; RFC 2181, 8)",
     "ttl-units-last-missing ttl-4294967296 ttl-units-too-large"),
    ("-+-", "RFC 6895, 3.1: types of questions and messages, not of data",
     "type-opt type-opt-by-number type-tsig-by-number type-128"),
    ("-+-", "RFC 3597, 5: the length is that of the data; 4: of a known type it is that type's",
     "generic-too-short generic-too-long generic-of-txt-broken"),
    ("-+-", "RFC 4592, 4.2: nobody can say what a delegated wildcard means", "wildcard-ns wildcard-ns-below"),
    ("-+-", "RFC 4035, 2.4: DS MUST NOT appear at a zone's apex", "ds-at-the-apex"),
    ("-+-", "RFC 1034, 4.2.1 and RFC 2181, 10.3: a zone whose own server has no address, or is an alias",
     "ns-at-the-apex-without-address ns-at-the-apex-is-a-cname ns-at-the-apex-is-an-address "
     "ns-at-the-apex-is-an-ipv6-address"),
    ("-+-", "the number has more bits than its field (RFC 1035, 3.3.9; 2782; 8659, 4.1; 9460, 2.2; 1035, 3.3.13)",
     "mx-preference-65536 srv-port-65536 caa-flag-256 https-priority-65536 soa-serial-too-large"),
    ("-+-", "RFC 1876, 3: degrees up to 90, minutes up to 59", "loc-degree-91 loc-minute-60"),
    ("-+-", "RFC 1183, 3.1: an X.25 address is made of digits", "x25-letters"),
    ("-+-", "RFC 3402, 3.2: three delimiters", "naptr-bad-regexp"),
    ("-+-", "the digest's type says its length (RFC 4509, 2.1; RFC 6594, 3; RFC 8976, 2.2.4)",
     "ds-digest-short sshfp-wrong-length zonemd-wrong-length"),
    ("-+-", "RFC 4025, 3.1: algorithm 0 has no key, others do", "ipseckey-without-key"),
    ("-+-", "RFC 7553, 4: the URI stands in quotes; without them a semicolon in it starts a comment", "uri-unquoted"),
    ("-+-", "RFC 1035, 3.3.4: MD records are to be rejected", "md"),
    ("-+-", "RFC 9460, 2.1, 7.1.1 and 7.1: keys are letters, digits and hyphens, no number has a zero before it, "
            "no item of alpn is empty, no-default-alpn needs alpn",
     "https-quoted-key https-alpn-empty-item https-no-default-alpn-without-alpn https-key-with-zero"),
    ("-+-", "RFC 1034, 4.2.1: the apex has NS records", "no-ns"),
    ("-+-", "RFC 1035, 5.1: a TTL or an owner that is left out is that of the record before, and there is none",
     "no-ttl-at-all-before-soa first-line-without-owner"),
    # NSD refuses what is right, or does not know it
    ("+-+", "RFC 1035, 5.1: parentheses may stand anywhere between words",
     "parentheses-nested parenthesis-before-the-owner"),
    ("+-+", "a record outside the zone is ignored, with a warning: the zone is whole without it",
     "name-outside-the-zone name-outside-the-zone-with-same-end name-of-the-parent name-root origin-outside"),
    ("+-+", "RFC 1035, 5.1: $ORIGIN and $INCLUDE are followed by a domain-name, which may be relative",
     "origin-relative origin-lower-case owner-kept-over-origin include-with-origin include-twice"),
    ("+-+", "a file name with a blank needs quotes", "include-quoted include-quoted-blank"),
    ("+-+", "RFC 4035, 2.5: KEY may stand beside CNAME", "cname-beside-key"),
    ("+-+", "RFC 2181, 5: a record that is there twice is there once", "soa-twice-the-same"),
    ("+-+", "RFC 4034, 3.2: times may be seconds", "rrsig-seconds"),
    ("+-+", "NSD 4.6 does not know the type",
     "nsap-ptr gpos gpos-too-far hip hip-with-servers ninfo rkey talink amtrelay amtrelay-name amtrelay-none doa "
     "eid nimloc ta resinfo wallet"),
    ("+-+", "$GENERATE is BIND's",
     "generate generate-step generate-offset generate-width generate-hex generate-octal generate-nibbles "
     "generate-with-class-and-ttl generate-dollar generate-two-dollars generate-negative generate-txt "
     "generate-outside generate-lower-case"),
    # BIND alone
    ("-++", "RFC 1035, 5.1: text literals can contain CRLF (Signpost warns: mostly a quote is missing)",
     "quoted-string-over-lines quoted-string-over-lines-in-parentheses"),
    ("-++", "quotes around a word can mean one thing only", "quoted-rdata-of-a quoted-name-in-rdata"),
    ("-++", "BIND wants the keys in the zone; RFC 7344, 4.1 leaves them to whoever signs", "cds cdnskey"),
    ("+--", "RFC 6672, 2.4: records below a DNAME MUST NOT exist; they would never be answered",
     "dname-with-a-name-below dname-with-a-name-far-below dname-below-a-dname"),
    ("+--", "RFC 6563: A6 is historic; ATMA is no RFC's. TYPE38 and TYPE34 with \\# can be written", "a6 atma"),
    # Signpost alone
    ("++-", "RFC 1035, 5.1: these files are text; the octet is written \\000", "nul-octet"),
    ("++-", "RFC 4592, 4.4: a wildcard's DNAME is to be avoided or outright rejected", "wildcard-dname"),
    ("++-", "RFC 3755: NSEC has replaced NXT, which is answered to nobody; TYPE30 with \\# can be written", "nxt"),
    ("--+", "RFC 7218: the registered acronyms stand for the numbers", "tlsa-mnemonics"),
]

EXPECTED = {name: "---" if name in zonefiles.BROKEN else "+++" for name in zonefiles.ROWS}
EXPECTED.update({name: verdict for verdict, _, names in DIFFER for name in names.split()})


def loads(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


def judge(folder):
    named = loads(folder, "named-checkzone", "-i", "local", "example.com", "example.com.zone")
    nsd = loads(folder, "nsd-checkzone", "example.com", "example.com.zone")
    ours = loads(folder, str(signpost.BUILD / "signpost-compile"), "--check", "signpost.yaml")
    return "".join("-+"[good] for good, _ in (named, nsd, ours)), "\n".join(text for _, text in (named, nsd, ours))


def write(folder, files):
    folder.mkdir()
    (folder / "signpost.yaml").write_text(SERVER_FILE)
    for name, text in files.items():
        path = folder / ("example.com.zone" if name == "zone" else name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
    return folder


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    base = tmp_path_factory.mktemp("zones")
    folders = [write(base / name, files) for name, files in zonefiles.ROWS.items()]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return dict(zip(zonefiles.ROWS, pool.map(judge, folders)))


@pytest.mark.parametrize("row", zonefiles.ROWS)
def test_the_servers_load_what_is_right_and_nothing_else(verdicts, row):
    verdict, said = verdicts[row]
    assert verdict == EXPECTED[row], said


def test_the_tables_name_rows_that_exist_and_none_twice():
    named = [name for _, _, names in DIFFER for name in names.split()]
    assert set(named) | zonefiles.BROKEN <= set(zonefiles.ROWS)
    assert len(named) == len(set(named)) and not zonefiles.BROKEN & set(named)


# Of zones that load, those of which BIND has something to say. Not the same words, but each told of.
WARNED = """name-at-sign-in-rdata name-at-sign-escaped name-underscore-host name-star-inside name-star-part-of-label
    octets-above-127-in-a-name name-of-digits-in-mx name-outside-the-zone ttl-2147483648 ttl-directive-2147483648
    owner-kept-over-origin duplicate-with-another-ttl ttls-of-an-rrset-differ delegation-without-glue
    delegation-without-sibling-glue delegation-to-a-name-that-is-not delegation-to-a-cname delegation-to-a-txt
    ns-at-the-apex-is-an-absolute-address ns-is-an-address mx-without-address mx-to-a-cname mx-to-an-address
    mx-to-an-absolute-address srv-to-a-cname srv-without-address spf-type-without-txt name-server-with-underscore
    mx-name-with-underscore owner-of-a-with-odd-octets no-ttl-directive ttl-of-the-record-before""".split()


@pytest.mark.parametrize("row", WARNED)
def test_what_bind_warns_of_is_a_warning(verdicts, row):
    _, said = verdicts[row]
    ours = said[said.rindex("example.com is ok") if "example.com is ok" in said else 0:]
    assert "example.com.zone:" in ours and ": warning: " in ours, said


def test_warnings_are_few():
    """What is fine is not spoken of: the zone that all rows start with."""
    assert "warning" not in subprocess.run(
        [signpost.BUILD / "signpost-compile", "--check", signpost.SOURCE / "zones/signpost.yaml"],
        capture_output=True, text=True, timeout=60).stderr


# --- what comes out is the same, too ---------------------------------------------------------------------

GENERATED = [row for row, _ in zonefiles.GENERATE if EXPECTED[row] == "+-+"]


def compiled_by_bind(row, path):
    """Owner, TTL, class, type and data of each record but those of the head."""
    done = subprocess.run(["named-compilezone", "-i", "none", "-k", "ignore", "-o", "-", f"{row}.", path],
                          capture_output=True, text=True, check=True, timeout=60)
    lines = {" ".join(line.split()) for line in done.stdout.splitlines()}
    return [line.split(" ", 4) for line in sorted(lines)
            if " IN " in line and not line.startswith((f"{row}. ", "ns."))]


@pytest.fixture(scope="module")
def generating():
    """A zone for each row, served by Signpost, and what named-compilezone makes of it."""
    with signpost.world() as (server, _):
        server.write_server_file({"tokyo": (35.68, 139.69)})
        for row in GENERATED:
            server.zone_file(f"{row}.zone").write_bytes(zonefiles.ROWS[row]["zone"])
        server.start()
        yield server, {row: compiled_by_bind(row, server.zone_file(f"{row}.zone")) for row in GENERATED}


@pytest.mark.parametrize("row", GENERATED)
def test_generated_records_are_those_of_bind(generating, row):
    server, expected = generating
    assert expected[row] or row in ("generate-outside", "generate-nibbles")
    for owner, ttl, _, rrtype, data in expected[row]:
        answer = server.ask(owner, rrtype).answer
        assert [answer[0].ttl, answer[0][0].to_text()] == [int(ttl), data], (owner, answer)
