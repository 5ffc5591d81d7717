/* Commands that read files: signpost-compile does. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/program.h"
#include "ctl/command.h"
#include "ctl/reach.h"

#define COMPILE_ARGUMENTS_MAX 6

/* Becomes signpost-compile; returns where that cannot be. */
static int run_compile(const char *const arguments[COMPILE_ARGUMENTS_MAX])
{
	char *argv[COMPILE_ARGUMENTS_MAX + 2] = { NULL };
	char path[PATH_MAX];
	struct err err;

	argv[0] = (char[]){ "signpostctl" }; /* as whom it speaks */
	for (size_t i = 0; i < COMPILE_ARGUMENTS_MAX && arguments[i] != NULL; i++)
		argv[i + 1] = mem_copy_text(arguments[i]);
	if (program_find("signpost-compile", path, sizeof(path), &err) == 0) {
		(void)execv(path, argv);
		(void)err_set(&err, "%s: %s", path, strerror(errno));
	}
	for (size_t i = 1; argv[i] != NULL; i++)
		free(argv[i]);
	(void)fprintf(stderr, "signpostctl: %s\n", err.text);
	return STATUS_USAGE;
}

/* A folder stands for the server file in it, as for diff. */
static const char *server_file_in(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? mem_format("%s/signpost.yaml", path)
							   : path;
}

static const char *server_file(const struct options *options)
{
	return options->server_file != NULL ? options->server_file : REACH_SERVER_FILE;
}

int command_check(const struct options *options)
{
	return run_compile((const char *const[COMPILE_ARGUMENTS_MAX]){
		"--check", server_file_in(options->count > 1 ? options->arguments[1]
							     : server_file(options)) });
}

int command_config(const struct options *options)
{
	const char *arguments[COMPILE_ARGUMENTS_MAX] = { "--effective" };
	size_t count = 1;

	if (!options->effective)
		return misused("config shows what holds", "config --effective [POOL [NODE]]");
	if (options->json)
		arguments[count++] = "--json";
	arguments[count++] = server_file(options);
	for (int i = 1; i < options->count; i++)
		arguments[count++] = options->arguments[i];
	return run_compile(arguments);
}
