/* master_quick.h - records in their most common form, read in one pass and without ldns.
 *
 *   [owner] [TTL] [IN] type data [; comment]
 *
 * on one line, of the types A, AAAA, NS, CNAME, PTR, MX, SRV, TXT and DS, without escapes and
 * parentheses and, but for strings, without quotes. Whatever else it is, and whatever is to be
 * said of it, is left to the others, so that there is one place for each mistake. A record that
 * is read here is octet by octet, and place by place, the one that they would have read. */
#ifndef COMPILE_MASTER_QUICK_H
#define COMPILE_MASTER_QUICK_H

#include "compile/master_parse.h"

/* Octets of RDATA that are read here, for which reader->data has room. */
#define QUICK_RDATA_MAX 1024

/* The line at which the file's lexer stands. false: it is still to be read. */
bool master_quick_read(struct master_reader *reader, struct master_file *file,
		       struct master_record *record);

#endif
