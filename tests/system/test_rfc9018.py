"""RFC 9018: server cookies that other servers with the same secret accept, and secrets that are rolled."""

import ipaddress
import os
import time

import pytest

import ednstools
import signpost
from ednstools import BADCOOKIE, COOKIE, TRANSPORTS, ask, made_at, options, query, server_cookie, siphash24, without_question

A, B = bytes(range(16)), bytes.fromhex("445536bcd2513298075a5d379663c962")
CLIENT = bytes.fromhex("2464c4abcf10c957")


def write_secrets(server, *secrets, mode=0o600):
    text = "# shared by ns1 and ns2\n" + "".join(f"{secret.hex()}  # {i}\n" for i, secret in enumerate(secrets))
    path = server.folder / "secrets"
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture(scope="module")
def pair():
    """Two servers, the same secret."""
    with signpost.world() as (one, _), signpost.world() as (other, _):
        for server in (one, other):
            ednstools.configure(server, "cookie-secrets: secrets\n")
            write_secrets(server, A)
            server.start()
        yield one, other


def answered(server, cookie, transport="udp"):
    return options(ask(server, query(options={COOKIE: cookie}), transport))[COOKIE]


def is_made_with(secret, cookie):
    return cookie == server_cookie(secret, CLIENT, made=made_at(cookie))


def wait_for_secrets(server, *secrets):
    """Until it makes cookies with the first one, and accepts those of all of them and of no other."""
    def is_so():
        return is_made_with(secrets[0], answered(server, CLIENT)) and all(
            (without_question(server_cookie(secret, CLIENT), "udp", server).rcode() == 0) == (secret in secrets)
            for secret in (A, B))
    signpost.wait_until(is_so, 5 * signpost.SLOW)


def test_appendix_a_of_the_test_s_own_siphash():
    for client, secret, address, made, cookie in (
            ("2464c4abcf10c957", "e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100", 1559731985,
             "010000005cf79f111f8130c3eee29480"),
            ("22681ab97d52c298", "445536bcd2513298075a5d379663c962", "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961,
             "010000005cf7c609a6bb79d16625507a")):
        assert server_cookie(bytes.fromhex(secret), bytes.fromhex(client), address, made).hex() == client + cookie
    assert siphash24(bytes(range(16)), bytes(range(15))).hex() == "e545be4961ca29a1", "the paper's own example"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_4_a_cookie_is_what_the_rfc_says(pair, transport):
    before = int(time.time())
    cookie = answered(pair[0], CLIENT, transport)
    assert before - 1 <= made_at(cookie) <= int(time.time())
    assert cookie == server_cookie(A, CLIENT, made=made_at(cookie))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_4_2_reserved_octets_are_hashed_as_they_are(pair, transport):
    cookie = server_cookie(A, CLIENT, reserved=b"\xab\xcd\xef")
    assert answered(pair[0], cookie, transport) == cookie


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("age, valid, kept", [
    (0, True, True), (1700, True, True), (1900, True, False), (3500, True, False), (3700, False, False),
    (86400, False, False), (-250, True, True), (-400, False, False), (1 << 31, False, False)])
def test_4_3_a_cookie_has_an_age(pair, transport, age, valid, kept):
    now = int(time.time())
    cookie = server_cookie(A, CLIENT, made=now - age)
    reply = without_question(cookie, transport, pair[0])
    assert reply.rcode() == (0 if valid else BADCOOKIE)
    assert (options(reply)[COOKIE] == cookie) == kept
    if not kept:
        assert now - 1 <= made_at(options(reply)[COOKIE]) <= int(time.time())


@pytest.mark.parametrize("version", [0, 2, 255])
def test_4_1_other_versions_are_not_known(pair, version):
    assert without_question(server_cookie(A, CLIENT, version=version), "udp", pair[0]).rcode() == BADCOOKIE


