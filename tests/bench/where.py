"""Where the instructions of an answer go, and its cache misses: by function, as callgrind writes them."""

import re

# A machine's own would be taken otherwise, and virtual ones say of theirs what they like.
CACHES = ("--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=33554432,16,64")
NAMED = re.compile(r"^fn=(\(\d+\))(?: (.*))?$")


def by_function(text):
    """{function: {event: count}}, each its own alone (what was inlined is its caller's)."""
    names, found, function, events, skip = {}, {}, None, [], False
    for line in text.splitlines():
        named = NAMED.match(line)
        if line.startswith("events: "):
            events = line.split()[1:]
        elif named:
            names.setdefault(named[1], named[2])
            function = names[named[1]].partition("'")[0]
        elif line.startswith(("cfn=", "cfi=", "cfl=", "cob=")):
            called = re.match(r"^cfn=(\(\d+\)) (.*)$", line)
            if called:
                names.setdefault(called[1], called[2])
        elif line.startswith("calls="):
            skip = True  # the next line is what was called
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not skip and function is not None:
                own = found.setdefault(function, dict.fromkeys(events, 0))
                for event, count in zip(events, line.split()[1:]):
                    own[event] += int(count)
            skip = False
    return found


def a_query(text, queries):
    """{function: [instructions, first-level misses of data, last-level misses]} a query, most first."""
    costs = {name: [own["Ir"], own.get("D1mr", 0) + own.get("D1mw", 0), own.get("DLmr", 0) + own.get("DLmw", 0)]
             for name, own in by_function(text).items()}
    shares = {name: [count / queries for count in counts] for name, counts in costs.items() if counts[0] >= queries / 2}
    return dict(sorted(shares.items(), key=lambda item: -item[1][0]))
