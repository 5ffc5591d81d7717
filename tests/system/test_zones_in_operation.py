"""Zones as they are edited, added and removed while they are served: what is told, and what is compiled."""

import json
import subprocess
import time

import dns.rcode
import pytest

import signpost

ZONE = "$TTL 3600\n@ SOA ns hostmaster {serial} 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\n{more}"


def write(server, origin, serial=1, more=""):
    server.zone_file(f"{origin}.zone").write_text(ZONE.format(serial=serial, more=more))


def reload(server):
    done = server.ctl("--json", "reload", check=False)
    return json.loads(done.stdout)


def compiled(report):
    """How many zones were compiled again."""
    return report["counts"]["zones"] - report["counts"]["zones_reused"]


def wait_for_address(server, name, address):
    """The report comes when the images are handed over; workers take them up a moment later."""
    signpost.wait_until(lambda: address in server.ask(name).to_text().split(), 5 * signpost.SLOW)


def wait_for_refusal(server, name):
    signpost.wait_until(lambda: server.ask(name).rcode() == dns.rcode.REFUSED, 5 * signpost.SLOW)


@pytest.fixture(scope="module")
def server():
    with signpost.world("signpost-zones-") as (server, _):
        server.write_server_file({"tokyo": (35.68, 139.69)})
        for origin in ("a.test", "b.test", "c.test"):
            write(server, origin)
        yield server.start()


@pytest.fixture(autouse=True)
def three_zones(server):
    """Each test starts with the same three, loaded without a word."""
    yield
    for path in server.zone_file("x").parent.iterdir():
        path.unlink()
    write(server, "z.test")
    assert reload(server)["ok"]
    for origin in ("a.test", "b.test", "c.test"):
        write(server, origin)
    server.zone_file("z.test.zone").unlink()
    assert reload(server)["messages"] == ""


# --- serials ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("before, after, told", [
    (1, 2, None),
    (2, 1, "the serial is 1, which does not follow 2"),
    (4294967295, 0, None),  # RFC 1982, 3.2: it wraps
    (0, 4294967295, "the serial is 4294967295, which does not follow 0"),
    (1, 1 + 2 ** 31 - 1, None),
    (1, 1 + 2 ** 31, "does not follow 1"),  # not defined, so nobody would take it
    (7, 7, "the zone has changed, but its serial is still 7"),
])
def test_serials_that_do_not_go_forward_are_warned_of(server, before, after, told):
    write(server, "a.test", before)
    reload(server)
    write(server, "a.test", after, "new A 192.0.2.2\n")
    report = reload(server)
    assert report["ok"]
    wait_for_address(server, "new.a.test", "192.0.2.2")
    if told is None:
        assert report["messages"] == ""
    else:
        assert "zones/a.test.zone:2:3: warning: " in report["messages"] and told in report["messages"]
        assert told in server.log()
    assert reload(server)["messages"] == "", "told once: what is served now is the same"


@pytest.mark.parametrize("more", ["; a comment\n", "\n\n", "$TTL 5\n"])
def test_an_edit_that_changes_no_record_needs_no_new_serial(server, more):
    write(server, "a.test", 1, more)
    report = reload(server)
    assert compiled(report) == 1 and report["messages"] == ""


def test_records_that_move_to_an_included_file_need_no_new_serial(server):
    write(server, "a.test", 1, "more A 192.0.2.7\n")
    reload(server)
    server.zone_file("more.inc").write_text("more A 192.0.2.7\n")
    write(server, "a.test", 1, "$INCLUDE more.inc\n")
    report = reload(server)
    assert compiled(report) == 1 and report["messages"] == ""
    server.zone_file("more.inc").write_text("more A 192.0.2.8\n")
    assert "the zone has changed, but its serial is still 1" in reload(server)["messages"]


def test_serials_are_compared_with_what_was_served_not_with_what_was_refused(server):
    write(server, "a.test", 9, "bad A 192.0.2.256\n")
    assert not reload(server)["ok"]
    write(server, "a.test", 2)
    assert reload(server)["messages"] == ""


