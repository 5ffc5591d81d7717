/* exec.c - a command as plugins for Nagios are: 0 is well, 1 a warning, 2 critical, 3 unknown; the
 * first line says why, and behind "|" values. It runs in signpost-run (probe/runner.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/probe_exec.h"
#include "probe/kind.h"
#include "probe/perfdata.h"
#include "probe/placeholders.h"
#include "probe/runner.h"

struct exec {
	struct kind kind; /* first: a struct kind * is a struct exec * */
	struct runner *runner;
};

struct exec_own {
	struct run_job *job; /* NULL: none runs */
};

/* --- the command ------------------------------------------------------------------------------- */

/* The words of the settings, filled in, each with a NUL; in `words` where they begin. */
static void fill_words(const struct probe *probe, struct buf *text, size_t *words)
{
	const struct exec_settings *settings = probe->settings;
	const char *word = probe_text(settings, settings->words);
	const char *end = word + settings->words.len;
	size_t count = 0;

	for (; word <= end && count < RUN_WORDS_MAX; word += strlen(word) + 1) {
		words[count++] = text->len;
		placeholders_fill(word, probe, text);
		buf_append(text, "", 1);
	}
	words[count] = SIZE_MAX;
}

static void put_variable(struct buf *text, size_t *at, const char *name, const char *value,
			 const struct probe *probe)
{
	*at = text->len;
	buf_append(text, name, strlen(name));
	placeholders_fill(value, probe, text);
	buf_append(text, "", 1);
}

static struct run_job *run(struct runner *runner, struct probe *probe, run_done_fn *done,
			   struct err *err)
{
	static const char *const names[][2] = { { "PATH=", "/usr/local/sbin:/usr/local/bin:"
							   "/usr/sbin:/usr/bin:/sbin:/bin" },
						{ "LC_ALL=", "C" },
						{ "SIGNPOST_POOL=", "{pool}" },
						{ "SIGNPOST_NODE=", "{node}" },
						{ "SIGNPOST_ADDRESS=", "{address}" },
						{ "SIGNPOST_PORT=", "{port}" } };
	enum { VARIABLES = sizeof(names) / sizeof(names[0]) };
	size_t word_at[RUN_WORDS_MAX + 1], variable_at[VARIABLES];
	const char *words[RUN_WORDS_MAX + 1] = { NULL }, *variables[VARIABLES + 1] = { NULL };
	struct buf text = { 0 };
	struct run_job *job;

	fill_words(probe, &text, word_at);
	for (size_t i = 0; i < VARIABLES; i++)
		put_variable(&text, &variable_at[i], names[i][0], names[i][1], probe);
	for (size_t i = 0; word_at[i] != SIZE_MAX; i++) {
		words[i] = (const char *)text.data + word_at[i];
		evidence_note(probe->evidence, "word %zu of the command: %s", i, words[i]);
	}
	for (size_t i = 0; i < VARIABLES; i++)
		variables[i] = (const char *)text.data + variable_at[i];
	job = runner_run(runner, RUN_PROBES, words, variables, probe->timeout_ms, done, probe, err);
	buf_free(&text);
	return job;
}

/* --- what it says ------------------------------------------------------------------------------ */

static enum probe_outcome outcome_of(const struct exec_settings *settings,
				     const struct run_outcome *ended)
{
	static const enum probe_outcome by_status[] = { PROBE_SUCCESS, PROBE_WARNING,
							PROBE_FAILURE };

	if (ended->end == RUN_TIMEOUT)
		return PROBE_FAILURE;
	if (ended->end == RUN_EXITED && ended->status >= 0 && ended->status <= 2)
		return by_status[ended->status];
	if (ended->end == RUN_NOT_STARTED || ended->end == RUN_LOST)
		return PROBE_NOT_MADE;
	return settings->unknown == EXEC_FAILURE ? PROBE_FAILURE : PROBE_NOT_MADE;
}

/* The first line, for evidence; the octets have it all. */
static int shown_of(const char *output)
{
	size_t len = strcspn(output, "\n");

	return len < 200 ? (int)len : 200;
}

