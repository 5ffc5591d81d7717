#include "ctl/space.h"

#include <ctype.h>
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "image/locations.h"

/* A place in address space: the upper 64 bits of an address, IPv4 in the upper half of them. What
 * is finer than that (IPv6 networks beyond /64) weighs nothing among networks of 48 bits. */
struct unicast {
	uint8_t family;
	uint64_t first, end;
	double unit; /* of a position, in what the measure counts */
};

static const struct unicast unicast[] = {
	[MEASURE_IPV4] = { IP_V4, UINT64_C(1) << 56, UINT64_C(224) << 56, 0x1p-32 },
	[MEASURE_IPV6] = { IP_V6, UINT64_C(0x2000000000000000), UINT64_C(0x4000000000000000),
			   0x1p-16 },
};

/* --- countries -------------------------------------------------------------------------------- */

uint32_t space_country(const char code[2])
{
	if (code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z')
		return SPACE_NOWHERE;
	return (uint32_t)((code[0] - 'A') * 26 + code[1] - 'A');
}

void space_country_code(uint32_t country, char code[3])
{
	if (country >= SPACE_NOWHERE) {
		code[0] = '\0';
		return;
	}
	code[0] = (char)('A' + country / 26);
	code[1] = (char)('A' + country % 26);
	code[2] = '\0';
}

/* --- cells ------------------------------------------------------------------------------------ */

static uint32_t slot_of(const struct space *space, const struct space_cell *cell)
{
	uint64_t key = (uint64_t)cell->classes[0] << 32 | cell->classes[1];
	uint32_t slot = (uint32_t)hash_word(key ^ (uint64_t)cell->country << 20) &
			(space->index_size - 1);

	for (; space->index[slot] != 0; slot = (slot + 1) & (space->index_size - 1)) {
		const struct space_cell *there = &space->cells[space->index[slot] - 1];

		if (there->country == cell->country && there->classes[0] == cell->classes[0] &&
		    there->classes[1] == cell->classes[1])
			break;
	}
	return slot;
}

static void grow_index(struct space *space)
{
	free(space->index);
	space->index_size = space->index_size == 0 ? 1024 : space->index_size * 2;
	space->index = mem_array(space->index_size, sizeof(*space->index));
	for (uint32_t i = 0; i < space->count; i++)
		space->index[slot_of(space, &space->cells[i])] = i + 1;
}

/* The cell of these classes and this country, made where there is none. */
static struct space_cell *have(struct space *space, const struct space_cell *like)
{
	uint32_t slot;

	if (space->count * 2 >= space->index_size)
		grow_index(space);
	slot = slot_of(space, like);
	if (space->index[slot] == 0) {
		array_add(space->cells, space->count, space->cap) = *like;
		memset(space->cells[space->count - 1].amount, 0, sizeof(like->amount));
		space->index[slot] = space->count;
	}
	return &space->cells[space->index[slot] - 1];
}

static void add(struct space *space, const struct space_cell *cell, enum measure measure,
		double amount)
{
	have(space, cell)->amount[measure] += amount;
	space->total[measure] += amount;
}

void space_add(struct space *space, const struct space_cell *cell)
{
	struct space_cell *to = have(space, cell);

	for (int m = 0; m < MEASURES; m++) {
		to->amount[m] += cell->amount[m];
		space->total[m] += cell->amount[m];
	}
}

void space_free(struct space *space)
{
	free(space->cells);
	free(space->index);
}

/* --- walking ---------------------------------------------------------------------------------- */

/* Where a walk through what is known of one family is. */
struct walk {
	const struct image *image; /* NULL: nothing is known of anybody */
	const struct locations_root *root;
	struct breaks_cursor databases, overrides;
};

/* Positions are the upper halves of addresses: what begins within one counts from the next one on. */
static bool break_behind(const struct breaks_cursor *cursor, uint64_t *position)
{
	address_bits next;

	if (!cursor_next(cursor, &next))
		return false;
	*position = (uint64_t)(next >> 64) + ((uint64_t)next != 0);
	return true;
}

/* The value at a position, which only grows from call to call; *end: where another one begins. */
static uint32_t value_at(struct breaks_cursor *cursor, uint64_t position, uint64_t *end)
{
	uint64_t next;

	if (cursor->count == 0)
		return 0;
	while (break_behind(cursor, &next) && next <= position)
		cursor_step(cursor);
	if (break_behind(cursor, &next) && next < *end)
		*end = next;
	return cursor_value(cursor);
}

static const struct location *overriding(const struct walk *walk, uint32_t value)
{
	const struct location_rows *rows = &walk->root->overrides;

	if (value == 0)
		return NULL;
	return image_at(walk->image, struct location, rows->locations_off) +
	       image_at(walk->image, struct location_row, rows->rows_off)[value - 1].location;
}

/* The country of a network; *end: where the next network begins. */
static uint32_t country_at(struct walk *walk, uint64_t position, uint64_t *end, bool *known)
{
	uint32_t number = value_at(&walk->databases, position, end);
	const struct location_place *place =
		image_at(walk->image, struct location_place, walk->root->places_off) + number;
	const struct location *row = overriding(walk, value_at(&walk->overrides, position, end));

	*known = number != 0 || row != NULL;
	if (row != NULL && (row->has & LOCATION_IS_PLACE) != 0)
		return space_country(row->country);
	return space_country(place->country);
}

/* The same for all neighbours of one country. */
static uint32_t walk_country(struct walk *walk, uint64_t position, uint64_t *end, bool *known)
{
	uint64_t limit = *end, next = *end;
	uint32_t country;
	bool next_known;

	*known = false;
	if (walk->image == NULL)
		return SPACE_NOWHERE;
	country = country_at(walk, position, end, known);
	while (*end < limit && country_at(walk, *end, &next, &next_known) == country &&
	       next_known == *known) {
		*end = next;
		next = limit;
	}
	return country;
}

static struct ip_address address_at(uint8_t family, uint64_t position)
{
	struct ip_address address = { .family = family };
	uint64_t word = htobe64(position);

	memcpy(address.bytes, &word, family == IP_V4 ? 4 : sizeof(word));
	return address;
}

/* The class at a position; *end: where it may be another one. */
static uint32_t class_at(const struct image *geo, uint8_t family, uint64_t position, uint64_t *end)
{
	struct ip_address address = address_at(family, position);
	struct geo_match match = geo_find(geo, &address);
	uint64_t size = match.prefix_len >= 64 ? 1
			: match.prefix_len < 2 ? UINT64_C(1) << 62
					       : UINT64_C(1) << (64 - match.prefix_len);
	uint64_t last = position | (size - 1); /* what comes after may be beyond 64 bits */

	if (last < *end - 1)
		*end = last + 1;
	return match.class_id;
}

static void measure_family(struct space *known, struct space *unknown, enum measure measure,
			   struct walk *walk, const struct image *before, const struct image *after)
{
	const struct unicast *range = &unicast[measure];
	bool is_known;

	for (uint64_t at = range->first, end; at < range->end; at = end) {
		struct space_cell cell = { .country = 0 };

		end = range->end;
		cell.country = walk_country(walk, at, &end, &is_known);
		for (uint64_t from = at, to; from < end; from = to) {
			to = end;
			cell.classes[0] = class_at(before, range->family, from, &to);
			cell.classes[1] = cell.classes[0];
			if (after != before)
				cell.classes[1] = class_at(after, range->family, from, &to);
			cell.example = address_at(range->family, from);
			add(is_known ? known : unknown, &cell, measure,
			    (double)(to - from) * range->unit);
		}
	}
}

static struct walk walk_start(const struct image *locations, uint8_t family)
{
	struct walk walk = { .image = NULL };

	if (locations->base == NULL)
		return walk;
	walk.image = locations;
	walk.root = image_root(locations, struct locations_root);
	walk.databases = breaks_cursor_in(locations, &walk.root->breaks.family[family == IP_V6]);
	walk.overrides = breaks_cursor_in(locations,
					  &walk.root->overrides.breaks.family[family == IP_V6]);
	return walk;
}

void space_measure(struct space *out, const struct image *locations, const struct image *before,
		   const struct image *after)
{
	struct space unknown = { 0 };

	*out = (struct space){ 0 };
	for (int measure = MEASURE_IPV4; measure <= MEASURE_IPV6; measure++) {
		struct walk walk = walk_start(locations, unicast[measure].family);

		measure_family(out, &unknown, (enum measure)measure, &walk, before, after);
	}
	if (out->count == 0) { /* without databases everybody is nowhere, and counts */
		struct space swap = *out;

		*out = unknown;
		unknown = swap;
	}
	space_free(&unknown);
}

/* --- profiles --------------------------------------------------------------------------------- */

struct profile_line {
	char clients[IP_PREFIX_SIZE];
	double queries;
};

static bool parse_line(char *text, struct profile_line *out)
{
	char *save = NULL, *end;
	const char *clients = strtok_r(text, " \t", &save);
	const char *queries = strtok_r(NULL, " \t", &save);

	if (clients == NULL || queries == NULL || strtok_r(NULL, " \t", &save) != NULL ||
	    strlen(clients) >= sizeof(out->clients))
		return false;
	(void)snprintf(out->clients, sizeof(out->clients), "%s", clients);
	out->queries = strtod(queries, &end);
	return *end == '\0' && out->queries >= 0 && isfinite(out->queries);
}

static double spatial(const struct space_cell *cell, bool v6)
{
	return cell->amount[v6 ? MEASURE_IPV6 : MEASURE_IPV4];
}

/* false: nothing is known to be in this country. */
static bool add_country(struct space *space, uint32_t country, double queries)
{
	double sums[2] = { 0, 0 };
	bool v6;

	for (uint32_t i = 0; i < space->count; i++) {
		if (space->cells[i].country == country) {
			sums[0] += spatial(&space->cells[i], false);
			sums[1] += spatial(&space->cells[i], true);
		}
	}
	v6 = sums[0] <= 0;
	if (sums[v6] <= 0)
		return false;
	for (uint32_t i = 0; i < space->count; i++) {
		if (space->cells[i].country == country)
			space->cells[i].amount[MEASURE_QUERIES] += queries *
								   spatial(&space->cells[i], v6) /
								   sums[v6];
	}
	space->total[MEASURE_QUERIES] += queries;
	return true;
}

static void add_network(struct space *space, const struct ip_address *address, double queries,
			const struct image *locations, const struct image *before,
			const struct image *after)
{
	struct space_cell cell = {
		.classes = { geo_find(before, address).class_id,
			     geo_find(after, address).class_id },
		.country = SPACE_NOWHERE,
	};
	struct located located;

	if (locations->base != NULL) {
		locations_find(locations, address, &located);
		cell.country = space_country(located.location.country);
	}
	add(space, &cell, MEASURE_QUERIES, queries);
}

int space_read_profile(struct space *space, FILE *file, const char *path,
		       const struct image *locations, const struct image *before,
		       const struct image *after, struct err *err)
{
	struct profile_line line = { .queries = 0 };
	struct ip_prefix prefix;
	char *text = NULL;
	size_t size = 0;
	int rc = 0;

	for (unsigned number = 1; rc == 0 && getline(&text, &size, file) >= 0; number++) {
		text[strcspn(text, "#\r\n")] = '\0';
		if (text[strspn(text, " \t")] == '\0')
			continue;
		if (!parse_line(text, &line))
			rc = err_set(err, "%s:%u: not \"CLIENTS QUERIES\"", path, number);
		else if (ip_prefix_parse(line.clients, &prefix, NULL))
			add_network(space, &prefix.address, line.queries, locations, before, after);
		else if (strlen(line.clients) != 2 || space_country(line.clients) == SPACE_NOWHERE)
			rc = err_set(err, "%s:%u: \"%s\" is neither a network nor a country", path,
				     number, line.clients);
		else if (!add_country(space, space_country(line.clients), line.queries))
			rc = err_set(err, "%s:%u: no network is known to be in %s", path, number,
				     line.clients);
	}
	free(text);
	if (rc == 0 && space->total[MEASURE_QUERIES] <= 0)
		rc = err_set(err, "%s: it tells of no queries", path);
	return rc;
}
