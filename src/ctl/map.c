#include "ctl/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/field.h"
#include "ctl/map_parts.h"
#include "ctl/projection.h"

/* Okabe and Ito, "Color universal design" (2008), without black; then Tol's "muted" scheme (2021),
 * as far as it is not too near. */
static const uint32_t palette[] = { 0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0xd55e00,
				    0x56b4e9, 0xf0e442, 0x332288, 0x999933, 0x882255,
				    0x44aa99, 0xddcc77, 0x117733, 0xaa4499 };
#define PALETTE_SIZE (sizeof(palette) / sizeof(palette[0]))
#define NO_NODE      0x555555U /* answered without a node */
#define NO_CLIENTS   0xe4e4e4U

struct box {
	double x, y, width, height;
};

/* One of the two maps of a pool. */
struct sheet {
	FILE *out;
	const json_t *told, *pool, *sites;
	const char *when; /* "before", "after" */
	double top;       /* of its picture */
	struct box *taken;
	size_t taken_count, taken_cap;
};

/* --- text ------------------------------------------------------------------------------------- */

void map_put_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&': (void)fputs("&amp;", out); break;
		case '<': (void)fputs("&lt;", out); break;
		case '>': (void)fputs("&gt;", out); break;
		case '"': (void)fputs("&quot;", out); break;
		default:
			if ((unsigned char)*text >= ' ') /* XML has no control characters */
				(void)fputc(*text, out);
		}
	}
}

static double height_of_map(void)
{
	return (project(0, SOUTH).y - project(0, NORTH).y) * MAP_WIDTH / 2;
}

static struct map_point place_on(double top, double longitude, double latitude)
{
	struct map_point at = project(longitude, fmin(latitude, NORTH));

	return (struct map_point){ MARGIN + (at.x + 1) * MAP_WIDTH / 2,
				   top + (at.y - project(0, NORTH).y) * MAP_WIDTH / 2 };
}

/* --- who serves a country --------------------------------------------------------------------- */

/* The measure to judge a country by: the one that matters, where it has any of it. */
static const char *measure_of(const json_t *told, const json_t *country)
{
	static const char *const names[] = { "ipv4", "ipv6", "queries" };
	const json_t *amounts = json_object_get(country, "amounts");
	const char *demand = field_text(told, "demand");

	for (size_t i = 0; json_object_get(amounts, demand) == NULL && i < 3; i++)
		demand = json_object_get(amounts, names[i]) != NULL ? names[i] : demand;
	return demand;
}

double map_share_of(const json_t *object, const char *when, const char *measure)
{
	return json_number_value(json_object_get(json_object_get(object, when), measure));
}

static size_t site_number(const json_t *sites, const json_t *like)
{
	const json_t *site;
	size_t i;

	json_array_foreach(sites, i, site)
	{
		if (json_equal(json_object_get(site, "site"), json_object_get(like, "site")) &&
		    json_equal(json_object_get(site, "pool"), json_object_get(like, "pool")))
			break;
	}
	return i;
}

const char *map_site_name(const json_t *pool, const json_t *site)
{
	static char text[256];
	const char *name = field_text(site, "site"), *of = field_text(site, "pool");

	if (name[0] == '\0' || strcmp(of, field_text(pool, "name")) == 0)
		return name;
	(void)snprintf(text, sizeof(text), "%s/%s", of, name);
	return text;
}

uint32_t map_site_colour(const json_t *sites, size_t number)
{
	const json_t *site = json_array_get(sites, number);

	return json_is_null(json_object_get(site, "site")) ? NO_NODE
							   : palette[number % PALETTE_SIZE];
}

/* Mixed with white: 1 is the colour itself. */
uint32_t map_shade(uint32_t colour, double strength)
{
	uint32_t out = 0;

	for (unsigned shift = 0; shift <= 16; shift += 8) {
		double part = (double)(colour >> shift & 0xff);

		out |= (uint32_t)lround(255 - (255 - part) * strength) << shift;
	}
	return out;
}

double map_strength(double share)
{
	return 0.25 + 0.65 * share; /* never so pale that it looks like nobody's */
}

static uint32_t fill_of(const struct sheet *sheet, const json_t *country)
{
	const char *measure = measure_of(sheet->told, country);
	const json_t *site, *most = NULL;
	double largest = 0;
	size_t i;

	json_array_foreach(json_object_get(country, "sites"), i, site)
	{
		double share = map_share_of(site, sheet->when, measure);

		if (share > largest) {
			largest = share;
			most = site;
		}
	}
	if (most == NULL)
		return NO_CLIENTS;
	return map_shade(map_site_colour(sheet->sites, site_number(sheet->sites, most)),
			 map_strength(largest));
}

