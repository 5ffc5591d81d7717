"""signpostctl diff: what it says of an edit is what the reload does to the answers."""

import contextlib
import ipaddress
import json
import math
import os
import random

import maxminddb
import pytest

import fastdns
import signpost

NAME = "vpn.example.net"
SAMPLES = 2000


@pytest.fixture(scope="module")
def questions():
    """Client networks of random addresses of which a country is known."""
    rng, found = random.Random(4), []
    with maxminddb.open_database(str(signpost.SOURCE / "geoip/country.mmdb")) as database:
        while len(found) < SAMPLES:
            address = fastdns.random_public(rng, 4)
            if (database.get(str(address)) or {}).get("country_code"):
                found.append((NAME, "A", ipaddress.ip_network((address, 24), strict=False)))
    return found


def answers(server, questions):
    return [tuple(sorted(found)) for _, found, _ in fastdns.ask_many(server.server, questions)]


def diff(server, *arguments, status=0):
    done = server.ctl("--json", "diff", *arguments, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout) if status == 0 else done


@contextlib.contextmanager
def edited(server, *edits):
    """Edits (file, old, new), put back at the end, also in what runs."""
    before = {}
    try:
        for path, old, new in edits:
            before.setdefault(path, path.read_text())
            text = path.read_text()
            assert old in text
            path.write_text(text.replace(old, new, 1))
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)
        server.ctl("reload")


def pool(server):
    return server.zone_file("edge.pool.yaml")


def zone(server):
    return server.zone_file("example.net.zone")


def assert_comes_about(server, questions, told):
    """The reload changes just the share that was told, and diff has nothing more to say."""
    before = answers(server, questions)
    server.ctl("reload")
    after = answers(server, questions)
    changed = sum(a != b for a, b in zip(before, after)) / len(questions)
    share = next((line["changed"]["ipv4"] for line in told["steered"] if f"{NAME}." in line["names"]), 0)
    assert abs(changed - share) <= 4 * math.sqrt(share * (1 - share) / len(questions)) + 0.002, (changed, share)
    left = diff(server)
    assert (left["changed"], left["zones"], left["steered"], left["objects"]) == (False, [], [], [])
    return share


