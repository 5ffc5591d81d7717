/* probe_exec.h - settings of probes of kind exec: commands that are plugins as Nagios has them. */
#ifndef IMAGE_PROBE_EXEC_H
#define IMAGE_PROBE_EXEC_H

#include "image/probe_settings.h"

struct exec_settings {
	struct probe_text words; /* of the command, with a NUL between them */
	struct probe_text load;  /* label of the performance value that is its load */
	double capacity;         /* what value is a full load; 0: what the plugin says */
	uint32_t unknown;        /* enum exec_unknown */
	uint32_t reserved;
};

/* What an exit status other than 0, 1 and 2 counts as. */
enum exec_unknown { EXEC_NOT_MADE, EXEC_FAILURE };

#endif
