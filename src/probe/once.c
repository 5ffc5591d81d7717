#include "probe/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "probe/prober_parts.h"

struct once_run {
	LIST_ENTRY(once_run) entry;
	struct prober *prober;
	struct once once;
	uint32_t pending;
	once_fn *done;
	void *context;
};

/* --- the end ----------------------------------------------------------------------------------- */

static const struct check *find_regular(const struct round *round, const struct check_key *key)
{
	uint32_t low = 0, high = round->check_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = memcmp(&round->checks[middle]->key, key, sizeof(*key));

		if (order == 0)
			return round->checks[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static uint32_t find_node(const struct image *plan, const struct once *once)
{
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		if (strcmp(plan_text(plan, nodes[n].name), once->node) == 0 &&
		    strcmp(plan_text(plan, pools[nodes[n].pool].name), once->pool) == 0)
			return n;
	}
	return PLAN_NONE;
}

static void end(struct once_run *run)
{
	const struct round *round = &run->prober->round;
	struct once *once = &run->once;

	LIST_REMOVE(run, entry);
	once->number = find_node(&round->plan, once);
	for (uint32_t i = 0; i < once->count; i++)
		once->items[i].regular = find_regular(round, &once->items[i].key);
	run->done(run->context, once);
	for (uint32_t i = 0; i < once->count; i++)
		evidence_free(&once->items[i].evidence);
	free(once->items);
	free(run);
}

static struct once_item *item_of(struct once_run *run, const struct check *check)
{
	uint32_t i = 0;

	while (run->once.items[i].check != check)
		i++;
	return &run->once.items[i];
}

static void on_ended(struct check *check, const struct probe_result *result)
{
	struct once_run *run = check->context;
	struct once_item *item = item_of(run, check);

	(void)snprintf(item->why, sizeof(item->why), "%s", result->why);
	item->result = *result;
	item->result.why = item->why;
	item->took_us = check->took_us;
	item->check = NULL;
	check_end(check);
	if (--run->pending == 0)
		end(run);
}

void once_close(struct prober *prober)
{
	struct once_run *run;

	while ((run = LIST_FIRST(&prober->once)) != NULL) {
		for (uint32_t i = 0; i < run->once.count; i++) {
			if (run->once.items[i].check != NULL)
				check_end(run->once.items[i].check);
		}
		run->once.cut_off = true;
		end(run);
	}
}

/* --- the beginning ------------------------------------------------------------------------------ */

static const struct plan_probe *probe_of(const struct image *plan, uint32_t use)
{
	uint32_t probe = plan_items(plan, checks, struct plan_check)[use].probe;

	return &plan_items(plan, probes, struct plan_probe)[probe];
}

static bool is_wanted(const struct prober *prober, uint32_t use, const char *name, const char *kind)
{
	const struct image *plan = &prober->round.plan;
	const struct plan_probe *probe = probe_of(plan, use);

	return (name == NULL || strcmp(plan_text(plan, probe->name), name) == 0) &&
	       (kind == NULL || strcmp(prober->engine.kinds[probe->kind]->name, kind) == 0);
}

static void describe(struct once_item *item, const struct prober *prober, uint32_t use)
{
	const struct image *plan = &prober->round.plan;
	const struct plan_check *check = &plan_items(plan, checks, struct plan_check)[use];
	const struct plan_probe *probe = probe_of(plan, use);

	(void)snprintf(item->name, sizeof(item->name), "%s", plan_text(plan, probe->name));
	item->kind = prober->engine.kinds[probe->kind]->name;
	item->judges = check->judges;
	item->roles = probe->roles;
	item->key = round_key(plan, use);
	if (check->address.family != 0 && check->port != 0)
		(void)ip_endpoint_format(&check->address, check->port, item->where);
	else if (check->address.family != 0)
		(void)ip_format(&check->address, item->where);
}

static struct once_run *open_run(struct prober *prober, const struct plan_node *node)
{
	const struct image *plan = &prober->round.plan;
	const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[node->pool];
	struct once_run *run = mem_alloc(sizeof(*run));

	run->prober = prober;
	(void)snprintf(run->once.pool, sizeof(run->once.pool), "%s", plan_text(plan, pool->name));
	(void)snprintf(run->once.node, sizeof(run->once.node), "%s", plan_text(plan, node->name));
	run->once.items = mem_array(node->checks.count, sizeof(*run->once.items));
	return run;
}

static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list != NULL &&
	       (strncmp(list, word, len) != 0 || (list[len] != ',' && list[len] != '\0'))) {
		list = strchr(list, ' ');
		if (list != NULL)
			list++;
	}
	return list != NULL;
}

/* Those of a node, by name or by kind, each once: "tcp, icmp". */
static void list_probes(const struct prober *prober, const struct plan_node *node, bool names,
			char *text, size_t size)
{
	const struct image *plan = &prober->round.plan;
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < node->checks.count && len < size; i++) {
		const struct plan_probe *probe = probe_of(plan, node->checks.first + i);
		const char *word = names ? plan_text(plan, probe->name)
					 : prober->engine.kinds[probe->kind]->name;

		if (is_listed(text, word))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s", len == 0 ? "" : ", ", word);
	}
}

static int refuse(const struct prober *prober, const struct plan_node *node, const char *name,
		  const char *kind, struct err *err)
{
	char list[256];

	if (node->checks.count == 0)
		return err_set(err, "the node has no probes");
	list_probes(prober, node, name != NULL, list, sizeof(list));
	if (name != NULL)
		return err_set(err, "the node has no probe \"%s\": its probes are %s", name, list);
	return err_set(err, "the node has no probe of kind %s: its kinds are %s", kind, list);
}

int prober_probe_once(struct prober *prober, uint32_t number, const char *name, const char *kind,
		      once_fn *done, void *context, struct err *err)
{
	const struct image *plan = &prober->round.plan;
	const struct plan_node *node = &plan_items(plan, nodes, struct plan_node)[number];
	struct once_run *run = open_run(prober, node);

	run->done = done;
	run->context = context;
	for (uint32_t i = 0; i < node->checks.count; i++) {
		uint32_t use = node->checks.first + i;
		struct once_item *item = &run->once.items[run->once.count];

		if (!is_wanted(prober, use, name, kind))
			continue;
		run->once.count++;
		describe(item, prober, use);
		item->check = check_begin_once(&prober->engine, &item->key,
					       round_settings(plan, use), &item->evidence, on_ended,
					       run);
		round_name(item->check, plan, use);
		round_home(item->check, plan, use);
	}
	run->pending = run->once.count;
	if (run->once.count == 0) {
		free(run->once.items);
		free(run);
		return refuse(prober, node, name, kind, err);
	}
	LIST_INSERT_HEAD(&prober->once, run, entry);
	return 0;
}
