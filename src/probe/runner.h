/* runner.h - commands that signpost-run runs for us: no shell, no fork of ours, no waiting.
 *
 * The helper is started when the runner is opened, and again whenever it ends; what it was running
 * is then lost, and told as that. So many commands of a class run at a time, others wait in its
 * queue, which is bounded: hooks that hang keep no probe waiting. One thread, on the default loop
 * (libev reaps children there). */
#ifndef PROBE_RUNNER_H
#define PROBE_RUNNER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/run_messages.h"

enum run_class { RUN_PROBES, RUN_HOOKS, RUN_CLASSES };

#define RUN_PROBES_MAX 48 /* at a time */
#define RUN_HOOKS_MAX  16
#define RUN_QUEUE_MAX  4096 /* that wait, of each class */

_Static_assert(RUN_PROBES_MAX + RUN_HOOKS_MAX <= RUN_COMMANDS_MAX, "the helper has places for all");

struct runner;
struct run_job;

struct run_outcome {
	enum run_end end;
	int status; /* as in struct run_result */
	uint64_t took_us;
	const char *output, *errors; /* each with a NUL behind it */
	size_t output_len, errors_len;
};

/* The job ends with this call. Its texts end with it, too. */
typedef void run_done_fn(void *context, const struct run_outcome *outcome);

struct runner *runner_open(struct ev_loop *loop);
void runner_close(
	struct runner *runner); /* kills what runs; nothing is told any more. NULL is fine */

/* words[0] is a path; variables are "NAME=value". Both end with NULL, and are copied. `timeout_ms`
 * counts from the start of the command. NULL: it is not taken, and *err says why. `done` is never
 * called before this returns. */
struct run_job *runner_run(struct runner *runner, enum run_class class, const char *const *words,
			   const char *const *variables, uint32_t timeout_ms, run_done_fn *done,
			   void *context, struct err *err);

/* Is it more than waiting for its turn? */
bool runner_has_started(const struct run_job *job);

/* false: the helper has left a ping unanswered, or there is none now: that a command's time is up says
 * nothing about the command. */
bool runner_answers(const struct runner *runner);

/* It is killed, and nothing is told of it. */
void runner_cancel(struct runner *runner, struct run_job *job);

/* "ended by signal 9 (Killed)", "exit status 3", "took longer than its time": for people. */
#define RUN_END_SIZE 96
const char *runner_end_text(const struct run_outcome *outcome, char text[RUN_END_SIZE]);

#endif
