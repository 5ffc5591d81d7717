"""What a query costs one worker and two: Signpost beside an echo server that is laid out alike.

Beside each worker, on the same core, there is one load generator that keeps as many queries under
way, so one core and two work under the same conditions, batches have the same size, and both have
nothing left over. With two, the kernel shares what comes out between both sockets, so half of a
generator's queries go to the other core: what that costs the kernel, and what the machine's cores take
from each other, the echo server shows, which does nothing but receive and send."""

import contextlib
import json
import pathlib
import subprocess
import tempfile

import data
import peers

COUNTS = (1, 2)
VARIANTS = {  # what it is called: server, what its configuration has besides
    "signpost": (peers.Signpost, ""),
    "signpost, socket-affinity": (peers.Signpost, "socket-affinity: true\n"),
    "floor": (peers.Floor, ""),
}


def of_some(variant, count):
    """Such a server with some workers, each on a core of its own if the kernel likes."""
    kind, more = VARIANTS[variant]

    class Workers(kind):
        cpus = ",".join(map(str, range(count)))

        def __init__(self, namespace, folder, options):
            number = list(VARIANTS).index(variant)
            self.kind, self.count = variant, count
            self.name, self.port = f"workers-{number}-{count}", 5330 + 10 * number + count
            super().__init__(namespace, folder, options)
            self.zones = folder / "zones"

        def write(self):
            super().write()
            path = self.folder / "signpost.yaml"
            if path.exists():
                path.write_text(path.read_text().replace("workers: 1\n", f"workers: {count}\n{more}"))

        def command(self):
            words = super().command()
            return [words[0], "-w", count, *words[1:]] if kind is peers.Floor else words

    return Workers


def load(server, options, networks, seconds):
    """Asks, with a generator for each worker; what a query cost the server, in us, and how much of it
    was in user space, as the kernel's tick saw it."""
    before = peers.cpu_times(server.process.pid)
    answered, octets = 0, 0.0
    with contextlib.ExitStack() as stack:
        generators = []
        for cpu in range(server.count):
            generators.append(subprocess.Popen(
                server.namespace.command(cpu, options.build / "bench-loadgen", "-s", "127.0.0.1", "-p", server.port,
                                         "-t", seconds, "-w", options.window, "-n", data.STEERED, "-S", networks),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            stack.callback(generators[-1].kill)
        for generator in generators:
            out, error = generator.communicate(timeout=seconds + 30)
            if generator.returncode != 0:
                raise RuntimeError(f"the load generator: {error}")
            told = json.loads(out)
            answered, octets = answered + told["answered"], told["reply_octets"]
    took, user, system = (after - earlier for after, earlier in zip(peers.cpu_times(server.process.pid), before))
    return {"server": server.kind, "workers": server.count, "cpu_us": took * 1e6 / answered, "answered": answered,
            "user_us": took * 1e6 / answered * user / max(user + system, 1), "reply_octets": octets}


def start(variant, namespace, folder, options, stack):
    """One of each number of workers."""
    servers = [of_some(variant, count)(namespace, folder, options) for count in COUNTS]
    for server in servers:
        stack.callback(server.stop)
        server.start()
        if server.plain:
            server.wait_answer(data.STEERED, 120)
    return servers


def measure(options, say):
    """A list of measurements, of all rounds."""
    results = []
    with tempfile.TemporaryDirectory(prefix="signpost-workers-", dir=options.folder) as name, \
            peers.Namespace() as namespace, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "zones").mkdir()
        data.write_zones(folder / "zones", 1000)
        networks = folder / "networks"
        data.write_networks(networks, options.database)
        servers = []
        for variant in VARIANTS:
            servers += start(variant, namespace, folder, options, stack)
            warm = [load(server, options, networks, 0.3) for server in servers[-len(COUNTS):]]
            peers.Floor.reply_octets = warm[0]["reply_octets"]  # Signpost's: the floor comes last
        for number in range(options.rounds):
            turn = number % len(servers)
            for server in servers[turn:] + servers[:turn]:
                results.append({**load(server, options, networks, options.seconds), "round": number})
                say(f"  round {number + 1}: {server.kind}, {server.count}: {results[-1]['cpu_us']:.3f} us a query, "
                    f"{results[-1]['user_us']:.3f} us in user space")
    return results
