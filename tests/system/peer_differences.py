"""Every way in which a peer may answer otherwise than Signpost, and who is right.

One function a class: it looks at a case (a question, our answer, a peer's) and returns the parts of
the answer (peer_answers.PARTS, and "silence") that this class explains, or nothing. Its decorator
names the peers concerned, what is done there and here, and the RFC that decides. What no class
explains fails the test; so does a class that explains nothing any more. DIFFERENCES.md in
tests/data/peers is this table, with counts."""

import collections
import copy

import dns.name

from peer_questions import AA, AD, ANY as CLASS_ANY, CD, CH, DO, HS, IN, QUERY, RD, TC

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, NOTAUTH, BADVERS, BADCOOKIE = 0, 1, 2, 3, 4, 5, 6, 9, 16, 23
A, NS, CNAME, SOA, MX, AAAA, SRV, DNAME, OPT, DS, RRSIG, NSEC, NSEC3, TLSA, SVCB, HTTPS, NXNAME = (
    1, 2, 5, 6, 15, 28, 33, 39, 41, 43, 46, 47, 50, 52, 64, 65, 128)
TKEY, TSIG, IXFR, AXFR, MAILB, MAILA, ANY = range(249, 256)
NOTIFY, UPDATE = 4, 5

Difference = collections.namedtuple("Difference", "name peers ours theirs right silent explains")
DIFFERENCES = []


def difference(peers, ours, theirs, right, silent=False):
    """silent: is about cases in which a peer answered nothing, and about no others."""
    def add(function):
        name = function.__name__.replace("_", " ")
        DIFFERENCES.append(Difference(name, tuple(peers.split()), ours, theirs, right, silent, function))
        return function
    return add


class Case:
    """A question, and how two servers answered it. Names are in wire form and lower case; names:
    {owner name: types}, zones: {origin}."""

    def __init__(self, question, peer, ours, theirs, names, zones):
        self.question, self.peer, self.ours, self.theirs, self.names, self.zones = question, peer, ours, theirs, names, zones
        self.name = question.name.to_wire().lower()

    def asked_for(self, option):
        return self.question.edns is not None and option in dict(self.question.edns.options)

    def zone_of(self, name):
        """The longest origin above it; None: nobody serves it."""
        return next((up for up in ancestors(name) if up in self.zones), None)

    def below_cut(self, name):
        return any(NS in self.names.get(up, ()) and SOA not in self.names.get(up, ()) for up in ancestors(name))

    def left_out(self, name):
        """Are its addresses left out of our additional sections?"""
        many = sum(len(rdatas) for _, rdatas in self.ours.answer.values()) > 32
        return ((self.below_cut(name) and not self.ours.is_referral()) or (many and b"\x02mx" in name)
                or (self.asked_for(8) and b"\x04pool" in name))

    def targets(self):
        """Of our answer's CNAMEs."""
        return [rdata for (_, rrtype), (_, rdatas) in self.ours.answer.items() if rrtype == CNAME for rdata in rdatas]


def parent(name):
    return name[1 + name[0]:]


def ancestors(name):
    """The name itself first, the root last."""
    while name != b"\0":
        yield name
        name = parent(name)
    yield name


def wire(text):
    return dns.name.from_text(text).to_wire().lower()


EVERYTHING = {"flags", "aa", "tc", "rcode", "question", "answer", "order", "authority", "additional", "opt", "repeats"}
SECTIONS = {"answer", "order", "authority", "additional"}


def without_ttl(section):
    return {key: rdatas for key, (_, rdatas) in section.items()}


def conflict(ours, theirs):
    """RRsets that both have, and not alike."""
    return any(theirs[key] != value for key, value in ours.items() if key in theirs)


def explain(case, but=None):
    """(parts that differ, {part: class that explains it}), by all classes but one."""
    parts = {"silence"} if case.theirs is None else case.ours.differs_from(case.theirs)
    if case.theirs is not None and case.ours.tc and case.theirs.tc:  # what did fit is not to be used
        parts -= SECTIONS | {"repeats"}
    found = {}
    for row in DIFFERENCES if parts else ():
        if case.peer in row.peers and row.silent == (case.theirs is None) and row.explains != but:
            for part in (row.explains(case) or set()) & parts:
                found.setdefault(part, row)
    return parts, found


