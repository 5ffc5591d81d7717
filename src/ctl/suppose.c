#include "ctl/suppose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/field.h"

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
				   .level = STEER_ALL,
				   .weight = plan_items(plan, nodes, struct plan_node)[n].weight },
			.load = json_is_number(load) ? json_number_value(load) : NAN,
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
							    .level = STEER_ALL,
							    .weight = after[n].weight },
						 .load = NAN };
		if (old == PLAN_NONE)
			continue;
		out[n].steer.state = nodes[old].steer.state;
		out[n].load = nodes[old].load;
		if (nodes[old].steer.weight !=
		    before[old].weight) /* the operator's, not the file's */
			out[n].steer.weight = nodes[old].steer.weight;
	}
	return out;
}

/* --- as it is supposed to be -------------------------------------------------------------------- */

/* What a name may mean: bits, in the order in which a bare name is taken. */
enum object_kind { OBJECT_SITE = 1, OBJECT_NODE = 2, OBJECT_POOL = 4 };

struct object {
	uint8_t kinds;    /* bits of enum object_kind */
	const char *pool; /* NULL: of any pool */
	const char *name;
};

/* Splits `text`, which is written to. */
static struct object read_object(char *text)
{
	static const struct {
		const char *prefix;
		uint8_t kind;
	} rows[] = { { "site:", OBJECT_SITE }, { "node:", OBJECT_NODE }, { "pool:", OBJECT_POOL } };
	struct object object = { OBJECT_SITE | OBJECT_NODE | OBJECT_POOL, NULL, text };
	char *slash;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strncmp(text, rows[i].prefix, strlen(rows[i].prefix)) != 0)
			continue;
		object.kinds = rows[i].kind;
		object.name = text + strlen(rows[i].prefix);
	}
	slash = strchr(object.name, '/');
	if (slash == NULL)
		return object;
	*slash = '\0';
	object.pool = object.name;
	object.name = slash + 1;
	object.kinds &= slash[1] == '@' ? OBJECT_SITE : OBJECT_NODE | OBJECT_SITE;
	if (slash[1] == '@')
		object.name++;
	return object;
}

static bool is_of(const struct image *plan, uint32_t number, const struct object *object,
		  uint8_t kind)
{
	const struct plan_node *node = &plan_items(plan, nodes, struct plan_node)[number];
	const char *pool = pool_name(plan, node->pool);
	uint32_t site;

	if (object->pool != NULL && strcmp(pool, object->pool) != 0)
		return false;
	if (kind == OBJECT_NODE)
		return strcmp(plan_text(plan, node->name), object->name) == 0;
	if (kind == OBJECT_POOL)
		return strcmp(pool, object->name) == 0;
	site = plan_items(plan, pool_sites, struct plan_pool_site)[node->pool_site].site;
	return strcmp(plan_text(plan, plan_items(plan, sites, struct plan_site)[site].name),
		      object->name) == 0;
}

/* Marks the nodes of an object in `out`; of several kinds that have the name there must be one. */
static int find_object(const struct image *plan, const struct object *object, bool *out,
		       const char *text, struct err *err)
{
	uint8_t found = 0;

	for (uint8_t kind = OBJECT_SITE; kind <= OBJECT_POOL; kind = (uint8_t)(kind << 1)) {
		for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
			if ((object->kinds & kind) == 0 || !is_of(plan, n, object, kind))
				continue;
			out[n] = true;
			found |= kind;
		}
	}
	if (found == 0)
		return err_set(err, "there is no site, node or pool \"%s\" with nodes", text);
	if ((found & (found - 1)) != 0)
		return err_set(err,
			       "\"%s\" has several meanings: write site:%s, node:%s or pool:%s",
			       text, text, text, text);
	return 0;
}

static int read_load(const char *text, double *out, struct err *err)
{
	char *end;

	*out = strtod(text, &end);
	if (end == text || *end != '\0' || !(*out >= 0) || *out > 100)
		return err_set(err, "\"%s\" is not a load: 1 is all of the capacity", text);
	return 0;
}

int suppose(const struct image *plan, struct supposed_node *nodes, const struct supposition *what,
	    struct err *err)
{
	uint32_t count = plan_count(plan, nodes);
	bool *marked = mem_array(count + 1, sizeof(*marked));
	char *text = mem_copy_text(what->text);
	char *equals = what->kind == SUPPOSE_LOAD ? strrchr(text, '=') : NULL;
	double load = NAN;
	int rc = 0;

	if (what->kind == SUPPOSE_LOAD)
		rc = read_load(equals == NULL ? text : equals + 1, &load, err);
	if (equals != NULL)
		*equals = '\0';
	if (rc == 0 && what->kind == SUPPOSE_LOAD && equals == NULL) {
		memset(marked, true, count * sizeof(*marked));
	} else if (rc == 0) {
		char *name = mem_copy_text(text);
		struct object object = read_object(text);

		rc = find_object(plan, &object, marked, name, err);
		free(name);
	}
	for (uint32_t n = 0; rc == 0 && n < count; n++) {
		if (!marked[n])
			continue;
		if (what->kind == SUPPOSE_LOAD)
			nodes[n].load = load;
		else if (what->kind == SUPPOSE_DOWN && nodes[n].steer.state != STEER_DISABLED)
			nodes[n].steer.state = STEER_DOWN;
		else if (what->kind == SUPPOSE_DRAIN && nodes[n].steer.state == STEER_UP)
			nodes[n].steer.state = STEER_DRAINING;
	}
	free(text);
	free(marked);
	return rc;
}
