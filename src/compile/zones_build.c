#include "compile/zones_build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/beside.h"
#include "compile/zone_check.h"
#include "compile/zone_read.h"
#include "compile/zone_service.h"
#include "compile/zone_write.h"
#include "image/zones.h"

#define ZONE_SUFFIX ".zone"
#define ROOT_NAME   "ROOT"

#define APART_RECORDS 10000U /* of a zone from which a thread is worth it */

struct item {
	const char *path;
	struct name origin;
	uint64_t segment_off; /* in the new image */
	uint64_t source_id;
	uint32_t warnings;
};

/* A binding whose owner is not yet at its place. */
struct bound {
	struct zones_binding binding;
	size_t owner_at;
};

struct build {
	const struct config *config;
	const struct image *previous;
	struct diag *diag;
	struct item *items; /* in canonical order of their origins */
	size_t count;
	struct image_writer writer;
	struct bound *bounds;
	size_t bound_count, bound_cap;
	struct buf owners;
	struct zones_built *out;
};

/* --- which zones ------------------------------------------------------------------------------ */

static void report_file(const struct build *build, const char *path, const char *what,
			const char *detail)
{
	const struct place place = { .file = path };

	diag_add(build->diag, DIAG_ERROR, &place, NULL, 0, "%s%s", what, detail);
}

static const struct zone_segment *segment_of(const struct build *build, const struct item *item)
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
	const struct item *x = a, *y = b;
	int order = compare_names(&x->origin, &y->origin);

	return order != 0 ? order : strcmp(x->path, y->path);
}

static void list_items(struct build *build)
{
	const struct config *config = build->config;

	build->items = mem_array(config->zone_file_count, sizeof(struct item));
	for (size_t i = 0; i < config->zone_file_count; i++) {
		struct item *item = &build->items[build->count];

		item->path = config->zone_files[i];
		if (origin_of(build, item->path, &item->origin))
			build->count++;
	}
	if (build->count > 0)
		qsort(build->items, build->count, sizeof(struct item), compare_items);
	for (size_t i = 1; i < build->count; i++) {
		if (compare_names(&build->items[i - 1].origin, &build->items[i].origin) == 0)
			report_file(build, build->items[i].path,
				    "this zone is already that of the file ",
				    build->items[i - 1].path);
	}
}

/* --- POOL records ----------------------------------------------------------------------------- */

static void add_binding(struct build *build, const struct service_record *record,
			const struct pool_choice *choice, const struct service *service)
{
	uint32_t owner_len = (uint32_t)name_length(record->owner, DNS_NAME_MAX);
	struct bound bound = {
		.binding = { .owner_len = owner_len,
			     .ttl_s = record->ttl_s,
			     .pool = choice->pool,
			     .site = choice->site,
			     .types = record->types,
			     .target_skip = service->target_skip,
			     .target_types = service->target_types,
			     .target_ttl_s = service->target_ttl_s },
		.owner_at = build->owners.len,
	};

	buf_append(&build->owners, record->owner, owner_len);
	array_add(build->bounds, build->bound_count, build->bound_cap) = bound;
}

static struct service_record draft_record(const struct draft_pool *pool)
{
	return (struct service_record){ .owner = pool->owner->name,
					.pool = pool->pool,
					.site = pool->site,
					.ttl_s = pool->ttl_s,
					.types = pool->types };
}

static bool find_in_draft(const void *zone, const uint8_t *name, size_t len,
			  struct service_record *out)
{
	const struct zone_draft *draft = zone;
	const struct draft_owner *owner = draft_speaker(draft, name, len);

	if (owner == NULL || owner->pool == 0)
		return false;
	*out = draft_record(&draft->pools[owner->pool - 1]);
	return true;
}

static void bind_draft(struct build *build, const struct zone_draft *draft)
{
	const struct service_zone zone = { find_in_draft, draft };

	for (uint32_t i = 0; i < draft->pool_count; i++) {
		const struct draft_pool *pool = &draft->pools[i];
		struct service_record record = draft_record(pool);
		struct pool_choice choice;
		struct service service;

		if (!zone_pool_resolve(build->config, pool->pool, pool->site, &choice)) {
			zone_pool_report(draft, pool, &choice);
			continue;
		}
		service_check(&service, build->config, &choice, &record, &zone);
		service_report(draft, build->config, pool, &choice, &service);
		add_binding(build, &record, &choice, &service);
	}
}

