#include "probe/scrape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define US_PER_S 1000000.0

void scrape_open(struct scrape *scrape, const struct prometheus_settings *settings)
{
	*scrape = (struct scrape){ .settings = settings };
}

void scrape_forget(struct scrape_memory *memory)
{
	free(memory->series);
	*memory = (struct scrape_memory){ 0 };
}

void scrape_close(struct scrape *scrape)
{
	scrape_forget(&scrape->now);
}

/* --- which samples are meant ------------------------------------------------------------------ */

/* A label that is not there is one that is empty. */
static const char *label_of(const struct exposition_sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->label_count; i++) {
		if (strcmp(sample->labels[i].name, name) == 0)
			return sample->labels[i].value;
	}
	return "";
}

/* Is one of the values that are asked for under this name the sample's? */
static bool has_one_of(const char *labels, const char *end, const char *name, const char *value)
{
	while (labels < end) {
		const char *wanted = labels + strlen(labels) + 1;

		if (strcmp(labels, name) == 0 && strcmp(wanted, value) == 0)
			return true;
		labels = wanted + strlen(wanted) + 1;
	}
	return false;
}

static bool matches(const struct exposition_sample *sample, const void *settings,
		    struct probe_text metric, struct probe_text labels)
{
	const char *at = probe_text(settings, labels), *first = at;
	const char *end = at + labels.len;

	if (metric.len == 0 || strcmp(sample->name, probe_text(settings, metric)) != 0)
		return false;
	while (at < end) {
		if (!has_one_of(first, end, at, label_of(sample, at)))
			return false;
		at += strlen(at) + 1;
		at += strlen(at) + 1;
	}
	return true;
}

/* --- what they say ---------------------------------------------------------------------------- */

static void add(struct scrape_values *values, double value)
{
	values->sum += value;
	values->max = values->count == 0 ? value : fmax(values->max, value);
	values->min = values->count == 0 ? value : fmin(values->min, value);
	values->count++;
}

static uint64_t key_of(const struct exposition_sample *sample)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sample->label_count; i++) {
		key = hash_text(sample->labels[i].name, key);
		key = hash_text(sample->labels[i].value, key);
	}
	return key;
}

void scrape_sample(void *context, const struct exposition_sample *sample)
{
	struct scrape *scrape = context;
	const struct prometheus_settings *s = scrape->settings;

	if (isnan(sample->value))
		return; /* so exporters say that there is no value */
	if (matches(sample, s, s->capacity_metric, s->capacity_labels))
		add(&scrape->capacity, sample->value);
	if (!matches(sample, s, s->metric, s->labels))
		return;
	if (s->rate == 0)
		add(&scrape->values, sample->value);
	else if (scrape->now.count == SCRAPE_SERIES_MAX)
		scrape->overflow = true;
	else
		array_add(scrape->now.series, scrape->now.count, scrape->now.cap) =
			(struct scrape_series){ key_of(sample), sample->value };
}

/* Exporters keep their order: mostly it is where it was. */
static const struct scrape_series *find_series(const struct scrape_memory *memory, uint64_t key,
					       size_t hint)
{
	for (size_t i = 0; i < memory->count; i++) {
		const struct scrape_series *series = &memory->series[(hint + i) % memory->count];

		if (series->key == key)
			return series;
	}
	return NULL;
}

/* A counter that is less than it was began anew at 0. */
static void compare(struct scrape *scrape, const struct scrape_memory *before)
{
	double seconds = (double)(scrape->now.at_us - before->at_us) / US_PER_S;

	for (size_t i = 0; i < scrape->now.count; i++) {
		const struct scrape_series *now = &scrape->now.series[i];
		const struct scrape_series *then = find_series(before, now->key, i);

		if (then != NULL)
			add(&scrape->values,
			    (now->value >= then->value ? now->value - then->value : now->value) /
				    seconds);
	}
}

static double combined(const struct scrape_values *values, uint8_t combine)
{
	switch ((enum prometheus_combine)combine) {
	case COMBINE_MAX: return values->max;
	case COMBINE_MIN: return values->min;
	case COMBINE_AVG: return values->sum / values->count;
	case COMBINE_COUNT: return values->count;
	default: return values->sum;
	}
}

static int find_capacity(const struct scrape *scrape, double *out, struct err *err)
{
	const struct prometheus_settings *s = scrape->settings;

	*out = s->capacity;
	if (s->capacity_metric.len == 0)
		return 0;
	if (scrape->capacity.count == 0)
		return err_set(err, "no value of %.40s", probe_text(s, s->capacity_metric));
	*out = combined(&scrape->capacity, s->capacity_combine);
	if (!(*out > 0) || isinf(*out))
		return err_set(err, "the capacity is %g: %.30s", *out,
			       probe_text(s, s->capacity_metric));
	return 0;
}

static int relate(const struct scrape *scrape, struct scrape_use *out, struct err *err)
{
	const struct prometheus_settings *s = scrape->settings;

	if (find_capacity(scrape, &out->capacity, err) != 0)
		return -1;
	out->value = combined(&scrape->values, s->combine);
	out->use = out->value / out->capacity;
	if (s->inverse != 0 && isfinite(out->use)) /* else it would be no load at all */
		out->use = fmax(0,
				1 - out->use); /* rates are a little over what there is at times */
	if (!(out->use >= 0) || isinf(out->use))
		return err_set(err, "the use is %g, which is none: %.30s", out->use,
			       probe_text(s, s->metric));
	out->known = true;
	return 0;
}

int scrape_finish(struct scrape *scrape, struct scrape_memory *memory, uint64_t now_us,
		  struct scrape_use *out, struct err *err)
{
	const struct prometheus_settings *s = scrape->settings;
	struct scrape_memory before = *memory;
	bool none = s->rate != 0 ? scrape->now.count == 0 : scrape->values.count == 0;
	int rc = 0;

	*out = (struct scrape_use){ 0 };
	if (scrape->overflow)
		return err_set(err, "more than %d series: %.40s", SCRAPE_SERIES_MAX,
			       probe_text(s, s->metric));
	if (none)
		return err_set(err, "no value of %.40s", probe_text(s, s->metric));
	scrape->now.at_us = now_us;
	if (s->rate != 0) {
		if (before.at_us != 0 && now_us > before.at_us)
			compare(scrape, &before);
		*memory = scrape->now;
		scrape->now = before;
	}
	if (scrape->values.count > 0)
		rc = relate(scrape, out, err);
	return rc;
}
