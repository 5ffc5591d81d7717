/* The trie against brute force: random break points, and the answer worked out from the list. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compile/breaks.h"
#include "compile/geo_trie.h"
#include "geo_fixture.h"

#define BREAKS_MAX 3000

struct list {
	uint8_t family;
	unsigned count;
	address_bits start[BREAKS_MAX];
	uint32_t value[BREAKS_MAX];
	unsigned at; /* of geo_trie_next */
};

static bool next_of_list(void *context, address_bits *start, uint32_t *class_id)
{
	struct list *list = context;

	if (list->at == list->count)
		return false;
	*start = list->start[list->at];
	*class_id = list->value[list->at++];
	return true;
}

static bool nothing_more(void *context, address_bits *start, uint32_t *class_id)
{
	bool *begun = context;

	*start = 0;
	*class_id = 0;
	return (*begun = !*begun);
}

/* A geo image with this list as one family's trie; the other family is all class 0. */
static struct image build(struct list *list)
{
	struct image_writer writer;
	struct image image;
	struct geo_root *root;
	struct geo_draft drafts[2];
	struct geo_trie trie[2];
	struct err err;
	bool begun = false;
	unsigned mine = list->family == IP_V6;
	int fd;

	list->at = 0;
	ck_assert_int_eq(image_writer_open(&writer, IMAGE_GEO, sizeof(*root), &err), 0);
	geo_trie_build(&drafts[mine], mine, next_of_list, list);
	geo_trie_build(&drafts[!mine], !mine, nothing_more, &begun);
	for (int family = 0; family < 2; family++)
		trie[family] = geo_trie_write(&drafts[family], &writer);
	root = image_writer_root(&writer, struct geo_root);
	memcpy(root->trie, trie, sizeof(trie));
	root->class_count = GEO_CLASSES_MAX;
	root->pools_off = root->class_prefs_off = IMAGE_ROOT;
	(void)image_writer_reserve(&writer, GEO_CLASSES_MAX * 4, 8); /* room for class_prefs */
	ck_assert_int_eq(image_writer_finish(&writer, NULL, &fd, &err), 0);
	ck_assert_msg(image_open(&image, fd, IMAGE_GEO, &err) == 0, "%s", err.text);
	ck_assert_msg(geo_verify(&image, &err) == 0, "%s", err.text);
	close(fd);
	return image;
}

static struct ip_address address_of(uint8_t family, address_bits bits)
{
	struct ip_address address = { .family = family };

	for (int i = 0; i < (family == IP_V4 ? 4 : 16); i++)
		address.bytes[i] = (uint8_t)(bits >> (120 - 8 * i));
	return address;
}

/* An address near others: so that prefixes of all lengths come up. */
static address_bits random_near(uint64_t *seed, const struct list *list)
{
	address_bits bits = (address_bits)fixture_random(seed) << 64 |
			    (address_bits)fixture_random(seed);
	unsigned kept = (unsigned)(fixture_random(seed) % (list->family == IP_V4 ? 33 : 128));
	address_bits near = list->count > 0 ? list->start[fixture_random(seed) % list->count] : 0;

	bits = kept == 0 ? bits : (near ^ (bits >> kept));
	return list->family == IP_V4 ? bits >> 96 << 96 : bits;
}

static void sort_and_number(struct list *list, uint64_t *seed, uint32_t classes)
{
	unsigned count = 0;

	for (unsigned i = 1; i < list->count; i++) /* insertion: short lists */
		for (unsigned j = i; j > 0 && list->start[j] < list->start[j - 1]; j--) {
			address_bits swap = list->start[j];

			list->start[j] = list->start[j - 1];
			list->start[j - 1] = swap;
		}
	for (unsigned i = 0; i < list->count; i++)
		if (i == 0 || list->start[i] != list->start[i - 1])
			list->start[count++] = list->start[i];
	list->count = count;
	for (unsigned i = 0; i < count; i++) /* neighbours may be equal: the trie merges them */
		list->value[i] = (uint32_t)(fixture_random(seed) % classes);
}

static void fill(struct list *list, uint8_t family, unsigned count, uint32_t classes,
		 uint64_t *seed)
{
	list->family = family;
	list->count = 1;
	list->start[0] = 0;
	while (list->count < count) {
		address_bits bits = random_near(seed, list);
		unsigned len = (unsigned)(fixture_random(seed) % (family == IP_V4 ? 33 : 129));

		bits = len == 0 ? 0 : bits >> (128 - len) << (128 - len);
		list->start[list->count++] = bits;
		if (list->count < count && len > 0) /* where this network ends */
			list->start[list->count++] = bits + ((address_bits)1 << (128 - len));
	}
	sort_and_number(list, seed, classes);
}

static uint32_t class_at(const struct list *list, address_bits at)
{
	unsigned i = list->count;

	while (list->start[--i] > at)
		;
	return list->value[i];
}

/* Is all of the prefix in one run of equal classes? */
static bool is_one_class(const struct list *list, address_bits at, unsigned len)
{
	address_bits host = len == 0 ? ~(address_bits)0 : len == 128 ? 0 : ~(address_bits)0 >> len;
	address_bits first = at & ~host, last = at | host;

	for (unsigned i = 0; i < list->count; i++)
		if (list->start[i] > first && list->start[i] <= last &&
		    list->value[i] != class_at(list, first))
			return false;
	return true;
}

static bool holds_embedded(address_bits at, unsigned len)
{
	static const struct ip6_words networks[] = { { 0, UINT64_C(0xffff00000000) },
						     { UINT64_C(0x0064ff9b00000000), 0 } };

	for (int i = 0; i < 2; i++)
		if (len == 0 || (at ^ bits_of_v6(networks[i])) >> (128 - len) == 0)
			return true;
	return false;
}

