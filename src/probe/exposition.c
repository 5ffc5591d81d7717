#include "probe/exposition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX 128 /* characters */

void exposition_open(struct exposition *exposition, exposition_sample_fn *sample, void *context)
{
	*exposition = (struct exposition){ .sample = sample, .context = context };
}

void exposition_close(struct exposition *exposition)
{
	buf_free(&exposition->line);
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Digits with at most one point among them; at least one digit. */
static const char *skip_digits(const char *at, bool hex)
{
	unsigned digits = 0, points = 0;

	for (;; at++) {
		if (hex ? isxdigit((unsigned char)*at) : isdigit((unsigned char)*at))
			digits++;
		else if (*at == '.' && points == 0)
			points++;
		else
			return digits > 0 ? at : NULL;
	}
}

static const char *skip_exponent(const char *at)
{
	at += *at == '+' || *at == '-';
	if (!isdigit((unsigned char)*at))
		return NULL;
	while (isdigit((unsigned char)*at))
		at++;
	return at;
}

static bool is_finite_number(const char *at)
{
	bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');

	at = skip_digits(hex ? at + 2 : at, hex);
	if (at != NULL && tolower((unsigned char)*at) == (hex ? 'p' : 'e'))
		at = skip_exponent(at + 1);
	else if (hex)
		return false; /* Go wants an exponent there */
	return at != NULL && *at == '\0';
}

/* strtod takes more than Go does: blanks in front, "nan(0x1)". */
bool exposition_number(const char *text, double *out)
{
	const char *plain = text + (*text == '+' || *text == '-');

	if (strcasecmp(plain, "inf") != 0 && strcasecmp(plain, "infinity") != 0 &&
	    strcasecmp(text, "nan") != 0 && !is_finite_number(plain))
		return false;
	*out = strtod(text, NULL);
	return true;
}

/* --- one line --------------------------------------------------------------------------------- */

/* Read in place: names and values of labels are cut out of the line. */
struct line {
	char *at;
	struct exposition_label labels[EXPOSITION_LABELS_MAX];
	size_t label_count;
};

static void skip_blanks(struct line *line)
{
	line->at += strspn(line->at, " \t");
}

/* A name, of metrics with colons; NULL: there is none. Its end is told by `end`. */
static char *take_name(struct line *line, bool metric, char **end)
{
	char *name = line->at;

	if (isdigit((unsigned char)*name))
		return NULL;
	while (isalnum((unsigned char)*line->at) || *line->at == '_' ||
	       (metric && *line->at == ':'))
		line->at++;
	*end = line->at;
	return line->at > name ? name : NULL;
}

/* What follows a backslash in the value of a label: what is no escape stays as it is, as it does in
 * Prometheus. */
static char *put_escaped(char *to, char c)
{
	if (c != 'n' && c != '"' && c != '\\')
		*to++ = '\\';
	*to++ = c == 'n' ? '\n' : c;
	return to;
}

/* Behind the opening quote. */
static const char *take_value(struct line *line)
{
	char *value = line->at, *to = value;

	while (*line->at != '"') {
		bool escaped = *line->at == '\\';

		line->at += escaped;
		if (*line->at == '\0')
			return NULL;
		if (escaped)
			to = put_escaped(to, *line->at);
		else
			*to++ = *line->at;
		line->at++;
	}
	line->at++;
	*to = '\0';
	return value;
}

static bool has_label(const struct line *line, const char *name)
{
	for (size_t i = 0; i < line->label_count; i++) {
		if (strcmp(line->labels[i].name, name) == 0)
			return true;
	}
	return false;
}

static const char *take_label(struct line *line)
{
	char *end, *name = take_name(line, false, &end);
	const char *value;

	if (name == NULL)
		return "a label has no name";
	skip_blanks(line);
	if (*line->at++ != '=')
		return "a label has no value";
	skip_blanks(line);
	if (*line->at++ != '"')
		return "the value of a label is not in quotes";
	value = take_value(line);
	if (value == NULL)
		return "the value of a label has no end";
	*end = '\0';
	if (has_label(line, name))
		return "a label is there twice";
	if (line->label_count == EXPOSITION_LABELS_MAX)
		return "there are too many labels";
	line->labels[line->label_count++] = (struct exposition_label){ name, value };
	return NULL;
}

/* Behind the opening brace. */
static const char *take_labels(struct line *line)
{
	skip_blanks(line);
	while (*line->at != '}') {
		const char *wrong = take_label(line);

		if (wrong != NULL)
			return wrong;
		skip_blanks(line);
		if (*line->at == ',')
			line->at++;
		else if (*line->at != '}')
			return "a label is not followed by a comma or a brace";
		skip_blanks(line);
	}
	line->at++;
	return NULL;
}

static bool take_number(struct line *line, double *out)
{
	size_t len = strcspn(line->at, " \t");
	char text[NUMBER_MAX];

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, line->at, len);
	text[len] = '\0';
	line->at += len;
	skip_blanks(line);
	return exposition_number(text, out);
}

