#include "control/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/diff.h"

#define LOGGED_LINES_MAX 200

json_t *report_images(const struct images *images)
{
	json_t *told = json_object();

	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		const struct image_header *header;
		char id[17];

		if (images->fd[kind] < 0)
			continue;
		header = image_header(&images->image[kind]);
		(void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)header->id);
		json_object_set_new(told, image_name[kind],
				    json_pack("{s:s, s:I, s:I}", "id", id, "bytes",
					      (json_int_t)header->size, "made_ms",
					      (json_int_t)header->made_unix_ms));
	}
	return told;
}

static double ms(uint64_t us)
{
	return (double)us / 1000.;
}

static json_t *durations(const struct compilation *compiled, const struct reload_times *times)
{
	const struct compile_result *result = &compiled->result;

	return json_pack("{s:f, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "compile",
			 ms(compiled->took_us), "config", (json_int_t)result->config_ms, "zones",
			 (json_int_t)result->zones_ms, "geo", (json_int_t)result->geo_ms, "plan",
			 (json_int_t)result->plan_ms, "verify", ms(times->verify_us), "steer",
			 ms(times->steer_us), "publish", ms(times->publish_us), "total",
			 ms(times->total_us));
}

static json_t *counts(const struct compile_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "zones",
			 (json_int_t)c->zones, "records", (json_int_t)c->records, "pool_records",
			 (json_int_t)c->pool_records, "sites", (json_int_t)c->sites, "pools",
			 (json_int_t)c->pools, "nodes", (json_int_t)c->nodes, "rules",
			 (json_int_t)c->rules, "checks", (json_int_t)c->checks, "classes",
			 (json_int_t)c->classes, "networks", (json_int_t)c->networks,
			 "zones_reused", (json_int_t)c->zones_reused);
}

json_t *report_text(const char *text)
{
	json_t *told = json_string(text);
	char *ascii, *p;

	if (told != NULL)
		return told;
	ascii = strdup(text);
	for (p = ascii; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
	told = json_string(ascii == NULL ? "" : ascii);
	free(ascii);
	return told;
}

json_t *report_success(const struct compilation *compiled, const struct images *images,
		       json_t *changes, const struct reload_times *times)
{
	bool changed = changes != NULL;

	return json_pack("{s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "ok", true, "changed", changed,
			 "changes", changed ? changes : json_object(), "messages",
			 report_text(compiled->text), "counts", counts(&compiled->result.counts),
			 "images", report_images(images), "durations_ms",
			 durations(compiled, times));
}

json_t *report_failure(const char *error, const char *messages)
{
	return json_pack("{s:b, s:o, s:o}", "ok", false, "error", report_text(error), "messages",
			 report_text(messages));
}

static void log_lines(enum log_level level, const char *text)
{
	for (int lines = 0; *text != '\0' && lines < LOGGED_LINES_MAX; lines++) {
		size_t len = strcspn(text, "\n");

		if (len > 0)
			log_event(level, "compile", "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

void report_log(const json_t *report)
{
	const char *messages = json_string_value(json_object_get(report, "messages"));
	const json_t *took = json_object_get(json_object_get(report, "durations_ms"), "total");
	char *summary;

	if (!json_is_true(json_object_get(report, "ok"))) {
		log_lines(LOG_LEVEL_ERROR, messages);
		log_error("nothing is reloaded, what was running goes on", "reason=\"%s\"",
			  json_string_value(json_object_get(report, "error")));
		return;
	}
	log_lines(LOG_LEVEL_WARNING, messages);
	if (json_is_false(json_object_get(report, "served")))
		log_warning("the data plane does not answer from the new world yet", "%s", "");
	if (json_is_true(json_object_get(report, "restart_needed")))
		log_warning(
			"the server file has settings that wait for a restart",
			"settings=\"one or more of listen, workers, socket-affinity, user, state, run, log target\"");
	if (!json_is_true(json_object_get(report, "changed"))) {
		log_info("reloaded, nothing has changed", "ms=%.1f", json_real_value(took));
		return;
	}
	summary = diff_summary(json_object_get(report, "changes"));
	log_info("reloaded", "%s ms=%.1f", summary, json_real_value(took));
	free(summary);
}
