/* signpost-compile: text and databases in; images out, or every mistake in them and nothing else.
 *
 *   --check FILE                  compile all in memory; one line about it on stdout
 *   --emit FD FILE [--state DIR] [--cache DIR] [--served FD] [--served-locations FD]
 *                                 the same, and hand the images over (image/compiled.h)
 *   --boot-record [--config-fd N] FILE
 *                                 what the supervisor needs to know, on stdout (image/boot.h)
 *   --options                     all options of server and pool files, between tabs
 *   --effective FILE [POOL [NODE]] [--json]
 *                                 all options that hold, and where they come from
 *
 * Exit status: 0 well (warnings are printed), 1 mistakes in the files, 2 it failed itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/mem.h"
#include "compile/boot_fill.h"
#include "compile/produce.h"
#include "conf/effective.h"
#include "image/boot.h"

enum status { STATUS_OK = 0, STATUS_MISTAKES = 1, STATUS_FAILED = 2 };

struct arguments {
	enum {
		MODE_NONE,
		MODE_CHECK,
		MODE_EMIT,
		MODE_BOOT_RECORD,
		MODE_OPTIONS,
		MODE_EFFECTIVE
	} mode;
	int channel, config_fd;
	struct served served;
	const char *file, *state_dir, *cache_dir;
	const char *pool, *node; /* MODE_EFFECTIVE: NULL: all */
	bool json;
};

/* As whom we speak: operators ask signpostctl. */
static const char *self = "signpost-compile";

static int failed(const char *why)
{
	(void)fprintf(stderr, "%s: %s\n", self, why);
	return STATUS_FAILED;
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool parse_fd(const char *text, int *out)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || fd < 0 || fd > 1 << 20)
		return false;
	*out = (int)fd;
	return true;
}

/* An option with a value; false: there is none, or it is no good. */
static bool parse_valued(struct arguments *args, const char *option, const char *value)
{
	if (value == NULL)
		return false;
	if (strcmp(option, "--emit") == 0) {
		args->mode = MODE_EMIT;
		return parse_fd(value, &args->channel);
	}
	if (strcmp(option, "--config-fd") == 0)
		return parse_fd(value, &args->config_fd);
	if (strcmp(option, "--served") == 0)
		return parse_fd(value, &args->served.zones);
	if (strcmp(option, "--served-locations") == 0)
		return parse_fd(value, &args->served.locations);
	if (strcmp(option, "--state") == 0)
		args->state_dir = value;
	else if (strcmp(option, "--cache") == 0)
		args->cache_dir = value;
	else
		return false;
	return true;
}

/* An option without one; false: there is none. */
static bool parse_plain(struct arguments *args, const char *option)
{
	if (strcmp(option, "--check") == 0)
		args->mode = MODE_CHECK;
	else if (strcmp(option, "--boot-record") == 0)
		args->mode = MODE_BOOT_RECORD;
	else if (strcmp(option, "--options") == 0)
		args->mode = MODE_OPTIONS;
	else if (strcmp(option, "--effective") == 0)
		args->mode = MODE_EFFECTIVE;
	else if (strcmp(option, "--json") == 0)
		args->json = true;
	else
		return false;
	return true;
}

/* The file, then pool and node; false: that is too much. */
static bool parse_name(struct arguments *args, const char *name)
{
	const char **out = args->file == NULL   ? &args->file
			   : args->pool == NULL ? &args->pool
						: &args->node;

	if (*out != NULL)
		return false;
	*out = name;
	return true;
}

static bool parse_arguments(struct arguments *args, char **argv)
{
	*args = (struct arguments){ .channel = -1, .config_fd = -1, .served = { -1, -1 } };
	for (argv++; *argv != NULL; argv++) {
		if (strncmp(*argv, "--", 2) != 0) {
			if (!parse_name(args, *argv))
				return false;
		} else if (!parse_plain(args, *argv)) {
			if (!parse_valued(args, argv[0], argv[1]))
				return false;
			argv++;
		}
	}
	if (args->mode != MODE_EFFECTIVE && (args->pool != NULL || args->json))
		return false;
	return args->mode == MODE_OPTIONS || (args->mode != MODE_NONE && args->file != NULL);
}

/* --- what it did ------------------------------------------------------------------------------ */

