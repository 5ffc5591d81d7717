/* Failures for practice. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/command_drill.h"

static const char *object_of(const struct options *options)
{
	const struct simulation *what = &options->simulate.what;

	return what->supposed == 1 && what->suppositions[0].kind == SUPPOSE_DOWN
		       ? what->suppositions[0].text
		       : NULL;
}

static json_t *request_of(const struct options *options, const char *action)
{
	char who[64];
	json_t *request = json_pack("{s:s, s:s, s:s}", "command", "drill", "action", action, "who",
				    order_who(who, sizeof(who)));

	if (options->order.reason != NULL)
		json_object_set_new(request, "reason", json_string(options->order.reason));
	return request;
}

static int ask_drill(const struct options *options, json_t *request)
{
	struct reply reply;
	int status = ask(options, request, CLIENT_PATIENCE_S, &reply);

	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	if (options->json)
		status = print_json(reply.json, JSON_INDENT(2));
	else
		show_drill(reply.json, stdout, isatty(STDOUT_FILENO) == 1);
	if (json_is_false(json_object_get(reply.json, "stored")))
		(void)fprintf(stderr,
			      "signpostctl: it holds, but is not stored yet, so that a restart "
			      "may lose it: %s\n",
			      json_string_value(json_object_get(reply.json, "store_error")));
	reply_free(&reply);
	return status;
}

/* Is it refused? An exit status. */
static int judge(const struct options *options, const char *object)
{
	struct reply world;
	struct err err;
	int status = ask(options, json_pack("{s:s}", "command", "world"), CLIENT_PATIENCE_S,
			 &world);
	int rc;

	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&world))
		return refused(&world);
	rc = drill_judge(object, &world, stderr, &err);
	if (rc < 0)
		(void)fprintf(stderr, "signpostctl: %s\n", err.text);
	if (rc > 0 && !options->force)
		(void)fputs("signpostctl: there is no drill (--force does it all the same)\n",
			    stderr);
	reply_free(&world);
	return rc < 0 || (rc > 0 && !options->force) ? STATUS_REFUSED : STATUS_OK;
}

static int start(const struct options *options)
{
	const char *object = object_of(options);
	uint64_t ms = DRILL_DEFAULT_MS;
	json_t *request;
	int status;

	if (object == NULL)
		return misused("a drill wants one thing to be down",
			       "drill start --down SITE, NODE or POOL/@SITE");
	if (options->drill_for != NULL && !drill_duration(options->drill_for, &ms))
		return misused("no duration, such as 10m", options->drill_for);
	status = judge(options, object);
	if (status != STATUS_OK)
		return status;
	request = request_of(options, "start");
	json_object_set_new(request, "object", json_string(object));
	json_object_set_new(request, "for_ms", json_integer((json_int_t)ms));
	json_object_set_new(request, "force", json_boolean(options->force));
	return ask_drill(options, request);
}

int command_drill(const struct options *options)
{
	const char *action = options->count > 1 ? options->arguments[1] : "";

	if (strcmp(action, "start") == 0)
		return start(options);
	if (strcmp(action, "status") == 0 || strcmp(action, "stop") == 0)
		return ask_drill(options, request_of(options, action));
	return misused("drill wants to know what to do", "drill start, drill status or drill stop");
}
