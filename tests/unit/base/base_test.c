#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/channel.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/netprefix.h"
#include "tests/unit/run.h"

static void assert_base64(const char *octets, const char *text)
{
	char back[16], written[BASE64_SIZE(15)];
	size_t size = strlen(octets);

	base64_encode(octets, size, written);
	ck_assert_str_eq(written, text);
	ck_assert(base64_decode(text, strlen(text), back, size));
	ck_assert_mem_eq(back, octets, size);
	ck_assert(!base64_decode(text, strlen(text), back, size + 1));
}

START_TEST(base64_is_that_of_the_rfc)
{
	assert_base64("", "");
	assert_base64("f", "Zg==");
	assert_base64("fo", "Zm8=");
	assert_base64("foo", "Zm9v");
	assert_base64("foob", "Zm9vYg==");
	assert_base64("fooba", "Zm9vYmE=");
	assert_base64("foobar", "Zm9vYmFy");
	assert_base64("\xfb\xff\xbf\x00", "+/+/");
	assert_base64("\xff\xff\xff", "////");
}
END_TEST

START_TEST(base64_is_read_strictly)
{
	static const char *const wrong[] = { "Zh==",   "Z===", "Zg= ", "Zg=A",   "Zg",
					     "Zg==\n", "Z@==", "Z[==", "Z`==",   "Z{==",
					     "Z:==",   "Z.==", "Z,==", "\377g==" };
	char octets[4];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!base64_decode(wrong[i], strlen(wrong[i]), octets, 1), "%s",
			      wrong[i]);
	ck_assert(base64_decode_line(" \tZg==\r\n", 8, octets, 1));
	ck_assert_int_eq(octets[0], 'f');
	ck_assert(!base64_decode_line("  \n", 3, octets, 1));
	ck_assert(!base64_decode_line("Zg ==", 5, octets, 1));
}
END_TEST

START_TEST(error_gets_its_story_in_front)
{
	struct err err;

	ck_assert_int_eq(err_set(&err, "open: %s", "no such file"), -1);
	ck_assert_int_eq(err_prefix(&err, "zone %d", 7), -1);
	ck_assert_str_eq(err.text, "zone 7: open: no such file");
}
END_TEST

START_TEST(error_text_is_cut_not_overrun)
{
	struct err err;
	char long_text[2000];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&err, "%s", long_text);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	err_prefix(&err, "%s", long_text);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
}
END_TEST

START_TEST(reader_remembers_its_first_overrun)
{
	const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct reader r = { .data = bytes, .size = sizeof(bytes) };

	ck_assert_uint_eq(get_u32(&r), 0x01020304);
	ck_assert_uint_eq(get_u16(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(get_u8(&r), 0); /* one octet is left, but the reader has failed */
	ck_assert_ptr_null(get_bytes(&r, 1));
}
END_TEST

START_TEST(writer_writes_nothing_after_it_is_full)
{
	uint8_t bytes[5] = { 0 };
	struct writer w = { .data = bytes, .size = sizeof(bytes) };

	put_u32(&w, 0xa1b2c3d4);
	put_u16(&w, 0xffff);
	put_u8(&w, 0xff);
	ck_assert(w.full);
	ck_assert_uint_eq(w.pos, 4);
	ck_assert_mem_eq(bytes, "\xa1\xb2\xc3\xd4\x00", 5);
}
END_TEST

/* Which texts are networks; independent of our code: the host bits were worked out by hand. */
static const struct {
	const char *text;
	bool valid, host_bits;
	const char *again; /* as we print it */
} prefixes[] = {
	{ "192.0.2.0/24", true, false, "192.0.2.0/24" },
	{ "192.0.2.1", true, false, "192.0.2.1/32" },
	{ "0.0.0.0/0", true, false, "0.0.0.0/0" },
	{ "10.128.0.0/9", true, false, "10.128.0.0/9" },
	{ "10.128.0.0/8", false, true, NULL },
	{ "192.0.2.1/24", false, true, NULL },
	{ "2001:db8::/32", true, false, "2001:db8::/32" },
	{ "2001:DB8:0:0::/33", true, false, "2001:db8::/33" },
	{ "2001:db8:8000::/33", true, false, "2001:db8:8000::/33" },
	{ "2001:db8::1/127", false, true, NULL },
	{ "::/0", true, false, "::/0" },
	{ "192.0.2.0/33", false, false, NULL },
	{ "192.0.2.0/", false, false, NULL },
	{ "192.0.2.0/024", false, false, NULL },
	{ "192.0.2.0/-1", false, false, NULL },
	{ "192.0.2/24", false, false, NULL },
	{ "203.0.113.300", false, false, NULL },
	{ "2001:db8::/129", false, false, NULL },
	{ "", false, false, NULL },
};

START_TEST(networks_are_read_strictly)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct ip_prefix prefix;
		char text[IP_PREFIX_SIZE];
		bool host_bits;
		bool valid = ip_prefix_parse(prefixes[i].text, &prefix, &host_bits);

		ck_assert_msg(valid == prefixes[i].valid, "%s", prefixes[i].text);
		ck_assert_msg(host_bits == prefixes[i].host_bits, "%s", prefixes[i].text);
		if (valid)
			ck_assert_str_eq(ip_prefix_format(&prefix, text), prefixes[i].again);
	}
}
END_TEST

