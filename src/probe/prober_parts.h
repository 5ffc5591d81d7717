/* prober_parts.h - what prober.c and its parts share: the prober from inside. */
#ifndef PROBE_PROBER_PARTS_H
#define PROBE_PROBER_PARTS_H

#include "probe/engine.h"
#include "probe/prober.h"
#include "probe/references.h"
#include "probe/verdict.h"

#define NO_USE UINT32_MAX

/* A verdict beside the check's own, of a node that is pretended to be down, or was: until results
 * have brought the two together again. */
struct pretence {
	bool is; /* there is one */
	bool down;
	uint64_t since_us; /* probes that started before are what they would have been */
	int32_t verdict;
};

/* What is made from one plan. A check is used by plan checks; those that use the same one are
 * linked by next_use. */
struct round {
	struct image plan;          /* a copy: the mapping is the caller's; base NULL: none yet */
	struct pretence *pretences; /* by plan check */
	struct node_state *states;  /* by plan node */
	struct check **checks;      /* each once, sorted by key */
	uint32_t check_count;
	struct check **check_of; /* by plan check */
	uint32_t *next_use;      /* by plan check */
	/* While a node is judged: what its checks say, and who they are (plan checks). */
	struct verdict_vote *votes;
	uint32_t *voters;
};

/* Since when statuses of a family are frozen, 0: they are not; and what led to it. */
struct frozen {
	uint64_t since_unix_ms;
	uint32_t failing, of; /* targets */
};

struct prober {
	struct engine engine; /* first: a check's engine is its prober */
	struct round round;
	struct prober_callbacks tell;
	uint64_t applied; /* how many plans there were */
	struct references references[DOUBT_FAMILIES];
	struct frozen frozen[DOUBT_FAMILIES];
	LIST_HEAD(, once_run) once; /* going on */
	struct web *web;
};

/* --- rounds.c: from one plan to the next ------------------------------------------------------- */

/* The next round, from the prober's own. The old one's checks have ended or are the new one's. */
void round_begin(struct prober *prober, const struct image *plan, const struct node_state *initial);
void round_free(struct round *round);

/* What a plan check is to the engine, what it is for (bits of enum probe_role), and its settings. */
struct check_key round_key(const struct image *plan, uint32_t use);
uint8_t round_roles(const struct image *plan, uint32_t use);
const void *round_settings(const struct image *plan, uint32_t use);
/* Tells a new check whose it is, where its kind asks for that. */
void round_name(struct check *check, const struct image *plan, uint32_t use);

/* Tells it which address its node is known by; before it is made, and anew with each plan. */
void round_home(struct check *check, const struct image *plan, uint32_t use);

/* --- once.c ------------------------------------------------------------------------------------ */

void once_close(struct prober *prober); /* all that go on end, and are told so */

/* --- judge.c: what a node's checks say --------------------------------------------------------- */

engine_result_fn judge_result;

/* After a check's verdict has changed for another reason than a result. */
void judge_check(struct prober *prober, struct check *check);

/* After a plan was replaced. */
void judge_all(struct prober *prober);

#endif
