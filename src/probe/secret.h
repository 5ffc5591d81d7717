/* secret.h - reads a file with a secret, for a kind's prepare(): the path is in the settings, where
 * conf/secret_file.h put it. Whoever reads one wipes it when done. */
#ifndef PROBE_SECRET_H
#define PROBE_SECRET_H

#include <stddef.h>

#include "base/err.h"

#define SECRET_SIZE_MAX 65536

/* The contents, with a NUL behind them (which *len does not count): they have to be shorter than
 * `size`. -1: the file cannot be read, is empty or too long; the buffer is wiped then. */
int secret_read(const char *path, char *text, size_t size, size_t *len, struct err *err);

/* Compilers do not leave this away, as they may memset. */
void secret_wipe(void *bytes, size_t size);

#endif
