/* audit_rows.h - transitions and what operators did, in one sequence. */
#ifndef STORE_AUDIT_ROWS_H
#define STORE_AUDIT_ROWS_H

#include <sqlite3.h>

#include "store/reader.h"

/* Before names are asked for. */
void audit_names_sort(struct audit_names *names);

/* An SQLite result code, with the story in err where it is not SQLITE_OK. */
int audit_rows_read(sqlite3 *db, const struct audit_question *question, struct audit_answer *answer,
		    struct err *err);

#endif
