"""What a run was to show, what it shows, and whether that is enough: rows from its results.

Where rounds are compared, a miss that is no greater than their noise is called "within the spread":
the bounds in which the median lies (by 95 %, where there are rounds enough) hold the goal."""

import math
import statistics

import workloads

# CPU time in relation to the floor's, and microseconds in user space; instructions a query.
RATIO = {"static": (0.95, 0.08), "big": (0.92, 0.20), "source": (0.97, 0.10), "ecs": (0.96, 0.12),
         "ecs-do": (0.93, 0.15)}
INSTRUCTIONS = {"static": 600, "names": 700, "source": 750, "ecs": 850, "ecs-do": 1000}
BOOT_S = 0.05
BATCH = 32  # queries that the data plane takes at a time
FLAT = 1.1  # most to least


def of(results, **wanted):
    return [result for result in results if all(result[key] == value for key, value in wanted.items())]


def paired(results, key, workload, server, other):
    """What a server has in relation to another's of the same round, of each round that has both."""
    beside = {result["round"]: result[key] for result in of(results, workload=workload, server=other)}
    return [result[key] / beside[result["round"]] for result in of(results, workload=workload, server=server)
            if beside.get(result["round"], 0) > 0]


def ratios(results, workload, server):
    """The floor's CPU time in relation to the server's, of each round."""
    return [1 / ratio for ratio in paired(results, "cpu_us", workload, server, "floor") if ratio > 0]


def bounds(values):
    """Between which of the values their median lies, by 95 %, whatever their distribution: order
    statistics, by the binomial distribution. Less than six values: the least and the greatest."""
    values, skipped, chance = sorted(values), 0, 0.0
    while skipped < len(values) // 2:
        chance += math.comb(len(values), skipped) / 2 ** len(values)
        if chance > 0.025:
            break
        skipped += 1
    skipped = max(skipped - 1, 0)
    return values[skipped], values[-1 - skipped]


def between(values, form=".2f"):
    low, high = bounds(values)
    return f"{statistics.median(values):{form}} ({low:{form}}–{high:{form}})"


def median(results, key, **wanted):
    """None: nothing of that."""
    values = [result[key] for result in of(results, **wanted) if key in result]
    return statistics.median(values) if values else None


def mean(results, key, **wanted):
    """For what each round has too little of, as of the tick. None: nothing of that."""
    values = [result[key] for result in of(results, **wanted)]
    return statistics.fmean(values) if values else None


def row(what, goal, found, met, within=False):
    """within: it is not met, and by no more than the rounds differ."""
    return [what, goal, found, "yes" if met else "within the spread" if within else "**no**"]


def of_udp(results):
    for workload, (goal, most_us) in RATIO.items():
        found = ratios(results, workload, "signpost")
        if not found:
            continue
        title = workloads.WORKLOADS[workload][0]
        ratio, user = statistics.median(found), mean(results, "user_us", workload=workload, server="signpost")
        yield row(f"floor's CPU time / its, {title}", f"at least {goal:.2f}", between(found), round(ratio, 2) >= goal,
                  bounds(found)[1] >= goal)
        yield row(f"µs in user space by the tick, {title}", f"at most {most_us:.2f}", f"{user:.2f}", round(user, 2) <= most_us)


def of_answering(results):
    for workload, (_, goal) in RATIO.items():
        if workload in results:
            us = statistics.median(results[workload]["kernel_ns"]) / 1000
            yield row(f"µs in answering, timed, {workloads.WORKLOADS[workload][0]}", f"at most {goal:.2f}", f"{us:.3f}",
                      us <= goal)


def of_instructions(results):
    for workload, goal in INSTRUCTIONS.items():
        found = results.get("signpost", {}).get(workload)
        if found is not None:
            yield row(f"instructions, {workloads.WORKLOADS[workload][0]}", f"at most {goal:,}",
                      f"{found['batched']:,.0f} ({found['single']:,.0f} one at a time)", found["batched"] <= goal)


def best_peer(results, workload):
    """The server with the most answers a second, but for Signpost and the floor."""
    peers = {result["server"] for result in of(results, workload=workload)} - {"signpost", "floor"}
    return max(peers, key=lambda name: median(results, "per_second", workload=workload, server=name), default=None)


def of_throughput(results):
    for workload in dict.fromkeys(result["workload"] for result in results):
        best = best_peer(results, workload)
        found = paired(results, "per_second", workload, "signpost", best) if best else []
        if found:
            low, high = bounds(found)
            own, peer = (median(results, "per_second", workload=workload, server=name) for name in ("signpost", best))
            yield row(f"answers a second, {workloads.WORKLOADS[workload][0]}", f"at least {best}'s {peer:,.0f}",
                      f"{own:,.0f}: {statistics.median(found):.2f} ({low:.2f}–{high:.2f}) of its in the same round",
                      statistics.median(found) >= 1, high >= 1)


def of_latency(results):
    for workload in dict.fromkeys(result["workload"] for result in results):
        own, peer = (paired(results, "p99_us", workload, name, "floor") for name in ("signpost", "gdnsd"))
        both = paired(results, "p99_us", workload, "signpost", "gdnsd")
        if own and peer and both:
            yield row(f"p99 / the floor's of the same round, {workloads.WORKLOADS[workload][0]}",
                      f"at most gdnsd's {between(peer)}", f"{between(own)}; to gdnsd's own {between(both)}",
                      statistics.median(own) <= statistics.median(peer), bounds(both)[0] <= 1)


