#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/field.h"
#include "ctl/map_parts.h"

#define ROWS_MAX 36 /* about as high as the two maps */

#define BEFORE_X      (LEGEND_X + 165)
#define AFTER_X       (LEGEND_X + 228)
#define SHADES_COLOUR 0x0072b2U /* for what they mean; any site's would do */

static void put_use(const json_t *site, double y, FILE *out)
{
	const json_t *use = json_object_get(json_object_get(site, "capacity"), "use_after");
	bool bad = json_is_false(json_object_get(site, "holds"));

	if (use == NULL)
		return;
	(void)fprintf(out,
		      "<text x=\"%g\" y=\"%g\" class=\"number\" fill=\"%s\"%s>%.0f %%</text>\n",
		      LEGEND_X + LEGEND_W, y, bad ? "#c00" : "#000",
		      bad ? " font-weight=\"bold\"" : "", json_number_value(use) * 100);
}

static void put_legend_row(const json_t *told, const json_t *pool, size_t number, double y,
			   FILE *out)
{
	const json_t *sites = json_object_get(pool, "sites"), *site = json_array_get(sites, number);
	const char *name = map_site_name(pool, site), *demand = field_text(told, "demand");

	(void)fprintf(out,
		      "<rect x=\"%g\" y=\"%g\" width=\"13\" height=\"13\" fill=\"#%06x\" "
		      "stroke=\"#444\" stroke-width=\"0.5\"/>\n<text x=\"%g\" y=\"%g\">",
		      LEGEND_X, y - 11, map_site_colour(sites, number), LEGEND_X + 20, y);
	map_put_text(out, name[0] == '\0' ? "(no node)" : name);
	(void)fprintf(out,
		      "</text>\n<text x=\"%g\" y=\"%g\" class=\"number\">%.1f %%</text>\n"
		      "<text x=\"%g\" y=\"%g\" class=\"number\" font-weight=\"bold\">%.1f %%"
		      "</text>\n",
		      BEFORE_X, y, map_share_of(site, "before", demand) * 100, AFTER_X, y,
		      map_share_of(site, "after", demand) * 100);
	put_use(site, y, out);
}

static bool is_use_known(const json_t *sites)
{
	const json_t *site;
	size_t i;

	json_array_foreach(sites, i, site)
	{
		if (json_object_get(json_object_get(site, "capacity"), "use_after") != NULL)
			return true;
	}
	return false;
}

static const char *clients_text(const json_t *told)
{
	const char *demand = field_text(told, "demand");

	return strcmp(demand, "ipv4") == 0   ? "IPv4 addresses"
	       : strcmp(demand, "ipv6") == 0 ? "IPv6 networks"
					     : "queries";
}

static void put_shades(double y, FILE *out)
{
	(void)fprintf(out, "<text x=\"%g\" y=\"%g\">of a country's clients:</text>\n", LEGEND_X, y);
	for (int i = 0; i < 5; i++) {
		double share = 0.2 + 0.2 * i, x = LEGEND_X + i * 46;

		(void)fprintf(
			out,
			"<rect x=\"%g\" y=\"%g\" width=\"46\" height=\"12\" fill=\"#%06x\"/>\n"
			"<text x=\"%g\" y=\"%g\" class=\"small\">%.0f %%</text>\n",
			x, y + 8, map_shade(SHADES_COLOUR, map_strength(share)), x + 10, y + 33,
			share * 100);
	}
	(void)fprintf(
		out,
		"<rect x=\"%g\" y=\"%g\" width=\"46\" height=\"12\" fill=\"#%06x\" "
		"stroke=\"#222\" stroke-width=\"0.8\"/>\n<text x=\"%g\" y=\"%g\">gets another "
		"site</text>\n",
		LEGEND_X, y + 45, map_shade(SHADES_COLOUR, 0.5), LEGEND_X + 54, y + 56);
}

size_t map_legend_rows(const json_t *pool)
{
	size_t sites = json_array_size(json_object_get(pool, "sites"));

	return sites < ROWS_MAX ? sites : ROWS_MAX;
}

struct ordered {
	size_t site;
	double share;
};

static int larger_first(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->share != y->share)
		return x->share < y->share ? 1 : -1;
	return x->site < y->site ? -1 : x->site > y->site;
}

/* Where there is no room for all; else they stand as the pool has them. */
static struct ordered *largest_first(const json_t *told, const json_t *sites)
{
	const char *demand = field_text(told, "demand");
	size_t count = json_array_size(sites);
	struct ordered *order = mem_array(count + 1, sizeof(*order));

	for (size_t i = 0; i < count; i++) {
		const json_t *site = json_array_get(sites, i);

		order[i].site = i;
		if (count > ROWS_MAX)
			order[i].share = fmax(map_share_of(site, "before", demand),
					      map_share_of(site, "after", demand));
	}
	if (count > 0)
		qsort(order, count, sizeof(*order), larger_first);
	return order;
}

void map_put_legend(const json_t *told, const json_t *pool, double top, FILE *out)
{
	const json_t *sites = json_object_get(pool, "sites");
	size_t rows = map_legend_rows(pool);
	struct ordered *order;
	double y = top + 14;

	(void)fprintf(out, "<text x=\"%g\" y=\"%g\" class=\"caption\">Site</text>\n", LEGEND_X, y);
	(void)fprintf(out, "<text x=\"%g\" y=\"%g\" class=\"number\">before</text>\n", BEFORE_X, y);
	(void)fprintf(out, "<text x=\"%g\" y=\"%g\" class=\"number\">after</text>\n", AFTER_X, y);
	if (is_use_known(sites))
		(void)fprintf(out, "<text x=\"%g\" y=\"%g\" class=\"number\">used</text>\n",
			      LEGEND_X + LEGEND_W, y);
	order = largest_first(told, sites);
	for (size_t i = 0; i < rows; i++) {
		y += LINE_H;
		put_legend_row(told, pool, order[i].site, y, out);
	}
	free(order);
	if (rows < json_array_size(sites)) {
		y += LINE_H;
		(void)fprintf(out, "<text x=\"%g\" y=\"%g\">and %zu sites with less</text>\n",
			      LEGEND_X + 20, y, json_array_size(sites) - rows);
	}
	y += LINE_H + 4;
	(void)fprintf(out, "<text x=\"%g\" y=\"%g\" class=\"small\">shares of %s%s</text>\n",
		      LEGEND_X, y, clients_text(told),
		      is_use_known(sites) ? "; used: capacity, after" : "");
	put_shades(y + 2 * LINE_H, out);
}
