#include "ctl/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define EIGHTHS    8  /* of a character cell */
#define LABEL_ROOM 12 /* columns that a time takes with the space before the next one */

static const char dim[] = "\033[2m", bad[] = "\033[31m", good[] = "\033[32m", plain[] = "\033[0m";

static void ink(const struct chart_style *style, const char *escape, FILE *out)
{
	if (style->colour)
		(void)fputs(escape, out);
}

double chart_scale(double value)
{
	static const double steps[] = { 1, 2, 2.5, 5, 10 };
	double power;

	if (!(value > 0))
		return 1;
	power = pow(10, floor(log10(value)));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i] * power >= value * (1 - 1e-9))
			return steps[i] * power;
	}
	return 10 * power;
}

/* --- bars ------------------------------------------------------------------------------------- */

/* How much of the cells from the bottom up a value fills; something that is there shows. */
static unsigned eighths(double value, double top, unsigned rows)
{
	double part = value / top * rows * EIGHTHS;

	if (!(value > 0))
		return 0;
	if (part > rows * EIGHTHS)
		return rows * EIGHTHS;
	return part < 1 ? 1 : (unsigned)lround(part);
}

static const char *block(unsigned filled, const struct chart_style *style)
{
	static const char *const unicode[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ".", ":", ":", ":", "#", "#", "#" };

	return style->blocks ? unicode[filled] : ascii[filled];
}

static const char *cell(const struct chart *chart, const struct chart_bar *bar, unsigned row,
			const struct chart_style *style)
{
	unsigned below = row * EIGHTHS;
	unsigned value = eighths(bar->value, chart->top, chart->rows);
	unsigned peak = eighths(bar->peak, chart->top, chart->rows);

	if (row + 1 == chart->rows && bar->peak > chart->top * (1 + 1e-9))
		return style->blocks ? "▲" : "^";
	if (value > below)
		return block(value - below > EIGHTHS ? EIGHTHS : value - below, style);
	if (peak > below)
		return style->blocks ? "░" : "'";
	return " ";
}

/* What stands left of a row; `label` may be "". */
static void margin(const char *label, bool tick, const struct chart_style *style, FILE *out)
{
	ink(style, dim, out);
	if (style->blocks)
		(void)fprintf(out, "%*s %s", CHART_MARGIN - 2, label, tick ? "┤" : "│");
	else
		(void)fprintf(out, "%*s %s", CHART_MARGIN - 2, label, tick ? "+" : "|");
	ink(style, plain, out);
}

/* Of the upper edge of a row: the top of the scale and its middle. */
static void label_row(const struct chart *chart, unsigned row, const struct chart_style *style,
		      FILE *out)
{
	double edge = chart->top * (row + 1) / chart->rows;
	bool tick = row + 1 == chart->rows || (row + 1) * 2 == chart->rows;
	char label[32] = "";

	if (tick)
		(void)snprintf(label, sizeof(label), "%.4g%s", edge, chart->unit);
	margin(label, tick, style, out);
}

void chart_draw(const struct chart *chart, const struct chart_style *style, FILE *out)
{
	for (unsigned row = chart->rows; row-- > 0;) {
		label_row(chart, row, style, out);
		if (chart->bad)
			ink(style, bad, out);
		for (size_t c = 0; c < chart->columns; c++)
			(void)fputs(cell(chart, &chart->bars[c], row, style), out);
		if (chart->bad)
			ink(style, plain, out);
		(void)fputc('\n', out);
	}
}

/* --- states ----------------------------------------------------------------------------------- */

static void draw_state(char state, const struct chart_style *style, FILE *out)
{
	if (state == 'x') {
		ink(style, bad, out);
		(void)fputc('x', out);
	} else if (state == '=') {
		ink(style, good, out);
		(void)fputs(style->blocks ? "━" : "=", out);
	} else {
		(void)fputc(state, out);
		return;
	}
	ink(style, plain, out);
}

void chart_states(const char *states, const struct chart_style *style, FILE *out)
{
	margin("", false, style, out);
	for (; *states != '\0'; states++)
		draw_state(*states, style, out);
	(void)fputc('\n', out);
}

/* --- times ------------------------------------------------------------------------------------ */

#define MINUTE_MS ((uint64_t)60000)
#define DAY_MS    ((uint64_t)86400000)

/* Between two marks. */
static uint64_t step_ms(uint64_t span_ms, size_t columns)
{
	static const uint64_t steps[] = { 1,   2,   5,   10,  15,   30,   60,   120,
					  180, 240, 360, 720, 1440, 2880, 7200, 14400 };
	uint64_t step = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		step = steps[i] * MINUTE_MS;
		if (step * columns / span_ms >= LABEL_ROOM)
			return step;
	}
	while (step * columns / span_ms < LABEL_ROOM)
		step *= 2;
	return step;
}

/* "14:30"; a day at its beginning: "Nov 22". */
static void name_moment(uint64_t at_ms, char text[16])
{
	time_t at = (time_t)(at_ms / 1000);
	struct tm parts;

	(void)gmtime_r(&at, &parts);
	(void)strftime(text, 16, at_ms % DAY_MS == 0 ? "%b %d" : "%H:%M", &parts);
}

void chart_times(uint64_t from_ms, uint64_t until_ms, size_t columns,
		 const struct chart_style *style, FILE *out)
{
	uint64_t span_ms = until_ms - from_ms;
	uint64_t step = step_ms(span_ms, columns);
	uint64_t next = (from_ms + step - 1) / step * step;
	char *names = mem_alloc(columns + 32), name[16];
	size_t end = 0;

	ink(style, dim, out);
	(void)fprintf(out, "%*s %s", CHART_MARGIN - 2, "", style->blocks ? "└" : "+");
	memset(names, ' ', columns);
	for (size_t c = 0; c < columns; c++) {
		bool mark = from_ms + span_ms * (c + 1) / columns > next;

		(void)fputs(mark ? (style->blocks ? "┴" : "+") : (style->blocks ? "─" : "-"), out);
		if (!mark)
			continue;
		name_moment(next, name);
		next += step;
		if (c < end || c + strlen(name) > columns)
			continue;
		memcpy(names + c, name, strlen(name));
		end = c + strlen(name) + 1;
	}
	for (size_t c = columns; c > 0 && names[c - 1] == ' '; c--)
		names[c - 1] = '\0';
	(void)fprintf(out, "\n%*s%s\n", CHART_MARGIN, "UTC ", names);
	ink(style, plain, out);
	free(names);
}
