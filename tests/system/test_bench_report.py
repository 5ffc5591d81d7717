"""What tests/bench/report.py makes of measurements, and where it puts it."""

import pathlib
import sys
import types

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"
sys.path.insert(1, str(BENCH))

import goals  # noqa: E402
import latency  # noqa: E402
import report  # noqa: E402
import where  # noqa: E402


def measured(server, number, cpu_us, **more):
    return {"server": server, "workload": "static", "round": number, "cpu_us": cpu_us, "user_us": 0.5, "sent": 1000,
            "answered": 1000, "lost": 0, "dropped": 0, "per_second": 1e6 / cpu_us, "server_busy": 1.0,
            "reply_octets": 52.0, "with_answer": 1.0, **more}


def test_ratio_is_of_the_floor_of_the_same_round():
    results = [measured("floor", 0, 3.0), measured("nsd", 0, 4.0), measured("floor", 1, 4.0), measured("nsd", 1, 4.0)]
    assert report.ratios(results, "static", "nsd") == [0.75, 1.0]
    assert "| nsd | 250 (250–250) | 4.00 (4.00–4.00) | 0.50 | 0.88 (0.75–1.00) | 100% | 52 |  |" in (
        report.workload_table(results, "static").splitlines())


def test_goals_are_told_with_what_was_measured():
    results = {"udp": [measured("floor", 0, 3.8), measured("signpost", 0, 4.0)],
               "instructions": {"signpost": {"static": {"batched": 601.2, "single": 700.0}}}}
    assert goals.rows(results) == [
        ["floor's CPU time / its, one static name", "at least 0.95", "0.95 (0.95–0.95)", "yes"],
        ["µs in user space by the tick, one static name", "at most 0.08", "0.50", "**no**"],
        ["instructions, one static name", "at most 600", "601 (700 one at a time)", "**no**"]]


def latencies(server, values):
    return [measured(server, number, 4.0, p99_us=value) for number, value in enumerate(values)]


def test_a_median_lies_between_two_of_its_values_by_the_binomial_distribution():
    assert goals.bounds(range(1, 16)) == (4, 12)  # that holds it with 96.5 %
    assert goals.bounds([3, 1, 2]) == (1, 3)  # too few to leave any out
    assert goals.bounds([7]) == (7, 7)


def test_a_miss_within_the_spread_is_told_from_one_beyond_it():
    floor, gdnsd = latencies("floor", [50, 100, 50]), latencies("gdnsd", [55, 110, 55])

    def met(own):
        ((_, goal, found, met),) = goals.of_latency([*floor, *gdnsd, *latencies("signpost", own)])
        return goal, found, met

    assert met([55, 110, 55]) == ("at most gdnsd's 1.10 (1.10–1.10)",
                                  "1.10 (1.10–1.10); to gdnsd's own 1.00 (1.00–1.00)", "yes")
    assert met([60, 120, 54])[2] == "within the spread"
    assert met([60, 120, 60])[2] == "**no**"


def test_throughput_is_held_against_the_best_peer_of_the_same_round():
    def answers(server, *values):
        return [measured(server, number, 4.0, per_second=value) for number, value in enumerate(values)]

    peers = [*answers("floor", 300, 600), *answers("nsd", 100, 200), *answers("gdnsd", 200, 400)]
    ((what, goal, found, met),) = goals.of_throughput([*peers, *answers("signpost", 190, 440)])
    assert (what, goal) == ("answers a second, one static name", "at least gdnsd's 300")
    assert (found, met) == ("315: 1.02 (0.95–1.10) of its in the same round", "yes")
    ((*_, met),) = goals.of_throughput([*peers, *answers("signpost", 180, 380)])
    assert met == "**no**"


