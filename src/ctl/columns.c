#include "ctl/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct cell {
	char *text;
	enum ink ink;
};

struct row {
	struct cell cells[COLUMNS_MAX];
	unsigned count;
};

struct columns {
	struct row *rows; /* the first are the headings */
	size_t row_count, row_cap;
	unsigned count;
	bool right[COLUMNS_MAX];
};

struct columns *columns_new(const char *headings)
{
	struct columns *table = mem_alloc(sizeof(*table));

	columns_row(table);
	while (table->count < COLUMNS_MAX) {
		size_t len = strcspn(headings, "|");

		table->right[table->count] = headings[0] == '>';
		if (headings[0] == '>') {
			headings++;
			len--;
		}
		table->count++;
		columns_cell(table, INK_DIM, "%.*s", (int)len, headings);
		if (headings[len] == '\0')
			break;
		headings += len + 1;
	}
	return table;
}

void columns_row(struct columns *table)
{
	array_add(table->rows, table->row_count, table->row_cap) = (struct row){ 0 };
}

void columns_cell(struct columns *table, enum ink ink, const char *format, ...)
{
	struct row *row = &table->rows[table->row_count - 1];
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	if (row->count < table->count)
		row->cells[row->count++] = (struct cell){ text_plain(text), ink };
	else
		free(text);
}

/* Characters of UTF-8 text: octets that do not continue one. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_cell(FILE *out, const struct cell *cell, size_t pad, bool right, bool last,
		       bool colour)
{
	static const char *const escapes[] = { "", "\033[32m", "\033[1;31m", "\033[2m" };
	const char *before = colour ? escapes[cell->ink] : "";
	const char *after = before[0] != '\0' ? "\033[0m" : "";

	(void)fprintf(out, "%*s%s%s%s", right ? (int)pad : 0, "", before, cell->text, after);
	if (!last)
		(void)fprintf(out, "%*s  ", right ? 0 : (int)pad, "");
}

void columns_print(struct columns *table, FILE *out, const char *indent, bool colour)
{
	size_t widths[COLUMNS_MAX] = { 0 };

	for (size_t r = 0; r < table->row_count; r++) {
		for (unsigned c = 0; c < table->rows[r].count; c++) {
			size_t w = width(table->rows[r].cells[c].text);

			widths[c] = w > widths[c] ? w : widths[c];
		}
	}
	for (size_t r = 0; r < table->row_count; r++) {
		struct row *row = &table->rows[r];

		(void)fputs(indent, out);
		for (unsigned c = 0; c < row->count; c++) {
			print_cell(out, &row->cells[c], widths[c] - width(row->cells[c].text),
				   table->right[c], c + 1 == row->count, colour);
			free(row->cells[c].text);
		}
		(void)fputc('\n', out);
	}
	free(table->rows);
	free(table);
}

char *text_plain(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) {
			*c++ = '?';
			*c = '?';
		} else if (*c < ' ' || *c == 0x7f) {
			*c = '?';
		}
	}
	return text;
}

const char *text_counted(long long count, const char *noun, char text[COUNTED_SIZE])
{
	(void)snprintf(text, COUNTED_SIZE, "%lld %.20s%s", count, noun, count == 1 ? "" : "s");
	return text;
}

const char *text_age(uint64_t then_ms, uint64_t now_ms, char text[QUANTITY_SIZE])
{
	static const struct {
		uint64_t seconds;
		char name;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t s = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;

	if (then_ms == 0) {
		(void)snprintf(text, QUANTITY_SIZE, "-");
		return text;
	}
	(void)snprintf(text, QUANTITY_SIZE, "%llus", (unsigned long long)s);
	for (int u = 0; u < 3; u++) { /* the largest unit and the one below it */
		if (s < units[u].seconds)
			continue;
		(void)snprintf(text, QUANTITY_SIZE, "%llu%c %llu%c",
			       (unsigned long long)(s / units[u].seconds), units[u].name,
			       (unsigned long long)(s % units[u].seconds / units[u + 1].seconds),
			       units[u + 1].name);
		break;
	}
	return text;
}

const char *text_bytes(uint64_t bytes, char text[QUANTITY_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	unsigned u = 0;

	while (value >= 1024 && u < 4) {
		value /= 1024;
		u++;
	}
	(void)snprintf(text, QUANTITY_SIZE, "%.*f %s", u == 0 ? 0 : 1, value, units[u]);
	return text;
}

const char *text_rtt(uint64_t microseconds, char text[QUANTITY_SIZE])
{
	if (microseconds == 0)
		(void)snprintf(text, QUANTITY_SIZE, "-");
	else
		(void)snprintf(text, QUANTITY_SIZE, "%.2f ms", (double)microseconds / 1000);
	return text;
}
