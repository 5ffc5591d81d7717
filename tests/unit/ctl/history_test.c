/* history_test.c - what was measured, in columns, in numbers and as it is drawn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command_history.h"
#include "tests/unit/run.h"

#define START 29000000 /* a minute */

static char *drawn;
static size_t drawn_size;

static void add_minute(struct measured *m, unsigned at, uint32_t failures, uint32_t rtt_us,
		       int load)
{
	json_t *answer = json_pack("{s:[[i, i, i, i, i, o]]}", "minutes", START + (int)at, 10,
				   (int)failures, (int)rtt_us, (int)rtt_us * 2,
				   load < 0 ? json_null() : json_integer(load));

	ck_assert_int_eq(measured_add_minutes(m, answer), 0);
	json_decref(answer);
}

static void add_turn(struct measured *m, double at, const char *to)
{
	json_t *answer = json_pack("{s:[{s:s, s:I, s:s}, {s:s, s:I}]}", "events", "kind",
				   "transition", "at_ms", (json_int_t)((START + at) * 60000), "to",
				   to, "kind", "action", "at_ms", (json_int_t)START * 60000);

	measured_add_turns(m, answer);
	json_decref(answer);
}

static struct measured make(unsigned minutes)
{
	return (struct measured){ .from_ms = (uint64_t)START * 60000,
				  .until_ms = (uint64_t)(START + minutes) * 60000,
				  .before = '=' };
}

static const char *draw(const struct chart *chart, bool blocks)
{
	const struct chart_style style = { blocks, false };
	FILE *out = open_memstream(&drawn, &drawn_size);

	chart_draw(chart, &style, out);
	(void)fclose(out);
	return drawn;
}

START_TEST(bars_fill_their_part_of_the_rows)
{
	const struct chart_bar bars[] = { { 100, 100 }, { 75, 75 },   { 50, 50 }, { 25, 90 },
					  { 0, 0 },     { 0.1, 0.1 }, { -1, -1 }, { 10, 150 } };
	const struct chart chart = { bars, 8, 2, 100, " %", false };

	ck_assert_str_eq(draw(&chart, true), "    100 % ┤█▄ ░   ▲\n"
					     "     50 % ┤███▄ ▁ ▂\n");
	free(drawn);
	ck_assert_str_eq(draw(&chart, false), "    100 % +#: '   ^\n"
					      "     50 % +###: . .\n");
	free(drawn);
}
END_TEST

START_TEST(scale_is_the_next_round_number)
{
	static const double rows[][2] = { { 1, 1 },  { 1.1, 2 },    { 2.2, 2.5 }, { 3, 5 },
					  { 7, 10 }, { 99, 100 },   { 101, 200 }, { 0.013, 0.02 },
					  { 0, 1 },  { 2500, 2500 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_double_eq_tol(chart_scale(rows[i][0]), rows[i][1], 1e-9);
}
END_TEST

START_TEST(columns_show_the_mean_and_the_largest_of_their_minutes)
{
	struct measured m = make(6);
	struct chart_bar bars[3];

	add_minute(&m, 0, 0, 1000, 100);
	add_minute(&m, 1, 5, 3000, -1);
	add_minute(&m, 4, 10, 0, 700); /* nothing came back */
	measured_rtt(&m, bars, 3);
	ck_assert_double_eq_tol(bars[0].value, 2, 1e-9);
	ck_assert_double_eq_tol(bars[0].peak, 3, 1e-9);
	ck_assert_double_lt(bars[1].value, 0);
	ck_assert_double_lt(bars[2].value, 0);
	measured_loss(&m, bars, 3);
	ck_assert_double_eq_tol(bars[0].value, 25, 1e-9);
	ck_assert_double_eq_tol(bars[2].value, 100, 1e-9);
	measured_load(&m, bars, 3);
	ck_assert_double_eq_tol(bars[0].value, 10, 1e-9);
	ck_assert_double_eq_tol(bars[2].value, 70, 1e-9);
	measured_free(&m);
}
END_TEST

START_TEST(minute_is_as_wide_as_it_is_where_columns_are_narrower)
{
	struct measured m = make(2);
	struct chart_bar bars[6];

	add_minute(&m, 0, 0, 1000, -1);
	add_minute(&m, 1, 0, 2000, -1);
	measured_rtt(&m, bars, 6);
	for (int c = 0; c < 6; c++)
		ck_assert_double_eq_tol(bars[c].value, c < 3 ? 1 : 2, 1e-9);
	measured_free(&m);
}
END_TEST

START_TEST(states_show_the_worst_of_their_column)
{
	struct measured m = make(10);
	struct measured_summary sum;
	char states[11];

	add_turn(&m, 2.1, "down");
	add_turn(&m, 4.6, "up");
	add_turn(&m, 7.2, "down");
	add_turn(&m, 7.3, "up");
	measured_states(&m, states, 10);
	ck_assert_str_eq(states, "==xxx==x==");
	measured_sum(&m, &sum);
	ck_assert_uint_eq(sum.turns, 4);
	ck_assert_uint_eq(sum.down_ms, 156000); /* 2.5 and 0.1 minutes */
	ck_assert_uint_eq(sum.up_ms + sum.down_ms, 600000);
	measured_free(&m);
}
END_TEST

START_TEST(numbers_are_those_of_the_minutes)
{
	struct measured m = make(100);
	struct measured_summary sum;

	for (unsigned i = 0; i < 100; i++)
		add_minute(&m, i, i == 50 ? 4 : 0, (i * 37 % 100 + 1) * 1000, (int)i);
	measured_sum(&m, &sum);
	ck_assert_double_eq_tol(sum.rtt_ms.min, 1, 1e-9);
	ck_assert_double_eq_tol(sum.rtt_ms.median, 50, 1e-9);
	ck_assert_double_eq_tol(sum.rtt_ms.p95, 95, 1e-9);
	ck_assert_double_eq_tol(sum.rtt_ms.max, 200, 1e-9); /* of a single probe */
	ck_assert_double_eq_tol(sum.load_percent.median, 4.9, 1e-9);
	ck_assert_uint_eq(sum.probes, 1000);
	ck_assert_uint_eq(sum.failures, 4);
	ck_assert_double_eq_tol(sum.worst_loss_percent, 40, 1e-9);
	ck_assert_uint_eq(sum.worst_minute, START + 50);
	measured_free(&m);
}
END_TEST

/* Characters of a line of UTF-8. */
static size_t width_of(const char *line, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)line[i] & 0xc0) != 0x80;
	return width;
}

