/* ask.h - queries for a world whose contents are not known beforehand. */
#ifndef TESTS_FUZZ_ASK_H
#define TESTS_FUZZ_ASK_H

#include "serve/answer.h"

struct question {
	const uint8_t *name; /* wire form */
	size_t name_len;
	uint16_t type;
	const struct ip_prefix *ecs; /* NULL: no EDNS */
	bool tcp;
};

/* Asks, checks that there is an answer of an allowed size, and returns its length. */
size_t ask(const struct world *world, const struct question *question,
	   uint8_t reply[DNS_MESSAGE_MAX]);

/* Asks for each name of each zone, and for one below it, in several ways, each alone and among others.
 * Nothing may come of it but answers, and the same both ways: what they say is not looked at. */
void ask_everything(const struct world *world);

/* Addresses here and there, for lookups: 0 .. ASK_ADDRESSES - 1. */
#define ASK_ADDRESSES 16
struct ip_address ask_address(unsigned number);

#endif
