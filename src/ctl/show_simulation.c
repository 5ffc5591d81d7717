#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/columns.h"
#include "ctl/field.h"
#include "ctl/simulate.h"

#define COUNTRIES_SHOWN 15

static double share(const json_t *shares, const char *measure)
{
	return json_number_value(json_object_get(shares, measure));
}

/* What stands behind the nodes goes by its pool. */
static const char *site_name(const json_t *site, const char *pool)
{
	static char text[256];
	const char *name = json_string_value(json_object_get(site, "site"));
	const char *of = field_text(site, "pool");

	if (name == NULL)
		(void)snprintf(text, sizeof(text), "(no node of %s)", of);
	else if (strcmp(of, pool) == 0)
		return name;
	else
		(void)snprintf(text, sizeof(text), "%s/%s", of, name);
	return text;
}

/* --- sites ------------------------------------------------------------------------------------ */

static const struct {
	const char *key, *heading, *what;
} measures[] = { { "ipv4", ">IPV4|>THEN|", "IPv4 addresses" },
		 { "ipv6", ">IPV6|>THEN|", "IPv6 networks of 48 bits" },
		 { "queries", ">QUERIES|>THEN|", "queries" } };
#define MEASURES_TOLD (sizeof(measures) / sizeof(measures[0]))

static bool is_measured(const json_t *told, size_t measure)
{
	return json_object_get(json_object_get(told, "totals"), measures[measure].key) != NULL;
}

static void cell_percent(struct columns *table, enum ink ink, double of_one)
{
	columns_cell(table, ink, "%.1f %%", of_one * 100);
}

static void cell_change(struct columns *table, double change)
{
	if (fabs(change) < 0.0005)
		columns_cell(table, INK_DIM, "-");
	else
		columns_cell(table, INK_PLAIN, "%+.1f", change * 100);
}

static void cells_capacity(struct columns *table, const json_t *site)
{
	static const char *const keys[] = { "use_before", "use_after" };
	const json_t *capacity = json_object_get(site, "capacity");
	const json_t *holds = json_object_get(site, "holds");

	if (!json_is_object(capacity)) {
		for (int i = 0; i < 4; i++)
			columns_cell(table, INK_DIM, "%s", i < 3 ? "-" : "");
		return;
	}
	columns_cell(table, INK_PLAIN, "%.0f",
		     json_number_value(json_object_get(capacity, "after")));
	for (int i = 0; i < 2; i++) {
		const json_t *use = json_object_get(capacity, keys[i]);

		if (use == NULL)
			columns_cell(table, INK_DIM, "-");
		else
			columns_cell(table, i == 1 && json_is_false(holds) ? INK_BAD : INK_PLAIN,
				     "%.0f %%", json_number_value(use) * 100);
	}
	if (json_is_false(holds))
		columns_cell(table, INK_BAD, "does not hold");
	else if (share(site, "keep_after") > 0 && share(site, "keep_after") < 1)
		columns_cell(table, INK_PLAIN, "spills over, keeps %.0f %%",
			     share(site, "keep_after") * 100);
	else
		columns_cell(table, INK_PLAIN, "%s", "");
}

static void show_sites(const json_t *told, const json_t *pool, FILE *out, bool colour)
{
	const char *demand = field_text(told, "demand");
	struct buf headings = { 0 };
	struct columns *table;
	const json_t *site;
	size_t i;

	buf_format(&headings, "SITE|");
	for (size_t m = 0; m < MEASURES_TOLD; m++)
		buf_format(&headings, "%s", is_measured(told, m) ? measures[m].heading : "");
	buf_format(&headings, ">CHANGE|>CAPACITY|>USE|>THEN|");
	buf_append(&headings, "", 1); /* the NUL */
	table = columns_new((const char *)headings.data);
	buf_free(&headings);
	json_array_foreach(json_object_get(pool, "sites"), i, site)
	{
		const json_t *before = json_object_get(site, "before");
		const json_t *after = json_object_get(site, "after");

		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s", site_name(site, field_text(pool, "name")));
		for (size_t m = 0; m < MEASURES_TOLD; m++) {
			if (!is_measured(told, m))
				continue;
			cell_percent(table, INK_DIM, share(before, measures[m].key));
			cell_percent(table, INK_PLAIN, share(after, measures[m].key));
		}
		cell_change(table, share(after, demand) - share(before, demand));
		cells_capacity(table, site);
	}
	columns_print(table, out, "  ", colour);
}

/* --- countries -------------------------------------------------------------------------------- */

/* What a country loses (sign -1) or gets (1): "london 58%, paris 42%". */
static void text_moves(struct buf *out, const json_t *country, const char *pool,
		       const char *measure, double sign)
{
	const json_t *site;
	size_t i, start = out->len;

	json_array_foreach(json_object_get(country, "sites"), i, site)
	{
		double change = sign * (share(json_object_get(site, "after"), measure) -
					share(json_object_get(site, "before"), measure));

		if (change >= 0.0005)
			buf_format(out, "%s%s %.0f %%", out->len == start ? "" : ", ",
				   site_name(site, pool), change * 100);
	}
}

