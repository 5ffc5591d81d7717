/* references.h - tests the reference addresses of the server file, when there is doubt whether it is
 * the nodes that fail (probe/doubt.h), and once a minute, so that it is known whether they are any
 * good. Part of the prober. */
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
typedef void references_fn(void *context, enum doubt_change change);

struct references {
	struct engine *engine;
	references_fn *tell;
	void *context;
	struct reference list[REFERENCES_MAX];
	uint32_t count, running;
	ev_timer timer;
	uint64_t began_us; /* the last test, 0: there was none */
	bool answered;     /* in the test that goes on */
	bool missed;       /* somebody was asked in it, and did not answer */
	bool silent;       /* in the last one that has ended */
	uint64_t tested_unix_ms;
};

/* Knows of none yet. */
void references_open(struct references *references, struct engine *engine, references_fn *tell,
		     void *context);
void references_close(struct references *references);

/* Those of a plan from here on. */
void references_take(struct references *references, const struct image *plan);

/* To be called where doubt.wanted: a test begins soon, unless one goes on. */
void references_want(struct references *references);

#endif
