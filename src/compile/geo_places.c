#include "compile/geo_places.h"

#include <stdlib.h>
#include <string.h>

#define NO_SPOT UINT32_MAX

struct placing {
	struct geo_spots *spots;
	const struct image *locations;
	const struct location *row_locations, *below_locations;
	const struct location_row *rows, *below_rows; /* below: NULL where there is no such file */
	struct breaks_cursor vendor, below;
	struct breaks *out;
	uint32_t *alone;    /* of each of row_locations: its spot, whatever is below; NO_SPOT */
	struct memo on_top; /* vendor's location, and row's -> spot */
};

/* Does a row say all that matchers see? Fields are the databases' alone. */
static bool hides_all(const struct placing *p, const struct location *row)
{
	const struct geo_clients *clients = p->spots->clients;

	return (row->has & LOCATION_IS_PLACE) != 0 && clients->config->field_count == 0 &&
	       (row->asn != 0 || clients->asns.count == 0);
}

static uint32_t add_spot(struct placing *p, uint32_t vendor, uint32_t below, uint32_t row)
{
	struct location location;

	location_read(p->locations, vendor, &location);
	if (below != 0)
		location_override(&location,
				  &p->below_locations[p->below_rows[below - 1].location]);
	location_override(&location, &p->row_locations[row]);
	return geo_spots_add(p->spots, &location);
}

static uint32_t spot_on_top(struct placing *p, uint32_t row)
{
	uint32_t vendor = cursor_value(&p->vendor);
	uint32_t *known;
	bool found;

	if (p->below_rows != NULL && cursor_value(&p->below) != 0)
		return add_spot(p, vendor, cursor_value(&p->below), row);
	known = memo_find(&p->on_top, (uint64_t)vendor << 32 | row, &found);
	if (!found)
		*known = add_spot(p, vendor, 0, row);
	return *known;
}

/* What lies below may change within the row's network. */
static void place_piecewise(struct placing *p, uint32_t row, address_bits start, bool is_last,
			    address_bits end)
{
	cursor_seek(&p->vendor, start);
	if (p->below_rows != NULL)
		cursor_seek(&p->below, start);
	for (;;) {
		address_bits next = 0, below;
		bool more = cursor_next(&p->vendor, &next);

		breaks_add(p->out, start, spot_on_top(p, row) + 1);
		if (p->below_rows != NULL && cursor_next(&p->below, &below) &&
		    (!more || below < next)) {
			next = below;
			more = true;
		}
		if (!more || (!is_last && next >= end))
			return;
		start = next;
		cursor_seek(&p->vendor, start);
		if (p->below_rows != NULL)
			cursor_seek(&p->below, start);
	}
}

static void place_row(struct placing *p, uint32_t row, address_bits start, bool is_last,
		      address_bits end)
{
	uint32_t *alone = &p->alone[row];

	if (!hides_all(p, &p->row_locations[row])) {
		place_piecewise(p, row, start, is_last, end);
		return;
	}
	if (*alone == NO_SPOT)
		*alone = add_spot(p, 0, 0, row);
	breaks_add(p->out, start, *alone + 1);
}

static void place_family(struct placing *p, struct breaks_cursor rows)
{
	address_bits start = 0, end = 0;

	for (bool more = true; more; start = end) {
		uint32_t row = cursor_value(&rows);

		more = cursor_next(&rows, &end);
		if (row == 0)
			breaks_add(p->out, start, 0);
		else
			place_row(p, p->rows[row - 1].location, start, !more, end);
		cursor_step(&rows);
	}
}

void geo_places_init(struct geo_places *places, struct geo_spots *spots,
		     const struct image *locations, const struct location_rows *rows,
		     const struct location_rows *below)
{
	const struct locations_root *root = image_root(locations, struct locations_root);
	struct placing p = {
		.spots = spots,
		.locations = locations,
		.row_locations = image_at(locations, struct location, rows->locations_off),
		.rows = image_at(locations, struct location_row, rows->rows_off),
	};

	*places = (struct geo_places){ .breaks = { { .family = IP_V4 }, { .family = IP_V6 } } };
	for (int family = 0; rows->row_count == 0 && family < 2; family++)
		breaks_add(&places->breaks[family], 0, 0);
	if (rows->row_count == 0)
		return;
	if (below != NULL && below->row_count > 0) {
		p.below_rows = image_at(locations, struct location_row, below->rows_off);
		p.below_locations = image_at(locations, struct location, below->locations_off);
	}
	p.alone = mem_array(rows->location_count, sizeof(*p.alone));
	memset(p.alone, 0xff, rows->location_count * sizeof(*p.alone));
	for (int family = 0; family < 2; family++) {
		p.out = &places->breaks[family];
		p.vendor = breaks_cursor_in(locations, &root->breaks.family[family]);
		if (p.below_rows != NULL)
			p.below = breaks_cursor_in(locations, &below->breaks.family[family]);
		place_family(&p, breaks_cursor_in(locations, &rows->breaks.family[family]));
	}
	memo_free(&p.on_top);
	free(p.alone);
}

void geo_places_free(struct geo_places *places)
{
	for (int family = 0; family < 2; family++)
		breaks_free(&places->breaks[family]);
}
