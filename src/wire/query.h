/* query.h - a message that asks: header, one question, EDNS.
 *
 * Reads hostile bytes; the work is bounded by the message's length. Pure. */
#ifndef WIRE_QUERY_H
#define WIRE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/edns.h"
#include "wire/key.h"
#include "wire/tsig.h"

enum header_flag {
	HEADER_QR = 0x8000,
	HEADER_AA = 0x0400,
	HEADER_TC = 0x0200,
	HEADER_RD = 0x0100,
};
#define HEADER_OPCODE(flags) (((flags) >> 11) & 15)
#define HEADER_OPCODE_MASK   0x7800

struct query {
	uint16_t flags;
	uint16_t type, class;
	uint16_t question_len; /* octets behind the header that an answer repeats; 0: none was
                                  understood, and type, class and name are undefined */
	bool has_edns;
	struct edns edns;
	struct name_key name;
	struct tsig tsig; /* NOTAUTH: what the answer says more about; undefined otherwise */
};

/* false: not a question to anybody (an answer, or shorter than a header): say nothing. */
static inline bool query_wants_answer(const uint8_t *message, size_t len)
{
	return len >= DNS_HEADER_SIZE && (message[2] & (HEADER_QR >> 8)) == 0;
}

/* After query_wants_answer. NOERROR with question_len 0: a server cookie is all that is asked for
 * (RFC 7873, 5.4). FORMERR, NOTIMP, NOTAUTH, BADVERS: as much of *out is filled as the
 * answer that says so needs (question_len, has_edns; tsig, which leads into the message).
 * `known`: see edns.h. */
enum rcode query_read(struct query *out, const uint8_t *message, size_t len, unsigned known);

#endif
