/* A large file is read by two threads: what comes of it is what comes of it by one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/master_source.h"
#include "compile_test.h"
#include "zones_test.h"

#define HOSTS 45000U /* more than 1 MiB of text */

/* To be freed. */
static char *large_text(const char *inside)
{
	struct buf text = { 0 };

	buf_format(&text, "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n");
	for (unsigned i = 0; i < HOSTS; i++) {
		buf_format(&text, "host%05u A 10.0.%u.%u\n", i, i / 256 % 256, i % 256);
		if (i % 7 == 0)
			buf_format(&text, "\tAAAA 2001:db8::%x\n", i);
		if (i % 1000 == 0)
			buf_format(&text, "*.deep.below.host%05u TXT \"a b\"\n", i);
		if (i == HOSTS / 2)
			buf_format(&text, "%s", inside);
	}
	ck_assert_uint_gt(text.len, 1 << 20);
	buf_append(&text, "", 1);
	return (char *)text.data;
}

static void build_large(struct zones_try *try, const char *inside, bool included)
{
	char *text = large_text(inside);
	const struct zones_file large = { included ? "hosts" : "example.net.zone", text, 0 };
	const struct zones_file small = { "example.net.zone", "$INCLUDE hosts\n", 0 };

	zones_try_open(try);
	zones_try_write(try, &large);
	if (included)
		zones_try_write(try, &small);
	zones_try_build(try, NULL);
	free(text);
}

START_TEST(a_large_file_gives_the_segment_that_it_gives_where_it_is_included)
{
	const struct zone_segment *one, *two;
	struct zones_try apart, here;

	build_large(&apart, "", false);
	build_large(&here, "", true);
	ck_assert_ptr_nonnull(apart.image.base);
	ck_assert_ptr_nonnull(here.image.base);
	one = zones_segment(&apart.image, 0);
	two = zones_segment(&here.image, 0);
	ck_assert_uint_eq(one->record_count, 3 + HOSTS + (HOSTS + 6) / 7 + HOSTS / 1000);
	ck_assert_uint_eq(one->sources_off, two->sources_off);
	ck_assert_mem_eq(one + 1, two + 1, one->sources_off - sizeof(*one));
	zones_try_close(&apart);
	zones_try_close(&here);
}
END_TEST

START_TEST(a_large_file_that_did_not_change_is_copied)
{
	struct zones_file other = { .name = "example.net.zone" };
	struct image previous;
	struct zones_try try;
	struct err err;
	char *text;

	build_large(&try, "", false);
	ck_assert_int_eq(image_open(&previous, try.built.fd, IMAGE_ZONES, &err), 0);
	zones_try_build(&try, &previous);
	ck_assert_uint_eq(try.built.reused_count, 1);
	text = large_text("");
	text[strlen(text) - 2] ^= 1; /* the last octet of the last address */
	other.text = text;
	zones_try_write(&try, &other);
	zones_try_build(&try, &previous);
	ck_assert_uint_eq(try.built.reused_count, 0);
	free(text);
	image_close(&previous);
	zones_try_close(&try);
}
END_TEST

START_TEST(all_mistakes_of_a_large_file_are_told)
{
	static const char mistakes[] = "x A 192.0.2.256\n"
				       "y CNAME a\ny CNAME b\n"
				       "z A 192.0.2.1\nz 61 A 192.0.2.2\n"
				       "w.example.org. A 192.0.2.1\n"
				       "q FOO bar\n";
	static const char *const told[] = {
		"\"192.0.2.256\" is not an IPv4 address",
		"y.example.net. has a second CNAME",
		"the TTL is 61, but the RRset's other records have 60",
		"w.example.org. is not in the zone example.net.",
		"unknown type \"FOO\"",
	};
	struct zones_try try;

	build_large(&try, mistakes, false);
	ck_assert_ptr_null(try.image.base);
	ck_assert_uint_eq(diag_errors(try.diag), 3);
	ck_assert_uint_eq(diag_warnings(try.diag), 2);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		ck_assert_msg(strstr(try.report, told[i]) != NULL, "not told: %s", told[i]);
	zones_try_close(&try);
}
END_TEST

