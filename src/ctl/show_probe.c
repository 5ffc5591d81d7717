#include <string.h>

#include "ctl/columns.h"
#include "ctl/command_probe.h"
#include "ctl/field.h"

#define OCTETS_A_LINE 16

static double milliseconds(const json_t *object, const char *key)
{
	return (double)field_number(object, key) / 1000.;
}

/* "    0010  45 00 00 1c ..." */
static void show_octets(const char *digits, FILE *out)
{
	size_t len = strlen(digits) / 2;

	for (size_t at = 0; at < len; at++) {
		if (at % OCTETS_A_LINE == 0)
			(void)fprintf(out, "%s%17s%04zx ", at == 0 ? "" : "\n", "", at);
		else if (at % OCTETS_A_LINE == OCTETS_A_LINE / 2)
			(void)fputc(' ', out);
		(void)fprintf(out, " %.2s", digits + 2 * at);
	}
	if (len > 0)
		(void)fputc('\n', out);
}

static void show_steps(const json_t *probe, FILE *out)
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(probe, "steps"), i, step)
	{
		(void)fprintf(out, "  %9.2f ms   %s\n", milliseconds(step, "at_us"),
			      field_text(step, "text"));
		show_octets(field_text(step, "octets"), out);
	}
	if (field_number(probe, "left_out") > 0)
		(void)fprintf(out, "  %lld steps more are left out\n",
			      field_number(probe, "left_out"));
}

static void show_outcome(const json_t *probe, FILE *out)
{
	const char *outcome = field_text(probe, "outcome");
	const char *why = field_text(probe, "why");

	(void)fprintf(out, "  %9.2f ms   ", milliseconds(probe, "took_us"));
	if (strcmp(outcome, "not made") == 0)
		(void)fprintf(out,
			      "it does not count: %s\n"
			      "                 it says nothing about the node\n",
			      why);
	else
		(void)fprintf(out, "it counts as a %s: %s\n",
			      strcmp(outcome, "warning") == 0 ? "success that warns" : outcome,
			      why);
	if (field_has(probe, "use"))
		(void)fprintf(out, "%17sload: %.1f %% of what there may be\n", "",
			      json_number_value(json_object_get(probe, "use")) * 100.);
	if (field_has(probe, "weight_percent"))
		(void)fprintf(out, "%17sit asks for %lld %% of the weight\n", "",
			      field_number(probe, "weight_percent"));
	if (field_has(probe, "wish"))
		(void)fprintf(out, "%17sit asks for the state %s\n", "", field_text(probe, "wish"));
}

/* Where the regular check of the same address stands. */
static void show_check(const json_t *check, FILE *out)
{
	const char *verdict = field_text(check, "verdict");
	bool up = strcmp(verdict, "up") == 0;

	if (!json_is_object(check)) {
		(void)fprintf(out, "  the regular check is not in the files any more\n");
		return;
	}
	if (!up && strcmp(verdict, "down") != 0) {
		(void)fprintf(out, "  the regular check has no verdict yet\n");
		return;
	}
	(void)fprintf(out,
		      "  the regular check is %s, with %lld of the %lld %s in a row that make it "
		      "%s; last: %s\n",
		      verdict, field_number(check, "counted"),
		      field_number(check, up ? "fall" : "rise"), up ? "failures" : "successes",
		      up ? "down" : "up", field_text(check, "why"));
}

static const char *judged(const json_t *probe)
{
	const char *judges = field_text(probe, "judges");

	if (!field_is(probe, "health"))
		return "tells its load";
	if (strcmp(judges, "ipv4") == 0)
		return "judges its IPv4 addresses";
	return strcmp(judges, "ipv6") == 0 ? "judges its IPv6 addresses" : "judges it";
}

static void show_probe(const json_t *probe, FILE *out)
{
	const char *name = field_text(probe, "name");
	const char *kind = field_text(probe, "kind");
	const char *where = field_text(probe, "where");

	(void)fprintf(out, "%s", name);
	if (strcmp(name, kind) != 0)
		(void)fprintf(out, " (%s)", kind);
	(void)fprintf(out, "%s%s, %s:\n", where[0] != '\0' ? " of " : "", where, judged(probe));
	show_steps(probe, out);
	show_outcome(probe, out);
	if (field_is(probe, "health"))
		show_check(json_object_get(probe, "check"), out);
	(void)fputc('\n', out);
}

/* ", but degraded, its IPv6 is down" */
static void show_condition(const json_t *state, FILE *out)
{
	const json_t *family = json_array_get(json_object_get(state, "down_families"), 0);

	(void)fprintf(out, " is %s%s", field_text(state, "status"),
		      field_is(state, "degraded") ? ", but degraded" : "");
	if (json_is_string(family) && strcmp(field_text(state, "status"), "down") != 0)
		(void)fprintf(out, ", its %s is down",
			      strcmp(json_string_value(family), "ipv4") == 0 ? "IPv4" : "IPv6");
}

static void show_state(const json_t *reply, FILE *out)
{
	const json_t *state = json_object_get(reply, "state");
	long long require = field_number(state, "require");
	char age[QUANTITY_SIZE];

	(void)fprintf(out, "%s/%s", field_text(reply, "pool"), field_text(reply, "node"));
	if (!json_is_object(state)) {
		(void)fprintf(out, " is not in the files any more\n");
		return;
	}
	show_condition(state, out);
	(void)fprintf(out, ", for %s: %s\n",
		      text_age(field_count(state, "since_ms"), field_count(reply, "now_ms"), age),
		      field_text(state, "reason"));
	if (require == 0)
		(void)fprintf(out, "all of its probes must be up\n");
	else
		(void)fprintf(out, "%lld of its probes must be up\n", require);
}

void show_probes(const json_t *reply, FILE *out)
{
	const json_t *probe;
	size_t i;

	json_array_foreach(json_object_get(reply, "probes"), i, probe) show_probe(probe, out);
	show_state(reply, out);
}

bool probes_succeeded(const json_t *reply)
{
	const json_t *probe;
	size_t i;

	json_array_foreach(json_object_get(reply, "probes"), i, probe)
	{
		const char *outcome = field_text(probe, "outcome");

		if (strcmp(outcome, "success") != 0 && strcmp(outcome, "warning") != 0)
			return false;
	}
	return true;
}
