#include "compile/zone_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/zone_hosts.h"
#include "image/plan.h"

static void report(const struct zone_draft *draft, enum diag_severity severity,
		   struct master_place place, const struct draft_owner *owner, const char *what)
{
	char name[NAME_TEXT_SIZE];

	master_report(draft->sources, severity, &place, "%s %s", draft_format(draft, owner, name),
		      what);
}

/* A place for what is wrong with an owner as a whole: its first record. */
static struct master_place place_of(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_pool *pool = draft_pool(draft, owner);

	return owner->rrsets == 0 && pool != NULL
		       ? pool->place
		       : draft_rrset_place(draft_at(draft, owner->rrsets));
}

/* --- one owner -------------------------------------------------------------------------------- */

static void check_cname(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_rrset *cname = draft_rrset(draft, owner, TYPE_CNAME);
	const struct draft_pool *pool = draft_pool(draft, owner);

	if (cname == NULL)
		return;
	if (pool != NULL)
		report(draft, DIAG_ERROR, pool->place, owner,
		       "has a CNAME, so it cannot have a POOL record");
	for (const struct draft_rrset *other = draft_rrsets(draft, owner); other != NULL;
	     other = draft_next_rrset(draft, other)) {
		/* RFC 4035, 2.5 */
		if (other == cname || other->type == TYPE_RRSIG || other->type == TYPE_NSEC ||
		    other->type == TYPE_KEY)
			continue;
		/* RFC 1034, 3.6.2. An apex must have the others. */
		report(draft, DIAG_ERROR,
		       draft_is_apex(draft, owner) ? draft_rrset_place(cname)
						   : draft_rrset_place(other),
		       owner, "has a CNAME, so it cannot have other records");
		return;
	}
}

/* A name below the DNAME would become another one below it, and so on. */
static void check_dname_target(const struct zone_draft *draft, const struct draft_owner *owner,
			       const struct draft_record *dname)
{
	uint8_t target[DNS_NAME_MAX], name[DNS_NAME_MAX];

	for (unsigned i = 0; i < dname->len; i++)
		target[i] = name_lower(dname->data[i]);
	if (name_is_under(target, dname->len, draft_name(draft, owner, name), owner->len))
		report(draft, DIAG_WARNING, draft_record_place(dname), owner,
		       "has a DNAME to itself or a name below, a chain without an end");
}

/* RFC 6672, 2.4: all names below a DNAME are its, so others there would hide it or be hidden. */
static void check_dname(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_rrset *dname = draft_rrset(draft, owner, TYPE_DNAME);
	const struct draft_owner *above = draft_parent(draft, owner);

	if (dname != NULL && draft_is_wildcard(draft, owner))
		report(draft, DIAG_ERROR, draft_rrset_place(dname), owner,
		       "is a wildcard, which cannot have a DNAME");
	else if (dname != NULL)
		check_dname_target(draft, owner, draft_first(dname));
	if (owner->rrsets == 0 && owner->pool_types == 0)
		return; /* an empty non-terminal: what is below it is told */
	while (above != NULL && draft_rrset(draft, above, TYPE_DNAME) == NULL)
		above = draft_parent(draft, above);
	if (above != NULL)
		report(draft, DIAG_ERROR, place_of(draft, owner), owner,
		       "lies below a DNAME, so it would never be answered");
}

static void check_ns(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_rrset *ns = draft_rrset(draft, owner, TYPE_NS);

	/* RFC 4592, 4.2: nobody knows what that would mean; BIND refuses it, too. */
	if (ns != NULL && draft_is_wildcard(draft, owner))
		report(draft, DIAG_ERROR, draft_rrset_place(ns), owner,
		       "is a wildcard, which cannot be delegated");
}

static void check_soa(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_rrset *soa = draft_rrset(draft, owner, TYPE_SOA);

	if (soa != NULL && !draft_is_apex(draft, owner))
		report(draft, DIAG_ERROR, draft_rrset_place(soa), owner,
		       "has an SOA, which belongs to the zone's origin alone");
}

/* A type that the POOL record answers already. */
static void report_double(const struct zone_draft *draft, const struct draft_owner *owner,
			  const struct draft_rrset *rrset)
{
	static const char *const names[] = {
		[TYPE_A] = "A",         [TYPE_AAAA] = "AAAA", [TYPE_SRV] = "SRV",
		[TYPE_HTTPS] = "HTTPS", [TYPE_SVCB] = "SVCB",
	};
	char what[64];

	(void)snprintf(what, sizeof(what), "has a POOL record, so it cannot have an %s record",
		       names[rrset->type]);
	report(draft, DIAG_ERROR, draft_rrset_place(rrset), owner, what);
}

