/* images_sizes.c - where an image's octets go.
 *
 * Of each part only the beginning is noted: it lasts until the next one begins. So a part cannot be
 * forgotten in silence: what it had is another's, and the sum is the image's size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/locations.h"
#include "tests/bench/images.h"

struct part {
	uint64_t offset;
	const char *name;
};

struct parts {
	struct part *items;
	size_t count, cap;
};

/* Offset 0: it is not there. What is empty may begin where another part does: leave it out. */
static void begins(struct parts *parts, uint64_t offset, const char *name)
{
	if (offset != 0)
		array_add(parts->items, parts->count, parts->cap) = (struct part){ offset, name };
}

static int by_offset(const void *a, const void *b)
{
	const struct part *p = a, *q = b;

	return p->offset < q->offset ? -1 : p->offset > q->offset ? 1 : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct part *p = a, *q = b;

	return strcmp(p->name, q->name);
}

/* {"name": octets, ...}: parts of one name are one. */
static void print_parts(struct parts *parts, uint64_t size)
{
	begins(parts, size, "");
	qsort(parts->items, parts->count, sizeof(*parts->items), by_offset);
	for (size_t i = 0; i + 1 < parts->count; i++) /* from here on: how large */
		parts->items[i].offset = parts->items[i + 1].offset - parts->items[i].offset;
	parts->count--;
	qsort(parts->items, parts->count, sizeof(*parts->items), by_name);
	(void)printf("\"parts\": {");
	for (size_t i = 0; i < parts->count; i++) {
		struct part *part = &parts->items[i];

		if (i + 1 < parts->count && strcmp(part->name, part[1].name) == 0)
			part[1].offset += part->offset;
		else
			(void)printf("\"%s\": %llu%s", part->name, (unsigned long long)part->offset,
				     i + 1 < parts->count ? ", " : "");
	}
	(void)printf("}");
	free(parts->items);
}

static struct parts start(const struct image *image, enum image_kind kind)
{
	struct parts parts = { 0 };

	(void)printf("%s\"%s\": {\"octets\": %zu, ", kind == IMAGE_ZONES ? "{" : ",\n ",
		     image_name[kind], image->size);
	begins(&parts, 1, "header");
	return parts;
}

static void finish(struct parts *parts, const struct image *image)
{
	parts->items[0].offset = 0;
	print_parts(parts, image->size);
	(void)printf("}");
}

/* --- each kind -------------------------------------------------------------------------------- */

struct inside_blocks {
	unsigned long count, wire;
};

/* What nodes and blocks are made of. Small blocks stand behind the node whose they are. */
struct inside {
	unsigned long names, lists;
	struct inside_blocks behind_nodes, elsewhere;
};

static void look_inside(struct inside *inside, const struct zone_segment *segment,
			const struct zone_node *node)
{
	inside->names += node->name_len;
	inside->lists += node->rrset_count * sizeof(node->rrsets[0]);
	for (unsigned i = 0; i < node->rrset_count; i++) {
		uint32_t at = node->rrsets[i].block_off;
		struct inside_blocks *blocks = at < segment->nodes_end ? &inside->behind_nodes
								       : &inside->elsewhere;

		blocks->count++;
		blocks->wire += zone_at(segment, struct rrset_block, at)->wire_len;
	}
}

/* Every node is in a bucket. */
static void look_into(struct inside *inside, const struct zone_segment *segment)
{
	const struct zone_bucket *buckets = zone_at(segment, struct zone_bucket,
						    segment->buckets_off);

	for (uint32_t bucket = 0; bucket < segment->bucket_count; bucket++) {
		for (unsigned slot = 0; slot < ZONE_BUCKET_SLOTS; slot++) {
			uint32_t node = buckets[bucket].node[slot];

			if (node != 0)
				look_inside(inside, segment,
					    zone_at(segment, struct zone_node, node));
		}
	}
}

static void print_zones(const struct image *image)
{
	const struct zones_root *root = image_root(image, struct zones_root);
	struct parts parts = start(image, IMAGE_ZONES);
	unsigned long names = 0, records = 0;
	struct inside inside = { 0 };

	begins(&parts, root->table_off, "zones");
	begins(&parts, root->zones_off, "zones");
	for (uint32_t zone = 0; zone < root->zone_count; zone++) {
		const struct zone_segment *segment = zones_segment(image, zone);
		uint64_t base = zones_entry(image, zone)->segment_off;

		begins(&parts, base, "zones");
		begins(&parts, base + segment->nodes_off, "nodes");
		begins(&parts, base + segment->nodes_end, "RRsets");
		begins(&parts, base + segment->buckets_off, "buckets");
		begins(&parts, base + segment->pool_records_off, "POOL records");
		begins(&parts, base + segment->sources_off, "sources");
		names += segment->node_count;
		records += segment->record_count;
		look_into(&inside, segment);
	}
	(void)printf("\"zones\": %u, \"names\": %lu, \"records\": %lu, ", root->zone_count, names,
		     records);
	(void)printf("\"in nodes\": {\"names\": %lu, \"heads\": %lu, \"lists of RRsets\": %lu, "
		     "\"heads of small RRsets\": %lu, \"their wire\": %lu}, "
		     "\"in RRsets\": {\"heads\": %lu, \"wire\": %lu}, ",
		     inside.names, names * sizeof(struct zone_node), inside.lists,
		     inside.behind_nodes.count * sizeof(struct rrset_block),
		     inside.behind_nodes.wire, inside.elsewhere.count * sizeof(struct rrset_block),
		     inside.elsewhere.wire);
	finish(&parts, image);
}