# --- what is compiled ------------------------------------------------------------------------------------

def names(report, change):
    return [line["name"] for line in report["changes"]["zones"]["list"] if line["change"] == change]


def segments(image):
    """The bytes of each zone's segment in a zones image, by origin (image/zones.h)."""
    found = {}
    for at in range(0, len(image) - 64, 64):  # they are aligned, and hold their origin at 64
        size, length = int.from_bytes(image[at + 24:at + 32], "little"), image[at + 8]
        for origin in ("a.test", "b.test", "c.test", "d.test"):
            wire = b"".join(bytes([len(label)]) + label.encode() for label in origin.split(".")) + b"\0"
            if length == len(wire) and image[at + 64:at + 64 + length] == wire:
                found[origin] = image[at:at + size]
    return found


def served_segments(server):
    """Of the image that is served, once it is saved: the disk may be several worlds behind."""
    served = json.loads(server.ctl("--json", "status").stdout)["images"]["zones"]["id"]
    path = server.folder / "state/world/zones.image"

    def saved():
        image = path.read_bytes() if path.exists() else b""
        return int.from_bytes(image[24:32], "little") == int(served, 16) and image  # the header's id (image/image.h)
    return segments(signpost.wait_until(saved, 10 * signpost.SLOW))


def test_only_what_changed_is_compiled_again(server):
    before = served_segments(server)
    write(server, "b.test", 2, "new A 192.0.2.2\n")
    report = reload(server)
    assert compiled(report) == 1 and names(report, "changed") == ["b.test."]
    assert report["changes"]["zones"]["unchanged"] == 2
    after = served_segments(server)
    assert list(after) == list(before) == ["a.test", "b.test", "c.test"]
    assert [origin for origin in after if after[origin] != before[origin]] == ["b.test"]


def test_a_zone_that_is_added_or_removed_does_not_touch_the_others(server):
    before = served_segments(server)
    write(server, "d.test")
    added = reload(server)
    assert compiled(added) == 1 and names(added, "added") == ["d.test."] and names(added, "changed") == []
    wait_for_address(server, "ns.d.test", "192.0.2.1")
    with_it = served_segments(server)
    assert {k: v for k, v in with_it.items() if k != "d.test"} == before and "d.test" in with_it
    server.zone_file("d.test.zone").unlink()
    removed = reload(server)
    assert compiled(removed) == 0 and names(removed, "removed") == ["d.test."] and names(removed, "changed") == []
    wait_for_refusal(server, "ns.d.test")
    assert served_segments(server) == before and list(before) == ["a.test", "b.test", "c.test"]


def test_nothing_is_compiled_where_nothing_changed(server):
    report = reload(server)
    assert report["ok"] and not report["changed"] and compiled(report) == 0


# --- included files --------------------------------------------------------------------------------------

def test_an_included_file_counts_as_the_zones_that_include_it(server):
    include = server.zone_file("hosts.inc")
    include.write_text("host A 192.0.2.7\n")
    write(server, "a.test", 2, "$INCLUDE hosts.inc\n")
    write(server, "b.test", 2, "$INCLUDE hosts.inc\n")
    assert reload(server)["ok"]
    include.write_text("host A 192.0.2.8\n")
    report = reload(server)
    assert compiled(report) == 2 and names(report, "changed") == ["a.test.", "b.test."]
    assert report["messages"].count("but its serial is still 2") == 2
    wait_for_address(server, "host.a.test", "192.0.2.8")
    wait_for_address(server, "host.b.test", "192.0.2.8")


