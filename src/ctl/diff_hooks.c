/* What changes in the server file's hooks: a text for each option of each. */
#include <string.h>

#include "base/mem.h"
#include "ctl/diff_parts.h"
#include "image/hook_event.h"
#include "image/plan.h"

static void put_line(json_t *options, const char *option, struct buf *line)
{
	json_t *text = json_stringn(line->len == 0 ? "" : (const char *)line->data, line->len);

	json_object_set_new(options, option, text != NULL ? text : json_string("?"));
	buf_free(line);
}

static void put_events(json_t *options, const struct plan_hook *hook)
{
	struct buf line = { 0 };

	for (unsigned event = 0; event < HOOK_EVENTS; event++) {
		if ((hook->events & (1U << event)) != 0)
			buf_format(&line, "%s%s", line.len > 0 ? ", " : "", hook_event_name[event]);
	}
	put_line(options, "on", &line);
}

static void put_pools(json_t *options, const struct image *plan, const struct plan_hook *hook)
{
	const uint32_t *numbers = plan_items(plan, numbers, uint32_t);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	struct buf line = { 0 };

	for (uint32_t i = 0; i < hook->pools.count; i++)
		buf_format(&line, "%s%s", i > 0 ? ", " : "",
			   plan_text(plan, pools[numbers[hook->pools.first + i]].name));
	if (hook->pools.count == 0)
		buf_format(&line, "all");
	put_line(options, "pools", &line);
}

/* Words as they are, in quotes, so that each can be told from the next. */
static void put_command(json_t *options, const struct image *plan, const struct plan_hook *hook)
{
	struct buf line = { 0 };

	for (uint32_t at = 0; hook->words != 0 && at <= hook->words_len;) {
		const char *word = plan_text(plan, hook->words + at);

		buf_format(&line, "%s\"%s\"", at > 0 ? " " : "", word);
		at += (uint32_t)strlen(word) + 1;
	}
	put_line(options, "command", &line);
}

static void put_request(json_t *options, const struct image *plan, const struct plan_hook *hook)
{
	struct buf url = { 0 }, header = { 0 }, address = { 0 };
	char text[IP_TEXT_SIZE];

	buf_format(&url, "%s", plan_text(plan, hook->url));
	put_line(options, "url", &url);
	buf_format(&header, "%s", plan_text(plan, hook->header));
	put_line(options, "header", &header);
	if (hook->address.family != 0)
		buf_format(&address, "%s", ip_format(&hook->address, text));
	put_line(options, "address", &address);
}

static void put_limits(json_t *options, const struct plan_hook *hook)
{
	struct buf rate = { 0 }, timeout = { 0 }, attempts = { 0 };

	buf_format(&rate, "%u/%s", hook->rate,
		   hook->rate_ms <= 1000    ? "s"
		   : hook->rate_ms <= 60000 ? "m"
					    : "h");
	put_line(options, "rate", &rate);
	buf_format(&timeout, "%gs", hook->timeout_ms / 1000.);
	put_line(options, "timeout", &timeout);
	buf_format(&attempts, "%u", hook->attempts);
	put_line(options, "attempts", &attempts);
}

json_t *diff_hook(const struct image *plan, uint32_t number)
{
	const struct plan_hook *hook = &plan_items(plan, hooks, struct plan_hook)[number];
	json_t *options = json_object();

	put_events(options, hook);
	put_pools(options, plan, hook);
	put_command(options, plan, hook);
	put_request(options, plan, hook);
	put_limits(options, hook);
	return options;
}
