"""signpostctl config --effective: what is shown is what holds, and it is what the files say."""

import json
import re
import shutil
import subprocess

import pytest

import signpost

POOL, SERVER = "zones/edge.pool.yaml", "signpost.yaml"
DEFAULTS = "defaults: { weight: 7, band: { percent: 5% }, spill: { high: 60%, low: 40% } }\n"


def ctl(folder, *arguments):
    return subprocess.run([signpost.BUILD / "signpostctl", "-c", folder / SERVER, *arguments], capture_output=True,
                          text=True, timeout=60)


@pytest.fixture
def files(sample, tmp_path):
    """A copy of the sample's files, with defaults."""
    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copy(sample.config, folder / SERVER)
    shutil.copytree(sample.folder / "zones", folder / "zones")
    (folder / SERVER).write_text((folder / SERVER).read_text().replace(signpost.AT_ONCE, "") + DEFAULTS)
    return folder


def values(folder, *arguments):
    done = ctl(folder, "config", "--effective", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def key(row):
    return row.get("pool"), row.get("site"), row.get("node"), row["option"]


def text_at(row):
    """What stands in the file where the row says that its value is."""
    line = open(row["file"], encoding="utf-8").read().splitlines()[row["line"] - 1]
    return line.encode()[row["column"] - 1:].decode()


def test_each_value_stands_where_the_row_says(files):
    rows = values(files)
    written = [row for row in rows if "file" in row]
    assert len(written) > 50 and len(rows) > len(written)
    assert all(("default" in row) != ("file" in row) for row in rows)
    assert len({key(row) for row in rows}) == len(rows), "no option is shown twice"
    for row in written:
        value = row["value"]
        wanted = {list: "[", dict: "{", bool: str(value).lower()}.get(type(value), str(value))
        assert text_at(row).startswith(wanted), row


def test_inherited_values_come_from_the_server_file(files):
    by_key = {key(row): row for row in values(files)}
    percent = by_key["edge", None, None, "band.percent"]
    assert percent["value"] == "5%" and percent["file"] == str(files / SERVER)
    high = by_key["edge", "tokyo", None, "spill.high"]
    assert high["value"] == "60%" and text_at(high).startswith("60%")
    assert by_key["edge", None, None, "band.km"]["default"] is True
    weights = {row["node"]: row for row in by_key.values() if row["option"] == "weight" and "node" in row}
    inherited = [row for row in weights.values() if row["value"] == 7]
    assert inherited and all(row["file"] == str(files / SERVER) for row in inherited)


def test_shown_files_mean_the_same(files, tmp_path):
    shown = ctl(files, "config", "--effective").stdout
    again = tmp_path / "again"
    shutil.copytree(files, again)
    for text in shown.split("---\n"):
        path = text.partition("\n")[0].removeprefix("# ")
        assert path.startswith(str(files))
        (again / path.removeprefix(str(files) + "/")).write_text(text)
    before, after = ({key(row): row["value"] for row in values(folder)} for folder in (files, again))
    assert before == after
    assert not any("default" in row for row in values(again))


def test_one_pool_and_one_node(files):
    rows = values(files, "edge")
    assert rows and {row["pool"] for row in rows} == {"edge"}
    node = next(row for row in rows if "node" in row)
    one = values(files, "edge", node["node"])
    assert one == [row for row in rows if row.get("node") == node["node"]]


# --- inheritance, as the table of options has it

LEVELS = ["defaults", "pool", "site of the server file", "site", "own"]  # from the outermost
VALUES = {  # one for each level, of options whose range does not tell
    "list": ["[{ kind: icmp, rise: %d }]" % n for n in range(1, 6)],
    "word or number": ["all", "any", "1", "any", "all"],
    "word or list": ["all", "none", "nearest", "last-good", "192.0.2.1"],
    "duration": ["11s", "12s", "13s", "14s", "15s"],
    "boolean": ["true", "false", "true", "false", "true"],
}
MAPS = {"band": "{ km: %d }", "ramp": "{ time: %ds }", "flap": "{ half-life: %dm }", "ttl": "{ floor: %ds }", "persistence": "{ v4: 2%d }",
        "spill": "{ low: 5%d% }", "load": "{ min-weight: 1%d% }"}


def inherited_options():
    done = subprocess.run([signpost.BUILD / "signpost-compile", "--options"], capture_output=True, text=True,
                          timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(place, name, kind, accepts, above.split(", ")) for place, name, kind, _, accepts, above, _ in rows
            if above != "-"]


def values_of(name, kind, accepts):
    if name in MAPS:
        return [MAPS[name].replace("%d", str(n)) for n in range(1, 6)]
    if kind in VALUES:
        return VALUES[kind]
    if kind == "word":
        words = accepts.replace(" or ", ", ").split(", ")
        return [words[n % len(words)] for n in range(5)]
    assert kind == "number"
    return ["4", "5", "6", "7", "8"]


def write_levels(folder, own, name, told):
    """The option stands on these levels, {level: value}; `own` is where it is at home."""
    at = {own if level == "own" else level: f"{name}: {value}" for level, value in told.items()}
    beside = "answers: 16, " if name == "spare" else ""  # of which it is a part
    (folder / SERVER).write_text(f"""zones: zones
sites: {{ tokyo: {{ location: [35, 139], {at.get("site of the server file", "")} }} }}
defaults: {{ {beside}{at.get("defaults", "")} }}
""")
    (folder / POOL).write_text(f"""pool: edge
sites: {{ tokyo: {{ {at.get("site", "minimum: 1")}, nodes: {{ n: {{ address: 192.0.2.1, {at.get("node", "")} }} }} }} }}
{at.get("pool", "")}
""")


@pytest.mark.parametrize("option", inherited_options(), ids=lambda option: option[1])
def test_innermost_map_that_has_an_option_wins(option, tmp_path):
    place, name, kind, accepts, above = option
    own = {"pool": "pool", "pool: sites.NAME": "site", "pool: sites.NAME.nodes.NAME": "node"}[place]
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones/example.net.zone").write_text("")
    chain = [level for level in LEVELS if level in above] + ["own"]
    told = dict(zip(LEVELS, values_of(name, kind, accepts)))
    assert set(above) < set(LEVELS)
    for depth in range(1, len(chain) + 1):
        write_levels(tmp_path, own, name, {level: told[level] for level in chain[:depth]})
        (row,) = [row for row in values(tmp_path) if row.get("pool") == "edge" and "file" in row
                  and re.split(r"[.[]", row["option"])[0] == name and row["option"] != "probes[0].kind"
                  and ("site" in row, "node" in row) == (own != "pool", own == "node")]
        innermost = chain[depth - 1]
        line = open(row["file"], encoding="utf-8").read().splitlines()[row["line"] - 1]
        assert f"{name}: {told[innermost]}" in line
        assert row["file"].endswith(SERVER) == (innermost in ("defaults", "site of the server file"))
        assert str(row["value"]).lower() in told[innermost]


def test_who_is_not_there_and_mistakes_are_told(files):
    done = ctl(files, "config", "--effective", "egde")
    assert done.returncode == 1 and 'there is no pool "egde"' in done.stderr
    done = ctl(files, "config", "--effective", "edge", "nobody")
    assert done.returncode == 1 and 'has no node "nobody"' in done.stderr
    assert ctl(files, "config").returncode == 2
    with open(files / POOL, "a", encoding="utf-8") as pool:
        pool.write("answers: 17\n")
    done = ctl(files, "config", "--effective")
    assert done.returncode == 1 and "17 is out of range: 1 to 16" in done.stderr and done.stdout == ""
