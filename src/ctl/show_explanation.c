#include <string.h>

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

static void show_location(const json_t *location, FILE *out)
{
	line(out, "location");
	if (!has(location, "country") && !has(location, "latitude") && !has(location, "asn")) {
		(void)fprintf(out, "not known\n");
		return;
	}
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
	if (has(location, "latitude")) {
		line(out, "");
		(void)fprintf(out, "at %.2f, %.2f",
			      json_real_value(json_object_get(location, "latitude")),
			      json_real_value(json_object_get(location, "longitude")));
		if (field_is(location, "coordinates_of_country"))
			(void)fprintf(out, ", the centre of its country");
		source(out, location, "coordinates_database");
		(void)fputc('\n', out);
	}
	line(out, "");
	(void)fprintf(out, "the same for %s\n", field_text(location, "prefix"));
}

static void show_order(const json_t *steering, FILE *out, bool colour)
{
	const char *chosen = field_text(json_object_get(steering, "node"), "site");
	struct columns *table = columns_new("SITE|>KM|>UP|");
	const json_t *site;
	size_t i;

	json_array_foreach(json_object_get(steering, "sites"), i, site)
	{
		bool up = field_number(site, "up") > 0;

		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s", field_text(site, "name"));
		if (has(site, "km"))
			columns_cell(table, INK_PLAIN, "%.0f",
				     json_real_value(json_object_get(site, "km")));
		else
			columns_cell(table, INK_DIM, "-");
		columns_cell(table, up ? INK_GOOD : INK_BAD, "%lld/%lld", field_number(site, "up"),
			     field_number(site, "total"));
		columns_cell(table, INK_PLAIN, "%s",
			     strcmp(field_text(site, "name"), chosen) == 0 ? "<- chosen" : "");
	}
	columns_print(table, out, "           ", colour);
}

static void show_why(const json_t *told, const json_t *steering, FILE *out)
{
	const json_t *rule = json_object_get(steering, "rule");
	bool placed = has(json_object_get(told, "location"), "latitude");

	line(out, "sites");
	if (has(steering, "site"))
		(void)fprintf(out, "the record is bound to %s\n", field_text(steering, "site"));
	else if (json_is_object(rule))
		(void)fprintf(out, "by the rule at %s: clients %s\n", field_text(rule, "place"),
			      field_text(rule, "clients"));
	else if (strcmp(field_text(steering, "policy"), "nearest") != 0)
		(void)fprintf(out, "by policy %s, no rule applies\n",
			      field_text(steering, "policy"));
	else if (placed)
		(void)fprintf(out, "by distance, no rule applies\n");
	else
		(void)fprintf(out, "as the pool file has them: nobody knows where the client is\n");
}

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

static void show_node(const json_t *steering, uint64_t now_ms, FILE *out)
{
	const json_t *node = json_object_get(steering, "node");
	char text[QUANTITY_SIZE];

	line(out, "node");
	if (!json_is_object(node)) {
		(void)fprintf(out, "none: the pool's fallback is answered\n");
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
	if (field_is(steering, "fallback_active"))
		(void)fprintf(out,
			      "           nothing is up in this pool: its fallback is answered\n");
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

static void show_steering(const json_t *told, FILE *out, bool colour)
{
	const json_t *steering = json_object_get(told, "steering");

	line(out, "record");
	(void)fprintf(out, "%s %lld IN POOL %s%s%s", field_text(told, "owner"),
		      field_number(steering, "ttl"), field_text(steering, "pool"),
		      has(steering, "site") ? "/" : "", field_text(steering, "site"));
	show_types(json_object_get(steering, "types"), out);
	(void)fprintf(out, ", policy %s (%s)\n", field_text(steering, "policy"),
		      field_text(steering, "file"));
	if (has(steering, "class")) {
		line(out, "class");
		(void)fprintf(out, "%lld, the same for %s\n", field_number(steering, "class"),
			      field_text(steering, "class_prefix"));
	}
	show_why(told, steering, out);
	show_order(steering, out, colour);
	show_hash(steering, out);
	show_node(steering, field_count(told, "now_ms"), out);
	line(out, "TTL");
	(void)fprintf(out, "%lld s\n", field_number(steering, "ttl"));
}

static void show_answer(const json_t *answer, FILE *out)
{
	const json_t *record;
	size_t i;

	line(out, field_text(answer, "type"));
	(void)fprintf(out, "%s", field_text(answer, "rcode"));
	if (json_array_size(json_object_get(answer, "records")) == 0)
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
