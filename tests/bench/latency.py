"""How long answers take at a fixed rate, beside an echo server's in the same round.

What is to be told apart are microseconds, and the machine adds milliseconds now and then: so rounds
are short and many, the order in which servers are asked moves on with each round, the generator and
the threads that answer go before all else that wants their core (SCHED_FIFO, the same for every
server), and what counts is the relation to the echo server's of the same round. Stretches and the
pauses between them are such that the generator stays below the 0.95 s of each second that the kernel
lets such a process have."""

import contextlib
import os
import pathlib
import time

import peers
import workloads

WORKLOADS = ("static", "ecs")
RATE = 20000
ROUNDS, SECONDS, WARM_UP, PAUSE = 15, 0.75, 0.1, 0.1
IN_EVERY_ROUND = ("floor", "signpost", "gdnsd")  # the others in every fifth
SELDOM = 5
SHARE = 0.1  # a thread that took so much of a load's CPU time answers


def threads(server):
    """{thread id: nanoseconds on a processor} of all of a server's processes."""
    found = {}
    for pid in peers.tree(server.process.pid):
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*"):
            spent = peers.read(path / "schedstat").split()
            if spent:
                found[int(path.name)] = int(spent[0])
    return found


def answering(server, workload, files):
    """The threads that answer, by what a short load costs whom."""
    before = threads(server)
    ask(server, workload, files, 0.2)
    spent = {thread: ns - before.get(thread, 0) for thread, ns in threads(server).items()}
    return [thread for thread, ns in spent.items() if ns > SHARE * sum(spent.values())]


@contextlib.contextmanager
def first(thread_ids):
    """They go before others on their core."""
    def policy(which, priority):
        for thread in thread_ids:
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(thread, which, os.sched_param(priority))

    policy(os.SCHED_FIFO, 1)
    try:
        yield
    finally:
        policy(os.SCHED_OTHER, 0)


def ask(server, workload, files, seconds):
    return workloads.ask(server, workload, files, "-g", 1, "-r", RATE, "-W", WARM_UP, "-t", seconds, "-q", "-H",
                         timeout=seconds + 60)


def measure(server, workload, files, seconds):
    time.sleep(PAUSE)
    with first(server.answering):
        result = workloads.with_cost(server, lambda: ask(server, workload, files, seconds))
    result["workload"] = workload
    return result


def asked_in(number, servers):
    """Who is asked in a round, in which order."""
    present = [server for server in servers if server.name in IN_EVERY_ROUND or number % SELDOM == 0]
    turn = number % len(present)
    return present[turn:] + present[:turn]


def percentile(histogram, share):
    wanted, seen = sum(histogram.values()) * share, 0
    for us in sorted(histogram):
        seen += histogram[us]
        if seen > wanted:
            return us
    return 0


def rounds(servers, workload, files, count, seconds, say):
    """(measurements, what the replies of all rounds together say of each server)."""
    results, joined = [], {server.name: {} for server in servers}
    for server in servers:
        server.answering = answering(server, workload, files)
    for number in range(count):
        for server in asked_in(number, servers):
            result = measure(server, workload, files, seconds)
            result["round"] = number
            for us, replies in result.pop("histogram"):
                joined[server.name][us] = joined[server.name].get(us, 0) + replies
            results.append(result)
        say(f"  round {number + 1}: p99 " + ", ".join(f"{one['server']} {one['p99_us']:.0f} us" for one in results
                                                      if one["round"] == number))
    joint = [{"server": name, "workload": workload, "answered": sum(histogram.values()),
              **{key: percentile(histogram, share) for key, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999))}}
             for name, histogram in joined.items()]
    return results, joint
