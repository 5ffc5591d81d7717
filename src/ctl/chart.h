/* chart.h - charts of characters: bars over time, a line of states, an axis of times.
 *
 * Pure: everything is handed in, and text comes out. A chart is as wide as `columns` and what stands
 * left of it, CHART_MARGIN. */
#ifndef CTL_CHART_H
#define CTL_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CHART_MARGIN 11

struct chart_style {
	bool blocks; /* Unicode's, else ASCII alone */
	bool colour;
};

/* One column. Negative: there is nothing to show. */
struct chart_bar {
	double value,
		peak; /* the peak is drawn lighter, above the value; an arrow: beyond the top */
};

struct chart {
	const struct chart_bar *bars;
	size_t columns;
	unsigned rows;
	double top;       /* of the scale, chart_scale */
	const char *unit; /* behind the numbers of the scale: " ms", " %" */
	bool bad;         /* bars tell of something bad */
};

/* The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below the value. */
double chart_scale(double value);

void chart_draw(const struct chart *chart, const struct chart_style *style, FILE *out);

/* A state for each column: '=' up, 'x' down, '?' unknown, ' ' nothing to show. */
void chart_states(const char *states, const struct chart_style *style, FILE *out);

/* The line below the charts with its marks, and the line of times below that; UTC. */
void chart_times(uint64_t from_ms, uint64_t until_ms, size_t columns,
		 const struct chart_style *style, FILE *out);

#endif
