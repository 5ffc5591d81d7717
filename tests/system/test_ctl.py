"""signpostctl against a running Signpost: what it says is what is answered."""

import json
import os
import random
import re
import signal
import subprocess
import time

import pytest

import fastdns
import signpost

NAME = "vpn.example.net"


def explain(server, *arguments):
    return json.loads(server.ctl("explain", "--json", *arguments).stdout)


def run(*arguments, **environment):
    return subprocess.run([signpost.BUILD / "signpostctl", *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})


# --- explain


@pytest.mark.parametrize("family", [4, 6])
def test_explanation_names_the_answer_that_is_given(sample, family):
    rng = random.Random(family)
    length = {4: 24, 6: 56}[family]
    for _ in range(15):
        address = str(fastdns.random_public(rng, family))
        told = explain(sample, NAME, address)
        answer = sample.ask(NAME, "A", told["network"])
        assert told["network"].endswith(f"/{length}")
        assert [r.split()[-1] for r in told["answers"][0]["records"]] == [rr.address for rr in answer.answer[0]]
        assert told["answers"][0]["scope"] == told["steering"]["scope"] == signpost.scope(answer)
        assert told["steering"]["node"]["addresses"][0] == answer.answer[0][0].address
        assert told["steering"]["node"]["site"] == told["steering"]["sites"][0]["name"], "all are up"
        assert len(told["steering"]["sites"]) == 8
        if "latitude" in told["location"]:
            # Beyond the depth of a preference (4) sites follow by distance from the first.
            kilometres = [s["km"] for s in told["steering"]["sites"]]
            assert kilometres[:4] == sorted(kilometres)[:4]


def test_explanation_for_people_has_all_steps(sample):
    text = sample.ctl("explain", NAME, "133.11.0.0/24").stdout
    for part in ("vpn.example.net., zone example.net.", "133.11.0.0/24, known by its client subnet", "JP",
                 "country.mmdb", "the centre of its country", "IN POOL edge, policy nearest",
                 "by distance, no rule applies", "tokyo", "<- chosen", "slot", "ECS scope /", "IN A 127.10.1.",
                 "IN AAAA fd00:10:1::", "TTL        30 s"):
        assert part in text, text
    assert "\033" not in text, "no colours where nobody looks"


