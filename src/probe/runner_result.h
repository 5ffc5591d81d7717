/* runner_result.h - what signpost-run says, read from its message. Pure. */
#ifndef PROBE_RUNNER_RESULT_H
#define PROBE_RUNNER_RESULT_H

#include <stddef.h>

#include "base/err.h"
#include "image/run_messages.h"

struct runner_result {
	struct run_result head; /* its end is one that may be sent */
	char output[RUN_OUTPUT_MAX + 1], errors[RUN_ERRORS_MAX + 1]; /* a NUL is behind each */
};

/* -1: it is malformed, and whoever sent it is not to be trusted any more. */
int runner_result_read(const void *message, size_t size, struct runner_result *out,
		       struct err *err);

#endif
