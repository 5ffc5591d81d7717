#include "conf/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/data.h"
#include "conf/effective.h"
#include "conf/links.h"
#include "conf/parts.h"
#include "conf/places.h"
#include "conf/pool_parts.h"
#include "conf/probe_kinds.h"
#include "conf/seen.h"

#define POOL_ENDING ".pool.yaml"

/* --- folders ---------------------------------------------------------------------------------- */

/* A path in `file`, for messages: as short as `file` was given. */
static const char *beside(struct arena *arena, const char *file, const char *path)
{
	const char *folder = conf_folder(arena, file);

	if (path[0] == '/' || folder[0] == '\0')
		return path;
	return conf_clean_path(arena, conf_join(arena, folder, path));
}

static bool make_absolute(struct conf *conf, const char *folder, struct place *place)
{
	char *here = NULL;

	if (folder[0] == '/') {
		conf->folder = conf_clean_path(conf->arena, folder);
		return true;
	}
	here = getcwd(NULL, 0);
	if (here == NULL) {
		conf_error(conf, place, "the working folder is not known: %s", strerror(errno));
		return false;
	}
	conf->folder = conf_clean_path(conf->arena, conf_join(conf->arena, here, folder));
	free(here);
	return true;
}

static bool ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), ending_len = strlen(ending);

	return len > ending_len && strcmp(name + len - ending_len, ending) == 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct paths {
	const char **items;
	size_t count, cap;
};

static void sort_paths(struct paths *paths)
{
	if (paths->count > 0)
		qsort(paths->items, paths->count, sizeof(*paths->items), compare_texts);
}

static void list_files(struct conf *conf, const struct place *place, struct paths *zones,
		       struct paths *pools)
{
	const char *folder = conf->config->zones_dir;
	const char *prefix = strcmp(folder, ".") == 0 ? "" : folder;
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL) {
		conf_error(conf, place, "folder \"%.200s\" cannot be read: %s", folder,
			   strerror(errno));
		return;
	}
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (ends_with(entry->d_name, ".zone"))
			array_add(zones->items, zones->count,
				  zones->cap) = conf_join(conf->arena, prefix, entry->d_name);
		else if (ends_with(entry->d_name, POOL_ENDING))
			array_add(pools->items, pools->count,
				  pools->cap) = conf_join(conf->arena, prefix, entry->d_name);
	}
	if (errno != 0)
		conf_error(conf, place, "folder \"%.200s\" cannot be read: %s", folder,
			   strerror(errno));
	else if (zones->count == 0)
		conf_error(conf, place, "there are no *.zone files in \"%.200s\"", folder);
	(void)closedir(dir);
}

/* --- pool files ------------------------------------------------------------------------------- */

/* The name before ".pool.yaml". */
static const char *stem_of(struct arena *arena, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash != NULL ? slash + 1 : file;

	return arena_text(arena, name, strlen(name) - strlen(POOL_ENDING));
}

/* A pool whose name cannot be read goes by its file's, so that records that refer to it are not
 * reported as well. */
static void read_pool_file(struct conf *conf, const char *file, struct config_pool *pool,
			   struct seen *names)
{
	struct place *place = arena_alloc(conf->arena, sizeof(*place));
	const struct yaml_node *root = NULL, *name;
	const struct place *before;
	struct source source;
	unsigned errors = diag_errors(conf->diag);

	pool->file = file;
	pool->name = stem_of(conf->arena, file);
	if (source_read(&source, file, -1, conf->arena, conf->diag))
		root = yaml_read(&source, conf->arena, conf->diag);
	if (root == NULL)
		return;
	conf->pool = pool;
	conf->map = &conf->defaults;
	pool_read(conf, root, pool);
	conf->map = NULL;
	conf->pool = NULL;
	pool->faulty = diag_errors(conf->diag) != errors;
	name = yaml_get(root, "pool");
	if (name == NULL || name->kind != YAML_SCALAR || strcmp(name->text, pool->name) != 0)
		return;
	*place = name->place;
	before = seen_add(names, pool->name, place);
	if (before != NULL)
		conf_error(conf, place, "pool \"%s\" is already defined in %.200s", pool->name,
			   before->file);
}

