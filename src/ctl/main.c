/* signpostctl: the operator's tool. It asks control over its socket; `check` runs signpost-compile
 * and `explain` does the data plane's lookups itself, on the images that control lends. */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		command_fn *run;
		int arguments_max;
	} commands[] = { { "check", command_check, 1 },      { "config", command_config, 2 },
			 { "diff", command_diff, 1 },        { "drill", command_drill, 1 },
			 { "reload", command_reload, 0 },    { "status", command_status, 1 },
			 { "explain", command_explain, 2 },  { "drain", command_order, 1 },
			 { "disable", command_order, 1 },    { "enable", command_order, 1 },
			 { "weight", command_order, 2 },     { "report", command_order, 2 },
			 { "states", command_states, 0 },    { "profile", command_profile, 0 },
			 { "simulate", command_simulate, 0 } };
	struct options options;
	int status = parse_options(&options, argc, argv);

	if (status != STATUS_OK)
		return status < 0 ? STATUS_OK : status;
	if (options.count == 0) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, options.arguments[0]) != 0)
			continue;
		if (options.count - 1 > commands[i].arguments_max)
			return misused("one argument too many",
				       options.arguments[commands[i].arguments_max + 1]);
		status = commands[i].run(&options);
		if (fflush(stdout) != 0 && status == STATUS_OK)
			status = STATUS_UNREACHED;
		return status;
	}
	return misused("no such command", options.arguments[0]);
}
