/* Commands that work on the images that control lends: who is answered what, and what if. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/borrow.h"
#include "ctl/command.h"
#include "ctl/command_profile.h"
#include "ctl/explain.h"

/* --- explain ---------------------------------------------------------------------------------- */

/* What is told of one network: as JSON, one line where `line`, or for people. */
static int explain_one(const struct options *options, const struct borrowed *borrowed,
		       const struct question *question, json_t *now_ms, bool line)
{
	struct err err;
	json_t *told = explain(borrowed, question, &err);
	int status = STATUS_OK;

	if (told == NULL) {
		(void)fprintf(stderr, "signpostctl: %s\n", err.text);
		return STATUS_REFUSED;
	}
	json_object_set(told, "now_ms", now_ms);
	if (options->json)
		status = print_json(told, line ? JSON_COMPACT : JSON_INDENT(2));
	else
		show_explanation(told, stdout, isatty(STDOUT_FILENO) == 1);
	json_decref(told);
	return status;
}

/* A network a line from standard input; empty lines are passed over. */
static int explain_lines(const struct options *options, const struct borrowed *borrowed,
			 struct question *question, json_t *now_ms)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int status = STATUS_OK;

	while (status == STATUS_OK && (len = getline(&line, &size, stdin)) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0')
			continue;
		if (!question_network(line, question))
			status = misused("neither an address nor a network", line);
		else
			status = explain_one(options, borrowed, question, now_ms, true);
		if (!options->json)
			(void)putchar('\n');
	}
	free(line);
	return status;
}

static int explain_with(const struct options *options, struct question *question,
			const struct reply *reply)
{
	json_t *now_ms = json_object_get(reply->json, "now_ms");
	struct borrowed borrowed;
	struct err err;
	int status;

	if (borrow(reply, &borrowed, &err) != 0) {
		(void)fprintf(stderr, "signpostctl: %s\n", err.text);
		status = STATUS_REFUSED;
	} else if (strcmp(options->arguments[2], "-") == 0) {
		status = explain_lines(options, &borrowed, question, now_ms);
	} else {
		status = explain_one(options, &borrowed, question, now_ms, false);
	}
	give_back(&borrowed);
	return status;
}

int command_explain(const struct options *options)
{
	struct question question = { .as_source = options->source, .types = options->types };
	struct reply reply;
	int status;

	if (options->count != 3)
		return misused("explain wants a name and an address", "explain NAME ADDRESS[/LEN]");
	question.name = options->arguments[1];
	if (strcmp(options->arguments[2], "-") != 0 &&
	    !question_network(options->arguments[2], &question))
		return misused("neither an address nor a network", options->arguments[2]);
	status = ask(options, json_pack("{s:s}", "command", "world"), CLIENT_PATIENCE_S, &reply);
	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	status = explain_with(options, &question, &reply);
	reply_free(&reply);
	return status;
}

/* --- simulate --------------------------------------------------------------------------------- */

int command_simulate(const struct options *options)
{
	struct simulate_options simulate = options->simulate;
	struct reply reply;
	struct err err;
	int status = ask(options, json_pack("{s:s}", "command", "world"), CLIENT_PATIENCE_S,
			 &reply);

	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&reply))
		return refused(&reply);
	simulate.json = options->json;
	status = simulate_command(&simulate, &reply, &err);
	if (status < 0)
		(void)fprintf(stderr, "signpostctl: %s\n", err.text);
	reply_free(&reply);
	return status == 0 ? STATUS_OK : status < 0 ? STATUS_USAGE : STATUS_REFUSED;
}

int command_profile(const struct options *options)
{
	struct reply world, profile;
	struct err err;
	int status = ask(options, json_pack("{s:s}", "command", "world"), CLIENT_PATIENCE_S,
			 &world);

	if (status != STATUS_OK)
		return status;
	if (!reply_ok(&world))
		return refused(&world);
	status = ask(options, json_pack("{s:s}", "command", "profile"), CLIENT_PATIENCE_S,
		     &profile);
	if (status == STATUS_OK && !reply_ok(&profile)) {
		status = refused(&profile);
	} else if (status == STATUS_OK) {
		if (profile_command(&world, &profile, &err) != 0) {
			(void)fprintf(stderr, "signpostctl: %s\n", err.text);
			status = STATUS_REFUSED;
		}
		reply_free(&profile);
	}
	reply_free(&world);
	return status;
}