# --- headers

@difference("bind", "CD is 0", "CD of the query is copied",
            "Signpost: RFC 4035, 3.1.6 says that an authoritative answer SHOULD have CD clear")
def cd_is_copied(case):
    if case.question.flags & CD and (case.ours.flags ^ case.theirs.flags) & ~RD == CD:
        return {"flags"}


@difference("bind", "RD of the query is copied whatever the opcode", "RD is copied for QUERY only",
            "both: RFC 1035, 4.1.1 has RD copied into the response, but means nothing by it where no query is")
def rd_of_other_opcodes(case):
    if case.question.opcode != QUERY and case.ours.flags ^ case.theirs.flags == RD:
        return {"flags"}


@difference("nsd", "Z, RA and CD are 0", "what the query had there is left in some errors",
            "Signpost: RFC 8906, 3.1.3: what is not understood must not be copied")
def bits_left_in_errors(case):
    if case.theirs.rcode not in (NOERROR, NXDOMAIN) or case.question.opcode != QUERY:
        if (case.ours.flags ^ case.theirs.flags) & ~0xf0 & ~RD == 0:
            return {"flags"}


@difference("nsd", "a query is answered, whatever its TC bit and rcode are", "FORMERR, without question and OPT record",
            "Signpost: RFC 8906, 3.1.3 wants queries answered whatever their flags; RFC 6895, 2.1 has TC as one of answers")
def tc_or_rcode_in_a_query(case):
    if case.question.flags & (TC | 15) and case.theirs.rcode == FORMERR:
        return EVERYTHING


@difference("nsd", "every error is told", "many errors in a short time: those behind the first hundreds get no answer",
            "Signpost: RFC 8906, 2 wants an answer; NSD's limit is against reflection, for which there are better ones",
            silent=True)
def errors_are_limited(case):
    question = case.question
    if (question.flags & (TC | 15) or case.ours.rcode in (FORMERR, NOTIMP, REFUSED) or question.shape
            or question.opcode != QUERY or (question.edns and question.edns.version)):
        return {"silence"}


@difference("nsd", "BADVERS with the DO bit of the query", "BADVERS with DO zero",
            "Signpost: RFC 3225, 3 wants DO copied into the answer")
def do_beside_badvers(case):
    if case.theirs.rcode == BADVERS and case.theirs.opt and not case.theirs.opt[2] & DO:
        return {"opt"}


@difference("nsd", "AA and TC are zero in errors", "AA and TC of the query are left in BADVERS, NOTIMP and the like",
            "Signpost: RFC 6895, 2.1: both speak of an answer, and there is none")
def bits_left_beside_errors(case):
    if case.theirs.rcode in (BADVERS, NOTIMP, REFUSED, NXDOMAIN) and not case.theirs.authority and case.question.flags & (AA | TC):
        return {"aa", "tc"}


# --- EDNS options

@difference("nsd knot bind", "an extended error says why there is no other answer", "none, or one about other things",
            "all: RFC 8914, 1 lets any response have one, and none needs it")
def extended_errors(case):
    return {"option 15"}


@difference("nsd knot", "the query's Client Subnet, with the scope of the answer", "no such option",
            "Signpost: RFC 7871, 7.2.1, for servers that know it; these two do not, or are not told to")
def client_subnet(case):
    if case.asked_for(8) and 8 not in (case.theirs.options or ()):
        return {"option 8"}


@difference("nsd knot bind", "a server cookie", "none from NSD and Knot, unless they are told to; one of its own from BIND",
            "all: RFC 7873, 5.2 allows servers without cookies; each server's differ (RFC 9018, 4)")
def cookies(case):
    if case.asked_for(10):
        return {"option 10"}


@difference("nsd knot bind", "for how long a TCP connection may be idle", "no such option from NSD and Knot; another time "
            "from BIND",
            "all: RFC 7828, 3.3.2: a server that knows it says how long it keeps connections")
def keepalive(case):
    if case.question.tcp and case.asked_for(11):
        return {"option 11"}


