/* command_drill.h - the command line of `drill`. */
#ifndef CTL_COMMAND_DRILL_H
#define CTL_COMMAND_DRILL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "ctl/client.h"

#define DRILL_DEFAULT_MS 600000

/* "10m", "90s", "1h30m": as order_time reads it. false: it is none. */
bool drill_duration(const char *text, uint64_t *ms);

/* CAN: capacity holds, or no node of the pool reports its load, so that it cannot be asked for.
 * UNKNOWN: some nodes report, but not all those where clients come or go. */
enum drill_judgement { DRILL_CAN, DRILL_UNKNOWN, DRILL_CANNOT };

/* Would capacity hold, as `simulate --down` judges it, on control's answer to "world"? What there is
 * to say of it is told on `out`. -1: it cannot be worked out. */
int drill_judge(const char *object, const struct reply *world, FILE *out, struct err *err);

/* Control's answer to "drill", for people. */
void show_drill(const json_t *reply, FILE *out, bool colour);
/* One line of a drill that goes on; nothing where there is none. */
void show_drill_running(const json_t *drill, uint64_t now_ms, FILE *out);

#endif
