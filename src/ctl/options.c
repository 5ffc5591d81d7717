#include <config.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "ctl/command.h"
#include "ctl/explain.h"
#include "ctl/reach.h"

static const char usage[] =
	"usage: signpostctl [OPTION]... COMMAND\n"
	"\n"
	"  check [FILE]              all mistakes in the server file and what it names\n"
	"  config --effective [POOL [NODE]]  all options that hold, and where they come from\n"
	"  diff [FILE]               what a reload of the files as they are now would change\n"
	"  reload                    take the files as they are now: whole, or not at all\n"
	"  status [POOL]             processes, images, counters, pools, sites, nodes\n"
	"  explain NAME ADDRESS[/LEN]  what is answered to this client network, and why;\n"
	"                            -: to each network that standard input has a line of\n"
	"  drain OBJECT              no new answers to a node, a site or a pool; no alarm\n"
	"  disable OBJECT            no answer at all\n"
	"  force OBJECT up | down    up, or down, whatever its probes say\n"
	"  enable OBJECT             none of these any more\n"
	"  weight NODE N             another weight than in the files; --reset: theirs again\n"
	"  states                    what is drained, disabled, forced or weighted, or is to be\n"
	"  report NODE LOAD          how much of its capacity a node uses: 0.83 or 83%, up to 10\n"
	"  report NODE STATE         for probes of kind push: it is up, degraded or down\n"
	"  history NODE              its round-trip time, loss, load and status, drawn\n"
	"  audit [OBJECT]            transitions, and what operators did, when and why\n"
	"  probe NODE                probe it once, now, and tell each step\n"
	"  profile                   where queries come from, for simulate\n"
	"  simulate                  who would be answered what if, and whether capacity holds\n"
	"  drill start --down OBJECT  pretend at the probes that it is down: a failure for practice\n"
	"  drill status | stop       how the drill goes, or went; end it now\n"
	"\n"
	"  -c, --config FILE         server file (" REACH_SERVER_FILE ")\n"
	"      --run DIR             where the control socket is (the server file's `run`,\n"
	"                            $SIGNPOST_RUN, " REACH_RUN_DIR ")\n"
	"      --socket PATH         the control socket itself\n"
	"      --json                what was found, as JSON\n"
	"      --type TYPE           explain: this type only, of A, AAAA, SRV, HTTPS and SVCB\n"
	"      --effective           config: what is written, inherited and by default\n"
	"      --source              explain: the address asks itself, without a client subnet\n"
	"      --reason TEXT         drain, disable, force, enable, weight, report, drill: why\n"
	"      --from TIME           drain, disable, force, enable: not before that time, such as\n"
	"                            2026-12-24T18:00:00Z, +90m, 2h, 1d12h\n"
	"      --until TIME          drain, disable, force, enable: up to that time; history,\n"
	"                            audit: up to that time, as with --since\n"
	"      --down OBJECT         simulate, drill: this site, node or pool is down\n"
	"      --drain OBJECT        simulate: it is drained\n"
	"      --load OBJECT=LOAD    simulate: so much of its capacity is used now, such as 0.83\n"
	"                            or 83%; LOAD alone: of every node's\n"
	"      --files FILE          simulate: the files of this server file, or folder, run\n"
	"      --profile FILE        simulate: where queries come from\n"
	"      --pool POOL           simulate: tell of this pool only\n"
	"      --all-countries       simulate: tell of those as well that stay where they are\n"
	"      --svg FILE            simulate: draw a map\n"
	"      --for DURATION        force: so long; report: how long it counts; drill: 10s to 24h,\n"
	"                            10m by default\n"
	"      --unknown-capacity    drill: also where not all nodes that matter report their load\n"
	"      --force               drill: whatever becomes of capacity and of pools\n"
	"      --since TIME          history (24h by default), audit: from that time on, such as\n"
	"                            2026-12-24T18:00:00Z, or so long ago: 90m, 24h, 7d\n"
	"      --who NAME            audit: what this operator did\n"
	"      --csv                 audit: as comma-separated values\n"
	"      --kind KIND           probe: by its probes of this kind alone\n"
	"      --probe NAME          probe: by the probe of this name alone\n"
	"      --all                 diff: everything, however long\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"Exit status: 0 well; 1 there are mistakes, it was refused, or a probe failed;\n"
	"2 not understood, or nothing to probe;\n"
	"3 control cannot be reached.\n";

void print_usage(FILE *out)
{
	(void)fputs(usage, out);
}

