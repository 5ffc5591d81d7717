/* probe_load.c - what thousands of TCP checks cost: probe_load CHECKS INTERVAL_MS SECONDS
 *
 * A child accepts on all of 127.0.0.0/8; the parent measures that many loopback addresses and
 * prints its own processor time, descriptors and lateness of starts, once the first round is
 * over. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/engine.h"
#include "probe/prober.h"
#include "tests/unit/probe/sketch.h"

#define PORT 20199

static uint32_t descriptors_least = UINT32_MAX;
static uint64_t changes;

static void on_change(void *context, uint32_t node, const struct node_state *before,
		      const struct node_state *now)
{
	(void)context;
	(void)node;
	(void)before;
	(void)now;
	changes++;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	const struct engine *engine = timer->data;

	(void)loop;
	(void)events;
	if (engine->descriptors < descriptors_least)
		descriptors_least = engine->descriptors;
}

static pid_t start_server(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;
	pid_t pid;

	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(listener, 4096) != 0) {
		perror("listen");
		exit(EXIT_FAILURE);
	}
	pid = fork();
	if (pid != 0) {
		(void)close(listener);
		return pid;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			(void)close(fd);
	}
}

static struct image make_plan(uint32_t count, uint32_t interval_ms)
{
	const struct plan_probe probe = { .kind = PROBE_TCP,
					  .interval_ms = interval_ms,
					  .timeout_ms = interval_ms < 2000 ? interval_ms : 2000,
					  .fall = 3,
					  .rise = 2,
					  .jitter_percent = 10 };
	struct sketch_node *nodes = mem_array(count, sizeof(*nodes));

	for (uint32_t i = 0; i < count; i++)
		nodes[i] = (struct sketch_node){
			"edge",
			mem_format("n%u", i),
			{ { mem_format("127.100.%u.%u", i / 250, i % 250 + 1), probe, PORT } }
		};
	return sketch_plan(nodes, count); /* the texts live as long as the program */
}

static double processor_s(void)
{
	struct rusage usage = { 0 };

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run_s(struct ev_loop *loop, double seconds)
{
	uint64_t until_us = clock_mono_us() + (uint64_t)(seconds * 1e6);

	while (clock_mono_us() < until_us)
		(void)ev_run(loop, EVRUN_ONCE);
}

static void measure(struct ev_loop *loop, struct engine *engine, uint32_t count, double seconds)
{
	uint32_t all = engine->descriptors;
	double processor = processor_s();

	engine->counters = (struct engine_counters){ 0 };
	descriptors_least = all;
	for (int second = 0; second < (int)seconds; second++) {
		run_s(loop, 1);
		printf("second %d: latest start %.1f ms late\n", second + 1,
		       (double)engine->counters.late_max_us / 1000);
		engine->counters.late_max_us = 0;
	}
	processor = processor_s() - processor;
	printf("checks=%u probes/s=%.0f cpu=%.1f%% us/probe=%.1f descriptors_peak=%u "
	       "failures=%llu not_made=%llu passed_over=%llu queued=%llu changes=%llu\n"
	       "lateness of starts: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms\n",
	       count, (double)engine->counters.started / seconds, processor / seconds * 100,
	       processor * 1e6 / (double)engine->counters.started, all - descriptors_least,
	       (unsigned long long)engine->counters.failures,
	       (unsigned long long)engine->counters.not_made,
	       (unsigned long long)engine->counters.passed_over,
	       (unsigned long long)engine->counters.queued, (unsigned long long)changes,
	       (double)engine_late_us(&engine->counters, .5) / 1000,
	       (double)engine_late_us(&engine->counters, .99) / 1000,
	       (double)engine_late_us(&engine->counters, .999) / 1000);
}

int main(int argc, char **argv)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct prober *prober;
	struct image plan;
	ev_timer tick;
	uint32_t count, interval_ms;
	struct err err;
	pid_t server;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: probe_load CHECKS INTERVAL_MS SECONDS\n");
		return EXIT_FAILURE;
	}
	count = (uint32_t)strtoul(argv[1], NULL, 10);
	interval_ms = (uint32_t)strtoul(argv[2], NULL, 10);
	server = start_server();
	plan = make_plan(count, interval_ms);
	if (prober_open(&prober, &(struct kind_tools){ .loop = loop, .icmp_v4 = -1, .icmp_v6 = -1 },
			&(struct prober_callbacks){ .changed = on_change }, &err) != 0)
		return EXIT_FAILURE;
	ev_timer_init(&tick, on_tick, 0.002, 0.002);
	tick.data = prober; /* its first member is its engine */
	ev_timer_start(loop, &tick);
	prober_apply(prober, &plan, NULL);
	run_s(loop, (double)interval_ms / 1000 + 1);
	measure(loop, (struct engine *)prober, count, strtod(argv[3], NULL));
	prober_close(prober);
	(void)kill(server, SIGKILL);
	return EXIT_SUCCESS;
}