static double moved_amount(const json_t *country, const char *measure)
{
	return share(json_object_get(country, "amounts"), measure) *
	       share(json_object_get(country, "moved"), measure);
}

struct ordered {
	const json_t *country;
	double moved, amount;
};

static int more_moved(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->moved != y->moved)
		return x->moved < y->moved ? 1 : -1;
	return x->amount < y->amount ? 1 : x->amount > y->amount ? -1 : 0;
}

static void country_row(struct columns *table, const struct ordered *row, const char *pool,
			const char *measure, double total)
{
	const json_t *country = row->country;
	const char *code = field_text(country, "country");
	const char *name = field_text(country, "name");
	struct buf text = { 0 };

	columns_row(table);
	columns_cell(table, INK_PLAIN, "%s%s%s", code[0] == '\0' ? "(no country)" : code,
		     name[0] == '\0' ? "" : " ", name);
	cell_percent(table, INK_PLAIN, row->amount / total);
	cell_percent(table, INK_PLAIN, share(json_object_get(country, "moved"), measure));
	text_moves(&text, country, pool, measure, -1);
	if (text.len > 0)
		buf_format(&text, " -> ");
	text_moves(&text, country, pool, measure, 1);
	buf_append(&text, "", 1);
	columns_cell(table, INK_PLAIN, "%s", (const char *)text.data);
	buf_free(&text);
}

/* Where all are shown: to where they go, moved or not. */
static void show_countries(const json_t *told, const json_t *pool, bool all, FILE *out, bool colour)
{
	const char *measure = field_text(told, "demand");
	const json_t *countries = json_object_get(pool, "countries"), *country;
	size_t count = json_array_size(countries), shown = 0, i, moving = 0;
	struct ordered *rows = mem_array(count + 1, sizeof(*rows));
	struct columns *table;

	json_array_foreach(countries, i, country)
	{
		rows[i] = (struct ordered){ country, moved_amount(country, measure),
					    share(json_object_get(country, "amounts"), measure) };
		moving += share(json_object_get(country, "moved"), measure) >= 0.0005;
	}
	qsort(rows, count, sizeof(*rows), more_moved);
	shown = all ? count : moving < COUNTRIES_SHOWN ? moving : COUNTRIES_SHOWN;
	if (shown > 0) {
		table = columns_new("COUNTRY|>OF ALL|>MOVES|FROM -> TO");
		for (i = 0; i < shown; i++)
			country_row(table, &rows[i], field_text(pool, "name"), measure,
				    share(json_object_get(told, "totals"), measure));
		columns_print(table, out, "  ", colour);
	}
	if (moving > shown)
		(void)fprintf(out, "  and %zu countries more (--all-countries)\n", moving - shown);
	free(rows);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void show_title(const json_t *told, FILE *out)
{
	const json_t *list = json_object_get(told, "supposed"), *what;
	const char *files = field_text(told, "files");
	size_t i;

	(void)fputs("simulated:", out);
	if (files[0] != '\0')
		(void)fprintf(out, " the files of %s%s", files,
			      json_array_size(list) > 0 ? ";" : "");
	json_array_foreach(list, i, what)(void)
		fprintf(out, "%s %s %s", i == 0 ? "" : ",", field_text(what, "what"),
			field_text(what, "object"));
	if (json_array_size(list) == 0 && files[0] == '\0')
		(void)fputs(" nothing but what is", out);
	(void)fputc('\n', out);
}

/* The sites of a pool with that verdict: "london (120 %), paris". */
static bool text_sites(struct buf *out, const json_t *pool, const char *verdict)
{
	const json_t *site;
	size_t i, start = out->len;

	json_array_foreach(json_object_get(pool, "sites"), i, site)
	{
		const json_t *use = json_object_get(json_object_get(site, "capacity"), "use_after");

		if (strcmp(field_text(site, "verdict"), verdict) != 0)
			continue;
		buf_format(out, "%s%s", out->len == start ? "" : ", ",
			   site_name(site, field_text(pool, "name")));
		if (use != NULL)
			buf_format(out, " (%.0f %%)", json_number_value(use) * 100);
	}
	buf_append(out, "", 1);
	return out->len > start + 1;
}

static void show_sites_with(const json_t *pool, const char *verdict, const char *text, FILE *out)
{
	struct buf sites = { 0 };

	if (text_sites(&sites, pool, verdict))
		(void)fprintf(out, "  %s: %s\n", text, (const char *)sites.data);
	buf_free(&sites);
}

static void show_bearable(const json_t *pool, FILE *out)
{
	const json_t *before = json_object_get(pool, "bearable_before");
	const json_t *after = json_object_get(pool, "bearable_after");

	(void)fprintf(out, "  no node reports its load, so nobody knows whether capacity holds");
	if (after != NULL && before != NULL)
		(void)fprintf(out,
			      ":\n  it does as long as all clients together use at most %.0f %% of "
			      "it (%.0f %% as it is)",
			      json_number_value(after) * 100, json_number_value(before) * 100);
	(void)fputc('\n', out);
}

static void show_verdict(const json_t *pool, FILE *out)
{
	const char *verdict = field_text(pool, "verdict");

	show_sites_with(pool, "over", "above their capacity already, and no more so then", out);
	if (strcmp(verdict, "fails") == 0)
		show_sites_with(pool, "fails", "capacity does not hold", out);
	else if (json_is_true(json_object_get(pool, "holds")))
		(void)fputs("  capacity holds\n", out);
	else if (!field_is(pool, "reports"))
		show_bearable(pool, out);
	else if (strcmp(verdict, "unknown") == 0)
		(void)fprintf(out,
			      "  capacity holds as far as %lld of %lld nodes report their load, so "
			      "nobody knows whether it does\n",
			      field_number(pool, "reporting"), field_number(pool, "needed"));
}

/* Where not simply nodes that are up are answered. */
static void show_applied(const json_t *told, const json_t *pool, FILE *out)
{
	static const char *const what[][2] = {
		{ "draining", "nodes that are being drained" },
		{ "backup", "the backup pool" },
		{ "all", "all nodes, for none is up" },
		{ "last-good", "those that were up last, for none is up" },
		{ "nearest", "the nearest site, for none is up" },
		{ "none", "no address, for nothing is up" },
		{ "pool", "the fallback pool" },
		{ "addresses", "the fallback addresses" },
		{ "fenced", "no site, for none is allowed to them" },
	};
	const json_t *applied = json_object_get(pool, "applied_after");

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		const json_t *part = json_object_get(applied, what[i][0]);

		if (part != NULL)
			(void)fprintf(out, "  then %.1f %% of its clients get %s\n",
				      share(part, field_text(told, "demand")) * 100, what[i][1]);
	}
}

