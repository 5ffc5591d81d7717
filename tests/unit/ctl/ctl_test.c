#include <ldns/ldns.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "base/mem.h"
#include "ctl/asking.h"
#include "ctl/columns.h"
#include "ctl/command_orders.h"
#include "ctl/condition_text.h"
#include "ctl/load.h"
#include "ctl/rdata_text.h"
#include "ctl/show.h"
#include "ctl/show_follows.h"
#include "ctl/show_weight.h"

/* --- columns ---------------------------------------------------------------------------------- */

static char *print(struct columns *columns, bool colour)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	columns_print(columns, out, "  ", colour);
	(void)fclose(out);
	return text;
}

static struct columns *two_rows(void)
{
	struct columns *columns = columns_new("CITY|>KM|WHY");

	columns_row(columns);
	columns_cell(columns, INK_GOOD, "S\xc3\xa3o Paulo");
	columns_cell(columns, INK_PLAIN, "%d", 7);
	columns_cell(columns, INK_PLAIN, "far");
	columns_row(columns);
	columns_cell(columns, INK_BAD, "Ulm");
	columns_cell(columns, INK_PLAIN, "%d", 12345);
	columns_cell(columns, INK_PLAIN, " ");
	return columns;
}

START_TEST(columns_are_aligned_by_characters)
{
	char *text = print(two_rows(), false);

	ck_assert_str_eq(text, "  CITY          KM  WHY\n"
			       "  S\xc3\xa3o Paulo      7  far\n"
			       "  Ulm        12345   \n");
	free(text);
}
END_TEST

START_TEST(colours_do_not_move_columns)
{
	char *text = print(two_rows(), true);

	ck_assert_ptr_nonnull(strstr(text, "\033[32mS\xc3\xa3o Paulo\033[0m      7"));
	ck_assert_ptr_nonnull(strstr(text, "\033[1;31mUlm\033[0m        12345"));
	free(text);
}
END_TEST

START_TEST(quantities_have_two_units_at_most)
{
	static const struct {
		uint64_t seconds;
		const char *age;
	} ages[] = { { 0, "0s" },         { 59, "59s" },     { 60, "1m 0s" },
		     { 3599, "59m 59s" }, { 3600, "1h 0m" }, { 86400 * 3 + 7200 + 59, "3d 2h" } };
	char text[QUANTITY_SIZE];

	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
		ck_assert_str_eq(text_age(1000, 1000 + ages[i].seconds * 1000, text), ages[i].age);
	ck_assert_str_eq(text_age(0, 5000, text), "-");
	ck_assert_str_eq(text_age(9000, 5000, text), "0s"); /* the clock was set back */
	ck_assert_str_eq(text_bytes(1023, text), "1023 B");
	ck_assert_str_eq(text_bytes(1536, text), "1.5 KiB");
	ck_assert_str_eq(text_bytes(UINT64_C(80) << 20, text), "80.0 MiB");
	ck_assert_str_eq(text_rtt(215, text), "0.21 ms");
}
END_TEST

/* --- asking ----------------------------------------------------------------------------------- */

static struct name parse(const char *text)
{
	struct name name;
	const char *reason;

	ck_assert_msg(name_parse(text, strlen(text), NULL, &name, &reason), "%s", reason);
	return name;
}

START_TEST(query_is_what_ldns_understands)
{
	const struct name name = parse("vpn.example.net");
	struct ip_prefix subnet;
	uint8_t query[ASKING_SIZE_MAX];
	ldns_pkt *packet;
	char *owner;
	size_t len;

	ck_assert(ip_prefix_parse("2001:db8:1:200::/56", &subnet, NULL));
	len = asking_write(query, &name, LDNS_RR_TYPE_AAAA, &subnet);
	ck_assert_int_eq(ldns_wire2pkt(&packet, query, len), LDNS_STATUS_OK);
	owner = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet), 0)));
	ck_assert_str_eq(owner, "vpn.example.net.");
	ck_assert_int_eq(ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(packet), 0)),
			 LDNS_RR_TYPE_AAAA);
	ck_assert(ldns_pkt_edns(packet));
	ck_assert_uint_eq(ldns_rdf_size(ldns_pkt_edns_data(packet)), 8 + 7);
	ck_assert_mem_eq(ldns_rdf_data(ldns_pkt_edns_data(packet)),
			 "\0\x08\0\x0b\0\x02\x38\0\x20\x01\x0d\xb8\0\x01\x02", 15);
	free(owner);
	ldns_pkt_free(packet);
}
END_TEST

