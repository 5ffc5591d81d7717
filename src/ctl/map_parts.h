/* map_parts.h - what map.c is made of. */
#ifndef CTL_MAP_PARTS_H
#define CTL_MAP_PARTS_H

#include <stdint.h>

#include "ctl/map.h"

/* The page, in its own units (pixels, where nobody scales it). */
#define MARGIN          20.
#define MAP_WIDTH       940.
#define NORTH           84.
#define SOUTH           -58.
#define LEGEND_X        (MARGIN + MAP_WIDTH + 20)
#define LEGEND_W        285.
#define PAGE_WIDTH      (LEGEND_X + LEGEND_W + MARGIN)
#define TITLE_H         56.
#define CAPTION_H       24.
#define FOOTER_H        26.
#define LINE_H          20.
#define SMALL_COUNTRY_R 3.
#define SITE_R          5.
#define LETTER_W        6.4 /* of a label's letters, on the average */
#define LABEL_H         13.

void map_put_text(FILE *out, const char *text); /* as XML has it */

/* A site of the pool by its name, one of a pool that stands in for it as "pool/site"; "": no node. The
 * text is valid until the next call. */
const char *map_site_name(const json_t *pool, const json_t *site);

/* Of the number-th site of a list. */
uint32_t map_site_colour(const json_t *sites, size_t number);
uint32_t map_shade(uint32_t colour, double strength); /* mixed with white; 1 is the colour itself */
double map_strength(double share);                    /* of the colour for a share of clients */

/* The share of a site, or of a country's site, `when`: "before" or "after". */
double map_share_of(const json_t *object, const char *when, const char *measure);

/* --- map_legend.c ---------------------------------------------------------------------------------- */

/* How many sites it names: all of them, or the largest. */
size_t map_legend_rows(const json_t *pool);
void map_put_legend(const json_t *told, const json_t *pool, double top, FILE *out);

#endif
