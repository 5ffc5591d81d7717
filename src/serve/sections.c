#include "serve/sections.h"

#include "serve/chain.h"

/* Of the addresses that a big MX or SRV RRset asks for, these many are looked at: they are a
 * courtesy, and their work is to be bounded. */
#define EXTRAS_MAX 32

/* --- steered names ---------------------------------------------------------------------------- */

/* What a POOL record answers to this client. */
struct steered {
	const struct steering_record *record;
	struct chosen chosen; /* scope not 0: it is for clients of this network only (RFC 7871) */
};

/* ECS with source 0 says "not my address": then the resolver's own counts, as without ECS. */
static inline void steer(const struct asking *asking, const struct zone_node *node,
			 struct steered *out)
{
	const struct query *query = asking->query;
	const struct image *steering = &asking->world->steering;
	bool from_ecs = query->has_edns && (query->edns.has & EDNS_HAS_CLIENT_SUBNET) != 0 &&
			query->edns.ecs.source > 0;
	struct ip_address network = asking->client->address;
	struct geo_address address;

	if (from_ecs)
		ecs_address(&query->edns.ecs, &network);
	address = geo_address(&network);
	out->record = steering_record(steering,
				      asking->pool_record_base + zone_node_pool_record(node) - 1);
	choose(&out->chosen, asking->world, out->record, &address, from_ecs,
	       asking->client->random);
	if (!from_ecs)
		out->chosen.scope = 0;
}

static const struct rrset_block *steered_block(const struct asking *asking,
					       const struct steered *steered,
					       enum steering_column column)
{
	return steering_answer(&asking->world->steering, steered->record,
			       steered->chosen.answers_off, steered->chosen.choice, column);
}

/* --- additional section ----------------------------------------------------------------------- */

static const struct zone_node *extra_node(const struct lookup *found,
					  const struct rrset_extra *extra)
{
	return zone_at(found->segment, struct zone_node, extra->node);
}

static __attribute__((noinline)) const struct rrset_block *steered_extra(
	const struct asking *asking, const struct zone_node *node, uint16_t type)
{
	struct steered steered;

	steer(asking, node, &steered);
	return steered.chosen.scope != 0 ? NULL
					 : steered_block(asking, &steered, steering_column(type));
}

/* An RRset that goes with another one. What resolvers find in the additional section is for all
 * their clients (RFC 7871, 7.3.1), so what is for a client subnet is left out: they will ask for
 * it (RFC 9460, 4.4). */
static inline const struct rrset_block *extra_block(const struct asking *asking,
						    const struct lookup *found,
						    const struct zone_node *node, uint16_t type)
{
	if (node->pool_types != 0 && (node->pool_types & pool_type_bit(type)) != 0)
		return steered_extra(asking, node, type);
	return zone_rrset(found->segment, node, type);
}

static bool put_addresses(struct asking *asking, const struct lookup *found,
			  const struct zone_node *node, const struct owner *owner)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };
	bool all = true;

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct rrset_block *block = extra_block(asking, found, node, types[i]);

		if (block != NULL)
			all &= message_put(&asking->message, SECTION_ADDITIONAL, block, owner);
	}
	return all;
}

static bool named_before(const struct rrset_extra *extras, unsigned i)
{
	for (unsigned j = 0; j < i; j++) {
		if (extras[j].node == extras[i].node)
			return true;
	}
	return false;
}

static uint16_t extra_place(size_t block_at, const struct rrset_extra *extra)
{
	size_t place = block_at + extra->name_pos;

	return block_at != 0 && place <= DNS_POINTER_MAX ? (uint16_t)place : 0;
}

/* Its name is written to `name`. */
static struct owner extra_owner(const struct lookup *found, const struct zone_node *node,
				size_t block_at, const struct rrset_extra *extra,
				uint8_t name[ZONE_NAME_SIZE])
{
	return (struct owner){ .name = name,
			       .len = (uint8_t)zone_node_name(found->segment, node, name),
			       .place = extra_place(block_at, extra) };
}

/* A name that a wildcard speaks for is nowhere but in the message: out of a pointer's reach there
 * is nothing to say who the owner of an extra is. */
