/* signpostd - the supervisor. Binds what queries arrive on, then keeps the control plane and the
 * data plane running and the newest images in hand. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "config.h"
#include "supervise/boot.h"
#include "supervise/supervisor.h"

/* While the data plane is not there, nobody is answered: a start is cheap, and waits for little. */
#define DNS_PAUSE_MAX_MS     1000
#define CONTROL_PAUSE_MAX_MS 5000

#define DEFAULT_CONFIG SIGNPOST_SYSCONFDIR "/signpost.yaml"

struct options {
	const char *config;
	const char *libexec; /* NULL: look for it */
};

static const char usage[] =
	"usage: signpostd [-c FILE] [--libexec DIR]\n"
	"\n"
	"  -c, --config FILE  the server file (" DEFAULT_CONFIG ")\n"
	"      --libexec DIR  the folder of signpost-dns, signpost-control, signpost-compile\n"
	"                     and signpost-run\n"
	"                     (the folder of signpostd itself if they are there, else\n"
	"                     " SIGNPOST_LIBEXECDIR ")\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n"
	"\n"
	"Runs in the foreground. SIGHUP reloads all files, SIGTERM and SIGINT end it.\n";

/* -1: go on; else the exit status. */
static int parse_options(struct options *out, int argc, char **argv)
{
	static const struct option names[] = { { "config", required_argument, NULL, 'c' },
					       { "libexec", required_argument, NULL, 'l' },
					       { "help", no_argument, NULL, 'h' },
					       { "version", no_argument, NULL, 'V' },
					       { NULL, 0, NULL, 0 } };
	int option;

	*out = (struct options){ .config = DEFAULT_CONFIG };
	while ((option = getopt_long(argc, argv, "c:hV", names, NULL)) != -1) {
		switch (option) {
		case 'c': out->config = optarg; break;
		case 'l': out->libexec = optarg; break;
		case 'h': (void)fputs(usage, stdout); return 0;
		case 'V': (void)puts(PACKAGE_STRING); return 0;
		default: (void)fputs(usage, stderr); return 2;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "signpostd: unexpected argument '%s'\n%s", argv[optind],
			      usage);
		return 2;
	}
	return -1;
}

/* Many sockets on many cores, and as many TCP connections as the data plane may want. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int open_counters(struct err *err)
{
	int fd = memfd_create("counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)sizeof(struct counters_page)) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return err_set(err, "counters page: %s", strerror(errno));
	return fd;
}

/* A raw socket hears every echo reply of the host, so control gets one only where its user may
 * not open ping sockets. Without (no IPv6, no CAP_NET_RAW): -1, and control says so when a pool
 * asks for ICMP probes. */
static int open_icmp(const struct identity *user, int family)
{
	if (!user->change || identity_may_ping(user))
		return -1;
	return socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static void log_listening(const struct boot_record *boot, const struct listeners *listeners)
{
	char text[IP_ENDPOINT_SIZE];

	for (uint32_t i = 0; i < boot->listen_count; i++) {
		(void)ip_endpoint_format(&boot->listen[i].address, boot->listen[i].port, text);
		if (listeners->left_out[i])
			log_warning("not listening: this host has no IPv6", "endpoint=%s", text);
		else
			log_info("listening", "endpoint=%s workers=%u receive_buffer=%d", text,
				 listeners->workers, listeners->receive_buffer);
	}
}

/* Two supervisors with one folder would take each other's control socket and database away. A
 * lock of the folder itself leaves nothing behind, whatever ends us. Where a file system has no
 * locks, or the folder is not there, there is nothing to be done. */
static int lock_folder(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		(void)close(fd);
		return err_set(err,
			       "%s: another signpostd uses this folder: stop it, or give this one "
			       "its own 'state' and 'run' in the server file",
			       path);
	}
	return 0; /* open as long as we run */
}

