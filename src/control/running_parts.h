/* running_parts.h - what running.c and its parts share: the running world from inside. */
#ifndef CONTROL_RUNNING_PARTS_H
#define CONTROL_RUNNING_PARTS_H

#include "control/drill.h"
#include "control/memory.h"
#include "control/rows.h"
#include "control/running.h"
#include "control/secrets.h"
#include "control/standing.h"

/* A change of a node's state that waits for its steering image. */
struct verdict {
	uint32_t node;
	enum node_status from;
	uint8_t from_families; /* that were down */
	bool weight_alone;     /* is another one, as its agents say */
	struct node_state now;
};

struct running {
	struct ev_loop *loop;
	struct supervisor *supervisor;
	struct prober *prober;
	struct reports *reports;
	struct hooks *hooks;
	struct store *store;
	struct saver *saver;
	struct memory *memory;
	struct images *images; /* NULL: no world yet */
	struct steer *steer;
	enum world_source source;
	uint64_t since_unix_ms;
	struct orders orders;
	struct drill drill;
	struct inputs *inputs; /* as in the running steering image */
	struct standing *standing;
	bool unsteered; /* the last attempt at a steering image failed */
	bool taking;    /* a plan is being replaced: verdicts wait */
	struct verdict *verdicts;
	size_t verdict_count, verdict_cap;
	struct ev_timer coalesce; /* runs: a steering image was made a moment ago */
	struct ev_timer tick;
	struct ev_timer settle;
	struct ev_timer roll;
	uint32_t ticks;
	int64_t clock_ahead_ms; /* of the wall clock before the monotonic one */
	uint64_t drill_at_ms;   /* when the drill was ordered for which this is: */
	uint64_t drill_end_mono_ms;
	uint64_t minute; /* since 1970: to which what is measured now belongs */
	struct secrets secrets;
};

static inline const struct image *plan_of(const struct running *running)
{
	return &running->images->image[IMAGE_PLAN];
}

static inline struct rows rows_of(const struct running *running)
{
	return (struct rows){ running->store, running->memory, running->prober };
}

/* --- running.c --------------------------------------------------------------------------------- */

int running_compile(struct steer *steer, const struct inputs *inputs, int *fd, struct err *err);

/* A new steering image for the running world, published; a failure is logged. */
void running_steer(struct running *running);

/* The same where something has changed since the last one. */
void running_follow(struct running *running);

inputs_state_fn running_probed; /* its context is the prober */

/* Begins or ends a drill, as orders say. */
void running_follow_drill(struct running *running, bool plan_is_new);

/* Judges how the drill goes by what is answered, once that follows what happened; stores it. */
void running_look_at_drill(struct running *running);

/* Logs how all stands by now, and calls hooks. */
void running_tell_standing(struct running *running);

/* Stores and logs the verdicts that wait. */
void running_tell_verdicts(struct running *running);

/* Answers what verdicts say, then tells of them. */
void running_settle_verdicts(struct running *running);

/* --- running_minutes.c --------------------------------------------------------------------------- */

/* Hands what was measured to the store whenever a minute is over. */
void running_follow_minute(struct running *running);

/* Hands over what was measured in the minute that is not over yet. */
void running_end_minute(struct running *running);

/* --- running_clock.c ---------------------------------------------------------------------------- */

void running_open_clock(struct running *running);

/* Looks whether the wall clock was stepped. */
void running_follow_clock(struct running *running);

/* Ends a drill whose time is over by the monotonic clock. */
void running_end_drill_in_time(struct running *running);

/* --- running_take.c ----------------------------------------------------------------------------- */

void running_open_settling(struct running *running);

/* --- running_secrets.c: the secrets of cookies -------------------------------------------------- */

void running_open_secrets(struct running *running);
void running_close_secrets(struct running *running);

/* Has the secrets for a world, and hands them to its steer. */
void running_hand_secrets(struct running *running, struct steer *steer, const struct images *images,
			  bool has_steering);

#endif
