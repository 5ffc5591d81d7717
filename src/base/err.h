/* err.h - how an error travels upward: as text, written where the cause is known.
 *
 * Library code fills a struct err and returns -1; main and event callbacks log it. The struct
 * lives on the caller's stack; nothing is allocated. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char text[512];
};

/* Writes the text (cut to fit) and returns -1, so that `return err_set(...)` reads as it acts. */
int err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before what err holds, and returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
