#include "ctl/measured.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/field.h"

#define MS_PER_MINUTE ((uint64_t)60000)

void measured_free(struct measured *measured)
{
	free(measured->minutes);
	free(measured->turns);
}

char measured_state(const char *name)
{
	if (strcmp(name, "up") == 0)
		return '=';
	if (strcmp(name, "down") == 0)
		return 'x';
	return strcmp(name, "unknown") == 0 ? '?' : ' ';
}

/* --- what control answers ------------------------------------------------------------------------ */

static json_int_t item(const json_t *row, size_t at)
{
	return json_integer_value(json_array_get(row, at));
}

int measured_add_minutes(struct measured *measured, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "minutes"), *row;
	size_t i;

	if (!json_is_array(rows))
		return -1;
	json_array_foreach(rows, i, row)
	{
		const json_t *load = json_array_get(row, 5);

		array_add(measured->minutes, measured->count,
			  measured->cap) = (struct measured_minute){
			(uint64_t)item(row, 0),
			(uint32_t)item(row, 1),
			(uint32_t)item(row, 2),
			(uint32_t)item(row, 3),
			(uint32_t)item(row, 4),
			json_is_integer(load) ? (int32_t)json_integer_value(load) : -1,
		};
	}
	return 0;
}

void measured_add_turns(struct measured *measured, const json_t *answer)
{
	const json_t *event;
	size_t i;

	json_array_foreach(json_object_get(answer, "events"), i, event)
	{
		if (strcmp(field_text(event, "kind"), "transition") != 0)
			continue;
		array_add(measured->turns, measured->turn_count, measured->turn_cap) =
			(struct measured_turn){ field_count(event, "at_ms"),
						measured_state(field_text(event, "to")) };
	}
}

/* --- columns ------------------------------------------------------------------------------------- */

/* The minutes of one column: from `first` up to `end`, not itself. Where columns are narrower than
 * minutes, several show the same one. */
struct slice {
	const struct measured_minute *first, *end;
};

static struct slice slice_of(const struct measured *measured, size_t column, size_t columns,
			     size_t *at)
{
	uint64_t span = measured->until_ms - measured->from_ms;
	uint64_t from = (measured->from_ms + span * column / columns) / MS_PER_MINUTE;
	uint64_t until = (measured->from_ms + span * (column + 1) / columns) / MS_PER_MINUTE;
	struct slice slice;

	if (until <= from)
		until = from + 1;
	while (*at > 0 && measured->minutes[*at - 1].minute >= from)
		(*at)--;
	while (*at < measured->count && measured->minutes[*at].minute < from)
		(*at)++;
	slice.first = slice.end = measured->minutes + *at;
	while (slice.end < measured->minutes + measured->count && slice.end->minute < until)
		slice.end++;
	return slice;
}

/* The mean of a column's minutes, and the largest of them. */
static struct chart_bar bar_of(struct slice slice, double (*value)(const struct measured_minute *))
{
	struct chart_bar bar = { -1, -1 };
	double sum = 0;
	size_t count = 0;

	for (const struct measured_minute *m = slice.first; m < slice.end; m++) {
		double v = value(m);

		if (v < 0)
			continue;
		sum += v;
		count++;
		bar.peak = v > bar.peak ? v : bar.peak;
	}
	bar.value = count > 0 ? sum / (double)count : -1;
	return bar;
}

static void fold(const struct measured *measured, struct chart_bar *bars, size_t columns,
		 double (*value)(const struct measured_minute *))
{
	size_t at = 0;

	for (size_t c = 0; c < columns; c++)
		bars[c] = bar_of(slice_of(measured, c, columns, &at), value);
}

static double rtt_ms(const struct measured_minute *minute)
{
	return minute->rtt_us == 0 ? -1 : minute->rtt_us / 1000.;
}

static double loss_percent(const struct measured_minute *minute)
{
	return minute->probes == 0 ? -1 : 100. * minute->failures / minute->probes;
}

static double load_percent(const struct measured_minute *minute)
{
	return minute->load_permille < 0 ? -1 : minute->load_permille / 10.;
}

void measured_rtt(const struct measured *measured, struct chart_bar *bars, size_t columns)
{
	fold(measured, bars, columns, rtt_ms);
}

void measured_loss(const struct measured *measured, struct chart_bar *bars, size_t columns)
{
	fold(measured, bars, columns, loss_percent);
}

void measured_load(const struct measured *measured, struct chart_bar *bars, size_t columns)
{
	fold(measured, bars, columns, load_percent);
}

static int badness(char state)
{
	const char *order = " =?x";
	const char *at = strchr(order, state);

	return at == NULL ? 0 : (int)(at - order);
}

void measured_states(const struct measured *measured, char *states, size_t columns)
{
	uint64_t span = measured->until_ms - measured->from_ms;
	char state = measured->before;
	size_t t = 0;

	for (size_t c = 0; c < columns; c++) {
		uint64_t until = measured->from_ms + span * (c + 1) / columns;
		char worst = state;

		for (; t < measured->turn_count && measured->turns[t].at_ms < until; t++) {
			state = measured->turns[t].to;
			worst = badness(state) > badness(worst) ? state : worst;
		}
		states[c] = worst;
	}
	states[columns] = '\0';
}

/* --- numbers ------------------------------------------------------------------------------------- */

static int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: each is the value of a minute. */
static double rank(const double *sorted, size_t count, unsigned percent)
{
	size_t at = (count * percent + 99) / 100;

	return sorted[at == 0 ? 0 : at - 1];
}

static struct measured_spread spread_of(const struct measured *measured,
					double (*value)(const struct measured_minute *))
{
	double *values = mem_array(measured->count + 1, sizeof(*values));
	struct measured_spread spread = { 0 };

	for (size_t i = 0; i < measured->count; i++) {
		double v = value(&measured->minutes[i]);

		if (v >= 0)
			values[spread.count++] = v;
	}
	qsort(values, spread.count, sizeof(*values), compare_values);
	if (spread.count > 0) {
		spread.min = values[0];
		spread.median = rank(values, spread.count, 50);
		spread.p95 = rank(values, spread.count, 95);
		spread.max = values[spread.count - 1];
	}
	free(values);
	return spread;
}

static void sum_states(const struct measured *measured, struct measured_summary *out)
{
	uint64_t at = measured->from_ms;
	char state = measured->before;

	for (size_t t = 0; t <= measured->turn_count; t++) {
		bool last = t == measured->turn_count;
		uint64_t until = last ? measured->until_ms : measured->turns[t].at_ms;

		if (until > at && state == '=')
			out->up_ms += until - at;
		if (until > at && state == 'x')
			out->down_ms += until - at;
		at = until > at ? until : at;
		state = last ? state : measured->turns[t].to;
	}
	out->turns = measured->turn_count;
}

void measured_sum(const struct measured *measured, struct measured_summary *out)
{
	*out = (struct measured_summary){ .rtt_ms = spread_of(measured, rtt_ms),
					  .load_percent = spread_of(measured, load_percent) };
	for (size_t i = 0; i < measured->count; i++) {
		const struct measured_minute *m = &measured->minutes[i];

		out->probes += m->probes;
		out->failures += m->failures;
		if (m->rtt_max_us / 1000. > out->rtt_ms.max)
			out->rtt_ms.max = m->rtt_max_us / 1000.;
		if (loss_percent(m) > out->worst_loss_percent) {
			out->worst_loss_percent = loss_percent(m);
			out->worst_minute = m->minute;
		}
	}
	sum_states(measured, out);
}
