#include <string.h>

#include "ctl/columns.h"
#include "ctl/condition_text.h"
#include "ctl/explain.h"
#include "ctl/explained.h"
#include "ctl/field.h"
#include "ctl/show_follows.h"
#include "ctl/show_weight.h"

/* " (which database said so)" */
static void source(FILE *out, const json_t *location, const char *key)
{
	if (field_has(location, key))
		(void)fprintf(out, " (%s)", field_text(location, key));
}

/* "JP, continent AS (database); Tokyo (database); AS2500 (database)" */
static void show_where(const json_t *location, FILE *out)
{
	(void)fprintf(out, "%s, continent %s",
		      field_has(location, "country") ? field_text(location, "country")
						     : "no country known",
		      field_has(location, "continent") ? field_text(location, "continent")
						       : "not known");
	source(out, location, "country_database");
	if (field_has(location, "city")) {
		(void)fprintf(out, "; %s", field_text(location, "city"));
		if (field_has(location, "subdivision"))
			(void)fprintf(out, ", %s", field_text(location, "subdivision"));
		source(out, location, "city_database");
	}
	if (field_has(location, "asn")) {
		(void)fprintf(out, "; AS%lld", field_number(location, "asn"));
		source(out, location, "asn_database");
	}
	(void)fputc('\n', out);
}

static bool is_known(const json_t *location)
{
	return field_has(location, "country") || field_has(location, "latitude") ||
	       field_has(location, "asn");
}

static void show_coordinates(const json_t *location, FILE *out)
{
	if (!field_has(location, "latitude"))
		return;
	explained_line(out, "");
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
	explained_line(out, "");
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
	explained_line(out, "location");
	if (is_known(location))
		show_where(location, out);
	else
		(void)fprintf(out, "not known\n");
	show_coordinates(location, out);
	show_override(location, out);
	explained_line(out, "");
	(void)fprintf(out, "the same for %s\n", field_text(location, "prefix"));
}

/* --- what is answered ------------------------------------------------------------------------- */

static void show_hash(const json_t *steering, FILE *out)
{
	explained_line(out, "table");
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

	explained_line(out, "");
	show_weight(node, out);
	if (json_is_number(load))
		(void)fprintf(out, ", %.0f%% of its capacity of %lld in use, said %s ago",
			      json_number_value(load) * 100, field_number(node, "capacity"),
			      text_age(field_count(node, "load_at_ms"), now_ms, text));
	if (field_is(node, "held"))
		(void)fprintf(out, "; down, but held in: too many of the pool are");
	if (condition_down_family(node) != NULL)
		(void)fprintf(out, "; its %s is down", condition_down_family(node));
	if (strcmp(field_text(node, "condition"), "ramping") == 0)
		(void)fprintf(out, "; ramping after it was down, at %u%% of its weight",
			      condition_ramp_percent(node));
	if (field_number(node, "verdict_within_ms") > 0)
		(void)fprintf(out, "; a check has failed, and a verdict is %lld s away",
			      (field_number(node, "verdict_within_ms") + 999) / 1000);
	(void)fputc('\n', out);
	if (json_is_object(json_object_get(node, "follows"))) {
		explained_line(out, "");
		show_follows(json_object_get(node, "follows"), out);
		(void)fputc('\n', out);
	}
	if (json_is_object(json_object_get(node, "state_by"))) {
		explained_line(out, "");
		explained_order(json_object_get(node, "state_by"), field_text(node, "state"),
				now_ms, out);
	}
	if (json_is_object(json_object_get(node, "weight_by"))) {
		explained_line(out, "");
		explained_order(json_object_get(node, "weight_by"), "weighed", now_ms, out);
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

	explained_line(out, "node");
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
	explained_line(out, "set");
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

	explained_line(out, "TTL");
	if (field_has(steering, "ttl_answered") && field_number(steering, "ttl_answered") < ttl)
		(void)fprintf(out, "%lld s instead of %lld s: %s\n",
			      field_number(steering, "ttl_answered"), ttl, why_lowered(steering));
	else if (field_has(steering, "ttl_answered") &&
		 field_number(steering, "ttl_answered") > ttl)
		(void)fprintf(out, "%lld s: the pool's floor, the record has %lld s\n",
			      field_number(steering, "ttl_answered"), ttl);
	else
		(void)fprintf(out, "%lld s\n", ttl);
}

static void show_scope(const json_t *steering, FILE *out)
{
	const char *from = field_text(steering, "scope_from");

	explained_line(out, "scope");
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

	explained_line(out, "record");
	(void)fprintf(out, "%s %lld IN POOL %s%s%s", field_text(told, "owner"),
		      field_number(steering, "ttl"), field_text(steering, "pool"),
		      field_has(steering, "site") ? "/" : "", field_text(steering, "site"));
	show_types(json_object_get(steering, "types"), out);
	(void)fprintf(out, ", policy %s (%s)\n", field_text(steering, "policy"),
		      field_text(steering, "file"));
	explained_step(told, steering, chosen_in(steering, count == 0), out, colour);
	json_array_foreach(further, i, step)
	{
		explained_line(out, "pool");
		(void)fprintf(out, "%s, policy %s (%s)\n", field_text(step, "pool"),
			      field_text(step, "policy"), field_text(step, "file"));
		explained_step(told, step, chosen_in(steering, i + 1 == count), out, colour);
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

	explained_line(out, field_text(answer, "type"));
	(void)fprintf(out, "%s", field_text(answer, "rcode"));
	if (json_array_size(json_object_get(answer, "records")) == 0 &&
	    strcmp(field_text(answer, "rcode"), "NOERROR") == 0)
		(void)fprintf(out, ", no record of this type");
	if (field_has(answer, "scope"))
		(void)fprintf(out, ", ECS scope /%lld", field_number(answer, "scope"));
	(void)fputc('\n', out);
	json_array_foreach(json_object_get(answer, "records"), i, record)(void)
		fprintf(out, "           %s\n", json_string_value(record));
}

void show_explanation(const json_t *told, FILE *out, bool colour)
{
	const json_t *answer;
	size_t i;

	explained_line(out, "name");
	(void)fprintf(out, "%s, zone %s\n", field_text(told, "name"),
		      field_has(told, "zone") ? field_text(told, "zone") : "none of ours");
	explained_line(out, "network");
	(void)fprintf(out, "%s, known by its %s\n", field_text(told, "network"),
		      field_text(told, "known_by"));
	if (field_has(told, "location"))
		show_location(json_object_get(told, "location"), out);
	if (field_has(told, "steering"))
		show_steering(told, out, colour);
	else
		(void)fprintf(out, "%-10s not bound to a pool: the answer depends on no client\n",
			      "record");
	json_array_foreach(json_object_get(told, "answers"), i, answer) show_answer(answer, out);
}