def test_files_that_run_change_nothing_however_their_folder_is_named(sample, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(sample.folder)
    for folder in ([], [sample.folder / "zones/.."], [link], [link / "zones/../signpost.yaml"],
                   [os.path.relpath(sample.folder, sample.folder)], [f"{os.path.relpath(link, sample.folder)}/./signpost.yaml"]):
        assert sample.ctl("diff", *folder).stdout == "nothing would change\n", folder
    assert diff(sample)["changed"] is False


def test_static_names_are_told_record_by_record(sample):
    text = zone(sample)
    edits = [(text, "2026112201", "2026112202"),
             (text, "IN A	192.0.2.80", "IN A	192.0.2.81"),
             (text, "	IN MX	20 mail.backup\n", ""),
             (text, "www		IN CNAME	@", "www	600	IN CNAME	@\nnew	IN CAA	0 issue \"ca.example\"")]
    with edited(sample, *edits):
        told = diff(sample)
        line, = told["zones"]
        assert (line["name"], line["serial_before"], line["serial"]) == ("example.net.", 2026112201, 2026112202)
        assert (line["added"], line["removed"], line["changed"]) == (1, 0, 3)
        found = {(rrset["name"], rrset["type"]): rrset for rrset in line["rrsets"]}
        assert found["example.net.", "A"]["before"] == ["192.0.2.80"]
        assert found["example.net.", "A"]["after"] == ["192.0.2.81"]
        assert found["example.net.", "MX"]["before"] == ["20 mail.backup.example.net."]
        assert found["example.net.", "MX"]["after"] == []
        www = found["www.example.net.", "CNAME"]
        assert (www["ttl_before"], www["ttl"], www["before"], www["after"]) == (3600, 600, [], [])
        assert found["new.example.net.", "CAA"]["after"] == ['0 issue "ca.example"']
        assert ("example.net.", "SOA") not in found, "a serial alone is told in one place"
        assert told["steered"] == [] and told["objects"] == []
        people = sample.ctl("diff").stdout
        for part in ("serial 2026112201 -> 2026112202", "- 192.0.2.80", "+ 192.0.2.81", "TTL 3600 -> 600"):
            assert part in people, people
        sample.ctl("reload")
        assert sample.addresses("example.net") == ["192.0.2.81"]
        assert diff(sample)["changed"] is False


def test_a_rule_moves_just_its_clients(sample, questions):
    with edited(sample, (pool(sample), "rules:", "rules:\n  - { clients: [JP], sites: [sydney] }\n")):
        told = diff(sample)
        line, = told["steered"]
        assert f"{NAME}." in line["names"] and "tokyo.vpn.example.net." not in line["names"]
        assert line["countries"][0]["country"] == "JP"
        assert line["countries"][0]["changed"]["ipv4"] == pytest.approx(1, abs=0.001)
        moves = {(move["from"], move["to"]) for move in line["sites"]}
        assert ("edge/@tokyo", "edge/@sydney") in moves and all(to == "edge/@sydney" for _, to in moves)
        assert [thing["object"] for thing in told["objects"]] == ["pool edge"]
        assert 0.01 < assert_comes_about(sample, questions, told) < 0.2


def test_weights_and_nodes_move_what_consistent_hashing_moves(sample, questions):
    fra = '      fra-2: { address: [127.10.4.2, "fd00:10:4::2"] }\n'
    with edited(sample, (pool(sample), '"fd00:10:4::1"] }', '"fd00:10:4::1"], weight: 300 }')):
        told = diff(sample)
        assert {"option": "weight", "before": "100", "after": "300"} in told["objects"][0]["options"]
        vpn = next(line for line in told["steered"] if f"{NAME}." in line["names"])
        assert {(move["from"], move["to"]) for move in vpn["nodes"]} == {("edge/fra-2", "edge/fra-1")}
        bound = next(line for line in told["steered"] if "frankfurt.vpn.example.net." in line["names"])
        assert bound["changed"]["ipv4"] == pytest.approx(0.25, abs=0.02), "of 1/2 and 1/2 to 3/4 and 1/4"
        assert_comes_about(sample, questions, told)
        with edited(sample, (pool(sample), fra, "")):
            told = diff(sample)
            assert [(thing["object"], thing["change"]) for thing in told["objects"]] == [("node edge/fra-2", "removed")]
            assert_comes_about(sample, questions, told)


def test_an_address_of_a_node_and_names_bound_elsewhere(sample):
    edits = [(pool(sample), "127.10.1.1,", "127.10.1.9,"),
             (zone(sample), "tokyo.vpn		30", "tokyo.vpn		60"),
             (zone(sample), "london.vpn		30	IN POOL	edge/london", "london.vpn		30	IN POOL	edge/paris"),
             (sample.config, "sites:\n", "sites:\n  paris: { location: [48.86, 2.35] }\n"),
             (pool(sample), "\nrules:", '\n  paris:\n    nodes:\n      par-1: { address: "127.10.4.1" }\n\nrules:')]
    with edited(sample, *edits):
        told = diff(sample)
        tokyo = next(line for line in told["steered"] if "tokyo.vpn.example.net." in line["names"])
        assert [(move["from"], move["to"]) for move in tokyo["nodes"]] == [("edge/tyo-1", "edge/tyo-1")]
        assert 0.4 < tokyo["changed"]["ipv4"] < 0.6
        london = next(line for line in told["steered"] if "london.vpn.example.net." in line["names"])
        assert london["changed"]["ipv4"] == pytest.approx(1)
        pools = {rrset["name"]: rrset for rrset in told["zones"][0]["rrsets"]}
        assert (pools["tokyo.vpn.example.net."]["ttl_before"], pools["tokyo.vpn.example.net."]["ttl"]) == (30, 60)
        assert pools["london.vpn.example.net."]["before"] == ["edge/london"]
        assert pools["london.vpn.example.net."]["after"] == ["edge/paris"]
        objects = {thing["object"]: thing["change"] for thing in told["objects"]}
        assert objects["site paris"] == objects["node edge/par-1"] == "added"
        assert objects["node edge/tyo-1"] == "changed"
        people = sample.ctl("diff").stdout
        assert "edge/tyo-1, another answer" in people and "node edge/par-1: added" in people


def test_what_changes_no_answer_is_told_as_that(sample):
    with edited(sample, (pool(sample), "fall: 3", "fall: 5")):
        people = sample.ctl("diff").stdout
        assert "every client gets the same answer as before" in people
        line, = [line for line in people.splitlines() if "probe tcp" in line]
        assert line.startswith("  pool edge: probe tcp: tcp port ") and "fall 3" in line and "fall 5" in line
        assert diff(sample)["steered"] == [] and diff(sample)["zones"] == []


def test_what_watches_and_whom_it_tells_is_told_by_option(sample):
    hooks = ('hooks:\n  - { on: [down, up], command: ["/bin/true", "a b"] }\n'
             '  - { on: alarm, pools: edge, url: "http://127.0.0.1:9/x", rate: 5/h }\n')
    doubt = 'doubt: { references: ["192.0.2.1", "192.0.2.2:53", "[2001:db8::1]:53"], share: 70% }\n'
    edits = [(sample.config, "sites:\n", hooks + doubt + "sites:\n"),
             (sample.config, "ramp: { time: 0s }", "ramp: { time: 30s }, flap: { half-life: 7m }")]
    with edited(sample, *edits):
        assert diff(sample)["objects"][0] == {"object": "server", "change": "changed", "options": [
            {"option": "doubt references", "before": "", "after": "192.0.2.1, 192.0.2.2:53, [2001:db8::1]:53"},
            {"option": "doubt share", "before": "50%", "after": "70%"}]}
        people = sample.ctl("diff").stdout
        for line in ("server: doubt share: 50% -> 70%", "pool edge: ramp time: 0s -> 30s", "pool edge: flap half-life: ", "hook 1: added"):
            assert line in people, people
        told = json.loads(sample.ctl("--json", "reload").stdout)
        assert (told["changed"], told["changes"]["settings"], told["changes"]["pools"]["changed"]) == (True, True, 1)
        assert diff(sample)["objects"] == []
        rest = [(sample.config, "[down, up]", "down"), (sample.config, '"a b"', "a, b"), (sample.config, "5/h", "6/m")]
        with edited(sample, *rest):
            told = {thing["object"]: {option["option"]: (option["before"], option["after"]) for option in thing["options"]}
                    for thing in diff(sample)["objects"]}
            assert told == {"hook 1": {"on": ("up, down", "down"), "command": ('"/bin/true" "a b"', '"/bin/true" "a" "b"')},
                            "hook 2": {"rate": ("5/h", "6/m")}}
    assert diff(sample)["objects"] == []


def test_a_file_of_networks_is_followed(sample, questions):
    listed = sample.folder / "listed"
    listed.write_text("8.0.0.0/8\n")
    rule = "rules:\n  - { clients: [file:../listed], sites: [sydney] }\n"
    with edited(sample, (pool(sample), "rules:", rule)):
        told = diff(sample)
        total = told["steered"][0]["changed"]["ipv4"]
        assert 0 < total < 0.02
        assert_comes_about(sample, questions, told)


def test_policies_that_draw_answers_are_compared_by_their_shares(sample):
    with edited(sample, (pool(sample), "persistence: subnet", "persistence: none"),
                (zone(sample), "2026112201", "2026112202")):
        assert all(line["changed"]["ipv4"] < 0.02 for line in diff(sample)["steered"]), "the shares stay"
        sample.ctl("reload")
        with edited(sample, (pool(sample), '"fd00:10:4::1"] }', '"fd00:10:4::1"], weight: 300 }')):
            bound = next(line for line in diff(sample)["steered"] if "frankfurt.vpn.example.net." in line["names"])
            assert bound["changed"]["ipv4"] == pytest.approx(0.25, abs=0.01)


def test_zones_that_come_and_go_and_other_files(sample):
    new = sample.zone_file("example.org.zone")
    new.write_text("@ 60 IN SOA ns1 hostmaster 7 1 1 1 1\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.1\n")
    try:
        assert [(line["name"], line["change"], line["records"]) for line in diff(sample)["zones"]] == [
            ("example.org.", "added", 3)]
        other = sample.folder / "other"
        other.mkdir()
        (other / "edge.pool.yaml").write_text(pool(sample).read_text())
        (other / new.name).write_text(new.read_text())
        (other / "signpost.yaml").write_text(sample.config.read_text().replace("zones: zones", "zones: ."))
        told = diff(sample, str(other))
        assert {line["name"]: line["change"] for line in told["zones"]} == {
            "example.net.": "removed", "example.org.": "added"}
    finally:
        new.unlink()


def test_long_lists_are_cut_unless_all_is_asked_for(sample):
    more = "".join(f"many{i} 60 IN TXT more\nvpn{i} 30 IN POOL edge\n" for i in range(150))
    nodes = "".join(f"      more-{i}: {{ address: 127.11.0.{i}, weight: 0 }}\n" for i in range(120))
    with edited(sample, (zone(sample), "; The VPN.", more + "; The VPN."),
                (pool(sample), "      tyo-1:", nodes + "      tyo-1:")):
        told, everything = diff(sample), diff(sample, "--all")
        for line, count in ((told["zones"][0], 100), (everything["zones"][0], 300)):
            assert line["added"] == 300 and len(line["rrsets"]) == count
        assert (len(told["objects"]), told["objects_left_off"]) == (100, 20)
        assert (len(everything["objects"]), everything["objects_left_off"]) == (120, 0)
        assert sample.ctl("diff").stdout.count(" more; --all tells them") == 2


def test_mistakes_are_told_and_nothing_else(sample):
    with edited(sample, (pool(sample), "policy: nearest", "policy: farthest")):
        done = diff(sample, status=1)
        assert "edge.pool.yaml:" in done.stderr and "farthest" in done.stderr and done.stdout == ""
    done = diff(sample, "/nowhere", status=1)
    assert "/nowhere" in done.stderr and done.stdout == ""
