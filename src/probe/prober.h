/* prober.h - measures nodes: which checks to make when, and what their results mean.
 *
 * On control's libev loop, one thread. Equal checks (same probe settings, same address) are made
 * once, whoever shares them. A check is down after `fall` failures in a row, up after `rise`
 * successes; its first result ever decides at once. A node is down as soon as one of its checks
 * is, and up when all are; while neither is known it keeps the status that it has, at first the
 * one that it was opened with. A node without checks is unknown.
 *
 * A probe that could not be made for want of something of our own (descriptors, memory, an ICMP
 * socket) is no result; it is logged, at most every ten seconds. TCP probes leave 128 descriptors
 * of the limit (RLIMIT_NOFILE when the prober is opened) to others; those beyond wait in line. */
#ifndef PROBE_PROBER_H
#define PROBE_PROBER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/plan.h"

enum node_status { NODE_UNKNOWN, NODE_UP, NODE_DOWN };

extern const char *const node_status_name[]; /* "unknown", "up", "down" */

struct node_state {
	enum node_status status;
	bool adopted;             /* from the database; no verdict of this process yet */
	uint64_t since_unix_ms;   /* of this status */
	uint64_t checked_unix_ms; /* last result, 0: none */
	uint32_t rtt_us;          /* of the last success, 0: none */
	/* It is up, but a check has failed: if it goes on failing, the node is down within this
	 * time. 0: it has not. */
	uint32_t verdict_within_ms;
	char reason[160]; /* "tcp 127.10.1.1:5191: connection refused", or ": connected" */
};

/* Called on every change of a node's status, after its state is updated. Must not call
 * prober_apply or prober_close. */
typedef void prober_changed_fn(void *context, uint32_t node, enum node_status from,
			       const struct node_state *now);

struct prober;

/* icmp_v4, icmp_v6: raw sockets from the supervisor or -1; they stay the caller's, and are used
 * where ping sockets are not allowed. Always 0: what is missing shows when a probe needs it. */
int prober_open(struct prober **out, struct ev_loop *loop, int icmp_v4, int icmp_v6,
		prober_changed_fn *changed, void *context, struct err *err);
void prober_close(struct prober *prober); /* NULL is fine */

/* Starts to measure by a plan. Checks that the former plan had as well go on with their counts
 * and verdicts; a node keeps its state when it is in both plans ("pool/name"). initial[n] is the
 * adopted state of node n where it has none yet (NODE_UNKNOWN: nothing is known); NULL: nothing is
 * known of any. The mapping of the plan must live until the next prober_apply or prober_close
 * returns. `changed` may be called at once for a node whose remaining checks now say otherwise. */
void prober_apply(struct prober *prober, const struct image *plan,
		  const struct node_state *initial);

/* From now on every result of the node's checks counts as a failure, until that is taken back: from
 * then on its own results count again. Its verdicts take the time that they take otherwise, in both
 * directions; nodes that share its checks do not notice, and neither does who is probed. It goes on
 * in the next plan, where a node has the same "pool/name". Nothing changes where it is so already. */
void prober_pretend_down(struct prober *prober, uint32_t node, bool down);

/* Valid until the next prober_apply or prober_close. */
const struct node_state *prober_state(const struct prober *prober, uint32_t node);

#endif
