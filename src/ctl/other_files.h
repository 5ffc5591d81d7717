/* other_files.h - images of files that do not run: what signpost-compile makes of them. */
#ifndef CTL_OTHER_FILES_H
#define CTL_OTHER_FILES_H

#include "base/err.h"
#include "image/image.h"

/* `path` is a server file, or a folder with a signpost.yaml. Mistakes and warnings are told on
 * stderr. `cache`: where images of earlier compilations are, NULL: nowhere. The verified zones,
 * geo, plan and locations images are the caller's to close, also on failure. */
int other_files_compile(const char *path, const char *cache, struct image out[IMAGE_KINDS],
			struct err *err);

#endif