START_TEST(what_the_whole_zone_shows_to_be_wrong_is_told_beside_writing_it)
{
	struct zones_try try;

	build_large(&try, "y CNAME a\ny A 192.0.2.1\n_x A 192.0.2.1\n", false);
	ck_assert_ptr_null(try.image.base);
	ck_assert_int_eq(try.built.fd, -1);
	ck_assert_uint_eq(diag_errors(try.diag), 1);
	ck_assert_ptr_nonnull(strstr(try.report, "has a CNAME, so it cannot have other records"));
	ck_assert_ptr_nonnull(strstr(try.report, "_x.example.net. has addresses, but is not"));
	ck_assert_ptr_nonnull(strstr(try.report, "\n      _x A 192.0.2.1\n"));
	zones_try_close(&try);
}
END_TEST

/* What is said of the first record of the file, once its memory has been given back. */
static void report_late(struct master_sources *sources, char **text)
{
	const struct master_place place = { .offset = 0, .line = 1, .len = 4 };
	size_t size;
	FILE *out = open_memstream(text, &size);

	ck_assert_ptr_nonnull(out);
	sources->diag = diag_new();
	master_sources_let_go(sources);
	master_report(sources, DIAG_ERROR, &place, "this is wrong");
	diag_print(sources->diag, out);
	ck_assert_int_eq(fclose(out), 0);
	diag_free(sources->diag);
}

START_TEST(a_line_is_shown_as_long_as_the_file_is_what_was_read)
{
	struct zones_file file = { .name = "example.net.zone", .text = large_text("") };
	struct master_sources sources = { 0 };
	struct zones_try try;
	char *before, *after;
	struct err err;

	zones_try_open(&try);
	zones_try_write(&try, &file);
	ck_assert_int_eq(master_sources_add(&sources, try.paths[0], &err), 0);
	report_late(&sources, &before);
	ck_assert_ptr_nonnull(strstr(before, ":1:1: error: this is wrong\n"));
	ck_assert_ptr_nonnull(strstr(before, "\n      $TTL 60\n"));
	ck_assert_int_eq(truncate(try.paths[0], 100), 0);
	report_late(&sources, &after);
	ck_assert_ptr_nonnull(strstr(after, ":1: error: this is wrong\n"));
	ck_assert_ptr_null(strstr(after, "$TTL"));
	free(before);
	free(after);
	free((void *)(uintptr_t)file.text);
	master_sources_free(&sources);
	zones_try_close(&try);
}
END_TEST

START_TEST(a_large_file_of_mistakes_is_not_read_to_its_end)
{
	struct buf text = { 0 };
	struct zones_try try;

	for (unsigned i = 0; i < 500; i++)
		buf_format(&text, "c CNAME t%u\n", i);
	buf_append(&text, "", 1);
	build_large(&try, (const char *)text.data, false);
	ck_assert_uint_eq(diag_errors(try.diag), DIAG_PER_FILE);
	zones_try_close(&try);
	buf_free(&text);
}
END_TEST

static uint8_t *copy_of(const struct image *image)
{
	uint8_t *copy = aligned_alloc(64, (image->size + 63) & ~(size_t)63);

	ck_assert_ptr_nonnull(copy);
	return memcpy(copy, image->base, image->size);
}

static void refused(const uint8_t *base, size_t size, const char *why)
{
	const struct image damaged = { base, size };
	struct err err;

	ck_assert_int_ne(zones_verify(&damaged, &err), 0);
	ck_assert_msg(strstr(err.text, why) != NULL, "%s, not: %s", err.text, why);
}

