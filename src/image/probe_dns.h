/* probe_dns.h - settings of probes of kind dns. */
#ifndef IMAGE_PROBE_DNS_H
#define IMAGE_PROBE_DNS_H

#include "image/probe_settings.h"

#define DNS_QUESTION_REST 4  /* octets behind the name */
#define DNS_ADDRESSES_MAX 16 /* each has a bit while an answer is read */

struct dns_probe_settings {
	struct probe_text question;  /* in wire form: name, type, class */
	struct probe_text addresses; /* struct ip_address, one after the other: all are expected */
	uint16_t rcodes;             /* bits: 1 << rcode is expected */
	uint16_t answers_min;        /* records of the type, with NOERROR */
	uint8_t tcp, recursion;
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct dns_probe_settings) == 24, "settings are compared as bytes");

#endif
