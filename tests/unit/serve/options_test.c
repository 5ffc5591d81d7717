/* What answer() says by EDNS options and in class CH, and how long its answers may be for clients
 * that have shown no cookie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "tests/unit/serve/fixture.h"
#include "tests/unit/serve/serve_test.h"

static const struct fixture_zone zones[] = {
	{ "z.test.zone",
	  "$TTL 60\n@ SOA ns1 h 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n"
	  "loop1 CNAME loop2\nloop2 CNAME loop1\nend CNAME www\nout CNAME www.example.org.\n"
	  "c0 CNAME c1\nc1 CNAME c2\nc2 CNAME c3\nc3 CNAME c4\nc4 CNAME c5\nc5 CNAME c6\n"
	  "c6 CNAME c7\nc7 CNAME c8\nc8 CNAME c9\nc9 CNAME c10\nc10 CNAME c11\n"
	  "c11 CNAME c12\nc12 CNAME c13\nc13 CNAME c14\nc14 CNAME c15\nc15 CNAME c16\n"
	  "c16 CNAME c17\nc17 A 192.0.2.1\nwww A 192.0.2.80\nvpn POOL edge\n"
	  "cut NS ns.cut\nns.cut A 192.0.2.2\n"
	  "texts TXT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  " bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n" },
};

#define NOW 1559731985
static const struct dns_settings all = { .udp_size_max = 1232,
					 .ecs = 1,
					 .cookies = 1,
					 .cookie_secret_count = 1,
					 .tcp_idle_ms = 10000,
					 .tcp_lifetime_ms = 1800000,
					 .tcp_connections = 1000,
					 .cookie_secrets = { "0123456789abcde" },
					 .version = { .len = 3, .octets = "1.0" },
					 .identity = { .len = 4, .octets = "here" },
					 .nsid = { .len = 3, .octets = { 'n', 's', 0 } } };
static const struct dns_settings nothing = { .udp_size_max = 1232,
					     .tcp_idle_ms = 10000,
					     .tcp_lifetime_ms = 1800000,
					     .tcp_connections = 1000 };
static struct fixture fixture, bare;

static void setup(void)
{
	fixture_open(&fixture, zones, 1, &(struct fixture_options){ .dns = &all });
	fixture_open(&bare, zones, 1, &(struct fixture_options){ .dns = &nothing });
}

static void teardown(void)
{
	fixture_close(&fixture);
	fixture_close(&bare);
}

/* --- rows ------------------------------------------------------------------------------------- */

#define OPTIONS(text) .options = (text), .options_len = sizeof(text) - 1
#define NSID          "\0\3\0\0"
#define COOKIE         \
	"\0\x0a\0\x08" \
	"12345678"
#define COOKIE_BAD                 \
	"\0\x0a\0\x18"             \
	"12345678"                 \
	"\1\0\0\0\x5c\xf7\x9f\x11" \
	"deadbeef"
#define WWW            "an www.z.test. 60 IN A 192.0.2.80\n"
#define SOA            "au z.test. 60 IN SOA ns1.z.test. h.z.test. 1 7200 900 1209600 60\n"
#define CH(name, text) "an " name " 0 CH TXT \"" text "\"\n"

