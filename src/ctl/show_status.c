#include <string.h>

#include "base/timestamp.h"
#include "ctl/columns.h"
#include "ctl/command_drill.h"
#include "ctl/command_orders.h"
#include "ctl/condition_text.h"
#include "ctl/field.h"
#include "ctl/show.h"
#include "ctl/show_follows.h"
#include "ctl/show_weight.h"

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

/* Where what is in use came from; `source` is control's word. */
static const char *origin(const char *source)
{
	static const struct {
		const char *source, *words;
	} origins[] = { { "compiled", "compiled from the files" },
			{ "adopted", "taken over from what the data plane had" },
			{ "disk", "the last good ones, saved before the start" },
			{ "fallback", "the good ones before the last, saved before the start" } };

	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		if (strcmp(origins[i].source, source) == 0)
			return origins[i].words;
	}
	return source;
}

static void show_in_use(const json_t *status, FILE *out)
{
	const json_t *world = json_object_get(status, "world");
	char age[QUANTITY_SIZE], zones[COUNTED_SIZE], records[COUNTED_SIZE];

	if (!json_is_object(world)) {
		(void)fputs("in use: no files yet, every query gets SERVFAIL\n", out);
		return;
	}
	(void)fprintf(out, "in use: %s, %s, %lld of them POOL; for %s, %s\n",
		      text_counted(field_number(world, "zones"), "zone", zones),
		      text_counted(field_number(world, "records"), "record", records),
		      field_number(world, "pool_records"),
		      text_age(field_count(world, "since_ms"), field_count(status, "now_ms"), age),
		      origin(field_text(world, "source")));
}

static void show_world(const json_t *status, FILE *out)
{
	const json_t *world = json_object_get(status, "world");
	const json_t *last = json_object_get(status, "last_reload");
	char age[QUANTITY_SIZE];
	uint64_t now = field_count(status, "now_ms");

	show_in_use(status, out);
	if (json_is_object(world) && field_text(status, "serving")[0] != '\0' &&
	    strcmp(field_text(status, "serving"), "serving") != 0)
		(void)fprintf(out, "in use: %s\n", field_text(status, "serving"));
	if (field_text(world, "save_error")[0] != '\0')
		(void)fprintf(out, "in use: not saved for the next start: %s\n",
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
	char open[COUNTED_SIZE];

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
		      "\nTCP: %s open, %lld since the start; %lld closed to make room, "
		      "%lld for their time was over\n",
		      text_counted(field_number(c, "connections_open"), "connection", open),
		      field_number(c, "connections"), field_number(c, "connections_evicted"),
		      field_number(c, "connections_timed_out"));
}

static double ms(const json_t *probing, const char *key)
{
	return (double)field_number(probing, key) / 1000;
}

static void show_probing(const json_t *probing, FILE *out)
{
	char started[COUNTED_SIZE], left_out[COUNTED_SIZE];

	if (field_number(probing, "started") == 0 && field_number(probing, "left_out") == 0)
		return;
	(void)fprintf(out,
		      "probing: %s started of late, half of them within %.2f ms of their time, "
		      "99 %% within %.2f ms, the latest after %.2f ms; %s left out\n",
		      text_counted(field_number(probing, "started"), "probe", started),
		      ms(probing, "late_p50_us"), ms(probing, "late_p99_us"),
		      ms(probing, "late_max_us"),
		      text_counted(field_number(probing, "left_out"), "turn", left_out));
}

/* "3 lost (2 transitions, 1 of minutes)" */
static void show_lost(const json_t *store, FILE *out)
{
	const char *kind;
	const json_t *count;
	bool first = true;

	(void)fprintf(out, ", %lld lost", field_number(store, "lost"));
	json_object_foreach((json_t *)json_object_get(store, "lost_of"), kind, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		(void)fprintf(out, "%s%lld %s", first ? " (" : ", ",
			      (long long)json_integer_value(count), kind);
		first = false;
	}
	if (!first)
		(void)fputc(')', out);
}

