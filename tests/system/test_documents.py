"""The documents, held against the programs: options, ranges and defaults, examples, dependencies."""

import contextlib
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess

import pytest

import signpost
from signpost import BUILD, SOURCE

MAN = SOURCE / "man"
PAGES = sorted(path.name for path in MAN.glob("*.[1-9]"))
PAGES_OF = {"server": ["signpost.yaml.5"], "pool": ["signpost-pool.5", "signpost-probe.5", "signpost-load.5"]}
EXAMPLES = sorted(path.name for path in (SOURCE / "zones/examples").iterdir() if path.is_dir())


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **options)


def rendered(page):
    """As man shows it, on a very wide terminal, so that no line is broken: (text, warnings)."""
    done = run("man", "--warnings", "-E", "ascii", "-l", MAN / page,
               env={**os.environ, "LC_ALL": "C", "MANWIDTH": "1000", "MANPAGER": "cat", "MANROFFOPT": ""})
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def sections(text):
    """The paragraphs below each heading, whatever its depth, with single spaces: {heading: text}."""
    found, heading = {}, ""
    for line in text.splitlines():
        if re.match(r"^( {3})?[^ ]", line):
            heading = line.strip()
        else:
            found[heading] = found.get(heading, "") + " " + " ".join(line.split())
    return found


# --- options ----------------------------------------------------------------------------------------

def option_rows():
    done = run(BUILD / "signpost-compile", "--options")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) > 40 and all(len(row) == 7 for row in rows)
    return rows


def as_documented(name, kind, default, accepts, above):
    """What follows the option's name in its page."""
    if kind in ("number", "duration"):
        accepts = f"{kind} {accepts}" if re.match("-?[0-9]", accepts) else accepts
    told = {"(required)": "required", "-": "no default"}.get(default, f"default {default}")
    inherited = "" if above == "-" else f"; inherited from {above}"
    return f" {name} {accepts}; {told}{inherited}."


def test_every_option_stands_in_its_page_with_its_default_and_range():
    texts = {page: sections(rendered(page)[0]) for pages in PAGES_OF.values() for page in pages}
    missing = []
    for place, name, kind, default, accepts, above, _ in option_rows():
        file, _, where = place.partition(": ")
        wanted = as_documented(name, kind, default, accepts, above)
        if sum(wanted in texts[page].get(where or "OPTIONS", "") for page in PAGES_OF[file]) != 1:
            missing.append(f"{PAGES_OF[file]}, {where or 'OPTIONS'}:{wanted}")
    assert not missing, "\n".join(missing)


def test_pages_have_no_option_that_there_is_not():
    real = {(place.partition(": ")[2] or "OPTIONS", place.partition(":")[0], name)
            for place, name, *_ in option_rows()}
    for file, page in ((file, page) for file, pages in PAGES_OF.items() for page in pages):
        heading = ""
        for line in (MAN / page).read_text().splitlines():
            if line.startswith((".Sh ", ".Ss ")):
                heading = line[4:]
            elif line.startswith(".It Ic "):
                assert (heading, file, line[7:]) in real, f"{page}: {heading}: {line[7:]}"


def test_numbers_that_have_a_unit_are_written_with_it():
    units = {name: re.match(r"-?\d+(%|km)\.\.", accepts).group(1) for _, name, kind, _, accepts, *_ in option_rows()
             if kind == "number" and re.match(r"-?\d+(%|km)\.\.", accepts)}
    assert {"km": "km", "jitter": "%", "bias": "%"}.items() <= units.items()
    files = [*(SOURCE / "zones").rglob("*.yaml"), *MAN.iterdir(), SOURCE / "README.md"]
    written = [(file.name, name, number, unit) for file in files for name in units
               for number, unit in re.findall(rf"(?<![\w-]){name}: *(?!\d{{4}}-)(-?\d+)(\S?\S?)", file.read_text())]
    assert len(written) > 8
    assert [found for found in written if not found[3].startswith(units[found[1]])] == []


# --- command lines ------------------------------------------------------------------------------------

def usage(program):
    done = run(BUILD / program, "--help")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program, page", [("signpostctl", "signpostctl.1"), ("signpostd", "signpostd.8")])
def test_every_option_and_command_of_the_usage_stands_in_the_manual(program, page):
    text = " ".join(rendered(page)[0].split())
    told = usage(program)
    options = set(re.findall(r"(?<![\w-])--?[A-Za-z][a-z-]*", told))
    assert {"--config", "-c", "--help", "-V"} <= options
    assert [option for option in sorted(options) if not re.search(rf"(?<![\w-]){option}(?![\w-])", text)] == []
    commands = re.findall(r"^  ([a-z]+) ", told, re.MULTILINE)
    assert ("explain" in commands) == (program == "signpostctl")
    described = sections(rendered(page)[0])["DESCRIPTION"]
    assert [command for command in commands if f" {command} " not in described] == []


