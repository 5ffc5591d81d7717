#include <math.h>
#include <stdlib.h>

#include "compile/geo_measure.h"

/* Route 53's geoproximity: a bias of b > 0 shrinks distances by b %, one below 0 stretches them as
 * much as the opposite one would shrink them. */
static double bias_factor(int bias_percent)
{
	double b = bias_percent / 100.0;

	return b >= 0 ? 1 - b : 1 / (1 + b);
}

static bool fits(const struct site_group *group, const struct config_pool *pool)
{
	for (size_t i = 0; i < pool->site_count; i++) {
		double factor = group->factor[pool->sites[i].site];

		/* Both come from whole percents by the same steps. */
		if (factor > 0 && factor != bias_factor(pool->sites[i].bias_percent))
			return false;
	}
	return true;
}

static uint32_t group_for(struct geo_sites *sites, const struct config_pool *pool)
{
	uint32_t number = 0;
	struct site_group *group;

	while (number < sites->group_count && !fits(&sites->groups[number], pool))
		number++;
	if (number == sites->group_count)
		array_add(sites->groups, sites->group_count,
			  sites->group_cap) = (struct site_group){
			.factor = mem_array(sites->config->site_count, sizeof(*group->factor))
		};
	group = &sites->groups[number];
	for (size_t i = 0; i < pool->site_count; i++) {
		group->factor[pool->sites[i].site] = bias_factor(pool->sites[i].bias_percent);
		group->is_biased = group->is_biased || pool->sites[i].bias_percent != 0;
	}
	return number;
}

void geo_sites_init(struct geo_sites *sites, const struct config *config)
{
	size_t count = config->site_count;

	*sites = (struct geo_sites){ .config = config,
				     .x = mem_array(count, sizeof(*sites->x)),
				     .y = mem_array(count, sizeof(*sites->y)),
				     .z = mem_array(count, sizeof(*sites->z)),
				     .group_of = mem_array(config->pool_count,
							   sizeof(*sites->group_of)) };
	for (size_t i = 0; i < count; i++) {
		double phi = config->sites[i].latitude * M_PI / 180;
		double lambda = config->sites[i].longitude * M_PI / 180;

		sites->x[i] = cos(phi) * cos(lambda);
		sites->y[i] = cos(phi) * sin(lambda);
		sites->z[i] = sin(phi);
	}
	for (size_t i = 0; i < config->pool_count; i++)
		sites->group_of[i] = group_for(sites, &config->pools[i]);
}

void geo_sites_free(struct geo_sites *sites)
{
	for (uint32_t i = 0; i < sites->group_count; i++)
		free(sites->groups[i].factor);
	free(sites->groups);
	free(sites->group_of);
	free(sites->x);
	free(sites->y);
	free(sites->z);
}