@pytest.mark.parametrize("spoil, told", [
    (lambda include: include.unlink(), "No such file or directory"),
    (lambda include: (include.unlink(), include.mkdir()), "not a regular file"),
    (lambda include: include.write_text("$INCLUDE hosts.inc\n"), "includes itself"),
    (lambda include: include.write_text("$INCLUDE a.test.zone\n"), "includes itself"),
    (lambda include: include.write_text("host A 192.0.2.256\n"), "not an IPv4 address"),
])
def test_an_included_file_that_went_bad_changes_nothing(server, spoil, told):
    include = server.zone_file("hosts.inc")
    include.write_text("host A 192.0.2.7\n")
    write(server, "a.test", 2, "$INCLUDE hosts.inc\n")
    assert reload(server)["ok"]
    wait_for_address(server, "host.a.test", "192.0.2.7")
    spoil(include)
    try:
        report = reload(server)
        assert not report["ok"] and told in report["messages"]
        assert server.addresses("host.a.test") == ["192.0.2.7"]
    finally:
        if include.is_dir():
            include.rmdir()


def test_files_that_another_file_has_replaced_are_read_anew(server):
    """As editors save: a new file under the old name, with the old size and time."""
    path = server.zone_file("a.test.zone")
    write(server, "a.test", 2, "host A 192.0.2.7\n")
    reload(server)
    new = path.with_suffix(".new")
    new.write_text(path.read_text().replace("192.0.2.7", "192.0.2.9").replace("hostmaster 2", "hostmaster 3"))
    new.rename(path)
    assert compiled(reload(server)) == 1
    wait_for_address(server, "host.a.test", "192.0.2.9")


# --- warnings --------------------------------------------------------------------------------------------

def test_warnings_are_told_when_a_zone_is_compiled_and_by_check(server):
    write(server, "a.test", 2, "a_b A 192.0.2.2\n")
    first = reload(server)
    assert "a_b.a.test. has addresses" in first["messages"]
    write(server, "b.test", 2)
    second = reload(server)
    assert second["messages"] == '1 warning in zones that did not change: "signpostctl check" shows them\n'
    checked = subprocess.run([signpost.BUILD / "signpostctl", "check", server.config], cwd=server.folder,
                             capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0 and "a_b.a.test. has addresses" in checked.stdout + checked.stderr


def test_a_child_zone_that_its_parent_does_not_delegate_is_warned_of(server):
    write(server, "child.a.test")
    report = reload(server)
    assert report["ok"] and report["messages"] == (
        f"{server.folder}/zones/child.a.test.zone: warning: the zone a.test. above, which is served here, does "
        "not delegate child.a.test.: it has no NS records there\n")
    wait_for_address(server, "ns.child.a.test", "192.0.2.1")
    write(server, "a.test", 2, "child NS ns.child\nns.child A 192.0.2.1\n")
    assert reload(server)["messages"] == ""
    write(server, "x.child.a.test")  # it is child.a.test that must delegate this one
    assert "the zone child.a.test. above" in reload(server)["messages"]


def test_what_lies_below_a_delegation_and_is_no_glue_is_warned_of(server):
    write(server, "a.test", 2, "sub NS ns.sub\nns.sub A 192.0.2.2\nwww.sub A 192.0.2.3\n")
    report = reload(server)
    assert "a.test.zone:7:9: warning: www.sub.a.test. lies below a delegation" in report["messages"]
    assert report["messages"].count("warning") == 1


# --- many ------------------------------------------------------------------------------------------------

def test_a_thousand_zones_are_loaded_and_one_of_them_edited(server):
    """How long ten thousand take: tests/bench/bounds.py."""
    for i in range(1000):
        write(server, f"z{i}.test")
    report = reload(server)
    assert report["ok"] and report["counts"]["zones"] == 1003 and compiled(report) == 1000
    for i in (0, 1, 500, 999):
        wait_for_address(server, f"ns.z{i}.test", "192.0.2.1")
    write(server, "z500.test", 2, "new A 192.0.2.9\n")
    start = time.monotonic()
    report = reload(server)
    assert time.monotonic() - start < 2 * signpost.SLOW
    assert compiled(report) == 1 and names(report, "changed") == ["z500.test."]
    wait_for_address(server, "new.z500.test", "192.0.2.9")
    server.zone_file("z1.test.zone").unlink()
    report = reload(server)
    assert compiled(report) == 0 and names(report, "removed") == ["z1.test."]
    wait_for_refusal(server, "ns.z1.test")
    assert server.addresses("ns.z0.test") == ["192.0.2.1"]
