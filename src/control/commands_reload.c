/* The command to take the files as they are. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "control/commands_parts.h"

/* Who waits for the end of a reload. */
struct reload_asked {
	struct reload_asked *next;
	struct commands *commands;
	struct call *call;
};

static void reloaded(void *context, const json_t *report)
{
	struct reload_asked *asked = context;
	struct reload_asked **link = &asked->commands->reloads;

	while (*link != asked)
		link = &(*link)->next;
	*link = asked->next;
	call_answer(asked->call, report, NULL, 0);
	free(asked);
}

void command_reload(struct commands *commands, struct call *call, const json_t *request)
{
	struct reload_asker by = { .person = true };
	struct reload_asked *asked;
	struct store_action row = { 0 };
	struct err err;

	if (commands_take_who(call, request, &row, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	asked = mem_alloc(sizeof(*asked));
	asked->commands = commands;
	asked->call = call;
	asked->next = commands->reloads;
	commands->reloads = asked;
	(void)snprintf(by.who, sizeof(by.who), "%s", row.who);
	by.uid = row.uid;
	reload_request(commands->reload, &by, reloaded, asked);
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
