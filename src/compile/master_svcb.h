/* master_svcb.h - the parameters of SVCB and HTTPS records (RFC 9460, 2.1) to wire form.
 *
 * ldns would take key1="..." for a list of names, and does not know the escapes of lists (appendix
 * A.1). What parameters demand of each other is looked at in master_rules.h. */
#ifndef COMPILE_MASTER_SVCB_H
#define COMPILE_MASTER_SVCB_H

#include "compile/master_rdata.h"

enum svc_key {
	SVC_MANDATORY = 0,
	SVC_ALPN = 1,
	SVC_NO_DEFAULT_ALPN = 2,
	SVC_PORT = 3,
	SVC_IPV4HINT = 4,
	SVC_ECH = 5,
	SVC_IPV6HINT = 6,
	SVC_DOHPATH = 7, /* RFC 9461 */
};

/* Appends the parameters that stand in the words from `index` up to `end`, by ascending key.
 * false: one is wrong. */
bool master_svcb_put(struct master_rdata *rdata, size_t index, size_t end);

#endif