static void check(const struct image *image, const struct list *list, address_bits at)
{
	struct ip_address address = address_of(list->family, at), v4;
	struct geo_match match = geo_find(image, &address);
	unsigned len = 0;
	char text[IP_TEXT_SIZE];

	if (geo_embedded_ipv4(&address, &v4))
		return;
	while (!is_one_class(list, at, len) || (list->family == IP_V6 && holds_embedded(at, len)))
		len++;
	ck_assert_msg(match.class_id == class_at(list, at) && match.prefix_len == len,
		      "%s: class %u /%u, not class %u /%u", ip_format(&address, text),
		      match.class_id, match.prefix_len, class_at(list, at), len);
}

/* Bits are counted in two ways, as the machine has it. */
static void check_descent(const struct image *image, const struct list *list, address_bits at)
{
	struct ip_address bytes = address_of(list->family, at);
	struct geo_address address = geo_address(&bytes);
	const struct geo_trie *trie = &image_root(image, struct geo_root)->trie[address.family];
	unsigned bits = geo_root_bits(address.family);
	uint32_t slot = image_at(image, uint32_t, trie->root_off)[address.high >> (64 - bits)];
	struct geo_match one, other;

	if ((slot & GEO_LEAF) != 0)
		return;
	one = geo_descend(image, trie, slot, address.high, address.low, bits);
	other = geo_descend_anywhere(image, trie, slot, address.high, address.low, bits);
	ck_assert_uint_eq(one.class_id, other.class_id);
	ck_assert_uint_eq(one.prefix_len, other.prefix_len);
}

/* Several at once come to where each comes alone. */
static void check_walks(const struct image *image, const struct list *list, uint64_t *seed)
{
	struct geo_walk walks[32], *left[32];
	struct geo_match matches[32], alone;
	unsigned count = 0;

	for (unsigned i = 0; i < 32; i++) {
		struct ip_address bytes = address_of(list->family, random_near(seed, list));

		walks[i].address = geo_address(&bytes);
		geo_walk_start(image, &walks[i]);
	}
	for (unsigned i = 0; i < 32; i++)
		if (!geo_walk_begin(image, &walks[i], &matches[i]))
			left[count++] = &walks[i];
	geo_walk_on(image, left, count);
	for (unsigned i = 0; i < count; i++)
		matches[left[i] - walks] = geo_walk_end(left[i]);
	for (unsigned i = 0; i < 32; i++) {
		alone = geo_find_address(image, &walks[i].address);
		ck_assert_uint_eq(matches[i].class_id, alone.class_id);
		ck_assert_uint_eq(matches[i].prefix_len, alone.prefix_len);
	}
}

static void check_random_lists(uint8_t family, unsigned breaks, uint32_t classes, unsigned rounds)
{
	static struct list list;
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15) + breaks * 31 + classes;

	for (unsigned round = 0; round < rounds; round++) {
		struct image image;

		fill(&list, family, breaks, classes, &seed);
		image = build(&list);
		for (unsigned i = 0; i < list.count; i++) {
			address_bits step = (address_bits)1 << (family == IP_V4 ? 96 : 0);

			check(&image, &list, list.start[i]);
			check_descent(&image, &list, list.start[i]);
			check(&image, &list, list.start[i] - step);
			check(&image, &list, random_near(&seed, &list));
		}
		for (unsigned i = 0; i < 1 + list.count / 10; i++)
			check_walks(&image, &list, &seed);
		image_close(&image);
	}
}

START_TEST(answer_is_the_class_and_the_longest_network_that_has_it)
{
	static const struct {
		unsigned breaks;
		uint32_t classes;
		unsigned rounds;
	} rows[] = { { 1, 1, 1 },   { 2, 2, 20 },      { 10, 2, 50 },           { 50, 3, 50 },
		     { 300, 2, 5 }, { 300, 65536, 5 }, { BREAKS_MAX - 1, 9, 1 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_random_lists(_i == 0 ? IP_V4 : IP_V6, rows[i].breaks, rows[i].classes,
				   rows[i].rounds);
}
END_TEST

START_TEST(first_and_last_address_can_be_alone)
{
	static struct list list = { .family = IP_V6, .count = 3, .value = { 1, 2, 3 } };
	struct image image;

	list.start[1] = 1;
	list.start[2] = ~(address_bits)0;
	image = build(&list);
	check(&image, &list, 0);
	check(&image, &list, 1);
	check(&image, &list, ~(address_bits)0);
	check(&image, &list, ~(address_bits)0 - 1);
	image_close(&image);
}
END_TEST

START_TEST(one_class_for_all_is_a_trie_without_nodes)
{
	static struct list list = { .family = IP_V4, .count = 2, .value = { 7, 7 } };
	struct image image;
	struct ip_address address = fixture_address("192.0.2.1");

	list.start[1] = (address_bits)1 << 100;
	image = build(&list);
	ck_assert_uint_eq(image_root(&image, struct geo_root)->trie[0].node_count, 0);
	ck_assert_uint_eq(geo_find(&image, &address).class_id, 7);
	ck_assert_uint_eq(geo_find(&image, &address).prefix_len, 0);
	image_close(&image);
}
END_TEST

Suite *geo_trie_suite(void)
{
	Suite *suite = suite_create("geo_trie");
	TCase *random = tcase_create("random break points");

	tcase_add_loop_test(random, answer_is_the_class_and_the_longest_network_that_has_it, 0, 2);
	tcase_set_timeout(random, 120);
	suite_add_tcase(suite, random);
	suite_case(suite, "edges", first_and_last_address_can_be_alone,
		   one_class_for_all_is_a_trie_without_nodes);
	return suite;
}
