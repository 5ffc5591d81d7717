/* explain_parts.h - the parts of an explanation (explain.h), a file each. What is returned is the
 * caller's. */
#ifndef CTL_EXPLAIN_PARTS_H
#define CTL_EXPLAIN_PARTS_H

#include "ctl/explain.h"
#include "image/locations.h"
#include "serve/choose.h"

extern const char *const explain_policy_name[]; /* of enum policy */

json_t *explain_prefix(const struct ip_address *address, uint8_t len); /* as JSON text */

/* "FILE:LINE:COLUMN" */
json_t *explain_place(const struct image *plan, uint32_t file, uint32_t line, uint32_t column);

/* --- explain_location.c: where the client is, and who says so -------------------------------------- */

json_t *explain_location(const struct image *locations, const struct located *located,
			 const struct ip_address *address);

/* --- explain_pool.c: what holds for the client in one pool ----------------------------------------- */

/* Who holds it, what is fenced and avoided, and the sites in the order in which they are tried,
 * written into `told`. `from`: where the client is; NULL: nobody knows. */
void explain_pool(json_t *told, const struct borrowed *b, const struct choice_step *step,
		  const struct plan_record *record, const struct location *from);

const struct plan_site *explain_site_of(const struct borrowed *b, uint32_t pool_site);

/* --- explain_set.c: which nodes are answered ------------------------------------------------------- */

/* A node of a pool, with the name of its site; null where it is none. */
json_t *explain_node(const struct borrowed *b, uint32_t pool, uint32_t node);

/* All nodes of the answer in the order of preference: name, site, `role` ("first", "companion",
 * "spare" or "substitute") and the types for which they are answered. */
json_t *explain_set(const struct borrowed *b, const struct choice *choice,
		    const struct steering_record *record);

/* --- explain_steering.c ---------------------------------------------------------------------------- */

json_t *explain_steering(const struct borrowed *b, uint32_t record,
			 const struct client_network *client, uint64_t random,
			 const struct location *from);

#endif
