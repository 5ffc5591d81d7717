#include "serve/choose_inline.h"

#include "image/backup.h"

/* Of a split: where it leads these clients. Who is where within a site does not depend on whom the
 * site keeps, so the bits are others than the table's; and those that come back from a backup are
 * spread anew. */
static uint32_t choose_part(struct choose_draw *out, const struct choose_asked *asked,
			    struct choice_step *step, const struct steering_pool *pool,
			    const struct steering_pref *pref)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_split *split = steering_split(steering, branch_number(pref->branch));
	uint64_t bits = hash_word(choose_bits(out, asked, &pool->spread, pref->random != 0));
	uint16_t number;

	if (step->without != STEERING_NONE)
		bits = hash_word(bits);
	step->split = branch_number(pref->branch);
	number = choose_slot(steering, &split->slots, bits, &step->split_slot);
	return image_at(steering, uint32_t, split->branches_off)[number];
}

/* A backup pool: for whom it has nobody, there is something else, and *pref becomes that. */
static uint32_t choose_backup(struct choose_draw *out, const struct choose_asked *asked,
			      struct choice_step *step, const struct steering_pool *pool,
			      const struct steering_pref **pref, uint32_t number)
{
	const struct world *world = asked->world;
	const struct steering_backup *backup = steering_backup(&world->steering, number);
	bool by_class = false, serves;

	choose_class(out, asked);
	serves = backup_serves(&world->steering, &world->geo, backup->pool, out->match.class_id,
			       &by_class);
	if (by_class)
		choose_count_class(out);
	if (serves)
		return branch_make(BRANCH_POOL, backup->pool);
	*pref = &backup->instead;
	step->without = backup->pool;
	step->applied = backup->instead.applied;
	return branch_kind(backup->instead.branch) == BRANCH_SPLIT
		       ? choose_part(out, asked, step, pool, *pref)
		       : backup->instead.branch;
}

/* Where a branch that is no table leads in the end: to a table or a pool. */
static __attribute__((noinline)) uint32_t choose_branch(struct choose_draw *out,
							const struct choose_asked *asked,
							struct choice_step *step,
							const struct steering_pool *pool,
							const struct steering_pref **pref)
{
	uint32_t branch = (*pref)->branch;

	if (branch_kind(branch) == BRANCH_SPLIT)
		branch = choose_part(out, asked, step, pool, *pref);
	if (branch_kind(branch) == BRANCH_BACKUP)
		branch = choose_backup(out, asked, step, pool, pref, branch_number(branch));
	return branch;
}

/* What holds for these clients in the step's pool; the node is found where the branch is a table. */
static CHOOSE_INLINE void take_step(struct choose_draw *out, const struct choose_asked *asked,
				    struct choice_step *step, const struct steering_pool *pool,
				    uint64_t prefs_off)
{
	const struct steering_pref *pref = steering_pref_at(
		&asked->world->steering, prefs_off, step->pref == STEERING_NONE ? 0 : step->pref);

	step->applied = pref->applied;
	step->split = step->without = STEERING_NONE;
	step->branch = pref->branch;
	if (branch_kind(step->branch) != BRANCH_TABLE)
		step->branch = choose_branch(out, asked, step, pool, &pref);
	if (branch_kind(step->branch) == BRANCH_TABLE)
		choose_node(out, asked, pool, pref, step->branch);
}

/* On to another pool, with the same class. */
static void go_on(struct choose_draw *out, struct choose_asked *asked, struct choice_step *step)
{
	const struct steering_pool *pool;

	step->pool = branch_number(step[-1].branch);
	/* Pools decide independently of each other, and of the split that led here. */
	asked->random = hash_word(~asked->random);
	pool = steering_pool(&asked->world->steering, step->pool);
	step->pref = choose_pref(out, asked, pool, step->pool);
	take_step(out, asked, step, pool, pool->prefs_off);
}

static void walk(struct choice *out, struct choose_draw *draw, struct choose_asked *asked,
		 const struct steering_record *record)
{
	const struct image *steering = &asked->world->steering;
	const struct steering_pool *pool = steering_pool(steering, record->pool);

	out->answers_off = record->answers_off;
	out->steps[0].pool = record->pool;
	out->steps[0].pref = record->for_all != 0 ? STEERING_NONE
						  : choose_pref(draw, asked, pool, record->pool);
	take_step(draw, asked, &out->steps[0], pool, record->prefs_off);
	out->step_count = 1;
	while (branch_kind(choice_last(out)->branch) == BRANCH_POOL) {
		go_on(draw, asked, &out->steps[out->step_count++]);
		out->answers_off = steering_answers_of(steering, record, choice_last(out)->pool);
	}
}

void choose_told(struct choice *out, const struct world *world, uint32_t record,
		 const struct client_network *client, uint64_t random)
{
	struct geo_address address = geo_address(&client->network.address);
	struct choose_asked asked = { world, &address, client->from_ecs, random };
	struct choose_draw draw = { .match = { .class_id = GEO_CLASS_NONE } };

	walk(out, &draw, &asked, steering_record(&world->steering, record));
	out->match = draw.match;
	out->table = draw.table;
	out->slot = draw.slot;
	out->node = draw.node;
	out->choice = draw.choice;
	out->hashed = draw.hashed;
	out->random = draw.random;
	out->scope = draw.scope;
}

void choose_far(struct chosen *out, const struct world *world, const struct steering_record *record,
		const struct geo_address *address, bool from_ecs, uint64_t random,
		struct geo_match match)
{
	struct choose_asked asked = { world, address, from_ecs, random };
	struct choose_draw draw = { .match = match };
	struct choice choice;

	walk(&choice, &draw, &asked, record);
	choose_tell(out, &draw, choice.answers_off, choice_last(&choice)->pool,
		    choice_last(&choice)->applied);
}

void choose(struct chosen *out, const struct world *world, const struct steering_record *record,
	    const struct geo_address *address, bool from_ecs, uint64_t random)
{
	choose_inline(out, world, record, address, from_ecs, random);
}
