"""RFC 9471: a referral has all the glue of servers inside the delegated zone, or TC."""

import dns.flags
import pytest

import rfczones


def glue(name, count):
    return " / ".join(f"ns{i}.{name} A 198.51.100.{i} / ns{i}.{name} AAAA 2001:db8:100::{i:x}" for i in range(count))


def servers(name, count, zone=None):
    return " / ".join(f"{name} NS ns{i}.{zone or name}" for i in range(count))


IN = ("in NS ns1.in / in NS ns2.in / in NS ns3.deep.in ; ns1.in A 192.0.2.1 / ns1.in A 192.0.2.2 / ns1.in AAAA 2001:db8::1 / "
      "ns2.in AAAA 2001:db8::2 / ns3.deep.in A 192.0.2.3")

ROWS = rfczones.rows("rfc9471.test.", f"""
2.1 ; www.in A ; NOERROR ; - ; {IN}  # in-domain: both families, all addresses
2.1 ; in A ; NOERROR ; - ; {IN}
2.1 ; in NS ; NOERROR ; - ; {IN}
2.1 ; ns1.in AAAA ; NOERROR ; - ; {IN}  # the glue itself is asked for: a referral
2.1 ; ns3.deep.in A ; NOERROR ; - ; {IN}
2.1 ; nothing.deep.in ANY ; NOERROR ; - ; {IN}
2.1 ; www.in A +edns ; NOERROR ; - ; {IN}
2.1 ; www.in A +do ; NOERROR ; - ; {IN}
2.1 ; www.nested A ; NOERROR ; - ; nested NS ns.inner.nested ; ns.inner.nested A 192.0.2.10
2.1 ; www.inner.nested A ; NOERROR ; - ; nested NS ns.inner.nested ; ns.inner.nested A 192.0.2.10
2.2 ; www.sib A ; NOERROR ; - ; sib NS ns1.other / sib NS ns2.other ; ns1.other A 192.0.2.4 / ns2.other A 192.0.2.5 / ns2.other AAAA 2001:db8::5
2.2 ; www.other A ; NOERROR ; - ; other NS ns1.other / other NS ns2.other ; ns1.other A 192.0.2.4 / ns2.other A 192.0.2.5 / ns2.other AAAA 2001:db8::5
2.3 ; www.bar A ; NOERROR ; - ; bar NS ns1.baz / bar NS ns2.baz ; ns1.baz A 192.0.2.7 / ns2.baz AAAA 2001:db8::7
2.3 ; www.baz A ; NOERROR ; - ; baz NS ns1.bar / baz NS ns2.bar ; ns1.bar A 192.0.2.6 / ns2.bar AAAA 2001:db8::6
2.4 ; www.missing A ; NOERROR ; - ; missing NS ns1.missing / missing NS ns2.missing ; ns1.missing A 192.0.2.8  # "all available": no TC for what there is not
2.4 ; www.away A ; NOERROR ; - ; away NS ns1.elsewhere.invalid. / away NS ns2.elsewhere.invalid.
2.4 ; ns2.missing A ; NOERROR ; - ; missing NS ns1.missing / missing NS ns2.missing ; ns1.missing A 192.0.2.8
3.1 ; www.mixed A ; NOERROR ; - ; mixed NS ns1.mixed / mixed NS ns1 / mixed NS ns1.other / mixed NS ns1.elsewhere.invalid. / mixed NS ns1.neighbour.test. ; ns1.mixed A 192.0.2.9 / ns1 A 192.0.2.53 / ns1 AAAA 2001:db8::53 / ns1.other A 192.0.2.4
3.1 ; www.big A +bufsize=1232 ; NOERROR ; - ; {servers("big", 13)} ; {glue("big", 13)}
3.1 ; to-big A +bufsize=1232 ; NOERROR aa ; to-big CNAME www.big ; {servers("big", 13)} ; {glue("big", 13)}
""")

UDP_ROWS = rfczones.rows("rfc9471.test.", f"""
3.1 ; www.big A ; NOERROR tc ; - ; {servers("big", 13)} ; ?  # the glue needs more than 512 octets
3.1 ; www.big A +bufsize=512 ; NOERROR tc ; - ; {servers("big", 13)} ; ?
3.1 ; to-big A ; NOERROR aa tc ; to-big CNAME www.big ; {servers("big", 13)} ; ?
3.1 ; www.huge A +bufsize=1232 ; NOERROR tc ; - ; ? ; ?
3.1 ; www.huge A +bufsize=4096 ; NOERROR tc ; - ; ? ; ?
3.2 ; www.bigsib A ; NOERROR ; - ; {servers("bigsib", 13, "big")} ; ?  # a sibling's glue may be left out
3.2 ; www.bigsib A +bufsize=1232 ; NOERROR ; - ; {servers("bigsib", 13, "big")} ; {glue("big", 13)}
""")

TCP_ROWS = rfczones.rows("rfc9471.test.", f"""
3.1 ; www.big A ; NOERROR ; - ; {servers("big", 13)} ; {glue("big", 13)}
3.1 ; www.huge A ; NOERROR ; - ; {servers("huge", 40)} ; {glue("huge", 40)}
3.2 ; www.bigsib A ; NOERROR ; - ; {servers("bigsib", 13, "big")} ; {glue("big", 13)}
""")


@pytest.mark.parametrize("transport", rfczones.TRANSPORTS)
@pytest.mark.parametrize("row", ROWS, ids=rfczones.ids)
def test_rfc9471(rfc, row, transport):
    rfczones.check(rfc.server, row, transport)


@pytest.mark.parametrize("row", UDP_ROWS, ids=rfczones.ids)
def test_rfc9471_over_udp(rfc, row):
    rfczones.check(rfc.server, row, "udp")


@pytest.mark.parametrize("row", TCP_ROWS, ids=rfczones.ids)
def test_rfc9471_over_tcp(rfc, row):
    rfczones.check(rfc.server, row, "tcp")


@pytest.mark.parametrize("question", ["www.bigmix A", "www.bigmix A +bufsize=600"])
def test_rfc9471_3_glue_inside_comes_before_a_siblings(rfc, question):
    """One server is inside, twelve are a sibling's and do not all fit."""
    reply, _ = rfczones.ask(rfc.server, rfczones.query(question, "rfc9471.test."), "udp")
    assert not reply.flags & dns.flags.TC
    assert reply.additional[0].to_text() == "ns.bigmix.rfc9471.test. 3600 IN A 198.51.101.1"
    assert len(reply.additional) < 25
