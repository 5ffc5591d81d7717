/* rrset_text.h - the records of an RRset block, as master files have them. Pure.
 *
 * Blocks are those of verified images. */
#ifndef CTL_RRSET_TEXT_H
#define CTL_RRSET_TEXT_H

#include "base/mem.h"
#include "image/rrset.h"

struct plain_rdata {
	uint8_t *data; /* no name in it is compressed */
	size_t len;
};

/* The RDATA of a block's records, ordered as bytes; rrset_plain_free when done. */
struct rrset_plain {
	struct plain_rdata *items;
	size_t count;
};

/* `owner` in wire form. */
void rrset_plain(struct rrset_plain *out, const struct rrset_block *block, const uint8_t *owner);
void rrset_plain_free(struct rrset_plain *plain);

int plain_rdata_compare(const struct plain_rdata *a, const struct plain_rdata *b);

/* "MX", "TYPE65280" (RFC 3597, 5). */
#define TYPE_TEXT_SIZE 16
const char *type_text(uint16_t type, char text[TYPE_TEXT_SIZE]);

/* Appends RDATA as text; where the type is not known as RFC 3597, 5, has it. */
void rdata_text(struct buf *line, uint16_t type, const struct plain_rdata *rdata);

#endif
