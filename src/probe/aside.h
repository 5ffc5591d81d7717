/* aside.h - work that may hang, such as reading files of a disk that does not answer, done beside the
 * loop by a few threads of its own, which come as they are needed.
 *
 * What hangs keeps its thread; when all of them hang, work waits. Who asks has to have a time limit of
 * his own. All but the work itself is on the loop's thread. */
#ifndef PROBE_ASIDE_H
#define PROBE_ASIDE_H

#include <ev.h>
#include <stdbool.h>

struct aside;
struct aside_job;

struct aside_work {
	void (*work)(void *data); /* in a thread */
	void (*done)(void *data); /* then in the loop; not after aside_close */
	void (*drop)(void *data); /* the last call of all; in a thread, where the loop has ended */
};

struct aside *aside_open(struct ev_loop *loop, unsigned threads_max);
void aside_close(struct aside *aside); /* waits for nothing that hangs */

/* `work` must live for ever. NULL: there is no thread to be had, and *data stays the caller's. */
struct aside_job *aside_do(struct aside *aside, const struct aside_work *work, void *data);

/* Is it more than waiting for a thread? The job must not be done yet. */
bool aside_has_begun(struct aside_job *job);

/* true: it has not begun, and is dropped. false: it goes on, and `done` will be called. */
bool aside_cancel(struct aside_job *job);

#endif
