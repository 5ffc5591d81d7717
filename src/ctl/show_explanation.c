#include <string.h>
#include <time.h>

#include "ctl/columns.h"
#include "ctl/explain.h"
#include "ctl/field.h"

static bool has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value != NULL && !json_is_null(value);
}

static void line(FILE *out, const char *what)
{
	(void)fprintf(out, "%-10s ", what);
}

/* " (which database said so)" */
static void source(FILE *out, const json_t *location, const char *key)
{
	if (has(location, key))
		(void)fprintf(out, " (%s)", field_text(location, key));
}

/* "JP, continent AS (database); Tokyo (database); AS2500 (database)" */
static void show_where(const json_t *location, FILE *out)
{
	(void)fprintf(out, "%s, continent %s",
		      has(location, "country") ? field_text(location, "country")
					       : "no country known",
		      has(location, "continent") ? field_text(location, "continent") : "not known");
	source(out, location, "country_database");
	if (has(location, "city")) {
		(void)fprintf(out, "; %s", field_text(location, "city"));
		if (has(location, "subdivision"))
			(void)fprintf(out, ", %s", field_text(location, "subdivision"));
		source(out, location, "city_database");
	}
	if (has(location, "asn")) {
		(void)fprintf(out, "; AS%lld", field_number(location, "asn"));
		source(out, location, "asn_database");
	}
	(void)fputc('\n', out);
}

static bool is_known(const json_t *location)
{
	return has(location, "country") || has(location, "latitude") || has(location, "asn");
}

static void show_coordinates(const json_t *location, FILE *out)
{
	if (!has(location, "latitude"))
		return;
	line(out, "");
	(void)fprintf(out, "at %.2f, %.2f", json_real_value(json_object_get(location, "latitude")),
		      json_real_value(json_object_get(location, "longitude")));
	if (field_is(location, "coordinates_of_country"))
		(void)fprintf(out, ", the centre of its country");
	source(out, location, "coordinates_database");
	(void)fputc('\n', out);
}

/* A row of the operator's has the last word; what the databases say stands beside it. */
static void show_override(const json_t *location, FILE *out)
{
	const json_t *override = json_object_get(location, "override");
	const json_t *vendor = json_object_get(override, "vendor");

	if (!json_is_object(override))
		return;
	line(out, "");
	(void)fprintf(out, "by the %s at %s:%lld; the databases say: ",
		      field_is(location, "resolver_table") ? "resolver table" : "override",
		      field_text(override, "file"), field_number(override, "line"));
	if (is_known(vendor))
		show_where(vendor, out);
	else
		(void)fprintf(out, "nothing\n");
}

static void show_location(const json_t *location, FILE *out)
{
	line(out, "location");
	if (is_known(location))
		show_where(location, out);
	else
		(void)fprintf(out, "not known\n");
	show_coordinates(location, out);
	show_override(location, out);
	line(out, "");
	(void)fprintf(out, "the same for %s\n", field_text(location, "prefix"));
}

static const char *text_time(uint64_t unix_ms, char text[QUANTITY_SIZE])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, QUANTITY_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

/* --- what holds in a pool --------------------------------------------------------------------- */