static bool is_nameless(const struct zone_node *node, const struct owner *owner)
{
	return (node->flags & ZONE_NODE_WILDCARD) != 0 && owner->place == 0;
}

/* What goes with a SVCB or HTTPS record: its target's records of the same type, too (RFC 9460,
 * 4.1). The target "." is the owner. */
static __attribute__((noinline)) void put_service_extra(struct asking *asking,
							const struct lookup *found,
							const struct rrset_block *block,
							const struct rrset_extra *extra,
							const struct owner *target)
{
	const struct zone_node *node = extra_node(found, extra);
	const struct rrset_block *same;

	if (block->wire[extra->name_pos] == 0) {
		(void)put_addresses(asking, found, node, &asking->owner);
		return;
	}
	if (is_nameless(node, target))
		return;
	same = extra_block(asking, found, node, block->type);
	if (same != NULL && same != block)
		(void)message_put(&asking->message, SECTION_ADDITIONAL, same, target);
	(void)put_addresses(asking, found, node, target);
}

/* What belongs to the names in an answered RRset, as far as there is room. Below a zone cut they
 * are glue, which goes with NS records only (so the image has it): a zone's own servers may be
 * named there, as the root's are (RFC 9609, 4.2). */
static __attribute__((noinline)) void put_extras(struct asking *asking, const struct lookup *found,
						 const struct rrset_block *block)
{
	const struct rrset_extra *extras = rrset_extras(block);
	size_t block_at = asking->message.last;
	bool is_service = block->type == TYPE_SVCB || block->type == TYPE_HTTPS;
	uint8_t name[ZONE_NAME_SIZE];

	for (unsigned i = 0; i < block->extra_count && i < EXTRAS_MAX; i++) {
		const struct zone_node *node = extra_node(found, &extras[i]);
		struct owner owner = extra_owner(found, node, block_at, &extras[i], name);

		if (named_before(extras, i))
			continue;
		if (is_service)
			put_service_extra(asking, found, block, &extras[i], &owner);
		else if (!is_nameless(node, &owner))
			(void)put_addresses(asking, found, node, &owner);
	}
}

/* The addresses at one of the names that generated records have as targets. */
static void put_target(struct asking *asking, const struct rrset_block *block,
		       const struct rrset_extra *extra, size_t block_at,
		       const struct steered *steered)
{
	const uint8_t *name = block->wire + extra->name_pos;
	struct owner owner = asking->owner; /* ".", in SVCB's RDATA */
	struct steered from = *steered;
	unsigned column = STEERING_TARGET_A;

	if (extra->node != STEERING_TARGET_SHARED) {
		from.chosen.choice = (uint16_t)(extra->node - STEERING_TARGET_NODE);
		column = STEERING_A;
	}
	if (*name != 0)
		owner = (struct owner){
			.name = name,
			.len = (uint8_t)name_length(name, block->wire_len - extra->name_pos),
			.place = extra_place(block_at, extra),
		};
	for (unsigned i = 0; i < STEERING_FAMILIES; i++) {
		const struct rrset_block *addresses = steered_block(
			asking, &from, (enum steering_column)(column + i));

		if (addresses != NULL)
			(void)message_put(&asking->message, SECTION_ADDITIONAL, addresses, &owner);
	}
}

/* What belongs to generated records, which stand last in the message. Where the target is a name of
 * all nodes, its addresses are for this client only, and told once. */
static __attribute__((noinline)) void put_targets(struct asking *asking,
						  const struct rrset_block *block,
						  const struct steered *steered)
{
	const struct rrset_extra *extras = rrset_extras(block);
	size_t block_at = asking->message.last;

	for (unsigned i = 0; i < block->extra_count; i++) {
		if (extras[i].node == STEERING_TARGET_SHARED &&
		    (steered->chosen.scope != 0 || named_before(extras, i)))
			continue;
		put_target(asking, block, &extras[i], block_at, steered);
	}
}

/* Glue: without the addresses of servers inside the delegated zone a referral leads nowhere, so
 * it has all of them or TC (RFC 9471, 3.1); those of other servers come after, if they fit. NS
 * records of one RRset have different targets, so nothing is named twice. */
