/* kind.h - what the engine asks of a kind of probe. A new kind is one file that fills in a
 * struct kind, and one line in engine.c; scheduling, timeouts, and verdicts are not its business.
 * Control's loop, one thread. */
#ifndef PROBE_KIND_H
#define PROBE_KIND_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/netprefix.h"

struct probe;

enum probe_outcome {
	PROBE_SUCCESS,
	PROBE_FAILURE,
	PROBE_NOT_MADE, /* for want of something of our own: says nothing about the node */
};

struct kind {
	const char *name;
	bool has_descriptor; /* a running probe holds one: their number is bounded */

	/* Begins a probe. It ends in exactly one probe->done, perhaps before start returns, unless
	 * it is cancelled before. */
	void (*start)(struct kind *kind, struct probe *probe);

	/* Ends a running probe without a result: its time is up, or nobody wants it any more. */
	void (*cancel)(struct kind *kind, struct probe *probe);

	void (*close)(struct kind *kind); /* nothing runs any more */
};

struct probe {
	struct ip_address address;
	uint16_t port;

	/* `why` is a text that lives for ever: "connected", "Connection refused". */
	void (*done)(struct probe *probe, enum probe_outcome outcome, const char *why);

	union { /* the kind's own, from start to done or cancel */
		struct {
			ev_io io;
		} tcp;
		struct {
			uint16_t sequence;
			uint8_t cookie[16];
		} icmp;
	};
};

/* Results that came in are looked at before timeouts that ran out while the loop was busy. */
#define KIND_IO_PRIORITY 1

struct kind *kind_tcp_open(struct ev_loop *loop);

/* raw_v4, raw_v6: as in prober_open. */
struct kind *kind_icmp_open(struct ev_loop *loop, int raw_v4, int raw_v6);

/* What an errno of socket, connect or send says: of the node (FAILURE) or of us (NOT_MADE). */
enum probe_outcome kind_outcome(int error);

#endif