def test_every_option_of_the_compiler_stands_in_its_manual():
    text = rendered("signpost-compile.8")[0]
    told = run(BUILD / "signpost-compile", "--no-such-option").stderr
    options = set(re.findall(r"--[a-z-]+", told))
    assert "--check" in options
    assert [option for option in sorted(options) if option not in text] == []


def members(value):
    """All names of members of a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*(members(item) for item in value.values()))
    return set().union(*(members(item) for item in value)) if isinstance(value, list) else set()


def test_json_has_the_members_that_the_manual_names(sample):
    text = (MAN / "signpostctl.1").read_text()
    text = text[text.index(".Ss JSON"):text.index(".Sh ENVIRONMENT")]
    zone = sample.zone_file("example.net.zone")
    before = zone.read_text()
    zone.write_text(before.replace("192.0.2.25\n", "192.0.2.26\n"))
    try:
        told = {"reload": sample.ctl("--json", "reload").stdout}
    finally:
        zone.write_text(before)
        sample.ctl("reload")
    told["status"] = sample.ctl("--json", "status").stdout
    told["explain"] = sample.ctl("--json", "explain", "vpn.example.net", "133.11.0.0").stdout
    (sample.folder / "profile").write_text("JP 1\n")
    told["simulate"] = sample.ctl("--json", "simulate", "--down", "tokyo", "--load", "0.1", "--profile", "profile").stdout
    parts = {command: re.search(rf"\.It Ic {command}\n(.*?)(?=\.It Ic |\.El)", text, re.DOTALL).group(1)
             for command in (*told, "states")}
    for command, output in told.items():
        part = parts[command]
        named = set(re.findall(r"^\.Ql ([a-z_0-9]+)", part.split("When it was refused")[0], re.MULTILINE))
        real = members(json.loads(output))
        assert len(named) > 8 and named <= real, f"{command}: {named - real} is not there"
        # What stands there for a node is as in `status`.
        told_of = set(re.findall(r"[a-z_0-9]+", part + (parts["status"] if ".Ic status" in part else "")
                                 + (parts["states"] if command in ("status", "explain") else "")
                                 + (parts["reload"] if command == "status" else "")))
        assert real <= told_of, f"{command}: {real - told_of} is not told"


# --- examples -----------------------------------------------------------------------------------------

SERVER = """zones: zones
sites:
  tokyo:     { location: [35.68, 139.69] }
  frankfurt: { location: [50.11, 8.68] }
"""
ZONE = "@ 60 IN SOA ns1.example.org. host.example.org. 1 2 3 4 5\n@ 60 IN NS ns1.example.org.\n"
POOL = """pool: edge
port: 1194
sites:
  tokyo: { nodes: { tyo-1: { address: 203.0.113.1 } } }
  frankfurt: { nodes: { fra-1: { address: 203.0.113.2 } } }
"""
DATABASES = {"country.mmdb": "geoip/country.mmdb", "countries.tsv": "geoip/countries.tsv",
             "city-ipv4.mmdb": "tests/data/nested-city.mmdb", "city-ipv6.mmdb": "tests/data/nested-city.mmdb",
             "own.mmdb": "tests/data/own-fields.mmdb"}


def literal_blocks(page):
    """The literal displays of a page, as their author wrote them."""
    text = (MAN / page).read_text()
    return [block.replace("\\e", "\\") for block in
            re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, re.DOTALL | re.MULTILINE)]


def is_server_file(block):
    return re.search(r"^zones: ", block, re.MULTILINE) and re.search(r"^sites:", block, re.MULTILINE)


def is_pool_file(block):
    return re.search(r"^pool: ", block, re.MULTILINE)


def is_zone_file(block):
    return " IN SOA " in block


def is_part_of_a_pool(block):
    return re.match(r"(probes|load):\n", block)


def kinds_of_probe():
    """As the kinds' options are called, and tcp, which has none."""
    places = {place.partition("probes[] of kind")[2] for place, *_ in option_rows()} - {""}
    return {"tcp"}.union(*(re.sub(r"^s? ", "", place).split(" and ") for place in places))


def make_secrets(folder):
    """What examples name as keys; one needs the mode that git does not keep."""
    folder.mkdir()
    shutil.copy(SOURCE / "zones/examples/vpn-health/keys/throw-away-monitor.key", folder / "monitor.key")
    (folder / "management").write_text("a password\n")
    (folder / "ta.key").write_text("-----BEGIN OpenVPN Static key V1-----\n" + f"{'5a' * 16}\n" * 16
                                   + "-----END OpenVPN Static key V1-----\n")
    for path in folder.iterdir():
        path.chmod(0o600)


