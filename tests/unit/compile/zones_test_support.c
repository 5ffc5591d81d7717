#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zones_test.h"

void zones_try_open(struct zones_try *try)
{
	*try = (struct zones_try){ .built = { .fd = -1 } };
	(void)strcpy(try->folder, "/tmp/zones-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(try->folder));
}

static bool is_zone(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".zone") == 0;
}

static void add_path(struct zones_try *try, const char *path)
{
	for (size_t i = 0; i < try->path_count; i++) {
		if (strcmp(try->paths[i], path) == 0)
			return;
	}
	ck_assert_uint_lt(try->path_count, ZONES_FILES_MAX);
	try->paths[try->path_count++] = mem_copy_text(path);
}

void zones_try_write(struct zones_try *try, const struct zones_file *file)
{
	char *path = mem_format("%s/%s", try->folder, file->name);
	size_t size = file->size != 0 ? file->size : strlen(file->text);
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(file->text, 1, size, out), size);
	ck_assert_int_eq(fclose(out), 0);
	if (is_zone(file->name))
		add_path(try, path);
	free(path);
}

static void close_result(struct zones_try *try)
{
	image_close(&try->image);
	zones_built_free(&try->built);
	diag_free(try->diag);
	free(try->report);
	try->diag = NULL;
	try->report = NULL;
}

static void build(struct zones_try *try, const struct image *previous)
{
	static const struct config_site sites[] = { { .name = "tokyo" }, { .name = "frankfurt" } };
	static const struct config_pool_site edge[] = { { .site = 1 }, { .site = 0 } };
	static const struct config_pool_site backup[] = { { .site = 0 } };
	static const struct name host = { .wire = "\2h1\4test", .len = 9, .labels = 2 };
	static const struct config_node ported_nodes[] = {
		{ .name = "p-1", .port = 443, .place = { "ported.pool.yaml", 3, 1, 3 } },
		{ .name = "p-2", .port = 443, .place = { "ported.pool.yaml", 4, 1, 3 } },
	};
	static const struct config_node hosts_nodes[] = {
		{ .name = "h-1", .port = 1, .host = &host },
		{ .name = "h-2", .port = 2, .host = &host },
	};
	static const struct name host_here = { .wire = "\2n1\7example\3net",
					       .len = 16,
					       .labels = 3 };
	static const struct config_node named_nodes[] = {
		{ .name = "n-1", .host = &host_here, .place = { "named.pool.yaml", 3, 1, 3 } },
	};
	static const struct config_pool_site named[] = {
		{ .site = 0, .nodes = named_nodes, .node_count = 1 }
	};
	static const struct config_node mixed_nodes[] = {
		{ .name = "m-1", .port = 443, .place = { "mixed.pool.yaml", 7, 1, 3 } },
		{ .name = "m-2", .port = 444, .place = { "mixed.pool.yaml", 8, 1, 3 } },
		{ .name = "m-4", .port = 443, .place = { "mixed.pool.yaml", 10, 1, 3 } },
		{ .name = "m-3", .place = { "mixed.pool.yaml", 9, 1, 3 } },
	};
	static const struct config_pool_site ported[] = {
		{ .site = 0, .nodes = &ported_nodes[0], .node_count = 1 },
		{ .site = 1, .nodes = &ported_nodes[1], .node_count = 1 }
	};
	static const struct config_pool_site hosts[] = {
		{ .site = 0, .nodes = hosts_nodes, .node_count = 2 }
	};
	static const struct config_pool_site mixed[] = {
		{ .site = 0, .nodes = mixed_nodes, .node_count = 3 },
		{ .site = 1, .nodes = &mixed_nodes[3], .node_count = 1 }
	};
	static const struct config_pool pools[] = {
		{ .name = "backup", .sites = backup, .site_count = 1 },
		{ .name = "edge", .sites = edge, .site_count = 2 },
		{ .name = "ported", .sites = ported, .site_count = 2 },
		{ .name = "hosts", .sites = hosts, .site_count = 1 },
		{ .name = "mixed", .sites = mixed, .site_count = 2 },
		{ .name = "named", .sites = named, .site_count = 1 },
	};
	const struct config config = {
		.sites = sites,
		.site_count = 2,
		.pools = pools,
		.pool_count = try->without_pools ? 0 : sizeof(pools) / sizeof(pools[0]),
		.zone_files = (const char *const *)try->paths,
		.zone_file_count = try->path_count,
	};
	struct err err;

	ck_assert_msg(zones_build(&config, previous, &try->built, try->diag, &err) == 0, "%s",
		      err.text);
}

void zones_try_build(struct zones_try *try, const struct image *previous)
{
	size_t size;
	FILE *out;
	struct err err;

	close_result(try);
	try->diag = diag_new();
	build(try, previous);
	out = open_memstream(&try->report, &size);
	ck_assert_ptr_nonnull(out);
	diag_print(try->diag, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(try->built.fd >= 0, diag_errors(try->diag) == 0);
	if (try->built.fd < 0)
		return;
	ck_assert_msg(image_open(&try->image, try->built.fd, IMAGE_ZONES, &err) == 0, "%s",
		      err.text);
	ck_assert_msg(zones_verify(&try->image, &err) == 0, "%s", err.text);
}

void zones_try_close(struct zones_try *try)
{
	char *command = mem_format("rm -r %s", try->folder);

	close_result(try);
	for (size_t i = 0; i < try->path_count; i++)
		free(try->paths[i]);
	ck_assert_int_eq(system(command), 0);
	free(command);
}

void zones_try_text(struct zones_try *try, const char *text)
{
	zones_try_open(try);
	zones_try_write(try, &(struct zones_file){ "example.net.zone", text, 0 });
	zones_try_build(try, NULL);
}

const struct zone_node *zones_try_node(const struct zones_try *try, const char *name)
{
	const char *reason = "";
	struct name wire;

	ck_assert_msg(name_parse(name, strlen(name), NULL, &wire, &reason), "%s: %s", name, reason);
	return zone_find(zones_segment(&try->image, 0), wire.wire, wire.len);
}
