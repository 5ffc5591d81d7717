#include "probe/window.h"

#include <stdlib.h>

#include "base/mem.h"

void window_open(struct window *window, uint32_t size)
{
	*window = (struct window){ .rtt_us = mem_array(size, sizeof(*window->rtt_us)),
				   .size = size };
}

void window_close(struct window *window)
{
	free(window->rtt_us);
	*window = (struct window){ 0 };
}

void window_add(struct window *window, uint32_t rtt_us)
{
	window->rtt_us[window->next] = rtt_us;
	window->next = (window->next + 1) % window->size;
	if (window->count < window->size)
		window->count++;
}

static int by_time(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The smallest result that at least this part of all results do not exceed. */
static uint32_t percentile(const uint32_t *sorted, uint32_t count, uint32_t percent)
{
	return sorted[(count * percent + 99) / 100 - 1];
}

void window_measure(const struct window *window, struct window_measures *out)
{
	uint32_t answered[WINDOW_MAX];
	uint32_t count = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < window->count; i++) {
		if (window->rtt_us[i] == WINDOW_LOST)
			continue;
		answered[count++] = window->rtt_us[i];
		sum += window->rtt_us[i];
	}
	*out = (struct window_measures){ .count = window->count, .lost = window->count - count };
	if (count == 0)
		return;
	qsort(answered, count, sizeof(*answered), by_time);
	out->min_us = answered[0];
	out->max_us = answered[count - 1];
	out->mean_us = (uint32_t)(sum / count);
	out->p50_us = percentile(answered, count, 50);
	out->p95_us = percentile(answered, count, 95);
}
