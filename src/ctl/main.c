/* signpostctl: the operator's tool. It asks control over its socket; `check` runs signpost-compile
 * and `explain` does the data plane's lookups itself, on the images that control lends. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

static const struct command {
	const char *name;
	command_fn *run;
	int arguments_max;
	const char *options; /* beside those that all commands have */
} commands[] = {
	{ "check", command_check, 1, "" },
	{ "config", command_config, 2, "effective" },
	{ "diff", command_diff, 1, "all" },
	{ "drill", command_drill, 1, "down for force unknown-capacity reason" },
	{ "reload", command_reload, 0, "" },
	{ "status", command_status, 1, "" },
	{ "explain", command_explain, 2, "type source" },
	{ "drain", command_order, 1, "reason from until" },
	{ "disable", command_order, 1, "reason from until" },
	{ "force", command_order, 2, "reason from until for" },
	{ "enable", command_order, 1, "reason from until" },
	{ "weight", command_order, 2, "reason reset" },
	{ "report", command_order, 2, "load for reason" },
	{ "history", command_history, 1, "since until" },
	{ "audit", command_audit, 1, "since until who csv" },
	{ "probe", command_probe, 1, "kind probe" },
	{ "states", command_states, 0, "" },
	{ "profile", command_profile, 0, "" },
	{ "simulate", command_simulate, 0, "down drain load files profile pool all-countries svg" },
};

static int run(const struct command *command, const struct options *options)
{
	const char *foreign = foreign_option(options, command->options);
	int status;

	if (options->count - 1 > command->arguments_max)
		return misused("one argument too many",
			       options->arguments[command->arguments_max + 1]);
	if (foreign != NULL) {
		(void)fprintf(stderr,
			      "signpostctl: --%s means nothing to %s\n"
			      "Try 'signpostctl --help'.\n",
			      foreign, command->name);
		return STATUS_USAGE;
	}
	status = command->run(options);
	if (fflush(stdout) != 0 && status == STATUS_OK)
		status = STATUS_UNREACHED;
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status = parse_options(&options, argc, argv);

	if (status != STATUS_OK)
		return status < 0 ? STATUS_OK : status;
	if (options.count == 0) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, options.arguments[0]) == 0)
			return run(&commands[i], &options);
	}
	return misused("no such command", options.arguments[0]);
}
