/* references.h - tests the reference addresses of the server file, when there is doubt whether it is
 * the nodes that fail (probe/doubt.h), and once a minute, so that it is known whether they are any
 * good. One for each family that is in use, with the references of that family; where there are
 * none, those of the other one are asked: whole networks that fail are noticed then, a family that
 * fails alone is not. Part of the prober. */
#ifndef PROBE_REFERENCES_H
#define PROBE_REFERENCES_H

#include "probe/engine.h"

#define REFERENCES_MAX        16
#define REFERENCES_TIMEOUT_MS 1000

struct reference {
	struct check_key key;
	struct check *check; /* while it is tested */
};

/* A test has ended. */
typedef void references_fn(void *context, enum doubt_family family, enum doubt_change change);

struct references {
	struct engine *engine;
	enum doubt_family family;
	references_fn *tell;
	void *context;
	struct reference list[REFERENCES_MAX];
	uint32_t count, running; /* count 0: none is configured, or the family is not in use */
	bool borrowed;           /* they are of the other family */
	ev_timer timer;
	uint64_t began_us; /* the last test, 0: there was none */
	bool answered;     /* in the test that goes on */
	bool missed;       /* somebody was asked in it, and did not answer */
	bool silent;       /* in the last one that has ended */
	uint64_t tested_unix_ms;
};

/* Knows of none yet. */
void references_open(struct references *references, struct engine *engine, enum doubt_family family,
		     references_fn *tell, void *context);
void references_close(struct references *references);

/* Those of a plan from here on, of whose addresses so many of the family are probed for health. */
void references_take(struct references *references, const struct image *plan, uint32_t targets);

/* To be called where the family's doubt.wanted: a test begins soon, unless one goes on. */
void references_want(struct references *references);

#endif
