#include "ctl/simulate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/country_table.h"
#include "ctl/other_files.h"
#include "ctl/settle.h"
#include "ctl/simulate_verdict.h"
#include "ctl/tally.h"

/* Everything that one simulation works with, so that it ends in one place. */
struct work {
	const struct borrowed *borrowed;
	const struct simulation *what;
	struct image other[IMAGE_KINDS];        /* of other files; without base: the running ones */
	const struct image *zones, *geo, *plan; /* of what is supposed */
	struct steer *steer;
	struct image steering;
	struct supposed_node *nodes[SIDES];
	struct settling settling;
	uint64_t now_unix_s;
	struct space space;
	struct folds folds;
	struct tally tally;
	struct country_table countries;
};

/* --- the sides -------------------------------------------------------------------------------- */

static int open_files(struct work *work, struct err *err)
{
	const struct plan_settings *settings =
		&image_root(&work->borrowed->plan, struct plan_root)->settings;
	char *cache = mem_format("%s/world", plan_text(&work->borrowed->plan, settings->state_dir));
	int rc = 0;

	work->zones = &work->borrowed->world.zones;
	work->geo = &work->borrowed->world.geo;
	work->plan = &work->borrowed->plan;
	if (work->what->files != NULL) {
		rc = other_files_compile(work->what->files, access(cache, X_OK) == 0 ? cache : NULL,
					 work->other, err);
		work->zones = &work->other[IMAGE_ZONES];
		work->geo = &work->other[IMAGE_GEO];
		work->plan = &work->other[IMAGE_PLAN];
	}
	free(cache);
	return rc;
}

/* A load that is supposed stands for what is reported now: it is of the clients as they are. An
 * object may be in the other files alone, or no longer in them. */
static int suppose_load(struct work *work, const struct supposition *what, struct err *err)
{
	struct err ignored;
	int before = suppose(&work->borrowed->plan, work->nodes[SIDE_BEFORE], what, err);
	int after = suppose(work->plan, work->nodes[SIDE_AFTER], what,
			    before == 0 ? &ignored : err);

	return before == 0 || after == 0 ? 0 : -1;
}

static int suppose_all(struct work *work, struct err *err)
{
	const struct image *before = &work->borrowed->plan;

	work->nodes[SIDE_BEFORE] = suppose_reported(before, work->borrowed->nodes);
	work->nodes[SIDE_AFTER] = suppose_carried(before, work->nodes[SIDE_BEFORE], work->plan);
	for (unsigned i = 0; i < work->what->supposed; i++) {
		const struct supposition *what = &work->what->suppositions[i];
		int rc = what->kind == SUPPOSE_LOAD
				 ? suppose_load(work, what, err)
				 : suppose(work->plan, work->nodes[SIDE_AFTER], what, err);

		if (rc != 0)
			return -1;
	}
	return 0;
}

static int open_steer(struct work *work, struct err *err)
{
	bool same = work->plan == &work->borrowed->plan;

	settle_start(&work->settling, work->plan, work->nodes[SIDE_AFTER],
		     same ? work->borrowed->pool_sites : NULL);
	work->steer = work->borrowed->steer;
	if (same)
		return 0;
	work->steer = NULL;
	return steer_open(&work->steer, work->zones, work->geo, work->plan, err);
}

/* With what sites keep now. Those are last good that are up before what is supposed. */
static int compile_steering(struct work *work, struct err *err)
{
	const struct supposed_node *supposed = work->nodes[SIDE_AFTER];
	uint32_t count = plan_count(work->plan, nodes);
	struct steer_node *nodes = mem_array(count + 1U, sizeof(*nodes));
	struct supposed_node *before = suppose_carried(&work->borrowed->plan,
						       work->nodes[SIDE_BEFORE], work->plan);
	bool *last_good = mem_array(count + 1U, sizeof(*last_good));
	struct steer_input input = { .nodes = nodes,
				     .keep = work->settling.keep,
				     .last_good = last_good,
				     .now_unix_s = work->now_unix_s };
	int fd = -1, rc;

	for (uint32_t n = 0; n < count; n++) {
		nodes[n] = supposed[n].steer;
		last_good[n] = before[n].steer.state == STEER_UP;
	}
	rc = steer_compile(work->steer, &input, &fd, err);
	if (rc == 0) {
		image_close(&work->steering);
		rc = image_open(&work->steering, fd, IMAGE_STEERING, err);
		(void)close(fd);
	}
	free(nodes);
	free(before);
	free(last_good);
	return rc;
}

