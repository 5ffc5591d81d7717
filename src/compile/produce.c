#include "compile/produce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "compile/boot_fill.h"
#include "compile/geo_build.h"
#include "compile/plan_build.h"
#include "compile/zones_build.h"
#include "image/geo.h"
#include "image/locations.h"
#include "image/zones.h"

/* --- the last good world ---------------------------------------------------------------------- */

typedef int verify_fn(const struct image *image, struct err *err);

static int open_cached(struct image *out, int fd, enum image_kind kind, verify_fn *verify,
		       struct err *err)
{
	if (image_open(out, fd, kind, err) != 0)
		return -1;
	if (image_check_id(out, err) == 0 && verify(out, err) == 0)
		return 0;
	image_close(out);
	return -1;
}

/* An image that is not there or not good costs time, not correctness: it is made anew, and a
 * damaged one is spoken of. The descriptor is the caller's; -1: there is none. */
static int load_cached(struct image *out, const char *dir, enum image_kind kind, verify_fn *verify)
{
	char path[4096];
	struct err err;
	int fd;

	*out = (struct image){ NULL, 0 };
	if (dir == NULL || (size_t)snprintf(path, sizeof(path), "%s/%s.image", dir,
					    image_name[kind]) >= sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0)
		(void)fprintf(stderr, "%s: warning: not reused: %s\n", path, strerror(errno));
	else if (open_cached(out, fd, kind, verify, &err) != 0)
		(void)fprintf(stderr, "%s: warning: not reused: %s\n", path, err.text);
	return fd;
}

/* --- steps ------------------------------------------------------------------------------------ */

static uint32_t since_ms(uint64_t *then_ms)
{
	uint64_t now_ms = clock_mono_ms();
	uint32_t took = (uint32_t)(now_ms - *then_ms);

	*then_ms = now_ms;
	return took;
}

static void count_config(const struct config *config, struct compile_counts *counts)
{
	counts->sites = (uint32_t)config->site_count;
	counts->pools = (uint32_t)config->pool_count;
	for (size_t p = 0; p < config->pool_count; p++) {
		const struct config_pool *pool = &config->pools[p];

		counts->rules += (uint32_t)pool->rule_count;
		for (size_t s = 0; s < pool->site_count; s++)
			counts->nodes += (uint32_t)pool->sites[s].node_count;
	}
}

static void count_zones(const struct zones_built *zones, struct compile_counts *counts)
{
	counts->zones = zones->zone_count;
	counts->records = zones->record_count;
	counts->pool_records = (uint32_t)zones->binding_count;
	counts->zones_reused = zones->reused_count;
}

/* What only the finished images tell: their ids, and how much is in them. */
static int read_images(struct product *product, struct err *err)
{
	static const enum image_kind kinds[COMPILED_FDS] = {
		[COMPILED_ZONES] = IMAGE_ZONES,
		[COMPILED_GEO] = IMAGE_GEO,
		[COMPILED_PLAN] = IMAGE_PLAN,
		[COMPILED_LOCATIONS] = IMAGE_LOCATIONS
	};
	struct compile_counts *counts = &product->result.counts;

	for (size_t i = 0; i < COMPILED_FDS; i++) {
		const struct locations_root *locations;
		struct image image;

		if (image_open(&image, product->fds[i], kinds[i], err) != 0)
			return -1;
		product->result.id[i] = image_header(&image)->id;
		locations = image_root(&image, struct locations_root);
		if (i == COMPILED_LOCATIONS)
			counts->networks = locations->breaks.family[0].count +
					   locations->breaks.family[1].count;
		else if (i == COMPILED_GEO)
			counts->classes = image_root(&image, struct geo_root)->class_count;
		else if (i == COMPILED_PLAN)
			counts->checks = plan_count(&image, checks);
		image_close(&image);
	}
	return 0;
}

/* Whoever serves an image has verified it, and sealed memory is for ever as it was then; a file is
 * not. */
static int open_served(struct image *out, int fd, enum image_kind kind, verify_fn *verify,
		       struct err *err)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals >= 0 && (seals & F_SEAL_WRITE) != 0)
		return image_open(out, fd, kind, err);
	return open_cached(out, fd, kind, verify, err);
}

