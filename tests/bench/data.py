"""What all servers of a comparison are given: sites, zones, client networks, locations."""

import array
import contextlib
import math
import mmap
import random
import struct

SITES = {  # name: latitude, longitude, address of the first node
    "tokyo": (35.68, 139.69, "127.10.1.1"),
    "singapore": (1.35, 103.82, "127.10.2.1"),
    "sydney": (-33.87, 151.21, "127.10.3.1"),
    "frankfurt": (50.11, 8.68, "127.10.4.1"),
    "london": (51.51, -0.13, "127.10.5.1"),
    "newyork": (40.71, -74.01, "127.10.6.1"),
    "sanfrancisco": (37.77, -122.42, "127.10.7.1"),
    "saopaulo": (-23.55, -46.63, "127.10.8.1"),
}
STEERED = "vpn.steered.example"
STATIC = "www.static.example"
APEX = """$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
@ IN NS ns2
ns1 IN A 192.0.2.53
ns2 IN A 198.51.100.53
"""


def write_zones(folder, records):
    """The zones that hold the same text for every server; returns the path of the big one's names."""
    (folder / "static.example").write_text(APEX + "www IN A 192.0.2.80\n")
    with open(folder / "big.example", "w") as zone:
        zone.write(APEX)
        for i in range(records):
            zone.write(f"host{i:07d} IN A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n")
    names = folder / "names"
    with open(names, "w") as out:
        for i in random.Random(1).sample(range(records), min(records, 100000)):
            out.write(f"host{i:07d}.big.example\n")
    return names


def write_questions(folder, records):
    """{what: path of names to ask for}: all over the big zone, of its first thousand, of none."""
    files = {"names": folder / "names", "few": folder / "few-names", "missing": folder / "missing-names"}
    files["few"].write_text("".join(f"host{i:07d}.big.example\n" for i in range(min(records, 1000))))
    chance = random.Random(3)
    files["missing"].write_text("".join(f"none{chance.randrange(10 ** 7):07d}.big.example\n" for _ in range(50000)))
    return files


def is_special(a, b):
    return (a in (10, 127) or (a, b) in ((169, 254), (192, 168), (198, 18), (198, 19))
            or (a == 172 and 16 <= b < 32) or (a == 100 and 64 <= b < 128))


def write_networks(path, databases, count=65536):
    """Random /24 networks of which the databases know the country, one a line."""
    import maxminddb  # not above: `run` installs it once this file is read

    chance = random.Random(2)
    with contextlib.ExitStack() as stack, open(path, "w") as out:
        readers = [stack.enter_context(maxminddb.open_database(database)) for database in databases]
        reader = min(readers, key=lambda one: one.metadata().ip_version)
        while count > 0:
            a, b, c = chance.randrange(1, 224), chance.randrange(256), chance.randrange(256)
            if not is_special(a, b) and (reader.get(f"{a}.{b}.{c}.1") or {}).get("country_code"):
                out.write(f"{a}.{b}.{c}.0\n")
                count -= 1


