#include "control/hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/hook_call.h"
#include "control/names.h"
#include "image/plan.h"
#include "probe/secret.h"
#include "probe/web.h"

#define RETRY_FIRST_S 1.
#define HEADER_SIZE   4096
#define TOLD_SIZE     160 /* of what a command or a server said, in the log */

/* One hook that is called once. It holds what it needs: plans may come and go meanwhile. */
struct hook_call {
	TAILQ_ENTRY(hook_call) link;
	struct hooks *hooks;
	struct hook_facts facts;
	uint32_t number; /* of the hook, for the log */
	uint32_t timeout_ms, attempts, tried;
	char *words; /* of a command, with a NUL between them; NULL: a request */
	size_t words_len;
	char *url, *header_path;
	struct ip_address address;
	struct run_job *job;
	struct web_exchange *exchange;
	struct ev_timer retry;
};

TAILQ_HEAD(calls, hook_call);

struct rate {
	uint64_t began_ms; /* monotonic */
	uint32_t called, left_out;
};

struct hooks {
	struct ev_loop *loop;
	struct runner *runner;
	struct web *web;
	struct image plan;  /* base NULL: there is none yet */
	struct rate *rates; /* of each hook */
	struct ev_timer summaries;
	struct calls running, waiting; /* waiting: requests for their turn */
	size_t requests, dropped;      /* requests: that run */
	bool starting;                 /* in start_waiting */
};

static const struct plan_hook *hook_at(const struct hooks *hooks, uint32_t number)
{
	return &plan_items(&hooks->plan, hooks, struct plan_hook)[number];
}

static uint32_t hook_count(const struct hooks *hooks)
{
	return hooks->plan.base == NULL ? 0 : plan_count(&hooks->plan, hooks);
}

/* --- the end of a call ------------------------------------------------------------------------- */

static void start_waiting(struct hooks *hooks);

static bool same_kind(const struct hook_call *a, const struct hook_call *b)
{
	return a->number == b->number && (a->words == NULL) == (b->words == NULL);
}

/* It is in no list. */
static void call_free(struct hook_call *call)
{
	ev_timer_stop(call->hooks->loop, &call->retry);
	hook_facts_free(&call->facts);
	free(call->words);
	free(call->url);
	free(call->header_path);
	free(call);
}

/* Another one of the same hook may have its turn. */
static void call_end(struct hook_call *call)
{
	struct hooks *hooks = call->hooks;

	TAILQ_REMOVE(&hooks->running, call, link);
	hooks->requests -= call->words == NULL;
	call_free(call);
	if (!hooks->starting)
		start_waiting(hooks);
}

static void log_failure(const struct hook_call *call, const char *what, const char *told)
{
	log_warning("a hook failed", "hook=%u event=%s pool=%s node=%s what=\"%s\" said=\"%.*s\"",
		    call->number + 1, call->facts.event, call->facts.pool, call->facts.node, what,
		    (int)strcspn(told, "\r\n\"") < TOLD_SIZE ? (int)strcspn(told, "\r\n\"")
							     : TOLD_SIZE,
		    told);
}

/* --- commands ---------------------------------------------------------------------------------- */

static void command_ended(void *context, const struct run_outcome *outcome)
{
	struct hook_call *call = context;
	char text[RUN_END_SIZE];

	call->job = NULL;
	if (outcome->end != RUN_EXITED || outcome->status != 0)
		log_failure(call, runner_end_text(outcome, text),
			    outcome->errors_len > 0 ? outcome->errors : outcome->output);
	call_end(call);
}

