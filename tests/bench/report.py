#!/usr/bin/python3
"""Tables of a comparison's results, in Markdown; and into a file between marks.

  tests/bench/report.py bench.json [RESULTS.md]

RESULTS.md has a line <!-- NAME --> and below it <!-- /NAME --> for each section; what stands
between them is replaced where there are results for it, everything else stays."""

import json
import pathlib
import re
import statistics
import subprocess
import sys

import goals
import workloads
from goals import of, ratios

HERE = pathlib.Path(__file__).resolve().parent

FEW = 5  # instructions a query; functions that take less in each workload have a row together
BUSY = 0.95  # a server that was less busy than this waited for the generator


def table(head, rows):
    """The first column is text, the others are numbers."""
    # Figures to the right, remarks (the last column, without a head) to the left.
    sides = ["---", *("---:" if name else "---" for name in head[1:])]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join(sides) + " |"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def order(results):
    return list(dict.fromkeys(result["server"] for result in results))


def middle(results, key):
    return statistics.median(result[key] for result in results)


def spread(values, form):
    """Median, and between which bounds."""
    values = list(values)
    if len(values) == 1:
        return form.format(values[0])
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}–{form.format(max(values))})"


def remark(results):
    """What a reader must know about a row."""
    words = []
    sent, lost = sum(one["sent"] for one in results), sum(one["lost"] for one in results)
    if lost:
        words.append(f"{lost} of {sent} lost")
    if any(one.get("dropped", 0) for one in results):
        words.append("the generator dropped replies")
    if results[0]["workload"] == "nxdomain":
        if results[0]["server"] != "floor" and min(one["rcodes"].get("3", 0) / max(one["answered"], 1) for one in results) < 0.99:
            words.append("not all NXDOMAIN")
    elif results[0]["server"] != "floor" and middle(results, "with_answer") < 0.99:
        words.append(f"only {middle(results, 'with_answer'):.1%} with an answer")
    return "; ".join(words)


def workload_table(results, workload):
    rows = []
    for server in order(of(results, workload=workload)):
        own = of(results, workload=workload, server=server)
        rows.append([server, spread((one["per_second"] / 1000 for one in own), "{:.0f}"),
                     spread((one["cpu_us"] for one in own), "{:.2f}"), f"{goals.mean(own, 'user_us'):.2f}",
                     spread(ratios(results, workload, server), "{:.2f}"), f"{middle(own, 'server_busy'):.0%}",
                     f"{middle(own, 'reply_octets'):.0f}", remark(own)])
    head = ("server", "1,000 answers/s", "CPU µs", "user µs", "floor's CPU / its", "core busy", "octets", "")
    return f"#### {workloads.WORKLOADS[workload][0]}\n\n" + table(head, rows)


def summary(results):
    """The ratios of all workloads beside the goals."""
    asked = [one for one in workloads.WORKLOADS if of(results, workload=one)]
    rows = []
    for server in order(results):
        if server == "floor":
            continue
        cells = []
        for workload in asked:
            own = of(results, workload=workload, server=server)
            cells.append(f"{statistics.median(ratios(results, workload, server)):.2f} ({goals.mean(own, 'user_us'):.2f})"
                         if own else "cannot")
        rows.append([server, *cells])
    aims = [f"{goals.RATIO[one][0]:.2f} ({goals.RATIO[one][1]:.2f})" if one in goals.RATIO else "" for one in asked]
    rows.append(["*goal*", *aims])
    return table(("server", *(workloads.WORKLOADS[one][0] for one in asked)), rows)


def udp(results):
    measured = results["udp"]
    parts = ["CPU time of the floor in relation to the server's, per answer (1: at the floor; medians of the "
             "rounds' ratios); in brackets microseconds in user space.\n", summary(measured)]
    waited = sorted({f"{one['server']} ({one['workload']})" for one in measured if one["server_busy"] < BUSY})
    if waited:
        parts.append("Less than 95 % busy in a round, so that answers/s tell of more than the server: " + ", ".join(waited) + ".\n")
    return "\n".join(parts + [workload_table(measured, one) for one in workloads.WORKLOADS if of(measured, workload=one)])


