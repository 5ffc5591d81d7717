/* zone_hosts.h - the hosts that a zone names (NS, MX, SRV), and its own: are they what they must
 * be? As named-checkzone tells: an apex whose name servers have no address is a mistake, the rest
 * are warnings. */
#ifndef COMPILE_ZONE_HOSTS_H
#define COMPILE_ZONE_HOSTS_H

#include "compile/zone_draft.h"

/* After draft_finish, of a zone whose files were read without mistakes. Sets `serves` of owners. */
void zone_check_hosts(const struct zone_draft *draft);

#endif
