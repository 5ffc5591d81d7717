/* report.h - how a reload ended, as JSON for who asked and as lines for the log. Pure but for the
 * lines. */
#ifndef CONTROL_REPORT_H
#define CONTROL_REPORT_H

#include <jansson.h>

#include "control/compiler.h"
#include "control/images.h"

struct reload_times {
	uint64_t verify_us, steer_us, publish_us, total_us;
};

/* {"zones": {"id": "0123456789abcdef", "bytes": n, "made_ms": n}, ...} */
json_t *report_images(const struct images *images);

json_t *report_success(const struct compilation *compiled, const struct images *images,
		       json_t *changes, const struct reload_times *times);
json_t *report_failure(const char *error, const char *messages);

/* A JSON string. File names and texts that are quoted may hold any octets, and JSON wants UTF-8:
 * what is not is told with "?" for each octet beyond ASCII. */
json_t *report_text(const char *text);

/* Writes it to the log, a line for each line of the messages. */
void report_log(const json_t *report);

#endif
