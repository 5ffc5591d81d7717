#include "control/hook_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/report.h"

void hook_facts_free(struct hook_facts *facts)
{
	free(facts->event);
	free(facts->pool);
	free(facts->node);
	free(facts->site);
	free(facts->addresses);
	free(facts->from);
	free(facts->to);
	free(facts->reason);
}

/* --- variables --------------------------------------------------------------------------------- */

static const char *text_of(const char *text)
{
	return text != NULL ? text : "";
}

void hook_variables_make(const struct hook_facts *facts, struct hook_variables *out)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{ "EVENT", facts->event },   { "POOL", facts->pool },
		{ "NODE", facts->node },     { "SITE", facts->site },
		{ "FROM", facts->from },     { "TO", facts->to },
		{ "REASON", facts->reason }, { "ADDRESSES", facts->addresses },
	};
	size_t count = 0;

	out->text[count++] = mem_copy_text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
					   "/sbin:/bin");
	out->text[count++] = mem_copy_text("LC_ALL=C");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		out->text[count++] = mem_format("SIGNPOST_%s=%s", rows[i].name,
						text_of(rows[i].value));
	out->text[count++] = mem_format("SIGNPOST_TIME=%llu",
					(unsigned long long)facts->at_unix_ms / 1000);
	out->text[count++] = mem_format("SIGNPOST_LEFT_OUT=%u", (unsigned)facts->left_out);
	for (size_t i = 0; i < count; i++)
		out->list[i] = out->text[i];
	out->list[count] = NULL;
}

void hook_variables_free(struct hook_variables *variables)
{
	for (size_t i = 0; variables->list[i] != NULL; i++)
		free(variables->text[i]);
}

/* --- JSON -------------------------------------------------------------------------------------- */

static json_t *address_list(const char *addresses)
{
	json_t *list = json_array();
	size_t len;

	for (const char *at = text_of(addresses); *at != '\0'; at += len + (at[len] == ' ')) {
		len = strcspn(at, " ");
		json_array_append_new(list, json_stringn(at, len));
	}
	return list;
}

char *hook_json(const struct hook_facts *facts)
{
	json_t *told = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I}", "event",
		text_of(facts->event), "pool", text_of(facts->pool), "node", text_of(facts->node),
		"site", text_of(facts->site), "from", text_of(facts->from), "to",
		text_of(facts->to), "reason", report_text(text_of(facts->reason)), "addresses",
		address_list(facts->addresses), "time", (json_int_t)(facts->at_unix_ms / 1000),
		"left_out", (json_int_t)facts->left_out);
	char *text = json_dumps(told, JSON_COMPACT);

	json_decref(told);
	return text;
}