static const struct row {
	struct question q;
	const char *reply;    /* of a server that says everything */
	const char *reticent; /* of one that says nothing; NULL: the same */
} rows[] = {
	/* RFC 5001, 2.1 and 2.2: where it is asked for */
	{ ASK("www.z.test.", "A", OPTIONS(NSID)), "NOERROR aa\n" WWW "option 3 6e7300\n",
	  "NOERROR aa\n" WWW },
	{ ASK("www.z.test.", "A", .edns_size = 1232), "NOERROR aa\n" WWW, NULL },
	{ ASK("missing.z.test.", "A", .ecs = "10.0.0.0/8", OPTIONS(NSID)),
	  "NXDOMAIN aa\n" SOA "ecs 10.0.0.0/8/0\noption 3 6e7300\n", "NXDOMAIN aa\n" SOA },

	/* RFC 7830, and RFC 7828 where the caller has no timeout to tell */
	{ ASK("www.z.test.", "A",
	      OPTIONS("\0\x0c\0\x08"
		      "\0\0\0\0\0\0\0\0")),
	  "NOERROR aa\n" WWW, NULL },

	/* RFC 8914 */
	{ ASK("www.example.org.", "A", .edns_size = 1232), "REFUSED\nerror 20\n", NULL },
	{ ASK("www.example.org.", "A"), "REFUSED\n", NULL },
	{ ASK("www.z.test.", "A", .class = CLASS_ANY, .edns_size = 1232), "REFUSED\nerror 21\n",
	  NULL },
	{ ASK("www.z.test.", "A", .class = 4, .edns_size = 1232), "REFUSED\nerror 21\n", NULL },
	{ ASK("z.test.", "AXFR", .edns_size = 1232), "REFUSED\nerror 21\n", NULL },
	{ ASK("www.z.test.", "IXFR", .edns_size = 1232), "NOTAUTH\nerror 20\n", NULL },
	{ ASK("www.z.test.", "MAILB", .edns_size = 1232), "NOTIMPL\nerror 21\n", NULL },
	{ ASK("loop1.z.test.", "A", .edns_size = 1232),
	  "NOERROR aa\nan loop1.z.test. 60 IN CNAME loop2.z.test.\n"
	  "an loop2.z.test. 60 IN CNAME loop1.z.test.\nerror 0 chain of aliases is a loop\n",
	  NULL },
	{ ASK("out.z.test.", "A", .edns_size = 1232),
	  "NOERROR aa\nan out.z.test. 60 IN CNAME www.example.org.\n", NULL },
	{ ASK("www.z.test.", "MX", .edns_size = 1232), "NOERROR aa\n" SOA, NULL },

	/* RFC 4892, and BIND's other two names */
	{ ASK("version.bind.", "TXT", .class = CLASS_CH), "NOERROR aa\n" CH("version.bind.", "1.0"),
	  "REFUSED\n" },
	{ ASK("VERSION.Server.", "TXT", .class = CLASS_CH),
	  "NOERROR aa\n" CH("VERSION.Server.", "1.0"), "REFUSED\n" },
	{ ASK("id.server.", "ANY", .class = CLASS_CH), "NOERROR aa\n" CH("id.server.", "here"),
	  "REFUSED\n" },
	{ ASK("hostname.bind.", "TXT", .class = CLASS_CH, .edns_size = 1232),
	  "NOERROR aa\n" CH("hostname.bind.", "here"), "REFUSED\nerror 18\n" },
	{ ASK("hostname.bind.", "A", .class = CLASS_CH), "NOERROR aa\n", "REFUSED\n" },
	{ ASK("authors.bind.", "TXT", .class = CLASS_CH, .edns_size = 1232), "REFUSED\nerror 20\n",
	  NULL },
	{ ASK("www.z.test.", "A", .class = CLASS_CH), "REFUSED\n", NULL },
	{ ASK("id.server.", "AXFR", .class = CLASS_CH, .edns_size = 1232), "REFUSED\nerror 21\n",
	  NULL },
	{ ASK("id.server.", "TXT", .edns_size = 1232), "REFUSED\nerror 20\n", NULL },

	/* what is malformed says nothing more */
	{ ASK("www.z.test.", "A", OPTIONS(NSID "\0\x0a\0\1x")), "FORMERR\n", "NOERROR aa\n" WWW },
};

START_TEST(each_question_has_its_answer)
{
	const char *reticent = rows[_i].reticent != NULL ? rows[_i].reticent : rows[_i].reply;
	struct question q = rows[_i].q;

	for (unsigned tcp = 0; tcp < 2; tcp++) {
		char *reply;

		q.tcp = tcp == 1;
		reply = fixture_ask(&fixture, &q);
		ck_assert_str_eq(reply, rows[_i].reply);
		free(reply);
		reply = fixture_ask(&bare, &q);
		ck_assert_str_eq(reply, reticent);
		free(reply);
	}
}
END_TEST

START_TEST(a_chain_that_is_too_long_is_told)
{
	static const struct question q = ASK("c0.z.test.", "A", .edns_size = 1232);
	static const struct question q1 = ASK("c1.z.test.", "A", .edns_size = 1232);
	char *reply = fixture_ask(&fixture, &q);

	ck_assert_ptr_nonnull(strstr(reply, "\nerror 0 chain of aliases too long\n"));
	free(reply);
	reply = fixture_ask(&fixture, &q1);
	ck_assert_ptr_nonnull(strstr(reply, "an c17.z.test. 60 IN A 192.0.2.1\n"));
	ck_assert_ptr_null(strstr(reply, "error"));
	free(reply);
}
END_TEST

/* --- bytes in, bytes out ---------------------------------------------------------------------- */

static size_t send_to(const struct world *world, const struct client *client, const void *message,
		      size_t len, uint8_t reply[4096])
{
	return answer(world, client, message, len, reply, 4096, &fixture.counters);
}

