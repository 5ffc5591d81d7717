#include "control/status.h"

#include <config.h>

#include "control/orders_json.h"
#include "control/report.h"
#include "control/status_parts.h"
#include "image/zones.h"

/* --- processes and counters ------------------------------------------------------------------ */

static json_t *process(const struct handover_process *p)
{
	return json_pack("{s:I, s:I, s:I}", "pid", (json_int_t)p->pid, "restarts",
			 (json_int_t)p->restarts, "since_ms", (json_int_t)p->started_unix_ms);
}

static json_t *counters(const struct counters *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "queries_udp", c->queries_udp },
		{ "queries_tcp", c->queries_tcp },
		{ "answers_udp", c->answers_udp },
		{ "answers_tcp", c->answers_tcp },
		{ "dropped", c->dropped },
		{ "truncated", c->truncated },
		{ "steered", c->steered },
		{ "with_ecs", c->with_ecs },
		{ "connections", c->connections },
		{ "noerror", c->noerror },
		{ "nxdomain", c->nxdomain },
		{ "refused", c->refused },
		{ "formerr", c->formerr },
		{ "servfail", c->servfail },
		{ "notimp", c->notimp },
		{ "badvers", c->badvers },
		{ "connections_open", c->connections_open },
		{ "connections_evicted", c->connections_evicted },
		{ "connections_timed_out", c->connections_timed_out },
	};
	json_t *told = json_object();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_set_new(told, rows[i].name, json_integer((json_int_t)rows[i].value));
	return told;
}

static json_t *store(const struct store_health *health)
{
	json_t *lost_of = json_object();

	for (int kind = 0; kind < STORE_KINDS; kind++)
		json_object_set_new(lost_of, store_kind_name[kind],
				    json_integer((json_int_t)health->lost[kind]));
	return json_pack("{s:I, s:I, s:o, s:I, s:o, s:I, s:o}", "written",
			 (json_int_t)health->written, "lost", (json_int_t)store_lost(health),
			 "lost_of", lost_of, "pending", (json_int_t)health->pending, "error",
			 report_text(health->error), "damaged_ms",
			 (json_int_t)health->damaged_unix_ms, "damaged_path",
			 report_text(health->damaged_path));
}

/* --- the world ------------------------------------------------------------------------------- */

static json_t *world(const struct status_input *input)
{
	const struct image *zones;
	json_int_t records = 0;

	if (input->images == NULL)
		return json_null();
	zones = &input->images->image[IMAGE_ZONES];
	for (uint32_t z = 0; z < image_root(zones, struct zones_root)->zone_count; z++)
		records += zones_segment(zones, z)->record_count;
	return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "source", input->world_source,
			 "save_error", report_text(input->save_error), "since_ms",
			 (json_int_t)input->world_since_unix_ms, "zones",
			 (json_int_t)image_root(zones, struct zones_root)->zone_count, "records",
			 records, "pool_records",
			 (json_int_t)image_root(zones, struct zones_root)->pool_record_count);
}

/* What the references say of a family. */
static json_t *doubt_of(const struct prober_doubt *doubt)
{
	return json_pack("{s:I, s:b, s:b, s:I, s:b, s:I, s:I, s:I}", "references",
			 (json_int_t)doubt->references, "borrowed",
			 doubt->references > 0 && doubt->borrowed, "answer",
			 doubt->tested_unix_ms != 0 && !doubt->silent, "tested_ms",
			 (json_int_t)doubt->tested_unix_ms, "frozen", doubt->frozen_unix_ms != 0,
			 "since_ms", (json_int_t)doubt->frozen_unix_ms, "failing",
			 (json_int_t)doubt->failing, "of", (json_int_t)doubt->targets);
}

static json_t *doubt(const struct prober_doubt *families)
{
	return json_pack("{s:o, s:o}", "ipv4", doubt_of(&families[DOUBT_V4]), "ipv6",
			 doubt_of(&families[DOUBT_V6]));
}

/* How late probes start. */
static json_t *pace(const struct prober_pace *pace)
{
	const struct lateness_told *late = &pace->lateness;

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "started", (json_int_t)late->starts,
			 "late_p50_us", (json_int_t)late->p50_us, "late_p99_us",
			 (json_int_t)late->p99_us, "late_max_us", (json_int_t)late->max_us,
			 "left_out", (json_int_t)pace->passed_over);
}

json_t *status_json(const struct status_input *input, const char *pool_name)
{
	json_t *list = status_pools(input, pool_name);
	json_t *last;

	if (list == NULL)
		return NULL;
	last = input->last_reload == NULL ? json_null() : json_deep_copy(input->last_reload);
	return json_pack(
		"{s:b, s:s, s:I, s:o, s:o, s:s, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}",
		"ok", true, "version", PACKAGE_VERSION, "now_ms", (json_int_t)input->now_unix_ms,
		"server_file", report_text(input->server_file), "state",
		report_text(input->state_dir), "serving", input->serving, "processes", "supervisor",
		process(input->supervisor), "dns", process(input->dns), "control",
		process(input->control), "images",
		input->images == NULL ? json_object() : report_images(input->images), "world",
		world(input), "counters", counters(input->counters), "store", store(input->store),
		"pools", list, "reloading", input->reloading, "last_reload", last, "states",
		orders_json(input->orders,
			    input->images == NULL ? NULL : &input->images->image[IMAGE_PLAN],
			    input->now_unix_ms),
		"drill", drill_json(input->drill), "doubt", doubt(input->doubt), "probing",
		pace(&input->pace));
}