/* RFC 4035, 2.4: it is the parent zone that says it. */
static void check_ds(const struct zone_draft *draft, const struct draft_owner *apex)
{
	const struct draft_rrset *ds = draft_rrset(draft, apex, TYPE_DS);

	if (ds != NULL)
		report(draft, DIAG_ERROR, draft_rrset_place(ds), apex,
		       "has a DS record, which belongs into the zone above");
}

/* RFC 7208, 3.1: nobody asks for SPF records any more. */
static void check_spf(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_rrset *spf = draft_rrset(draft, owner, TYPE_SPF);

	if (spf != NULL && draft_rrset(draft, owner, TYPE_TXT) == NULL)
		report(draft, DIAG_WARNING, draft_rrset_place(spf), owner,
		       "has an SPF record and no TXT record, which alone is asked for");
}

/* RFC 4592, 2.1.3: only a leftmost "*" matches other names. */
static void check_labels(const struct zone_draft *draft, const struct draft_owner *owner,
			 bool origin_has_star)
{
	uint8_t name[DNS_NAME_MAX];
	const uint8_t *label;

	if ((owner->flags & DRAFT_PLAIN) != 0 || (owner->rrsets == 0 && owner->pool_types == 0) ||
	    (memchr(owner->front, '*', draft_front_len(draft, owner)) == NULL && !origin_has_star))
		return;
	label = draft_name(draft, owner, name);
	for (label += 1 + *label; *label != 0; label += 1 + *label) {
		if (*label == 1 && label[1] == '*') {
			report(draft, DIAG_WARNING, place_of(draft, owner), owner,
			       "has a \"*\" that is not its first label, so it matches itself only");
			return;
		}
	}
}

/* Of what is at or below a delegation, NS and DS are ours to answer (RFC 4035, 2.6 adds what
 * signs them), and the addresses of name servers are glue. */
static bool is_hidden(const struct zone_draft *draft, const struct draft_owner *owner,
		      const struct draft_rrset *rrset)
{
	switch (rrset->type) {
	case TYPE_A:
	case TYPE_AAAA: return (owner->flags & DRAFT_SERVES) == 0;
	case TYPE_NS:
	case TYPE_DS:
	case TYPE_RRSIG:
	case TYPE_NSEC: return draft_cut(draft, owner) != owner;
	default: return true;
	}
}

static void check_hidden(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const struct draft_owner *cut = draft_cut(draft, owner);
	const struct draft_rrset *rrset = draft_rrsets(draft, owner);

	while (cut != NULL && rrset != NULL && !is_hidden(draft, owner, rrset))
		rrset = draft_next_rrset(draft, rrset);
	if (cut != NULL && rrset != NULL)
		report(draft, DIAG_WARNING, draft_rrset_place(rrset), owner,
		       cut == owner
			       ? "is delegated, so this record is never answered"
			       : "lies below a delegation, so this record, which is no glue, is "
				 "never answered");
}

static void check_pool(const struct zone_draft *draft, const struct draft_owner *owner,
		       const struct draft_pool *pool)
{
	const struct draft_owner *cut = draft_cut(draft, owner);

	for (const struct draft_rrset *rrset = draft_rrsets(draft, owner); rrset != NULL;
	     rrset = draft_next_rrset(draft, rrset)) {
		if ((pool_type_bit(rrset->type) & pool->types) != 0)
			report_double(draft, owner, rrset);
	}
	if (cut != NULL)
		report(draft, DIAG_ERROR, pool->place, owner,
		       cut == owner ? "is delegated, so it cannot have a POOL record"
				    : "lies below a delegation, so a POOL record there would "
				      "never be answered");
}

/* --- the zone --------------------------------------------------------------------------------- */

static void check_apex(const struct zone_draft *draft, const char *path)
{
	const struct draft_owner *apex = draft_apex(draft);
	char origin[NAME_TEXT_SIZE];

	(void)name_format(draft->origin.wire, origin);
	if (draft_rrset(draft, apex, TYPE_SOA) == NULL)
		master_report_file(draft->sources, path, "the zone %s has no SOA record", origin);
	if (draft_rrset(draft, apex, TYPE_NS) == NULL)
		master_report_file(draft->sources, path, "the zone %s has no NS record", origin);
}

/* Where none of the zone's types asks for more than its form, and that are most zones and names,
 * there is little to look at. SPF shares its bit with other types. */
#define SPECIAL_TYPES \
	(UINT32_C(1) | UINT32_C(1) << TYPE_CNAME | UINT32_C(1) << TYPE_NS | UINT32_C(1) << TYPE_SOA)

