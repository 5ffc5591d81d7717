"""What an operator meets at night: damaged, full, vanished and hanging things. Answers go on, what
is wrong is told, and what is put right is used again without anybody's help."""

import contextlib
import json
import operator
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import dns.rcode
import pytest

import signpost
import test_processes

NAME = "vpn.example.net"
JAPAN = "133.11.0.0/24"

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount and to drop privileges")


@pytest.fixture
def running(fresh):
    """The sample, started, in a Signpost of the test's own."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    server.nodes = nodes
    return server.start()


def world_file(server, kind, world="world"):
    return server.folder / "state" / world / f"{kind}.image"


def wait_saved(server):
    try:
        signpost.wait_until(lambda: world_file(server, "zones").exists(), 10 * signpost.SLOW)
    except AssertionError as error:
        raise AssertionError(f"the world was not saved: {error}\n{server.log()}") from error


def edit_zone(server, old, new):
    zone = server.zone_file("example.net.zone")
    text = zone.read_text()
    assert old in text
    zone.write_text(text.replace(old, new))


def wait_log(server, text, timeout=10):
    signpost.wait_until(lambda: text in server.log(), timeout * signpost.SLOW)


# --- the world on disk


def damage(path):
    """One bit, where only a checksum tells."""
    octets = bytearray(path.read_bytes())
    octets[-9] ^= 1
    path.write_bytes(octets)


@pytest.mark.parametrize("kind", ["zones", "geo", "plan"])
def test_damaged_world_is_replaced_and_not_passed_on(running, kind):
    wait_saved(running)
    answer = running.addresses(NAME, "A", JAPAN)
    running.stop()
    good = world_file(running, kind).read_bytes()
    damage(world_file(running, kind))
    running.start()
    assert running.addresses(NAME, "A", JAPAN) == answer
    assert f"{kind} image is damaged" in running.log()
    signpost.wait_until(lambda: world_file(running, kind).read_bytes()[128:] == good[128:], 10 * signpost.SLOW)


def test_world_before_the_last_one_is_served_where_the_last_one_is_damaged(running):
    wait_saved(running)
    edit_zone(running, "192.0.2.25", "192.0.2.26")
    running.ctl("reload")
    signpost.wait_until(lambda: world_file(running, "zones", "world.previous").exists(), 10 * signpost.SLOW)
    running.stop()
    world_file(running, "zones").write_bytes(b"half written")
    running.zone_file("example.net.zone").write_text("not a zone\n")
    running.start()
    assert running.addresses("mail.example.net") == ["192.0.2.25"]
    assert "the world before the last one is used" in running.log()


@root_only
def test_world_is_saved_once_a_full_disk_has_room(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    state = server.folder / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", state], check=True)
    try:
        server.start()
        assert server.addresses(NAME, "A", JAPAN)
        wait_log(server, "the world is not saved")
        assert "not saved for the next start" in server.ctl("status").stdout
        subprocess.run(["mount", "-o", "remount,size=64m", state], check=True)
        server.ctl("reload")
        wait_saved(server)  # and a moment later, control knows that it was
        signpost.wait_until(lambda: "not saved" not in server.ctl("status").stdout, 10 * signpost.SLOW)
    finally:
        server.stop()
        subprocess.run(["umount", "-l", state], check=True)


@root_only
def test_order_on_a_full_disk_holds_and_is_stored_once_there_is_room(fresh):
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    state = server.folder / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", state], check=True)

    def stored():
        with contextlib.closing(sqlite3.connect(state / "signpost.db", timeout=10)) as db:
            return db.execute("SELECT object, reason FROM orders").fetchall()

    try:
        server.start()
        # A database that is still to be opened says of a full disk but "I/O error".
        signpost.wait_until(lambda: json.loads(server.ctl("status", "--json").stdout)["store"]["written"] > 0,
                            10 * signpost.SLOW)
        before = server.addresses(NAME, "A", JAPAN)
        for number in range(9):  # what the database has allocated may still have room
            # And a world that could not be saved leaves its own again.
            with open(state / "full", "ab", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            told = server.ctl("drain", "frankfurt", "--reason", f"{'x' * 200} {number}", timeout=20)
            # A busy machine may be slow to store: that is told, too, and is not what is meant.
            if "not stored" in told.stdout + told.stderr and "full" in server.ctl("status").stdout:
                break
        else:
            raise AssertionError(f"the disk is full, and that is not what is told: {told}")
        assert server.addresses(NAME, "A", "134.109.0.0/24")[0].startswith("127.10.5."), "London's: it holds all the same"
        nodes.stop(*before)
        signpost.wait_until(lambda: server.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
        assert json.loads(server.ctl("status", "--json").stdout)["store"]["pending"] > 0
        assert "unknown -> up" in server.ctl("audit").stdout, "who reads need not wait"
        (state / "full").unlink()
        signpost.wait_until(lambda: [(o, r[-1]) for o, r in stored()] == [("site:frankfurt", str(number))], 10 * signpost.SLOW)
    finally:
        server.stop()
        subprocess.run(["umount", "-l", state], check=True)


# --- the control socket


def test_removed_control_socket_comes_back(running):
    (running.folder / "run").rename(running.folder / "gone")  # at once: control looks for it every now and then
    signpost.wait_until(lambda: running.ctl("status", check=False).returncode == 0, 10 * signpost.SLOW)


def test_who_asks_while_control_is_started_again_waits_for_it(running):
    """It ends three times, so that it is started after a pause."""
    path = running.folder / "run/control.sock"
    inode = path.stat().st_ino
    for _ in range(3):
        old = running.kill("signpost-control")
        assert f'"pid":{old}' not in running.ctl("--json", "status").stdout
    assert path.stat().st_ino == inode


def test_control_goes_on_without_a_control_socket(running):
    """Failover matters more than signpostctl."""
    old = running.kill("signpost-control", signal.SIGSTOP)  # or it may put the folder back
    shutil.rmtree(running.folder / "run")
    (running.folder / "run").write_text("in the way")
    os.kill(old, signal.SIGKILL)
    new = running.wait_new("signpost-control", old)
    wait_log(running, "the control socket cannot be made")
    before = running.addresses(NAME, "A", JAPAN)
    running.nodes.stop(*before)
    signpost.wait_until(lambda: running.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
    assert running.pid("signpost-control") == new
    (running.folder / "run").unlink()
    signpost.wait_until(lambda: running.ctl("status", check=False).returncode == 0, 10 * signpost.SLOW)


def test_clients_that_asked_for_a_reload_and_went_make_room(running):
    """A reload that hangs, and a job that asks for one again and again."""
    path = str(running.folder / "run/control.sock")
    for _ in range(300):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(path)
            client.send(b'{"command": "reload"}\n')
    assert running.ctl("status").returncode == 0
    assert running.ctl("reload").returncode == 0


# --- the log


def test_failover_does_not_wait_for_a_log_that_nobody_reads(fresh):
    """journald hangs, or a terminal was stopped: the pipe is full."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    readable, writable = os.pipe()
    try:
        server.start(log=writable)
        before = server.addresses(NAME, "A", JAPAN)
        os.set_blocking(writable, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writable, b"x" * 4096)
        os.set_blocking(writable, True)
        for _ in range(3):
            server.ctl("reload")
        nodes.stop(*before)
        signpost.wait_until(lambda: server.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
        old = server.kill("signpost-dns")
        server.wait_new("signpost-dns", old)
        assert server.addresses(NAME, "A", JAPAN) != before
        assert server.stop() == 0
    finally:
        os.close(writable)
        os.close(readable)


# --- the start


def second(server, config, timeout=10):
    """Exit status and text of another signpostd, which is expected to end by itself."""
    done = subprocess.run([server.programs / "signpostd", "-c", config], capture_output=True, text=True,
                          timeout=timeout * signpost.SLOW)
    return done.returncode, done.stderr


@pytest.mark.parametrize("shared", ["state", "run"])
def test_second_supervisor_with_the_same_folder_is_refused(running, shared):
    other = "run" if shared == "state" else "state"
    text = running.config.read_text().replace(str(running.port), str(signpost.free_port()))
    config = running.folder / "second.yaml"
    config.write_text(text.replace(f"{other}: {other}", f"{other}: {other}2"))
    status, told = second(running, config)
    assert status == 1
    assert f"{running.folder}/{shared}: another signpostd uses this folder" in told
    assert running.ctl("status").returncode == 0
    assert running.addresses(NAME, "A", JAPAN)


def test_supervisor_that_was_killed_leaves_nothing_in_the_way(running):
    for _ in range(5):
        running.process.kill()
        running.process.wait()
        running.start()
        assert running.addresses(NAME, "A", JAPAN)
    assert running.ctl("status").returncode == 0


AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


@root_only
def test_read_only_state_is_no_reason_not_to_start(fresh):
    server, nodes = fresh
    server.let_other_users_read().use_sample(nodes.port)
    nodes.start(*signpost.sample_addresses())
    os.chmod(server.folder, 0o777)
    state = server.folder / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "tmpfs", state], check=True)
    try:
        server.start(command=AS_NOBODY)
        wait_saved(server)
        server.stop()
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        server.start(command=AS_NOBODY)
        before = server.addresses(NAME, "A", JAPAN)
        assert "database" in server.ctl("status").stdout
        nodes.stop(*before)
        signpost.wait_until(lambda: server.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
    finally:
        server.stop()
        subprocess.run(["umount", "-l", state], check=True)


@root_only
def test_folder_of_another_user_is_named_with_who_we_are(fresh):
    server, nodes = fresh
    server.let_other_users_read().use_sample(nodes.port)
    os.chmod(server.folder, 0o777)
    (server.folder / "state").mkdir()
    server.start(wait=False, command=AS_NOBODY)
    assert server.process.wait(20) == 1
    server.process = None
    assert f"{server.folder}/state: user 'nobody' cannot write there" in server.log()


@root_only
def test_host_without_ipv6_serves_on_what_it_has(fresh):
    """As in many containers: the sample and the default name IPv6 addresses."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    text = server.config.read_text()
    server.config.write_text(text.replace(f'"127.0.0.1:{server.port}"', f'"127.0.0.1:{server.port}", "[::1]:{server.port}"'))
    without = 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up; exec "$@"'
    server.start(command=["unshare", "--net", "sh", "-c", without, "sh"])
    assert server.ctl("status").returncode == 0
    assert f"not listening: this host has no IPv6 endpoint=[::1]:{server.port}" in server.log()
    assert f"listening endpoint=127.0.0.1:{server.port}" in server.log()


# --- files


@pytest.mark.parametrize("file", ["zones/other.zone", "zones/other.pool.yaml", "country.mmdb", "countries.tsv"])
def test_file_that_would_be_waited_for_is_a_mistake(running, file):
    """A FIFO: whoever opens it hangs until somebody writes."""
    for name in ("country.mmdb", "countries.tsv"):
        shutil.copy(running.geoip / name, running.folder)
    text = running.config.read_text()
    running.config.write_text(text.replace(f"{running.geoip}/", f"{running.folder}/"))
    with contextlib.suppress(FileNotFoundError):
        (running.folder / file).unlink()
    os.mkfifo(running.folder / file)
    refused = running.ctl("reload", check=False, timeout=10)
    assert refused.returncode == 1
    assert file in refused.stderr and "file" in refused.stderr.split(file, 1)[1]


@root_only
def test_reload_copies_what_is_unchanged_from_a_state_on_tmpfs(fresh):
    """Where plain files have seals, too."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    (server.folder / "state").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", server.folder / "state"], check=True)
    try:
        server.start()
        wait_saved(server)
        told = json.loads(server.ctl("reload", "--json").stdout)
        assert told["counts"]["zones_reused"] == 1
        assert told["messages"] == ""
    finally:
        server.stop()
        subprocess.run(["umount", "-l", server.folder / "state"], check=True)


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    return []


