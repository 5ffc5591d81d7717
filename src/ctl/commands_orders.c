/* What operators order, and nodes report. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/command.h"

int command_order(const struct options *options)
{
	struct err err;
	json_t *request = order_request(&options->order, options->arguments, options->count,
					clock_unix_ms(), &err);
	struct reply reply;
	int status;

	if (request == NULL)
		return misused("not understood", err.text);
	status = ask(options, request, CLIENT_PATIENCE_S, &reply);
	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	if (options->json)
		status = print_json(reply.json, JSON_INDENT(2));
	else if (json_object_get(reply.json, "action") != NULL) /* a report is taken silently */
		show_order(reply.json, stdout);
	if (json_is_false(json_object_get(reply.json, "stored")))
		(void)fprintf(stderr,
			      "signpostctl: it holds, but is not stored yet, so that a restart "
			      "may lose it: %s\n",
			      json_string_value(json_object_get(reply.json, "store_error")));
	reply_free(&reply);
	return status;
}

int command_states(const struct options *options)
{
	struct reply reply;
	int status = ask(options, json_pack("{s:s}", "command", "states"), CLIENT_PATIENCE_S,
			 &reply);

	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	if (options->json)
		status = print_json(reply.json, JSON_INDENT(2));
	else
		show_states(reply.json, stdout, isatty(STDOUT_FILENO) == 1);
	reply_free(&reply);
	return status;
}
