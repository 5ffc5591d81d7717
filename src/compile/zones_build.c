#include "compile/zones_build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/master_source.h"
#include "compile/zones_parallel.h"

#define ZONE_SUFFIX ".zone"
#define ROOT_NAME   "ROOT"

struct build {
	const struct config *config;
	struct zones_task task;
	struct zones_item *items; /* the task's */
	size_t count;
	struct diag *diag;
	struct image_writer writer;
	struct zones_built *out;
};

/* --- which zones ------------------------------------------------------------------------------ */

static void report_file(const struct build *build, const char *path, const char *what,
			const char *detail)
{
	const struct place place = { .file = path };

	diag_add(build->diag, DIAG_ERROR, &place, NULL, 0, "%s%s", what, detail);
}

static const struct zone_segment *segment_of(const struct build *build,
					     const struct zones_item *item)
{
	return image_writer_at(&build->writer, struct zone_segment, item->segment_off);
}

static bool origin_of(const struct build *build, const char *path, struct name *origin)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash != NULL ? slash + 1 : path;
	size_t len = strlen(file), suffix = strlen(ZONE_SUFFIX);
	const char *reason = "";

	if (len > suffix && strcmp(file + len - suffix, ZONE_SUFFIX) == 0)
		len -= suffix;
	if (len == strlen(ROOT_NAME) && memcmp(file, ROOT_NAME, len) == 0) {
		*origin = (struct name){ .len = 1 };
		return true;
	}
	if (name_parse(file, len, NULL, origin, &reason))
		return true;
	report_file(build, path, "the file's name is not that of a zone: ", reason);
	return false;
}

/* RFC 4034, 6.1: by labels from the right, as unsigned octets; a missing label comes first. */
static int compare_names(const struct name *a, const struct name *b)
{
	const uint8_t *labels[2][DNS_LABELS_MAX];
	const uint8_t *p = a->wire, *q = b->wire;

	for (unsigned i = 0; i < a->labels; i++, p += 1 + *p)
		labels[0][i] = p;
	for (unsigned i = 0; i < b->labels; i++, q += 1 + *q)
		labels[1][i] = q;
	for (unsigned i = 1; i <= a->labels && i <= b->labels; i++) {
		const uint8_t *x = labels[0][a->labels - i], *y = labels[1][b->labels - i];
		int order = memcmp(x + 1, y + 1, *x < *y ? *x : *y);

		if (order == 0)
			order = *x - *y;
		if (order != 0)
			return order;
	}
	return a->labels - b->labels;
}

static int compare_items(const void *a, const void *b)
{
	const struct zones_item *x = a, *y = b;
	int order = compare_names(&x->origin, &y->origin);

	return order != 0 ? order : strcmp(x->path, y->path);
}

static void list_items(struct build *build)
{
	const struct config *config = build->config;

	build->items = mem_array(config->zone_file_count, sizeof(struct zones_item));
	for (size_t i = 0; i < config->zone_file_count; i++) {
		struct zones_item *item = &build->items[build->count];

		item->path = config->zone_files[i];
		if (origin_of(build, item->path, &item->origin))
			build->count++;
	}
	if (build->count > 0)
		qsort(build->items, build->count, sizeof(struct zones_item), compare_items);
	for (size_t i = 1; i < build->count; i++) {
		if (compare_names(&build->items[i - 1].origin, &build->items[i].origin) == 0)
			report_file(build, build->items[i].path,
				    "this zone is already that of the file ",
				    build->items[i - 1].path);
	}
}

/* --- zones below zones -------------------------------------------------------------------------- */

static bool is_below(const struct zones_item *item, const struct zones_item *above)
{
	return name_is_under(item->origin.wire, item->origin.len, above->origin.wire,
			     above->origin.len);
}

/* Is the name at or below a delegation of this zone? */
static bool delegates(const struct zone_segment *segment, const struct name *name)
{
	const uint8_t *wire = name->wire;
	size_t len = name->len;
	const struct zone_node *node;

	while ((node = zone_find(segment, wire, len)) == NULL) {
		len -= 1U + *wire;
		wire += 1 + *wire;
	}
	return zone_node_cut(node) != 0;
}

/* Who asks us finds the child all the same; who comes from the parent's other servers does not. */
static void check_delegation(const struct build *build, const struct zones_item *item,
			     const struct zones_item *above)
{
	const struct place place = { .file = item->path };
	char child[NAME_TEXT_SIZE], parent[NAME_TEXT_SIZE];

	if (delegates(segment_of(build, above), &item->origin))
		return;
	diag_add(
		build->diag, DIAG_WARNING, &place, NULL, 0,
		"the zone %s above, which is served here, does not delegate %s: it has no NS records "
		"there",
		name_format(above->origin.wire, parent), name_format(item->origin.wire, child));
}

/* In canonical order a zone's closest ancestor is the zone before it, or one of that one's. */
static void check_delegations(const struct build *build)
{
	const struct zones_item *items = build->items;
	size_t *above = mem_array(build->count, sizeof(size_t)); /* index + 1, 0: none */

	for (size_t i = 1; i < build->count; i++) {
		size_t at = i;

		while (at > 0 && !is_below(&items[i], &items[at - 1]))
			at = above[at - 1];
		above[i] = at;
		if (at > 0)
			check_delegation(build, &items[i], &items[at - 1]);
	}
	free(above);
}

/* --- the image -------------------------------------------------------------------------------- */

static uint64_t origin_hash(const struct zones_item *item)
{
	return name_hash_tight(item->origin.wire, item->origin.len);
}

