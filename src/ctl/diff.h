/* diff.h - what other files would change: in answers, and in what leads to answers.
 *
 * Worked out on the images that control lends and those that signpost-compile makes of the files,
 * with the nodes as they are; nothing that runs is touched. */
#ifndef CTL_DIFF_H
#define CTL_DIFF_H

#include <jansson.h>
#include <stdio.h>

#include "ctl/explain.h"

#define DIFF_LISTED 100 /* of each list, unless all are asked for */

/* `other`: verified images by kind. {"ok": true, "changed": false | true, "zones": [...],
 * "steered": [...], "objects": [...], "steered_left_off": n, "objects_left_off": n} The caller's; NULL: err says why not. */
json_t *diff_files(const struct borrowed *borrowed, const struct image other[IMAGE_KINDS], bool all,
		   struct err *err);

void show_diff(const json_t *told, FILE *out);

#endif
