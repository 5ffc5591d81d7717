/* Hooks, with a clock that stands still, and with commands and requests that the test ends. */
#include "control/hooks.h"

#include <ev.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "base/clock.h"
#include "base/mem.h"
#include "control/hook_call.h"
#include "image/plan.h"
#include "probe/secret.h"
#include "probe/web.h"

/* --- in place of the clock ---------------------------------------------------------------------- */

static uint64_t now_ms;

uint64_t clock_mono_ms(void)
{
	return now_ms;
}

uint64_t clock_mono_us(void)
{
	return now_ms * 1000;
}

uint64_t clock_cpu_us(void)
{
	return 0;
}

uint64_t clock_unix_ms(void)
{
	return 1700000000000 + now_ms;
}

uint32_t clock_unix_s(void)
{
	return (uint32_t)(clock_unix_ms() / 1000);
}

/* --- in place of commands and requests ---------------------------------------------------------- */

#define CALLS_MAX 256

static struct made_call {
	char told[256]; /* "down edge fra-1"; of a summary "summary 7" */
	run_done_fn *command;
	void (*request)(void *context, const struct web_answer *answer);
	void *context;
} calls[CALLS_MAX];
static size_t called, cancelled;
static bool refuses; /* the runner takes nothing */

static const char *value_of(const char *const *variables, const char *name)
{
	for (; *variables != NULL; variables++) {
		if (strncmp(*variables, name, strlen(name)) == 0)
			return *variables + strlen(name);
	}
	return "?";
}

struct run_job *runner_run(struct runner *runner, enum run_class class, const char *const *words,
			   const char *const *variables, uint32_t timeout_ms, run_done_fn *done,
			   void *context, struct err *err)
{
	struct made_call *call = &calls[called];

	(void)runner;
	ck_assert_int_eq(class, RUN_HOOKS);
	ck_assert_str_eq(words[0], "/bin/tell");
	ck_assert_str_eq(words[1], "a b");
	ck_assert_ptr_null(words[2]);
	ck_assert_uint_eq(timeout_ms, 5000);
	if (refuses) {
		(void)err_set(err, "too many wait");
		return NULL;
	}
	*call = (struct made_call){ .command = done, .context = context };
	(void)snprintf(call->told, sizeof(call->told), "%s %s %s %s",
		       value_of(variables, "SIGNPOST_EVENT="),
		       value_of(variables, "SIGNPOST_POOL="), value_of(variables, "SIGNPOST_NODE="),
		       value_of(variables, "SIGNPOST_LEFT_OUT="));
	called++;
	return (struct run_job *)(void *)call;
}

void runner_cancel(struct runner *runner, struct run_job *job)
{
	(void)runner;
	(void)job;
	cancelled++;
}

const char *runner_end_text(const struct run_outcome *outcome, char text[RUN_END_SIZE])
{
	(void)snprintf(text, RUN_END_SIZE, "exit status %d", outcome->status);
	return text;
}

struct web *web_open(struct ev_loop *loop)
{
	(void)loop;
	return NULL;
}

void web_close(struct web *web)
{
	(void)web;
}

int web_start(struct web *web, const struct web_request *request, struct web_exchange **out,
	      struct err *err)
{
	struct made_call *call = &calls[called++];
	json_t *body = json_loadb(request->body, request->body_len, 0, NULL);

	(void)web;
	(void)err;
	ck_assert_ptr_nonnull(body);
	*call = (struct made_call){ .request = request->done, .context = request->context };
	(void)snprintf(call->told, sizeof(call->told), "%s %s %s %lld",
		       json_string_value(json_object_get(body, "event")),
		       json_string_value(json_object_get(body, "pool")),
		       json_string_value(json_object_get(body, "node")),
		       json_integer_value(json_object_get(body, "left_out")));
	json_decref(body);
	*out = (struct web_exchange *)(void *)call;
	return 0;
}

void web_cancel(struct web_exchange *exchange)
{
	(void)exchange;
	cancelled++;
}

int secret_read(const char *path, char *text, size_t size, size_t *len, struct err *err)
{
	(void)path;
	(void)text;
	(void)size;
	(void)len;
	return err_set(err, "there is none");
}

void secret_wipe(void *bytes, size_t size)
{
	memset(bytes, 0, size);
}

