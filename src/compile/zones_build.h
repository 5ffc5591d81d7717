/* zones_build.h - zone files in, one zones image out.
 *
 * Each zone file becomes a segment; a segment of the previous image whose sources did not change
 * is copied. Mistakes go to diag, all of them; there is an image only when there were none. */
#ifndef COMPILE_ZONES_BUILD_H
#define COMPILE_ZONES_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "conf/config.h"
#include "conf/diag.h"
#include "image/image.h"
#include "image/plan.h"

/* One POOL record; its number is its index, as in the zones image. */
struct zones_binding {
	const uint8_t *owner; /* lower-case wire form */
	uint32_t owner_len;
	uint32_t ttl_s;
	uint32_t pool;                     /* number of the pool in config */
	uint32_t site;                     /* index in the pool's sites, PLAN_NONE: every site */
	uint8_t types;                     /* bits of enum pool_type */
	uint8_t target_skip, target_types; /* as in struct plan_record */
	uint32_t target_ttl_s;
};

struct zones_built {
	int fd; /* the image: the caller's; -1: none */
	struct zones_binding *bindings;
	size_t binding_count;
	uint32_t zone_count, record_count, reused_count;
	uint32_t kept_warnings; /* of zones that were copied: not reported again */
};

/* `previous` (verified; may be NULL) is the zones image of the last good world; zones that do not
 * follow it, by their serials, are warned of. 0, also when
 * there are mistakes: ask diag_errors. -1: it failed for a reason of its own. *out is always to
 * be freed. */
int zones_build(const struct config *config, const struct image *previous, struct zones_built *out,
		struct diag *diag, struct err *err);
/* The same by so many threads, from which nothing depends but the time that it takes. */
int zones_build_by(unsigned threads, const struct config *config, const struct image *previous,
		   struct zones_built *out, struct diag *diag, struct err *err);
void zones_built_free(struct zones_built *built); /* closes fd if it is still there */

#endif
