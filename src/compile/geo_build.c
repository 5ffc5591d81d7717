#include "compile/geo_build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/geo_overlay.h"
#include "compile/geo_places.h"
#include "compile/geo_spots.h"
#include "compile/geo_trie.h"
#include "compile/locations_build.h"
#include "image/geo.h"

#define NO_CLASS UINT32_MAX
#define BY_SPOT  (UINT32_MAX - 1) /* the joint alone does not tell: the spot must be measured */

/* A class is the preferences of all pools that some network has: those of its spot, or what they
 * become where an overlay lies over it. */
struct geo_job {
	const struct config *config;
	struct image locations;
	struct geo_prefs prefs;
	struct geo_clients clients;
	struct geo_spots spots;
	struct geo_overlay overlay;
	struct geo_places overrides, resolvers;
	uint32_t *spot_of;        /* of each location */
	uint32_t *class_of;       /* of each spot alone; NO_CLASS: not in use yet */
	uint32_t *class_at;       /* the same of each location */
	struct numbering classes; /* uint32_t[pool_count]: preferences */
	struct memo joint_under;  /* joint and overlay -> class or BY_SPOT */
	struct memo spot_under;   /* spot and overlay -> class */
	uint32_t *scratch;        /* preferences of one class */
	size_t class_size;        /* octets */
};

static void add_spots(struct geo_job *job)
{
	const struct locations_root *root = image_root(&job->locations, struct locations_root);
	const struct location *all = image_at(&job->locations, struct location,
					      root->locations_off);

	numbering_reserve(&job->spots.numbers, root->location_count, sizeof(struct spot));
	job->spot_of = mem_array(root->location_count, sizeof(*job->spot_of));
	for (uint32_t i = 0; i < root->location_count; i++)
		job->spot_of[i] = geo_spots_add(&job->spots, &all[i]);
	geo_places_init(&job->overrides, &job->spots, &job->locations, &root->overrides, NULL);
	geo_places_init(&job->resolvers, &job->spots, &job->locations, &root->resolvers,
			&root->overrides);
	job->class_of = mem_array(job->spots.numbers.count, sizeof(*job->class_of));
	memset(job->class_of, 0xff, job->spots.numbers.count * sizeof(*job->class_of));
	job->class_at = mem_array(root->location_count, sizeof(*job->class_at));
	memset(job->class_at, 0xff, root->location_count * sizeof(*job->class_at));
}

/* --- the stream of classes ----------------------------------------------------------------- */

static uint32_t plain_class(struct geo_job *job, uint32_t spot)
{
	const uint32_t *joint = geo_spots_joint(&job->spots, job->spots.joint_of[spot]);
	/* Without pools nothing stands there, and a class has one number all the same. */
	const uint32_t *prefs = job->config->pool_count > 0 ? joint + 1 : job->scratch;

	if (job->class_of[spot] == NO_CLASS)
		job->class_of[spot] = numbering_add(&job->classes, prefs, job->class_size);
	return job->class_of[spot];
}

static uint32_t location_class(struct geo_job *job, uint32_t location)
{
	if (job->class_at[location] == NO_CLASS)
		job->class_at[location] = plain_class(job, job->spot_of[location]);
	return job->class_at[location];
}

/* Measuring each spot under each overlay would take long; mostly what the joint says will do. */
static uint32_t overlaid_class(struct geo_job *job, uint32_t spot, uint32_t overlay)
{
	const uint32_t *facts = numbering_item(&job->overlay.numbers, overlay);
	uint32_t joint = job->spots.joint_of[spot];
	bool found;
	uint32_t *known = memo_find(&job->joint_under, (uint64_t)joint << 32 | overlay, &found);

	if (!found) {
		*known = BY_SPOT;
		if (geo_spots_overlay(&job->spots, joint, facts, job->scratch))
			*known = numbering_add(&job->classes, job->scratch, job->class_size);
	}
	if (*known != BY_SPOT)
		return *known;
	known = memo_find(&job->spot_under, (uint64_t)spot << 32 | overlay, &found);
	if (!found) {
		geo_spots_overlay_at(&job->spots, spot, facts, job->scratch);
		*known = numbering_add(&job->classes, job->scratch, job->class_size);
	}
	return *known;
}

