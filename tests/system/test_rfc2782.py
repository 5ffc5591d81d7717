"""RFC 2782: SRV records of the file, and the addresses that come with them. Its own example first."""

import pytest

import rfczones

BOXES = ("server A 172.30.79.10 / old-slow-box A 172.30.79.11 / sysadmins-box A 172.30.79.12 / "
         "new-fast-box A 172.30.79.13")
FOOBAR = ("_foobar._tcp SRV 0 1 9 old-slow-box / _foobar._tcp SRV 0 3 9 new-fast-box / "
          "_foobar._tcp SRV 1 0 9 sysadmins-box / _foobar._tcp SRV 1 0 9 server")

ROWS = rfczones.rows("rfc2782.test.", f"""
example ; _foobar._tcp SRV ; NOERROR aa ; {FOOBAR} ; - ; {BOXES}
example ; _FooBar._TCP SRV ; NOERROR aa ; {FOOBAR} ; - ; {BOXES}  # names are without case
example ; _other._tcp SRV ; NOERROR aa ; _other._tcp SRV 0 0 0 .  # "no other services are supported"
example ; _http._udp SRV ; NOERROR aa ; _http._udp SRV 0 0 0 .
example ; _foobar._tcp A ; NOERROR aa ; - ; SOA
example ; _tcp SRV ; NOERROR aa ; - ; SOA
format ; _none._x SRV ; NOERROR aa ; _none._x SRV 0 0 0 . ; - ; -  # "." is no service at all
format ; _limits._x SRV ; NOERROR aa ; _limits._x SRV 65535 65535 65535 server ; - ; server A 172.30.79.10
format ; _gone._x SRV ; NOERROR aa ; _gone._x SRV 0 0 1 nothing
format ; _away._x SRV ; NOERROR aa ; _away._x SRV 0 0 1 host.elsewhere.invalid.
format ; _alias._x SRV ; NOERROR aa ; _alias._x SRV 0 0 1 alias  # "the name MUST NOT be an alias"
format ; _twice._x SRV ; NOERROR aa ; _twice._x SRV 0 0 1 server / _twice._x SRV 0 0 2 server / _twice._x SRV 9 9 65535 new-fast-box ; - ; server A 172.30.79.10 / new-fast-box A 172.30.79.13
format ; _other._x SRV ; NOERROR aa ; _other._x SRV 0 0 1 host.neighbour.test. ; - ; ?
format ; _cut._x SRV ; NOERROR aa ; _cut._x SRV 0 0 1 host.cut ; - ; -  # an address that is not ours
format ; _pool._x SRV ; NOERROR aa ; _pool._x SRV 0 0 51820 pool ; - ; ?
format ; _x SRV ; NOERROR aa ; - ; SOA
format ; _no._x SRV ; NXDOMAIN aa ; - ; SOA
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc2782(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
def test_rfc2782_format_the_target_is_not_compressed(rfc, transport):
    """"name compression is not to be used for this field"."""
    _, wire = rfczones.ask(rfc.server, rfczones.query("_alias._x SRV", "rfc2782.test."), transport)
    assert b"\x05alias\x07rfc2782\x04test\x00" in wire
