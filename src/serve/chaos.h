/* chaos.h - class CH: what the server says of itself (RFC 4892).
 *
 * Pure. A TXT record at each of four names, TTL 0; there is no zone around them, so no SOA either. */
#ifndef SERVE_CHAOS_H
#define SERVE_CHAOS_H

#include "image/settings.h"
#include "serve/sections.h"

enum rcode chaos_fill(struct asking *asking, const struct dns_settings *settings);

#endif