def compiling(server):
    """The pid of a signpost-compile that is making an image; else None."""
    for pid in children(server.pid("signpost-control")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/maps") as maps:
            text = maps.read()
            if "/signpost-compile\n" in text and "/memfd:" in text:
                return pid
    return None


def stop_a_compile(server):
    """Asks for reloads until one is caught at work and stopped. (its pid, who asked)"""
    def caught():
        asking = subprocess.Popen([signpost.BUILD / "signpostctl", "--run", server.folder / "run", "reload"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while asking.poll() is None:
            pid = compiling(server)
            if pid is not None:
                os.kill(pid, signal.SIGSTOP)
                return pid, asking
        return None
    return signpost.wait_until(caught, 20 * signpost.SLOW)


def test_compile_that_hangs_holds_up_nothing_and_ends_with_control(running):
    pid, asking = stop_a_compile(running)
    try:
        assert "reload: running" in running.ctl("status").stdout
        before = running.addresses(NAME, "A", JAPAN)
        running.nodes.stop(*before)
        signpost.wait_until(lambda: running.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
        old = running.kill("signpost-control")
        running.wait_new("signpost-control", old)
        signpost.wait_until(lambda: not test_processes.is_alive(pid), 5 * signpost.SLOW)
        signpost.wait_until(lambda: running.ctl("reload", check=False).returncode == 0, 10 * signpost.SLOW)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        asking.wait()


def kill_first_compile(server):
    """Starts a server that has no world, and kills the compile that is to make one. false: it was too quick."""
    def was_killed():
        return "signpost-compile was ended by signal 9" in server.log()

    def is_saved():
        return world_file(server, "zones").exists()

    server.start(wait=False)
    pid = signpost.wait_until(lambda: compiling(server) or is_saved(), 20 * signpost.SLOW, every=0)
    if pid is not True:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        signpost.wait_until(lambda: was_killed() or is_saved(), 20 * signpost.SLOW)
    if not was_killed():
        server.stop()
        shutil.rmtree(server.folder / "state")
    return was_killed()


def test_first_world_is_made_even_if_the_first_compile_was_killed(fresh):
    """For want of memory, say: nobody reloads at a start, and there is nothing else to answer."""
    server, nodes = fresh
    server.use_sample(nodes.port)
    signpost.wait_until(lambda: kill_first_compile(server), 60 * signpost.SLOW, every=0)
    signpost.wait_until(lambda: server.ask("mail.example.net").rcode() == dns.rcode.NOERROR, 15 * signpost.SLOW)


def test_stopped_data_plane_does_not_keep_the_port_from_the_next_supervisor(running):
    running.kill("signpost-dns", signal.SIGSTOP)
    running.process.kill()
    running.process.wait()
    running.start()
    assert running.addresses(NAME, "A", JAPAN)


# --- processes that are stopped


def test_stopped_control_holds_up_nobody(running):
    """Reloads by signal, answers, a new data plane; signpostctl says what is wrong and ends."""
    pid = running.kill("signpost-control", signal.SIGSTOP)
    try:
        asked = [subprocess.Popen([signpost.BUILD / "signpostctl", "--run", running.folder / "run", command],
                                  stderr=subprocess.PIPE, text=True) for command in ("status", "reload")]
        for _ in range(300):
            running.process.send_signal(signal.SIGHUP)
            time.sleep(0.001)
        old = running.kill("signpost-dns")
        running.wait_new("signpost-dns", old)
        assert running.addresses(NAME, "A", JAPAN)
        for asking in asked:
            assert "control does not answer" in asking.communicate(timeout=20 * signpost.SLOW)[1]
            assert asking.returncode == 3
    finally:
        os.kill(pid, signal.SIGCONT)
    assert running.ctl("reload").returncode == 0
    assert "to=down" not in running.log(), "nobody was down"


def test_stopped_data_plane_holds_up_nobody_and_gets_the_newest_world(running):
    pid = running.kill("signpost-dns", signal.SIGSTOP)
    try:
        for last in range(26, 86):
            edit_zone(running, f"192.0.2.{last - 1}", f"192.0.2.{last}")
            done = running.ctl("reload", timeout=5 * signpost.SLOW)
            assert "does not answer from it yet" in done.stdout, "it is waited for once, and then no longer"
    finally:
        os.kill(pid, signal.SIGCONT)
    signpost.wait_until(lambda: running.addresses("mail.example.net") == ["192.0.2.85"], 5 * signpost.SLOW)
    assert running.pid("signpost-dns") == pid


def test_server_file_with_a_mistake_boots_with_the_last_good_world(running):
    wait_saved(running)
    answer = running.addresses(NAME, "A", JAPAN)
    running.stop()
    text = running.config.read_text()
    running.config.write_text(text.replace("35.68", "3500.68") + "\nbogus: 1\n")
    running.start()
    assert running.addresses(NAME, "A", JAPAN) == answer
    wait_log(running, "a latitude is from -90 to 90")
    assert running.ctl("reload", check=False).returncode == 1
    running.config.write_text(text)
    assert running.ctl("reload").returncode == 0


# --- a world that ends the data plane


def test_previous_world_fails_over_too_while_it_is_served(running):
    """Three ends in ten seconds, as if it were the new world's fault."""
    edit_zone(running, "192.0.2.25", "192.0.2.26")
    running.ctl("reload")
    signpost.wait_until(lambda: running.addresses("mail.example.net") == ["192.0.2.26"], 5)
    for _ in range(3):
        old = running.kill("signpost-dns")
        running.wait_new("signpost-dns", old)
    signpost.wait_until(lambda: running.addresses("mail.example.net") == ["192.0.2.25"], 5)
    signpost.wait_until(lambda: "in use: serving the previous files" in running.ctl("status").stdout, 5 * signpost.SLOW)
    before = running.addresses(NAME, "A", JAPAN)
    running.nodes.stop(*before)
    signpost.wait_until(lambda: running.addresses(NAME, "A", JAPAN) != before, 10 * signpost.SLOW)
    old = running.kill("signpost-control")
    running.wait_new("signpost-control", old)
    assert "in use: serving the previous files" in running.ctl("status").stdout
    running.nodes.start(*before)
    signpost.wait_until(lambda: running.addresses(NAME, "A", JAPAN) == before, 10 * signpost.SLOW)
    assert running.addresses("mail.example.net") == ["192.0.2.25"]
    running.ctl("reload")
    signpost.wait_until(lambda: running.addresses("mail.example.net") == ["192.0.2.26"], 5)
    signpost.wait_until(lambda: "previous files" not in running.ctl("status").stdout, 5 * signpost.SLOW)
    assert "world refused" not in running.log()


# --- edits


def nodes_of(server):
    told = json.loads(server.ctl("status", "--json").stdout)
    return {node["name"]: node for pool in told["pools"] for site in pool["sites"] for node in site["nodes"]}


def test_status_follows_the_addresses_when_two_nodes_exchange_them(running):
    """What is known of an address is not told of another one, neither at a reload nor after a start."""
    pool = running.zone_file("edge.pool.yaml")
    straight = pool.read_text()
    crossed = straight.replace("127.10.1.1,", "X").replace("127.10.1.2,", "127.10.1.1,").replace("X", "127.10.1.2,")
    running.nodes.stop("127.10.1.2")
    signpost.wait_until(lambda: nodes_of(running)["tyo-1"]["status"] == "up"
                        and nodes_of(running)["tyo-2"]["status"] == "down", 10 * signpost.SLOW)
    pool.write_text(crossed)
    running.ctl("reload")
    assert running.addresses(NAME, "A", JAPAN) == ["127.10.1.1"]
    now = nodes_of(running)
    assert (now["tyo-1"]["status"], now["tyo-2"]["status"]) == ("down", "up")
    running.stop()
    pool.write_text(straight)
    running.start()
    signpost.wait_until(lambda: nodes_of(running)["tyo-1"]["status"] == "up"
                        and nodes_of(running)["tyo-2"]["status"] == "down", 5 * signpost.SLOW)
    # Control knows before the data plane does.
    signpost.wait_until(lambda: running.addresses(NAME, "A", JAPAN) == ["127.10.1.1"], 5 * signpost.SLOW)


def test_node_with_another_address_is_measured_at_once_however_long_its_interval(running):
    running.nodes.stop("127.10.1.2")
    signpost.wait_until(lambda: nodes_of(running)["tyo-2"]["status"] == "down", 10 * signpost.SLOW)
    pool = running.zone_file("edge.pool.yaml")
    pool.write_text(pool.read_text().replace("127.10.1.2,", "127.10.1.77,").replace("interval: 1s", "interval: 1h"))
    running.nodes.start("127.10.1.77")
    running.ctl("reload")
    signpost.wait_until(lambda: nodes_of(running)["tyo-2"]["status"] == "up", 3 * signpost.SLOW)
    assert "127.10.1.77" in nodes_of(running)["tyo-2"]["reason"]


def held(pid):
    """Descriptors, threads, mappings."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/status") as status:
        threads = next(line for line in status if line.startswith("Threads:")).split()[1]
        return len(os.listdir(f"/proc/{pid}/fd")), int(threads), sum("memfd:" in line for line in maps)


def test_reloads_lose_no_query_and_leave_nothing_behind(running):
    """1,000 of them were looked at by hand; some are enough to see what grows."""
    pool = running.zone_file("edge.pool.yaml")
    texts = [pool.read_text().replace("interval: 1s", f"interval: {seconds}s") for seconds in (2, 3)]
    pids = [running.process.pid, running.pid("signpost-dns"), running.pid("signpost-control")]

    def held_by_all():
        return [count for pid in pids for count in held(pid)]

    def held_for_a_while():
        """Descriptors and mappings without those that a probe has for a moment; threads with the one that
        looks at files every second, which may still have to begin."""
        seen, end = [], time.monotonic() + 3
        while time.monotonic() < end:
            seen.append(held_by_all())
            time.sleep(0.02)
        return [choose(counts) for choose, counts in zip((min, max, min) * len(pids), zip(*seen))]

    def reload(times):
        for i in range(times):
            pool.write_text(texts[i % 2])
            assert "nothing has changed" not in running.ctl("reload").stdout

    reload(10)
    before = held_for_a_while()
    with test_processes.Load(running.server, 500) as load:
        reload(40)
    assert (load.lost, load.servfail) == (0, 0)
    signpost.wait_until(lambda: all(map(operator.le, held_by_all(), before)), 10 * signpost.SLOW)
    assert [running.process.pid, running.pid("signpost-dns"), running.pid("signpost-control")] == pids


def test_pool_file_that_cannot_be_read_is_the_only_mistake_told(running):
    pool = running.zone_file("edge.pool.yaml")
    pool.unlink()
    pool.symlink_to("nowhere")
    refused = running.ctl("reload", check=False)
    assert refused.returncode == 1
    assert f"{pool}: error: cannot be read" in refused.stderr
    assert refused.stderr.count("error:") == 1
