/* A steering image with edits: where steering_verify takes it and it fits the others, no query may
 * lead outside of it. */
#include "tests/fuzz/ask.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 10000, fuzz_runs_an_accepted = 10;

#define REGIONS_MAX 256 /* as many as an edit can tell */

static struct sample sample;
static struct edit_region regions[REGIONS_MAX];
static size_t region_count;

static void add_region(uint64_t offset, uint64_t size)
{
	must(region_count < REGIONS_MAX);
	regions[region_count++] = (struct edit_region){ offset, size };
}

/* Blocks are shared by many choices and records. */
static void add_block(const struct image *steering, const struct rrset_block *block)
{
	uint64_t offset = (uint64_t)((const uint8_t *)block - steering->base);

	for (size_t i = 0; i < region_count; i++)
		if (regions[i].offset == offset)
			return;
	add_region(offset, rrset_block_size(block));
}

static void add_answers(const struct image *steering, const struct steering_record *record,
			uint32_t pool, uint64_t answers_off)
{
	uint32_t choices = steering_pool(steering, pool)->choice_count;

	add_region(answers_off, choices * record->width * sizeof(uint64_t));
	for (uint32_t i = 0; i < choices * record->width; i++) {
		const struct rrset_block *block = steering_answer(
			steering, record, answers_off, (uint16_t)(i / record->width),
			(enum steering_column)(i % record->width));

		if (block != NULL)
			add_block(steering, block);
	}
}

static void add_record(const struct image *steering, uint32_t number)
{
	const struct steering_record *record = steering_record(steering, number);
	const struct steering_link *links = image_at(steering, struct steering_link,
						     record->links_off);

	add_answers(steering, record, record->pool, record->answers_off);
	add_region(record->links_off, record->link_count * sizeof(*links));
	for (unsigned i = 0; i < record->link_count; i++)
		add_answers(steering, record, links[i].pool, links[i].answers_off);
}

static void add_slots(const struct steering_slots *slots)
{
	add_region(slots->codes_off, slots->count); /* of up to 256 kinds */
	add_region(slots->kinds_off, slots->kind_count * sizeof(struct steering_slot));
}

static void add_regions(const struct image *steering)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	add_region(IMAGE_ROOT, sizeof(*root));
	add_region(root->pools_off, root->pool_count * sizeof(struct steering_pool));
	add_region(root->records_off, root->record_count * sizeof(struct steering_record));
	add_region(root->tables_off, root->table_count * sizeof(struct steering_table));
	add_region(root->splits_off, root->split_count * sizeof(struct steering_split));
	add_region(root->backups_off, root->backup_count * sizeof(struct steering_backup));
	for (uint32_t i = 0; i < root->table_count; i++)
		add_slots(&steering_table(steering, i)->slots);
	for (uint32_t i = 0; i < root->split_count; i++) {
		const struct steering_split *split = steering_split(steering, i);

		add_slots(&split->slots);
		add_region(split->branches_off, split->branch_count * sizeof(uint32_t));
	}
	for (uint32_t i = 0; i < root->pool_count; i++) {
		const struct steering_pool *pool = steering_pool(steering, i);

		add_region(pool->prefs_off, pool->pref_count * sizeof(struct steering_pref));
		for (uint32_t pref = 0; pref < pool->pref_count; pref++) {
			uint64_t choices =
				steering_pref_at(steering, pool->prefs_off, pref)->choices_off;

			if (choices != 0)
				add_region(choices, (pool->node_count + 1) * sizeof(uint16_t));
		}
	}
	for (uint32_t i = 0; i < root->record_count; i++)
		add_record(steering, i);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sample_open();
	must(sample_compile(&sample));
	must(image_root(&sample.world.steering, struct steering_root)->split_count > 0);
	must(image_root(&sample.world.steering, struct steering_root)->backup_count > 0);
	must(steering_record(&sample.world.steering, 0)->link_count > 0);
	add_regions(&sample.world.steering);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = sample.world;
	struct err err;

	world.steering = edit_image(&sample.world.steering, regions, region_count, data, size);
	if (steering_verify(&world.steering, &err) == 0 && world_verify(&world, &err) == 0) {
		fuzz_accepted++;
		ask_everything(&world);
	}
	edit_free(&world.steering);
	return 0;
}
