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

/* Break points as words: IPv4 in the upper half of `high`, so that prefix lengths are its own. */
static struct ip6_words start_at(const struct image *locations, const struct locations_root *root,
				 uint8_t family, uint32_t i)
{
	if (family == IP_V6)
		return image_at(locations, struct ip6_words, root->v6_start_off)[i];
	return (struct ip6_words){ (uint64_t)image_at(locations, uint32_t, root->v4_start_off)[i]
					   << 32,
				   0 };
}

static uint32_t find_break(const struct image *locations, const struct locations_root *root,
			   uint8_t family, struct ip6_words at)
{
	uint32_t low = 0; /* starts at or before the address */
	uint32_t high = family == IP_V4 ? root->v4_count : root->v6_count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (not_after(start_at(locations, root, family, middle), at))
			low = middle;
		else
			high = middle;
	}
	return low;
}

static const struct location *family_find(const struct image *locations,
					  const struct ip_address *address, uint8_t *prefix_len)
{
	const struct locations_root *root = image_root(locations, struct locations_root);
	bool v4 = address->family == IP_V4;
	struct ip6_words at = words_of(address);
	uint32_t i = find_break(locations, root, address->family, at);
	bool last = i + 1 == (v4 ? root->v4_count : root->v6_count);
	struct ip6_words next = { 0, 0 };
	uint32_t value;

	if (!last)
		next = start_at(locations, root, address->family, i + 1);
	*prefix_len = prefix_within(at, start_at(locations, root, address->family, i),
				    last ? NULL : &next);
	value = image_at(locations, uint32_t, v4 ? root->v4_value_off : root->v6_value_off)[i];
	return image_at(locations, struct location, root->locations_off) + value;
}

const struct location *locations_find(const struct image *locations,
				      const struct ip_address *address, uint8_t *prefix_len)
{
	const struct location *location;
	struct ip_address v4;

	if (geo_embedded_ipv4(address, &v4)) {
		location = family_find(locations, &v4, prefix_len);
		*prefix_len = (uint8_t)(*prefix_len + 96);
		return location;
	}
	location = family_find(locations, address, prefix_len);
	if (address->family == IP_V6)
		*prefix_len = geo_exclude_embedded(address, *prefix_len);
	return location;
}

const char *location_text(const struct image *locations, uint32_t offset)
{
	const struct locations_root *root = image_root(locations, struct locations_root);

	return image_at(locations, char, root->texts_off) + offset;
}

const char *location_database(const struct image *locations, uint32_t database)
{
	const struct locations_root *root = image_root(locations, struct locations_root);

	if (database == LOCATION_NONE)
		return "";
	return location_text(locations,
			     image_at(locations, uint32_t, root->databases_off)[database]);
}

/* --- verification -------------------------------------------------------------------------- */

static int verify_tables(const struct image *locations, const struct locations_root *root,
			 struct err *err)
{
	if (!image_holds(locations, root->v4_start_off, root->v4_count, 4, 4) ||
	    !image_holds(locations, root->v4_value_off, root->v4_count, 4, 4) ||
	    !image_holds(locations, root->v6_start_off, root->v6_count, 16, 8) ||
	    !image_holds(locations, root->v6_value_off, root->v6_count, 4, 4) ||
	    !image_holds(locations, root->locations_off, root->location_count,
			 sizeof(struct location), 4) ||
	    !image_holds(locations, root->databases_off, root->database_count, 4, 4) ||
	    !image_holds(locations, root->texts_off, root->texts_size, 1, 1))
		return err_set(err, "locations image: a table does not lie inside");
	if (root->v4_count == 0 || root->v6_count == 0 || root->location_count == 0)
		return err_set(err, "locations image: a table is empty");
	if (root->texts_size == 0 || location_text(locations, 0)[0] != '\0' ||
	    location_text(locations, 0)[root->texts_size - 1] != '\0')
		return err_set(err, "locations image: its texts have no end");
	return 0;
}

static int verify_breaks(const struct image *locations, const struct locations_root *root,
			 uint8_t family, struct err *err)
{
	uint32_t count = family == IP_V4 ? root->v4_count : root->v6_count;
	const uint32_t *values = image_at(
		locations, uint32_t, family == IP_V4 ? root->v4_value_off : root->v6_value_off);
	struct ip6_words last = start_at(locations, root, family, 0);

	if (last.high != 0 || last.low != 0)
		return err_set(err, "locations image: IPv%u does not start at zero", family);
	for (uint32_t i = 0; i < count; i++) {
		struct ip6_words start = start_at(locations, root, family, i);

		if (i > 0 && not_after(start, last))
			return err_set(err, "locations image: IPv%u break point %u is out of order",
				       family, i);
		if (values[i] >= root->location_count)
			return err_set(err, "locations image: IPv%u break point %u has location %u",
				       family, i, values[i]);
		last = start;
	}
	return 0;
}

static bool is_database(const struct locations_root *root, uint32_t database)
{
	return database < root->database_count || database == LOCATION_NONE;
}

static int verify_location(const struct location *l, const struct locations_root *root,
			   uint32_t number, struct err *err)
{
	if (l->city >= root->texts_size || l->subdivision >= root->texts_size)
		return err_set(err, "locations image: location %u has a text out of range", number);
	if (!is_database(root, l->country_database) ||
	    !is_database(root, l->coordinates_database) || !is_database(root, l->asn_database) ||
	    !is_database(root, l->city_database))
		return err_set(err, "locations image: location %u has a database out of range",
			       number);
	if (!(fabsf(l->latitude) <= 90.0F) || !(fabsf(l->longitude) <= 180.0F))
		return err_set(err, "locations image: location %u is nowhere on Earth", number);
	return 0;
}

int locations_verify(const struct image *locations, struct err *err)
{
	const struct locations_root *root = image_root(locations, struct locations_root);

	if (!image_holds(locations, IMAGE_ROOT, 1, sizeof(*root), 8))
		return err_set(err, "locations image: too short");
	if (verify_tables(locations, root, err) != 0 ||
	    verify_breaks(locations, root, IP_V4, err) != 0 ||
	    verify_breaks(locations, root, IP_V6, err) != 0)
		return -1;
	for (uint32_t i = 0; i < root->location_count; i++)
		if (verify_location(image_at(locations, struct location, root->locations_off) + i,
				    root, i, err) != 0)
			return -1;
	for (uint32_t i = 0; i < root->database_count; i++)
		if (image_at(locations, uint32_t, root->databases_off)[i] >= root->texts_size)
			return err_set(err, "locations image: database %u has no name", i);
	return 0;
}
