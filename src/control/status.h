/* status.h - what control knows, as JSON: for `signpostctl status`, and the nodes' part for
 * `signpostctl explain`. Pure: all that is told is handed in. */
#ifndef CONTROL_STATUS_H
#define CONTROL_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/drill.h"
#include "control/images.h"
#include "control/inputs.h"
#include "image/handover.h"
#include "probe/prober.h"
#include "store/store.h"

struct status_input {
	uint64_t now_unix_ms, now_mono_ms;
	const char *server_file, *state_dir;
	const struct handover_process *supervisor, *dns, *control;
	const char *serving; /* what the supervisor says of it */
	const struct counters *counters;
	const struct store_health *store;
	const struct images *images; /* NULL: there is no world yet */
	const char *world_source;    /* world_source_name */
	uint64_t world_since_unix_ms;
	const char *save_error; /* why the world is not on the disk; "": it is */
	const struct node_state *(*node)(const void *context, uint32_t node);
	const void *node_context;
	const struct inputs *inputs; /* NULL: there is no world yet */
	const struct orders *orders;
	const struct drill *drill;
	struct prober_doubt doubt[DOUBT_FAMILIES];
	struct prober_pace pace;
	const json_t *last_reload; /* NULL: there was none */
	bool reloading;
};

/* Everything, or one pool only. NULL: there is no such pool. The caller's. */
json_t *status_json(const struct status_input *input, const char *pool);

/* [{"name": ..., "status": ..., "state": ..., ...}, ...] in the plan's order. */
json_t *status_nodes(const struct status_input *input);

/* [{"use": 0.93, "spilling": true, "keep": 0.42}, ...]: of each plan_pool_site. */
json_t *status_sites(const struct status_input *input);

#endif