static int measure(struct work *work, struct err *err)
{
	const struct borrowed *b = work->borrowed;
	const char *path = work->what->profile;
	FILE *file;
	int rc;

	space_measure(&work->space, &b->locations, &b->world.geo, work->geo);
	if (path == NULL)
		return 0;
	file = fopen(path, "re");
	if (file == NULL)
		return err_set(err, "%s: %s", path, strerror(errno));
	rc = space_read_profile(&work->space, file, path, &b->locations, &b->world.geo, work->geo,
				err);
	(void)fclose(file);
	return rc;
}

static void count(struct work *work)
{
	const struct borrowed *b = work->borrowed;

	tally_close(&work->tally);
	work->tally = (struct tally){ .sides = { [SIDE_BEFORE] = { .geo = &b->world.geo,
								   .plan = &b->plan,
								   .steering = &b->world.steering },
						 [SIDE_AFTER] = { .geo = work->geo,
								  .plan = work->plan,
								  .steering = &work->steering } },
				      .told = work->what->pool };
	for (int s = 0; s < SIDES; s++)
		work->tally.sides[s].nodes = work->nodes[s];
	tally_count(&work->tally, &work->space, &work->folds);
}

/* Compiles and counts until what sites keep fits what is used of them. */
static int settle(struct work *work, struct err *err)
{
	unsigned round = 0;

	do {
		if (compile_steering(work, err) != 0)
			return -1;
		count(work);
	} while (++round < SETTLE_ROUNDS_MAX && settle_on(&work->settling, &work->tally));
	return 0;
}

/* --- told: amounts ---------------------------------------------------------------------------- */

static const char *const measure_name[] = { "ipv4", "ipv6", "queries" };

/* Parts of `of`, for each measure that there is any of. */
static json_t *shares(const double amount[MEASURES], const double of[MEASURES])
{
	json_t *told = json_object();

	for (int m = 0; m < MEASURES; m++) {
		if (of[m] > 0)
			json_object_set_new(told, measure_name[m], json_real(amount[m] / of[m]));
	}
	return told;
}

static json_t *amounts(const double amount[MEASURES])
{
	json_t *told = json_object();

	for (int m = 0; m < MEASURES; m++) {
		if (amount[m] > 0)
			json_object_set_new(told, measure_name[m], json_real(amount[m]));
	}
	return told;
}

static json_t *text_or_null(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

/* --- told: sites and nodes -------------------------------------------------------------------- */

static json_t *node_state_of(const struct tally *tally, const struct spot *spot,
			     enum side_number side)
{
	uint32_t n = spot->number[side];

	return n == PLAN_NONE
		       ? json_null()
		       : json_string(steer_state_name[tally->sides[side].nodes[n].steer.state]);
}

static json_t *tell_nodes(const struct tally *tally, const struct pool_tally *pool, uint32_t place)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < tally->spot_count; i++) {
		const struct spot *spot = &tally->spots[i];

		if (spot->place != place || spot->node == NULL)
			continue;
		json_array_append_new(
			list,
			json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", spot->node, "state_before",
				  node_state_of(tally, spot, SIDE_BEFORE), "state_after",
				  node_state_of(tally, spot, SIDE_AFTER), "before",
				  shares(pool->spots[i][SIDE_BEFORE], pool->total[SIDE_BEFORE]),
				  "after",
				  shares(pool->spots[i][SIDE_AFTER], pool->total[SIDE_AFTER])));
	}
	return list;
}

/* Which part of its clients a site keeps then; in the plan of after. */
static void add_keep(json_t *told, const struct work *work, uint32_t number)
{
	const struct side *side = &work->tally.sides[SIDE_AFTER];

	for (uint32_t s = 0; s < plan_count(side->plan, pool_sites); s++) {
		const struct plan_pool_site *site = &plan_items(side->plan, pool_sites,
								struct plan_pool_site)[s];

		if (site->nodes.count > 0 && site->spill_high > 0 &&
		    work->tally.spots[side->spots[site->nodes.first]].place == number)
			json_object_set_new(
				told, "keep_after",
				json_real((double)work->settling.keep[s] / SPILL_KEEP_ALL));
	}
}

