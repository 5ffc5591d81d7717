/* store_test.h - the cases of test-store, one function a file, and what they share. */
#ifndef TESTS_UNIT_STORE_STORE_TEST_H
#define TESTS_UNIT_STORE_STORE_TEST_H

#include <stdbool.h>
#include <stdio.h>

#include "store/store.h"
#include "tests/unit/run.h"

void add_queue_tests(Suite *suite);
void add_reader_tests(Suite *suite);
void add_store_tests(Suite *suite);
void add_trouble_tests(Suite *suite);

/* A directory for one test, removed by `remove_home`. */
extern char home[64];
void make_home(void);
void remove_home(void);

/* What the sqlite3 command answers to this about the database; for one test to read at once. */
const char *ask(const char *sql);

/* Has another connection keep the write lock until it is unlocked. */
FILE *lock_database(void);
void unlock_database(FILE *holder);

extern const struct store_kept kept_for_long;

struct store_status make_status(const char *node, const char *status, uint64_t at_ms);

/* Waits until all is written: true. */
bool is_written(struct store *store);
/* Waits until there is (or is no more) an error: true. */
bool has_error(struct store *store, bool wanted);

#endif
