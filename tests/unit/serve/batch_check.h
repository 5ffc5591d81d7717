/* batch_check.h - batch_answer() and batch_answer_stream() held against answer(): the same octets, the
 * same counts. */
#ifndef TESTS_UNIT_SERVE_BATCH_CHECK_H
#define TESTS_UNIT_SERVE_BATCH_CHECK_H

#include "serve/batch.h"

struct batch_message {
	const uint8_t *data;
	size_t len;
	struct ip_address from;
	uint64_t random; /* the batch's: a counter's state */
};

/* Answers them both ways, with room for `size` octets each, in memory that ends where they do, and
 * ends the program where there is a difference. What they came to is added to *counters. Then once
 * more as what the first one's client says by TCP, in stretches of little more than `size` octets
 * of answers; that is not added. */
void batch_check(const struct world *world, const struct batch_message *messages, unsigned count,
		 size_t size, uint32_t unix_s, struct counters *counters);

#endif
