#include "compile/geo_build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/geo_overlay.h"
#include "compile/geo_prefs.h"
#include "compile/geo_trie.h"
#include "compile/locations_build.h"
#include "image/geo.h"

#define NO_CLASS UINT32_MAX

/* A joint preference ("tuple": one preference number for each pool) is that of a location, or that
 * with an overlay's rules put over it. The tuples that some network has are the classes. */
struct geo_job {
	const struct config *config;
	struct image locations;
	struct geo_prefs prefs;
	struct geo_overlay overlay;
	struct numbering tuples;  /* of locations */
	struct numbering classes; /* those in use */
	uint32_t *tuple_of;       /* of each location */
	uint32_t *class_of;       /* of each tuple alone; NO_CLASS: not in use yet */
	struct memo with_overlay; /* tuple and overlay -> class */
	uint32_t *scratch;        /* one tuple */
	size_t tuple_size;        /* octets */
};

static void number_locations(struct geo_job *job)
{
	const struct locations_root *root = image_root(&job->locations, struct locations_root);
	const struct location *all = image_at(&job->locations, struct location,
					      root->locations_off);

	job->tuple_of = mem_array(root->location_count, sizeof(*job->tuple_of));
	for (uint32_t i = 0; i < root->location_count; i++) {
		geo_prefs_of(&job->prefs, &all[i], job->scratch);
		job->tuple_of[i] = numbering_add(&job->tuples, job->scratch, job->tuple_size);
	}
	job->class_of = mem_array(job->tuples.count, sizeof(*job->class_of));
	memset(job->class_of, 0xff, job->tuples.count * sizeof(*job->class_of));
}

/* --- the stream of classes ----------------------------------------------------------------- */

static uint32_t plain_class(struct geo_job *job, uint32_t tuple)
{
	if (job->class_of[tuple] == NO_CLASS)
		job->class_of[tuple] = numbering_add(
			&job->classes, numbering_item(&job->tuples, tuple), job->tuple_size);
	return job->class_of[tuple];
}

static uint32_t overlaid_class(struct geo_job *job, uint32_t tuple, uint32_t overlay)
{
	const uint32_t *over = numbering_item(&job->overlay.numbers, overlay);
	bool found;
	uint32_t *known = memo_find(&job->with_overlay, (uint64_t)tuple << 32 | overlay, &found);

	if (found)
		return *known;
	memcpy(job->scratch, numbering_item(&job->tuples, tuple), job->tuple_size);
	for (size_t pool = 0; pool < job->config->pool_count; pool++)
		if (over[pool] != OVERLAY_NONE)
			job->scratch[pool] = over[pool];
	*known = numbering_add(&job->classes, job->scratch, job->tuple_size);
	return *known;
}

/* One family's locations and overlays, side by side. */
struct stream {
	struct geo_job *job;
	struct breaks_cursor locations, overlays;
	bool is_begun;
};

static bool stream_advance(struct stream *s, address_bits *start)
{
	address_bits location = 0, overlay = 0;
	bool more_locations = cursor_next(&s->locations, &location);
	bool more_overlays = cursor_next(&s->overlays, &overlay);

	if (!more_locations && !more_overlays)
		return false;
	*start = !more_overlays || (more_locations && location < overlay) ? location : overlay;
	s->locations.at += more_locations && location == *start;
	s->overlays.at += more_overlays && overlay == *start;
	return true;
}

/* More classes than a leaf can name: the stream ends early, and the image is thrown away. */
static bool stream_next(void *context, address_bits *start, uint32_t *class_id)
{
	struct stream *s = context;
	struct geo_job *job = s->job;
	uint32_t tuple, overlay;

	*start = 0;
	if (s->is_begun && (job->classes.count > GEO_CLASSES_MAX || !stream_advance(s, start)))
		return false;
	s->is_begun = true;
	tuple = job->tuple_of[cursor_value(&s->locations)];
	overlay = cursor_value(&s->overlays);
	*class_id = overlay == 0 ? plain_class(job, tuple) : overlaid_class(job, tuple, overlay);
	return true;
}

static struct stream open_stream(struct geo_job *job, int family)
{
	const struct image *locations = &job->locations;
	const struct locations_root *root = image_root(locations, struct locations_root);
	struct stream s = { .job = job, .overlays = breaks_cursor(&job->overlay.breaks[family]) };

	if (family == 0)
		s.locations = (struct breaks_cursor){
			.family = IP_V4,
			.start4 = image_at(locations, uint32_t, root->v4_start_off),
			.values = image_at(locations, uint32_t, root->v4_value_off),
			.count = root->v4_count,
		};
	else
		s.locations = (struct breaks_cursor){
			.family = IP_V6,
			.start6 = image_at(locations, struct ip6_words, root->v6_start_off),
			.values = image_at(locations, uint32_t, root->v6_value_off),
			.count = root->v6_count,
		};
	return s;
}

