#include "fixture.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/signpost-conf-XXXXXX";

void fixture_write(const char *file, const void *text, size_t size)
{
	FILE *out = fopen(file, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(text, 1, size, out), size);
	ck_assert_int_eq(fclose(out), 0);
}

void fixture_setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("zones", 0777), 0);
	fixture_write("zones/example.net.zone", "", 0);
	fixture_write("signpost.yaml", GOOD_SERVER, strlen(GOOD_SERVER));
	fixture_write("zones/edge.pool.yaml", GOOD_POOL, strlen(GOOD_POOL));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

struct reading *fixture_read(const char *server, const char *pool)
{
	struct reading *reading = mem_alloc(sizeof(*reading));
	size_t size = 0;
	FILE *out;

	if (server != NULL)
		fixture_write("signpost.yaml", server, strlen(server));
	if (pool != NULL)
		fixture_write("zones/edge.pool.yaml", pool, strlen(pool));
	reading->diag = diag_new();
	reading->rc = config_read(&reading->config, "signpost.yaml", false, &reading->arena,
				  reading->diag);
	out = open_memstream(&reading->printed, &size);
	ck_assert_ptr_nonnull(out);
	diag_print(reading->diag, out);
	ck_assert_int_eq(fclose(out), 0);
	return reading;
}

void fixture_free(struct reading *reading)
{
	free(reading->printed);
	diag_free(reading->diag);
	arena_free(&reading->arena);
	free(reading);
}