@difference("nsd knot bind", "NSID is left out where it takes the room of records, and beside BADVERS", "it is there",
            "both: RFC 5001, 2.2 leaves it to the server")
def nsid_needs_room(case):
    if case.asked_for(3) and 3 not in (case.ours.options or ()) and (case.ours.tc or case.ours.rcode == BADVERS):
        return {"option 3"}


@difference("knot bind", "no EXPIRE", "the SOA's EXPIRE, where it was asked for",
            "both: RFC 7314 is for secondaries, and Signpost transfers no zones")
def expire(case):
    if case.asked_for(9):
        return {"option 9"}


# --- what is no question for data

@difference("nsd", "the question is repeated, EDNS stays", "some errors have neither",
            "Signpost: RFC 6891, 6.1.1 wants OPT in answers to queries that had it; RFC 1035, 7.3 has clients look for the "
            "question")
def errors_without_question(case):
    if case.theirs.rcode in (FORMERR, NOTIMP, REFUSED, NXDOMAIN) and not case.theirs.question:
        return {"question", "opt"}


@difference("bind", "the question is repeated", "errors of other opcodes and of two questions are without it, or repeat "
            "the first",
            "both: RFC 8906, 3.1.4 wants the rcode; what an unknown operation's sections are nobody knows")
def bind_errors_without_question(case):
    if case.question.opcode != QUERY or "question" in case.question.shape:
        return {"question", "opt"}


@difference("nsd knot bind", "NOTIMP", "NSD: REFUSED, and NXDOMAIN for what is no zone; Knot: NOTAUTH; BIND: NOERROR, and "
            "FORMERR where it asks for no SOA",
            "all: RFC 1996 is for servers that transfer zones; RFC 8906, 3.1.4 expects NOTIMP of those that do not")
def notify(case):
    if case.question.opcode == NOTIFY and case.ours.rcode == NOTIMP:
        return {"rcode", "aa"}


@difference("knot bind", "NOTIMP", "FORMERR, as an UPDATE's question is a zone's SOA; NOTAUTH where it is, but no zone here",
            "all: RFC 2136, 3.1 for servers that have it; RFC 8906, 3.1.4 expects NOTIMP of those that have not")
def update(case):
    if case.question.opcode == UPDATE and case.ours.rcode == NOTIMP:
        return {"rcode"}


@difference("nsd knot", "a transfer over UDP: REFUSED, or NOTAUTH where the name is no zone's", "NOTIMP",
            "both: RFC 5936, 4.2 leaves AXFR over UDP undefined")
def transfers_over_udp(case):
    if case.question.rrtype == AXFR and not case.question.tcp and case.theirs.rcode == NOTIMP:
        return {"rcode"}


@difference("knot", "a transfer of a zone that is not for everybody: REFUSED", "NOTAUTH",
            "Signpost: RFC 5936, 2.2.1 has NOTAUTH for zones that are not served")
def transfers_that_are_not_allowed(case):
    if case.question.rrtype in (AXFR, IXFR) and case.name in case.zones and case.theirs.rcode == NOTAUTH:
        return {"rcode"}


@difference("nsd knot bind", "queries for TKEY, MAILA and MAILB: NOTIMP",
            "NSD and Knot: as for any other type that is not there; BIND: FORMERR for TKEY",
            "all: RFC 8906, 3.1.2: an answer as if they were known, but types that name no data may be NOTIMP")
def types_that_are_no_data(case):
    if case.question.rrtype in (TKEY, MAILA, MAILB) and case.ours.rcode == NOTIMP:
        return SECTIONS | {"rcode", "aa", "tc"}


@difference("nsd knot", "queries for NXNAME, OPT and TSIG: FORMERR", "as for any other type that is not there",
            "Signpost: RFC 9824, 3.5 for NXNAME and whatever else must not be asked for; it is newer than these two")
def types_that_must_not_be_asked_for(case):
    if case.question.rrtype in (NXNAME, OPT, TSIG) and case.ours.rcode == FORMERR:
        return SECTIONS | {"rcode", "aa", "tc"}


