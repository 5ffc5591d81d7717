#include "image/rdata_names.h"

#include <stddef.h>

#include "wire/types.h"

/* Types that no other file here names (IANA's DNS parameters). */
enum {
	TYPE_MB = 7,
	TYPE_MG = 8,
	TYPE_MR = 9,
	TYPE_MINFO = 14,
	TYPE_RP = 17,
	TYPE_AFSDB = 18,
	TYPE_RT = 21,
	TYPE_PX = 26,
	TYPE_KX = 36,
};

/* Asked for each RRset that is compiled or verified, so it is found by its number. */
#define BEFORE_TYPES (TYPE_HTTPS + 1)

const struct rdata_names *rdata_names_find(uint16_t type)
{
	static const struct rdata_names rows[BEFORE_TYPES] = {
		[TYPE_NS] = { TYPE_NS, 0, 1, true, true },
		[TYPE_CNAME] = { TYPE_CNAME, 0, 1, true, false },
		[TYPE_SOA] = { TYPE_SOA, 0, 2, true, false },
		[TYPE_PTR] = { TYPE_PTR, 0, 1, true, false },
		[TYPE_MX] = { TYPE_MX, 2, 1, true, true },
		[TYPE_MB] = { TYPE_MB, 0, 1, true, false },
		[TYPE_MD] = { TYPE_MD, 0, 1, true, false },
		[TYPE_MF] = { TYPE_MF, 0, 1, true, false },
		[TYPE_MG] = { TYPE_MG, 0, 1, true, false },
		[TYPE_MR] = { TYPE_MR, 0, 1, true, false },
		[TYPE_MINFO] = { TYPE_MINFO, 0, 2, true, false },
		[TYPE_SRV] = { TYPE_SRV, 6, 1, false, true },
		[TYPE_RP] = { TYPE_RP, 0, 2, false, false },
		[TYPE_AFSDB] = { TYPE_AFSDB, 2, 1, false, false },
		[TYPE_RT] = { TYPE_RT, 2, 1, false, false },
		[TYPE_PX] = { TYPE_PX, 2, 2, false, false },
		[TYPE_KX] = { TYPE_KX, 2, 1, false, false },
		[TYPE_DNAME] = { TYPE_DNAME, 0, 1, false, false },
		[TYPE_SVCB] = { TYPE_SVCB, 2, 1, false, true },
		[TYPE_HTTPS] = { TYPE_HTTPS, 2, 1, false, true },
	};

	return type < BEFORE_TYPES && rows[type].count != 0 ? &rows[type] : NULL;
}