START_TEST(mask_keeps_exactly_the_first_bits)
{
	for (unsigned len = 0; len <= 128; len++) {
		uint8_t bytes[16];

		memset(bytes, 0xff, sizeof(bytes));
		ip_mask(bytes, len);
		for (unsigned bit = 0; bit < 128; bit++)
			ck_assert_int_eq(bytes[bit / 8] >> (7 - bit % 8) & 1, bit < len);
	}
}
END_TEST

static const struct {
	const char *text;
	bool valid;
	const char *again;
} endpoints[] = {
	{ "127.0.0.1:5300", true, "127.0.0.1:5300" },
	{ "127.0.0.1", true, "127.0.0.1:53" },
	{ "[::1]:5300", true, "[::1]:5300" },
	{ "[::1]", true, "[::1]:53" },
	{ "::1", true, "[::1]:53" },
	{ "127.0.0.1:0", false, NULL },
	{ "127.0.0.1:65536", false, NULL },
	{ "127.0.0.1:", false, NULL },
	{ "[127.0.0.1]:53", false, NULL },
	{ "[::1", false, NULL },
	{ "[::1]x", false, NULL },
	{ "localhost:53", false, NULL },
};

START_TEST(endpoints_have_an_address_and_perhaps_a_port)
{
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		struct ip_address address;
		uint16_t port;
		char text[IP_ENDPOINT_SIZE];
		bool valid = ip_endpoint_parse(endpoints[i].text, 53, &address, &port);

		ck_assert_msg(valid == endpoints[i].valid, "%s", endpoints[i].text);
		if (valid)
			ck_assert_str_eq(ip_endpoint_format(&address, port, text),
					 endpoints[i].again);
	}
}
END_TEST

START_TEST(socket_addresses_go_there_and_back)
{
	static const char *const texts[] = { "192.0.2.7", "2001:db8::7" };

	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_storage storage;
		struct ip_address from, to;
		uint16_t port = 0;

		ck_assert(ip_parse(texts[i], &from));
		ck_assert_uint_gt(ip_to_sockaddr(&from, 5300, &storage), 0);
		ip_from_sockaddr(&storage, &to, &port);
		ck_assert_uint_eq(port, 5300);
		ck_assert_mem_eq(&from, &to, sizeof(from));
	}
}
END_TEST

