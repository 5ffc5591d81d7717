/* datagrams.h - the UDP socket of a running probe, for kinds that send a datagram, perhaps again, and
 * wait for one that answers it: connected to the node, bound to the probe's source, with its watcher,
 * and a timer for the next attempt.
 *
 * What the network says of a datagram (ICMP: nobody listens, no such host) is proof of nothing: whoever
 * guesses our port can say it as well. So it ends no probe, for the answer may come all the same;
 * where none does, it is why. */
#ifndef PROBE_DATAGRAMS_H
#define PROBE_DATAGRAMS_H

#include "probe/kind.h"

#define DATAGRAM_MAX 4096 /* what is longer is cut */

/* A datagram has come. true: it was the answer, and the probe has ended. */
typedef bool datagram_take_fn(struct probe *probe, const uint8_t *data, size_t len);

/* It is time for the next attempt. */
typedef void datagram_again_fn(struct probe *probe);

struct datagrams {
	struct ev_loop *loop;
	struct probe *probe;
	datagram_take_fn *take;
	datagram_again_fn *again;
	ev_io io;
	ev_timer timer;
	int said; /* an errno: by the network, the last time; 0: nothing */
};

/* false: the probe has ended, since there is no socket. `again` is NULL where there is one attempt. */
bool datagrams_open(struct datagrams *d, struct ev_loop *loop, struct probe *probe,
		    datagram_take_fn *take, datagram_again_fn *again);

/* Before the probe ends. */
void datagrams_close(struct datagrams *d);

/* Sends one, even where that is when the network's word on the last one is heard. 0, or the errno of
 * what keeps this machine from sending it. */
int datagrams_send(struct datagrams *d, const void *data, size_t len);

/* Calls `again` in so long, once; what was to come sooner or later does not come. */
void datagrams_again(struct datagrams *d, uint64_t delay_us);

/* Closes, and ends the probe with what an errno says. */
void datagrams_fail(struct datagrams *d, int error);

/* The time is up: closes, and says why nothing came, as far as the network does. */
void datagrams_expire(struct datagrams *d, struct probe_result *result);

#endif
