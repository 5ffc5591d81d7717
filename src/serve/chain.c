#include "serve/chain.h"

#include <string.h>

#define RDATA_POS 12 /* of a record whose owner is a pointer */

static bool seen_before(const struct asking *asking, uint64_t hash)
{
	for (unsigned i = 0; i < asking->links; i++) {
		if (asking->seen[i] == hash)
			return true;
	}
	return false;
}

uint16_t chain_target_place(const struct asking *asking)
{
	size_t place = asking->message.last + RDATA_POS;

	return asking->message.last != 0 && place <= DNS_POINTER_MAX ? (uint16_t)place : 0;
}

/* The rcode does not tell that the answer has no end. */
static bool cut(struct asking *asking, const char *why)
{
	asking->opt.error = EDNS_ERROR_OTHER;
	asking->opt.error_text = why;
	return false;
}

bool chain_follow(struct asking *asking, const uint8_t *target, size_t len)
{
	struct name_key *name = &asking->query->name;

	if (asking->links == CNAME_LINKS_MAX)
		return cut(asking, "chain of aliases too long");
	asking->seen[asking->links++] = name_hash(name->wire, name->len);
	if (name_key_read(name, target, len) == 0 ||
	    seen_before(asking, name_hash(name->wire, name->len)))
		return cut(asking, "chain of aliases is a loop");
	asking->owner.len = name->len;
	asking->owner.place = chain_target_place(asking);
	return true;
}

size_t chain_below_dname(const struct asking *asking, const struct rrset_block *dname,
			 const struct owner *owner, uint8_t out[DNS_NAME_MAX])
{
	size_t kept = (size_t)asking->owner.len - owner->len;
	uint8_t target[DNS_NAME_MAX];
	size_t len = block_name(dname, RDATA_POS, owner, target);

	if (len == 0 || kept + len > DNS_NAME_MAX)
		return 0;
	memcpy(out, asking->owner.name, kept);
	memcpy(out + kept, target, len);
	return kept + len;
}
