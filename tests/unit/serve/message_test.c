/* A block put anywhere in a message reads as it does at its canonical place. */
#include "serve/message.h"

#include <ldns/ldns.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "image/rrset_build.h"
#include "tests/unit/serve/fixture.h"
#include "tests/unit/serve/serve_test.h"

#define SIZE 65535

/* An RRset of MX, whose names share suffixes with the owner and with each other. */
static const struct rrset_block *mx_block(struct buf *buf, const uint8_t *owner, size_t owner_len)
{
	static const uint8_t first[] = "\0\1\4mail\3sub\1z\4test";
	static const uint8_t second[] = "\0\2\5other\3sub\1z\4test";
	static const uint8_t third[] = "\0\3\4mail\3sub\1z\4test";
	static const uint8_t fourth[] = "\0\4\3far\4away";
	static const uint8_t fifth[] = "\0\5\4near\4away";
	struct rrset_rdata rdatas[] = { { first, sizeof(first) },
					{ second, sizeof(second) },
					{ third, sizeof(third) },
					{ fourth, sizeof(fourth) },
					{ fifth, sizeof(fifth) } };
	struct rrset_source source = { .owner = owner,
				       .owner_len = (uint16_t)owner_len,
				       .type = TYPE_MX,
				       .ttl_s = 60,
				       .rdatas = rdatas,
				       .count = 5 };

	ck_assert_int_eq(rrset_build(buf, &source), 0);
	return (const struct rrset_block *)(const void *)buf->data;
}

/* A message whose question is `name`, filled to `pos` with NULL records of the root. */
static void message_start(struct message *m, const uint8_t *name, size_t name_len, size_t pos)
{
	struct writer w = { .data = mem_alloc(SIZE), .size = SIZE };

	put_u32(&w, 0x49448400);
	put_u32(&w, 0x00010000);
	put_u32(&w, 0);
	put_bytes(&w, name, name_len);
	put_u32(&w, 0x000f0001);
	*m = (struct message){ .data = w.data, .limit = SIZE };
	if (pos > w.pos) { /* 11 octets at least */
		put_u8(&w, 0);
		put_u16(&w, 10);
		put_u16(&w, 1);
		put_u32(&w, 0);
		put_u16(&w, (uint16_t)(pos - w.pos - 2));
		w.pos = pos;
		m->count[SECTION_ANSWER] = 1;
	}
	m->pos = w.pos;
}

/* The MX records of the message, as text; frees the message. */
static char *message_end(struct message *m)
{
	struct buf text = { 0 };
	ldns_pkt *pkt = NULL;
	ldns_status status;
	ldns_rr_list *list;

	store_u16(m->data + 6, m->count[SECTION_ANSWER]);
	status = ldns_wire2pkt(&pkt, m->data, m->pos);
	ck_assert_msg(status == LDNS_STATUS_OK, "%s", ldns_get_errorstr_by_id(status));
	list = ldns_pkt_rr_list_by_type(pkt, LDNS_RR_TYPE_MX, LDNS_SECTION_ANSWER);
	ck_assert_ptr_nonnull(list);
	ck_assert_uint_eq(ldns_rr_list_rr_count(list), 5);
	for (size_t i = 0; i < 5; i++) {
		char *line = ldns_rr2str(ldns_rr_list_rr(list, i));

		buf_format(&text, "%s", line);
		free(line);
	}
	ldns_rr_list_deep_free(list);
	ldns_pkt_free(pkt);
	free(m->data);
	buf_append(&text, "", 1);
	return (char *)text.data;
}

static const char expected[] = "sub.z.test.\t60\tIN\tMX\t1 mail.sub.z.test.\n"
			       "sub.z.test.\t60\tIN\tMX\t2 other.sub.z.test.\n"
			       "sub.z.test.\t60\tIN\tMX\t3 mail.sub.z.test.\n"
			       "sub.z.test.\t60\tIN\tMX\t4 far.away.\n"
			       "sub.z.test.\t60\tIN\tMX\t5 near.away.\n";

static const uint8_t owner_name[] = "\3sub\1z\4test";
static const uint8_t longer_name[] = "\1q\3sub\1z\4test"; /* the owner stands 2 octets into it */

static const size_t places[] = { 0,      0x200,  0x3f00, 0x3fa0, 0x3fe0, 0x3ff0, 0x3ffd,
				 0x3ffe, 0x3fff, 0x4000, 0x4001, 0x5000, 0xff00 };

