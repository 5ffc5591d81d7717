/* What agents, files and plugins say: read as a line of an agent, as a load and as performance data. */
#include <string.h>

#include "base/mem.h"
#include "probe/agent_line.h"
#include "probe/perfdata.h"
#include "tests/fuzz/fuzz.h"

const unsigned long fuzz_runs = 20000, fuzz_runs_an_accepted = 100;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void read_as_line(const char *text, size_t size)
{
	struct agent_said said = { 0 };
	struct agent_line line, whole;
	char why[PROBE_WHY_SIZE];
	struct probe_result result;

	must(agent_line_parse(text, size, true, &whole));
	if (agent_line_parse(text, size, false, &line)) {
		fuzz_accepted += line.says;
		must(line.health == whole.health && line.wish == whole.wish);
	}
	agent_said_take(&said, &whole);
	result = agent_said_result(&said, &whole, why);
	must((result.outcome == PROBE_FAILURE) == (whole.health == AGENT_DOWN));
	must(!result.has_use || (result.use >= 0 && result.use <= 10));
	must(strlen(why) < PROBE_WHY_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = { 0 }; /* exactly as long, so that sanitizers see what is beyond */
	struct perfdata value;
	char line[PROBE_WHY_SIZE];
	double load;

	buf_append(&text, data, size);
	if (size > 0)
		read_as_line((const char *)text.data, size);
	if (size > 0 && agent_load_parse((const char *)text.data, size, &load))
		must(load >= 0 && load <= 10);
	buf_append(&text, "", 1);
	(void)perfdata_find((const char *)text.data, "load1", &value);
	must(strlen(perfdata_line((const char *)text.data, line, sizeof(line))) < sizeof(line));
	buf_free(&text);
	return 0;
}