static void put_glue(struct asking *asking, const struct lookup *found,
		     const struct rrset_block *block)
{
	const struct rrset_extra *extras = rrset_extras(block);
	size_t block_at = asking->message.last;
	const uint8_t *segment = (const uint8_t *)found->segment;
	uint32_t cut = (uint32_t)((const uint8_t *)found->cut - segment);
	uint8_t name[ZONE_NAME_SIZE];

	for (unsigned inside = 2; inside-- > 0;) {
		for (unsigned i = 0; i < block->extra_count; i++) {
			const struct zone_node *node = extra_node(found, &extras[i]);
			struct owner owner = extra_owner(found, node, block_at, &extras[i], name);

			if ((zone_node_cut(node) == cut) != (inside == 1) ||
			    is_nameless(node, &owner))
				continue;
			if (!put_addresses(asking, found, node, &owner) && inside == 1)
				asking->message.truncated = true;
		}
	}
}

/* --- answer and authority sections ------------------------------------------------------------ */

/* The ancestor of the name at hand that begins `skip` octets into it. */
static struct owner ancestor(const struct asking *asking, size_t skip)
{
	return (struct owner){ .name = asking->owner.name + skip,
			       .len = (uint8_t)(asking->owner.len - skip),
			       .place = message_suffix(&asking->message, &asking->owner, skip) };
}

static bool put_answer(struct asking *asking, const struct lookup *found,
		       const struct rrset_block *block)
{
	if (message_put(&asking->message, SECTION_ANSWER, block, &asking->owner)) {
		if (block->extra_count > 0)
			put_extras(asking, found, block);
		return true;
	}
	asking->message.truncated = true;
	return false;
}

/* "No such name" and "no such type" are told apart by the rcode alone; both carry the SOA, whose
 * TTL says how long that may be believed (RFC 2308). */
static __attribute__((noinline)) void put_soa(struct asking *asking, const struct lookup *found)
{
	const struct zone_segment *segment = found->segment;
	struct owner origin = ancestor(asking, (size_t)asking->owner.len - segment->origin_len);

	if (!message_put(&asking->message, SECTION_AUTHORITY,
			 zone_at(segment, struct rrset_block, segment->soa_block), &origin))
		asking->message.truncated = true;
}

static __attribute__((noinline)) void put_referral(struct asking *asking,
						   const struct lookup *found)
{
	const struct rrset_block *block = zone_rrset(found->segment, found->cut, TYPE_NS);
	struct owner owner = ancestor(
		asking, asking->owner.len - zone_node_name_len(found->segment, found->cut));

	if (block != NULL && message_put(&asking->message, SECTION_AUTHORITY, block, &owner))
		put_glue(asking, found, block);
	else
		asking->message.truncated = true;
}

/* The scope of negative answers is 0 (RFC 7871, 7.4) where nobody has such a record, ever or now. */
static bool nobody_has(const struct asking *asking, const struct steered *steered, uint16_t type)
{
	const struct steering_record *record = steered->record;
	const struct steering_pool *pool = steering_pool(&asking->world->steering, record->pool);

	return (record->lacks & pool_type_bit(type)) != 0 ||
	       (pool->nobody != 0 && record->prefs_off == pool->prefs_off);
}

/* That a name has no address for the time being (fallback: none) looks as if it never had. Where
 * others have one, since only these clients are fenced off, or all that they may get is down, or
 * their nodes have no address of this family, it is for these only, as an answer is. */
static __attribute__((noinline)) bool tell_nothing(struct asking *asking,
						   const struct steered *steered, uint16_t type)
{
	if (!nobody_has(asking, steered, type) && steered->chosen.scope > asking->opt.scope)
		asking->opt.scope = steered->chosen.scope;
	if (steered->chosen.applied <= APPLIED_DRAINING)
		return false;
	asking->opt.error = EDNS_ERROR_OTHER;
	asking->opt.error_text = steered->chosen.applied == APPLIED_FENCED
					 ? "no site of the pool is for this network"
					 : "no node of the pool is up";
	return false;
}