def of_tcp(results):
    own, peer = (median(results, "per_second", server=name) for name in ("signpost", "gdnsd"))
    if None not in (own, peer):
        yield row("answers a second by TCP", f"at least gdnsd's {peer:,.0f}", f"{own:,.0f}", own >= peer)


def rounds_of(results, case):
    """{server: its rounds}; None: not all four were measured."""
    found = {name: one["rounds"] for name, one in results.get(case, {}).items() if one.get("rounds")}
    return found if {"signpost", "nsd", "knot", "gdnsd"} <= set(found) else None


def on_one_core(results, key):
    """The same with one core at the server's disposal, in brackets."""
    zone = rounds_of(results, "zone_one_core")
    if zone is None:
        return ""
    best = min(median(zone[name], key) for name in ("nsd", "knot"))
    return f" (on one core {median(zone['signpost'], key):.2f} s, the best of theirs {best:.2f} s)"


def of_load(results):
    zone = rounds_of(results, "zone")
    if zone is None:
        return

    def time(name, key):
        return median(zone[name], key)

    def memory(name):
        return statistics.median(one["memory"]["all"] for one in zone[name])

    best = min(time("nsd", "load"), time("knot", "load"))
    yield row("loading the big zone, all processors", f"faster than NSD's and Knot's {best:.2f} s",
              f"{time('signpost', 'load'):.2f} s" + on_one_core(results, "load"), time("signpost", "load") < best)
    best = min(time("nsd", "reload"), time("knot", "reload"))
    yield row("its reload after one record's change, all processors", f"a third of their {best:.2f} s",
              f"{time('signpost', 'reload'):.2f} s" + on_one_core(results, "reload"), time("signpost", "reload") <= best / 3)
    yield row("resident memory", f"at most gdnsd's {memory('gdnsd'):.0f} MiB", f"{memory('signpost'):.0f} MiB",
              memory("signpost") <= memory("gdnsd"))
    boot = time("signpost", "again")
    if boot is not None:
        boot -= results.get("start_cost", 0)
        yield row("from images to the first answer", f"under {BOOT_S * 1000:.0f} ms", f"{boot * 1000:.0f} ms", boot < BOOT_S)


def grown(steps, key, more=0):
    """The most in relation to the least, of steps of one axis; each with so much more."""
    values = [more + (statistics.median(step[key]) if isinstance(step[key], list) else step[key]) for step in steps]
    return max(values) / min(values)


def of_axis(steps, floor_ns):
    what = f"from {steps[0]['value']:,} to {steps[-1]['value']:,} {steps[0]['axis']}"

    def flat(name, ratio, note=""):
        return row(f"{name} {what}", "flat", f"most to least {ratio:.2f}{note}", ratio <= FLAT)

    yield flat("instructions", grown(steps, "instructions"))
    if all("kernel_ns" in step for step in steps):
        yield flat("time in answering", grown(steps, "kernel_ns"))
        if floor_ns:
            yield flat("time of a query, the kernel's with it,", grown(steps, "kernel_ns", floor_ns),
                       f" (the floor's {floor_ns / 1000:.2f} µs added)")


def two_to_one(sockets, server):
    """What a query costs with two workers, in relation to one in the same round."""
    cost = {(one["round"], one["workers"]): one["cpu_us"] for one in of(sockets, server=server)}
    return [cost[number, 2] / cost[number, 1] for number, count in cost if count == 2 and cost.get((number, 1), 0) > 0]


def of_growth(results):
    sockets = results.get("workers", {}).get("sockets", [])
    floor_us = median(sockets, "cpu_us", server="floor", workers=1)
    for axis in dict.fromkeys(one["axis"] for one in results.get("growth", [])):
        yield from of_axis(of(results["growth"], axis=axis), floor_us and floor_us * 1000)
    two, near_two, floor_two = (two_to_one(sockets, name) for name in ("signpost", "signpost, socket-affinity", "floor"))
    if two and floor_two:
        yield row("CPU time a query, two workers to one", f"at most {FLAT}",
                  between(two) + (f"; with socket-affinity {between(near_two)}" if near_two else "")
                  + f"; the floor's {between(floor_two)}", statistics.median(two) <= FLAT, bounds(two)[0] <= FLAT)


def of_kills(rows):
    worst = max(rows, key=lambda one: one["by_kill"])
    most, full = worst["by_kill"], worst["overflows"]
    yield row("queries lost by a kill -9 of the data plane under load", f"at most {BATCH}, a batch",
              f"{most} at most of {len(rows)} kills" + (f" ({full} found a full buffer)" if full else ""), most <= BATCH)


def of_udp_all(results):
    yield from of_udp(results)
    yield from of_throughput(results)


PARTS = {"udp": of_udp_all, "answering": of_answering, "instructions": of_instructions, "latency": of_latency, "tcp": of_tcp, "load": of_load,
         "growth": of_growth, "kill": of_kills}


def rows(results):
    return [line for part, make in PARTS.items() if results.get(part) for line in make(results[part])]
