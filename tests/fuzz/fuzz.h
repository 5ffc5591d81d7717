/* fuzz.h - what the fuzz targets have in common.
 *
 * A target is one file with libFuzzer's functions. With clang and --enable-fuzzing it becomes a
 * libFuzzer binary (tests/fuzz/run runs it); else driver.c makes a test of it, which throws the
 * kept seeds and a number of mutations of them at it, the same ones in every run. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* --- a target has --------------------------------------------------------------------------- */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Mutations that the test makes, and of how many of them at least one must have been accepted
 * (counted by the target): inputs that all end at the front door test nothing. */
extern const unsigned long fuzz_runs, fuzz_runs_an_accepted;
extern unsigned long fuzz_accepted;

/* --- and may have, such as text.c's for files of lines -------------------------------------- */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

/* --- for targets ---------------------------------------------------------------------------- */

void fuzz_fail(const char *what, const char *why) __attribute__((noreturn));
#define must(condition)    ((condition) ? (void)0 : fuzz_fail(#condition, "not true"))
#define must_do(call, err) ((call) == 0 ? (void)0 : fuzz_fail(#call, (err)->text))

/* Fresh numbers of a generator that the caller keeps. */
static inline uint32_t fuzz_below(uint64_t *state, size_t count)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return hash_below(hash_word(*state), (uint32_t)count);
}

#endif
