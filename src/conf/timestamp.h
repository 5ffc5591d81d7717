/* timestamp.h - moments (base/timestamp.h) as values of options. */
#ifndef CONF_TIMESTAMP_H
#define CONF_TIMESTAMP_H

#include "base/timestamp.h"
#include "conf/option.h"

/* The value of an option. false: reported. */
bool conf_timestamp(struct conf *conf, const struct yaml_node *value, uint64_t *unix_s);

/* "2026-12-24T18:00:00Z", in the arena. */
const char *conf_timestamp_text(struct conf *conf, uint64_t unix_s);

#define TIMESTAMP_ACCEPTS "a timestamp such as 2026-12-24T18:00:00Z"

#endif