static struct service_record segment_record(const struct zone_segment *segment, uint32_t number)
{
	const struct zone_pool_record *r =
		zone_at(segment, struct zone_pool_record, segment->pool_records_off) + number;

	return (struct service_record){ .owner = zone_at(segment, uint8_t, r->owner_off),
					.pool = zone_at(segment, char, r->pool_name_off),
					.site = r->site_name_off != 0
							? zone_at(segment, char, r->site_name_off)
							: NULL,
					.ttl_s = r->ttl_s,
					.types = (uint8_t)r->types };
}

/* As draft_speaker. */
static const struct zone_node *segment_speaker(const struct zone_segment *segment,
					       const uint8_t *name, size_t len)
{
	const uint8_t *at = name;
	const struct zone_node *node;

	if (!name_is_under(name, len, segment->origin, segment->origin_len))
		return NULL;
	while ((node = zone_find(segment, at, len - (size_t)(at - name))) == NULL)
		at += 1 + *at;
	if (at == name)
		return node;
	return zone_node_cut(node) == 0 && zone_node_wildcard(node) != 0
		       ? zone_at(segment, struct zone_node, zone_node_wildcard(node))
		       : NULL;
}

static bool find_in_segment(const void *zone, const uint8_t *name, size_t len,
			    struct service_record *out)
{
	const struct zone_node *node = segment_speaker(zone, name, len);

	if (node == NULL || zone_node_pool_record(node) == 0)
		return false;
	*out = segment_record(zone, zone_node_pool_record(node) - 1);
	return true;
}

/* The same for a copied segment. false: something is to be said of one; to say where, the zone
 * must be read. */
static bool bind_segment(struct build *build, const struct zone_segment *segment)
{
	const struct service_zone zone = { find_in_segment, segment };
	size_t bound_count = build->bound_count;

	for (uint32_t i = 0; i < segment->pool_record_count; i++) {
		struct service_record record = segment_record(segment, i);
		struct pool_choice choice;
		struct service service = { .problem = SERVICE_NO_TARGET };

		if (zone_pool_resolve(build->config, record.pool, record.site, &choice))
			service_check(&service, build->config, &choice, &record, &zone);
		if (service.problem != SERVICE_FINE) {
			build->bound_count = bound_count;
			return false;
		}
		add_binding(build, &record, &choice, &service);
	}
	return true;
}

/* --- one zone --------------------------------------------------------------------------------- */

/* Are the files from which a segment was compiled still what they were? */
static bool sources_unchanged(const struct zone_segment *segment, const char *path, uint64_t id)
{
	const char *source = zone_at(segment, char, segment->sources_off);
	const char *end = source + segment->sources_size;
	bool same = strcmp(source, path) == 0;
	uint64_t found = 0;

	for (; same && source < end; source += strlen(source) + 1)
		same = master_source_hash(source, &found) == 0;
	return same && found == id;
}

/* The zone's number in the previous image, or ZONES_NONE. */
static uint32_t find_previous(const struct build *build, const struct item *item)
{
	if (build->previous == NULL)
		return ZONES_NONE;
	return zones_find(build->previous, item->origin.wire, item->origin.len);
}

/* Copies the segment of the previous image, if it is what compiling would give. */
static bool reuse(struct build *build, struct item *item)
{
	const struct zone_segment *segment;
	const struct zones_entry *entry;
	uint32_t zone = find_previous(build, item);

	if (zone == ZONES_NONE)
		return false;
	entry = zones_entry(build->previous, zone);
	segment = zones_segment(build->previous, zone);
	if (!sources_unchanged(segment, item->path, entry->source_id) ||
	    !bind_segment(build, segment))
		return false;
	item->source_id = entry->source_id;
	item->warnings = entry->warnings;
	build->out->kept_warnings += entry->warnings;
	item->segment_off = image_writer_append(&build->writer, segment, segment->size,
						IMAGE_ALIGN);
	build->out->reused_count++;
	return true;
}

