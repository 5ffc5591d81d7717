#include "ctl/command_orders.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "ctl/command_history.h"
#include "ctl/load.h"

/* --- times ------------------------------------------------------------------------------------ */

/* "1d12h30m5s", each unit at most once and in this order. */
static bool parse_duration(const char *text, uint64_t *ms)
{
	static const struct {
		char unit;
		uint64_t ms;
	} units[] = { { 'd', 86400000 }, { 'h', 3600000 }, { 'm', 60000 }, { 's', 1000 } };
	size_t next = 0;

	*ms = 0;
	if (text[0] == '\0')
		return false;
	while (text[0] != '\0') {
		size_t digits = strspn(text, "0123456789");
		size_t u = next;

		while (u < sizeof(units) / sizeof(units[0]) && text[digits] != units[u].unit)
			u++;
		if (digits == 0 || digits > 7 || u == sizeof(units) / sizeof(units[0]))
			return false;
		*ms += strtoull(text, NULL, 10) * units[u].ms;
		text += digits + 1;
		next = u + 1;
	}
	return true;
}

bool order_time(const char *text, uint64_t now_unix_ms, uint64_t *unix_ms)
{
	uint64_t ms, unix_s;

	if (parse_duration(text[0] == '+' ? text + 1 : text, &ms)) {
		*unix_ms = now_unix_ms + ms;
		return true;
	}
	if (!timestamp_parse(text, &unix_s))
		return false;
	*unix_ms = unix_s * 1000;
	return true;
}

int history_time(const char *option, const char *text, uint64_t now_ms, uint64_t *out_ms,
		 struct err *err)
{
	uint64_t ms, unix_s;

	if (parse_duration(text, &ms)) {
		*out_ms = ms < now_ms ? now_ms - ms : 0;
		return 0;
	}
	if (!timestamp_parse(text, &unix_s))
		return err_set(err,
			       "--%s \"%.100s\" is no time: 2026-12-24T18:00:00Z, or before now: "
			       "90m, 24h, 1d12h",
			       option, text);
	*out_ms = unix_s * 1000;
	return 0;
}

/* --- the request ------------------------------------------------------------------------------- */

const char *order_who(char *text, size_t size)
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *user = getpwuid(getuid());

	if (sudo != NULL && sudo[0] != '\0')
		(void)snprintf(text, size, "%s", sudo);
	else if (user != NULL)
		(void)snprintf(text, size, "%s", user->pw_name);
	else
		(void)snprintf(text, size, "uid %u", (unsigned)getuid());
	return text;
}

static int add_time(json_t *request, const char *key, const char *text, uint64_t now_unix_ms,
		    struct err *err)
{
	uint64_t unix_ms;

	if (text == NULL)
		return 0;
	if (!order_time(text, now_unix_ms, &unix_ms))
		return err_set(err,
			       "\"%.100s\" is no time: 2026-12-24T18:00:00Z, or from now +90m, "
			       "2h, 1d12h",
			       text);
	json_object_set_new(request, key, json_integer((json_int_t)unix_ms));
	return 0;
}

static int add_text(json_t *request, const char *key, const char *text, struct err *err)
{
	json_t *value = text == NULL ? NULL : json_string(text);

	if (text == NULL)
		return 0;
	if (value == NULL)
		return err_set(err, "the %s is not UTF-8", key);
	json_object_set_new(request, key, value);
	return 0;
}

/* Digits alone: a weight is written as in the files. */
static bool parse_weight(const char *text, json_int_t *out)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9 || text[digits] != '\0')
		return false;
	*out = (json_int_t)strtol(text, NULL, 10);
	return *out <= 65535;
}

static int add_weight(json_t *request, const struct order_options *options, const char *weight,
		      struct err *err)
{
	json_int_t number = 0;

	if (options->reset == (weight != NULL))
		return err_set(err, "weight wants a node and a number, or --reset");
	if (weight != NULL && !parse_weight(weight, &number))
		return err_set(err, "\"%.100s\" is no weight: a whole number from 0 to 65535",
			       weight);
	json_object_set_new(request, "weight", weight == NULL ? json_null() : json_integer(number));
	return 0;
}

static bool is_state(const char *text)
{
	return strcmp(text, "up") == 0 || strcmp(text, "down") == 0 ||
	       strcmp(text, "degraded") == 0;
}

