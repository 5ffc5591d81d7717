/* What happens to answers that are larger than they may be. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/serve/fixture.h"
#include "tests/unit/serve/serve_test.h"

/* Numbers of records: `big` does not fit 512 octets, `huge` no UDP; `many` fills more of a message
 * than compression pointers reach. */
#define BIG  40
#define HUGE 300
#define MANY 1000

static struct fixture fixture;

static void add_hosts(struct buf *text, const char *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_format(text, "%s A 10.0.%u.%u\n", name, i / 256, i % 256);
}

static void add_delegation(struct buf *text, const char *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_format(text, "%s NS ns%u.%s\nns%u.%s A 10.1.%u.%u\n", name, i, name, i, name,
			   i / 256, i % 256);
}

static void add_outside(struct buf *text, const char *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_format(text, "%s NS out%u\nout%u A 10.2.%u.%u\n", name, i, i, i / 256, i % 256);
}

static void setup(void)
{
	struct buf text = { 0 };
	struct fixture_zone zone = { .file = "z.test.zone" };

	buf_format(&text, "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n"
			  "tobig CNAME big\ntomany CNAME many\n");
	add_hosts(&text, "big", BIG);
	add_hosts(&text, "huge", HUGE);
	for (unsigned i = 0; i < 20; i++)
		buf_format(&text, "mx MX %u host%u\nhost%u A 10.3.0.%u\n", i, i, i, i);
	add_delegation(&text, "cut", 20);
	add_delegation(&text, "many", MANY);
	add_outside(&text, "side", 12);
	buf_append(&text, "", 1);
	zone.text = (const char *)text.data;
	fixture_open(&fixture, &zone, 1, NULL);
	buf_free(&text);
}

static void teardown(void)
{
	fixture_close(&fixture);
}

static unsigned count_lines(const char *text, const char *start)
{
	unsigned count = 0;

	for (const char *p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		count += strncmp(p, start, strlen(start)) == 0;
	}
	return count;
}

static const struct {
	struct question q;
	const char *first;   /* line of the reply */
	unsigned an, au, ad; /* records */
} rows[] = {
	{ ASK("big.z.test.", "A"), "NOERROR aa tc\n", 0, 0, 0 },
	{ ASK("big.z.test.", "A", .edns_size = 512), "NOERROR aa tc\n", 0, 0, 0 },
	{ ASK("big.z.test.", "A", .edns_size = 100), "NOERROR aa tc\n", 0, 0, 0 },
	{ ASK("big.z.test.", "A", .edns_size = 1232), "NOERROR aa\n", BIG, 0, 0 },
	{ ASK("big.z.test.", "A", .edns_size = 65535), "NOERROR aa\n", BIG, 0, 0 },
	{ ASK("big.z.test.", "A", .tcp = true), "NOERROR aa\n", BIG, 0, 0 },
	{ ASK("big.z.test.", "ANY"), "NOERROR aa tc\n", 0, 0, 0 },
	{ ASK("tobig.z.test.", "A"), "NOERROR aa tc\n", 1, 0, 0 }, /* the CNAME stays */
	{ ASK("huge.z.test.", "A", .edns_size = 4096), "NOERROR aa tc\n", 0, 0, 0 },
	{ ASK("huge.z.test.", "A", .tcp = true, .edns_size = 512), "NOERROR aa\n", HUGE, 0, 0 },
	/* additional addresses are left out without a word */
	{ ASK("mx.z.test.", "MX"), "NOERROR aa\n", 20, 0, 0 },
	{ ASK("mx.z.test.", "MX", .edns_size = 900), "NOERROR aa\n", 20, 0, 20 },
	/* but not glue of servers below the cut */
	{ ASK("x.cut.z.test.", "A"), "NOERROR tc\n", 0, 20, 0 },
	{ ASK("x.cut.z.test.", "A", .edns_size = 1232), "NOERROR\n", 0, 20, 20 },
	{ ASK("x.side.z.test.", "A"), "NOERROR\n", 0, 12, 12 },
	{ ASK("x.side.z.test.", "A", .tcp = true), "NOERROR\n", 0, 12, 12 },
	/* where pointers do not reach, names are written out */
	{ ASK("x.many.z.test.", "A", .tcp = true), "NOERROR\n", 0, MANY, MANY },
	{ ASK("tomany.z.test.", "A", .tcp = true, .ecs = "10.0.0.0/8"), "NOERROR aa\n", 1, MANY,
	  MANY },
};

START_TEST(each_size_has_its_answer)
{
	char *reply = fixture_ask(&fixture, &rows[_i].q);
	unsigned an = count_lines(reply, "an "), au = count_lines(reply, "au ");
	unsigned ad = count_lines(reply, "ad ");

	ck_assert_msg(strncmp(reply, rows[_i].first, strlen(rows[_i].first)) == 0, "%s: %s",
		      rows[_i].q.name, reply);
	ck_assert_uint_eq(an, rows[_i].an);
	ck_assert_uint_eq(au, rows[_i].au);
	/* what fits of courtesies depends on the octet */
	if (rows[_i].ad == 0 && strstr(reply, " tc") != NULL)
		ck_assert_uint_lt(ad, au + 1);
	else if (rows[_i].q.edns_size != 0 || rows[_i].q.tcp)
		ck_assert_uint_eq(ad, rows[_i].ad);
	free(reply);
}
END_TEST

START_TEST(glue_of_the_last_server_is_right)
{
	static const struct question q = ASK("x.many.z.test.", "A", .tcp = true);
	char *reply = fixture_ask(&fixture, &q);

	ck_assert_ptr_nonnull(strstr(reply, "ad ns999.many.z.test. 60 IN A 10.1.3.231\n"));
	ck_assert_ptr_nonnull(strstr(reply, "au many.z.test. 60 IN NS ns999.many.z.test.\n"));
	free(reply);
}
END_TEST

/* fixture_ask checks the limit. At each size the answer is whole or has TC. */
START_TEST(every_size_limit_is_kept)
{
	static const char *const names[] = { "mx.z.test.",     "big.z.test.",   "x.cut.z.test.",
					     "x.side.z.test.", "tobig.z.test.", "none.z.test." };

	for (uint16_t size = 512; size <= 1232; size = (uint16_t)(size + 1)) {
		for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct question q = ASK(names[i], i == 0 ? "MX" : "A", .edns_size = size);

			free(fixture_ask(&fixture, &q));
			q.ecs = "192.0.2.0/24";
			free(fixture_ask(&fixture, &q));
		}
	}
}
END_TEST

void add_size_tests(Suite *suite)
{
	TCase *sizes = tcase_create("sizes");

	tcase_add_checked_fixture(sizes, setup, teardown);
	tcase_set_timeout(sizes, 60);
	tcase_add_loop_test(sizes, each_size_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(sizes, glue_of_the_last_server_is_right);
	tcase_add_test(sizes, every_size_limit_is_kept);
	suite_add_tcase(suite, sizes);
}
