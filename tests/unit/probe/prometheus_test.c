/* Sources that share a scrape, and those that do not. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/probe_prometheus.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define ADDRESS     "127.93.25.1"
#define PORT        20199
#define PATIENCE_MS 10000 /* for a server that is this test */
#define SOURCES     3
#define CONNECTIONS 8

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\nload 5\nclients 40\n";

struct source {
	struct prometheus_settings settings;
	char path[16], metric[16];
};

static struct bench {
	struct lab lab;
	struct source sources[SOURCES];
	ev_io server, connections[CONNECTIONS];
	bool silent; /* requests are taken and not answered */
	int accepted;
} bench;

static void on_request(struct ev_loop *loop, ev_io *io, int events)
{
	char heard[2048];
	ssize_t n = recv(io->fd, heard, sizeof(heard), MSG_DONTWAIT);

	(void)events;
	if (n > 0 && bench.silent)
		return;
	if (n > 0) /* a request of one segment */
		(void)!write(io->fd, page, sizeof(page) - 1);
	ev_io_stop(loop, io);
	(void)close(io->fd);
}

/* What was asked while it was silent is answered now, and whatever is asked then. */
static void speak(void)
{
	bench.silent = false;
	for (int i = 0; i < CONNECTIONS; i++) {
		ev_io *io = &bench.connections[i];

		if (!ev_is_active(io))
			continue;
		(void)!write(io->fd, page, sizeof(page) - 1);
		ev_io_stop(bench.lab.loop, io);
		(void)close(io->fd);
	}
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	int fd = accept(io->fd, NULL, NULL);
	int free_one = 0;

	(void)events;
	ck_assert_int_ge(fd, 0);
	bench.accepted++;
	while (free_one < CONNECTIONS && ev_is_active(&bench.connections[free_one]))
		free_one++;
	ck_assert_int_lt(free_one, CONNECTIONS);
	ev_io_init(&bench.connections[free_one], on_request, fd, EV_READ);
	ev_io_start(loop, &bench.connections[free_one]);
}

static struct probe_text put_text(struct source *source, char field[16], const char *text)
{
	(void)strcpy(field, text);
	return (struct probe_text){ (uint32_t)(field - (char *)source), (uint32_t)strlen(text) };
}

static struct plan_probe make_source(int number, const char *path, const char *metric,
				     uint32_t timeout_ms)
{
	const struct plan_probe probe = { .kind = PROBE_PROMETHEUS,
					  .interval_ms = 200,
					  .timeout_ms = timeout_ms,
					  .fall = 1,
					  .rise = 1 };
	struct source *source = &bench.sources[number];

	source->settings.capacity = 100;
	source->settings.body_max = 4096;
	source->settings.path = put_text(source, source->path, path);
	source->settings.metric = put_text(source, source->metric, metric);
	return sketch_with(probe, source, sizeof(*source));
}

static void open_bench(const char *other_path, bool silent, uint32_t timeout_ms)
{
	bench = (struct bench){ .silent = silent };
	lab_open(&bench.lab, -1, -1);
	ev_io_init(&bench.server, on_connection, listen_on(ADDRESS, PORT, 16), EV_READ);
	ev_io_start(bench.lab.loop, &bench.server);
	lab_apply(
		&bench.lab,
		&(struct sketch_node){
			"edge",
			"a",
			{ { ADDRESS, make_source(0, "/metrics", "load", timeout_ms), PORT },
			  { ADDRESS, make_source(1, other_path, "clients", timeout_ms), PORT },
			  { ADDRESS, make_source(2, "/metrics", "missing", timeout_ms), PORT } } },
		1, NULL);
}

static void close_bench(void)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		if (!ev_is_active(&bench.connections[i]))
			continue;
		ev_io_stop(bench.lab.loop, &bench.connections[i]);
		(void)close(bench.connections[i].fd);
	}
	ev_io_stop(bench.lab.loop, &bench.server);
	(void)close(bench.server.fd);
	lab_close(&bench.lab);
}

static int results(void)
{
	const int *of = bench.lab.results_of_probe;

	return of[0] + of[1] + of[2];
}

