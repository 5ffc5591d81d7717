/* changes.h - whoever tells operators what a reload changes reads all of a plan: control, and
 * signpostctl diff. */
#ifndef TESTS_FUZZ_CHANGES_H
#define TESTS_FUZZ_CHANGES_H

#include "tests/fuzz/sample.h"

/* From the sample's plan to this one, which has been verified. */
void changes_tell(const struct sample *sample, const struct image *plan);

#endif
