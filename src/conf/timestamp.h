/* timestamp.h - moments as operators write them: RFC 3339, 5.6, such as 2026-12-24T18:00:00Z or
 * 2026-12-24T19:00:00+01:00. */
#ifndef CONF_TIMESTAMP_H
#define CONF_TIMESTAMP_H

#include "conf/option.h"

/* Seconds since 1970, without leap seconds; a part of a second is dropped. false: it is no
 * timestamp, or none since 1970. */
bool timestamp_parse(const char *text, uint64_t *unix_s);

/* The value of an option. false: reported. */
bool conf_timestamp(struct conf *conf, const struct yaml_node *value, uint64_t *unix_s);

/* "2026-12-24T18:00:00Z", in the arena. */
const char *conf_timestamp_text(struct conf *conf, uint64_t unix_s);

#define TIMESTAMP_ACCEPTS "a timestamp such as 2026-12-24T18:00:00Z"

#endif
