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

static bool not_after(struct ip6_words a, struct ip6_words b)
{
	return a.high != b.high ? a.high < b.high : a.low <= b.low;
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

/* --- break points -------------------------------------------------------------------------- */

static uint32_t break_count(const struct location_breaks *breaks, uint8_t family)
{
	return family == IP_V4 ? breaks->v4_count : breaks->v6_count;
}

/* As words: IPv4 in the upper half of `high`, so that prefix lengths are its own. */
static struct ip6_words start_at(const struct image *locations,
				 const struct location_breaks *breaks, uint8_t family, uint32_t i)
{
	if (family == IP_V6)
		return image_at(locations, struct ip6_words, breaks->v6_start_off)[i];
	return (struct ip6_words){ (uint64_t)image_at(locations, uint32_t, breaks->v4_start_off)[i]
					   << 32,
				   0 };
}

static uint32_t value_at(const struct image *locations, const struct location_breaks *breaks,
			 uint8_t family, uint32_t i)
{
	return image_at(locations, uint32_t,
			family == IP_V4 ? breaks->v4_value_off : breaks->v6_value_off)[i];
}

static uint32_t find_break(const struct image *locations, const struct location_breaks *breaks,
			   uint8_t family, struct ip6_words at)
{
	uint32_t low = 0; /* starts at or before the address */
	uint32_t high = break_count(breaks, family);

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (not_after(start_at(locations, breaks, family, middle), at))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The value at an address; *prefix_len grows to that of the longest prefix that has it. */
static uint32_t breaks_find(const struct image *locations, const struct location_breaks *breaks,
			    const struct ip_address *address, uint8_t *prefix_len)
{
	struct ip6_words at = words_of(address);
	uint32_t i = find_break(locations, breaks, address->family, at);
	bool is_last = i + 1 == break_count(breaks, address->family);
	struct ip6_words next = { 0, 0 };
	uint8_t len;

	if (!is_last)
		next = start_at(locations, breaks, address->family, i + 1);
	len = prefix_within(at, start_at(locations, breaks, address->family, i),
			    is_last ? NULL : &next);
	if (len > *prefix_len)
		*prefix_len = len;
	return value_at(locations, breaks, address->family, i);
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
	out->vendor = image_at(locations, struct location, root->locations_off) + number;
	out->location = *out->vendor;
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