def test_what_two_workers_cost_stands_beside_what_they_cost_the_floor():
    def sockets(server, one, two):
        return [{"server": server, "round": 0, "workers": count, "cpu_us": us} for count, us in ((1, one), (2, two))]

    found = {"workers": {"sockets": [*sockets("signpost", 4.0, 4.8), *sockets("floor", 3.6, 4.5)]}}
    assert list(goals.of_growth(found)) == [
        ["CPU time a query, two workers to one", "at most 1.1", "1.20 (1.20–1.20); the floor's 1.25 (1.25–1.25)", "**no**"]]


def test_loading_is_judged_with_all_processors_and_one_core_stands_beside_it():
    def loads(signpost, knot):
        found = {"signpost": signpost, "knot": knot, "nsd": 2.0, "gdnsd": 3.0}
        return {name: {"rounds": [{"load": s, "reload": s, "memory": {"all": s}}]} for name, s in found.items()}

    load, reload, *_ = goals.of_load({"zone": loads(0.5, 1.0), "zone_one_core": loads(1.0, 0.9)})
    assert load == ["loading the big zone, all processors", "faster than NSD's and Knot's 1.00 s",
                    "0.50 s (on one core 1.00 s, the best of theirs 0.90 s)", "yes"]
    assert reload[-1] == "**no**"


def test_what_a_function_takes_is_its_own_without_what_it_calls():
    text = """events: Ir D1mr D1mw
fl=(1) batch.c
fn=(1) find_nodes
10 3000 100 0
+1 1000 0 20
cfn=(2) chosen
calls=5 0
+2 77777 7 7
fn=(2)
4 600 0 0
fn=(1)
12 20 0 0
fn=(3) seldom
1 30 0 0
"""
    assert where.a_query(text, 100) == {"find_nodes": [40.2, 1.2, 0], "chosen": [6, 0, 0]}


def test_latency_rounds_begin_with_another_server_and_ask_few_of_them_always():
    servers = [types.SimpleNamespace(name=name) for name in ("floor", "signpost", "nsd", "gdnsd")]
    order = [[server.name for server in latency.asked_in(number, servers)] for number in range(6)]
    assert order[:3] == [["floor", "signpost", "nsd", "gdnsd"], ["signpost", "gdnsd", "floor"], ["gdnsd", "floor", "signpost"]]
    assert [("nsd" in names) for names in order] == [True, False, False, False, False, True]


def test_percentiles_of_a_histogram_are_of_all_its_replies():
    histogram = {30.0: 98, 90.0: 1, 1000.0: 1}
    assert [latency.percentile(histogram, share) for share in (0.5, 0.97, 0.98, 0.99)] == [30, 30, 90, 1000]


def test_lost_replies_and_missing_answers_are_named():
    row = report.remark([measured("nsd", 0, 4.0, lost=3, answered=997, with_answer=0.5)])
    assert row == "3 of 1000 lost; only 50.0% with an answer"
    assert report.remark([measured("nsd", 0, 4.0)]) == ""


def test_a_server_that_waited_for_the_generator_is_named():
    results = {"udp": [measured("floor", 0, 3.0), measured("nsd", 0, 4.0, server_busy=0.5)]}
    (line,) = [line for line in report.udp(results).splitlines() if line.startswith("Less than 95 % busy")]
    assert line.endswith(": nsd (static).")


def test_sections_replace_what_stands_between_their_marks_and_nothing_else():
    text = "before\n<!-- udp -->\nold\n<!-- /udp -->\nafter\n<!-- tcp -->\nkept\n<!-- /tcp -->\n"
    filled, without = report.fill(text, {"udp": "new \\1", "load": "nowhere"})
    assert filled == "before\n<!-- udp -->\n\nnew \\1\n<!-- /udp -->\nafter\n<!-- tcp -->\nkept\n<!-- /tcp -->\n"
    assert without == ["load"]


def test_every_section_has_its_marks_in_the_results():
    text = (BENCH / "RESULTS.md").read_text()
    _, without = report.fill(text, dict.fromkeys([*report.SECTIONS, "goals"], "text"))
    assert without == []
