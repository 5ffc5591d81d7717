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
    """Sites by name -> (latitude, longitude), in the order of the server file."""

    def __init__(self, database, countries, sites):
        self.reader = maxminddb.open_database(database)
        self.countries = read_countries(countries)
        self.sites = sites
        self.orders = {}

    def country(self, address):
        record = self.reader.get(str(address))
        return record["country_code"] if record else None

    def order(self, address):
        """All sites, nearest first; the configured order where nothing is known."""
        country = self.country(address)
        if country not in self.orders:
            here = self.countries.get(country)
            names = list(self.sites)
            if here:
                names.sort(key=lambda name: haversine_km(here, self.sites[name]))
            self.orders[country] = names
        return self.orders[country]