def distance_km(a, b):
    """Great circle, by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = [[math.radians(x) for x in p] for p in (a, b)]
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(min(h, 1)))


def nearest(point):
    return min(SITES, key=lambda site: distance_km(point, SITES[site][:2]))


def read_countries(path):
    """Code -> (latitude, longitude)."""
    countries = {}
    with open(path) as lines:
        for line in lines:
            if not line.startswith("#"):
                code, latitude, longitude = line.split("\t")[:3]
                countries[code] = (float(latitude), float(longitude))
    return countries


# --- MMDB in MaxMind's layout ------------------------------------------------------------------
#
# gdnsd reads no other: the flat layout of the ip-location-db packages loads without a word and
# sends everybody to the default. So the same trees are written anew with the same facts under
# MaxMind's field names. (The format: maxmind.github.io/MaxMind-DB.)


class Tree:
    """The nodes of a database, as two arrays, and the facts at an offset of its data."""

    def __init__(self, path):
        import maxminddb.decoder

        with maxminddb.open_database(path) as reader:
            meta = reader.metadata()
        with open(path, "rb") as file:
            raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.ip_version, self.count = meta.ip_version, meta.node_count
        size = meta.record_size // 4
        tree = raw[: self.count * size]
        columns = [tree[i::size] for i in range(size)]
        self.left, self.right = array.array("I"), array.array("I")
        if size == 6:
            self.left.extend(a << 16 | b << 8 | c for a, b, c in zip(*columns[:3]))
            self.right.extend(a << 16 | b << 8 | c for a, b, c in zip(*columns[3:]))
        elif size == 7:
            self.left.extend((m >> 4) << 24 | a << 16 | b << 8 | c for a, b, c, m in zip(*columns[:4]))
            self.right.extend((m & 15) << 24 | a << 16 | b << 8 | c for m, a, b, c in zip(*columns[3:]))
        else:
            self.left.frombytes(b"".join(tree[i : i + 4] for i in range(0, len(tree), 8)))
            self.right.frombytes(b"".join(tree[i : i + 4] for i in range(4, len(tree), 8)))
            self.left.byteswap()
            self.right.byteswap()
        self._decoder = maxminddb.decoder.Decoder(raw, self.count * size + 16)
        self._data = self.count * size + 16

    def facts(self, value):
        """What a record beyond the nodes stands for."""
        return self._decoder.decode(self._data + value - self.count - 16)[0]


def encode(value):
    """One value of the data section; ("u16", 6) is a number with its type."""
    def head(kind, size):
        lead = kind << 5 if kind < 8 else 0
        more = b"" if kind < 8 else bytes([kind - 7])
        if size < 29:
            return bytes([lead | size]) + more
        if size < 285:
            return bytes([lead | 29]) + more + bytes([size - 29])
        return bytes([lead | 30]) + more + struct.pack(">H", size - 285)

    if isinstance(value, dict):
        return head(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return head(11, len(value)) + b"".join(encode(v) for v in value)
    if isinstance(value, str):
        text = value.encode()
        return head(2, len(text)) + text
    if isinstance(value, float):
        return head(3, 8) + struct.pack(">d", value)
    kind, number = value
    code, layout = {"u16": (5, ">H"), "u32": (6, ">I"), "u64": (9, ">Q")}[kind]
    return head(code, struct.calcsize(layout)) + struct.pack(layout, number)


def maxmind_facts(facts, countries):
    """Flat facts under MaxMind's names; a country's centre stands in where there are no coordinates."""
    code = facts.get("country_code", "")
    point = (facts.get("latitude"), facts.get("longitude"))
    if None in point:
        point = countries.get(code, (None, None))
    out = {"country": {"iso_code": code}} if code else {}
    if None not in point:
        out["location"] = {"latitude": float(point[0]), "longitude": float(point[1])}
    if facts.get("city"):
        out["city"] = {"names": {"en": facts["city"]}}
    return out


def write_maxmind_layout(databases, countries_path, out_path):
    """One IPv6 database with IPv4 at ::/96 from one such file or from an IPv4 and an IPv6 one."""
    countries = read_countries(countries_path)
    trees = sorted((Tree(path) for path in databases), key=lambda tree: -tree.ip_version)
    count = sum(tree.count for tree in trees) + 96  # at most: the path to ::/96
    data, offsets = bytearray(), {}
    left, right = array.array("I"), array.array("I")

    def place(facts):
        encoded = encode(maxmind_facts(facts, countries))
        if encoded not in offsets:
            offsets[encoded] = len(data)
            data.extend(encoded)
        return count + 16 + offsets[encoded]

    for tree in trees:
        first, moved = len(left), {tree.count: count}
        for values, out in ((tree.left, left), (tree.right, right)):
            for value in values:
                if value < tree.count:
                    out.append(first + value)
                    continue
                if value not in moved:
                    moved[value] = place(tree.facts(value))
                out.append(moved[value])
    if len(trees) == 2:
        graft(left, right, trees[0].count, count)
    while len(left) < count:
        left.append(count)
        right.append(count)
    write_mmdb(out_path, left, right, data)


def graft(left, right, v4_root, nothing):
    """Hangs the IPv4 tree in at ::/96."""
    node = 0
    for depth in range(96):
        if depth == 95:
            left[node] = v4_root
        elif left[node] >= nothing:
            left.append(left[node])
            right.append(left[node])
            left[node] = len(left) - 1
        node = left[node]


def write_mmdb(path, left, right, data):
    meta = {
        "node_count": ("u32", len(left)), "record_size": ("u16", 32), "ip_version": ("u16", 6),
        "binary_format_major_version": ("u16", 2), "binary_format_minor_version": ("u16", 0),
        "build_epoch": ("u64", 1), "database_type": "GeoLite2-City", "languages": ["en"],
        "description": {"en": "flat databases in MaxMind's layout"},
    }
    pairs = array.array("I", bytes(8 * len(left)))
    pairs[0::2], pairs[1::2] = left, right
    pairs.byteswap()
    with open(path, "wb") as out:
        pairs.tofile(out)
        out.write(bytes(16))
        out.write(data)
        out.write(b"\xab\xcd\xefMaxMind.com" + encode(meta))
