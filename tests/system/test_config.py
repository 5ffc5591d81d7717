"""signpostctl config --effective: what is shown is what holds, and it is what the files say."""

import json
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
    (folder / SERVER).write_text((folder / SERVER).read_text() + DEFAULTS)
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
