/* The server file's hooks: what is run, or sent, when something changes. */
#include <stdlib.h>
#include <string.h>

#include "conf/command.h"
#include "conf/parts.h"
#include "conf/secret_file.h"
#include "conf/seen.h"
#include "image/hook_event.h"

#define HOOKS_MAX 64
#define URL_MAX   1024

static const char *const placeholders[] = { NULL };

/* --- single values ----------------------------------------------------------------------------- */

static void read_event(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct config_hook *hook = context;
	unsigned event = 0;

	while (event < HOOK_EVENTS && strcmp(hook_event_name[event], item->text) != 0)
		event++;
	if (event == HOOK_EVENTS)
		conf_error(conf, &item->place, "\"%.100s\" is not %s%s", item->text,
			   conf_word_list(conf, hook_event_name),
			   conf_hint(conf, item->text, hook_event_name, HOOK_EVENTS));
	else
		hook->events |= 1U << event;
}

static void read_on(struct conf *conf, const struct yaml_node *value, void *out)
{
	items_read(conf, value, "an event or a list of events", read_event, out);
}

static void read_pool(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct config_hook *hook = context;

	hook->pools[hook->pool_count++] = item->text;
	(void)conf;
}

static void read_pools(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_hook *hook = out;

	hook->pools = arena_alloc(conf->arena, items_count(value) * sizeof(*hook->pools));
	items_read(conf, value, "a pool or a list of pools", read_pool, hook);
	hook->pools_written = value;
}

static void read_command(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_hook *hook = out;
	struct config_command command = { 0 };

	(void)command_read(conf, value, placeholders, &command);
	hook->words = command.words;
	hook->words_len = command.len;
}

/* The host of a URL, "" where there is none. */
static const char *host_of(struct conf *conf, const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	host = host == NULL ? url : host + 3;
	if (host[0] == '[')
		return arena_text(conf->arena, host + 1, strcspn(host + 1, "]"));
	len = strcspn(host, ":/?#");
	return arena_text(conf->arena, host, len);
}

static void read_url(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_hook *hook = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "a URL"))
		return;
	if (strncmp(value->text, "http://", 7) != 0 && strncmp(value->text, "https://", 8) != 0)
		conf_error(conf, &value->place,
			   "\"%.100s\" begins with neither http:// nor https://", value->text);
	else if (strlen(value->text) > URL_MAX || strpbrk(value->text, " \t\r\n@") != NULL)
		conf_error(conf, &value->place,
			   "a URL has at most %d octets, and neither blanks nor \"@\"", URL_MAX);
	else if (host_of(conf, value->text)[0] == '\0')
		conf_error(conf, &value->place, "\"%.100s\" has no host", value->text);
	else
		hook->url = value->text;
}

static void read_address(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_hook *hook = out;

	if (conf_expect(conf, value, YAML_SCALAR, "an address") &&
	    !ip_parse(value->text, &hook->address))
		conf_error(conf, &value->place, "\"%.100s\" is neither an IPv4 nor an IPv6 address",
			   value->text);
}

/* "Name: value", of one line. */
static const char *check_header(const char *text, size_t len, void *context)
{
	size_t end = strcspn(text, "\r\n");
	const char *colon = memchr(text, ':', end);

	(void)context;
	if (colon == NULL || colon == text || strspn(text + end, "\r\n") != len - end)
		return "is no header of one line, such as \"Authorization: Bearer WORD\"";
	return NULL;
}

static void read_header(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct secret_rule rule = { .check = check_header };
	struct config_hook *hook = out;
	struct secret_path path = { 0 };

	(void)secret_path_read(conf, value, &rule, &path);
	hook->header_path = path.path;
}

/* "10/m": so many in a second, a minute, an hour. */
static void read_rate(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct {
		const char *unit;
		uint32_t ms;
	} units[] = { { "/s", 1000 }, { "/m", 60000 }, { "/h", 3600000 } };
	struct config_hook *hook = out;
	size_t digits, unit = 0;
	const char *text;

	if (!conf_expect(conf, value, YAML_SCALAR, "a rate such as 10/m"))
		return;
	text = value->text;
	digits = strspn(text, "0123456789");
	while (unit < 3 && strcmp(text + digits, units[unit].unit) != 0)
		unit++;
	hook->rate = digits > 0 && digits < 6 ? (uint32_t)strtoul(text, NULL, 10) : 0;
	if (unit == 3 || hook->rate == 0 || hook->rate > 1000)
		conf_error(conf, &value->place,
			   "\"%.100s\" is not a rate such as 10/m: 1 to 1000 a second (/s), a "
			   "minute (/m) or an hour (/h)",
			   text);
	else
		hook->rate_ms = units[unit].ms;
}

/* --- a hook ------------------------------------------------------------------------------------ */

