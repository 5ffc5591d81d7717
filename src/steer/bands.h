/* bands.h - how many of a preference's clients each band gets, and each site within its band, while
 * some sites spill over.
 *
 * A band keeps all of its clients as long as one of its sites keeps its own: that one has room
 * for what the others of the band give up. When all of them spill, the band keeps
 * sum(weight x keep) / sum(weight), and the rest goes on to the next band. What the last one
 * leaves is the backup's; without a backup the bands share it in proportion to what they kept.
 *
 * Within a band sites share by weight x keep: table_update with `level` of each site's nodes. */
#ifndef STEER_BANDS_H
#define STEER_BANDS_H

#include <stdbool.h>
#include <stdint.h>

#define BANDS_ALL 65535U /* all clients; also a keep and a level of all */

struct band_site {
	uint64_t weight; /* of its nodes that count, together */
	uint16_t keep;   /* which part of its clients it keeps */
	uint16_t level;  /* result: for the table of the band */
};

struct band {
	struct band_site *sites;
	uint32_t site_count;
	uint32_t part; /* result: of all clients, of BANDS_ALL */
};

/* Sites that count only; bands without any, or without weight, get nothing. Returns what is left
 * for the backup; parts and what is left are BANDS_ALL together, unless there is nobody. */
uint32_t bands_share(struct band *bands, uint32_t count, bool backup);

#endif
