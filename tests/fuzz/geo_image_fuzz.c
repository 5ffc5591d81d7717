/* A geo image with edits: where geo_verify takes it, no address may lead outside of it, neither
 * where clients are looked up nor where steering orders the sites. */
#include "serve/choose.h"
#include "steer/steer.h"
#include "tests/fuzz/ask.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 1000, fuzz_runs_an_accepted = 10;

#define REGIONS_MAX 64

static struct sample sample;
static struct edit_region regions[REGIONS_MAX];
static size_t region_count;

/* What is there only. */
static void add_region(uint64_t offset, uint64_t size)
{
	if (size == 0)
		return;
	must(region_count < REGIONS_MAX);
	regions[region_count++] = (struct edit_region){ offset, size };
}

static void add_trie(const struct geo_trie *trie, unsigned family)
{
	add_region(trie->nodes_off, trie->node_count * sizeof(struct geo_node));
	add_region(trie->leaves_off, trie->leaf_count * sizeof(uint16_t));
	add_region(trie->root_off, sizeof(uint32_t) << geo_root_bits(family));
}

/* What preferences have lists of; many have equal ones, and lie apart. */
static void add_lists(const struct image *geo, const struct geo_pool *pool)
{
	const struct geo_pref *prefs = image_at(geo, struct geo_pref, pool->prefs_off);

	for (uint32_t i = 0; i < pool->pref_count && i < 4; i++) {
		add_region(prefs[i].sites_off, prefs[i].site_count * sizeof(uint16_t));
		add_region(prefs[i].bands_off, prefs[i].site_count * sizeof(uint16_t));
		add_region(prefs[i].fences_off, prefs[i].fence_count * sizeof(uint32_t));
		add_region(prefs[i].avoids_off, prefs[i].avoid_count * sizeof(uint32_t));
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct geo_root *root;
	const struct geo_pool *pools;

	(void)argc;
	(void)argv;
	sample_open();
	must(sample_compile(&sample));
	root = image_root(&sample.world.geo, struct geo_root);
	pools = image_at(&sample.world.geo, struct geo_pool, root->pools_off);
	add_region(IMAGE_ROOT, sizeof(*root));
	add_region(root->pools_off, root->pool_count * sizeof(struct geo_pool));
	add_region(root->class_prefs_off,
		   (uint64_t)root->class_count * root->pool_count * sizeof(uint32_t));
	must(geo_has_resolvers(&sample.world.geo));
	for (unsigned i = 0; i < 2; i++)
		add_trie(&root->trie[i], i);
	for (uint32_t pool = 0; pool < root->pool_count; pool++)
		add_region(pools[pool].prefs_off, pools[pool].pref_count * sizeof(struct geo_pref));
	for (unsigned i = 0; i < 2; i++)
		add_trie(&root->resolvers[i], i);
	for (uint32_t pool = 0; pool < root->pool_count; pool++)
		add_lists(&sample.world.geo, &pools[pool]);
	return 0;
}

static void look_up(const struct image *geo)
{
	const struct geo_root *root = image_root(geo, struct geo_root);

	for (unsigned i = 0; i < ASK_ADDRESSES; i++) {
		struct ip_address address = ask_address(i);
		struct geo_match match = geo_find(geo, &address);

		must(match.prefix_len <= ip_bits(address.family));
		must(match.class_id < root->class_count);
		for (uint32_t pool = 0; pool < root->pool_count; pool++) {
			uint32_t pref = geo_class_pref(geo, match.class_id, pool);
			const struct geo_pref *sites = geo_pool_pref(geo, pool, pref);

			for (uint32_t n = 0; n < sites->site_count; n++)
				must(image_at(geo, uint16_t, sites->sites_off)[n] <
				     root->site_count);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = sample.world;
	struct err err;

	world.geo = edit_image(&sample.world.geo, regions, region_count, data, size);
	if (geo_verify(&world.geo, &err) == 0) {
		fuzz_accepted++;
		look_up(&world.geo);
		if (world_verify(&world, &err) == 0)
			ask_everything(&world);
		if (sample_steer(&world.steering, &world.zones, &world.geo, &sample.plan)) {
			must_do(world_verify(&world, &err), &err);
			image_close(&world.steering);
		}
	}
	edit_free(&world.geo);
	return 0;
}
