"""What a query takes, counted instead of timed: instructions in user space, and system calls.

Instructions are counted by callgrind, from when a server is warm: it writes what it counted after
each load, and the difference of a long load's count to a short one's, divided by the difference of
their lengths, is what a query costs, without what goes on besides. All of the process counts: its
loop, libraries, answering."""

import os
import re
import signal
import subprocess
import time

import data
import peers
import workloads

WORKLOADS = ("static", "names", "source", "ecs", "ecs-do")
WINDOW = 64  # queries under way: what is slow below valgrind must not lose any
WARM = 5000  # queries before it counts
LOADS = {  # how: queries of the short and the long load, and the generator's arguments
    "batched": (2000, 10000, ("-w", WINDOW)),
    "single": (500, 3000, ("-w", 1)),
}
SYSCALL_QUERIES = 30000


# --- instructions -----------------------------------------------------------------------------------------

CALLGRIND = ("valgrind", "--tool=callgrind")
START_TIMEOUT = 120
FROM_START = ("signpost", "nsd")


class Counted:
    """A server below callgrind, which writes what it counted into a folder that anybody may write
    to: a server may have given up its rights."""

    def __init__(self, kind, namespace, folder, options, *more):
        self.out = folder / f"{kind.name}-counts"
        self.out.mkdir()
        self.out.chmod(0o1777)
        under = [*CALLGRIND, *more, f"--callgrind-out-file={self.out}/callgrind.out.%p"]
        self.server = kind(namespace, folder, options, under)

    def __enter__(self):
        self.server.start()
        try:
            self.server.wait_answer(data.STATIC, START_TIMEOUT)
            if self.server.steered:
                self.server.wait_answer(data.STEERED, START_TIMEOUT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.out_total = self.total()
        self.out.rmdir()

    def ask(self, workload, files, count, *how):
        result = workloads.ask(self.server, workload, files, "-t", 120, "-c", count, *how, timeout=200)
        if result["lost"] > 0:
            raise RuntimeError(f"{self.server.name}, {workload}: {result['lost']} of {count} queries lost below valgrind")

    def total(self):
        """What all that is written says together; and takes it away."""
        total = 0
        for path in self.out.iterdir():
            total += sum(int(count) for count in re.findall(r"^totals: (\d+)", path.read_text(errors="replace"), re.M))
            path.unlink()
        return total

    def tell(self, *words):
        """A command for each callgrind of the tree."""
        for pid in peers.tree(self.server.process.pid):
            if "callgrind" in os.path.realpath(f"/proc/{pid}/exe"):
                done = subprocess.run(["vgdb", f"--pid={pid}", "--wait=10", *words], capture_output=True, text=True,
                                      timeout=60)
                if done.returncode != 0:
                    raise RuntimeError(f"vgdb --pid={pid} {' '.join(words)}: {done.stderr.strip()}")

    def count(self, workload, files, count, *how):
        self.tell("zero")
        self.ask(workload, files, count, *how)
        self.tell("dump")
        return self.total()


def count_in_one(kind, namespace, folder, files, options, asked):
    """One process for all loads: it is told when to count."""
    found = {}
    with Counted(kind, namespace, folder, options, "--instr-atstart=no") as counted:
        counted.tell("instrumentation", "on")
        for workload in asked:
            counted.ask(workload, files, WARM, "-w", WINDOW)
            found[workload] = {}
            for key, (short, long, how) in LOADS.items():
                few, many = (counted.count(workload, files, count, *how) for count in (short, long))
                found[workload][key] = (many - few) / (long - short)
    return found


def count_from_start(kind, namespace, folder, files, options, asked):
    """A start for each load, where a callgrind cannot be told: NSD's child, which was forked, has no
    ear for it, and Signpost's data plane lets nobody look into it."""
    def whole(workload, count, how):
        with Counted(kind, namespace, folder, options) as counted:
            counted.ask(workload, files, count, *how)
        return counted.out_total

    return {workload: {key: (whole(workload, long, how) - whole(workload, short, how)) / (long - short)
                       for key, (short, long, how) in LOADS.items()} for workload in asked}


def instructions(namespace, folder, files, options, failed, say):
    results = {}
    for name in options.servers:
        kind = peers.SERVERS[name]
        if not kind.plain:
            continue
        asked = [one for one in WORKLOADS if one in options.workloads and (kind.steered or one not in workloads.STEERED)]
        count = count_from_start if name in FROM_START else count_in_one
        try:
            results[name] = count(kind, namespace, folder, files, options, asked)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            failed.append(f"instructions of {name}: {error}")
            continue
        say(f"  {name}: " + ", ".join(f"{workload} {found['batched']:,.0f} ({found['single']:,.0f})"
                                      for workload, found in results[name].items()))
    return results


# --- system calls -------------------------------------------------------------------------------------------

def syscalls(servers, files, options, say):
    """{server: {workload: system calls a query}}, as many queries under way as the servers can take."""
    results = {}
    for server in servers:
        if not server.plain:
            continue
        results[server.name] = {}
        for workload in ("static", "ecs"):
            if workloads.can(server, workload):
                results[server.name][workload] = syscalls_of(server, workload, files, options)
        say(f"  {server.name}: " + ", ".join(f"{key} {value:.3f}" for key, value in results[server.name].items()))
    return results


def syscalls_of(server, workload, files, options):
    out = options.folder / "strace"
    out.unlink(missing_ok=True)
    pids = [word for pid in peers.tree(server.process.pid) for word in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", out, *pids], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(500):  # until it traces them
            if all(re.search(r"^TracerPid:\s*[1-9]", peers.read(f"/proc/{pid}/status"), re.M)
                   for pid in pids[1::2] if peers.read(f"/proc/{pid}/status")):
                break
            time.sleep(0.01)
        result = workloads.ask(server, workload, files, "-c", SYSCALL_QUERIES, "-t", 30, timeout=90)
    finally:
        tracer.send_signal(signal.SIGINT)
        _, errors = tracer.communicate(timeout=30)
    total = re.search(r"^\s*100\.00\s+\S+\s+\d+\s+(\d+).*total$", peers.read(out), re.M)
    if total is None:
        raise RuntimeError(f"strace of {server.name} says nothing: {errors.strip()}")
    return int(total[1]) / max(result["answered"], 1)