static const struct client anybody = { .address = { { 192, 0, 2, 1 }, IP_V4 }, .unix_s = NOW };
static const struct client by_tcp = { .address = { { 192, 0, 2, 1 }, IP_V4 },
				      .tcp = true,
				      .tells_keepalive = true,
				      .tcp_keepalive = 0x0102,
				      .unix_s = NOW };

#define OPT_OF(rdata) "\0\0\x29\x04\xd0\0\0\0\0" rdata
#define ID_ONLY       "ID\0\0\0\0\0\0\0\0\0\1"

START_TEST(before_there_is_a_world_it_says_so)
{
	static const char message[] = "ID\0\0\0\1\0\0\0\0\0\1"
				      "\1x\0\0\1\0\1" OPT_OF("\0\4" NSID);
	uint8_t reply[4096];
	size_t len = send_to(NULL, &anybody, message, sizeof(message) - 1, reply);
	char *text = reply_text(reply, len);

	ck_assert_str_eq(text, "SERVFAIL\nerror 14\n");
	free(text);
}
END_TEST

START_TEST(other_operations_are_not_supported)
{
	static const char message[] = "ID\x28\0\0\1\0\0\0\0\0\1"
				      "\1x\0\0\6\0\1" OPT_OF("\0\0");
	uint8_t reply[4096];
	size_t len = send_to(&fixture.world, &anybody, message, sizeof(message) - 1, reply);
	char *text = reply_text(reply, len);

	ck_assert_str_eq(text, "NOTIMPL\nerror 21\n");
	free(text);
}
END_TEST

START_TEST(the_idle_timeout_is_told_over_tcp)
{
	static const char message[] = "ID\0\0\0\1\0\0\0\0\0\1"
				      "\1x\0\0\1\0\1" OPT_OF("\0\4"
							     "\0\x0b\0\0");
	uint8_t reply[4096];
	size_t len = send_to(&fixture.world, &by_tcp, message, sizeof(message) - 1, reply);
	char *text = reply_text(reply, len);

	ck_assert_str_eq(text, "REFUSED\noption 11 0102\nerror 20\n");
	free(text);
	len = send_to(&fixture.world, &anybody, message, sizeof(message) - 1, reply);
	text = reply_text(reply, len);
	ck_assert_str_eq(text, "REFUSED\nerror 20\n");
	free(text);
}
END_TEST

/* --- cookies ---------------------------------------------------------------------------------- */

/* The cookie in the OPT record at the end of a reply that has nothing else there. */
static const uint8_t *cookie_of(const uint8_t *reply, size_t len)
{
	const uint8_t *option = reply + len - 28;

	ck_assert_uint_ge(len, 12 + 11 + 28);
	ck_assert_uint_eq(load_u16(option), 10);
	ck_assert_uint_eq(load_u16(option + 2), 24);
	return option + 4;
}

/* A message of nothing but that cookie. */
static size_t cookie_query(uint8_t *message, const void *cookie, size_t len)
{
	memcpy(message, ID_ONLY OPT_OF("\0\0"), 23);
	store_u16(message + 21, (uint16_t)(4 + len));
	store_u16(message + 23, 10);
	store_u16(message + 25, (uint16_t)len);
	memcpy(message + 27, cookie, len);
	return 27 + len;
}

static unsigned extended_rcode(const uint8_t *reply)
{
	return (unsigned)reply[12 + 5] << 4 | (reply[3] & 15U); /* there is no question */
}

/* RFC 7873, 5.4. */
START_TEST(a_cookie_alone_may_be_asked_for)
{
	uint8_t message[100], reply[4096], cookie[24];
	size_t len = cookie_query(message, "12345678", 8);

	len = send_to(&fixture.world, &anybody, message, len, reply);
	ck_assert_uint_eq(len, 12 + 11 + 28);
	ck_assert_uint_eq(extended_rcode(reply), RCODE_NOERROR);
	ck_assert_uint_eq(load_u16(reply + 4), 0);
	memcpy(cookie, cookie_of(reply, len), 24);
	ck_assert_mem_eq(cookie, "12345678", 8);

	len = send_to(&fixture.world, &anybody, message, cookie_query(message, cookie, 24), reply);
	ck_assert_uint_eq(extended_rcode(reply), RCODE_NOERROR);
	ck_assert_mem_eq(cookie_of(reply, len), cookie, 24);

	cookie[23] ^= 1;
	len = send_to(&fixture.world, &by_tcp, message, cookie_query(message, cookie, 24), reply);
	ck_assert_uint_eq(extended_rcode(reply), RCODE_BADCOOKIE);
	ck_assert_mem_eq(cookie_of(reply, len), "12345678", 8);
	ck_assert_mem_ne(cookie_of(reply, len), cookie, 24);

	len = send_to(&bare.world, &anybody, message, cookie_query(message, cookie, 24), reply);
	ck_assert_uint_eq(len, 12 + 11);
	ck_assert_uint_eq(extended_rcode(reply), RCODE_FORMERR);
}
END_TEST