/* Where the pool says so, clients are to take any of the addresses, whoever asks. */
static __attribute__((noinline)) void shuffle(struct asking *asking,
					      const struct rrset_block *block,
					      const struct steered *steered)
{
	if (steering_pool(&asking->world->steering, steered->chosen.pool)->spread.shuffled != 0 &&
	    (block->type == TYPE_A || block->type == TYPE_AAAA))
		message_shuffle(&asking->message, block, &asking->owner, ~asking->client->random);
}

/* false: the pool has nothing of that type. */
static bool put_steered(struct asking *asking, const struct lookup *found, uint16_t type)
{
	const struct rrset_block *block;
	struct steered steered;

	steer(asking, found->node, &steered);
	block = steered_block(asking, &steered, steering_column(type));
	if (block == NULL)
		return tell_nothing(asking, &steered, type);
	asking->steered = true;
	asking->class_id = steered.chosen.class_id;
	if (steered.chosen.scope > asking->opt.scope)
		asking->opt.scope = steered.chosen.scope;
	if (!message_put(&asking->message, SECTION_ANSWER, block, &asking->owner))
		asking->message.truncated = true;
	else if (block->extra_count > 0)
		put_targets(asking, block, &steered);
	else if (block->rr_count > 1)
		shuffle(asking, block, &steered);
	return true;
}

/* --- one name --------------------------------------------------------------------------------- */

enum step { STEP_DONE, STEP_NODATA, STEP_CHAIN };

/* Why a type has no record says nothing about an answer of another type. */
static void forget_error(struct asking *asking, const struct edns_reply *before)
{
	asking->opt.error = before->error;
	asking->opt.error_text = before->error_text;
}

/* RFC 8482, 4.1: ANY is answered with one RRset of the name. */
static __attribute__((noinline)) enum step answer_any(struct asking *asking,
						      const struct lookup *found)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_HTTPS, TYPE_SVCB };
	const struct zone_node *node = found->node;
	const struct edns_reply before = asking->opt;

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((node->pool_types & pool_type_bit(types[i])) == 0 ||
		    !put_steered(asking, found, types[i]))
			continue;
		forget_error(asking, &before);
		return STEP_DONE;
	}
	if (node->rrset_count == 0)
		return STEP_NODATA;
	forget_error(asking, &before);
	(void)put_answer(asking, found,
			 zone_at(found->segment, struct rrset_block, node->rrsets[0].block_off));
	return STEP_DONE;
}

static const struct rrset_block *chain_block(const struct lookup *found)
{
	return zone_rrset(found->segment, found->node, TYPE_CNAME);
}

static enum step answer_node(struct asking *asking, const struct lookup *found)
{
	const struct zone_node *node = found->node;
	uint16_t type = asking->query->type;
	const struct rrset_block *block;

	if ((node->pool_types & pool_type_bit(type)) != 0)
		return put_steered(asking, found, type) ? STEP_DONE : STEP_NODATA;
	if (type == TYPE_ANY)
		return answer_any(asking, found);
	block = zone_rrset(found->segment, node, type);
	if (block != NULL) {
		(void)put_answer(asking, found, block);
		return STEP_DONE;
	}
	if ((node->flags & ZONE_NODE_CNAME) == 0)
		return STEP_NODATA;
	return put_answer(asking, found, chain_block(found)) ? STEP_CHAIN : STEP_DONE;
}

/* A chain may come by the same DNAME again, with another name below it: once is enough. The answer
 * to a name has one DNAME more than links at most. *target: where the message has the DNAME's. */
static bool put_dname(struct asking *asking, const struct rrset_block *block,
		      const struct owner *owner, uint16_t *target)
{
	unsigned i = 0;

	while (i < asking->dname_count && asking->dnames[i].block != block)
		i++;
	if (i == asking->dname_count) {
		if (!message_put(&asking->message, SECTION_ANSWER, block, owner))
			return false;
		asking->dnames[asking->dname_count++].block = block;
		asking->dnames[i].target = chain_target_place(asking);
	}
	*target = asking->dnames[i].target;
	return true;
}

/* Every name below a DNAME is the same name below its target (RFC 6672): the DNAME is answered,
 * and a CNAME made from it, whose TTL is the DNAME's. */
