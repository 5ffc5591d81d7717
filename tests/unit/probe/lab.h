/* lab.h - a prober on a loop of its own, TCP listeners, and a memory of what changed. */
#ifndef TESTS_UNIT_PROBE_LAB_H
#define TESTS_UNIT_PROBE_LAB_H

#include <ev.h>
#include <stdbool.h>

#include "probe/prober.h"
#include "tests/unit/probe/sketch.h"

struct lab_change {
	uint32_t node;
	enum node_status from, to;
};

#define LAB_MAX     64
#define LAB_TICK_MS 5

struct lab {
	struct ev_loop *loop;
	ev_timer tick; /* so that no wait is for ever */
	/* How often it came: a clock that stands still whenever this process does. Who is quick has few
	 * of them, however busy the machine is. */
	int ticks;
	struct prober *prober;
	struct image plan;
	struct plan_reference references[2]; /* of the plans; from the first of family 0 on: none */
	struct lab_change changes[64];
	int change_count;
	int aspect_count; /* changes of a state whose status stayed */
	/* Since it was opened: every result, once for each use of its check. */
	int results_of_node[LAB_MAX], results_of_probe[LAB_MAX];
	enum probe_outcome outcome_of_probe[LAB_MAX]; /* the last one's */
	int failures_told_up; /* failures of checks that are not down, which count as loss */
};

void lab_open(struct lab *lab, int icmp_v4, int icmp_v6);
void lab_apply(struct lab *lab, const struct sketch_node *nodes, size_t count,
	       const struct node_state *initial);
void lab_close(struct lab *lab);

/* Runs the loop for so long, by its own ticks: what the machine takes away is made up for. */
void lab_run_ms(struct lab *lab, int ms);

/* For what comes as soon as the machine comes to it: other work may hold it for seconds. */
#define LAB_PATIENCE_MS 20000

/* Runs the loop until the node has the status: true; false: not within our patience. */
bool lab_reaches(struct lab *lab, uint32_t node, enum node_status status);
/* ... until the node has one more result, or so many: true; */
bool lab_is_checked(struct lab *lab, uint32_t node);
bool lab_has_results(struct lab *lab, uint32_t node, int count);
/* ... until the probe (its plan's number) has so many since the lab was opened. */
bool lab_probe_has_results(struct lab *lab, uint32_t probe, int count);

/* A listening socket; fails the test where there is none to have. */
int listen_on(const char *address, uint16_t port, int backlog);
int count_accepted(int listener); /* accepts and closes all that waits */

/* Fills a listener of backlog 0, so that further handshakes get no answer. */
#define FILLERS 4
void fill_backlog(int listener, const char *address, uint16_t port, int fillers[FILLERS]);

#endif