/* What lies over one another in one family, side by side. */
enum layer { LAYER_LOCATIONS, LAYER_PLACES, LAYER_OVERLAYS, LAYERS };

struct stream {
	struct geo_job *job;
	struct breaks_cursor layers[LAYERS];
	address_bits next[LAYERS]; /* where the layer changes next */
	bool has_next[LAYERS];
	bool is_begun;
	bool is_of_resolvers; /* only of them: elsewhere there is no class */
};

static void look_ahead(struct stream *s, enum layer layer)
{
	s->has_next[layer] = cursor_next(&s->layers[layer], &s->next[layer]);
}

static bool stream_advance(struct stream *s, address_bits *start)
{
	bool any = false;

	for (int i = 0; i < LAYERS; i++)
		if (s->has_next[i] && (!any || s->next[i] < *start)) {
			*start = s->next[i];
			any = true;
		}
	for (int i = 0; i < LAYERS; i++)
		if (s->has_next[i] && s->next[i] == *start) {
			s->layers[i].at++;
			look_ahead(s, (enum layer)i);
		}
	return any;
}

static uint32_t stream_class(struct stream *s)
{
	uint32_t place = cursor_value(&s->layers[LAYER_PLACES]);
	uint32_t overlay = cursor_value(&s->layers[LAYER_OVERLAYS]);
	uint32_t location = cursor_value(&s->layers[LAYER_LOCATIONS]);

	if (place == 0 && s->is_of_resolvers)
		return GEO_CLASS_NONE;
	if (overlay != 0)
		return overlaid_class(s->job, place != 0 ? place - 1 : s->job->spot_of[location],
				      overlay);
	return place != 0 ? plain_class(s->job, place - 1) : location_class(s->job, location);
}

/* More classes than a leaf can name: the stream ends early, and the image is thrown away. */
static bool stream_next(void *context, address_bits *start, uint32_t *class_id)
{
	struct stream *s = context;

	*start = 0;
	if (s->is_begun && (s->job->classes.count > GEO_CLASSES_MAX || !stream_advance(s, start)))
		return false;
	s->is_begun = true;
	*class_id = stream_class(s);
	return true;
}

static struct geo_trie write_trie(struct geo_job *job, struct image_writer *writer, int family,
				  bool is_of_resolvers)
{
	const struct locations_root *root = image_root(&job->locations, struct locations_root);
	const struct geo_places *places = is_of_resolvers ? &job->resolvers : &job->overrides;
	struct stream s = { .job = job, .is_of_resolvers = is_of_resolvers };

	s.layers[LAYER_LOCATIONS] = breaks_cursor_in(&job->locations, &root->breaks, family);
	if (is_of_resolvers)
		s.layers[LAYER_LOCATIONS].count = 1; /* what they say is in the places */
	s.layers[LAYER_PLACES] = breaks_cursor(&places->breaks[family]);
	s.layers[LAYER_OVERLAYS] = breaks_cursor(&job->overlay.breaks[family]);
	for (int i = 0; i < LAYERS; i++)
		look_ahead(&s, (enum layer)i);
	return geo_trie_write(writer, stream_next, &s);
}

/* --- the image ----------------------------------------------------------------------------- */

/* Numbers of the plan: those of all pools, one behind the other. */
struct pool_firsts {
	uint32_t rule, fence, avoid;
};

static uint32_t write_bits(struct image_writer *writer, const uint64_t *bits, uint32_t from,
			   size_t count, uint32_t first, uint64_t *offset)
{
	uint32_t written = 0;

	*offset = image_writer_reserve(writer, 0, 4);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = first + i;

		if (!facts_bit(bits, from + i))
			continue;
		(void)image_writer_append(writer, &number, sizeof(number), 4);
		written++;
	}
	return written;
}

