#include "ctl/diff_moves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ctl/diff_spots.h"
#include "image/backup.h"
#include "image/geo.h"

#define SAMPLES 4096 /* of hash values, where slots cannot be laid over each other */
#define HARDLY  1e-9

/* Where clients get, and what they are answered there. */
struct outcome {
	uint32_t spot;
	uint64_t answer; /* the hash of what is answered, TTLs aside */
};

/* How clients that had one preference and get another are answered. */
struct pair {
	uint32_t prefs[SIDES];
	struct moves moves;
};

struct pairs {
	struct pair *items;
	size_t count, cap;
};

#define PAIR_LISTS 1024

/* --- outcomes ---------------------------------------------------------------------------------- */

/* RR by RR without the TTL: of a doubtful node it is low for a while. */
static uint64_t hash_block(const struct rrset_block *block, uint64_t hash)
{
	const uint8_t *wire = block->wire;

	for (size_t at = 0; at < block->wire_len;) {
		size_t len = (size_t)wire[at + 10] << 8 | wire[at + 11];

		hash = hash_bytes(wire + at + 2, 4, hash);
		hash = hash_bytes(wire + at + 10, len + 2, hash);
		at += 12 + len;
	}
	return hash;
}

static uint64_t hash_answer(const struct view *view, uint64_t answers_off, uint16_t choice)
{
	uint64_t hash = 0;

	for (int column = 0; column < view->record->width; column++) {
		const struct rrset_block *block = steering_answer(&view->side->world.steering,
								  view->record, answers_off, choice,
								  (enum steering_column)column);

		hash = block == NULL ? hash_word(hash) : hash_block(block, hash);
	}
	return hash;
}

static struct outcome outcome_of(const struct view *view, uint32_t pool,
				 const struct steering_pref *pref, uint16_t node)
{
	const struct image *steering = &view->side->world.steering;
	uint64_t answers_off = steering_answers_of(steering, view->record, pool);

	return (struct outcome){ diff_spot_of(view->spots, view->side->plan, pool, node),
				 hash_answer(view, answers_off,
					     steering_choice(steering, pref->choices_off, node)) };
}

/* The preference of a class in the name's own pool; *number: for the cache. */
static const struct steering_pref *pref_of(const struct view *view, uint32_t class_id,
					   uint32_t *number)
{
	const struct world *world = &view->side->world;

	*number = view->record->for_all != 0
			  ? 0
			  : geo_class_pref(&world->geo, class_id, view->record->pool);
	return steering_pref_at(&world->steering, view->record->prefs_off, *number);
}

/* --- by the hash of a client ------------------------------------------------------------------- */

static uint16_t find_slot(const struct image *steering, const struct steering_slots *slots,
			  uint64_t bits)
{
	return steering_slot_node(steering_slot(steering, slots, hash_below(bits, slots->count)),
				  (uint16_t)bits);
}

static uint32_t part_of(const struct image *steering, uint32_t branch, uint64_t bits)
{
	const struct steering_split *split = steering_split(steering, branch_number(branch));

	return image_at(steering, uint32_t,
			split->branches_off)[find_slot(steering, &split->slots, bits)];
}

/* A table or a pool, and in *pref whose: its own, or what there is instead of a backup. */
static uint32_t end_of(const struct view *view, uint32_t class_id, uint64_t bits,
		       const struct steering_pref **pref)
{
	const struct world *world = &view->side->world;
	uint32_t branch = (*pref)->branch;
	const struct steering_backup *backup;
	bool by_class = false;

	if (branch_kind(branch) == BRANCH_SPLIT)
		branch = part_of(&world->steering, branch, hash_word(bits));
	if (branch_kind(branch) != BRANCH_BACKUP)
		return branch;
	backup = steering_backup(&world->steering, branch_number(branch));
	if (backup_serves(&world->steering, &world->geo, backup->pool, class_id, &by_class))
		return branch_make(BRANCH_POOL, backup->pool);
	*pref = &backup->instead;
	branch = backup->instead.branch;
	return branch_kind(branch) == BRANCH_SPLIT
		       ? part_of(&world->steering, branch, hash_word(hash_word(bits)))
		       : branch;
}

/* As serve/choose.h does it, for a client whose hash in a pool is that of the pool's seed and
 * `sample`: in the first pool they are spread evenly. */
static struct outcome sampled(const struct view *view, uint32_t class_id, uint32_t sample)
{
	const struct image *steering = &view->side->world.steering;
	uint32_t pool = view->record->pool, number;
	const struct steering_pref *pref = pref_of(view, class_id, &number);
	uint64_t bits = (uint64_t)sample << 52 | (hash_word(sample) >> 12);

