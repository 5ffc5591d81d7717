"""What is asked of the servers, and one measurement of one server."""

import json
import subprocess

import data
import peers

STEERED = ("source", "ecs", "ecs-do")
TCP_CONNECTIONS = 8
# title, the load generator's arguments
WORKLOADS = {
    "static": ("one static name", lambda files: ["-n", data.STATIC]),
    "static-do": ("one static name, DO", lambda files: ["-n", data.STATIC, "-d"]),
    "names": ("1,000 names of a zone", lambda files: ["-f", files["few"]]),
    "big": ("random names of the big zone", lambda files: ["-f", files["names"]]),
    "nxdomain": ("names that are not there", lambda files: ["-f", files["missing"]]),
    "source": ("steered by source address", lambda files: ["-n", data.STEERED, "-S", files["networks"]]),
    "ecs": ("steered by Client Subnet", lambda files: ["-n", data.STEERED, "-E", files["networks"]]),
    "ecs-do": ("steered by Client Subnet, DO", lambda files: ["-n", data.STEERED, "-E", files["networks"], "-d"]),
}
# One datagram for the kernel to cut, as long as it comes from one source: few, so that sources differ.
SEGMENTS, SEGMENTS_SOURCE = 16, 4
WINDOW = 128  # queries under way: as many as the receive buffer that Linux gives a socket has room for


def can(server, workload):
    return server.steered or workload not in STEERED


def generate(server, program, arguments, timeout):
    command = server.namespace.command(1, server.options.build / program, "-s", "127.0.0.1", "-p", server.port,
                                       *arguments)
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, start_new_session=True)
    if done.returncode != 0:
        raise RuntimeError(f"{program}, asking {server.name}: {done.stderr or done.returncode}\n{server.log()}")
    return json.loads(done.stdout)


def arguments(workload, files):
    """The load generator's: what it asks, how many at a time."""
    return [*WORKLOADS[workload][1](files), "-g", SEGMENTS_SOURCE if workload == "source" else SEGMENTS]


def ask(server, workload, files, *more, timeout=60):
    """The load generator's report."""
    return generate(server, "bench-loadgen", [*arguments(workload, files), "-w", WINDOW, *more], timeout)


def with_cost(server, load):
    """What a load reports, and what the server's processes took for it."""
    before = peers.cpu_times(server.process.pid)
    result = load()
    seconds, user, system = (after - earlier for after, earlier in zip(peers.cpu_times(server.process.pid), before))
    answered = max(result.get("answered_ever", result["answered"]), 1)
    result["cpu_us"] = seconds * 1e6 / answered
    result["user_us"] = result["cpu_us"] * user / max(user + system, 1)
    # How much of the time its core had work: near 1, or the generator was the limit.
    result["server_busy"] = result["cpu_us"] * result["per_second"] / 1e6
    result["server"] = server.name
    return result


def measure_udp(server, workload, files, seconds):
    result = with_cost(server, lambda: ask(server, workload, files, "-W", "0.2", "-t", seconds, timeout=seconds + 60))
    result["workload"] = workload
    return result


def measure_tcp(server, workload, files, seconds):
    arguments = [*WORKLOADS[workload][1](files), "-C", TCP_CONNECTIONS, "-t", seconds]
    result = with_cost(server, lambda: generate(server, "bench-loadgen-tcp", arguments, seconds + 60))
    result["workload"] = workload
    return result
