"""RFC 4592: the role of wildcards. Its own example zone first, then every special case it names."""

import pytest

import rfczones

# 2.2.1: "The following responses would be synthesized from one of the wildcards in the zone", and
# would not.
EXAMPLE = rfczones.rows("example.", """
2.2.1 ; host3 MX ; NOERROR aa ; host3 MX 10 host1 ; - ; host1 A 192.0.2.1
2.2.1 ; host3 A ; NOERROR aa ; - ; SOA
2.2.1 ; foo.bar TXT ; NOERROR aa ; foo.bar TXT "this is a wildcard"
2.2.1 ; host1 MX ; NOERROR aa ; - ; SOA  # host1 exists
2.2.1 ; sub.* MX ; NOERROR aa ; - ; SOA  # sub.* exists
2.2.1 ; _telnet._tcp.host1 SRV ; NXDOMAIN aa ; - ; SOA  # _tcp.host1 exists, without data
2.2.1 ; host.subdel A ; NOERROR ; - ; subdel NS ns.example.com. / subdel NS ns.example.net.  # delegated
2.2.1 ; ghost.* MX ; NXDOMAIN aa ; - ; SOA  # *.example exists
2.2.2 ; _tcp.host1 A ; NOERROR aa ; - ; SOA  # an empty non-terminal
2.2.2 ; _tcp.host1 TXT ; NOERROR aa ; - ; SOA  # which the wildcard does not cover
2.2.2 ; host2 TXT ; NOERROR aa ; - ; SOA  # it exists, for there is a name below
2.2.2 ; host2 MX ; NOERROR aa ; - ; SOA
2.2.2 ; _tcp.host2 SRV ; NOERROR aa ; - ; SOA
2.3 ; * TXT ; NOERROR aa ; * TXT "this is a wildcard"  # asked as a plain name
2.3 ; * MX ; NOERROR aa ; * MX 10 host1 ; - ; host1 A 192.0.2.1
2.3 ; * A ; NOERROR aa ; - ; SOA
2.3 ; sub.* TXT ; NOERROR aa ; sub.* TXT "this is not a wildcard"
2.3 ; *.*.* TXT ; NXDOMAIN aa ; - ; SOA
3.2 ; subdel A ; NOERROR ; - ; subdel NS ns.example.com. / subdel NS ns.example.net.
3.3.2 ; host3.example. TXT ; NOERROR aa ; host3 TXT "this is a wildcard"
3.3.2 ; _telnet._tcp.host1 TXT ; NXDOMAIN aa ; - ; SOA  # closest encloser _tcp.host1, no source
3.3.2 ; _dns._udp.host2 TXT ; NXDOMAIN aa ; - ; SOA  # closest encloser host2, no source
3.3.2 ; _telnet._tcp.host3 TXT ; NOERROR aa ; _telnet._tcp.host3 TXT "this is a wildcard"  # closest encloser example
3.3.2 ; _chat._udp.host3 TXT ; NOERROR aa ; _chat._udp.host3 TXT "this is a wildcard"
3.3.2 ; foobar.* TXT ; NXDOMAIN aa ; - ; SOA  # closest encloser *.example, no source
3.3.3 ; host3 SRV ; NOERROR aa ; - ; SOA  # the source has no such type
3.3.3 ; a.b.c.d.e.f TXT ; NOERROR aa ; a.b.c.d.e.f TXT "this is a wildcard"
3.3.3 ; a.b.c.d.e.f AAAA ; NOERROR aa ; - ; SOA
""")