static void read_pools(struct conf *conf, const struct paths *files)
{
	struct config_pool *pools = arena_alloc(conf->arena, files->count * sizeof(*pools));
	struct seen names = { 0 };

	conf->config->pools = pools;
	conf->config->pool_count = files->count;

	for (size_t i = 0; i < files->count; i++)
		read_pool_file(conf, files->items[i], &pools[i], &names);
	links_resolve(conf);
	hooks_link(conf);
	seen_free(&names);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void read_zones_dir(struct conf *conf, const struct yaml_node *root)
{
	const struct yaml_node *zones = yaml_get(root, "zones");
	struct paths zone_files = { 0 }, pool_files = { 0 };
	struct config *config = conf->config;
	const char *folder = conf->folder;

	if (config->zones_dir == NULL || zones == NULL)
		return;
	conf->folder = conf_path(conf, config->zones_dir);
	config->zones_dir = beside(conf->arena, config->file, config->zones_dir);
	list_files(conf, &zones->place, &zone_files, &pool_files);
	config->zone_file_count = zone_files.count;
	sort_paths(&zone_files);
	config->zone_files = arena_copy(conf->arena, zone_files.items,
					zone_files.count * sizeof(*zone_files.items));
	free(zone_files.items);
	sort_paths(&pool_files);
	read_pools(conf, &pool_files);
	free(pool_files.items);
	conf->folder = folder;
}

static void find_table(const char *usual, const char **path)
{
	if (*path == NULL && access(usual, F_OK) == 0)
		*path = usual;
}

/* The table of places stands beside that of countries. */
static void find_tables(struct conf *conf)
{
	struct config *config = conf->config;
	const char *usual = conf_path(conf, COUNTRIES_FILE);
	const char *folder;

	find_table(usual, &config->countries_path);
	folder = conf_folder(conf->arena,
			     config->countries_path != NULL ? config->countries_path : usual);
	find_table(conf_join(conf->arena, folder, PLACES_FILE), &config->places_path);
}

/* --- a file of another kind -------------------------------------------------------------------- */

#define SERVER_FILE "signpost.yaml"

/* The server file that stands beside the file, or in the folder above it; NULL: none does. */
static const char *server_file_near(struct arena *arena, const char *file)
{
	static const char *const where[] = { SERVER_FILE, "../" SERVER_FILE };

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		const char *folder = conf_folder(arena, file);
		const char *path = conf_clean_path(arena, conf_join(arena, folder, where[i]));

		if (access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}

/* A pool or zone file in place of a server file has a mistake in each line, and none of them is the
 * mistake. */
static bool is_other_kind(struct conf *conf, const char *file, const char *what)
{
	const struct place whole = { .file = conf->config->file };
	const char *server = server_file_near(conf->arena, file);

	conf_error(
		conf, &whole,
		"this is a %s file, and no server file: it is checked with the server file whose "
		"\"zones\" is its folder%s%.200s",
		what, server != NULL ? ", such as " : "", server != NULL ? server : "");
	return true;
}

static bool is_zone_file(struct conf *conf, const char *file)
{
	return ends_with(file, ".zone") && is_other_kind(conf, file, "zone");
}

static bool is_pool_file(struct conf *conf, const char *file, const struct yaml_node *root)
{
	bool pool = ends_with(file, POOL_ENDING) ||
		    (yaml_get(root, "pool") != NULL && yaml_get(root, "zones") == NULL);

	return pool && is_other_kind(conf, file, "pool");
}

/* --- all of it --------------------------------------------------------------------------------- */

static int read_all(struct conf *conf, int fd, const char *path)
{
	struct config *config = conf->config;
	const struct yaml_node *root = NULL;
	struct place whole;
	struct source source;

	*config = (struct config){ .file = arena_text(conf->arena, path, strlen(path)) };
	whole = (struct place){ .file = config->file };
	if (!make_absolute(conf, conf_folder(conf->arena, config->file), &whole))
		return -1;
	config->folder = conf->folder;
	config->path = conf_join(conf->arena, config->folder,
				 strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
	if (is_zone_file(conf, path))
		return -1;
	if (source_read(&source, config->file, fd, conf->arena, conf->diag))
		root = yaml_read(&source, conf->arena, conf->diag);
	if (root == NULL || is_pool_file(conf, path, root))
		return -1;
	conf->data = data_new();
	conf->links = links_new();
	conf->now_unix_s = clock_unix_ms() / 1000;
	server_read(conf, root);
	if (!conf->boot_only) {
		find_tables(conf);
		places_find(conf, root);
		read_zones_dir(conf, root);
		doubt_check(conf, root);
	}
	links_free(conf->links);
	data_finish(conf);
	return 0;
}

int config_read_fd(struct config *out, int fd, const char *path, bool boot_only,
		   struct arena *arena, struct diag *diag)
{
	struct conf conf = { .arena = arena, .diag = diag, .config = out, .boot_only = boot_only };

	return read_all(&conf, fd, path);
}

int config_read(struct config *out, const char *path, bool boot_only, struct arena *arena,
		struct diag *diag)
{
	return config_read_fd(out, -1, path, boot_only, arena, diag);
}

int effective_read(struct effective *out, struct config *config, const char *path,
		   struct arena *arena, struct diag *diag)
{
	struct conf conf = { .arena = arena, .diag = diag, .config = config, .effective = out };

	*out = (struct effective){ 0 };
	return read_all(&conf, -1, path);
}

/* Kinds share sections: those of a kind before this one have been printed. NULL is fine. */
static void print_once(const struct option_section *section, size_t kind, FILE *out)
{
	if (section == NULL)
		return;
	for (size_t i = 0; i < kind; i++) {
		if (probe_kind_rows[i]->section == section || probe_kind_rows[i]->shared == section)
			return;
	}
	option_print(section, out);
}

void config_print_options(FILE *out)
{
	for (size_t i = 0; i < server_section_count; i++)
		option_print(server_sections[i], out);
	for (size_t i = 0; i < pool_section_count; i++)
		option_print(pool_sections[i], out);
	for (size_t i = 0; i < PROBE_KINDS; i++) {
		print_once(probe_kind_rows[i]->section, i, out);
		print_once(probe_kind_rows[i]->shared, i, out);
	}
}
