/* scrape.h - what a scrape says of a node's use: the samples that are meant, combined, as a part of
 * a capacity. Counters are compared with the scrape before, each series by itself, as one may begin
 * anew while others go on.
 *
 * Pure, single thread. */
#ifndef PROBE_SCRAPE_H
#define PROBE_SCRAPE_H

#include "image/probe_prometheus.h"
#include "probe/exposition.h"

#define SCRAPE_SERIES_MAX 4096 /* of a counter */

struct scrape_series {
	uint64_t key; /* hash of its labels */
	double value;
};

/* The counters as they were last. Zero-initialise. */
struct scrape_memory {
	struct scrape_series *series;
	size_t count, cap;
	uint64_t at_us; /* 0: there was no scrape */
};

struct scrape_values {
	double sum, max, min;
	uint32_t count;
};

struct scrape {
	const struct prometheus_settings *settings;
	struct scrape_memory now; /* of a counter */
	struct scrape_values values, capacity;
	bool overflow; /* there were more series than that */
};

/* Of one scrape; the settings must outlive it. */
void scrape_open(struct scrape *scrape, const struct prometheus_settings *settings);
void scrape_close(struct scrape *scrape);
void scrape_forget(struct scrape_memory *memory);

exposition_sample_fn scrape_sample; /* its context is the scrape */

#define SCRAPE_WHY_SIZE 72

struct scrape_use {
	bool known;   /* false: a rate needs a second scrape */
	double use;   /* 0 or more */
	double value; /* of the samples, combined */
	double capacity;
};

/* All has been read, at this monotonic time. `memory` is that of the scrape before, and of this one
 * from here on. -1: nothing can be said of the node's use. */
int scrape_finish(struct scrape *scrape, struct scrape_memory *memory, uint64_t now_us,
		  struct scrape_use *out, struct err *err);

#endif
