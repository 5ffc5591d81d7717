#include "ctl/profile.h"

#include <stdlib.h>

#include "base/mem.h"

struct line {
	const struct space_cell *cell;
	double queries;
};

/* What is known of a class: its queries, and what its cells weigh together. */
struct class_sums {
	double queries, space[2]; /* IPv4 addresses, IPv6 networks */
};

static struct class_sums *sum_classes(const struct space *space, const json_t *classes)
{
	struct class_sums *sums = mem_array(GEO_CLASSES_MAX, sizeof(*sums));
	const json_t *class;
	size_t i;

	json_array_foreach(classes, i, class)
	{
		json_int_t id = json_integer_value(json_array_get(class, 0));

		if (id >= 0 && id < (json_int_t)GEO_CLASSES_MAX)
			sums[id].queries = json_number_value(json_array_get(class, 1));
	}
	for (uint32_t n = 0; n < space->count; n++) {
		const struct space_cell *cell = &space->cells[n];

		sums[cell->classes[0]].space[0] += cell->amount[MEASURE_IPV4];
		sums[cell->classes[0]].space[1] += cell->amount[MEASURE_IPV6];
	}
	return sums;
}

/* A cell's part of its class' queries: by IPv4 addresses, or IPv6 networks where there are none. */
static double cell_queries(const struct space_cell *cell, const struct class_sums *sums)
{
	if (sums->space[0] > 0)
		return sums->queries * cell->amount[MEASURE_IPV4] / sums->space[0];
	return sums->space[1] > 0 ? sums->queries * cell->amount[MEASURE_IPV6] / sums->space[1] : 0;
}

static int by_queries(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->queries != y->queries)
		return x->queries > y->queries ? -1 : 1;
	return x->cell < y->cell ? -1 : x->cell > y->cell;
}

double profile_write(const struct space *space, const json_t *classes, FILE *out)
{
	struct line *lines = mem_array(space->count, sizeof(*lines));
	struct class_sums *sums = sum_classes(space, classes);
	double total = 0;
	size_t count = 0, i;

	for (uint32_t n = 0; n < space->count; n++) {
		const struct space_cell *cell = &space->cells[n];
		double queries = cell_queries(cell, &sums[cell->classes[0]]);

		if (queries > 0)
			lines[count++] = (struct line){ cell, queries };
		total += queries;
	}
	if (count > 0)
		qsort(lines, count, sizeof(*lines), by_queries);
	(void)fprintf(out, "# clients and queries, for signpostctl simulate --profile\n");
	for (i = 0; i < count; i++) {
		char address[IP_TEXT_SIZE], country[3];

		space_country_code(lines[i].cell->country, country);
		(void)fprintf(out, "%s %.2f # %s\n", ip_format(&lines[i].cell->example, address),
			      lines[i].queries, country[0] != '\0' ? country : "-");
	}
	free(lines);
	free(sums);
	return total;
}
