/* A plan image with edits: where plan_verify takes it, all of its texts end, what has changed can be
 * told, by control and by signpostctl, and steering either refuses it or makes of it an image that
 * verifies, and is served where it fits the zones. */
#include <string.h>

#include "tests/fuzz/ask.h"
#include "tests/fuzz/changes.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 8000, fuzz_runs_an_accepted = 20;

#define REGIONS_MAX 20

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
	const struct plan_root *root;

	(void)argc;
	(void)argv;
	sample_open();
	must(sample_compile(&sample));
	root = image_root(&sample.plan, struct plan_root);
#define ADD(member, type) add_region(root->member.offset, root->member.count * sizeof(type))
	ADD(sites, struct plan_site);
	ADD(pools, struct plan_pool);
	ADD(pool_sites, struct plan_pool_site);
	ADD(nodes, struct plan_node);
	ADD(addresses, struct ip_address);
	ADD(checks, struct plan_check);
	ADD(probes, struct plan_probe);
	ADD(rules, struct plan_rule);
	ADD(records, struct plan_record);
	ADD(fences, struct plan_fence);
	ADD(avoids, struct plan_avoid);
	ADD(windows, struct plan_window);
	ADD(references, struct plan_reference);
	ADD(hooks, struct plan_hook);
	ADD(numbers, uint32_t);
	ADD(watched, uint32_t);
#undef ADD
	add_region(IMAGE_ROOT, sizeof(*root));
	add_region(IMAGE_ROOT, sample.plan.size - IMAGE_ROOT);
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
	struct image plan = edit_image(&sample.plan, regions, region_count, data, size);
	struct err err;

	if (plan_verify(&plan, &err) == 0) {
		fuzz_accepted++;
		must(read_texts(&plan) > 0);
		changes_tell(&sample, &plan);
		if (sample_steer(&world.steering, &world.zones, &world.geo, &plan)) {
			must_do(world_verify_plan(&world.steering, &plan, &err), &err);
			if (world_verify(&world, &err) == 0)
				ask_everything(&world);
			image_close(&world.steering);
		}
	}
	edit_free(&plan);
	return 0;
}
