#include "ctl/command_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/borrow.h"
#include "ctl/diff.h"
#include "ctl/other_files.h"
#include "image/plan.h"

static int tell(const struct diff_options *options, const json_t *told, struct err *err)
{
	if (!options->json) {
		show_diff(told, stdout);
		return 0;
	}
	if (json_dumpf(told, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0)
		return err_set(err, "it cannot be printed: %s", strerror(errno));
	(void)putchar('\n');
	return 0;
}

static int compare(const struct diff_options *options, const struct borrowed *borrowed,
		   json_t *now_ms, struct err *err)
{
	const struct plan_settings *settings =
		&image_root(&borrowed->plan, struct plan_root)->settings;
	const char *running = plan_text(&borrowed->plan, settings->server_file);
	char *cache = mem_format("%s/world", plan_text(&borrowed->plan, settings->state_dir));
	struct image other[IMAGE_KINDS] = { { NULL, 0 } };
	json_t *told;
	int rc = other_files_compile(options->files != NULL ? options->files : running,
				     access(cache, X_OK) == 0 ? cache : NULL, other, err);

	if (rc == 0) {
		told = diff_files(borrowed, other, options->all, err);
		if (told != NULL)
			json_object_set(told, "now_ms", now_ms);
		rc = told == NULL ? -1 : tell(options, told, err);
		json_decref(told);
	}
	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		image_close(&other[kind]);
	free(cache);
	return rc;
}

int diff_command(const struct diff_options *options, const struct reply *world, struct err *err)
{
	struct borrowed borrowed;
	int rc = borrow(world, &borrowed, err);

	if (rc == 0)
		rc = compare(options, &borrowed, json_object_get(world->json, "now_ms"), err);
	give_back(&borrowed);
	return rc;
}
