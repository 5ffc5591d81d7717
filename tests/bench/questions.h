/* questions.h - what a load generator asks: queries made beforehand. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include <netinet/in.h>
#include <stdint.h>

#include "wire/name.h"

#define QUESTION_MAX 320 /* header, longest name, type, class, OPT record with a Client Subnet */

/* Lines of a file, cut at the first blank or slash. */
struct lines {
	char **items;
	size_t count;
};

/* Ends the process where there are none. */
struct lines lines_read(const char *path);
void lines_free(struct lines *lines);

struct in_addr question_network(const char *text);

/* Writes the query with id 0 and returns its length. subnet: a /24 for an OPT record with the
 * Client Subnet option, or NULL: no OPT record. */
uint16_t question_write(uint8_t query[QUESTION_MAX], const char *name, uint16_t type,
			const struct in_addr *subnet);

_Noreturn void question_die(const char *what, const char *why);

#endif
