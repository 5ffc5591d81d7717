/* network_sweep.h - networks that lie in one another -> break points of what lies over what.
 *
 * The networks around an address form a stack, the widest below. What holds there is worked out
 * from what holds in the stack without its uppermost network, and from that network. */
#ifndef COMPILE_NETWORK_SWEEP_H
#define COMPILE_NETWORK_SWEEP_H

#include "compile/breaks.h"

struct network {
	address_bits first;
	uint32_t value; /* of whoever sweeps */
	uint8_t len;
	uint8_t family;
};

/* Zero-initialise; network_list_free when done. */
struct network_list {
	struct network *items;
	uint32_t count, cap;
};

/* IPv4 networks written as IPv6 (mapped, NAT64) become IPv4: so they are found. */
struct network network_of(const struct ip_prefix *prefix, uint32_t value);
void network_list_add(struct network_list *list, const struct ip_prefix *prefix, uint32_t value);
/* By family and start, a network before those inside it; equal ones as they were added. */
/* Appends another list whose values grow by `more`. */
void network_list_join(struct network_list *list, const struct network_list *other, uint32_t more);
void network_list_sort(struct network_list *list);
void network_list_free(struct network_list *list);

/* What holds when the network (`count` equal ones) lies in what has held there: 0 at
 * first. */
typedef uint32_t network_enter(void *context, uint32_t around, const struct network *equal,
			       uint32_t count);

/* Appends one family's break points; the list is sorted. */
void network_sweep(const struct network_list *list, struct breaks *breaks, network_enter *enter,
		   void *context);

#endif
