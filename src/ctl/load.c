#include "ctl/load.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_MAX 10

static int refuse(const char *text, bool meant_percent, struct err *err)
{
	return err_set(err,
		       "\"%.100s\" is no load: a part of the capacity from 0 to %d, such as 0.83, "
		       "or the same in percent, such as 83%%%s%.100s%s",
		       text, LOAD_MAX, meant_percent ? " (did you mean \"" : "",
		       meant_percent ? text : "", meant_percent ? "%\"?)" : "");
}

int load_parse(const char *text, double *out, struct err *err)
{
	char *end = NULL;
	bool percent;

	/* strtod alone would take "inf", "0x1p3" and leading spaces. */
	if (text[0] == '\0' || strspn(text, "0123456789.eE+-%") != strlen(text))
		return refuse(text, false, err);
	*out = strtod(text, &end);
	percent = end != text && strcmp(end, "%") == 0;
	if (end == text || (*end != '\0' && !percent))
		return refuse(text, false, err);
	if (percent)
		*out /= 100;
	if (*out >= 0 && *out <= LOAD_MAX)
		return 0;
	return refuse(text, !percent && *out > LOAD_MAX && *out <= 100 * LOAD_MAX, err);
}
