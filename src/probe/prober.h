/* prober.h - measures nodes: which checks to make when, and what their results mean.
 *
 * On control's libev loop, one thread. Equal checks (same probe settings, same address) are made
 * once, whoever shares them. A check is down after `fall` failures in a row, up after `rise`
 * successes; its first result ever decides at once (a failure when a reference has answered, where
 * there are any: probe/doubt.h). A node's addresses of each family are judged
 * apart (probe/verdict.h), by as many of its probes as its pool requires; it is down when all its
 * families are. Of what is not known yet it keeps what it has, at first what it was opened with. A
 * node without checks is unknown. Only probes with the role PROBE_HEALTH judge.
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
#include "probe/doubt.h"
#include "probe/kind.h"
#include "probe/lateness.h"
#include "probe/measure.h"

/* Bits: of which families a node has addresses, or which of them are down. */
enum node_family { FAMILY_V4 = 1, FAMILY_V6 = 2, FAMILIES_ALL = 3 };

enum node_status { NODE_UNKNOWN, NODE_UP, NODE_DOWN };

extern const char *const node_status_name[]; /* "unknown", "up", "down" */

struct node_state {
	enum node_status status;
	bool adopted;  /* from the database; no verdict of this process yet */
	bool degraded; /* it is up, but a family or a probe is down, or calls for attention */
	uint8_t down_families; /* bits of enum node_family; all that it has where it is down */
	/* What its agents asked for last, the strongest where they differ; it holds until they ask
	 * for something else. */
	enum probe_wish wish;
	uint16_t weight_percent; /* that they asked for, the least; 100: the configured weight */
	/* It went down again and again: one of its checks, which is down, needs so many successes in a
	 * row to be up. 0: no more than are configured. */
	uint32_t flap_rise;
	uint64_t recovered_mono_ms; /* when it came up after it was down; 0: it did not */
	uint64_t since_unix_ms;     /* of this status */
	uint64_t
		families_since_unix_ms; /* of down_families where it is not down; 0: since it is known */
	uint64_t checked_unix_ms;       /* last result, 0: none */
	uint32_t rtt_us;                /* of the last success, 0: none */
	/* It is up, but checks have failed: if they go on failing, the node, or its addresses of
	 * a family, are down within this time. 0: nothing hints at that. */
	uint32_t verdict_within_ms;
	struct measure measure; /* since it was taken last */
	char reason[160]; /* the check that decides: "tcp 127.10.1.1:5191: connection refused" */
};

/* In more than what their agents ask for of the weight, which may be something else each time. */
bool node_state_differs(const struct node_state *a, const struct node_state *b);

/* What the prober tells. None of them may call prober_apply or prober_close. */
struct prober_callbacks {
	/* On every change of a node's status, down_families, degraded, wish or weight_percent, after
	 * its state is updated. */
	void (*changed)(void *context, uint32_t node, const struct node_state *before,
			const struct node_state *now);
	/* On every result of a probe (plan_probe number) of a node, after its state is updated: some
	 * say something of load, and what is lost and how long the others take does, too. `down`: the
	 * check that had it judges health, and is down, or its results do not count at the time
	 * (probe/doubt.h). NULL: nobody reads them. */
	void (*reading)(void *context, uint32_t node, uint32_t probe, bool down,
			const struct probe_result *result);
	void *context;
};

struct prober;

/* Everything that the tools name stays the caller's, and outlives the prober. Always 0: what is
 * missing shows when a probe needs it. */
int prober_open(struct prober **out, const struct kind_tools *tools,
		const struct prober_callbacks *callbacks, struct err *err);
void prober_close(struct prober *prober); /* NULL is fine */

/* Starts to measure by a plan. Checks that the former plan had as well go on with their counts
 * and verdicts; a node keeps its state when it is in both plans ("pool/name"). initial[n] is the
 * adopted state of node n where it has none yet (NODE_UNKNOWN: nothing is known); NULL: nothing is
 * known of any. The mapping of the plan must live until the next prober_apply or prober_close
 * returns. `changed` may be called at once for a node whose remaining checks now say otherwise. */
void prober_apply(struct prober *prober, const struct image *plan,
		  const struct node_state *initial);

/* Every probe of the node that starts from now on counts as a failure, until that is taken back:
 * those that start then count as they end. Its verdicts take the time that they take otherwise, in
 * both directions; nodes that share its checks do not notice, and neither does who is probed. It goes
 * on in the next plan, where a node has the same "pool/name". Nothing changes where it is so
 * already. */
void prober_pretend_down(struct prober *prober, uint32_t node, bool down);

/* What was measured of a node since this was asked last, results of all its checks together; what it
 * is pretended to be does not count. */
struct measure prober_take_measure(struct prober *prober, uint32_t node);

/* What the references of the server file say of a family (probe/doubt.h). */
struct prober_doubt {
	uint32_t references;       /* that are asked; 0: there are none, and nothing is ever frozen,
				      or no address of the family is probed for health */
	bool borrowed;             /* they are of the other family, for it has none */
	bool silent;               /* in the last test none answered */
	uint64_t tested_unix_ms;   /* that one's end; 0: there was none yet */
	uint64_t frozen_unix_ms;   /* since when statuses are frozen; 0: they are not */
	uint32_t failing, targets; /* what led to it */
};

struct prober_doubt prober_doubt(const struct prober *prober, enum doubt_family family);

struct prober_pace {
	struct lateness_told lateness; /* of the last half to one minute */
	uint64_t passed_over;          /* turns left out since the start, for they came late */
};

struct prober_pace prober_pace(const struct prober *prober);

/* Valid until the next prober_apply or prober_close. */
const struct node_state *prober_state(const struct prober *prober, uint32_t node);

#endif
