"""The control socket under requests that nobody meant: random, mutated, cut; and what then still works."""

import concurrent.futures
import json
import random
import socket

import signpost

COUNT = 10000 // signpost.SLOW
NAME, JAPAN = "vpn.example.net", "133.11.0.0/24"
OBJECTS = ["edge", "tokyo", "edge/tyo-1", "node:edge/fra-1", "site:london", "edge/@sydney", "pool:edge", "tyo-2"]
SEEDS = [
    {"command": "status"}, {"command": "status", "pool": "edge"}, {"command": "ping"}, {"command": "world"},
    {"command": "states"}, {"command": "profile"}, {"command": "drill", "action": "status"},
    {"command": "drill", "action": "start", "object": "frankfurt", "for_ms": 10000, "force": True, "reason": "r"},
    {"command": "drill", "action": "stop"},
    {"command": "state", "action": "drain", "object": "edge/tyo-1", "reason": "disk", "who": "ann"},
    {"command": "state", "action": "disable", "object": "london", "from_ms": 4102444800000, "until_ms": 4102444900000},
    {"command": "state", "action": "enable", "object": "pool:edge"},
    {"command": "weight", "object": "edge/tyo-1", "weight": 7}, {"command": "weight", "object": "tyo-1", "weight": None},
    {"command": "report", "object": "edge/tyo-1", "load": 0.83},
]
ODD = [None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**31, 2**32, 2**53, 2**63 - 1, -2**63, 10**30, "", "\0", "a\nb", "\x7f",
       "\ud7ff", "€" * 90, "x" * 255, "x" * 256, "x" * 3000, "node:", "@", "edge/", "/", "%s%n%x", "pool:edge/tyo-1", [], {}, [[[]]],
       {"command": "status"}, ["edge"]]
TOKENS = [b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"\\u0000", b"\\ud800", b"null", b"1e999", b"-", b"\0", b"\xff", b"\xc0\x80", b"\r",
          b"\n", b" " * 50, b"9" * 400, b"[" * 300, b'"command":"status",']


def odd_request(rng):
    """A request that can be read, with odd values."""
    request = dict(rng.choice(SEEDS))
    for _ in range(rng.randrange(3)):
        request[rng.choice([*request, *rng.choice(SEEDS)])] = rng.choice(ODD + OBJECTS)
    if "object" in request and rng.random() < 0.5:
        request["object"] = rng.choice(OBJECTS)
    return json.dumps(request).encode() + b"\n"


def damaged(rng, line):
    line = bytearray(line)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(line) + 1)
        match rng.randrange(4):
            case 0: line[at:at + 1] = bytes([rng.randrange(256)])
            case 1: del line[at:at + rng.randrange(1, 9)]
            case 2: line[at:at] = rng.choice(TOKENS)
            case 3: line[at:at] = line[rng.randrange(len(line) + 1):][:20]
    return bytes(line)


def send(server, request):
    """Returns the answer, which is one line or, where no request is complete, nothing."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(server.folder / "run/control.sock"))
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            with client.makefile("rb") as stream:
                return stream.read()
        except (BrokenPipeError, ConnectionResetError):
            return b""  # refused before all of it was read


def check(request, answer):
    """"ok", "refused", or "cut": what was sent is no whole request."""
    if answer == b"":
        assert b"\n" not in request or len(request) > 4096, request
        return "cut"
    told = json.loads(answer)
    assert answer.endswith(b"\n") and answer.count(b"\n") == 1
    assert told["ok"] is True or (told["ok"] is False and told["error"]), (request, answer)
    return "ok" if told["ok"] else "refused"


def states(server):
    return json.loads(server.ctl("--json", "states").stdout)["states"]


def put_back(server):
    server.ctl("drill", "stop", check=False)
    for state in states(server):
        if state["state"] == "weight":
            server.ctl("weight", state["object"], "--reset")
        elif state["state"] != "drill":
            server.ctl("enable", state["object"])
    assert states(server) == []
    for _, code in signpost.SITES.values():
        for number in (1, 2):
            server.ctl("report", f"edge/{code}-{number}", "--load", "0")


def test_no_request_ends_or_stalls_control(sample):
    """Several clients at once: many an answer waits for the disk."""
    rng = random.Random(7)
    pids = sample.pid("signpost-control"), sample.pid("signpost-dns")
    before = sample.addresses(NAME, "A", JAPAN)
    requests = [rng.randbytes(rng.randrange(1, 60)) if rng.random() < 0.05 else odd_request(rng) for _ in range(COUNT)]
    requests = [damaged(rng, request) if rng.random() < 0.6 else request for request in requests]
    with concurrent.futures.ThreadPoolExecutor(64) as senders:
        results = [check(*pair) for pair in zip(requests, senders.map(lambda r: send(sample, r), requests))]
    assert min(results.count(result) for result in ("ok", "refused", "cut")) > COUNT // 50
    assert (sample.pid("signpost-control"), sample.pid("signpost-dns")) == pids
    assert "pool edge" in sample.ctl("status").stdout
    put_back(sample)
    signpost.wait_until(lambda: sample.addresses(NAME, "A", JAPAN) == before, 10 * signpost.SLOW)
