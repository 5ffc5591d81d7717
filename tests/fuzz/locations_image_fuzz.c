/* A locations image with edits: where locations_verify takes it, no lookup may lead outside of it, nor
 * a walk through all of it, as signpostctl simulate takes, and the geo image that is made from it
 * verifies. */
#include <string.h>
#include <unistd.h>

#include "compile/geo_build.h"
#include "ctl/space.h"
#include "tests/fuzz/ask.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 700, fuzz_runs_an_accepted = 20;

#define REGIONS_MAX 40

static struct sample sample;
static struct edit_region regions[REGIONS_MAX];
static size_t region_count;

static void add_region(uint64_t offset, uint64_t size)
{
	must(region_count < REGIONS_MAX);
	regions[region_count++] = (struct edit_region){ offset, size };
}

static void add_breaks(const struct location_breaks *breaks)
{
	for (unsigned family = 0; family < 2; family++) {
		const struct break_list *list = &breaks->family[family];

		add_region(list->heads_off, break_blocks(list->count) * sizeof(struct break_head));
		add_region(list->starts_off, list->starts_size);
		add_region(list->values_off, list->values_size);
	}
}

static void add_rows(const struct location_rows *table)
{
	must(table->row_count > 0);
	add_region(table->rows_off, table->row_count * sizeof(struct location_row));
	add_region(table->locations_off, table->location_count * sizeof(struct location));
	add_breaks(&table->breaks);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct locations_root *root;

	(void)argc;
	(void)argv;
	sample_open();
	must(sample_compile(&sample));
	root = image_root(&sample.locations, struct locations_root);
	add_region(IMAGE_ROOT, sizeof(*root));
	add_breaks(&root->breaks);
	add_region(root->places_off, root->location_count * sizeof(struct location_place));
	add_region(root->origins_off, root->origin_count * sizeof(struct location_origin));
	add_region(root->databases_off, root->database_count * sizeof(uint32_t));
	add_region(root->texts_off, root->texts_size);
	add_region(IMAGE_ROOT, sample.locations.size - IMAGE_ROOT);
	add_region(root->field_sets_off,
		   root->field_set_count * root->field_words * sizeof(uint64_t));
	add_region(root->more_texts_off, root->more_texts_size);
	add_rows(&root->overrides);
	add_rows(&root->resolvers);
	return 0;
}

static void look_up(const struct image *locations)
{
	for (unsigned i = 0; i < ASK_ADDRESSES; i++) {
		struct ip_address address = ask_address(i);
		const struct location *l;
		struct located found;
		size_t size;

		(void)locations_find_source(locations, &address, &found);
		l = &found.location;
		size = strlen(location_text(locations, l->city)) +
		       strlen(location_text(locations, l->subdivision)) +
		       strlen(location_text(locations, l->subdivision_name)) +
		       strlen(location_database(locations, l->country_database)) +
		       strlen(location_database(locations, l->asn_database)) + strlen(found.file);
		must(found.prefix_len <= ip_bits(address.family) && size <= 6 * locations->size);
	}
}

static void walk(const struct image *locations)
{
	struct space space;

	space_measure(&space, locations, &sample.world.geo, &sample.world.geo);
	space_free(&space);
}

static void build_from(const struct image *locations)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct image geo = { NULL, 0 };
	struct config config;
	struct locations_previous previous = { *locations, -1 };
	struct locations_built built;
	int geo_fd;
	struct err err;

	must(config_read(&config, sample_path(SAMPLE_SERVER), false, &arena, diag) == 0);
	must_do(geo_build(&config, &previous, &geo_fd, &built, diag, &err), &err);
	if (geo_fd >= 0) {
		must_do(image_open(&geo, geo_fd, IMAGE_GEO, &err), &err);
		must_do(geo_verify(&geo, &err), &err);
		(void)close(geo_fd);
		(void)close(built.fd);
	}
	image_close(&geo);
	arena_free(&arena);
	diag_free(diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image locations = edit_image(&sample.locations, regions, region_count, data, size);
	struct err err;

	if (locations_verify(&locations, &err) == 0) {
		fuzz_accepted++;
		look_up(&locations);
		walk(&locations);
		if (image_root(&locations, struct locations_root)->key ==
		    image_root(&sample.locations, struct locations_root)->key)
			build_from(&locations);
	}
	edit_free(&locations);
	return 0;
}