START_TEST(drawing_is_as_wide_as_it_may_be_whatever_was_measured)
{
	static const unsigned spans[] = { 1, 7, 60, 1440, 10080, 525600 };

	for (size_t s = 0; s < sizeof(spans) / sizeof(spans[0]); s++) {
		for (size_t width = 20; width < 300; width += 31) {
			const struct chart_style style = { width % 2 == 0, false };
			struct measured m = make(spans[s]);
			FILE *out = open_memstream(&drawn, &drawn_size);

			for (unsigned i = 0; i < 50; i++)
				add_minute(&m, i * spans[s] / 50, i % 3, i * 100, (int)i * 30);
			add_turn(&m, spans[s] / 2., "down");
			show_history("edge/a", "up", &m, width, &style, out);
			(void)fclose(out);
			for (const char *line = drawn; *line != '\0';) {
				size_t len = strcspn(line, "\n");
				bool is_chart = strstr(line, "┤") != NULL &&
						(size_t)(strstr(line, "┤") - line) < len;

				if (is_chart || strncmp(line, "       UTC", 10) == 0)
					ck_assert_uint_le(width_of(line, len),
							  width < 40 ? 40 : width);
				if (!style.blocks)
					ck_assert_uint_eq(width_of(line, len), len);
				line += len + (line[len] == '\n');
			}
			free(drawn);
			measured_free(&m);
		}
	}
}
END_TEST

START_TEST(times_in_the_past_are_written_as_ages_or_moments)
{
	const uint64_t now_ms = 1800000000000;
	uint64_t ms;
	struct err err;

	ck_assert_int_eq(history_time("since", "24h", now_ms, &ms, &err), 0);
	ck_assert_uint_eq(ms, now_ms - 86400000);
	ck_assert_int_eq(history_time("since", "1d12h", now_ms, &ms, &err), 0);
	ck_assert_uint_eq(ms, now_ms - 129600000);
	ck_assert_int_eq(history_time("until", "2026-12-24T18:00:00Z", now_ms, &ms, &err), 0);
	ck_assert_uint_eq(ms, 1798135200000);
	ck_assert_int_eq(history_time("since", "9999999d", now_ms, &ms, &err), 0);
	ck_assert_uint_eq(ms, 0);
	ck_assert_int_eq(history_time("since", "yesterday", now_ms, &ms, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "--since \"yesterday\" is no time"));
}
END_TEST

START_TEST(family_that_goes_down_is_a_change_of_its_own)
{
	json_t *events = json_pack("[{s:I, s:s, s:s, s:s, s:s, s:[], s:[s], s:s}]", "at_ms",
				   (json_int_t)1798135200042, "kind", "transition", "object",
				   "node:edge/a", "from", "up", "to", "up", "from_down_families",
				   "to_down_families", "IPv6", "reason", "timeout");
	FILE *out = open_memstream(&drawn, &drawn_size);

	show_audit(events, out, false);
	show_audit_csv(events, out);
	(void)fclose(out);
	ck_assert_ptr_nonnull(strstr(drawn, "up -> up, no IPv6"));
	ck_assert_ptr_nonnull(strstr(drawn, ",\"timeout\",\"\",\"IPv6\"\r\n"));
	free(drawn);
	json_decref(events);
}
END_TEST

START_TEST(what_operators_wrote_stays_one_field)
{
	json_t *events = json_pack("[{s:I, s:s, s:s, s:s, s:s, s:i, s:s}]", "at_ms",
				   (json_int_t)1798135200042, "kind", "action", "object",
				   "site:tokyo", "action", "drain", "who", "ann", "uid", 1000,
				   "reason", "a \"quoted\", word");
	FILE *out = open_memstream(&drawn, &drawn_size);

	show_audit_csv(events, out);
	(void)fclose(out);
	ck_assert_str_eq(strchr(drawn, '\n') + 1,
			 "2026-12-24T18:00:00.042Z,\"action\",\"site:tokyo\",\"drain\",\"\",\"\","
			 "\"ann\",1000,,,,\"a \"\"quoted\"\", word\",\"\",\"\"\r\n");
	free(drawn);
	json_decref(events);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("history");

	suite_case(suite, "chart", bars_fill_their_part_of_the_rows,
		   scale_is_the_next_round_number);
	suite_case(suite, "measured", columns_show_the_mean_and_the_largest_of_their_minutes,
		   minute_is_as_wide_as_it_is_where_columns_are_narrower,
		   states_show_the_worst_of_their_column, numbers_are_those_of_the_minutes);
	suite_case(suite, "show", drawing_is_as_wide_as_it_may_be_whatever_was_measured,
		   times_in_the_past_are_written_as_ages_or_moments,
		   family_that_goes_down_is_a_change_of_its_own,
		   what_operators_wrote_stays_one_field);
	return run_suite(suite);
}
