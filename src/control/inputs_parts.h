/* inputs_parts.h - what inputs.c and its parts share. */
#ifndef CONTROL_INPUTS_PARTS_H
#define CONTROL_INPUTS_PARTS_H

#include "base/mem.h"
#include "control/inputs.h"

/* --- inputs_load.c ------------------------------------------------------------------------------ */

uint64_t inputs_load_age_ms(const struct node_load *load, uint64_t now_unix_ms);

/* Signals and levels of the nodes that were there before. */
void inputs_load_carry(struct inputs *inputs, const struct inputs *before);

/* The levels that hold now. */
void inputs_load_update(struct inputs *inputs, uint64_t now_unix_ms, uint64_t now_mono_ms);

#endif