/* --- the image ----------------------------------------------------------------------------- */

static void write_pool(struct image_writer *writer, uint64_t pool_at, const struct numbering *prefs,
		       enum policy policy)
{
	uint64_t at = image_writer_reserve(writer, prefs->count * sizeof(struct geo_pref), 64);
	struct geo_pool *pool = image_writer_at(writer, struct geo_pool, pool_at);

	pool->prefs_off = at;
	pool->pref_count = prefs->count;
	for (uint32_t i = 0; i < prefs->count; i++) {
		uint64_t bands_at;
		uint32_t count;
		const uint16_t *sites = geo_pref_sites(prefs, i, &count);
		uint64_t sites_at = image_writer_append(writer, sites, count * sizeof(*sites), 2);

		bands_at = image_writer_reserve(writer, count * sizeof(uint16_t), 4);
		for (uint32_t b = 0; b < count; b++)
			image_writer_at(writer, uint16_t, bands_at)[b] = (uint16_t)b;
		image_writer_at(writer, struct geo_pref, at)[i] = (struct geo_pref){
			.sites_off = sites_at,
			.bands_off = bands_at,
			.fences_off = bands_at,
			.avoids_off = bands_at,
			.site_count = count,
			.rule = geo_pref_rule(prefs, i),
			.policy = (uint8_t)policy,
		};
	}
}

static void write_tables(struct geo_job *job, struct image_writer *writer)
{
	size_t pools = job->config->pool_count;
	uint64_t at = image_writer_reserve(writer, pools * sizeof(struct geo_pool), 64);
	struct geo_root *root = image_writer_root(writer, struct geo_root);

	root->pools_off = at;
	root->pool_count = (uint32_t)pools;
	root->site_count = (uint32_t)job->config->site_count;
	for (size_t i = 0; i < pools; i++)
		write_pool(writer, at + i * sizeof(struct geo_pool), &job->prefs.pools[i].numbers,
			   job->config->pools[i].policy);
	at = image_writer_append(writer, job->classes.bytes.data, job->classes.bytes.len, 64);
	root = image_writer_root(writer, struct geo_root);
	root->class_prefs_off = at;
	root->class_count = job->classes.count;
}

static int write_image(struct geo_job *job, int *fd, struct diag *diag, struct err *err)
{
	const struct place server_file = { .file = job->config->file };
	struct image_writer writer;

	if (image_writer_open(&writer, IMAGE_GEO, sizeof(struct geo_root), err) != 0)
		return -1;
	for (int family = 0; family < 2; family++) {
		struct stream stream = open_stream(job, family);
		struct geo_trie trie = geo_trie_write(&writer, stream_next, &stream);

		image_writer_root(&writer, struct geo_root)->trie[family] = trie;
	}
	if (job->classes.count > GEO_CLASSES_MAX) {
		diag_add(diag, DIAG_ERROR, &server_file, NULL, 0,
			 "pools, sites and rules make more than %u client classes: lower "
			 "\"preference-depth\" (now %u)",
			 GEO_CLASSES_MAX, job->config->preference_depth);
		image_writer_discard(&writer);
		return 0;
	}
	write_tables(job, &writer);
	return image_writer_finish(&writer, NULL, fd, err);
}

static int build(const struct config *config, const struct image *locations, int *fd,
		 struct diag *diag, struct err *err)
{
	struct geo_job job = { .config = config,
			       .locations = *locations,
			       .tuple_size = (config->pool_count ? config->pool_count : 1) *
					     sizeof(uint32_t) };
	int rc;

	job.scratch = mem_alloc(job.tuple_size);
	geo_prefs_init(&job.prefs, config);
	geo_overlay_init(&job.overlay, &job.prefs);
	number_locations(&job);
	rc = write_image(&job, fd, diag, err);
	geo_prefs_free(&job.prefs);
	geo_overlay_free(&job.overlay);
	numbering_free(&job.tuples);
	numbering_free(&job.classes);
	memo_free(&job.with_overlay);
	free(job.tuple_of);
	free(job.class_of);
	free(job.scratch);
	return rc;
}

int geo_build(const struct config *config, const struct image *previous_locations, int *geo_fd,
	      int *locations_fd, struct diag *diag, struct err *err)
{
	struct image locations = { NULL, 0 };
	int rc;

	*geo_fd = -1;
	*locations_fd = -1;
	rc = locations_build(config, previous_locations, locations_fd, diag, err);
	if (rc != 0 || *locations_fd < 0)
		return rc;
	rc = image_open(&locations, *locations_fd, IMAGE_LOCATIONS, err);
	if (rc == 0)
		rc = build(config, &locations, geo_fd, diag, err);
	image_close(&locations);
	if (*geo_fd < 0) {
		(void)close(*locations_fd);
		*locations_fd = -1;
	}
	return rc;
}
