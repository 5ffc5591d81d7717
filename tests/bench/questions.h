/* questions.h - what a load generator asks: queries made beforehand. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
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

struct question {
	const char *name;
	uint16_t type;
	bool edns, dnssec_ok;         /* OPT record, and its DO bit */
	const struct in_addr *subnet; /* NULL, or a /24 for Client Subnet */
};

/* Writes the query with id 0 and returns its length. */
uint16_t question_write(uint8_t query[QUESTION_MAX], const struct question *question);

_Noreturn void question_die(const char *what, const char *why);

#endif
