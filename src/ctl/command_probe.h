/* command_probe.h - probes made once: what is shown of them. */
#ifndef CTL_COMMAND_PROBE_H
#define CTL_COMMAND_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Control's answer: each step of each probe, then how the node stands. */
void show_probes(const json_t *reply, FILE *out);

/* Did all of them succeed, warnings among them? */
bool probes_succeeded(const json_t *reply);

#endif
