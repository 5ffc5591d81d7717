#include "control/commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/commands_parts.h"
#include "control/names.h"
#include "control/status.h"

/* All that status.h asks for, from where it is. */
struct facts {
	struct counters counters;
	struct store_health store;
	struct status_input input;
};

static const struct node_state *node_of(const void *context, uint32_t node)
{
	return running_node(context, node);
}

static void gather(const struct commands *commands, struct facts *out)
{
	const struct supervisor_processes *processes = supervisor_processes(commands->supervisor);
	struct running *running = commands->running;

	supervisor_counters(commands->supervisor, &out->counters);
	store_health(commands->store, &out->store);
	out->input = (struct status_input){
		.now_unix_ms = clock_unix_ms(),
		.now_mono_ms = clock_mono_ms(),
		.server_file = commands->server_file,
		.state_dir = commands->state_dir,
		.supervisor = &processes->supervisor,
		.dns = &processes->dns,
		.control = &processes->control,
		.serving = processes->serving,
		.counters = &out->counters,
		.store = &out->store,
		.images = running_images(running),
		.world_source = world_source_name[running_source(running)],
		.world_since_unix_ms = running_since_unix_ms(running),
		.save_error = saver_failure(commands->saver),
		.node = node_of,
		.node_context = running,
		.inputs = running_inputs(running),
		.orders = running_orders(running),
		.drill = running_drill(running),
		.doubt = { [DOUBT_V4] = running_doubt(running, DOUBT_V4),
			   [DOUBT_V6] = running_doubt(running, DOUBT_V6) },
		.pace = running_pace(running),
		.last_reload = reload_last(commands->reload),
		.reloading = reload_is_running(commands->reload),
	};
}

static void command_status(struct commands *commands, struct call *call, const json_t *request)
{
	const char *pool = json_string_value(json_object_get(request, "pool"));
	struct facts facts;
	struct err err;
	json_t *reply;

	gather(commands, &facts);
	reply = status_json(&facts.input, pool);
	if (reply == NULL) {
		(void)refuse_pool(
			facts.input.images == NULL ? NULL : &facts.input.images->image[IMAGE_PLAN],
			pool, &err);
		call_refuse(call, err.text);
		return;
	}
	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

static void command_world(struct commands *commands, struct call *call, const json_t *request)
{
	const struct images *images = running_images(commands->running);
	json_t *reply, *names = json_array();
	int fds[IMAGE_KINDS];
	size_t count = 0;
	struct facts facts;

	(void)request;
	if (images == NULL) {
		json_decref(names);
		call_refuse(call, NOTHING_IN_USE);
		return;
	}
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (images->fd[kind] < 0)
			continue;
		fds[count++] = images->fd[kind];
		json_array_append_new(names, json_string(image_name[kind]));
	}
	gather(commands, &facts);
	reply = json_pack("{s:b, s:I, s:o, s:o, s:o}", "ok", true, "now_ms",
			  (json_int_t)facts.input.now_unix_ms, "images", names, "nodes",
			  status_nodes(&facts.input), "sites", status_sites(&facts.input));
	call_answer(call, reply, fds, count);
	json_decref(reply);
}

static void command_profile(struct commands *commands, struct call *call, const json_t *request)
{
	const struct images *images = running_images(commands->running);
	json_t *reply, *classes = json_array();
	uint64_t *sums;

	(void)request;
	if (images == NULL) {
		json_decref(classes);
		call_refuse(call, NOTHING_IN_USE);
		return;
	}
	sums = mem_array(GEO_CLASSES_MAX, sizeof(*sums));
	supervisor_class_counters(commands->supervisor, image_header(&images->image[IMAGE_GEO])->id,
				  sums);
	for (uint32_t c = 0; c < GEO_CLASSES_MAX; c++) {
		if (sums[c] > 0)
			json_array_append_new(
				classes, json_pack("[I, I]", (json_int_t)c, (json_int_t)sums[c]));
	}
	free(sums);
	reply = json_pack("{s:b, s:o}", "ok", true, "classes", classes);
	call_answer(call, reply, &images->fd[IMAGE_GEO], 1);
	json_decref(reply);
}

static void command_ping(struct commands *commands, struct call *call, const json_t *request)
{
	json_t *reply = json_pack("{s:b}", "ok", true);

	(void)commands;
	(void)request;
	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

void commands_request(void *context, struct call *call, const json_t *request)
{
	static const struct {
		const char *name;
		command_fn *run;
	} rows[] = { { "status", command_status },   { "reload", command_reload },
		     { "ping", command_ping },       { "world", command_world },
		     { "state", command_state },     { "weight", command_weight },
		     { "states", command_states },   { "report", command_report },
		     { "profile", command_profile }, { "drill", command_drill },
		     { "probe", command_probe },     { "history", command_history },
		     { "audit", command_audit } };
	const char *name = json_string_value(json_object_get(request, "command"));

	for (size_t i = 0; name != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			rows[i].run(context, call, request);
			return;
		}
	}
	call_refuse(call, "there is no such command");
}
