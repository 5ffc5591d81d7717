/* timestamp.h - moments as operators write them: RFC 3339, 5.6, such as 2026-12-24T18:00:00Z or
 * 2026-12-24T19:00:00+01:00. Pure. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970, without leap seconds; a part of a second is dropped. false: it is no
 * timestamp, or none since 1970. */
bool timestamp_parse(const char *text, uint64_t *unix_s);

#define TIMESTAMP_SIZE 32
/* "2026-12-24T18:00:00Z". */
const char *timestamp_text(uint64_t unix_s, char text[TIMESTAMP_SIZE]);

#endif
