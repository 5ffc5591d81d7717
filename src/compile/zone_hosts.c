#include "compile/zone_hosts.h"

#include <ctype.h>
#include <string.h>

#include "image/rdata_names.h"

/* A host named by a record, as the zone sees it. */
struct host {
	const struct draft_owner *from; /* who names it */
	const struct draft_record *record;
	uint16_t type; /* of the record: NS, MX or SRV */
	struct name name;
	struct draft_owner *closest; /* its owner, or the closest ancestor that exists */
	struct draft_owner *owner;   /* its owner or the wildcard that stands for it; NULL: none */
};

static void report(const struct zone_draft *draft, enum diag_severity severity,
		   const struct host *host, const char *what)
{
	const char *noun = host->type == TYPE_NS   ? "name server"
			   : host->type == TYPE_MX ? "mail host"
						   : "host";
	struct master_place place = draft_record_place(host->record);
	char name[NAME_TEXT_SIZE], from[NAME_TEXT_SIZE];

	master_report(draft->sources, severity, &place, "the %s %s of %s %s", noun,
		      name_format(host->name.wire, name), draft_format(draft, host->from, from),
		      what);
}

/* --- how it is written -------------------------------------------------------------------------- */

/* Each name with an address is looked at, so this is a table. Names are lower case. */
static const bool is_host_octet[256] = {
	['-'] = true, ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true,
	['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['a'] = true,
	['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true,
	['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true,
	['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true,
	['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true,
	['z'] = true,
};

/* RFC 1123, 2.1: letters, digits and hyphens, which are not first or last. `len` octets of a name
 * that end where a label does. */
static bool are_host_labels(const uint8_t *name, size_t len)
{
	const uint8_t *end = name + len;

	for (; name < end && *name != 0; name += 1 + *name) {
		if (name[1] == '-' || name[*name] == '-')
			return false;
		for (unsigned i = 1; i <= *name; i++) {
			if (!is_host_octet[name[i]])
				return false;
		}
	}
	return true;
}

/* A "*" may lead. */
static bool is_host_name(const uint8_t *name, size_t len)
{
	size_t skip = len > 1 && name[0] == 1 && name[1] == '*' ? 2 : 0;

	return are_host_labels(name + skip, len - skip);
}

static bool is_octet(const uint8_t *label)
{
	unsigned value = 0;

	for (unsigned i = 1; i <= *label; i++) {
		if (!isdigit(label[i]) || i > 3)
			return false;
		value = value * 10 + label[i] - '0';
	}
	return *label > 0 && value <= 255;
}

/* 192.0.2.1 or 2001:db8::1, absolute or relative to the origin: who writes that means it. */
static bool is_address(const struct zone_draft *draft, const struct name *name)
{
	const uint8_t *label = name->wire;
	unsigned octets = 0;

	if (memchr(label + 1, ':', *label) != NULL)
		return true;
	for (; octets < 4 && is_octet(label); octets++)
		label += 1 + *label;
	return octets == 4 &&
	       (*label == 0 || memcmp(label, draft->origin.wire, draft->origin.len) == 0);
}

/* --- where it leads ----------------------------------------------------------------------------- */

/* RFC 4592, 3.3.1: the wildcard below the closest encloser. */
static void resolve(const struct zone_draft *draft, struct host *host)
{
	host->closest = draft_closest(draft, host->name.wire, host->name.len);
	if (host->closest->len == host->name.len)
		host->owner = host->closest;
	else if (draft_cut(draft, host->closest) == NULL)
		host->owner = draft_wildcard(draft, host->closest);
}

/* RFC 1035, 3.3.9 and 3.3.11; RFC 2181, 10.3; RFC 2782. */
static void check_addresses(const struct zone_draft *draft, const struct host *host)
{
	const struct draft_owner *cut = draft_cut(draft, host->closest);
	/* Nobody could reach the zone. Where a server is delegated, another zone may know it. */
	enum diag_severity severity = host->type == TYPE_NS && draft_is_apex(draft, host->from) &&
						      cut == NULL
					      ? DIAG_ERROR
					      : DIAG_WARNING;

	if (host->owner != NULL && draft_has_address(host->owner))
		return;
	if (host->owner != NULL && draft_rrset(draft, host->owner, TYPE_CNAME) != NULL)
		report(draft, severity, host, "is a CNAME (RFC 2181, section 10.3)");
	else if (cut == NULL)
		report(draft, severity, host, "has no address in this zone");
	else if (host->type == TYPE_NS)
		report(draft, severity, host,
		       cut == host->from ? "has no address: without glue nobody finds it"
					 : "has no address, which would be glue, in this zone");
}

static void check_host(const struct zone_draft *draft, struct host *host)
{
	if (host->name.len == 1)
		return; /* "no such service" (RFC 7505, RFC 2782) */
	if (host->type != TYPE_SRV && is_address(draft, &host->name))
		report(draft, DIAG_WARNING, host, "looks like an address, but is taken for a name");
	else if (!is_host_name(host->name.wire, host->name.len))
		report(draft, DIAG_WARNING, host,
		       "is not a host's name: letters, digits and hyphens (RFC 1123, section 2.1)");
	if (!name_is_under(host->name.wire, host->name.len, draft->origin.wire, draft->origin.len))
		return;
	resolve(draft, host);
	if (host->owner != NULL && host->type == TYPE_NS)
		host->owner->flags |= DRAFT_SERVES;
	check_addresses(draft, host);
}

static void check_rrset(const struct zone_draft *draft, const struct draft_owner *owner,
			const struct draft_rrset *rrset)
{
	const struct rdata_names *names = rdata_names_find(rrset->type);

	for (const struct draft_record *r = draft_first(rrset); r != NULL;
	     r = draft_next(draft, r)) {
		struct host host = { .from = owner, .record = r, .type = rrset->type };

		host.name.len = (uint8_t)(r->len - names->before);
		for (unsigned i = 0; i < host.name.len; i++)
			host.name.wire[i] = name_lower(r->data[names->before + i]);
		check_host(draft, &host);
	}
}

/* --- the zone's own ------------------------------------------------------------------------------- */

static void check_own(const struct zone_draft *draft, const struct draft_owner *owner,
		      bool origin_is_host)
{
	const struct draft_pool *pool = draft_pool(draft, owner);
	const struct draft_rrset *addresses;
	struct master_place place;
	char name[NAME_TEXT_SIZE];

	if ((owner->flags & DRAFT_PLAIN) != 0 || !draft_has_address(owner) ||
	    (origin_is_host && is_host_name(owner->front, draft_front_len(draft, owner))))
		return;
	addresses = draft_rrset(draft, owner, TYPE_A);
	if (addresses == NULL)
		addresses = draft_rrset(draft, owner, TYPE_AAAA);
	if (addresses == NULL && pool == NULL)
		return;
	place = addresses != NULL ? draft_rrset_place(addresses) : pool->place;
	master_report(draft->sources, DIAG_WARNING, &place,
		      "%s has addresses, but is not a host's name: letters, digits and hyphens "
		      "(RFC 1123, section 2.1)",
		      draft_format(draft, owner, name));
}

/* SRV shares its bit with other types. */
#define HOST_TYPES (UINT32_C(1) | UINT32_C(1) << TYPE_NS | UINT32_C(1) << TYPE_MX)

void zone_check_hosts(const struct zone_draft *draft)
{
	static const uint16_t types[] = { TYPE_NS, TYPE_MX, TYPE_SRV };
	bool host = are_host_labels(draft->origin.wire, draft->origin.len);

	for (uint32_t i = 0; i < draft->owner_count; i++) {
		const struct draft_owner *owner = draft_nth(draft, i);

		check_own(draft, owner, host);
		if ((owner->types & HOST_TYPES) == 0)
			continue;
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			const struct draft_rrset *rrset = draft_rrset(draft, owner, types[t]);
			/* What is hidden by a delegation is told of as such. */
			const struct draft_owner *cut = draft_cut(draft, owner);
			bool ours = cut == NULL || (cut == owner && types[t] == TYPE_NS);

			if (rrset != NULL && ours)
				check_rrset(draft, owner, rrset);
		}
	}
}
