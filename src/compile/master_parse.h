/* master_parse.h - a master file while it is read: the files that are open, and the line at hand.
 * Inside master_reader.c, master_directive.c and master_parse.c only. */
#ifndef COMPILE_MASTER_PARSE_H
#define COMPILE_MASTER_PARSE_H

#include "compile/master_generate.h"
#include "compile/master_lexer.h"
#include "compile/master_reader.h"

#define INCLUDE_DEPTH 16
#define TTL_MAX       UINT32_C(0x7fffffff) /* RFC 2181, 8 */

struct master_file {
	struct master_lexer lexer;
	struct name origin, owner;
	bool has_owner, origin_is_new;
	uint8_t owner_known;  /* bits of enum master_owner */
	uint8_t origin_known; /* of a name that the origin completes, all but its own labels */
	/* Lines that $GENERATE makes are read as if they were a file. */
	bool generates;
	struct master_generate generate;
	struct master_place made_from;
};

struct master_reader {
	struct master_sources *sources;
	const struct name *zone; /* its origin */
	struct master_file
		files[INCLUDE_DEPTH + 1]; /* the last one is being read; $GENERATE goes deeper */
	unsigned depth;
	bool has_default_ttl, has_last_ttl, told_of_ttl;
	bool without_quick; /* see master_reader_go_without_quick */
	uint32_t default_ttl_s, last_ttl_s;
	struct buf data, scratch;
};

/* A line on its way to a record: what was read of it so far. */
struct master_parse {
	struct master_reader *reader;
	struct master_file *file;
	const struct master_line *line;
	size_t next; /* token */
	bool has_ttl, has_class;
	uint32_t ttl_s;
};

bool parse_token_is(const struct master_token *token, const char *text);
const struct master_token *parse_last_token(const struct master_parse *parse);

/* An error, a warning at a token. */
void parse_report(const struct master_parse *parse, const struct master_token *token,
		  const char *format, ...) __attribute__((format(printf, 3, 4)));
void parse_warn(const struct master_parse *parse, const struct master_token *token,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

void parse_set_origin(const struct master_reader *reader, struct master_file *file,
		      const struct name *origin);

/* The newest source is read next; what $GENERATE makes, which is taken over; the file above. */
void parse_push_file(struct master_reader *reader, const struct name *origin);
void parse_push_made(struct master_reader *reader, const struct master_generate *generate,
		     const struct master_place *made_from);
void parse_pop_file(struct master_reader *reader);
bool parse_next_line(struct master_file *file, struct master_line *line);

/* false: reported. */
bool parse_name(const struct master_parse *parse, const struct master_token *token,
		const char *what, struct name *out);
bool parse_ttl_s(const struct master_parse *parse, const struct master_token *token,
		 uint32_t *ttl_s);

#endif
