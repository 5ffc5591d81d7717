#include "ctl/show.h"

#include "ctl/field.h"

static void show_serial(const json_t *thing, FILE *out)
{
	const json_t *serial = json_object_get(thing, "serial");
	const json_t *before = json_object_get(thing, "serial_before");

	if (json_is_integer(before) && json_is_integer(serial))
		(void)fprintf(out, " (serial %lld -> %lld, records %lld -> %lld)",
			      json_integer_value(before), json_integer_value(serial),
			      field_number(thing, "records_before"),
			      field_number(thing, "records"));
	else if (json_is_integer(serial))
		(void)fprintf(out, " (serial %lld, records %lld)", json_integer_value(serial),
			      field_number(thing, "records"));
}

static void show_kind(const json_t *changes, const char *kind, const char *one, FILE *out)
{
	const json_t *told = json_object_get(changes, kind);
	const json_t *list = json_object_get(told, "list");
	long long all = field_number(told, "added") + field_number(told, "removed") +
			field_number(told, "changed");
	const json_t *thing;
	size_t i;

	json_array_foreach(list, i, thing)
	{
		(void)fprintf(out, "  %s %s %s", one, field_text(thing, "name"),
			      field_text(thing, "change"));
		show_serial(thing, out);
		(void)fputc('\n', out);
	}
	if (all > (long long)json_array_size(list))
		(void)fprintf(out, "  ... and %lld more %s\n",
			      all - (long long)json_array_size(list), kind);
}

static void show_changes(const json_t *report, FILE *out)
{
	const json_t *changes = json_object_get(report, "changes");
	const json_t *geo = json_object_get(changes, "geo");

	show_kind(changes, "zones", "zone", out);
	show_kind(changes, "pools", "pool", out);
	show_kind(changes, "nodes", "node", out);
	show_kind(changes, "sites", "site", out);
	if (json_is_true(json_object_get(geo, "changed")))
		(void)fprintf(out, "  map of clients changed (%lld client classes, before: %lld)\n",
			      field_number(geo, "classes"), field_number(geo, "classes_before"));
	if (json_is_true(json_object_get(changes, "settings")))
		(void)fprintf(out, "  settings changed\n");
}

static bool tells_of(const json_t *changes, const char *kind)
{
	const json_t *told = json_object_get(changes, kind);

	return field_number(told, "added") + field_number(told, "removed") +
		       field_number(told, "changed") >
	       0;
}

/* What has changed is the next start's, or where the files are. */
static bool tells_nothing(const json_t *changes)
{
	return !tells_of(changes, "zones") && !tells_of(changes, "pools") &&
	       !tells_of(changes, "nodes") && !tells_of(changes, "sites") &&
	       !field_is(json_object_get(changes, "geo"), "changed") &&
	       !field_is(changes, "settings");
}

static const char *changed_text(const json_t *report)
{
	if (!field_is(report, "changed"))
		return ", nothing has changed";
	return tells_nothing(json_object_get(report, "changes")) ? ", the answers are the same"
								 : ":";
}

void show_reload(const json_t *report, FILE *out)
{
	const json_t *took = json_object_get(report, "durations_ms");

	(void)fputs(field_text(report, "messages"), out);
	if (!json_is_true(json_object_get(report, "ok"))) {
		(void)fprintf(out, "nothing is reloaded, what was running goes on: %s\n",
			      field_text(report, "error"));
		return;
	}
	(void)fprintf(out, "reloaded in %.1f ms%s\n",
		      json_real_value(json_object_get(took, "total")), changed_text(report));
	if (json_is_true(json_object_get(report, "changed")))
		show_changes(report, out);
	if (json_is_false(json_object_get(report, "served")))
		(void)fputs("the data plane does not answer from it yet: see its log\n", out);
	if (json_is_true(json_object_get(report, "restart_needed")))
		(void)fputs(
			"the server file now differs in listen, workers, socket-affinity, user, state, run or log "
			"target from what runs: that waits for a restart\n",
			out);
}
