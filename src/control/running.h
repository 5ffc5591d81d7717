/* running.h - the running world: its images, and the probing and steering that follow its plan.
 *
 * A verdict of the prober makes a new steering image, which is published before anything is
 * stored: the first verdict at once, those that follow within RUNNING_COALESCE_MS together. So does
 * an operator's order. What changes with time alone (windows, loads, avoided nodes) is looked at
 * once a second. One object from start to exit; control's loop only. */
#ifndef CONTROL_RUNNING_H
#define CONTROL_RUNNING_H

#include <ev.h>
#include <stdbool.h>

#include "control/disk.h"
#include "control/drill.h"
#include "control/images.h"
#include "control/inputs.h"
#include "control/orders.h"
#include "control/supervisor.h"
#include "probe/once.h"
#include "probe/prober.h"
#include "probe/reports.h"
#include "steer/steer.h"
#include "store/store.h"

#define RUNNING_COALESCE_MS  10
#define RUNNING_ROWS_EVERY_S 60 /* each node's status row is written this often */

/* FALLBACK: the data plane refused what was published last, or kept ending with it; the supervisor
 * has it serve this one. */
enum world_source { WORLD_NONE, WORLD_ADOPTED, WORLD_FROM_DISK, WORLD_COMPILED, WORLD_FALLBACK };

extern const char *const world_source_name[]; /* "none", "adopted", "disk", "compiled",
						 "fallback" */

struct running;

/* Opens the prober and reads the nodes' last status from the store. The arguments must outlive
 * the object. */
int running_open(struct running **out, struct ev_loop *loop, struct supervisor *supervisor,
		 struct store *store, struct saver *saver, const char *state_dir,
		 struct runner *runner, struct err *err);
/* Queues every node's status row and ends. NULL is fine. */
void running_close(struct running *running);

struct running_times {
	uint64_t steer_us, publish_us;
};

/* From here on this world is the running one: steering is made for it (unless it is adopted: its
 * own goes on), it is published, and its nodes are probed. The images are taken over when that
 * went well; on failure nothing has changed and they stay the caller's. times may be NULL. */
int running_take(struct running *running, struct images *images, enum world_source source,
		 struct running_times *times, struct err *err);

/* An operator's order: it is answered when this returns (orders_take). */
int running_order(struct running *running, const struct order *order, struct order_changes *changes,
		  struct err *err);

/* Makes probes of a node of the running plan once (prober_probe_once). */
int running_probe(struct running *running, uint32_t node, const char *name, const char *kind,
		  once_fn *done, void *context, struct err *err);

/* Puts on record what an operator did that is no order. */
void running_record(struct running *running, const struct store_action *done);

/* A node of the running plan reports its load. */
void running_report(struct running *running, uint32_t node, double load);

/* Somebody says how a node of the running plan is. Returns how many probes look at that now. */
unsigned running_report_state(struct running *running, uint32_t node, const struct report *report);

/* The data plane answers from what was published last. */
void running_served(struct running *running);

/* Looks at all orders anew. */
void running_look(struct running *running);

/* Writes the world to the disk where that did not work before; whoever reloads may want just that. */
void running_save(struct running *running);

const struct images *running_images(const struct running *running); /* NULL: no world yet */
/* Of a node of the running plan. */
const struct node_state *running_node(const struct running *running, uint32_t node);
/* What steering was made from last; NULL: no world yet. */
const struct inputs *running_inputs(const struct running *running);
const struct orders *running_orders(const struct running *running);
struct prober_doubt running_doubt(const struct running *running, enum doubt_family family);
struct prober_pace running_pace(const struct running *running);
const struct drill *running_drill(const struct running *running);
enum world_source running_source(const struct running *running);
uint64_t running_since_unix_ms(const struct running *running);

#endif
