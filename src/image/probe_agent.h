/* probe_agent.h - settings of probes of kind agent: HAProxy's agent-check, asked by us. */
#ifndef IMAGE_PROBE_AGENT_H
#define IMAGE_PROBE_AGENT_H

#include "image/probe_settings.h"

struct agent_settings {
	struct probe_text send; /* before the answer is read; may hold placeholders */
	uint32_t max_age_ms;    /* how long what was said holds while nothing is answered */
	uint32_t unreachable;   /* enum agent_unreachable */
};

enum agent_unreachable { AGENT_KEEP, AGENT_FAILURE };

#endif
