/* signpostctl: the operator's tool. It asks control over its socket; `check` runs signpost-compile
 * and `explain` does the data plane's lookups itself, on the images that control lends. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/program.h"
#include "ctl/borrow.h"
#include "ctl/client.h"
#include "ctl/command_orders.h"
#include "ctl/command_profile.h"
#include "ctl/command_simulate.h"
#include "ctl/explain.h"
#include "ctl/reach.h"
#include "ctl/show.h"

enum exit_status { STATUS_OK, STATUS_REFUSED, STATUS_USAGE, STATUS_UNREACHED };

static const char usage[] =
	"usage: signpostctl [OPTION]... COMMAND\n"
	"\n"
	"  check [FILE]              all mistakes in the server file and what it names\n"
	"  config --effective [POOL [NODE]]  all options that hold, and where they come from\n"
	"  reload                    take the files as they are now: whole, or not at all\n"
	"  status [POOL]             processes, images, counters, pools, sites, nodes\n"
	"  explain NAME ADDRESS[/LEN]  what is answered to this client network, and why;\n"
	"                            -: to each network that standard input has a line of\n"
	"  drain OBJECT              no new answers to a node, a site or a pool; no alarm\n"
	"  disable OBJECT            no answer at all\n"
	"  enable OBJECT             neither any more\n"
	"  weight NODE N             another weight than in the files; --reset: theirs again\n"
	"  states                    what is drained, disabled or weighted, or is to be\n"
	"  report NODE --load LOAD   how much of its capacity a node uses: 0 to 10\n"
	"  profile                   where queries come from, for simulate\n"
	"  simulate                  who would be answered what if, and whether capacity holds\n"
	"\n"
	"  -c, --config FILE         server file (" REACH_SERVER_FILE ")\n"
	"      --run DIR             where the control socket is (the server file's `run`,\n"
	"                            $SIGNPOST_RUN, " REACH_RUN_DIR ")\n"
	"      --socket PATH         the control socket itself\n"
	"      --json                what was found, as JSON\n"
	"      --type TYPE           explain: this type only, of A, AAAA, SRV, HTTPS and SVCB\n"
	"      --effective           config: what is written, inherited and by default\n"
	"      --source              explain: the address asks itself, without a client subnet\n"
	"      --reason TEXT         drain, disable, enable, weight: why\n"
	"      --from TIME           drain, disable, enable: not before that time, such as\n"
	"                            2026-12-24T18:00:00Z, +90m, 2h, 1d12h\n"
	"      --until TIME          drain, disable, enable: up to that time\n"
	"      --down OBJECT         simulate: this site, node or pool is down\n"
	"      --drain OBJECT        simulate: it is drained\n"
	"      --load OBJECT=LOAD    simulate: so much of its capacity is used now; LOAD alone:\n"
	"                            of every node's\n"
	"      --files FILE          simulate: the files of this server file, or folder, run\n"
	"      --profile FILE        simulate: where queries come from\n"
	"      --pool POOL           simulate: tell of this pool only\n"
	"      --all-countries       simulate: tell of those as well that stay where they are\n"
	"      --svg FILE            simulate: draw a map\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"Exit status: 0 well; 1 there are mistakes, or it was refused; 2 not understood;\n"
	"3 control cannot be reached.\n";

struct options {
	const char *server_file, *run_dir, *socket;
	bool json, source, effective;
	uint8_t types; /* bits of enum pool_type; 0: not given */
	struct simulate_options simulate;
	struct order_options order;
	char **arguments; /* the command first */
	int count;
};

static int misused(const char *format, const char *what)
{
	(void)fputs("signpostctl: ", stderr);
	(void)fprintf(stderr, "%s: %s\n", format, what);
	(void)fputs("Try 'signpostctl --help'.\n", stderr);
	return STATUS_USAGE;
}

/* As long as control gives signpost-compile, and some. */
#define RELOAD_PATIENCE_S 1000

/* The answer to a request, which is taken over; an exit status, STATUS_OK: *out is there. */
static int ask(const struct options *options, json_t *request, unsigned patience_s,
	       struct reply *out)
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

/* --- the commands ----------------------------------------------------------------------------- */

static int print_json(const json_t *json, size_t flags)
{
	if (json_dumpf(json, stdout, flags) != 0)
		return STATUS_UNREACHED;
	(void)putchar('\n');
	return STATUS_OK;
}

#define COMPILE_ARGUMENTS_MAX 6

