/* clock.h - the only place that reads a clock; everything else is handed the time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ms(void); /* since some start; never steps, counts suspension (BOOTTIME) */
uint64_t clock_mono_us(void);
uint64_t clock_unix_ms(void); /* since 1970 UTC; may step */
uint64_t clock_cpu_us(void);  /* that the calling thread has worked */
uint32_t clock_unix_s(void);  /* of the last tick: no system call, a few nanoseconds */

#endif
