#include <string.h>

#include "ctl/columns.h"
#include "ctl/field.h"
#include "ctl/show.h"

/* --- the server ------------------------------------------------------------------------------- */

static void show_processes(const json_t *status, FILE *out, bool colour)
{
	static const struct {
		const char *key, *program;
	} rows[] = { { "supervisor", "signpostd" },
		     { "dns", "signpost-dns" },
		     { "control", "signpost-control" } };
	const json_t *processes = json_object_get(status, "processes");
	struct columns *table = columns_new("PROCESS|>PID|RUNNING FOR|>RESTARTS");
	char age[QUANTITY_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *p = json_object_get(processes, rows[i].key);
		uint64_t pid = field_count(p, "pid");

		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s", rows[i].program);
		if (pid == 0)
			columns_cell(table, INK_BAD, "-");
		else
			columns_cell(table, INK_PLAIN, "%lld", field_number(p, "pid"));
		columns_cell(table, pid == 0 ? INK_BAD : INK_PLAIN, "%s",
			     pid == 0 ? "not running"
				      : text_age(field_count(p, "since_ms"),
						 field_count(status, "now_ms"), age));
		columns_cell(table, INK_PLAIN, "%lld", field_number(p, "restarts"));
	}
	columns_print(table, out, "", colour);
}

static void show_images(const json_t *status, FILE *out, bool colour)
{
	struct columns *table = columns_new("IMAGE|ID|AGE|>SIZE");
	const char *name;
	json_t *image;
	char text[QUANTITY_SIZE];

	json_object_foreach(json_object_get(status, "images"), name, image)
	{
		columns_row(table);
		columns_cell(table, INK_PLAIN, "%s", name);
		columns_cell(table, INK_PLAIN, "%.8s", field_text(image, "id"));
		columns_cell(table, INK_PLAIN, "%s",
			     text_age(field_count(image, "made_ms"), field_count(status, "now_ms"),
				      text));
		columns_cell(table, INK_PLAIN, "%s", text_bytes(field_count(image, "bytes"), text));
	}
	columns_print(table, out, "", colour);
}

static void show_world(const json_t *status, FILE *out)
{
	const json_t *world = json_object_get(status, "world");
	const json_t *last = json_object_get(status, "last_reload");
	char age[QUANTITY_SIZE];
	uint64_t now = field_count(status, "now_ms");

	if (json_is_object(world))
		(void)fprintf(
			out,
			"world: %lld zones, %lld records, %lld of them POOL; from %s, %s ago\n",
			field_number(world, "zones"), field_number(world, "records"),
			field_number(world, "pool_records"), field_text(world, "source"),
			text_age(field_count(world, "since_ms"), now, age));
	else
		(void)fprintf(out, "world: none yet, every query gets SERVFAIL\n");
	if (field_text(status, "serving")[0] != '\0' &&
	    strcmp(field_text(status, "serving"), "serving") != 0)
		(void)fprintf(out, "world: %s\n", field_text(status, "serving"));
	if (field_text(world, "save_error")[0] != '\0')
		(void)fprintf(out, "world: not saved for the next start: %s\n",
			      field_text(world, "save_error"));
	if (field_is(status, "reloading"))
		(void)fprintf(out, "reload: running\n");
	if (json_is_object(last))
		(void)fprintf(
			out, "last reload: %s ago, %s%s\n",
			text_age(field_count(last, "at_ms"), now, age),
			field_is(last, "ok") ? "well" : "refused: ", field_text(last, "error"));
}

static void show_counters(const json_t *status, FILE *out)
{
	static const char *const rcodes[] = { "noerror",  "nxdomain", "refused", "formerr",
					      "servfail", "notimp",   "badvers" };
	const json_t *c = json_object_get(status, "counters");

	(void)fprintf(out,
		      "queries: %lld by UDP, %lld by TCP; %lld steered, %lld with a client subnet, "
		      "%lld truncated, %lld dropped\nanswers:",
		      field_number(c, "queries_udp"), field_number(c, "queries_tcp"),
		      field_number(c, "steered"), field_number(c, "with_ecs"),
		      field_number(c, "truncated"), field_number(c, "dropped"));
	for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++)
		(void)fprintf(out, "%s %lld %s", i == 0 ? "" : ",", field_number(c, rcodes[i]),
			      rcodes[i]);
	(void)fprintf(out,
		      "\nTCP: %lld connections open, %lld since the start; %lld closed to make room, "
		      "%lld for their time was over\n",
		      field_number(c, "connections_open"), field_number(c, "connections"),
		      field_number(c, "connections_evicted"),
		      field_number(c, "connections_timed_out"));
}