/* What comes to a place of which nobody knows what is used there already says little. */
static bool is_use_told(const struct place *place, enum side_number side)
{
	return place->use[side] > 0 && place->capacity[side] > 0 &&
	       (place->use_known || place->takers == 0 || place->use[side] > place->capacity[side]);
}

/* Uses are parts of the capacity that there is at that time. */
static json_t *tell_capacity(const struct place *place)
{
	static const char *const key[SIDES] = { "use_before", "use_after" };
	json_t *told = json_pack("{s:f, s:f, s:b, s:i, s:i}", "before",
				 place->capacity[SIDE_BEFORE], "after", place->capacity[SIDE_AFTER],
				 "use_known", place->use_known, "nodes", (int)place->takers,
				 "reporting", (int)place->tellers);

	for (int s = 0; s < SIDES; s++) {
		if (is_use_told(place, (enum side_number)s))
			json_object_set_new(told, key[s],
					    json_real(place->use[s] / place->capacity[s]));
	}
	return told;
}

/* null: nobody knows, or there is nothing to know. */
static json_t *tell_verdict(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_HOLDS:
	case VERDICT_OVER: return json_true();
	case VERDICT_FAILS: return json_false();
	default: return json_null();
	}
}

/* The clients of a pool at one place. */
struct at_place {
	double of[SIDES][MEASURES];
};

/* At each place. The caller's. */
static struct at_place *sum_places(const struct tally *tally, const struct pool_tally *pool)
{
	struct at_place *sums = mem_array(tally->place_count + 1U, sizeof(*sums));

	for (uint32_t i = 0; i < tally->spot_count; i++) {
		for (int s = 0; s < SIDES; s++) {
			for (int m = 0; m < MEASURES; m++)
				sums[tally->spots[i].place].of[s][m] += pool->spots[i][s][m];
		}
	}
	return sums;
}

static bool is_nothing(const struct at_place *sums)
{
	for (int s = 0; s < SIDES; s++) {
		for (int m = 0; m < MEASURES; m++) {
			if (sums->of[s][m] > 0)
				return false;
		}
	}
	return true;
}

static json_t *tell_place(const struct work *work, const struct pool_tally *pool, uint32_t number,
			  const struct at_place *sums)
{
	const struct tally *tally = &work->tally;
	const struct place *place = &tally->places[number];
	enum verdict verdict = verdict_of_place(place, tally->demand);
	json_t *told = json_pack("{s:o, s:s, s:o, s:o}", "site", text_or_null(place->site), "pool",
				 place->pool, "before",
				 shares(sums->of[SIDE_BEFORE], pool->total[SIDE_BEFORE]), "after",
				 shares(sums->of[SIDE_AFTER], pool->total[SIDE_AFTER]));

	if (place->site == NULL)
		return told;
	json_object_set_new(told, "latitude", json_real(place->latitude));
	json_object_set_new(told, "longitude", json_real(place->longitude));
	json_object_set_new(told, "capacity", tell_capacity(place));
	json_object_set_new(told, "holds", tell_verdict(verdict));
	json_object_set_new(told, "verdict", json_string(verdict_name[verdict]));
	add_keep(told, work, number);
	json_object_set_new(told, "nodes", tell_nodes(tally, pool, number));
	return told;
}

/* The pool's own sites, and those of other pools that its clients get. */
static json_t *tell_places(const struct work *work, uint32_t number, struct verdict_sum *sum)
{
	const struct tally *tally = &work->tally;
	const struct pool_tally *pool = &tally->pools[number];
	struct at_place *sums = sum_places(tally, pool);
	json_t *list = json_array();

	for (uint32_t i = 0; i < tally->place_count; i++) {
		const struct place *place = &tally->places[i];

		if (is_nothing(&sums[i]) && (place->pool_number != number || place->site == NULL))
			continue;
		json_array_append_new(list, tell_place(work, pool, i, &sums[i]));
		verdict_add(sum, place, tally->demand, work->now_unix_s);
	}
	free(sums);
	return list;
}

