"""The servers of a comparison: a network namespace for them, their files, their processes.

All run in one namespace whose loopback holds every address (AnyIP), so that queries may come from
anywhere; nothing leaves it. What is started is ended by its process id, children first asked,
then killed."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import data

sys.path.insert(1, str(pathlib.Path(__file__).parents[1]))
import peer_conf  # noqa: E402

CPUCLOCK_SCHED = 2  # clock_getcpuclockid(3): how Linux names a process's CPU clock


class Namespace:
    """Network of its own, in which every address is local."""

    def __init__(self):
        self.name = f"signpost-bench-{os.getpid()}"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        try:
            for command in (["link", "set", "lo", "up"],
                            ["route", "add", "local", "default", "dev", "lo"],
                            ["-6", "route", "add", "local", "default", "dev", "lo"]):
                subprocess.run(["ip", "-n", self.name, *command], check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def command(self, cpu, *command):
        return ["ip", "netns", "exec", self.name, "taskset", "-c", str(cpu), *map(str, command)]


def read(path):
    try:
        return pathlib.Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def tree(pid):
    """A process and all below it, parents first."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in read(task).split()]
    return found


def cpu_times(pid):
    """(seconds, user ticks, system ticks) of the process and all below it, with threads that have
    ended. The seconds are exact; the ticks tell about how they split."""
    seconds, user, system = 0.0, 0, 0
    for one in tree(pid):
        fields = read(f"/proc/{one}/stat").rpartition(")")[2].split()
        with contextlib.suppress(OSError):
            seconds += time.clock_gettime(~one << 3 | CPUCLOCK_SCHED)
            user, system = user + int(fields[11]), system + int(fields[12])
    return seconds, user, system


def memory(pid, share=True):
    """{name: {VmHWM, VmRSS, RssAnon, RssShmem, Pss}} in MiB, of the process and all below it. To
    find its share of what several map (Pss) walks its pages: not while it loads."""
    found = {}
    for one in tree(pid):
        status = dict(line.split(":\t", 1) for line in read(f"/proc/{one}/status").splitlines() if ":\t" in line)
        if "VmHWM" not in status:
            continue
        sizes = {key: int(status[key].split()[0]) / 1024 for key in ("VmHWM", "VmRSS", "RssAnon", "RssShmem")}
        for line in read(f"/proc/{one}/smaps_rollup").splitlines() if share else ():
            if line.startswith("Pss:"):
                sizes["Pss"] = int(line.split()[1]) / 1024
        name, number = status["Name"], 2
        while name in found:
            name, number = f"{status['Name']} {number}", number + 1
        found[name] = sizes
    return found


