/* probe_file.h - settings of probes of kind file: a file that says how the node is. */
#ifndef IMAGE_PROBE_FILE_H
#define IMAGE_PROBE_FILE_H

#include "image/probe_settings.h"

struct file_settings {
	struct probe_text path; /* may hold placeholders */
	uint32_t max_age_ms;
	uint32_t stale; /* enum stale_means */
};

/* What it counts as that nothing recent is there. */
enum stale_means { STALE_FAILURE, STALE_NOT_MADE };

#endif
