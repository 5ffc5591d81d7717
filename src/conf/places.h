/* places.h - where sites are, by name: a country, an IATA code of a city or an airport, a UN/LOCODE.
 * Coordinates are in two tables of the operator's, code, latitude, longitude and name with tabs
 * between, which are read where a site needs them. */
#ifndef CONF_PLACES_H
#define CONF_PLACES_H

#include "conf/config.h"
#include "conf/option.h"

/* The sites of the server file whose location is a name get their coordinates. Names that are not
 * known, or not clear, are reported. */
void places_find(struct conf *conf, const struct yaml_node *root);

#define LOCATION_FORMS                                                                            \
	"[latitude, longitude] in degrees, or a country (JP), an IATA code (FRA) or a UN/LOCODE " \
	"(DE FRA)"
#define COUNTRIES_FILE "geoip/countries.tsv" /* where the server file names none */
#define PLACES_FILE    "places.tsv"          /* beside the countries table */

#endif
