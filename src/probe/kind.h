/* kind.h - what the engine asks of a kind of probe. A new kind is one file that fills in a
 * struct kind, and one line in engine.c; scheduling, timeouts, and verdicts are not its business.
 * Control's loop, one thread: nothing here may block, and that goes for looking up names, too. */
#ifndef PROBE_KIND_H
#define PROBE_KIND_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netprefix.h"
#include "probe/evidence.h"

struct probe;
struct web;
struct reports;
struct runner;

enum probe_outcome {
	PROBE_SUCCESS,
	PROBE_WARNING, /* a success, but something calls for attention: the node is degraded */
	PROBE_FAILURE,
	PROBE_NOT_MADE, /* for want of something of our own: says nothing about the node */
};

/* What whoever answered asks for, as HAProxy's agents do. It holds until they ask for another: after
 * WISH_NONE, after failures, and so does a weight. */
enum probe_wish { WISH_NONE, WISH_READY, WISH_DRAIN, WISH_MAINT };

#define PROBE_WHY_SIZE 72

struct probe_result {
	enum probe_outcome outcome;
	/* "connected", "Connection refused", "HTTP status 503"; copied, as by kind_reason. */
	const char *why;
	uint32_t rtt_us; /* as measured by the kind; 0: from start to done */
	/* Of kinds whose outcome is about more than this one time. */
	enum probe_reach { REACH_AS_OUTCOME, REACH_ANSWERED, REACH_LOST } reach;
	bool has_use;
	double use; /* load as a part of what there may be: 1.0 is full */
	bool has_weight;
	uint16_t weight_percent; /* of the configured weight */
	enum probe_wish wish;
};

struct kind {
	const char *name;
	size_t own_size;     /* of probe->own, zeroed before prepare; 0: there is none */
	bool has_descriptor; /* a running probe holds one: their number is bounded */

	/* Before the first start: reads what the settings name (keys, certificates). -1: every turn
	 * of the check is PROBE_NOT_MADE with the error as the reason, until the check ends.
	 * NULL: there is nothing to do. */
	int (*prepare)(struct kind *kind, struct probe *probe, struct err *err);
	/* After the last start, whether or not prepare went well. NULL: nothing to do. */
	void (*release)(struct kind *kind, struct probe *probe);

	/* Begins a probe. It ends in exactly one probe->done, perhaps before start returns, unless
	 * it is cancelled before. */
	void (*start)(struct kind *kind, struct probe *probe);

	/* Ends a running probe without a result: its time is up, or nobody wants it any more. */
	void (*cancel)(struct kind *kind, struct probe *probe);

	/* The same, where its time is up: says what that counts as, which is a failure ("timeout")
	 * where it leaves the result as it is. NULL: cancel. */
	void (*expire)(struct kind *kind, struct probe *probe, struct probe_result *result);

	void (*close)(struct kind *kind); /* nothing runs any more */
};

struct probe {
	struct ip_address address; /* family 0: the kind probes none */
	/* Of all addresses of a node this probe has the same one here, the first; family 0: unknown. */
	struct ip_address home;
	uint16_t port;             /* 0: the kind has none */
	struct ip_address source;  /* family 0: the kernel chooses */
	uint32_t timeout_ms, interval_ms;
	/* Whose it is, where its kind asks for that (probe_names_node), else NULL: such a probe is
	 * shared with nobody. */
	const char *pool, *node;
	const void *settings;      /* image/probe_<kind>.h; aligned; as long as the probe lives */
	struct evidence *evidence; /* NULL: nobody looks (evidence.h) */
	void *own;                 /* the kind's, from prepare to release */

	void (*done)(struct probe *probe, const struct probe_result *result);
	void (*went_on)(struct probe *probe); /* kind_went_on; NULL: nobody wants to know */
};

/* Results that came in are looked at before timeouts that ran out while the loop was busy. */
#define KIND_IO_PRIORITY 1

/* What kinds are opened with. All of it outlives them. */
struct kind_tools {
	struct ev_loop *loop;
	/* Raw sockets or -1, used where ping sockets are not allowed. */
	int icmp_v4, icmp_v6;
	struct web *web;       /* for HTTP, never NULL; the prober opens it */
	const char *state_dir; /* where a kind may keep what has to outlive a run; NULL: nowhere */
	struct runner *runner; /* of commands; NULL: there is none */
	struct reports *reports; /* of nodes by operators and tools; NULL: there are none */
};

typedef struct kind *kind_open_fn(const struct kind_tools *tools);

kind_open_fn kind_tcp_open, kind_icmp_open, kind_wireguard_open, kind_openvpn_open;
kind_open_fn kind_openvpn_management_open, kind_openvpn_status_open;
kind_open_fn kind_exec_open, kind_agent_open, kind_file_open, kind_push_open;
kind_open_fn kind_ikev2_open;
kind_open_fn kind_prometheus_open;
kind_open_fn kind_http_open, kind_https_open, kind_tls_open, kind_dns_open, kind_udp_open;

/* What an errno of socket, connect or send says: of the node (FAILURE) or of us (NOT_MADE). */
enum probe_outcome kind_outcome(int error);

/* The same of this probe: a source that is no address of this machine is our lack. */
enum probe_outcome kind_errno_outcome(const struct probe *probe, int error);

/* Ends the probe with what an errno says. */
void kind_failed(struct probe *probe, int error);

/* probe->done with this outcome and reason, and nothing else. */
void kind_done(struct probe *probe, enum probe_outcome outcome, const char *why);

/* A step of several is made: the other side has taken the connection, or has said a part of what it has to
 * say, and what we say to that is sent. What this process stood still before is not held against it. To be
 * called last of all, for the step may have ended the probe: then it is of no interest. */
void kind_went_on(struct probe *probe);

/* What there is room for: whole words, and "..." in the place of those that are left out. */
void kind_reason(char why[PROBE_WHY_SIZE], const char *text);

/* Has the probe made as soon as may be, where it waits for its turn. */
void kind_hasten(struct probe *probe);

/* A socket for the probe (`type` is SOCK_STREAM or SOCK_DGRAM), not blocking, bound to its source,
 * and connected or (TCP) being connected to its address and port. -1: errno says why. */
int kind_socket(const struct probe *probe, int type);

/* Watches the socket: KIND_IO_PRIORITY, `data` is the watcher's. */
void kind_watch(struct ev_loop *loop, ev_io *io, void (*callback)(struct ev_loop *, ev_io *, int),
		int fd, int events, void *data);

/* The socket is writable for the first time: 0, and it is connected, or the errno of why it is not. */
int kind_connected(int fd);

#endif
