/* Commands about the server as a whole. */
#include <stdio.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/command_diff.h"
#include "ctl/show.h"

/* As long as control gives signpost-compile, and some. */
#define RELOAD_PATIENCE_S 1000

/* With who asks, where that can be written in JSON. */
static json_t *reload_request(void)
{
	json_t *request = json_pack("{s:s}", "command", "reload");
	char who[64];
	json_t *name = json_string(order_who(who, sizeof(who)));

	if (name != NULL)
		json_object_set_new(request, "who", name);
	return request;
}

int command_reload(const struct options *options)
{
	struct reply reply;
	int status = ask(options, json_pack("{s:s}", "command", "ping"), CLIENT_PATIENCE_S, &reply);

	if (status != STATUS_OK)
		return status;
	reply_free(&reply); /* it is not control that a long reload waits for */
	status = ask(options, reload_request(), RELOAD_PATIENCE_S, &reply);
	if (status != STATUS_OK)
		return status;
	status = reply_ok(&reply) ? STATUS_OK : STATUS_REFUSED;
	if (options->json)
		(void)print_json(reply.json, JSON_INDENT(2));
	else
		show_reload(reply.json, status == STATUS_OK ? stdout : stderr);
	reply_free(&reply);
	return status;
}

int command_status(const struct options *options)
{
	json_t *request = json_pack("{s:s}", "command", "status");
	struct reply reply;
	int status;

	if (options->count > 1)
		json_object_set_new(request, "pool", json_string(options->arguments[1]));
	status = ask(options, request, CLIENT_PATIENCE_S, &reply);
	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	if (options->json)
		status = print_json(reply.json, JSON_INDENT(2));
	else
		show_status(reply.json, stdout, isatty(STDOUT_FILENO) == 1);
	reply_free(&reply);
	return status;
}

int command_diff(const struct options *options)
{
	const struct diff_options diff = { .files = options->count > 1 ? options->arguments[1]
								       : options->server_file,
					   .json = options->json,
					   .all = options->all };
	struct reply world;
	struct err err;
	int status = ask(options, json_pack("{s:s}", "command", "world"), CLIENT_PATIENCE_S,
			 &world);

	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&world))
		return refused(&world);
	if (diff_command(&diff, &world, &err) != 0) {
		(void)fprintf(stderr, "signpostctl: %s\n", err.text);
		status = STATUS_REFUSED;
	}
	reply_free(&world);
	return status;
}
