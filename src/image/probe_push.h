/* probe_push.h - settings of probes of kind push: what somebody reports of the node. */
#ifndef IMAGE_PROBE_PUSH_H
#define IMAGE_PROBE_PUSH_H

#include "image/probe_file.h" /* enum stale_means */

struct push_settings {
	uint32_t max_age_ms; /* of a report that names no end of its own */
	uint32_t stale;      /* enum stale_means */
};

#endif
