"""RFC 5001: the name server identifier, for clients that ask for it."""

import re
import socket
import subprocess

import pytest

import ednstools
import signpost
from ednstools import NSID, TRANSPORTS, ask, options, query

ASKED = {NSID: b""}


@pytest.fixture(scope="module")
def server():
    with ednstools.running("nsid: ns1 of Tokyo\n") as server:
        yield server


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["www.z.test.", "vpn.z.test.", "none.z.test.", "www.example.org."])
def test_2_2_whoever_asks_is_told(server, transport, name):
    assert options(ask(server, query(name, options=ASKED), transport))[NSID] == b"ns1 of Tokyo"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_2_2_nobody_else_is(server, transport):
    assert NSID not in options(ask(server, query(), transport))
    assert ask(server, query(edns=False), transport).edns == -1


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("data", [b"x", b"who are you?", bytes(300)])
def test_2_2_data_in_the_query_is_ignored(server, transport, data):
    assert options(ask(server, query(options={NSID: data}), transport))[NSID] == b"ns1 of Tokyo"


def test_2_2_twice_is_once(server):
    assert options(ask(server, query(options=[(NSID, b""), (NSID, b"")])))[NSID] == b"ns1 of Tokyo"


def test_2_3_it_is_the_octets_of_the_server_file(server):
    """dig shows them in hexadecimal, and as text (2.4)."""
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(server.port), "www.z.test", "+nsid", "+nocookie"],
                          capture_output=True, text=True, timeout=20)
    assert f'; NSID: {b"ns1 of Tokyo".hex(" ")} ("ns1 of Tokyo")' in done.stdout


def test_it_makes_no_answer_truncated(server):
    """It goes into what room there is."""
    full = ask(server, query("texts.z.test.", "TXT", ASKED, size=1232))
    assert len(full.answer[0][0].strings) == 4 and NSID in options(full)
    size = len(full.to_wire()) - 1
    short = ask(server, query("texts.z.test.", "TXT", ASKED, size=size))
    assert short.answer == full.answer and NSID not in options(short)


@pytest.mark.parametrize("setting, told", [
    ("nsid: 0x00ff80", b"\x00\xff\x80"), ("nsid: off", None), ("", socket.gethostname().encode()),
    (f"nsid: {'n' * 255}", b"n" * 255)])
def test_it_is_settable_by_a_reload(server, setting, told):
    text = server.config.read_text()
    server.config.write_text(re.sub(r"^nsid: .*$", setting, text, flags=re.MULTILINE))
    try:
        server.ctl("reload")
        for transport in TRANSPORTS:
            signpost.wait_until(lambda: options(ask(server, query(options=ASKED), transport)).get(NSID) == told, 5)
    finally:
        server.config.write_text(text)