class Server:
    """name, port and steered (does it choose by location?) are the subclass's; so are write() and
    command()."""

    steered = True
    plain = True  # does it serve zones?
    cpus = "0"

    def __init__(self, namespace, folder, options, under=()):
        """under: the words of a command below which it runs, valgrind say."""
        self.namespace, self.options, self.under = namespace, options, [str(word) for word in under]
        self.folder = folder / self.name
        self.zones = folder / "zones"
        self.process = None

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.write()
        self.run()

    def run(self):
        # A session of its own, as daemons have: the kernel may share a busy core out by session.
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.namespace.command(self.cpus, *self.whole_command()),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                            env=dict(os.environ, **self.environment()), start_new_session=True)

    def whole_command(self):
        return [*self.under, *self.command()]

    def environment(self):
        return {}

    def stop(self):
        if self.process is None:
            return
        everybody = tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in everybody[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process = None

    def log(self):
        return read(self.folder / "log")[-2000:]

    def ask(self, name, *more):
        """The answer's addresses, by dig; None: no answer."""
        done = subprocess.run(self.namespace.command(1, "dig", "@127.0.0.1", "-p", self.port, "+short", "+tries=1",
                                                     "+timeout=1", name, "A", *more),
                              capture_output=True, text=True)
        return done.stdout.split() if done.returncode == 0 else None

    def wait_answer(self, name, timeout):
        """Seconds until this name is answered with an address."""
        start = time.monotonic()
        while time.monotonic() - start < timeout:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{self.log()}")
            if self.ask(name):
                return time.monotonic() - start
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not answer {name} within {timeout} s:\n{self.log()}")


class Floor(Server):
    name, port, plain = "floor", 5300, False
    reply_octets = 0

    def write(self):
        pass

    def command(self):
        return [self.options.build / "bench-floor", "-s", round(self.reply_octets), f"127.0.0.1:{self.port}"]


class Signpost(Server):
    name, port = "signpost", 5301

    def write(self):
        zones = self.folder / "zones"
        zones.mkdir()
        for zone in ("static.example", "big.example"):
            (zones / f"{zone}.zone").symlink_to(self.zones / zone)
        (zones / "steered.example.zone").write_text(data.APEX + "vpn 30 IN POOL edge\n")
        (zones / "edge.pool.yaml").write_text(
            "pool: edge\npolicy: nearest\nsites:\n" + "".join(
                f"  {site}:\n    nodes:\n"
                f"      {site}-1: {{ address: [{address}] }}\n"
                f"      {site}-2: {{ address: [{address[:-1]}2] }}\n"
                for site, (_, _, address) in data.SITES.items()))
        (self.folder / "signpost.yaml").write_text(
            f'listen: ["127.0.0.1:{self.port}"]\nzones: zones\nstate: state\nrun: run\nuser: root\nworkers: 1\n'
            f"geoip:\n  databases: [{', '.join(map(str, self.options.database))}]\n"
            f"  countries: {self.options.countries}\nsites:\n" + "".join(
                f"  {site}: {{ location: [{lat}, {lon}] }}\n" for site, (lat, lon, _) in data.SITES.items()))

        libexec = self.folder / "libexec"
        libexec.mkdir()
        for program in ("control", "compile", "run"):
            (libexec / f"signpost-{program}").symlink_to(self.options.build / f"signpost-{program}")
        (libexec / "signpost-dns").symlink_to(self.options.build / "bench-under")

    def command(self):
        # Below another command runs what answers, not what supervises it.
        libexec = ["--libexec", self.folder / "libexec"] if self.under else []
        return [self.options.build / "signpostd", *libexec, "-c", self.folder / "signpost.yaml"]

    def whole_command(self):
        return self.command()

    def environment(self):
        return {"BENCH_UNDER": " ".join(self.under), "BENCH_PROGRAM": str(self.options.build / "signpost-dns")}


class Nsd(Server):
    name, port, steered = "nsd", 5302, False

    def write(self):
        zones = {zone: self.zones / zone for zone in ("static.example", "big.example")}
        (self.folder / "nsd.conf").write_text(peer_conf.nsd(
            self.folder, self.port, zones, "  minimal-responses: yes\n  verbosity: 0\n"))

    def command(self):
        return ["nsd", "-d", "-c", self.folder / "nsd.conf"]


class Knot(Server):
    name, port = "knot", 5303

    def write(self):
        # Knot takes one database, and a country's code decides, not distance.
        database = next((path for path in self.options.database if "ipv6" not in path.name))
        countries = data.read_countries(self.options.countries)
        (self.folder / "steered.example").write_text(data.APEX + "vpn 30 IN A 127.10.5.1\n")
        (self.folder / "geo.conf").write_text(data.STEERED + ".:\n" + "".join(
            f'  - geo: "{code}"\n    A: {data.SITES[data.nearest(point)][2]}\n' for code, point in countries.items()))
        zones = {zone: self.zones / zone for zone in ("static.example", "big.example")}
        zones["steered.example"] = self.folder / "steered.example"
        (self.folder / "knot.conf").write_text(peer_conf.knot(
            self.folder, self.port, zones, "  edns-client-subnet: on\n", sections=f"""mod-geoip:
  - id: edge
    config-file: {self.folder}/geo.conf
    ttl: 30
    mode: geodb
    geodb-file: {database}
    geodb-key: country_code
""") + "    module: mod-geoip/edge\n")  # the last zone's

    def command(self):
        return ["knotd", "-c", self.folder / "knot.conf"]


class Gdnsd(Server):
    name, port = "gdnsd", 5304

    def write(self):
        zones = self.folder / "zones"
        zones.mkdir()
        for zone in ("static.example", "big.example"):
            (zones / zone).symlink_to(self.zones / zone)
        (zones / "steered.example").write_text(data.APEX + "vpn 30 DYNA geoip!edge\n")
        names = ", ".join(data.SITES)
        points = "\n".join(f"        {site} => [ {lat}, {lon} ]" for site, (lat, lon, _) in data.SITES.items())
        addresses = "\n".join(f"        {site} => {address}" for site, (_, _, address) in data.SITES.items())
        (self.folder / "config").write_text(f"""options => {{
  listen => {{ 127.0.0.1:{self.port} => {{ udp_threads => 1, tcp_threads => 1 }} }}
  run_dir => {self.folder}/run
  state_dir => {self.folder}/state
}}
plugins => {{ geoip => {{
  maps => {{ world => {{
      geoip2_db => {self.options.maxmind_layout}
      datacenters => [ {names} ]
      auto_dc_coords => {{
{points}
      }}
  }} }}
  resources => {{ edge => {{
      map => world
      service_types => up
      dcmap => {{
{addresses}
      }}
  }} }}
}} }}
""")

    def command(self):
        return ["gdnsd", "-c", self.folder, "start"]


class Pdns(Server):
    """Zones by the bind backend, what is steered by the geoip backend, with its caches on. A
    country's code decides, in MaxMind's layout."""

    name, port = "pdns", 5305

    def write(self):
        countries = data.read_countries(self.options.countries)
        (self.folder / "named.conf").write_text("".join(
            f'zone "{zone}" {{ type master; file "{self.zones / zone}"; }};\n' for zone in ("static.example", "big.example")))
        zone = data.STEERED.partition(".")[2]
        (self.folder / "zones.yaml").write_text(f"""domains:
- domain: {zone}
  ttl: 30
  records:
    {zone}:
      - soa: ns1.{zone} hostmaster.{zone} 1 7200 900 1209600 60
      - ns: ns1.{zone}
      - ns: ns2.{zone}
    unknown.geo.{zone}:
      - a: {data.SITES["london"][2]}
""" + "".join(f"    {code.lower()}.geo.{zone}:\n      - a: {data.SITES[data.nearest(point)][2]}\n"
              for code, point in countries.items()) + f"""  services:
    {data.STEERED}: [ '%cc.geo.{zone}', 'unknown.geo.{zone}' ]
""")
        (self.folder / "pdns.conf").write_text(f"""launch=bind,geoip
bind-config={self.folder}/named.conf
geoip-database-files=mmdb:{self.options.maxmind_layout}
geoip-zones-file={self.folder}/zones.yaml
edns-subnet-processing=yes
local-address=127.0.0.1
local-port={self.port}
receiver-threads=1
distributor-threads=1
socket-dir={self.folder}
daemon=no
guardian=no
disable-syslog=yes
loglevel=3
version-string=anonymous
""")

    def command(self):
        return ["pdns_server", f"--config-dir={self.folder}"]


SERVERS = {server.name: server for server in (Floor, Signpost, Nsd, Knot, Gdnsd, Pdns)}
