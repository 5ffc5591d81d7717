/* socket.h - the control socket: RUN/control.sock, a Unix stream; one request a connection.
 *
 *   client: one line of JSON, at most SOCKET_REQUEST_MAX octets
 *   server: one line of JSON, descriptors (SCM_RIGHTS) with its first octet, end of stream
 *
 * The socket outlives the process: the supervisor keeps a copy that listens and gives it to the next
 * control, so who asks in between waits for it.
 *
 * Nobody waits for anybody: a client that says nothing or takes nothing is cut off after
 * SOCKET_PATIENCE_S, and the longest silent one (or one that has gone) makes room when there are
 * SOCKET_CLIENTS_MAX. */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <ev.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "control/supervisor.h"

#define SOCKET_REQUEST_MAX 4096
#define SOCKET_CLIENTS_MAX 128
#define SOCKET_PATIENCE_S  10.

struct control_socket;
struct call; /* one client, from its request to its answer */

/* Is to answer every call, now or later. */
typedef void socket_request_fn(void *context, struct call *call, const json_t *request);

/* Goes on with the socket of an earlier control where that is still in its place. Where the socket cannot be made, or is removed later, that is logged and tried again every few
 * seconds: probing and steering need no client. */
struct control_socket *control_socket_open(struct ev_loop *loop, struct supervisor *supervisor,
					   const char *run_dir, socket_request_fn *request,
					   void *context);
void control_socket_close(struct control_socket *socket); /* cuts all off; NULL is fine */

/* Who asks: the user id of the process that connected, as the kernel has it. */
uint32_t call_uid(const struct call *call);

/* The descriptors are duplicated. The call is over for the caller. */
void call_answer(struct call *call, const json_t *reply, const int *fds, size_t fd_count);
void call_refuse(struct call *call, const char *error); /* {"ok": false, "error": ...} */

#endif
