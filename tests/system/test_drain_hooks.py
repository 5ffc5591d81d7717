"""contrib/hooks on nodes with a real server: nobody new, while those that are there stay."""

import os
import re
import shutil

import ownnetwork
import pytest
import signpost
import test_probe_ikev2
import test_probe_wireguard

HOOKS = signpost.SOURCE / "contrib/hooks"
pytestmark = ownnetwork.needs_one


@pytest.mark.skipif(signpost.SLOW > 1, reason="no program of ours runs in it")
@pytest.mark.skipif(not all(map(shutil.which, ("wireguard-go", "wg", "nft"))), reason="no wireguard-go")
def test_wireguard_keeps_its_clients_and_takes_no_others(tmp_path):
    keys = {name: test_probe_wireguard.Keys(tmp_path, name) for name in ("server", "old", "new")}
    with ownnetwork.network() as node, ownnetwork.network() as far:
        ownnetwork.join(node, far)
        test_probe_wireguard.Server(node, tmp_path, "wgs0", keys["server"], {
            keys["old"].public: "AllowedIPs = 10.98.0.2/32", keys["new"].public: "AllowedIPs = 10.98.0.3/32"})
        node.run("ip", "address", "add", "10.98.0.1/24", "dev", "wgs0")

        def hook(*arguments, check=True):
            return node.run(HOOKS / "wireguard-drain", *arguments, check=check)

        def client(name, interface, address, port):
            config = tmp_path / f"{interface}.conf"
            test_probe_wireguard.secret_file(config, f"[Interface]\nPrivateKey = {keys[name].private}\nListenPort = {port}\n"
                                             f"[Peer]\nPublicKey = {keys['server'].public}\n"
                                             "Endpoint = 10.99.0.1:51820\nAllowedIPs = 10.98.0.1/32\n")
            far.start("wireguard-go", "-f", interface, log=tmp_path / f"{interface}.log")
            signpost.wait_until(lambda: far.run("wg", "show", interface, check=False).returncode == 0, 10 * signpost.SLOW)
            far.run("wg", "setconf", interface, config)
            far.run("ip", "link", "set", interface, "up")
            far.run("ip", "address", "add", f"{address}/32", "dev", interface)
            far.run("ip", "route", "replace", "10.98.0.1/32", "dev", interface)

        def answers():
            return far.run("ping", "-c", "1", "-W", "1", "10.98.0.1", check=False).returncode == 0

        client("old", "wgo0", "10.98.0.2", 40001)
        signpost.wait_until(answers, 10 * signpost.SLOW)
        hook("start", "wgs0")
        told = hook("list", "wgs0").stdout.split()
        assert told[:2] == [keys["old"].public, "10.99.0.2:40001"] and int(told[2]) < 60
        assert hook("wait", "wgs0", "1", check=False).returncode == 1
        # A session that is made anew from where it was: as clients do every two minutes.
        far.run("wg", "set", "wgo0", "peer", keys["server"].public, "remove")
        far.run("wg", "addconf", "wgo0", tmp_path / "wgo0.conf")
        far.run("ip", "route", "replace", "10.98.0.1/32", "dev", "wgo0")
        signpost.wait_until(answers, 10 * signpost.SLOW)
        client("new", "wgn0", "10.98.0.3", 40002)
        assert not answers()
        assert keys["new"].public not in hook("list", "wgs0").stdout
        hook("stop", "wgs0")
        far.run("wg", "set", "wgn0", "peer", keys["server"].public, "remove")  # so that it tries again at once
        far.run("wg", "addconf", "wgn0", tmp_path / "wgn0.conf")
        far.run("ip", "route", "replace", "10.98.0.1/32", "dev", "wgn0")
        signpost.wait_until(answers, 20 * signpost.SLOW)
        assert keys["new"].public in hook("list", "wgs0").stdout
        done = hook("stop", "wgs0", check=False)
        assert done.returncode == 1 and "wgs0 is not drained" in done.stderr


CLIENT = """connections {
  vpn {
    version = 2
    remote_addrs = 10.99.0.1
    proposals = aes256-sha256-x25519
    childless = force
    local {
      auth = psk
      id = client
    }
    remote {
      auth = psk
      id = vpn.example
    }
  }
}
secrets {
  ike-1 {
    secret = "test"
  }
}
"""


@pytest.mark.skipif(not os.path.exists(test_probe_ikev2.CHARON), reason="no charon")
def test_strongswan_keeps_its_clients_and_takes_no_others(tmp_path):
    with ownnetwork.network() as node, ownnetwork.network() as far, signpost.world() as (server, _):
        ownnetwork.join(node, far)
        server.charon = charon = test_probe_ikev2.Charon(node, server.folder)
        charon.ctl("--load-all")
        client = test_probe_ikev2.Charon(far, tmp_path)
        (tmp_path / "swanctl/swanctl.conf").write_text(CLIENT)
        client.ctl("--load-all")
        client.ctl("--initiate", "--ike", "vpn")
        test_probe_ikev2.start(server, [("config", "127.0.0.1", "mode: config, proposal: aes256-sha256-x25519",
                                         test_probe_ikev2.OFTEN)])

        def hook(*arguments, check=True):
            return node.run("env", *(f"{k}={v}" for k, v in charon.env.items()),
                            "SWANCTL_OPTIONS=--uri unix:///run/charon.vici", HOOKS / "strongswan-drain", *arguments,
                            check=check)

        def unique_ids():
            return re.findall(r"#(\d+), ESTABLISHED", hook("list").stdout)

        test_probe_ikev2.wait_for(server, "config", "up")
        hook("start")
        test_probe_ikev2.wait_for(server, "config", "down", "no connection takes the proposal")
        before = unique_ids()
        assert len(before) == 1 and hook("wait", "1", check=False).returncode == 1
        client.ctl("--rekey", "--ike", "vpn")
        signpost.wait_until(lambda: (lambda now: len(now) == 1 and now != before)(unique_ids()), 10 * signpost.SLOW)
        client.ctl("--terminate", "--ike", "vpn")
        hook("wait", "10")
        assert client.ctl("--initiate", "--ike", "vpn", "--timeout", "2", check=False).returncode != 0
        hook("stop")
        test_probe_ikev2.wait_for(server, "config", "up")
        client.ctl("--initiate", "--ike", "vpn")
