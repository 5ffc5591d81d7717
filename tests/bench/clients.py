"""Client networks of measurements, override files of many of them, and queries that come from them."""

import ipaddress
import pathlib
import random
import struct
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import fastdns  # noqa: E402

COUNTRIES = ("DE", "JP", "BR", "US", "ZA", "IN", "AU", "GB")
CITIES = 20_000


def prefixes(count):
    """Random /24 and /48 in turn, a tenth of them longer or shorter: pairs of address and length."""
    rng = random.Random(5)
    for n in range(count):
        version = 4 if n % 2 else 6
        length = rng.choice((20, 22, 25, 28)) if n % 10 == 0 else 24
        address = fastdns.random_public(rng, version)
        length = length if version == 4 else length * 2
        bits = 32 if version == 4 else 128
        start = int(address) >> (bits - length) << (bits - length)
        yield (ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(start), length


def write_overrides(path, count):
    """Half of them to countries, half to points."""
    rng = random.Random(6)
    # Cities, as an operator's own table has them; a new point for each prefix, all over the
    # oceans, would be more classes than there can be.
    cities = [(rng.uniform(-60, 70), rng.uniform(-180, 180)) for _ in range(CITIES)]
    with open(path, "w", encoding="ascii") as out:
        for address, length in prefixes(count):
            if rng.random() < 0.5:
                out.write(f"{address}/{length} country={rng.choice(COUNTRIES)}\n")
            else:
                latitude, longitude = rng.choice(cities)
                out.write(f"{address}/{length} latitude={latitude:.2f} longitude={longitude:.2f}\n")


def networks(rng, count, among=()):
    """Random public /24 networks; where there are some to be `among`, every other one is of them."""
    out = []
    for n in range(count):
        address = rng.choice(among) if among and n % 2 else fastdns.random_public(rng, 4)
        out.append(ipaddress.IPv4Network((int(address) >> 8 << 8, 24)))
    return out


class Queries:
    """A file of queries as bench-images reads it."""

    def __init__(self, path):
        self.path = path
        self._out = open(path, "wb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._out.close()

    def add(self, name, network=None, source="192.0.2.1"):
        message = fastdns.query(0, name, "A", network)
        self._out.write(ipaddress.IPv4Address(source).packed + struct.pack("!H", len(message)) + message)
