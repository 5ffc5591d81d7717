/* words.h - lines of words, as data files have them: blanks between words, double quotes around
 * blanks, # begins a comment where a word could. */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include "conf/option.h"

struct word {
	const char *text; /* in the file, quotes and all */
	size_t len;
};

#define WORDS_MAX 64

struct words {
	struct conf *conf;
	struct source source;
	struct source_walk walk;
	const char *at; /* the next line */
	struct word list[WORDS_MAX];
	size_t count;
};

/* Opens the file. false: it cannot be read, and that is reported. The text lives in the arena. */
bool words_open(struct words *words, struct conf *conf, const char *path);

/* The next line that has words; false: there is none. Lines that are no words are reported and left
 * out. */
bool words_next(struct words *words);

/* A part of the line as a value that options can be read from: without its quotes. */
const struct yaml_node *words_value(struct words *words, const char *text, size_t len);

/* How long the part before the next `end` is that stands outside of quotes. */
size_t words_until(const char *text, size_t len, char end);

#endif
