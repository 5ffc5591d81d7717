"""Servers that say again what they were told: no secret of a file comes into evidence, reasons or logs."""

import json
import socket
import threading

import pytest

from probing import reaches, states
from signpost import free_port, world

HERE = "127.94.9.1"
TOKEN, PASSWORD = "c2VjcmV0LXRva2Vu", "correct horse"
ZONE = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\nvpn POOL vpn\n"
POOL = """pool: vpn
sites: {{ tokyo: {{ nodes: {{ vpn: {{ address: {here} }} }} }} }}
probes:
  - {{ kind: http, port: {web}, headers: {{ Authorization: "file:keys/token" }}, interval: 500ms, fall: 1, rise: 1 }}
load:
  sources:
    - {{ kind: openvpn-management, port: {management}, capacity: 4, password: keys/password }}
"""


def serve(port, behave):
    """One connection after another, each its own thread; ends with this process."""
    listener = socket.create_server((HERE, port))

    def talk(connection):
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
    heard = next(line for line in lines if line.startswith(b"Authorization: "))
    token = heard.split()[-1]
    body = token + b" " + b"x" * 500 + token
    stream.write(b"HTTP/1.1 200 OK\r\nX-Heard: %s\r\nX-Token: %s%s\r\nX-Cut: %s%s\r\nContent-Length: %d\r\n\r\n%s" % (
        heard, b"y" * 100, token, b"z" * (232 - len(token) // 2), token, len(body), body))


def repeat_password(stream):
    stream.write(b"ENTER PASSWORD:")
    stream.flush()
    password = stream.readline().strip()
    stream.write(b"SUCCESS: password is correct\r\n>INFO:hello, %s\r\n" % password)
    stream.flush()
    stream.readline()
    stream.write(b"ERROR: %s is no command\r\n" % password)


@pytest.fixture(scope="module")
def signpost():
    web, management = free_port(), free_port()
    serve(web, repeat_request)
    serve(management, repeat_password)
    with world() as (signpost, _):
        keys = signpost.folder / "zones" / "keys"
        keys.mkdir()
        for name, text in (("token", f"Bearer {TOKEN}"), ("password", PASSWORD)):
            (keys / name).write_text(f"{text}\n")
            (keys / name).chmod(0o600)
        signpost.write_server_file({"tokyo": (35.68, 139.69)})
        signpost.zone_file("example.net.zone").write_text(ZONE)
        signpost.zone_file("vpn.pool.yaml").write_text(POOL.format(here=HERE, web=web, management=management))
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
