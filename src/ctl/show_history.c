#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timestamp.h"
#include "ctl/columns.h"
#include "ctl/command_history.h"

#define WIDTH_MIN   40
#define WIDTH_MAX   400
#define ROWS_RTT    8
#define ROWS_OTHERS 4

/* --- numbers ------------------------------------------------------------------------------------- */

static void show_spread(const char *name, const struct measured_spread *spread, const char *unit,
			FILE *out)
{
	(void)fprintf(out, "\n%s   min %.4g   median %.4g   p95 %.4g   max %.4g %s\n", name,
		      spread->min, spread->median, spread->p95, spread->max, unit);
}

static void show_loss_numbers(const struct measured_summary *sum, FILE *out)
{
	char when[TIMESTAMP_SIZE];

	if (sum->probes == 0)
		return;
	(void)fprintf(out, "\nloss   %.3g %%: %llu of %llu probes",
		      100. * (double)sum->failures / (double)sum->probes,
		      (unsigned long long)sum->failures, (unsigned long long)sum->probes);
	if (sum->failures > 0)
		(void)fprintf(out, "; worst minute %.3g %%, at %s", sum->worst_loss_percent,
			      timestamp_text(sum->worst_minute * 60, when));
	(void)fputc('\n', out);
}

static void show_state_numbers(const struct measured_summary *sum, FILE *out)
{
	uint64_t known_ms = sum->up_ms + sum->down_ms;
	char changes[COUNTED_SIZE], down[QUANTITY_SIZE];

	(void)fputs("\nstatus   ", out);
	if (known_ms == 0)
		(void)fputs("not known", out);
	else
		(void)fprintf(out, "up %.4g %%, down %s",
			      100. * (double)sum->up_ms / (double)known_ms,
			      text_age(1, 1 + sum->down_ms, down));
	(void)fprintf(out, ", %s\n", text_counted((long long)sum->turns, "change", changes));
}

static int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* --- charts -------------------------------------------------------------------------------------- */

/* Where all means and nearly all peaks are seen. */
static double usual_top(const struct chart_bar *bars, size_t columns)
{
	double *peaks = mem_array(columns, sizeof(*peaks));
	double top = 0;

	for (size_t c = 0; c < columns; c++) {
		peaks[c] = bars[c].peak;
		top = bars[c].value > top ? bars[c].value : top;
	}
	qsort(peaks, columns, sizeof(*peaks), compare_values);
	if (peaks[columns * 95 / 100] > top)
		top = peaks[columns * 95 / 100];
	free(peaks);
	return chart_scale(top);
}

static double highest(const struct chart_bar *bars, size_t columns)
{
	double max = 0;

	for (size_t c = 0; c < columns; c++)
		max = bars[c].peak > max ? bars[c].peak : max;
	return max;
}

static void draw(const struct chart_bar *bars, size_t columns, unsigned rows, const char *unit,
		 double top, bool bad, const struct chart_style *style, FILE *out)
{
	const struct chart chart = { bars, columns, rows, top, unit, bad };

	chart_draw(&chart, style, out);
}

/* The smallest round percentage that shows all. */
static double percent_top(double value)
{
	static const double tops[] = { 5, 10, 20, 50, 100 };

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		if (value <= tops[i])
			return tops[i];
	}
	return chart_scale(value);
}

static void draw_all(const struct measured *measured, const struct measured_summary *sum,
		     size_t columns, const struct chart_style *style, FILE *out)
{
	struct chart_bar *bars = mem_array(columns, sizeof(*bars));
	char *states = mem_alloc(columns + 1);
	double max;

	measured_rtt(measured, bars, columns);
	if (sum->rtt_ms.count > 0) {
		show_spread("round-trip time", &sum->rtt_ms, "ms", out);
		draw(bars, columns, ROWS_RTT, " ms", usual_top(bars, columns), false, style, out);
	}
	measured_loss(measured, bars, columns);
	show_loss_numbers(sum, out);
	if (sum->failures > 0)
		draw(bars, columns, ROWS_OTHERS, " %", percent_top(highest(bars, columns)), true,
		     style, out);
	measured_load(measured, bars, columns);
	max = highest(bars, columns);
	if (sum->load_percent.count > 0) {
		show_spread("load", &sum->load_percent, "%", out);
		draw(bars, columns, ROWS_OTHERS, " %", percent_top(max), false, style, out);
	}
	show_state_numbers(sum, out);
	measured_states(measured, states, columns);
	chart_states(states, style, out);
	chart_times(measured->from_ms, measured->until_ms, columns, style, out);
	free(bars);
	free(states);
}

