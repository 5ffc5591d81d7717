#!/usr/bin/python3
"""Plots (SVG) of results: tests/bench/plots.py JSON... --folder FOLDER

The JSON files are those of run, growth or load-big; from what they have these are written:
  ratio.svg instructions.svg latency.svg   beside the other servers (run)
  growth.svg growth-time.svg growth-misses.svg   a query's cost as things grow (growth)
  load.svg memory.svg                      a large zone (load-big)
They follow the reader's light or dark scheme, and name nothing outside of themselves."""

import argparse
import html
import json
import math
import pathlib
import statistics
import sys

import goals
import latency
import report
import workloads

ORDER = ("signpost", "gdnsd", "knot", "nsd", "pdns", "bind", "floor")
# Light and dark; told apart with any kind of colour vision (after Okabe and Ito).
COLOURS = {"signpost": ("#d55e00", "#ff8c42"), "gdnsd": ("#0072b2", "#56b4e9"), "knot": ("#007f5f", "#2fd0a5"),
           "nsd": ("#aa4499", "#e08fd0"), "pdns": ("#8a6d00", "#e6c229"), "bind": ("#4b5563", "#a3acb9"),
           "floor": ("#777777", "#999999")}
INKS = {"ink": ("#1f2328", "#e6edf3"), "faint": ("#6a737d", "#9aa4af"), "line": ("#d8dee4", "#30363d"),
        "paper": ("#ffffff", "#0d1117")}
SHAPES = """
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
.title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 } .faint { font-size: 12px }
.halo { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round }
.goal { stroke-dasharray: 4 3 } .spread { stroke-opacity: .55 } .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
"""


def colours(scheme):
    """As plain rules, not variables: not every program that shows SVG knows those."""
    ink, faint, line, paper = (INKS[name][scheme] for name in ("ink", "faint", "line", "paper"))
    return (f"text {{ fill: {ink} }} .faint {{ fill: {faint} }} .halo {{ stroke: {paper} }} .paper {{ fill: {paper} }} .grid {{ stroke: {line} }} "
            f".goal, .spread {{ stroke: {ink} }} .curve {{ stroke: {COLOURS['signpost'][scheme]} }}\n"
            + " ".join(f".{name} {{ fill: {both[scheme]} }}" for name, both in COLOURS.items()))


STYLE = f"{SHAPES}{colours(0)}\n@media (prefers-color-scheme: dark) {{\n{colours(1)}\n}}\n"


class Picture:
    def __init__(self, width, title, note=""):
        self.width, self.height, self.parts = width, 66 if note else 48, []
        self.text(16, 27, title, "title")
        self.text(16, 46, note, "faint")

    def add(self, tag, body=None, **attributes):
        words = "".join(f' {key.replace("_", "-").rstrip("-")}="{html.escape(f"{value:.1f}" if isinstance(value, float) else str(value))}"'
                        for key, value in attributes.items())
        self.parts.append(f"<{tag}{words}/>" if body is None else f"<{tag}{words}>{html.escape(body)}</{tag}>")

    def text(self, x, y, body, kind="", anchor="start"):
        if body:
            self.add("text", body, x=float(x), y=float(y), class_=kind, text_anchor=anchor)

    def line(self, x1, y1, x2, y2, kind):
        self.add("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=kind)

    def write(self, path):
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height:.0f}" '
            f'width="{self.width}" height="{self.height:.0f}" role="img">\n<style>{STYLE}</style>\n'
            f'<rect class="paper" width="100%" height="100%" rx="6"/>\n' + "\n".join(self.parts) + "\n</svg>\n")
        print(path)