/* Behind the labels: value, perhaps a timestamp, perhaps an exemplar, which is not looked at. */
static const char *take_rest(struct line *line, double *value)
{
	double timestamp;

	skip_blanks(line);
	if (!take_number(line, value))
		return "the value is no number";
	if (*line->at != '\0' && *line->at != '#' && !take_number(line, &timestamp))
		return "the timestamp is no number";
	return *line->at == '\0' || *line->at == '#' ? NULL
						     : "something follows value and timestamp";
}

/* NULL: it is told, or is no sample. */
static const char *take_line(struct exposition *exposition, char *text)
{
	struct line line = { .at = text };
	struct exposition_sample sample = { 0 };
	char *end;
	const char *wrong = NULL;

	skip_blanks(&line);
	if (*line.at == '\0' || *line.at == '#')
		return NULL;
	sample.name = take_name(&line, true, &end);
	if (sample.name == NULL)
		return "there is no name of a metric";
	if (*line.at != '{' && *line.at != ' ' && *line.at != '\t')
		return "a name is followed by neither labels nor a value";
	skip_blanks(&line);
	if (*line.at == '{') {
		line.at++;
		wrong = take_labels(&line);
	}
	if (wrong == NULL)
		wrong = take_rest(&line, &sample.value);
	if (wrong != NULL)
		return wrong;
	*end = '\0';
	sample.labels = line.labels;
	sample.label_count = line.label_count;
	exposition->sample(exposition->context, &sample);
	return NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int end_line(struct exposition *exposition, struct err *err)
{
	struct buf *line = &exposition->line;
	const char *wrong;

	exposition->lines++;
	if (line->len > 0 && memchr(line->data, '\0', line->len) != NULL)
		return err_set(err, "line %u: there is a NUL", exposition->lines);
	buf_append(line, "", 1);
	wrong = take_line(exposition, (char *)line->data);
	line->len = 0;
	return wrong == NULL ? 0 : err_set(err, "line %u: %s", exposition->lines, wrong);
}

int exposition_feed(struct exposition *exposition, const void *octets, size_t len, struct err *err)
{
	const char *at = octets;

	while (len > 0) {
		const char *end = memchr(at, '\n', len);
		size_t part = end != NULL ? (size_t)(end - at) : len;

		if (part > EXPOSITION_LINE_MAX - exposition->line.len)
			return err_set(err, "line %u is longer than %d octets",
				       exposition->lines + 1, EXPOSITION_LINE_MAX);
		buf_append(&exposition->line, at, part);
		if (end == NULL)
			return 0;
		if (end_line(exposition, err) != 0)
			return -1;
		at += part + 1;
		len -= part + 1;
	}
	return 0;
}

int exposition_end(const struct exposition *exposition, struct err *err)
{
	if (exposition->line.len > 0)
		return err_set(err, "line %u: it has no end", exposition->lines + 1);
	return 0;
}