static void show_store(const json_t *status, FILE *out)
{
	const json_t *store = json_object_get(status, "store");
	const char *error = field_text(store, "error");
	char text[COUNTED_SIZE], when[TIMESTAMP_SIZE];

	(void)fprintf(out, "store: %s written, %lld pending",
		      text_counted(field_number(store, "written"), "row", text),
		      field_number(store, "pending"));
	show_lost(store, out);
	(void)fprintf(out, "%s%s\n", error[0] != '\0' ? "; error: " : "", error);
	if (field_count(store, "damaged_ms") > 0)
		(void)fprintf(out, "store: what it held until %s is lost, it was damaged: %s\n",
			      timestamp_text(field_count(store, "damaged_ms") / 1000, when),
			      field_text(store, "damaged_path"));
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

static void add_status(struct columns *table, const json_t *node)
{
	const char *condition = field_text(node, "condition"), *status = field_text(node, "status");
	enum ink ink = strcmp(status, "down") == 0    ? INK_BAD
		       : strcmp(condition, "up") == 0 ? INK_GOOD
						      : INK_DIM;
	char text[CONDITION_TEXT_SIZE];

	columns_cell(table, ink, "%s", condition_text(node, text));
}

/* Where it is less by load, agent or ramp: "37 of 50". */
static const char *of_weight(const json_t *node, char text[QUANTITY_SIZE])
{
	const json_t *effective = json_object_get(json_object_get(node, "factors"), "effective");
	double weight = json_number_value(effective);

	text[0] = '\0';
	if (effective != NULL && weight < (double)field_number(node, "weight"))
		(void)snprintf(text, QUANTITY_SIZE, "%.0f of ", weight);
	return text;
}

/* "50", "50 (100)" where the files say 100. */
static void add_weight(struct columns *table, const json_t *node)
{
	const json_t *configured = json_object_get(node, "configured_weight");
	char text[QUANTITY_SIZE];

	if (json_is_integer(configured) &&
	    json_integer_value(configured) != field_number(node, "weight"))
		columns_cell(table, INK_PLAIN, "%s%lld (%lld)", of_weight(node, text),
			     field_number(node, "weight"),
			     (long long)json_integer_value(configured));
	else
		columns_cell(table, INK_PLAIN, "%s%lld", of_weight(node, text),
			     field_number(node, "weight"));
}

static void add_load(struct columns *table, const json_t *node)
{
	const json_t *load = json_object_get(node, "load");

	if (json_is_number(load))
		columns_cell(table, json_number_value(load) > 1 ? INK_BAD : INK_PLAIN, "%.0f %%",
			     json_number_value(load) * 100);
	else
		columns_cell(table, INK_DIM, "-");
}

static void add_reason(struct columns *table, const json_t *node)
{
	long long rise = field_number(node, "flap_rise");

	if (rise > 0)
		columns_cell(table, INK_PLAIN, "%s; it flaps: up after %lld successes in a row",
			     field_text(node, "reason"), rise);
	else
		columns_cell(table, INK_PLAIN, "%s", field_text(node, "reason"));
}

/* Who keeps it out and why; else what its probes say. */
static void add_why(struct columns *table, const json_t *node)
{
	const json_t *by = json_object_get(node, "state_by");
	const char *who = field_text(by, "who"), *reason = field_text(by, "reason");

	if (!json_is_object(by)) {
		add_reason(table, node);
		return;
	}
	columns_cell(table, INK_PLAIN, "%s by %s%s%s; %s", field_text(by, "object"),
		     who[0] != '\0' ? who : "its file", reason[0] != '\0' ? ": " : "", reason,
		     field_text(node, "reason"));
}

/* What a table of nodes has beside the usual. */
struct table_kind {
	uint64_t now_ms;
	bool loads;
};

/* Up is what the probes say; usable are those that are answered as they should be: operators and
 * windows may take a node out that is up, and `freeze` keeps one in that is down. */

/* "tokyo 2/2", "tokyo 2/2, 1 usable" */
static void add_site(struct columns *table, const json_t *site)
{
	long long up = field_number(site, "up"), usable = field_number(site, "usable");
	char told[COUNTED_SIZE] = "";

	if (usable != up)
		(void)snprintf(told, sizeof(told), ", %lld usable", usable);
	columns_cell(table, INK_PLAIN, "%s %lld/%lld%s", field_text(site, "name"), up,
		     field_number(site, "total"), told);
}

static void add_node(struct columns *table, const json_t *site, const json_t *node, bool first,
		     const struct table_kind *kind)
{
	uint64_t now_ms = kind->now_ms;
	char text[QUANTITY_SIZE];

	columns_row(table);
	if (first)
		add_site(table, site);
	else
		columns_cell(table, INK_PLAIN, " ");
	columns_cell(table, INK_PLAIN, "%s", field_text(node, "name"));
	add_addresses(table, node);
	add_weight(table, node);
	if (kind->loads)
		add_load(table, node);
	add_status(table, node);
	columns_cell(table, INK_PLAIN, "%s", text_age(field_count(node, "since_ms"), now_ms, text));
	columns_cell(table, INK_PLAIN, "%s",
		     text_age(field_count(node, "checked_ms"), now_ms, text));
	columns_cell(table, INK_PLAIN, "%s", text_rtt(field_count(node, "rtt_us"), text));
	add_why(table, node);
}

static bool has_loads(const json_t *pool)
{
	const json_t *site, *node;
	size_t s, n;

	json_array_foreach(json_object_get(pool, "sites"), s, site)
	{
		json_array_foreach(json_object_get(site, "nodes"), n, node)
		{
			if (json_is_number(json_object_get(node, "load")))
				return true;
		}
	}
	return false;
}

/* How many nodes of a pool are down, and may be: those count that nobody has taken out. */
static void show_alarm_count(const json_t *alarm, const json_t *pool, FILE *out)
{
	char of[COUNTED_SIZE];

	if (field_number(alarm, "of") == 1) {
		(void)fprintf(out, "the only node%s is down",
			      field_number(pool, "total") == 1 ? "" : " that counts");
		return;
	}
	(void)fprintf(out, "%lld of %s down, ", field_number(alarm, "down"),
		      text_counted(field_number(alarm, "of"), "node", of));
	if (field_number(alarm, "max") == 0)
		(void)fputs("none may be", out);
	else
		(void)fprintf(out, "at most %lld may be", field_number(alarm, "max"));
}

static void show_alarm(const json_t *pool, FILE *out, uint64_t now_ms)
{
	const json_t *alarm = json_object_get(pool, "alarm");
	char age[QUANTITY_SIZE];

	if (!json_is_object(alarm))
		return;
	(void)fprintf(out,
		      "  ALARM for %s: ", text_age(field_count(alarm, "since_ms"), now_ms, age));
	show_alarm_count(alarm, pool, out);
	if (field_is(alarm, "drill"))
		(void)fputs("; of a drill", out);
	if (field_is(alarm, "freeze"))
		(void)fprintf(out, "; %lld held in", field_number(alarm, "held"));
	(void)fputc('\n', out);
}

/* The weight of a node that is less by its load, or is about to be. */
static void show_following(const json_t *node, FILE *out)
{
	const json_t *follows = json_object_get(node, "follows");

	if (!json_is_object(follows) || !follows_load(follows))
		return;
	(void)fprintf(out, "  node %s: ", field_text(node, "name"));
	show_follows(follows, out);
	(void)fputc('\n', out);
}

/* Of a node that is to have less by the word of its agents. */
static void show_wished(const json_t *node, FILE *out)
{
	if (field_has(node, "wish_percent") && field_number(node, "wish_percent") != 100)
		(void)fprintf(out, "  node %s: its agent asks for %lld %% of its weight\n",
			      field_text(node, "name"), field_number(node, "wish_percent"));
}

/* Of a node whose weight is made of several things. */
static void show_product(const json_t *node, FILE *out)
{
	if (weight_factors(node) < 2)
		return;
	(void)fprintf(out, "  node %s: ", field_text(node, "name"));
	show_weight(node, out);
	(void)fputc('\n', out);
}

static void of_each_node(const json_t *pool, void (*show)(const json_t *node, FILE *out), FILE *out)
{
	const json_t *site, *node;
	size_t s, n;

	json_array_foreach(json_object_get(pool, "sites"), s, site)
	{
		json_array_foreach(json_object_get(site, "nodes"), n, node) show(node, out);
	}
}

static void show_spilling(const json_t *pool, FILE *out)
{
	const json_t *site;
	size_t s;

	json_array_foreach(json_object_get(pool, "sites"), s, site)
	{
		if (!field_is(site, "spilling"))
			continue;
		(void)fprintf(out,
			      "  site %s spills over: %.0f %% is used, it keeps %.0f %% of its "
			      "clients\n",
			      field_text(site, "name"),
			      json_number_value(json_object_get(site, "use")) * 100,
			      json_number_value(json_object_get(site, "keep")) * 100);
	}
}

/* What is answered where no node is usable. */
static void show_applied(const json_t *pool, FILE *out)
{
	const char *applied = field_text(pool, "applied"), *by = field_text(pool, "applied_pool");

	if (strcmp(applied, "backup") == 0)
		(void)fprintf(
			out,
			"; NO NODE IS USABLE, the backup pool %s is answered to clients for whom "
			"it has a node, else the fallback: %s",
			by, field_text(pool, "fallback"));
	else if (field_is(pool, "fallback_active"))
		(void)fprintf(out, "; NO NODE IS USABLE, the fallback is answered: %s%s%s", applied,
			      by[0] != '\0' ? " " : "", by);
	else if (strcmp(applied, "draining") == 0)
		(void)fprintf(out, "; ONLY DRAINING NODES ARE LEFT, they are answered");
	(void)fputc('\n', out);
}

static void show_up(const json_t *pool, FILE *out)
{
	char total[COUNTED_SIZE];

	(void)fprintf(out, "\npool %s: %s, %lld of %s up", field_text(pool, "name"),
		      field_text(pool, "policy"), field_number(pool, "up"),
		      text_counted(field_number(pool, "total"), "node", total));
	if (field_number(pool, "usable") != field_number(pool, "up"))
		(void)fprintf(out, ", %lld usable", field_number(pool, "usable"));
}

static void show_pool(const json_t *pool, FILE *out, bool colour, uint64_t now_ms)
{
	const struct table_kind kind = { now_ms, has_loads(pool) };
	struct columns *table = columns_new(
		kind.loads ? "SITE|NODE|ADDRESS|>WEIGHT|>LOAD|STATUS|FOR|>CHECKED|>RTT|WHY"
			   : "SITE|NODE|ADDRESS|>WEIGHT|STATUS|FOR|>CHECKED|>RTT|WHY");
	const json_t *site, *node;
	size_t s, n;

	show_up(pool, out);
	show_applied(pool, out);
	show_alarm(pool, out, now_ms);
	show_spilling(pool, out);
	of_each_node(pool, show_wished, out);
	of_each_node(pool, show_following, out);
	of_each_node(pool, show_product, out);
	json_array_foreach(json_object_get(pool, "sites"), s, site)
	{
		json_array_foreach(json_object_get(site, "nodes"), n, node)
			add_node(table, site, node, n == 0, &kind);
	}
	columns_print(table, out, "  ", colour);
}

/* Is it them or is it us? */
static void show_doubt_of(const json_t *doubt, const char *family, FILE *out, uint64_t now_ms)
{
	char age[QUANTITY_SIZE], of[COUNTED_SIZE];

	if (field_is(doubt, "frozen"))
		(void)fprintf(out,
			      "ALARM for %s: the %s network here seems to fail: %lld of %s and all "
			      "references did; its statuses are frozen\n\n",
			      text_age(field_count(doubt, "since_ms"), now_ms, age), family,
			      field_number(doubt, "failing"),
			      text_counted(field_number(doubt, "of"), "target", of));
	else if (field_number(doubt, "tested_ms") != 0 && !field_is(doubt, "answer"))
		(void)fprintf(out, "no reference answers for %s (doubt)\n\n", family);
}

static void show_doubt(const json_t *doubt, FILE *out, uint64_t now_ms)
{
	show_doubt_of(json_object_get(doubt, "ipv4"), "IPv4", out, now_ms);
	show_doubt_of(json_object_get(doubt, "ipv6"), "IPv6", out, now_ms);
}

void show_status(const json_t *status, FILE *out, bool colour)
{
	const json_t *pool;
	size_t p;

	(void)fprintf(out, "signpost %s, server file %s, state in %s\n\n",
		      field_text(status, "version"), field_text(status, "server_file"),
		      field_text(status, "state"));
	show_drill_running(json_object_get(status, "drill"), field_count(status, "now_ms"), out);
	show_doubt(json_object_get(status, "doubt"), out, field_count(status, "now_ms"));
	show_processes(status, out, colour);
	(void)fputc('\n', out);
	show_world(status, out);
	if (json_object_size(json_object_get(status, "images")) > 0)
		show_images(status, out, colour);
	(void)fputc('\n', out);
	show_counters(status, out);
	show_probing(json_object_get(status, "probing"), out);
	show_store(status, out);
	json_array_foreach(json_object_get(status, "pools"), p, pool)
		show_pool(pool, out, colour, field_count(status, "now_ms"));
	if (json_array_size(json_object_get(status, "states")) > 0) {
		(void)fputs("\nordered by operators, and windows of pool files:\n", out);
		show_states(status, out, colour);
	}
}
