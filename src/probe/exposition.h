/* exposition.h - reads what Prometheus exporters answer: the text format, version 0.0.4, and what
 * OpenMetrics adds to its lines (timestamps in seconds, exemplars).
 *
 * Lines are read as they come, and each sample is told at once; nothing is kept. A line that is no
 * comment and no sample ends the reading, as it does in Prometheus itself: who cannot read a line
 * does not know what the others are worth. The format:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Pure, single thread. */
#ifndef PROBE_EXPOSITION_H
#define PROBE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define EXPOSITION_LINE_MAX   16384 /* octets */
#define EXPOSITION_LABELS_MAX 64    /* of a sample */

struct exposition_label {
	const char *name, *value; /* NUL-terminated, without escapes */
};

struct exposition_sample {
	const char *name;
	const struct exposition_label *labels; /* as written, each name once */
	size_t label_count;
	double value; /* may be infinite, or no number */
};

/* What is pointed at holds until it returns. */
typedef void exposition_sample_fn(void *context, const struct exposition_sample *sample);

struct exposition {
	exposition_sample_fn *sample;
	void *context;
	struct buf line; /* that has not ended yet */
	uint32_t lines;  /* read so far */
};

void exposition_open(struct exposition *exposition, exposition_sample_fn *sample, void *context);
void exposition_close(struct exposition *exposition);

/* Some octets more. -1: a line is neither; what was told before it may be worth nothing. */
int exposition_feed(struct exposition *exposition, const void *octets, size_t len, struct err *err);

/* There are no more. -1: the last line has not ended. */
int exposition_end(const struct exposition *exposition, struct err *err);

/* A whole text as one number, as Go writes floats: "1.5e+09", "+Inf", "NaN", "0x1p-2". */
bool exposition_number(const char *text, double *out);

#endif
