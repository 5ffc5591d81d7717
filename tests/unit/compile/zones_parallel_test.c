/* Zones compiled by several threads: the same image and the same mistakes come of any number. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile_test.h"
#include "zones_test.h"

#define HEAD  "$TTL 3600\n@ SOA ns1 h 7 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n"
#define ZONES 60U

static const unsigned thread_counts[] = { 1, 2, 3, 16 };

#define RUNS (sizeof(thread_counts) / sizeof(thread_counts[0]))

struct folder {
	char path[64];
	char *zones[ZONES];
	size_t count;
};

/* All that comes of a run. */
struct outcome {
	struct zones_built built;
	struct image image; /* base NULL: there is none */
	char *report;
};

static void write_file(const struct folder *folder, const char *name, const char *text)
{
	char *path = mem_format("%s/%s", folder->path, name);
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fputs(text, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	free(path);
}

static void write_zone(struct folder *folder, const char *name, const char *text)
{
	write_file(folder, name, text);
	ck_assert_uint_lt(folder->count, ZONES);
	folder->zones[folder->count++] = mem_format("%s/%s", folder->path, name);
}

/* Text of so many names, some of which have POOL records. */
static char *text_of(unsigned names, const char *more)
{
	struct buf text = { 0 };
	char *copy;

	buf_format(&text, "%s", HEAD);
	for (unsigned i = 0; i < names; i++)
		buf_format(&text, "host-%u A 192.0.2.%u\n", i, i % 256);
	buf_format(&text, "vpn 30 POOL edge\n%s", more);
	(void)buf_reserve(&text, 1);
	copy = mem_copy_text((const char *)text.data);
	buf_free(&text);
	return copy;
}

static void make_folder(struct folder *folder)
{
	*folder = (struct folder){ .count = 0 };
	(void)strcpy(folder->path, "/tmp/zones-parallel-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder->path));
}

/* Small zones, others that are large, and one above many. */
static void open_folder(struct folder *folder)
{
	make_folder(folder);
	write_file(folder, "shared.inc", "a_b A 192.0.2.1\n");
	for (unsigned i = 0; i + 1 < ZONES; i++) {
		char *name = mem_format("z%u.example.net.zone", i);
		char *text = text_of(i % 20 == 11 ? 50000 + i : i, "$INCLUDE shared.inc\n");

		write_zone(folder, name, text);
		free(text);
		free(name);
	}
	write_zone(folder, "example.net.zone", HEAD "z1 NS ns1.z1\nns1.z1 A 192.0.2.53\n");
}

static void close_folder(struct folder *folder)
{
	char *command = mem_format("rm -r %s", folder->path);

	for (size_t i = 0; i < folder->count; i++)
		free(folder->zones[i]);
	ck_assert_int_eq(system(command), 0);
	free(command);
}

static void run(struct outcome *out, const struct folder *folder, unsigned threads,
		const struct image *previous)
{
	static const struct config_site sites[] = { { .name = "tokyo" } };
	static const struct config_pool_site edge[] = { { .site = 0 } };
	static const struct config_pool pools[] = {
		{ .name = "edge", .sites = edge, .site_count = 1 },
	};
	const struct config config = { .sites = sites,
				       .site_count = 1,
				       .pools = pools,
				       .pool_count = 1,
				       .zone_files = (const char *const *)folder->zones,
				       .zone_file_count = folder->count };
	struct diag *diag = diag_new();
	size_t size;
	FILE *report;
	struct err err;

	*out = (struct outcome){ .built = { .fd = -1 } };
	ck_assert_int_eq(zones_build_by(threads, &config, previous, &out->built, diag, &err), 0);
	report = open_memstream(&out->report, &size);
	ck_assert_ptr_nonnull(report);
	diag_print(diag, report);
	ck_assert_int_eq(fclose(report), 0);
	ck_assert_int_eq(out->built.fd >= 0, diag_errors(diag) == 0);
	if (out->built.fd >= 0) {
		ck_assert_int_eq(image_open(&out->image, out->built.fd, IMAGE_ZONES, &err), 0);
		ck_assert_msg(zones_verify(&out->image, &err) == 0, "%s", err.text);
	}
	diag_free(diag);
}

static void end(struct outcome *outcome)
{
	image_close(&outcome->image);
	zones_built_free(&outcome->built);
	free(outcome->report);
}

static void check_same_bindings(const struct zones_built *a, const struct zones_built *b)
{
	ck_assert_uint_eq(a->binding_count, b->binding_count);
	for (size_t i = 0; i < a->binding_count; i++) {
		ck_assert_uint_eq(a->bindings[i].owner_len, b->bindings[i].owner_len);
		ck_assert_mem_eq(a->bindings[i].owner, b->bindings[i].owner,
				 a->bindings[i].owner_len);
		ck_assert_uint_eq(a->bindings[i].ttl_s, b->bindings[i].ttl_s);
	}
}

/* They are too long to be shown whole. */
static void check_same_reports(const char *a, const char *b)
{
	size_t same = 0;

	while (a[same] != '\0' && a[same] == b[same])
		same++;
	ck_assert_msg(a[same] == b[same], "after %zu octets: %.200s\nor: %.200s", same, a + same,
		      b + same);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
	check_same_reports(a->report, b->report);
	ck_assert_uint_eq(a->image.size, b->image.size);
	if (a->image.base != NULL)
		ck_assert(memcmp(a->image.base + IMAGE_ROOT, b->image.base + IMAGE_ROOT,
				 a->image.size - IMAGE_ROOT) == 0);
	ck_assert_uint_eq(a->built.zone_count, b->built.zone_count);
	ck_assert_uint_eq(a->built.record_count, b->built.record_count);
	ck_assert_uint_eq(a->built.reused_count, b->built.reused_count);
	ck_assert_uint_eq(a->built.kept_warnings, b->built.kept_warnings);
	check_same_bindings(&a->built, &b->built);
}

/* Runs it by each number of threads; the first one's outcome is the caller's. */
static void run_all(struct outcome *first, const struct folder *folder,
		    const struct image *previous)
{
	run(first, folder, thread_counts[0], previous);
	for (size_t i = 1; i < RUNS; i++) {
		struct outcome other;

		run(&other, folder, thread_counts[i], previous);
		check_same(first, &other);
		end(&other);
	}
}

START_TEST(any_number_of_threads_makes_the_same_image)
{
	struct folder folder;
	struct outcome first;

	open_folder(&folder);
	run_all(&first, &folder, NULL);
	ck_assert_uint_eq(first.built.zone_count, ZONES);
	ck_assert_uint_eq(first.built.binding_count, ZONES - 1);
	ck_assert_ptr_nonnull(strstr(first.report, "does not delegate z2.example.net."));
	ck_assert_ptr_null(strstr(first.report, "does not delegate z1.example.net."));
	end(&first);
	close_folder(&folder);
}
END_TEST

START_TEST(what_is_kept_and_what_is_compiled_anew_comes_together_again)
{
	struct folder folder;
	struct outcome before, after, whole;
	char *large = text_of(40000, "new A 192.0.2.1\n");

	open_folder(&folder);
	run(&before, &folder, 2, NULL);
	folder.count -= 3;
	for (size_t i = 0; i < 3; i++)
		free(folder.zones[folder.count + i]);
	write_zone(&folder, "z58.example.net.zone", large);
	write_zone(&folder, "a.example.net.zone", HEAD);
	write_zone(&folder, "example.net.zone", HEAD);
	run_all(&after, &folder, &before.image);
	ck_assert_uint_eq(after.built.reused_count, ZONES - 3);
	ck_assert_uint_gt(after.built.kept_warnings, 0);
	run(&whole, &folder, 1, NULL);
	ck_assert_uint_eq(image_header(&whole.image)->id, image_header(&after.image)->id);
	end(&whole);
	end(&after);
	end(&before);
	free(large);
	close_folder(&folder);
}
END_TEST

START_TEST(mistakes_of_all_zones_are_told_in_the_same_order)
{
	struct folder folder;
	struct outcome first;

	open_folder(&folder);
	write_file(&folder, "shared.inc", "a A 192.0.2.256\nb A 192.0.2.1\nc MX\nd CNAME e\n");
	for (unsigned i = 0; i < 20; i++) {
		char *name = mem_format("z%u.example.net.zone", 3 * i);
		char *text = text_of(20 * i, i % 2 == 0 ? "x POOL unknown\nx NS\n" : "d A ::1\n");

		write_file(&folder, name, text);
		free(text);
		free(name);
	}
	run_all(&first, &folder, NULL);
	ck_assert_int_lt(first.built.fd, 0);
	ck_assert_ptr_nonnull(strstr(first.report, "z0.example.net.zone:6"));
	ck_assert_ptr_nonnull(strstr(first.report, "z57.example.net.zone:386"));
	ck_assert_ptr_nonnull(strstr(first.report, "shared.inc:1:5: error"));
	end(&first);
	close_folder(&folder);
}
END_TEST

/* Of a large zone one thread may look for mistakes while another one writes: what cannot be written
 * is told of a zone that is fine otherwise, whoever was first. */
START_TEST(what_is_too_large_to_write_is_told_when_nothing_else_is_wrong)
{
	static const char *const more[] = { "@ NS nowhere\n", "x POOL unknown\n", "" };
	struct buf large = { 0 };

	for (unsigned i = 0; i < 4500; i++)
		buf_format(&large, "large A 10.0.%u.%u\n", i / 256, i % 256);
	(void)buf_reserve(&large, 1);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		struct folder folder;
		char *end_of_text = mem_format("%s%s", (const char *)large.data, more[i]);
		char *text = text_of(12000, end_of_text);
		struct outcome first;

		make_folder(&folder);
		write_zone(&folder, "example.net.zone", text);
		run_all(&first, &folder, NULL);
		ck_assert_int_lt(first.built.fd, 0);
		end(&first);
		close_folder(&folder);
		free(text);
		free(end_of_text);
	}
	buf_free(&large);
}
END_TEST

/* Its text is read by two threads, and what is made of it has its memory from two. */
START_TEST(a_large_zone_by_itself_is_the_same_by_any_number_of_threads)
{
	char name[] = "/tmp/signpost-parallel-XXXXXX";
	struct folder folder = { .count = 0 };
	struct outcome first;
	char *text = text_of(120000, "new A 192.0.2.1\nhost-7 AAAA ::7\n");

	ck_assert_ptr_nonnull(mkdtemp(name));
	(void)snprintf(folder.path, sizeof(folder.path), "%s", name);
	write_zone(&folder, "example.net.zone", text);
	run_all(&first, &folder, NULL);
	ck_assert_uint_eq(first.built.zone_count, 1);
	ck_assert_uint_eq(first.built.record_count, 120000 + 6);
	end(&first);
	free(text);
	close_folder(&folder);
}
END_TEST

START_TEST(no_zones_need_no_threads)
{
	struct folder folder = { .count = 0 };
	struct outcome first;

	run_all(&first, &folder, NULL);
	ck_assert_uint_eq(first.built.zone_count, 0);
	ck_assert_int_ge(first.built.fd, 0);
	end(&first);
}
END_TEST

Suite *zones_parallel_suite(void)
{
	Suite *suite = suite_create("zones in parallel");
	TCase *tests = tcase_create("threads");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, any_number_of_threads_makes_the_same_image);
	tcase_add_test(tests, what_is_kept_and_what_is_compiled_anew_comes_together_again);
	tcase_add_test(tests, mistakes_of_all_zones_are_told_in_the_same_order);
	tcase_add_test(tests, what_is_too_large_to_write_is_told_when_nothing_else_is_wrong);
	tcase_add_test(tests, a_large_zone_by_itself_is_the_same_by_any_number_of_threads);
	tcase_add_test(tests, no_zones_need_no_threads);
	suite_add_tcase(suite, tests);
	return suite;
}