static __attribute__((noinline)) enum rcode answer_below_dname(struct asking *asking,
							       const struct lookup *found,
							       const struct rrset_block *block,
							       bool *on)
{
	size_t kept = asking->owner.len - zone_node_name_len(found->segment, found->encloser);
	struct owner owner = ancestor(asking, kept);
	uint8_t target[DNS_NAME_MAX];
	uint16_t place;
	size_t len;

	if (!put_dname(asking, block, &owner, &place)) {
		asking->message.truncated = true;
		return RCODE_NOERROR;
	}
	len = chain_below_dname(asking, block, &owner, target);
	if (len == 0)
		return RCODE_YXDOMAIN;
	if (!message_put_cname(&asking->message, &asking->owner, block->ttl_s, target, len, kept,
			       place))
		asking->message.truncated = true;
	else if (asking->query->type != TYPE_CNAME && asking->query->type != TYPE_ANY)
		*on = chain_follow(asking, target, len);
	return RCODE_NOERROR;
}

static bool follow_cname(struct asking *asking, const struct lookup *found)
{
	uint8_t target[DNS_NAME_MAX];
	size_t len = block_name(chain_block(found), 12, &asking->owner, target);

	return chain_follow(asking, target, len);
}

static enum rcode answer_missing(struct asking *asking, const struct lookup *found)
{
	put_soa(asking, found);
	return RCODE_NXDOMAIN;
}

/* A DS below a delegation is in a zone that we do not have. Where its name is the origin of one that
 * we have, this one says that there is none (RFC 4035, 3.1.4.1). */
static __attribute__((noinline)) bool find_origin(const struct asking *asking, struct lookup *found)
{
	const struct image *zones = &asking->world->zones;
	const struct name_key *name = &asking->query->name;
	uint32_t zone = zones_find(zones, name->wire, name->len);

	if (zone == ZONES_NONE)
		return false;
	lookup_name(found, zones_segment(zones, zone), name);
	return true;
}

/* Is the name in a delegation, or below one? The DS at it is the delegating zone's. */
static bool is_delegated(const struct asking *asking, struct lookup *found)
{
	if (found->cut == NULL)
		return false;
	if (asking->query->type != TYPE_DS)
		return true;
	return found->cut != found->node && !find_origin(asking, found);
}

/* A zone's answer for the name at hand. *on: a chain leads on, to the name that is at hand now. */
static enum rcode answer_zone(struct asking *asking, uint32_t zone, bool *on)
{
	const struct rrset_block *dname = NULL;
	struct lookup found;
	enum step step;

	*on = false;
	asking->pool_record_base = zones_entry(&asking->world->zones, zone)->pool_record_base;
	lookup_name(&found, zones_segment(&asking->world->zones, zone), &asking->query->name);
	if (is_delegated(asking, &found)) {
		put_referral(asking, &found);
		return RCODE_NOERROR;
	}
	asking->authoritative |= asking->links == 0;
	if (found.encloser != NULL)
		dname = zone_rrset(found.segment, found.encloser, TYPE_DNAME);
	if (dname != NULL)
		return answer_below_dname(asking, &found, dname, on);
	if (found.node == NULL)
		return answer_missing(asking, &found);
	step = answer_node(asking, &found);
	if (step == STEP_NODATA)
		put_soa(asking, &found);
	else if (step == STEP_CHAIN)
		*on = follow_cname(asking, &found);
	return RCODE_NOERROR;
}

/* The rcode is that of the last name of a chain (RFC 6604, 3). */
enum rcode sections_fill(struct asking *asking)
{
	enum rcode rcode;
	bool on;

	asking->owner = (struct owner){ .name = asking->query->name.wire,
					.len = asking->query->name.len,
					.place = DNS_HEADER_SIZE };
	do {
		uint32_t zone = lookup_zone(&asking->world->zones, &asking->query->name,
					    asking->query->type);

		if (zone == ZONES_NONE) { /* nobody's name: no referral upward */
			if (asking->links > 0)
				return RCODE_NOERROR;
			asking->opt.error = EDNS_ERROR_NOT_AUTHORITATIVE;
			return RCODE_REFUSED;
		}
		rcode = answer_zone(asking, zone, &on);
	} while (on);
	return rcode;
}
