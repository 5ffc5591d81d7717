/* once.h - the probes of a node made once, for people to look at: beside the regular ones, whose
 * counts and verdicts they do not touch, and as bounded as those are (probe/engine.h). */
#ifndef PROBE_ONCE_H
#define PROBE_ONCE_H

#include "probe/engine.h"
#include "probe/prober.h"

struct once_item {
	char name[64]; /* of the probe */
	const char *kind;
	char where[IP_ENDPOINT_SIZE]; /* "192.0.2.1:443"; "": it looks at no address */
	uint8_t judges;               /* as in struct plan_check */
	uint8_t roles;
	struct check_key key;
	struct evidence evidence;
	char why[PROBE_WHY_SIZE];
	struct probe_result result; /* `why` is the one above */
	uint64_t took_us;
	/* The regular check that this one stands beside, when all was done; NULL: it left the plan. */
	const struct check *regular;
	struct check *check; /* while it is made */
};

struct once {
	char pool[64], node[64];
	uint32_t number; /* of the node in the plan that there is now; PLAN_NONE: it left */
	bool cut_off;    /* the prober closes: not all were made */
	uint32_t count;
	struct once_item *items;
};

/* What is there is over with the call. */
typedef void once_fn(void *context, const struct once *once);

/* Makes the node's probes once: all of them, those of this name, or those of this kind (NULL: of
 * any). `done` is called once, from the loop, however it ends; not before this returns. -1: there
 * are none of them (and it is not called). */
int prober_probe_once(struct prober *prober, uint32_t node, const char *name, const char *kind,
		      once_fn *done, void *context, struct err *err);

#endif
