#include "ctl/diff_spots.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A name that a plan has, and where its number is to go. */
struct wanted {
	char *name, *site;
	uint32_t *number;
};

struct wanted_list {
	struct wanted *items;
	size_t count, cap;
};

static const char *site_name(const struct image *plan, uint32_t pool_site)
{
	uint32_t site = plan_items(plan, pool_sites, struct plan_pool_site)[pool_site].site;

	return plan_text(plan, plan_items(plan, sites, struct plan_site)[site].name);
}

static void want(struct wanted_list *list, const struct image *plan, uint32_t *numbers)
{
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t count = plan_count(plan, nodes);

	for (uint32_t n = 0; n < count; n++) {
		const char *pool = plan_text(plan, pools[nodes[n].pool].name);

		array_add(list->items, list->count, list->cap) = (struct wanted){
			mem_format("%s/%s", pool, plan_text(plan, nodes[n].name)),
			mem_format("%s/@%s", pool, site_name(plan, nodes[n].pool_site)), &numbers[n]
		};
	}
	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		char *name = mem_format("(no node of %s)", plan_text(plan, pools[p].name));

		array_add(list->items, list->count, list->cap) =
			(struct wanted){ name, mem_copy_text(name), &numbers[count + p] };
	}
}

/* A node that gets another site is two spots. */
static int compare(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = strcmp(x->site, y->site);

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* The texts of what is wanted become those of the spots. */
static void number_all(struct diff_spots *out, struct wanted_list *list)
{
	const struct wanted *last = NULL;

	for (size_t i = 0; i < list->count; i++) {
		struct wanted *wanted = &list->items[i];
		bool new_site = last == NULL || strcmp(last->site, wanted->site) != 0;

		if (last != NULL && compare(last, wanted) == 0) {
			*wanted->number = (uint32_t)out->count - 1;
			free(wanted->name);
			free(wanted->site);
			continue;
		}
		if (new_site)
			out->sites[out->site_count++] = mem_copy_text(wanted->site);
		out->items[out->count] = (struct diff_spot){ wanted->name,
							     (uint32_t)out->site_count - 1 };
		*wanted->number = (uint32_t)out->count++;
		if (last != NULL)
			free(last->site);
		last = wanted;
	}
	if (last != NULL)
		free(last->site);
}

void diff_spots_open(struct diff_spots *out, const struct image *before, const struct image *after)
{
	const struct image *const plans[2] = { before, after };
	struct wanted_list list = { 0 };

	*out = (struct diff_spots){ 0 };
	for (int s = 0; s < 2; s++) {
		out->of[s] = mem_array(plan_count(plans[s], nodes) + plan_count(plans[s], pools) +
					       1U,
				       sizeof(*out->of[s]));
		want(&list, plans[s], out->of[s]);
	}
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(*list.items), compare);
	out->items = mem_array(list.count + 1, sizeof(*out->items));
	out->sites = mem_array(list.count + 1, sizeof(char *));
	number_all(out, &list);
	free(list.items);
}

void diff_spots_close(struct diff_spots *spots)
{
	for (size_t i = 0; i < spots->count; i++)
		free(spots->items[i].name);
	for (size_t i = 0; i < spots->site_count; i++)
		free(spots->sites[i]);
	free(spots->items);
	free(spots->sites);
	free(spots->of[0]);
	free(spots->of[1]);
}

const char *diff_spot_name(const struct diff_spots *spots, uint32_t number, bool is_site)
{
	return is_site ? spots->sites[number] : spots->items[number].name;
}
