/* eviction.h - which connection has to go when there are too many.
 *
 * One of the client network that has most of them: an IPv4 address or an IPv6 /64, which is what
 * one subscriber has (RFC 6177). So whoever opens thousands of connections only ever replaces
 * his own (RFC 7766, 6.2.2). The networks with equally many connections are kept in a list, and
 * there is such a list for each number, so that a connection comes, goes and gets on in constant
 * time, whatever the others do.
 *
 * Pure, and no allocation after the start. One thread. */
#ifndef SERVE_EVICTION_H
#define SERVE_EVICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netprefix.h"

#define EVICTION_TIES_MAX 64 /* networks with equally many connections that are compared */

enum candidate_order {
	BY_ACTIVITY, /* of all connections */
	OF_NETWORK,  /* by activity, of one client network */
	BY_AGE,      /* of all connections */
	CANDIDATE_ORDERS
};

/* A connection, to be a member of what it is about. */
struct candidate {
	struct {
		struct candidate *newer, *older;
	} links[CANDIDATE_ORDERS];
	struct network_share *network;
	uint64_t activity; /* larger: later */
};

struct candidates {
	struct candidate *newest, *oldest;
};

/* A client network that has connections. */
struct network_share {
	uint64_t key;
	bool v6;
	unsigned count;  /* of its connections */
	unsigned spaces; /* buffers that they hold: the owner's */
	struct candidates by_activity;
	struct network_share *chain;           /* of the hash table; also the list of unused ones */
	struct network_share *next, *previous; /* with equally many connections */
};

struct eviction {
	struct candidates by_activity, by_age;
	uint64_t now;  /* counts activities */
	uint64_t seed; /* or strangers could choose where in the table they are */
	unsigned count;
	unsigned most;               /* connections of one network */
	struct network_share **with; /* [count]: networks that have as many */
	struct network_share **table;
	size_t table_mask;
	struct network_share *networks, *unused;
	size_t networks_used; /* of `networks`, ever: memory behind is not touched */
};

/* Room for `max` connections. It is taken from the system as it is used. */
void eviction_open(struct eviction *e, unsigned max, uint64_t seed);
void eviction_close(struct eviction *e);

/* There may be no more than `max`, which the caller sees to. */
void eviction_add(struct eviction *e, struct candidate *c, const struct ip_address *client);
void eviction_remove(struct eviction *e, struct candidate *c);

/* It got on: no other one is idle less long. */
void eviction_touch(struct eviction *e, struct candidate *c);

/* It is as old as may be, and is not to be found by age again. */
void eviction_forget_age(struct eviction *e, struct candidate *c);

/* Who has to go: of the networks that have most connections (of the first EVICTION_TIES_MAX, where
 * they have more than one each) the connection that is idle longest. NULL: there is none. */
struct candidate *eviction_choose(const struct eviction *e);

#endif
