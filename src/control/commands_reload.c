/* The command to take the files as they are: what it changed is put on record, with who asked. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/commands_parts.h"
#include "control/diff.h"

/* Who waits for the end of a reload. */
struct reload_asked {
	struct reload_asked *next;
	struct commands *commands;
	struct call *call;
	struct store_action row;
};

static void record(struct reload_asked *asked, const json_t *report)
{
	char *summary;

	if (!json_is_true(json_object_get(report, "ok")) ||
	    !json_is_true(json_object_get(report, "changed")))
		return;
	summary = diff_summary(json_object_get(report, "changes"));
	asked->row.at_unix_ms = asked->row.from_unix_ms = clock_unix_ms();
	(void)snprintf(asked->row.reason, sizeof(asked->row.reason), "%s", summary);
	free(summary);
	running_record(asked->commands->running, &asked->row);
}

static void reloaded(void *context, const json_t *report)
{
	struct reload_asked *asked = context;
	struct reload_asked **link = &asked->commands->reloads;

	while (*link != asked)
		link = &(*link)->next;
	*link = asked->next;
	record(asked, report);
	call_answer(asked->call, report, NULL, 0);
	free(asked);
}

void command_reload(struct commands *commands, struct call *call, const json_t *request)
{
	struct reload_asked *asked = mem_alloc(sizeof(*asked));
	struct err err;

	if (commands_take_who(call, request, &asked->row, &err) != 0) {
		call_refuse(call, err.text);
		free(asked);
		return;
	}
	asked->commands = commands;
	asked->call = call;
	asked->next = commands->reloads;
	commands->reloads = asked;
	(void)snprintf(asked->row.action, sizeof(asked->row.action), "reload");
	(void)snprintf(asked->row.object, sizeof(asked->row.object), "files");
	reload_request(commands->reload, reloaded, asked);
}

void commands_close(struct commands *commands)
{
	struct reload_asked *next;

	for (struct reload_asked *asked = commands->reloads; asked != NULL; asked = next) {
		next = asked->next;
		free(asked);
	}
	commands->reloads = NULL;
}
