#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/explain_parts.h"
#include "ctl/field.h"

const char *const explain_policy_name[] = { "nearest", "weighted", "failover", "round-robin" };

static json_t *pool_name(const struct borrowed *b, uint32_t pool)
{
	return json_string(
		plan_text(&b->plan, plan_items(&b->plan, pools, struct plan_pool)[pool].name));
}

/* One pool: what holds there, and where it led. */
static void tell_step(json_t *told, const struct borrowed *b, const struct choice *choice,
		      unsigned number, const struct plan_record *record,
		      const struct client_network *client, const struct location *from)
{
	const struct choice_step *step = &choice->steps[number];
	const struct image *steering = &b->world.steering;

	explain_pool(told, b, step, record, from);
	json_object_set_new(told, "applied", json_string(steering_applied_name[step->applied]));
	if (step->pref != STEERING_NONE) {
		json_object_set_new(told, "class", json_integer(choice->match.class_id));
		json_object_set_new(told, "preference", json_integer(step->pref));
		json_object_set_new(
			told, "class_prefix",
			explain_prefix(&client->network.address, choice->match.prefix_len));
	}
	if (step->split != STEERING_NONE)
		json_object_set_new(
			told, "split",
			json_pack("{s:I, s:I, s:I}", "number", (json_int_t)step->split, "slot",
				  (json_int_t)step->split_slot, "slots",
				  (json_int_t)steering_split(steering, step->split)->slots.count));
	if (step->without != STEERING_NONE)
		json_object_set_new(told, "backup_without_nodes", pool_name(b, step->without));
	if (branch_kind(step->branch) == BRANCH_POOL)
		json_object_set_new(told, "goes_on_in", pool_name(b, branch_number(step->branch)));
}

/* Which step decided how long the ECS scope is. */
static const char *scope_from(const struct choice *choice)
{
	if (choice->scope == 0)
		return "nothing";
	if (choice->match.class_id != GEO_CLASS_NONE && choice->scope == choice->match.prefix_len)
		return "class";
	return "hash";
}

/* Where its verdict is near, an answer holds for less than the record says. */
static void tell_ttl(json_t *told, const struct borrowed *b, const struct plan_record *record,
		     const struct choice *choice)
{
	const uint64_t *answers = image_at(&b->world.steering, uint64_t, choice->answers_off) +
				  (size_t)choice->choice * steering_width(record->types);

	json_object_set_new(told, "ttl", json_integer(record->ttl_s));
	for (int c = STEERING_A; c <= STEERING_AAAA; c++) {
		if (answers[c] != 0)
			json_object_set_new(told, "ttl_answered",
					    json_integer(image_at(&b->world.steering,
								  struct rrset_block, answers[c])
								 ->ttl_s));
	}
}

static json_t *type_names(uint8_t types)
{
	json_t *list = json_array();

	for (size_t i = 0; i < EXPLAINED_TYPES; i++) {
		if ((types & pool_type_bit(explained_types[i].type)) != 0)
			json_array_append_new(list, json_string(explained_types[i].name));
	}
	return list;
}

static void tell_choice(json_t *told, const struct borrowed *b, const struct choice *c,
			const struct plan_record *record)
{
	const struct plan_pool *pool = &plan_items(&b->plan, pools,
						   struct plan_pool)[choice_last(c)->pool];

	json_object_set_new(told, "table", json_integer(c->table));
	json_object_set_new(told, "slot", json_integer(c->slot));
	json_object_set_new(
		told, "slots",
		json_integer(steering_table(&b->world.steering, c->table)->slots.count));
	json_object_set_new(told, "hashed", json_boolean(c->hashed));
	json_object_set_new(told, "random", json_boolean(c->random));
	json_object_set_new(told, "persistence_v4", json_integer(pool->persistence_v4));
	json_object_set_new(told, "persistence_v6", json_integer(pool->persistence_v6));
	json_object_set_new(told, "scope", json_integer(c->scope));
	json_object_set_new(told, "scope_from", json_string(scope_from(c)));
	json_object_set_new(told, "node", explain_node(b, choice_last(c)->pool, c->node));
	json_object_set_new(told, "fallback_active",
			    json_boolean(c->steps[0].applied > APPLIED_DRAINING));
	json_object_set_new(told, "shuffled", json_boolean(pool->order == ORDER_SHUFFLED));
	tell_ttl(told, b, record, c);
}

json_t *explain_steering(const struct borrowed *b, uint32_t number,
			 const struct client_network *client, uint64_t random,
			 const struct location *from)
{
	const struct plan_record *record = &plan_items(&b->plan, records,
						       struct plan_record)[number];
	json_t *told = json_object(), *further = json_array();
	struct choice c;

	choose_told(&c, &b->world, number, client, random);
	tell_step(told, b, &c, 0, record, client, from);
	for (unsigned i = 1; i < c.step_count; i++) {
		json_t *step = json_object();

		tell_step(step, b, &c, i, record, client, from);
		json_array_append_new(further, step);
	}
	json_object_set_new(told, "further", further);
	json_object_set_new(told, "types", type_names(record->types));
	json_object_set_new(
		told, "site",
		record->pool_site == PLAN_NONE
			? json_null()
			: json_string(plan_text(&b->plan,
						explain_site_of(b, record->pool_site)->name)));
	tell_choice(told, b, &c, record);
	json_object_set_new(told, "set",
			    explain_set(b, &c, steering_record(&b->world.steering, number)));
	return told;
}