START_TEST(message_arrives_whole_with_its_descriptors)
{
	int pair[2], pipe_fds[2], got[CHANNEL_FDS_MAX];
	size_t got_count;
	char text[16];
	struct err err;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(channel_send(pair[0], "hello", 6, &pipe_fds[1], 1, &err), 0);
	ck_assert_int_eq(channel_receive(pair[1], text, sizeof(text), got, &got_count, &err), 6);
	ck_assert_str_eq(text, "hello");
	ck_assert_uint_eq(got_count, 1);
	ck_assert_int_eq(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(write(got[0], "x", 1), 1); /* it is the pipe's end */
	ck_assert_int_eq(read(pipe_fds[0], text, sizeof(text)), 1);
	channel_close_fds(got, got_count);
	close(pair[0]);
	ck_assert_int_eq(channel_receive(pair[1], text, sizeof(text), got, &got_count, &err), 0);
	close(pair[1]);
	channel_close_fds(pipe_fds, 2);
}
END_TEST

START_TEST(message_too_long_for_the_receiver_is_an_error_not_a_cut)
{
	int pair[2], got[CHANNEL_FDS_MAX];
	size_t got_count;
	char text[4];
	struct err err;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ck_assert_int_eq(channel_send(pair[0], "hello", 6, &pair[0], 1, &err), 0);
	ck_assert_int_eq(channel_receive(pair[1], text, sizeof(text), got, &got_count, &err), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_uint_eq(got_count, 0);
	channel_close_fds(pair, 2);
}
END_TEST

START_TEST(peer_that_ended_is_heard_to_its_end_whatever_it_left_unread)
{
	int pair[2], got[CHANNEL_FDS_MAX];
	size_t got_count;
	char text[16];
	struct err err;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(channel_send(pair[0], "unread", 7, NULL, 0, &err), 0);
	ck_assert_int_eq(channel_send(pair[1], "first", 6, NULL, 0, &err), 0);
	ck_assert_int_eq(channel_send(pair[1], "last", 5, NULL, 0, &err), 0);
	close(pair[1]);
	ck_assert_int_eq(channel_receive(pair[0], text, sizeof(text), got, &got_count, &err), 6);
	ck_assert_int_eq(channel_receive(pair[0], text, sizeof(text), got, &got_count, &err), 5);
	ck_assert_str_eq(text, "last");
	ck_assert_int_eq(channel_receive(pair[0], text, sizeof(text), got, &got_count, &err), 0);
	close(pair[0]);
}
END_TEST

START_TEST(arrays_buffers_and_arenas_grow)
{
	uint32_t *items = NULL;
	size_t count = 0, capacity = 0;
	struct buf buf = { 0 };
	struct arena arena = { 0 };
	char *first = arena_text(&arena, "first", 5);

	for (uint32_t i = 0; i < 1000; i++) {
		array_add(items, count, capacity) = i;
		buf_format(&buf, "%u,", i % 10);
		memset(arena_alloc(&arena, i * 100), 0xff, (size_t)i * 100);
	}
	ck_assert_uint_eq(count, 1000);
	ck_assert_uint_eq(items[999], 999);
	ck_assert_uint_eq(buf.len, 2000);
	buf_append(&buf, "x", 1);
	buf_align(&buf, 8);
	ck_assert_uint_eq(buf.len, 2008);
	ck_assert_str_eq(first, "first"); /* nobody wrote over it */
	free(items);
	buf_free(&buf);
	arena_free(&arena);
}
END_TEST

/* Is chi-square within four standard deviations of what a random function gives? */
static bool is_random(const uint32_t *count, uint32_t slots, uint32_t total)
{
	double expected = (double)total / slots, off = 1.0 - slots;

	for (uint32_t i = 0; i < slots; i++)
		off += (count[i] - expected) * (count[i] - expected) / expected;
	return off * off < 4.0 * 4.0 * 2 * (slots - 1);
}

/* Networks as they come: one behind the other, and far apart; the first word of IPv4 /24 and /32, of
 * IPv6 /32 and /56. */
static const struct {
	uint64_t first, step;
	unsigned len;
} network_rows[] = {
	{ UINT64_C(10) << 56, UINT64_C(1) << 40, 24 },
	{ UINT64_C(10) << 56, UINT64_C(1) << 32, 32 },
	{ 0, UINT64_C(1) << 47, 24 },
	{ UINT64_C(0x2001) << 48, UINT64_C(1) << 32, 32 },
	{ UINT64_C(0x20010db8) << 32, UINT64_C(1) << 8, 56 },
};

START_TEST(networks_are_hashed_as_by_a_random_function)
{
	static uint32_t slots[4093], pairs[64 * 64], cuts[1024];

	for (uint64_t seed = 1; seed <= 3; seed++) {
		memset(slots, 0, sizeof(slots));
		memset(pairs, 0, sizeof(pairs));
		memset(cuts, 0, sizeof(cuts));
		for (uint32_t i = 0; i < 100000; i++) {
			uint64_t high = network_rows[_i].first + i * network_rows[_i].step;
			uint64_t bits = hash_network(high, 0, network_rows[_i].len,
						     hash_word(seed));
			/* Of another pool: which slot a network has here says nothing about there. */
			uint64_t other = hash_network(high, 0, network_rows[_i].len,
						      hash_word(~seed));

			slots[hash_below(bits, 4093)]++;
			pairs[hash_below(bits, 64) * 64 + hash_below(other, 64)]++;
			cuts[(bits & 0xffff) >> 6]++;
		}
		ck_assert(is_random(slots, 4093, 100000));
		ck_assert(is_random(pairs, 64 * 64, 100000));
		ck_assert(is_random(cuts, 1024, 100000));
	}
}
END_TEST

START_TEST(all_of_a_network_has_one_hash_and_no_other)
{
	uint64_t high = UINT64_C(0x20010db8a5a5a5a5), low = UINT64_C(0x5a5a5a5a5a5a5a5a);

	for (unsigned len = 0; len <= 128; len++) {
		for (unsigned bit = 0; bit < 128; bit++) {
			uint64_t flip = UINT64_C(1) << (63 - bit % 64);
			uint64_t hash = hash_network(high ^ (bit < 64 ? flip : 0),
						     low ^ (bit < 64 ? 0 : flip), len, 7);

			ck_assert_int_eq(hash == hash_network(high, low, len, 7), bit >= len);
		}
	}
}
END_TEST

START_TEST(hash_below_is_even)
{
	unsigned seen[7] = { 0 };

	for (uint64_t i = 0; i < 70000; i++)
		seen[hash_below(hash_word(i), 7)]++;
	for (unsigned i = 0; i < 7; i++) {
		ck_assert_uint_gt(seen[i], 9500); /* 10000 expected, standard deviation 93 */
		ck_assert_uint_lt(seen[i], 10500);
	}
}
END_TEST

/* Our stderr becomes a pipe; returns its other end. */
static int read_own_log(int *stderr_before)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	*stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	return ends[0];
}

/* Makes room in a pipe, or reads all of it. */
static size_t drain(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, text + len, size - len)) > 0)
		len += (size_t)n;
	text[len < size ? len : size - 1] = '\0';
	return len;
}