/* Is a node with a wrong name or wrong flags found, wherever in the zone it stands? */
START_TEST(damage_is_found_in_each_part_of_a_large_zone)
{
	static const char *const names[] = { "host00001.example.net", "host22499.example.net",
					     "host22500.example.net", "host44999.example.net" };
	struct zones_try try;
	uint8_t *copy;

	build_large(&try, "", false);
	copy = copy_of(&try.image);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct zone_node *node = zones_try_node(&try, names[i]);
		const struct image image = { copy, try.image.size };
		size_t flags, labels;
		struct err err;

		ck_assert_ptr_nonnull(node);
		flags = (size_t)(&node->flags - try.image.base);
		labels = (size_t)(&node->labels - try.image.base);
		copy[flags] ^= ZONE_NODE_CNAME;
		refused(copy, try.image.size, names[i]);
		refused(copy, try.image.size, "has flags that do not fit");
		copy[flags] ^= ZONE_NODE_CNAME;
		copy[labels]++;
		refused(copy, try.image.size, "a node's name is not valid");
		copy[labels]--;
		ck_assert_int_eq(zones_verify(&image, &err), 0);
	}
	free(copy);
	zones_try_close(&try);
}
END_TEST

START_TEST(damage_is_found_in_each_part_of_a_large_zones_buckets)
{
	struct zones_try try;
	const struct zone_segment *segment;
	uint8_t *copy;

	build_large(&try, "", false);
	copy = copy_of(&try.image);
	segment = zones_segment(&try.image, 0);
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t number = (uint32_t)((uint64_t)(segment->bucket_count - 1) * i / 4);
		size_t at = (size_t)((const uint8_t *)segment - try.image.base) +
			    segment->buckets_off + number * sizeof(struct zone_bucket);
		struct zone_bucket *bucket = (struct zone_bucket *)(void *)(copy + at);

		bucket->node[ZONE_BUCKET_SLOTS - 1] ^= 4; /* where they are filled, another one */
		bucket->node[ZONE_BUCKET_SLOTS - 2] = 0;
		refused(copy, try.image.size, "a bucket has a gap");
		memcpy(bucket, try.image.base + at, sizeof(*bucket));
	}
	free(copy);
	zones_try_close(&try);
}
END_TEST

static bool is_node(const struct zone_segment *segment, uint32_t offset)
{
	uint32_t at = segment->nodes_off;

	while (at < offset && zone_next(segment, &at) != NULL)
		continue;
	return at == offset;
}

/* A thread begins where a bucket names a node that is about in the middle. */
START_TEST(no_bucket_leads_the_other_thread_astray)
{
	struct zones_try try;
	const struct zone_segment *segment;
	struct zone_bucket *first;
	unsigned tried = 0;
	uint32_t middle;
	uint8_t *copy;

	build_large(&try, "", false);
	copy = copy_of(&try.image);
	segment = zones_segment(&try.image, 0);
	first = (struct zone_bucket *)(void *)(copy + ((const uint8_t *)segment - try.image.base) +
					       segment->buckets_off);
	middle = (segment->nodes_off + (segment->nodes_end - segment->nodes_off) / 2) & ~31U;
	for (uint32_t at = middle - 1024; at < middle + 1024; at += 32) {
		if (is_node(segment, at))
			continue;
		first->node[0] = at;
		refused(copy, try.image.size, "a bucket names what is no node");
		tried++;
	}
	ck_assert_uint_gt(tried, 16);
	free(copy);
	zones_try_close(&try);
}
END_TEST

Suite *zone_read_suite(void)
{
	Suite *suite = suite_create("reading large zone files");
	TCase *tests = tcase_create("zone_read");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_large_file_gives_the_segment_that_it_gives_where_it_is_included);
	tcase_add_test(tests, a_large_file_that_did_not_change_is_copied);
	tcase_add_test(tests, all_mistakes_of_a_large_file_are_told);
	tcase_add_test(tests, what_the_whole_zone_shows_to_be_wrong_is_told_beside_writing_it);
	tcase_add_test(tests, a_line_is_shown_as_long_as_the_file_is_what_was_read);
	tcase_add_test(tests, a_large_file_of_mistakes_is_not_read_to_its_end);
	tcase_add_test(tests, damage_is_found_in_each_part_of_a_large_zone);
	tcase_add_test(tests, damage_is_found_in_each_part_of_a_large_zones_buckets);
	tcase_add_test(tests, no_bucket_leads_the_other_thread_astray);
	suite_add_tcase(suite, tests);
	return suite;
}
