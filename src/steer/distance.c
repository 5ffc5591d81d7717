#include <math.h>

#include "steer/steer.h"

#define EARTH_RADIUS_KM 6371.0088 /* mean radius R1 (IUGG; Moritz 2000) */

static double radians(double degrees)
{
	return degrees * (M_PI / 180.0);
}

/* The haversine formula, which unlike the law of cosines keeps its precision for near points
 * (Sinnott, "Virtues of the haversine", 1984). */
double steer_distance_km(double latitude_1, double longitude_1, double latitude_2,
			 double longitude_2)
{
	double phi_1 = radians(latitude_1), phi_2 = radians(latitude_2);
	double dy = sin((phi_2 - phi_1) / 2);
	double dx = sin(radians(longitude_2 - longitude_1) / 2);
	double h = dy * dy + cos(phi_1) * cos(phi_2) * dx * dx;

	return 2 * EARTH_RADIUS_KM * asin(sqrt(fmin(h, 1.0)));
}
