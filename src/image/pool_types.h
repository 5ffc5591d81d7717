/* pool_types.h - what a POOL record can be answered with: RR types as bits of a set. */
#ifndef IMAGE_POOL_TYPES_H
#define IMAGE_POOL_TYPES_H

#include <stdint.h>

#include "wire/types.h"

enum pool_type {
	POOL_TYPE_A = 1,
	POOL_TYPE_AAAA = 2,
	POOL_TYPE_SRV = 4,
	POOL_TYPE_HTTPS = 8,
	POOL_TYPE_SVCB = 16,
};

#define POOL_TYPES_ADDRESS (POOL_TYPE_A | POOL_TYPE_AAAA) /* where the record names no types */
#define POOL_TYPES_SERVICE (POOL_TYPE_SRV | POOL_TYPE_HTTPS | POOL_TYPE_SVCB)
#define POOL_TYPES_ALL     (POOL_TYPES_ADDRESS | POOL_TYPES_SERVICE)

/* 0: none of them. */
static inline uint8_t pool_type_bit(uint16_t type)
{
	static const uint8_t bits[] = {
		[TYPE_A] = POOL_TYPE_A,       [TYPE_AAAA] = POOL_TYPE_AAAA,
		[TYPE_SRV] = POOL_TYPE_SRV,   [TYPE_HTTPS] = POOL_TYPE_HTTPS,
		[TYPE_SVCB] = POOL_TYPE_SVCB,
	};

	return type < sizeof(bits) ? bits[type] : 0;
}

#endif
