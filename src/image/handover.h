/* handover.h - the messages between the supervisor and its children (over a channel).
 *
 * A child is started with its end of the channel as descriptor HANDOVER_FD. The supervisor first
 * sends what it holds, then HANDOVER_START; from then on both sides speak when there is news.
 *
 *   type         from -> to         descriptors            fields used
 *   LISTENER     sup -> dns         1 socket               protocol, worker
 *   COUNTERS     sup -> dns,control 1 memfd                worker (their number)
 *   ICMP         sup -> control     1 raw socket           protocol: 4 or 6
 *   SOCKET       control -> sup     the control socket, listening: kept, so that who asks while there
 *                                   is no control waits for the next one   world: its path's inode
 *                sup -> control     the same, before START, to a control that was restarted
 *   WORLD        control -> sup     zones geo steering plan locations (the last may be missing)
 *                sup -> dns         zones geo steering
 *                sup -> control     all of what is served: before START, a control that was restarted
 *                                   adopts it; after, what control made last was refused or kept
 *                                   ending the data plane, and it goes on with this one
 *   STEERING     control -> sup -> dns  1 steering image   (zones and geo stay)
 *   START        sup -> child       -                      worker (their number), text: see below
 *   READY        dns -> sup -> control  -                  world: the steering id being served
 *   REFUSED      dns -> sup         -                      text: why the world was not taken
 *                control -> sup     -                      text: there is no world, and why
 *   RELOAD       sup -> control     -                      worker: the user id of who sent SIGHUP, or
 *                                                          HANDOVER_NOBODY
 *                control -> sup     -                      text: how that reload ended
 *   PROCESSES    sup -> control     -                      processes (before START, and after every
 *                                                          change), text:
 *                                                          what is served, up to the first ";"
 *
 * START's text for control: the server file's path; for dns: "". Its `world` for control: the id of
 * the boot record (image/boot.h) that the supervisor acts on. */
#ifndef IMAGE_HANDOVER_H
#define IMAGE_HANDOVER_H

#include <stdint.h>

#define HANDOVER_FD     3
#define HANDOVER_NOBODY UINT32_MAX /* no process sent it, but the kernel */

enum handover_type {
	HANDOVER_LISTENER = 1,
	HANDOVER_COUNTERS,
	HANDOVER_ICMP,
	HANDOVER_WORLD,
	HANDOVER_STEERING,
	HANDOVER_START,
	HANDOVER_READY,
	HANDOVER_REFUSED,
	HANDOVER_RELOAD,
	HANDOVER_PROCESSES,
	HANDOVER_SOCKET,
};

enum handover_protocol { HANDOVER_UDP = 1, HANDOVER_TCP = 2 };

struct handover_process {
	int32_t pid; /* 0: not running */
	uint32_t restarts;
	uint64_t started_unix_ms;
};

struct handover {
	uint32_t type;
	uint32_t protocol;
	uint32_t worker;
	uint32_t fd_count; /* descriptors that belong to the message */
	uint64_t world;
	struct handover_process supervisor, dns, control;
	char text[4096];
};

/* One cache-line set for each UDP or TCP thread; only that thread writes it. */
struct counters {
	_Alignas(64) uint64_t queries_udp; /* only the first: each would get a line of its own */
	uint64_t queries_tcp, answers_udp, answers_tcp, dropped, truncated, noerror, nxdomain,
		refused, formerr, servfail, notimp, with_ecs, steered, badvers, connections;
	uint64_t connections_open; /* now */
	uint64_t connections_evicted, connections_timed_out;
};

#define COUNTERS_THREADS_MAX 256

/* Steered queries by client class: where they come from (signpostctl profile). Classes are those of
 * one geo image, so a thread that answers from another one begins anew. */
struct class_counters {
	_Alignas(64) uint64_t geo_id; /* whose classes these are; 0: nothing is counted yet */
	uint64_t class_count;         /* how many of the numbers below have been in use */
	uint64_t reserved[6];
	uint32_t steered[65536]; /* by class */
};

/* The counters page: one of each for each thread. Pages that nobody touches take no memory. */
struct counters_page {
	struct counters counters[COUNTERS_THREADS_MAX];
	struct class_counters classes[COUNTERS_THREADS_MAX];
};

#endif