def percentiles(results, joint):
    """A row: of the rounds, of all together, and beside the floor's of the same rounds."""
    own = of(results["latency"], workload=joint["workload"], server=joint["server"])
    beside = goals.paired(results["latency"], "p99_us", joint["workload"], joint["server"], "floor")
    stalled = sum(one["stalled_us"] for one in own) / 1e6 / sum(one["seconds"] for one in own)
    return [joint["server"], len(own), *(goals.between([one[key] for one in own], ".1f") for key in ("p50_us", "p99_us")),
            goals.between(beside) if beside else "", *(f"{joint[key]:.1f}" for key in ("p50_us", "p99_us", "p999_us")),
            f"{stalled:.2%}", remark(own)]


def latency(results):
    parts = []
    head = ("server", "rounds", "p50, µs", "p99, µs", "p99 / the floor's", "all rounds: p50", "p99", "p99.9", "generator held up", "")
    for workload in dict.fromkeys(one["workload"] for one in results["latency"]):
        rows = [percentiles(results, joint) for joint in of(results["latency_joint"], workload=workload)]
        parts.append(f"#### {workloads.WORKLOADS[workload][0]}\n\n" + table(head, rows))
    return "\n".join(parts)


def answering(results):
    rows = [[workloads.WORKLOADS[workload][0], *(spread(found[key], "{:.0f}") for key in ("kernel_ns", "warm_ns")),
             f"{goals.RATIO[workload][1] * 1000:.0f}" if workload in goals.RATIO else ""]
            for workload, found in results["answering"].items()]
    return table(("ns a query", "between the kernel's work", "one batch behind the other", "goal"), rows) + "\n" + functions(results)


def functions(results):
    """Of each function instructions, and in brackets first-level misses."""
    found = {workload: one["functions"] for workload, one in results["answering"].items()}
    names = list(dict.fromkeys(name for functions in found.values() for name, cost in functions.items() if cost[0] >= FEW))
    rows = [[f"`{name}`", *(f"{functions[name][0]:.0f} ({functions[name][1]:.1f})" if name in functions else ""
                            for functions in found.values())] for name in names]
    for what, kept in (("others", lambda name: name not in names), ("all", lambda _: True)):
        sums = [[sum(cost[place] for name, cost in functions.items() if kept(name)) for place in (0, 1)]
                for functions in found.values()]
        rows.append([what, *(f"{instructions:.0f} ({misses:.1f})" for instructions, misses in sums)])
    return table(("instructions (first-level misses of data)", *(workloads.WORKLOADS[one][0] for one in found)), rows)


def tcp(results):
    rows = []
    for server in order(results["tcp"]):
        own = of(results["tcp"], server=server)
        rows.append([server, spread((one["per_second"] / 1000 for one in own), "{:.0f}"),
                     spread((one["cpu_us"] for one in own), "{:.2f}"), f"{goals.mean(own, 'user_us'):.2f}",
                     f"{middle(own, 'server_busy'):.0%}", f"{middle(own, 'busy'):.0%}", remark(own)])
    return table(("server", "1,000 answers/s", "CPU µs", "user µs", "core busy", "generator busy", ""), rows)


def instructions(results):
    counted = results["instructions"]
    asked = [one for one in workloads.WORKLOADS if any(one in found for found in counted.values())]
    parts = []
    for kind, what in (("batched", "Full batches (64 queries under way):"), ("single", "A query at a time (each after the reply to the one before):")):
        rows = [[server, *(f"{found[one][kind]:,.0f}" if one in found else "cannot" for one in asked)]
                for server, found in counted.items()]
        rows.append(["*goal*", *(f"{goals.INSTRUCTIONS[one]:,}" if one in goals.INSTRUCTIONS else "" for one in asked)])
        parts += [what + "\n", table(("server", *(workloads.WORKLOADS[one][0] for one in asked)), rows)]
    return "\n".join(parts)


def syscalls(results):
    rows = [[server, *(f"{found[one]:.3f}" if one in found else "cannot" for one in ("static", "ecs"))]
            for server, found in results["syscalls"].items()]
    return table(("server", "static", "steered by Client Subnet"), rows)


