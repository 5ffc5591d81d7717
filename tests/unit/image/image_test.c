#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/huge.h"
#include "image/image.h"
#include "image/image_stream.h"
#include "image/plan.h"
#include "tests/unit/run.h"

static int make(uint64_t value, const uint64_t *basis)
{
	struct image_writer writer;
	struct err err;
	uint64_t offset;
	int fd = -1;

	ck_assert_int_eq(image_writer_open(&writer, IMAGE_PLAN, sizeof(struct plan_root), &err), 0);
	for (unsigned i = 0; i < 100000; i++) /* makes it grow several times */
		offset = image_writer_append(&writer, &value, sizeof(value), 8);
	ck_assert_uint_eq(offset % 8, 0);
	ck_assert_int_eq(image_writer_finish(&writer, basis, &fd, &err), 0);
	return fd;
}

static uint64_t id_of(int fd)
{
	struct image image;
	struct err err;
	uint64_t id;

	ck_assert_msg(image_open(&image, fd, IMAGE_PLAN, &err) == 0, "%s", err.text);
	ck_assert_int_eq(image_check_id(&image, &err), 0);
	id = image_header(&image)->id;
	image_close(&image);
	close(fd);
	return id;
}

START_TEST(identity_is_content_and_basis)
{
	uint64_t basis[IMAGE_KINDS] = { 1, 2, 3, 4, 5 };
	uint64_t id = id_of(make(7, basis));

	ck_assert_uint_eq(id, id_of(make(7, basis)));
	ck_assert_uint_ne(id, id_of(make(8, basis)));
	basis[0] = 9;
	ck_assert_uint_ne(id, id_of(make(7, basis)));
}
END_TEST

START_TEST(sealed_image_cannot_be_written_by_anybody)
{
	int fd = make(7, NULL);

	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
}
END_TEST

START_TEST(other_kinds_unsealed_and_cut_files_are_refused)
{
	struct image image;
	struct err err;
	int fd = make(7, NULL);
	int plain = memfd_create("plain", MFD_ALLOW_SEALING);
	char bytes[4096] = { 0 };

	ck_assert_int_eq(image_open(&image, fd, IMAGE_GEO, &err), -1);
	ck_assert_str_eq(err.text, "not a geo image");
	ck_assert_int_eq(write(plain, bytes, sizeof(bytes)), sizeof(bytes));
	ck_assert_int_eq(image_open(&image, plain, IMAGE_PLAN, &err), -1);
	ck_assert_str_eq(err.text, "plan image is not sealed");
	close(fd);
	close(plain);
}
END_TEST

/* As large as several huge pages, with some of the last one; from pieces that are smaller and larger
 * than one. */
#define LARGE_WORDS ((5 * HUGE_PAGE + 12345 * sizeof(uint64_t)) / sizeof(uint64_t))

static int make_large(void)
{
	struct image_writer writer;
	struct err err;
	int fd = -1;

	ck_assert_int_eq(image_writer_open(&writer, IMAGE_PLAN, sizeof(struct plan_root), &err), 0);
	for (uint64_t i = 0, count = 1; i < LARGE_WORDS; i += count, count = 1 + i / 2) {
		uint64_t offset;

		if (count > LARGE_WORDS - i)
			count = LARGE_WORDS - i;
		offset = image_writer_reserve(&writer, count * sizeof(i), sizeof(i));
		for (uint64_t j = 0; j < count; j++)
			*image_writer_at(&writer, uint64_t, offset + j * sizeof(i)) += i + j;
	}
	ck_assert_int_eq(image_writer_finish(&writer, NULL, &fd, &err), 0);
	return fd;
}

static void check_large(int fd)
{
	const uint64_t first = IMAGE_ROOT + sizeof(struct plan_root);
	uint64_t right = 0;
	struct image image;
	struct stat st;
	struct err err;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)(first + LARGE_WORDS * sizeof(uint64_t)));
	ck_assert_int_le(st.st_blocks, st.st_size / 512 + 8); /* no more memory than it is long */
	ck_assert_msg(image_open(&image, fd, IMAGE_PLAN, &err) == 0, "%s", err.text);
	ck_assert_int_eq(image_check_id(&image, &err), 0);
	ck_assert_uint_eq((uintptr_t)image.base % HUGE_PAGE, 0);
	while (right < LARGE_WORDS && image_at(&image, uint64_t, first)[right] == right)
		right++;
	ck_assert_uint_eq(right, LARGE_WORDS);
	image_close(&image);
}

START_TEST(large_image_is_whole_and_mapped_where_huge_pages_can_be)
{
	int copy = -1, fd = make_large();
	char path[] = "/tmp/signpost-image-XXXXXX";
	struct err err;

	close(mkstemp(path));
	check_large(fd);
	ck_assert_msg(image_save(fd, path, &err) == 0, "%s", err.text);
	ck_assert_msg(image_load(path, &copy, &err) == 0, "%s", err.text);
	check_large(copy);
	unlink(path);
	close(copy);
	close(fd);
}
END_TEST

