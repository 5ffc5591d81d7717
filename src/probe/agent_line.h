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
 * is ours: HAProxy takes note of it as a mistake, and of the rest as it is.
 *
 * More than AGENT_PERCENT_MAX counts as so much, so that no slip of the pen draws all clients to a
 * node. HAProxy has 256 as its largest weight (management manual, "set weight"), which is the same for
 * servers of weight 100. */
#ifndef PROBE_AGENT_LINE_H
#define PROBE_AGENT_LINE_H

#include "probe/kind.h"

#define AGENT_LINE_MAX    1024 /* octets, its end included */
#define AGENT_PERCENT_MAX 256

enum agent_health { AGENT_UNSAID, AGENT_UP, AGENT_DOWN };

struct agent_line {
	enum agent_health health;
	enum probe_wish wish;
	bool has_weight, has_load;
	uint16_t weight_percent;
	double load;          /* 1.0 is full */
	char description[36]; /* behind "#"; printable */
	char mistake[24];     /* the first word that is none, or too much; "": there is none */
	bool too_much;        /* that is what is wrong with it */
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

/* Why a line says nothing; `empty` where it has no words. */
const char *agent_line_silence(const struct agent_line *line, const char *empty,
			       char why[PROBE_WHY_SIZE]);

/* What that counts as; `why` is the caller's, and the result's. */
struct probe_result agent_said_result(const struct agent_said *said, const struct agent_line *line,
				      char why[PROBE_WHY_SIZE]);

#endif
