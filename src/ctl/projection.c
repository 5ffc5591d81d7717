#include "ctl/projection.h"

#include <math.h>

/* Robinson, "A new map projection: its development and characteristics" (1974): the length of
 * each fifth parallel and its distance from the equator, both as parts of the largest. */
static const struct {
	double length, distance;
} parallels[] = { { 1.0000, 0.0000 }, { 0.9986, 0.0620 }, { 0.9954, 0.1240 }, { 0.9900, 0.1860 },
		  { 0.9822, 0.2480 }, { 0.9730, 0.3100 }, { 0.9600, 0.3720 }, { 0.9427, 0.4340 },
		  { 0.9216, 0.4958 }, { 0.8962, 0.5571 }, { 0.8679, 0.6176 }, { 0.8350, 0.6769 },
		  { 0.7986, 0.7346 }, { 0.7597, 0.7903 }, { 0.7186, 0.8435 }, { 0.6732, 0.8936 },
		  { 0.6213, 0.9394 }, { 0.5722, 0.9761 }, { 0.5322, 1.0000 } };
#define STEP_DEGREES  5.
#define LAST_PARALLEL (sizeof(parallels) / sizeof(parallels[0]) - 1)
#define HEIGHT        0.5072 /* of the whole map, where its width is 1 */

struct map_point project(double longitude, double latitude)
{
	double at = fmin(fabs(latitude) / STEP_DEGREES, (double)LAST_PARALLEL);
	unsigned below = at >= (double)LAST_PARALLEL ? LAST_PARALLEL - 1 : (unsigned)at;
	double part = at - below;
	double length = parallels[below].length +
			part * (parallels[below + 1].length - parallels[below].length);
	double distance = parallels[below].distance +
			  part * (parallels[below + 1].distance - parallels[below].distance);

	return (struct map_point){ length * longitude / 180,
				   latitude > 0 ? -distance * HEIGHT : distance * HEIGHT };
}
