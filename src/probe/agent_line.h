/* agent_line.h - the line with which agents answer, as HAProxy's agent-check has it, and what it
 * changes. Pure.
 *
 *   line = *sep word *(1*sep word) [*sep "#" text] (CR / LF)
 *   sep  = " " / TAB / ","
 *   word = NUMBER "%" / "up" / "down" / "fail" / "stopped" / "ready" / "drain" / "maint" /
 *          "maxconn:" NUMBER / "load:" load                          (any case, any order)
 *
 * There are axes: is it up, what does it ask for, which part of its weight. What a line does not say
 * stays as it was; of two words for one axis the last counts. "maxconn" means nothing to us. "load"
 * is ours: HAProxy takes note of it as a mistake, and of the rest as it is. */
#ifndef PROBE_AGENT_LINE_H
#define PROBE_AGENT_LINE_H

#include "probe/kind.h"

#define AGENT_LINE_MAX 1024 /* octets, its end included */

enum agent_health { AGENT_UNSAID, AGENT_UP, AGENT_DOWN };

struct agent_line {
	enum agent_health health;
	enum probe_wish wish;
	bool has_weight, has_load;
	uint16_t weight_percent;
	double load;          /* 1.0 is full */
	char description[36]; /* behind "#"; printable */
	char mistake[24];     /* the first word that is none; "": there is none */
	bool says;            /* there is a word that is one */
};

/* The first line of the text. false: it does not end there. `whole` is true where nothing more can
 * come, so that the end of the text ends the line, too. */
bool agent_line_parse(const char *text, size_t len, bool whole, struct agent_line *out);

/* "0.7" or "70%": a load of 0 to 10, 1 for all of the capacity. */
bool agent_load_parse(const char *text, size_t len, double *out);

/* All that an agent has said so far. Zero: nothing. */
struct agent_said {
	enum agent_health health;
	enum probe_wish wish;
	bool has_weight, has_load;
	uint16_t weight_percent;
	double load;
	char description[36]; /* of what it says of its health */
};

void agent_said_take(struct agent_said *said, const struct agent_line *line);

/* What that counts as; `why` is the caller's, and the result's. */
struct probe_result agent_said_result(const struct agent_said *said, const struct agent_line *line,
				      char why[PROBE_WHY_SIZE]);

#endif