START_TEST(memory_is_small_where_there_are_no_huge_pages)
{
	int fd = memfd_create("small", 0);
	size_t done = 0;
	char *base;

	ck_assert_int_eq(ftruncate(fd, 3 * HUGE_PAGE), 0);
	base = huge_map(3 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	ck_assert_ptr_ne(base, MAP_FAILED);
	memset(base, 7, HUGE_PAGE + 1);
	(void)madvise(base, 3 * HUGE_PAGE, MADV_NOHUGEPAGE);
	huge_fill(base, &done, 3 * HUGE_PAGE);
	ck_assert_uint_eq(done, SIZE_MAX);
	huge_fill(base, &done, 3 * HUGE_PAGE);
	ck_assert_uint_eq(done, SIZE_MAX);
	ck_assert_int_eq(base[HUGE_PAGE], 7);
	ck_assert_int_eq(base[HUGE_PAGE + 1], 0);
	munmap(base, 3 * HUGE_PAGE);
	close(fd);
}
END_TEST

START_TEST(image_comes_back_from_disk_and_damage_is_seen)
{
	char path[] = "/tmp/signpost-image-XXXXXX";
	struct image image;
	struct err err;
	int fd = make(7, NULL);
	int file = mkstemp(path);
	int back = -1;
	uint8_t byte = 0xff;

	ck_assert_int_ge(file, 0);
	ck_assert_msg(image_save(fd, path, &err) == 0, "%s", err.text);
	ck_assert_msg(image_load(path, &back, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(id_of(back), id_of(fd));
	close(file);
	file = open(path, O_RDWR);
	ck_assert_int_eq(pwrite(file, &byte, 1, 70000), 1);
	close(file);
	ck_assert_int_eq(image_load(path, &back, &err), 0);
	ck_assert_int_eq(image_open(&image, back, IMAGE_PLAN, &err), 0);
	ck_assert_int_eq(image_check_id(&image, &err), -1);
	image_close(&image);
	close(back);
	unlink(path);
}
END_TEST

START_TEST(sealed_memory_is_shared_and_a_file_copied_into_it)
{
	char path[] = "/tmp/signpost-image-XXXXXX";
	struct stat from, to;
	struct err err;
	int fd = make(7, NULL);
	int file = mkstemp(path);
	int shared = -1, copied = -1;

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(image_share(fd, &shared, &err), 0);
	ck_assert(fstat(fd, &from) == 0 && fstat(shared, &to) == 0);
	ck_assert(shared != fd && from.st_ino == to.st_ino && from.st_dev == to.st_dev);
	ck_assert_msg(image_save(fd, path, &err) == 0, "%s", err.text);
	close(file);
	file = open(path, O_RDONLY);
	ck_assert_msg(image_share(file, &copied, &err) == 0, "%s", err.text);
	ck_assert_int_gt(fcntl(copied, F_GET_SEALS), 0);
	ck_assert_uint_eq(id_of(copied), id_of(fd));
	close(file);
	close(shared);
	unlink(path);
}
END_TEST

START_TEST(holds_is_safe_against_overflow)
{
	struct image image;
	struct err err;
	int fd = make(7, NULL);

	ck_assert_int_eq(image_open(&image, fd, IMAGE_PLAN, &err), 0);
	ck_assert(image_holds(&image, IMAGE_ROOT, 1, 8, 8));
	ck_assert(image_holds(&image, image.size, 0, 8, 1));
	ck_assert(!image_holds(&image, image.size, 1, 1, 1));
	ck_assert(!image_holds(&image, 0, 1, 8, 8)); /* the header is nobody's data */
	ck_assert(!image_holds(&image, IMAGE_ROOT + 1, 1, 8, 8));
	ck_assert(!image_holds(&image, IMAGE_ROOT, UINT64_MAX / 8, 8, 8));
	ck_assert(!image_holds(&image, UINT64_MAX - 7, 1, 8, 8));
	image_close(&image);
	close(fd);
}
END_TEST

/* Sizes around those of pieces and of the stream's buffer, and then octets here and there anew. */
START_TEST(a_stream_gives_the_octets_that_were_written_and_their_id)
{
	static const size_t sizes[] = { 1,
					7,
					IMAGE_PIECE - 1,
					3 * IMAGE_PIECE,
					100000,
					IMAGE_PIECE,
					IMAGE_STREAM_ROOM,
					IMAGE_STREAM_ROOM + 1,
					5,
					1000000,
					64 };
	static uint8_t octets[1 << 20], all[3 << 20];
	struct image_writer writer;
	struct image_stream stream;
	struct image image;
	struct err err;
	uint64_t first;
	size_t len = 0;
	int fd = -1;

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 2654435761U >> 24);
	ck_assert_int_eq(image_writer_open(&writer, IMAGE_PLAN, sizeof(struct plan_root), &err), 0);
	image_stream_open(&stream, &writer);
	first = image_stream_at(&stream);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t at = image_stream_append(&stream, octets + i, sizes[i], 8);

		len = at - first;
		memcpy(all + len, octets + i, sizes[i]);
		len += sizes[i];
	}
	image_stream_close(&stream);
	ck_assert_uint_eq(writer.len, first + len);
	for (size_t at = 3; at < len; at += 77777) {
		*(uint8_t *)image_writer_edit(&writer, first + at, 1) ^= 1;
		all[at] ^= 1;
	}
	ck_assert_int_eq(image_writer_finish(&writer, NULL, &fd, &err), 0);
	ck_assert_int_eq(image_open(&image, fd, IMAGE_PLAN, &err), 0);
	ck_assert_uint_eq(image.size, first + len);
	ck_assert_mem_eq(image.base + first, all, len);
	image_close(&image);
	ck_assert_uint_ne(id_of(fd), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");

	suite_case(suite, "image", identity_is_content_and_basis,
		   sealed_image_cannot_be_written_by_anybody,
		   other_kinds_unsealed_and_cut_files_are_refused,
		   large_image_is_whole_and_mapped_where_huge_pages_can_be,
		   memory_is_small_where_there_are_no_huge_pages,
		   image_comes_back_from_disk_and_damage_is_seen,
		   sealed_memory_is_shared_and_a_file_copied_into_it,
		   holds_is_safe_against_overflow,
		   a_stream_gives_the_octets_that_were_written_and_their_id);
	return run_suite(suite);
}
