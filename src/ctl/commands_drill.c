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

/* Does what was found stand against it, unless it is waved through? An exit status. */
static int heed(const struct options *options, int judgement)
{
	if (judgement == DRILL_CANNOT && !options->force) {
		(void)fputs(
			"signpostctl: capacity would not hold, there is no drill (--force does it "
			"all the same)\n",
			stderr);
		return STATUS_REFUSED;
	}
	if (judgement == DRILL_UNKNOWN && !options->force && !options->unknown_capacity) {
		(void)fputs("signpostctl: there is no drill (--unknown-capacity does it all the "
			    "same)\n",
			    stderr);
		return STATUS_REFUSED;
	}
	return STATUS_OK;
}

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
	reply_free(&world);
	return rc < 0 ? STATUS_REFUSED : heed(options, rc);
}

/* Whether control would have it, capacity aside: it says so at once. */
static int check(const struct options *options, const json_t *request)
{
	json_t *question = json_deep_copy(request);
	struct reply reply;
	int status;

	json_object_set_new(question, "only_check", json_true());
	status = ask(options, question, CLIENT_PATIENCE_S, &reply);
	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	reply_free(&reply);
	return STATUS_OK;
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
	request = request_of(options, "start");
	json_object_set_new(request, "object", json_string(object));
	json_object_set_new(request, "for_ms", json_integer((json_int_t)ms));
	json_object_set_new(request, "force", json_boolean(options->force));
	status = check(options, request);
	if (status == STATUS_OK)
		status = judge(options, object);
	if (status == STATUS_OK)
		return ask_drill(options, request);
	json_decref(request);
	return status;
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