/* What few zones have, and all their names are then looked at for. */
struct rare {
	bool dname;
	bool star; /* in the origin */
};

static void check_owner(const struct zone_draft *draft, const struct draft_owner *owner,
			const struct rare *rare)
{
	const struct draft_pool *pool = draft_pool(draft, owner);

	if ((owner->types & SPECIAL_TYPES) != 0) {
		check_cname(draft, owner);
		check_ns(draft, owner);
		check_soa(draft, owner);
		check_spf(draft, owner);
	}
	if (rare->dname)
		check_dname(draft, owner);
	check_labels(draft, owner, rare->star);
	if (pool != NULL)
		check_pool(draft, owner, pool);
}

static bool has_dname(const struct zone_draft *draft)
{
	bool possible = (draft->types & draft_type_bit(TYPE_DNAME)) != 0;

	for (uint32_t i = 0; possible && i < draft->owner_count; i++) {
		if (draft_rrset(draft, draft_nth(draft, i), TYPE_DNAME) != NULL)
			return true;
	}
	return false;
}

void zone_check(const struct zone_draft *draft, const char *path, bool complete)
{
	const struct rare rare = { .dname = has_dname(draft),
				   .star = memchr(draft->origin.wire, '*', draft->origin.len) !=
					   NULL };

	if (complete)
		check_apex(draft, path);
	check_ds(draft, draft_apex(draft));
	for (uint32_t i = 0; i < draft->owner_count; i++)
		check_owner(draft, draft_nth(draft, i), &rare);
	if (!complete)
		return;
	zone_check_hosts(draft);
	for (uint32_t i = 0; i < draft->owner_count && draft->cut_count > 0; i++)
		check_hidden(draft, draft_nth(draft, i));
}

/* --- pools ------------------------------------------------------------------------------------ */

static const char *nearest_pool(const struct config *config, const char *name)
{
	const char **names = mem_array(config->pool_count, sizeof(*names));
	const char *found;

	for (size_t i = 0; i < config->pool_count; i++)
		names[i] = config->pools[i].name;
	found = diag_nearest(name, names, config->pool_count);
	free(names);
	return found;
}

static const char *nearest_site(const struct config *config, const struct config_pool *pool,
				const char *name)
{
	const char **names = mem_array(pool->site_count, sizeof(*names));
	const char *found;

	for (size_t i = 0; i < pool->site_count; i++)
		names[i] = config->sites[pool->sites[i].site].name;
	found = diag_nearest(name, names, pool->site_count);
	free(names);
	return found;
}

static bool resolve_site(const struct config *config, const char *site, struct pool_choice *out)
{
	const struct config_pool *pool = &config->pools[out->pool];

	if (pool->site_count == 0)
		return true; /* its file cannot be read, or is not whole: that is what is reported */
	for (uint32_t i = 0; i < pool->site_count; i++) {
		if (strcmp(config->sites[pool->sites[i].site].name, site) == 0) {
			out->site = i;
			return true;
		}
	}
	out->nearest = nearest_site(config, pool, site);
	return false;
}

bool zone_pool_resolve(const struct config *config, const char *pool, const char *site,
		       struct pool_choice *out)
{
	*out = (struct pool_choice){ .site = PLAN_NONE };
	for (uint32_t i = 0; i < config->pool_count; i++) {
		if (strcmp(config->pools[i].name, pool) != 0)
			continue;
		out->pool = i;
		out->pool_known = true;
		return site == NULL || resolve_site(config, site, out);
	}
	out->nearest = nearest_pool(config, pool);
	return false;
}

void zone_pool_report(const struct zone_draft *draft, const struct draft_pool *pool,
		      const struct pool_choice *choice)
{
	const char *name = choice->pool_known ? pool->site : pool->pool;
	struct master_place place = pool->data_place;

	if (choice->pool_known) { /* the part behind the slash */
		place.offset += (uint32_t)strlen(pool->pool) + 1;
		place.len = (uint16_t)strlen(pool->site);
	} else {
		place.len = (uint16_t)strlen(pool->pool);
	}
	master_report(draft->sources, DIAG_ERROR, &place, "%s%s%s \"%s\"%s%s%s",
		      choice->pool_known ? "pool \"" : "there is no pool",
		      choice->pool_known ? pool->pool : "",
		      choice->pool_known ? "\" has no site" : "", name,
		      choice->nearest != NULL ? " (did you mean \"" : "",
		      choice->nearest != NULL ? choice->nearest : "",
		      choice->nearest != NULL ? "\"?)" : "");
}