static void end_command(size_t number, int status)
{
	struct run_outcome outcome = {
		.end = RUN_EXITED, .status = status, .output = "", .errors = ""
	};

	calls[number].command(calls[number].context, &outcome);
}

static void end_request(size_t number, unsigned status)
{
	struct web_answer answer = { .status = status, .body = "" };

	calls[number].request(calls[number].context, &answer);
}

/* --- a plan that has hooks alone ---------------------------------------------------------------- */

#define COMMAND "/bin/tell\0a b"

struct made_hook {
	uint32_t events, rate, rate_ms;
	bool command, url;
	int pool; /* -1: all */
};

static uint32_t put(struct buf *out, const void *bytes, size_t size)
{
	uint32_t at = (uint32_t)out->len;

	buf_append(out, bytes, size);
	while (out->len % 8 != 0)
		buf_append(out, "", 1);
	return at;
}

static struct image make_plan(struct buf *out, const struct made_hook *hooks, uint32_t count)
{
	static const char *const names[] = { "edge", "web" };
	struct plan_root root = { 0 };
	struct image_header header = { .kind = IMAGE_PLAN };
	struct plan_pool pools[2] = { 0 };
	struct plan_hook made[CALLS_MAX] = { 0 };
	uint32_t numbers[] = { 0, 1 };

	put(out, &header, sizeof(header));
	put(out, &root, sizeof(root));
	for (size_t p = 0; p < 2; p++)
		pools[p].name = put(out, names[p], strlen(names[p]) + 1);
	for (uint32_t h = 0; h < count; h++) {
		made[h] = (struct plan_hook){ .events = hooks[h].events,
					      .rate = hooks[h].rate,
					      .rate_ms = hooks[h].rate_ms,
					      .timeout_ms = 5000,
					      .attempts = 1 };
		if (hooks[h].pool >= 0)
			made[h].pools = (struct plan_range){ (uint32_t)hooks[h].pool, 1 };
		if (hooks[h].command)
			made[h].words = put(out, COMMAND, sizeof(COMMAND));
		made[h].words_len = hooks[h].command ? sizeof(COMMAND) - 1 : 0;
		if (hooks[h].url)
			made[h].url = put(out, "http://192.0.2.1/", 18);
	}
	root.pools = (struct plan_array){ .offset = put(out, pools, sizeof(pools)), .count = 2 };
	root.numbers = (struct plan_array){ .offset = put(out, numbers, sizeof(numbers)),
					    .count = 2 };
	root.hooks = (struct plan_array){ .offset = put(out, made, count * sizeof(*made)),
					  .count = count };
	memcpy(out->data + IMAGE_ROOT, &root, sizeof(root));
	return (struct image){ out->data, out->len };
}

struct fixture {
	struct ev_loop *loop;
	struct hooks *hooks;
	struct buf plan;
};

static void apply(struct fixture *f, const struct made_hook *hooks, uint32_t count)
{
	struct buf former = f->plan;
	struct image plan;

	f->plan = (struct buf){ 0 };
	plan = make_plan(&f->plan, hooks, count);
	hooks_apply(f->hooks, &plan);
	buf_free(&former);
}

static void open_fixture(struct fixture *f, const struct made_hook *hooks, uint32_t count)
{
	*f = (struct fixture){ .loop = ev_default_loop(EVFLAG_AUTO) };
	called = cancelled = 0;
	refuses = false;
	now_ms = 1000000;
	f->hooks = hooks_open(f->loop, NULL);
	apply(f, hooks, count);
}

static void close_fixture(struct fixture *f)
{
	hooks_close(f->hooks);
	buf_free(&f->plan);
}

static void tell(struct fixture *f, enum hook_event event, uint32_t pool, const char *node)
{
	hooks_tell(f->hooks, &(struct hook_news){ .event = event, .pool = pool, .node = node });
}

#define EVENT(name) (1U << HOOK_##name)

/* --- tests ------------------------------------------------------------------------------------- */