static const struct option hook_options[] = {
	{ "on", OPTION_OTHER, .required = true, .read = read_on, .kind = "list",
	  .accepts = "one or more of the events",
	  .manual = "what a node or a pool has become when the hook is called" },
	{ "pools", OPTION_OTHER, .read = read_pools, .kind = "list", .accepts = "names of pools",
	  .manual = "only for these pools and their nodes; by default for all" },
	{ "command", OPTION_OTHER, .read = read_command, .kind = "list",
	  .accepts = "the path of a program, and its arguments",
	  .manual = "is run, with what has happened in its environment" },
	{ "url", OPTION_OTHER, .read = read_url, .kind = "text",
	  .accepts = "a URL with http:// or https://",
	  .manual = "gets what has happened as JSON, by POST" },
	{ "address", OPTION_OTHER, .read = read_address, .kind = "address", .accepts = "an address",
	  .manual = "where the host of the URL is; no name is looked up" },
	{ "header", OPTION_OTHER, .read = read_header, .kind = "path",
	  .accepts = "the path of a file",
	  .manual = "holds a header line that is sent, too, such as Authorization: Bearer WORD" },
	{ "rate", OPTION_OTHER, .read = read_rate, .dflt = "10/m", .kind = "text",
	  .accepts = "1 to 1000 a second (/s), a minute (/m) or an hour (/h)",
	  .manual = "how often it is called at most; the others are counted, and told together" },
	{ "timeout", OPTION_DURATION, OPTION_FIELD(struct config_hook, timeout_ms), .unit_ms = 1,
	  .min = 100, .max = 600000, .dflt = "10s",
	  .manual = "a command is killed then, and a request given up" },
	{ "attempts", OPTION_NUMBER, OPTION_FIELD(struct config_hook, attempts), .min = 1,
	  .max = PLAN_HOOK_TRIES_MAX, .counts = "attempts", .dflt = "3",
	  .manual = "for a URL: how often one call is tried in all" },
};

const struct option_section hook_section = OPTION_SECTION("server: hooks[]", hook_options);

/* What is of requests alone. */
static void check_no_request(struct conf *conf, const struct yaml_node *item)
{
	static const char *const names[] = { "address", "header", "attempts" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct yaml_node *value = yaml_get(item, names[i]);

		if (value != NULL)
			conf_error(conf, &value->key->place, "\"%s\" means nothing without \"url\"",
				   names[i]);
	}
}

static void check_hook(struct conf *conf, const struct yaml_node *item, struct config_hook *hook)
{
	const struct yaml_node *address = yaml_get(item, "address");
	struct ip_address host;

	if (yaml_get(item, "command") == NULL && yaml_get(item, "url") == NULL)
		conf_error(conf, &item->place, "a hook needs a \"command\" or a \"url\"");
	if (hook->url == NULL) {
		if (yaml_get(item, "url") == NULL)
			check_no_request(conf, item);
		return;
	}
	if (ip_parse(host_of(conf, hook->url), &host)) {
		if (address != NULL)
			conf_error(conf, &address->key->place,
				   "the host of the URL is an address already");
	} else if (address == NULL) {
		conf_error(conf, &yaml_get(item, "url")->place,
			   "names are not looked up: say where %.100s is with \"address\"",
			   host_of(conf, hook->url));
	}
}

void hooks_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct config_hook *hooks;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of hooks"))
		return;
	if (value->count > HOOKS_MAX) {
		conf_error(conf, &value->place, "there are more than %d hooks", HOOKS_MAX);
		return;
	}
	hooks = arena_alloc(conf->arena, value->count * sizeof(*hooks));
	yaml_foreach(item, value) {
		option_read_map(conf, &hook_section, item, &item->place, &hooks[count]);
		if (item->kind == YAML_MAP)
			check_hook(conf, item, &hooks[count]);
		count++;
	}
	config->hooks = hooks;
	config->hook_count = count;
}

/* --- when the pools are known ------------------------------------------------------------------ */

struct finding {
	struct config_hook *hook;
	size_t at;
};

static void find_pool(struct conf *conf, const struct yaml_node *item, void *context)
{
	const struct config *config = conf->config;
	struct finding *finding = context;
	const char **names;

	for (size_t i = 0; i < config->pool_count; i++) {
		if (strcmp(config->pools[i].name, item->text) == 0) {
			finding->hook->pool_numbers[finding->at++] = (uint32_t)i;
			return;
		}
	}
	names = arena_alloc(conf->arena, (config->pool_count + 1) * sizeof(*names));
	for (size_t i = 0; i < config->pool_count; i++)
		names[i] = config->pools[i].name;
	conf_error(conf, &item->place, "there is no pool \"%.100s\"%s", item->text,
		   conf_hint(conf, item->text, names, config->pool_count));
}

void hooks_link(struct conf *conf)
{
	for (size_t i = 0; i < conf->config->hook_count; i++) {
		struct config_hook *hook = &conf->config->hooks[i];
		struct finding finding = { hook, 0 };

		if (hook->pool_count == 0)
			continue;
		hook->pool_numbers = arena_alloc(conf->arena,
						 hook->pool_count * sizeof(*hook->pool_numbers));
		items_read(conf, hook->pools_written, "a pool or a list of pools", find_pool,
			   &finding);
	}
}