@difference("bind", "types 129 to 248 that nobody knows are as any other", "FORMERR",
            "Signpost: RFC 8906, 3.1.2: unknown types are answered as if they were known")
def types_reserved_for_queries(case):
    if case.question.rrtype in range(129, 249):
        return SECTIONS | {"rcode", "aa", "tc"}


@difference("knot", "as any other type, none of which is there", "NOTIMP",
            "both: RFC 8906, 3.1.2, and RFC 6895, 3.1, which reserves type 0")
def type_0(case):
    if case.question.rrtype == 0 and case.theirs.rcode == NOTIMP:
        return SECTIONS | {"rcode", "aa", "tc"}


@difference("nsd knot", "REFUSED", "class ANY is answered as class IN",
            "both: RFC 1035, 3.2.5 has it for several classes; there is one, and nobody asks so but for amplification")
def class_any(case):
    if case.question.rdclass == CLASS_ANY and case.ours.rcode == REFUSED:
        return SECTIONS | {"rcode", "aa", "tc"}


@difference("bind", "REFUSED", "FORMERR for classes ANY, NONE and 0, NOTIMP for those that nobody knows",
            "both: RFC 1035 does not say; a server may refuse whatever it does not serve")
def other_classes(case):
    if case.question.rdclass not in (IN, CH, HS) and case.ours.rcode == REFUSED:
        return {"rcode"}


@difference("bind", "names in class CH that nobody has: REFUSED", "no answer",
            "Signpost: RFC 8906, 2 wants an answer", silent=True)
def other_names_in_class_chaos(case):
    if case.question.rdclass == CH:
        return {"silence"}


@difference("nsd knot bind", "version.bind and the like: a TXT record with AA; nothing for other types",
            "NSD and Knot: no AA; Knot: REFUSED for other types; BIND: as zones, with SOA and NS, authors.bind among them, "
            "version.server not", "all: RFC 4892, 2 describes what is done, no more")
def class_chaos(case):
    if case.question.rdclass == CH and case.ours.rcode in (NOERROR, REFUSED) and not case.ours.authority:
        return SECTIONS | {"rcode", "aa", "classes"}


# --- sections

@difference("nsd bind", "a positive answer has no authority section", "the zone's NS RRset, with addresses",
            "both: no step of RFC 1034, 4.3.2 adds it, and nothing forbids it; without it there is more room, and less to "
            "amplify")
def apex_servers_come_along(case):
    ours, theirs = case.ours, case.theirs
    extra = list(theirs.authority)
    if ours.answer and not ours.authority and len(extra) == 1 and extra[0][1] == NS and extra[0][0] in case.zones:
        if not conflict(ours.additional, theirs.additional) and ours.additional.keys() <= theirs.additional.keys():
            servers = theirs.authority[extra[0]][1]
            more = {name for name, _ in theirs.additional.keys() - ours.additional.keys()}
            if all(name in servers or case.left_out(name) for name in more):
                return {"authority", "additional"}
        return {"authority"}


@difference("nsd knot bind", "ANY: one RRset", "ANY: another one, or all",
            "all: RFC 8482, 4.1 and 4.4")
def one_rrset_for_any(case):
    ours, theirs = case.ours.answer, case.theirs.answer
    if case.question.rrtype == ANY and ours and not conflict(ours, theirs):
        if any(rrtype == DNAME for _, rrtype in ours):
            return {"rcode", "tc", "answer", "order", "authority"}
        return {*SECTIONS, "tc"} if len(ours) == 1 else None


@difference("bind", "a referral has the addresses of all its servers that are known", "only those that are below some "
            "delegation",
            "both: RFC 1034, 4.3.2, step 3b says \"whatever addresses are available\"; glue is what is needed (RFC 9471)")
def referral_without_the_zones_own_addresses(case):
    ours, theirs = case.ours, case.theirs
    if ours.is_referral() or any(rrtype == NS and SOA not in case.names.get(name, ()) for name, rrtype in ours.authority):
        if not conflict(ours.additional, theirs.additional) and theirs.additional.keys() < ours.additional.keys():
            if not any(case.below_cut(name) for name, _ in ours.additional.keys() - theirs.additional.keys()):
                return {"additional"}