def documented_files():
    """(where, which kind of file, text) of every example of a whole file."""
    texts = [(page, block) for page in PAGES for block in literal_blocks(page)]
    texts += [("README.md", block) for block in
              re.findall(r"^```.*?\n(.*?)^```$", (SOURCE / "README.md").read_text(), re.DOTALL | re.MULTILINE)]
    for where, block in texts:
        for kind, matches in (("server", is_server_file), ("pool", is_pool_file), ("zone", is_zone_file),
                              ("part", is_part_of_a_pool)):
            if matches(block):
                yield where, kind, block


def test_every_page_about_files_has_an_example_that_is_tested():
    kinds = {(where, kind) for where, kind, _ in documented_files()}
    assert {("signpost.yaml.5", "server"), ("signpost-pool.5", "pool"), ("signpost-zones.5", "zone"),
            ("signpost-probe.5", "pool")} <= kinds


def test_every_kind_of_probe_has_an_example_that_is_tested():
    shown = "".join(block for where, kind, block in documented_files() if kind == "part" and where in PAGES_OF["pool"])
    wanted = kinds_of_probe()
    assert {"tcp", "wireguard", "http", "https", "openvpn-status"} <= wanted
    assert wanted - set(re.findall(r"\bkind: ([a-z0-9-]+)", shown)) == set()


@pytest.mark.parametrize("example", list(documented_files()), ids=lambda e: f"{e[0]}-{e[1]}")
def test_example_in_a_document_loads_without_a_warning(example, tmp_path):
    where, kind, text = example
    (tmp_path / "zones").mkdir()
    (tmp_path / "geoip").mkdir()
    for name, source in DATABASES.items():
        shutil.copy(SOURCE / source, tmp_path / "geoip" / name)
    make_secrets(tmp_path / "keys")
    (tmp_path / "signpost.yaml").write_text(text if kind == "server" else SERVER)
    zones = {"edge.pool.yaml": POOL, "example.com.zone": ZONE}
    if kind == "pool":
        name = re.search(r"^pool: (\S+)", text, re.MULTILINE).group(1)
        zones["edge.pool.yaml"] = text
        zones["example.com.zone"] = ZONE + f"vpn 30 IN POOL {name}\n"
    elif kind == "part":
        zones["edge.pool.yaml"] = POOL + text
    elif kind == "zone":
        zones["example.net.zone"] = text
    elif kind == "server":
        del zones["edge.pool.yaml"]
    for name, content in zones.items():
        (tmp_path / "zones" / name).write_text(content)
    done = run(BUILD / "signpostctl", "check", tmp_path / "signpost.yaml")
    assert done.returncode == 0 and "warning" not in done.stdout + done.stderr, f"{where}: {done.stdout}{done.stderr}"
    assert done.stdout.startswith("ok: ")


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example_loads_without_a_warning(name):
    for key in (SOURCE / "zones/examples" / name).rglob("*.key"):
        key.chmod(0o600)   # git keeps no such modes
    done = run(BUILD / "signpostctl", "check", SOURCE / "zones/examples" / name / "signpost.yaml")
    assert done.returncode == 0 and "warning" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_worked_examples_are_all_told_of_and_distributed():
    readme = (SOURCE / "zones/examples/README.md").read_text()
    distributed = (SOURCE / "zones/local.mk").read_text()
    assert len(EXAMPLES) >= 4
    assert [name for name in EXAMPLES if f"`{name}`" not in readme] == []
    files = [path.relative_to(SOURCE / "zones") for path in (SOURCE / "zones/examples").rglob("*") if path.is_file()]
    assert [str(file) for file in files if f"%D%/{file}" not in distributed] == []


def test_queries_of_the_database_in_the_manual_can_be_made(sample):
    queries = [block for block in literal_blocks("signpostd.8") if block.startswith("SELECT")]
    assert len(queries) == 3
    with contextlib.closing(sqlite3.connect(sample.folder / "state/signpost.db", timeout=10)) as database:
        for query in queries:
            database.execute(query).fetchall()
        tables = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        columns = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}
    text = " ".join(rendered("signpostd.8")[0].split())
    for table, names in columns.items():
        assert re.search(rf" {table} .*?" + ".*?".join(rf"\b{name}\b" for name in names), text), table


# --- the tour in the README ---------------------------------------------------------------------------

