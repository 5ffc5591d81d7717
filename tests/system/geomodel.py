"""What Signpost ought to decide, computed again from the sources and by other means: maxminddb's
reader, the countries table and the haversine formula (the server compares chords)."""

import math

import maxminddb


def read_countries(path):
    table = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields[0]) == 2 and fields[0].isupper():
                table[fields[0]] = (float(fields[1]), float(fields[2]))
    return table


def haversine_km(a, b):
    lat1, lon1, lat2, lon2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(h))


class Model:
    """Sites by name -> (latitude, longitude), in the order of the server file.

    bias: percent by site, as in Route 53's geoproximity. band: (percent, km) within which sites are
    as near as the nearest of their band. depth: sites that are put in order; more where a band is
    not full."""

    def __init__(self, databases, countries, sites, bias=None, band=(0, 0), depth=4):
        self.readers = [maxminddb.open_database(path) for path in databases]
        self.countries = read_countries(countries)
        self.sites, self.bias, self.band, self.depth = sites, bias or {}, band, depth
        self.orders = {}

    def record(self, address):
        for reader in self.readers:
            if address.version == 4 or reader.metadata().ip_version == 6:
                record = reader.get(str(address))
                if record:
                    return record
        return {}

    def country(self, address):
        return self.record(address).get("country_code")

    def place(self, address):
        """Coordinates, those of the country where the databases have none; None: nowhere."""
        record = self.record(address)
        if "latitude" in record and "longitude" in record:
            return record["latitude"], record["longitude"]
        return self.countries.get(record.get("country_code"))

    def distance(self, place, name):
        bias = self.bias.get(name, 0) / 100
        factor = 1 - bias if bias >= 0 else 1 / (1 + bias)
        return factor * haversine_km(place, self.sites[name])

    def order(self, address):
        """All sites, nearest first; the configured order where nothing is known."""
        place = self.place(address)
        if place not in self.orders:
            names = list(self.sites)
            if place:
                names.sort(key=lambda name: self.distance(place, name))
            self.orders[place] = names
        return self.orders[place]

    def bands(self, address):
        """The sites that a preference names, in bands; in each of them in the order of the server
        file, but for the nearest of all, which comes first."""
        place, numbers = self.place(address), list(self.sites)
        percent, km = self.band
        bands, begins, named = [], None, 0
        for name in self.order(address):
            distance = self.distance(place, name)
            if begins is None or not (percent or km) or \
                    (distance > begins + km and distance > begins * (1 + percent / 100)):
                if named >= self.depth:
                    break
                begins = distance
                bands.append([])
            bands[-1].append(name)
            named += 1
        first = bands[0][0]
        return [sorted(band, key=lambda name: (name != first, numbers.index(name))) for band in bands]
