/* Of an explanation: what holds for the client in one pool. */
#include <string.h>
#include <time.h>

#include "ctl/columns.h"
#include "ctl/explained.h"
#include "ctl/field.h"

void explained_line(FILE *out, const char *what)
{
	(void)fprintf(out, "%-10s ", what);
}

static const char *text_time(uint64_t unix_ms, char text[QUANTITY_SIZE])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, QUANTITY_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

static void show_fences(const json_t *step, FILE *out)
{
	const json_t *fence, *site;
	size_t i, n;

	json_array_foreach(json_object_get(step, "fences"), i, fence)
	{
		explained_line(out, "fence");
		(void)fprintf(out, "%s: clients %s: never", field_text(fence, "place"),
			      field_text(fence, "clients"));
		json_array_foreach(json_object_get(fence, "never"), n, site)(void)
			fprintf(out, "%s %s", n == 0 ? "" : ",", json_string_value(site));
		if (field_has(fence, "otherwise"))
			(void)fprintf(out, "; where no site is left, pool %s",
				      field_text(fence, "otherwise"));
		(void)fputc('\n', out);
	}
}

static void show_avoids(const json_t *step, FILE *out)
{
	const json_t *avoid;
	char text[QUANTITY_SIZE];
	size_t i;

	json_array_foreach(json_object_get(step, "avoids"), i, avoid)
	{
		explained_line(out, "avoid");
		(void)fprintf(out, "%s: clients %s: %s %s", field_text(avoid, "place"),
			      field_text(avoid, "clients"),
			      field_has(avoid, "node") ? "node" : "site",
			      field_text(avoid, field_has(avoid, "node") ? "node" : "site"));
		if (field_text(avoid, "reason")[0] != '\0')
			(void)fprintf(out, ", \"%s\"", field_text(avoid, "reason"));
		if (field_has(avoid, "until_ms"))
			(void)fprintf(out, ", %s %s", field_is(avoid, "ended") ? "ended" : "until",
				      text_time(field_count(avoid, "until_ms"), text));
		(void)fputc('\n', out);
	}
}

/* Is there anything to be told of this member in any site? */
static bool any_site_has(const json_t *step, const char *key)
{
	const json_t *site;
	size_t i;

	json_array_foreach(json_object_get(step, "sites"), i, site)
	{
		if (field_has(site, key))
			return true;
	}
	return false;
}

/* Do sites share a band? */
static bool has_bands(const json_t *step)
{
	const json_t *sites = json_object_get(step, "sites");

	for (size_t i = 1; i < json_array_size(sites); i++) {
		if (field_number(json_array_get(sites, i), "band") ==
		    field_number(json_array_get(sites, i - 1), "band"))
			return true;
	}
	return false;
}

static void cell_part(struct columns *table, const json_t *site, const char *key)
{
	const json_t *part = json_object_get(site, key);

	if (json_is_number(part))
		columns_cell(table, INK_PLAIN, "%.0f%%", json_number_value(part) * 100);
	else
		columns_cell(table, INK_DIM, "-");
}

static void cell_note(struct columns *table, const json_t *site, bool chosen)
{
	if (field_is(site, "fenced"))
		columns_cell(table, INK_BAD, "fenced");
	else if (!field_is(site, "counts") && field_number(site, "usable") > 0)
		columns_cell(table, INK_PLAIN, "%sneeds %lld nodes", chosen ? "<- chosen; " : "",
			     field_number(site, "min_nodes"));
	else if (field_is(site, "spilling"))
		columns_cell(table, INK_PLAIN, "%sspills over", chosen ? "<- chosen; " : "");
	else
		columns_cell(table, INK_PLAIN, "%s", chosen ? "<- chosen" : "");
}

/* Which columns the table of sites has beside the usual ones. */
struct order_columns {
	bool bands, bias, load;
};

static void order_row(struct columns *table, const json_t *site, const struct order_columns *with,
		      bool chosen)
{
	bool usable = field_number(site, "usable") > 0;

	columns_row(table);
	columns_cell(table, INK_PLAIN, "%s", field_text(site, "name"));
	if (with->bands)
		columns_cell(table, INK_PLAIN, "%lld", field_number(site, "band") + 1);
	if (field_has(site, "km"))
		columns_cell(table, INK_PLAIN, "%.0f",
			     json_real_value(json_object_get(site, "km")));
	else
		columns_cell(table, INK_DIM, "-");
	if (with->bias)
		columns_cell(table, INK_PLAIN, "%+lld%%", field_number(site, "bias_percent"));
	columns_cell(table, usable ? INK_GOOD : INK_BAD, "%lld/%lld", field_number(site, "usable"),
		     field_number(site, "total"));
	if (with->load) {
		cell_part(table, site, "use");
		cell_part(table, site, "keep");
	}
	cell_note(table, site, chosen);
}

void explained_order(const json_t *order, const char *what, uint64_t now_ms, FILE *out)
{
	char text[QUANTITY_SIZE];

	(void)fprintf(out, "%s", what);
	if (field_has(order, "who"))
		(void)fprintf(out, " by %s", field_text(order, "who"));
	if (field_has(order, "at_ms"))
		(void)fprintf(out, " %s ago", text_age(field_count(order, "at_ms"), now_ms, text));
	if (field_text(order, "reason")[0] != '\0')
		(void)fprintf(out, ", \"%s\"", field_text(order, "reason"));
	if (field_has(order, "until_ms"))
		(void)fprintf(out, ", until %s", text_time(field_count(order, "until_ms"), text));
	(void)fputc('\n', out);
}

