#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/answer_nodes.h"
#include "ctl/explain_parts.h"
#include "ctl/field.h"

json_t *explain_node(const struct borrowed *b, uint32_t pool, uint32_t node)
{
	const struct plan_pool *p = &plan_items(&b->plan, pools, struct plan_pool)[pool];
	const struct plan_node *n;
	json_t *told;

	if (node >= p->nodes.count)
		return json_null(); /* what stands in for all of them */
	n = &plan_items(&b->plan, nodes, struct plan_node)[p->nodes.first + node];
	told = json_deep_copy(json_array_get(b->nodes, p->nodes.first + node));
	if (told == NULL)
		told = json_object();
	json_object_set_new(
		told, "site",
		json_string(plan_text(&b->plan, explain_site_of(b, n->pool_site)->name)));
	return told;
}

/* --- the set ------------------------------------------------------------------------------------ */

static double km_between(const struct borrowed *b, uint32_t node_1, uint32_t node_2)
{
	const struct plan_node *nodes = plan_items(&b->plan, nodes, struct plan_node);
	const struct plan_site *x = explain_site_of(b, nodes[node_1].pool_site);
	const struct plan_site *y = explain_site_of(b, nodes[node_2].pool_site);

	return steer_distance_km(x->latitude, x->longitude, y->latitude, y->longitude);
}

/* Sets have the first node, then companions, then spares. A node that is there for a family which
 * none of the others has is a substitute. */
static const char *role_of(const struct borrowed *b, const struct plan_pool *pool,
			   const struct answer_nodes *members, unsigned i)
{
	const struct answer_node *first = &members->list[0], *at = &members->list[i];

	if (i == 0)
		return "first";
	if ((at->columns & first->columns) == 0)
		return "substitute";
	if (i + pool->spare >= members->count &&
	    km_between(b, pool->nodes.first + at->node, pool->nodes.first + first->node) >=
		    pool->spare_km)
		return "spare";
	return "companion";
}

static json_t *types_of(uint8_t columns)
{
	json_t *list = json_array();

	if ((columns & (1U << STEERING_A)) != 0)
		json_array_append_new(list, json_string("A"));
	if ((columns & (1U << STEERING_AAAA)) != 0)
		json_array_append_new(list, json_string("AAAA"));
	return list;
}

json_t *explain_set(const struct borrowed *b, const struct choice *choice,
		    const struct steering_record *record)
{
	const struct plan_pool *pool = &plan_items(&b->plan, pools,
						   struct plan_pool)[choice_last(choice)->pool];
	const uint64_t *answers = image_at(&b->world.steering, uint64_t, choice->answers_off) +
				  (size_t)choice->choice * record->width;
	struct answer_nodes members = { .count = 0 };
	json_t *list = json_array();

	for (int c = STEERING_A; c <= STEERING_AAAA; c++) {
		if (answers[c] != 0)
			answer_nodes_add(
				&members, &b->plan, pool, choice->node,
				image_at(&b->world.steering, struct rrset_block, answers[c]),
				(enum steering_column)c);
	}
	for (unsigned i = 0; i < members.count; i++) {
		json_t *node = explain_node(b, choice_last(choice)->pool, members.list[i].node);

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:o, s:f}", "name",
					field_text(node, "name"), "site", field_text(node, "site"),
					"role", role_of(b, pool, &members, i), "types",
					types_of(members.list[i].columns), "km_from_first",
					km_between(b, pool->nodes.first + members.list[0].node,
						   pool->nodes.first + members.list[i].node)));
		json_decref(node);
	}
	return list;
}
