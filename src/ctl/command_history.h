/* command_history.h - the command lines of history and audit, and their answers for people. */
#ifndef CTL_COMMAND_HISTORY_H
#define CTL_COMMAND_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "ctl/chart.h"
#include "ctl/measured.h"

struct history_options {
	const char *since, *who; /* NULL: not given */
	bool csv;
};

/* A time that has been: RFC 3339, or so long before now: "24h", "1d12h". -1: it is none. */
int history_time(const char *option, const char *text, uint64_t now_ms, uint64_t *out_ms,
		 struct err *err);

/* Draws it, `width` characters wide. */
void show_history(const char *node, const char *status, const struct measured *measured,
		  size_t width, const struct chart_style *style, FILE *out);
/* The caller's. `events`: the transitions. */
json_t *history_json(const char *node, const char *status, const struct measured *measured,
		     const json_t *events);

/* `events` as control answers them, the oldest first. */
void show_audit(const json_t *events, FILE *out, bool colour);
void show_audit_csv(const json_t *events, FILE *out);

#endif
