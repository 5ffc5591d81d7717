/* Probes made once, and what they showed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/command_probe.h"
#include "ctl/field.h"

/* A probe may take a minute, and wait for its turn. */
#define PROBE_PATIENCE_S 90

static json_t *request_of(const struct options *options)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "probe", "object",
				    options->arguments[1]);

	if (options->probe_kind != NULL)
		json_object_set_new(request, "kind", json_string(options->probe_kind));
	if (options->probe_name != NULL)
		json_object_set_new(request, "probe", json_string(options->probe_name));
	return request;
}

/* What is not there cannot be probed: that is a mistake of whoever asks, and no failure. */
static int none(struct reply *reply)
{
	(void)refused(reply);
	return STATUS_USAGE;
}

int command_probe(const struct options *options)
{
	struct reply reply;
	int status;

	if (options->count < 2)
		return misused("probe wants a node", "probe POOL/NODE");
	status = ask(options, request_of(options), PROBE_PATIENCE_S, &reply);
	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return none(&reply);
	if (options->json)
		status = print_json(reply.json, JSON_INDENT(2));
	else
		show_probes(reply.json, stdout);
	if (status == STATUS_OK && !probes_succeeded(reply.json))
		status = STATUS_REFUSED;
	reply_free(&reply);
	return status;
}
