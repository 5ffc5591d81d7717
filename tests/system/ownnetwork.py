"""A network of a test's own: real VPN servers run there, and the root namespace is left alone."""

import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest
import signpost


def may_make_one():
    return os.geteuid() == 0 and shutil.which("nsenter") and shutil.which("ip") and os.path.exists("/dev/net/tun")


needs_one = pytest.mark.skipif(not may_make_one(), reason="needs root, for network namespaces")


class Network:
    """A network namespace with a loopback, and a mount namespace with a /run of its own."""

    def __init__(self):
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec sleep infinity"],
            stdin=subprocess.DEVNULL)
        self.pid = self._holder.pid
        self._started = []
        signpost.wait_until(lambda: pathlib.Path(f"/proc/{self.pid}/comm").read_text() == "sleep\n", 10 * signpost.SLOW)
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.pid), "--net", "--mount", *map(str, arguments)]

    def network_command(self, *arguments):
        """What runs with this network, and with everybody's files."""
        return ["nsenter", "-t", str(self.pid), "--net", *map(str, arguments)]

    def run(self, *arguments, check=True, **options):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, **options)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def start(self, *arguments, log, env=None):
        with open(log, "ab") as file:
            process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                       env={**os.environ, **(env or {})})
        self._started.append(process)
        return process

    def end(self, process):
        self._started.remove(process)
        process.kill()
        process.wait()

    def close(self):
        for process in list(self._started):
            self.end(process)
        self._holder.kill()
        self._holder.wait()


@contextlib.contextmanager
def network():
    it = Network()
    try:
        yield it
    finally:
        it.close()


def join(one, other, name_one="v0", name_other="v0", address_one="10.99.0.1/24", address_other="10.99.0.2/24"):
    """A cable between two of them."""
    subprocess.run(["ip", "link", "add", name_one, "netns", str(one.pid), "type", "veth",
                    "peer", "name", name_other, "netns", str(other.pid)], check=True)
    for at, name, address in ((one, name_one, address_one), (other, name_other, address_other)):
        at.run("ip", "address", "add", address, "dev", name)
        at.run("ip", "link", "set", name, "up")