def nearest(results):
    return table(("client", *results["nearest"]["servers"]), results["nearest"]["rows"])


def machine(results):
    m, o = results["machine"], results["options"]
    lines = [
        f"- {results['date']}, commit {m['commit']}" + (" with changes" if m["changed"] else "")
        + f"; the run took {results['took_s'] / 60:.0f} minutes; load before it {m['load_1min']:.2f}",
        f"- {m['cpus']} × {m['cpu']}, {m['memory_mib'] / 1024:.0f} GiB, Linux {m['kernel']}",
        f"- {m['compiler']}, CFLAGS {m['cflags']}; configured with {m.get('configured') or 'nothing'}",
        "- Debian's packages: " + ", ".join(f"{name} {version}" for name, version in m["peers"].items() if version),
        f"- {o['rounds']} rounds of {o['seconds']:g} s; {o['records']:,} records in the big zone; "
        + ", ".join(o["databases"]),
    ]
    if results["failed"]:
        lines.append("- **Failed:** " + "; ".join(results["failed"]).replace("\n", " "))
    return "\n".join(lines) + "\n"


SECTIONS = {"machine": machine, "nearest": nearest, "udp": udp, "answering": answering, "latency": latency, "tcp": tcp,
            "instructions": instructions, "syscalls": syscalls,
            "load": lambda results: results["load_text"].strip() + "\n",
            "growth": lambda results: results["growth_text"].strip() + "\n",
            "sizes": lambda results: results["sizes_text"].strip() + "\n",
            "kill": lambda results: results["kill_text"].strip() + "\n",
            "plots": lambda results: plots(results)}


def met(results):
    rows = goals.rows(results)
    verdicts = [verdict.strip("*") for *_, verdict in rows]
    told = ", ".join(f"{verdicts.count(one)} {one}" for one in ("yes", "within the spread", "no"))
    return f"{len(rows)} rows: {told}.\n\n" + table(("what", "goal", "measured", "met"), rows)


def plots(results):
    return "\n".join(f"![{pathlib.Path(name).stem}]({name})\n" for name in results["plots"])


def sections(results):
    made = {name: make(results) for name, make in SECTIONS.items() if results.get(name)}
    if goals.rows(results):
        made["goals"] = met(results)
    return made


def fill(text, made):
    """The text with the sections between their marks; and the names of those that have none."""
    without = []
    for name, body in made.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        if pattern.search(text):
            text = pattern.sub(lambda match, body=body: f"{match[1]}\n{body}\n{match[2]}", text)
        else:
            without.append(name)
    return text, without


def put(results, path, say):
    text, without = fill(path.read_text(), sections(results))
    path.write_text(text)
    if without:
        say(f"{path} has no marks for: " + ", ".join(without))


def draw(results, written, folder, say):
    """Plots of everything, by plots.py; their names become part of the results."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([sys.executable, HERE / "plots.py", written, "--folder", folder], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        results["failed"].append("plots.py failed")
    results["plots"] = [f"{folder.name}/{pathlib.Path(line).name}" for line in done.stdout.splitlines()]
    say("plots: " + ", ".join(results["plots"]))


def write(results, options, say):
    """To where the options say; and the tables to standard output."""
    written = options.json or options.folder / "bench.json"
    written.write_text(json.dumps(results, indent=1) + "\n")
    if options.plots:
        draw(results, written, options.plots, say)
        written.write_text(json.dumps(results, indent=1) + "\n")
    for failure in results["failed"]:
        say(f"failed: {failure}")
    if "took_s" in results and "options" in results:
        for name, text in sections(results).items():
            print(f"### {name}\n\n{text}")
        if options.results:
            put(results, options.results, say)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: report.py bench.json [RESULTS.md]")
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if len(sys.argv) == 3:
        put(results, pathlib.Path(sys.argv[2]), lambda text: print(text, file=sys.stderr))
        return
    for name, text in sections(results).items():
        print(f"### {name}\n\n{text}")


if __name__ == "__main__":
    main()
