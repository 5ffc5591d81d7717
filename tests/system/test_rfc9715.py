"""RFC 9715: no fragments over UDP: 1,232 octets at most, and a socket that no forged news of a path can
make smaller packets of. RFC 9210: what does not fit goes over TCP, always."""

import ctypes
import errno
import os
import socket

import dns.flags
import dns.message
import pytest

import rfczones

ORIGIN = "rfc6891.test."
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
INTERFACE, OMIT = 4, 5  # IP_PMTUDISC_*, the same for IPv6: the interface's MTU counts, no other
PIDFD_GETFD = 438


@pytest.mark.parametrize("size", [512, 1000, 1231, 1232, 1233, 1280, 1400, 1452, 1500, 4096, 8192, 65535])
def test_rfc9715_3_1_r3_answers_fit_in_what_is_asked_and_in_1232(rfc, size):
    for name in ("big TXT", "s1232-11 TXT", "s1233-11 TXT", "s512-11 TXT"):
        message = rfczones.query(f"{name} +bufsize={size}", ORIGIN)
        wire = rfczones.ask_wire(rfc.server, message.to_wire(), False)
        assert len(wire) <= min(size, 1232)


@pytest.mark.parametrize("size", [512, 1232, 4096, 65535])
def test_rfc9715_3_1_our_own_size_is_1232_whatever_is_asked(rfc, size):
    reply, _ = rfczones.ask(rfc.server, rfczones.query(f"host A +bufsize={size}", ORIGIN), "udp")
    assert reply.payload == 1232


@pytest.mark.parametrize("size", [None, 512, 1232, 4096])
def test_rfc9210_4_what_does_not_fit_is_truncated_and_whole_over_tcp(rfc, size):
    question = "big TXT" + (f" +bufsize={size}" if size else "")
    udp, wire = rfczones.ask(rfc.server, rfczones.query(question, ORIGIN), "udp")
    assert udp.flags & dns.flags.TC and not udp.answer
    assert len(wire) < 100, "and small"
    tcp, wire = rfczones.ask(rfc.server, rfczones.query(question, ORIGIN), "tcp")
    assert not tcp.flags & dns.flags.TC and len(tcp.answer[0]) == 30 and len(wire) > 6000


def sockets_of(pid):
    """(socket, is IPv6) of another process' UDP sockets: duplicates."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        for fd in map(int, os.listdir(f"/proc/{pid}/fd")):
            copy = libc.syscall(PIDFD_GETFD, process, fd, 0)
            if copy < 0 and ctypes.get_errno() == errno.EBADF:
                continue  # a connection that has ended meanwhile
            if copy < 0:
                pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
            if not os.readlink(f"/proc/self/fd/{copy}").startswith("socket:"):
                os.close(copy)
                continue
            sock = socket.socket(fileno=copy)
            if sock.type == socket.SOCK_DGRAM and sock.family in (socket.AF_INET, socket.AF_INET6):
                yield sock
            sock.close()
    finally:
        os.close(process)


def test_rfc9715_3_1_r1_sockets_pay_no_attention_to_news_of_the_path(rfc):
    """A forged "fragmentation needed" would have the kernel cut answers into fragments; the socket
    option is what RFC 9715's appendix names for Linux."""
    found = 0
    for sock in sockets_of(rfc.pid("signpost-dns")):
        v6 = sock.family == socket.AF_INET6
        value = sock.getsockopt(socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP, IPV6_MTU_DISCOVER if v6 else IP_MTU_DISCOVER)
        assert value in (INTERFACE, OMIT)
        found += 1
    assert found >= 1