/* Why nodes are not answered, of sites that are tried before the one of the node, and of that. */
static void show_not_usable(const json_t *step, const char *chosen, uint64_t now_ms, FILE *out)
{
	const json_t *site, *node;
	char text[QUANTITY_SIZE];
	size_t i, n;

	json_array_foreach(json_object_get(step, "sites"), i, site)
	{
		json_array_foreach(json_object_get(site, "not_usable"), n, node)
		{
			explained_line(out, i == 0 && n == 0 ? "not" : "");
			(void)fprintf(out, "%s at %s: ", field_text(node, "name"),
				      field_text(site, "name"));
			if (field_is(node, "avoided"))
				(void)fprintf(out, "avoided\n");
			else if (json_is_object(json_object_get(node, "state_by")))
				explained_order(json_object_get(node, "state_by"),
						field_text(node, "state"), now_ms, out);
			else
				(void)fprintf(out, "%s for %s (%s)\n", field_text(node, "status"),
					      text_age(field_count(node, "since_ms"), now_ms, text),
					      field_text(node, "reason"));
		}
		if (strcmp(field_text(site, "name"), chosen) == 0)
			break;
	}
}

/* `chosen`: the site of the node; "": it is in another pool, or there is none. */
static void show_order(const json_t *step, const char *chosen, FILE *out, bool colour)
{
	const struct order_columns with = { has_bands(step), any_site_has(step, "bias_percent"),
					    any_site_has(step, "use") };
	char headings[96];
	struct columns *table;
	const json_t *site;
	size_t i;

	(void)snprintf(headings, sizeof(headings), "SITE|%s>KM|%s>USABLE|%s",
		       with.bands ? ">BAND|" : "", with.bias ? ">BIAS|" : "",
		       with.load ? ">USED|>KEEPS|" : "");
	table = columns_new(headings);
	json_array_foreach(json_object_get(step, "sites"), i, site)
		order_row(table, site, &with, strcmp(field_text(site, "name"), chosen) == 0);
	columns_print(table, out, "           ", colour);
}

static void show_why(const json_t *told, const json_t *step, FILE *out)
{
	const json_t *rule = json_object_get(step, "rule");
	bool placed = field_has(json_object_get(told, "location"), "latitude");

	explained_line(out, "sites");
	if (field_has(step, "site"))
		(void)fprintf(out, "the record is bound to %s\n", field_text(step, "site"));
	else if (json_is_object(rule))
		(void)fprintf(out, "by the rule at %s: clients %s\n", field_text(rule, "place"),
			      field_text(rule, "clients"));
	else if (field_is(step, "own_network"))
		(void)fprintf(out, "by policy %s, for the clients are of our own networks\n",
			      field_text(step, "policy"));
	else if (strcmp(field_text(step, "policy"), "nearest") != 0)
		(void)fprintf(out, "by policy %s, no rule applies\n", field_text(step, "policy"));
	else if (placed)
		(void)fprintf(out, "by distance, no rule applies\n");
	else
		(void)fprintf(out, "as the pool file has them: nobody knows where the client is\n");
}

/* What stands in where no node is simply up, and where that leads. */
static void show_backup(const json_t *step, FILE *out)
{
	const char *applied = field_text(step, "applied");
	bool own = strcmp(applied, "nodes") == 0 || strcmp(applied, "draining") == 0;

	if (!field_has(step, "backup_without_nodes"))
		return;
	explained_line(out, "backup");
	(void)fprintf(out, "pool %s has nobody for these clients, so %s\n",
		      field_text(step, "backup_without_nodes"),
		      own ? "the pool's own sites share them" : "the pool's own fallback applies");
}

static void show_applied(const json_t *step, FILE *out)
{
	static const char *const what[][2] = {
		{ "draining",
		  "no other node is usable: those that are being drained are answered" },
		{ "backup", "no node is usable: its backup pool is answered" },
		{ "all", "no node is usable: all are answered, as if they were" },
		{ "last-good", "no node is usable: those that were so last are answered" },
		{ "nearest", "no node is usable: the nearest site is answered" },
		{ "none", "no node is usable: there is no address (fallback none)" },
		{ "pool", "no node is usable: its fallback pool is answered" },
		{ "addresses", "no node is usable: the fallback addresses are answered" },
		{ "fenced", "fences leave these clients no site" },
	};
	const json_t *split = json_object_get(step, "split");

	show_backup(step, out);
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		if (strcmp(field_text(step, "applied"), what[i][0]) == 0) {
			explained_line(out, "fallback");
			(void)fprintf(out, "%s\n", what[i][1]);
		}
	}
	if (json_is_object(split)) {
		explained_line(out, "split");
		(void)fprintf(out, "%lld, slot %lld of %lld: sites spill over\n",
			      field_number(split, "number"), field_number(split, "slot"),
			      field_number(split, "slots"));
	}
	if (field_has(step, "goes_on_in")) {
		explained_line(out, "goes on");
		(void)fprintf(out, "in pool %s\n", field_text(step, "goes_on_in"));
	}
}

void explained_step(const json_t *told, const json_t *step, const char *chosen, FILE *out,
		    bool colour)
{
	if (field_has(step, "class")) {
		explained_line(out, "class");
		(void)fprintf(out, "%lld, the same for %s\n", field_number(step, "class"),
			      field_text(step, "class_prefix"));
	}
	show_fences(step, out);
	show_avoids(step, out);
	show_why(told, step, out);
	show_order(step, chosen, out, colour);
	show_not_usable(step, chosen, field_count(told, "now_ms"), out);
	show_applied(step, out);
}