static void show_store(const json_t *status, FILE *out)
{
	const json_t *store = json_object_get(status, "store");
	const char *error = field_text(store, "error");

	(void)fprintf(out, "store: %lld rows written, %lld pending, %lld lost%s%s\n",
		      field_number(store, "written"), field_number(store, "pending"),
		      field_number(store, "lost"), error[0] != '\0' ? "; error: " : "", error);
}

/* --- pools ------------------------------------------------------------------------------------ */

static void add_addresses(struct columns *table, const json_t *node)
{
	const json_t *list = json_object_get(node, "addresses");
	char text[256] = "";
	size_t len = 0, i;
	const json_t *address;

	json_array_foreach(list, i, address)
	{
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i == 0 ? "" : " ",
					json_string_value(address));
		if (len >= sizeof(text))
			break;
	}
	columns_cell(table, INK_PLAIN, "%s", text);
}

static void add_node(struct columns *table, const json_t *site, const json_t *node, bool first,
		     uint64_t now_ms)
{
	const char *status = field_text(node, "status");
	enum ink ink = strcmp(status, "up") == 0     ? INK_GOOD
		       : strcmp(status, "down") == 0 ? INK_BAD
						     : INK_DIM;
	char text[QUANTITY_SIZE];

	columns_row(table);
	if (first)
		columns_cell(table, INK_PLAIN, "%s %lld/%lld", field_text(site, "name"),
			     field_number(site, "up"), field_number(site, "total"));
	else
		columns_cell(table, INK_PLAIN, " ");
	columns_cell(table, INK_PLAIN, "%s", field_text(node, "name"));
	add_addresses(table, node);
	columns_cell(table, INK_PLAIN, "%lld", field_number(node, "weight"));
	columns_cell(table, ink, "%s%s", status, field_is(node, "adopted") ? "*" : "");
	columns_cell(table, INK_PLAIN, "%s", text_age(field_count(node, "since_ms"), now_ms, text));
	columns_cell(table, INK_PLAIN, "%s",
		     text_age(field_count(node, "checked_ms"), now_ms, text));
	columns_cell(table, INK_PLAIN, "%s", text_rtt(field_count(node, "rtt_us"), text));
	columns_cell(table, INK_PLAIN, "%s", field_text(node, "reason"));
}

static void show_pool(const json_t *pool, FILE *out, bool colour, uint64_t now_ms)
{
	struct columns *table = columns_new(
		"SITE|NODE|ADDRESS|>WEIGHT|STATUS|FOR|>CHECKED|>RTT|WHY");
	const json_t *site, *node;
	size_t s, n;

	(void)fprintf(
		out, "\npool %s: %s, %lld of %lld nodes up%s%s\n", field_text(pool, "name"),
		field_text(pool, "policy"), field_number(pool, "up"), field_number(pool, "total"),
		field_is(pool, "fallback_active") ? "; NOTHING IS UP, the fallback is answered: "
						  : "",
		field_is(pool, "fallback_active") ? field_text(pool, "fallback") : "");
	json_array_foreach(json_object_get(pool, "sites"), s, site)
	{
		json_array_foreach(json_object_get(site, "nodes"), n, node)
			add_node(table, site, node, n == 0, now_ms);
	}
	columns_print(table, out, "  ", colour);
}

void show_status(const json_t *status, FILE *out, bool colour)
{
	const json_t *pool;
	size_t p;

	(void)fprintf(out, "signpost %s, server file %s, state in %s\n\n",
		      field_text(status, "version"), field_text(status, "server_file"),
		      field_text(status, "state"));
	show_processes(status, out, colour);
	(void)fputc('\n', out);
	show_world(status, out);
	if (json_object_size(json_object_get(status, "images")) > 0)
		show_images(status, out, colour);
	(void)fputc('\n', out);
	show_counters(status, out);
	show_store(status, out);
	json_array_foreach(json_object_get(status, "pools"), p, pool)
		show_pool(pool, out, colour, field_count(status, "now_ms"));
}
