/* order.h - a pool as some clients see it: the sites that are allowed to them, best first, in bands
 * of equally preferred ones, and the nodes that they avoid.
 *
 * The sites that the geo image names stand first; then all others of the pool: in policy nearest by
 * distance from the first named one, each a band of its own; in failover by priority, equal ones
 * in one band; else in one band. A fenced site is not there at all. */
#ifndef STEER_ORDER_H
#define STEER_ORDER_H

#include "steer/pool.h"

struct order {
	struct pool *pool;
	const struct geo_pref *pref; /* NULL: one site alone, without restrictions */
	uint32_t *sites, *bands;     /* as far as they are known; bands never fall */
	uint32_t count, band_count;
	bool *placed;  /* [site]: it stands in sites, or is fenced off */
	bool *avoided; /* [node]; where any_avoided */
	bool *touched; /* [site]: one of its nodes is avoided */
	bool any_avoided;
	bool any_fenced;
	uint32_t named; /* sites of the preference that were looked at */
	uint32_t tail;  /* the same of the ranking behind them */
	bool complete;
};

/* The pool must outlive the order, which is used for one preference after the other. */
void order_open(struct order *order, struct pool *pool);
void order_close(struct order *order);

/* Begins with a preference (after pool_take). */
void order_begin(struct order *order, uint32_t pref);
/* Of its sites this one alone. pref POOL_NONE: for whoever asks. */
void order_begin_site(struct order *order, uint32_t pref, uint32_t site);

/* The n-th band: *first and *count are places in order->sites. false: there is none. */
bool order_band(struct order *order, uint32_t n, uint32_t *first, uint32_t *count);

/* One more band, behind those that are known. false: there are no more. */
bool order_more(struct order *order);

/* Makes it complete. */
void order_finish(struct order *order);

/* The site that is nearest to the clients; where their place is not known, their first one.
 * POOL_NONE: no site is allowed. */
uint32_t order_nearest(struct order *order);

/* Policy round-robin: do all nodes with a weight count alike? */
bool order_is_equal(const struct order *order);

#endif