def test_4_4_the_address_is_hashed(pair):
    assert without_question(server_cookie(A, CLIENT, "127.0.0.2"), "udp", pair[0]).rcode() == BADCOOKIE
    assert ipaddress.ip_address("127.0.0.1").packed != ipaddress.ip_address("::1").packed


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_1_servers_with_the_same_secret_take_each_other_s_cookies(pair, transport):
    one, other = pair
    cookie = answered(one, CLIENT, transport)
    assert answered(other, cookie, transport) == cookie
    assert without_question(answered(other, CLIENT), transport, one).rcode() == 0


def test_5_a_secret_is_rolled_in_three_steps(pair):
    """At each moment both servers accept whatever cookies the two of them have made."""
    steps = [(A,), (A, B), (B, A), (B,)]
    try:
        for before, after in zip(steps, steps[1:]):
            for ahead, behind in (pair, pair[::-1]):
                write_secrets(ahead, *after)
                ahead.ctl("reload")
                wait_for_secrets(ahead, *after)
                if ahead is pair[0] and after != (B,):  # the other one has not heard of it yet
                    for maker, judge in ((ahead, behind), (behind, ahead)):
                        assert without_question(answered(maker, CLIENT), "udp", judge).rcode() == 0, (before, after)
        old, new = server_cookie(A, CLIENT), server_cookie(B, CLIENT)
        assert [without_question(cookie, "udp", pair[0]).rcode() for cookie in (old, new)] == [BADCOOKIE, 0]
    finally:
        for server in pair:
            write_secrets(server, A)
            server.ctl("reload")
            wait_for_secrets(server, A)


def test_5_a_cookie_of_an_old_secret_is_replaced(pair):
    server = pair[0]
    write_secrets(server, B, A)
    server.ctl("reload")
    try:
        wait_for_secrets(server, B, A)
        cookie = server_cookie(A, CLIENT)
        assert without_question(cookie, "udp", server).rcode() == 0
        new = answered(server, cookie)
        assert new != cookie and is_made_with(B, new)
    finally:
        write_secrets(server, A)
        server.ctl("reload")
        wait_for_secrets(server, A)


@pytest.mark.parametrize("text, told", [
    ("00\n", "secrets:1:1: error: a secret has 32 hexadecimal digits, and not 2"),
    ("# none\n\n", "error: {folder}/secrets: holds no secret"),
    ("", "error: {folder}/secrets: is empty"),
    ("# x\n  0123456789abcdef0123456789abcdeg\n", "secrets:2:34: error: this is not a hexadecimal digit"),
    (f"{A.hex()}\n" * 9, "secrets:9:1: error: there are more than 8 secrets"),
    (None, "signpost.yaml:7:17: error: this is no path of a file that can be read (No such file or directory)"),
])
def test_mistakes_are_told_by_line_and_column(pair, text, told):
    server = pair[1]
    path = server.folder / "secrets"
    path.unlink()
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    try:
        done = server.ctl("check", str(server.config), check=False)
        assert done.returncode == 1 and told.format(folder=server.folder) in done.stderr
        assert "0123456789abcdef" not in done.stdout + done.stderr, "what is secret is not shown"
        assert server.ctl("reload", check=False).returncode != 0
        assert "0123456789abcdef" not in server.log() and A.hex() not in server.log()
    finally:
        write_secrets(server, A)
    assert answered(server, server_cookie(A, CLIENT)), "what was running goes on"


@pytest.mark.parametrize("mode, warns", [(0o600, False), (0o640, False), (0o644, True)])
def test_a_file_that_others_may_read_is_a_warning(pair, mode, warns):
    server = pair[1]
    write_secrets(server, A, mode=mode)
    done = server.ctl("check", str(server.config))
    assert ("warning: " in done.stderr and "others than its owner and group may read it" in done.stderr) == warns
    os.chmod(server.folder / "secrets", 0o600)


def test_secrets_are_nowhere_in_what_is_told(pair):
    server = pair[0]
    write_secrets(server, A, B)
    told = [server.ctl("reload"), server.ctl("status"), server.ctl("status", "--json", check=False)]
    for secret in (A, B):
        for text in (*(done.stdout + done.stderr for done in told), server.log()):
            assert secret.hex() not in text.lower()
    write_secrets(server, A)
    server.ctl("reload")
