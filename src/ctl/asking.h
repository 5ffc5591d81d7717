/* asking.h - a query as a resolver would send it, and what came back, for people. Pure. */
#ifndef CTL_ASKING_H
#define CTL_ASKING_H

#include <jansson.h>
#include <stdbool.h>

#include "base/netprefix.h"
#include "wire/name.h"

#define ASKING_SIZE_MAX (DNS_HEADER_SIZE + DNS_NAME_MAX + 4 + 11 + 8 + 16)

/* Writes a query with EDNS and, where `subnet` is not NULL, this client subnet. Its length. */
size_t asking_write(uint8_t out[ASKING_SIZE_MAX], const struct name *name, uint16_t type,
		    const struct ip_prefix *subnet);

/* {"rcode": "NOERROR", "authoritative": true, "scope": 24, "records": ["... 30 IN A ...", ...]}
 * "scope" only where the answer has a client subnet. *final: the name at the end of the chain of
 * aliases. NULL: the message is damaged. The caller's. */
json_t *asking_read(const uint8_t *message, size_t len, struct name *final);

#endif
