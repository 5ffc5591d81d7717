#include "probe/perfdata.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE 64
#define BLANKS      " \t\r\n"

/* --- one value --------------------------------------------------------------------------------- */

/* A decimal number in front of *at, which moves behind it. */
static bool take_number(const char **at, double *out)
{
	size_t len = strspn(*at, "+-.0123456789");
	char text[NUMBER_SIZE], *end;

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, *at, len);
	text[len] = '\0';
	*out = strtod(text, &end);
	*at += len;
	return *end == '\0';
}

/* "'a label'=" or "label=": does it say this one? A quote in quotes stands twice. *at moves behind
 * the "="; false in *whole: there is none. */
static bool take_label(const char **at, const char *label, bool *whole)
{
	bool quoted = **at == '\'', same = true;
	const char *c = *at + quoted;

	for (; *c != '\0'; c++) {
		if (quoted && c[0] == '\'' && c[1] == '\'')
			c++;
		else if (*c == (quoted ? '\'' : '='))
			break;
		else if (!quoted && strchr(BLANKS, *c) != NULL)
			break;
		same = same && *label == *c;
		label += *label != '\0';
	}
	if (quoted && *c == '\'')
		c++;
	*whole = *c == '=';
	*at = c + *whole;
	return same && *label == '\0';
}

/* value[unit];[warn];[crit];[min];[max] */
static bool read_value(const char *at, size_t len, struct perfdata *out)
{
	const char *end = at + len, *field = at;

	*out = (struct perfdata){ 0 };
	if (!take_number(&at, &out->value))
		return false;
	out->has_max = *at == '%';
	out->max = 100;
	for (int i = 0; i < 4 && field != NULL; i++) {
		field = memchr(field, ';', (size_t)(end - field));
		field = field == NULL ? NULL : field + 1;
	}
	if (field != NULL && field < end && take_number(&field, &out->max))
		out->has_max = true;
	else if (!out->has_max)
		out->max = 0;
	return true;
}

/* Values between blanks. */
static bool find_value(const char *at, const char *end, const char *label, struct perfdata *out)
{
	while (at < end) {
		bool whole, same;
		size_t len;

		at += strspn(at, BLANKS);
		if (at >= end)
			return false;
		same = take_label(&at, label, &whole);
		if (at > end)
			return false;
		len = strcspn(at, BLANKS);
		if (whole && same)
			return read_value(at, len, out);
		at += len;
	}
	return false;
}

/* --- where values are -------------------------------------------------------------------------- */

bool perfdata_find(const char *output, const char *label, struct perfdata *out)
{
	const char *line_end = output + strcspn(output, "\n");
	const char *bar = strchr(output, '|');

	if (bar == NULL)
		return false;
	if (bar < line_end) {
		if (find_value(bar + 1, line_end, label, out))
			return true;
		bar = strchr(line_end, '|');
	}
	return bar != NULL && find_value(bar + 1, bar + strlen(bar), label, out);
}

char *perfdata_line(const char *output, char *out, size_t size)
{
	size_t len, count = 0;

	output += strspn(output, BLANKS);
	len = strcspn(output, "|\r\n");
	while (len > 0 && strchr(BLANKS, output[len - 1]) != NULL)
		len--;
	for (; count < len && count + 1 < size; count++)
		out[count] = isprint((unsigned char)output[count]) ? output[count] : '?';
	out[count] = '\0';
	return out;
}
