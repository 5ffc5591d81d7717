"""What tests/bench/report.py makes of measurements, and where it puts it."""

import pathlib
import sys

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"
sys.path.insert(1, str(BENCH))

import goals  # noqa: E402
import report  # noqa: E402


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
        ["floor's CPU time / its, one static name", "at least 0.95", "0.95", "yes"],
        ["µs in user space, one static name", "at most 0.08", "0.50", "**no**"],
        ["instructions, one static name", "at most 600", "601 (700 one at a time)", "**no**"]]


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
