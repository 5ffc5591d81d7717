#include "ctl/command_drill.h"

#include <string.h>

#include "ctl/borrow.h"
#include "ctl/command_orders.h"
#include "ctl/field.h"
#include "ctl/simulate.h"

bool drill_duration(const char *text, uint64_t *ms)
{
	const uint64_t now_ms = 1000; /* any will do */
	uint64_t then_ms;

	if (strpbrk(text, "-:TZ") != NULL || !order_time(text, now_ms, &then_ms))
		return false;
	*ms = then_ms - now_ms;
	return true;
}

/* The sites of a pool with that verdict, a line each. */
static void tell_sites(const json_t *pool, const char *verdict, const char *of_capacity,
		       const char *without, FILE *out)
{
	const json_t *site;
	size_t s;

	json_array_foreach(json_object_get(pool, "sites"), s, site)
	{
		const json_t *use = json_object_get(json_object_get(site, "capacity"), "use_after");

		if (strcmp(field_text(site, "verdict"), verdict) != 0)
			continue;
		(void)fprintf(out, "pool %s: site %s ", field_text(pool, "name"),
			      field_text(site, "site"));
		if (use != NULL)
			(void)fprintf(out, "%s %.0f %% of its capacity\n", of_capacity,
				      json_number_value(use) * 100);
		else
			(void)fprintf(out, "%s\n", without);
	}
}

/* enum drill_judgement of a pool; what there is to say is told. */
static int judge_pool(const json_t *pool, FILE *out)
{
	const char *verdict = field_text(pool, "verdict"), *name = field_text(pool, "name");

	tell_sites(pool, "over", "uses already, and no more in the drill,",
		   "has no node up already, and gets no more clients in the drill", out);
	tell_sites(pool, "fails", "would use", "would have clients and no node up", out);
	if (strcmp(verdict, "fails") == 0)
		return DRILL_CANNOT;
	if (strcmp(verdict, "unknown") != 0)
		return DRILL_CAN;
	if (!field_is(pool, "reports")) {
		(void)fprintf(out,
			      "pool %s: no node reports its load, so nobody knows whether capacity "
			      "holds\n",
			      name);
		return DRILL_CAN;
	}
	(void)fprintf(out,
		      "pool %s: %lld of %lld nodes where clients come or go report their load, so "
		      "nobody knows whether capacity holds\n",
		      name, field_number(pool, "reporting"), field_number(pool, "needed"));
	return DRILL_UNKNOWN;
}

static int judge_pools(const json_t *told, FILE *out)
{
	const json_t *pool;
	int worst = DRILL_CAN;
	size_t p;

	json_array_foreach(json_object_get(told, "pools"), p, pool)
	{
		int judgement = judge_pool(pool, out);

		worst = judgement > worst ? judgement : worst;
	}
	return worst;
}

int drill_judge(const char *object, const struct reply *world, FILE *out, struct err *err)
{
	const struct simulation what = { .suppositions = { { SUPPOSE_DOWN, object } },
					 .supposed = 1 };
	struct borrowed borrowed;
	json_t *told = NULL;
	int rc = borrow(world, &borrowed, err);

	if (rc == 0) {
		told = simulate(&borrowed, &what, err);
		rc = told == NULL ? -1 : judge_pools(told, out);
	}
	json_decref(told);
	give_back(&borrowed);
	return rc;
}
