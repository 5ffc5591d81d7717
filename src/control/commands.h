/* commands.h - what signpostctl may ask over the control socket.
 *
 *   {"command": "status", "pool": "edge"}  the pool may be missing
 *   {"command": "reload"}                  and "who" where given
 *   {"command": "ping"}
 *   {"command": "profile"}                 steered queries by class, with the geo image
 *   {"command": "world"}                   with the images' descriptors, in the order of "images"
 *   {"command": "state", "action": "drain", "object": "edge/tyo-1"}  drain, disable, force-up,
 *                                          force-down, enable; and "reason", "who",
 *                                          "from_ms", "until_ms" where given
 *   {"command": "weight", "object": "edge/tyo-1", "weight": 50}      null: as the files say
 *   {"command": "states"}                  all orders and windows that hold or are to come
 *   {"command": "report", "object": "edge/tyo-1", "load": 0.83}
 *   {"command": "drill", "action": "start", "object": "frankfurt", "for_ms": 600000}  start, stop,
 *                                          status; and "force", "reason", "who" where given;
 *                                          "only_check": would it be refused?
 *   {"command": "probe", "object": "edge/tyo-1"}  its probes, made once; and "kind", or "probe" (a
 *                                          name), where given; answered when they have ended
 *   {"command": "history", "node": "edge/tyo-1", "from_ms": ..., "until_ms": ...}  what was measured,
 *                                          minute by minute; ask again from "next_ms"
 *   {"command": "audit", "object": "edge/tyo-1", "who": "ann", "from_ms": ..., "until_ms": ...,
 *    "after": [...]}                       transitions and what operators did; all may be missing;
 *                                          ask again after "next"
 *
 * Orders are answered when they are on the disk (control/stored.h). */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/history.h"
#include "control/reload.h"
#include "control/running.h"
#include "control/socket.h"
#include "control/stored.h"
#include "control/supervisor.h"
#include "store/store.h"

struct commands {
	struct supervisor *supervisor;
	struct running *running;
	struct reload *reload;
	struct store *store;
	struct stored *stored;
	struct history *history;
	struct reload_asked *reloads; /* who waits for the end of one */
	const struct saver *saver;
	const char *server_file, *state_dir;
};

/* After the reload and the socket: forgets who still waits. */
void commands_close(struct commands *commands);

socket_request_fn commands_request; /* its context is a struct commands */

#endif
