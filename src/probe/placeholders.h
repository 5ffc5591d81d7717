/* placeholders.h - "{address}", "{port}", "{node}" and "{pool}" in what operators write. */
#ifndef PROBE_PLACEHOLDERS_H
#define PROBE_PLACEHOLDERS_H

#include "base/mem.h"
#include "probe/kind.h"

/* Appends the text with what they stand for of this probe; other braces stay as they are. No NUL is
 * added. */
void placeholders_fill(const char *text, const struct probe *probe, struct buf *out);

#endif
