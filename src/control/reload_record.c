#include "control/reload_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/diff.h"

/* The first line that says "error", with its place; of messages without one the first line. */
static const char *first_mistake(const char *messages, size_t *len)
{
	const char *first = messages + strspn(messages, "\n");

	for (const char *line = first; *line != '\0'; line += *len + (line[*len] == '\n')) {
		*len = strcspn(line, "\n");
		if (memmem(line, *len, ": error: ", strlen(": error: ")) != NULL)
			return line;
	}
	*len = strcspn(first, "\n");
	return first;
}

/* Cuts what does not fit between two characters of UTF-8. */
static void put(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	memcpy(out, text, len);
	out[len] = '\0';
}

static char *refusal(const json_t *report)
{
	const char *error = json_string_value(json_object_get(report, "error"));
	const char *messages = json_string_value(json_object_get(report, "messages"));
	size_t len = 0;
	const char *first = first_mistake(messages != NULL ? messages : "", &len);

	return mem_format("%s%s%.*s", error != NULL ? error : "", len > 0 ? ": " : "", (int)len,
			  first);
}

static char *outcome(const json_t *report)
{
	return json_is_true(json_object_get(report, "changed"))
		       ? diff_summary(json_object_get(report, "changes"))
		       : mem_copy_text("nothing has changed");
}

bool reload_record(const struct reload_asker *by, const json_t *report, uint64_t now_ms,
		   struct store_action *out)
{
	bool taken = json_is_true(json_object_get(report, "ok"));
	char *reason;

	if (by->who[0] == '\0' ||
	    (taken && !by->person && !json_is_true(json_object_get(report, "changed"))))
		return false;
	reason = taken ? outcome(report) : refusal(report);
	*out = (struct store_action){ .at_unix_ms = now_ms,
				      .from_unix_ms = now_ms,
				      .uid = by->uid };
	put(out->action, sizeof(out->action), taken ? "reload" : "reload-refused");
	put(out->object, sizeof(out->object), "files");
	put(out->who, sizeof(out->who), by->who);
	put(out->reason, sizeof(out->reason), reason);
	free(reason);
	return true;
}
