/* outlines.h - the outlines of countries, geoip/outlines.tsv. */
#ifndef CTL_OUTLINES_H
#define CTL_OUTLINES_H

#include <stddef.h>
#include <stdio.h>

struct outline_point {
	float longitude, latitude; /* degrees */
};

struct outline {
	char code[3];
	struct outline_point *points; /* a ring; the last one is not the first again */
	size_t count, cap;
	double area; /* in square degrees */
};

struct outlines {
	struct outline *rings; /* the largest first, so that what lies in another comes after it */
	size_t count, cap;
};

void outlines_read(struct outlines *out, FILE *file);
void outlines_free(struct outlines *outlines);

#endif
