/* quick.h - the common query, answered in a straight line: an RRset or a POOL record of the zone, at
 * the name itself, at the wildcard that speaks for it or at the target of its CNAME, or the SOA, for
 * there is none or no such name.
 *
 * Two implementations, one truth: whatever one of the steps declines is answer()'s, and what
 * they take gets the octets and the counts that answer() would give (tests/fuzz/batch_fuzz.c). Here
 * are no sections, no truncation, no errors; so nothing is kept for them.
 *
 * In inline functions, for batch.c: they are steps of one loop. Pure. */
#ifndef SERVE_QUICK_H
#define SERVE_QUICK_H

#include "serve/count.h"
#include "serve/lookup.h"
#include "serve/message.h"
#include "serve/quick_more.h"
#include "serve/quick_read.h"
#include "serve/quick_steer.h"
#include "serve/quick_write.h"

/* --- the name --------------------------------------------------------------------------------- */

/* Its bucket is on its way then. */
static QUICK_INLINE bool quick_find_zone(const struct quick *quick, struct quick_query *q)
{
	const struct image *zones = &quick->world->zones;

	q->zone = lookup_zone(zones, &q->name, q->type);
	if (q->zone == ZONES_NONE)
		return false;
	q->segment = zones_segment(zones, q->zone);
	q->hash = lookup_hash(q->segment, &q->name);
	q->bucket = zone_bucket(q->segment, q->hash);
	__builtin_prefetch(q->bucket);
	return true;
}

/* Whose tag is the name's: it is not looked at before it is here. */
static QUICK_INLINE void quick_find_node(struct quick_query *q)
{
	q->node = zone_bucket_guess(q->segment, q->bucket, q->hash);
	if (q->node != NULL)
		quick_prefetch(q->node, 60);
}

static QUICK_INLINE const struct zone_node *quick_node(const struct quick_query *q)
{
	if (q->node != NULL && lookup_is_node(q->segment, q->node, &q->name))
		return q->node;
	return zone_find_hashed(q->segment, q->hash, q->name.wire, q->name.len);
}

/* --- what is at the name ----------------------------------------------------------------------- */

/* The target of q->alias takes the name's place. */
static inline bool quick_read_target(struct quick_query *q)
{
	const struct owner owner = { .name = q->name.wire, .len = q->name.len };
	uint8_t target[DNS_NAME_MAX];
	size_t len = block_name(q->alias, 12, &owner, target);

	q->alias_len = q->name.len;
	return len != 0 && name_key_read(&q->name, target, len) != 0;
}

/* The name is an alias: of one that exists, in a zone of ours, and is none. */
static QUICK_SELDOM enum quick_kind quick_follow(const struct quick *quick, struct quick_query *q,
						 struct quick_steered **steered)
{
	q->alias = zone_rrset(q->segment, q->node, TYPE_CNAME);
	if (!quick_read_target(q) || !quick_find_zone(quick, q))
		return QUICK_NOT;
	quick_find_node(q);
	q->node = quick_node(q);
	if (q->node == NULL || zone_node_cut(q->node) != 0)
		return QUICK_NOT;
	if ((q->node->pool_types & pool_type_bit(q->type)) != 0) {
		quick_find_client(quick->world, q, (*steered)++);
		return QUICK_ALIAS_STEERED;
	}
	q->block = zone_rrset(q->segment, q->node, q->type);
	return q->block != NULL && q->block->extra_count == 0 ? QUICK_ALIAS : QUICK_NOT;
}

/* Nothing of the type: the SOA says so, unless there is a CNAME. */
static QUICK_INLINE enum quick_kind quick_no_data(const struct quick *quick, struct quick_query *q,
						  struct quick_steered **steered)
{
	if ((q->node->flags & ZONE_NODE_CNAME) != 0)
		return quick_follow(quick, q, steered);
	q->block = zone_at(q->segment, struct rrset_block, q->segment->soa_block);
	return QUICK_NODATA;
}

/* q->node has no cut. */
static QUICK_INLINE enum quick_kind quick_block_at(const struct quick *quick, struct quick_query *q,
						   struct quick_steered **steered)
{
	if ((q->node->pool_types & pool_type_bit(q->type)) != 0) {
		quick_find_client(quick->world, q, (*steered)++);
		return QUICK_STEERED;
	}
	q->block = zone_rrset_inline(q->segment, q->node, q->type);
	if (q->block == NULL)
		return quick_no_data(quick, q, steered);
	quick_prefetch(q->block, 28);
	return QUICK_STATIC;
}

