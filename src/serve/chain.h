/* chain.h - from a name to the next one: CNAME (RFC 1034, 3.6.2) and DNAME (RFC 6672). */
#ifndef SERVE_CHAIN_H
#define SERVE_CHAIN_H

#include "serve/sections.h"

/* Where the message has the target of the CNAME or DNAME record that was just put; 0: out of a
 * pointer's reach. */
uint16_t chain_target_place(const struct asking *asking);

/* The target of the CNAME record that was just put, `len` octets, becomes the name at hand.
 * false: the chain ends here, for it is long enough or has been there before. */
bool chain_follow(struct asking *asking, const uint8_t *target, size_t len);

/* The name at hand with the DNAME's target in place of its owner (the ancestor `owner`). Returns
 * the length; 0: it has more than 255 octets. */
size_t chain_below_dname(const struct asking *asking, const struct rrset_block *dname,
			 const struct owner *owner, uint8_t out[DNS_NAME_MAX]);

#endif