/* What is served, or else what the folder has. The descriptor is the caller's; -1: there is none. */
static int load_previous(struct image *out, int served, const char *cache_dir, enum image_kind kind,
			 verify_fn *verify)
{
	struct err err;

	if (served < 0)
		return load_cached(out, cache_dir, kind, verify);
	if (open_served(out, served, kind, verify, &err) != 0) {
		(void)fprintf(stderr, "the served %s: warning: not reused: %s\n", image_name[kind],
			      err.text);
		*out = (struct image){ NULL, 0 };
	}
	return fcntl(served, F_DUPFD_CLOEXEC, 0);
}

static void close_previous(struct image *image, int fd)
{
	image_close(image);
	if (fd >= 0)
		(void)close(fd);
}

static void tell_kept(uint32_t warnings, const char *where)
{
	if (warnings > 0)
		(void)fprintf(stderr,
			      "%u warning%s in %s that did not change: \"signpostctl check\" "
			      "shows them\n",
			      warnings, warnings == 1 ? "" : "s", where);
}

static int make_zones(struct product *product, struct zones_built *zones, int served,
		      const char *cache_dir, struct diag *diag, struct err *err)
{
	struct image cached;
	int fd = load_previous(&cached, served, cache_dir, IMAGE_ZONES, zones_verify);
	int rc = zones_build(&product->config, cached.base != NULL ? &cached : NULL, zones, diag,
			     err);

	close_previous(&cached, fd);
	tell_kept(zones->kept_warnings, "zones");
	product->fds[COMPILED_ZONES] = zones->fd;
	zones->fd = -1; /* now the product's */
	count_zones(zones, &product->result.counts);
	return rc;
}

static int make_geo(struct product *product, int served, const char *cache_dir, struct diag *diag,
		    struct err *err)
{
	struct config config = product->config;
	struct locations_previous cached;
	struct locations_built locations;
	int rc;

	/* With mistakes there will be no images; the databases are looked at for theirs, but pools
	 * that are half read steer nobody. */
	if (diag_errors(diag) > 0)
		config.pool_count = 0;
	cached.fd = load_previous(&cached.image, served, cache_dir, IMAGE_LOCATIONS,
				  locations_verify);
	rc = geo_build(&config, cached.image.base != NULL ? &cached : NULL,
		       &product->fds[COMPILED_GEO], &locations, diag, err);
	close_previous(&cached.image, cached.fd);
	product->fds[COMPILED_LOCATIONS] = locations.fd;
	tell_kept(locations.kept_warnings, "files of networks");
	return rc;
}

static int make_images(struct product *product, const struct served *served, const char *cache_dir,
		       struct diag *diag, struct err *err)
{
	struct compile_result *result = &product->result;
	struct zones_built zones = { .fd = -1 };
	uint64_t then_ms = clock_mono_ms();
	int rc = -1;

	if (make_zones(product, &zones, served->zones, cache_dir, diag, err) != 0)
		goto out;
	result->zones_ms = since_ms(&then_ms);
	if (make_geo(product, served->locations, cache_dir, diag, err) != 0)
		goto out;
	result->geo_ms = since_ms(&then_ms);
	if (diag_errors(diag) == 0) {
		if (plan_build(&product->config, zones.bindings, zones.binding_count,
			       &product->fds[COMPILED_PLAN], err) != 0 ||
		    read_images(product, err) != 0)
			goto out;
		result->plan_ms = since_ms(&then_ms);
	}
	rc = 0;
out:
	zones_built_free(&zones);
	return rc;
}

int produce(struct product *out, const char *file, const char *state_dir, const char *cache_dir,
	    const struct served *served, struct diag *diag, struct err *err)
{
	uint64_t then_ms = clock_mono_ms();
	int rc;

	*out = (struct product){ .result = { .magic = COMPILED_MAGIC,
					     .version = COMPILED_VERSION,
					     .size = sizeof(struct compile_result) },
				 .fds = { -1, -1, -1, -1 } };
	if (config_read(&out->config, file, false, &out->arena, diag) != 0)
		return 0; /* and diag says why */
	out->config.boot_id = boot_id(
		&out->config); /* of what the file says, whatever replaces it */
	if (state_dir != NULL)
		out->config.state_dir = state_dir;
	out->result.config_ms = since_ms(&then_ms);
	count_config(&out->config, &out->result.counts);
	rc = make_images(out, served, cache_dir, diag, err);
	out->result.counts.warnings = diag_warnings(diag);
	return rc;
}

void product_free(struct product *product)
{
	for (size_t i = 0; i < COMPILED_FDS; i++) {
		if (product->fds[i] >= 0)
			(void)close(product->fds[i]);
		product->fds[i] = -1;
	}
	arena_free(&product->arena);
}