static void run_command(struct hook_call *call)
{
	const char *words[RUN_WORDS_MAX + 1];
	struct hook_variables variables;
	size_t count = 0;
	struct err err;

	for (const char *word = call->words;
	     word <= call->words + call->words_len && count < RUN_WORDS_MAX;
	     word += strlen(word) + 1)
		words[count++] = word;
	words[count] = NULL;
	hook_variables_make(&call->facts, &variables);
	call->job = runner_run(call->hooks->runner, RUN_HOOKS, words, variables.list,
			       call->timeout_ms, command_ended, call, &err);
	hook_variables_free(&variables);
	if (call->job != NULL)
		return;
	log_failure(call, err.text, "");
	call_end(call);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void send_request(struct hook_call *call);

/* Each pause is twice as long as the one before. */
static void request_failed(struct hook_call *call, const char *what, const char *told)
{
	struct hooks *hooks = call->hooks;

	if (call->tried < call->attempts) {
		ev_now_update(hooks->loop); /* a long round of the loop must not shorten it */
		ev_timer_set(&call->retry, RETRY_FIRST_S * (1U << (call->tried - 1)), 0.);
		ev_timer_start(hooks->loop, &call->retry);
		return;
	}
	log_failure(call, what, told);
	call_end(call);
}

static void request_ended(void *context, const struct web_answer *answer)
{
	struct hook_call *call = context;
	/* A server may repeat what it was sent: a secret must not come into the log by that way. */
	bool tells = call->header_path == NULL && answer->body != NULL;
	char status[32];

	call->exchange = NULL;
	if (answer->error == NULL && answer->status >= 200 && answer->status <= 299) {
		call_end(call);
		return;
	}
	(void)snprintf(status, sizeof(status), "HTTP status %u", answer->status);
	request_failed(call, answer->error != NULL ? answer->error : status,
		       tells ? answer->body : "");
}

/* The secret is wiped when the request has its copy. */
static int start_exchange(struct hook_call *call, struct err *err)
{
	char *body = hook_json(&call->facts);
	char header[HEADER_SIZE] = "";
	const char *const headers[] = { "Content-Type: application/json", header };
	struct web_request request = { .url = call->url,
				       .address = call->address,
				       .headers = headers,
				       .header_count = call->header_path != NULL ? 2 : 1,
				       .body = body,
				       .body_len = body != NULL ? strlen(body) : 0,
				       .timeout_ms = call->timeout_ms,
				       .keep = TOLD_SIZE,
				       .done = request_ended,
				       .context = call };
	size_t len;
	int rc = body == NULL ? err_set(err, "a name is no UTF-8") : 0;

	if (rc == 0 && call->header_path != NULL)
		rc = secret_read(call->header_path, header, sizeof(header), &len, err);
	header[strcspn(header, "\r\n")] = '\0';
	if (rc == 0)
		rc = web_start(call->hooks->web, &request, &call->exchange, err);
	secret_wipe(header, sizeof(header));
	free(body);
	return rc;
}

static void send_request(struct hook_call *call)
{
	struct err err;

	call->tried++;
	if (start_exchange(call, &err) != 0)
		request_failed(call, err.text, "");
}

static void try_again(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	send_request(timer->data);
}

/* Each hook has one command and one request at a time, so that it is told what happens in its
 * order, and one that hangs keeps no other waiting. */
static bool may_start(const struct hooks *hooks, const struct hook_call *call)
{
	const struct hook_call *other;

	if (call->words == NULL && hooks->requests == HOOK_REQUESTS_MAX)
		return false;
	TAILQ_FOREACH(other, &hooks->running, link)
	{
		if (same_kind(call, other))
			return false;
	}
	return true;
}

static void start_waiting(struct hooks *hooks)
{
	struct hook_call *call, *next;

	hooks->starting = true;
	for (call = TAILQ_FIRST(&hooks->waiting); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		if (!may_start(hooks, call))
			continue;
		TAILQ_REMOVE(&hooks->waiting, call, link);
		TAILQ_INSERT_TAIL(&hooks->running, call, link);
		hooks->requests += call->words == NULL;
		if (call->words != NULL)
			run_command(call);
		else
			send_request(call);
	}
	hooks->starting = false;
}

/* --- a call ------------------------------------------------------------------------------------ */

static char *copy(const char *text)
{
	return mem_copy_text(text != NULL ? text : "");
}

static struct hook_call *call_new(struct hooks *hooks, uint32_t number,
				  const struct hook_news *news)
{
	const struct plan_hook *hook = hook_at(hooks, number);
	struct hook_call *call = mem_alloc(sizeof(*call));

	call->hooks = hooks;
	call->number = number;
	call->timeout_ms = hook->timeout_ms;
	call->attempts = hook->attempts;
	call->facts = (struct hook_facts){
		.event = copy(news->event < HOOK_EVENTS ? hook_event_name[news->event] : "summary"),
		.pool = copy(news->event < HOOK_EVENTS ? plan_pool_name(&hooks->plan, news->pool)
						       : NULL),
		.node = copy(news->node),
		.site = copy(news->site),
		.addresses = copy(news->addresses),
		.from = copy(news->from),
		.to = copy(news->to),
		.reason = copy(news->reason),
		.at_unix_ms = clock_unix_ms(),
	};
	ev_timer_init(&call->retry, try_again, 0., 0.);
	call->retry.data = call;
	return call;
}

static bool has_room(struct hooks *hooks, const struct hook_call *call)
{
	const struct hook_call *other;
	size_t count = 0;

	TAILQ_FOREACH(other, &hooks->waiting, link)
	count += same_kind(call, other);
	if (count < HOOK_WAITING_MAX)
		return true;
	if (hooks->dropped++ % HOOK_WAITING_MAX == 0)
		log_warning("calls of hooks are dropped, for too many wait", "hook=%u so_far=%zu",
			    call->number + 1, hooks->dropped);
	return false;
}

static void queue(struct hook_call *call)
{
	struct hooks *hooks = call->hooks;

	if (!has_room(hooks, call)) {
		call_free(call);
		return;
	}
	TAILQ_INSERT_TAIL(&hooks->waiting, call, link);
	if (!hooks->starting)
		start_waiting(hooks);
}

static void begin_command(struct hooks *hooks, uint32_t number, const struct hook_news *news,
			  uint32_t left_out)
{
	const struct plan_hook *hook = hook_at(hooks, number);
	struct hook_call *call = call_new(hooks, number, news);

	call->facts.left_out = left_out;
	call->words_len = hook->words_len;
	call->words = mem_alloc(hook->words_len + 1U);
	memcpy(call->words, hooks->plan.base + hook->words, hook->words_len);
	queue(call);
}

static void begin_request(struct hooks *hooks, uint32_t number, const struct hook_news *news,
			  uint32_t left_out)
{
	const struct plan_hook *hook = hook_at(hooks, number);
	struct hook_call *call = call_new(hooks, number, news);

	call->facts.left_out = left_out;
	call->url = mem_copy_text(plan_text(&hooks->plan, hook->url));
	call->address = hook->address;
	if (hook->header != 0)
		call->header_path = mem_copy_text(plan_text(&hooks->plan, hook->header));
	queue(call);
}

static void call_hook(struct hooks *hooks, uint32_t number, const struct hook_news *news,
		      uint32_t left_out)
{
	if (hook_at(hooks, number)->words != 0)
		begin_command(hooks, number, news, left_out);
	if (hook_at(hooks, number)->url != 0)
		begin_request(hooks, number, news, left_out);
}

/* --- how often --------------------------------------------------------------------------------- */

static bool is_within_rate(struct hooks *hooks, uint32_t number)
{
	const struct plan_hook *hook = hook_at(hooks, number);
	struct rate *rate = &hooks->rates[number];
	uint64_t now_ms = clock_mono_ms();

	if (rate->left_out == 0 && now_ms - rate->began_ms >= hook->rate_ms)
		*rate = (struct rate){ .began_ms = now_ms };
	if (rate->called < hook->rate) {
		rate->called++;
		return true;
	}
	rate->left_out++;
	return false;
}

/* The summary is the first call of the next time. */
static void tell_summary(struct hooks *hooks, uint32_t number)
{
	static const struct hook_news summary = { .event = HOOK_EVENTS };
	struct rate *rate = &hooks->rates[number];
	uint64_t now_ms = clock_mono_ms();
	uint32_t left_out = rate->left_out;

	if (left_out == 0 || now_ms - rate->began_ms < hook_at(hooks, number)->rate_ms)
		return;
	*rate = (struct rate){ .began_ms = now_ms, .called = 1 };
	log_info("calls of a hook were left out, for there were too many", "hook=%u count=%u",
		 number + 1, left_out);
	call_hook(hooks, number, &summary, left_out);
}

static void look_at_rates(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct hooks *hooks = timer->data;

	(void)loop;
	(void)events;
	for (uint32_t i = 0; i < hook_count(hooks); i++)
		tell_summary(hooks, i);
}

/* --- for callers ------------------------------------------------------------------------------- */

static bool wants(const struct hooks *hooks, uint32_t number, const struct hook_news *news)
{
	const struct plan_hook *hook = hook_at(hooks, number);
	const uint32_t *numbers = plan_items(&hooks->plan, numbers, uint32_t);

	if ((hook->events & (1U << news->event)) == 0)
		return false;
	for (uint32_t i = 0; i < hook->pools.count; i++) {
		if (numbers[hook->pools.first + i] == news->pool)
			return true;
	}
	return hook->pools.count == 0;
}

void hooks_tell(struct hooks *hooks, const struct hook_news *news)
{
	for (uint32_t i = 0; i < hook_count(hooks); i++) {
		if (wants(hooks, i, news) && is_within_rate(hooks, i))
			call_hook(hooks, i, news, 0);
	}
}

void hooks_apply(struct hooks *hooks, const struct image *plan)
{
	uint32_t before = hook_count(hooks), now;
	struct rate *rates;

	hooks->plan = *plan;
	now = hook_count(hooks);
	rates = mem_array(now + 1U, sizeof(*rates));
	memcpy(rates, hooks->rates, (before < now ? before : now) * sizeof(*rates));
	free(hooks->rates);
	hooks->rates = rates;
	if (now > 0)
		ev_timer_again(hooks->loop, &hooks->summaries);
	else
		ev_timer_stop(hooks->loop, &hooks->summaries);
}

struct hooks *hooks_open(struct ev_loop *loop, struct runner *runner)
{
	struct hooks *hooks = mem_alloc(sizeof(*hooks));

	hooks->loop = loop;
	hooks->runner = runner;
	hooks->web = web_open(loop);
	hooks->rates = mem_array(1, sizeof(*hooks->rates));
	TAILQ_INIT(&hooks->running);
	TAILQ_INIT(&hooks->waiting);
	ev_timer_init(&hooks->summaries, look_at_rates, 0.25, 0.25);
	hooks->summaries.data = hooks;
	return hooks;
}

void hooks_close(struct hooks *hooks)
{
	struct hook_call *call;

	if (hooks == NULL)
		return;
	ev_timer_stop(hooks->loop, &hooks->summaries);
	TAILQ_CONCAT(&hooks->running, &hooks->waiting, link);
	while ((call = TAILQ_FIRST(&hooks->running)) != NULL) {
		TAILQ_REMOVE(&hooks->running, call, link);
		if (call->job != NULL)
			runner_cancel(hooks->runner, call->job);
		if (call->exchange != NULL)
			web_cancel(call->exchange);
		call_free(call);
	}
	web_close(hooks->web);
	free(hooks->rates);
	free(hooks);
}