START_TEST(log_that_nobody_reads_loses_lines_and_counts_them)
{
	static char text[1 << 20];
	int before, fd = read_own_log(&before);

	for (int i = 0; i < 5000; i++) /* a pipe holds some 900 of them */
		log_info("an event with a detail", "number=%d", i);
	(void)drain(fd, text, sizeof(text));
	log_info("read again", "%s", "");
	(void)drain(fd, text, sizeof(text));
	ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
	ck_assert_ptr_nonnull(strstr(text, "lines were lost while nobody read the log lines="));
	ck_assert_ptr_nonnull(strstr(text, "read again"));
	(void)close(before);
	(void)close(fd);
}
END_TEST

START_TEST(log_writes_an_event_as_one_line_cut_to_fit)
{
	static char text[1 << 16];
	char foreign[3000];
	int before, fd = read_own_log(&before);

	memset(foreign, 'x', sizeof(foreign));
	foreign[10] = '\n';
	foreign[sizeof(foreign) - 1] = '\0';
	log_info("event", "value=%s", foreign);
	(void)drain(fd, text, sizeof(text));
	ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	ck_assert_uint_gt(strlen(text), 1000);
	(void)close(before);
	(void)close(fd);
}
END_TEST

static const char *logged(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	ck_assert_msg(at != NULL, "%s", text);
	return at + strlen(key);
}

START_TEST(log_escapes_what_stands_in_quotes)
{
	static char text[1 << 16];
	int before, fd = read_own_log(&before);

	log_info("event", "why=\"%s\" who=\"%s %d\" plain=%s",
		 "says \"no\" to C:\\\n\x1b[1m\x7f caf\xc3\xa9", "a\"b", 7, "x\ny\"");
	(void)drain(fd, text, sizeof(text));
	ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
	ck_assert_str_eq(logged(text, "event "),
			 "why=\"says \\\"no\\\" to C:\\\\\\n\\x1b[1m\\x7f caf\xc3\xa9\" "
			 "who=\"a\\\"b 7\" plain=x y\"\n");
	(void)close(before);
	(void)close(fd);
}
END_TEST