START_TEST(sources_of_one_page_share_a_scrape)
{
	open_bench("/metrics", false, PATIENCE_MS);
	for (uint32_t i = 0; i < SOURCES; i++)
		ck_assert(lab_probe_has_results(&bench.lab, i, 6));
	ck_assert_int_eq(bench.lab.outcome_of_probe[0], PROBE_SUCCESS);
	ck_assert_int_eq(bench.lab.outcome_of_probe[1], PROBE_SUCCESS);
	ck_assert_int_eq(bench.lab.outcome_of_probe[2], PROBE_FAILURE);
	ck_assert_msg(2 * bench.accepted <= results(), "%d scrapes for %d results", bench.accepted,
		      results());
	close_bench();
}
END_TEST

START_TEST(another_page_is_scraped_by_itself)
{
	open_bench("/other", false, PATIENCE_MS);
	for (uint32_t i = 0; i < SOURCES; i++)
		ck_assert(lab_probe_has_results(&bench.lab, i, 3));
	ck_assert_int_ge(bench.accepted,
			 bench.lab.results_of_probe[0] + bench.lab.results_of_probe[1]);
	ck_assert_int_eq(bench.lab.outcome_of_probe[1], PROBE_SUCCESS);
	close_bench();
}
END_TEST

/* Who waits for another's scrape does not wait for ever, and asks when it is given up. */
START_TEST(a_scrape_without_an_answer_is_a_failure_of_each)
{
	open_bench("/metrics", true, 100);
	for (uint32_t i = 0; i < SOURCES; i++)
		ck_assert(lab_probe_has_results(&bench.lab, i, 2));
	for (uint32_t i = 0; i < SOURCES; i++)
		ck_assert_int_eq(bench.lab.outcome_of_probe[i], PROBE_FAILURE);
	bench.silent = false;
	while (bench.lab.outcome_of_probe[0] != PROBE_SUCCESS ||
	       bench.lab.outcome_of_probe[1] != PROBE_SUCCESS)
		ck_assert(lab_has_results(&bench.lab, 0, 1));
	close_bench();
}
END_TEST

/* Whoever asks for all, or waits for it, may be gone with the next plan. */
START_TEST(source_that_is_gone_takes_no_scrape_of_others_with_it)
{
	for (int gone = 0; gone < SOURCES; gone++) {
		struct sketch_node less = { .pool = "edge", .name = "a" };
		int kept = 0;

		open_bench("/metrics", true, PATIENCE_MS);
		while (bench.accepted == 0)
			lab_run_ms(&bench.lab, 5);
		lab_run_ms(&bench.lab, 250); /* the others have had their turn */
		ck_assert_int_eq(bench.accepted, 1);
		for (int i = 0; i < SOURCES; i++) {
			static const char *const metrics[] = { "load", "clients", "missing" };

			if (i != gone)
				less.checks[kept++] = (struct sketch_check){
					ADDRESS,
					make_source(i, "/metrics", metrics[i], PATIENCE_MS), PORT
				};
		}
		lab_apply(&bench.lab, &less, 1, NULL);
		lab_run_ms(&bench.lab, 50); /* where it was the one that asked, another one does */
		ck_assert_int_eq(results(), 0);
		speak();
		for (uint32_t i = 0; i < SOURCES - 1; i++)
			ck_assert(lab_probe_has_results(&bench.lab, i, 3));
		ck_assert_int_eq(bench.lab.outcome_of_probe[0], PROBE_SUCCESS);
		ck_assert_int_eq(bench.lab.outcome_of_probe[1],
				 gone == 2 ? PROBE_SUCCESS : PROBE_FAILURE);
		ck_assert_int_le(bench.accepted, results());
		close_bench();
	}
}
END_TEST

void add_prometheus_tests(Suite *suite)
{
	suite_case(suite, "prometheus", sources_of_one_page_share_a_scrape,
		   another_page_is_scraped_by_itself,
		   a_scrape_without_an_answer_is_a_failure_of_each,
		   source_that_is_gone_takes_no_scrape_of_others_with_it);
}
