#include <math.h>

#include "image/locations.h"

/* What may stand in one table's break points, and in its locations. */
struct check {
	const struct image *locations; /* of the databases' part: up to its end, for it is copied */
	const struct locations_root *root;
	const char *table;
	uint64_t texts_size;
	struct err *err;
};

static int verify_breaks(const struct check *c, const struct location_breaks *breaks,
			 uint32_t limit)
{
	if (breaks_verify(c->locations, &breaks->family[0], true, limit, c->table, c->err) != 0)
		return -1;
	return breaks_verify(c->locations, &breaks->family[1], false, limit, c->table, c->err);
}

static bool is_database(const struct check *c, uint32_t database)
{
	return database < c->root->database_count || database == LOCATION_NONE;
}

static bool is_text(const struct check *c, uint32_t text)
{
	return text < c->texts_size;
}

static int verify_location(const struct check *c, const struct location *l, uint32_t number)
{
	if (!is_text(c, l->city) || !is_text(c, l->subdivision) || !is_text(c, l->subdivision_name))
		return err_set(c->err, "locations image: %s: location %u has a text out of range",
			       c->table, number);
	if (!is_database(c, l->country_database) || !is_database(c, l->coordinates_database) ||
	    !is_database(c, l->asn_database) || !is_database(c, l->city_database))
		return err_set(c->err,
			       "locations image: %s: location %u has a database out of range",
			       c->table, number);
	if (!(fabsf(l->latitude) <= 90.0F) || !(fabsf(l->longitude) <= 180.0F))
		return err_set(c->err, "locations image: %s: location %u is nowhere on Earth",
			       c->table, number);
	if (l->fields >= c->root->field_set_count)
		return err_set(c->err, "locations image: %s: location %u has fields out of range",
			       c->table, number);
	return 0;
}

static int verify_locations(const struct check *c, uint64_t offset, uint32_t count)
{
	if (!image_holds(c->locations, offset, count, sizeof(struct location), 4))
		return err_set(c->err, "locations image: %s: locations do not lie inside",
			       c->table);
	for (uint32_t i = 0; i < count; i++)
		if (verify_location(c, image_at(c->locations, struct location, offset) + i, i) != 0)
			return -1;
	return 0;
}

static int verify_place(const struct check *c, const struct location_place *p, uint32_t number)
{
	if (!is_text(c, p->city) || !is_text(c, p->subdivision) || !is_text(c, p->subdivision_name))
		return err_set(c->err, "locations image: %s: location %u has a text out of range",
			       c->table, number);
	if (!(fabsf(p->latitude) <= 90.0F) || !(fabsf(p->longitude) <= 180.0F))
		return err_set(c->err, "locations image: %s: location %u is nowhere on Earth",
			       c->table, number);
	if (p->origin >= c->root->origin_count)
		return err_set(c->err, "locations image: %s: location %u has no origin", c->table,
			       number);
	return 0;
}

static int verify_origin(const struct check *c, const struct location_origin *o, uint32_t number)
{
	if (!is_database(c, o->country_database) || !is_database(c, o->coordinates_database) ||
	    !is_database(c, o->asn_database) || !is_database(c, o->city_database))
		return err_set(c->err, "locations image: origin %u has a database out of range",
			       number);
	if (o->fields >= c->root->field_set_count)
		return err_set(c->err, "locations image: origin %u has fields out of range",
			       number);
	return 0;
}

static int verify_places(const struct check *c)
{
	const struct locations_root *root = c->root;

	if (!image_holds(c->locations, root->places_off, root->location_count,
			 sizeof(struct location_place), 4) ||
	    !image_holds(c->locations, root->origins_off, root->origin_count,
			 sizeof(struct location_origin), 4))
		return err_set(c->err, "locations image: %s: locations do not lie inside",
			       c->table);
	for (uint32_t i = 0; i < root->location_count; i++)
		if (verify_place(
			    c, image_at(c->locations, struct location_place, root->places_off) + i,
			    i) != 0)
			return -1;
	for (uint32_t i = 0; i < root->origin_count; i++)
		if (verify_origin(
			    c,
			    image_at(c->locations, struct location_origin, root->origins_off) + i,
			    i) != 0)
			return -1;
	return 0;
}

