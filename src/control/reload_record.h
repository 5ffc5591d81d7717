/* reload_record.h - what the audit has of a reload: who asked, and what came of it. Pure. */
#ifndef CONTROL_RELOAD_RECORD_H
#define CONTROL_RELOAD_RECORD_H

#include <jansson.h>

#include "store/store.h"

struct reload_asker {
	char who[sizeof(((struct store_action *)NULL)->who)]; /* "": not for the audit */
	uint32_t uid;                                         /* STORE_NO_UID */
	bool person; /* else a reload that changes nothing is nobody's deed */
};

/* false: there is nothing to put on record. */
bool reload_record(const struct reload_asker *by, const json_t *report, uint64_t now_ms,
		   struct store_action *out);

#endif