	for (;;) {
		uint32_t branch = end_of(view, class_id, bits, &pref);

		if (branch_kind(branch) == BRANCH_TABLE) {
			const struct steering_table *table = steering_table(steering,
									    branch_number(branch));

			return outcome_of(
				view, pool, pref,
				find_slot(steering, &table->slots, table->hashed ? bits : 0));
		}
		pool = branch_number(branch);
		bits = hash_word(bits ^ steering_pool(steering, pool)->spread.seed);
		pref = steering_pref(steering, steering_pool(steering, pool),
				     geo_class_pref(&view->side->world.geo, class_id, pool));
	}
}

void moves_add(struct moves *moves, uint32_t from, uint32_t to, double share)
{
	for (size_t i = 0; i < moves->count; i++) {
		if (moves->items[i].from == from && moves->items[i].to == to) {
			moves->items[i].share += share;
			return;
		}
	}
	array_add(moves->items, moves->count, moves->cap) = (struct move){ from, to, share };
}

static void compare_outcomes(struct moves *out, struct outcome from, struct outcome to,
			     double share)
{
	if (share > 0 && from.answer != to.answer)
		moves_add(out, from.spot, to.spot, share);
}

static void compare_samples(struct moves *out, const struct view views[SIDES],
			    const uint32_t classes[SIDES])
{
	for (uint32_t i = 0; i < SAMPLES; i++)
		compare_outcomes(out, sampled(&views[BEFORE], classes[BEFORE], i),
				 sampled(&views[AFTER], classes[AFTER], i), 1. / SAMPLES);
}

/* --- two tables, laid over each other ------------------------------------------------------------ */

struct laid {
	const struct image *steering;
	const struct steering_slots *slots;
	uint32_t count;
	struct outcome *outcomes; /* of each node; the caller's */
};

static struct laid lay(const struct view *view, const struct steering_pref *pref)
{
	const struct image *steering = &view->side->world.steering;
	const struct steering_table *table = steering_table(steering, branch_number(pref->branch));
	uint32_t pool = view->record->pool, nodes = steering_pool(steering, pool)->node_count;
	struct laid laid = { steering, &table->slots, table->hashed != 0 ? table->slots.count : 1,
			     mem_array(nodes + 1U, sizeof(*laid.outcomes)) };

	for (uint32_t n = 0; n <= nodes; n++)
		laid.outcomes[n] = outcome_of(view, pool, pref, (uint16_t)n);
	return laid;
}

static const struct steering_slot *slot_at(const struct laid *laid, uint32_t number)
{
	return steering_slot(laid->steering, laid->slots, number);
}

/* The clients whose cut bits are in [from, to). */
static void compare_cut(struct moves *out, const struct laid laid[SIDES],
			const struct steering_slot *const slots[SIDES], uint32_t from, uint32_t to,
			double share)
{
	struct outcome outcomes[SIDES];

	if (from >= to)
		return;
	for (int s = 0; s < SIDES; s++)
		outcomes[s] = laid[s].outcomes[steering_slot_node(slots[s], (uint16_t)from)];
	compare_outcomes(out, outcomes[BEFORE], outcomes[AFTER], share * (to - from) / 65536.);
}

static void compare_slots(struct moves *out, const struct laid laid[SIDES],
			  const struct steering_slot *const slots[SIDES], double share)
{
	uint32_t low = slots[BEFORE]->cut, high = slots[AFTER]->cut;

	if (low > high) {
		low = slots[AFTER]->cut;
		high = slots[BEFORE]->cut;
	}
	compare_cut(out, laid, slots, 0, low, share);
	compare_cut(out, laid, slots, low, high, share);
	compare_cut(out, laid, slots, high, 65536, share);
}

static void compare_tables(struct moves *out, const struct view views[SIDES],
			   const struct steering_pref *const prefs[SIDES])
{
	const struct laid laid[SIDES] = { lay(&views[BEFORE], prefs[BEFORE]),
					  lay(&views[AFTER], prefs[AFTER]) };
	uint32_t at[SIDES] = { 0, 0 };
	double from = 0;

	while (at[BEFORE] < laid[BEFORE].count && at[AFTER] < laid[AFTER].count) {
		const struct steering_slot *const slots[SIDES] = {
			slot_at(&laid[BEFORE], at[BEFORE]), slot_at(&laid[AFTER], at[AFTER])
		};
		/* Ends of slots, times both counts. */
		uint64_t a = (at[BEFORE] + UINT64_C(1)) * laid[AFTER].count;
		uint64_t b = (at[AFTER] + UINT64_C(1)) * laid[BEFORE].count;
		double to = (double)(a < b ? a : b) / laid[BEFORE].count / laid[AFTER].count;

		compare_slots(out, laid, slots, to - from);
		at[BEFORE] += a <= b;
		at[AFTER] += b <= a;
		from = to;
	}
	free(laid[BEFORE].outcomes);
	free(laid[AFTER].outcomes);
}

/* --- answers that are drawn anew ------------------------------------------------------------------ */

struct drawn {
	struct outcome outcome;
	double of[SIDES];
};

struct draws {
	struct drawn *items;
	size_t count, cap;
};

