"""Signpost's answers compared with those of NSD, Knot and BIND, section by section.

All serve the same files: tests/data/peers, which is made to be hard to answer right, with large
RRsets added, and the sample zone's static part. 20,000 questions about every name that is there, and
about names beside, above and below it, for all types, by both transports, with EDNS and its options
and without, with odd flags, classes, opcodes and sections. The peers differ from each other, too:
every way is a class in peer_differences.py, with the RFC that says who is right; whatever no class
explains fails, and so does a class that explains nothing. tests/data/peers/DIFFERENCES.md has the
classes and how often they occur; SIGNPOST_WRITE_DIFFERENCES=1 writes it again.

SIGNPOST_PEERS_SEED and SIGNPOST_PEERS_QUESTIONS ask other questions, and more."""

import collections
import concurrent.futures
import contextlib
import os

import dns.exception
import dns.message
import dns.name
import pytest

import peer_answers
import peer_differences
import peer_questions
import peer_zones
import peers

SEED = int(os.environ.get("SIGNPOST_PEERS_SEED", 20261122))
QUESTIONS = int(os.environ.get("SIGNPOST_PEERS_QUESTIONS", 20000))
ROOT_QUESTIONS = 3000
UDP_SIZE = 1232  # that all four serve at most
TABLE = peer_zones.DATA / "DIFFERENCES.md"

pytestmark = pytest.mark.skipif(bool(peers.missing()), reason=f"not installed: {', '.join(peers.missing())}")


def ask(server, questions):
    """{question: octets, or None where nothing came}"""
    answers = {}
    for tcp in (False, True):
        for odd in (False, True):  # not everybody answers these
            some = [question for question in questions if question.tcp == tcp and peer_questions.is_odd(question) == odd]
            messages = [peer_questions.encode(question) for question in some]
            if tcp:
                found = peers.ask_tcp(server, messages, timeout=3 if odd else 10)
            else:
                found = peers.ask_udp(server, messages, **({"window": 200, "tries": 1, "timeout": 0.3} if odd else {}))
            answers.update(zip(some, found))
    # Silence, or a busy machine? That they are many more at a time does not matter then.
    silent = [question for question in questions if answers[question] is None and not question.tcp]
    again = peers.ask_udp(server, [peer_questions.encode(question) for question in silent], window=400, tries=2)
    return {**answers, **dict(zip(silent, again))}


def wire_names(names):
    """As peer_differences.Case wants them."""
    return {name.to_wire().lower(): types for name, types in names.items()}


class World:
    """All of them, serving the same files, and what they answered."""

    def __init__(self, server, root):
        zones = peer_zones.write_zones(server.folder / "zones", root)
        server.write_server_file({"nowhere": (0, 0)}, "".join(f"{option}: {peers.IDENTITY}\n"
                                                              for option in ("nsid", "identity", "version")))
        server.zone_file("one.pool.yaml").write_text(peer_zones.POOL)
        server.start()
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(kind(server.folder, peer_zones.write_zones_for(
                kind, zones, server.folder / f"for-{kind.name}"))) for kind in peers.PEERS]
            names = peer_zones.read_names(running[0], zones)
            self.questions = peer_questions.make_questions(names, zones, ROOT_QUESTIONS if root else QUESTIONS, SEED)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                self.ours, *theirs = pool.map(lambda one: ask(one.server, self.questions), (server, *running))
        self.theirs = {peer.name: answers for peer, answers in zip(running, theirs)}
        self.names, self.zones = wire_names(names), set(wire_names({dns.name.from_text(origin): () for origin in zones}))

    def case(self, question, peer, ours):
        wire = self.theirs[peer][question]
        theirs = peer_answers.Answer(wire) if wire else None
        return peer_differences.Case(question, peer, ours, theirs, self.names, self.zones)