static struct geo_pref write_pref(struct image_writer *writer, const struct pool_prefs *pool,
				  uint32_t number, const struct pool_firsts *firsts)
{
	uint32_t count;
	const struct pref *from = geo_prefs_item(pool, number, &count);
	const struct resolved *holds = facts_resolved(&pool->facts, from->resolved);
	struct geo_pref pref = { .site_count = count,
				 .rule = holds->rule != FACTS_NO_RULE ? firsts->rule + holds->rule
								      : GEO_RULE_NONE,
				 .policy = holds->policy,
				 .own = holds->own,
				 .nearest = from->nearest };

	pref.sites_off = image_writer_reserve(writer, count * sizeof(uint16_t), 2);
	pref.bands_off = image_writer_reserve(writer, count * sizeof(uint16_t), 2);
	for (uint32_t i = 0; i < count; i++) {
		image_writer_at(writer, uint16_t, pref.sites_off)[i] = from->sites[i].site;
		image_writer_at(writer, uint16_t, pref.bands_off)[i] = from->sites[i].band;
	}
	pref.fence_count = write_bits(writer, holds->bits, facts_fence_bit(0),
				      pool->config->fence_count, firsts->fence, &pref.fences_off);
	pref.avoid_count = write_bits(writer, holds->bits, facts_avoid_bit(pool->config, 0),
				      pool->config->avoid_count, firsts->avoid, &pref.avoids_off);
	return pref;
}

static void write_pool(struct image_writer *writer, uint64_t pool_at, const struct pool_prefs *pool,
		       struct pool_firsts *firsts)
{
	uint32_t count = pool->numbers.count;
	uint64_t at = image_writer_reserve(writer, count * sizeof(struct geo_pref), 64);

	*image_writer_at(writer, struct geo_pool,
			 pool_at) = (struct geo_pool){ .prefs_off = at, .pref_count = count };
	for (uint32_t i = 0; i < count; i++) {
		struct geo_pref pref = write_pref(writer, pool, i, firsts);

		image_writer_at(writer, struct geo_pref, at)[i] = pref;
	}
	firsts->rule += (uint32_t)pool->config->rule_count;
	firsts->fence += (uint32_t)pool->config->fence_count;
	firsts->avoid += (uint32_t)pool->config->avoid_count;
}

static void write_tables(struct geo_job *job, struct image_writer *writer)
{
	size_t pools = job->config->pool_count;
	struct pool_firsts firsts = { 0 };
	uint64_t at = image_writer_reserve(writer, pools * sizeof(struct geo_pool), 64);
	struct geo_root *root = image_writer_root(writer, struct geo_root);

	root->pools_off = at;
	root->pool_count = (uint32_t)pools;
	root->site_count = (uint32_t)job->config->site_count;
	for (size_t i = 0; i < pools; i++)
		write_pool(writer, at + i * sizeof(struct geo_pool), &job->prefs.pools[i], &firsts);
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
		struct geo_trie trie = write_trie(job, &writer, family, false);

		image_writer_root(&writer, struct geo_root)->trie[family] = trie;
	}
	for (int family = 0; job->config->resolvers_path != NULL && family < 2; family++) {
		struct geo_trie trie = write_trie(job, &writer, family, true);

		image_writer_root(&writer, struct geo_root)->resolvers[family] = trie;
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

static void open_job(struct geo_job *job)
{
	size_t pools = job->config->pool_count;
	struct pool_facts **facts = mem_array(pools, sizeof(struct pool_facts *));

	job->class_size = (pools > 0 ? pools : 1) * sizeof(*job->scratch);
	job->scratch = mem_alloc(job->class_size);
	geo_prefs_init(&job->prefs, job->config);
	for (size_t i = 0; i < pools; i++)
		facts[i] = &job->prefs.pools[i].facts;
	geo_clients_init(&job->clients, job->config, facts, &job->locations);
	geo_overlay_init(&job->overlay, &job->clients);
	geo_spots_init(&job->spots, &job->clients, &job->prefs);
}

static void close_job(struct geo_job *job)
{
	geo_spots_free(&job->spots);
	geo_places_free(&job->overrides);
	geo_places_free(&job->resolvers);
	geo_overlay_free(&job->overlay);
	geo_clients_free(&job->clients);
	geo_prefs_free(&job->prefs);
	numbering_free(&job->classes);
	memo_free(&job->joint_under);
	memo_free(&job->spot_under);
	free(job->spot_of);
	free(job->class_of);
	free(job->class_at);
	free(job->scratch);
}

static int build(const struct config *config, const struct image *locations, int *fd,
		 struct diag *diag, struct err *err)
{
	struct geo_job job = { .config = config, .locations = *locations };
	int rc;

	open_job(&job);
	add_spots(&job);
	geo_spots_measure(&job.spots);
	rc = write_image(&job, fd, diag, err);
	close_job(&job);
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
