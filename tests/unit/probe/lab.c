#include "tests/unit/probe/lab.h"

#include <check.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

static void on_change(void *context, uint32_t node, const struct node_state *before,
		      const struct node_state *now)
{
	struct lab *lab = context;

	ck_assert_ptr_eq(now, prober_state(lab->prober, node));
	if (before->status == now->status) {
		lab->aspect_count++;
		return;
	}
	ck_assert_int_lt(lab->change_count, 64);
	lab->changes[lab->change_count++] = (struct lab_change){ node, before->status,
								 now->status };
}

static void on_reading(void *context, uint32_t node, uint32_t probe, bool down,
		       const struct probe_result *result)
{
	struct lab *lab = context;

	ck_assert_uint_lt(node, LAB_MAX);
	ck_assert_uint_lt(probe, LAB_MAX);
	lab->results_of_node[node]++;
	lab->results_of_probe[probe]++;
	lab->outcome_of_probe[probe] = result->outcome;
	lab->failures_told_up += !down && result->outcome == PROBE_FAILURE;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	((struct lab *)timer->data)->ticks++;
}

void lab_open(struct lab *lab, int icmp_v4, int icmp_v6)
{
	struct err err;

	*lab = (struct lab){ .loop = ev_loop_new(EVFLAG_AUTO) };
	ev_timer_init(&lab->tick, on_tick, LAB_TICK_MS / 1e3, LAB_TICK_MS / 1e3);
	lab->tick.data = lab;
	ev_timer_start(lab->loop, &lab->tick);
	ck_assert_int_eq(
		prober_open(&lab->prober,
			    &(struct kind_tools){
				    .loop = lab->loop, .icmp_v4 = icmp_v4, .icmp_v6 = icmp_v6 },
			    &(struct prober_callbacks){
				    .changed = on_change, .reading = on_reading, .context = lab },
			    &err),
		0);
}

void lab_apply(struct lab *lab, const struct sketch_node *nodes, size_t count,
	       const struct node_state *initial)
{
	struct image old = lab->plan;
	size_t references = 0;

	while (references < 2 && lab->references[references].address.family != 0)
		references++;
	lab->plan = sketch_plan_beside(nodes, count, lab->references, references);
	prober_apply(lab->prober, &lab->plan, initial);
	image_close(&old);
}

void lab_close(struct lab *lab)
{
	prober_close(lab->prober);
	image_close(&lab->plan);
	ev_timer_stop(lab->loop, &lab->tick);
	ev_loop_destroy(lab->loop);
}

void lab_run_ms(struct lab *lab, int ms)
{
	int until = lab->ticks + (ms + LAB_TICK_MS - 1) / LAB_TICK_MS;

	while (lab->ticks < until)
		(void)ev_run(lab->loop, EVRUN_ONCE);
}

bool lab_reaches(struct lab *lab, uint32_t node, enum node_status status)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;

	while (prober_state(lab->prober, node)->status != status) {
		if (clock_mono_ms() > until_ms)
			return false;
		(void)ev_run(lab->loop, EVRUN_ONCE);
	}
	return true;
}

bool lab_is_checked(struct lab *lab, uint32_t node)
{
	return lab_has_results(lab, node, 1);
}

bool lab_has_results(struct lab *lab, uint32_t node, int count)
{
	int until = lab->results_of_node[node] + count;
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;

	while (lab->results_of_node[node] < until) {
		if (clock_mono_ms() > until_ms)
			return false;
		(void)ev_run(lab->loop, EVRUN_ONCE);
	}
	return true;
}

bool lab_probe_has_results(struct lab *lab, uint32_t probe, int count)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;

	while (lab->results_of_probe[probe] < count) {
		if (clock_mono_ms() > until_ms)
			return false;
		(void)ev_run(lab->loop, EVRUN_ONCE);
	}
	return true;
}

int listen_on(const char *address, uint16_t port, int backlog)
{
	struct ip_address ip;
	struct sockaddr_storage at;
	socklen_t size;
	int on = 1;
	int fd;

	ck_assert(ip_parse(address, &ip));
	size = ip_to_sockaddr(&ip, port, &at);
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

int count_accepted(int listener)
{
	int count = 0;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		(void)close(fd);
		count++;
	}
	return count;
}

void fill_backlog(int listener, const char *address, uint16_t port, int fillers[FILLERS])
{
	struct ip_address ip;
	struct sockaddr_storage to;
	struct pollfd first = { .fd = listener, .events = POLLIN };
	socklen_t size;

	ck_assert(ip_parse(address, &ip));
	size = ip_to_sockaddr(&ip, port, &to);
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], (struct sockaddr *)&to, size); /* the later ones hang */
	}
	ck_assert_int_eq(poll(&first, 1, LAB_PATIENCE_MS), 1);
}
