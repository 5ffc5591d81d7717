/* store.h - SQLite in the state directory: node status and every transition, what operators have
 * ordered and everything that they did, and what was measured of each node, minute by minute.
 *
 * Writing is a thread of its own behind a bounded queue: a slow, full or broken disk never delays
 * a failover. While they wait, status updates of one node are merged (the latest wins);
 * transitions beyond 65,536, and rows of minutes beyond 600,000, are counted as lost, and that is
 * reported. After an error the writer tries again every few seconds and reports when writing
 * resumes. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store;

struct store_status {    /* texts are copied */
	char node[256];  /* "pool/name" */
	char status[16]; /* "up", "down", "unknown" */
	uint64_t since_unix_ms;
	uint64_t checked_unix_ms;
	uint32_t rtt_us; /* 0: none */
	char reason[160];
	char families_down[16];          /* "", "IPv4", "IPv6"; of a node that is down "" */
	uint64_t families_since_unix_ms; /* 0: not known */
	bool spilling;                   /* did its site spill over? */
	double load;                     /* as reported last */
	uint64_t load_at_unix_ms;        /* 0: never */
};

/* What an operator did; as long as it holds, or is to hold, it is an order as well. */
struct store_action {
	uint64_t at_unix_ms;
	char action[16];  /* "drain", "disable", "enable", "weight", "reset", "drill", ... */
	char object[288]; /* "node:edge/tyo-1", "site:tokyo", "site:edge/@tokyo", "pool:edge" */
	char who[64];     /* as whoever asked says */
	uint32_t uid;     /* as the kernel says; STORE_NO_UID */
	uint32_t weight;
	uint64_t from_unix_ms, until_unix_ms; /* until 0: no end */
	char reason[256];
};

/* A drill and how it goes (control/drill.h). */
struct store_drill {
	struct store_action order;
	uint64_t ended_unix_ms; /* 0: not yet */
	bool stopped, told;
};

#define STORE_DRILL_TIMES 6 /* down, published, served; the same of the way back */

struct store_drill_node {
	char node[256]; /* "pool/name" */
	bool was_down, has_probes;
	uint64_t unix_ms[STORE_DRILL_TIMES]; /* 0: not yet, or not known */
};

/* What was measured of a node in one minute. */
struct store_minute {
	const char *node; /* "pool/name" */
	uint32_t probes, failures;
	uint32_t rtt_us, rtt_max_us; /* mean and largest of the successes; 0: none */
	int32_t load_permille;       /* of its capacity; STORE_NO_LOAD: not known */
};

#define STORE_NO_LOAD (-1)
#define STORE_NO_UID  UINT32_MAX /* of an action: nobody's; the kernel has no such user either */

enum store_kind { STORE_TRANSITIONS, STORE_STATUSES, STORE_ACTIONS, STORE_MINUTES, STORE_KINDS };

extern const char *const store_kind_name[]; /* "transitions", ... "minutes" */

struct store_health {
	uint64_t written, pending;  /* rows of all kinds */
	uint64_t lost[STORE_KINDS]; /* there was no room in the queue any more */
	char error[256];            /* "" while writing works */
	uint64_t damaged_unix_ms;   /* when a damaged database was moved aside last; 0: never */
	char damaged_path[256];     /* where it is */
};

static inline uint64_t store_lost(const struct store_health *health)
{
	uint64_t lost = 0;

	for (int kind = 0; kind < STORE_KINDS; kind++)
		lost += health->lost[kind];
	return lost;
}

/* How long rows are kept, in days. */
struct store_kept {
	uint32_t audit; /* transitions, what operators did; the status of nodes of which nothing was
			   heard for as long */
	uint32_t minutes;
};

/* Opens or creates DIR/signpost.db (WAL, schema version in user_version, migrations applied) and
 * starts the writer. A database that cannot be opened or is damaged is reported in *err and by
 * store_health, but the store works all the same: it is moved aside as
 * signpost.db.damaged-<unix time> where it is damaged or no database, left alone where its schema
 * is newer than ours, and retried every two seconds. *err is "" when all is well. -1 only when the
 * thread cannot be started. What is too old is deleted, two seconds after the start and then hourly;
 * not in the day after the clock was stepped forward: whoever set it may have to set it back.
 * The writer logs when writing fails, when it resumes, and when it moved a damaged database aside:
 * what was queued is then in the new one at once. */
int store_open(struct store **out, const char *directory, const struct store_kept *kept,
	       struct err *err);
void store_close(struct store *store); /* writes what is queued, for at most 2 s; NULL is fine */

/* Reads all status rows; then calls `each` for every one, or for none and returns -1. For the
 * start, before anything is queued. Waits a second at most for somebody else's lock. */
int store_load(struct store *store, void (*each)(void *context, const struct store_status *row),
	       void *context, struct err *err);

/* What a node was before: as in struct store_status. */
struct store_before {
	const char *status, *families_down;
};

/* Queue and return at once. store_transition also updates the status row. It was another status, or
 * other families of it are down. */
void store_transition(struct store *store, const struct store_status *now,
		      const struct store_before *from);
void store_status(struct store *store, const struct store_status *now);

/* Queues what was measured in a minute (since 1970), and returns at once. Texts are copied. */
void store_minutes(struct store *store, uint64_t minute, const struct store_minute *rows,
		   uint32_t count);

/* Reads all orders; *out is the caller's to free. Waits as store_load does. */
int store_load_orders(struct store *store, struct store_action **out, size_t *count,
		      struct err *err);

/* From now on these are the orders, all of them: they are written whole, and again to a database
 * that had to be begun anew. `done`, unless it is NULL, is added to what operators did. Returns at
 * once with a ticket: store_is_stored tells when that is on the disk, synchronised. */
uint64_t store_orders(struct store *store, const struct store_action *orders, size_t count,
		      const struct store_action *done);
bool store_is_stored(struct store *store, uint64_t ticket);

/* From now on this is the last drill. `done`, unless it is NULL, is added to what operators did, and
 * is on the disk when the drill is. Queues and returns at once. */
void store_drill(struct store *store, const struct store_drill *drill,
		 const struct store_drill_node *nodes, size_t count,
		 const struct store_action *done);

/* Reads it; *nodes is the caller's to free. at_unix_ms 0: there was none. Waits as store_load does. */
int store_load_drill(struct store *store, struct store_drill *out, struct store_drill_node **nodes,
		     size_t *count, struct err *err);

/* `told` is called in the writer's thread after each attempt to write, and must not wait or call
 * anything here; NULL: no more from when this returns. */
void store_when_written(struct store *store, void (*told)(void *context), void *context);

void store_health(struct store *store, struct store_health *out);

#endif