@difference("nsd bind", "a referral that lacks glue has TC", "it has not",
            "Signpost: RFC 9471, 3.1, which is newer than these two")
def glue_without_tc(case):
    ours, theirs = case.ours, case.theirs
    if ours.is_referral() and ours.tc and len(ours.wire) > 400 and not conflict(ours.additional, theirs.additional):
        return {"tc", "additional"}


@difference("nsd knot bind", "addresses of mail servers below a delegation, all behind the 32nd name of an RRset, and "
            "steered ones "
            "where the query has a client subnet, are left out", "they are there", "both: RFC 7871, 7.3.1; RFC 1034, "
            "4.3.2, step 6 adds what \"may be useful\"")
def more_addresses(case):
    ours, theirs = case.ours, case.theirs
    if not conflict(ours.additional, theirs.additional) and ours.additional.keys() <= theirs.additional.keys():
        if all(case.left_out(name) for name, _ in theirs.additional.keys() - ours.additional.keys()):
            return {"additional"}


@difference("nsd knot bind", "a child's DS, where neither its parent nor whoever delegates to that one has it, and the "
            "child is served: "
            "NODATA from the child's apex", "a referral to the parent, from a zone above it that is served, too",
            "Signpost: RFC 4035, 3.1.4.1 says MUST, for servers of the child that are none of the parent")
def ds_of_a_grandchild(case):
    if case.question.rrtype == DS and case.name in case.zones - {b"\0"} and case.below_cut(parent(case.name)):
        return {"aa", "authority", "additional"}


@difference("bind", "the TLSA records of mail servers do not come along", "they do",
            "both: RFC 7672, 2.2 has clients ask for them")
def tlsa_of_mail_servers(case):
    more = case.theirs.additional.keys() - case.ours.additional.keys()
    if any(rrtype == TLSA for _, rrtype in more) and not conflict(case.ours.additional, case.theirs.additional):
        return {"additional"}


@difference("bind", "the zone's own NS RRset comes with the addresses of its servers, wherever they are", "not with those "
            "below a delegation",
            "both: RFC 1034, 4.3.2, step 6; RFC 9609, 4.2 counts on them at the root, where BIND has them, too")
def servers_below_a_delegation(case):
    ours, theirs = case.ours, case.theirs
    if not conflict(ours.additional, theirs.additional):
        if all(case.below_cut(name) for name, _ in ours.additional.keys() - theirs.additional.keys()):
            if all(case.left_out(name) for name, _ in theirs.additional.keys() - ours.additional.keys()):
                return {"additional"}


@difference("nsd bind", "the addresses of an RRset's first 32 names", "NSD: as many A records first; BIND: none, where "
            "there are more than 13 names",
            "both: RFC 1034, 4.3.2, step 6 does not say how many")
def first_names(case):
    ours, theirs = case.ours, case.theirs
    if sum(len(rdatas) for _, rdatas in ours.answer.values()) > 13 and not conflict(ours.additional, theirs.additional):
        return {"additional"}


@difference("nsd knot", "the addresses of SVCB and HTTPS targets come along", "not where the target is the owner itself; "
            "from NSD, none",
            "Signpost: RFC 9460, 4.1 says SHOULD, and 2.5.2 that \".\" is a target; it is newer than NSD 4.6")
def addresses_of_services(case):
    ours, theirs = case.ours.additional, case.theirs.additional
    if any(rrtype in (SVCB, HTTPS) for _, rrtype in case.ours.answer) and not conflict(ours, theirs):
        if case.peer == "nsd" or not theirs:
            return {"additional"}


@difference("knot bind", "a chain is followed into other zones that are served", "a chain ends with the zone",
            "both: RFC 1034, 4.3.2, step 3a goes back to step 1, so on to other zones; resolvers do not count on it (RFC "
            "2181, 5.4.1)")
def chain_ends_with_the_zone(case):
    ours, theirs, zone = case.ours, case.theirs, case.zone_of(case.name)
    if any(case.zone_of(target) not in (None, zone) for target in case.targets()):
        if set(theirs.answer) <= set(ours.answer) and not conflict(theirs.answer, ours.answer):
            return SECTIONS | {"rcode", "tc"}


