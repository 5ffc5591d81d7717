#include "ctl/data_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/locations.h"
#include "image/plan.h"

/* In the folder of another file, or in one below that. */
static FILE *open_beside(const char *file, const char *below, const char *name)
{
	const char *slash = strrchr(file, '/');
	char *path = mem_format("%.*s/%s%s", slash == NULL ? 1 : (int)(slash - file),
				slash == NULL ? "." : file, below, name);
	FILE *out = fopen(path, "re");

	free(path);
	return out;
}

static FILE *open_beside_program(const char *name)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (len <= 0)
		return NULL;
	program[len] = '\0';
	return open_beside(program, "../geoip/", name);
}

static FILE *open_beside_databases(const char *name, const struct image *locations)
{
	FILE *out = NULL;

	if (locations->base == NULL)
		return NULL;
	for (uint32_t i = 0;
	     out == NULL && i < image_root(locations, struct locations_root)->database_count; i++)
		out = open_beside(location_database(locations, i), "", name);
	return out;
}

FILE *data_file_open(const char *name, const struct image *plan, const struct image *locations)
{
	const struct plan_settings *settings = &image_root(plan, struct plan_root)->settings;
	FILE *out = open_beside_databases(name, locations);

	if (out == NULL)
		out = open_beside(plan_text(plan, settings->server_file), "geoip/", name);
	if (out == NULL)
		out = open_beside(SIGNPOST_DATADIR "/geoip/", "", name);
	return out != NULL ? out : open_beside_program(name);
}