/* --- told: countries -------------------------------------------------------------------------- */

static json_t *tell_portions(const struct tally *tally, const struct country_tally *country)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < country->at.count; i++) {
		const struct portion *portion = &country->at.items[i];
		const struct place *place = &tally->places[portion->place];

		json_array_append_new(
			list, json_pack("{s:o, s:s, s:o, s:o}", "site", text_or_null(place->site),
					"pool", place->pool, "before",
					shares(portion->of[SIDE_BEFORE], country->total), "after",
					shares(portion->of[SIDE_AFTER], country->total)));
	}
	return list;
}

static json_t *tell_countries(const struct work *work, const struct pool_tally *pool)
{
	json_t *list = json_array();
	char code[3];

	for (uint32_t c = 0; c <= SPACE_COUNTRIES; c++) {
		const struct country_tally *country = &pool->countries[c];
		const char *name;

		if (country->at.count == 0)
			continue;
		space_country_code(c, code);
		name = country_table_name(&work->countries, code);
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "country",
					code[0] == '\0' ? json_null() : json_string(code), "name",
					text_or_null(name), "amounts", amounts(country->total),
					"moved", shares(country->moved, country->total), "sites",
					tell_portions(&work->tally, country)));
	}
	return list;
}

/* --- told: pools ------------------------------------------------------------------------------ */

/* Where no use is reported: how much of their capacity now may all clients use together, so that
 * what they would use is there? NAN: there are no clients, or no capacity. */
static double bearable(const struct tally *tally, const struct pool_tally *pool, uint32_t number,
		       enum side_number side)
{
	double all = pool->total[side][tally->demand], now = 0, least = NAN;
	struct at_place *sums = sum_places(tally, pool);

	for (uint32_t i = 0; i < tally->place_count; i++) {
		const struct place *place = &tally->places[i];
		double share;

		if (place->pool_number != number)
			continue;
		now += place->capacity[SIDE_BEFORE];
		share = sums[i].of[side][tally->demand] / all;
		if (place->site != NULL && share > 0 && !(place->capacity[side] / share >= least))
			least = place->capacity[side] / share;
	}
	free(sums);
	return all > 0 && now > 0 ? least / now : NAN;
}

/* For which part of its clients what holds: {"nodes": {"ipv4": 1}, ...}. */
static json_t *tell_applied(const struct pool_tally *pool, enum side_number side)
{
	json_t *told = json_object();

	for (int applied = 0; applied < APPLIED_COUNT; applied++) {
		json_t *part = shares(pool->applied[side][applied], pool->total[side]);
		bool any = false;

		for (int m = 0; m < MEASURES; m++)
			any = any || pool->applied[side][applied][m] > 0;
		if (any)
			json_object_set(told, steering_applied_name[applied], part);
		json_decref(part);
	}
	return told;
}

/* Adds "holds" and what it stands on. */
static void tell_holds(json_t *told, const struct verdict_sum *sum)
{
	json_object_set_new(told, "holds", tell_verdict(sum->worst));
	json_object_set_new(told, "verdict", json_string(verdict_name[sum->worst]));
	json_object_set_new(told, "needed", json_integer(sum->takers));
	json_object_set_new(told, "reporting", json_integer(sum->tellers));
	json_object_set_new(told, "reports", json_boolean(sum->reports));
}

static void set_bearable(json_t *told, const char *key, double value)
{
	if (isfinite(value))
		json_object_set_new(told, key, json_real(value));
}

