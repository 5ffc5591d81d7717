#include "ctl/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/reach.h"

int misused(const char *format, const char *what)
{
	(void)fputs("signpostctl: ", stderr);
	(void)fprintf(stderr, "%s: %s\n", format, what);
	(void)fputs("Try 'signpostctl --help'.\n", stderr);
	return STATUS_USAGE;
}

int ask(const struct options *options, json_t *request, unsigned patience_s, struct reply *out)
{
	struct err err;
	char *path = reach_control(options->socket, options->run_dir, options->server_file, &err);
	int status = STATUS_OK;

	if (path == NULL || client_ask(path, request, patience_s, out, &err) != 0) {
		(void)fprintf(stderr, "signpostctl: %s\n", err.text);
		status = STATUS_UNREACHED;
	}
	json_decref(request);
	free(path);
	return status;
}

int refused(struct reply *reply)
{
	(void)fprintf(stderr, "signpostctl: %s\n", reply_error(reply));
	reply_free(reply);
	return STATUS_REFUSED;
}

int print_json(const json_t *json, size_t flags)
{
	if (json_dumpf(json, stdout, flags) != 0)
		return STATUS_UNREACHED;
	(void)putchar('\n');
	return STATUS_OK;
}
