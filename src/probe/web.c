/* web.c - libcurl tells which descriptors it waits for and until when (curl_multi_socket_action);
 * libev does the waiting. */
#include "probe/web.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "probe/kind.h"
#include "probe/tls_files.h"
#include "probe/web_parts.h"

struct web {
	struct ev_loop *loop;
	CURLM *multi; /* NULL: there was no request yet */
	ev_timer timer;
	SSL_CTX *system; /* what the system trusts; NULL: not needed yet */
	LIST_HEAD(, web_exchange) exchanges;
};

/* One of libcurl's sockets. */
struct web_socket {
	ev_io io;
	struct web *web;
};

int web_library_open(struct err *err)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	return code == CURLE_OK ? 0 : err_set(err, "libcurl: %s", curl_easy_strerror(code));
}

void web_library_close(void)
{
	curl_global_cleanup();
}

/* --- what has ended ------------------------------------------------------------------------ */

static void exchange_free(struct web_exchange *exchange)
{
	LIST_REMOVE(exchange, entry);
	(void)curl_multi_remove_handle(exchange->web->multi, exchange->easy);
	web_exchange_close(exchange);
}

static void finish(struct web_exchange *exchange, CURLcode code)
{
	struct web_answer answer;

	web_exchange_answer(exchange, code, &answer);
	/* The connection ends before anything is made of what it brought. */
	LIST_REMOVE(exchange, entry);
	(void)curl_multi_remove_handle(exchange->web->multi, exchange->easy);
	exchange->done(exchange->context, &answer);
	web_exchange_close(exchange);
}

static void take_ended(struct web *web)
{
	struct web_exchange *exchange;
	CURLMsg *message;
	CURLcode code;
	int left;

	while ((message = curl_multi_info_read(web->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result; /* the message ends with its handle */
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
		finish(exchange, code);
	}
}

/* --- libcurl on libev ---------------------------------------------------------------------- */

static void act(struct web *web, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(web->multi, fd, events, &running);
	take_ended(web);
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct web_socket *s = io->data;

	(void)loop;
	act(s->web, io->fd,
	    ((events & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
		    ((events & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* `what`: which events of this socket libcurl wants to hear of. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	struct web *web = context;
	struct web_socket *s = of_socket;
	int events = ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
		     ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0);

	(void)easy;
	if (s != NULL)
		ev_io_stop(web->loop, &s->io);
	if (what == CURL_POLL_REMOVE) {
		(void)curl_multi_assign(web->multi, fd, NULL);
		free(s);
		return 0;
	}
	if (s == NULL) {
		s = mem_alloc(sizeof(*s));
		s->web = web;
		(void)curl_multi_assign(web->multi, fd, s);
	}
	ev_io_init(&s->io, on_ready, fd, events);
	ev_set_priority(&s->io, KIND_IO_PRIORITY);
	s->io.data = s;
	if (events != 0)
		ev_io_start(web->loop, &s->io);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *context)
{
	struct web *web = context;

	(void)multi;
	ev_timer_stop(web->loop, &web->timer);
	if (ms < 0)
		return 0;
	ev_now_update(web->loop);
	ev_timer_set(&web->timer, (double)ms / 1000, 0.0);
	ev_timer_start(web->loop, &web->timer);
	return 0;
}

static int open_multi(struct web *web, struct err *err)
{
	if (web->multi != NULL)
		return 0;
	web->multi = curl_multi_init();
	if (web->multi == NULL)
		return err_set(err, "libcurl: no memory or descriptor");
	(void)curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	(void)curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
	(void)curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
	return 0;
}

/* --- requests ------------------------------------------------------------------------------ */

struct web *web_open(struct ev_loop *loop)
{
	struct web *web = mem_alloc(sizeof(*web));

	web->loop = loop;
	ev_timer_init(&web->timer, on_time, 0.0, 0.0);
	web->timer.data = web;
	LIST_INIT(&web->exchanges);
	return web;
}

void web_close(struct web *web)
{
	struct web_exchange *exchange, *next;

	if (web == NULL)
		return;
	for (exchange = LIST_FIRST(&web->exchanges); exchange != NULL; exchange = next) {
		next = LIST_NEXT(exchange, entry);
		exchange_free(exchange);
	}
	if (web->multi != NULL)
		(void)curl_multi_cleanup(web->multi);
	ev_timer_stop(web->loop, &web->timer);
	SSL_CTX_free(web->system);
	free(web);
}

static int open_system_trust(struct web *web, struct err *err)
{
	const struct tls_files none = { 0 };

	return web->system != NULL ? 0 : tls_files_read(&web->system, &none, err);
}

int web_start(struct web *web, const struct web_request *request, struct web_exchange **out,
	      struct err *err)
{
	struct web_exchange *exchange;
	CURLMcode code;

	if (open_multi(web, err) != 0 || (request->tls == NULL && open_system_trust(web, err) != 0))
		return -1;
	exchange = web_exchange_open(request, request->tls != NULL ? request->tls : web->system,
				     err);
	if (exchange == NULL)
		return -1;
	exchange->web = web;
	/* Nothing happens in here but that the timer is set. */
	code = curl_multi_add_handle(web->multi, exchange->easy);
	if (code != CURLM_OK) {
		web_exchange_close(exchange);
		return err_set(err, "libcurl: %s", curl_multi_strerror(code));
	}
	LIST_INSERT_HEAD(&web->exchanges, exchange, entry);
	*out = exchange;
	return 0;
}

void web_cancel(struct web_exchange *exchange)
{
	exchange_free(exchange);
}
