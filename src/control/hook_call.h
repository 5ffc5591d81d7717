/* hook_call.h - what a hook is told: as environment variables, and as JSON. Pure. */
#ifndef CONTROL_HOOK_CALL_H
#define CONTROL_HOOK_CALL_H

#include <jansson.h>
#include <stdint.h>

#include "image/run_messages.h"

/* Owns its texts; zero-initialise. */
struct hook_facts {
	char *event, *pool, *node, *site, *addresses, *from, *to, *reason;
	uint64_t at_unix_ms;
	uint32_t left_out; /* calls; of a summary */
};

void hook_facts_free(struct hook_facts *facts);

struct hook_variables {
	char *text[RUN_VARIABLES_MAX];
	const char *list[RUN_VARIABLES_MAX + 1];
};

/* "SIGNPOST_NODE=fra-1" and the like; hook_variables_free when done. */
void hook_variables_make(const struct hook_facts *facts, struct hook_variables *out);
void hook_variables_free(struct hook_variables *variables);

/* One line of JSON, the caller's to free. */
char *hook_json(const struct hook_facts *facts);

#endif