START_TEST(hook_is_called_for_its_events_and_pools)
{
	static const struct made_hook made[] = {
		{ EVENT(DOWN) | EVENT(UP), 1000, 1000, true, false, -1 },
		{ EVENT(DOWN), 1000, 1000, false, true, 1 },
	};
	struct fixture f;

	open_fixture(&f, made, 2);
	tell(&f, HOOK_DRAINING, 0, "fra-1");
	ck_assert_uint_eq(called, 0);
	tell(&f, HOOK_DOWN, 0, "fra-1");
	ck_assert_uint_eq(called, 1);
	ck_assert_str_eq(calls[0].told, "down edge fra-1 0");
	ck_assert_ptr_nonnull(calls[0].command);
	tell(&f, HOOK_UP, 1, "a");
	ck_assert_uint_eq(called, 1); /* the first call has not ended */
	end_command(0, 0);
	ck_assert_uint_eq(called, 2);
	end_command(1, 3); /* a failure is no reason to stop */
	tell(&f, HOOK_DOWN, 1, "a");
	ck_assert_uint_eq(called, 4);
	ck_assert_str_eq(calls[2].told, "down web a 0");
	ck_assert_str_eq(calls[3].told, "down web a 0");
	ck_assert_ptr_nonnull(calls[3].request);
	end_command(2, 0);
	end_request(3, 204);
	close_fixture(&f);
	ck_assert_uint_eq(cancelled, 0);
}
END_TEST

START_TEST(calls_of_one_hook_are_made_in_their_order_and_of_others_beside_them)
{
	static const struct made_hook made[] = {
		{ EVENT(DOWN), 1000, 1000, true, false, 0 },
		{ EVENT(DOWN), 1000, 1000, true, false, 1 },
	};
	struct fixture f;

	open_fixture(&f, made, 2);
	for (const char *const *node = (const char *const[]){ "a", "b", "c", NULL }; *node != NULL;
	     node++)
		tell(&f, HOOK_DOWN, 0, *node);
	tell(&f, HOOK_DOWN, 1, "z");
	ck_assert_uint_eq(called, 2);
	ck_assert_str_eq(calls[1].told, "down web z 0");
	end_command(0, 0);
	end_command(2, 0);
	ck_assert_uint_eq(called, 4);
	ck_assert_str_eq(calls[2].told, "down edge b 0");
	ck_assert_str_eq(calls[3].told, "down edge c 0");
	close_fixture(&f); /* two run */
	ck_assert_uint_eq(cancelled, 2);
}
END_TEST

START_TEST(calls_that_wait_are_bounded)
{
	static const struct made_hook made[] = { { EVENT(DOWN), 1000, 1000, true, false, -1 } };
	struct fixture f;

	open_fixture(&f, made, 1);
	for (int i = 0; i < 2 * HOOK_WAITING_MAX; i++)
		tell(&f, HOOK_DOWN, 0, "a");
	for (size_t i = 0; i < called; i++)
		end_command(i, 0);
	ck_assert_uint_eq(called, 1 + HOOK_WAITING_MAX); /* one ran, the rest was dropped */
	tell(&f, HOOK_DOWN, 0, "a");
	ck_assert_uint_eq(called, 2 + HOOK_WAITING_MAX);
	close_fixture(&f);
}
END_TEST

START_TEST(requests_at_a_time_are_bounded)
{
	struct made_hook made[2 * HOOK_REQUESTS_MAX];
	struct fixture f;

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		made[i] = (struct made_hook){ EVENT(DOWN), 10, 1000, false, true, -1 };
	open_fixture(&f, made, 2 * HOOK_REQUESTS_MAX);
	tell(&f, HOOK_DOWN, 0, "a");
	ck_assert_uint_eq(called, HOOK_REQUESTS_MAX);
	end_request(3, 200);
	ck_assert_uint_eq(called, HOOK_REQUESTS_MAX + 1);
	end_request(0, 500); /* its only attempt */
	ck_assert_uint_eq(called, HOOK_REQUESTS_MAX + 2);
	close_fixture(&f);
	ck_assert_uint_eq(cancelled, HOOK_REQUESTS_MAX);
}
END_TEST

START_TEST(calls_beyond_the_rate_are_told_by_one_summary)
{
	static const struct made_hook made[] = { { EVENT(DOWN), 2, 60000, true, false, -1 } };
	struct fixture f;

	open_fixture(&f, made, 1);
	for (int i = 0; i < 9; i++)
		tell(&f, HOOK_DOWN, 0, "a");
	end_command(0, 0);
	end_command(1, 0);
	ck_assert_uint_eq(called, 2);
	now_ms += 59999;
	(void)ev_run(f.loop, EVRUN_ONCE); /* it is looked at four times a second */
	tell(&f, HOOK_DOWN, 0, "a");
	ck_assert_uint_eq(called, 2);
	now_ms += 1;
	while (called == 2)
		(void)ev_run(f.loop, EVRUN_ONCE);
	ck_assert_str_eq(calls[2].told, "summary   8");
	end_command(2, 0);
	tell(&f, HOOK_DOWN, 0, "b"); /* the summary was the first of two */
	ck_assert_str_eq(calls[3].told, "down edge b 0");
	end_command(3, 0);
	tell(&f, HOOK_DOWN, 0, "c");
	ck_assert_uint_eq(called, 4);
	close_fixture(&f);
}
END_TEST

