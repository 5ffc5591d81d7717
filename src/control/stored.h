/* stored.h - answers that wait until what they tell of is on the disk.
 *
 * An operator who reads "ok" may pull the plug. Where the disk does not write within
 * STORED_PATIENCE_S the answer says so instead: what it tells of holds, but a restart may lose
 * it. Control's loop only. */
#ifndef CONTROL_STORED_H
#define CONTROL_STORED_H

#include <ev.h>

#include "control/socket.h"
#include "store/store.h"

#define STORED_PATIENCE_S 3.

struct stored;

struct stored *stored_open(struct ev_loop *loop, struct store *store);
void stored_close(struct stored *stored); /* before the store; NULL is fine */

/* Answers the call with the reply, to which "stored" is added, and "store_error" where it is
 * false. The reply is taken over. Ticket 0: it is not even queued. */
void stored_answer(struct stored *stored, struct call *call, json_t *reply, uint64_t ticket);

#endif
