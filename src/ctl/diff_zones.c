/* What changes in zones: names and RRsets, as they are written. */
#include <stdlib.h>
#include <string.h>

#include "ctl/diff_parts.h"
#include "ctl/rrset_text.h"
#include "image/zones.h"

#define TYPE_POOL_TEXT "POOL"

/* What is told of one zone. */
struct telling {
	const struct zone_segment *before, *after;
	json_t *list;
	size_t most;
	json_int_t added, removed, changed;
};

/* --- nodes ------------------------------------------------------------------------------------- */

static const struct zone_node *same_node(const struct zone_segment *segment,
					 const struct zone_node *node)
{
	uint8_t name[ZONE_NAME_SIZE];
	size_t len = zone_node_name(segment, node, name); /* both zones have one origin */

	return zone_find(segment, name, len);
}

/* --- one RRset --------------------------------------------------------------------------------- */

static json_t *text_of(uint16_t type, const struct plain_rdata *rdata)
{
	struct buf line = { 0 };
	json_t *told;

	rdata_text(&line, type, rdata);
	told = json_stringn((const char *)line.data, line.len);
	buf_free(&line);
	return told != NULL ? told : json_string("?");
}

/* Of two ordered lists what the one has and the other has not. */
static void tell_only(json_t *out, uint16_t type, const struct rrset_plain *one,
		      const struct rrset_plain *other)
{
	size_t at = 0;

	for (size_t i = 0; i < one->count; i++) {
		while (at < other->count &&
		       plain_rdata_compare(&other->items[at], &one->items[i]) < 0)
			at++;
		if (at == other->count ||
		    plain_rdata_compare(&other->items[at], &one->items[i]) != 0)
			json_array_append_new(out, text_of(type, &one->items[i]));
	}
}

static const char *change_of(const void *before, const void *after)
{
	return before == NULL ? "added" : after == NULL ? "removed" : "changed";
}

static void count_change(struct telling *telling, const void *before, const void *after)
{
	if (before == NULL)
		telling->added++;
	else if (after == NULL)
		telling->removed++;
	else
		telling->changed++;
}

static void set_ttl(json_t *line, const char *key, bool is, uint32_t ttl_s)
{
	if (is)
		json_object_set_new(line, key, json_integer(ttl_s));
}

static void tell(struct telling *telling, const struct zone_node *node, const char *type,
		 const char *change, json_t *before, json_t *after, json_t *ttls)
{
	char name[NAME_TEXT_SIZE];
	json_t *line = json_pack("{s:s, s:s, s:s, s:O, s:O}", "name",
				 zone_node_format(telling->after, node, name), "type", type,
				 "change", change, "before", before, "after", after);

	json_object_update(line, ttls);
	json_array_append_new(telling->list, line);
}

/* SOA: beside its serial, which is told of the zone. */
static bool is_new_serial_only(const struct rrset_plain *before, const struct rrset_plain *after)
{
	const struct plain_rdata *a = before->items, *b = after->items;
	const size_t numbers = 20, serial = 4;

	return before->count == 1 && after->count == 1 && a->len == b->len && a->len >= numbers &&
	       memcmp(a->data, b->data, a->len - numbers) == 0 &&
	       memcmp(a->data + a->len - numbers + serial, b->data + b->len - numbers + serial,
		      numbers - serial) == 0;
}

static void plain_of(struct rrset_plain *out, const struct rrset_block *block,
		     const struct telling *telling, const struct zone_node *node)
{
	uint8_t name[ZONE_NAME_SIZE];

	*out = (struct rrset_plain){ NULL, 0 };
	if (block != NULL) {
		(void)zone_node_name(telling->after, node, name);
		rrset_plain(out, block, name);
	}
}