/* *worst: of all pools so far. */
static json_t *tell_pool(const struct work *work, uint32_t number, enum verdict *worst)
{
	static const char *const policy_name[] = { "nearest", "weighted", "failover",
						   "round-robin" };
	const struct tally *tally = &work->tally;
	const struct pool_tally *pool = &tally->pools[number];
	uint32_t before = tally->sides[SIDE_BEFORE].pools[number];
	uint32_t after = tally->sides[SIDE_AFTER].pools[number];
	const struct side *side = &tally->sides[after == PLAN_NONE ? SIDE_BEFORE : SIDE_AFTER];
	const struct plan_pool *plan_pool = &plan_items(
		side->plan, pools, struct plan_pool)[after == PLAN_NONE ? before : after];
	struct verdict_sum sum = { .worst = VERDICT_NONE };
	json_t *places = tell_places(work, number, &sum);
	json_t *told = json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o}", "name", pool->name,
				 "policy", policy_name[plan_pool->policy], "is_before",
				 before != PLAN_NONE, "is_after", after != PLAN_NONE, "moved",
				 shares(pool->moved, work->space.total), "sites", places,
				 "countries", tell_countries(work, pool));

	if (after != PLAN_NONE)
		json_object_set_new(
			told, "families_down",
			suppose_families_down(work->plan, after, work->nodes[SIDE_AFTER]));
	tell_holds(told, &sum);
	*worst = sum.worst > *worst ? sum.worst : *worst;
	json_object_set_new(told, "applied_before", tell_applied(pool, SIDE_BEFORE));
	json_object_set_new(told, "applied_after", tell_applied(pool, SIDE_AFTER));
	set_bearable(told, "bearable_before", bearable(tally, pool, number, SIDE_BEFORE));
	set_bearable(told, "bearable_after", bearable(tally, pool, number, SIDE_AFTER));
	return told;
}

static json_t *tell_suppositions(const struct work *work)
{
	static const char *const names[] = { "down", "drain", "load" };
	json_t *list = json_array();

	for (unsigned i = 0; i < work->what->supposed; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "what",
						      names[work->what->suppositions[i].kind],
						      "object", work->what->suppositions[i].text));
	return list;
}

/* How many names of what is told are bound to one site: who asks for them is not counted. */
static uint32_t count_bound(const struct work *work)
{
	const struct plan_record *records = plan_items(work->plan, records, struct plan_record);
	const struct plan_pool *pools = plan_items(work->plan, pools, struct plan_pool);
	const char *told = work->what->pool;
	uint32_t bound = 0;

	for (uint32_t r = 0; r < plan_count(work->plan, records); r++) {
		const char *pool = plan_text(work->plan, pools[records[r].pool].name);

		bound += records[r].pool_site != PLAN_NONE &&
			 (told == NULL || strcmp(told, pool) == 0);
	}
	return bound;
}

static json_t *tell(const struct work *work, struct err *err)
{
	json_t *pools = json_array();
	json_t *told = json_pack("{s:b, s:o, s:o, s:o, s:s, s:o}", "ok", true, "supposed",
				 tell_suppositions(work), "files", text_or_null(work->what->files),
				 "totals", amounts(work->space.total), "demand",
				 measure_name[work->tally.demand], "pools", pools);
	enum verdict worst = VERDICT_NONE;

	for (uint32_t p = 0; p < work->tally.pool_count; p++) {
		if (work->what->pool == NULL ||
		    strcmp(work->tally.pools[p].name, work->what->pool) == 0)
			json_array_append_new(pools, tell_pool(work, p, &worst));
	}
	if (json_array_size(pools) == 0 && work->what->pool != NULL) {
		(void)err_set(err, "there is no pool \"%s\"", work->what->pool);
		json_decref(told);
		return NULL;
	}
	json_object_set_new(told, "holds", tell_verdict(worst));
	json_object_set_new(told, "bound_records", json_integer(count_bound(work)));
	return told;
}

json_t *simulate(const struct borrowed *borrowed, const struct simulation *what, struct err *err)
{
	struct work work = { .borrowed = borrowed,
			     .what = what,
			     .now_unix_s = borrowed->now_unix_s };
	json_t *told = NULL;

	if (open_files(&work, err) != 0 || suppose_all(&work, err) != 0 ||
	    open_steer(&work, err) != 0 || measure(&work, err) != 0 || settle(&work, err) != 0)
		goto out;
	country_table_find(&work.countries, &borrowed->plan, &borrowed->locations);
	told = tell(&work, err);
out:
	tally_close(&work.tally);
	folds_free(&work.folds);
	settle_end(&work.settling);
	country_table_close(&work.countries);
	space_free(&work.space);
	image_close(&work.steering);
	if (work.steer != borrowed->steer)
		steer_close(work.steer);
	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		image_close(&work.other[kind]);
	for (int s = 0; s < SIDES; s++)
		free(work.nodes[s]);
	return told;
}
