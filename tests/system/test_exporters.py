"""contrib/exporters: what they write is what WireGuard says, and node_exporter reads it."""

import os
import shutil
import subprocess
import time
import urllib.request

import ownnetwork
import pytest
from signpost import SLOW, SOURCE, free_port, wait_until

SCRIPT = SOURCE / "contrib/exporters/wireguard-textfile"
EXPORTER = "/usr/bin/prometheus-node-exporter"


def samples(folder):
    lines = (folder / "wireguard.prom").read_text().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def with_wg(folder, script):
    """Runs the exporter with a wg that is this script."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/wg").write_text("#!/bin/sh\n" + script)
    (folder / "bin/wg").chmod(0o755)
    return subprocess.run([SCRIPT, folder, "wg0", "wg1"], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"})


def test_a_session_is_a_peer_whose_handshake_is_younger_than_180_seconds(tmp_path):
    now = int(time.time())
    done = with_wg(tmp_path, f"""case "$2 $3" in
    "wg0 latest-handshakes") printf 'A=\\t{now}\\nB=\\t{now - 170}\\nC=\\t{now - 181}\\nD=\\t0\\n' ;;
    "wg0 transfer") printf 'A=\\t100\\t7\\nB=\\t5000000000\\t1\\n' ;;
    esac""")
    assert done.returncode == 0, done.stderr
    assert samples(tmp_path) == {
        'wireguard_sessions{interface="wg0"}': "2", 'wireguard_peers{interface="wg0"}': "4",
        'wireguard_receive_bytes_total{interface="wg0"}': "5000000100",
        'wireguard_transmit_bytes_total{interface="wg0"}': "8",
        'wireguard_sessions{interface="wg1"}': "0", 'wireguard_peers{interface="wg1"}': "0",
        'wireguard_receive_bytes_total{interface="wg1"}': "0", 'wireguard_transmit_bytes_total{interface="wg1"}': "0"}


def test_an_interface_that_cannot_be_read_leaves_no_old_figures(tmp_path):
    assert with_wg(tmp_path, "exit 0").returncode == 0
    done = with_wg(tmp_path, "exit 1")
    assert done.returncode == 1 and "interface wg0 cannot be read" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def wg(*arguments, text=None):
    return subprocess.run(["wg", *arguments], input=text, capture_output=True, text=True, check=True).stdout.strip()


@ownnetwork.needs_one
@pytest.mark.skipif(not (shutil.which("wireguard-go") and shutil.which("wg") and os.access(EXPORTER, os.X_OK)),
                    reason="needs wireguard-go and node_exporter")
def test_a_real_session_of_a_real_server_is_told_by_a_real_exporter(tmp_path):
    keys = {name: wg("genkey") for name in ("wge0", "wge1", "idle")}
    public = {name: wg("pubkey", text=key) for name, key in keys.items()}
    peers = {"wge0": f"[Peer]\nPublicKey = {public['wge1']}\n[Peer]\nPublicKey = {public['idle']}\n",
             "wge1": f"[Peer]\nPublicKey = {public['wge0']}\nEndpoint = 127.0.0.1:51871\nPersistentKeepalive = 1\n"}
    port = free_port()
    with ownnetwork.network() as network:
        for listen, (name, peer) in enumerate(peers.items(), start=51871):
            config = tmp_path / f"{name}.conf"
            config.write_text(f"[Interface]\nPrivateKey = {keys[name]}\nListenPort = {listen}\n{peer}")
            network.start("wireguard-go", "-f", name, log=tmp_path / f"{name}.log")
            wait_until(lambda: network.run("wg", "show", name, check=False).returncode == 0, 10 * SLOW)
            network.run("wg", "setconf", name, config)
            network.run("ip", "link", "set", name, "up")

        def told():
            """the session is told"""
            network.run(SCRIPT, tmp_path, "wge0")
            return samples(tmp_path)['wireguard_sessions{interface="wge0"}'] == "1"

        wait_until(told, 10 * SLOW)
        text = (tmp_path / "wireguard.prom").read_text()
        assert samples(tmp_path)['wireguard_peers{interface="wge0"}'] == "2"
        assert not any(key in text for key in (*keys.values(), *public.values()))
        exporter = subprocess.Popen([EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults",
                                     "--collector.textfile", f"--collector.textfile.directory={tmp_path}"],
                                    stderr=subprocess.DEVNULL)
        try:
            def scraped():
                """node_exporter tells it"""
                try:
                    return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
                except OSError:
                    return None
            lines = wait_until(scraped, 10 * SLOW).splitlines()
        finally:
            exporter.kill()
            exporter.wait()
    assert 'wireguard_sessions{interface="wge0"} 1' in lines
    assert "node_textfile_scrape_error 0" in lines