/* An answer with an alias, written by ldns (so with compression), and an OPT record behind it. */
static size_t make_answer(uint8_t *out, size_t size)
{
	static const char *const records[] = { "www.example.net. 3600 IN CNAME vpn.example.net.",
					       "vpn.example.net. 30 IN A 203.0.113.10",
					       "vpn.example.net. 30 IN TXT \"hi\"" };
	static const uint8_t opt[] = { 0, 0, 41, 4, 208, 0, 0,  0,  0,   0, 11,
				       0, 8, 0,  7, 0,   1, 24, 20, 192, 0, 2 };
	ldns_pkt *packet = ldns_pkt_query_new(ldns_dname_new_frm_str("WWW.example.net."),
					      LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0);
	uint8_t *wire;
	size_t len;

	ldns_pkt_set_aa(packet, true);
	for (size_t i = 0; i < 3; i++) {
		ldns_rr *rr;

		ck_assert_int_eq(ldns_rr_new_frm_str(&rr, records[i], 0, NULL, NULL),
				 LDNS_STATUS_OK);
		(void)ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, rr);
	}
	ck_assert_int_eq(ldns_pkt2wire(&wire, packet, &len), LDNS_STATUS_OK);
	ldns_pkt_free(packet);
	ck_assert_uint_le(len + sizeof(opt), size);
	memcpy(out, wire, len);
	memcpy(out + len, opt, sizeof(opt));
	out[11] = 1; /* ARCOUNT */
	free(wire);
	return len + sizeof(opt);
}

START_TEST(answer_is_read_as_ldns_wrote_it)
{
	uint8_t message[512];
	size_t len = make_answer(message, sizeof(message));
	struct name final;
	char text[NAME_TEXT_SIZE];
	json_t *told = asking_read(message, len, &final);
	const json_t *records;

	ck_assert_ptr_nonnull(told);
	records = json_object_get(told, "records");
	ck_assert_str_eq(json_string_value(json_object_get(told, "rcode")), "NOERROR");
	ck_assert(json_is_true(json_object_get(told, "authoritative")));
	ck_assert_int_eq(json_integer_value(json_object_get(told, "scope")), 20);
	ck_assert_uint_eq(json_array_size(records), 3);
	ck_assert_str_eq(json_string_value(json_array_get(records, 0)),
			 "WWW.example.net. 3600 IN CNAME vpn.example.net.");
	ck_assert_str_eq(json_string_value(json_array_get(records, 1)),
			 "vpn.example.net. 30 IN A 203.0.113.10");
	ck_assert_str_eq(json_string_value(json_array_get(records, 2)),
			 "vpn.example.net. 30 IN TYPE16 \\# 3 026869");
	ck_assert_str_eq(name_format(final.wire, text), "vpn.example.net.");
	json_decref(told);
}
END_TEST

/* What ldns makes of the text is what we make text of. */
START_TEST(rdata_of_services_reads_as_it_was_written)
{
	static const struct {
		const char *type, *text;
	} rows[] = {
		{ "SRV", "0 5 51820 vpn.example.net." },
		{ "HTTPS", "0 www.example.net." },
		{ "HTTPS", "1 . alpn=\"h2,h3\" port=443 ipv4hint=192.0.2.1,192.0.2.2 "
			   "ipv6hint=2001:db8::1" },
		{ "SVCB", "16 a.example. key667=\"h\\\\\\\"o\\032\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = mem_format("x. 60 IN %s %s", rows[i].type, rows[i].text);
		struct buf text = { 0 }, data = { 0 };
		ldns_rr *rr;
		bool read;

		ck_assert_int_eq(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
		for (size_t f = 0; f < ldns_rr_rd_count(rr); f++)
			buf_append(&data, ldns_rdf_data(ldns_rr_rdf(rr, f)),
				   ldns_rdf_size(ldns_rr_rdf(rr, f)));
		read = (i == 0 ? rdata_text_srv : rdata_text_svcb)(&text, data.data, data.len);
		buf_append(&text, "", 1);
		ck_assert_msg(read && strcmp((const char *)text.data, rows[i].text) == 0,
			      "%s, not %s", text.data, rows[i].text);
		for (size_t cut = 0; cut < data.len; cut++) {
			struct buf ignored = { 0 };
			uint8_t *copy = mem_alloc(cut + 1);

			memcpy(copy, data.data, cut);
			(void)(i == 0 ? rdata_text_srv : rdata_text_svcb)(&ignored, copy, cut);
			free(copy);
			buf_free(&ignored);
		}
		ldns_rr_free(rr);
		buf_free(&text);
		buf_free(&data);
		free(line);
	}
}
END_TEST

START_TEST(cut_answer_is_damaged_at_every_length)
{
	uint8_t message[512];
	size_t len = make_answer(message, sizeof(message));
	struct name final;

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut + 1); /* of its own size, so that a sanitizer sees */

		memcpy(copy, message, cut);
		ck_assert_msg(asking_read(copy, cut, &final) == NULL, "cut at %zu", cut);
		free(copy);
	}
}
END_TEST

