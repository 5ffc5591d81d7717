"""The zones of the comparison with peers: tests/data/peers, what is generated beside it, and how
each peer is told the same."""

import collections
import re
import subprocess

import dns.name
import dns.rdatatype

import peers
import signpost

DATA = signpost.SOURCE / "tests/data/peers"
ROOT_WORLD = ("ROOT.zone", "child.zone")


def large_rrsets():
    """RRsets around the sizes where answers are cut, and much larger ones."""
    lines = []
    for count in (27, 28, 29, 30, 72, 73, 74, 75, 300):
        lines += [f"a{count}.large IN A 198.51.{i // 250}.{i % 250}" for i in range(count)]
    for size in (440, 448, 449, 450, 451, 460, 1150, 1160, 1165, 1170, 1180, 16000):
        strings = " ".join(f'"{"x" * min(255, size - at)}"' for at in range(0, size, 255))
        lines.append(f"txt{size}.large IN TXT {strings}")
    for count in (5, 12, 40, 1000):
        lines += [f"mx{count}.large IN MX {i} host{i % 40}.mx.large" for i in range(count)]
        lines += [f"srv{count}.large IN SRV {i} 0 1 host{i % 40}.mx.large" for i in range(count)]
        lines += [f"ptr{count}.large IN PTR name{i}.suffix{i % 7}.Ptr.large" for i in range(count)]
    for i in range(40):
        lines += [f"host{i}.mx.large IN A 198.51.100.{i}", f"host{i}.mx.large IN AAAA 2001:db8:100::{i:x}"]
    for count in (3, 8, 13):
        for i in range(count):
            lines += [f"cut{count}.large IN NS ns{i}.cut{count}.large",
                      f"ns{i}.cut{count}.large IN A 203.0.113.{i}", f"ns{i}.cut{count}.large IN AAAA 2001:db8:113::{i:x}"]
    # For the answer to a long name at a wildcard, there is less room.
    lines += [f"*.wild.large IN A 198.51.101.{i}" for i in range(27)]
    # A chain whose end does not fit into 512 octets.
    lines += ["chain.large IN CNAME a30.large", "chainmx.large IN CNAME mx40.large"]
    return "\n".join(lines) + "\n"


def every_octet():
    """A label for each octet there is; those of upper case would be those of lower case again."""
    return "".join(f"o\\{octet:03}.octet IN TXT \"\\{octet:03}\"\n" for octet in range(256) if not 65 <= octet <= 90)


def write_zones(folder, root):
    """{origin: path}"""
    zones = {}
    for path in DATA.glob("*.zone"):
        if (path.name in ROOT_WORLD) == root:
            zones["." if path.stem == "ROOT" else path.stem] = folder / path.name
            more = large_rrsets() + every_octet() if path.stem == "torture.example" else ""
            (folder / path.name).write_text(path.read_text() + more)
    if not root:
        sample = (signpost.SOURCE / "zones/example.net.zone").read_text().splitlines(keepends=True)
        zones["example.net"] = folder / "example.net.zone"
        zones["example.net"].write_text("".join(line for line in sample if "POOL" not in line))
    return zones


POOL = """\
pool: one
sites:
  nowhere:
    nodes:
      only: { address: [203.0.113.99, "2001:db8:99::99"] }
"""
# What such a POOL record is to a server that has none.
POOL_RECORD = (re.compile(r"^(\S+)\s+(\d+) IN POOL one$", re.MULTILINE),
               r"\1 \2 IN A 203.0.113.99\n\1 \2 IN AAAA 2001:db8:99::99")

# What Knot 3.2 does not read, in words that it does.
FOR_KNOT = (
    ('X25\t"311061700956"', "TYPE19 \\# 13 0c333131303631373030393536"),
    ('ISDN\t"150862028003217" "004"', "TYPE20 \\# 20 0f313530383632303238303033323137 03303034"),
    ("CLASS1 TYPE28", "IN TYPE28"),
)


def write_zones_for(peer, zones, folder):
    folder.mkdir()
    written = {}
    for origin, path in zones.items():
        text = POOL_RECORD[0].sub(POOL_RECORD[1], path.read_text())
        assert " POOL " not in text
        for theirs, generic in FOR_KNOT if peer is peers.Knot and origin == "torture.example" else ():
            assert theirs in text
            text = text.replace(theirs, generic)
        written[origin] = folder / path.name
        written[origin].write_text(text)
    return written


def read_names(nsd, zones):
    """{owner name: types} of all zones, as NSD read them."""
    found = collections.defaultdict(set)
    for origin in zones:
        records = subprocess.run(["dig", "-b", peers.TRANSFERS, "@127.0.0.1", "-p", str(nsd.port), origin, "AXFR", "+onesoa",
                                  "+noall", "+answer"], capture_output=True, text=True, check=True).stdout.splitlines()
        assert records and "; Transfer failed." not in records
        for name, rrtype in {tuple(record.split(None, 4)[0:4:3]) for record in records if record[:1] not in ("", ";")}:
            found[dns.name.from_text(name)].add(dns.rdatatype.from_text(rrtype))
    return found