static uint64_t write_entries(struct build *build)
{
	uint64_t offset = image_writer_reserve(
		&build->writer, build->count * sizeof(struct zones_entry), IMAGE_ALIGN);
	uint32_t pool_records = 0;

	for (size_t i = 0; i < build->count; i++) {
		const struct zones_item *item = &build->items[i];
		const struct zone_segment *segment = segment_of(build, item);
		struct name_head head = name_head(segment->origin, segment->origin_len);
		struct zones_entry *entry =
			image_writer_at(&build->writer, struct zones_entry, offset) + i;

		*entry = (struct zones_entry){ .origin_hash = origin_hash(item),
					       .origin_len = item->origin.len,
					       .origin_head = { head.first, head.second },
					       .segment_off = item->segment_off,
					       .segment_size = segment->size,
					       .source_id = item->source_id,
					       .warnings = item->warnings,
					       .pool_record_base = pool_records };
		pool_records += segment->pool_record_count;
		build->out->record_count += segment->record_count;
	}
	return offset;
}

static uint64_t write_table(struct build *build, uint32_t *mask)
{
	uint32_t slots = 2;
	uint64_t offset;
	uint32_t *table;

	/* Most zones stand at their first place, where queries look first. */
	while (slots < 8 * build->count)
		slots *= 2;
	*mask = slots - 1;
	offset = image_writer_reserve(&build->writer, slots * sizeof(uint32_t), IMAGE_ALIGN);
	table = image_writer_at(&build->writer, uint32_t, offset);
	for (uint32_t i = 0; i < build->count; i++) {
		uint32_t slot = (uint32_t)(origin_hash(&build->items[i]) >> 32) & *mask;

		while (table[slot] != 0)
			slot = (slot + 1) & *mask;
		table[slot] = i + 1;
	}
	return offset;
}

static void write_root(struct build *build, size_t bindings)
{
	struct zones_root root = { .zone_count = (uint32_t)build->count,
				   .pool_record_count = (uint32_t)bindings,
				   .generation = COMPILER_GENERATION };

	root.zones_off = write_entries(build);
	root.table_off = write_table(build, &root.table_mask);
	for (size_t i = 0; i < build->count; i++) {
		uint8_t labels = build->items[i].origin.labels;

		root.depths[labels / 64] |= ZONES_DEPTH_0 >> labels % 64;
	}
	*image_writer_root(&build->writer, struct zones_root) = root;
}

static void count_bindings(const struct build *build, size_t *bindings, size_t *octets)
{
	*bindings = *octets = 0;
	for (size_t i = 0; i < build->count; i++) {
		*bindings += build->items[i].bounds.count;
		*octets += build->items[i].bounds.owners.len;
	}
}

/* One allocation for the bindings and, behind them, their owner names. */
static void give_bindings(struct build *build, size_t count, size_t octets)
{
	size_t size = count * sizeof(struct zones_binding);
	struct zones_binding *binding = mem_alloc(size + octets);
	uint8_t *owners = (uint8_t *)binding + size;

	build->out->bindings = binding;
	build->out->binding_count = count;
	for (size_t i = 0; i < build->count; i++) {
		const struct zone_bounds *bounds = &build->items[i].bounds;

		for (size_t k = 0; k < bounds->count; k++, binding++) {
			*binding = bounds->items[k].binding;
			binding->owner = owners + bounds->items[k].owner_at;
		}
		if (bounds->owners.len > 0)
			memcpy(owners, bounds->owners.data, bounds->owners.len);
		owners += bounds->owners.len;
	}
}

/* In canonical order, whoever was ready first. */
static void join_items(struct build *build)
{
	for (size_t i = 0; i < build->count; i++) {
		const struct zones_item *item = &build->items[i];

		if (item->errors != NULL)
			diag_join(build->diag, item->errors);
		if (!item->is_kept)
			continue;
		build->out->kept_warnings += item->warnings;
		build->out->reused_count++;
	}
}

static int build_all(struct build *build, unsigned threads, struct err *err)
{
	size_t bindings, octets;

	zones_compile_all(&build->task, &build->writer, threads);
	join_items(build);
	if (diag_errors(build->diag) > 0)
		return 0;
	check_delegations(build);
	count_bindings(build, &bindings, &octets);
	write_root(build, bindings);
	give_bindings(build, bindings, octets);
	build->out->zone_count = (uint32_t)build->count;
	return image_writer_finish(&build->writer, NULL, &build->out->fd, err);
}

static void free_items(struct build *build)
{
	for (size_t i = 0; i < build->count; i++) {
		zone_bounds_free(&build->items[i].bounds);
		diag_free(build->items[i].errors);
	}
	free(build->items);
}

int zones_build_by(unsigned threads, const struct config *config, const struct image *previous,
		   struct zones_built *out, struct diag *diag, struct err *err)
{
	struct build build = { .config = config, .diag = diag, .out = out };
	int rc;

	*out = (struct zones_built){ .fd = -1 };
	if (image_writer_open(&build.writer, IMAGE_ZONES, sizeof(struct zones_root), err) != 0)
		return -1;
	list_items(&build);
	build.task = (struct zones_task){
		.config = config, .previous = previous, .items = build.items, .count = build.count
	};
	rc = build_all(&build, threads, err);
	image_writer_discard(&build.writer);
	free_items(&build);
	return rc;
}

int zones_build(const struct config *config, const struct image *previous, struct zones_built *out,
		struct diag *diag, struct err *err)
{
	return zones_build_by(zones_threads(), config, previous, out, diag, err);
}

void zones_built_free(struct zones_built *built)
{
	if (built->fd >= 0)
		(void)close(built->fd);
	free(built->bindings);
	*built = (struct zones_built){ .fd = -1 };
}
