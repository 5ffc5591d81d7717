/* probe_icmp.h - settings of probes of kind icmp. */
#ifndef IMAGE_PROBE_ICMP_H
#define IMAGE_PROBE_ICMP_H

#include "image/probe_settings.h"

#define ICMP_WINDOW_MAX 1000

/* Limits beyond which an answer does not count as one; 0: there is none. */
struct icmp_settings {
	uint32_t window; /* echoes that are judged together: 1 to ICMP_WINDOW_MAX */
	uint32_t loss_max_percent, loss_warn_percent;
	uint32_t rtt_max_ms, rtt_warn_ms; /* of the mean */
};

#endif
