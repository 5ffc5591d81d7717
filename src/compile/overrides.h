/* overrides.h - files of networks and where they are, as the operator knows it.
 *
 *   # our offices, and a block that the vendor has in the wrong country
 *   192.0.2.0/24      country=DE city="Frankfurt am Main" latitude=50.11 longitude=8.68
 *   2001:db8:40::/48  site=tokyo
 *   198.51.100.0/24   asn=64500
 *
 * The longest network around an address holds. A row that names a country or coordinates replaces
 * all of place, and a country without coordinates gets those of the countries table; what a row
 * does not name otherwise stays as the databases have it. */
#ifndef COMPILE_OVERRIDES_H
#define COMPILE_OVERRIDES_H

#include "compile/breaks.h"
#include "compile/countries.h"
#include "compile/network_sweep.h"
#include "compile/numbering.h"
#include "conf/config.h"
#include "image/locations.h"

/* What both files share. Offsets of their texts begin with 0, which is "". */
struct override_context {
	const struct config *config;
	struct countries *countries;
	struct diag *diag;
	struct numbering texts;
	struct numbering site_names;
	const char *continents[COUNTRY_CODES];
};

void override_context_init(struct override_context *context, const struct config *config,
			   struct countries *countries, struct diag *diag);
void override_context_free(struct override_context *context);

struct overrides {
	struct override_context *context;
	const char *path; /* NULL: there is no such file */
	char *text;       /* all of it, and room for one octet more; NULL: not read, or parsed */
	size_t size;
	struct location_row *rows;
	uint32_t row_count, row_cap;
	struct numbering locations; /* struct location */
	struct network_list networks;
	struct breaks breaks[2]; /* IPv4, IPv6 -> row + 1 */
	uint32_t twice;          /* networks that stand there again and say something else */
};

/* The steps: the file into memory; its lines (of a long file by two threads); what lies over what,
 * which needs nothing of the context but its diag. Mistakes go there with their line and column.
 * Free it in any case. */
void overrides_open(struct overrides *out, struct override_context *context, const char *path);
void overrides_parse(struct overrides *overrides);
void overrides_sweep(struct overrides *overrides);
void overrides_free(struct overrides *overrides);

/* Appends all of it to a locations image; offsets of texts grow by `texts_at`. */
void overrides_write(struct overrides *overrides, struct image_writer *writer, uint32_t texts_at,
		     struct location_rows *out);

#endif
