/* A zones image with edits: where zones_verify takes it, no query may lead outside of it, and
 * signpost-compile may take its segments over into the next image. */
#include <string.h>

#include "compile/zones_build.h"
#include "tests/fuzz/ask.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 8000, fuzz_runs_an_accepted = 10;

#define REGIONS_MAX 32

static struct sample sample;
static struct edit_region regions[REGIONS_MAX];
static size_t region_count;

static void add_region(uint64_t offset, uint64_t size)
{
	must(region_count < REGIONS_MAX);
	regions[region_count++] = (struct edit_region){ offset, size };
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct zones_root *root;

	(void)argc;
	(void)argv;
	sample_open();
	must(sample_compile(&sample));
	root = image_root(&sample.world.zones, struct zones_root);
	add_region(IMAGE_ROOT, sizeof(*root));
	add_region(root->zones_off, root->zone_count * sizeof(struct zones_entry));
	add_region(root->table_off, (root->table_mask + UINT64_C(1)) * sizeof(uint32_t));
	for (uint32_t zone = 0; zone < root->zone_count; zone++) {
		const struct zone_segment *segment = zones_segment(&sample.world.zones, zone);
		uint64_t at = zones_entry(&sample.world.zones, zone)->segment_off;

		add_region(at, offsetof(struct zone_segment, origin) + segment->origin_len);
		add_region(at + segment->nodes_off, segment->nodes_end - segment->nodes_off);
		add_region(at + segment->buckets_off,
			   (uint64_t)segment->bucket_count * sizeof(struct zone_bucket));
		add_region(at + sizeof(*segment), segment->size - sizeof(*segment));
	}
	return 0;
}

static void build_from(const struct image *previous)
{
	struct diag *diag = diag_new();
	struct zones_built built;
	struct arena arena = { 0 };
	struct image image = { NULL, 0 };
	struct config config;
	struct err err;

	must(config_read(&config, sample_path(SAMPLE_SERVER), false, &arena, diag) == 0);
	must_do(zones_build(&config, previous, &built, diag, &err), &err);
	if (diag_errors(diag) == 0) {
		must_do(image_open(&image, built.fd, IMAGE_ZONES, &err), &err);
		must_do(zones_verify(&image, &err), &err);
	}
	image_close(&image);
	zones_built_free(&built);
	arena_free(&arena);
	diag_free(diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = sample.world;
	struct err err;

	world.zones = edit_image(&sample.world.zones, regions, region_count, data, size);
	if (zones_verify(&world.zones, &err) == 0) {
		fuzz_accepted++;
		if (world_verify(&world, &err) == 0)
			ask_everything(&world);
		build_from(&world.zones);
	}
	edit_free(&world.zones);
	return 0;
}