START_TEST(pointer_that_does_not_lead_to_the_front_is_damage)
{
	uint8_t message[64] = { 0, 0, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1 };
	struct name final;

	ck_assert_ptr_null(asking_read(message, 18, &final)); /* to itself */
	message[13] = 40;
	ck_assert_ptr_null(asking_read(message, sizeof(message), &final)); /* ahead */
}
END_TEST

/* --- orders ----------------------------------------------------------------------------------- */

#define NOW_MS UINT64_C(1795332340733) /* 2026-11-22T07:25:40.733Z */

static const struct {
	const char *written;
	uint64_t unix_ms; /* 0: it is no time */
} times[] = {
	{ "2026-11-22T08:00:00Z", UINT64_C(1795334400000) },
	{ "2026-11-22T09:00:00+01:00", UINT64_C(1795334400000) },
	{ "2h", NOW_MS + 7200000 },
	{ "+90m", NOW_MS + 5400000 },
	{ "1d12h30m5s", NOW_MS + 131405000 },
	{ "0s", NOW_MS },
	{ "", 0 },
	{ "+", 0 },
	{ "2", 0 },
	{ "h", 0 },
	{ "2h1d", 0 },
	{ "2h2h", 0 },
	{ "-2h", 0 },
	{ "99999999d", 0 },
	{ "tomorrow", 0 },
};

START_TEST(time_is_a_timestamp_or_from_now_on)
{
	uint64_t unix_ms = 0;

	ck_assert_int_eq(order_time(times[_i].written, NOW_MS, &unix_ms), times[_i].unix_ms != 0);
	if (times[_i].unix_ms != 0)
		ck_assert_uint_eq(unix_ms, times[_i].unix_ms);
}
END_TEST

static const struct {
	const char *line; /* the arguments, with blanks between */
	struct order_options options;
	const char *request; /* without "who"; NULL: refused */
} orders[] = {
	{ "drain tyo-1",
	  { .reason = "new", .until = "2h" },
	  "{\"action\":\"drain\",\"command\":\"state\",\"object\":\"tyo-1\",\"reason\":\"new\","
	  "\"until_ms\":1795339540733}" },
	{ "weight tyo-1 7", { 0 }, "{\"command\":\"weight\",\"object\":\"tyo-1\",\"weight\":7}" },
	{ "weight tyo-1",
	  { .reset = true },
	  "{\"command\":\"weight\",\"object\":\"tyo-1\",\"weight\":null}" },
	{ "report tyo-1",
	  { .load = "0.5" },
	  "{\"command\":\"report\",\"load\":0.5,\"object\":\"tyo-1\"}" },
	{ "drain", { 0 }, NULL },
	{ "drain tyo-1 tyo-2", { 0 }, NULL },
	{ "drain tyo-1", { .from = "soon" }, NULL },
	{ "weight tyo-1", { 0 }, NULL },
	{ "weight tyo-1 7", { .reset = true }, NULL },
	{ "weight tyo-1 65536", { 0 }, NULL },
	{ "weight tyo-1 1.5", { 0 }, NULL },
	{ "weight tyo-1 7", { .until = "2h" }, NULL },
	{ "report tyo-1", { 0 }, NULL },
	{ "report tyo-1 nan", { 0 }, NULL },
	{ "report tyo-1 -1", { 0 }, NULL },
	{ "report tyo-1 0.5", { .load = "0.5" }, NULL },
	{ "report tyo-1 83%",
	  { 0 },
	  "{\"command\":\"report\",\"load\":0.82999999999999996,\"object\":\"tyo-1\"}" },
	{ "weight tyo-1 0x10", { 0 }, NULL },
};