/* Are they the same but for the files that they were read from, whose paths stand last? */
static bool same_records(const struct zone_segment *a, const struct zone_segment *b)
{
	struct zone_segment x = *a, y = *b;

	x.size = y.size = 0;
	x.sources_size = y.sources_size = 0;
	return memcmp(&x, &y, sizeof(x)) == 0 &&
	       memcmp(a + 1, b + 1, a->sources_off - sizeof(*a)) == 0;
}

/* Whoever copies the zone, or watches it, goes by the serial (RFC 1982, 3.2). */
static void check_serial(const struct build *build, const struct item *item,
			 const struct zone_draft *draft)
{
	const struct draft_record *soa = draft_soa(draft)->first;
	const struct zone_segment *segment = segment_of(build, item), *served;
	uint32_t zone = find_previous(build, item);

	if (zone == ZONES_NONE)
		return;
	served = zones_segment(build->previous, zone);
	if (segment->serial - served->serial >= UINT32_C(1) << 31)
		master_report(draft->sources, DIAG_WARNING, &soa->place,
			      "the serial is %u, which does not follow %u, that of the zone that "
			      "was served (RFC 1982)",
			      segment->serial, served->serial);
	else if (segment->serial == served->serial && !same_records(segment, served) &&
		 image_root(build->previous, struct zones_root)->generation == COMPILER_GENERATION)
		master_report(draft->sources, DIAG_WARNING, &soa->place,
			      "the zone has changed, but its serial is still %u", segment->serial);
}

struct checking {
	struct zone_draft draft; /* the same one, but for whom it reports to */
	struct master_sources sources;
	const char *path;
};

static void check_apart(void *context)
{
	const struct checking *checking = context;

	zone_check(&checking->draft, checking->path, true);
}

/* What is found wrong makes of what is written nothing at all; mostly nothing is, so one need not
 * wait for the other. true: there is a segment. */
static bool check_and_write(struct build *build, struct item *item, struct zone_draft *draft,
			    unsigned errors)
{
	bool complete = diag_errors(build->diag) == errors;
	struct checking checking = { .draft = *draft,
				     .sources = *draft->sources,
				     .path = item->path };
	struct beside beside;
	int rc;

	if (!complete || draft->record_count < APART_RECORDS || !draft_has_soa(draft)) {
		zone_check(draft, item->path, complete);
		bind_draft(build, draft);
		return diag_errors(build->diag) == errors &&
		       zone_write(draft, &build->writer, &item->segment_off) == 0;
	}
	checking.sources.diag = diag_new();
	checking.draft.sources = &checking.sources;
	beside_start(&beside, check_apart, &checking);
	rc = zone_write(draft, &build->writer, &item->segment_off);
	beside_wait(&beside);
	diag_join(build->diag, checking.sources.diag);
	diag_free(checking.sources.diag);
	bind_draft(build, draft);
	return rc == 0 && diag_errors(build->diag) == errors;
}

static void compile(struct build *build, struct item *item)
{
	struct master_sources sources = { .diag = build->diag };
	struct zone_draft draft = { .origin = item->origin, .sources = &sources };
	unsigned errors = diag_errors(build->diag), warnings = diag_warnings(build->diag);
	bool written;

	draft_start(&draft);
	zone_read(&draft, item->path);
	written = check_and_write(build, item, &draft, errors);
	item->warnings = diag_warnings(build->diag) - warnings;
	if (written)
		check_serial(build, item, &draft);
	item->source_id = sources.id;
	draft_free(&draft);
	master_sources_free(&sources);
}

/* --- zones below zones -------------------------------------------------------------------------- */

static int compare_origin(const void *name, const void *item)
{
	return compare_names(name, &((const struct item *)item)->origin);
}

