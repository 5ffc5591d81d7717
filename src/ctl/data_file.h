/* data_file.h - where the tables of countries and of their outlines are.
 *
 * They come with Signpost beside its country database, so they are looked for beside the databases
 * that are in use, in the folder geoip beside the server file, where they were installed, and in
 * the folder geoip beside that of the program (a build that is not installed). */
#ifndef CTL_DATA_FILE_H
#define CTL_DATA_FILE_H

#include <stdio.h>

#include "image/image.h"

/* Opens a table for reading. NULL: it is in none of these places. `locations` without base: no
 * database is in use. */
FILE *data_file_open(const char *name, const struct image *plan, const struct image *locations);

#endif
