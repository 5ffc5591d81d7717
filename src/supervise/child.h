/* child.h - one of the two long-lived children: its process, its channel, when to start it again.
 *
 * Nothing queues for a child: `due` says which messages it must still get, and each is made from
 * what the supervisor holds at the moment it is sent. The data plane gets images only after it has
 * answered for the last ones: else those that it does not read would stay in memory, a world a
 * reload. So a child that does not read costs nothing and, when it reads again, gets the newest. */
#ifndef SUPERVISE_CHILD_H
#define SUPERVISE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "image/handover.h"
#include "supervise/program.h"

/* In the order in which they are sent. */
enum child_due {
	DUE_LISTENERS = 1 << 0,
	DUE_COUNTERS = 1 << 1,
	DUE_ICMP = 1 << 2,
	DUE_SOCKET = 1 << 3,
	DUE_WORLD = 1 << 4,
	DUE_PROCESSES = 1 << 5, /* before START: from then on control may be asked for them */
	DUE_START = 1 << 6,
	DUE_STEERING = 1 << 7,
	DUE_RELOAD = 1 << 8,
	DUE_SERVED = 1 << 9,
};

#define CHILD_ENDS 4 /* how many ends are remembered */

struct child {
	const char *name;
	char *const *argv;
	uint32_t pause_max_ms; /* before it is started again */
	struct identity identity;

	pid_t pid;   /* 0: not running */
	int channel; /* -1: none */
	unsigned due;
	size_t listeners_sent, icmp_sent;
	bool unanswered;     /* images were sent, and neither READY nor REFUSED came back */
	uint64_t send_at_ms; /* what is due could not be sent: not before then; 0: at once */
	uint64_t end_by_ms;  /* it has closed its channel: then it is killed; 0: it has not */

	uint64_t started_unix_ms;
	uint64_t start_at_ms; /* when it is to be started; 0: not planned */
	uint32_t restarts;
	uint64_t ends_ms[CHILD_ENDS]; /* the last ones, newest first; 0: none */
};

/* `due` as a start needs it. */
int child_start(struct child *child, int folder, unsigned due, struct err *err);

/* After it was reaped: forgets the process and plans the next start: at once, then after growing
 * pauses while it keeps ending within ten seconds. Returns the pause in ms. */
#define CHILD_WINDOW_MS 10000
uint64_t child_ended(struct child *child, uint64_t now_ms);

/* How often it ended within the last ten seconds (up to CHILD_ENDS). */
unsigned child_recent_ends(const struct child *child, uint64_t now_ms);
void child_forget_ends(struct child *child);

void child_signal(const struct child *child, int signal);
void child_close_channel(struct child *child);
struct handover_process child_process(const struct child *child);

#endif