static bool has_moved(const struct sheet *sheet, const json_t *country)
{
	return strcmp(sheet->when, "after") == 0 &&
	       json_number_value(json_object_get(json_object_get(country, "moved"),
						 measure_of(sheet->told, country))) >= 0.05;
}

/* --- countries -------------------------------------------------------------------------------- */

static const json_t *country_called(const json_t *pool, const char *code)
{
	const json_t *country;
	size_t i;

	json_array_foreach(json_object_get(pool, "countries"), i, country)
	{
		if (strcmp(field_text(country, "country"), code) == 0)
			return country;
	}
	return NULL;
}

/* Each ring once, to be used by every map: where the map's own corner is at 0, 0. */
static void define_rings(const struct outlines *outlines, FILE *out)
{
	(void)fputs("<defs>\n", out);
	for (size_t i = 0; i < outlines->count; i++) {
		const struct outline *ring = &outlines->rings[i];

		(void)fprintf(out, "<path id=\"r%zu\" d=\"", i);
		for (size_t p = 0; p < ring->count; p++) {
			struct map_point at = place_on(0, (double)ring->points[p].longitude,
						       (double)ring->points[p].latitude);

			(void)fprintf(out, "%c%.1f %.1f", p == 0 ? 'M' : 'L', at.x, at.y);
		}
		(void)fputs("Z\"/>\n", out);
	}
	(void)fputs("</defs>\n", out);
}

static void put_style(const struct sheet *sheet, const json_t *country)
{
	bool moved = country != NULL && has_moved(sheet, country);

	(void)fprintf(sheet->out, " fill=\"#%06x\" stroke=\"%s\" stroke-width=\"%s\"",
		      country == NULL ? NO_CLIENTS : fill_of(sheet, country),
		      moved ? "#222" : "#fff", moved ? "0.8" : "0.4");
}

static void put_country_title(const struct sheet *sheet, const json_t *country)
{
	const char *measure = measure_of(sheet->told, country);
	const char *name = field_text(country, "name");
	const json_t *site;
	size_t i;

	(void)fputs("<title>", sheet->out);
	map_put_text(sheet->out, name[0] == '\0' ? field_text(country, "country") : name);
	json_array_foreach(json_object_get(country, "sites"), i, site)
	{
		double share = map_share_of(site, sheet->when, measure);

		if (share < 0.0005)
			continue;
		(void)fputs(", ", sheet->out);
		name = map_site_name(sheet->pool, site);
		map_put_text(sheet->out, name[0] == '\0' ? "no node" : name);
		(void)fprintf(sheet->out, " %.1f %%", share * 100);
	}
	(void)fputs("</title>", sheet->out);
}

static void put_rings(const struct sheet *sheet, const struct outlines *outlines, bool moved)
{
	for (size_t i = 0; i < outlines->count; i++) {
		const json_t *country = country_called(sheet->pool, outlines->rings[i].code);

		if ((country != NULL && has_moved(sheet, country)) != moved)
			continue;
		(void)fprintf(sheet->out, "<use href=\"#r%zu\"", i);
		put_style(sheet, country);
		(void)fputc('>', sheet->out);
		if (country != NULL)
			put_country_title(sheet, country);
		(void)fputs("</use>\n", sheet->out);
	}
}

static bool is_outlined(const struct outlines *outlines, const char *code)
{
	for (size_t i = 0; i < outlines->count; i++) {
		if (strcmp(outlines->rings[i].code, code) == 0)
			return true;
	}
	return false;
}

static void put_circles(const struct sheet *sheet, const struct map_world *world)
{
	const json_t *country;
	size_t i;

	json_array_foreach(json_object_get(sheet->pool, "countries"), i, country)
	{
		const char *code = field_text(country, "country");
		const struct country_row *row = country_table_row(&world->countries, code);
		struct map_point at;

		if (row == NULL || row->latitude < SOUTH || is_outlined(&world->outlines, code))
			continue;
		at = place_on(0, row->longitude, row->latitude);
		(void)fprintf(sheet->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"", at.x, at.y,
			      SMALL_COUNTRY_R);
		put_style(sheet, country);
		(void)fputc('>', sheet->out);
		put_country_title(sheet, country);
		(void)fputs("</circle>\n", sheet->out);
	}
}

static void put_sea(FILE *out)
{
	(void)fputs("<path fill=\"#f2f6f9\" stroke=\"#cfd8df\" d=\"", out);
	for (int side = -1; side <= 1; side += 2) {
		for (int step = 0; step <= 50; step++) {
			double at = step / 50.;
			double latitude = side < 0 ? SOUTH + at * (NORTH - SOUTH)
						   : NORTH - at * (NORTH - SOUTH);
			struct map_point point = place_on(0, side * 180., latitude);

			(void)fprintf(out, "%c%.1f %.1f", side < 0 && step == 0 ? 'M' : 'L',
				      point.x, point.y);
		}
	}
	(void)fputs("Z\"/>\n", out);
}

