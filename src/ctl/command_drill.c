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

/* Why capacity does not hold: a line a site. */
static void tell_why(const json_t *told, FILE *out)
{
	const json_t *pool, *site;
	size_t p, s;

	json_array_foreach(json_object_get(told, "pools"), p, pool)
	{
		json_array_foreach(json_object_get(pool, "sites"), s, site)
		{
			const json_t *capacity = json_object_get(site, "capacity");
			const json_t *use = json_object_get(capacity, "use_after");

			if (!json_is_false(json_object_get(site, "holds")))
				continue;
			if (use != NULL)
				(void)fprintf(
					out,
					"  pool %s: site %s would use %.0f%% of its capacity\n",
					field_text(pool, "name"), field_text(site, "site"),
					json_number_value(use) * 100);
			else
				(void)fprintf(out,
					      "  pool %s: site %s would have no capacity left\n",
					      field_text(pool, "name"), field_text(site, "site"));
		}
	}
}

static int tell_judgement(const json_t *told, FILE *out)
{
	const json_t *holds = json_object_get(told, "holds");

	if (json_is_null(holds))
		(void)fputs("no node reports its load, so nobody knows whether capacity holds\n",
			    out);
	if (!json_is_false(holds))
		return 0;
	(void)fputs("capacity would not hold:\n", out);
	tell_why(told, out);
	return 1;
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
		rc = told == NULL ? -1 : tell_judgement(told, out);
	}
	json_decref(told);
	give_back(&borrowed);
	return rc;
}
