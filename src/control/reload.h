/* reload.h - from an edit to a new world: compile, verify, take - whole or not at all.
 *
 * One reload runs at a time; requests that arrive meanwhile (their edits may have come too late
 * for it) share the next one. Everything that takes long happens in a child or a thread. */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

#include <ev.h>
#include <jansson.h>

#include "control/reload_record.h"
#include "control/running.h"
#include "control/supervisor.h"

struct reload;

/* How it ended, for whoever asked; borrowed:
 *   {"ok": true, "changed": true, "changes": {...}, "messages": "warnings", "counts": {...},
 *    "images": {...}, "durations_ms": {...}}, and "restart_needed": true where the file now says
 *    of listen, workers, socket-affinity, user, state, run or log target what only a restart can follow.
 *    "served": false: the data plane has not yet said that it answers from it
 *   {"ok": false, "error": "...", "messages": "the mistakes"}, and "mistakes": true where the files
 *    have them: without an edit, it ends in the same way each time */
typedef void reload_done_fn(void *context, const json_t *report);

struct reload *reload_open(struct ev_loop *loop, struct running *running,
			   const struct supervisor *supervisor, const char *server_file,
			   const char *state_dir, uint64_t boot_id);
void reload_close(struct reload *reload); /* asks nobody any more; NULL is fine */

/* What came of it is put on record before `done` is called. */
void reload_request(struct reload *reload, const struct reload_asker *by, reload_done_fn *done,
		    void *context);

/* Watches the data files of the running world, which was compiled from files as they were at that
 * time: one that changes is a reason to reload. A reload that takes a world does so by itself. */
void reload_watch(struct reload *reload, uint64_t compiled_unix_ms);

/* A reload that has published a world ends when that is served, so that whoever asked for it gets
 * the new answers; or when another world is served instead. */
void reload_served(struct reload *reload);
void reload_not_served(struct reload *reload);

/* How the last one ended, with "at_ms"; NULL: there was none. */
const json_t *reload_last(const struct reload *reload);
bool reload_is_running(const struct reload *reload);

#endif
