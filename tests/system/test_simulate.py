"""signpostctl simulate: what it foretells is what comes about, and the map shows it.

The foretold shares are of address space; they are compared with the answers that random addresses
of that space really get."""

import collections
import ipaddress
import json
import math
import random
import re
import xml.etree.ElementTree

import maxminddb
import pytest

import fastdns
import signpost

NAME = "vpn.example.net"
SAMPLES = 3000
SITE_OF_NUMBER = {number: site for site, (number, _) in signpost.SITES.items()}


def simulate(server, *arguments, status=0):
    done = server.ctl("--json", "simulate", *arguments, check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def site_shares(told, when, measure="ipv4"):
    return {site["site"]: site[when].get(measure, 0) for site in told["pools"][0]["sites"]}


def addresses_in_countries(count, seed):
    """Random IPv4 addresses whose country is known: what the shares are of."""
    rng = random.Random(seed)
    found = []
    with maxminddb.open_database(str(signpost.SOURCE / "geoip/country.mmdb")) as database:
        while len(found) < count:
            address = fastdns.random_public(rng, 4)
            if (database.get(str(address)) or {}).get("country_code"):
                found.append(address)
    return found


def answered_shares(server, addresses):
    questions = [(NAME, "A", ipaddress.ip_network((address, 24), strict=False)) for address in addresses]
    sites = collections.Counter()
    for rcode, answers, _ in fastdns.ask_many(server.server, questions):
        assert rcode == 0 and len(answers) == 1
        sites[SITE_OF_NUMBER[int(answers[0].split(".")[2])]] += 1
    return {site: sites[site] / len(addresses) for site in signpost.SITES}


def assert_near(foretold, answered, count):
    for site, share in foretold.items():
        deviation = math.sqrt(share * (1 - share) / count)
        assert abs(answered[site] - share) <= 4 * deviation + 0.002, f"{site}: {share} foretold, {answered[site]} came"


def wait_for_germans(server, site):
    """Control knows of a node before who answers does."""
    number, _ = signpost.SITES[site]
    signpost.wait_until(lambda: server.addresses(NAME, "A", "134.109.0.0/24")[0].startswith(f"127.10.{number}."),
                        15 * signpost.SLOW)


def test_what_is_foretold_comes_about(sample):
    addresses = addresses_in_countries(SAMPLES, 1)
    wait_for_germans(sample, "frankfurt")
    told = simulate(sample, "--down", "frankfurt")
    assert_near(site_shares(told, "before"), answered_shares(sample, addresses), SAMPLES)
    after = site_shares(told, "after")
    assert after["frankfurt"] == 0 and after["london"] > 0.2
    down = ("127.10.4.1", "127.10.4.2")
    sample.nodes.stop(*down)
    try:
        signpost.wait_until(lambda: simulate(sample)["pools"][0]["sites"][3]["before"]["ipv4"] == 0, 15 * signpost.SLOW, 0.2)
        wait_for_germans(sample, "london")
        assert_near(after, answered_shares(sample, addresses), SAMPLES)
        now = simulate(sample)
        assert site_shares(now, "before") == pytest.approx(after, abs=1e-9), "to simulate nothing tells what is"
        assert site_shares(now, "after") == pytest.approx(after, abs=1e-9)
    finally:
        sample.nodes.start(*down)
        signpost.wait_until(lambda: simulate(sample)["pools"][0]["sites"][3]["before"]["ipv4"] > 0.1, 15 * signpost.SLOW, 0.2)


def test_shares_are_whole_and_only_clients_of_what_is_down_move(sample):
    told = simulate(sample, "--down", "tokyo", "--down", "node:gru-1")
    pool, = told["pools"]
    for measure in ("ipv4", "ipv6"):
        before, after = site_shares(told, "before", measure), site_shares(told, "after", measure)
        assert sum(before.values()) == pytest.approx(1) and sum(after.values()) == pytest.approx(1)
        assert pool["moved"][measure] == pytest.approx(before["tokyo"]), "gru-2 takes the clients of gru-1"
        assert after["saopaulo"] == pytest.approx(before["saopaulo"])
    nodes = {node["name"]: node for site in pool["sites"] for node in site["nodes"]}
    assert nodes["gru-1"]["after"]["ipv4"] == 0 and nodes["gru-1"]["state_after"] == "down"
    for country in pool["countries"]:
        for when in ("before", "after"):
            for measure in country["amounts"]:
                assert sum(site[when][measure] for site in country["sites"]) == pytest.approx(1)
    japan = next(country for country in pool["countries"] if country["country"] == "JP")
    assert japan["name"] == "Japan" and japan["moved"]["ipv4"] == pytest.approx(1, abs=0.001)


def test_amounts_are_those_of_the_database(sample):
    """Counted again by walking the database with another library."""
    counts, at = collections.Counter(), 0
    with maxminddb.open_database(str(signpost.SOURCE / "geoip/country.mmdb")) as database:
        while at < 1 << 32:
            found, length = database.get_with_prefix_len(str(ipaddress.IPv4Address(at)))
            if found:
                counts[found["country_code"]] += 1 << 32 - length
            at += 1 << 32 - length
    for country in simulate(sample)["pools"][0]["countries"]:
        if country["country"] in ("JP", "DE", "BR", "US"):
            assert country["amounts"]["ipv4"] == counts[country["country"]]


def test_capacity_is_told_and_decides_the_exit_status(sample):
    holds = simulate(sample, "--load", "0.2", "--down", "frankfurt")
    assert holds["holds"] is True
    london = {site["site"]: site for site in holds["pools"][0]["sites"]}["london"]["capacity"]
    assert london["use_before"] == pytest.approx(0.2)
    assert 0.39 < london["use_after"] <= 0.4, "all of Frankfurt's clients but a few, with what they use"
    fails = simulate(sample, "--load", "0.95", "--down", "newyork", status=1)
    assert fails["holds"] is False, "7.6 sites' worth of clients at seven sites"
    over = [site for site in fails["pools"][0]["sites"] if site["holds"] is False]
    assert over and all(site["capacity"]["use_after"] > 1 for site in over)
    unknown = simulate(sample, "--down", "frankfurt")
    assert unknown["holds"] is None and 0 < unknown["pools"][0]["bearable_after"] < 1


def test_a_site_that_is_drained_already_is_no_lack_of_capacity(sample):
    sample.ctl("drain", "saopaulo")
    try:
        told = simulate(sample, "--load", "0.3", "--down", "frankfurt")
    finally:
        sample.ctl("enable", "saopaulo")
    drained = {site["site"]: site for site in told["pools"][0]["sites"]}["saopaulo"]
    assert told["holds"] is True and drained["after"]["ipv4"] == 0
    assert drained["holds"] is None, "sessions are still there, and nobody comes"


def test_a_profile_of_queries_weighs_clients(sample):
    profile = sample.folder / "profile"
    profile.write_text("# where queries come from\nJP 300\n134.109.0.0/16 100\n")
    told = simulate(sample, "--profile", str(profile), "--down", "frankfurt")
    assert told["demand"] == "queries" and told["totals"]["queries"] == 400
    before, after = site_shares(told, "before", "queries"), site_shares(told, "after", "queries")
    assert (before["tokyo"], before["frankfurt"]) == (pytest.approx(0.75), pytest.approx(0.25))
    assert (after["tokyo"], after["london"]) == (pytest.approx(0.75), pytest.approx(0.25))
    profile.write_text("JP 300\nnobody 1\n")
    done = sample.ctl("simulate", "--profile", str(profile), check=False)
    assert done.returncode == 2 and "profile:2:" in done.stderr


def test_other_files_are_simulated_without_running_them(sample):
    other = sample.folder / "other"
    other.mkdir()
    pool = sample.zone_file("edge.pool.yaml").read_text()
    (other / "edge.pool.yaml").write_text(pool + "  - { clients: [JP], sites: [sydney] }\n")
    (other / "example.net.zone").write_text(sample.zone_file("example.net.zone").read_text())
    (other / "signpost.yaml").write_text(sample.config.read_text().replace("zones: zones", "zones: ."))
    told = simulate(sample, "--files", str(other))
    japan = next(country for country in told["pools"][0]["countries"] if country["country"] == "JP")
    assert {site["site"]: site["after"]["ipv4"] for site in japan["sites"]}["sydney"] == pytest.approx(1)
    assert told["pools"][0]["moved"]["ipv4"] == pytest.approx(
        japan["amounts"]["ipv4"] / told["totals"]["ipv4"], rel=0.01)
    (other / "edge.pool.yaml").write_text(pool.replace("policy: nearest", "policy: farthest"))
    done = sample.ctl("simulate", "--files", str(other), check=False)
    assert done.returncode == 2 and "edge.pool.yaml:" in done.stderr and "farthest" in done.stderr


@pytest.mark.parametrize("order, expected", [("shuffled", lambda before: 1 / 8), ("preference", lambda before: before)])
def test_of_answers_with_several_nodes_each_counts_where_they_are_shuffled(sample, order, expected):
    """With eight nodes of eight sites each client has all of them."""
    other = sample.folder / order
    other.mkdir()
    pool = sample.zone_file("edge.pool.yaml").read_text()
    (other / "edge.pool.yaml").write_text(
        pool.replace("\npersistence:", f"\nanswers: 8\norder: {order}\npersistence:"))
    (other / "example.net.zone").write_text(sample.zone_file("example.net.zone").read_text())
    (other / "signpost.yaml").write_text(sample.config.read_text().replace("zones: zones", "zones: ."))
    told = simulate(sample, "--files", str(other))
    before, after = site_shares(told, "before"), site_shares(told, "after")
    assert after == {site: pytest.approx(expected(share)) for site, share in before.items()}


def test_names_that_are_bound_to_a_site_are_told_not_to_count(sample):
    bound = len(signpost.SITES)
    assert simulate(sample)["bound_records"] == bound
    assert f"not counted: who asks for the {bound} names that are bound to one site" in sample.ctl("simulate").stdout


def test_sites_spill_over_until_use_and_what_they_keep_agree(sample):
    other = sample.folder / "spilling"
    other.mkdir()
    pool = sample.zone_file("edge.pool.yaml").read_text()
    (other / "edge.pool.yaml").write_text(pool.replace("\npersistence:", "\nspill: { high: 80%, low: 60% }\npersistence:"))
    (other / "example.net.zone").write_text(sample.zone_file("example.net.zone").read_text())
    (other / "signpost.yaml").write_text(sample.config.read_text().replace("zones: zones", "zones: ."))
    told = simulate(sample, "--files", str(other), "--load", "0.2", "--load", "frankfurt=0.95")
    sites = {site["site"]: site for site in told["pools"][0]["sites"]}
    kept, use = sites["frankfurt"]["keep_after"], sites["frankfurt"]["capacity"]["use_after"]
    assert 0.6 < use < 0.8 and use == pytest.approx(0.95 * kept, abs=0.01)
    assert kept == pytest.approx(1 - (use - 0.6) / 0.2 * 0.75, abs=0.02), "all at the low mark, a quarter at the high one"
    moved = sites["frankfurt"]["before"]["ipv4"] - sites["frankfurt"]["after"]["ipv4"]
    assert moved == pytest.approx((1 - kept) * sites["frankfurt"]["before"]["ipv4"], rel=0.02)
    assert sites["london"]["after"]["ipv4"] - sites["london"]["before"]["ipv4"] == pytest.approx(moved, rel=0.02)
    assert sites["london"]["keep_after"] == 1 and told["holds"] is True


def test_pools_may_be_new_or_gone(sample):
    other = sample.folder / "renamed"
    other.mkdir()
    pool = sample.zone_file("edge.pool.yaml").read_text()
    (other / "west.pool.yaml").write_text(pool.replace("pool: edge", "pool: west"))
    zone = sample.zone_file("example.net.zone").read_text()
    (other / "example.net.zone").write_text(re.sub(r"(POOL\s+)edge", r"\1west", zone))
    (other / "signpost.yaml").write_text(sample.config.read_text().replace("zones: zones", "zones: ."))
    told = simulate(sample, "--files", str(other), "--load", "0.5")
    assert [(pool["name"], pool["is_before"], pool["is_after"]) for pool in told["pools"]] == [
        ("edge", True, False), ("west", False, True)]
    gone, new = told["pools"]
    assert gone["holds"] is None, "it has no clients any more"
    assert sum(site["after"]["ipv4"] for site in new["sites"]) == pytest.approx(1)


def test_all_sites_share_what_is_too_much_for_the_next_one(sample):
    """By default sites spill over from 90 % on. Seven bear the clients of eight: 0.8 * 8 / 7 = 91 %."""
    told = simulate(sample, "--load", "0.8", "--down", "frankfurt")
    uses = {site["site"]: site["capacity"].get("use_after") for site in told["pools"][0]["sites"]}
    assert uses.pop("frankfurt") is None and told["holds"] is True
    assert sum(uses.values()) == pytest.approx(6.4, rel=0.001), "nobody's use is lost"
    assert all(0.87 < use < 0.95 for use in uses.values()), uses


def test_who_is_drained_serves_where_nobody_else_is_up(sample):
    told = simulate(sample, "--drain", "edge")
    assert list(told["pools"][0]["applied_after"]) == ["draining"]
    assert site_shares(told, "after") == pytest.approx(site_shares(told, "before"))
    told = simulate(sample, "--down", "edge", status=1)
    assert list(told["pools"][0]["applied_after"]) == ["all"] and told["holds"] is False, "there is nothing left"


@pytest.mark.parametrize("arguments, why", [
    (["--down", "atlantis"], "atlantis"), (["--load", "tokyo=much"], "is no load"), (["--pool", "none"], "no pool"),
    (["--files", "/nowhere"], "/nowhere"), (["--profile", "/nowhere"], "/nowhere"),
    (["--for", "10m"], "--for means nothing to simulate"), (["--force"], "--force means nothing"),
])
def test_what_cannot_be_simulated_is_refused(sample, arguments, why):
    done = sample.ctl("simulate", *arguments, check=False)
    assert done.returncode == 2 and why in done.stderr and done.stdout == ""


def test_tables_for_people_name_sites_and_countries(sample):
    text = sample.ctl("simulate", "--down", "frankfurt").stdout
    for part in ("simulated: down frankfurt", "pool edge, policy nearest", "SITE", "frankfurt", "DE Germany",
                 "frankfurt 100 % -> london 100 %", "IPv6 networks of 48 bits", "--all-countries"):
        assert part in text, text
    everything = sample.ctl("simulate", "--down", "frankfurt", "--all-countries").stdout
    assert "JP Japan" in everything and "JP Japan" not in text
    assert len(everything.splitlines()) > 200


def test_the_map_is_well_formed_and_has_each_site(sample):
    path = sample.folder / "map.svg"
    sample.ctl("simulate", "--down", "frankfurt", "--svg", str(path))
    root = xml.etree.ElementTree.parse(path).getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert root.tag == svg + "svg"
    texts = collections.Counter("".join(text.itertext()) for text in root.iter(svg + "text"))
    for site in signpost.SITES:
        assert texts[site] == 3, "on each map, and in the legend"
    marks = [mark for mark in root.iter(svg + "circle") if mark.get("class") == "site"]
    assert len(marks) == 2 * len(signpost.SITES)
    defined = {path.get("id") for path in root.iter(svg + "path")} - {None}
    used = [use.get("href")[1:] for use in root.iter(svg + "use")]
    assert set(used) == defined and len(used) == 2 * len(defined) > 400
    fills = {}
    for use in root.iter(svg + "use"):
        title = use.find(svg + "title")
        if title is not None and title.text.startswith("Germany"):
            fills.setdefault(title.text, use.get("fill"))
    assert set(fills) == {"Germany, frankfurt 100.0 %", "Germany, london 100.0 %"}
    assert len(set(fills.values())) == 2
