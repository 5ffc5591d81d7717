#include "serve/eviction.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tests/unit/serve/serve_test.h"

#define MAX 500

static struct eviction e;
static struct candidate c[MAX];

static void setup(void)
{
	eviction_open(&e, MAX, 7);
	memset(c, 0, sizeof(c));
}

static void teardown(void)
{
	eviction_close(&e);
}

static void add(unsigned i, const char *address)
{
	struct ip_address ip;

	ck_assert(ip_parse(address, &ip));
	eviction_add(&e, &c[i], &ip);
}

static long chosen(void)
{
	const struct candidate *found = eviction_choose(&e);

	return found == NULL ? -1 : found - c;
}

START_TEST(without_connections_nobody_is_chosen)
{
	ck_assert_int_eq(chosen(), -1);
	add(0, "192.0.2.1");
	eviction_remove(&e, &c[0]);
	ck_assert_int_eq(chosen(), -1);
}
END_TEST

START_TEST(who_has_most_loses_the_one_that_is_idle_longest)
{
	add(0, "192.0.2.1"); /* idle longest of all */
	add(1, "192.0.2.2");
	add(2, "192.0.2.2");
	add(3, "192.0.2.2");
	ck_assert_int_eq(chosen(), 1);
	eviction_touch(&e, &c[1]);
	ck_assert_int_eq(chosen(), 2);
	eviction_remove(&e, &c[2]);
	ck_assert_int_eq(chosen(), 3);
	eviction_remove(&e, &c[3]);
	ck_assert_int_eq(chosen(), 0); /* one each */
	eviction_touch(&e, &c[0]);
	ck_assert_int_eq(chosen(), 1);
}
END_TEST

START_TEST(of_equals_the_one_idle_longest_of_all_is_chosen)
{
	add(0, "192.0.2.9");
	add(1, "192.0.2.1");
	add(2, "192.0.2.2");
	add(3, "192.0.2.2");
	add(4, "192.0.2.1");
	ck_assert_int_eq(chosen(), 1);
	eviction_touch(&e, &c[1]);
	ck_assert_int_eq(chosen(), 2);
	eviction_touch(&e, &c[2]);
	ck_assert_int_eq(chosen(), 3);
}
END_TEST

START_TEST(an_ipv6_client_is_its_slash_64_and_an_ipv4_client_its_address)
{
	add(0, "2001:db8:0:1::1");
	add(1, "2001:db8:0:2::1");
	add(2, "2001:db8:0:1:ffff::2");
	ck_assert_int_eq(chosen(), 0);
	ck_assert_ptr_eq(c[0].network, c[2].network);
	ck_assert_ptr_ne(c[0].network, c[1].network);
	add(3, "192.0.2.1");
	add(4, "192.0.2.2");
	ck_assert_ptr_ne(c[3].network, c[4].network);
	add(5, "0:0:c000:201::"); /* the same 64 bits as 192.0.2.1 */
	ck_assert_ptr_ne(c[3].network, c[5].network);
	add(6, "192.0.2.1");
	ck_assert_ptr_eq(c[3].network, c[6].network);
}
END_TEST

START_TEST(age_is_by_opening_whatever_happens_and_can_be_forgotten)
{
	add(0, "192.0.2.1");
	add(1, "192.0.2.2");
	eviction_touch(&e, &c[0]);
	ck_assert_ptr_eq(e.by_age.oldest, &c[0]);
	eviction_forget_age(&e, &c[0]);
	ck_assert_ptr_eq(e.by_age.oldest, &c[1]);
	eviction_forget_age(&e, &c[0]);
	eviction_remove(&e, &c[0]);
	eviction_forget_age(&e, &c[1]);
	ck_assert_ptr_null(e.by_age.oldest);
	ck_assert_ptr_null(e.by_age.newest);
	eviction_remove(&e, &c[1]);
	ck_assert_uint_eq(e.count, 0);
}
END_TEST

/* Who has to go, the long way round. */
static bool is_right(const struct candidate *found, const bool *there)
{
	for (unsigned i = 0; i < MAX; i++) {
		if (!there[i] || &c[i] == found)
			continue;
		if (c[i].network->count > found->network->count ||
		    (c[i].network->count == found->network->count &&
		     c[i].activity < found->activity))
			return false;
	}
	return true;
}

START_TEST(however_they_come_and_go_the_right_one_is_chosen)
{
	static bool there[MAX];
	unsigned count = 0;

	for (uint64_t step = 0; step < 20000; step++) {
		uint64_t bits = hash_word(step);
		unsigned i = hash_below(bits, MAX);
		char address[IP_TEXT_SIZE];

		if (there[i] && bits % 3 == 0) {
			eviction_touch(&e, &c[i]);
		} else if (there[i]) {
			eviction_remove(&e, &c[i]);
			there[i] = false;
			count--;
		} else {
			(void)snprintf(address, sizeof(address), "192.0.2.%u",
				       (unsigned)(bits % 5 * (bits % 11)));
			add(i, address);
			there[i] = true;
			count++;
		}
		ck_assert_uint_eq(e.count, count);
		if (count > 0)
			ck_assert(is_right(eviction_choose(&e), there));
	}
}
END_TEST

void add_eviction_tests(Suite *suite)
{
	TCase *tcase = tcase_create("eviction");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, without_connections_nobody_is_chosen);
	tcase_add_test(tcase, who_has_most_loses_the_one_that_is_idle_longest);
	tcase_add_test(tcase, of_equals_the_one_idle_longest_of_all_is_chosen);
	tcase_add_test(tcase, an_ipv6_client_is_its_slash_64_and_an_ipv4_client_its_address);
	tcase_add_test(tcase, age_is_by_opening_whatever_happens_and_can_be_forgotten);
	tcase_add_test(tcase, however_they_come_and_go_the_right_one_is_chosen);
	suite_add_tcase(suite, tcase);
}
