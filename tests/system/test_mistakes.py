"""Broken files: each mistake is told with its place, and what runs goes on untouched."""

import os
import signal
import subprocess

import dns.rcode
import pytest

import signpost

ZONE, POOL, SERVER = "zones/example.net.zone", "zones/edge.pool.yaml", "signpost.yaml"
NAME, SUBNET = "vpn.example.net", "133.11.0.0/24"

# In which file which text is replaced by what; the text that is at fault, whose place the message
# must have (the first one from the replacement on); and what the message must say.
MISTAKES = [
    (POOL, "[127.10.1.1,", "[203.0.113.300,", "203.0.113.300", "neither an IPv4 nor an IPv6 address"),
    (POOL, "policy: nearest", "polcy: nearest", "polcy", 'did you mean "policy"?'),
    (POOL, "policy: nearest", "policy: closest", "closest", "nearest, weighted, failover or round-robin"),
    (POOL, "policy: nearest", "policy: nearest\nanswers: 17", "17", "1 to 16"),
    (POOL, "policy: nearest", "policy: nearest\nspare: 1", "1", "must be less"),
    (POOL, "policy: nearest", "policy: nearest\nbackup: egde", "egde", 'did you mean "edge"?'),
    (POOL, "policy: nearest", "policy: nearest\nfallback: pool:edge", "pool:edge", "cannot stand in for itself"),
    (POOL, "policy: nearest", "policy: nearest\nspill: { low: 95% }", "95%", "not below high 90%"),
    (POOL, "policy: nearest", "policy: nearest\nweight: heavy", "heavy", "not a whole number"),
    (POOL, "\n  tokyo:", "\n  tokio:", "tokio", 'did you mean "tokyo"?'),
    (POOL, "tyo-2:", "tyo-1:", "tyo-1:", "already"),
    (POOL, "interval: 1s ", "interval: 1x ", "1x", "not a duration"),
    (POOL, "port: ", "port: 9", "9", "1 to 65535"),
    (POOL, "kind: tcp", "kind: telnet", "telnet", "is not tcp, icmp, "),
    (POOL, "[100.64.0.0/10]", "[100.64.0.1/10]", "100.64.0.1/10", 'did you mean "100.64.0.0/10"?'),
    (POOL, "[100.64.0.0/10]", "[XQ]", "XQ", "ISO 3166-1"),
    (POOL, "[100.64.0.0/10]", "[citty:Rome]", "citty:Rome", 'did you mean "city:Rome"?'),
    (POOL, "[100.64.0.0/10]", "[file:office.txt]", "file:office.txt", "No such file or directory"),
    (POOL, "[100.64.0.0/10]", "[field:traits.x]", "field:traits.x", "field:PATH=VALUE"),
    (POOL, "\nrules:", "\ngeofence: [ { clients: CN, never: all, otherwise: pool:decoi } ]\nrules:", "pool:decoi",
     'no pool "decoi"'),
    (POOL, "\nrules:", "\ngeofence: [ { clients: CN } ]\nrules:", "{ clients: CN }", '"never" or "only"'),
    (POOL, "\nrules:", "\navoid: [ { node: tyo-11, clients: CN } ]\nrules:", "tyo-11", 'did you mean "tyo-1"?'),
    (POOL, "\nrules:", "\navoid: [ { site: tokyo, clients: CN, until: 2026-02-30T00:00:00Z } ]\nrules:",
     "2026-02-30T00:00:00Z", "RFC 3339"),
    (POOL, "sites: [frankfurt, london]", "sites: [frankfurt, paris]", "paris", "no site"),
    (POOL, "gru-2: { address: [127.10.8.2, \"fd00:10:8::2\"] }", "gru-2: { address: [127.10.8.2 }", "}", "flow"),
    (ZONE, "192.0.2.25\n", "192.0.2.256\n", "192.0.2.256", "not an IPv4 address"),
    (ZONE, "2001:db8::25", "2001:db8:::25", "2001:db8:::25", "IPv6"),
    (ZONE, "www\t\tIN CNAME", "www\t\tIN CNAMES", "CNAMES", "unknown type"),
    (ZONE, "vpn\t\t\t30\tIN POOL\tedge", "vpn\t\t\t30\tIN POOL\tegde", "egde", 'did you mean "edge"?'),
    (ZONE, "edge/tokyo", "edge/osaka", "osaka", "no site"),
    (ZONE, "www\t\tIN CNAME\t@", "www\t\tIN CNAME\t@\nwww\t\tIN A\t192.0.2.1", "A\t192.0.2.1", "CNAME"),
    (ZONE, "IN MX\t10 mail\n", "IN MX\tten mail\n", "ten", "0 to 65535"),
    (ZONE, "hostmaster (", "hostmaster ( ", "( ", "not closed"),
    (ZONE, "\nmail\t\tIN A", "\nma..il\t\tIN A", "ma..il", "a label is empty"),
    (ZONE, "\"v=spf1 mx -all\"", "\"v=spf1 mx -all", "\"v=spf1", "quot"),
    (SERVER, "\nsites:", "\nsitse:", "sitse", 'did you mean "sites"?'),
    (SERVER, "[35.68, 139.69]", "[95.68, 139.69]", "95.68", "latitude"),
    (SERVER, "[1.35, 103.82]", "[1.35]", "[1.35]", "[latitude, longitude]"),
    (SERVER, "zones: zones", "zones: zones\ndefaults: { ttl: { floor: 2d } }", "2d", "0s to 1d"),
    (SERVER, "zones: zones", "zones: zones\ndefaults: { backup: edge }", "backup", "unknown option"),
    (SERVER, "[35.68, 139.69]", "FRX", "FRX", "an IATA code (FRA)"),
    (SERVER, "[35.68, 139.69]", "DEU", "DEU", 'did you mean "DE"?'),
    (SERVER, "zones: zones", "own-networks: [10.0.0.1/8]\nzones: zones", "10.0.0.1/8", 'did you mean "10.0.0.0/8"?'),
    (SERVER, "zones: zones", "zones: zonen", "zonen", "zonen"),
    (SERVER, "databases: [", "databases: [/nowhere", "/nowhere", "No such file"),
]