/* The zone above, which is served here, too; NULL: it is not. */
static const struct item *find_above(const struct build *build, const struct item *item)
{
	struct name name = item->origin;
	const struct item *found = NULL;

	while (found == NULL && name.labels > 0) {
		size_t cut = 1U + name.wire[0];

		name.len = (uint8_t)(name.len - cut);
		name.labels--;
		memmove(name.wire, name.wire + cut, name.len);
		found = bsearch(&name, build->items, build->count, sizeof(struct item),
				compare_origin);
	}
	return found;
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
static void check_delegation(const struct build *build, const struct item *item)
{
	const struct item *above = find_above(build, item);
	const struct place place = { .file = item->path };
	char child[NAME_TEXT_SIZE], parent[NAME_TEXT_SIZE];

	if (above == NULL || delegates(segment_of(build, above), &item->origin))
		return;
	diag_add(
		build->diag, DIAG_WARNING, &place, NULL, 0,
		"the zone %s above, which is served here, does not delegate %s: it has no NS records "
		"there",
		name_format(above->origin.wire, parent), name_format(item->origin.wire, child));
}

/* --- the image -------------------------------------------------------------------------------- */

static uint64_t origin_hash(const struct item *item)
{
	return name_hash_tight(item->origin.wire, item->origin.len);
}

static uint64_t write_entries(struct build *build)
{
	uint64_t offset = image_writer_reserve(
		&build->writer, build->count * sizeof(struct zones_entry), IMAGE_ALIGN);
	uint32_t pool_records = 0;

	for (size_t i = 0; i < build->count; i++) {
		const struct item *item = &build->items[i];
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

	while (slots < 2 * build->count)
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

static void write_root(struct build *build)
{
	struct zones_root root = { .zone_count = (uint32_t)build->count,
				   .pool_record_count = (uint32_t)build->bound_count,
				   .generation = COMPILER_GENERATION };

	root.zones_off = write_entries(build);
	root.table_off = write_table(build, &root.table_mask);
	for (size_t i = 0; i < build->count; i++) {
		uint8_t labels = build->items[i].origin.labels;

		root.depths[labels / 64] |= ZONES_DEPTH_0 >> labels % 64;
	}
	*image_writer_root(&build->writer, struct zones_root) = root;
}

/* One allocation for the bindings and, behind them, their owner names. */
static void give_bindings(struct build *build)
{
	size_t size = build->bound_count * sizeof(struct zones_binding);
	struct zones_binding *bindings = mem_alloc(size + build->owners.len);
	uint8_t *owners = (uint8_t *)bindings + size;

	if (build->owners.len > 0)
		memcpy(owners, build->owners.data, build->owners.len);
	for (size_t i = 0; i < build->bound_count; i++) {
		bindings[i] = build->bounds[i].binding;
		bindings[i].owner = owners + build->bounds[i].owner_at;
	}
	build->out->bindings = bindings;
	build->out->binding_count = build->bound_count;
}

static int build_all(struct build *build, struct err *err)
{
	list_items(build);
	for (size_t i = 0; i < build->count; i++) {
		if (!reuse(build, &build->items[i]))
			compile(build, &build->items[i]);
	}
	if (diag_errors(build->diag) > 0)
		return 0;
	for (size_t i = 0; i < build->count; i++)
		check_delegation(build, &build->items[i]);
	write_root(build);
	give_bindings(build);
	build->out->zone_count = (uint32_t)build->count;
	return image_writer_finish(&build->writer, NULL, &build->out->fd, err);
}

int zones_build(const struct config *config, const struct image *previous, struct zones_built *out,
		struct diag *diag, struct err *err)
{
	struct build build = { .config = config, .previous = previous, .diag = diag, .out = out };
	int rc = -1;

	*out = (struct zones_built){ .fd = -1 };
	if (image_writer_open(&build.writer, IMAGE_ZONES, sizeof(struct zones_root), err) != 0)
		return -1;
	rc = build_all(&build, err);
	image_writer_discard(&build.writer);
	free(build.items);
	free(build.bounds);
	buf_free(&build.owners);
	return rc;
}

void zones_built_free(struct zones_built *built)
{
	if (built->fd >= 0)
		(void)close(built->fd);
	free(built->bindings);
	*built = (struct zones_built){ .fd = -1 };
}