START_TEST(calls_outlast_a_plan_and_new_hooks_have_rates_of_their_own)
{
	static const struct made_hook made[] = {
		{ EVENT(DOWN), 1, 60000, true, false, -1 },
		{ EVENT(UP), 1, 60000, true, false, -1 },
	};
	struct fixture f;

	open_fixture(&f, made, 1);
	tell(&f, HOOK_DOWN, 0, "a");
	apply(&f, made, 2);
	tell(&f, HOOK_DOWN, 0, "b"); /* beyond the rate, also after a reload */
	tell(&f, HOOK_UP, 0, "c");
	ck_assert_uint_eq(called, 2);
	ck_assert_str_eq(calls[1].told, "up edge c 0");
	end_command(0, 1);
	end_command(1, 0);
	apply(&f, made, 0);
	tell(&f, HOOK_DOWN, 0, "d");
	ck_assert_uint_eq(called, 2);
	close_fixture(&f);
}
END_TEST

START_TEST(command_that_cannot_be_run_makes_room_for_the_next)
{
	static const struct made_hook made[] = { { EVENT(DOWN), 1000, 1000, true, false, -1 } };
	struct fixture f;

	open_fixture(&f, made, 1);
	refuses = true;
	tell(&f, HOOK_DOWN, 0, "a");
	refuses = false;
	tell(&f, HOOK_DOWN, 0, "b");
	ck_assert_uint_eq(called, 1);
	ck_assert_str_eq(calls[0].told, "down edge b 0");
	close_fixture(&f);
}
END_TEST

START_TEST(facts_are_whole_in_variables_and_in_json)
{
	char event[] = "down", pool[] = "edge", node[] = "fra-1",
	     addresses[] = "192.0.2.1 2001:db8::1";
	char reason[] = "said \"\x1b[2J\n$(reboot)\" \xff";
	struct hook_facts facts = { .event = event,
				    .pool = pool,
				    .node = node,
				    .addresses = addresses,
				    .reason = reason,
				    .at_unix_ms = 1700000000999,
				    .left_out = 3 };
	struct hook_variables variables;
	char *text = hook_json(&facts);
	json_t *told = json_loads(text, 0, NULL);

	ck_assert_ptr_null(strchr(text, '\n'));
	ck_assert_str_eq(json_string_value(json_object_get(told, "reason")),
			 "said \"\x1b[2J\n$(reboot)\" ?");
	ck_assert_uint_eq(json_array_size(json_object_get(told, "addresses")), 2);
	ck_assert_str_eq(json_string_value(json_object_get(told, "site")), "");
	ck_assert_int_eq(json_integer_value(json_object_get(told, "time")), 1700000000);
	json_decref(told);
	free(text);
	hook_variables_make(&facts, &variables);
	ck_assert_str_eq(value_of(variables.list, "SIGNPOST_REASON="), reason);
	ck_assert_str_eq(value_of(variables.list, "SIGNPOST_ADDRESSES="), addresses);
	ck_assert_str_eq(value_of(variables.list, "SIGNPOST_SITE="), "");
	ck_assert_str_eq(value_of(variables.list, "SIGNPOST_TIME="), "1700000000");
	ck_assert_str_eq(value_of(variables.list, "SIGNPOST_LEFT_OUT="), "3");
	hook_variables_free(&variables);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hooks");

	suite_case(suite, "hooks", hook_is_called_for_its_events_and_pools,
		   calls_of_one_hook_are_made_in_their_order_and_of_others_beside_them,
		   calls_that_wait_are_bounded, requests_at_a_time_are_bounded,
		   calls_beyond_the_rate_are_told_by_one_summary,
		   calls_outlast_a_plan_and_new_hooks_have_rates_of_their_own,
		   command_that_cannot_be_run_makes_room_for_the_next,
		   facts_are_whole_in_variables_and_in_json);
	return run_suite(suite);
}