static void add_drawn(struct draws *draws, struct outcome outcome, int side, double share)
{
	for (size_t i = 0; i < draws->count; i++) {
		if (draws->items[i].outcome.answer == outcome.answer &&
		    draws->items[i].outcome.spot == outcome.spot) {
			draws->items[i].of[side] += share;
			return;
		}
	}
	array_add(draws->items, draws->count, draws->cap) = (struct drawn){ outcome, { 0, 0 } };
	draws->items[draws->count - 1].of[side] += share;
}

/* What is answered less often, in proportion to what is answered more often instead. */
static void compare_draws(struct moves *out, const struct draws *draws)
{
	double all = 0;

	for (size_t i = 0; i < draws->count; i++)
		all += fmax(draws->items[i].of[AFTER] - draws->items[i].of[BEFORE], 0);
	for (size_t i = 0; i < draws->count && all > HARDLY; i++) {
		double less = draws->items[i].of[BEFORE] - draws->items[i].of[AFTER];

		for (size_t j = 0; j < draws->count && less > HARDLY; j++) {
			double more = draws->items[j].of[AFTER] - draws->items[j].of[BEFORE];

			if (more > HARDLY)
				moves_add(out, draws->items[i].outcome.spot,
					  draws->items[j].outcome.spot, less * more / all);
		}
	}
}

static void draw_all(struct moves *out, const struct view views[SIDES],
		     const uint32_t classes[SIDES])
{
	struct draws draws = { 0 };

	for (int s = 0; s < SIDES; s++) {
		for (uint32_t i = 0; i < SAMPLES; i++)
			add_drawn(&draws, sampled(&views[s], classes[s], i), s, 1. / SAMPLES);
	}
	compare_draws(out, &draws);
	free(draws.items);
}

/* --- one class of clients -------------------------------------------------------------------------- */

static bool is_drawn(const struct view *view, const struct steering_pref *pref)
{
	return pref->random != 0 ||
	       steering_pool(&view->side->world.steering, view->record->pool)->spread.persistence ==
		       PERSISTENCE_NONE;
}

static bool is_table(const struct steering_pref *pref)
{
	return branch_kind(pref->branch) == BRANCH_TABLE;
}

static bool is_table_for_all(const struct view *view, const struct steering_pref *pref)
{
	return is_table(pref) &&
	       steering_table(&view->side->world.steering, branch_number(pref->branch))->hashed ==
		       0;
}

static void compare_prefs(struct moves *out, const struct view views[SIDES],
			  const struct steering_pref *const prefs[SIDES],
			  const uint32_t classes[SIDES])
{
	bool fixed = is_table_for_all(&views[BEFORE], prefs[BEFORE]) &&
		     is_table_for_all(&views[AFTER], prefs[AFTER]);

	if (!fixed &&
	    (is_drawn(&views[BEFORE], prefs[BEFORE]) || is_drawn(&views[AFTER], prefs[AFTER])))
		draw_all(out, views, classes);
	else if (is_table(prefs[BEFORE]) && is_table(prefs[AFTER]))
		compare_tables(out, views, prefs);
	else
		compare_samples(out, views, classes);
}

/* Where other pools come in, the class says more than the own pool's preference: then *scratch
 * is filled, else each pair of preferences is compared once. */
const struct moves *comparison_moves(struct comparison *comparison, const uint32_t classes[SIDES],
				     struct moves *scratch)
{
	const struct steering_pref *prefs[SIDES];
	struct pairs *list;
	uint32_t numbers[SIDES];

	for (int s = 0; s < SIDES; s++)
		prefs[s] = pref_of(&comparison->views[s], classes[s], &numbers[s]);
	if (!is_table(prefs[BEFORE]) || !is_table(prefs[AFTER])) {
		scratch->count = 0;
		compare_prefs(scratch, comparison->views, prefs, classes);
		return scratch;
	}
	list = &comparison->pairs[hash_word((uint64_t)numbers[BEFORE] << 32 | numbers[AFTER]) %
				  PAIR_LISTS];
	for (size_t i = 0; i < list->count; i++) {
		if (memcmp(list->items[i].prefs, numbers, sizeof(numbers)) == 0)
			return &list->items[i].moves;
	}
	array_add(list->items, list->count, list->cap) = (struct pair){ { numbers[0], numbers[1] },
									{ NULL, 0, 0 } };
	compare_prefs(&list->items[list->count - 1].moves, comparison->views, prefs, classes);
	return &list->items[list->count - 1].moves;
}

void comparison_open(struct comparison *comparison, const struct view views[SIDES])
{
	memcpy(comparison->views, views, sizeof(comparison->views));
	comparison->pairs = mem_array(PAIR_LISTS, sizeof(*comparison->pairs));
}

void comparison_close(struct comparison *comparison)
{
	for (int i = 0; i < PAIR_LISTS; i++) {
		for (size_t p = 0; p < comparison->pairs[i].count; p++)
			free(comparison->pairs[i].items[p].moves.items);
		free(comparison->pairs[i].items);
	}
	free(comparison->pairs);
}
