/* A plan image with edits: where plan_verify takes it, all of its texts end, and steering either
 * refuses it or makes of it an image that verifies, and is served where it fits the zones. */
#include <string.h>

#include "tests/fuzz/ask.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 8000, fuzz_runs_an_accepted = 20;

#define ARRAYS \
	(sizeof(struct plan_root) - offsetof(struct plan_root, sites)) / sizeof(struct plan_array)

static struct sample sample;
static struct edit_region regions[ARRAYS + 2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const size_t item_sizes[ARRAYS] = {
		sizeof(struct plan_site),  sizeof(struct plan_pool),  sizeof(struct plan_pool_site),
		sizeof(struct plan_node),  sizeof(struct ip_address), sizeof(struct plan_check),
		sizeof(struct plan_probe), sizeof(struct plan_rule),  sizeof(struct plan_record)
	};
	const struct plan_array *arrays;

	(void)argc;
	(void)argv;
	sample_open();
	must(sample_compile(&sample));
	arrays = &image_root(&sample.plan, struct plan_root)->sites;
	for (size_t i = 0; i < ARRAYS; i++)
		regions[i] = (struct edit_region){ arrays[i].offset,
						   arrays[i].count * item_sizes[i] };
	regions[ARRAYS] = (struct edit_region){ IMAGE_ROOT, sizeof(struct plan_root) };
	regions[ARRAYS + 1] = (struct edit_region){ IMAGE_ROOT, sample.plan.size - IMAGE_ROOT };
	return 0;
}

static size_t text_len(const struct image *plan, uint32_t offset)
{
	return strlen(plan_text(plan, offset));
}

static size_t read_texts(const struct image *plan)
{
	const struct plan_site *sites = plan_items(plan, sites, struct plan_site);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	const struct plan_rule *rules = plan_items(plan, rules, struct plan_rule);
	const struct plan_settings *settings = &image_root(plan, struct plan_root)->settings;
	size_t size = text_len(plan, settings->server_file) + text_len(plan, settings->state_dir) +
		      text_len(plan, settings->run_dir);

	for (uint32_t i = 0; i < plan_count(plan, sites); i++)
		size += text_len(plan, sites[i].name);
	for (uint32_t i = 0; i < plan_count(plan, pools); i++)
		size += text_len(plan, pools[i].name) + text_len(plan, pools[i].file);
	for (uint32_t i = 0; i < plan_count(plan, nodes); i++)
		size += text_len(plan, nodes[i].name);
	for (uint32_t i = 0; i < plan_count(plan, rules); i++)
		size += text_len(plan, rules[i].file) + text_len(plan, rules[i].text);
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = sample.world;
	struct image plan = edit_image(&sample.plan, regions, ARRAYS + 2, data, size);
	struct err err;

	if (plan_verify(&plan, &err) == 0) {
		fuzz_accepted++;
		must(read_texts(&plan) > 0);
		if (sample_steer(&world.steering, &world.zones, &world.geo, &plan)) {
			if (world_verify(&world, &err) == 0)
				ask_everything(&world);
			image_close(&world.steering);
		}
	}
	edit_free(&plan);
	return 0;
}
