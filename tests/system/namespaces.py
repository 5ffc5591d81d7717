"""A network of one's own: two network namespaces with a cable between them.

Signpost runs in one (`ours`, 10.99.0.1 and fd99::1), what it probes in the other (`theirs`).
"""

import contextlib
import os
import subprocess
import uuid

import pytest

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root")


class Namespaces:
    def __init__(self):
        mark = uuid.uuid4().hex[:8]
        self.ours, self.theirs = f"sp-o-{mark}", f"sp-t-{mark}"

    def run(self, *command, **options):
        return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, timeout=20, **options)

    def open(self):
        for name in (self.ours, self.theirs):
            self.run("ip", "netns", "add", name)
            self.run("ip", "-n", name, "link", "set", "lo", "up")
        self.run("ip", "link", "add", "cable", "netns", self.ours, "type", "veth", "peer", "name", "cable", "netns", self.theirs)
        for name, addresses in ((self.ours, ("10.99.0.1/24", "fd99::1/64")), (self.theirs, ("10.99.0.2/24", "fd99::2/64"))):
            for address in addresses:
                self.address(name, address)
            self.run("ip", "-n", name, "link", "set", "cable", "up")

    def close(self):
        """A namespace goes with its cable, once nobody runs in it."""
        for name in (self.ours, self.theirs):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.run("ip", "netns", "delete", name)

    def address(self, name, address):
        self.run("ip", "-n", name, "addr", "add", address, "dev", "cable", *(["nodad"] if ":" in address else []))

    def inside(self, name):
        """What stands before a command that is to run there."""
        return ["ip", "netns", "exec", name]

    def drop(self, rule):
        """Packets that come to `theirs` and match are lost."""
        nft = [*self.inside(self.theirs), "nft"]
        self.run(*nft, "add", "table", "inet", "loss")
        self.run(*nft, "add", "chain", "inet", "loss", "in", "{ type filter hook input priority 0; }")
        self.run(*nft, "add", "rule", "inet", "loss", "in", *rule.split(), "drop")


@contextlib.contextmanager
def namespaces():
    made = Namespaces()
    try:
        made.open()
        yield made
    finally:
        made.close()
