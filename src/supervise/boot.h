/* boot.h - the boot record: what the server file says, learned without reading it.
 *
 * The supervisor may be root, so it parses nothing: it opens the server file and lets
 * signpost-compile, run as nobody, turn it into a fixed-layout record. */
#ifndef SUPERVISE_BOOT_H
#define SUPERVISE_BOOT_H

#include "base/err.h"
#include "image/boot.h"

/* `folder` as of program_folder_open; `config` is the server file's absolute path. Mistakes in the
 * file have been printed to stderr by signpost-compile when this returns BOOT_MISTAKES. */
enum boot_result { BOOT_OK, BOOT_MISTAKES, BOOT_FAILED };
enum boot_result boot_read(struct boot_record *out, int folder, const char *config,
			   struct err *err);

#endif