static void add_trie(struct parts *parts, const struct geo_trie *trie)
{
	begins(parts, trie->root_off, "roots");
	begins(parts, trie->nodes_off, "nodes");
	begins(parts, trie->leaves_off, "leaves");
}

static void print_geo(const struct image *image)
{
	const struct geo_root *root = image_root(image, struct geo_root);
	struct parts parts = start(image, IMAGE_GEO);

	for (unsigned family = 0; family < 2; family++) {
		add_trie(&parts, &root->trie[family]);
		add_trie(&parts, &root->resolvers[family]);
	}
	begins(&parts, root->class_prefs_off, "preferences of classes");
	begins(&parts, root->pools_off, "pools");
	for (uint32_t pool = 0; pool < root->pool_count; pool++)
		begins(&parts, image_at(image, struct geo_pool, root->pools_off)[pool].prefs_off,
		       "preferences");
	(void)printf("\"classes\": %u, \"pools\": %u, \"sites\": %u, ", root->class_count,
		     root->pool_count, root->site_count);
	finish(&parts, image);
}

static void print_steering(const struct image *image)
{
	const struct steering_root *root = image_root(image, struct steering_root);
	struct parts parts = start(image, IMAGE_STEERING);

	begins(&parts, root->pools_off, "pools");
	begins(&parts, root->records_off, "records");
	begins(&parts, root->table_count == 0 ? 0 : root->tables_off, "tables");
	begins(&parts, root->split_count == 0 ? 0 : root->splits_off, "tables");
	begins(&parts, root->backup_count == 0 ? 0 : root->backups_off, "tables");
	for (uint32_t i = 0; i < root->table_count; i++) {
		begins(&parts, steering_table(image, i)->slots.codes_off, "slots of tables");
		begins(&parts, steering_table(image, i)->slots.kinds_off, "kinds of slots");
	}
	for (uint32_t i = 0; i < root->pool_count; i++)
		begins(&parts, steering_pool(image, i)->prefs_off, "preferences");
	for (uint32_t i = 0; i < root->record_count; i++) {
		begins(&parts, steering_record(image, i)->prefs_off, "preferences");
		begins(&parts, steering_record(image, i)->answers_off, "answers");
		begins(&parts, steering_record(image, i)->links_off, "records");
	}
	(void)printf("\"pools\": %u, \"records\": %u, \"tables\": %u, ", root->pool_count,
		     root->record_count, root->table_count);
	finish(&parts, image);
}

static void add_breaks(struct parts *parts, const struct location_breaks *breaks, const char *name)
{
	for (int family = 0; family < 2; family++) {
		begins(parts, breaks->family[family].heads_off, name);
		begins(parts, breaks->family[family].starts_off, name);
		begins(parts, breaks->family[family].values_off, name);
	}
}

static void add_rows(struct parts *parts, const struct location_rows *rows)
{
	add_breaks(parts, &rows->breaks, "the operator's networks");
	begins(parts, rows->rows_off, "the operator's networks");
	begins(parts, rows->locations_off, "the operator's networks");
}

static void print_locations(const struct image *image)
{
	const struct locations_root *root = image_root(image, struct locations_root);
	struct parts parts = start(image, IMAGE_LOCATIONS);

	add_breaks(&parts, &root->breaks, "networks");
	begins(&parts, root->places_off, "places");
	begins(&parts, root->origins_off, "places");
	begins(&parts, root->databases_off, "texts");
	begins(&parts, root->texts_off, "texts");
	begins(&parts, root->field_sets_off, "fields");
	add_rows(&parts, &root->overrides);
	add_rows(&parts, &root->resolvers);
	begins(&parts, root->more_texts_off, "texts");
	(void)printf("\"networks\": %u, \"places\": %u, ",
		     root->breaks.family[0].count + root->breaks.family[1].count,
		     root->location_count);
	finish(&parts, image);
}

static void print_plan(const struct image *image)
{
	struct parts parts = start(image, IMAGE_PLAN);

	(void)printf("\"pools\": %u, \"nodes\": %u, ", plan_count(image, pools),
		     plan_count(image, nodes));
	finish(&parts, image);
}

void images_print_sizes(const struct image images[IMAGE_KINDS])
{
	print_zones(&images[IMAGE_ZONES]);
	print_geo(&images[IMAGE_GEO]);
	print_steering(&images[IMAGE_STEERING]);
	print_locations(&images[IMAGE_LOCATIONS]);
	print_plan(&images[IMAGE_PLAN]);
	(void)printf("}\n");
}
