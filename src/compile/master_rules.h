/* master_rules.h - what the RFC of a type demands of its RDATA beyond the form of its fields, and
 * ldns does not look at. BIND refuses the same. */
#ifndef COMPILE_MASTER_RULES_H
#define COMPILE_MASTER_RULES_H

#include "compile/master_rdata.h"

/* Before they are converted: the words as they stand. false: `bad` and `message` are set. */
bool master_rules_words(struct master_rdata *rdata);

/* RDATA of the right form, however it was written. false: *reason says what is wrong. */
bool master_rules_data(uint16_t type, const uint8_t *data, size_t len, const char **reason);

#endif
