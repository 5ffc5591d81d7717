/* program.h - where the other programs of this installation are.
 *
 * Beside the one that runs (a build that is not installed, or another libexec program), else in
 * the folder that it was configured for. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <stddef.h>

#include "base/err.h"

/* Writes the path of an executable file. */
int program_find(const char *name, char *path, size_t size, struct err *err);

#endif
