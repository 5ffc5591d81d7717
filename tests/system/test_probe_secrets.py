"""Secrets in files: servers that say them again bring them into no evidence, reason or log; and what is new in such a
file is used without being told to."""

import json
import os
import socket
import ssl
import threading

import pytest

from certificates import make_authority, make_certificate
from probing import PATIENT, reaches, states
from signpost import SLOW, free_port, wait_until, world

HERE = "127.94.9.1"
TOKEN, PASSWORD = "c2VjcmV0LXRva2Vu", "correct horse"
ZONE = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\nvpn POOL vpn\nsecure POOL secure\n"
POOL = """pool: vpn
sites: {{ tokyo: {{ nodes: {{ vpn: {{ address: {here} }} }} }} }}
probes:
  - {{ kind: http, port: {web}, headers: {{ Authorization: "file:keys/token" }}, {times} }}
load:
  sources:
    - {{ kind: openvpn-management, port: {management}, capacity: 4, password: keys/password }}
"""

SECURE = """pool: secure
sites: {{ tokyo: {{ nodes: {{ secure: {{ address: {here} }} }} }} }}
probes:
  - {{ kind: https, port: {tls}, host: vpn.example.net, ca: keys/ca, interval: 500ms, fall: 1, rise: 1,
      headers: {{ Authorization: "file:keys/token" }} }}
"""
heard = set()


def serve(port, behave, context=None):
    """One connection after another, each its own thread; ends with this process."""
    listener = socket.create_server((HERE, port))

    def talk(connection):
        with connection:
            if context is not None:
                try:
                    connection = context.wrap_socket(connection, server_side=True)
                except OSError:
                    return  # it does not trust us
            with connection, connection.makefile("rwb") as stream:
                behave(stream)

    def accept():
        while True:
            threading.Thread(target=talk, args=listener.accept()[:1], daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def repeat_request(stream):
    """In a header's value, far behind in one and cut off in it, in the body, and where its octets end."""
    lines = []
    while line := stream.readline().strip():
        lines.append(line)
    wanted = next(line for line in lines if line.startswith(b"Authorization: "))
    token = wanted.split()[-1]
    heard.add(token.decode())
    body = token + b" " + b"x" * 500 + token
    stream.write(b"HTTP/1.1 200 OK\r\nX-Heard: %s\r\nX-Token: %s%s\r\nX-Cut: %s%s\r\nContent-Length: %d\r\n\r\n%s" % (
        wanted, b"y" * 100, token, b"z" * (232 - len(token) // 2), token, len(body), body))


def repeat_password(stream):
    stream.write(b"ENTER PASSWORD:")
    stream.flush()
    password = stream.readline().strip()
    heard.add(password.decode())
    stream.write(b"SUCCESS: password is correct\r\n>INFO:hello, %s\r\n" % password)
    stream.flush()
    stream.readline()
    stream.write(b"ERROR: %s is no command\r\n" % password)


def replace(keys, files):
    """As it is done right: each file is there all the time, and whole."""
    for name, text in files.items():
        (keys / "new").write_text(text)
        (keys / "new").chmod(0o600)
        os.replace(keys / "new", keys / name)


@pytest.fixture(scope="module")
def signpost():
    web, management, tls = free_port(), free_port(), free_port()
    with world() as (signpost, _):
        keys = signpost.keys = signpost.folder / "zones" / "keys"
        keys.mkdir()
        for name in "old", "young":
            make_authority(keys, name)
        make_certificate(keys, "server", "vpn.example.net", "DNS:vpn.example.net", ca="young")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "server.crt", keys / "server.key")
        serve(web, repeat_request)
        serve(tls, repeat_request, context)
        serve(management, repeat_password)
        replace(keys, {"token": f"Bearer {TOKEN}\n", "password": f"{PASSWORD}\n", "ca": (keys / "old.crt").read_text()})
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        signpost.zone_file("example.net.zone").write_text(ZONE)
        signpost.zone_file("vpn.pool.yaml").write_text(POOL.format(
            here=HERE, web=web, management=management, times=PATIENT))
        signpost.zone_file("secure.pool.yaml").write_text(SECURE.format(here=HERE, tls=tls))
        yield signpost.start()


def test_what_a_server_repeats_of_a_secret_is_hidden(signpost):
    reaches(signpost, "vpn", "up", "HTTP status 200$")
    told = signpost.ctl("--json", "probe", "vpn/vpn", check=False).stdout
    steps = {probe["kind"]: probe["steps"] for probe in json.loads(told)["probes"]}
    texts = [step["text"] for step in steps["http"]]
    assert 'received "X-Heard: Authorization: [hidden]"' in texts
    assert f'received "X-Token: {"y" * 100}[hidden]"' in texts
    body = next(bytes.fromhex(step["octets"]) for step in steps["http"] if step.get("octets"))
    assert body.startswith(b"[hidden] xxx") and body.endswith(b"x[hi")
    lines = [bytes.fromhex(step["octets"]) for step in steps["openvpn-management"] if step.get("octets")]
    assert b">INFO:hello, [hidden]" in lines and b"ERROR: [hidden] is no command" in lines
    for secret in TOKEN, PASSWORD, TOKEN[:8], PASSWORD[:8]:
        for form in secret, secret.encode().hex():
            assert form not in told + signpost.ctl("probe", "vpn/vpn", check=False).stdout
            assert form not in signpost.log() + str(states(signpost))


def test_what_is_new_in_such_a_file_is_used_without_a_reload(signpost):
    reaches(signpost, "secure", "down", "unable to get local issuer certificate$")
    new = {"token": "Bearer YW5vdGhlcg\n", "password": "battery staple\n",
           "ca": (signpost.keys / "young.crt").read_text()}
    assert not heard & {"YW5vdGhlcg", "battery staple"}
    replace(signpost.keys, new)
    reaches(signpost, "secure", "up", "HTTP status 200$")

    def all_new():
        """the new token and the new password are heard"""
        signpost.ctl("probe", "vpn/vpn", "--kind", "openvpn-management", check=False)
        return {"YW5vdGhlcg", "battery staple"} <= heard
    wait_until(all_new, 10 * SLOW, every=0.2)
    assert "YW5vdGhlcg" not in signpost.log()
