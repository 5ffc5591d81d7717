/* commands.h - what signpostctl may ask over the control socket.
 *
 *   {"command": "status", "pool": "edge"}  the pool may be missing
 *   {"command": "reload"}
 *   {"command": "ping"}
 *   {"command": "world"}                   with the images' descriptors, in the order of "images" */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/reload.h"
#include "control/running.h"
#include "control/socket.h"
#include "control/supervisor.h"
#include "store/store.h"

struct commands {
	struct supervisor *supervisor;
	struct running *running;
	struct reload *reload;
	struct store *store;
	const struct saver *saver;
	const char *server_file, *state_dir;
};

socket_request_fn commands_request; /* its context is a struct commands */

#endif
