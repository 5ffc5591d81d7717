/* country.h - the codes of countries and continents that exist. */
#ifndef CONF_COUNTRY_H
#define CONF_COUNTRY_H

#include <stdbool.h>

bool country_is_known(const char code[2]); /* ISO 3166-1 alpha-2, upper case */
/* The country whose alpha-3 code this is: DEU is DE. */
bool country_of_alpha3(const char alpha[3], char code[2]);
bool continent_is_known(const char code[2]); /* AF AN AS EU NA OC SA */

/* "GB" for "UK": the code for what is often written instead; NULL: no such habit. */
const char *country_meant(const char code[2]);

#endif