/* One of them may be NULL. */
static void compare_blocks(struct telling *telling, const struct zone_node *node, uint16_t type,
			   const struct rrset_block *before, const struct rrset_block *after)
{
	struct rrset_plain old, new;
	json_t *gone = json_array(), *come = json_array(), *ttls = json_object();
	char text[TYPE_TEXT_SIZE];
	bool same_ttl = before != NULL && after != NULL && before->ttl_s == after->ttl_s;

	plain_of(&old, before, telling, node);
	plain_of(&new, after, telling, node);
	if (!(same_ttl && type == TYPE_SOA && is_new_serial_only(&old, &new))) {
		tell_only(gone, type, &old, &new);
		tell_only(come, type, &new, &old);
	}
	if (!same_ttl || json_array_size(gone) + json_array_size(come) > 0) {
		count_change(telling, before, after);
		set_ttl(ttls, "ttl_before", before != NULL, before != NULL ? before->ttl_s : 0);
		set_ttl(ttls, "ttl", after != NULL, after != NULL ? after->ttl_s : 0);
		if (json_array_size(telling->list) < telling->most)
			tell(telling, node, type_text(type, text), change_of(before, after), gone,
			     come, ttls);
	}
	json_decref(gone);
	json_decref(come);
	json_decref(ttls);
	rrset_plain_free(&old);
	rrset_plain_free(&new);
}

static bool is_same_block(const struct rrset_block *a, const struct rrset_block *b)
{
	return a != NULL && b != NULL && a->ttl_s == b->ttl_s && a->wire_len == b->wire_len &&
	       memcmp(a->wire, b->wire, a->wire_len) == 0;
}

/* --- POOL records ------------------------------------------------------------------------------ */

/* "edge/tokyo", and the types where they are not the usual ones. */
static json_t *pool_text(const struct zone_segment *segment, const struct zone_pool_record *record)
{
	static const char *const types[] = { "A", "AAAA", "SRV", "HTTPS", "SVCB" };
	const char *site = record->site_name_off == 0
				   ? NULL
				   : zone_at(segment, char, record->site_name_off);
	struct buf line = { 0 };
	json_t *told;

	buf_format(&line, "%s%s%s", zone_at(segment, char, record->pool_name_off),
		   site == NULL ? "" : "/", site == NULL ? "" : site);
	for (unsigned t = 0; record->types != POOL_TYPES_ADDRESS && t < 5; t++)
		buf_format(&line, "%s%s", (record->types & 1U << t) != 0 ? " " : "",
			   (record->types & 1U << t) != 0 ? types[t] : "");
	told = json_stringn((const char *)line.data, line.len);
	buf_free(&line);
	return told;
}

static const struct zone_pool_record *pool_record(const struct zone_segment *segment,
						  const struct zone_node *node)
{
	if (node == NULL || zone_node_pool_record(node) == 0)
		return NULL;
	return zone_at(segment, struct zone_pool_record, segment->pool_records_off) +
	       zone_node_pool_record(node) - 1;
}

static void compare_pools(struct telling *telling, const struct zone_node *before,
			  const struct zone_node *after)
{
	const struct zone_pool_record *old = pool_record(telling->before, before);
	const struct zone_pool_record *new = pool_record(telling->after, after);
	json_t *gone = json_array(), *come = json_array(), *ttls = json_object();

	if (old != NULL)
		json_array_append_new(gone, pool_text(telling->before, old));
	if (new != NULL)
		json_array_append_new(come, pool_text(telling->after, new));
	if (json_equal(gone, come)) {
		json_array_clear(gone);
		json_array_clear(come);
	}
	if (json_array_size(gone) + json_array_size(come) > 0 ||
	    (old != NULL && new != NULL && old->ttl_s != new->ttl_s)) {
		count_change(telling, old, new);
		set_ttl(ttls, "ttl_before", old != NULL, old != NULL ? old->ttl_s : 0);
		set_ttl(ttls, "ttl", new != NULL, new != NULL ? new->ttl_s : 0);
		if (json_array_size(telling->list) < telling->most)
			tell(telling, after != NULL ? after : before, TYPE_POOL_TEXT,
			     change_of(old, new), gone, come, ttls);
	}
	json_decref(gone);
	json_decref(come);
	json_decref(ttls);
}

