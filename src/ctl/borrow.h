/* borrow.h - what `explain` works on: the images that control lends, and the question. */
#ifndef CTL_BORROW_H
#define CTL_BORROW_H

#include "ctl/client.h"
#include "ctl/explain.h"

/* Opens what control lent. On failure give_back is due all the same. *out lives as long as
 * `reply`. */
int borrow(const struct reply *reply, struct borrowed *out, struct err *err);
void give_back(struct borrowed *borrowed);

/* Reads "192.0.2.1" or "192.0.2.0/24" into question->network; host bits do not matter. An address
 * alone is taken for the network that resolvers send of it (RFC 7871, 11.1), or, with as_source,
 * for itself. false: neither. */
bool question_network(const char *text, struct question *question);

#endif
