"""RFC 3596: IPv6 addresses."""

import pytest

import rfczones

SERVERS = "ns1 A 192.0.2.53 / ns1 AAAA 2001:db8::53 / ns6 AAAA 2001:db8::54"
ARPA = "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."

ROWS = rfczones.rows("rfc3596.test.", f"""
2.1 ; v6 AAAA ; NOERROR aa ; v6 AAAA 2001:db8::1 / v6 AAAA 2001:db8::2
2.2 ; full AAAA ; NOERROR aa ; full AAAA 1234:5678:9abc:def0:1234:5678:9abc:def0
2.2 ; mapped AAAA ; NOERROR aa ; mapped AAAA ::ffff:192.0.2.1
2.2 ; zero AAAA ; NOERROR aa ; zero AAAA ::
2.3 ; both AAAA ; NOERROR aa ; both AAAA 2001:db8::3  # "returns all associated AAAA", and no A
2.3 ; both A ; NOERROR aa ; both A 192.0.2.2
2.3 ; v4 AAAA ; NOERROR aa ; - ; SOA  # "does not trigger additional section processing"
2.3 ; v6 A ; NOERROR aa ; - ; SOA
2.3 ; alias AAAA ; NOERROR aa ; alias CNAME v6 / v6 AAAA 2001:db8::1 / v6 AAAA 2001:db8::2
2.3 ; alias A ; NOERROR aa ; alias CNAME v6 ; SOA
2.5 ; b.a.9.8.7.6.5.4.0.0.0.0.0.0.0.0.{ARPA} PTR ; NOERROR aa ; b.a.9.8.7.6.5.4.0.0.0.0.0.0.0.0.{ARPA} PTR v6
2.5 ; 0.0.0.0.{ARPA} PTR ; NOERROR aa ; - ; SOA {ARPA}  # an empty non-terminal for each nibble
2.5 ; 1.0.0.0.{ARPA} PTR ; NXDOMAIN aa ; - ; SOA {ARPA}
2.5 ; B.A.9.8.7.6.5.4.0.0.0.0.0.0.0.0.{ARPA.upper()} PTR ; NOERROR aa ; b.a.9.8.7.6.5.4.0.0.0.0.0.0.0.0.{ARPA} PTR v6
3 ; @ NS ; NOERROR aa ; @ NS ns1 / @ NS ns6 ; - ; {SERVERS}  # both families come along
3 ; mx MX ; NOERROR aa ; mx MX 10 both / mx MX 20 v6 / mx MX 30 v4 ; - ; both A 192.0.2.2 / both AAAA 2001:db8::3 / v6 AAAA 2001:db8::1 / v6 AAAA 2001:db8::2 / v4 A 192.0.2.1
3 ; srv SRV ; NOERROR aa ; srv SRV 0 0 1 both ; - ; both A 192.0.2.2 / both AAAA 2001:db8::3
3 ; x.cut AAAA ; NOERROR ; - ; cut NS ns.cut ; ns.cut A 192.0.2.3 / ns.cut AAAA 2001:db8::4
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc3596(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)