static int add_state(json_t *request, const struct order_options *options, const char *state,
		     struct err *err)
{
	uint64_t ms;

	json_object_set_new(request, "state", json_string(state));
	if (options->duration != NULL) {
		if (!parse_duration(options->duration, &ms) || ms == 0)
			return err_set(err, "\"%.100s\" is no duration: 30s, 5m, 1h30m",
				       options->duration);
		json_object_set_new(request, "for_ms", json_integer((json_int_t)ms));
	}
	return add_text(request, "reason", options->reason, err);
}

static int add_load(json_t *request, const struct order_options *options, const char *argument,
		    struct err *err)
{
	const char *load = argument != NULL ? argument : options->load;
	double number;

	if (load == NULL || (argument != NULL && options->load != NULL))
		return err_set(err, "report wants a node and one load: report NODE LOAD");
	if (is_state(load))
		return add_state(request, options, load, err);
	if (options->duration != NULL || options->reason != NULL)
		return err_set(err, "a load knows no --for and --reason");
	if (load_parse(load, &number, err) != 0)
		return -1;
	json_object_set_new(request, "load", json_real(number));
	return 0;
}

/* "up" or "down" in place of an action's name. */
static int add_force(json_t *request, const char *way, struct err *err)
{
	bool up = way != NULL && strcmp(way, "up") == 0;

	if (way == NULL || (!up && strcmp(way, "down") != 0))
		return err_set(
			err,
			"force wants an object and up or down: force OBJECT up; enable ends it");
	json_object_set_new(request, "action", json_string(up ? "force-up" : "force-down"));
	return 0;
}

/* So long from its beginning on. */
static int add_duration(json_t *request, const struct order_options *options, uint64_t now_unix_ms,
			struct err *err)
{
	const json_t *from = json_object_get(request, "from_ms");
	uint64_t ms;

	if (options->duration == NULL)
		return 0;
	if (options->until != NULL)
		return err_set(err, "--for and --until both say when it ends");
	if (!parse_duration(options->duration, &ms) || ms == 0)
		return err_set(err, "\"%.100s\" is no duration: 90m, 2h, 1d12h", options->duration);
	ms += from != NULL ? (uint64_t)json_integer_value(from) : now_unix_ms;
	json_object_set_new(request, "until_ms", json_integer((json_int_t)ms));
	return 0;
}

/* What the command says beside its object. */
static int fill(json_t *request, const struct order_options *options, char **arguments, int count,
		uint64_t now_unix_ms, struct err *err)
{
	const char *command = arguments[0];
	const char *extra = count > 2 ? arguments[2] : NULL;

	if (strcmp(command, "weight") == 0 || strcmp(command, "report") == 0) {
		if (options->from != NULL || options->until != NULL)
			return err_set(err, "%s knows no --from and --until", command);
		if (strcmp(command, "report") == 0)
			return add_load(request, options, extra, err);
		if (add_weight(request, options, extra, err) != 0)
			return -1;
	} else if (strcmp(command, "force") == 0) {
		if (add_force(request, extra, err) != 0)
			return -1;
	} else if (extra != NULL) {
		return err_set(err, "one argument too many: %s", extra);
	} else {
		json_object_set_new(request, "action", json_string(command));
	}
	if (add_time(request, "from_ms", options->from, now_unix_ms, err) != 0 ||
	    add_time(request, "until_ms", options->until, now_unix_ms, err) != 0 ||
	    add_duration(request, options, now_unix_ms, err) != 0)
		return -1;
	return add_text(request, "reason", options->reason, err);
}

json_t *order_request(const struct order_options *options, char **arguments, int count,
		      uint64_t now_unix_ms, struct err *err)
{
	const char *command = arguments[0];
	bool own = strcmp(command, "weight") == 0 || strcmp(command, "report") == 0;
	char who[64];
	json_t *request;

	if (count < 2) {
		(void)err_set(err, "%s wants a node%s", command, own ? "" : ", a site or a pool");
		return NULL;
	}
	request = json_pack("{s:s}", "command", own ? command : "state");
	if (add_text(request, "object", arguments[1], err) != 0 ||
	    add_text(request, "who", order_who(who, sizeof(who)), err) != 0 ||
	    fill(request, options, arguments, count, now_unix_ms, err) != 0) {
		json_decref(request);
		return NULL;
	}
	return request;
}
