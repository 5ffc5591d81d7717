/* projection.h - where a place is on a flat map: Robinson's projection, which shows the whole world
 * without stretching the North beyond recognition. Pure. */
#ifndef CTL_PROJECTION_H
#define CTL_PROJECTION_H

struct map_point {
	double x, y;
};

/* x from -1 (180 degrees West) to 1; y in the same unit, growing southwards, 0 on the equator. */
struct map_point project(double longitude, double latitude);

#endif
