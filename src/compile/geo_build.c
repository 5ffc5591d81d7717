#include "compile/geo_build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/beside.h"
#include "compile/geo_layers.h"
#include "image/geo.h"

struct geo_job {
	const struct config *config;
	struct image locations;
	struct geo_prefs prefs;
	struct geo_clients clients;
	struct geo_spots spots;
	struct geo_overlay overlay;
	struct geo_places overrides, resolvers;
	struct geo_layers layers;
	uint32_t *spot_of;        /* of each location */
	struct numbering classes; /* uint32_t: those of the layers that some network has */
};

static void add_spots(struct geo_job *job)
{
	const struct locations_root *root = image_root(&job->locations, struct locations_root);

	numbering_reserve(&job->spots.numbers, root->location_count, sizeof(struct spot));
	job->spot_of = mem_array(root->location_count, sizeof(*job->spot_of));
	for (uint32_t i = 0; i < root->location_count; i += GEO_SPOTS_TOGETHER) {
		uint32_t left = root->location_count - i;

		geo_spots_add_some(&job->spots, &job->locations, i,
				   left < GEO_SPOTS_TOGETHER ? left : GEO_SPOTS_TOGETHER,
				   job->spot_of + i);
	}
	geo_places_init(&job->overrides, &job->spots, &job->locations, &root->overrides, NULL);
	geo_places_init(&job->resolvers, &job->spots, &job->locations, &root->resolvers,
			&root->overrides);
}

/* --- tries --------------------------------------------------------------------------------- */

static void build_trie(void *context)
{
	geo_layers_build(context);
}

/* Its own numbers become those of all tries, which count on from what was met before. */
static void number_classes(struct geo_job *job, struct geo_layers_trie *trie)
{
	uint32_t *to = mem_array(trie->used_count, sizeof(*to));

	for (uint32_t i = 0; i < trie->used_count; i++)
		to[i] = numbering_add(&job->classes, &trie->used[i], sizeof(trie->used[i]));
	if (job->classes.count <= GEO_CLASSES_MAX)
		geo_trie_renumber(&trie->draft, to);
	free(to);
}

/* Both families at once. */
static void write_tries(struct geo_job *job, struct image_writer *writer, bool is_of_resolvers,
			struct geo_trie out[2])
{
	struct geo_layers_trie tries[2];
	struct beside other;

	for (int family = 0; family < 2; family++)
		tries[family] = (struct geo_layers_trie){ .layers = &job->layers,
							  .family = family,
							  .is_of_resolvers = is_of_resolvers };
	beside_start(&other, build_trie, &tries[1]);
	build_trie(&tries[0]);
	beside_wait(&other);
	for (int family = 0; family < 2; family++) {
		number_classes(job, &tries[family]);
		out[family] = geo_trie_write(&tries[family].draft, writer);
		geo_layers_free_trie(&tries[family]);
	}
}

static void write_all_tries(struct geo_job *job, struct image_writer *writer)
{
	struct geo_trie tries[2];

	write_tries(job, writer, false, tries);
	memcpy(image_writer_root(writer, struct geo_root)->trie, tries, sizeof(tries));
	if (job->config->resolvers_path == NULL)
		return;
	write_tries(job, writer, true, tries);
	memcpy(image_writer_root(writer, struct geo_root)->resolvers, tries, sizeof(tries));
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

static void write_classes(const struct geo_job *job, uint8_t *out)
{
	size_t size = job->layers.class_size;

	for (uint32_t i = 0; i < job->classes.count; i++) {
		const uint32_t *number = numbering_item(&job->classes, i);

		memcpy(out + i * size, numbering_item(&job->layers.classes, *number), size);
	}
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
	at = image_writer_reserve(writer, job->classes.count * job->layers.class_size, 64);
	write_classes(job, image_writer_at(writer, uint8_t, at));
	root = image_writer_root(writer, struct geo_root);
	root->class_prefs_off = at;
	root->class_count = job->classes.count;
}

static int refuse_classes(const struct config *config, struct diag *diag)
{
	const struct place server_file = { .file = config->file };

	diag_add(diag, DIAG_ERROR, &server_file, NULL, 0,
		 "pools, sites and rules make more than %u client classes: lower "
		 "\"preference-depth\" (now %u)",
		 GEO_CLASSES_MAX, config->preference_depth);
	return 0;
}

static int write_image(struct geo_job *job, int *fd, struct diag *diag, struct err *err)
{
	struct image_writer writer;

	if (image_writer_open(&writer, IMAGE_GEO, sizeof(struct geo_root), err) != 0)
		return -1;
	write_all_tries(job, &writer);
	if (job->classes.count > GEO_CLASSES_MAX) {
		image_writer_discard(&writer);
		return refuse_classes(job->config, diag);
	}
	write_tables(job, &writer);
	return image_writer_finish(&writer, NULL, fd, err);
}

static void open_job(struct geo_job *job)
{
	size_t pools = job->config->pool_count;
	struct pool_facts **facts = mem_array(pools, sizeof(struct pool_facts *));

	geo_prefs_init(&job->prefs, job->config);
	for (size_t i = 0; i < pools; i++)
		facts[i] = &job->prefs.pools[i].facts;
	geo_clients_init(&job->clients, job->config, facts, &job->locations);
	geo_overlay_init(&job->overlay, &job->clients);
	geo_spots_init(&job->spots, &job->clients, &job->prefs);
}

static void close_job(struct geo_job *job)
{
	geo_layers_free(&job->layers);
	geo_spots_free(&job->spots);
	geo_places_free(&job->overrides);
	geo_places_free(&job->resolvers);
	geo_overlay_free(&job->overlay);
	geo_clients_free(&job->clients);
	geo_prefs_free(&job->prefs);
	numbering_free(&job->classes);
	free(job->spot_of);
}

static int build(const struct config *config, const struct image *locations, int *fd,
		 struct diag *diag, struct err *err)
{
	struct geo_job job = { .config = config, .locations = *locations };
	int rc = 0;

	open_job(&job);
	add_spots(&job);
	geo_spots_measure(&job.spots);
	job.layers = (struct geo_layers){ .locations = &job.locations,
					  .spots = &job.spots,
					  .overlay = &job.overlay,
					  .overrides = &job.overrides,
					  .resolvers = &job.resolvers,
					  .spot_of = job.spot_of };
	if (geo_layers_settle(&job.layers, config->resolvers_path != NULL))
		rc = write_image(&job, fd, diag, err);
	else
		rc = refuse_classes(config, diag);
	close_job(&job);
	return rc;
}

int geo_build(const struct config *config, const struct locations_previous *previous, int *geo_fd,
	      struct locations_built *locations, struct diag *diag, struct err *err)
{
	struct image image = { NULL, 0 };
	int rc;

	*geo_fd = -1;
	rc = locations_build(config, previous, locations, diag, err);
	if (rc != 0 || locations->fd < 0)
		return rc;
	rc = image_open(&image, locations->fd, IMAGE_LOCATIONS, err);
	if (rc == 0)
		rc = build(config, &image, geo_fd, diag, err);
	image_close(&image);
	if (*geo_fd < 0) {
		(void)close(locations->fd);
		locations->fd = -1;
	}
	return rc;
}