static bool parse_type(struct options *options, const char *text)
{
	options->types = 0;
	for (size_t i = 0; i < EXPLAINED_TYPES; i++) {
		if (strcasecmp(text, explained_types[i].name) == 0)
			options->types = pool_type_bit(explained_types[i].type);
	}
	return options->types != 0;
}

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
	ALL,
	FOR,
	FORCE,
	UNKNOWN_CAPACITY,
	REASON,
	FROM,
	UNTIL,
	RESET,
	SINCE,
	WHO,
	CSV,
	KIND,
	PROBE,
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
	{ "since", required_argument, NULL, SINCE },
	{ "who", required_argument, NULL, WHO },
	{ "csv", no_argument, NULL, CSV },
	{ "kind", required_argument, NULL, KIND },
	{ "probe", required_argument, NULL, PROBE },
	{ "down", required_argument, NULL, SUPPOSE + SUPPOSE_DOWN },
	{ "drain", required_argument, NULL, SUPPOSE + SUPPOSE_DRAIN },
	{ "load", required_argument, NULL, SUPPOSE + SUPPOSE_LOAD },
	{ "files", required_argument, NULL, FILES },
	{ "profile", required_argument, NULL, PROFILE },
	{ "pool", required_argument, NULL, POOL },
	{ "all-countries", no_argument, NULL, ALL_COUNTRIES },
	{ "svg", required_argument, NULL, SVG },
	{ "all", no_argument, NULL, ALL },
	{ "for", required_argument, NULL, FOR },
	{ "force", no_argument, NULL, FORCE },
	{ "unknown-capacity", no_argument, NULL, UNKNOWN_CAPACITY },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* The long option that was meant. */
static const char *meant_option(const char *text)
{
	const char *known[sizeof(names) / sizeof(names[0])];
	size_t count = 0;
	char word[32];

	for (; names[count].name != NULL; count++)
		known[count] = names[count].name;
	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, "="), text);
	return nearest_word(word, known, count);
}

/* getopt's own words name the path of the program, and call -1 an option. */
static int refuse_option(int refused, int asked, char **argv)
{
	const char *text = argv[optind - 1], *meant;
	char letter[] = { '-', (char)asked, '\0' }, told[128];

	if (refused == ':')
		return misused("a value belongs behind", asked < 256 ? letter : text);
	if (asked >= '0' && asked <= '9') /* getopt is not past "-15" yet, but past "-1" */
		return misused("no number is negative here",
			       strncmp(text, letter, 2) == 0 ? text : argv[optind]);
	if (asked > 0 && asked < 256)
		return misused("no such option", letter);
	if (asked != 0)
		return misused("no value belongs there", text);
	meant = meant_option(text + strspn(text, "-"));
	if (meant == NULL)
		return misused("no such option, or one of several", text);
	(void)snprintf(told, sizeof(told), "%.60s (did you mean \"--%s\"?)", text, meant);
	return misused("no such option", told);
}

static bool is_among(const char *name, const char *list)
{
	size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	}
	return false;
}

/* Each once. */
static void note_given(struct options *options, const char *name)
{
	for (int i = 0; i < options->given_count; i++) {
		if (strcmp(options->given[i], name) == 0)
			return;
	}
	if (options->given_count < OPTIONS_MAX)
		options->given[options->given_count++] = name;
}

const char *foreign_option(const struct options *options, const char *allowed)
{
	for (int i = 0; i < options->given_count; i++) {
		if (!is_among(options->given[i], allowed))
			return options->given[i];
	}
	return NULL;
}

int parse_options(struct options *out, int argc, char **argv)
{
	int option, which;

	*out = (struct options){ 0 };
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:hV", names, &which)) != -1) {
		if (option >= TYPE)
			note_given(out, names[which].name);
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
		case ALL: out->all = true; break;
		case FOR: out->drill_for = out->order.duration = optarg; break;
		case FORCE: out->force = true; break;
		case UNKNOWN_CAPACITY: out->unknown_capacity = true; break;
		case REASON: out->order.reason = optarg; break;
		case FROM: out->order.from = optarg; break;
		case UNTIL: out->order.until = optarg; break;
		case RESET: out->order.reset = true; break;
		case SINCE: out->history.since = optarg; break;
		case WHO: out->history.who = optarg; break;
		case CSV: out->history.csv = true; break;
		case KIND: out->probe_kind = optarg; break;
		case PROBE: out->probe_name = optarg; break;
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
		default: return refuse_option(option, optopt, argv);
		}
	}
	out->arguments = argv + optind;
	out->count = argc - optind;
	return STATUS_OK;
}