/* Becomes signpost-compile; returns where that cannot be. */
static int run_compile(const char *const arguments[COMPILE_ARGUMENTS_MAX])
{
	char *argv[COMPILE_ARGUMENTS_MAX + 2] = { NULL };
	char path[PATH_MAX];
	struct err err;

	argv[0] = path;
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

static const char *server_file(const struct options *options)
{
	return options->server_file != NULL ? options->server_file : REACH_SERVER_FILE;
}

static int command_check(const struct options *options)
{
	return run_compile((const char *const[COMPILE_ARGUMENTS_MAX]){
		"--check", options->count > 1 ? options->arguments[1] : server_file(options) });
}

static int command_config(const struct options *options)
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

static int command_reload(const struct options *options)
{
	struct reply reply;
	int status = ask(options, json_pack("{s:s}", "command", "ping"), CLIENT_PATIENCE_S, &reply);

	if (status != STATUS_OK)
		return status;
	reply_free(&reply); /* it is not control that a long reload waits for */
	status = ask(options, json_pack("{s:s}", "command", "reload"), RELOAD_PATIENCE_S, &reply);
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

static int refused(struct reply *reply)
{
	(void)fprintf(stderr, "signpostctl: %s\n", reply_error(reply));
	reply_free(reply);
	return STATUS_REFUSED;
}

static int command_status(const struct options *options)
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

static int command_explain(const struct options *options)
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

/* --- what operators order ---------------------------------------------------------------------- */

static int command_order(const struct options *options)
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

static int command_states(const struct options *options)
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

/* --- simulate --------------------------------------------------------------------------------- */

static int command_simulate(const struct options *options)
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

static int command_profile(const struct options *options)
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

/* --- the command line ------------------------------------------------------------------------- */

static bool parse_type(struct options *options, const char *text)
{
	options->types = 0;
	for (size_t i = 0; i < EXPLAINED_TYPES; i++) {
		if (strcasecmp(text, explained_types[i].name) == 0)
			options->types = pool_type_bit(explained_types[i].type);
	}
	return options->types != 0;
}

/* STATUS_OK, or the exit status of a usage that is over here (-1: well). */
static int parse_options(struct options *out, int argc, char **argv)
{
	enum {
		RUN = 256,
		SOCKET,
		JSON,
		TYPE,
		SOURCE,
		EFFECTIVE,
		FILES,
		PROFILE,
		POOL,
		ALL_COUNTRIES,
		SVG,
		REASON,
		FROM,
		UNTIL,
		RESET,
		SUPPOSE /* and enum suppose_kind */
	};
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "run", required_argument, NULL, RUN },
		{ "socket", required_argument, NULL, SOCKET },
		{ "json", no_argument, NULL, JSON },
		{ "type", required_argument, NULL, TYPE },
		{ "source", no_argument, NULL, SOURCE },
		{ "effective", no_argument, NULL, EFFECTIVE },
		{ "reason", required_argument, NULL, REASON },
		{ "from", required_argument, NULL, FROM },
		{ "until", required_argument, NULL, UNTIL },
		{ "reset", no_argument, NULL, RESET },
		{ "down", required_argument, NULL, SUPPOSE + SUPPOSE_DOWN },
		{ "drain", required_argument, NULL, SUPPOSE + SUPPOSE_DRAIN },
		{ "load", required_argument, NULL, SUPPOSE + SUPPOSE_LOAD },
		{ "files", required_argument, NULL, FILES },
		{ "profile", required_argument, NULL, PROFILE },
		{ "pool", required_argument, NULL, POOL },
		{ "all-countries", no_argument, NULL, ALL_COUNTRIES },
		{ "svg", required_argument, NULL, SVG },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*out = (struct options){ 0 };
	while ((option = getopt_long(argc, argv, "c:hV", names, NULL)) != -1) {
		switch (option) {
		case 'c': out->server_file = optarg; break;
		case RUN: out->run_dir = optarg; break;
		case SOCKET: out->socket = optarg; break;
		case JSON: out->json = true; break;
		case SOURCE: out->source = true; break;
		case EFFECTIVE: out->effective = true; break;
		case TYPE:
			if (!parse_type(out, optarg))
				return misused("none of A, AAAA, SRV, HTTPS and SVCB", optarg);
			break;
		case FILES: out->simulate.what.files = optarg; break;
		case PROFILE: out->simulate.what.profile = optarg; break;
		case POOL: out->simulate.what.pool = optarg; break;
		case ALL_COUNTRIES: out->simulate.all_countries = true; break;
		case SVG: out->simulate.svg = optarg; break;
		case REASON: out->order.reason = optarg; break;
		case FROM: out->order.from = optarg; break;
		case UNTIL: out->order.until = optarg; break;
		case RESET: out->order.reset = true; break;
		case SUPPOSE + SUPPOSE_DOWN:
		case SUPPOSE + SUPPOSE_DRAIN:
		case SUPPOSE + SUPPOSE_LOAD:
			if (option == SUPPOSE + SUPPOSE_LOAD)
				out->order.load = optarg; /* of report */
			if (!simulate_suppose(&out->simulate, (enum suppose_kind)(option - SUPPOSE),
					      optarg))
				return misused("too many things are supposed", optarg);
			break;
		case 'h': (void)fputs(usage, stdout); return -1;
		case 'V': (void)puts("signpostctl " PACKAGE_VERSION); return -1;
		default: (void)fputs("Try 'signpostctl --help'.\n", stderr); return STATUS_USAGE;
		}
	}
	out->arguments = argv + optind;
	out->count = argc - optind;
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *options);
		int arguments_max;
	} commands[] = { { "check", command_check, 1 },      { "config", command_config, 2 },
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
		(void)fputs(usage, stderr);
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
