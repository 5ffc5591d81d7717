/* rdata_text.h - RDATA of SRV, SVCB and HTTPS as master files have it, for people. Pure. */
#ifndef CTL_RDATA_TEXT_H
#define CTL_RDATA_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

/* Appends it to a line. false: it is not RDATA of the type, and what was appended is of no use. */
bool rdata_text_srv(struct buf *line, const uint8_t *rdata, size_t len);
bool rdata_text_svcb(struct buf *line, const uint8_t *rdata, size_t len);

#endif