def short(value):
    """A number as one reads it beside an axis."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.3g}"


class Scale:
    def __init__(self, low, high, start, end, log=False):
        self.log, self.start, self.end = log, start, end
        self.low, self.high = (math.log10(low), math.log10(high)) if log else (low, high)

    def __call__(self, value):
        value = math.log10(value) if self.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        if self.log:
            return [10 ** n for n in range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)]
        rough = (self.high - self.low) / 5
        unit = 10 ** math.floor(math.log10(rough))
        step = next(n * unit for n in (1, 2, 2.5, 5, 10) if n * unit >= rough)
        return [n * step for n in range(math.ceil(self.low / step), math.floor(self.high / step + 1e-9) + 1)]


def by_order(names):
    return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


# --- bars -------------------------------------------------------------------------------------------------


def bars(path, title, note, groups, form, goals=(), log=False, most=None):
    """groups: {heading: {server: values}}, a bar each for the median, a line for the spread. goals: {heading:
    value}. What is longer than `most` is cut, and says so by its number."""
    everything = [value for group in groups.values() for values in group.values() for value in values if value > 0]
    if not everything:
        return
    most = min(max(everything), most or math.inf)
    low = 10 ** math.floor(math.log10(min(everything))) if log else 0
    picture = Picture(780, title, note)
    scale = Scale(low, most, 110, 680, log)
    top = picture.height
    y = top + 14.0
    rows = []
    for heading, group in groups.items():
        rows.append((y, heading, None, None))
        begin = y + 8
        y += 12
        for server in by_order(group):
            rows.append((y, server, group[server], None))
            y += 19
        if heading in goals:
            rows.append((begin, "", None, (goals[heading], y)))
        y += 20
    for tick in scale.ticks():
        picture.line(scale(tick), top, scale(tick), y - 14, "grid")
        picture.text(scale(tick), y + 2, short(tick), "faint", "middle")
    for at, _, _, goal in rows:
        if goal:
            picture.line(scale(goal[0]), at, scale(goal[0]), goal[1], "goal")
    for at, name, values, _ in rows:
        if values:
            bar(picture, scale, at, name, values, form, most)
        else:
            picture.text(16, at + 4, name, "head")
    picture.height = y + 14
    picture.write(path)


def bar(picture, scale, y, server, values, form, most):
    middle = statistics.median(values)
    end = scale(min(middle, most))
    picture.text(102, y + 12, server, "", "end")
    picture.add("rect", x=float(scale.start), y=y + 2, width=max(end - scale.start, 1.0), height=13, rx=2,
                class_=server if server in COLOURS else "floor")
    if max(values) > min(values) and max(values) <= most:
        picture.line(scale(min(values)), y + 8.5, scale(max(values)), y + 8.5, "spread")
        end = max(end, scale(max(values)))
    picture.text(end + 6, y + 13, form.format(middle), "faint halo")


# --- curves -----------------------------------------------------------------------------------------------


def curves(path, title, note, panels, form):
    """panels: {heading: [(x, values)]}; one height of all, x logarithmic; 0 stands left of it."""
    panels = {heading: points for heading, points in panels.items() if points}
    if not panels:
        return
    high = max(max(values) for points in panels.values() for _, values in points) * 1.12
    picture = Picture(780, title, note)
    top, tall, wide = picture.height + 22, 150, 290
    for number, (heading, points) in enumerate(panels.items()):
        left, up = 60 + number % 2 * 375, top + number // 2 * (tall + 66)
        panel(picture, heading, points, Scale(0, high, up + tall, up), left, wide, form)
    picture.height = top + (len(panels) + 1) // 2 * (tall + 66) - 12
    picture.write(path)


def panel(picture, heading, points, rise, left, wide, form):
    positive = [x for x, _ in points if x > 0] or [1]
    least = min(positive) / (10 if any(x == 0 for x, _ in points) else 1)
    across = Scale(least, max(max(positive), least * 10), left + 16, left + wide - 16, True)

    def place(x):
        return across(max(x, least))

    picture.text(left, rise.end - 8, heading, "head")
    for tick in rise.ticks():
        picture.line(left, rise(tick), left + wide, rise(tick), "grid")
        picture.text(left - 6, rise(tick) + 4, short(tick), "faint", "end")
    for x, _ in points:
        picture.line(place(x), rise.start, place(x), rise.start + 4, "grid")
        picture.text(place(x), rise.start + 18, short(x), "faint", "middle")
    middles = [(place(x), rise(statistics.median(values))) for x, values in points]
    picture.add("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in middles), class_="curve")
    for (x, y), (_, values) in zip(middles, points):
        if max(values) > min(values):
            picture.line(x, rise(min(values)), x, rise(max(values)), "spread")
        picture.add("circle", cx=x, cy=y, r=3.5, class_="signpost")
        picture.text(x, y - 9, form.format(statistics.median(values)), "faint halo", "middle")


# --- which ------------------------------------------------------------------------------------------------


def plot_run(folder, results):
    titles = {name: title for name, (title, *_) in workloads.WORKLOADS.items()}
    measured = results.get("udp") or []
    asked = [name for name in titles if report.of(measured, workload=name)]
    ratios = {titles[name]: {server: report.ratios(measured, name, server) for server in report.order(
        report.of(measured, workload=name)) if server != "floor"} for name in asked}
    bars(folder / "ratio.svg", "How near the kernel's floor", "CPU time an answer of an echo server, over the "
         "server's: 1 is at the floor. Median, spread; dashed: the goal", ratios, "{:.2f}",
         {titles[name]: goal for name, (goal, _) in goals.RATIO.items() if name in asked})
    counted = results.get("instructions") or {}
    cost = {titles[name]: {server: [found[name]["batched"]] for server, found in counted.items()
                           if name in found and server != "floor"}
            for name in titles if any(name in found for found in counted.values())}
    bars(folder / "instructions.svg", "Instructions in user space", "a query, in full batches; logarithmic; dashed: the goal", cost, "{:,.0f}",
         {titles[name]: goal for name, goal in goals.INSTRUCTIONS.items() if titles[name] in cost}, log=True)
    late = results.get("latency") or []
    percentiles = {}
    for name in dict.fromkeys(result["workload"] for result in late):
        for key, title in (("p50_us", "median"), ("p99_us", "p99"), ("p999_us", "p99.9")):
            percentiles[f"{titles[name]}: {title}"] = {
                server: [one[key] for one in report.of(late, workload=name, server=server)]
                for server in report.order(report.of(late, workload=name))}
    bars(folder / "latency.svg", f"Time to answer, at {latency.RATE:,} queries a second",
         "microseconds; logarithmic; the floor is an echo server", percentiles, "{:.0f}", log=True)


AXES = {"nodes": "nodes of a pool", "names": "names of a zone", "prefixes": "override prefixes", "pools": "pools"}


def plot_growth(folder, results):
    steps = results.get("growth") or []
    for name, title, note, form, read in (
            ("growth.svg", "Instructions a query, as things grow", "in batch_answer(); counted by callgrind", "{:.0f}",
             lambda step: [step["instructions"]]),
            ("growth-time.svg", "Time to answer a query, as things grow", "nanoseconds in batch_answer(), with the kernel's work "
             "between batches, which is not counted", "{:.0f}", lambda step: step["kernel_ns"]),
            ("growth-misses.svg", "Cache misses a query, as things grow",
             "of data, that reach memory: of a simulated cache without prefetching", "{:.2f}",
             lambda step: [step["misses_last"]])):
        panels = {}
        for axis, heading in AXES.items():
            own = [step for step in steps if step["axis"] == axis]
            try:
                panels[heading] = [(step["value"], read(step)) for step in own]
            except KeyError:  # it was not measured
                continue
        curves(folder / name, title, note, panels, form)


def plot_load(folder, results):
    servers = {name: one for name, one in (results.get("zone") or {}).items() if one.get("rounds")}
    what = f"a zone of {results.get('records', 0):,} records"
    keys = {"load": "first start", "reload": "reload after one record's change", "again": "started again"}
    seconds = {title: {name: [result[key] for result in one["rounds"]] for name, one in servers.items()
                       if key in one["rounds"][0]} for key, title in keys.items()}
    bars(folder / "load.svg", f"Seconds until the answer: {what}", "median; the line is the spread", seconds, "{:.2f}")
    sizes = {"resident": {name: [result["memory"]["all"] for result in one["rounds"]] for name, one in servers.items()}}
    for key, title in (("peak_load", "peak, loading"), ("peak_reload", "peak, reloading")):
        sizes[title] = {name: [one[key]["all"]] for name, one in servers.items() if key in one}
    bars(folder / "memory.svg", f"Memory: {what}", "MiB of all processes, every page once", sizes, "{:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", nargs="+", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where they go")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for path in options.json:
        try:
            results = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            sys.exit(f"plots.py: {path}: {error}")
        # run has what the others measured under their names.
        plot_run(options.folder, results)
        plot_growth(options.folder, results["growth"] if isinstance(results.get("growth"), dict) else results)
        plot_load(options.folder, results["load"] if isinstance(results.get("load"), dict) else results)


if __name__ == "__main__":
    main()