@difference("nsd knot bind", "chains are followed for 16 links", "Knot: fewer; NSD: not past the same DNAME twice; BIND: 11",
            "all: RFC 1034, 5.2.2 does not say how far")
def length_of_endless_chains(case):
    ours, theirs = list(case.ours.answer), list(case.theirs.answer)
    if any(rrtype == CNAME for _, rrtype in ours) and not conflict(case.theirs.answer, case.ours.answer):
        if (len(theirs) > 4 and len(ours) > len(theirs)) or b"\x05round" in case.name:
            return {"rcode", "tc", "answer", "order", "authority"}


@difference("knot", "YXDOMAIN where a DNAME makes a name too long", "YXDOMAIN is followed by a SOA",
            "Signpost: RFC 6672, 2.2 and 3.2")
def target_that_is_too_long(case):
    if case.ours.rcode == YXDOMAIN and case.ours.answer == case.theirs.answer:
        return {"rcode", "authority"}


@difference("knot", "TC where a negative answer's SOA does not fit", "no TC",
            "Signpost: RFC 2181, 9: the SOA is needed, it tells for how long there is nothing (RFC 2308, 3)")
def soa_that_does_not_fit(case):
    if case.ours.tc and not case.ours.authority and case.ours.answer == case.theirs.answer and not case.theirs.authority:
        return {"tc"}


@difference("nsd knot bind", "a CNAME is the answer to all types but CNAME", "not to RRSIG and NSEC (NSD: NSEC3)",
            "both: RFC 4035, 2.5 lets a signed CNAME have RRSIG and NSEC beside it; in a zone that is not signed there is "
            "neither")
def types_that_may_stand_beside_a_cname(case):
    if case.question.rrtype in (RRSIG, NSEC, NSEC3) and not case.theirs.answer:
        if any(rrtype == CNAME for _, rrtype in case.ours.answer):
            return SECTIONS | {"rcode"}


@difference("bind", "a chain of CNAMEs without an end is what it is", "SERVFAIL beside it",
            "both: RFC 1034, 3.6.2 wants loops signalled as an error, of resolvers; the zone is right, its data is not")
def loops_fail(case):
    if case.theirs.rcode == SERVFAIL and case.theirs.aa and any(rrtype == CNAME for _, rrtype in case.ours.answer):
        return {"rcode", "tc"}


@difference("bind", "the SOA of a negative answer has the negative TTL", "TTL 0, where the SOA was asked for",
            "Signpost: RFC 2308, 3 says min(SOA TTL, MINIMUM) without exception; BIND's is a setting (zero-no-soa-ttl)")
def no_ttl_for_a_missing_soa(case):
    if case.question.rrtype == SOA and without_ttl(case.ours.authority) == without_ttl(case.theirs.authority):
        return {"authority"}


def full(case, answer):
    """Is there hardly room for one more RRset?"""
    question = case.question
    limit = 65535 if question.tcp else max(512, min(question.edns.size, 1232)) if question.edns else 512
    return len(answer.wire) > limit - 80


def size_of(options):
    return sum(4 + len(data) for data in options.values())


@difference("nsd knot bind", "A and AAAA of one host come together, then those of the next, until the answer is full",
            "other names, or all A before all AAAA; what comes along in the authority section takes some of the room",
            "all: RFC 2181, 9: what is left out of the additional section for want of room does not set TC")
def additional_section_is_full(case):
    ours, theirs = case.ours, case.theirs
    if (full(case, ours) or full(case, theirs)) and ours.answer == theirs.answer and not ours.tc and not theirs.tc:
        if not conflict(ours.additional, theirs.additional):
            return {"additional"}


@difference("nsd knot bind", "the OPT record with cookie, client subnet and NSID has its room before the records", "there "
            "is no such option, or "
            "it is left out", "Signpost: RFC 7873, 5.2 and RFC 7871, 7.2.1 want them in every answer; TC has the client "
            "come by TCP")
