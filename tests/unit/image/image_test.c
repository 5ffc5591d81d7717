#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
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

int main(void)
{
	Suite *suite = suite_create("image");

	suite_case(suite, "image", identity_is_content_and_basis,
		   sealed_image_cannot_be_written_by_anybody,
		   other_kinds_unsealed_and_cut_files_are_refused,
		   image_comes_back_from_disk_and_damage_is_seen,
		   sealed_memory_is_shared_and_a_file_copied_into_it,
		   holds_is_safe_against_overflow);
	return run_suite(suite);
}
