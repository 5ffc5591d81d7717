"""A wrong number or duration, in any option: the message says where it stands, and which range and unit are allowed."""

import re
import subprocess

import pytest

from signpost import BUILD

ZONE = "@ 60 IN SOA ns1.example.org. host.example.org. 1 2 3 4 5\n@ 60 IN NS ns1.example.org.\nns1 60 IN A 192.0.2.1\n"
# Below which line of which file the options of a section stand, and how far they are indented.
SERVER = "zones: zones\n#server\ntcp:\n  #server: tcp\nsites:\n  tokyo:\n    location: [35, 139]\n    #server: sites.NAME\n"
SERVER += "hooks:\n  - on: up\n    command: /bin/true\n    #server: hooks[]\ndoubt:\n  #server: doubt\n"
POOL = """pool: edge
#pool
band:
  #pool: band
persistence:
  #pool: persistence
ttl:
  #pool: ttl
sites: { tokyo: { nodes: { tyo-1: { address: 203.0.113.1 } } } }
"""
OTHER = """pool: other
probes:
  - kind: tcp
    #pool: probes[]
sites:
  tokyo:
    #pool: sites.NAME
    spill:
      #pool: spill
    nodes:
      tyo-1:
        address: 203.0.113.1
        #pool: sites.NAME.nodes.NAME
"""
JUDGED = """pool: judged
load:
  #pool: load
flap:
  #pool: flap
ramp:
  #pool: ramp
sites: { tokyo: { nodes: { tyo-1: { address: 203.0.113.1 } } } }
"""
KIND = """pool: KIND
probes:
  - kind: KIND
    #SECTION
sites: { tokyo: { nodes: { tyo-1: { address: 203.0.113.1 } } } }
"""
SOURCE = KIND.replace("probes:\n  -", "load:\n  sources:\n  -")
LOAD_ONLY = {"prometheus", "openvpn-management", "openvpn-status"}
FILES = {"signpost.yaml": SERVER, "zones/edge.pool.yaml": POOL, "zones/other.pool.yaml": OTHER,
         "zones/judged.pool.yaml": JUDGED}
OF_KIND = "pool: probes[] of kind "
RANGE = re.compile(r"(?:(\w+) or )?(-?\d\S*)\.\.(\d\S*)(?: (\w+))?$")


def numbers():
    """(section, name, message's range) of every option whose value is a number or a duration."""
    done = subprocess.run([BUILD / "signpost-compile", "--options"], capture_output=True, text=True, timeout=60)
    for line in done.stdout.splitlines():
        section, name, kind, _, accepts, *_ = line.split("\t")
        if kind in ("number", "duration"):
            word, low, high, unit = RANGE.match(accepts).groups()
            yield section, name, f"{low} to {high}" + (f" {unit}" if unit else ""), word


def files(options):
    """Those above, and one for each kind of probe that has such options: of one file 20 mistakes are told."""
    kinds = {section.split()[4]: section for section, *_ in options if section.startswith("pool: probes[] of kind")}
    text = {kind: SOURCE if kind in LOAD_ONLY else KIND for kind in kinds}
    return FILES | {f"zones/{kind}.pool.yaml": text[kind].replace("KIND", kind).replace("SECTION", kinds[kind])
                    for kind in kinds}


def spoil(text, value, options):
    """The file, with the value for each of its options; and {line, column: what must be allowed}."""
    lines, places = [], {}
    for line in text.splitlines():
        indent, mark, section = re.match(r"( *)(#?)(.*)", line).groups()
        if not mark:
            lines.append(line)
            continue
        for name, allowed, word in [option[1:] for option in options if option[0] == section]:
            lines.append(f"{indent}{name}: {value}")
            places[len(lines), len(f"{indent}{name}: ") + 1] = name, allowed, word
    return "\n".join(lines) + "\n", places


@pytest.mark.parametrize("value", ["-100000", "9999999999999", "7parsecs", "heavy", "100001d", "[1]"])
def test_a_wrong_number_is_told_with_its_place_its_range_and_its_unit(tmp_path, value):
    options, wanted = list(numbers()), {}
    assert len(options) > 30
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones/example.org.zone").write_text(ZONE)
    for file, text in files(options).items():
        spoilt, places = spoil(text, value, options)
        (tmp_path / file).write_text(spoilt)
        wanted |= {f"{file}:{line}:{column}: error: ": option for (line, column), option in places.items()}
    assert len(wanted) == len(options)
    done = subprocess.run([BUILD / "signpostctl", "check", "signpost.yaml"], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1
    for place, (name, allowed, word) in wanted.items():
        told = [line for line in done.stderr.splitlines() if line.startswith(place)]
        assert len(told) == 1, f"{name} at {place}: {told}"
        assert allowed in told[0] and (word is None or f"{word} or " in told[0]), f"{name}: {told[0]}"
