#include "ctl/command_simulate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/borrow.h"
#include "ctl/data_file.h"
#include "ctl/map.h"

bool simulate_suppose(struct simulate_options *options, enum suppose_kind kind, const char *text)
{
	if (options->what.supposed == SUPPOSE_MAX)
		return false;
	options->what.suppositions[options->what.supposed++] = (struct supposition){ kind, text };
	return true;
}

static void open_world(struct map_world *out, const struct borrowed *borrowed)
{
	FILE *outlines = data_file_open("outlines.tsv", &borrowed->plan, &borrowed->locations);

	country_table_find(&out->countries, &borrowed->plan, &borrowed->locations);
	if (outlines == NULL) {
		(void)fprintf(stderr, "signpostctl: outlines.tsv is not beside the databases, nor "
				      "in " SIGNPOST_DATADIR "/geoip: countries are circles\n");
		return;
	}
	outlines_read(&out->outlines, outlines);
	(void)fclose(outlines);
}

static int draw(const struct simulate_options *options, const struct borrowed *borrowed,
		const json_t *told, struct err *err)
{
	struct map_world world = { 0 };
	FILE *file = fopen(options->svg, "we");
	int rc = 0;

	if (file == NULL)
		return err_set(err, "%s: %s", options->svg, strerror(errno));
	open_world(&world, borrowed);
	map_draw(told, &world, file);
	if (ferror(file) != 0 || fclose(file) != 0)
		rc = err_set(err, "%s: it cannot be written", options->svg);
	outlines_free(&world.outlines);
	country_table_close(&world.countries);
	return rc;
}

static int tell(const struct simulate_options *options, const json_t *told, struct err *err)
{
	if (!options->json) {
		show_simulation(told, options->all_countries, stdout, isatty(STDOUT_FILENO) == 1);
		return 0;
	}
	if (json_dumpf(told, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0)
		return err_set(err, "it cannot be printed: %s", strerror(errno));
	(void)putchar('\n');
	return 0;
}

int simulate_command(const struct simulate_options *options, const struct reply *reply,
		     struct err *err)
{
	struct borrowed borrowed;
	json_t *told = NULL;
	int rc = borrow(reply, &borrowed, err);

	if (rc == 0) {
		told = simulate(&borrowed, &options->what, err);
		rc = told == NULL ? -1 : 0;
	}
	if (rc == 0)
		json_object_set(told, "now_ms", json_object_get(reply->json, "now_ms"));
	if (rc == 0 && options->svg != NULL)
		rc = draw(options, &borrowed, told, err);
	if (rc == 0)
		rc = tell(options, told, err);
	if (rc == 0)
		rc = json_is_false(json_object_get(told, "holds"));
	json_decref(told);
	give_back(&borrowed);
	return rc;
}
