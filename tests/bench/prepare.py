"""What a comparison needs before it begins: packages, programs, and a description of the machine."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
PROGRAMS = ("bench-floor", "bench-loadgen", "bench-loadgen-tcp", "bench-under", "bench-images")
PACKAGES = {  # of which server; None: of all
    None: ("iproute2", "bind9-dnsutils", "util-linux", "python3-maxminddb"),
    "nsd": ("nsd",),
    "knot": ("knot", "knot-module-geoip"),
    "gdnsd": ("gdnsd",),
    "pdns": ("pdns-server", "pdns-backend-geoip", "pdns-backend-bind"),
}
TOOLS = {"instructions": ("valgrind",), "answering": ("valgrind",), "growth": ("valgrind",), "syscalls": ("strace",)}  # of which part
SERVICES = ("nsd", "knot", "gdnsd", "pdns")


def missing_packages(names):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
                          capture_output=True, text=True)
    installed = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def install(names):
    """Installs packages without starting their services, now or at the next boot. Where the host
    has a policy of its own, that one stands."""
    own_policy = not POLICY.exists()
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *names]
    if own_policy:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode != 0:  # old package lists name files that are gone
            subprocess.run(["apt-get", "-q", "update"], env=environment, stdout=subprocess.DEVNULL)
            done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)
    finally:
        if own_policy:
            POLICY.unlink()
    if done.returncode != 0:
        raise RuntimeError("packages could not be installed: " + " ".join(names))
    if shutil.which("systemctl"):
        for service in SERVICES:
            if any(name.startswith(service) for name in names):
                subprocess.run(["systemctl", "--quiet", "disable", service + ".service"], stderr=subprocess.DEVNULL)


def packages(servers, parts, say):
    wanted = [name for server in (None, *servers) for name in PACKAGES.get(server, ())]
    wanted += [name for part in parts for name in TOOLS.get(part, ())]
    missing = missing_packages(wanted)
    if missing:
        say("installing " + " ".join(missing))
        install(missing)


def build(folder, say):
    """Everything into a build folder, which is made where there is none."""
    def step(where, *command):
        done = subprocess.run(command, cwd=where, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the build failed, at {command[0]}:\n{done.stderr[-3000:]}")

    say(f"building in {folder}")
    if not (folder / "config.status").exists() and folder == SOURCE / "build":
        step(SOURCE, "./bootstrap", "build")
    elif not (folder / "config.status").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if not (SOURCE / "configure").exists():
            step(SOURCE, "autoreconf", "-fi")
        step(folder, SOURCE / "configure", "-q", "CFLAGS=-O2 -g")
    step(folder, "make", "-s", f"-j{os.cpu_count()}", "all", *PROGRAMS)


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else ""


def machine(build_folder, servers):
    """What the figures depend on."""
    cpu = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
           if line.startswith("model name")]
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    flags = [line.partition("=")[2].strip() for line in (build_folder / "Makefile").read_text().splitlines()
             if line.startswith("CFLAGS =")]
    versions = {}
    for server in servers:
        for package in PACKAGES.get(server, ())[:1]:
            versions[server] = first_line("dpkg-query", "-W", "-f", "${Version}\n", package)
    return {
        "cpu": cpu[0] if cpu else "", "cpus": len(cpu), "memory_mib": int(memory) // 1024,
        "kernel": os.uname().release, "load_1min": os.getloadavg()[0],
        "compiler": first_line("gcc", "--version"), "cflags": flags[0] if flags else "",
        "configured": first_line(str(build_folder / "config.status"), "--config"),
        "commit": first_line("git", "-C", str(SOURCE), "log", "-1", "--format=%h %cs"),
        "changed": bool(first_line("git", "-C", str(SOURCE), "status", "--porcelain", "-uno")),
        "peers": versions,
    }


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end(number, _):
    """Everything that was started is ended on the way out, which a second signal does not cut short."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    sys.exit(f"ended by signal {number}")


def clean_up_on_signals():
    for number in SIGNALS:
        signal.signal(number, end)