/* --- sites ------------------------------------------------------------------------------------ */

static bool overlaps(const struct box *a, const struct box *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static bool is_free(const struct sheet *sheet, const struct box *box)
{
	if (box->x < MARGIN || box->x + box->width > MARGIN + MAP_WIDTH)
		return false;
	for (size_t i = 0; i < sheet->taken_count; i++) {
		if (overlaps(&sheet->taken[i], box))
			return false;
	}
	return true;
}

/* Where a label of this width is beside a mark without covering others; else to the right. */
static struct box label_place(const struct sheet *sheet, struct map_point at, double width)
{
	const double gap = SITE_R + 3, middle = at.y - LABEL_H / 2;
	const struct box places[] = {
		{ at.x + gap, middle, width, LABEL_H },
		{ at.x - gap - width, middle, width, LABEL_H },
		{ at.x - width / 2, at.y - gap - LABEL_H, width, LABEL_H },
		{ at.x - width / 2, at.y + gap, width, LABEL_H },
		{ at.x + gap, at.y - gap - LABEL_H, width, LABEL_H },
		{ at.x + gap, at.y + gap, width, LABEL_H },
		{ at.x - gap - width, at.y - gap - LABEL_H, width, LABEL_H },
		{ at.x - gap - width, at.y + gap, width, LABEL_H },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (is_free(sheet, &places[i]))
			return places[i];
	}
	return places[0];
}

static struct map_point site_place(const json_t *site)
{
	return place_on(0, json_number_value(json_object_get(site, "longitude")),
			json_number_value(json_object_get(site, "latitude")));
}

/* Does it take no clients, for none of its nodes may? */
static bool is_out(const json_t *site, const char *when)
{
	const char *key = strcmp(when, "after") == 0 ? "state_after" : "state_before";
	const json_t *node;
	size_t i;

	json_array_foreach(json_object_get(site, "nodes"), i, node)
	{
		if (strcmp(field_text(node, key), "up") == 0)
			return false;
	}
	return true;
}

static void put_mark(const struct sheet *sheet, const json_t *site, size_t number)
{
	struct map_point at = site_place(site);
	bool out = is_out(site, sheet->when);

	(void)fprintf(sheet->out,
		      "<circle class=\"site\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" fill=\"#%06x\" "
		      "stroke=\"#000\" stroke-width=\"1.4\"/>\n",
		      at.x, at.y, SITE_R, out ? 0xffffffU : map_site_colour(sheet->sites, number));
	if (out)
		(void)fprintf(sheet->out,
			      "<path d=\"M%.1f %.1fl%g %gm0 %gl%g %g\" stroke=\"#c00\" "
			      "stroke-width=\"2.2\" fill=\"none\"/>\n",
			      at.x - SITE_R, at.y - SITE_R, 2 * SITE_R, 2 * SITE_R, -2 * SITE_R,
			      -2 * SITE_R, 2 * SITE_R);
}

static void put_label(struct sheet *sheet, const json_t *site)
{
	const char *name = map_site_name(sheet->pool, site);
	struct box box = label_place(sheet, site_place(site), (double)strlen(name) * LETTER_W);
	bool out = is_out(site, sheet->when);

	array_add(sheet->taken, sheet->taken_count, sheet->taken_cap) = box;
	(void)fprintf(sheet->out,
		      "<text x=\"%.1f\" y=\"%.1f\" class=\"label\" textLength=\"%.1f\" "
		      "fill=\"%s\"%s>",
		      box.x, box.y + LABEL_H - 3, box.width, out ? "#a00" : "#000",
		      out ? " text-decoration=\"line-through\"" : "");
	map_put_text(sheet->out, name);
	(void)fputs("</text>\n", sheet->out);
}

static void put_sites(struct sheet *sheet)
{
	const json_t *site;
	size_t i;

	sheet->taken_count = 0;
	json_array_foreach(sheet->sites, i, site)
	{
		struct map_point at = site_place(site);
		struct box mark = { at.x - SITE_R, at.y - SITE_R, 2 * SITE_R, 2 * SITE_R };

		if (json_is_null(json_object_get(site, "site")))
			continue;
		put_mark(sheet, site, i);
		array_add(sheet->taken, sheet->taken_count, sheet->taken_cap) = mark;
	}
	json_array_foreach(sheet->sites, i, site)
	{
		if (!json_is_null(json_object_get(site, "site")))
			put_label(sheet, site);
	}
}

/* --- one map ---------------------------------------------------------------------------------- */

static void put_sheet(struct sheet *sheet, const struct map_world *world, const char *caption)
{
	(void)fprintf(sheet->out,
		      "<text x=\"%g\" y=\"%g\" class=\"caption\">%s</text>\n"
		      "<g transform=\"translate(0 %g)\">\n",
		      MARGIN, sheet->top - 7, caption, sheet->top);
	put_sea(sheet->out);
	put_rings(sheet, &world->outlines, false);
	put_rings(sheet, &world->outlines, true);
	put_circles(sheet, world);
	put_sites(sheet);
	(void)fputs("</g>\n", sheet->out);
}

/* --- the page --------------------------------------------------------------------------------- */

static double height_of_pool(const json_t *pool)
{
	double legend = (double)(map_legend_rows(pool) + 8) * LINE_H;
	double maps = 2 * (CAPTION_H + height_of_map());

	return TITLE_H + fmax(maps, legend) + FOOTER_H;
}

static void put_verdict(const json_t *pool, double top, FILE *out)
{
	const json_t *holds = json_object_get(pool, "holds");

	(void)fprintf(out,
		      "<text x=\"%g\" y=\"%g\" class=\"title\" fill=\"%s\">capacity %s</text>\n",
		      LEGEND_X, top + 30,
		      json_is_true(holds)    ? "#060"
		      : json_is_false(holds) ? "#c00"
					     : "#666",
		      json_is_true(holds)    ? "holds"
		      : json_is_false(holds) ? "does not hold"
					     : "unknown");
}

static void put_title(const json_t *told, const json_t *pool, double top, FILE *out)
{
	const json_t *list = json_object_get(told, "supposed"), *what;
	const char *files = field_text(told, "files");
	size_t i;

	(void)fprintf(out, "<text x=\"%g\" y=\"%g\" class=\"title\">Pool ", MARGIN, top + 30);
	map_put_text(out, field_text(pool, "name"));
	(void)fputs(json_array_size(list) > 0 || files[0] != '\0' ? ", if: " : ", as it is", out);
	if (files[0] != '\0') {
		(void)fputs("files of ", out);
		map_put_text(out, files);
	}
	json_array_foreach(list, i, what)
	{
		const char *kind = field_text(what, "what");
		bool loaded = strcmp(kind, "load") == 0;

		(void)fprintf(out, "%s%s", i > 0 || files[0] != '\0' ? ", " : "",
			      loaded ? "load " : "");
		map_put_text(out, field_text(what, "object"));
		if (!loaded)
			(void)fprintf(out, " is %s",
				      strcmp(kind, "down") == 0 ? "down" : "drained");
	}
	(void)fputs("</text>\n", out);
	put_verdict(pool, top, out);
}

static void put_pool(const json_t *told, const json_t *pool, const struct map_world *world,
		     double top, FILE *out)
{
	struct sheet sheet = { .out = out,
			       .told = told,
			       .pool = pool,
			       .sites = json_object_get(pool, "sites"),
			       .when = "before",
			       .top = top + TITLE_H + CAPTION_H - 6 };

	put_title(told, pool, top, out);
	put_sheet(&sheet, world, "Before");
	sheet.when = "after";
	sheet.top += CAPTION_H + height_of_map();
	put_sheet(&sheet, world, "After");
	map_put_legend(told, pool, top + TITLE_H, out);
	free(sheet.taken);
}

void map_draw(const json_t *told, const struct map_world *world, FILE *out)
{
	const json_t *pools = json_object_get(told, "pools"), *pool;
	double height = 0, top = 0;
	size_t i;

	json_array_foreach(pools, i, pool) height += height_of_pool(pool);
	(void)fprintf(out,
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%.0f\" "
		      "viewBox=\"0 0 %g %.0f\" font-family=\"sans-serif\" font-size=\"13\">\n"
		      "<style>.title{font-size:20px;font-weight:bold}"
		      ".caption{font-size:14px;font-weight:bold}.number{text-anchor:end}"
		      ".small{font-size:11px;fill:#444}"
		      ".label{font-size:12px;stroke:#fff;stroke-width:3px;paint-order:stroke;"
		      "stroke-linejoin:round}</style>\n"
		      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		      PAGE_WIDTH, height, PAGE_WIDTH, height);
	define_rings(&world->outlines, out);
	json_array_foreach(pools, i, pool)
	{
		put_pool(told, pool, world, top, out);
		top += height_of_pool(pool);
	}
	(void)fprintf(
		out,
		"<text x=\"%g\" y=\"%.0f\" class=\"small\">Outlines: Natural Earth. Countries "
		"without one are circles.</text>\n</svg>\n",
		MARGIN, height - 10);
}
