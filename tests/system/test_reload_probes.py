"""Reloads while thousands of probes are under way: nothing of them stays behind."""

import contextlib
import os
import socket

import pytest

from probing import ZONE
from signpost import SLOW, wait_until, world

NODES = int(os.environ.get("SIGNPOST_RELOAD_NODES", "300"))
RELOADS = int(os.environ.get("SIGNPOST_RELOADS", "6"))

KINDS = ("openvpn", "ikev2", "udp, send: x", "dns, query: example.org", "tcp", "tls, verify: false")


def write_pool(signpost, options):
    probes = "".join(f"  - {{ kind: {kind}, interval: 5s, timeout: 5s }}\n" for kind in options)
    signpost.zone_file("many.pool.yaml").write_text(
        "pool: many\n" + (f"probes:\n{probes}" if probes else "") + "sites:\n  tokyo:\n    nodes:\n" + "".join(
            f"      n{n}: {{ address: 127.96.{n // 250}.{n % 250 + 1} }}\n" for n in range(NODES)))


def silent(kind):
    """A socket that takes what comes at any address, and answers nothing; of connections, few."""
    it = socket.socket(socket.AF_INET, kind)
    it.bind(("", 0))
    if kind == socket.SOCK_STREAM:
        it.listen(0)
    return it


def usage(signpost):
    """Sockets of control, and its memory in kB."""
    pid = signpost.pid("signpost-control")
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    sockets = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            sockets += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
    return sockets, memory


@pytest.fixture
def many():
    with world() as (signpost, _), silent(socket.SOCK_DGRAM) as one, silent(socket.SOCK_DGRAM) as other, \
            silent(socket.SOCK_STREAM) as stream:
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        signpost.zone_file("example.net.zone").write_text(ZONE + "many POOL many\n")
        write_pool(signpost, [])
        signpost.ports = [it.getsockname()[1] for it in (one, other, stream)]
        yield signpost.start()


def test_reloads_among_many_probes_leave_no_socket_behind(many):
    before, used = usage(many)[0], []
    for turn in range(RELOADS):
        kind = KINDS[turn % len(KINDS)]
        stream = kind.startswith(("tcp", "tls"))
        write_pool(many, [f"{kind}, port: {many.ports[2 if stream else turn % 2]}"])
        many.ctl("reload")
        wait_until(lambda: usage(many)[0] > before + NODES // 10, 10 * SLOW)  # they are under way
        used.append(usage(many))
    write_pool(many, [])
    many.ctl("reload")
    wait_until(lambda: usage(many)[0] <= before, 10 * SLOW)
    print(f"{NODES} nodes: sockets {before}, then {used}, in the end {usage(many)}")