START_TEST(an_invalid_cookie_costs_nothing_but_a_new_one)
{
	static const struct question q = ASK("www.z.test.", "A", OPTIONS(COOKIE_BAD),
					     .unix_s = NOW);
	char *reply = fixture_ask(&fixture, &q);

	ck_assert_int_eq(strncmp(reply, "NOERROR aa\n" WWW "option 10 3132333435363738010000005cf7",
				 sizeof("NOERROR aa\n" WWW) - 1 + 38),
			 0);
	ck_assert_ptr_null(strstr(reply, "6465616462656566")); /* "deadbeef" */
	free(reply);
}
END_TEST

/* --- the amplification rule ------------------------------------------------------------------- */

#define FACTOR_MAX 5

static struct world world_with(const struct dns_settings *settings, int *fd)
{
	struct world world = fixture.world;
	struct err err;

	*fd = fixture_steering(&fixture, &(struct fixture_options){ .dns = settings });
	ck_assert_int_eq(image_open(&world.steering, *fd, IMAGE_STEERING, &err), 0);
	return world;
}

static const struct question longest[] = {
	ASK("texts.z.test.", "TXT"),
	ASK("texts.z.test.", "TXT", .edns_size = 1232),
	ASK("texts.z.test.", "TXT", OPTIONS(NSID COOKIE)),
	ASK("texts.z.test.", "TXT", OPTIONS(NSID COOKIE_BAD), .ecs = "2001:db8::/56"),
	ASK("vpn.z.test.", "A", OPTIONS(NSID COOKIE), .ecs = "192.0.2.0/24"),
	ASK("z.test.", "SOA", OPTIONS(NSID)),
	ASK("x.cut.z.test.", "A", OPTIONS(NSID COOKIE)),
	ASK("c0.z.test.", "A", OPTIONS(COOKIE)),
	ASK("missing.z.test.", "A"),
	ASK("www.example.org.", "A", OPTIONS(NSID COOKIE)),
	ASK(".", "ANY", .edns_size = 4096),
	ASK(".", "NS", OPTIONS(COOKIE)),
	ASK("version.bind.", "TXT", .class = CLASS_CH, OPTIONS(NSID)),
	ASK("id.server.", "TXT", .class = CLASS_CH),
	ASK("z.test.", "AXFR", OPTIONS(NSID COOKIE)),
};

#define TSIG_AT_THE_END                     \
	"\3key\0\0\xfa\0\xff\0\0\0\0\0\x1d" \
	"\x0bhmac-sha256\0"                 \
	"\0\0\0\0\0\1\1\x2c\0\0"            \
	"ID\0\0\0\0"

#define MESSAGE_MAX 600

static size_t strange_message(uint8_t message[MESSAGE_MAX], unsigned n, uint64_t *random)
{
	static uint8_t written[FIXTURE_MESSAGE_SIZE];
	size_t len = question_write(&longest[n % (sizeof(longest) / sizeof(longest[0]))], written);

	ck_assert_uint_lt(len + sizeof(TSIG_AT_THE_END), MESSAGE_MAX);
	memcpy(message, written, len);
	*random = hash_word(*random + n);
	if ((*random & 7) == 0) {
		memcpy(message + len, TSIG_AT_THE_END, sizeof(TSIG_AT_THE_END) - 1);
		len += sizeof(TSIG_AT_THE_END) - 1;
		store_u16(message + 10, (uint16_t)(load_u16(message + 10) + 1));
	}
	for (uint64_t changes = *random >> 3 & 3; n > 200 && changes > 0; changes--) {
		*random = hash_word(*random);
		message[2 + *random % (len - 2)] = (uint8_t)(*random >> 32);
	}
	if (*random >> 60 == 0)
		len = 12 + *random % (len - 12);
	return len;
}

/* Each question, with a TSIG record too, and each with up to three octets that are something
 * else: FORMERR, BADVERS, NOTIMP, NOTAUTH and all the others. */
