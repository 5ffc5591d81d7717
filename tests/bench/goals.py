"""What a run was to show, what it shows, and whether that is enough: rows from its results."""

import statistics

import workloads

# CPU time in relation to the floor's, and microseconds in user space; instructions a query.
RATIO = {"static": (0.95, 0.08), "big": (0.92, 0.20), "source": (0.97, 0.10), "ecs": (0.96, 0.12),
         "ecs-do": (0.93, 0.15)}
INSTRUCTIONS = {"static": 600, "names": 700, "source": 750, "ecs": 850, "ecs-do": 1000}
BOOT_S = 0.05
BATCH = 64  # queries that the data plane takes at a time
FLAT = 1.1  # most to least


def of(results, **wanted):
    return [result for result in results if all(result[key] == value for key, value in wanted.items())]


def ratios(results, workload, server):
    """The floor's CPU time in relation to the server's, of each round."""
    floor = {result["round"]: result["cpu_us"] for result in of(results, workload=workload, server="floor")}
    return [floor[result["round"]] / result["cpu_us"] for result in of(results, workload=workload, server=server)
            if result["round"] in floor and result["cpu_us"] > 0]


def median(results, key, **wanted):
    """None: nothing of that."""
    values = [result[key] for result in of(results, **wanted) if key in result]
    return statistics.median(values) if values else None


def row(what, goal, found, met):
    return [what, goal, found, "yes" if met else "**no**"]


def of_udp(results):
    for workload, (goal, user_us) in RATIO.items():
        found = ratios(results, workload, "signpost")
        if not found:
            continue
        title = workloads.WORKLOADS[workload][0]
        ratio, user = statistics.median(found), median(results, "user_us", workload=workload, server="signpost")
        yield row(f"floor's CPU time / its, {title}", f"at least {goal:.2f}", f"{ratio:.2f}", round(ratio, 2) >= goal)
        yield row(f"µs in user space, {title}", f"at most {user_us:.2f}", f"{user:.2f}", round(user, 2) <= user_us)


def of_instructions(results):
    for workload, goal in INSTRUCTIONS.items():
        found = results.get("signpost", {}).get(workload)
        if found is not None:
            yield row(f"instructions, {workloads.WORKLOADS[workload][0]}", f"at most {goal:,}",
                      f"{found['batched']:,.0f} ({found['single']:,.0f} one at a time)", found["batched"] <= goal)


def of_latency(results):
    for workload in dict.fromkeys(result["workload"] for result in results):
        own, peer, floor = (median(results, "p99_us", workload=workload, server=name)
                            for name in ("signpost", "gdnsd", "floor"))
        if None not in (own, peer, floor):
            yield row(f"p99, {workloads.WORKLOADS[workload][0]}", f"at most gdnsd's {peer:.0f} µs",
                      f"{own:.0f} µs (the floor's {floor:.0f})", own <= peer)


def of_tcp(results):
    own, peer = (median(results, "per_second", server=name) for name in ("signpost", "gdnsd"))
    if None not in (own, peer):
        yield row("answers a second by TCP", f"at least gdnsd's {peer:,.0f}", f"{own:,.0f}", own >= peer)


def of_load(results):
    zone = {name: found["rounds"] for name, found in results.get("zone", {}).items() if found.get("rounds")}
    if not {"signpost", "nsd", "knot", "gdnsd"} <= set(zone):
        return

    def time(name, key):
        return median(zone[name], key)

    def memory(name):
        return statistics.median(one["memory"]["all"] for one in zone[name])

    best = min(time("nsd", "load"), time("knot", "load"))
    yield row("loading the big zone", f"faster than NSD's and Knot's {best:.2f} s", f"{time('signpost', 'load'):.2f} s",
              time("signpost", "load") < best)
    best = min(time("nsd", "reload"), time("knot", "reload"))
    yield row("its reload after one record's change", f"a third of their {best:.2f} s",
              f"{time('signpost', 'reload'):.2f} s", time("signpost", "reload") <= best / 3)
    yield row("resident memory", f"at most gdnsd's {memory('gdnsd'):.0f} MiB", f"{memory('signpost'):.0f} MiB",
              memory("signpost") <= memory("gdnsd"))
    boot = time("signpost", "again")
    if boot is not None:
        boot -= results.get("start_cost", 0)
        yield row("from images to the first answer", f"under {BOOT_S * 1000:.0f} ms", f"{boot * 1000:.0f} ms", boot < BOOT_S)


def of_growth(results):
    for axis in dict.fromkeys(one["axis"] for one in results.get("growth", [])):
        steps = of(results["growth"], axis=axis)
        counts = [one["instructions"] for one in steps]
        grown = max(counts) / min(counts)
        yield row(f"instructions from {steps[0]['value']:,} to {steps[-1]['value']:,} {axis}", "flat",
                  f"most to least {grown:.2f}", grown <= FLAT)
    workers = results.get("workers", {}).get("workers_cpu_us", {})
    if {"1", "2"} <= set(workers):
        grown = statistics.median(workers["2"]) / statistics.median(workers["1"])
        yield row("CPU time a query, two workers to one", f"at most {FLAT}", f"{grown:.2f}", grown <= FLAT)


def of_kills(rows):
    worst = max(rows, key=lambda one: one["by_kill"])
    most, full = worst["by_kill"], worst["overflows"]
    yield row("queries lost by a kill -9 of the data plane under load", f"at most {BATCH}, a batch",
              f"{most} at most of {len(rows)} kills" + (f" ({full} found a full buffer)" if full else ""), most <= BATCH)


PARTS = {"udp": of_udp, "instructions": of_instructions, "latency": of_latency, "tcp": of_tcp, "load": of_load,
         "growth": of_growth, "kill": of_kills}


def rows(results):
    return [line for part, make in PARTS.items() if results.get(part) for line in make(results[part])]
