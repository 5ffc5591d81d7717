#include "ctl/condition_text.h"

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"

#define LEVEL_ALL 65535

const char *condition_down_family(const json_t *node)
{
	return json_string_value(json_array_get(json_object_get(node, "down_families"), 0));
}

unsigned condition_ramp_percent(const json_t *node)
{
	long long percent = (field_number(node, "ramp_level") * 100 + LEVEL_ALL / 2) / LEVEL_ALL;

	return percent < 100 ? (unsigned)percent : 99;
}

/* What its probes say, or what that makes of it while its weight comes back. */
static const char *health(const json_t *node, char *text, size_t size)
{
	const char *condition = field_text(node, "condition"), *status = field_text(node, "status");

	if (strcmp(condition, "ramping") == 0)
		(void)snprintf(text, size, "ramping %u%%", condition_ramp_percent(node));
	else if (field_is(node, "degraded") && strcmp(status, "up") == 0)
		(void)snprintf(text, size, "degraded");
	else
		(void)snprintf(text, size, "%s", status);
	return text;
}

const char *condition_text(const json_t *node, char text[CONDITION_TEXT_SIZE])
{
	const char *state = field_text(node, "state"), *family = condition_down_family(node);
	bool enabled = state[0] == '\0' || strcmp(state, "enabled") == 0;
	char word[32];

	(void)snprintf(text, CONDITION_TEXT_SIZE, "%s%s%s%s%s%s%s%s",
		       health(node, word, sizeof(word)), field_is(node, "adopted") ? "*" : "",
		       enabled ? "" : ", ", enabled ? "" : state, family == NULL ? "" : ", no ",
		       family == NULL ? "" : family, field_is(node, "held") ? ", held in" : "",
		       field_count(node, "verdict_within_ms") > 0 ? ", in doubt" : "");
	return text;
}