START_TEST(no_answer_is_longer_than_the_rule)
{
	struct dns_settings settings = all;
	uint8_t message[MESSAGE_MAX], reply[4096];
	uint64_t random = 1;
	unsigned truncated = 0;
	struct world world;
	int fd;

	settings.amplification = (uint16_t)_i;
	settings.nsid.len = SETTINGS_TEXT_MAX;
	settings.version.len = SETTINGS_TEXT_MAX;
	settings.identity.len = SETTINGS_TEXT_MAX;
	world = world_with(&settings, &fd);
	for (unsigned n = 0; n < 60000; n++) {
		size_t len = strange_message(message, n, &random);
		size_t reply_len = send_to(&world, &anybody, message, len, reply);

		ck_assert_uint_le(reply_len, len * (size_t)_i);
		truncated += reply_len > 0 && (reply[2] & 2) != 0;
	}
	ck_assert_uint_gt(truncated, 1000);
	image_close(&world.steering);
	(void)close(fd);
}
END_TEST

START_TEST(a_cookie_or_tcp_frees_from_the_rule)
{
	static const struct question q = ASK("texts.z.test.", "TXT", .edns_size = 1232);
	struct dns_settings settings = all;
	uint8_t *message = malloc(FIXTURE_MESSAGE_SIZE), reply[4096], asked[100], cookie[24];
	struct world world;
	size_t len, plain;
	int fd;

	ck_assert_ptr_nonnull(message);
	settings.amplification = 2;
	world = world_with(&settings, &fd);
	plain = question_write(&q, message);
	len = send_to(&world, &anybody, message, plain, reply);
	ck_assert_msg((reply[2] & 2) != 0, "TC");
	ck_assert_uint_eq(load_u16(reply + 6), 0);
	ck_assert_uint_eq(len, plain); /* question and OPT */
	len = send_to(&world, &by_tcp, message, plain, reply);
	ck_assert_uint_eq(reply[2] & 2, 0);
	ck_assert_uint_gt(len, 2 * plain);

	len = send_to(&world, &anybody, asked, cookie_query(asked, "12345678", 8), reply);
	memcpy(cookie, cookie_of(reply, len), 24);
	store_u16(message + plain - 2, 28);
	memcpy(message + plain, "\0\x0a\0\x18", 4);
	memcpy(message + plain + 4, cookie, 24);
	len = send_to(&world, &anybody, message, plain + 28, reply);
	ck_assert_uint_eq(reply[2] & 2, 0);
	ck_assert_uint_eq(load_u16(reply + 6), 1);
	ck_assert_uint_gt(len, 2 * (plain + 28));
	message[plain + 27] ^= 1;
	len = send_to(&world, &anybody, message, plain + 28, reply);
	ck_assert_msg((reply[2] & 2) != 0, "TC");
	ck_assert_uint_le(len, 2 * (plain + 28));
	image_close(&world.steering);
	(void)close(fd);
	free(message);
}
END_TEST

/* An EDNS error or NSID is there or not by the room that the rest leaves. */
START_TEST(nsid_and_errors_never_cause_tc)
{
	struct dns_settings settings = all;
	uint8_t *message = malloc(FIXTURE_MESSAGE_SIZE), reply[4096];
	static const struct question q = ASK("c0.z.test.", "A", OPTIONS(NSID));
	size_t len;

	ck_assert_ptr_nonnull(message);
	len = question_write(&q, message);
	settings.nsid.len = SETTINGS_TEXT_MAX;
	for (unsigned size = 512; size < 1000; size++) {
		int fd;
		struct world world;
		size_t reply_len;

		settings.udp_size_max = (uint16_t)size;
		world = world_with(&settings, &fd);
		reply_len = send_to(&world, &anybody, message, len, reply);
		ck_assert_uint_eq(reply[2] & 2, 0);
		ck_assert_uint_eq(load_u16(reply + 6), 17);
		ck_assert_uint_le(reply_len, size);
		image_close(&world.steering);
		(void)close(fd);
	}
	free(message);
}
END_TEST

void add_option_tests(Suite *suite)
{
	TCase *options = tcase_create("options");

	tcase_add_checked_fixture(options, setup, teardown);
	tcase_set_timeout(options, 60);
	tcase_add_loop_test(options, each_question_has_its_answer, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(options, a_chain_that_is_too_long_is_told);
	tcase_add_test(options, before_there_is_a_world_it_says_so);
	tcase_add_test(options, other_operations_are_not_supported);
	tcase_add_test(options, the_idle_timeout_is_told_over_tcp);
	tcase_add_test(options, a_cookie_alone_may_be_asked_for);
	tcase_add_test(options, an_invalid_cookie_costs_nothing_but_a_new_one);
	tcase_add_loop_test(options, no_answer_is_longer_than_the_rule, 2, FACTOR_MAX + 1);
	tcase_add_test(options, a_cookie_or_tcp_frees_from_the_rule);
	tcase_add_test(options, nsid_and_errors_never_cause_tc);
	suite_add_tcase(suite, options);
}
