/* reply.h - an answer to a question of ours: header, question, and the answer section's records.
 *
 * Reads foreign bytes, in time that their number bounds; names behind the question are passed over,
 * and no pointer is followed. Pure. */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/types.h"

struct reply {
	uint16_t flags; /* enum header_flag */
	enum rcode rcode;
	uint16_t left;        /* records of the answer section that were not read */
	struct reader reader; /* at the next one */
};

struct reply_record {
	uint16_t type, class;
	uint32_t ttl_s;
	const uint8_t *rdata; /* in the message */
	uint16_t rdata_len;
};

/* NULL: it is an answer to this question (name in wire form, type, class) with this id. Else why it is
 * none, a literal for a message. */
const char *reply_read(struct reply *out, const uint8_t *message, size_t len, uint16_t id,
		       const uint8_t *question, size_t question_len);

/* false: there is no more, or what there is cannot be read (then reader.bad). */
bool reply_next(struct reply *reply, struct reply_record *out);

#endif
