/* hooks.h - tells commands and URLs that something has changed, as the server file's hooks say.
 *
 * Nothing waits for them: commands run in signpost-run, in places of their own; requests are made on
 * the loop. Each hook has one command and one request at a time; its others wait, up to a number
 * beyond which they are dropped, which is logged. A hook that is called more often than its rate allows is told the
 * number of calls that were left out, once, when its time has passed. One thread. */
#ifndef CONTROL_HOOKS_H
#define CONTROL_HOOKS_H

#include <ev.h>

#include "image/hook_event.h"
#include "image/image.h"
#include "probe/runner.h"

#define HOOK_REQUESTS_MAX 8  /* at a time */
#define HOOK_WAITING_MAX  64 /* calls of one hook that wait */

/* What has happened; "" where there is nothing to say. */
struct hook_news {
	enum hook_event event;
	uint32_t pool;                       /* of the plan */
	const char *node, *site, *addresses; /* addresses: between blanks */
	const char *from, *to, *reason;
};

struct hooks;

struct hooks *hooks_open(struct ev_loop *loop, struct runner *runner);
void hooks_close(struct hooks *hooks); /* what runs is ended. NULL is fine */

/* The hooks of this plan from now on; its mapping must live until the next. Calls that run or wait
 * are finished. */
void hooks_apply(struct hooks *hooks, const struct image *plan);

/* Calls whoever wants to know. */
void hooks_tell(struct hooks *hooks, const struct hook_news *news);

#endif
