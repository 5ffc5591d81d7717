#include <string.h>

#include "base/mem.h"
#include "ctl/columns.h"
#include "ctl/diff.h"
#include "ctl/field.h"

#define COUNTRIES_SHOWN 10
#define FLOWS_SHOWN     20

/* --- zones ------------------------------------------------------------------------------------- */

static void show_data(const json_t *rrset, const char *key, char sign, FILE *out)
{
	const json_t *list = json_object_get(rrset, key), *text;
	size_t i;

	json_array_foreach(list, i, text)(void)
		fprintf(out, "      %c %s\n", sign, json_string_value(text));
}

static void show_rrset(const json_t *rrset, FILE *out)
{
	const json_t *before = json_object_get(rrset, "ttl_before");
	const json_t *after = json_object_get(rrset, "ttl");

	(void)fprintf(out, "    %s %s %s", field_text(rrset, "name"), field_text(rrset, "type"),
		      field_text(rrset, "change"));
	if (before != NULL && after != NULL && !json_equal(before, after))
		(void)fprintf(out, ", TTL %lld -> %lld", field_number(rrset, "ttl_before"),
			      field_number(rrset, "ttl"));
	else if (before == NULL || after == NULL)
		(void)fprintf(out, ", TTL %lld",
			      json_integer_value(after != NULL ? after : before));
	(void)fputc('\n', out);
	show_data(rrset, "before", '-', out);
	show_data(rrset, "after", '+', out);
}

static void show_zone(const json_t *zone, FILE *out)
{
	const json_t *list = json_object_get(zone, "rrsets"), *rrset;
	long long all = field_number(zone, "added") + field_number(zone, "removed") +
			field_number(zone, "changed");
	char records[COUNTED_SIZE];
	size_t i;

	(void)fprintf(out, "  zone %s", field_text(zone, "name"));
	if (list == NULL) {
		(void)fprintf(out, " %s: serial %lld, %s\n", field_text(zone, "change"),
			      field_number(zone, "serial"),
			      text_counted(field_number(zone, "records"), "record", records));
		return;
	}
	if (field_number(zone, "serial") == field_number(zone, "serial_before"))
		(void)fprintf(out, ": serial %lld stays", field_number(zone, "serial"));
	else
		(void)fprintf(out, ": serial %lld -> %lld", field_number(zone, "serial_before"),
			      field_number(zone, "serial"));
	(void)fprintf(out, "; RRsets: %lld added, %lld removed, %lld changed\n",
		      field_number(zone, "added"), field_number(zone, "removed"),
		      field_number(zone, "changed"));
	json_array_foreach(list, i, rrset) show_rrset(rrset, out);
	if (all > (long long)json_array_size(list))
		(void)fprintf(out, "    and %lld more; --all tells them\n",
			      all - (long long)json_array_size(list));
}

/* --- steered names ----------------------------------------------------------------------------- */

static double of(const json_t *shares, const char *measure)
{
	return json_number_value(json_object_get(shares, measure)) * 100;
}

static void show_names(const json_t *names, FILE *out)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (i < 4)
			(void)fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(name));
	}
	if (json_array_size(names) > 4)
		(void)fprintf(out, " and %zu others", json_array_size(names) - 4);
}

static void show_flows(const json_t *flows, FILE *out)
{
	const json_t *flow;
	size_t i;

	json_array_foreach(flows, i, flow)
	{
		const char *from = field_text(flow, "from"), *to = field_text(flow, "to");
		const json_t *share = json_object_get(flow, "share");

		if (i == FLOWS_SHOWN) {
			(void)fprintf(out, "    and %zu more; --json has all\n",
				      json_array_size(flows) - i);
			return;
		}
		(void)fprintf(out, "    %6.2f%% %6.2f%%  ", of(share, "ipv4"), of(share, "ipv6"));
		if (strcmp(from, to) == 0)
			(void)fprintf(out, "%s, another answer\n", from);
		else
			(void)fprintf(out, "%s -> %s\n", from, to);
	}
}

static void show_countries(const json_t *countries, FILE *out)
{
	const json_t *country;
	size_t i;

	json_array_foreach(countries, i, country)
	{
		const char *code = field_text(country, "country");
		const json_t *changed = json_object_get(country, "changed");

		if (i == COUNTRIES_SHOWN)
			break;
		(void)fprintf(out, "%s %s %.1f%%",
			      i == 0 ? "    most concerned (of their own):" : ",",
			      code[0] == '\0' ? "(no country)" : code,
			      of(changed, of(changed, "ipv4") > 0 ? "ipv4" : "ipv6"));
	}
	if (i > 0)
		(void)fprintf(out, "%s\n",
			      json_array_size(countries) > COUNTRIES_SHOWN ? ", ..." : "");
}

static void show_steered(const json_t *steered, FILE *out)
{
	const json_t *changed = json_object_get(steered, "changed");
	const char *before = field_text(steered, "pool_before"),
		   *pool = field_text(steered, "pool");

	(void)fputs("  ", out);
	show_names(json_object_get(steered, "names"), out);
	if (strcmp(before, pool) == 0)
		(void)fprintf(out, " (pool %s)", pool);
	else
		(void)fprintf(out, " (pool %s -> %s)", before, pool);
	(void)fprintf(out,
		      ": another answer for %.2f%% of IPv4 addresses, %.2f%% of IPv6 networks\n",
		      of(changed, "ipv4"), of(changed, "ipv6"));
	show_flows(json_object_get(steered, "nodes"), out);
	show_countries(json_object_get(steered, "countries"), out);
}

/* --- what leads to answers ----------------------------------------------------------------------- */

static const char *value(const json_t *option, const char *key)
{
	const char *text = json_string_value(json_object_get(option, key));

	return text == NULL ? "(none)" : text[0] == '\0' ? "(nothing)" : text;
}

static void show_object(const json_t *object, FILE *out)
{
	const json_t *options = json_object_get(object, "options"), *option;
	size_t i;

	if (json_array_size(options) == 0)
		(void)fprintf(out, "  %s: %s\n", field_text(object, "object"),
			      field_text(object, "change"));
	json_array_foreach(options, i, option)(void) fprintf(
		out, "  %s: %s: %s -> %s\n", field_text(object, "object"),
		field_text(option, "option"), value(option, "before"), value(option, "after"));
}

static void show_list(const json_t *list, const char *title,
		      void (*show)(const json_t *item, FILE *out), long long left_off, FILE *out)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) > 0)
		(void)fprintf(out, "%s\n", title);
	json_array_foreach(list, i, item) show(item, out);
	if (left_off > 0)
		(void)fprintf(out, "  and %lld more; --all tells them\n", left_off);
}

void show_diff(const json_t *told, FILE *out)
{
	const json_t *steered = json_object_get(told, "steered");

	if (!field_is(told, "changed")) {
		(void)fputs("nothing would change\n", out);
		return;
	}
	show_list(json_object_get(told, "zones"), "zones:", show_zone, 0, out);
	show_list(steered, "steered names, with the nodes as they are:", show_steered,
		  field_number(told, "steered_left_off"), out);
	if (json_array_size(steered) == 0)
		(void)fputs("steered names: every client gets the same answer as before\n", out);
	show_list(json_object_get(told, "objects"), "pools, nodes and settings:", show_object,
		  field_number(told, "objects_left_off"), out);
}
