/* stamps.h - timestamps for WireGuard handshakes, each later than all before it.
 *
 * A server takes an initiation only with a timestamp later than the last that it took from the same
 * peer, and forgets that only when it restarts. So a clock that was set back, be it between two runs
 * of ours, would make every node look dead until it has caught up. A file says what may have been
 * used: it is written ahead of what is, about once a minute, and the next run begins with it. One
 * thread. */
#ifndef PROBE_STAMPS_H
#define PROBE_STAMPS_H

#include <stdint.h>

#include "base/err.h"

#define STAMP_SIZE 12 /* TAI64N: seconds + 2^62 + 10, then nanoseconds, both big-endian */

struct stamps {
	char *path;           /* NULL: nothing is kept */
	uint64_t last_ns;     /* since 1970 UTC */
	uint64_t reserved_ns; /* what the file says: nothing later has been used */
};

/* -1: what the file holds is no use (there is none: that is no error), or it cannot be read; the
 * stamps are open all the same, and begin with the clock. */
int stamps_open(struct stamps *stamps, const char *path, struct err *err);
void stamps_close(struct stamps *stamps);

/* -1: the file could not be written; the timestamp is there all the same. */
int stamps_next(struct stamps *stamps, uint64_t unix_ms, uint8_t out[STAMP_SIZE], struct err *err);

#endif
