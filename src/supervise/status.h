/* status.h - what the service manager and the log are told of the whole (sd_notify(3)). */
#ifndef SUPERVISE_STATUS_H
#define SUPERVISE_STATUS_H

#include "supervise/supervisor.h"

/* A start without any world is not READY at once, but says so after this long even if nobody can
 * tell why: a service manager would end us, and an answer SERVFAIL lets resolvers move on. */
#define STATUS_PATIENCE_MS 60000

/* One line: what is served, and what is out of the ordinary. */
void status_text(const struct supervisor *supervisor, char *text, size_t size);

void status_serving(struct supervisor *supervisor);                   /* dns is READY */
void status_no_world(struct supervisor *supervisor, const char *why); /* nor will be soon */
void status_reloading(struct supervisor *supervisor, uint32_t asked_by);
void status_reloaded(struct supervisor *supervisor, const char *how);
void status_stopping(struct supervisor *supervisor);

/* Says what has not been told yet, if anything; never blocks. Again at told.retry_ms. */
void status_tell(struct supervisor *supervisor);

/* After a child ended or was started, or another world is served: tells control, too. */
void status_changed(struct supervisor *supervisor);

#endif