static const struct {
	const char *written;
	double load;      /* negative: refused */
	const char *says; /* in the message */
} loads[] = {
	{ "0", 0, NULL },           { "0.83", 0.83, NULL },     { ".5", 0.5, NULL },
	{ "83%", 0.83, NULL },      { "1", 1, NULL },           { "10", 10, NULL },
	{ "1000%", 10, NULL },      { "12.5%", 0.125, NULL },   { "1e-1", 0.1, NULL },
	{ "83", -1, "mean \"83%" }, { "11", -1, "mean \"11%" }, { "1001", -1, "from 0 to 10" },
	{ "1001%", -1, "83%" },     { "-1", -1, "0 to 10" },    { "-0.1%", -1, "0 to 10" },
	{ "", -1, "0.83" },         { "%", -1, "is no load" },  { "5%%", -1, "is no load" },
	{ "inf", -1, "0 to 10" },   { "0x1", -1, "0 to 10" },   { "1 %", -1, "is no load" },
};

START_TEST(load_is_a_part_or_a_percentage)
{
	struct err err;
	double load = -1;
	int rc = load_parse(loads[_i].written, &load, &err);

	ck_assert_int_eq(rc, loads[_i].load < 0 ? -1 : 0);
	if (rc == 0)
		ck_assert(fabs(load - loads[_i].load) < 1e-12);
	else
		ck_assert_msg(strstr(err.text, loads[_i].says) != NULL, "%s", err.text);
}
END_TEST