START_TEST(a_block_reads_the_same_wherever_it_stands)
{
	for (unsigned how = 0; how < 3; how++) { /* the owner: the question, its suffix, nowhere */
		struct buf buf = { 0 };
		const struct rrset_block *block = mx_block(&buf, owner_name, sizeof(owner_name));
		struct owner owner = { owner_name, sizeof(owner_name), 0 };
		struct message m;
		char *text;

		message_start(&m, how == 1 ? longer_name : owner_name,
			      how == 1 ? sizeof(longer_name) : sizeof(owner_name), places[_i]);
		owner.place = how == 0 ? 12 : how == 1 ? 14 : 0;
		ck_assert(message_put(&m, SECTION_ANSWER, block, &owner));
		text = message_end(&m);
		ck_assert_str_eq(text, expected);
		free(text);
		buf_free(&buf);
	}
}
END_TEST

START_TEST(every_place_near_the_last_that_a_pointer_reaches_works)
{
	for (size_t pos = 0x3f40; pos < 0x4010; pos++) {
		struct buf buf = { 0 };
		const struct rrset_block *block = mx_block(&buf, owner_name, sizeof(owner_name));
		const struct owner owner = { owner_name, sizeof(owner_name), 12 };
		struct message m;
		char *text;

		message_start(&m, owner_name, sizeof(owner_name), pos);
		ck_assert(message_put(&m, SECTION_ANSWER, block, &owner));
		text = message_end(&m);
		ck_assert_str_eq(text, expected);
		free(text);
		buf_free(&buf);
	}
}
END_TEST

START_TEST(what_does_not_fit_is_not_begun)
{
	struct buf buf = { 0 };
	const struct rrset_block *block = mx_block(&buf, owner_name, sizeof(owner_name));

	for (unsigned how = 0; how < 3; how++) {
		struct owner owner = { owner_name, sizeof(owner_name), how == 2 ? 0 : 12 };
		struct message m;
		size_t start, size;

		message_start(&m, owner_name, sizeof(owner_name), how == 0 ? 0 : 0x100);
		start = m.pos;
		ck_assert(message_put(&m, SECTION_ANSWER, block, &owner));
		size = m.pos - start;
		for (size_t room = 0; room <= size; room++) {
			uint16_t count = m.count[SECTION_ANSWER];

			m.pos = start;
			m.limit = start + room;
			ck_assert_int_eq(message_put(&m, SECTION_ANSWER, block, &owner),
					 room == size);
			ck_assert_uint_eq(m.pos, room == size ? start + size : start);
			ck_assert_uint_eq(m.count[SECTION_ANSWER],
					  room == size ? count + 5 : count);
		}
		free(m.data);
	}
	buf_free(&buf);
}
END_TEST

START_TEST(a_wildcards_block_takes_the_name_that_was_asked)
{
	static const uint8_t wildcard[] = "\1*\3sub\1z\4test";
	static const uint8_t asked[] = "\3any\3way\3sub\1z\4test";
	static const char *const owners[] = { "any.way.sub.z.test." };

	for (unsigned place = 0; place < 2; place++) {
		struct buf buf = { 0 };
		const struct rrset_block *block = mx_block(&buf, wildcard, sizeof(wildcard));
		const struct owner owner = { asked, sizeof(asked), place == 0 ? 12 : 0 };
		struct message m;
		char *text;

		message_start(&m, asked, sizeof(asked), 0);
		ck_assert(message_put(&m, SECTION_ANSWER, block, &owner));
		text = message_end(&m);
		ck_assert_int_eq(strncmp(text, owners[0], strlen(owners[0])), 0);
		ck_assert_ptr_nonnull(strstr(text, "\t2 other.sub.z.test.\n"));
		ck_assert_ptr_nonnull(strstr(text, "\t5 near.away.\n"));
		free(text);
		buf_free(&buf);
	}
}
END_TEST

START_TEST(a_name_of_a_block_is_read_in_full)
{
	static const uint8_t mail[] = "\4mail\3sub\1z\4test";
	struct buf buf = { 0 };
	const struct rrset_block *block = mx_block(&buf, owner_name, sizeof(owner_name));
	const struct owner owner = { owner_name, sizeof(owner_name), 0 };
	uint8_t name[DNS_NAME_MAX];

	ck_assert_uint_eq(block_name(block, 14, &owner, name), sizeof(mail));
	ck_assert_mem_eq(name, mail, sizeof(mail));
	buf_free(&buf);
}
END_TEST

/* --- random order -------------------------------------------------------------------------------- */

#define SHUFFLED 40 /* at most */

/* `count` addresses whose last octet is 0 to count - 1. */
static const struct rrset_block *address_block(struct buf *buf, uint16_t type, size_t count)
{
	uint8_t addresses[SHUFFLED][16] = { { 0 } };
	struct rrset_rdata rdatas[SHUFFLED];
	uint16_t len = type == TYPE_A ? 4 : 16;
	struct rrset_source source = { .owner = owner_name,
				       .owner_len = sizeof(owner_name),
				       .type = type,
				       .ttl_s = 60,
				       .rdatas = rdatas,
				       .count = count };

	for (size_t i = 0; i < count; i++) {
		addresses[i][len - 1] = (uint8_t)i;
		rdatas[i] = (struct rrset_rdata){ addresses[i], len };
	}
	ck_assert_int_eq(rrset_build(buf, &source), 0);
	return (const struct rrset_block *)(const void *)buf->data;
}

