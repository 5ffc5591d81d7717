/* What an exporter answers. However it is cut into parts, the same is read; and what was read,
 * written again by the rules of the format, is read as the same. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probe/exposition.h"
#include "tests/fuzz/fuzz.h"

const unsigned long fuzz_runs = 200000, fuzz_runs_an_accepted = 10;

/* --- written by the rules --------------------------------------------------------------------- */

static void write_value(struct buf *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_append(out, "\\n", 2);
		else if (*value == '"' || *value == '\\')
			buf_format(out, "\\%c", *value);
		else
			buf_append(out, value, 1);
	}
}

static void write_number(struct buf *out, double value)
{
	if (isnan(value))
		buf_format(out, "NaN");
	else if (isinf(value))
		buf_format(out, value > 0 ? "+Inf" : "-Inf");
	else
		buf_format(out, "%.17g", value);
}

static bool is_name(const char *name, bool metric)
{
	size_t len = strspn(name,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");

	return len > 0 && name[len] == '\0' && strchr("0123456789", name[0]) == NULL &&
	       (metric || strchr(name, ':') == NULL);
}

static void write_sample(void *context, const struct exposition_sample *sample)
{
	struct buf *out = context;

	must(is_name(sample->name, true) && sample->label_count <= EXPOSITION_LABELS_MAX);
	buf_format(out, "%s{", sample->name);
	for (size_t i = 0; i < sample->label_count; i++) {
		must(is_name(sample->labels[i].name, false));
		buf_format(out, "%s%s=\"", i == 0 ? "" : ",", sample->labels[i].name);
		write_value(out, sample->labels[i].value);
		buf_format(out, "\"");
	}
	buf_format(out, "} ");
	write_number(out, sample->value);
	buf_append(out, "\n", 1);
}

/* --- read in parts ---------------------------------------------------------------------------- */

/* What was read of it, written; `part` 0: at once. */
static int read_parts(const uint8_t *data, size_t size, size_t part, struct buf *out)
{
	struct exposition exposition;
	struct err err = { "" };
	int rc = 0;

	exposition_open(&exposition, write_sample, out);
	for (size_t at = 0; rc == 0 && at < size; at += part) {
		if (part == 0 || part > size - at)
			part = size - at;
		rc = exposition_feed(&exposition, data + at, part, &err);
	}
	if (rc == 0)
		rc = exposition_end(&exposition, &err);
	exposition_close(&exposition);
	must((rc == 0) == (err.text[0] == '\0'));
	return rc;
}

static bool are_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, parts = { 0 }, again = { 0 };
	int rc = read_parts(data, size, 0, &whole);

	must(read_parts(data, size, 1 + size % 7, &parts) == rc);
	must(are_equal(&whole, &parts));
	/* Escapes make a line longer. */
	if (size < EXPOSITION_LINE_MAX / 8) {
		must(read_parts(whole.data, whole.len, 0, &again) == 0);
		must(are_equal(&whole, &again));
	}
	fuzz_accepted += rc == 0 && whole.len > 0;
	buf_free(&whole);
	buf_free(&parts);
	buf_free(&again);
	return 0;
}