/* No such name: a wildcard speaks for it (RFC 4592), or the SOA says so. */
static QUICK_SELDOM enum quick_kind quick_block_missing(const struct quick *quick,
							struct quick_query *q,
							struct quick_steered **steered)
{
	struct lookup found = { .segment = q->segment };

	lookup_missing(&found, &q->name);
	if (found.cut != NULL || zone_rrset(q->segment, found.encloser, TYPE_DNAME) != NULL)
		return QUICK_NOT;
	q->node = found.node;
	if (q->node != NULL)
		return quick_block_at(quick, q, steered);
	q->block = zone_at(q->segment, struct rrset_block, q->segment->soa_block);
	return QUICK_NXDOMAIN;
}

static QUICK_INLINE enum quick_kind quick_block(const struct quick *quick, struct quick_query *q,
						struct quick_steered **steered)
{
	const struct zone_node *node = quick_node(q);

	if (node == NULL)
		return quick_block_missing(quick, q, steered);
	if (zone_node_cut(node) != 0)
		return QUICK_NOT;
	q->node = node;
	return quick_block_at(quick, q, steered);
}

/* A steered one is added behind the others of the group, which has room for it. */
static QUICK_INLINE void quick_find_block(const struct quick *quick, struct quick_query *q,
					  struct quick_steered **steered)
{
	q->kind = quick_block(quick, q, steered);
}

/* --- the answer ------------------------------------------------------------------------------- */

static QUICK_INLINE void quick_count_steered(struct quick *quick, uint32_t class_id)
{
	quick->steered++;
	if (quick->classes != NULL && class_id != GEO_CLASS_NONE)
		class_counters_add(quick->classes, &quick->world->geo, (uint16_t)class_id);
}

static QUICK_SELDOM bool quick_put_nodata(struct quick *quick, const struct quick_query *q)
{
	return quick_put(quick, q, QUICK_NODATA,
			 zone_at(q->segment, struct rrset_block, q->segment->soa_block), 0);
}

static QUICK_SELDOM bool quick_put_nothing(struct quick *quick, const struct quick_query *q)
{
	if (q->kind == QUICK_NODATA)
		return quick_put_nodata(quick, q);
	if (!quick_put(quick, q, QUICK_NXDOMAIN, q->block, 0))
		return false;
	quick->nxdomain++;
	return true;
}

/* --- steered names ---------------------------------------------------------------------------- */

/* Those with other records to go with them, in whatever order, are answer()'s. */
static QUICK_INLINE bool quick_is_plain(const struct quick *quick, const struct quick_steered *s)
{
	return s->block->extra_count == 0 &&
	       (s->block->rr_count == 1 || !quick_is_shuffled(quick->world, s));
}

static QUICK_INLINE bool quick_put_steered(struct quick *quick, const struct quick_query *q)
{
	const struct quick_steered *s = q->steered;

	if (s->block == NULL)
		return (s->record->lacks & pool_type_bit(q->type)) != 0 &&
		       quick_applied(s) <= APPLIED_DRAINING && quick_put_nodata(quick, q);
	if (!quick_is_plain(quick, s) ||
	    !quick_put(quick, q, QUICK_STEERED, s->block, s->from_ecs ? s->scope : 0))
		return false;
	quick_count_steered(quick, s->class_id);
	return true;
}

static QUICK_INLINE bool quick_put_alias_steered(struct quick *quick, const struct quick_query *q)
{
	const struct quick_steered *s = q->steered;

	if (s->block == NULL || !quick_is_plain(quick, s) ||
	    !quick_put_alias(quick, q, s->block, s->from_ecs ? s->scope : 0))
		return false;
	quick_count_steered(quick, s->class_id);
	return true;
}

static QUICK_SELDOM bool quick_write_alias(struct quick *quick, const struct quick_query *q)
{
	return q->kind == QUICK_ALIAS ? quick_put_alias(quick, q, q->block, 0)
				      : quick_put_alias_steered(quick, q);
}

/* false: it is answer()'s. */
static QUICK_INLINE bool quick_write(struct quick *quick, const struct quick_query *q)
{
	if (q->kind == QUICK_STATIC)
		return q->block->extra_count == 0 ? quick_put(quick, q, QUICK_STATIC, q->block, 0)
						  : quick_put_with_extras(quick, q);
	if (q->kind == QUICK_STEERED)
		return quick_put_steered(quick, q);
	if (q->kind <= QUICK_NXDOMAIN)
		return quick_put_nothing(quick, q);
	return q->kind != QUICK_NOT && quick_write_alias(quick, q);
}

#endif