def test_explanation_names_the_rule_and_where_it_is_written(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    path = server.zone_file("edge.pool.yaml")
    text = path.read_text()
    if "\nrules:" not in text:
        text += "\nrules:\n"
    text += "  - clients: [192.0.2.0/24]\n    sites: [sydney, tokyo]\n"
    path.write_text(text)
    line = 1 + text[: text.index("192.0.2.0/24")].count("\n")
    server.start()
    told = explain(server, NAME, "192.0.2.1")
    place = told["steering"]["rule"]["place"].split(":")
    assert place[0].endswith("edge.pool.yaml") and int(place[1]) == line
    assert "192.0.2.0/24" in told["steering"]["rule"]["clients"]
    assert [s["name"] for s in told["steering"]["sites"]][:2] == ["sydney", "tokyo"]
    assert explain(server, NAME, "192.0.3.1")["steering"]["rule"] is None


def test_explanation_of_a_record_of_one_site_needs_no_location(sample):
    told = explain(sample, "tokyo.vpn.example.net", "200.160.0.0/24")
    assert told["steering"]["site"] == "tokyo"
    assert [s["name"] for s in told["steering"]["sites"]] == ["tokyo"]
    assert told["answers"][0]["records"][0].split()[-1].startswith("127.10.1.")


def test_explanation_follows_aliases_and_tells_what_is_no_pool(sample):
    assert explain(sample, "www.example.net", "133.11.0.0")["steering"] is None
    told = explain(sample, "nothing.example.net", "133.11.0.0")
    assert told["zone"] == "example.net."
    told = explain(sample, "example.com", "133.11.0.0")
    assert told["zone"] is None and told["answers"][0]["rcode"] == "REFUSED"


def test_type_and_source_can_be_chosen(sample):
    told = explain(sample, NAME, "133.11.0.1", "--type", "AAAA", "--source")
    assert [a["type"] for a in told["answers"]] == ["AAAA"]
    assert told["known_by"] == "source address" and told["network"] == "133.11.0.1/32"
    assert "scope" not in told["answers"][0]


def test_explanation_of_failover_shows_who_is_down(sample):
    sample.nodes.stop("127.10.1.1", "127.10.1.2")
    try:
        told = signpost.wait_until(
            lambda: (t := explain(sample, NAME, "133.11.0.0"))["steering"]["sites"][0]["usable"] == 0 and t,
            15 * signpost.SLOW)
        assert told["steering"]["node"]["site"] == "singapore"
        assert [s["name"] for s in told["steering"]["sites"]][:2] == ["tokyo", "singapore"]
    finally:
        sample.nodes.start("127.10.1.1", "127.10.1.2")
    signpost.wait_until(lambda: explain(sample, NAME, "133.11.0.0")["steering"]["sites"][0]["usable"] == 2,
                        15 * signpost.SLOW)


# --- status


def test_status_names_processes_and_counts_queries(sample):
    before = json.loads(sample.ctl("status", "--json").stdout)
    assert before["processes"]["supervisor"]["pid"] == sample.process.pid
    assert before["processes"]["dns"]["pid"] == sample.pid("signpost-dns")
    assert before["processes"]["control"]["pid"] == sample.pid("signpost-control")
    for _ in range(10):
        sample.ask(NAME, "A", "133.11.0.0/24")
    sample.ask("nothing.example.net", tcp=True)
    after = json.loads(sample.ctl("status", "--json").stdout)["counters"]
    grown = {k: v - before["counters"][k] for k, v in after.items()}
    assert grown["queries_udp"] == 10 and grown["queries_tcp"] == 1
    assert grown["steered"] == 10 and grown["with_ecs"] == 10 and grown["nxdomain"] == 1


def test_status_tells_how_late_probes_start(sample):
    """A stopped process finds the turns that it missed late when it goes on."""
    def probing():
        return json.loads(sample.ctl("--json", "status").stdout)["probing"]
    signpost.wait_until(lambda: probing()["started"] > 0, 20 * signpost.SLOW)
    told = probing()
    assert told["late_p50_us"] <= told["late_p99_us"] <= told["late_max_us"] < 60e6
    assert "probing: " in sample.ctl("status").stdout
    control = json.loads(sample.ctl("--json", "status").stdout)["processes"]["control"]["pid"]
    os.kill(control, signal.SIGSTOP)
    try:
        time.sleep(0.5)  # much more than an eighth of the interval
    finally:
        os.kill(control, signal.SIGCONT)
    signpost.wait_until(lambda: probing()["left_out"] > told["left_out"], 20 * signpost.SLOW)


def test_status_for_people_is_aligned_and_complete(sample):
    text = sample.ctl("status").stdout
    rows = [line for line in text.splitlines() if "127.10." in line]
    assert len(rows) == 16
    assert len({line.index("127.10.") for line in rows}) == 1, "addresses are in one column"
    assert all(" up " in line for line in rows)
    assert "pool edge: nearest, 16 of 16 nodes up\n" in text
    assert "in use: 1 zone, 38 records, 10 of them POOL; for " in text and ", compiled from the files\n" in text


def test_status_tells_nodes_that_are_up_from_those_that_are_usable(sample):
    sample.ctl("drain", "tyo-1")
    try:
        status = json.loads(sample.ctl("--json", "status").stdout)["pools"][0]
        assert (status["up"], status["usable"], status["total"]) == (16, 15, 16)
        assert (status["sites"][0]["up"], status["sites"][0]["usable"]) == (2, 1)
        text = sample.ctl("status").stdout
        assert "pool edge: nearest, 16 of 16 nodes up, 15 usable\n" in text
        assert "  tokyo 2/2, 1 usable " in text and "  london 2/2 " in text
        told = sample.ctl("explain", NAME, "133.11.0.0").stdout
        assert re.search(r"SITE +KM +USABLE", told) and re.search(r"tokyo +\d+ +1/2", told)
    finally:
        sample.ctl("enable", "tyo-1")


def test_status_of_one_pool(sample):
    assert [p["name"] for p in json.loads(sample.ctl("status", "edge", "--json").stdout)["pools"]] == ["edge"]
    for command in (["status", "egde"], ["config", "--effective", "-c", sample.config, "egde"]):
        done = sample.ctl(*command, check=False)
        assert done.returncode > 0 and done.stderr == 'signpostctl: there is no pool "egde" (did you mean "edge"?)\n'


# --- the command line


def test_control_socket_is_found_by_folder_path_or_environment(sample):
    run_dir = str(sample.folder / "run")
    assert run("--run", run_dir, "status").returncode == 0
    assert run("--socket", run_dir + "/control.sock", "status").returncode == 0
    assert run("status", SIGNPOST_RUN=run_dir).returncode == 0
    assert run("-c", str(sample.config), "status").returncode == 0, "the server file says where"


def test_networks_are_read_from_standard_input(sample):
    networks = ["133.11.0.0/24", "2a00:1450::/32", "200.160.0.7/32"]

    def lines(*arguments, stdin="\n".join(networks) + "\n"):
        return subprocess.run([signpost.BUILD / "signpostctl", "--run", sample.folder / "run", "explain", *arguments,
                               NAME, "-"], input=stdin, capture_output=True, text=True, timeout=60)

    told = [json.loads(line) for line in lines("--json").stdout.splitlines()]
    assert [t["network"] for t in told] == networks
    for one in told:
        alone = explain(sample, NAME, one["network"])
        assert alone["steering"]["sites"] == one["steering"]["sites"] and alone["answers"] == one["answers"]
    assert lines().stdout.count("IN POOL edge") == 3
    assert lines(stdin="133.11.0.0/24\n1.2.3\n").returncode == 2


def test_exit_status_tells_what_was_wrong(sample, tmp_path):
    assert run("--help").returncode == 0
    assert run("--version").stdout.startswith("signpostctl ")
    for wrong in ([], ["dance"], ["status", "a", "b"], ["explain", NAME], ["explain", NAME, "1.2.3"],
                  ["explain", NAME, "192.0.2.0/33"], ["explain", NAME, "192.0.2.0/-1"],
                  ["explain", NAME, "192.0.2.1", "--type", "MX"], ["--frobnicate"]):
        done = run(*wrong)
        assert done.returncode == 2 and done.stderr, wrong
    assert run("--run", str(tmp_path), "status").returncode == 3
    assert sample.ctl("explain", "a..b", "192.0.2.1", check=False).returncode == 1


@pytest.mark.parametrize("wrong, says", [
    (["--frobnicate", "status"], "no such option, or one of several: --frobnicate"),
    (["--jsno", "status"], 'no such option: --jsno (did you mean "--json"?)'),
    (["--fo", "status"], "no such option"),  # --for, --force
    (["weight", "tyo-1", "-1"], "no number is negative here: -1"),
    (["report", "tyo-1", "-0.5"], "no number is negative here: -0.5"),
    (["status", "-x"], "no such option: -x"),
    (["status", "-c"], "a value belongs behind: -c"),
    (["explain", "--type"], "a value belongs behind: --type"),
    (["status", "--json=yes"], "no value belongs there: --json=yes"),
    (["weight", "tyo-1", "70000"], "a whole number from 0 to 65535"),
    (["report", "tyo-1", "83"], 'did you mean "83%"?'),
    (["report", "tyo-1"], "report NODE LOAD"),
])
def test_a_command_line_that_is_not_understood_says_why_in_its_own_name(wrong, says):
    done = run(*wrong)
    assert done.returncode == 2 and says in done.stderr
    assert all(line.startswith(("signpostctl: ", "Try 'signpostctl --help'")) for line in done.stderr.splitlines())


def test_check_tells_all_mistakes_and_touches_nothing(sample, tmp_path):
    assert run("check", str(sample.config)).returncode == 0
    assert run("check", "-c", str(sample.config)).returncode == 0
    config = tmp_path / "signpost.yaml"
    (tmp_path / "zones").mkdir()
    config.write_text("zones: zones\nsites:\n  a: { location: [91, 0] }\n  b: { location: [0, 999] }\n")
    done = run("check", str(config))
    assert done.returncode == 1
    assert f"{config}:3:" in done.stderr and f"{config}:4:" in done.stderr
    assert run("check", str(tmp_path / "missing.yaml")).returncode in (1, 2)


def test_reload_says_what_changed(sample):
    path = sample.zone_file("example.net.zone")
    before = path.read_text()
    path.write_text(before + "added IN A 192.0.2.99\n")
    try:
        assert "zone example.net. changed (serial" in sample.ctl("reload").stdout
        assert sample.addresses("added.example.net") == ["192.0.2.99"]
        assert "nothing has changed" in sample.ctl("reload").stdout
    finally:
        path.write_text(before)
        sample.ctl("reload")


def test_first_query_after_a_reload_gets_the_new_answer(sample):
    path = sample.zone_file("example.net.zone")
    before = path.read_text()
    try:
        for i in range(1, 21):
            path.write_text(before + f"counted IN A 192.0.2.{i}\n")
            sample.ctl("reload")
            assert sample.addresses("counted.example.net") == [f"192.0.2.{i}"]
    finally:
        path.write_text(before)
        sample.ctl("reload")


def test_reload_tells_of_settings_that_wait_for_a_restart(sample):
    before = sample.config.read_text()
    assert "restart" not in sample.ctl("reload").stdout
    try:
        sample.config.write_text(before.replace("workers: 2", "workers: 3"))
        told = sample.ctl("reload").stdout
        assert "waits for a restart" in told and "ms, the answers are the same\n" in told
        assert "settings that wait for a restart" in sample.log()
        sample.config.write_text(before.replace("log: { level: info }", "") + "log: { level: debug }\n")
        assert "restart" not in sample.ctl("reload").stdout, "the log level is followed at once"
    finally:
        sample.config.write_text(before)
    assert "restart" not in sample.ctl("reload").stdout
