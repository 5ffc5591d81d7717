#include "geo_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	double latitude, longitude;
} places[FIXTURE_SITES] = {
	{ "tokyo", 35.68, 139.69 },         { "singapore", 1.35, 103.82 },
	{ "sydney", -33.87, 151.21 },       { "frankfurt", 50.11, 8.68 },
	{ "london", 51.51, -0.13 },         { "newyork", 40.71, -74.01 },
	{ "sanfrancisco", 37.77, -122.42 }, { "saopaulo", -23.55, -46.63 },
};

void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .diag = diag_new() };
	for (uint16_t i = 0; i < FIXTURE_SITES; i++) {
		f->sites[i].name = places[i].name;
		f->sites[i].latitude = places[i].latitude;
		f->sites[i].longitude = places[i].longitude;
		f->pool_sites[i].site = i;
	}
	f->pools[0] = (struct config_pool){ .name = "edge",
					    .sites = f->pool_sites,
					    .site_count = FIXTURE_SITES };
	f->config = (struct config){ .file = "signpost.yaml",
				     .preference_depth = 4,
				     .countries_path = COUNTRIES_TSV,
				     .sites = f->sites,
				     .site_count = FIXTURE_SITES,
				     .pools = f->pools,
				     .pool_count = 1,
				     .databases = f->databases };
}

void fixture_close(struct fixture *f)
{
	image_close(&f->geo);
	image_close(&f->locations);
	if (f->locations_fd > 0)
		close(f->locations_fd);
	diag_free(f->diag);
	for (unsigned i = 0; i < f->path_count; i++)
		(void)unlink(f->paths[i]);
}

const char *fixture_write(struct fixture *f, const char *text)
{
	char *path = f->paths[f->path_count++];
	int fd;

	strcpy(path, "/tmp/signpost-geo-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

void fixture_rewrite(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

struct config_database *fixture_add_database(struct fixture *f, const char *path)
{
	struct config_database *database = &f->databases[f->config.database_count++];

	database->path = path;
	database->place = (struct place){ "signpost.yaml", (unsigned)f->config.database_count + 10,
					  5, 0 };
	return database;
}

static void build(struct fixture *f, const struct locations_previous *previous)
{
	struct image geo = { NULL, 0 }, locations = { NULL, 0 };
	struct locations_built built = { .fd = -2 };
	int geo_fd = -2;
	int rc = geo_build(&f->config, previous, &geo_fd, &built, f->diag, &f->err);

	ck_assert_msg(rc == 0, "%s", f->err.text);
	ck_assert_int_eq(geo_fd < 0, built.fd < 0);
	ck_assert_int_eq(geo_fd<0, diag_errors(f->diag)> 0);
	if (f->locations_fd > 0)
		close(f->locations_fd);
	f->locations_fd = 0;
	if (geo_fd >= 0) {
		ck_assert(image_open(&geo, geo_fd, IMAGE_GEO, &f->err) == 0);
		ck_assert(image_open(&locations, built.fd, IMAGE_LOCATIONS, &f->err) == 0);
		ck_assert_msg(geo_verify(&geo, &f->err) == 0, "%s", f->err.text);
		ck_assert_msg(locations_verify(&locations, &f->err) == 0, "%s", f->err.text);
		close(geo_fd);
		f->locations_fd = built.fd;
	}
	image_close(&f->geo);
	f->geo = geo;
	f->locations = locations;
	f->kept_warnings = built.kept_warnings;
}

void fixture_build_from(struct fixture *f, const struct image *previous)
{
	struct locations_previous from = { .fd = -1 };

	if (previous != NULL)
		from.image = *previous;
	build(f, previous != NULL ? &from : NULL);
}

bool fixture_take_over(struct fixture *f)
{
	struct locations_previous from = { f->locations, dup(f->locations_fd) };
	struct stat before = { 0 }, after = { 0 };

	ck_assert_int_eq(fstat(from.fd, &before), 0);
	build(f, &from);
	image_close(&from.image);
	close(from.fd);
	return f->locations_fd > 0 && fstat(f->locations_fd, &after) == 0 &&
	       before.st_ino == after.st_ino;
}

void fixture_build(struct fixture *f)
{
	struct image before = f->locations;

	fixture_build_from(f, NULL);
	image_close(&before);
}

void fixture_build_again(struct fixture *f)
{
	struct image before = f->locations;

	fixture_build_from(f, &before);
	image_close(&before);
}

char *fixture_mistakes(const struct fixture *f)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	diag_print(f->diag, out);
	(void)fclose(out);
	return text;
}

uint64_t fixture_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

struct ip_address fixture_address(const char *text)
{
	struct ip_address address;

	ck_assert_msg(ip_parse(text, &address), "%s", text);
	return address;
}

const struct geo_pref *fixture_pref(const struct fixture *f, const char *text, uint32_t pool)
{
	struct ip_address address = fixture_address(text);
	struct geo_match match = geo_find(&f->geo, &address);

	return geo_pool_pref(&f->geo, pool, geo_class_pref(&f->geo, match.class_id, pool));
}