static void show_legend(const struct measured_summary *sum, const struct chart_style *style,
			FILE *out)
{
	if (sum->rtt_ms.count == 0 && sum->load_percent.count == 0 && sum->failures == 0)
		return;
	(void)fprintf(
		out,
		"\n%s mean of a column's minutes, %s the largest of them, %s beyond the scale\n",
		style->blocks ? "█" : "#", style->blocks ? "░" : "'", style->blocks ? "▲" : "^");
}

void show_history(const char *node, const char *status, const struct measured *measured,
		  size_t width, const struct chart_style *style, FILE *out)
{
	size_t bounded = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	size_t columns = bounded - CHART_MARGIN;
	char from[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE], span[QUANTITY_SIZE], each[QUANTITY_SIZE];
	struct measured_summary sum;

	measured_sum(measured, &sum);
	(void)fprintf(out, "%s   %s\n%s to %s (%s), a column is %s\n", node,
		      status[0] != '\0' ? status : "status not known",
		      timestamp_text(measured->from_ms / 1000, from),
		      timestamp_text(measured->until_ms / 1000, until),
		      text_age(measured->from_ms, measured->until_ms, span),
		      text_age(1, 1 + (measured->until_ms - measured->from_ms) / columns, each));
	if (measured->count == 0)
		(void)fputs(
			"\nnothing was measured in this time; a minute is told when it is over\n",
			out);
	draw_all(measured, &sum, columns, style, out);
	show_legend(&sum, style, out);
}

/* --- JSON ---------------------------------------------------------------------------------------- */

static json_t *spread_json(const struct measured_spread *spread)
{
	if (spread->count == 0)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:f}", "min", spread->min, "median", spread->median,
			 "p95", spread->p95, "max", spread->max);
}

static json_t *summary_json(const struct measured *measured)
{
	struct measured_summary sum;

	measured_sum(measured, &sum);
	return json_pack("{s:o, s:o, s:I, s:I, s:f, s:I, s:I}", "rtt_ms", spread_json(&sum.rtt_ms),
			 "load_percent", spread_json(&sum.load_percent), "probes",
			 (json_int_t)sum.probes, "failures", (json_int_t)sum.failures,
			 "worst_loss_percent", sum.worst_loss_percent, "up_ms",
			 (json_int_t)sum.up_ms, "down_ms", (json_int_t)sum.down_ms);
}

static json_t *minute_json(const struct measured_minute *minute)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:o}", "minute_ms", (json_int_t)minute->minute * 60000,
		"probes", (json_int_t)minute->probes, "failures", (json_int_t)minute->failures,
		"rtt_us", (json_int_t)minute->rtt_us, "rtt_max_us", (json_int_t)minute->rtt_max_us,
		"load",
		minute->load_permille < 0 ? json_null() : json_real(minute->load_permille / 1000.));
}

json_t *history_json(const char *node, const char *status, const struct measured *measured,
		     const json_t *events)
{
	json_t *minutes = json_array();

	for (size_t i = 0; i < measured->count; i++)
		json_array_append_new(minutes, minute_json(&measured->minutes[i]));
	return json_pack("{s:b, s:s, s:o, s:I, s:I, s:o, s:o, s:O}", "ok", true, "node", node,
			 "status", status[0] != '\0' ? json_string(status) : json_null(), "from_ms",
			 (json_int_t)measured->from_ms, "until_ms", (json_int_t)measured->until_ms,
			 "summary", summary_json(measured), "minutes", minutes, "transitions",
			 events);
}
