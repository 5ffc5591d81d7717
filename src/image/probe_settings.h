/* probe_settings.h - what a probe is told beyond what all kinds have in common: one struct a kind,
 * in the plan image, each in a header of its own (image/probe_<kind>.h).
 *
 * Settings are bytes that mean the same wherever they lie: a struct of the kind, then its texts, at
 * offsets from the first byte of the settings. So equal options make equal bytes, and checks that
 * are equal are told by comparing them. A struct of settings begins with all of its texts. Numbers
 * are in the machine's byte order; reserved bytes are zero.
 *
 * Secrets are not in them: a path of their file is, and the file's version, so that a file that was
 * edited makes other settings. */
#ifndef IMAGE_PROBE_SETTINGS_H
#define IMAGE_PROBE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/plan.h"

struct probe_text {
	uint32_t offset, len; /* NUL-terminated besides; offset 0: there is none */
};

/* A text of settings; "" where there is none. It may hold NULs where the kind says so. */
static inline const char *probe_text(const void *settings, struct probe_text text)
{
	return text.offset == 0 ? "" : (const char *)settings + text.offset;
}

/* What operators call the kinds: "tcp". By enum probe_kind. */
extern const char *const probe_kind_name[PROBE_KINDS];

/* Is every text of these settings inside of them, their size that of the kind's struct or more, and
 * what they say such as a probe of the kind can be made by? `settings` is aligned to 8. */
bool probe_settings_valid(enum probe_kind kind, const void *settings, uint32_t len);

/* Does the probe depend on which node it is made for, and not on its address alone? */
bool probe_names_node(enum probe_kind kind, const void *settings);

#endif