START_TEST(log_formats_as_printf_does)
{
	static char text[1 << 16];
	int before, fd = read_own_log(&before);

	log_info("event", "%d %u %zu %zd %lld %016llx %lu %.1f %g %c %.*s %s 100%% %5d|%-5s|", -1,
		 2U, (size_t)3, (ssize_t)-4, -5LL, 0xfeedULL, 6UL, 7.25, 0.5, 'c', 3, "abcdef",
		 "end", 42, "x");
	(void)drain(fd, text, sizeof(text));
	ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
	ck_assert_str_eq(logged(text, "event "),
			 "-1 2 3 -4 -5 000000000000feed 6 7.2 0.5 c abc end 100%    42|x    |\n");
	(void)close(before);
	(void)close(fd);
}
END_TEST

START_TEST(log_ends_a_quoted_value_that_is_cut)
{
	static char text[1 << 16], foreign[3000];
	int before, fd = read_own_log(&before);

	for (size_t begin = 0; begin < 8; begin++) { /* wherever the cut comes */
		memset(foreign, '"', sizeof(foreign) - 1);
		memset(foreign, 'x', begin);
		log_info("event", "why=\"%s\" more=\"%s\"", foreign, "x");
		(void)drain(fd, text, sizeof(text));
		for (const char *c = logged(text, "why=\""); *c != '"'; c += *c == '\\' ? 2 : 1)
			ck_assert_int_ne(*c, '\0');
		ck_assert_str_eq(text + strlen(text) - 2, "\"\n");
	}
	ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
	(void)close(before);
	(void)close(fd);
}
END_TEST

START_TEST(log_goes_to_stderr_where_there_is_no_syslog)
{
	static char text[1 << 16];
	int before, fd = read_own_log(&before);

	if (access("/dev/log", F_OK) == 0)
		goto out; /* this host has one: nothing to see */
	log_open("test", LOG_TARGET_SYSLOG, LOG_LEVEL_INFO);
	log_info("event", "%s", "");
	(void)drain(fd, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "there is no syslog"));
	ck_assert_ptr_nonnull(strstr(text, "test info: event\n"));
out:
	ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
	log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	(void)close(before);
	(void)close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *networks = tcase_create("networks");

	suite_case(suite, "err", error_gets_its_story_in_front, error_text_is_cut_not_overrun);
	suite_case(suite, "cursor", reader_remembers_its_first_overrun,
		   writer_writes_nothing_after_it_is_full);
	suite_case(suite, "base64", base64_is_that_of_the_rfc, base64_is_read_strictly);
	suite_case(suite, "netprefix", networks_are_read_strictly,
		   mask_keeps_exactly_the_first_bits, endpoints_have_an_address_and_perhaps_a_port,
		   socket_addresses_go_there_and_back);
	suite_case(suite, "channel", message_arrives_whole_with_its_descriptors,
		   message_too_long_for_the_receiver_is_an_error_not_a_cut,
		   peer_that_ended_is_heard_to_its_end_whatever_it_left_unread);
	suite_case(suite, "mem", arrays_buffers_and_arenas_grow);
	suite_case(suite, "hash", hash_below_is_even, all_of_a_network_has_one_hash_and_no_other);
	tcase_add_loop_test(networks, networks_are_hashed_as_by_a_random_function, 0,
			    sizeof(network_rows) / sizeof(network_rows[0]));
	suite_add_tcase(suite, networks);
	suite_case(suite, "log", log_that_nobody_reads_loses_lines_and_counts_them,
		   log_writes_an_event_as_one_line_cut_to_fit, log_escapes_what_stands_in_quotes,
		   log_formats_as_printf_does, log_ends_a_quoted_value_that_is_cut,
		   log_goes_to_stderr_where_there_is_no_syslog);
	return run_suite(suite);
}