static void print_count(const char *before, uint32_t count, const char *noun)
{
	(void)printf("%s%u %s%s", before, count, noun, count == 1 ? "" : "s");
}

static void print_summary(const struct compile_counts *counts, const struct diag *diag)
{
	if (diag_errors(diag) > 0) {
		print_count("", diag_errors(diag), "error");
	} else {
		print_count("ok: ", counts->zones, "zone");
		print_count(", ", counts->records, "record");
		print_count(", ", counts->pools, "pool");
		print_count(", ", counts->nodes, "node");
		print_count(", ", counts->sites, "site");
	}
	if (diag_warnings(diag) > 0)
		print_count(", ", diag_warnings(diag), "warning");
	(void)printf("\n");
}

/* Whoever reads what we print must be able to rely on status 0. */
static int finish_stdout(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return STATUS_OK;
	return failed("stdout cannot be written");
}

static int compile(const struct arguments *args)
{
	struct diag *diag = diag_new();
	struct product product;
	struct err err;
	int status = STATUS_FAILED;
	int rc;

	/* Nobody would take the images any more, and nobody end us if we hang. */
	if (args->mode == MODE_EMIT)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	rc = produce(&product, args->file, args->state_dir, args->cache_dir, &args->served, diag,
		     &err);

	diag_print(diag, stderr);
	if (rc != 0) {
		(void)failed(err.text);
		goto out;
	}
	status = diag_errors(diag) > 0 ? STATUS_MISTAKES : STATUS_OK;
	if (args->mode == MODE_CHECK) {
		print_summary(&product.result.counts, diag);
		if (finish_stdout() != STATUS_OK)
			status = STATUS_FAILED;
	} else if (status == STATUS_OK &&
		   channel_send(args->channel, &product.result, sizeof(product.result), product.fds,
				COMPILED_FDS, &err) != 0) {
		status = failed(err.text);
	}
out:
	product_free(&product);
	diag_free(diag);
	return status;
}

/* --- the boot record -------------------------------------------------------------------------- */

static int print_boot_record(const struct arguments *args)
{
	struct boot_record *record = mem_alloc(sizeof(*record));
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct config config;
	int status = STATUS_MISTAKES;
	int rc = config_read_fd(&config, args->config_fd, args->file, true, &arena, diag);

	diag_print(diag, stderr);
	if (rc == 0 && diag_errors(diag) == 0) {
		if (args->state_dir != NULL)
			config.state_dir = args->state_dir;
		if (!boot_fill(record, &config))
			status = failed("a path has more than 4095 octets");
		else if (fwrite(record, sizeof(*record), 1, stdout) == 1)
			status = finish_stdout();
		else
			status = failed("stdout cannot be written");
	}
	arena_free(&arena);
	diag_free(diag);
	free(record);
	return status;
}

/* --- what holds ------------------------------------------------------------------------------- */

static int print_effective(const struct arguments *args)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct effective effective;
	struct config config;
	struct err err;
	int status = STATUS_MISTAKES;
	int rc = effective_read(&effective, &config, args->file, &arena, diag);

	diag_print(diag, stderr);
	if (rc == 0 && diag_errors(diag) == 0) {
		if (effective_print(&effective, &config, args->pool, args->node, args->json, stdout,
				    &err) == 0)
			status = finish_stdout();
		else
			(void)failed(err.text);
	}
	arena_free(&arena);
	diag_free(diag);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments args;

	if (argc > 0 && strcmp(argv[0], "signpostctl") == 0)
		self = argv[0];
	if (argc < 1 || !parse_arguments(&args, argv)) {
		(void)fprintf(
			stderr,
			"usage: signpost-compile --check FILE\n"
			"       signpost-compile --emit FD FILE [--state DIR] [--cache DIR] [--served FD]"
			" [--served-locations FD]\n"
			"       signpost-compile --boot-record [--config-fd N] FILE\n"
			"       signpost-compile --options\n"
			"       signpost-compile --effective FILE [POOL [NODE]] [--json]\n");
		return STATUS_FAILED;
	}
	switch (args.mode) {
	case MODE_OPTIONS: config_print_options(stdout); return finish_stdout();
	case MODE_BOOT_RECORD: return print_boot_record(&args);
	case MODE_EFFECTIVE: return print_effective(&args);
	default: return compile(&args);
	}
}
