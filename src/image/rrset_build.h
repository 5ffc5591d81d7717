/* rrset_build.h - from an owner name and plain RDATA to an RRset block (rrset.h).
 *
 * Used where zones are compiled and where answer sets are made. */
#ifndef IMAGE_RRSET_BUILD_H
#define IMAGE_RRSET_BUILD_H

#include "base/mem.h"
#include "image/rrset.h"

struct rrset_rdata {
	const uint8_t *data; /* as RFC 3597 prints it: names not compressed */
	uint16_t len;
};

struct rrset_source {
	const uint8_t *owner; /* lower-case wire form */
	uint16_t owner_len;
	uint16_t type;
	uint32_t ttl_s;
	const struct rrset_rdata *rdatas; /* valid RDATA of the type, no duplicates */
	size_t count;                     /* 1 or more */
	/* For each RDATA the node whose addresses belong into the additional section, 0: none.
	 * NULL: none at all. Only for types that rdata_names.h calls additional. */
	const uint32_t *extra_nodes;
};

/* Appends the block to `out` at its next multiple of 8. Returns the offset in `out`, or -1: the
 * wire would be longer than rrset_wire_max of it (`out` is as it was). */
ptrdiff_t rrset_build(struct buf *out, const struct rrset_source *source);

#endif
