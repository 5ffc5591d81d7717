/* client.h - asking control over its socket (control/socket.h has the protocol). */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/channel.h"

struct reply {
	json_t *json;
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;
};

#define CLIENT_PATIENCE_S 10 /* for whatever control answers at once */

/* Blocks, for patience_s at most while nothing comes. -1: control cannot be reached, or said
 * nothing that can be read. */
int client_ask(const char *socket_path, const json_t *request, unsigned patience_s,
	       struct reply *out, struct err *err);
void reply_free(struct reply *reply);

bool reply_ok(const struct reply *reply);
const char *reply_error(const struct reply *reply); /* "" when it has none */

#endif
