/* condition_text.h - how a node is, as control tells it, in words for people. Pure. */
#ifndef CTL_CONDITION_TEXT_H
#define CTL_CONDITION_TEXT_H

#include <jansson.h>

#define CONDITION_TEXT_SIZE 96

/* "up", "up*", "ramping 45%, draining", "degraded, no IPv6", "down, held in", "up, in doubt". */
const char *condition_text(const json_t *node, char text[CONDITION_TEXT_SIZE]);

/* How much of its weight a node has that is on its way back, in percent, rounded as weights are; less
 * than all, for it would not be on its way then. */
unsigned condition_ramp_percent(const json_t *node);

/* "IPv6", "IPv4": of which family its addresses are not answered, for their path is down. NULL: of
 * none. */
const char *condition_down_family(const json_t *node);

#endif
