/* leftovers.h - kills what a signpost-run that died has left behind.
 *
 * The kernel kills the commands themselves (prctl(2), PR_SET_PDEATHSIG), but not what those have
 * started. All of them are in the session of that helper, and no process can get into a session from
 * outside, nor is its number another's while anybody is in it. So the processes of the session are
 * killed until there are none, or until it takes too long, which is logged. One thread. */
#ifndef PROBE_LEFTOVERS_H
#define PROBE_LEFTOVERS_H

#include <ev.h>
#include <sys/types.h>

struct leftovers;

struct leftovers *leftovers_open(struct ev_loop *loop);
/* Waits until they are gone, a second at most. NULL is fine. */
void leftovers_close(struct leftovers *leftovers);

/* The leader of this session has ended. */
void leftovers_kill(struct leftovers *leftovers, pid_t session);

#endif