def options_need_room(case):
    ours, theirs = case.ours, case.theirs
    if ours.tc and not theirs.tc and ours.opt and theirs.opt and size_of(ours.options) > size_of(theirs.options):
        return SECTIONS | {"tc"}


@difference("bind", "AD is 0", "AD of the query is copied into an answer that is cut",
            "Signpost: RFC 4035, 3.1.6 wants AD set only where all is authentic, and nothing is there")
def ad_beside_tc(case):
    if case.theirs.tc and (case.ours.flags ^ case.theirs.flags) & ~CD == AD:
        return {"flags"}


@difference("nsd knot bind", "the target of a CNAME made from a DNAME points to the DNAME's", "in some answers it is "
            "written in full",
            "both: RFC 1035, 4.1.4 lets names be compressed; theirs are longer, and so cut earlier")
def targets_in_full(case):
    ours, theirs = case.ours, case.theirs
    if any(rrtype == DNAME for _, rrtype in ours.answer) and theirs.answer.items() <= ours.answer.items():
        if not ours.tc and not theirs.authority and (theirs.tc or full(case, theirs)):
            return {"tc", "rcode", "answer", "order", "authority"}


@difference("knot", "all signatures, where RRSIG is asked for", "one of them",
            "both: RRSIG records are no RRset (RFC 4035, 2.2), so nobody can tell whether they are all there")
def one_signature(case):
    if case.question.rrtype == RRSIG:
        if case.ours.tc and len(case.theirs.answer) == 1 + len(case.targets()):
            return {"tc", "answer", "order"}
        ours, theirs = ([rdatas for _, (_, rdatas) in answer.answer.items()] for answer in (case.ours, case.theirs))
        if ours and theirs and theirs[-1] < ours[-1] and theirs[:-1] == ours[:-1]:
            return {"answer"}


@difference("bind", "names in the answer that are the question's point to it", "they do not, where its letters have "
            "another case",
            "both: RFC 1034, 3.1 wants the case kept \"when possible\"; BIND's answers are longer, and so cut earlier")
def case_needs_room(case):
    if case.theirs.tc and not case.ours.tc and case.question.name.to_wire() != case.name:
        return {"tc", *SECTIONS}
    if not conflict(case.ours.additional, case.theirs.additional) and case.theirs.additional.keys() < case.ours.additional.keys():
        return {"additional"}


@difference("bind", "the query's NSEC at a cut is answered by a referral", "by the parent's NSEC record",
            "both: RFC 4035, 2.3 puts one there; nobody asks for it, as it comes along")
def nsec_at_a_cut(case):
    if case.question.rrtype == NSEC and case.ours.is_referral():
        return EVERYTHING


@difference("knot", "two questions: FORMERR", "no answer", "Signpost: RFC 9619, 4 says FORMERR", silent=True)
def two_questions(case):
    if "question" in case.question.shape:
        return {"silence"}


@difference("nsd", "records that a query has in its sections are passed over", "FORMERR but for an OPT and a TSIG record",
            "both: RFC 1035, 4.1.1 does not say; RFC 2136 and RFC 1995 have queries with such records")
def records_in_queries(case):
    if case.question.shape.startswith("a record") and case.theirs.rcode == FORMERR != case.ours.rcode:
        return EVERYTHING


@difference("knot", "octets behind the last record are ignored", "FORMERR",
            "both: RFC 1035, 4.1 does not say; a query that can be read is answered, and signpost-dns(8) says so")
def octets_behind_the_last_record(case):
    if case.question.shape == "octets behind the last record" and case.theirs.rcode == FORMERR:
        return {*EVERYTHING, *(f"option {code}" for code in case.ours.options or ())}


@difference("nsd", "no question and no cookie: FORMERR", "NOERROR, where EDNS is there",
            "both: RFC 7873, 5.4 has queries without a question for a cookie only")
def no_question(case):
    if case.question.shape == "no question" and case.ours.rcode == FORMERR and case.theirs.rcode == NOERROR:
        return {"opt", "rcode"}


@difference("nsd knot bind", "no question but a cookie: NOERROR, or BADCOOKIE where the server's part is nobody's",
            "NSD and Knot have no cookies: NOERROR, FORMERR; BIND: NOERROR, whatever the cookie", "Signpost: RFC 7873, 5.4 "
            "says SHALL")
