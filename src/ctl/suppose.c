#include "ctl/suppose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/object.h"
#include "ctl/field.h"
#include "ctl/load.h"

const char *const steer_state_name[] = { "down", "disabled", "draining", "up" };

/* --- as it is --------------------------------------------------------------------------------- */

uint8_t suppose_state_of(const json_t *node)
{
	const char *steered = field_text(node, "steered");

	for (uint8_t state = STEER_DOWN; state <= STEER_UP; state++) {
		if (strcmp(steered, steer_state_name[state]) == 0)
			return state;
	}
	return strcmp(field_text(node, "status"), "down") == 0 ? STEER_DOWN : STEER_UP;
}

static uint8_t families_of(const json_t *node)
{
	const json_t *list = json_object_get(node, "down_families"), *name;
	uint8_t families = STEER_FAMILIES;
	size_t i;

	json_array_foreach(list, i, name)
		families &= strcmp(json_string_value(name), "IPv6") == 0 ? STEER_IPV4 : STEER_IPV6;
	return families;
}

struct supposed_node *suppose_reported(const struct image *plan, const json_t *nodes)
{
	uint32_t count = plan_count(plan, nodes);
	struct supposed_node *out = mem_array(count, sizeof(*out));

	for (uint32_t n = 0; n < count; n++) {
		const json_t *told = json_array_get(nodes, n);
		const json_t *weight = json_object_get(told, "weight");
		const json_t *load = json_object_get(told, "load");
		const json_t *level = json_object_get(told, "level");

		out[n] = (struct supposed_node){
			.steer = { .state = suppose_state_of(told),
				   .families = families_of(told),
				   .level = STEER_ALL,
				   .weight = plan_items(plan, nodes, struct plan_node)[n].weight },
			.load = json_is_number(load) ? json_number_value(load) : NAN,
			.load_at_ms = field_count(told, "load_at_ms"),
		};
		if (json_is_integer(level))
			out[n].steer.level = (uint16_t)json_integer_value(level);
		if (json_is_integer(weight))
			out[n].steer.weight = (uint32_t)json_integer_value(weight);
	}
	return out;
}

static const char *pool_name(const struct image *plan, uint32_t pool)
{
	return plan_text(plan, plan_items(plan, pools, struct plan_pool)[pool].name);
}

static uint32_t find_node(const struct image *plan, const char *pool, const char *name)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);

	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		struct plan_range range = plan_items(plan, pools, struct plan_pool)[p].nodes;

		if (strcmp(pool_name(plan, p), pool) != 0)
			continue;
		for (uint32_t n = range.first; n < range.first + range.count; n++) {
			if (strcmp(plan_text(plan, nodes[n].name), name) == 0)
				return n;
		}
	}
	return PLAN_NONE;
}

struct supposed_node *suppose_carried(const struct image *from, const struct supposed_node *nodes,
				      const struct image *to)
{
	const struct plan_node *before = plan_items(from, nodes, struct plan_node);
	const struct plan_node *after = plan_items(to, nodes, struct plan_node);
	uint32_t count = plan_count(to, nodes);
	struct supposed_node *out = mem_array(count, sizeof(*out));

	for (uint32_t n = 0; n < count; n++) {
		uint32_t old = find_node(from, pool_name(to, after[n].pool),
					 plan_text(to, after[n].name));

		out[n] = (struct supposed_node){ .steer = { .state = STEER_UP,
							    .families = STEER_FAMILIES,
							    .level = STEER_ALL,
							    .weight = after[n].weight },
						 .load = NAN };
		if (old == PLAN_NONE)
			continue;
		out[n].steer.state = nodes[old].steer.state;
		out[n].steer.families = nodes[old].steer.families;
		out[n].steer.level = nodes[old].steer.level; /* by its load, its agent, a ramp */
		out[n].load = nodes[old].load;
		out[n].load_at_ms = nodes[old].load_at_ms;
		out[n].load_is_supposed = nodes[old].load_is_supposed;
		if (nodes[old].steer.weight !=
		    before[old].weight) /* the operator's, not the file's */
			out[n].steer.weight = nodes[old].steer.weight;
	}
	return out;
}

json_t *suppose_families_down(const struct image *plan, uint32_t pool,
			      const struct supposed_node *nodes)
{
	const struct plan_range *range = &plan_items(plan, pools, struct plan_pool)[pool].nodes;
	const struct plan_node *list = plan_items(plan, nodes, struct plan_node);
	json_t *told = json_array();

	for (uint32_t n = range->first; n < range->first + range->count; n++) {
		const struct steer_node *node = &nodes[n].steer;

		if (node->state < STEER_DRAINING || node->families == STEER_FAMILIES)
			continue;
		json_array_append_new(
			told, json_pack("{s:s, s:s}", "node", plan_text(plan, list[n].name),
					"family", node->families == STEER_IPV4 ? "IPv6" : "IPv4"));
	}
	return told;
}

/* --- as it is supposed to be -------------------------------------------------------------------- */

/* What is supposed of one node. */
static void suppose_node(struct supposed_node *node, enum suppose_kind kind, double load)
{
	if (kind == SUPPOSE_LOAD) {
		node->load = load;
		node->load_is_supposed = true;
	} else if (kind == SUPPOSE_DOWN && node->steer.state != STEER_DISABLED) {
		node->steer.state = STEER_DOWN;
	} else if (kind == SUPPOSE_DRAIN && node->steer.state == STEER_UP) {
		node->steer.state = STEER_DRAINING;
	}
}

/* Splits "OBJECT=LOAD"; a load alone is of all: *object is NULL then. */
static int split_load(char *text, const char **object, double *load, struct err *err)
{
	char *equals = strrchr(text, '=');

	*object = equals == NULL ? NULL : text;
	if (equals != NULL)
		*equals = '\0';
	return load_parse(equals == NULL ? text : equals + 1, load, err);
}

int suppose(const struct image *plan, struct supposed_node *nodes, const struct supposition *what,
	    struct err *err)
{
	char *text = mem_copy_text(what->text);
	const char *name = text;
	struct object object;
	double load = NAN;
	int rc = 0;

	if (what->kind == SUPPOSE_LOAD)
		rc = split_load(text, &name, &load, err);
	if (rc == 0 && name != NULL)
		rc = object_find(name, plan, NULL, 0, &object, err);
	for (uint32_t n = 0; rc == 0 && n < plan_count(plan, nodes); n++) {
		if (name == NULL || object_has(&object, plan, n))
			suppose_node(&nodes[n], what->kind, load);
	}
	free(text);
	return rc;
}
