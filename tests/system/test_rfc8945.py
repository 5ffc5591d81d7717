"""TSIG (RFC 8945) of a server that has no keys, as those who sign see it: dnspython and dig. What is
answered to malformed records stands in signpost-dns(8) and is tested in test_rfc9267.py."""

import subprocess

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest

KEY = dns.tsig.Key("key.example.net.", b"a secret of thirty-two octets....", dns.tsig.HMAC_SHA256)
ASK = {"UDP": dns.query.udp, "TCP": dns.query.tcp}


def signed(message, key=KEY, fudge=300):
    message.use_tsig(key, fudge=fudge)
    return message


def update():
    message = dns.update.UpdateMessage("example.net.")
    message.add("new", 60, "A", "192.0.2.1")
    return message


@pytest.mark.parametrize("transport", ASK)
@pytest.mark.parametrize("algorithm", [dns.tsig.HMAC_MD5, dns.tsig.HMAC_SHA1, dns.tsig.HMAC_SHA256, dns.tsig.HMAC_SHA512_256])
def test_no_algorithm_makes_a_key_known(sample, transport, algorithm):
    """5.2.1, 5.3.2: the client learns that it is its key, and not its clock or its secret."""
    message = signed(dns.message.make_query("www.example.net.", "A"), dns.tsig.Key("key.", b"secret", algorithm))
    with pytest.raises(dns.tsig.PeerBadKey):
        ASK[transport](message, *sample.server[:1], port=sample.port, timeout=3)


@pytest.mark.parametrize("transport", ASK)
@pytest.mark.parametrize("message", [
    lambda: dns.message.make_query("vpn.example.net.", "AAAA", use_edns=0, want_dnssec=True),
    lambda: dns.message.make_query("example.net.", "AXFR"), lambda: dns.message.make_query("example.net.", "IXFR"),
    lambda: dns.message.make_query("nobody.example.org.", "A"), update])
def test_whatever_is_asked_with_a_key(sample, transport, message):
    """5.2: the record is looked at before anything else is."""
    with pytest.raises(dns.tsig.PeerBadKey):
        ASK[transport](signed(message()), *sample.server[:1], port=sample.port, timeout=3)


def test_time_that_is_wrong_is_not_told_before_the_key_is(sample):
    """5.2.3 comes behind 5.2.1; and the time of the query comes back (5.3.2)."""
    message = signed(dns.message.make_query("www.example.net.", "A"), fudge=0)
    with pytest.raises(dns.tsig.PeerBadKey):
        sample.ask(None, message=message)


@pytest.mark.parametrize("options", [(), ("+tcp",), ("+noedns",), ("+tcp", "+noedns"), ("+bufsize=512",)])
def test_dig_shows_what_the_answer_says(sample, options):
    done = subprocess.run(["dig", *options, "+norec", "-y", "hmac-sha256:key.example.net:c2VjcmV0", "@127.0.0.1", "-p",
                           str(sample.port), "www.example.net"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    assert "tsig indicates error" in done.stdout + done.stderr
    assert "status: NOTAUTH" in done.stdout and "ANSWER: 0, AUTHORITY: 0" in done.stdout
    (record,) = [line.split() for line in done.stdout.splitlines() if "\tTSIG\t" in line]
    assert record[:5] == ["key.example.net.", "0", "ANY", "TSIG", "hmac-sha256."]
    assert record[6:8] == ["300", "0"] and record[9:] == ["BADKEY", "0"], "fudge; no MAC; error; no other data"


def test_record_that_does_not_fit_over_udp_is_got_over_tcp(sample):
    """5.3.2 wants the record; TC brings the client where there is room for it (RFC 2181, 9)."""
    key = dns.tsig.Key(dns.name.Name([b"k" * 63] * 3 + [b"k" * 61, b""]), b"secret", dns.tsig.HMAC_SHA256)
    with pytest.raises(dns.tsig.PeerBadKey):
        sample.ask(None, message=signed(dns.message.make_query("www.example.net.", "A"), key))  # this one fits
    long = signed(dns.message.make_query(".".join(["w" * 63] * 3) + ".example.net.", "A"), key)
    answer = sample.ask(None, message=long)
    assert answer.flags & dns.flags.TC and answer.rcode() == dns.rcode.NOTAUTH and not answer.had_tsig
    with pytest.raises(dns.tsig.PeerBadKey):
        sample.ask(None, message=long, tcp=True)
