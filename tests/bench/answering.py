"""What answering takes in user space, timed instead of sampled.

The kernel's tick tells user space from its own 250 times a second or so, too seldom for a hundredth
of a query. So the very queries of a workload are answered from images of the very configuration by
batch_answer(), in batches that went through the kernel as a server's do, on sockets of the
same process, and a clock is read before and after each batch. What a server does besides in user
space is not in it: its loop (some 20 instructions a query) and the entry to system calls."""

import json
import shutil
import subprocess

import where
import workloads

ROUNDS, QUERIES = 5, 65536
BATCH = 32  # as src/serve/udp.c receives them


def call(options, *words, cpu=0):
    command = ["taskset", "-c", cpu, *words]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def ask(options, folder, count, *more, under=()):
    return json.loads(call(options, *under, options.build / "bench-images", "ask", folder, folder / "queries", "-b", BATCH,
                           "-c", count, *more))


def functions(options, folder, count):
    """Where its instructions and misses go: see where.py."""
    out = folder / "callgrind.out"
    ask(options, folder, count, under=("valgrind", "-q", "--tool=callgrind", *where.CACHES,
                                       "--toggle-collect=batch_answer", f"--callgrind-out-file={out}"))
    return where.a_query(out.read_text(), count)


def measure(server, files, options, say):
    """{workload: {"kernel_ns": with the kernel's work between batches, "warm_ns": one batch behind the other,
    "functions": where it goes}}"""
    folder = options.folder / "answering"
    folder.mkdir()
    count = 1000 if options.quick else QUERIES
    results = {}
    try:
        call(options, options.build / "bench-images", "make", server.folder / "signpost.yaml", folder)
        for workload in options.workloads:
            call(options, options.build / "bench-loadgen", "-O", folder / "queries", *workloads.arguments(workload, files))
            results[workload] = {"kernel_ns": ask(options, folder, count, "-r", ROUNDS, "-k")["cpu_ns"],
                                 "warm_ns": ask(options, folder, count * 4, "-r", ROUNDS)["cpu_ns"],
                                 "functions": functions(options, folder, count // 2)}
            say(f"  {workload}: " + ", ".join(f"{key} {sorted(results[workload][key])[ROUNDS // 2]:.1f}"
                                              for key in ("kernel_ns", "warm_ns")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results
