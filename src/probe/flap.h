/* flap.h - checks that go down again and again must succeed for longer before they are up.
 *
 * After the idea of BGP route flap damping (RFC 2439): each time that a check goes down adds 1 to a
 * penalty, which halves in each half-life. From the second time within a half-life on, each doubles
 * the successes in a row that make the check up, up to a bound. What goes down is counted by the
 * plain `rise`, so that a check that is kept down and goes on alternating does not pay off its
 * penalty meanwhile. Pure: the clock is an argument. */
#ifndef PROBE_FLAP_H
#define PROBE_FLAP_H

#include <stdbool.h>
#include <stdint.h>

struct flap_rules {
	uint32_t fall, rise;   /* as configured */
	uint32_t half_life_ms; /* 0: there is no penalty */
	uint32_t rise_max;     /* successes in a row, however great the penalty */
};

/* Zero-initialise: no result, no penalty. */
struct flap {
	int32_t verdict; /* probe/verdict.h */
	int32_t plain;   /* the verdict that it would have without penalties */
	double penalty;  /* as of at_us */
	uint64_t at_us;
};

/* One more result. */
void flap_step(struct flap *flap, const struct flap_rules *rules, bool success, uint64_t now_us);

/* How many successes in a row make it up at this time: rise, or more. */
uint32_t flap_rise(const struct flap *flap, const struct flap_rules *rules, uint64_t now_us);

#endif
