/* supervisor.h - the loop: keeps both children running, and passes between them what they may
 * tell each other. Single thread, poll(2) and signalfd(2); no parser, no timer library. */
#ifndef SUPERVISE_SUPERVISOR_H
#define SUPERVISE_SUPERVISOR_H

#include "base/err.h"
#include "supervise/child.h"
#include "supervise/listeners.h"
#include "supervise/worlds.h"

/* What the service manager knows (supervise/status.h). */
struct status_told {
	bool ready, reloading;
	uint32_t asked_by; /* user id of who sent the last SIGHUP, or HANDOVER_NOBODY */
	char due[96];      /* lines of state that it must still be told; "": none */
	char status[256];  /* the last text it was told */
	uint64_t retry_ms; /* when to try again; 0: nothing waits */
};

struct supervisor {
	/* The caller's; filled in before supervisor_run. */
	int folder; /* of the executables */
	const char *server_file;
	uint64_t boot_id; /* of the boot record that is acted on */
	struct listeners listeners;
	int counters_fd;
	int icmp_fds[2]; /* raw sockets, IPv4 and IPv6; -1: none */
	struct child dns, control;
	int control_socket; /* listening; made by a control, kept for the next. -1: none yet */

	/* The loop's own; zero. */
	uint64_t control_socket_inode; /* of its path */
	struct worlds worlds;
	uint64_t served_id; /* of the steering image that the data plane took last */
	int signals_fd;
	uint64_t started_unix_ms, started_ms;
	uint64_t kill_at_ms; /* when children that do not end are killed; 0: not ending */
	bool killed;         /* they were */
	struct status_told told;
};

/* Returns when a signal asked for the end and both children have ended: 0, else -1. */
int supervisor_run(struct supervisor *supervisor, struct err *err);

#endif