def test_tour_of_the_readme_names_the_node_that_is_answered(sample):
    readme = (SOURCE / "README.md").read_text()
    first_killed = re.search(r"kill PID-OF-([A-Z]+-\d)", readme).group(1).lower()
    plan = (SOURCE / "zones/edge.pool.yaml").read_text()
    address = re.search(rf"{first_killed}: {{ address: \[([0-9.]+),", plan).group(1)
    assert sample.addresses("vpn.example.net", subnet="133.11.0.0/24") == [address]
    assert f"{address}, which is node `{first_killed}`" in " ".join(readme.split())
    answer = sample.ask("vpn.example.net", subnet="133.11.0.0/24")
    assert f"`CLIENT-SUBNET: 133.11.0.0/24/{signpost.scope(answer)}`" in readme
    assert f"node_pids[{int(first_killed[-1]) - 1}]" in re.search(
        r"  kill \$\{(node_pids\[\d\])\}", (SOURCE / "bootstrap").read_text()).group(1)


def test_tour_of_the_readme_says_where_clients_of_the_united_states_go(sample):
    assert "United States gets newyork" in (SOURCE / "README.md").read_text()
    for network in ("73.0.0.0/24", "169.229.0.0/24"):  # the second is Berkeley's
        (address,) = sample.addresses("vpn.example.net", subnet=network)
        assert address.startswith("127.10.6.")


def tour():
    """Each signpostctl that the README's tour and `bootstrap run` print to try, in their order: (where, arguments)."""
    for where in ("bootstrap", "README.md"):  # the latter ends with a load, which a drill would heed
        text = (SOURCE / where).read_text()
        part = text[text.index("## A tour"):text.index("## Serving your own")] if where == "README.md" else text
        for line in re.findall(r"^ *build/signpostctl (.*?)(?: +#.*)?$", part, re.MULTILINE):
            yield where, shlex.split(line)


def test_each_command_of_the_tour_works(sample):
    signpost.wait_until(lambda: "16 of 16 nodes up\n" in sample.ctl("status").stdout, 15 * signpost.SLOW)
    commands, seen = list(tour()), set()
    pool = sample.zone_file("edge.pool.yaml")
    before = pool.read_text()
    assert "`load: { }`" in (SOURCE / "README.md").read_text()
    try:
        for where, arguments in commands:
            told = [str(sample.config) if part == "zones/signpost.yaml" else part for part in arguments]
            done = run(BUILD / "signpostctl", *told, cwd=sample.folder)
            assert done.returncode == 0, f"{where}: {arguments}: {done}"
            assert bool(done.stdout) != ("report" in arguments), f"{where}: {arguments}: {done}"
            assert done.stderr in ("", "pool edge: no node reports its load, so nobody knows whether capacity holds\n")
            seen.add((where, next(part for part in arguments if part not in ("-c", "zones/signpost.yaml"))))
            if where == "README.md" and "config" in arguments:
                pool.write_text("load: { }\n" + before)
        signpost.wait_until(lambda: "node tyo-1: 62 % of its weight: push 80 %" in sample.ctl("status", "edge").stdout,
                            10 * signpost.SLOW)
    finally:
        sample.ctl("enable", "tyo-1")
        sample.ctl("drill", "stop", check=False)
        pool.write_text(before)
        sample.ctl("reload")
    assert (sample.folder / "map.svg").stat().st_size > 10000
    for where in ("README.md", "bootstrap"):
        for command in ("explain", "status", "probe", "drain", "enable", "simulate", "drill", "check", "diff", "reload"):
            assert (where, command) in seen


# --- dependencies ---------------------------------------------------------------------------------------

LIBRARIES = {"libev": "libev", "liburcu": "liburcu-qsbr", "ldns": "libldns", "libfyaml": "libfyaml",
             "libmaxminddb": "libmaxminddb", "SQLite": "libsqlite3", "Jansson": "libjansson",
             "xxHash": "libxxhash", "libcap-ng": "libcap-ng"}
PROGRAMS = ["signpostd", "signpost-dns", "signpost-control", "signpost-compile", "signpost-run",
            "signpostctl"]


def test_table_of_dependencies_says_which_program_links_what():
    readme = (SOURCE / "README.md").read_text()
    told = {}
    for line in readme[readme.index("## Dependencies"):].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in LIBRARIES:
            told[cells[0]] = sorted(program for program in PROGRAMS if program in cells[3].split(", "))
    assert set(told) == set(LIBRARIES)
    needed = {}
    for program in PROGRAMS:
        done = run("objdump", "-p", BUILD / program)
        needed[program] = set(re.findall(r"NEEDED +(\S+?)\.so", done.stdout))
        assert "libc" in needed[program]
    real = {name: sorted(p for p in PROGRAMS if library in needed[p]) for name, library in LIBRARIES.items()}
    assert told == real


