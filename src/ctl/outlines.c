#include "ctl/outlines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static double area(const struct outline *ring)
{
	double sum = 0;

	for (size_t i = 0; i < ring->count; i++) {
		const struct outline_point *a = &ring->points[i];
		const struct outline_point *b = &ring->points[(i + 1) % ring->count];

		sum += (double)a->longitude * (double)b->latitude -
		       (double)b->longitude * (double)a->latitude;
	}
	return fabs(sum) / 2;
}

static void read_ring(struct outline *ring, const char *text)
{
	struct outline_point point;
	int len = 0;

	while (sscanf(text, " %f,%f%n", &point.longitude, &point.latitude, &len) == 2) {
		array_add(ring->points, ring->count, ring->cap) = point;
		text += len;
	}
	ring->area = area(ring);
}

static int larger_first(const void *a, const void *b)
{
	const struct outline *x = a, *y = b;

	return x->area < y->area ? 1 : x->area > y->area ? -1 : 0;
}

void outlines_read(struct outlines *out, FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0) {
		struct outline ring = { .code = "" };
		int ring_at = 0;

		if (sscanf(line, "%2[A-Z]\t%n", ring.code, &ring_at) != 1 || ring_at == 0)
			continue;
		read_ring(&ring, line + ring_at);
		array_add(out->rings, out->count, out->cap) = ring;
	}
	free(line);
	if (out->count > 0)
		qsort(out->rings, out->count, sizeof(*out->rings), larger_first);
}

void outlines_free(struct outlines *outlines)
{
	for (size_t i = 0; i < outlines->count; i++)
		free(outlines->rings[i].points);
	free(outlines->rings);
}
