/* measured.h - what was measured of a node over a time: its minutes, folded into the columns of a
 * chart, and in numbers. Pure. */
#ifndef CTL_MEASURED_H
#define CTL_MEASURED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/chart.h"

struct measured_minute {
	uint64_t minute; /* since 1970 */
	uint32_t probes, failures;
	uint32_t rtt_us, rtt_max_us; /* 0: none */
	int32_t load_permille;       /* negative: not known */
};

struct measured_turn { /* a transition */
	uint64_t at_ms;
	char to; /* '=' up, 'x' down, '?' unknown */
};

struct measured {
	uint64_t from_ms, until_ms;
	struct measured_minute *minutes; /* in order */
	size_t count, cap;
	struct measured_turn *turns; /* in order */
	size_t turn_count, turn_cap;
	char before; /* the state at from_ms, as in measured_turn; ' ': not known */
};

void measured_free(struct measured *measured);

/* Adds the "minutes" of an answer (control/history.h). -1: it is none. */
int measured_add_minutes(struct measured *measured, const json_t *answer);
/* Adds the "events" of an answer that are transitions. */
void measured_add_turns(struct measured *measured, const json_t *answer);

char measured_state(const char *name); /* "up", "down", ...; of others ' ' */

/* --- columns ------------------------------------------------------------------------------------- */

/* What `columns` bars show; ms, and percent. */
void measured_rtt(const struct measured *measured, struct chart_bar *bars, size_t columns);
void measured_loss(const struct measured *measured, struct chart_bar *bars, size_t columns);
void measured_load(const struct measured *measured, struct chart_bar *bars, size_t columns);
/* The worst of each; ends with a NUL. */
void measured_states(const struct measured *measured, char *states, size_t columns);

/* --- numbers ------------------------------------------------------------------------------------- */

struct measured_spread {
	size_t count; /* of minutes; 0: the others mean nothing */
	double min, median, p95, max;
};

struct measured_summary {
	struct measured_spread rtt_ms; /* of the minutes' means; max of single probes */
	struct measured_spread load_percent;
	uint64_t probes, failures;
	double worst_loss_percent; /* of a minute */
	uint64_t worst_minute;
	uint64_t up_ms, down_ms; /* as far as the state is known */
	size_t turns;
};

void measured_sum(const struct measured *measured, struct measured_summary *out);

#endif
