/* history.h - what the database tells of the past, for commands: read in a thread of its own and
 * handed to the loop. Control's loop only. */
#ifndef CONTROL_HISTORY_H
#define CONTROL_HISTORY_H

#include <ev.h>

#include "control/socket.h"
#include "store/reader.h"

struct history;

int history_open(struct history **out, struct ev_loop *loop, struct store *store, struct err *err);
/* Before the store and the socket; refuses whoever waits. NULL is fine. */
void history_close(struct history *history);

/* Answers the call later; while the database cannot be written with "pending", how many rows wait to
 * be written and are missing in the answer, and "store_error", why:
 *
 *   {"ok": true, "node": "edge/tyo-1", "now_ms": ..., "status_before": "up" | null,
 *    "status": "up" | null, "minutes": [[minute, probes, failures, rtt_us, rtt_max_us,
 *    load_permille | null], ...], "next_ms": ... | null}
 *
 * Refused with `unknown` where the database has never heard of the node; NULL: it is in the files. */
void history_answer_minutes(struct history *history, struct call *call,
			    const struct minutes_question *question, const char *unknown);

/* Answers the call later, as above: {"ok": true, "now_ms": ..., "events": [...], "next": [at_ms, id, is_action]
 * | null}. Takes the question's names over. */
void history_answer_audit(struct history *history, struct call *call,
			  struct audit_question *question);

#endif
