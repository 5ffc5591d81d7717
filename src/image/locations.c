#include "image/locations.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "image/geo.h"

static struct ip6_words words_of(const struct ip_address *address)
{
	struct ip6_words w;

	memcpy(&w.high, address->bytes, sizeof(w.high));
	memcpy(&w.low, address->bytes + sizeof(w.high), sizeof(w.low));
	w.high = be64toh(w.high);
	w.low = be64toh(w.low);
	return w;
}

static unsigned common_bits(struct ip6_words a, struct ip6_words b)
{
	if (a.high != b.high)
		return (unsigned)__builtin_clzll(a.high ^ b.high);
	return a.low == b.low ? 128 : 64 + (unsigned)__builtin_clzll(a.low ^ b.low);
}

/* The longest prefix around `at` that starts at or after `start` and ends before `next` (NULL: no
 * end): it begins with the first bit that differs from the address before `start`, and from
 * `next`; both are outside. */
static uint8_t prefix_within(struct ip6_words at, struct ip6_words start,
			     const struct ip6_words *next)
{
	unsigned len = 0;

	if (start.high != 0 || start.low != 0) {
		struct ip6_words before = { start.high - (start.low == 0), start.low - 1 };

		len = common_bits(at, before) + 1;
	}
	if (next != NULL && common_bits(at, *next) + 1 > len)
		len = common_bits(at, *next) + 1;
	return (uint8_t)len;
}

static struct ip6_words words_of_bits(address_bits bits)
{
	return (struct ip6_words){ (uint64_t)(bits >> 64), (uint64_t)bits };
}

/* The value at an address; *prefix_len grows to that of the longest prefix that has it. */
static uint32_t breaks_find(const struct image *locations, const struct location_breaks *breaks,
			    const struct ip_address *address, uint8_t *prefix_len)
{
	struct ip6_words at = words_of(address), behind;
	struct breaks_cursor cursor = breaks_cursor_in(locations,
						       &breaks->family[address->family == IP_V6]);
	address_bits next = 0;
	bool is_last;
	uint8_t len;

	cursor_seek(&cursor, bits_of_v6(at));
	is_last = !cursor_next(&cursor, &next);
	behind = words_of_bits(next);
	len = prefix_within(at, words_of_bits(cursor.start), is_last ? NULL : &behind);
	if (len > *prefix_len)
		*prefix_len = len;
	return cursor_value(&cursor);
}

/* --- places -------------------------------------------------------------------------------- */

void location_read(const struct image *locations, uint32_t number, struct location *out)
{
	const struct locations_root *root = image_root(locations, struct locations_root);
	const struct location_place *place =
		image_at(locations, struct location_place, root->places_off) + number;
	const struct location_origin *origin =
		image_at(locations, struct location_origin, root->origins_off) + place->origin;

	*out = (struct location){ .latitude = place->latitude,
				  .longitude = place->longitude,
				  .asn = place->asn,
				  .city = place->city,
				  .subdivision = place->subdivision,
				  .subdivision_name = place->subdivision_name,
				  .has = origin->has,
				  .fields = origin->fields,
				  .country_database = origin->country_database,
				  .coordinates_database = origin->coordinates_database,
				  .asn_database = origin->asn_database,
				  .city_database = origin->city_database };
	memcpy(out->country, place->country, sizeof(out->country));
	memcpy(out->continent, place->continent, sizeof(out->continent));
}

/* --- finding ------------------------------------------------------------------------------- */

void location_override(struct location *location, const struct location *row)
{
	uint32_t asn = location->asn, asn_database = location->asn_database;
	uint32_t fields = location->fields;

	if ((row->has & LOCATION_IS_PLACE) != 0) {
		*location = *row;
		location->has &= ~(uint32_t)LOCATION_IS_PLACE;
		location->asn = asn;
		location->asn_database = asn_database;
		location->fields = fields;
	}
	if (row->continent[0] != '\0')
		memcpy(location->continent, row->continent, sizeof(location->continent));
	if (row->subdivision != 0) {
		location->subdivision = row->subdivision;
		location->subdivision_name = 0;
	}
	if (row->city != 0) {
		location->city = row->city;
		location->city_database = LOCATION_NONE;
	}
	if (row->asn != 0) {
		location->asn = row->asn;
		location->asn_database = LOCATION_NONE;
	}
}

/* Puts the table's row for the address over what was found; false: it has none. */
static bool override(const struct image *locations, const struct location_rows *table,
		     const struct ip_address *address, struct located *out)
{
	uint32_t row;

	if (table->row_count == 0)
		return false;
	row = breaks_find(locations, &table->breaks, address, &out->prefix_len);
	if (row == 0)
		return false;
	out->row = image_at(locations, struct location_row, table->rows_off) + row - 1;
	out->file = location_text(locations, table->file);
	location_override(&out->location,
			  image_at(locations, struct location, table->locations_off) +
				  out->row->location);
	return true;
}

static bool find(const struct image *locations, const struct ip_address *address, bool is_source,
		 struct located *out)
{
	const struct locations_root *root = image_root(locations, struct locations_root);
	struct ip_address v4;
	bool is_embedded = geo_embedded_ipv4(address, &v4);
	const struct ip_address *at = is_embedded ? &v4 : address;
	uint32_t number;
	bool found;

	*out = (struct located){ .file = "" };
	number = breaks_find(locations, &root->breaks, at, &out->prefix_len);
	location_read(locations, number, &out->vendor);
	out->location = out->vendor;
	found = override(locations, &root->overrides, at, out);
	if (is_source)
		found = override(locations, &root->resolvers, at, out);
	if (is_embedded)
		out->prefix_len = (uint8_t)(out->prefix_len + 96);
	else if (address->family == IP_V6)
		out->prefix_len = geo_exclude_embedded(address, out->prefix_len);
	return found;
}

void locations_find(const struct image *locations, const struct ip_address *address,
		    struct located *out)
{
	(void)find(locations, address, false, out);
}

bool locations_find_source(const struct image *locations, const struct ip_address *address,
			   struct located *out)
{
	return find(locations, address, true, out);
}

const char *location_text(const struct image *locations, uint32_t offset)
{
	const struct locations_root *root = image_root(locations, struct locations_root);

	if (offset < root->texts_size)
		return image_at(locations, char, root->texts_off) + offset;
	return image_at(locations, char, root->more_texts_off) + (offset - root->texts_size);
}

const char *location_database(const struct image *locations, uint32_t database)
{
	const struct locations_root *root = image_root(locations, struct locations_root);

	if (database == LOCATION_NONE)
		return "";
	return location_text(locations,
			     image_at(locations, uint32_t, root->databases_off)[database]);
}
