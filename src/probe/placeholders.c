#include "probe/placeholders.h"

#include <stdio.h>
#include <string.h>

#define VALUE_SIZE 64

enum stands_for { FOR_ADDRESS, FOR_PORT, FOR_NODE, FOR_POOL };

static const struct {
	const char *word;
	enum stands_for what;
} rows[] = { { "{address}", FOR_ADDRESS },
	     { "{port}", FOR_PORT },
	     { "{node}", FOR_NODE },
	     { "{pool}", FOR_POOL } };

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void put(enum stands_for what, const struct probe *probe, struct buf *out)
{
	char text[VALUE_SIZE] = "";
	const char *value = text;

	switch (what) {
	case FOR_ADDRESS:
		if (probe->address.family != 0)
			(void)ip_format(&probe->address, text);
		break;
	case FOR_PORT: (void)snprintf(text, sizeof(text), "%u", (unsigned)probe->port); break;
	case FOR_NODE: value = probe->node; break;
	case FOR_POOL: value = probe->pool; break;
	}
	if (value != NULL)
		buf_append(out, value, strlen(value));
}

void placeholders_fill(const char *text, const struct probe *probe, struct buf *out)
{
	while (*text != '\0') {
		size_t row = 0;

		while (row < ROWS && strncmp(text, rows[row].word, strlen(rows[row].word)) != 0)
			row++;
		if (row < ROWS) {
			put(rows[row].what, probe, out);
			text += strlen(rows[row].word);
		} else {
			buf_append(out, text++, 1);
		}
	}
}
