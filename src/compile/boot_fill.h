/* boot_fill.h - from the server file to the boot record (image/boot.h). */
#ifndef COMPILE_BOOT_FILL_H
#define COMPILE_BOOT_FILL_H

#include "conf/config.h"
#include "image/boot.h"

/* false: a path has more than BOOT_PATH_SIZE - 1 octets, the user more than BOOT_USER_SIZE - 1. */
bool boot_fill(struct boot_record *record, const struct config *config);

/* boot_record_id of what a start would ask of the supervisor; 0: there is no such record. */
uint64_t boot_id(const struct config *config);

#endif