def no_question_but_a_cookie(case):
    if case.question.shape == "no question" and case.asked_for(10) and case.ours.rcode in (NOERROR, BADCOOKIE):
        return {"rcode"}


@difference("knot bind", "two questions and an EDNS version that nobody knows: FORMERR", "BADVERS (BIND: where the two "
            "differ)",
            "Signpost: RFC 9619, 4 has FORMERR for several questions, without exception")
def version_of_two_questions(case):
    if case.question.shape == "two questions" and case.theirs.rcode == BADVERS:
        return {"rcode"}


@difference("nsd", "no question and an EDNS version that nobody knows: BADVERS", "FORMERR",
            "both: RFC 6891, 6.1.3 does not say which is first")
def version_of_no_question(case):
    if case.question.shape == "no question" and case.ours.rcode == BADVERS:
        return {"rcode"}


@difference("nsd", "BADVERS, whatever the opcode", "NOTIMP", "both: RFC 6891, 6.1.3 does not say which is first")
def version_of_other_opcodes(case):
    if case.ours.rcode == BADVERS and case.question.opcode != QUERY:
        return {"rcode"}


@difference("knot", "every record once", "addresses of names that an RRset has several times come several times",
            "Signpost: RFC 2181, 5: an RRset has no record twice")
def additional_twice(case):
    if case.theirs.repeats and case.ours.additional:
        return {"repeats", "additional"}


@difference("nsd knot bind", "what does not fit into a UDP message has the rcode of what did", "that of the whole",
            "both: RFC 2181, 9: such an answer is to be asked for again over TCP")
def rcode_of_cut_answers(case):
    if case.ours.tc and case.theirs.tc:
        return {"rcode"}


@difference("nsd", "what the parent's file has below a delegation is no part of the child, which is served, too",
            "the parent's names hide the child's wildcard", "Signpost: RFC 1034, 4.2.1; NSD keeps the names of all zones "
            "in one tree")
def occluded_name_in_the_child(case):
    if case.name.endswith(wire("fromparent.child.torture.example.")):
        return {"rcode", "answer", "order", "authority"}


@difference("nsd", "a DS query for a child that its parent has no name for is NXDOMAIN", "NOERROR",
            "Signpost: RFC 4035, 3.1.4.1: a DS is the parent's to answer; NSD keeps the names of all zones in one tree")
def child_that_the_parent_does_not_know(case):
    if case.question.rrtype == DS and case.name == wire("unlinked.torture.example."):
        return {"rcode"}


# --- DNSSEC

def has_signatures(answer):
    return any(rrtype == RRSIG for section in (answer.answer, answer.authority) for _, rrtype in section)


def without_types(section, *types):
    return {key: value for key, value in section.items() if key[1] not in types}


def without_dnssec(answer, asked):
    """A copy, which has but the type that was asked for."""
    plain = copy.copy(answer)
    plain.answer = without_types(answer.answer, *{RRSIG, NSEC} - {asked})
    plain.authority = without_types(answer.authority, RRSIG, NSEC, DS)
    plain.additional = without_types(answer.additional, RRSIG)
    plain.order = list(plain.answer)
    return plain


@difference("nsd knot bind", "a signed zone is a zone, its RRSIG and NSEC records are records", "DO brings signatures and "
            "proofs",
            "the others: RFC 4035, 3.1. Signpost does not answer DNSSEC yet")
def dnssec(case):
    question = case.question
    if not question.edns or not question.edns.flags & DO:
        return None
    if case.theirs.tc and case.zone_of(case.name) == wire("signed.example."):  # they have no room for all of it
        return {"tc", *SECTIONS}
    if not has_signatures(case.theirs):
        return None
    if question.rrtype in (RRSIG, NSEC):  # and nobody can tell these from those that come along
        return {"tc", *SECTIONS}
    plain = Case(question, case.peer, *(without_dnssec(answer, question.rrtype) for answer in (case.ours, case.theirs)),
                 case.names, case.zones)
    left, others = explain(plain, but=dnssec)
    return SECTIONS - (left - set(others))
