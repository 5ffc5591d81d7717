/* columns.h - aligned columns and quantities for people. */
#ifndef CTL_COLUMNS_H
#define CTL_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define COLUMNS_MAX 12

enum ink { INK_PLAIN, INK_GOOD, INK_BAD, INK_DIM };

struct columns;

/* `headings`: headings, "SITE|NODE|>WEIGHT"; one that begins with '>' is aligned right. */
struct columns *columns_new(const char *headings);
void columns_row(struct columns *table); /* begins the next row */
/* What controls a terminal in it is shown as "?". */
void columns_cell(struct columns *table, enum ink ink, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Colours only where `colour`. Frees the table. */
void columns_print(struct columns *table, FILE *out, const char *indent, bool colour);

/* Puts "?" in the place of all control characters, those of Unicode (U+0080 to U+009F) as well: what
 * probes and operators said must not control who reads it. Returns its argument. */
char *text_plain(char *text);

#define QUANTITY_SIZE 48
/* "3d 4h", "2m 10s", "0s"; "-" for a time that is not known (0). */
const char *text_age(uint64_t then_ms, uint64_t now_ms, char text[QUANTITY_SIZE]);
#define COUNTED_SIZE 48
/* "1 zone", "2 zones"; `noun` has at most 20 octets. */
const char *text_counted(long long count, const char *noun, char text[COUNTED_SIZE]);
const char *text_bytes(uint64_t bytes, char text[QUANTITY_SIZE]);      /* "12.3 KiB" */
const char *text_rtt(uint64_t microseconds, char text[QUANTITY_SIZE]); /* "0.21 ms", "-" for 0 */

#endif