def spoil(server, mistake):
    """Writes the mistake into the file; returns the place that must be named."""
    path, old, new, fault, _ = mistake
    file = server.folder / path
    text = file.read_text()
    assert text.count(old) >= 1, f"the sample has no {old!r}"
    start = text.index(old)
    text = text.replace(old, new, 1)
    if path == ZONE and "not closed" in mistake[4]:
        text = text.replace("60 )", "60 ", 1)
    file.write_text(text)
    where = text.index(fault, start)
    line = text.count("\n", 0, where) + 1
    column = where - (text.rfind("\n", 0, where) + 1) + 1
    return f"{path}:{line}:{column}: error: "


@pytest.fixture
def restored(sample):
    """The running sample; its files are put back afterwards."""
    before = {path: (sample.folder / path).read_bytes() for path in (ZONE, POOL, SERVER)}
    yield sample
    for path, data in before.items():
        (sample.folder / path).write_bytes(data)
    for extra in (sample.folder / "zones").iterdir():
        if f"zones/{extra.name}" not in before:
            extra.unlink()
    sample.ctl("reload")


def check(server):
    return subprocess.run([signpost.BUILD / "signpostctl", "check", "signpost.yaml"], cwd=server.folder,
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m[0].rsplit('/')[-1]}-{m[3].strip()}"[:40])
def test_mistake_is_told_with_its_place_and_the_running_server_is_untouched(restored, mistake):
    before = restored.addresses(NAME, "A", SUBNET)
    place = spoil(restored, mistake)
    done = check(restored)
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).splitlines()
    named = [line for line in lines if line.startswith(place)]
    assert named, f"no {place} in\n" + "\n".join(lines)
    assert any(mistake[4] in line for line in named), named
    shown = lines[lines.index(named[0]) + 1:][:2]
    assert shown[1].strip().strip("~") == "^", "the text at fault is underlined"

    refused = restored.ctl("reload", check=False)
    assert refused.returncode == 1
    assert ": error: " in refused.stdout + refused.stderr
    assert restored.addresses(NAME, "A", SUBNET) == before


def test_all_mistakes_are_told_at_once(restored):
    faults = ["203.0.113.300", "1x", "192.0.2.256", "ten", "95.68"]
    several = [next(mistake for mistake in MISTAKES if mistake[3] == fault) for fault in faults]
    places = [spoil(restored, mistake) for mistake in several]
    done = check(restored)
    told = done.stdout + done.stderr
    assert all(place in told for place in places), told
    assert f"{len(places)} errors" in told


def test_good_files_are_told_so(sample):
    done = check(sample)
    assert done.returncode == 0 and "ok" in done.stdout + done.stderr


def test_server_file_that_is_broken_at_the_start_is_told_the_same_way(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    place = spoil(server, next(m for m in MISTAKES if m[3] == "95.68"))
    server.start()
    signpost.wait_until(lambda: place in server.log(), 5 * signpost.SLOW)
    assert server.ask(NAME).rcode() == dns.rcode.SERVFAIL, "there is no last good world yet"


def test_server_file_that_tells_not_even_where_to_listen_is_no_start(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    server.config.write_text(server.config.read_text().replace(f":{server.port}", ":port"))
    server.start(wait=False)
    assert server.process.wait(20) == 1
    server.process = None
    assert f"{server.config}:" in server.log() and "is not an address to listen on" in server.log()


@pytest.mark.parametrize("path", [ZONE, POOL, SERVER])
def test_ten_megabytes_of_random_bytes_are_refused_in_few_words(restored, path):
    (restored.folder / path).write_bytes(os.urandom(10 << 20))
    done = check(restored)  # how soon: tests/bench/bounds.py
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert f"{path}:" in told
    assert len(told) < 100000, "not a screen for every line"


def test_sighup_with_a_mistake_keeps_what_runs(restored):
    before = restored.addresses(NAME, "A", SUBNET)
    spoil(restored, MISTAKES[0])
    restored.process.send_signal(signal.SIGHUP)
    restored.wait_notified("READY=1", 10 * signpost.SLOW)
    assert "neither an IPv4 nor an IPv6 address" in restored.log()
    assert restored.addresses(NAME, "A", SUBNET) == before


@pytest.mark.parametrize("file, kind", [("edge.pool.yaml", "pool"), ("example.net.zone", "zone"), ("copy", "pool")])
def test_a_file_of_another_kind_is_told_once_with_what_to_check_instead(sample, tmp_path, file, kind):
    (tmp_path / "zones").mkdir()
    (tmp_path / "signpost.yaml").write_text((sample.folder / SERVER).read_text())
    source = "edge.pool.yaml" if file == "copy" else file
    (tmp_path / "zones" / file).write_bytes((sample.folder / "zones" / source).read_bytes())
    done = subprocess.run([signpost.BUILD / "signpostctl", "check", f"zones/{file}"], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1 and done.stdout == "1 error\n"
    assert done.stderr == (f"zones/{file}: error: this is a {kind} file, and no server file: it is checked with the "
                           "server file whose \"zones\" is its folder, such as signpost.yaml\n")
