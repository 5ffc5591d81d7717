#include "ctl/show_follows.h"

#include <math.h>
#include <string.h>

#include "ctl/field.h"

static double percent(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key)) * 100;
}

bool follows_load(const json_t *follows)
{
	return percent(follows, "part") < 100 || field_is(follows, "moves");
}

static void show_way(const json_t *follows, FILE *out)
{
	long long part = lround(percent(follows, "part"));
	long long target = lround(percent(follows, "target"));

	(void)fprintf(out, "%lld %% of its weight", part);
	if (part == target || !field_is(follows, "moves"))
		return;
	(void)fprintf(out, ", on the way to %lld %%", target);
	if (field_number(follows, "wait_ms") > 0)
		(void)fprintf(out, ", next in %lld s",
			      (field_number(follows, "wait_ms") + 999) / 1000);
}

static void show_signal(const json_t *signal, const char *cause, FILE *out)
{
	static const struct {
		const char *cause, *words;
	} causes[] = { { "low", "at the low mark or below" },
		       { "between", "between the marks" },
		       { "high", "at the high mark or above" },
		       { "fading", "but not told for long, so it loses its say" } };
	long long use = lround(percent(signal, "use"));
	long long smoothed = lround(percent(signal, "smoothed"));

	(void)fprintf(out, "%s %lld %%", field_text(signal, "name"), use);
	if (smoothed != use)
		(void)fprintf(out, " (smoothed %lld %%)", smoothed);
	for (size_t i = 0; cause != NULL && i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (strcmp(causes[i].cause, cause) == 0)
			(void)fprintf(out, ", %s", causes[i].words);
	}
	if (cause == NULL && percent(signal, "say") <= 0)
		(void)fputs(", too old", out);
}

/* The one that decides first. */
static void show_signals(const json_t *follows, FILE *out)
{
	const json_t *list = json_object_get(follows, "signals"), *signal;
	const char *decides = field_text(follows, "signal"), *before = "";
	size_t i;

	json_array_foreach(list, i, signal)
	{
		if (strcmp(field_text(signal, "name"), decides) == 0) {
			show_signal(signal, field_text(follows, "cause"), out);
			before = "; ";
		}
	}
	json_array_foreach(list, i, signal)
	{
		if (strcmp(field_text(signal, "name"), decides) == 0)
			continue;
		(void)fputs(before, out);
		show_signal(signal, NULL, out);
		before = "; ";
	}
	if (json_array_size(list) == 0)
		(void)fputs("nothing is known of its load", out);
}

void show_follows(const json_t *follows, FILE *out)
{
	show_way(follows, out);
	(void)fputs(": ", out);
	show_signals(follows, out);
}
