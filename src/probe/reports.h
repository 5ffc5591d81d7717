/* reports.h - what operators and tools say of nodes (signpostctl report NODE up), for probes of kind
 * push. Kept by names, so that reloads lose nothing; they end with the process. One thread. */
#ifndef PROBE_REPORTS_H
#define PROBE_REPORTS_H

#include <stdint.h>
#include <sys/queue.h>

#include "probe/kind.h"

struct report {
	enum probe_outcome outcome; /* SUCCESS, WARNING or FAILURE */
	uint64_t at_ms;             /* monotonic; 0: there was none yet */
	uint64_t for_ms;            /* how long it counts; 0: as the pool says */
	char reason[PROBE_WHY_SIZE];
};

/* A probe that is made at once when a report comes. */
struct report_reader {
	LIST_ENTRY(report_reader) link;
	struct probe *probe;
};

struct report_of; /* of one node */

struct reports;

struct reports *reports_new(void);
void reports_free(struct reports *reports); /* after its readers have left. NULL is fine */

/* That of a node, which need not be there. Valid as long as the reports. */
struct report_of *reports_of(struct reports *reports, const char *pool, const char *node);

const struct report *report_last(const struct report_of *of);

/* Replaces what was said before, and has the readers look. Returns how many there are. */
unsigned report_take(struct report_of *of, const struct report *report);

void report_join(struct report_of *of, struct report_reader *reader);
void report_leave(struct report_reader *reader);

#endif
