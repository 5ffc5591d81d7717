"""What a query takes, counted instead of timed: instructions in user space, and system calls.

Instructions are counted by callgrind, from when a server is warm: it writes what it counted after
each load, and the difference of a long load's count to a short one's, divided by the difference of
their lengths, is what a query costs, without what goes on besides. All of the process counts: its
loop, libraries, answering."""

import pathlib
import re
import signal
import subprocess
import time

import data
import peers
import workloads

WORKLOADS = ("static", "names", "source", "ecs", "ecs-do")
SHORT, LONG = 2000, 10000  # queries
SINGLE_SHORT, SINGLE_LONG, SINGLE_RATE = 200, 1200, 1000
WINDOW = 64  # queries under way: what is slow below valgrind must not lose any
SYSCALL_QUERIES = 30000


# --- instructions -----------------------------------------------------------------------------------------

def watched(pid):
    """The processes of a tree that run below valgrind."""
    found = []
    for one in peers.tree(pid):
        try:
            if "callgrind" in str(pathlib.Path(f"/proc/{one}/exe").readlink()):
                found.append(one)
        except OSError:
            continue
    return found


def command(pids, *words):
    for pid in pids:
        done = subprocess.run(["vgdb", f"--pid={pid}", "--wait=10", *words], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"vgdb --pid={pid} {' '.join(words)}: {done.stderr.strip()}")


def dumped(folder):
    """What all dumps say together; and takes them away."""
    total = 0
    for path in folder.glob("callgrind.out.*"):
        total += sum(int(count) for count in re.findall(r"^totals: (\d+)", path.read_text(errors="replace"), re.M))
        path.unlink()
    return total


def count_one(server, pids, workload, files, *how):
    """Instructions for a load, and how many queries that was."""
    command(pids, "zero")
    result = workloads.ask(server, workload, files, "-t", 120, *how, timeout=200)
    if result["lost"] > 0:
        raise RuntimeError(f"{server.name}, {workload}: {result['lost']} of {result['sent']} queries lost below valgrind")
    command(pids, "dump")
    return dumped(server.folder), result["answered"]


def per_query(server, pids, workload, files, short, long, *how):
    (few, few_queries), (many, many_queries) = (
        count_one(server, pids, workload, files, *how, "-c", count) for count in (short, long))
    return (many - few) / (many_queries - few_queries)


def count_server(server, files):
    """{workload: {batched, single}}: full batches, and a query at a time."""
    server.start()
    try:
        server.wait_answer(data.STATIC, 300)
        if server.steered:
            server.wait_answer(data.STEERED, 300)
        pids = watched(server.process.pid)
        if not pids:
            raise RuntimeError(f"{server.name} does not run below valgrind:\n{server.log()}")
        command(pids, "instrumentation", "on")
        found = {}
        for workload in WORKLOADS:
            if not workloads.can(server, workload):
                continue
            workloads.ask(server, workload, files, "-w", WINDOW, "-c", 3 * SHORT, "-t", 120, timeout=200)
            found[workload] = {
                "batched": per_query(server, pids, workload, files, SHORT, LONG, "-w", WINDOW),
                "single": per_query(server, pids, workload, files, SINGLE_SHORT, SINGLE_LONG, "-w", WINDOW, "-g", 1,
                                    "-r", SINGLE_RATE),
            }
        return found
    finally:
        server.stop()


def instructions(namespace, folder, files, options, failed, say):
    results = {}
    for name in options.servers:
        kind = peers.SERVERS[name]
        if not kind.plain:
            continue
        own = folder / name
        under = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={own}/callgrind.out.%p"]
        try:
            results[name] = count_server(kind(namespace, folder, options, under), files)
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
