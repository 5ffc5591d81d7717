/* load_sim.h - a pool whose weights follow load, simulated by the second: ten nodes, clients that
 * come by DNS and stay for hours, resolvers that keep answers, loads that are measured late and
 * with noise. The levels are those of control/load.c itself.
 *
 * 3,000 client networks hold on to their nodes by weighted rendezvous, as the tables do; each has an
 * answer cached for 30 s from its first query, one network in five for 300 s, as resolvers do that
 * lengthen TTLs. Sessions last log-normally, two hours on average. Nodes have the same
 * weight and different real capacities (80 to 120 % of 3,000 sessions). Told are the sessions (every
 * 15 s, 60 s old) and the work (CPU: the mean of the last minute, 30 s old), with 3 % noise.
 *
 * After eight hours node 0 fails, its sessions come back as new ones within a minute, and after ten
 * minutes it is up again, empty. What counts is from six hours after that to the end of the day. */
#ifndef TESTS_LOAD_SIM_H
#define TESTS_LOAD_SIM_H

#include "image/plan.h"

#define SIM_NODES 10

struct sim_world {
	double demand; /* sessions as a part of what all nodes together can have */
	/* What a session's first two minutes are of work beside the rest: 60 makes them half of all
	 * work, as where handshakes are dear. */
	double young_work;
};

/* Use: of sessions or of work, what is more. */
struct sim_result {
	double amplitude;  /* largest use less least, of the node where that is most */
	double turns;      /* changes of direction of a level, an hour, of the node with most */
	double changes;    /* of any level, an hour, all nodes */
	double highest;    /* use ever after the node is up again, of any node */
	double back_hours; /* until the node that failed has 90 % of the mean use; 24: never */
};

struct sim_result simulate(const struct plan_load *settings, const struct sim_world *world,
			   uint64_t seed);

#endif
