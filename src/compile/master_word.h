/* master_word.h - single words of a master file that have the same meaning wherever they stand. */
#ifndef COMPILE_MASTER_WORD_H
#define COMPILE_MASTER_WORD_H

#include "compile/master_lexer.h"

/* Decimal digits only, and at most `max`. */
bool master_number_parse(const char *text, size_t len, uint64_t max, uint64_t *value);

/* A number of seconds, or a time as BIND writes it: "1h30m". */
bool master_ttl_parse(const char *text, size_t len, uint32_t *ttl_s);

/* How much of an offending word a message shows, for "%.*s". */
int master_token_shown(const struct master_token *token);

#endif