def check(question, answer):
    """What must hold of any answer of ours, whatever is in it."""
    limit = 65535 if question.tcp else min(max(question.edns.size if question.edns else 512, 512), UDP_SIZE)
    assert len(answer.wire) <= limit, "more octets than were asked for"
    assert answer.flags == 0x8000 | question.opcode << 11 | question.flags & peer_questions.RD
    assert not answer.repeats
    if "question" not in question.shape:
        assert answer.question == peer_questions.question_wire(question), "the question is not repeated octet by octet"
    assert (answer.opt is None) == (question.edns is None)
    if answer.rcode != 16 and question.opcode == 0:  # dnspython, which reads more, and knows fewer opcodes
        dns.message.from_wire(answer.wire)


used = collections.Counter()  # (class, peer)
asked = collections.Counter()


@pytest.mark.parametrize("root", [False, True], ids=["many zones", "the root zone"])
def test_every_difference_has_a_class(fresh, root):
    server, _ = fresh
    world = World(server, root)
    print(f"seed {SEED}: {len(world.questions)} questions, {sum(q.tcp for q in world.questions)} over TCP")
    wrong = []
    for question in world.questions:
        wire = world.ours[question]
        try:
            assert wire, "no answer"
            ours = peer_answers.Answer(wire)
            check(question, ours)
        except (AssertionError, peer_answers.Malformed, dns.exception.DNSException) as error:
            wrong.append(f"{question}: {error!r}\n{wire and wire.hex()}")
            continue
        for peer in world.theirs:
            case = world.case(question, peer, ours)
            parts, classes = peer_differences.explain(case)
            asked[peer, "alike" if not parts else "otherwise"] += 1
            used.update({(row.name, peer) for row in classes.values()})
            if parts - set(classes):
                wrong.append(f"{question}: {', '.join(sorted(parts - set(classes)))}\n--- ours:\n{show(wire)}\n"
                             f"--- {peer}:\n{show(world.theirs[peer][question])}")
    assert not wrong, f"{len(wrong)} of {len(world.questions)} questions:\n" + "\n\n".join(wrong[:10])


def show(wire):
    try:
        return dns.message.from_wire(wire, one_rr_per_rrset=True, ignore_trailing=True) if wire else "no answer"
    except (dns.exception.DNSException, ValueError):
        return wire.hex()


def test_every_class_is_needed():
    """After all of the above."""
    for peer in peers.PEERS:
        assert asked[peer.name, "alike"] > asked[peer.name, "otherwise"], "the classes excuse nearly everything"
    if SEED == 20261122 and QUESTIONS >= 20000:
        assert [row.name for row in peer_differences.DIFFERENCES if not any(used[row.name, peer] for peer in row.peers)] == []


def table_lines(count):
    """count: (class, peer) -> the words for how many."""
    yield "| what differs | Signpost | which peer | the peer | who is right | questions |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in peer_differences.DIFFERENCES:
        counts = ", ".join(f"{peer} {count(row.name, peer)}" for peer in row.peers)
        yield f"| {row.name} | {row.ours} | {', '.join(row.peers)} | {row.theirs} | {row.right} | {counts} |"


HEAD = """\
# How other name servers answer otherwise, and who is right

Written by tests/system/test_against_peers.py from the classes of tests/system/peer_differences.py: Signpost
beside Debian 12's NSD, Knot and BIND, which serve the same zones and are asked the same {questions} questions.
What no class explains fails the test. The last column says of how many questions, when this was written.

"""


def test_the_table_tells_of_every_class():
    if os.environ.get("SIGNPOST_WRITE_DIFFERENCES"):
        lines = table_lines(lambda name, peer: used[name, peer])
        total = sum(asked[peers.PEERS[0].name, what] for what in ("alike", "otherwise"))
        TABLE.write_text(HEAD.format(questions=f"{total:,}") + "\n".join(lines) + "\n")
    written = [line.rpartition(" | ")[0] for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    assert written == [line.rpartition(" | ")[0] for line in table_lines(lambda name, peer: 0)]