def test_every_package_that_bootstrap_installs_stands_in_the_readme():
    readme = (SOURCE / "README.md").read_text()
    lists = re.findall(r"^(?:build|check)_packages='(.*?)'", (SOURCE / "bootstrap").read_text(), re.DOTALL | re.MULTILINE)
    packages = " ".join(lists).split()
    assert len(lists) == 2 and "libev-dev" in packages
    assert [package for package in packages if not re.search(rf"(?<![\w-]){package}(?![\w-])", readme)] == []


# --- the pages as such ----------------------------------------------------------------------------------

@pytest.mark.parametrize("page", PAGES)
def test_page_is_shown_without_a_warning(page):
    text, warnings = rendered(page)
    assert warnings == ""
    assert re.search(r"^NAME\n +\S+.* --? \S", text, re.MULTILINE), text[:300]


def test_pages_refer_to_pages_that_there_are():
    others = {"ldns 3", "mmdblookup 1", "named-checkzone 1", "sd_notify 3", "systemd 1"}
    for page in PAGES:
        for name, section in re.findall(r"^\.?.*?\bXr (\S+) (\d)", (MAN / page).read_text(), re.MULTILINE):
            assert f"{name}.{section}" in PAGES or f"{name} {section}" in others, f"{page}: {name}({section})"


def test_pages_refer_to_sections_that_there_are():
    texts = {page: (MAN / page).read_text() for page in PAGES}
    headings = {page: set(re.findall(r"^\.S[hs] (.+)$", text, re.MULTILINE)) for page, text in texts.items()}
    named = [(page, name, f"{other}.{number}" if other else page) for page, text in texts.items()
             for name, other, number in re.findall(
                 r"^\..*?\bSx (.+?)(?: [.,;:)]+)?\n(?:in\n\.Xr (\S+) (\d))?", text, re.MULTILINE)]
    assert len(named) > 30
    assert [row for row in named if row[1] not in headings[row[2]]] == []


def test_all_pages_are_installed():
    listed = (SOURCE / "man/local.mk").read_text()
    assert [page for page in PAGES if f"%D%/{page}" not in listed] == []


# --- what is installed ----------------------------------------------------------------------------------

def make(*arguments):
    return run("make", "-s", "-C", BUILD, *arguments,
               env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")})


def test_installed_examples_load_with_the_installed_database(tmp_path):
    done = make("install", f"prefix={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr
    examples = tmp_path / "share/doc/signpost/examples"
    assert sorted(path.name for path in examples.iterdir() if path.is_dir()) == EXAMPLES
    server_file = (examples / "nearest/signpost.yaml").read_text()
    assert f"databases: [{tmp_path}/share/signpost/geoip/country.mmdb]" in server_file
    for name in EXAMPLES:
        done = run(BUILD / "signpostctl", "check", examples / name / "signpost.yaml")
        assert done.returncode == 0 and "warning" not in done.stdout, done.stdout + done.stderr
    assert os.access(examples / "vpn-health/hooks/tell", os.X_OK)
    installed = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"sbin/signpostd", "bin/signpostctl", "libexec/signpost/signpost-dns", "libexec/signpost/signpost-control",
            "libexec/signpost/signpost-compile", "libexec/signpost/signpost-run", "share/doc/signpost/LICENSE",
            "share/signpost/geoip/update",
            "share/signpost/geoip/licenses/NRO.txt", "lib/systemd/system/signpost.service",
            "lib/sysusers.d/signpost.conf", "lib/tmpfiles.d/signpost.conf"} <= installed
    assert {f"share/man/man{page[-1]}/{page}" for page in PAGES} <= installed
    unit = (tmp_path / "lib/systemd/system/signpost.service").read_text()
    assert f"\nExecStart={tmp_path}/sbin/signpostd -c {tmp_path}/etc/signpost/signpost.yaml\n" in unit


def test_unit_starts_the_installed_program(tmp_path):
    done = make("install-systemd-unit", f"DESTDIR={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.rglob("signpost.service")
    assert path.stat().st_mode & 0o777 == 0o644
    unit = path.read_text()
    assert "dir@" not in unit
    start = re.search(r"^ExecStart=(\S+/sbin/signpostd) -c (\S+/signpost/signpost\.yaml)$", unit, re.MULTILINE)
    assert start and start.group(2) in usage("signpostd")
    assert path == tmp_path / start.group(1).removeprefix("/").removesuffix("sbin/signpostd") / (
        "lib/systemd/system/signpost.service")
