#include "ctl/show_weight.h"

#include <math.h>

#include "ctl/field.h"

#define FACTORS 3

static const char *const keys[FACTORS] = { "agent", "load", "ramp" };

static double factor(const json_t *node, const char *key)
{
	const json_t *value = json_object_get(json_object_get(node, "factors"), key);

	return value == NULL ? 1 : json_number_value(value);
}

static bool is_ordered(const json_t *node)
{
	return field_is(json_object_get(node, "factors"), "ordered");
}

unsigned weight_factors(const json_t *node)
{
	unsigned count = is_ordered(node);

	for (size_t i = 0; i < FACTORS; i++)
		count += factor(node, keys[i]) != 1;
	return count;
}

/* To a tenth: "17", "16.9". */
static void show_tenths(double number, FILE *out)
{
	long long tenths = llround(number * 10);

	(void)fprintf(out, "%lld", tenths / 10);
	if (tenths % 10 != 0)
		(void)fprintf(out, ".%lld", tenths % 10);
}

void show_weight(const json_t *node, FILE *out)
{
	const json_t *factors = json_object_get(node, "factors");

	(void)fputs("weight ", out);
	if (weight_factors(node) == 0) {
		(void)fprintf(out, "%lld", field_number(node, "weight"));
		return;
	}
	show_tenths(json_number_value(json_object_get(factors, "effective")), out);
	(void)fprintf(out, " = %lld%s", field_number(factors, "weight"),
		      is_ordered(node) ? " (ordered)" : "");
	for (size_t i = 0; i < FACTORS; i++) {
		if (factor(node, keys[i]) == 1)
			continue;
		(void)fputs(" x ", out);
		show_tenths(factor(node, keys[i]) * 100, out);
		(void)fprintf(out, " %% (%s)", keys[i]);
	}
}
