/* zone_check.h - what makes a zone as a whole wrong, each with the place of the record concerned.
 *
 * Errors: no SOA or NS at the apex, an SOA elsewhere, CNAME beside other data, NS at a wildcard,
 * POOL beside addresses or CNAME, or at or below a delegation, or of an unknown pool or site.
 * Warnings: a name server in the zone without an address. */
#ifndef COMPILE_ZONE_CHECK_H
#define COMPILE_ZONE_CHECK_H

#include "compile/zone_draft.h"
#include "conf/config.h"

/* `path` is the zone's own file, for what has no place in it. Not complete: records could not be
 * read, so it is not asked what is missing. */
void zone_check(const struct zone_draft *draft, const char *path, bool complete);

/* Which pool, and which of its sites, a POOL record names. */
struct pool_choice {
	uint32_t pool, site; /* site: index in the pool's sites, PLAN_NONE: every site */
	bool pool_known;     /* where it does not resolve: only the site is unknown */
	const char *nearest; /* ... and what was perhaps meant, or NULL */
};

/* site NULL: every site. false: there is no such pool or site. */
bool zone_pool_resolve(const struct config *config, const char *pool, const char *site,
		       struct pool_choice *out);

/* Reports a POOL record that does not resolve. */
void zone_pool_report(const struct zone_draft *draft, const struct draft_pool *pool,
		      const struct pool_choice *choice);

#endif
