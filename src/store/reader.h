/* reader.h - questions to signpost.db, answered by a thread of its own.
 *
 * Whoever asks goes on at once; reading delays neither the writer (WAL) nor anybody's loop. Each
 * question has a connection of its own, so that it is today's file that is read. Answers are bounded:
 * what follows is asked for again. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

#define READER_ROWS_MAX      2000 /* in one answer */
#define READER_QUESTIONS_MAX 64   /* that wait */

/* --- the minutes of a node ----------------------------------------------------------------------- */

struct minutes_question {
	char node[256];       /* "pool/name" */
	uint64_t from, until; /* minutes since 1970; not `until` itself */
	uint64_t limit;       /* rows in the answer, READER_ROWS_MAX at most */
};

struct minutes_row {
	uint64_t minute;
	uint32_t probes, failures;
	uint32_t rtt_us, rtt_max_us; /* 0: none */
	int32_t load_permille;       /* STORE_NO_LOAD: not known */
};

struct minutes_answer {
	bool known;             /* something is known of the node, now or in former times */
	char status_before[16]; /* before `from`; "": not known */
	char status_now[16];    /* "": not known */
	struct minutes_row *rows;
	size_t count;
	uint64_t next; /* to ask from for the rest; 0: that is all */
};

/* --- transitions and what operators did ---------------------------------------------------------- */

/* Where an answer ended: behind the event with these. Zeros: at the beginning. */
struct audit_place {
	uint64_t at_unix_ms;
	uint64_t id;
	bool is_action; /* of events at the same time, transitions come first */
};

/* Texts that are meant: these, and those that begin so. */
struct audit_names {
	char **whole, **beginnings;
	size_t whole_count, beginning_count;
};

struct audit_question {
	uint64_t from_unix_ms, until_unix_ms; /* not `until` itself */
	struct audit_place after;
	/* What it is about: transitions of these nodes ("pool/name"), and actions on these objects,
	 * as written. */
	bool of_some; /* else of all */
	struct audit_names nodes, objects;
	char who[64];   /* actions of theirs, and no transitions; "": of all */
	uint64_t limit; /* as in minutes_question */
};

struct audit_event {
	struct audit_place place;
	char node[256], from[16], to[16];        /* of transitions */
	char from_families[16], to_families[16]; /* that were, and are, down */
	uint32_t rtt_us;
	struct store_action action; /* of actions; of transitions: at and reason alone */
};

struct audit_answer {
	struct audit_event *events; /* the oldest first */
	size_t count;
	bool more; /* ask again from behind the last event */
};

/* --- the reader ---------------------------------------------------------------------------------- */

struct reader;

/* `told` is called in the reader's thread whenever there is something to deliver. */
int reader_open(struct reader **out, struct store *store, void (*told)(void *context),
		void *context, struct err *err);
/* Ends what is being read; all that were not answered get an error. NULL is fine. */
void reader_close(struct reader *reader);

/* Called by reader_deliver, once. error: why there is no answer (NULL); else NULL. */
typedef void reader_minutes_fn(void *context, const struct minutes_question *question,
			       const struct minutes_answer *answer, const char *error);
typedef void reader_audit_fn(void *context, const struct audit_answer *answer, const char *error);

/* Queue and return at once. -1: too many wait. */
int reader_ask_minutes(struct reader *reader, const struct minutes_question *question,
		       reader_minutes_fn *answered, void *context, struct err *err);
/* Takes the question's names over, in any case. */
int reader_ask_audit(struct reader *reader, struct audit_question *question,
		     reader_audit_fn *answered, void *context, struct err *err);

/* Hands out the answers that there are. */
void reader_deliver(struct reader *reader);

#endif
