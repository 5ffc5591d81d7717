/* messages.h - what the supervisor and its children say to each other (image/handover.h). */
#ifndef SUPERVISE_MESSAGES_H
#define SUPERVISE_MESSAGES_H

#include "supervise/supervisor.h"

/* What a child that was just started must be sent. */
unsigned messages_due_at_start(const struct supervisor *supervisor, const struct child *child);

/* Is there anything that may be sent now? */
bool messages_wait(const struct child *child);

/* Sends what is due until the channel is full (the rest when it is writable again). */
void messages_flush(struct supervisor *supervisor, struct child *child);

/* Another world is served than the one that control made last: both children get it. */
void messages_other_world(struct supervisor *supervisor);

/* Takes in one message. false: the peer is gone, the channel is of no more use. */
bool messages_receive(struct supervisor *supervisor, struct child *child);

/* Takes in all that is there: what a child said before it ended. */
void messages_receive_rest(struct supervisor *supervisor, struct child *child);

#endif