static void show_fences(const json_t *step, FILE *out)
{
	const json_t *fence, *site;
	size_t i, n;

	json_array_foreach(json_object_get(step, "fences"), i, fence)
	{
		line(out, "fence");
		(void)fprintf(out, "%s: clients %s: never", field_text(fence, "place"),
			      field_text(fence, "clients"));
		json_array_foreach(json_object_get(fence, "never"), n, site)(void)
			fprintf(out, "%s %s", n == 0 ? "" : ",", json_string_value(site));
		if (has(fence, "otherwise"))
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
		line(out, "avoid");
		(void)fprintf(out, "%s: clients %s: %s %s", field_text(avoid, "place"),
			      field_text(avoid, "clients"), has(avoid, "node") ? "node" : "site",
			      field_text(avoid, has(avoid, "node") ? "node" : "site"));
		if (field_text(avoid, "reason")[0] != '\0')
			(void)fprintf(out, ", \"%s\"", field_text(avoid, "reason"));
		if (has(avoid, "until_ms"))
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
		if (has(site, key))
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
	if (has(site, "km"))
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

/* Who drained it, or gave it a weight, when and why. */
static void show_order_of(const json_t *order, const char *what, uint64_t now_ms, FILE *out)
{
	char text[QUANTITY_SIZE];

	(void)fprintf(out, "%s", what);
	if (has(order, "who"))
		(void)fprintf(out, " by %s", field_text(order, "who"));
	if (has(order, "at_ms"))
		(void)fprintf(out, " %s ago", text_age(field_count(order, "at_ms"), now_ms, text));
	if (field_text(order, "reason")[0] != '\0')
		(void)fprintf(out, ", \"%s\"", field_text(order, "reason"));
	if (has(order, "until_ms"))
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
			line(out, i == 0 && n == 0 ? "not" : "");
			(void)fprintf(out, "%s at %s: ", field_text(node, "name"),
				      field_text(site, "name"));
			if (field_is(node, "avoided"))
				(void)fprintf(out, "avoided\n");
			else if (json_is_object(json_object_get(node, "state_by")))
				show_order_of(json_object_get(node, "state_by"),
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
	bool placed = has(json_object_get(told, "location"), "latitude");

	line(out, "sites");
	if (has(step, "site"))
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

	if (!has(step, "backup_without_nodes"))
		return;
	line(out, "backup");
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
			line(out, "fallback");
			(void)fprintf(out, "%s\n", what[i][1]);
		}
	}
	if (json_is_object(split)) {
		line(out, "split");
		(void)fprintf(out, "%lld, slot %lld of %lld: sites spill over\n",
			      field_number(split, "number"), field_number(split, "slot"),
			      field_number(split, "slots"));
	}
	if (has(step, "goes_on_in")) {
		line(out, "goes on");
		(void)fprintf(out, "in pool %s\n", field_text(step, "goes_on_in"));
	}
}

static void show_step(const json_t *told, const json_t *step, const char *chosen, FILE *out,
		      bool colour)
{
	if (has(step, "class")) {
		line(out, "class");
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

/* --- what is answered ------------------------------------------------------------------------- */

static void show_hash(const json_t *steering, FILE *out)
{
	line(out, "table");
	(void)fprintf(out, "%lld, slot %lld of %lld: ", field_number(steering, "table"),
		      field_number(steering, "slot"), field_number(steering, "slots"));
	if (field_is(steering, "random"))
		(void)fprintf(out, "another for each query (persistence is off here)\n");
	else if (field_is(steering, "hashed"))
		(void)fprintf(out, "by the hash of the client's /%lld (IPv4) or /%lld (IPv6)\n",
			      field_number(steering, "persistence_v4"),
			      field_number(steering, "persistence_v6"));
	else
		(void)fprintf(out, "the only choice\n");
}

/* What was ordered of it, what it weighs and what it bears. */
static void show_standing(const json_t *node, uint64_t now_ms, FILE *out)
{
	const json_t *load = json_object_get(node, "load");
	char text[QUANTITY_SIZE];

	line(out, "");
	(void)fprintf(out, "weight %lld", field_number(node, "weight"));
	if (json_is_number(load))
		(void)fprintf(out, ", %.0f%% of its capacity of %lld in use, said %s ago",
			      json_number_value(load) * 100, field_number(node, "capacity"),
			      text_age(field_count(node, "load_at_ms"), now_ms, text));
	if (field_is(node, "held"))
		(void)fprintf(out, "; down, but held in: too many of the pool are");
	if (field_number(node, "verdict_within_ms") > 0)
		(void)fprintf(out, "; a check has failed, and a verdict is %lld s away",
			      (field_number(node, "verdict_within_ms") + 999) / 1000);
	(void)fputc('\n', out);
	if (json_is_object(json_object_get(node, "state_by"))) {
		line(out, "");
		show_order_of(json_object_get(node, "state_by"), field_text(node, "state"), now_ms,
			      out);
	}
	if (json_is_object(json_object_get(node, "weight_by"))) {
		line(out, "");
		show_order_of(json_object_get(node, "weight_by"), "weighed", now_ms, out);
	}
}

/* By what was answered in the last of the pools. */
static const char *why_no_node(const json_t *steering)
{
	const json_t *further = json_object_get(steering, "further");
	const json_t *last = json_array_size(further) == 0
				     ? steering
				     : json_array_get(further, json_array_size(further) - 1);

	if (strcmp(field_text(last, "applied"), "fenced") == 0)
		return "none: no site is allowed to these clients";
	if (strcmp(field_text(last, "applied"), "addresses") == 0)
		return "none: the fallback addresses are answered";
	return "none: nothing is answered";
}

static void show_node(const json_t *steering, uint64_t now_ms, FILE *out)
{
	const json_t *node = json_object_get(steering, "node");
	char text[QUANTITY_SIZE];

	line(out, "node");
	if (!json_is_object(node)) {
		(void)fprintf(out, "%s\n", why_no_node(steering));
		return;
	}
	(void)fprintf(out, "%s at %s, %s", field_text(node, "name"), field_text(node, "site"),
		      field_text(node, "status"));
	if (field_count(node, "since_ms") != 0)
		(void)fprintf(out, " for %s",
			      text_age(field_count(node, "since_ms"), now_ms, text));
	if (field_count(node, "checked_ms") == 0)
		(void)fprintf(out, ", not checked yet");
	else
		(void)fprintf(out, ", checked %s ago",
			      text_age(field_count(node, "checked_ms"), now_ms, text));
	if (field_text(node, "reason")[0] != '\0')
		(void)fprintf(out, " (%s)", field_text(node, "reason"));
	(void)fputc('\n', out);
	show_standing(node, now_ms, out);
}

/* Only where there is more in it than the node itself. */
static void show_set(const json_t *steering, FILE *out, bool colour)
{
	const json_t *set = json_object_get(steering, "set"), *member, *type;
	struct columns *table;
	size_t i, n;

	if (json_array_size(set) < 2)
		return;
	line(out, "set");
	(void)fprintf(out, "%zu nodes%s\n", json_array_size(set),
		      field_is(steering, "shuffled") ? ", their records shuffled" : "");
	table = columns_new("NODE|SITE|>KM FROM FIRST|AS|TYPES");
	json_array_foreach(set, i, member)
	{
		char types[16] = "";

		json_array_foreach(json_object_get(member, "types"), n, type)(void)
			snprintf(types + strlen(types), sizeof(types) - strlen(types), "%s%s",
				 n == 0 ? "" : " ", json_string_value(type));
		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s", field_text(member, "name"));
		columns_cell(table, INK_PLAIN, "%s", field_text(member, "site"));
		columns_cell(table, INK_PLAIN, "%.0f",
			     json_number_value(json_object_get(member, "km_from_first")));
		columns_cell(table, INK_PLAIN, "%s", field_text(member, "role"));
		columns_cell(table, INK_PLAIN, "%s", types);
	}
	columns_print(table, out, "           ", colour);
}

/* A verdict, or an order or window of maintenance that begins or ends; which of them is known of the
 * node itself, not of its companions. */
static const char *why_lowered(const json_t *steering)
{
	const json_t *node = json_object_get(steering, "node");

	if (field_number(node, "verdict_within_ms") > 0)
		return "a verdict on its node is near";
	if (field_number(node, "ttl_s") > 0)
		return "what is planned of its nodes is near (signpostctl states)";
	return "something in it is about to change";
}

static void show_ttl(const json_t *steering, FILE *out)
{
	long long ttl = field_number(steering, "ttl");

	line(out, "TTL");
	if (has(steering, "ttl_answered") && field_number(steering, "ttl_answered") < ttl)
		(void)fprintf(out, "%lld s instead of %lld s: %s\n",
			      field_number(steering, "ttl_answered"), ttl, why_lowered(steering));
	else if (has(steering, "ttl_answered") && field_number(steering, "ttl_answered") > ttl)
		(void)fprintf(out, "%lld s: the pool's floor, the record has %lld s\n",
			      field_number(steering, "ttl_answered"), ttl);
	else
		(void)fprintf(out, "%lld s\n", ttl);
}

static void show_scope(const json_t *steering, FILE *out)
{
	const char *from = field_text(steering, "scope_from");

	line(out, "scope");
	(void)fprintf(out, "/%lld: %s\n", field_number(steering, "scope"),
		      strcmp(from, "hash") == 0    ? "for so large a network the hash is the same"
		      : strcmp(from, "class") == 0 ? "for so large a network the class is the same"
						   : "nothing depends on the client");
}

/* As the record has them: addresses go without saying. */
static void show_types(const json_t *types, FILE *out)
{
	const json_t *type;
	size_t i;

	if (json_array_size(types) == 2 &&
	    strcmp(json_string_value(json_array_get(types, 1)), "AAAA") == 0)
		return;
	json_array_foreach(types, i, type)(void) fprintf(out, " %s", json_string_value(type));
}

/* The site of the node, for the pool in which it was found: the last one. */
static const char *chosen_in(const json_t *steering, bool last)
{
	return last ? field_text(json_object_get(steering, "node"), "site") : "";
}

static void show_steering(const json_t *told, FILE *out, bool colour)
{
	const json_t *steering = json_object_get(told, "steering");
	const json_t *further = json_object_get(steering, "further"), *step;
	size_t i, count = json_array_size(further);

	line(out, "record");
	(void)fprintf(out, "%s %lld IN POOL %s%s%s", field_text(told, "owner"),
		      field_number(steering, "ttl"), field_text(steering, "pool"),
		      has(steering, "site") ? "/" : "", field_text(steering, "site"));
	show_types(json_object_get(steering, "types"), out);
	(void)fprintf(out, ", policy %s (%s)\n", field_text(steering, "policy"),
		      field_text(steering, "file"));
	show_step(told, steering, chosen_in(steering, count == 0), out, colour);
	json_array_foreach(further, i, step)
	{
		line(out, "pool");
		(void)fprintf(out, "%s, policy %s (%s)\n", field_text(step, "pool"),
			      field_text(step, "policy"), field_text(step, "file"));
		show_step(told, step, chosen_in(steering, i + 1 == count), out, colour);
	}
	show_hash(steering, out);
	show_node(steering, field_count(told, "now_ms"), out);
	show_set(steering, out, colour);
	show_ttl(steering, out);
	show_scope(steering, out);
}

static void show_answer(const json_t *answer, FILE *out)
{
	const json_t *record;
	size_t i;

	line(out, field_text(answer, "type"));
	(void)fprintf(out, "%s", field_text(answer, "rcode"));
	if (json_array_size(json_object_get(answer, "records")) == 0 &&
	    strcmp(field_text(answer, "rcode"), "NOERROR") == 0)
		(void)fprintf(out, ", no record of this type");
	if (has(answer, "scope"))
		(void)fprintf(out, ", ECS scope /%lld", field_number(answer, "scope"));
	(void)fputc('\n', out);
	json_array_foreach(json_object_get(answer, "records"), i, record)(void)
		fprintf(out, "           %s\n", json_string_value(record));
}

void show_explanation(const json_t *told, FILE *out, bool colour)
{
	const json_t *answer;
	size_t i;

	line(out, "name");
	(void)fprintf(out, "%s, zone %s\n", field_text(told, "name"),
		      has(told, "zone") ? field_text(told, "zone") : "none of ours");
	line(out, "network");
	(void)fprintf(out, "%s, known by its %s\n", field_text(told, "network"),
		      field_text(told, "known_by"));
	if (has(told, "location"))
		show_location(json_object_get(told, "location"), out);
	if (has(told, "steering"))
		show_steering(told, out, colour);
	else
		(void)fprintf(out, "%-10s not bound to a pool: the answer depends on no client\n",
			      "record");
	json_array_foreach(json_object_get(told, "answers"), i, answer) show_answer(answer, out);
}