/* --- one zone ---------------------------------------------------------------------------------- */

static const struct rrset_block *block_of(const struct zone_segment *segment,
					  const struct zone_node *node, uint16_t type)
{
	return node == NULL ? NULL : zone_rrset(segment, node, type);
}

/* One of them may be NULL: a name that is new, or goes. */
static void compare_nodes(struct telling *telling, const struct zone_node *before,
			  const struct zone_node *after)
{
	for (unsigned i = 0; before != NULL && i < before->rrset_count; i++) {
		uint16_t type = before->rrsets[i].type;
		const struct rrset_block *old = block_of(telling->before, before, type);
		const struct rrset_block *new = block_of(telling->after, after, type);

		if (!is_same_block(old, new))
			compare_blocks(telling, before, type, old, new);
	}
	for (unsigned i = 0; after != NULL && i < after->rrset_count; i++) {
		uint16_t type = after->rrsets[i].type;

		if (block_of(telling->before, before, type) == NULL)
			compare_blocks(telling, after, type, NULL,
				       block_of(telling->after, after, type));
	}
	compare_pools(telling, before, after);
}

static void compare_segments(struct telling *telling)
{
	const struct zone_node *node;
	uint32_t at = telling->after->nodes_off;

	while ((node = zone_next(telling->after, &at)) != NULL)
		compare_nodes(telling, same_node(telling->before, node), node);
	at = telling->before->nodes_off;
	while ((node = zone_next(telling->before, &at)) != NULL) {
		if (same_node(telling->after, node) == NULL)
			compare_nodes(telling, node, NULL);
	}
}

static json_t *zone_line(const struct zone_segment *segment, const char *change)
{
	char name[NAME_TEXT_SIZE];

	return json_pack("{s:s, s:s}", "name", name_format(segment->origin, name), "change",
			 change);
}

/* A zone that is new or goes: how much it has. */
static json_t *whole_zone(const struct zone_segment *segment, const char *change)
{
	json_t *line = zone_line(segment, change);

	json_object_set_new(line, "serial", json_integer(segment->serial));
	json_object_set_new(line, "records", json_integer(segment->record_count));
	return line;
}

/* NULL: nothing that is answered changes. */
static json_t *changed_zone(const struct zone_segment *before, const struct zone_segment *after,
			    size_t most)
{
	struct telling telling = { before, after, json_array(), most, 0, 0, 0 };
	json_t *line;

	compare_segments(&telling);
	if (telling.added + telling.removed + telling.changed == 0 &&
	    before->serial == after->serial) {
		json_decref(telling.list);
		return NULL;
	}
	line = zone_line(after, "changed");
	json_object_update_new(line, json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "serial_before",
					       (json_int_t)before->serial, "serial",
					       (json_int_t)after->serial, "added", telling.added,
					       "removed", telling.removed, "changed",
					       telling.changed, "rrsets", telling.list));
	return line;
}

static uint32_t same_zone(const struct image *zones, const struct zone_segment *segment)
{
	return zones_find(zones, segment->origin, segment->origin_len);
}

json_t *diff_zones(const struct image *before, const struct image *after, size_t most)
{
	json_t *list = json_array(), *line;

	for (uint32_t z = 0; z < image_root(after, struct zones_root)->zone_count; z++) {
		const struct zone_segment *segment = zones_segment(after, z);
		uint32_t old = same_zone(before, segment);

		if (old == ZONES_NONE)
			line = whole_zone(segment, "added");
		else
			line = changed_zone(zones_segment(before, old), segment, most);
		if (line != NULL)
			json_array_append_new(list, line);
	}
	for (uint32_t z = 0; z < image_root(before, struct zones_root)->zone_count; z++) {
		const struct zone_segment *segment = zones_segment(before, z);

		if (same_zone(after, segment) == ZONES_NONE)
			json_array_append_new(list, whole_zone(segment, "removed"));
	}
	return list;
}