static int verify_rows(const struct image *locations, const struct location_rows *table,
		       const char *name, struct err *err)
{
	const struct locations_root *root = image_root(locations, struct locations_root);
	struct check c = { locations, root, name, root->texts_size + root->more_texts_size, err };
	const struct location_row *rows;

	if (!is_text(&c, table->file))
		return err_set(err, "locations image: %s: has no name", name);
	if (table->row_count == 0 && table->breaks.family[0].count == 0 &&
	    table->breaks.family[1].count == 0)
		return 0; /* there is no such file */
	if (!image_holds(locations, table->rows_off, table->row_count, sizeof(*rows), 4))
		return err_set(err, "locations image: %s: rows do not lie inside", name);
	rows = image_at(locations, struct location_row, table->rows_off);
	for (uint32_t i = 0; i < table->row_count; i++)
		if (rows[i].location >= table->location_count)
			return err_set(err, "locations image: %s: row %u has location %u", name, i,
				       rows[i].location);
	if (verify_locations(&c, table->locations_off, table->location_count) != 0)
		return -1;
	return verify_breaks(&c, &table->breaks, table->row_count + 1);
}

static int verify_texts(const struct image *locations, uint64_t offset, uint64_t size,
			struct err *err)
{
	const char *texts;

	if (!image_holds(locations, offset, size, 1, 1) || size == 0)
		return err_set(err, "locations image: its texts do not lie inside");
	texts = image_at(locations, char, offset);
	if (texts[0] != '\0' || texts[size - 1] != '\0')
		return err_set(err, "locations image: its texts have no end");
	return 0;
}

/* The next image gets this part as it is, but a root of its own: nothing may lie in that. */
static bool is_behind_root(const struct locations_root *root)
{
	const struct break_list *lists = root->breaks.family;
	const uint64_t offsets[] = { lists[0].heads_off,  lists[1].heads_off,  lists[0].starts_off,
				     lists[1].starts_off, lists[0].values_off, lists[1].values_off,
				     root->places_off,    root->origins_off,   root->databases_off,
				     root->texts_off,     root->field_sets_off };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		if (offsets[i] < IMAGE_ROOT + sizeof(*root))
			return false;
	return true;
}

static int verify_databases(const struct image *locations, struct err *err)
{
	const struct locations_root *root = image_root(locations, struct locations_root);
	const struct image part = { locations->base, (size_t)root->databases_end };
	struct check c = { &part, root, "databases", root->texts_size, err };

	if (verify_texts(&part, root->texts_off, root->texts_size, err) != 0)
		return -1;
	if (!image_holds(&part, root->databases_off, root->database_count, 4, 4) ||
	    root->field_set_count == 0 || root->field_words == 0 ||
	    !image_holds(&part, root->field_sets_off, root->field_set_count,
			 (size_t)root->field_words * 8, 8) ||
	    root->location_count == 0 || !is_behind_root(root))
		return err_set(err, "locations image: a table does not lie inside");
	for (uint32_t i = 0; i < root->database_count; i++)
		if (!is_text(&c, image_at(&part, uint32_t, root->databases_off)[i]))
			return err_set(err, "locations image: database %u has no name", i);
	if (verify_places(&c) != 0)
		return -1;
	return verify_breaks(&c, &root->breaks, root->location_count);
}

int locations_verify(const struct image *locations, struct err *err)
{
	const struct locations_root *root = image_root(locations, struct locations_root);

	if (!image_holds(locations, IMAGE_ROOT, 1, sizeof(*root), 8))
		return err_set(err, "locations image: too short");
	if (root->databases_end < IMAGE_ROOT + sizeof(*root) ||
	    root->databases_end > locations->size)
		return err_set(err, "locations image: the databases' part has no end");
	if (verify_databases(locations, err) != 0 ||
	    verify_texts(locations, root->more_texts_off, root->more_texts_size, err) != 0 ||
	    verify_rows(locations, &root->overrides, "overrides", err) != 0)
		return -1;
	return verify_rows(locations, &root->resolvers, "resolvers", err);
}
