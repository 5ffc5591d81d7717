/* engine.h - makes checks: each at its times, never twice at once, with bounded descriptors.
 *
 * A check is one probe of one address, made again and again. Each has one libev timer: it waits
 * for the next start, or for the end of the time that an answer may take. Control's loop, one
 * thread.
 *
 * However many checks an address has: at most 50 start a second, and 10 at once (schedule_pace_us).
 * Where that is not reached it changes nothing. */
#ifndef PROBE_ENGINE_H
#define PROBE_ENGINE_H

#include <sys/queue.h>

#include "image/plan.h"
#include "probe/flap.h"
#include "probe/kind.h"
#include "probe/lateness.h"
#include "probe/standstill.h"
#include "probe/target.h"

/* What makes checks equal. Compared as bytes: no padding. */
struct check_key {
	uint8_t kind; /* enum probe_kind */
	uint8_t family, source_family;
	uint8_t reserved;
	uint16_t port;
	uint16_t reserved2;
	uint8_t address[16], source[16];
	uint32_t interval_ms, timeout_ms, fall, rise, jitter_percent;
	uint32_t settings_len;
	uint32_t half_life_ms, rise_max; /* struct flap_rules */
	uint64_t settings[2];            /* XXH3 of them */
	uint64_t node[2]; /* the same of pool and node, where they are part of the probe */
};
_Static_assert(sizeof(struct check_key) == 104, "keys are compared as bytes");

enum check_phase {
	CHECK_WAITING, /* for its time */
	CHECK_QUEUED,  /* for a descriptor */
	CHECK_RUNNING,
	CHECK_OVER, /* made once, and whoever wants it has not been told yet */
};

struct check;

/* A check that is made once has ended; *result is over with this call. Is to call check_end. */
typedef void check_ended_fn(struct check *check, const struct probe_result *result);

struct check {
	struct probe probe; /* first: a struct probe * is a struct check * */
	struct check_key key;
	bool prepared;     /* by its kind */
	void *settings;    /* of its kind, a copy */
	char *pool, *node; /* probe.pool and probe.node */
	char *lack;        /* why it is not; else NULL */
	bool warned;       /* the last result was a PROBE_WARNING */
	bool judges;       /* somebody's health; where not, doubt has nothing to do with it */
	bool has_weight;
	uint16_t weight_percent; /* the last that was asked for */
	enum probe_wish wish;    /* the last that was not WISH_NONE */
	struct engine *engine;
	struct kind *kind;
	ev_timer timer;
	TAILQ_ENTRY(check) queue;
	enum check_phase phase;
	bool passed_over;      /* was late and left out one turn: the next one is its own */
	bool paced;            /* waits for its address's next start, which is its own */
	uint8_t looks;         /* for its answer, since its time was up */
	uint8_t moves;         /* of end_us, since we stood still */
	bool own_pace;         /* of whoever made it: it does not wait for its address */
	struct target *target; /* NULL: it has no address */
	uint64_t due_us, started_us;
	uint64_t end_us;   /* of the time that its answer may take */
	uint64_t stood_us; /* the engine's standstill at its last step */
	uint64_t paced_us; /* when it may start, while `paced` */

	struct flap flap;
	struct doubt_check doubt;
	int32_t verdict;          /* that of `flap` */
	uint32_t rise;            /* successes in a row that it takes now: key.rise or more */
	char why[PROBE_WHY_SIZE]; /* of the last result, or of why there is none */
	uint64_t checked_unix_ms; /* last result, 0: none */
	uint32_t rtt_us;          /* of the last success, 0: none */

	check_ended_fn *ended; /* of a check that is made once; else NULL */
	void *context;         /* of that one */
	struct probe_result single;
	uint64_t took_us; /* from start to end, of the last one */

	uint32_t first_use; /* the prober's own */
};

struct engine_counters {
	uint64_t started, successes, failures;
	uint64_t not_made;           /* for want of something of our own */
	uint64_t passed_over;        /* turns left out because they came late */
	uint64_t queued;             /* had to wait for a descriptor */
	uint64_t paced;              /* had to wait since their address has many */
	uint64_t late_max_us;        /* of a start, since the counters were last cleared */
	uint64_t late[LATE_BUCKETS]; /* starts by lateness, see engine_late_us */
};

/* So many of the starts (a part of 1) were no later than this, to a quarter. */
uint64_t engine_late_us(const struct engine_counters *counters, double part);

/* After every result that is one; `before` is the verdict that the check had. Must not start or
 * stop checks. */
typedef void engine_result_fn(struct check *check, int32_t before,
			      const struct probe_result *result);

struct engine {
	struct ev_loop *loop;
	struct kind *kinds[PROBE_KINDS];
	struct lateness lateness;
	struct standstill standstill; /* while probes run */
	uint32_t descriptors; /* that may still be opened */
	TAILQ_HEAD(check_queue, check) queue;
	bool continuing; /* in engine_continue */
	struct targets targets;
	struct doubts doubts;
	uint64_t random;
	uint64_t reported_us; /* the last warning about probes that were not made */
	struct engine_counters counters;

	engine_result_fn *result;
};

/* descriptors: how many probes may hold one at a time. */
void engine_open(struct engine *engine, const struct kind_tools *tools, uint32_t descriptors,
		 engine_result_fn *result);
void engine_close(struct engine *engine); /* after all checks have ended */

/* A new check, made for the first time in `delay_us`. The settings are copied. */
struct check *check_begin(struct engine *engine, const struct check_key *key, const void *settings,
			  uint64_t delay_us);
/* One that is made once, as soon as may be, and touches nobody's verdict. What is noted in
 * `evidence` (it may be NULL) is the caller's. */
struct check *check_begin_once(struct engine *engine, const struct check_key *key,
			       const void *settings, struct evidence *evidence,
			       check_ended_fn *ended, void *context);
/* Whose it is; before it is made for the first time, and at most once. */
void check_name(struct check *check, const char *pool, const char *node);
void check_end(struct check *check);

/* That of a check's family; NULL: it has no address. */
struct doubt *check_doubt(const struct check *check);
/* Its results do not count at this time. */
bool check_is_frozen(const struct check *check);

/* A check that was held goes down, if it would still: its verdict is counted. */
void check_release(struct check *check);

/* To be called after checks were ended: others may be waiting for their descriptors. */
void engine_continue(struct engine *engine);

#define CHECK_TEXT_SIZE 160

/* "tcp 127.10.1.1:5191: connection refused" */
void check_text(const struct check *check, char text[CHECK_TEXT_SIZE]);

#endif