/* The last octets of the addresses in the order of the message, as ldns reads it. */
static void read_order(const struct message *m, size_t count, unsigned *order)
{
	ldns_pkt *pkt = NULL;
	ldns_rr_list *list;

	store_u16(m->data + 6, m->count[SECTION_ANSWER]);
	ck_assert_int_eq(ldns_wire2pkt(&pkt, m->data, m->pos), LDNS_STATUS_OK);
	list = ldns_pkt_answer(pkt);
	ck_assert_uint_eq(ldns_rr_list_rr_count(list), count);
	for (size_t i = 0; i < count; i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(ldns_rr_list_rr(list, i), 0);

		order[i] = ldns_rdf_data(rdf)[ldns_rdf_size(rdf) - 1];
	}
	ldns_pkt_free(pkt);
}

/* Where the owner's name is: the question, or nowhere (then it stands in full in each record). */
START_TEST(each_order_of_shuffled_addresses_is_as_likely)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };
	struct owner owner = { owner_name, sizeof(owner_name), _i < 2 ? DNS_HEADER_SIZE : 0 };
	unsigned seen[256] = { 0 }, order[4], orders = 0;
	double chi_square = 0;
	struct buf buf = { 0 };
	const struct rrset_block *block = address_block(&buf, types[_i % 2], 4);

	for (unsigned round = 0; round < 4800; round++) {
		struct message m;

		message_start(&m, owner_name, sizeof(owner_name), 0);
		ck_assert(message_put(&m, SECTION_ANSWER, block, &owner));
		message_shuffle(&m, block, &owner, hash_word(round + 1000U));
		read_order(&m, 4, order);
		seen[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
		free(m.data);
	}
	for (unsigned i = 0; i < 256; i++) {
		orders += seen[i] > 0;
		if (seen[i] > 0)
			chi_square += (seen[i] - 200.0) * (seen[i] - 200.0) / 200;
	}
	ck_assert_uint_eq(orders, 24);
	ck_assert_msg(chi_square < 49.73, "chi-square %.1f", chi_square); /* p 0.001, 23 degrees */
	buf_free(&buf);
}
END_TEST

START_TEST(of_many_addresses_any_comes_first)
{
	struct owner owner = { owner_name, sizeof(owner_name), DNS_HEADER_SIZE };
	unsigned first[SHUFFLED] = { 0 }, order[SHUFFLED];
	double chi_square = 0;
	struct buf buf = { 0 };
	const struct rrset_block *block = address_block(&buf, TYPE_A, SHUFFLED);

	for (unsigned round = 0; round < 2000; round++) {
		bool seen[SHUFFLED] = { false };
		struct message m;

		message_start(&m, owner_name, sizeof(owner_name), 0);
		ck_assert(message_put(&m, SECTION_ANSWER, block, &owner));
		message_shuffle(&m, block, &owner, hash_word(round));
		read_order(&m, SHUFFLED, order);
		for (unsigned i = 0; i < SHUFFLED; i++)
			seen[order[i]] = true;
		for (unsigned i = 0; i < SHUFFLED; i++)
			ck_assert(seen[i]);
		first[order[0]]++;
		free(m.data);
	}
	for (unsigned i = 0; i < SHUFFLED; i++)
		chi_square += (first[i] - 50.0) * (first[i] - 50.0) / 50;
	ck_assert_msg(chi_square < 72.05, "chi-square %.1f", chi_square); /* p 0.001, 39 degrees */
	buf_free(&buf);
}
END_TEST

void add_message_tests(Suite *suite)
{
	TCase *blocks = tcase_create("message");

	tcase_add_loop_test(blocks, a_block_reads_the_same_wherever_it_stands, 0,
			    sizeof(places) / sizeof(places[0]));
	tcase_add_test(blocks, every_place_near_the_last_that_a_pointer_reaches_works);
	tcase_add_test(blocks, what_does_not_fit_is_not_begun);
	tcase_add_test(blocks, a_wildcards_block_takes_the_name_that_was_asked);
	tcase_add_test(blocks, a_name_of_a_block_is_read_in_full);
	tcase_add_loop_test(blocks, each_order_of_shuffled_addresses_is_as_likely, 0, 4);
	tcase_add_test(blocks, of_many_addresses_any_comes_first);
	suite_add_tcase(suite, blocks);
}
