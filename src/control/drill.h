/* drill.h - a failure for practice: nodes that are pretended to be down at the probes, and how long
 * everything took.
 *
 * A drill is an operator's order with an end (control/orders.h), so it is on the disk with who gave
 * it, and goes on after a restart with what is left of it; so are its times. Here it is followed: while it holds the
 * prober pretends that its nodes are down, and the report grows, of each of them: when its verdict
 * came, when steering that knows of it was published, and when the data plane answered from that; on
 * the way down and on the way back. Control's loop only. */
#ifndef CONTROL_DRILL_H
#define CONTROL_DRILL_H

#include <jansson.h>

#include "control/names.h"
#include "control/orders.h"
#include "probe/prober.h"
#include "steer/steer.h"

#define DRILL_MIN_MS  10000
#define DRILL_MAX_MS  86400000
#define DRILL_BACK_MS 300000 /* so long after its end it is waited for nodes to come back */

/* What there is to be timed of a change, in order. */
enum drill_stage { DRILL_VERDICT, DRILL_PUBLISHED, DRILL_SERVED, DRILL_STAGES };

struct drill_node {
	char key[NODE_KEY_SIZE];
	uint32_t number; /* in the plan; PLAN_NONE: it is not there */
	bool was_down;   /* before it began */
	bool has_probes; /* else it stays as it is */
	/* It went down, or came back, before a restart and was not served yet by then: what came of
	 * that is not known. */
	bool down_lost, up_lost;
	/* As things are: */
	bool gone;     /* it is not in the files */
	bool kept_in;  /* it is down, and answered all the same: freeze */
	bool kept_out; /* an operator or a window has it out of answers, whatever probes say */
	uint64_t down_unix_ms[DRILL_STAGES], up_unix_ms[DRILL_STAGES]; /* 0: not yet */
};

/* Readers look at the fields. */
struct drill {
	bool known;    /* there is one to be told of, the last one: */
	bool running;  /* it goes on */
	bool resumed;  /* control was restarted while it went on */
	bool stopped;  /* before its time was over */
	bool told;     /* its end was put on record */
	bool changed;  /* since drill_save */
	bool restored; /* from the store, and nobody has looked at its nodes yet */
	struct order order;
	uint64_t ended_unix_ms;  /* 0: not yet */
	uint64_t opened_unix_ms; /* older orders were given to another process */
	struct drill_node *nodes;
	size_t count, cap;
};

void drill_open(struct drill *drill, uint64_t now_unix_ms);
void drill_close(struct drill *drill);

/* What another process left, after drill_open and before anything else: the last drill as it was
 * then. */
void drill_restore(struct drill *drill, const struct store_drill *stored,
		   const struct store_drill_node *nodes, size_t count);

/* Queues it to the store where something has changed; with its record (drill_is_done), or NULL. */
void drill_save(struct drill *drill, struct store *store, const struct store_action *done);

/* Begins or ends what orders say, at that time. `plan_is_new`: the prober has another plan than at
 * the last call. */
void drill_follow(struct drill *drill, const struct orders *orders, const struct image *plan,
		  struct prober *prober, bool plan_is_new, uint64_t now_unix_ms);

/* What happened: a node changed, steering was published (made from `nodes`, of the plan), and is
 * served. */
void drill_verdict(struct drill *drill, const struct image *plan, uint32_t node,
		   const struct node_state *now);
void drill_published(struct drill *drill, const struct image *plan, const struct steer_node *nodes,
		     uint64_t now_unix_ms);
void drill_served(struct drill *drill, uint64_t now_unix_ms);

/* Who is kept in or out, by what steering was made from (`nodes`, of the plan). */
void drill_look(struct drill *drill, const struct image *plan, const struct steer_node *nodes,
		uint64_t now_unix_ms);

/* Is any of the pool's nodes pretended to be down? */
bool drill_concerns(const struct drill *drill, const struct image *plan, uint32_t pool);

/* It is over and its nodes are back (or it was waited for that long enough): *row tells how it
 * went, for the record; true once. */
bool drill_is_done(struct drill *drill, uint64_t now_unix_ms, struct store_action *row);

/* What signpostctl(1) says under JSON; null: there was none. */
json_t *drill_json(const struct drill *drill);

#endif
