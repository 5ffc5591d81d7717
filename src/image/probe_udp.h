/* probe_udp.h - settings of probes of kind udp. */
#ifndef IMAGE_PROBE_UDP_H
#define IMAGE_PROBE_UDP_H

#include "image/probe_settings.h"

#define UDP_PAYLOAD_MAX 1400

struct udp_settings {
	struct probe_text send;   /* octets */
	struct probe_text expect; /* octets; none: any answer will do */
	uint8_t anywhere;         /* 0: the answer begins with them */
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct udp_settings) == 20, "settings are compared as bytes");

#endif