static int lock_folders(const struct boot_record *boot, struct err *err)
{
	struct stat state, run;
	bool same = stat(boot->state_dir, &state) == 0 && stat(boot->run_dir, &run) == 0 &&
		    state.st_dev == run.st_dev && state.st_ino == run.st_ino;

	if (lock_folder(boot->state_dir, err) != 0)
		return -1;
	return same ? 0 : lock_folder(boot->run_dir, err);
}

/* Everything that needs root happens here, and it is over when this returns. */
static int prepare(struct supervisor *out, const struct boot_record *boot, struct err *err)
{
	struct identity *user = &out->control.identity;

	if (identity_find(user, boot->user, err) != 0)
		return -1;
	out->dns.identity = *user;
	if (user->change && user->uid == 0) /* the data plane needs no file of anybody's */
		identity_nobody(&out->dns.identity);
	if (identity_make_folder(boot->state_dir, 0750, user, err) != 0 ||
	    identity_make_folder(boot->run_dir, 0755, user, err) != 0 ||
	    lock_folders(boot, err) != 0 || listeners_open(&out->listeners, boot, err) != 0)
		return -1;
	out->counters_fd = open_counters(err);
	if (out->counters_fd < 0)
		return -1;
	out->icmp_fds[0] = open_icmp(user, AF_INET);
	out->icmp_fds[1] = open_icmp(user, AF_INET6);
	return identity_keep_least(user, err);
}

static int run(struct supervisor *supervisor, struct boot_record *boot, struct err *err)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	char dns[] = "signpost-dns", control[] = "signpost-control", config[] = "--config";
	char state[] = "--state", run_dir[] = "--run", log_level[] = "--log-level";
	char syslog_option[] = "--syslog", level[16];
	char *last = boot->log_target == LOG_TARGET_SYSLOG ? syslog_option : NULL;
	char *control_argv[] = { control, config,        boot->server_file, state, boot->state_dir,
				 run_dir, boot->run_dir, log_level,         level, last,
				 NULL };
	char *dns_argv[] = { dns, log_level, level, last, NULL };

	(void)snprintf(level, sizeof(level), "%s", levels[boot->log_level]);
	log_open("signpostd", (enum log_target)boot->log_target, (enum log_level)boot->log_level);
	supervisor->server_file = boot->server_file;
	supervisor->boot_id = boot_record_id(boot);
	supervisor->control.argv = control_argv;
	supervisor->dns.argv = dns_argv;
	if (prepare(supervisor, boot, err) != 0)
		return -1;
	log_listening(boot, &supervisor->listeners);
	return supervisor_run(supervisor, err);
}

static int fail(const struct err *err)
{
	log_error("cannot go on", "%s", err->text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct boot_record boot;
	struct supervisor supervisor = {
		.icmp_fds = { -1, -1 },
		.control_socket = -1,
		.dns = { .name = "signpost-dns", .pause_max_ms = DNS_PAUSE_MAX_MS, .channel = -1 },
		.control = { .name = "signpost-control",
			     .pause_max_ms = CONTROL_PAUSE_MAX_MS,
			     .channel = -1 }
	};
	char config[PATH_MAX];
	struct options options;
	struct err err;
	int status = parse_options(&options, argc, argv);

	if (status >= 0)
		return status;
	log_open("signpostd", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	if (program_reserve_fds(&err) != 0)
		return fail(&err);
	if (realpath(options.config, config) == NULL) {
		(void)err_set(&err, "%s: %s", options.config, strerror(errno));
		return fail(&err);
	}
	if (program_folder_open(&supervisor.folder, options.libexec, &err) != 0)
		return fail(&err);
	raise_descriptor_limit();
	switch (boot_read(&boot, supervisor.folder, config, &err)) {
	case BOOT_MISTAKES: return EXIT_FAILURE; /* told by signpost-compile */
	case BOOT_FAILED: return fail(&err);
	case BOOT_OK: break;
	}
	status = run(&supervisor, &boot, &err) == 0 ? EXIT_SUCCESS : fail(&err);
	listeners_close(&supervisor.listeners);
	return status;
}
