"""What each process may still do after the start."""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import tempfile

import pytest

import signpost

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to drop it")

NAMES = ("signpostd", "signpost-dns", "signpost-control")
CAP_KILL, CAP_SETGID, CAP_SETUID = 5, 6, 7


def status(pid):
    rows = (line.split(":\t") for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {row[0].rstrip(":"): row[1].split() if len(row) > 1 else [] for row in rows}


def pids(server):
    return [server.process.pid, server.pid("signpost-dns"), server.pid("signpost-control")]


@pytest.fixture
def dropped():
    """Started as root, to run as nobody."""
    with signpost.world(user="nobody") as (server, nodes):
        server.let_other_users_read()
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        yield server


@root_only
def test_children_run_as_the_user_without_any_capability(dropped):
    dropped.start()
    nobody = pwd.getpwnam("nobody")
    for pid in pids(dropped)[1:]:
        now = status(pid)
        assert set(now["Uid"]) == {str(nobody.pw_uid)}
        assert set(now["Gid"]) == {str(nobody.pw_gid)}
        assert set(now["Groups"]) <= {str(nobody.pw_gid)}
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(now[capabilities][0], 16) == 0
        assert now["NoNewPrivs"] == ["1"]
    assert dropped.addresses("vpn.example.net", "A", "133.11.0.0/24")


@root_only
@pytest.mark.skipif("san" in signpost.BUILD.name, reason="the leak checker looks into them")
def test_what_has_secrets_is_in_no_core_file_and_open_to_nobody(dropped):
    """What the kernel will not dump belongs to root in /proc, whoever runs it."""
    dropped.start()
    for pid in pids(dropped)[1:]:
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0
    dropped.ctl("reload")  # which starts a compiler from there


@root_only
@pytest.mark.parametrize("file", ["example.net.zone", "included", "edge.pool.yaml"])
def test_file_that_the_user_may_not_read_refuses_the_reload_and_nothing_else(dropped, file):
    dropped.start()
    zone = dropped.zone_file("example.net.zone")
    dropped.zone_file("included").write_text("new IN A 192.0.2.77\n")
    zone.write_text(zone.read_text() + "$INCLUDE included\n")
    os.chmod(dropped.zone_file(file), 0)
    done = dropped.ctl("reload", check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    # An included file's place is the line that includes it.
    assert re.search(rf"{file}\b.*Permission denied", told) and re.search(r"\.(zone|yaml)\S*: error: ", told), told
    assert dropped.addresses("vpn.example.net", "A", "133.11.0.0/24"), "what was running goes on"
    os.chmod(dropped.zone_file(file), 0o644)
    dropped.ctl("reload")
    assert dropped.addresses("new.example.net") == ["192.0.2.77"]


@root_only
def test_supervisor_keeps_what_restarts_need_and_no_more(dropped):
    dropped.start()
    now = status(pids(dropped)[0])
    for capabilities in ("CapPrm", "CapEff", "CapBnd"):
        assert int(now[capabilities][0], 16) == 1 << CAP_KILL | 1 << CAP_SETGID | 1 << CAP_SETUID
    assert now["NoNewPrivs"] == ["1"]
    assert now["Threads"] == ["1"]


@root_only
def test_restarted_children_are_the_same_user_again(dropped):
    dropped.start()
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    for name in NAMES[1:]:
        old = dropped.kill(name)
        new = dropped.wait_new(name, old)
        signpost.wait_until(lambda: set(status(new)["Uid"]) == {nobody}, 5 * signpost.SLOW)


@root_only
def test_folders_belong_to_the_user(dropped):
    dropped.start()
    for folder, mode in (("state", 0o750), ("run", 0o755)):
        now = (dropped.folder / folder).stat()
        assert now.st_uid == pwd.getpwnam("nobody").pw_uid
        assert now.st_mode & 0o777 == mode


@root_only
def test_folder_that_the_user_cannot_write_is_named(dropped):
    (dropped.folder / "state").mkdir()
    dropped.start(wait=False)
    assert dropped.process.wait(20) == 1
    dropped.process = None
    assert f"{dropped.folder}/state: user 'nobody' cannot write there" in dropped.log()


@root_only
def test_user_that_does_not_exist_is_named_with_what_to_do(fresh):
    server, nodes = fresh
    server.user = "nosuchuser"
    server.use_sample(nodes.port)
    server.start(wait=False)
    assert server.process.wait(20) == 1
    server.process = None
    assert "user 'nosuchuser' does not exist" in server.log() and "adduser" in server.log()


@root_only
def test_sample_with_user_root_still_has_a_data_plane_of_nobody(sample):
    assert set(status(sample.pid("signpost-dns"))["Uid"]) == {str(pwd.getpwnam("nobody").pw_uid)}
    assert set(status(sample.pid("signpost-control"))["Uid"]) == {"0"}


@root_only
def test_data_plane_of_another_user_starts_from_a_folder_that_it_may_not_enter(fresh):
    """A build below /root: the programs are executed relative to a descriptor."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    with tempfile.TemporaryDirectory() as closed:
        os.chmod(closed, 0o700)
        build = pathlib.Path(closed) / "build"
        build.mkdir()
        for name in signpost.PROGRAMS:
            shutil.copy(signpost.BUILD / name, build)
        server.start(programs=build)
        assert set(status(server.pid("signpost-dns"))["Uid"]) == {str(pwd.getpwnam("nobody").pw_uid)}
        server.stop()


@root_only
def test_without_root_it_runs_as_whoever_starts_it(fresh):
    server, nodes = fresh
    server.let_other_users_read().use_sample(nodes.port)
    os.chmod(server.folder, 0o777)
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    server.start(command=as_nobody)
    for pid in pids(server):
        assert set(status(pid)["Uid"]) == {"65534"}
        assert int(status(pid)["CapPrm"][0], 16) == 0


@root_only
def test_low_port_without_root_is_named_with_what_to_do(fresh):
    server, nodes = fresh
    server.port = 53
    server.let_other_users_read().use_sample(nodes.port)
    os.chmod(server.folder, 0o777)
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"]
    if int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 53:
        pytest.skip("this host lets anybody bind port 53")
    server.start(wait=False, command=as_nobody)
    assert server.process.wait(20) == 1
    server.process = None
    assert "listen 127.0.0.1:53 udp" in server.log() and "below 1024" in server.log()


def test_programs_hold_only_what_they_use(sample):
    """No descriptor of a listening socket in control, none of a database in the data plane."""
    def targets(name):
        folder, found = pathlib.Path(f"/proc/{sample.pid(name)}/fd"), []
        for fd in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # a probe's, closed meanwhile
                found.append(os.readlink(folder / fd))
        return found
    assert not [t for t in targets("signpost-dns") if "signpost.db" in t or ".zone" in t or ".mmdb" in t]
    inet = pathlib.Path(f"/proc/net/udp").read_text()
    mine = {line.split()[9] for line in inet.splitlines()[1:] if line.split()[1].endswith(f":{sample.port:04X}")}
    assert len(mine) == 2, "one UDP socket for each of two workers"
    held = {t[8:-1] for t in targets("signpost-control") if t.startswith("socket:[")}
    assert not mine & held


@root_only
def test_icmp_probes_work_for_a_user_without_rights(dropped):
    """Through ping sockets where the user may open them, else the supervisor's raw ones; and again
    after a restart of the control plane."""
    pool = dropped.zone_file("edge.pool.yaml")
    pool.write_text(re.sub(r"kind: tcp\n +port: \d+\n", "kind: icmp\n", pool.read_text()))
    dropped.start()
    for _ in range(2):
        signpost.wait_until(lambda: "icmp 127.10.1.1: echo reply" in dropped.ctl("status").stdout, 10 * signpost.SLOW)
        old = dropped.kill("signpost-control")
        dropped.wait_new("signpost-control", old)
        signpost.wait_until(lambda: dropped.ctl("status", check=False).returncode == 0, 10 * signpost.SLOW)
    assert "probes cannot be made" not in dropped.log()
