/* rdata_names.h - where domain names stand in RDATA, for the types whose names matter here. */
#ifndef IMAGE_RDATA_NAMES_H
#define IMAGE_RDATA_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct rdata_names {
	uint16_t type;
	uint8_t before;    /* octets in front of the first name */
	uint8_t count;     /* names, one behind the other */
	bool compressible; /* RFC 3597, 4: the types of RFC 1035 only */
	bool additional;   /* the (one) name's addresses belong into the additional section */
};

/* NULL: a type without such names (its RDATA is plain octets to us). */
const struct rdata_names *rdata_names_find(uint16_t type);

#endif