/* Shares are of clients; of these nodes' clients some who ask for one family get another node. */
static void show_families(const json_t *pool, FILE *out)
{
	const json_t *node;
	size_t i;

	json_array_foreach(json_object_get(pool, "families_down"), i, node)(void)
		fprintf(out, "  %s: its %s is down, so others are answered for that\n",
			field_text(node, "node"), field_text(node, "family"));
}

static void show_pool(const json_t *told, const json_t *pool, bool all, FILE *out, bool colour)
{
	const json_t *moved = json_object_get(pool, "moved");
	bool first = true;

	(void)fprintf(out, "\npool %s, policy %s", field_text(pool, "name"),
		      field_text(pool, "policy"));
	if (!field_is(pool, "is_before") || !field_is(pool, "is_after")) {
		(void)fprintf(out, ": it is %s\n", field_is(pool, "is_before") ? "gone" : "new");
	} else {
		(void)fprintf(out, ": another site for");
		for (size_t m = 0; m < MEASURES_TOLD; m++) {
			if (!is_measured(told, m))
				continue;
			(void)fprintf(out, "%s %.1f %% of %s", first ? "" : ",",
				      share(moved, measures[m].key) * 100, measures[m].what);
			first = false;
		}
		(void)fputc('\n', out);
	}
	show_sites(told, pool, out, colour);
	show_families(pool, out);
	show_applied(told, pool, out);
	show_verdict(pool, out);
	show_countries(told, pool, all, out, colour);
}

/* What was counted, and what was not. */
static void show_foot(const json_t *told, FILE *out)
{
	long long bound = field_number(told, "bound_records");
	bool first = true;

	(void)fprintf(out, "\nin all:");
	for (size_t m = 0; m < MEASURES_TOLD; m++) {
		if (!is_measured(told, m))
			continue;
		(void)fprintf(out, "%s %.0f %s", first ? "" : ",",
			      share(json_object_get(told, "totals"), measures[m].key),
			      measures[m].what);
		first = false;
	}
	(void)fputc('\n', out);
	if (bound > 0)
		(void)fprintf(out,
			      "not counted: who asks for the %lld name%s that %s bound to one "
			      "site\n",
			      bound, bound == 1 ? "" : "s", bound == 1 ? "is" : "are");
}

void show_simulation(const json_t *told, bool all_countries, FILE *out, bool colour)
{
	const json_t *pool;
	size_t i;

	show_title(told, out);
	json_array_foreach(json_object_get(told, "pools"), i, pool)
		show_pool(told, pool, all_countries, out, colour);
	show_foot(told, out);
}