OTHER = rfczones.rows("rfc4592.test.", """
2.1.1 ; foo.name TXT ; NOERROR aa ; foo.name TXT "wildcard"
2.1.1 ; foo.esc TXT ; NOERROR aa ; foo.esc TXT "an escaped asterisk"  # it is the same label
2.1.1 ; *.esc TXT ; NOERROR aa ; *.esc TXT "an escaped asterisk"
2.1.2 ; foo.two TXT ; NXDOMAIN aa ; - ; SOA  # ** is no wildcard
2.1.2 ; *.two TXT ; NXDOMAIN aa ; - ; SOA
2.1.2 ; **.two TXT ; NOERROR aa ; **.two TXT "two asterisks"
2.1.2 ; ba.left TXT ; NXDOMAIN aa ; - ; SOA
2.1.2 ; *a.left TXT ; NOERROR aa ; *a.left TXT "asterisk first"
2.1.2 ; ab.right TXT ; NXDOMAIN aa ; - ; SOA
2.1.2 ; a*.right TXT ; NOERROR aa ; a*.right TXT "asterisk last"
2.1.2 ; x.y.inner TXT ; NOERROR aa ; - ; SOA  # below the wildcard *.inner, which has no data
2.1.2 ; x.*.inner TXT ; NOERROR aa ; x.*.inner TXT "an asterisk in the middle"
2.1.2 ; *.name.name TXT ; NOERROR aa ; *.name.name TXT "wildcard"  # an asterisk that is asked for is matched by one
2.1.2 ; foo.*.name TXT ; NXDOMAIN aa ; - ; SOA  # *.name exists, and is the closest encloser
2.1.3 ; foo.non TXT ; NOERROR aa ; foo.non TXT "above"
2.1.3 ; foo.bar.non TXT ; NOERROR aa ; foo.bar.non TXT "above"
2.1.3 ; sub.*.non A ; NOERROR aa ; sub.*.non A 192.0.2.1
2.1.3 ; sub.foo.non A ; NOERROR aa ; - ; SOA  # sub.* is no wildcard; *.non has no A
2.1.3 ; sub.foo.non TXT ; NOERROR aa ; sub.foo.non TXT "above"
2.1.3 ; x.*.non TXT ; NXDOMAIN aa ; - ; SOA
2.1.3 ; foo.*.double TXT ; NOERROR aa ; foo.*.double TXT "double"  # *.*.double covers what is below *.double
2.1.3 ; foo.bar.double TXT ; NOERROR aa ; - ; SOA  # *.double is the source, without data
2.1.3 ; foo.double TXT ; NOERROR aa ; - ; SOA
2.1.3 ; *.double TXT ; NOERROR aa ; - ; SOA
2.2.2 ; ent TXT ; NOERROR aa ; - ; SOA
2.2.2 ; leaf.ent A ; NOERROR aa ; leaf.ent A 192.0.2.2
2.2.2 ; leaf.ent TXT ; NOERROR aa ; - ; SOA
2.2.2 ; other.ent TXT ; NOERROR aa ; other.ent TXT "beside the leaf"
2.2.2 ; x.leaf.ent TXT ; NXDOMAIN aa ; - ; SOA  # the leaf is the closest encloser
2.2.2 ; mid.deep TXT ; NOERROR aa ; - ; SOA  # it exists
2.2.2 ; x.mid.deep TXT ; NXDOMAIN aa ; - ; SOA
2.2.2 ; x.y.mid.deep TXT ; NXDOMAIN aa ; - ; SOA
2.2.2 ; mud.deep TXT ; NOERROR aa ; mud.deep TXT "deep"
2.2.3 ; MID.DEEP A ; NOERROR aa ; - ; SOA
3.3.1 ; x.l1 TXT ; NOERROR aa ; x.l1 TXT "1"
3.3.1 ; x.y.l1 TXT ; NOERROR aa ; x.y.l1 TXT "1"
3.3.1 ; l2.l1 TXT ; NOERROR aa ; - ; SOA
3.3.1 ; x.l2.l1 TXT ; NOERROR aa ; x.l2.l1 TXT "2"
3.3.1 ; x.y.z.l2.l1 TXT ; NOERROR aa ; x.y.z.l2.l1 TXT "2"
3.3.1 ; y.l3.l2.l1 TXT ; NXDOMAIN aa ; - ; SOA  # no search upwards: *.l2.l1 is not below l3
3.3.1 ; a.x.l3.l2.l1 TXT ; NXDOMAIN aa ; - ; SOA
3.3.1 ; X.Y.L1 TXT ; NOERROR aa ; x.y.l1 TXT "1"
3.3.3 ; foo.types A ; NOERROR aa ; foo.types A 192.0.2.6
3.3.3 ; foo.types AAAA ; NOERROR aa ; foo.types AAAA 2001:db8::6
3.3.3 ; foo.types CAA ; NOERROR aa ; foo.types CAA 0 issue "ca.invalid"
3.3.3 ; foo.types TYPE65280 ; NOERROR aa ; foo.types TYPE65280 \\# 3 010203
3.3.3 ; foo.types TYPE65281 ; NOERROR aa ; - ; SOA
3.3.3 ; foo.types MX ; NOERROR aa ; - ; SOA
3.3.3 ; types A ; NOERROR aa ; - ; SOA  # a wildcard does not match its own parent
4.2 ; foo.ns TXT ; NOERROR aa ; foo.ns TXT "not for what is delegated"
4.2 ; cut.ns TXT ; NOERROR ; - ; cut.ns NS ns.cut.ns ; ns.cut.ns A 192.0.2.7
4.2 ; foo.cut.ns TXT ; NOERROR ; - ; cut.ns NS ns.cut.ns ; ns.cut.ns A 192.0.2.7
4.2 ; foo.cut.ns A ; NOERROR ; - ; cut.ns NS ns.cut.ns ; ns.cut.ns A 192.0.2.7  # a wildcard below a cut is not ours
4.2 ; *.cut.ns A ; NOERROR ; - ; cut.ns NS ns.cut.ns ; ns.cut.ns A 192.0.2.7
4.3 ; foo.cname A ; NOERROR aa ; foo.cname CNAME host / host A 192.0.2.80
4.3 ; foo.cname AAAA ; NOERROR aa ; foo.cname CNAME host / host AAAA 2001:db8::80
4.3 ; foo.cname CNAME ; NOERROR aa ; foo.cname CNAME host
4.3 ; *.cname CNAME ; NOERROR aa ; *.cname CNAME host
4.3 ; *.cname A ; NOERROR aa ; *.cname CNAME host / host A 192.0.2.80
4.3 ; foo.cname TXT ; NOERROR aa ; foo.cname CNAME host ; SOA
4.3 ; a.b.cname A ; NOERROR aa ; a.b.cname CNAME host / host A 192.0.2.80
4.3 ; exact.cname A ; NOERROR aa ; exact.cname A 192.0.2.9
4.3 ; exact.cname AAAA ; NOERROR aa ; - ; SOA
4.3 ; x.exact.cname A ; NXDOMAIN aa ; - ; SOA
4.3 ; foo.cnamewild A ; NOERROR aa ; foo.cnamewild CNAME any.types / any.types A 192.0.2.6  # a wildcard after a wildcard
4.3 ; foo.cnamewild MX ; NOERROR aa ; foo.cnamewild CNAME any.types ; SOA
4.3 ; foo.cnamedot A ; NOERROR aa ; foo.cnamedot CNAME *.types / *.types A 192.0.2.6
4.3 ; foo.cnameout A ; NOERROR aa ; foo.cnameout CNAME www.elsewhere.invalid.
4.3 ; foo.cnamegone A ; NXDOMAIN aa ; foo.cnamegone CNAME nothing ; SOA
4.3 ; foo.cnameself A ; NOERROR aa ; foo.cnameself CNAME a.cnameself / a.cnameself CNAME a.cnameself  # a loop ends
4.4 ; foo.dname A ; NOERROR aa ; dname DNAME types / foo.dname CNAME foo.types / foo.types A 192.0.2.6
4.4 ; *.dname A ; NOERROR aa ; dname DNAME types / *.dname CNAME *.types / *.types A 192.0.2.6
4.4 ; foo.beside TXT ; NOERROR aa ; foo.beside TXT "beside a DNAME"
4.4 ; x.dname.beside TXT ; NOERROR aa ; dname.beside DNAME types / x.dname.beside CNAME x.types / x.types TXT "types"
4.5 ; foo.srv SRV ; NOERROR aa ; foo.srv SRV 0 0 443 host ; - ; host A 192.0.2.80 / host AAAA 2001:db8::80
4.5 ; _a._b.srv SRV ; NOERROR aa ; _a._b.srv SRV 0 0 443 host ; - ; host A 192.0.2.80 / host AAAA 2001:db8::80
4.5 ; foo.srvwild SRV ; NOERROR aa ; foo.srvwild SRV 0 0 443 any.types ; - ; ?  # addresses that a wildcard makes are a courtesy
4.5 ; foo.mx MX ; NOERROR aa ; foo.mx MX 10 host ; - ; host A 192.0.2.80 / host AAAA 2001:db8::80
4.5 ; _x._tcp SRV ; NOERROR aa ; _x._tcp SRV 0 0 1 host ; - ; host A 192.0.2.80 / host AAAA 2001:db8::80
4.5 ; _tcp SRV ; NOERROR aa ; - ; SOA
4.5 ; _x._udp SRV ; NXDOMAIN aa ; - ; SOA
4.6 ; foo.ds DS ; NOERROR aa ; foo.ds DS 1 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF  # as plain data
4.8 ; foo.rrsig TXT ; NOERROR aa ; foo.rrsig TXT "signed"
4.9 ; foo.emptywild A ; NOERROR aa ; - ; SOA  # *.emptywild exists, without data
4.9 ; a.foo.emptywild A ; NOERROR aa ; - ; SOA
4.9 ; a.b.foo.emptywild A ; NOERROR aa ; - ; SOA
4.9 ; b.*.emptywild A ; NOERROR aa ; - ; SOA
4.9 ; a.b.*.emptywild A ; NOERROR aa ; a.b.*.emptywild A 192.0.2.4
4.9 ; c.b.*.emptywild A ; NXDOMAIN aa ; - ; SOA
""")

ROWS = EXAMPLE + OTHER


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc4592(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)