static void set_why(const struct run_outcome *ended, char why[PROBE_WHY_SIZE])
{
	char end[RUN_END_SIZE];

	(void)perfdata_line(ended->output, why, PROBE_WHY_SIZE);
	if (why[0] == '\0')
		(void)perfdata_line(ended->errors, why, PROBE_WHY_SIZE);
	if (why[0] == '\0' || ended->end != RUN_EXITED)
		(void)snprintf(why, PROBE_WHY_SIZE, "%s", runner_end_text(ended, end));
}

/* A load that was asked for and is not there calls for attention. */
static void set_use(const struct exec_settings *settings, const struct run_outcome *ended,
		    struct probe_result *result, char why[PROBE_WHY_SIZE])
{
	const char *label = probe_text(settings, settings->load), *lack = NULL;
	double full = settings->capacity;
	struct perfdata value;

	if (label[0] == '\0' || result->outcome == PROBE_NOT_MADE)
		return;
	if (!perfdata_find(ended->output, label, &value))
		lack = "is no value in the performance data";
	else if (full <= 0 && (!value.has_max || value.max <= 0))
		lack = "has no maximum: it needs a capacity";
	if (lack != NULL) {
		if (result->outcome == PROBE_SUCCESS) {
			result->outcome = PROBE_WARNING;
			(void)snprintf(why, PROBE_WHY_SIZE, "\"%.20s\" %s", label, lack);
		}
		return;
	}
	result->has_use = true;
	result->use = value.value <= 0 ? 0 : value.value / (full > 0 ? full : value.max);
}

static void on_ended(void *context, const struct run_outcome *ended)
{
	struct probe *probe = context;
	struct exec_own *own = probe->own;
	char why[PROBE_WHY_SIZE], end[RUN_END_SIZE];
	struct probe_result result = { .outcome = outcome_of(probe->settings, ended), .why = why };

	own->job = NULL;
	evidence_note(probe->evidence, "it ended after %llu us: %s",
		      (unsigned long long)ended->took_us, runner_end_text(ended, end));
	evidence_octets(probe->evidence, ended->output, ended->output_len, "its output: %.*s",
			shown_of(ended->output), ended->output);
	if (ended->errors_len > 0)
		evidence_octets(probe->evidence, ended->errors, ended->errors_len,
				"its error output: %.*s", shown_of(ended->errors), ended->errors);
	set_why(ended, why);
	set_use(probe->settings, ended, &result, why);
	if (result.has_use)
		evidence_note(probe->evidence, "load: %.1f %%", result.use * 100);
	probe->done(probe, &result);
}

/* --- the kind ---------------------------------------------------------------------------------- */

static void exec_start(struct kind *kind, struct probe *probe)
{
	struct exec *exec = (struct exec *)kind;
	struct exec_own *own = probe->own;
	struct err err;

	own->job = NULL;
	if (exec->runner == NULL) {
		kind_done(probe, PROBE_NOT_MADE, "nothing here runs commands");
		return;
	}
	own->job = run(exec->runner, probe, on_ended, &err);
	if (own->job == NULL)
		kind_done(probe, PROBE_NOT_MADE, err.text);
}

static void exec_cancel(struct kind *kind, struct probe *probe)
{
	struct exec *exec = (struct exec *)kind;
	struct exec_own *own = probe->own;

	runner_cancel(exec->runner, own->job);
	own->job = NULL;
}

/* A command that others kept from running says nothing about the node. */
static void exec_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	const struct exec *exec = (const struct exec *)kind;
	const struct exec_own *own = probe->own;

	if (!runner_has_started(own->job) || !runner_answers(exec->runner)) {
		result->outcome = PROBE_NOT_MADE;
		result->why = runner_answers(exec->runner) ? "too many other commands run"
							   : "signpost-run does not answer";
	}
	exec_cancel(kind, probe);
}

static void exec_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_exec_open(const struct kind_tools *tools)
{
	struct exec *exec = mem_alloc(sizeof(*exec));

	exec->kind = (struct kind){ .name = "exec",
				    .own_size = sizeof(struct exec_own),
				    .start = exec_start,
				    .cancel = exec_cancel,
				    .expire = exec_expire,
				    .close = exec_close };
	exec->runner = tools->runner;
	return &exec->kind;
}