START_TEST(request_says_what_the_command_line_does)
{
	char *line = mem_copy_text(orders[_i].line), *rest = NULL;
	char *arguments[4] = { NULL };
	int count = 0;
	struct err err;
	json_t *request;

	for (char *word = strtok_r(line, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		arguments[count++] = word;
	request = order_request(&orders[_i].options, arguments, count, NOW_MS, &err);
	if (orders[_i].request == NULL) {
		ck_assert_ptr_null(request);
	} else {
		char *text;

		ck_assert_msg(request != NULL, "%s", err.text);
		ck_assert_ptr_nonnull(json_object_get(request, "who"));
		json_object_del(request, "who");
		text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
		ck_assert_str_eq(text, orders[_i].request);
		free(text);
	}
	json_decref(request);
	free(line);
}
END_TEST

static void add_orders_case(Suite *suite)
{
	TCase *tcase = tcase_create("orders");

	tcase_add_loop_test(tcase, time_is_a_timestamp_or_from_now_on, 0,
			    (int)(sizeof(times) / sizeof(times[0])));
	tcase_add_loop_test(tcase, request_says_what_the_command_line_does, 0,
			    (int)(sizeof(orders) / sizeof(orders[0])));
	tcase_add_loop_test(tcase, load_is_a_part_or_a_percentage, 0,
			    (int)(sizeof(loads) / sizeof(loads[0])));
	suite_add_tcase(suite, tcase);
}

/* --- status ------------------------------------------------------------------------------------ */

static const struct {
	int total, of, down, max, held;
	const char *told;
} alarms[] = {
	{ 4, 4, 3, 2, -1, "  ALARM for 5s: 3 of 4 nodes down, at most 2 may be\n" },
	{ 4, 4, 3, 2, 1, "  ALARM for 5s: 3 of 4 nodes down, at most 2 may be; 1 held in\n" },
	{ 3, 3, 1, 0, -1, "  ALARM for 5s: 1 of 3 nodes down, none may be\n" },
	{ 1, 1, 1, 0, -1, "  ALARM for 5s: the only node is down\n" },
	{ 2, 1, 1, 0, -1, "  ALARM for 5s: the only node that counts is down\n" },
};

START_TEST(alarm_of_a_pool_reads_right_for_one_node_too)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *status = json_pack(
		"{s:i, s:[{s:s, s:s, s:i, s:i, s:i, s:{s:i, s:i, s:i, s:i, s:b, s:i}, s:[]}]}",
		"now_ms", 60000, "pools", "name", "edge", "policy", "nearest", "up",
		alarms[_i].total - alarms[_i].down, "usable", alarms[_i].total - alarms[_i].down,
		"total", alarms[_i].total, "alarm", "since_ms", 55000, "down", alarms[_i].down,
		"of", alarms[_i].of, "max", alarms[_i].max, "freeze", alarms[_i].held >= 0, "held",
		alarms[_i].held, "sites");

	ck_assert_ptr_nonnull(status);
	show_status(status, out, false);
	(void)fclose(out);
	ck_assert_msg(strstr(text, alarms[_i].told) != NULL, "%s", text);
	json_decref(status);
	free(text);
}
END_TEST

static const struct {
	const char *factors; /* of a node whose weight is 100 */
	unsigned count;
	const char *told;
} weights[] = {
	{ "{}", 0, "weight 100" },
	{ "{'weight': 100, 'agent': 1.0, 'load': 1.0, 'ramp': 1.0, 'effective': 100.0}", 0,
	  "weight 100" },
	{ "{'weight': 100, 'agent': 2.5, 'load': 1.0, 'ramp': 1.0, 'effective': 250.0}", 1,
	  "weight 250 = 100 x 250 % (agent)" },
	{ "{'weight': 100, 'agent': 0.75, 'load': 0.6, 'ramp': 0.19, 'effective': 8.5498}", 3,
	  "weight 8.5 = 100 x 75 % (agent) x 60 % (load) x 19 % (ramp)" },
	{ "{'weight': 40, 'ordered': true, 'agent': 1.0, 'load': 0.555, 'ramp': 1.0, 'effective': 22.2}",
	  2, "weight 22.2 = 40 (ordered) x 55.5 % (load)" },
};

START_TEST(weight_is_told_with_what_it_is_made_of)
{
	char *text = NULL, *quoted = strdup(weights[_i].factors);
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *node;

	for (char *c = quoted; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	node = json_pack("{s:i, s:o}", "weight", 100, "factors", json_loads(quoted, 0, NULL));
	ck_assert_ptr_nonnull(node);
	ck_assert_uint_eq(weight_factors(node), weights[_i].count);
	show_weight(node, out);
	(void)fclose(out);
	ck_assert_str_eq(text, weights[_i].told);
	json_decref(node);
	free(quoted);
	free(text);
}
END_TEST

static const struct {
	int level; /* of 65535 */
	const char *told;
} ramps[] = {
	{ 6553, "ramping 10%" }, /* a ramp that begins at 10 %, in whole levels */
	{ 6554, "ramping 10%" },
	{ 32768, "ramping 50%" },
	{ 65500, "ramping 99%" },
};

START_TEST(ramp_is_told_in_percent_that_are_rounded)
{
	char text[CONDITION_TEXT_SIZE];
	json_t *node = json_pack("{s:s, s:s, s:i}", "condition", "ramping", "status", "up",
				 "ramp_level", ramps[_i].level);

	ck_assert_str_eq(condition_text(node, text), ramps[_i].told);
	json_decref(node);
}
END_TEST

START_TEST(weight_that_stays_where_it_is_is_told_as_on_no_way)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *follows = json_pack("{s:s, s:s, s:f, s:f, s:b, s:i, s:[{s:s, s:f, s:f, s:f}]}",
				    "cause", "between", "signal", "cpu", "part", 0.479, "target",
				    0.4375, "moves", 0, "wait_ms", 0, "signals", "name", "cpu",
				    "use", 0.9, "smoothed", 0.9, "say", 1.0);

	ck_assert(follows_load(follows));
	show_follows(follows, out);
	(void)fputc('\n', out);
	json_object_set_new(follows, "moves", json_true());
	json_object_set_new(follows, "wait_ms", json_integer(1500));
	show_follows(follows, out);
	(void)fclose(out);
	ck_assert_str_eq(text,
			 "48 % of its weight: cpu 90 %, between the marks\n"
			 "48 % of its weight, on the way to 44 %, next in 2 s: cpu 90 %, between "
			 "the marks");
	json_object_set_new(follows, "part", json_real(1));
	json_object_set_new(follows, "moves", json_false());
	ck_assert(!follows_load(follows));
	json_decref(follows);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *status = tcase_create("status");

	tcase_add_loop_test(status, alarm_of_a_pool_reads_right_for_one_node_too, 0,
			    (int)(sizeof(alarms) / sizeof(alarms[0])));
	tcase_add_loop_test(status, weight_is_told_with_what_it_is_made_of, 0,
			    (int)(sizeof(weights) / sizeof(weights[0])));
	tcase_add_loop_test(status, ramp_is_told_in_percent_that_are_rounded, 0,
			    sizeof(ramps) / sizeof(ramps[0]));
	tcase_add_test(status, weight_that_stays_where_it_is_is_told_as_on_no_way);
	suite_add_tcase(suite, status);

	suite_case(suite, "columns", columns_are_aligned_by_characters, colours_do_not_move_columns,
		   quantities_have_two_units_at_most);
	suite_case(suite, "asking", query_is_what_ldns_understands, answer_is_read_as_ldns_wrote_it,
		   rdata_of_services_reads_as_it_was_written, cut_answer_is_damaged_at_every_length,
		   pointer_that_does_not_lead_to_the_front_is_damage);
	add_orders_case(suite);
	return run_suite(suite);
}
